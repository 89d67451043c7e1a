"""`jevons.validate`: measured rows beside their predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

from jevons import options as o
from jevons.api.told import Measured, told_of

if TYPE_CHECKING:
    from jevons.validation import CalibrationResult, ValidationReport

FILES = o.Option(
    help="Measured rows: CSV tables known by their header, results of load tests (vLLM, SGLang, AIPerf, GuideLLM, "
    "trtllm-bench, llama-bench and others), start-up logs, /metrics",
    metavar="FILE",
)


@o.declared
def validate(
    *files: Annotated[Path | str, FILES],
    calibration: Annotated[Path | str | CalibrationResult | None, o.CALIBRATION] = None,
    **measured: Unpack[Measured],
) -> ValidationReport:
    """Predict measured rows from their configuration alone, and report the errors.

    Results of load tests are read as their tools write them. Settings that they omit, such as `gpu` and `tp`
    or its launch line, are given beside them.

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
    return run.validate(files, factors, told_of(measured))
