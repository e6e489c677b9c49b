"""`python -m app` is `swerve`."""

from app.cli import main

main()
