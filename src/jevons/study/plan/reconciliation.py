"""One operating point: what a model does on a device in a plan, beside what `jevons cost` says of another service.

A plan, `jevons cost`, `size` and `buy-rent-api` search the same layouts with the same step times. Their throughputs
differ because their services do: lengths, cached prompts, engine, and what a plan takes off for small loads. Each row
changes one of these, from the plan's figure to those of `jevons cost` and `jevons buy-rent-api` without options. What
`jevons size` prints is held to percentiles under a simulated load, and lies apart from these static points by that.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from jevons import models, serving
from jevons.errors import InfeasibleError
from jevons.sizing.service import Service
from jevons.study.chain.operating_points import Engineering, usable_precision, workload_of
from jevons.study.chain.rented_uses import reference_row
from jevons.study.scenario.scenario import Scenario

COST_ENGINE, COST_GPUS = "vllm", 32
"""Engine of `jevons cost` and accelerators of a replica where none are given."""

MACHINE_GPUS = 8
"""Accelerators of the machine that `jevons buy-rent-api` fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePoint:
    """A model on a device under one service.

    Parameters
    ----------
    service : str
        What differs from the row above.
    layout : str
        Layout and number of accelerators.
    input_tok_per_s, output_tok_per_s, tok_per_s : float
        Per accelerator: doing nothing else, and over the service's mix of tokens.
    """

    service: str
    layout: str
    input_tok_per_s: float
    output_tok_per_s: float
    tok_per_s: float


def reconciled(scenario: Scenario, engineering: Engineering) -> tuple[str, str, list[ServicePoint]]:
    """Return a model, a device, and their points from the plan's service to those of other commands, one change a row.

    The model is the largest that the scenario serves on the reference device.
    """
    row = reference_row(scenario)
    device = engineering.accelerators[row]
    served = [p for p in engineering.points if p.device == device.id and p.seconds is not None and p.deployment]
    if not served:
        return "", device.id, []
    point = max(served, key=lambda p: p.deployment.devices if p.deployment else 0)
    terms, name = scenario.serving, point.model
    spec = terms.models[name]
    if point.seconds is None or point.deployment is None:
        return "", device.id, []
    work, slow = workload_of(scenario, name), terms.engineering_error.value / terms.efficiency.value
    slow /= list(scenario.hardware.devices.values())[row].software.value
    tuned = _point(f"{terms.engine}, as modelled: without the plan's loss to small loads", point.deployment,
                   point.seconds, work)  # fmt: skip
    told = (
        f"plan: {work.isl:,.0f} in, {100 * work.cached_frac:.0f} % cached, {work.osl:,.0f} out, {terms.engine}, "
        f"time per call x {slow:g}"
    )
    rates = {f: getattr(tuned, f) / slow for f in ("input_tok_per_s", "output_tok_per_s", "tok_per_s")}
    points = [dataclasses.replace(tuned, service=told, **rates), tuned]
    common = Service(
        gpu=device.id, engine=terms.engine, gpus=spec.most_devices, ttft_s=spec.ttft.value, tpot_s=spec.tpot.value,
        precision=usable_precision(spec.precision, device), on=scenario.as_of,
    )  # fmt: skip
    vllm = dataclasses.replace(common, engine=COST_ENGINE)
    last = dataclasses.replace(vllm, precision="native", ttft_s=None, tpot_s=Service().tpot_s, gpus=COST_GPUS, on=None)
    machine = dataclasses.replace(last, gpus=MACHINE_GPUS)
    steps = (
        ("no prompt tokens cached", common, dataclasses.replace(work, cached_frac=0.0)),
        (f"{common.isl:,} in, {common.osl:,} out", common, common.workload()),
        (COST_ENGINE, vllm, common.workload()),
        (f"facts of today, no limit on TTFT: `jevons cost --model {name} --gpu {device.id}`", last, last.workload()),
        (f"one machine of {MACHINE_GPUS}, full: `jevons buy-rent-api`", machine, machine.workload()),
    )
    model = models.load(spec.architecture or name)
    for words, here, workload in steps:
        try:
            best = serving.search_layouts(
                model, here.accelerator(), workload, devices=here.group_sizes(),
                precisions=here.precisions(model, here.accelerator()), kv_precision=here.kv_precision,
                engine=here.factors(), ttft_s=here.ttft_s, tpot_s=here.tpot_s, settings=here.settings(),
            ).candidates[0]  # fmt: skip
        except (InfeasibleError, IndexError):
            continue
        seconds = serving.device_seconds_per_call(best.deployment, workload, ttft_s=here.ttft_s, tpot_s=here.tpot_s)
        points.append(_point(words, best.deployment, seconds, workload))
    return name, device.id, points


def _point(
    words: str, deployment: serving.Deployment, seconds: serving.DeviceSeconds, workload: serving.Workload
) -> ServicePoint:
    fresh, cached = workload.isl * (1 - workload.cached_frac), workload.isl * workload.cached_frac
    each = (seconds.per_input_token_s, seconds.per_cached_token_s, seconds.per_output_token_s)
    whole = float(np.dot((fresh, cached, workload.osl), each))
    return ServicePoint(
        service=words,
        layout=str(deployment).split(" on ")[-1],
        input_tok_per_s=1 / each[0],
        output_tok_per_s=1 / each[2],
        tok_per_s=(workload.isl + workload.osl) / whole,
    )
