"""How far the memory that a training run takes lies from the predicted one, and the chance that it fits.

``data/memory_spread.json`` holds the 10 % and 90 % quantiles of needed over predicted memory by software, written by
``scripts/fit_memory.py`` from layouts that ran or ran out of memory, with one model left out, and from printed peaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jevons.intervals import SURE, Ratios, shipped_ends
from jevons.training.types import TrainingJob

_DATA = Path(__file__).parent / "data" / "memory_spread.json"

SOFTWARE = {
    "native": "layouts of trainers that use PyTorch's own operators",
    "megatron": "layouts of Megatron, and of trainers that use PyTorch's own operators,",
}
"""What the interval of each kind of software rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySpread(Ratios):
    """80 % interval of a run's memory as ratios to the predicted one; its nearness is one of `SOFTWARE`."""

    @property
    def why(self) -> str:
        """What the width rests on, in words."""
        return f"from {self.rows:,} {SOFTWARE[self.nearness]} that the fit had not seen"


def shipped() -> Mapping[str, Any]:
    """Return the document that ships."""
    return shipped_ends(_DATA)


def memory_spread(job: TrainingJob) -> MemorySpread:
    """Return the 80 % interval of the memory of a job's layouts."""
    kind = "native" if job.software.eager_memory or (job.recipe is not None and job.recipe.native) else "megatron"
    low, high, rows = shipped()["quantiles"][kind]
    return MemorySpread(low=low, high=high, nearness=kind, rows=rows)


def room_bytes(job: TrainingJob) -> float:
    """Return what a device has for a run: all of its memory, or what PyTorch is shown of it [bytes]."""
    device = job.cluster.accelerator
    return device.hbm_bytes * (device.shown_frac if job.recipe is not None and job.recipe.native else 1.0)


def fit_chance(job: TrainingJob, predicted_bytes: float) -> float:
    """Return the probability that a layout of which so much is predicted fits."""
    return memory_spread(job).chance_below(predicted_bytes, room_bytes(job))


def may_fit(job: TrainingJob, predicted_bytes: float) -> str:
    """Return in words that what is predicted not to fit may do so; empty where that is unlikely."""
    chance = fit_chance(job, predicted_bytes)
    return f"It may fit all the same, with a probability of {100.0 * chance:.0f} %. " if chance > 1.0 - SURE else ""
