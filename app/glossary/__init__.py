"""`swerve explain-header`: what a header of any CDN says, from what the dialects' files say of it and from the RFCs."""
