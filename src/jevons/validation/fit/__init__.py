"""Fits of the few factors to measured rows."""
