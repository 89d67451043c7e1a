"""Finds layouts for a training run, and what the run takes in days, energy and money."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from jevons import models, training
from jevons.errors import InfeasibleError
from jevons.hardware import Accelerator, accelerator
from jevons.sizing.hour_price import HourPrice, converted, currency_of, owned_hour_price
from jevons.sizing.train_published import published_figures
from jevons.sizing.train_result import TrainResult
from jevons.sizing.train_setup import Setup, Trainer, gpus_of, setup

_KEPT = 10
_SHARED_WEIGHTS = 3  # stage of ZeRO
_TOKENS_OF_A_RANK, _MOST_CP = 4096, 16
"""Tokens of a sequence below which no context-parallel rank goes by itself; most such ranks."""


def train(
    model: str,
    device: str | Accelerator = "h100_sxm",
    devices: int | None = None,
    *,
    tokens: float | None = None,
    seq_len: int = 4096,
    global_batch: int | None = None,
    precision: str = "bf16",
    price: HourPrice | None = None,
    trainer: Trainer | None = None,
    oversubscription: float = 1.0,
    pod_devices: int = 0,
    seed: int = 0,
    scale_to: int | None = None,
    power_limit_w: float | None = None,
    currency: str | None = None,
    published: str | None = None,
) -> TrainResult:
    """Return the fastest layouts for a training run and what the best takes.

    Parameters
    ----------
    model : str
        Shipped name or path of a config.json.
    device : str or Accelerator
        Accelerator, or its id.
    devices : int, optional
        How many; 1,024, or one for adapters.
    tokens : float, optional
        Of the whole run; a trillion, or ten thousand samples for adapters.
    seq_len, global_batch : int
        Tokens per sequence; sequences per optimiser step, by default 1,024 or one for every four devices, and
        more until they can share it evenly (the published
        405-billion-parameter run on 16,384 took as many tokens).
    precision : str
        One of `jevons.training.FORMATS`.
    price : HourPrice, optional
        Of an accelerator-hour; the cost of owning one where its price is known.
    trainer : Trainer, optional
        All else that a trainer sets.
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
    published : str, optional
        Run on file whose published figures stand beside the prediction.

    Raises
    ------
    InputError
        If a name is unknown, the device does not multiply in the precision, or a setting has no effect.
    InfeasibleError
        If no layout divides and fits.
    """
    trainer = trainer or Trainer()
    found_device = accelerator(device) if isinstance(device, str) else device
    training.training_format(found_device, precision)
    count = gpus_of(devices, trainer)
    _check_power(found_device, count, power_limit_w)
    asked, searching, searched = _searched(
        models.load(model), found_device, count, trainer, tokens=tokens, seq_len=seq_len, global_batch=global_batch,
        precision=precision, oversubscription=oversubscription, pod_devices=pod_devices,
    )  # fmt: skip
    job = asked.job
    ordered = searched.best if published else training.surest_first(job, searched.best)
    steps = ordered[:_KEPT]
    price = converted(price or owned_hour_price(found_device), currency_of(currency, price, found_device.own_price))
    failures = training.failure_model()
    work_days = job.tokens / steps[0].tokens_per_s / 86_400.0
    outlook = training.outlook(failures, count, work_days, np.random.default_rng(seed))
    hour = None if price is None else price.amount
    estimate = training.run_estimate(job, steps[0], price_per_accelerator_h=hour, goodput_frac=outlook.goodput_frac)
    curve: tuple[training.ScalePoint, ...] = ()
    if scale_to is not None:
        sizes = _sizes(count, scale_to)
        curve = training.scaling_curve(job, sizes, failures, power_limit_w=power_limit_w, searching=searching)
    return TrainResult(
        job=job,
        steps=steps,
        estimate=estimate,
        price=price,
        tried=searched.tried,
        rejected=dict(searched.rejected),
        outlook=outlook,
        curve=curve,
        samples=asked.samples,
        method=asked.method,
        published=() if published is None else published_figures(published, job, steps[0]),
    )


def _searched(
    model: models.ModelSpec, device: Accelerator, devices: int, trainer: Trainer, **run: Any
) -> tuple[Setup, dict[str, Any], training.TrainingSearch]:
    """Return the job, how its layouts were searched, and what was found.

    Software that only a stage of ZeRO implies gives way where it cannot hold the model or feed the devices: Megatron
    shares gradients out too, and splits layers besides.
    """
    asked = setup(model, device, devices, trainer, **run)
    if trainer.framework is None and trainer.software == "deepspeed" and _must_split(asked):
        trainer = replace(trainer, framework="megatron")
        asked = setup(model, device, devices, trainer, **run)
    searching: dict[str, Any] = {
        "zero": asked.zero,
        "recompute": (trainer.recompute,) if trainer.recompute else ("none", "selective", "full"),
        "offload": trainer.on_host, "fixed": asked.fixed, "stage_layers": trainer.stage_layers,
        "zero_bubble": trainer.zero_bubble, "sequence_parallel": trainer.sequence_parallel,
        "most_cp": _most_cp(asked.job, trainer), "host_memory_bytes": trainer.host_memory_bytes,
    }  # fmt: skip
    return asked, searching, training.search(asked.job, best=training.ALL_LAYOUTS, **searching)


def _must_split(asked: Setup) -> bool:
    """Return whether whole weights exceed a device that holds them, or devices of a replica each exceed the batch."""
    job, whole = asked.job, asked.fixed.get("zero", 0) < _SHARED_WEIGHTS
    weights_bytes = job.frozen_bytes * job.model.parameters_total
    return (whole and weights_bytes > job.cluster.accelerator.hbm_bytes) or job.cluster.devices > job.global_batch


def _most_cp(job: training.TrainingJob, trainer: Trainer) -> int:
    """Return the context parallelism to try: that of published runs of Megatron at such lengths, none elsewhere."""
    if trainer.software != "megatron" or job.adapters:
        return 1
    return max(1, min(_MOST_CP, job.seq_len // _TOKENS_OF_A_RANK))


def _check_power(device: Accelerator, devices: int, limit_w: float | None) -> None:
    power_w = devices * device.server_w
    if limit_w is not None and power_w > limit_w:
        message = (
            f"{devices:,} {device.id} draw {power_w / 1e6:,.1f} MW at full load; the site has "
            f"{limit_w / 1e6:,.1f} MW. Use at most {int(limit_w / device.server_w):,}."
        )
        raise InfeasibleError(message, ["site power"])


def _sizes(devices: int, most: int) -> list[int]:
    """Return cluster sizes from a sixteenth of *devices*, doubling up to *most*."""
    sizes = [max(1, devices // 16)]
    while sizes[-1] * 2 <= most:
        sizes.append(sizes[-1] * 2)
    return sizes
