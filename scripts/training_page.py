"""Writes docs/validation/training.md from the report of fit_training.py."""

from __future__ import annotations

from typing import Any


def page_of(report: dict[str, Any]) -> str:
    """Return the page."""
    return str(report)
