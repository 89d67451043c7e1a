"""How far predictions are from published measurements, and the factors fitted to them."""

from jevons.validation.calibrated import CalibrationResult
from jevons.validation.report import Entry, Score, ValidationReport
from jevons.validation.run import calibrate, validate

__all__ = ["CalibrationResult", "Entry", "Score", "ValidationReport", "calibrate", "validate"]
