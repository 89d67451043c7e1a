"""Training factors from facts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from dataclasses import dataclass

from jevons.facts import Facts, default_facts
from jevons.hardware import Accelerator
from jevons.training.types import ScriptedLaunch, TrainingFactors


def training_factors(facts: Facts | None = None, on: dt.date | None = None) -> TrainingFactors:
    """Return what training software adds to the operators' times, as shipped or as of a date."""
    facts = facts or default_facts()
    names = [field.name for field in dataclasses.fields(TrainingFactors)]
    return TrainingFactors(**{name: facts.get(f"training.{name}", on).number for name in names})


@functools.cache
def default_training_factors() -> TrainingFactors:
    """Return the shipped factors, read once."""
    return training_factors()


@functools.cache
def scripted_launch() -> ScriptedLaunch:
    """Return what software adds that launches everything from a script, hand-overs with their wait."""
    facts = default_facts()
    names = [field.name for field in dataclasses.fields(ScriptedLaunch)]
    return ScriptedLaunch(**{name: facts.get(f"training_scripted.{name}").number for name in names})


@dataclass(frozen=True, slots=True)
class HostLink:
    """A device's share of its host.

    Parameters
    ----------
    link_bytes_per_s : float
        Sustained between device and host memory, one direction.
    memory_bytes_per_s : float
        Sustained of the host's memory.
    capacity_bytes : float
        Of the host's memory.
    """

    link_bytes_per_s: float
    memory_bytes_per_s: float
    capacity_bytes: float


@functools.cache
def _host_link(kind: str, capacity: str) -> HostLink:
    facts = default_facts()
    link, memory = (facts.get(f"training_host.{kind}_{name}_bytes_per_s").number for name in ("link", "memory"))
    return HostLink(link, memory, facts.get(f"training_host.{capacity}_capacity_bytes").number)


def host_link(device: Accelerator) -> HostLink:
    """Return a device's share of its host: coherent where it is sold with its processor, over PCIe elsewhere."""
    return _host_link(device.host_link, "graphics" if f"{device.id}.host" in default_facts() else device.host_link)
