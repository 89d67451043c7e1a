"""`jevons train`: a training run on a cluster of one kind of accelerator."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.app import parse_date
from jevons.cli.hourly import given_price
from jevons.cli.output import check_out, emit, number, table
from jevons.errors import InputError
from jevons.units import format_money, format_si

if TYPE_CHECKING:
    from jevons.study.pricing import HourPrice
    from jevons.training import RunEstimate, TrainingJob, TrainingStep

_TOKENS = re.compile(r"^\s*(\d+(?:\.\d+)?(?:[eE]\+?\d+)?)\s*([kKMBGT]?)\s*$")
_TOKEN_SCALE = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_MOST_TOKENS = 1e18


@dataclass(frozen=True, slots=True)
class Run:
    """The options of a training run."""

    model: str
    gpu: str
    gpus: int
    tokens: str
    seq_len: int
    batch: int
    precision: str
    as_of: str | None


def _tokens(text: str) -> float:
    """Return the tokens that ``--tokens`` states, such as ``14.8T``."""
    match = _TOKENS.match(text)
    count = float(match.group(1)) * _TOKEN_SCALE[match.group(2)] if match else math.nan
    if not 0 < count <= _MOST_TOKENS:
        message = f"--tokens {text}: write a number above 0, at most a million T, with k, M, B or T, such as 14.8T"
        raise InputError(message)
    return count


def run_train(run: Run, fixed: dict[str, int | None], gpu_hour: str | None, *, json: bool, out: Path | None) -> None:
    """Print the fastest layouts of a training run with memory, step time, days and price."""
    from jevons.hardware import accelerator
    from jevons.study.training_run import train

    check_out(out)
    price = given_price(gpu_hour)
    found = train(
        run.model,
        accelerator(run.gpu, on=parse_date(run.as_of)),
        run.gpus,
        tokens=_tokens(run.tokens),
        seq_len=run.seq_len,
        global_batch=run.batch,
        precision=run.precision,
        price=price,
        fixed={name: degree for name, degree in fixed.items() if degree is not None},
    )
    tables = _tables(run, found.job, found.steps, found.estimate, found.price)
    emit(found.to_json(), tables, as_json=json, out=out)


def _tables(
    run: Run, job: TrainingJob, steps: tuple[TrainingStep, ...], estimate: RunEstimate, price: HourPrice | None
) -> list[Any]:
    best = steps[0]
    rows = [
        (
            str(s.layout), f"{s.step_time_s:.3f}", f"{100 * s.mfu_frac:.1f}", format_si(s.tokens_per_s, "tok/s"),
            f"{sum(s.memory_bytes.values()) / 1e9:.1f}",
        )
        for s in steps[:6]
    ]  # fmt: skip
    title = (
        f"{job.model.name} on {run.gpus:,} {job.cluster.accelerator.name}, {run.batch:,} x {run.seq_len:,} tokens a "
        f"step, {run.precision}: fastest layouts"
    )
    parts = [
        (name.replace("_", " "), f"{time:.4f}", f"{100 * time / best.step_time_s:.1f}")
        for name, time in best.parts.items()
        if time > 0
    ]
    memory = [(name, f"{size / 1e9:.2f}") for name, size in best.memory_bytes.items() if size > 0]
    cost = "–" if estimate.cost is None or price is None else format_money(estimate.cost, price.currency)
    origin = "" if price is None else f"{price.amount:.3g} {price.currency} an accelerator-hour, {price.origin}"
    energy_mwh = estimate.energy_j / 3.6e9
    energy = f"{energy_mwh / 1e3:,.1f} GWh" if energy_mwh > 1e3 else f"{energy_mwh:,.1f} MWh"
    table_rows = [
        ("time without failures", f"{number(estimate.days)} days", ""),
        ("accelerator-hours", number(estimate.accelerator_h), ""),
        ("energy of servers", energy, "full load, facility overhead left out"),
        ("price", cost, origin),
    ]
    return [
        table(title, ("layout", "step [s]", "MFU [%]", "speed", "memory [GB]"), rows),
        table("best layout: step time by part", ("part", "time [s]", "share [%]"), parts),
        table("best layout: memory per accelerator", ("kind", "GB"), memory),
        table(f"the run: {run.tokens} tokens", ("what", "value", "note"), table_rows, text_columns=3),
    ]
