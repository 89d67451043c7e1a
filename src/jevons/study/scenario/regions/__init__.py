"""Regions: what firms of one place share, as sections of a scenario that a file need not repeat."""
