"""How far measured step times lie from predicted ones: 80 % intervals from errors on rows that no fit had seen.

An interval depends on whether step times of the device are on file, on how many files hold such of its maker's
devices, and on the kind of model. ``data/spread.json`` holds the 10 % and 90 % quantiles of measured over predicted of
each, written by ``scripts/fit_training.py``: with the rows of one file, model and device left out together, and with
whole devices left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jevons.intervals import Ratios, shipped_ends
from jevons.training.types import TrainingJob

_DATA = Path(__file__).parent / "data" / "spread.json"

NEARNESS = {
    "same": "step times of this device are on file",
    "few": "step times of this device are on file, but all of its maker's are of one source",
    "new device": "no step times of this device are on file",
    "new kind": "no step times of this device are on file, and of its maker's others from one source at most",
}
"""How near the rows are that a prediction rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpread(Ratios):
    """80 % interval of a predicted step time as ratios to it; its nearness is one of `NEARNESS`."""

    @property
    def why(self) -> str:
        """What the width rests on, in words."""
        return f"{NEARNESS[self.nearness]}; from {self.rows:,} measured step times that the fit had not seen"


def shipped() -> Mapping[str, Any]:
    """Return the document that ships."""
    return shipped_ends(_DATA)


def kind_of(*, mixture: bool) -> str:
    """Return the kind of a model: ``moe`` for a mixture of experts, else ``dense``."""
    return "moe" if mixture else "dense"


def step_spread(job: TrainingJob) -> StepSpread:
    """Return the 80 % interval of the predicted step time of a job."""
    document, device = shipped(), job.cluster.accelerator
    known = {device.id, *device.kernels_like} & set(document["devices"])
    if device.vendor in document["makers"]:
        nearness = "same" if known else "new device"
    else:
        nearness = "few" if known else "new kind"
    low, high, rows = document["quantiles"][nearness][kind_of(mixture=job.model.is_moe)]
    return StepSpread(low=low, high=high, nearness=nearness, rows=rows)
