"""Closed loops: a fixed number of users, each with one request in flight."""
