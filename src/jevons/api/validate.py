"""`jevons.validate`: measured rows beside their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.api.launch import SERVE
from jevons.api.told import told_of

if TYPE_CHECKING:
    from jevons.validation import CalibrationResult, ValidationReport

FILES = o.Option(
    help="Measured rows: CSV tables known by their header, results of load tests (vLLM, SGLang, AIPerf, GuideLLM and "
    "others), start-up logs, /metrics",
    metavar="FILE",
)


@o.declared
def validate(
    *files: Annotated[Path | str, FILES],
    calibration: Annotated[Path | str | CalibrationResult | None, o.CALIBRATION] = None,
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
) -> ValidationReport:
    """Predict measured rows from their configuration alone, and say how far off the predictions are.

    Results of load tests are read as their tools write them; what they do not say of the server, such as `gpu` and `tp`
    or its launch line, is given beside them.

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
    told = told_of(
        serve=serve, mapping=map_, rate=rate, concurrency=concurrency, gpus=gpus, model=model, gpu=gpu, tp=tp, pp=pp,
        ep=ep, dp=dp, engine=engine, engine_version=engine_version, precision=precision, isl=isl, osl=osl,
    )  # fmt: skip
    return run.validate(files, factors, told)
