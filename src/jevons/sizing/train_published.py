"""Published figures of a training run beside the predicted ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jevons import training
from jevons.facts import default_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A figure of a run as predicted and as published.

    Parameters
    ----------
    quantity, unit : str
        What it is.
    predicted, published : float
        In that unit.
    source : str
        Of the published one.
    """

    quantity: str
    unit: str
    predicted: float
    published: float
    source: str

    @property
    def error(self) -> float:
        """Relative error of the prediction."""
        return self.predicted / self.published - 1.0

    def values(self) -> dict[str, Any]:
        """Return the fields of its sentence."""
        scale, unit = (1e-6, f"M {self.unit}") if self.published >= 1e5 else (1.0, self.unit)
        return {
            "quantity": self.quantity, "unit": unit, "predicted": scale * self.predicted,
            "published": scale * self.published, "error": f"{self.error:+.0%}".replace("%", " %"),
        }  # fmt: skip

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**dataclasses.asdict(self), "error_frac": self.error}


def run_id(name: str) -> str:
    """Return the prefix of a published run's facts."""
    return "training_run." + name.replace("-", "_").replace(".", "_")


def published_figures(name: str, job: training.TrainingJob, step: training.TrainingStep) -> tuple[Published, ...]:
    """Return what is on file of a run, beside the prediction without failures."""
    device = job.cluster.accelerator.name.removeprefix("NVIDIA ").split(" ")[0]
    known: dict[str, tuple[str, str, float, Callable[[], float]]] = {
        "accelerator_h": (
            "pre-training", f"{device} hours", 1.0,
            lambda: job.tokens / step.tokens_per_s * job.cluster.devices / 3600.0,
        ),
        "flop_per_s": ("useful work per accelerator", "Tflop/s", 1e-12, lambda: step.flop_per_s_per_device * 1e-12),
    }  # fmt: skip
    facts, figures = default_facts(), []
    for field, (quantity, unit, scale, predicted) in known.items():
        fact_id = f"{run_id(name)}.{field}"
        if fact_id in facts:
            fact = facts.get(fact_id)
            source = fact.source.title if fact.source is not None else ""
            figures.append(
                Published(
                    quantity=quantity, unit=unit, predicted=predicted(), published=fact.number * scale, source=source
                )
            )
    return tuple(figures)
