"""Actual against plan: what was forecast, what came, what it implies, and the new forecast."""
