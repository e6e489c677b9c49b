"""The Redis store: responses, purges, tags and marks that several machines share (Redis or Valkey).

Nothing is imported here: whoever reads the settings needs the address, and not the library.
"""
