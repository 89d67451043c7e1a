"""Measured training against predictions."""
