"""`jevons train`: a training run on a cluster of one kind of accelerator."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.cli.figures import PICTURES, save_figure
from jevons.cli.options import AsOf, Dp, Ep, Gpu, Hourly, Json, Model, Out, Pp, Tp, finite
from jevons.cli.output import check_out, emit, table
from jevons.errors import InputError
from jevons.results import number
from jevons.sizing.money import given_price
from jevons.units import format_money, format_si, parse_date

if TYPE_CHECKING:
    from jevons.sizing.hour_price import HourPrice
    from jevons.sizing.train import TrainResult
    from jevons.training import RunEstimate, TrainingJob, TrainingStep

_TOKENS = re.compile(r"^\s*(\d+(?:\.\d+)?(?:[eE]\+?\d+)?)\s*([kKMBGT]?)\s*$")
_TOKEN_SCALE = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_MOST_TOKENS = 1e18


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The options of a training run."""

    model: str
    gpu: str
    gpus: int
    tokens: str
    seq_len: int
    batch: int | None
    precision: str
    as_of: str | None
    seed: int = 0
    scale_to: int | None = None
    site_mw: float | None = None
    plot: Path | None = None


@dataclass(frozen=True, slots=True)
class Fabric:
    """What lies around the accelerators of a run."""

    offload: str = "none"
    oversubscription: float = 1.0
    pod: int = 0


def _stage_layers(text: str | None) -> tuple[int, ...]:
    """Return the layers of each stage that ``--stages`` states, such as ``9,10,10,9``."""
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        message = f"--stages {text}: write the layers of each stage with commas between, such as 9,10,10,9"
        raise InputError(message)
    return tuple(map(int, parts))


def _tokens(text: str, model: str) -> float:
    """Return the tokens that ``--tokens`` states, such as ``14.8T``, or 20 per active parameter (``chinchilla``)."""
    if text.strip().lower() == "chinchilla":
        from jevons.facts import get
        from jevons.models import load

        return get("training_budget.tokens_per_parameter").number * load(model).parameters_active
    match = _TOKENS.match(text)
    count = float(match.group(1)) * _TOKEN_SCALE[match.group(2)] if match else math.nan
    if not 0 < count <= _MOST_TOKENS:
        message = (
            f"--tokens {text}: write a number above 0, at most a million T, with k, M, B or T, such as 14.8T, or "
            "chinchilla for 20 a parameter"
        )
        raise InputError(message)
    return count


def run_train(
    run: Run,
    degrees: dict[str, int | None],
    stages: str | None,
    fabric: Fabric,
    gpu_hour: str | None,
    *,
    json: bool,
    out: Path | None,
) -> None:
    """Print the fastest layouts of a training run with memory, step time, days and price."""
    from jevons.hardware import accelerator
    from jevons.sizing.train import train

    check_out(out)
    check_out(run.plot, PICTURES, option="--plot")
    price = given_price(gpu_hour)
    found = train(
        run.model,
        accelerator(run.gpu, on=parse_date(run.as_of)),
        run.gpus,
        tokens=_tokens(run.tokens, run.model),
        seq_len=run.seq_len,
        global_batch=run.batch,
        precision=run.precision,
        price=price,
        fixed={name: degree for name, degree in degrees.items() if degree is not None},
        stage_layers=_stage_layers(stages),
        offload=fabric.offload,
        oversubscription=fabric.oversubscription,
        pod_devices=fabric.pod,
        seed=run.seed,
        scale_to=run.scale_to,
        power_limit_w=None if run.site_mw is None else run.site_mw * 1e6,
    )
    if run.plot is not None:
        from jevons.plot.training import training_figure

        save_figure(run.plot, training_figure(found))
    tables = _tables(run, found.job, found.steps, found.estimate, found.price)
    tables += _run_tables(found)
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
        f"{job.model.name} on {run.gpus:,} {job.cluster.accelerator.name}, {job.global_batch:,} x {run.seq_len:,} "
        f"tokens a step, {run.precision}: fastest layouts"
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
        ("time, failures included", f"{number(estimate.days)} days", f"goodput {100 * estimate.goodput_frac:.1f} %"),
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


def _run_tables(found: TrainResult) -> list[Any]:
    """Tables of failures, and of other sizes of cluster where they were asked for."""
    run = found.outlook
    days = run.days
    rows = [
        ("mean time between interruptions", f"{number(run.mttf_h)} h", f"{number(run.interruptions)} in the run"),
        ("work between checkpoints", f"{number(run.interval_s / 60)} min", "maximises useful time"),
        ("lost to slow nodes", f"{100 * run.straggler_frac:.2f} %", ""),
        ("spare nodes", number(run.spare_nodes), "cover nodes in repair 99 % of the time; not in the price"),
        (
            "wall time, 5th to 95th percentile",
            f"{number(days['p5'])} – {number(days['p95'])} days",
            "over failures only",
        ),
    ]
    made = [table("failures and restarts", ("what", "value", "note"), rows, text_columns=3)]
    if found.curve:
        cells = [
            (
                f"{p.devices:,}", "–" if p.step is None else str(p.step.layout),
                "–" if p.step is None else number(p.days), "–" if p.step is None else f"{100 * p.step.mfu_frac:.1f}",
                f"{100 * p.goodput_frac:.1f}", f"{100 * p.efficiency_frac:.0f}", f"{p.power_w / 1e6:,.1f}", p.reason,
            )
            for p in found.curve
        ]  # fmt: skip
        heads = ("GPUs", "layout", "days", "MFU [%]", "goodput [%]", "efficiency [%]", "power [MW]", "limit")
        made.append(table("other sizes of cluster, same batch", heads, cells, text_columns=2))
    return made


def train(
    model: Model,
    gpu: Gpu = "h100_sxm",
    gpus: Annotated[int, typer.Option("--gpus", min=1, max=1_000_000, help="Accelerators.")] = 1024,
    tokens: Annotated[str, typer.Option("--tokens", help="Training tokens, such as 14.8T, or chinchilla.")] = "1T",
    seq_len: Annotated[int, typer.Option("--seq-len", min=1, max=100_000_000, help="Tokens per sequence.")] = 4096,
    batch: Annotated[
        int | None,
        typer.Option(
            "--batch",
            min=1,
            max=10_000_000,
            help="Sequences per optimiser step; by default 1,024, or one for every four accelerators.",
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option("--precision", help="Format of the products: bf16, fp8, fp8_block, mxfp8, nvfp4, mxfp4.")
    ] = "bf16",
    tp: Tp = None,
    pp: Pp = None,
    ep: Ep = None,
    dp: Dp = None,
    vpp: Annotated[int | None, typer.Option("--vpp", min=1, help="Virtual stages per accelerator.")] = None,
    cp: Annotated[int | None, typer.Option("--cp", min=1, help="Accelerators that share a sequence.")] = None,
    etp: Annotated[int | None, typer.Option("--etp", min=1, help="Tensor parallel of routed experts.")] = None,
    zero: Annotated[int | None, typer.Option("--zero", min=0, max=3, help="Sharing of states, ZeRO 0 to 3.")] = None,
    shard: Annotated[
        int | None, typer.Option("--shard", min=1, help="Replicas that share states out among them (HSDP).")
    ] = None,
    stages: Annotated[
        str | None, typer.Option("--stages", help="Layers of each pipeline stage, such as 9,10,10,9.")
    ] = None,
    offload: Annotated[
        str, typer.Option("--offload", help="Kept in the host's memory: none, optimizer, activations or both.")
    ] = "none",
    oversubscription: Annotated[
        float, typer.Option("--oversubscription", min=1, callback=finite, help="Injection over bisection bandwidth.")
    ] = 1.0,
    pod: Annotated[
        int, typer.Option("--pod", min=0, help="Neighbouring accelerators (of a rail) without oversubscription.")
    ] = 0,
    gpu_hour: Hourly = None,
    as_of: AsOf = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the failure process.")] = 0,
    scale_to: Annotated[
        int | None, typer.Option("--scale-to", min=1, max=1_000_000, help="Largest cluster of a scaling curve.")
    ] = None,
    site_mw: Annotated[float | None, typer.Option("--site-mw", help="Power of the site for servers [MW].")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="SVG of the step and the scaling curve.")] = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Find the fastest layout for a training run, its memory, step time, days and price."""
    run = Run(
        model=model,
        gpu=gpu,
        gpus=gpus,
        tokens=tokens,
        seq_len=seq_len,
        batch=batch,
        precision=precision,
        as_of=as_of,
        seed=seed,
        scale_to=scale_to,
        site_mw=site_mw,
        plot=plot,
    )
    degrees = {"tp": tp, "pp": pp, "ep": ep, "dp": dp, "vpp": vpp, "cp": cp, "etp": etp, "zero": zero, "shard": shard}
    fabric = Fabric(offload, oversubscription, pod)
    run_train(run, degrees, stages, fabric, gpu_hour, json=json, out=out)
