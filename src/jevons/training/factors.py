"""Training factors from facts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

from jevons.facts import Facts, default_facts
from jevons.training.types import TrainingFactors


def training_factors(facts: Facts | None = None, on: dt.date | None = None) -> TrainingFactors:
    """Return what training software adds to the operators' times, as shipped or as of a date."""
    facts = facts or default_facts()
    names = [field.name for field in dataclasses.fields(TrainingFactors)]
    return TrainingFactors(**{name: facts.get(f"training.{name}", on).number for name in names})


@functools.cache
def default_training_factors() -> TrainingFactors:
    """Return the shipped factors, read once."""
    return training_factors()
