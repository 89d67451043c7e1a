"""Training runs of one script on two devices: what a device's software reaches beside the reference."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from jevons.facts import Facts, default_facts

_PREFIX, _REFERENCE = "training_pair.", "training_pair.reference_device"
_KEYS = ("{device}_tok_per_s", "reference_tok_per_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRuns:
    """Tokens a second of a device over those of a reference, the same script on both.

    Parameters
    ----------
    device, reference : str
        Devices.
    ratio : dict of str to float
        Device over reference by model, as published.
    """

    device: str
    reference: str
    ratio: dict[str, float]

    @property
    def mean(self) -> float:
        """Geometric mean over the models."""
        return float(np.exp(np.mean(np.log(list(self.ratio.values())))))


def paired_runs(device: str, facts: Facts | None = None, on: dt.date | None = None) -> PairedRuns | None:
    """Return the paired runs of a device that are on file; None where there are none.

    Examples
    --------
    >>> runs = paired_runs("ascend_910b")
    >>> runs.reference, len(runs.ratio), round(runs.mean, 2)
    ('a100_sxm', 8, 0.83)
    >>> paired_runs("h100_sxm") is None
    True
    """
    facts = facts or default_facts()
    own, other = (key.format(device=device) for key in _KEYS)
    models = [fact.id[len(_PREFIX) : -len(own) - 1] for fact in facts if fact.id.startswith(_PREFIX)
              and fact.id.endswith(f".{own}")]  # fmt: skip
    ratio = {}
    for model in models:
        ids = [f"{_PREFIX}{model}.{key}" for key in (own, other)]
        if all(facts.series(fact_id, on) for fact_id in ids):
            ratio[model] = facts.get(ids[0], on).number / facts.get(ids[1], on).number
    if not ratio:
        return None
    return PairedRuns(device=device, reference=str(facts.get(_REFERENCE, on).value), ratio=ratio)
