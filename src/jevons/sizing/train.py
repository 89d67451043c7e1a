"""Finds layouts for a training run, and what the run takes in days, energy and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jevons import models, training
from jevons.errors import InfeasibleError, InputError
from jevons.hardware import Accelerator, Cluster, accelerator
from jevons.sizing.hour_price import HourPrice, owned_hour_price

LAYOUT = (
    "tp", "pp", "vpp", "dp", "cp", "ep", "etp", "zero", "shard", "recompute", "micro_batch", "stage_layers", "offload",
)  # fmt: skip
"""Fields of a training layout in results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
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

    job: training.TrainingJob
    steps: tuple[training.TrainingStep, ...]
    estimate: training.RunEstimate
    price: HourPrice | None
    tried: int
    rejected: Mapping[str, int]
    outlook: training.RunOutlook
    curve: tuple[training.ScalePoint, ...] = ()

    @property
    def best(self) -> training.TrainingStep:
        """The fastest step."""
        return self.steps[0]

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        best, job = self.best, self.job
        return {
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
    price = price or owned_hour_price(found_device)
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
