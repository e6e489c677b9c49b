"""The pure core: HTTP caching as questions with answers. No I/O, no clock, no logging, no framework."""
