"""The measured runs nearest to a prediction, and how far predictions of them were from what was measured.

``data/neighbours.json`` holds one entry for each configuration that was measured: source, engine, device, model, layout
and lengths, and the median of predicted over measured by quantity. Predictions are those of a fit that left the
configuration's group out; ``scripts/fit_serving.py`` writes the file. No measured figure is in it, and no prediction is
made from it: it says what a prediction may be held against.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jevons.hardware import accelerator
from jevons.models import base_name
from jevons.operators.engines import Release, engine_and_release, release_of
from jevons.serving.engines import engine
from jevons.serving.precisions import weight_precision
from jevons.serving.types import Deployment

_DATA = Path(__file__).parent / "data" / "neighbours.json"

# What a difference weighs, in the logarithms that lengths and loads are compared in.
_OTHER_MODEL, _OTHER_DEVICE, _OTHER_ENGINE, _OTHER_PRECISION, _OTHER_FORM = 1.0, 1.0, 1.5, 0.5, 2.0
_MOST = 4.0
"""Distance beyond which nothing is called near: another model on another device under another engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measured configuration, and how far predictions that had not seen its group were from it.

    Parameters
    ----------
    source : str
        Who measured.
    engine, version : str
        Engine preset, and its version as printed.
    device : str
        Accelerator id.
    gpus : int
        Accelerators of the run.
    layout : str
        Of an instance, as printed by `Layout`; with pools apart, of the decode pool.
    apart : bool
        Whether prompts are processed in a pool of their own.
    model, weights : str
        Name of the model without precision, and precision of most of its weights.
    active_params : float
        Parameters that work on a token.
    isl, osl : int
        Mean tokens of a prompt and an answer.
    least_load, most_load : float
        Requests at once, or per second where `open_loop`.
    open_loop : bool
        Whether requests arrive at a rate.
    figures : int
        Measured figures behind the errors.
    errors : mapping of str to float
        Median of predicted over measured, minus 1, for ``ttft``, ``tpot`` and ``rate`` where they were measured.
    """

    source: str
    engine: str
    version: str
    device: str
    gpus: int
    layout: str
    apart: bool
    model: str
    weights: str
    active_params: float
    isl: int
    osl: int
    least_load: float
    most_load: float
    open_loop: bool
    figures: int
    errors: Mapping[str, float]

    def words(self) -> str:
        """Return the configuration in one line."""
        version = f" {self.version}" if self.version else ""
        form = "pools apart" if self.apart else self.layout
        return f"{self.model} in {self.weights} on {self.gpus} {self.device} ({form}), {self.engine}{version}"

    def record(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@functools.cache
def measured_configurations() -> tuple[Measured, ...]:
    """Return all configurations on file."""
    with _DATA.open(encoding="utf-8") as stream:
        document = json.load(stream)
    return tuple(Measured(**dict(zip(document["columns"], row, strict=True))) for row in document["rows"])


def nearest(
    deployment: Deployment, isl: float, osl: float, load: float = 0.0, *, apart: bool = False, count: int = 3
) -> tuple[Measured, ...]:
    """Return the measured configurations nearest to a deployment under a load, nearest first.

    Parameters
    ----------
    deployment : Deployment
        What is predicted.
    isl, osl : float
        Mean tokens of a prompt and an answer.
    load : float
        Requests at once; 0 where they are not known.
    apart : bool
        Whether prompts are processed in a pool of their own.
    count : int
        How many at most.

    Notes
    -----
    Distance adds what differs: model and device by the logarithms of active parameters and of memory bandwidth on top
    of a constant, engine and precision by constants, and lengths, devices and load by a part of their logarithms.
    Whatever is further than `_MOST` is not near, so that there may be none.
    """
    device, model = deployment.accelerator, deployment.model
    name, weights, params = base_name(model.name), weights_of(deployment), model.parameters_active
    devices = {
        other: _OTHER_DEVICE + _apart(device.hbm_bytes_per_s, accelerator(other).hbm_bytes_per_s)
        for other in _devices() if other != device.id
    }  # fmt: skip
    ranked: list[tuple[float, int, Measured]] = []
    for configuration in measured_configurations():
        distance = _OTHER_FORM if configuration.apart != apart else 0.0
        distance += _OTHER_ENGINE if configuration.engine != deployment.engine.name else 0.0
        distance += _OTHER_PRECISION if configuration.weights != weights else 0.0
        distance += devices.get(configuration.device, 0.0)
        distance += _OTHER_MODEL + _apart(params, configuration.active_params) if configuration.model != name else 0.0
        if distance > _MOST:
            continue
        distance += 0.4 * (_apart(isl, configuration.isl) + _apart(osl, configuration.osl)) + 0.3 * _apart(
            deployment.devices, configuration.gpus
        )
        if load and not configuration.open_loop:
            distance += 0.2 * _apart(load, min(max(load, configuration.least_load), configuration.most_load))
        ranked.append((distance, len(ranked), configuration))
    return tuple(configuration for _, _, configuration in sorted(ranked)[:count])


@functools.cache
def first_release(engine: str) -> Release | None:
    """Return the oldest release of an engine among the configurations; None where no version is known."""
    releases = (release_of(c.version) for c in measured_configurations() if c.engine == engine and c.version)
    return min((release for release in releases if release is not None), default=None)


def taken_as_newer(name: str) -> str | None:
    """Return what to say of a release that is older than all that were measured and that nothing else is known of.

    Parameters
    ----------
    name : str
        Of an engine, with its release where one is stated, such as ``sglang@0.4``.
    """
    key, release = engine_and_release(name)
    first = first_release(key)
    if release is None or first is None or release[:2] >= first[:2] or engine(name) != engine(key, release=first):
        return None
    dotted = ".".join(map(str, release)), ".".join(map(str, first))
    return (
        f"{key} {dotted[0]} is older than all releases that were measured, and taken to be as fast as {dotted[1]}; "
        "early ones were slower, large models of experts by two to three times in public reports"
    )


@functools.cache
def _devices() -> frozenset[str]:
    return frozenset(configuration.device for configuration in measured_configurations())


def weights_of(deployment: Deployment) -> str:
    """Return the precision of most of a deployment's weights: ``fp8`` for either way of scaling them."""
    stored = weight_precision(deployment)
    return (stored.experts if deployment.model.is_moe else stored.dense).removesuffix("_block")


def _apart(one: float, other: float) -> float:
    """Return the distance of two positive figures in the logarithm."""
    return abs(math.log(max(one, 1e-9) / max(other, 1e-9)))
