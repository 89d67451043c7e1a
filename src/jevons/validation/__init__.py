"""How far predictions are from published measurements, and the factors fitted to them."""

from jevons.validation.report import Entry, Score, ValidationReport
from jevons.validation.run import validate

__all__ = ["Entry", "Score", "ValidationReport", "validate"]
