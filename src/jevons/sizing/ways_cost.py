"""What it costs to carry a load by machines or an API: parts of a month, break-even load and date."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from jevons.serving.spread import spread
from jevons.sizing.service import Service
from jevons.sizing.ways import ApiPrice, Machine, Swing, Way
from jevons.sizing.ways_formulas import BARE_BREAK_EVEN, OUTPUT_WITH_INPUT
from jevons.units import DAYS_PER_MONTH, HOURS_PER_MONTH

_DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True, repr=False)
class LoadCosts:
    """What the same load costs by machines bought, by machines rented and by an API.

    Parameters
    ----------
    model : str
        What is served.
    service : Service
        Engine, request and latency limits.
    output_tok_per_d : float
        Mean load [output tokens/day].
    api : ApiPrice
        List prices.
    machines : tuple of Machine
        One per kind of device.
    assumptions : Assumptions
        What the firm reckons with.
    start : date
        When machines are bought or the API is first called.
    swings : tuple of Swing
        Assumptions by what they move, for the first machine.
    smallest : tuple of Machine
        The smallest whole servers of each device that hold the model.
    currency : str
        In which the answer and the tables are.
    cny_rate : float
        Yuan that a unit of it is worth.
    """

    model: str
    service: Service
    output_tok_per_d: float
    api: ApiPrice
    machines: tuple[Machine, ...]
    assumptions: Any
    start: dt.date
    swings: tuple[Swing, ...]
    smallest: tuple[Machine, ...] = ()
    currency: str = "CNY"
    cny_rate: float = 1.0

    @property
    def scale(self) -> float:
        """What an amount in yuan is multiplied with to be in the currency of the tables."""
        return 1.0 / self.cny_rate

    @property
    def api_cny_per_output_mtok(self) -> float:
        """What the API takes for a million output tokens with the input that goes with them [CNY]."""
        a, cached = self.api, self.assumptions.cached_frac
        return float(OUTPUT_WITH_INPUT(
            output=a.output_cny_per_mtok, isl=self.service.isl, osl=self.service.osl, cached_frac=cached,
            input=a.input_cny_per_mtok, cached=a.cached_cny_per_mtok,
        ))  # fmt: skip

    def api_month_cny(self, output_tok_per_d: float, price_factor: float = 1.0) -> float:
        """Return the API's bill of a month at a load [CNY]."""
        return float(output_tok_per_d * DAYS_PER_MONTH / 1e6 * self.api_cny_per_output_mtok * price_factor)

    def carried_tok_per_d(self, machine: Machine, reckoned: Any = None) -> float:
        """Return the mean load that one machine carries at the planned utilisation [output tokens/day]."""
        terms = reckoned or self.assumptions
        return machine.output_tok_per_d * float(terms.utilisation_frac * terms.availability_frac * terms.open_frac)

    def machines_for(self, machine: Machine, output_tok_per_d: float) -> int:
        """Return the machines that carry a load."""
        return max(math.ceil(output_tok_per_d / self.carried_tok_per_d(machine) - 1e-9), 1)

    def owned_parts_cny(self, machine: Machine, machines: int) -> dict[str, float]:
        """Return the month of machines bought, by part [CNY]."""
        hours = machines * machine.accelerators * HOURS_PER_MONTH
        parts = {name: per_hour * hours for name, per_hour in machine.hour.items()}
        return {**parts, "staff": self.assumptions.staff_cny_per_y / 12}

    def rented_parts_cny(
        self, machine: Machine, machines: int, output_tok_per_d: float | None = None
    ) -> dict[str, float]:  # fmt: skip
        """Return the month of machines rented, by part [CNY]; without a load, of machines that run all open hours."""
        terms = self.assumptions
        staff = terms.staff_cny_per_y * terms.rent_staff_frac / 12
        billed = float(machines)
        if terms.hours == "scale-to-zero" and output_tok_per_d is not None:
            billed = output_tok_per_d / self.carried_tok_per_d(machine)
        hours = billed * machine.accelerators * HOURS_PER_MONTH * terms.open_frac
        return {"rent": hours * machine.rent_cny_per_h, "staff": staff}

    def owned_per_mtok(self, machine: Machine, reckoned: Any = None) -> float:
        """Return the cost of a million output tokens on one bought machine at the planned utilisation [CNY]."""
        terms = reckoned or self.assumptions
        month = sum(machine.hour.values()) * machine.accelerators * HOURS_PER_MONTH + terms.staff_cny_per_y / 12
        return float(month / (self.carried_tok_per_d(machine, terms) * DAYS_PER_MONTH) * 1e6)

    def bare_tok_per_d(self, price_cny: float) -> float:
        """Return the load at which a machine's price over its years equals the API's for output tokens alone."""
        output = self.api.output_cny_per_mtok
        return float(BARE_BREAK_EVEN(price=price_cny, life=self.assumptions.life_y, output=output))

    def break_even_tok_per_d(
        self, machine: Machine, *, rented: bool = False, price_factor: float = 1.0
    ) -> float | None:
        """Return the least load at which machines cost no more than the API; None where none is enough.

        Notes
        -----
        Machines come whole: n of them cost ``n M + S`` and carry ``n K``; the API takes ``A`` a token. The least load
        is that of the first n for which ``(n M + S) / A <= n K``; there is one where ``M < A K``.
        """
        parts = self.rented_parts_cny(machine, 1) if rented else self.owned_parts_cny(machine, 1)
        staff = parts["staff"]
        each = sum(parts.values()) - staff
        carried = self.carried_tok_per_d(machine)
        per_token = self.api_month_cny(1.0, price_factor)
        margin = per_token * carried - each
        if margin <= 0:
            return None
        if rented and self.assumptions.hours == "scale-to-zero":
            return staff / margin * carried
        machines = max(math.ceil(staff / margin - 1e-9), 1)
        return max((machines * each + staff) / per_token, (machines - 1) * carried)

    def always_pays_tok_per_d(self, machine: Machine, *, rented: bool = False) -> float | None:
        """Return the load above which machines never cost more than the API, though they come whole; None for none.

        Notes
        -----
        The dearest load of n machines is just above what n - 1 carry: ``n M + S <= A (n - 1) K`` from some n on. The
        load sought lies where one machine fewer crosses the API's line.
        """
        parts = self.rented_parts_cny(machine, 1) if rented else self.owned_parts_cny(machine, 1)
        staff = parts["staff"]
        each, carried = sum(parts.values()) - staff, self.carried_tok_per_d(machine)
        per_token = self.api_month_cny(1.0)
        margin = per_token * carried - each
        if margin <= 0:
            return None
        if rented and self.assumptions.hours == "scale-to-zero":
            return staff / margin * carried
        machines = max(math.ceil((staff + per_token * carried) / margin - 1e-9), 2)
        return max(((machines - 1) * each + staff) / per_token, (machines - 2) * carried)

    def break_even_utilisation(self, machine: Machine, *, rented: bool = False) -> float:
        """Return the mean utilisation at which one machine with its staff costs what the API would; may exceed 1."""
        parts = self.rented_parts_cny(machine, 1) if rented else self.owned_parts_cny(machine, 1)
        terms = self.assumptions
        full = self.api_month_cny(machine.output_tok_per_d * terms.availability_frac * terms.open_frac)
        return sum(parts.values()) / full

    def break_even_date(
        self, machine: Machine, cut_frac: float, output_tok_per_d: float | None = None
    ) -> dt.date | None:
        """Return when machines bought will have cost less than the API, falling in price; None within their life."""
        load = self.output_tok_per_d if output_tok_per_d is None else output_tok_per_d
        count = self.machines_for(machine, load)
        parts = self.owned_parts_cny(machine, count)
        running = sum(parts.values()) - parts["machines"]
        own = count * machine.price_cny
        spent = 0.0
        for month in range(1, math.ceil(12 * self.assumptions.life_y) + 1):
            own += running
            spent += self.api_month_cny(load) * (1 - cut_frac) ** ((month - 0.5) / 12)
            if spent >= own:
                return self.start + dt.timedelta(days=round(month * DAYS_PER_MONTH))
        return None

    def mean_price_factor(self, cut_frac: float) -> float:
        """Return the API's mean price over the machines' life over its price today."""
        life_y = self.assumptions.life_y
        if cut_frac == 0:
            return 1.0
        return float((1 - (1 - cut_frac) ** life_y) / (-math.log(1 - cut_frac) * life_y))

    def _month_ends_cny(self, machine: Machine, load: float, *, rented: bool) -> tuple[float, float]:
        """Return the month of machines at either end of the 80 % interval of the rate that one of them serves [CNY]."""
        served = machine.deployment
        rate = spread("rate", served.engine.name, machine.device.id, served.model.name)

        def month_cny(ratio: float) -> float:
            count = self.machines_for(machine, load / ratio)
            own = (
                self.rented_parts_cny(machine, count, load / ratio) if rented else self.owned_parts_cny(machine, count)
            )
            return sum(own.values())

        return month_cny(rate.high), month_cny(rate.low)

    def ways(self) -> list[Way]:
        """Return all ways to carry the load, cheapest first."""
        load, listed = self.output_tok_per_d, []
        for machine in self.machines:
            count = self.machines_for(machine, load)
            used = load / (count * machine.output_tok_per_d)
            own, rent = self.owned_parts_cny(machine, count), self.rented_parts_cny(machine, count, load)
            date = self.break_even_date(machine, self.assumptions.price_cut_frac)
            for name, parts in (("buy", own), ("rent", rent)):
                rented = name == "rent"
                even = self.break_even_tok_per_d(machine, rented=rented)
                listed.append(Way(
                    name=name, machine=machine, machines=count, parts_cny=parts, utilisation_frac=used,
                    break_even_tok_per_d=even, break_even_date=None if rented else date,
                    ends_cny=self._month_ends_cny(machine, load, rented=rented),
                ))  # fmt: skip
        bill = {"tokens": self.api_month_cny(load)}
        listed.append(Way(
            name="API", machine=None, machines=0, parts_cny=bill, utilisation_frac=None, break_even_tok_per_d=None,
            break_even_date=None,
        ))  # fmt: skip
        return sorted(listed, key=lambda way: way.month_cny)
