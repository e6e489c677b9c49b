"""Purges in the shapes of CDNs, so that code that purges there works here with another base URL.

Each vendor is a module: rules that turn a call of its client into purges, and the answers that its client expects. What
the clients send and need was captured from those that the vendors publish; tests/live/vendors runs them.
"""
