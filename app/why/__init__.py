"""`swerve why`: the whole reasoning for a request, asked of a running Swerve and printed for people."""

from app.why.command import why_command

__all__ = ["why_command"]
