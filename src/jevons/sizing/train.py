"""Finds layouts for a training run, and what the run takes in days, energy and money."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jevons import models, training
from jevons.checks import check, check_shares, check_sum
from jevons.errors import InfeasibleError, InputError
from jevons.facts import get
from jevons.hardware import Accelerator, Cluster, accelerator
from jevons.results import Column, Result, Table, number, table
from jevons.sizing.hour_price import HourPrice, converted, currency_of, owned_hour_price
from jevons.units import format_money
from jevons.words import Sentence

LAYOUT = (
    "tp", "pp", "vpp", "dp", "cp", "ep", "etp", "zero", "shard", "recompute", "micro_batch", "stage_layers", "offload",
)  # fmt: skip
"""Fields of a training layout in results."""


_TIGHT_FRAC = 0.1
"""Share of memory below which what is left is called tight."""


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainResult(Result):
    """The fastest layouts of a run and what the best takes.

    Parameters
    ----------
    job : TrainingJob
        What is trained on what.
    steps : tuple of TrainingStep
        Fastest first.
    estimate : RunEstimate
        Days, hours, energy and price of the best.
    price : HourPrice or None
        Of an accelerator-hour.
    tried : int
        Layouts looked at.
    rejected : mapping of str to int
        Infeasible ones by reason.
    outlook : RunOutlook
        What failures do to the run.
    curve : tuple of ScalePoint
        The run on other sizes of cluster; empty unless asked for.
    """

    kind: ClassVar[str] = "train"
    picture: ClassVar[str] = "step"

    job: training.TrainingJob
    steps: tuple[training.TrainingStep, ...]
    estimate: training.RunEstimate
    price: HourPrice | None
    tried: int
    rejected: Mapping[str, int]
    outlook: training.RunOutlook
    curve: tuple[training.ScalePoint, ...] = ()

    def check(self) -> None:
        """Check that parts make up step and cost, and that no device exceeds its memory or its peak."""
        super().check()
        estimate, devices = self.estimate, self.job.cluster.devices
        for step in self.steps:
            check_sum(f"{step.layout}: parts of the step", step.parts.values(), step.step_time_s)
            check_shares({f"{step.layout}: MFU": step.mfu_frac})
            held, room = sum(step.memory_bytes.values()), self.job.cluster.accelerator.hbm_bytes
            check(held <= room * (1 + 1e-9), f"{step.layout}: {held:g} bytes exceed the memory of {room:g}")
        check_sum("accelerator-hours", [estimate.days * 24 * devices], estimate.accelerator_h)
        if estimate.cost is not None and self.price is not None:
            check_sum("cost", [estimate.accelerator_h * self.price.amount], estimate.cost)

    @property
    def best(self) -> training.TrainingStep:
        """The fastest step."""
        return self.steps[0]

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Days, cost and layout of the run."""
        best, job, estimate = self.best, self.job, self.estimate
        cost = None
        if estimate.cost is not None and self.price is not None:
            cost = format_money(estimate.cost, self.price.currency)
        values = {
            "model": job.model.name, "gpus": job.cluster.devices, "device": job.cluster.accelerator.name,
            "days": estimate.days, "cost": cost, "layout": str(best.layout), "step": best.step_time_s,
            "mfu": best.mfu_frac, "memory": f"{sum(best.memory_bytes.values()) / 1e9:.1f} GB",
            "used": 1.0 - self.margin_frac if self.tight else None,
        }  # fmt: skip
        return (Sentence("train.takes", values),)

    @property
    def margin_frac(self) -> float:
        """Share of an accelerator's memory that the best layout leaves."""
        return 1.0 - sum(self.best.memory_bytes.values()) / self.job.cluster.accelerator.hbm_bytes

    @property
    def tight(self) -> bool:
        """Whether that is less than a tenth."""
        return self.margin_frac < _TIGHT_FRAC

    def _tables(self) -> Iterator[Table]:
        yield from train_tables(self)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        best, job = self.best, self.job
        return {
            **self.answer_record(),
            "model": job.model.name,
            "gpu": job.cluster.accelerator.id,
            "gpus": job.cluster.devices,
            "layout": {name: getattr(best.layout, name) for name in LAYOUT},
            "step_time_s": best.step_time_s,
            "parts_s": dict(best.parts),
            "mfu_frac": best.mfu_frac,
            "hfu_frac": best.hfu_frac,
            "memory_bytes": sum(best.memory_bytes.values()),
            "memory_parts_bytes": dict(best.memory_bytes),
            "fits": True,
            "margin_frac": self.margin_frac,
            "tight": self.tight,
            "tokens_per_s": best.tokens_per_s,
            "tokens": job.tokens,
            "days": self.estimate.days,
            "accelerator_h": self.estimate.accelerator_h,
            "energy_j": self.estimate.energy_j,
            "cost": self.estimate.cost,
            "currency": None if self.price is None else self.price.currency,
            "days_without_failures": self.estimate.days * self.outlook.goodput_frac,
            "run": {
                "goodput_frac": self.outlook.goodput_frac,
                "straggler_frac": self.outlook.straggler_frac,
                "mttf_h": self.outlook.mttf_h,
                "interruptions": self.outlook.interruptions,
                "checkpoint_interval_s": self.outlook.interval_s,
                "spare_nodes": self.outlook.spare_nodes,
                "days": dict(self.outlook.days),
            },
            "scaling": [
                {
                    "gpus": point.devices,
                    "layout": None if point.step is None else str(point.step.layout),
                    "days": None if point.step is None else point.days,
                    "mfu_frac": None if point.step is None else point.step.mfu_frac,
                    "goodput_frac": point.goodput_frac,
                    "efficiency_frac": point.efficiency_frac,
                    "power_w": point.power_w,
                    "reason": point.reason,
                }
                for point in self.curve
            ],
            "tried": self.tried,
            "rejected": dict(self.rejected),
            "fastest": [
                {
                    "layout": str(step.layout),
                    "step_time_s": step.step_time_s,
                    "mfu_frac": step.mfu_frac,
                    "tokens_per_s": step.tokens_per_s,
                    "memory_bytes": sum(step.memory_bytes.values()),
                }
                for step in self.steps[:10]
            ],
        }


_BATCH = 1024
_TOKENS = re.compile(r"^\s*(\d+(?:\.\d+)?(?:[eE]\+?\d+)?)\s*([kKMBGT]?)\s*$")
_TOKEN_SCALE = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_MOST_TOKENS = 1e18


def train(
    model: str,
    device: str | Accelerator = "h100_sxm",
    devices: int = 1024,
    *,
    tokens: float = 1e12,
    seq_len: int = 4096,
    global_batch: int | None = None,
    precision: str = "bf16",
    price: HourPrice | None = None,
    fixed: Mapping[str, int] | None = None,
    stage_layers: tuple[int, ...] = (),
    offload: str = "none",
    oversubscription: float = 1.0,
    pod_devices: int = 0,
    seed: int = 0,
    scale_to: int | None = None,
    power_limit_w: float | None = None,
    currency: str | None = None,
) -> TrainResult:
    """Return the fastest layouts for a training run and what the best takes.

    Parameters
    ----------
    model : str
        Shipped name or path of a config.json.
    device : str or Accelerator
        Accelerator, or its id.
    devices : int
        How many, >= 1.
    tokens : float
        Of the whole run.
    seq_len, global_batch : int
        Tokens per sequence; sequences per optimiser step, by default 1,024 or one for every four devices (the published
        405-billion-parameter run on 16,384 took as many tokens).
    precision : str
        One of `jevons.training.FORMATS`.
    price : HourPrice, optional
        Of an accelerator-hour; the cost of owning one where its price is known.
    fixed : mapping, optional
        Sizes of `jevons.training.TrainingLayout` to hold, such as ``tp`` or ``zero``.
    stage_layers : tuple of int
        Layers of each stage; as even as the head allows where empty.
    offload : str
        Kept in the host's memory: ``none``, ``optimizer``, ``activations`` or ``both``.
    oversubscription : float
        Of the fabric between scale-up domains: injection over bisection bandwidth, >= 1.
    pod_devices : int
        Neighbouring devices whose traffic it does not thin.
    seed : int
        Of the failure process.
    scale_to : int, optional
        Largest cluster of a scaling curve, which starts at a sixteenth of *devices* and doubles.
    power_limit_w : float, optional
        Of the site, for the servers.
    currency : str, optional
        Of the cost; by default that of the price given, else USD.

    Raises
    ------
    InputError
        If a name is unknown or the device does not multiply in the precision.
    InfeasibleError
        If no layout divides and fits.
    """
    if not tokens > 0:
        message = f"tokens = {tokens:g}: a run needs more than 0"
        raise InputError(message)
    found_device = accelerator(device) if isinstance(device, str) else device
    training.training_format(found_device, precision)
    if offload not in training.OFFLOAD:
        message = f"offload = `{offload}`: must be one of {', '.join(training.OFFLOAD)}"
        raise InputError(message)
    power_w = devices * found_device.server_w
    if power_limit_w is not None and power_w > power_limit_w:
        fits = int(power_limit_w / found_device.server_w)
        message = (
            f"{devices:,} {found_device.id} draw {power_w / 1e6:,.1f} MW at full load; the site has "
            f"{power_limit_w / 1e6:,.1f} MW. Use at most {fits:,}."
        )
        raise InfeasibleError(message, ["site power"])
    cluster = Cluster(found_device, devices, oversubscription)
    job = training.TrainingJob(
        model=models.load(model),
        cluster=cluster,
        seq_len=seq_len,
        global_batch=global_batch or max(_BATCH, devices // 4),
        precision=precision,
        tokens=tokens,
        pod_devices=pod_devices,
    )
    found = training.search(job, offload=offload, fixed=fixed, stage_layers=stage_layers)
    steps = found.best
    price = converted(price or owned_hour_price(found_device), currency_of(currency, price, found_device.own_price))
    failures = training.failure_model()
    work_days = tokens / steps[0].tokens_per_s / 86_400.0
    outlook = training.outlook(failures, devices, work_days, np.random.default_rng(seed))
    hour = None if price is None else price.amount
    estimate = training.run_estimate(job, steps[0], price_per_accelerator_h=hour, goodput_frac=outlook.goodput_frac)
    curve: tuple[training.ScalePoint, ...] = ()
    if scale_to is not None:
        curve = training.scaling_curve(job, _sizes(devices, scale_to), failures, power_limit_w=power_limit_w)
    return TrainResult(
        job=job,
        steps=steps,
        estimate=estimate,
        price=price,
        tried=found.tried,
        rejected=dict(found.rejected),
        outlook=outlook,
        curve=curve,
    )


def _sizes(devices: int, most: int) -> list[int]:
    """Return cluster sizes from a sixteenth of *devices*, doubling up to *most*."""
    sizes = [max(1, devices // 16)]
    while sizes[-1] * 2 <= most:
        sizes.append(sizes[-1] * 2)
    return sizes


def train_tables(result: TrainResult) -> Iterator[Table]:
    """Yield layouts, the run, and as details the step and memory by part, failures, and other cluster sizes."""
    best, job, estimate = result.best, result.job, result.estimate
    columns = (
        Column("layout", "layout"), Column("step_time_s", "step time", "s"),
        Column("mfu_frac", "MFU", "%", scale=100.0), Column("tokens_per_s", "throughput", "tok/s"),
        Column("memory_bytes", "memory", "GB", scale=1e-9),
    )  # fmt: skip
    rows = [
        (str(s.layout), s.step_time_s, s.mfu_frac, s.tokens_per_s, float(sum(s.memory_bytes.values())))
        for s in result.steps[:6]
    ]
    title = f"Fastest layouts: {job.global_batch:,} sequences of {job.seq_len:,} tokens a step, {job.precision}"
    yield table("layouts", title, columns, rows)
    quantity = (
        Column("quantity", "quantity"),
        Column("value", "value"),
        Column("unit", "unit"),
        Column("note", "note"),
    )
    price = result.price
    origin = "" if price is None else f"{price.amount:.3g} {price.currency} an accelerator-hour, {price.origin}"
    yield table(
        "run", f"The run: {job.tokens:.4g} tokens", quantity,
        [
            ("time, failures included", estimate.days, "days", f"goodput {100 * estimate.goodput_frac:.1f} %"),
            ("accelerator-hours", estimate.accelerator_h, "h", ""),
            ("energy of servers", estimate.energy_j / 3.6e9, "MWh", "full load, without facility overhead"),
            ("cost", estimate.cost, "" if price is None else price.currency, origin),
        ],
    )  # fmt: skip
    parts = (Column("part", "part"), Column("time_s", "time", "s"), Column("share_frac", "share", "%", scale=100.0))
    yield table(
        "step_parts", "Best layout: step time by part", parts,
        [(n.replace("_", " "), s, s / best.step_time_s) for n, s in best.parts.items() if s > 0], detail=True,
    )  # fmt: skip
    memory = (Column("part", "part"), Column("memory_bytes", "memory", "GB", scale=1e-9))
    yield table(
        "memory", "Best layout: memory per accelerator", memory,
        [(n, float(size)) for n, size in best.memory_bytes.items() if size > 0], detail=True,
    )  # fmt: skip
    run = result.outlook
    failures = [
        ("mean time between interruptions", run.mttf_h, "h", f"{number(run.interruptions)} in the run"),
        ("work between checkpoints", run.interval_s / 60, "min", "maximises useful time"),
        ("time lost to slow nodes", 100 * run.straggler_frac, "%", ""),
        ("spare nodes", run.spare_nodes, "", "cover nodes in repair 99 % of the time; not in the price"),
        ("wall time, 5th percentile", run.days["p5"], "days", "over failures only"),
        ("wall time, 95th percentile", run.days["p95"], "days", "over failures only"),
    ]
    yield table("failures", "Failures and restarts", quantity, failures, detail=True)
    if result.curve:
        sizes = (
            Column("gpus", "GPUs"), Column("layout", "layout"), Column("days", "days"),
            Column("mfu_frac", "MFU", "%", scale=100.0), Column("goodput_frac", "goodput", "%", scale=100.0),
            Column("efficiency_frac", "efficiency", "%", scale=100.0), Column("power_w", "power", "MW", scale=1e-6),
            Column("limit", "limit"),
        )  # fmt: skip
        cells = [
            (
                p.devices, None if p.step is None else str(p.step.layout), None if p.step is None else p.days,
                None if p.step is None else p.step.mfu_frac, p.goodput_frac, p.efficiency_frac, p.power_w, p.reason,
            )
            for p in result.curve
        ]  # fmt: skip
        yield table("scaling", "Other cluster sizes, same batch", sizes, cells)


def stage_layers_of(text: str | None) -> tuple[int, ...]:
    """Return the layers of each stage that ``--stages`` states, such as ``9,10,10,9``."""
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        message = f"--stages {text}: write the layers of each stage with commas between, such as 9,10,10,9"
        raise InputError(message)
    return tuple(map(int, parts))


def tokens_of(text: str, model: str) -> float:
    """Return the tokens that ``--tokens`` states, such as ``14.8T``, or 20 per active parameter (``chinchilla``)."""
    if text.strip().lower() == "chinchilla":
        return get("training_budget.tokens_per_parameter").number * models.load(model).parameters_active
    match = _TOKENS.match(text)
    count = float(match.group(1)) * _TOKEN_SCALE[match.group(2)] if match else math.nan
    if not 0 < count <= _MOST_TOKENS:
        message = (
            f"--tokens {text}: write a number above 0, at most a million T, with k, M, B or T, such as 14.8T, or "
            "chinchilla for 20 a parameter"
        )
        raise InputError(message)
    return count
