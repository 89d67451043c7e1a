"""`jevons.calibrate`: an engine's and its kernels' factors, fitted to measured rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.api.launch import SERVE
from jevons.api.told import told_of

if TYPE_CHECKING:
    from jevons.validation import CalibrationResult

FILES = o.Option(
    help="Measured runs: results of load tests, CSV tables of serving rows, start-up logs, /metrics", metavar="FILE"
)


@o.declared
def calibrate(
    *files: Annotated[Path | str, FILES],
    serve: Annotated[Path | str | None, SERVE] = None,
    map_: Annotated[Sequence[str] | None, o.MAP] = None,
    model: Annotated[str | None, o.MODEL] = None,
    gpu: Annotated[str | None, o.GPU] = None,
    gpus: Annotated[int | None, o.GPUS] = None,
    tp: Annotated[int | None, o.TP] = None,
    pp: Annotated[int | None, o.PP] = None,
    ep: Annotated[int | None, o.EP] = None,
    dp: Annotated[int | None, o.DP] = None,
    engine: Annotated[str | None, o.ENGINE] = None,
    engine_version: Annotated[str | None, o.ENGINE_VERSION] = None,
    precision: Annotated[str | None, o.PRECISION] = None,
    rate: Annotated[float | None, o.RATE] = None,
    concurrency: Annotated[int | None, o.CONCURRENCY] = None,
    isl: Annotated[int | None, o.ISL] = None,
    osl: Annotated[int | None, o.OSL] = None,
    progress: Callable[[str], None] | None = None,
) -> CalibrationResult:
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

    told = told_of(
        serve=serve, mapping=map_, rate=rate, concurrency=concurrency, gpus=gpus, model=model, gpu=gpu, tp=tp, pp=pp,
        ep=ep, dp=dp, engine=engine, engine_version=engine_version, precision=precision, isl=isl, osl=osl,
    )  # fmt: skip
    return run.calibrate(files, progress or (lambda _: None), told)
