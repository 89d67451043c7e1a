"""Measured serving against predictions."""
