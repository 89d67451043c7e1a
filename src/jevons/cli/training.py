"""`jevons train`: a training run on a cluster of one kind of accelerator."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.app import parse_date
from jevons.cli.hourly import HourPrice, hour_price
from jevons.cli.output import check_out, emit, number, table
from jevons.errors import InfeasibleError, InputError
from jevons.units import format_money, format_si

if TYPE_CHECKING:
    from jevons.training import RunEstimate, TrainingJob, TrainingSearch, TrainingStep

_TOKENS = re.compile(r"^\s*(\d+(?:\.\d+)?(?:[eE]\+?\d+)?)\s*([kKMBGT]?)\s*$")
_TOKEN_SCALE = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_MOST_TOKENS = 1e18

_LAYOUT = ("tp", "pp", "vpp", "dp", "cp", "ep", "zero", "recompute", "micro_batch")


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


def _job(run: Run) -> TrainingJob:
    from jevons import models, training
    from jevons.hardware import Cluster, accelerator

    if run.precision not in {"bf16", "fp8"}:
        message = f"--precision {run.precision}: write bf16 or fp8"
        raise InputError(message)
    device = accelerator(run.gpu, on=parse_date(run.as_of))
    if not device.supports(run.precision):
        message = f"--precision {run.precision}: {device.id} does not multiply in it; use bf16"
        raise InputError(message)
    cluster = Cluster(device, run.gpus)
    return training.TrainingJob(
        models.load(run.model), cluster, run.seq_len, run.batch, run.precision, _tokens(run.tokens)
    )


def _best(job: TrainingJob, found: TrainingSearch, fixed: dict[str, int]) -> tuple[TrainingStep, ...]:
    """Return the steps whose layout has the fixed degrees, fastest first."""
    kept = tuple(s for s in found.best if all(getattr(s.layout, n) == size for n, size in fixed.items()))
    if not kept:
        wanted = ", ".join(f"--{name} {size}" for name, size in fixed.items())
        message = (
            f"no layout of {job.model.name} on {job.cluster.devices:,} {job.cluster.accelerator.id} with {wanted} "
            f"divides and fits. The fastest that does: {found.best[0].layout}."
        )
        raise InfeasibleError(message, ["fixed layout"])
    return kept


def run_train(run: Run, fixed: dict[str, int | None], gpu_hour: str | None, *, json: bool, out: Path | None) -> None:
    """Print the fastest layouts of a training run with memory, step time, days and price."""
    from jevons import training

    check_out(out)
    job = _job(run)
    price = hour_price(gpu_hour, job.cluster.accelerator, parse_date(run.as_of))
    held = {name: size for name, size in fixed.items() if size is not None}
    found = training.search(job, best=1_000_000 if held else 10)
    steps = _best(job, found, held)
    best = steps[0]
    estimate = training.run_estimate(job, best, price_per_accelerator_h=None if price is None else price.amount)
    record = {
        "model": job.model.name, "gpu": job.cluster.accelerator.id, "gpus": run.gpus,
        "layout": {name: getattr(best.layout, name) for name in _LAYOUT}, "step_time_s": best.step_time_s,
        "parts_s": dict(best.parts), "mfu_frac": best.mfu_frac, "hfu_frac": best.hfu_frac,
        "memory_bytes": sum(best.memory_bytes.values()), "memory_parts_bytes": dict(best.memory_bytes),
        "tokens_per_s": best.tokens_per_s, "tokens": job.tokens, "days": estimate.days,
        "accelerator_h": estimate.accelerator_h, "energy_j": estimate.energy_j, "cost": estimate.cost,
        "currency": None if price is None else price.currency, "tried": found.tried, "rejected": dict(found.rejected),
        "fastest": [
            {"layout": str(s.layout), "step_time_s": s.step_time_s, "mfu_frac": s.mfu_frac,
             "tokens_per_s": s.tokens_per_s, "memory_bytes": sum(s.memory_bytes.values())}
            for s in steps[:10]
        ],
    }  # fmt: skip
    emit(record, _tables(run, job, steps, estimate, price), as_json=json, out=out)


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
