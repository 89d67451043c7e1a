"""Options that several commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer


def finite(value: float | None) -> float | None:
    """Refuse nan and infinity, which pass every comparison with a bound."""
    if value is not None and not math.isfinite(value):
        message = f"{value} is not a finite number"
        raise typer.BadParameter(message)
    return value


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date, YYYY-MM-DD: nothing published later is visible.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write to this file too: .json (all) or .csv (the records).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Root of all random streams.")]
Model = Annotated[str, typer.Option("--model", help="Shipped model name or path of a config.json.")]
Gpu = Annotated[str, typer.Option("--gpu", help="Accelerator id, such as h100_sxm (see `jevons facts search hbm`).")]
Gpus = Annotated[int, typer.Option("--gpus", min=1, max=4096, help="Most accelerators of one copy of the model.")]
Engine = Annotated[str, typer.Option("--engine", help="Engine preset: vllm, sglang, trtllm or generic.")]
Precision = Annotated[
    str | None, typer.Option("--precision", help="Precision of the weights: bf16, fp8, int8, …; the best by default.")
]
Isl = Annotated[int, typer.Option("--isl", min=1, max=100_000_000, help="Input tokens per request.")]
Osl = Annotated[int, typer.Option("--osl", min=1, max=100_000_000, help="Output tokens per request.")]
Ttft = Annotated[float | None, typer.Option("--ttft", min=0, callback=finite, help="Highest time to first token [s].")]
Tpot = Annotated[
    float | None, typer.Option("--tpot", min=0, callback=finite, help="Highest time per output token [s].")
]
Tp = Annotated[int | None, typer.Option("--tp", min=1, help="Fix the tensor-parallel degree.")]
Pp = Annotated[int | None, typer.Option("--pp", min=1, help="Fix the number of pipeline stages.")]
Ep = Annotated[int | None, typer.Option("--ep", min=1, help="Fix the expert-parallel degree.")]
Dp = Annotated[int | None, typer.Option("--dp", min=1, help="Fix the data-parallel degree.")]
CalibrationFile = Annotated[
    Path | None,
    typer.Option("--calibration", help="File of `jevons calibrate`, to use instead of the shipped factors."),
]
Hourly = Annotated[
    str | None, typer.Option("--gpu-hour", help="Price of an accelerator-hour with currency, such as '2 USD'.")
]
