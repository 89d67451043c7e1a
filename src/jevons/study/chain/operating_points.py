"""The engineering half of a scenario: the best way to serve each model on each device, and device-seconds per token."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jevons import models, serving, training
from jevons.arrays import Array
from jevons.errors import InfeasibleError
from jevons.facts import Facts, get
from jevons.facts.per_facts import per_facts
from jevons.hardware import Accelerator, Cluster, accelerator
from jevons.serving.scales import ComparableScales, comparable
from jevons.study.scenario.scenario import Scenario

_KEPT = 256
"""Answers that are kept: the same models on the same devices stand in most scenarios, cases and swings of a study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """How one model is served on one device, or why it is not."""

    model: str
    device: str
    deployment: serving.Deployment | None
    seconds: serving.DeviceSeconds | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engineering:
    """Device-seconds per token of every model on every device.

    Parameters
    ----------
    accelerators : tuple of Accelerator
        In the scenario's order (v).
    points : tuple of Point
        One per model and device.
    device_s_per_tok : (m, v, 3)
        Per uncached input, cached input and output token; inf where the model does not fit the device.
    rental_ratio : (v,)
        Devices that stand in for one rented reference device, by the geometric mean of peak and bandwidth.
    rental_work : (2, v)
        Memory bandwidth, and FLOP per second of training, over the rented reference device's.
    training_flop_per_s : float
        FLOP per second of training on the device in which the training reserve is counted.
    training_mfu_frac : (v,)
        Share of the peak that training reaches, see `training_mfu_frac`.
    """

    accelerators: tuple[Accelerator, ...]
    points: tuple[Point, ...]
    device_s_per_tok: Array
    rental_ratio: Array
    rental_work: Array
    training_flop_per_s: float
    training_mfu_frac: Array

    def point(self, model: str, device: str) -> Point:
        """Return the point of one model on one device."""
        return next(p for p in self.points if p.model == model and p.device == device)


def workload_of(scenario: Scenario, model: str) -> serving.Workload:
    """Return the mean request of a model's callers at the start, weighted by calls."""
    callers = [s for s in scenario.market.segments.values() if s.model == model and not s.rents]
    if not callers:
        return serving.Workload(isl=1000, osl=300, cached_frac=0.0)
    weights = np.array([s.adopters.value * s.adopted.value * s.calls.value * s.share.value for s in callers])
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(callers), 1 / len(callers))
    isl = float(sum(w * s.input_tokens.value for w, s in zip(weights, callers, strict=True)))
    cached = float(sum(w * s.input_tokens.value * s.cached.value for w, s in zip(weights, callers, strict=True)))
    osl = float(sum(w * s.output_tokens.value for w, s in zip(weights, callers, strict=True)))
    return serving.Workload(isl=max(isl, 1.0), osl=max(osl, 1.0), cached_frac=min(cached / max(isl, 1.0), 0.95))


def engineer(scenario: Scenario, facts: Facts, on: dt.date | None = None) -> Engineering:
    """Return the best static operating point of every model on every device.

    Raises
    ------
    InputError
        If a model or device is unknown.
    InfeasibleError
        If a model is served on none of the devices within its limits.
    """
    devices = tuple(accelerator(name, facts, on) for name in scenario.hardware.devices)
    factors = serving.engine(scenario.serving.engine, facts, on)
    points: list[Point] = []
    seconds = np.full((len(scenario.serving.models), len(devices), 3), math.inf)
    for m, (name, served) in enumerate(scenario.serving.models.items()):
        spec = models.load(served.architecture or name)
        workload = workload_of(scenario, name)
        for v, device in enumerate(devices):
            found = _best(
                _Question(
                    spec=spec, device=device, workload=workload, engine=factors, scales=comparable(factors.scales),
                    precision=served.precision, most_devices=served.most_devices, ttft_s=served.ttft.value,
                    tpot_s=served.tpot.value,
                )
            )  # fmt: skip
            point = Point(
                model=name, device=device.id, deployment=found.deployment, seconds=found.seconds, reason=found.reason
            )
            points.append(point)
            if point.seconds is not None:
                cached = point.seconds.per_cached_token_s
                seconds[m, v] = (point.seconds.per_input_token_s, cached, point.seconds.per_output_token_s)
        if not np.isfinite(seconds[m]).any():
            reasons = "; ".join(sorted({p.reason for p in points if p.model == name}))
            message = f"serving.models.{name} is served on none of the scenario's devices: {reasons}"
            raise InfeasibleError(message, ["device memory or latency"])
    reference = accelerator(scenario.market.rental_device, facts, on)
    ratio = np.array([_strength(reference) / _strength(device) for device in devices])
    own = accelerator(scenario.expansion.training.device, facts, on)
    each = {device.id: device for device in (*devices, reference, own)}
    mfu = {name: training_mfu_frac(device) for name, device in each.items()}
    work = np.array([[d.hbm_bytes_per_s for d in devices], [d.peak_flop_per_s["bf16"] * mfu[d.id] for d in devices]])
    work /= np.array([[reference.hbm_bytes_per_s], [reference.peak_flop_per_s["bf16"] * mfu[reference.id]]])
    return Engineering(
        accelerators=devices,
        points=tuple(points),
        device_s_per_tok=seconds,
        rental_ratio=ratio,
        rental_work=work,
        training_flop_per_s=own.peak_flop_per_s["bf16"] * mfu[own.id],
        training_mfu_frac=np.array([mfu[device.id] for device in devices]),
    )


@per_facts(_KEPT)
def training_mfu_frac(device: Accelerator) -> float:
    """Return the share of a device's peak that training reaches, by the model of `jevons.training`.

    The best plain layout of one run in 16 bits that fits most devices: facts ``assumption.renter_training_*``. A
    device on which it does not fit reaches what ``assumption.renter_training_mfu_frac`` says.
    """
    run = "assumption.renter_training"
    unfit = get(f"{run}_mfu_frac").number
    job = training.TrainingJob(
        model=models.load(str(get(f"{run}_model").value)), cluster=Cluster(device, int(get(f"{run}_gpus").number), 1.0),
        seq_len=int(get(f"{run}_seq_len").number), global_batch=int(get(f"{run}_batch").number),
        precision="bf16", tokens=1e9,
    )  # fmt: skip
    try:
        searched = training.search(job, best=1, zero=(1,), recompute=("selective",), most_micro_batch=2)
    except InfeasibleError:
        return unfit
    return float(searched.best[0].mfu_frac) if searched.best else unfit


def _strength(device: Accelerator) -> float:
    """Return what a renter pays for: the geometric mean of matrix peak and memory bandwidth."""
    return math.sqrt(device.peak_flop_per_s["bf16"] * device.hbm_bytes_per_s)


def usable_precision(wanted: str, device: Accelerator) -> str:
    """Return the precision to serve in: the wanted one, or 16 bits where the device does not multiply in it."""
    base = wanted.split("_", maxsplit=1)[0]
    if device.supports(base):
        return wanted
    return "bf16"


def group_sizes(weight_bytes: float, device: Accelerator, most: int) -> tuple[int, ...]:
    """Return group sizes worth trying: powers of two from the smallest that holds the weights up to *most*."""
    least, room_frac = 1, get("assumption.weights_memory_frac").number
    while least * device.hbm_bytes * room_frac < weight_bytes:
        least *= 2
    return tuple(least << n for n in range(most.bit_length()) if least << n <= most) or (most,)


class _Question(NamedTuple):
    """What the best way to serve a model on a device depends on."""

    spec: models.ModelSpec
    device: Accelerator
    workload: serving.Workload
    engine: serving.EngineFactors
    scales: ComparableScales
    precision: str
    most_devices: int
    ttft_s: float
    tpot_s: float


class _Found(NamedTuple):
    deployment: serving.Deployment | None
    seconds: serving.DeviceSeconds | None
    reason: str = ""


@per_facts(_KEPT)
def _best(of: _Question) -> _Found:
    """Return the cheapest layout within the limits and the device-seconds of its tokens, or why there is none."""
    precision = usable_precision(of.precision, of.device)
    try:
        search = serving.search_layouts(
            of.spec,
            of.device,
            of.workload,
            devices=group_sizes(of.spec.weight_bytes(precision), of.device, of.most_devices),
            precisions=(precision,),
            ttft_s=of.ttft_s,
            tpot_s=of.tpot_s,
            engine=of.engine,
        )
    except InfeasibleError as error:
        return _Found(None, None, str(error).split(" Binding limits")[0])
    if not search.candidates:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in search.rejected.items())
        return _Found(None, None, reasons or "no layout")
    best = search.candidates[0].deployment
    return _Found(best, serving.device_seconds_per_call(best, of.workload, ttft_s=of.ttft_s, tpot_s=of.tpot_s))
