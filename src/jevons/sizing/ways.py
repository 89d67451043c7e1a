"""Ways to carry a load: machines bought or rented, and an API's list prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from jevons import serving
from jevons.facts import FactValue
from jevons.hardware import Accelerator
from jevons.serving.spread import spread

_DAY_S = 86_400.0
CUTS = (0.0, 0.3, 0.5, 0.75, 0.9)
"""Yearly price cuts of an API that tables and records go through."""
ENDS = ("low", "high")
"""Ends of an interval, as columns and keys name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPrice:
    """List prices of an API [CNY per million tokens], since when, and the facts' ids."""

    prefix: str
    input_cny_per_mtok: float
    cached_cny_per_mtok: float
    output_cny_per_mtok: float
    since: dt.date
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Whole servers that hold one replica of a model or more.

    Parameters
    ----------
    device : Accelerator
        Kind of accelerator.
    deployment, point : Deployment, StaticPoint
        One replica, and its operating point at full load within the limits.
    accelerators, replicas : int
        Accelerators of one machine, and replicas of the model on it.
    output_tok_per_s : float
        Of one machine at full load [tok/s].
    paid : FactValue
        Price of an accelerator with its share of the server [CNY].
    hour : mapping of str to float
        Parts of an accelerator-hour when bought: ``machines``, ``power``, ``site``, ``maintenance`` [CNY/h].
    rent_cny_per_h, rent_origin : float, str
        Rent of an accelerator-hour, and where it is from.
    """

    device: Accelerator
    deployment: serving.Deployment
    point: serving.StaticPoint
    accelerators: int
    replicas: int
    output_tok_per_s: float
    paid: FactValue
    hour: Mapping[str, float]
    rent_cny_per_h: float
    rent_origin: str

    @property
    def price_cny(self) -> float:
        """Price of the machine [CNY]."""
        return self.paid.number * self.accelerators

    @property
    def output_tok_per_d(self) -> float:
        """Output tokens a day at full load without a pause."""
        return self.output_tok_per_s * _DAY_S

    @property
    def latency(self) -> dict[str, float]:
        """TTFT and TPOT at full load with the ends of their 80 % intervals, by the errors of past predictions [s]."""
        names = (self.deployment.engine.name, self.device.id, self.deployment.model.name)
        record: dict[str, float] = {}
        for name, value in (("ttft_s", self.point.ttft_s), ("tpot_s", self.point.tpot_s)):
            low, high = spread(name.removesuffix("_s"), *names).interval(value)
            record |= {name: value, f"{name}_low": low, f"{name}_high": high}
        return record

    @property
    def words(self) -> str:
        """Accelerators and layout in words, such as ``8 x h20: 2 x tp4``."""
        return f"{self.label}: {self.layout_words}"

    @property
    def label(self) -> str:
        """Accelerators in words, such as ``8 x h20``."""
        return f"{self.accelerators} x {self.device.id}"

    @property
    def layout_words(self) -> str:
        """Replicas and layout in words, such as ``2 x tp4``."""
        replicas = f"{self.replicas} x " if self.replicas > 1 else ""
        return f"{replicas}{self.deployment.layout}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What an assumption's range does to the cost of a million output tokens on bought machines [CNY]."""

    name: str
    fact: str
    unit: str
    low: float
    high: float
    low_cny: float
    high_cny: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to carry the load: costs a month by part [CNY], machines, and when it pays against the API."""

    name: str
    machine: Machine | None
    machines: int
    parts_cny: Mapping[str, float]
    utilisation_frac: float | None
    break_even_tok_per_d: float | None
    break_even_date: dt.date | None
    ends_cny: tuple[float, float] | None = None
    """Ends of the 80 % interval of a month, by the errors of predicted rates; an API has none."""

    @property
    def month_cny(self) -> float:
        """All of a month [CNY]."""
        return sum(self.parts_cny.values())
