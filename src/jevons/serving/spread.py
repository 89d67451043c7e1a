"""How far measurements lie from predictions of serving: 80 % intervals from errors on rows that no fit had seen.

A figure's interval depends on how near the rows are that the factors were fitted to: the same engine, model and device;
both seen, but not together; a device, a model, or both, that the engine has no rows of. ``data/spread.json`` holds the
10 % and 90 % quantiles of measured over predicted for each, written by ``scripts/fit_serving.py`` from errors of fits
that left those rows out.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jevons.hardware import kin
from jevons.intervals import Ratios, shipped_ends
from jevons.models import base_name

_DATA = Path(__file__).parent / "data" / "spread.json"
_EVERY = "all"
_NO_GENERATION = "other"

NEW_SOURCE = "new source"
"""Family that stands for tables of which no row is on file."""

STRANGE = "new kind"
"""The furthest of `NEARNESS`: a device unlike all that have rows."""

QUANTITIES = ("ttft", "tpot", "rate", "e2e")
"""Quantities that have intervals: TTFT, TPOT, tokens or requests per second, and E2E latency."""

NEARNESS = {
    "calibrated": "the calibration was fitted to runs of this engine, model and device",
    "same": "rows of this engine, model and device are on file",
    "near": "rows of this engine with the model, and with the device, are on file, but not of both together",
    "new device": "no rows of this engine on the device are on file",
    "new model": "no rows of this engine with the model are on file",
    "new both": "no rows of this engine with the model, nor on the device, are on file",
    "new kind": "no rows of any engine on devices of this kind are on file",
}
"""How near the rows are that a prediction rests on, nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Ratios):
    """80 % interval of a prediction as ratios to it; its nearness is one of `NEARNESS`."""

    @property
    def why(self) -> str:
        """What the width rests on, in words."""
        return f"{NEARNESS[self.nearness]}; from {self.rows:,} measured figures that the fit had not seen"


def shipped() -> Mapping[str, Any]:
    """Return the document that ships."""
    return shipped_ends(_DATA)


def nearness_of(engine: str, device: str, model: str, seen: Mapping[str, Any] | None = None) -> str:
    """Return how near the rows are that the factors of an engine were fitted to.

    Parameters
    ----------
    engine, device, model : str
        Names as in `engine`, `Accelerator.id` and `ModelSpec.name`.
    seen : mapping, optional
        Pairs of device and model by engine; those of the shipped fit by default.
    """
    model = base_name(model)
    seen = shipped()["seen"] if seen is None else seen
    pairs = seen.get(engine, ())
    if [device, model] in pairs:
        return "same"
    if _kind_of(device) not in {_kind_of(pair[0]) for members in seen.values() for pair in members}:
        return STRANGE
    with_device = any(pair[0] == device for pair in pairs)
    with_model = any(pair[1] == model for pair in pairs)
    if with_device and with_model:
        return "near"
    if with_model:
        return "new device"
    return "new model" if with_device else "new both"


@functools.cache
def _kind_of(device: str) -> str:
    """Return a device's generation, or its line of products where it has none of those whose kernels were measured."""
    generation = str(kin(device)["generation"])
    return device.split("_", maxsplit=1)[0] if generation == _NO_GENERATION else generation


def spread(
    quantity: str, engine: str, device: str, model: str, family: str = _EVERY, *, calibrated: bool = False
) -> Spread:
    """Return the 80 % interval of a predicted quantity, as ratios to it.

    Parameters
    ----------
    quantity : str
        One of `QUANTITIES`.
    engine, device, model : str
        As for `nearness_of`.
    family : str
        Kind of table, whose rows say more or less about the run; all of them by default. One that is not on file has
        the interval of a new source, which holds what rows of tables leave unsaid.
    calibrated : bool
        Whether the factors were calibrated with runs of this engine, device and model.
    """
    nearness = "calibrated" if calibrated else nearness_of(engine, device, model)
    of_quantity = shipped()["quantities"][quantity]
    of_family = of_quantity.get(family) or of_quantity.get(NEW_SOURCE, {})
    low, high, rows = of_family.get(nearness) or of_quantity[_EVERY][nearness]
    return Spread(low=low, high=high, nearness=nearness, rows=rows)
