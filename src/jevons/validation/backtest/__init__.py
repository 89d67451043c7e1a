"""Forecasts frozen at a date, scored on what happened."""
