"""`jevons.calibrate`: an engine's and its kernels' factors, fitted to measured rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

from jevons import options as o
from jevons.api.told import Measured, told_of

if TYPE_CHECKING:
    from jevons.validation import CalibrationResult

FILES = o.Option(
    help="Measured runs: results of load tests, CSV tables of serving rows, start-up logs, /metrics", metavar="FILE"
)


@o.declared
def calibrate(
    *files: Annotated[Path | str, FILES],
    progress: Callable[[str], None] | None = None,
    **measured: Unpack[Measured],
) -> CalibrationResult:
    """Fit the factors of engine and kernels to your own measured runs; other functions take them as ``calibration``.

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

    return run.calibrate(files, progress or (lambda _: None), told_of(measured))
