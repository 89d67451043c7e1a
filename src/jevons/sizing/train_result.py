"""What a training run takes: its layouts, memory, days, energy and money, as a result and as tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons import training
from jevons.checks import check, check_shares, check_sum
from jevons.intervals import SURE
from jevons.results import Column, Result, Table, number, table
from jevons.sizing.hour_price import HourPrice
from jevons.sizing.train_published import Published
from jevons.sizing.what_changes import of_step
from jevons.training.paired import PairedRuns, paired_runs
from jevons.units import format_money, money_step
from jevons.words import Sentence

LAYOUT = (
    "tp", "pp", "vpp", "dp", "cp", "ep", "etp", "zero", "shard", "recompute", "micro_batch", "stage_layers", "offload",
    "sequence_parallel", "zero_bubble",
)  # fmt: skip
"""Fields of a training layout in results."""


_LARGE = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
_FASTER_FRAC = 0.05
"""By how much a layout that does not surely fit is faster where the answer names it."""


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainResult(Result):
    """The fastest layouts of a run and what the best takes.

    Parameters
    ----------
    job : TrainingJob
        What is trained on what.
    steps : tuple of TrainingStep
        The fastest that surely fits, where one does; then the others, fastest first.
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
    samples : float
        Of the run, where it is stated in samples.
    method : str
        How adapters are trained, in words; empty where all weights are.
    published : tuple of Published
        Figures of the run that is repeated, beside the predicted ones.
    """

    kind: ClassVar[str] = "train"
    main_table: ClassVar[str] = "layouts"
    picture: ClassVar[str] = "step"

    job: training.TrainingJob
    steps: tuple[training.TrainingStep, ...]
    estimate: training.RunEstimate
    price: HourPrice | None
    tried: int
    rejected: Mapping[str, int]
    outlook: training.RunOutlook
    curve: tuple[training.ScalePoint, ...] = ()
    samples: float = 0.0
    method: str = ""
    published: tuple[Published, ...] = ()

    def check(self) -> None:
        """Check that parts make up step and cost, and that no device exceeds its memory or its peak."""
        super().check()
        estimate, devices = self.estimate, self.job.cluster.devices
        for step in self.steps:
            check_sum(f"{step.layout}: parts of the step", step.parts.values(), step.step_time_s)
            check_shares({f"{step.layout}: MFU": step.mfu_frac})
            used_bytes, room = sum(step.memory_bytes.values()), self.job.cluster.accelerator.hbm_bytes
            check(used_bytes <= room * (1 + 1e-9), f"{step.layout}: {used_bytes:g} bytes exceed the memory of {room:g}")
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
            "time": _time_of(estimate.days), "cost": cost, **self._told_ends(), "layout": str(best.layout),
            "step": best.step_time_s, "mfu": best.mfu_frac,
            "memory": f"{sum(best.memory_bytes.values()) / 1e9:.1f} of "
            f"{job.cluster.accelerator.hbm_bytes / 1e9:.1f} GB",
            "sure": self.p_fits if self.tight else None, "method": self.method or None,
            "work": self.work,
        }  # fmt: skip
        sentences = [Sentence("train.takes", values)]
        if self.faster is not None:
            faster = {
                "layout": str(self.faster.layout),
                "saved": 1.0 - self.faster.step_time_s / best.step_time_s,
                "sure": training.fit_chance(job, sum(self.faster.memory_bytes.values())),
            }
            sentences.append(Sentence("train.faster", faster))
        sentences += [Sentence("train.published", figure.values()) for figure in self.published]
        if self.paired is not None:
            ratios = list(self.paired.ratio.values())
            paired = {
                "device": self.paired.device, "reference": self.paired.reference, "models": len(ratios),
                "mean": self.paired.mean, "low": min(ratios), "high": max(ratios),
            }  # fmt: skip
            sentences.append(Sentence("train.paired", paired))
        return tuple(sentences)

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """What a step spends its time on, what the next larger cluster takes, and what failures cost."""
        estimate, outlook, devices = self.estimate, self.outlook, self.job.cluster.devices
        changes = [of_step(self.best.parts)]
        larger = next((p for p in self.curve if p.devices > devices and p.step is not None), None)
        if larger is not None:
            hours = larger.devices * larger.days / (devices * estimate.days)
            values = {"gpus": larger.devices, "time": _time_of(larger.days), "more": hours - 1.0}
            changes.append(Sentence("change.scale", values))
        lost = {"lost": 1.0 - outlook.goodput_frac, "every": _time_of(outlook.mttf_h / 24)}
        return (*changes, Sentence("change.failures", lost))

    def _told_ends(self) -> dict[str, Any]:
        """Return the ends of what the answer states, in its units."""
        own, estimate = self.spread, self.estimate
        days, (size, _) = own.interval(estimate.days), _time_unit(estimate.days)
        told: dict[str, Any] = {f"time_{end}": size * at for end, at in zip(("low", "high"), days, strict=True)}
        told |= {"step_low": self.best.step_time_s * own.low, "step_high": self.best.step_time_s * own.high}
        if estimate.cost is not None and self.price is not None:
            step = money_step(estimate.cost)
            told |= {"cost_low": estimate.cost * own.low / step, "cost_high": estimate.cost * own.high / step}
        return told

    @property
    def spread(self) -> training.StepSpread:
        """How far measured step times lie from predictions such as this one."""
        return training.step_spread(self.job)

    def ends(self) -> dict[str, tuple[float, float]]:
        """Return the ends of the 80 % interval of each figure that rests on the step time."""
        own, best, estimate = self.spread, self.best, self.estimate
        longer = {"step_time_s": best.step_time_s, "days": estimate.days, "accelerator_h": estimate.accelerator_h,
                  "energy_j": estimate.energy_j}  # fmt: skip
        if estimate.cost is not None:
            longer["cost"] = estimate.cost
        memory = sum(best.memory_bytes.values())
        faster = {"mfu_frac": best.mfu_frac, "hfu_frac": best.hfu_frac, "tokens_per_s": best.tokens_per_s}
        ends = {name: own.interval(value) for name, value in longer.items()}
        ends["memory_bytes"] = training.memory_spread(self.job).interval(memory)
        return ends | {name: (value / own.high, value / own.low) for name, value in faster.items()}

    @property
    def paired(self) -> PairedRuns | None:
        """Published training of one script on this accelerator, or one of its kind, and on a reference."""
        device = self.job.cluster.accelerator
        published = (paired_runs(name) for name in (device.id, *device.kernels_like))
        return next((runs for runs in published if runs is not None), None)

    @property
    def work(self) -> str:
        """Samples or tokens of the run, in words."""
        if self.samples:
            return f"{number(self.samples)} samples of {number(self.job.tokens / self.samples)} tokens"
        scale, letter = next((unit for unit in _LARGE if self.job.tokens >= unit[0]), (1.0, ""))
        return f"{self.job.tokens / scale:.4g}{letter and ' ' + letter} tokens"

    @property
    def margin_frac(self) -> float:
        """Share of an accelerator's memory that the best layout leaves."""
        return 1.0 - sum(self.best.memory_bytes.values()) / self.job.cluster.accelerator.hbm_bytes

    @property
    def faster(self) -> training.TrainingStep | None:
        """The fastest layout, where it does not surely fit and is faster than the best by more than a twentieth."""
        fastest = min(self.steps, key=lambda step: step.step_time_s)
        return fastest if fastest.step_time_s < (1.0 - _FASTER_FRAC) * self.best.step_time_s else None

    @property
    def tight(self) -> bool:
        """Whether the best layout does not surely fit."""
        return self.p_fits < SURE

    @property
    def p_fits(self) -> float:
        """Probability that the best layout fits, given how far needed memory lies from predicted."""
        return training.fit_chance(self.job, sum(self.best.memory_bytes.values()))

    def _tables(self) -> Iterator[Table]:
        yield from train_tables(self)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        best, job, memory = self.best, self.job, training.memory_spread(self.job)
        ends = {f"{name}_low": low for name, (low, _) in self.ends().items()}
        ends |= {f"{name}_high": high for name, (_, high) in self.ends().items()}
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
            "p_fits": self.p_fits,
            "faster": None if self.faster is None else str(self.faster.layout),
            "tokens_per_s": best.tokens_per_s,
            "tokens": job.tokens,
            "samples": self.samples or None,
            "global_batch": job.global_batch,
            "seq_len": job.seq_len,
            "recipe": {} if job.recipe is None else dataclasses.asdict(job.recipe),
            "lora": None if job.lora is None else dataclasses.asdict(job.lora),
            "host_memory_bytes": training.host_bytes(job, best.layout),
            "published": [figure.record() for figure in self.published],
            "paired": None if self.paired is None else dataclasses.asdict(self.paired) | {"mean": self.paired.mean},
            "days": self.estimate.days,
            "accelerator_h": self.estimate.accelerator_h,
            "energy_j": self.estimate.energy_j,
            "cost": self.estimate.cost,
            "currency": None if self.price is None else self.price.currency,
            **ends,
            "interval": {"nearness": self.spread.nearness, "rows": self.spread.rows, "why": self.spread.why},
            "memory_interval": {"rows": memory.rows, "why": memory.why},
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
                    "p_fits": training.fit_chance(job, sum(step.memory_bytes.values())),
                }
                for step in self.steps[:10]
            ],
        }


def _time_unit(days: float) -> tuple[float, str]:
    """Return what a time is told in, and how many of it a day has."""
    if days >= 1.0:
        return 1.0, "days"
    return (24.0, "hours") if 24.0 * days >= 1.0 else (1440.0, "minutes")


def _time_of(days: float) -> str:
    """Return a time in days, or hours or minutes where it is short."""
    size, unit = _time_unit(days)
    return f"{number(size * days)} {unit}"


_SHOWN_BYTES = 5e7


def _scaling(result: TrainResult) -> Table:
    """Return the same job on other numbers of devices."""
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
    return table("scaling", "Other cluster sizes, same batch", sizes, cells, asked=True)


def train_tables(result: TrainResult) -> Iterator[Table]:
    """Yield other cluster sizes where they were asked for, layouts, memory, the run, and details of them."""
    best, job = result.best, result.job
    if result.curve:
        yield _scaling(result)
    columns = (
        Column("layout", "layout"), Column("step_time_s", "step", "s"), Column("mfu_frac", "MFU", "%", scale=100.0),
        Column("tokens_per_s", "speed", "tok/s", detail=True), Column("p_fits", "fits", "%", scale=100.0),
        Column("memory_bytes", "memory", "GB", scale=1e-9, detail=True),
    )  # fmt: skip
    used = [float(sum(step.memory_bytes.values())) for step in result.steps[:6]]
    rows = [
        (str(step.layout), step.step_time_s, step.mfu_frac, step.tokens_per_s, training.fit_chance(job, size), size)
        for step, size in zip(result.steps, used, strict=False)
    ]
    recipe = "" if job.recipe is None else f", {job.recipe.optimizer}, {job.recipe.framework}"
    title = f"Fastest layouts: {job.global_batch:,} x {job.seq_len:,} tokens a step, {job.precision}{recipe}"
    yield table("layouts", title, columns, rows, most=3)
    kinds = {name: size for name, size in best.memory_bytes.items() if size >= _SHOWN_BYTES}
    yield table(
        "memory", f"Memory per accelerator [GB]: {100 * result.margin_frac:.0f} % left",
        tuple(Column(f"{name}_bytes", name, scale=1e-9) for name in kinds), [tuple(map(float, kinds.values()))],
    )  # fmt: skip
    yield _run(result)
    quantity = (
        Column("quantity", "quantity"),
        Column("value", "value"),
        Column("unit", "unit"),
        Column("note", "note"),
    )
    price = result.price
    if price is not None:
        origin = [("price of an accelerator-hour", price.amount, price.currency, price.origin)]
        yield table("price", "Price", quantity, origin, detail=True)
    parts = (Column("part", "part"), Column("time_s", "time", "s"), Column("share_frac", "share", "%", scale=100.0))
    yield table(
        "step_parts", "Best layout: step time by part", parts,
        [(n.replace("_", " "), s, s / best.step_time_s) for n, s in best.parts.items() if s > 0], detail=True,
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


def _run(result: TrainResult) -> Table:
    """Return what the run takes, as one row."""
    estimate, price = result.estimate, result.price
    columns = (
        Column("tokens", "tokens", "bn", scale=1e-9, digits=4), Column("days", "time", "days"),
        Column("days_low", "low", "days"), Column("days_high", "high", "days"),
        Column("accelerator_h", "accelerator-hours"), Column("energy_j", "servers", "MWh", scale=1 / 3.6e9),
        Column("goodput_frac", "goodput", "%", scale=100.0, detail=True),
        Column("cost", "cost", "" if price is None else price.currency),
    )  # fmt: skip
    row = (
        result.job.tokens, estimate.days, *result.ends()["days"], estimate.accelerator_h, estimate.energy_j,
        estimate.goodput_frac, estimate.cost,
    )  # fmt: skip
    return table("run", "The run, failures included; low, high: 80 % interval", columns, [row])
