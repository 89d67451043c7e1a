"""How far predictions are from published measurements, and the factors fitted to them."""

from jevons.validation.calibration import Calibration, engine_for, shipped_calibration
from jevons.validation.report import Entry, Score, ValidationReport
from jevons.validation.run import validate

__all__ = ["Calibration", "Entry", "Score", "ValidationReport", "engine_for", "shipped_calibration", "validate"]
