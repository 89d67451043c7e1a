"""How a run of fixed batch speeds up with the cluster, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jevons.errors import InfeasibleError
from jevons.training.failures import FailureModel, goodput_frac
from jevons.training.run import ALL_LAYOUTS, search, surest_first
from jevons.training.types import TrainingJob, TrainingStep

REASONS = {
    "batch": ("pp_bubble",),
    "latency": ("tp_comm", "cp_comm", "ep_comm", "pp_comm", "dp_exposed", "overhead", "optimizer"),
    "small products": ("compute", "recompute"),
}
"""What limits scaling, and the parts of a step that it shows in; failures and power are outside the step."""
_FEW_SEQUENCES = 8  # devices per sequence from which splitting sequences is tried too
_MOST_CP = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePoint:
    """A run on a cluster of one size.

    Parameters
    ----------
    devices : int
        Accelerators at work.
    step : TrainingStep or None
        The fastest that leaves a tenth of the memory, where one does; None where no layout feeds and fits them.
    goodput_frac : float
        Expected share of time in useful steps.
    days : float
        Expected wall time; infinite without a layout.
    power_w : float
        Of the servers at full load.
    efficiency_frac : float
        Useful tokens per accelerator-hour over those of the most efficient size.
    reason : str
        What grew most against the size before, or what forbids this one; empty for the first.
    """

    devices: int
    step: TrainingStep | None
    goodput_frac: float
    days: float
    power_w: float
    efficiency_frac: float
    reason: str


def scaling_curve(
    job: TrainingJob,
    sizes: Sequence[int],
    failures: FailureModel,
    *,
    power_limit_w: float | None = None,
    searching: Mapping[str, Any] | None = None,
) -> tuple[ScalePoint, ...]:
    """Return the fastest run on each size of cluster, at the job's global batch.

    Parameters
    ----------
    job : TrainingJob
        Its tokens set the days.
    sizes : sequence of int
        Accelerators, ascending.
    failures : FailureModel
        Rates and costs of interruptions.
    power_limit_w : float, optional
        Of the servers; larger clusters are left out with the reason ``power``.
    searching : mapping, optional
        Arguments of `search` that hold on every size, such as ``fixed`` or ``zero``; a fixed ``dp`` is left free.
    """
    points: list[ScalePoint] = []
    given = dict(searching or {})
    given["fixed"] = {name: size for name, size in (given.get("fixed") or {}).items() if name != "dp"}
    for devices in sizes:
        power_w = devices * job.cluster.accelerator.server_w
        if power_limit_w is not None and power_w > power_limit_w:
            points.append(_no_point(devices, power_w, "power"))
            continue
        try:
            sized = replace(job, cluster=replace(job.cluster, devices=devices))
            most_cp = max(given.get("most_cp", 1), _MOST_CP if devices > _FEW_SEQUENCES * job.global_batch else 1)
            steps = search(sized, **{**given, "best": ALL_LAYOUTS, "most_cp": most_cp}).best
            step = surest_first(sized, steps)[0]
        except InfeasibleError as error:
            points.append(_no_point(devices, power_w, error.limits[0] if error.limits else "memory"))
            continue
        goodput = goodput_frac(failures, devices)
        if goodput <= 0.0:
            points.append(_no_point(devices, power_w, "failures"))
            continue
        days = job.tokens / step.tokens_per_s / goodput / 86_400.0
        solved = [point for point in points if point.step is not None]
        reason = _reason(solved[-1], step, devices, goodput) if solved else ""
        points.append(
            ScalePoint(
                devices=devices,
                step=step,
                goodput_frac=goodput,
                days=days,
                power_w=power_w,
                efficiency_frac=1.0 / (days * devices),
                reason=reason,
            )
        )
    best = max((point.efficiency_frac for point in points), default=1.0) or 1.0
    return tuple(replace(point, efficiency_frac=point.efficiency_frac / best) for point in points)


def _reason(before: ScalePoint, step: TrainingStep, devices: int, goodput: float) -> str:
    """Return what took most of the accelerator-time that the larger cluster needs more per step."""
    assert before.step is not None  # noqa: S101 - only points with a step are compared
    grew = {
        name: sum(devices * step.parts[part] - before.devices * before.step.parts[part] for part in parts)
        for name, parts in REASONS.items()
    }
    each = devices * step.step_time_s
    grew["failures"] = (
        each / goodput - each - before.devices * before.step.step_time_s * (1.0 / before.goodput_frac - 1.0)
    )
    return max(grew, key=lambda name: grew[name])


def _no_point(devices: int, power_w: float, reason: str) -> ScalePoint:
    return ScalePoint(
        devices=devices,
        step=None,
        goodput_frac=0.0,
        days=float("inf"),
        power_w=power_w,
        efficiency_frac=0.0,
        reason=reason,
    )
