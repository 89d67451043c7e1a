"""Loads: arrivals, lengths, classes and traces."""
