"""Swerve: a CDN edge cache that runs anywhere Python runs."""

__version__ = "0.1.0"
