"""`jevons.calibrate`: an engine's and its kernels' factors, fitted to measured rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o

if TYPE_CHECKING:
    from jevons.validation import CalibrationResult

FILES = o.Option(help="CSV files of measured serving rows", metavar="FILE")


@o.declared
def calibrate(*files: Annotated[Path | str, FILES], progress: Callable[[str], None] | None = None) -> CalibrationResult:
    """Fit the engines' and kernels' few factors to measured rows; other functions take them as ``calibration``.

    Returns
    -------
    CalibrationResult
        Factors with their standard errors. `.save("calibration.json")` writes the file that commands take with
        ``--calibration``.

    Raises
    ------
    InputError
        If a file cannot be read, or none of its rows can be fitted.

    Examples
    --------
    >>> import jevons
    >>> fitted = jevons.calibrate("tests/data/serving/phase_latency.csv")
    >>> fitted.median_ape < 0.3
    True
    """
    from jevons.validation import run

    return run.calibrate(files, progress or (lambda _: None))
