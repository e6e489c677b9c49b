"""The commands that ask a running Swerve over its admin side."""
