"""`jevons.validate`: measured rows beside their predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o

if TYPE_CHECKING:
    from jevons.validation import CalibrationResult, ValidationReport

FILES = o.Option(
    help="CSV files of measured rows: serving, requests, training, reliability or operators, known by their header",
    metavar="FILE",
)


@o.declared
def validate(
    *files: Annotated[Path | str, FILES],
    calibration: Annotated[Path | str | CalibrationResult | None, o.CALIBRATION] = None,
) -> ValidationReport:
    """Predict measured rows from their configuration alone, and say how far off the predictions are.

    Returns
    -------
    ValidationReport
        Coverage, median and 90th percentile of the absolute error, bias; by table, group and row. A row without a
        prediction keeps its reason. `.save("rows.csv")` writes the rows with the prediction added.

    Raises
    ------
    InputError
        If a file cannot be read, holds no rows, or has a header that is not known.

    Examples
    --------
    >>> import jevons
    >>> report = jevons.validate("tests/data/serving/trtllm_overview.csv")
    >>> report.overall.coverage_frac > 0.9
    True
    """
    from jevons.validation import CalibrationResult, run

    factors = calibration.calibration if isinstance(calibration, CalibrationResult) else o.file(calibration)
    return run.validate(files, factors)
