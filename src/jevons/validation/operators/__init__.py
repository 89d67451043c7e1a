"""Measured operators against predictions."""
