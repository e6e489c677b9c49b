"""`swerve table`: one response under every dialect, from a head that was fetched, pasted or written by hand."""
