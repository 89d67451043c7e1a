"""What comparing machines with an API returns: costs of the same load, break-even load and date, what dominates."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons import serving
from jevons.errors import InputError
from jevons.facts import FactValue, default_facts
from jevons.facts.ledger import add_fact
from jevons.files import frame_csv, writing
from jevons.hardware import Accelerator
from jevons.provenance import Ledger
from jevons.results import Plots
from jevons.schema import json_text
from jevons.sizing.service import Service
from jevons.units import HOURS_PER_YEAR, format_count

if TYPE_CHECKING:
    import polars as pl

_DAY_S = 86_400.0
_DAYS_PER_MONTH = 365.25 / 12
_MONTH_H = HOURS_PER_YEAR / 12
_CUTS = (0.0, 0.3, 0.5, 0.75, 0.9)
_LOADS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

Table = tuple[str, tuple[str, ...], list[tuple[Any, ...]], int]
"""Title, heads, rows, and how many of the first columns are text."""


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
    """Whole servers that hold one copy of a model.

    Parameters
    ----------
    device : Accelerator
        Kind of accelerator.
    deployment, point : Deployment, StaticPoint
        The copy, and where it works at full load within the limits.
    accelerators, copies : int
        Of one machine, and copies of the model on it.
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
    copies: int
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
    def words(self) -> str:
        """Accelerators and layout in words, such as ``8: 2 x tp4``."""
        copies = f"{self.copies} x " if self.copies > 1 else ""
        return f"{self.accelerators}: {copies}{self.deployment.layout}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What an assumption's range does to the cost of a million output tokens on bought machines [CNY]."""

    name: str
    fact: str
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

    @property
    def month_cny(self) -> float:
        """All of a month [CNY]."""
        return sum(self.parts_cny.values())


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Buying, renting and an API for the same load.

    Parameters
    ----------
    model : str
        What is served.
    service : Service
        Engine, request and limits of latency.
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

    kind = "buy_rent_api"

    @property
    def plot(self) -> Plots:
        """Figures: ``break_even``, ``parts``."""
        return Plots(self)  # type: ignore[arg-type]

    @property
    def api_cny_per_output_mtok(self) -> float:
        """What the API takes for a million output tokens with the input that goes with them [CNY]."""
        a, cached = self.api, self.assumptions.cached_frac
        of_input = (1 - cached) * a.input_cny_per_mtok + cached * a.cached_cny_per_mtok
        return float(a.output_cny_per_mtok + self.service.isl / self.service.osl * of_input)

    def api_month_cny(self, output_tok_per_d: float, price_factor: float = 1.0) -> float:
        """Return the API's bill of a month at a load [CNY]."""
        return float(output_tok_per_d * _DAYS_PER_MONTH / 1e6 * self.api_cny_per_output_mtok * price_factor)

    def carried_tok_per_d(self, machine: Machine, reckoned: Any = None) -> float:
        """Return the mean load that one machine carries at the planned utilisation [output tokens/day]."""
        terms = reckoned or self.assumptions
        return machine.output_tok_per_d * float(terms.utilisation_frac * terms.availability_frac)

    def machines_for(self, machine: Machine, output_tok_per_d: float) -> int:
        """Return the machines that carry a load."""
        return max(math.ceil(output_tok_per_d / self.carried_tok_per_d(machine) - 1e-9), 1)

    def owned_parts_cny(self, machine: Machine, machines: int) -> dict[str, float]:
        """Return the month of machines bought, by part [CNY]."""
        hours = machines * machine.accelerators * _MONTH_H
        parts = {name: per_hour * hours for name, per_hour in machine.hour.items()}
        return {**parts, "staff": self.assumptions.staff_cny_per_y / 12}

    def rented_parts_cny(self, machine: Machine, machines: int) -> dict[str, float]:
        """Return the month of machines rented, by part [CNY]."""
        staff = self.assumptions.staff_cny_per_y * self.assumptions.rent_staff_frac / 12
        return {"rent": machines * machine.accelerators * machine.rent_cny_per_h * _MONTH_H, "staff": staff}

    def owned_per_mtok(self, machine: Machine, reckoned: Any = None) -> float:
        """Return the cost of a million output tokens on one bought machine at the planned utilisation [CNY]."""
        terms = reckoned or self.assumptions
        month = sum(machine.hour.values()) * machine.accelerators * _MONTH_H + terms.staff_cny_per_y / 12
        return float(month / (self.carried_tok_per_d(machine, terms) * _DAYS_PER_MONTH) * 1e6)

    def bare_tok_per_d(self, price_cny: float) -> float:
        """Return the load at which a machine's price over its years equals the API's for output tokens alone."""
        return float(price_cny / (self.assumptions.life_y * 365.25) / self.api.output_cny_per_mtok * 1e6)

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
        machines = max(math.ceil((staff + per_token * carried) / margin - 1e-9), 2)
        return max(((machines - 1) * each + staff) / per_token, (machines - 2) * carried)

    def break_even_utilisation(self, machine: Machine, *, rented: bool = False) -> float:
        """Return the mean utilisation at which one machine with its staff costs what the API would; may exceed 1."""
        parts = self.rented_parts_cny(machine, 1) if rented else self.owned_parts_cny(machine, 1)
        full = self.api_month_cny(machine.output_tok_per_d * self.assumptions.availability_frac)
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
                return self.start + dt.timedelta(days=round(month * _DAYS_PER_MONTH))
        return None

    def mean_price_factor(self, cut_frac: float) -> float:
        """Return the API's mean price over the machines' life over its price today."""
        life_y = self.assumptions.life_y
        if cut_frac == 0:
            return 1.0
        return float((1 - (1 - cut_frac) ** life_y) / (-math.log(1 - cut_frac) * life_y))

    def ways(self) -> list[Way]:
        """Return all ways to carry the load, cheapest first."""
        load, found = self.output_tok_per_d, []
        for machine in self.machines:
            count = self.machines_for(machine, load)
            used = load / (count * machine.output_tok_per_d)
            own, rent = self.owned_parts_cny(machine, count), self.rented_parts_cny(machine, count)
            date = self.break_even_date(machine, self.assumptions.price_cut_frac)
            found.append(
                Way(
                    name="buy",
                    machine=machine,
                    machines=count,
                    parts_cny=own,
                    utilisation_frac=used,
                    break_even_tok_per_d=self.break_even_tok_per_d(machine),
                    break_even_date=date,
                )
            )
            found.append(
                Way(
                    name="rent",
                    machine=machine,
                    machines=count,
                    parts_cny=rent,
                    utilisation_frac=used,
                    break_even_tok_per_d=self.break_even_tok_per_d(machine, rented=True),
                    break_even_date=None,
                )
            )
        found.append(
            Way(
                name="API",
                machine=None,
                machines=0,
                parts_cny={"tokens": self.api_month_cny(load)},
                utilisation_frac=None,
                break_even_tok_per_d=None,
                break_even_date=None,
            )
        )
        return sorted(found, key=lambda way: way.month_cny)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        per_month = self.output_tok_per_d * _DAYS_PER_MONTH / 1e6

        def record(way: Way) -> dict[str, Any]:
            machine = way.machine
            date = way.break_even_date
            layout = None if machine is None else str(machine.deployment.layout)
            return {
                "way": way.name, "gpu": None if machine is None else machine.device.id, "layout": layout,
                "machines": way.machines, "accelerators": 0 if machine is None else way.machines * machine.accelerators,
                "latency": None if machine is None else
                {"ttft_s": machine.point.ttft_s, "tpot_s": machine.point.tpot_s},
                "cost": {"per_month_cny": way.month_cny, "per_output_mtok_cny": way.month_cny / per_month,
                         "parts_cny": dict(way.parts_cny)},
                "utilisation_frac": way.utilisation_frac, "break_even_tok_per_d": way.break_even_tok_per_d,
                "always_pays_tok_per_d":
                None if machine is None else self.always_pays_tok_per_d(machine, rented=way.name == "rent"),
                "break_even_date": None if date is None else date.isoformat(),
            }  # fmt: skip

        ways = [record(way) for way in self.ways()]
        return {
            "model": self.model, "output_tok_per_d": self.output_tok_per_d, "isl": self.service.isl,
            "osl": self.service.osl, "start": self.start.isoformat(),
            "api": {"prefix": self.api.prefix, "input_cny_per_mtok": self.api.input_cny_per_mtok,
                    "cached_cny_per_mtok": self.api.cached_cny_per_mtok,
                    "output_cny_per_mtok": self.api.output_cny_per_mtok, "since": self.api.since.isoformat()},
            "best": ways[0], "pareto": ways[:1], "ways": ways,
            "machines": [
                {"gpu": m.device.id, "accelerators": m.accelerators, "price_cny": m.price_cny,
                 "output_tok_per_d_at_most": m.output_tok_per_d, "carried_tok_per_d": self.carried_tok_per_d(m),
                 "bare_break_even_tok_per_d": self.bare_tok_per_d(m.price_cny),
                 "break_even_tok_per_d": self.break_even_tok_per_d(m),
                 "break_even_utilisation_frac": self.break_even_utilisation(m),
                 "per_output_mtok_cny": self.owned_per_mtok(m),
                 "rent_cny_per_h": m.rent_cny_per_h, "rent_origin": m.rent_origin}
                for m in (*self.machines, *(s for s in self.smallest if s not in self.machines))
            ],
            "bare_break_even_tok_per_d_of_a_million_cny": self.bare_tok_per_d(1e6),
            "price_cuts": [
                {"cut_frac_per_y": cut, "gpu": m.device.id,
                 "break_even_tok_per_d": self.break_even_tok_per_d(m, price_factor=self.mean_price_factor(cut)),
                 "break_even_date": _iso(self.break_even_date(m, cut))} for m in self.machines for cut in _CUTS
            ],
            "swings": [
                {"name": s.name, "fact": s.fact, "low": s.low, "high": s.high, "at_low_cny": s.low_cny,
                 "at_high_cny": s.high_cny} for s in self.swings
            ],
        }  # fmt: skip

    def to_frame(self) -> pl.DataFrame:
        """Return the ways as a table, one row each."""
        import polars as pl

        rows = []
        for way in self.to_json()["ways"]:
            flat = {k: v for k, v in way.items() if not isinstance(v, dict)}
            rows.append({**flat, **{k: v for k, v in way["cost"].items() if k != "parts_cny"}})
        return pl.DataFrame(rows)

    def table(self) -> list[Table]:
        """Return the printed tables as (title, heads, rows, text columns)."""
        return [self._same_load(), self._parts(), self._break_even(), self._by_load(), self._cuts(), self._dominate()]

    def _same_load(self) -> Table:
        api, load = self.api, self.output_tok_per_d
        title = (
            f"{self.model}: {format_count(load)} output tokens a day, {self.service.isl:,} in and {self.service.osl:,} "
            f"out a request{', ' + self.service.limits if self.service.limits else ''}; API {api.prefix} at "
            f"{api.input_cny_per_mtok:g} in, {api.cached_cny_per_mtok:g} cached, {api.output_cny_per_mtok:g} out "
            f"CNY/Mtok (list price since {api.since}), falling "
            f"{100 * self.assumptions.price_cut_frac:.0f} % a year for the dates"
        )
        heads = (
            "way", "accelerators of a machine", "machines", "use [%]", "CNY a month", "CNY per Mtok output",
            "first pays at [M tok/day]", "always pays above [M tok/day]", "pays from use of [%]", "pays by",
        )  # fmt: skip
        rows: list[tuple[Any, ...]] = []
        for way in self.ways():
            machine, even, date = way.machine, way.break_even_tok_per_d, way.break_even_date
            each = way.month_cny / (load * _DAYS_PER_MONTH / 1e6)
            shown = (f"{way.month_cny:,.0f}", each)
            if machine is None:
                rows.append((way.name, "", None, None, *shown, None, None, None, None))
                continue
            used = self.break_even_utilisation(machine, rented=way.name == "rent")
            always = self.always_pays_tok_per_d(machine, rented=way.name == "rent")
            rows.append((
                f"{way.name} {machine.device.id}", machine.words, way.machines, 100 * (way.utilisation_frac or 0.0),
                *shown, "never" if even is None else f"{even / 1e6:,.1f}",
                "never" if always is None else f"{always / 1e6:,.1f}",
                f"{100 * used:.0f}" if used <= 1 else "over 100",
                "–" if way.name == "rent" else "never" if date is None else f"{date:%Y-%m}",
            ))  # fmt: skip
        return title, heads, rows, 2

    def _parts(self) -> Table:
        names = ("machines", "rent", "tokens", "power", "site", "maintenance", "staff")
        rows = []
        for way in self.ways():
            label = way.name if way.machine is None else f"{way.name} {way.machine.device.id}"
            rows.append((label, *(f"{way.parts_cny[n]:,.0f}" if n in way.parts_cny else None for n in names)))
        return "what a month is made of [CNY]", ("way", *names), rows, 1

    def _break_even(self) -> Table:
        terms = self.assumptions
        title = (
            f"break-even load against the API [million output tokens a day]; {terms.life_y:g} years, "
            f"{100 * terms.utilisation_frac:.0f} % mean use. Machine alone: its price over those years, against output "
            "tokens alone, as the press reckons"
        )
        rows: list[tuple[Any, ...]] = [
            ("per million CNY of machine", "", 1.0, None, self.bare_tok_per_d(1e6) / 1e6, None, None, None)
        ]
        several = [m for m in self.smallest if m not in self.machines]
        for machine in sorted([*several, *self.machines], key=lambda m: (m.device.id, m.accelerators)):
            even = self.break_even_tok_per_d(machine)
            rows.append((
                machine.device.name, machine.words, machine.price_cny / 1e6,
                machine.output_tok_per_d / 1e6, self.bare_tok_per_d(machine.price_cny) / 1e6,
                "never" if even is None else f"{even / 1e6:,.1f}", self.carried_tok_per_d(machine) / 1e6,
                self.owned_per_mtok(machine),
            ))  # fmt: skip
        heads = (
            "machine", "accelerators of a machine", "price [M CNY]", "makes at most", "machine alone",
            "all costs, input priced", "one carries on average", "own CNY per Mtok output",
        )  # fmt: skip
        return title, heads, rows, 2

    def _by_load(self) -> Table:
        names = [(way, m) for m in self.machines for way in ("buy", "rent")]
        heads = ("output tokens a day", "API", *(f"{way} {m.device.id}" for way, m in names), "cheapest")
        rows: list[tuple[Any, ...]] = []
        for factor in _LOADS:
            load = self.output_tok_per_d * factor
            costs = {"API": self.api_month_cny(load)}
            for way, m in names:
                count = self.machines_for(m, load)
                parts = self.owned_parts_cny(m, count) if way == "buy" else self.rented_parts_cny(m, count)
                costs[f"{way} {m.device.id}"] = sum(parts.values())
            cheapest = min(costs, key=lambda name: costs[name])
            rows.append((format_count(load), *(f"{cost:,.0f}" for cost in costs.values()), cheapest))
        return "cost a month by load [CNY]", heads, rows, 1

    def _cuts(self) -> Table:
        heads = ["API price falls [% a year]", "mean over life [CNY/Mtok output]"]
        heads += [f"{m.device.id}: {what}" for m in self.machines for what in ("pays from [M tok/day]", "pays by")]
        rows: list[tuple[Any, ...]] = []
        for cut in _CUTS:
            factor = self.mean_price_factor(cut)
            row: list[Any] = [f"{100 * cut:.0f}", self.api_cny_per_output_mtok * factor]
            for m in self.machines:
                even, date = self.break_even_tok_per_d(m, price_factor=factor), self.break_even_date(m, cut)
                row += ["never" if even is None else f"{even / 1e6:,.1f}", "never" if date is None else f"{date:%Y-%m}"]
            rows.append(tuple(row))
        today = f"{self.api_cny_per_output_mtok:.3g} CNY/Mtok output"
        title = f"sensitivity to price cuts of the API (today {today}, the input with it)"
        return title, tuple(heads), rows, 1

    def _dominate(self) -> Table:
        heads = ("assumption", "fact", "low", "high", "cost at low", "cost at high", "swing")
        rows = [
            (s.name, s.fact, s.low, s.high, s.low_cny, s.high_cny, abs(s.high_cny - s.low_cny)) for s in self.swings
        ]
        device = self.machines[0].device.name
        return (
            f"what dominates: CNY per Mtok output on {device} bought, one machine, each assumption alone",
            heads,
            rows,
            2,
        )

    def ledger(self) -> Ledger:
        """Return how the figures were made."""
        ledger, facts, on = Ledger(), default_facts(), self.service.on
        for fact in (*self.api.facts, *(s.fact for s in self.swings), *(m.paid.id for m in self.machines)):
            add_fact(ledger, fact, facts, on)
        ledger.add(
            "api.per_output_mtok_cny", self.api_cny_per_output_mtok, "CNY/Mtok", parents=self.api.facts,
            formula="output price + input tokens per output token x input price (cached share at the cached price)",
        )  # fmt: skip
        for m in self.machines:
            name = m.device.id
            ledger.add(
                f"{name}.machine_price_cny",
                m.price_cny,
                "CNY",
                formula=f"{m.accelerators} x price",
                parents=(m.paid.id,),
            )
            ledger.add(
                f"{name}.output_tok_per_d", m.output_tok_per_d, "tok/day",
                formula=f"{m.deployment} at batch {m.point.batch:g}, static point within the limits",
            )  # fmt: skip
            ledger.add(
                f"{name}.bare_break_even_tok_per_d", self.bare_tok_per_d(m.price_cny), "tok/day",
                formula="machine price / (years x 365.25) / output price",
                parents=(f"{name}.machine_price_cny", "own_machine.life_y", *self.api.facts[-1:]),
            )  # fmt: skip
            even = self.break_even_tok_per_d(m)
            if even is not None:
                ledger.add(
                    f"{name}.break_even_tok_per_d", even, "tok/day",
                    formula="least load at which n machines and staff cost no more than the API",
                    parents=(f"{name}.machine_price_cny", f"{name}.output_tok_per_d", "api.per_output_mtok_cny",
                             *dict.fromkeys(s.fact for s in self.swings)),
                )  # fmt: skip
        return ledger

    def explain(self, path: str) -> str:
        """Return the tree of formulas and facts behind a figure, such as ``h20.break_even_tok_per_d``."""
        return self.ledger().explain(path)

    def save(self, path: Path | str, *, force: bool = False) -> None:
        """Write the result: ``.json`` (all) or ``.csv`` (the ways)."""
        path = Path(path)
        if path.suffix not in {".json", ".csv"}:
            message = f"{path}: the ending must be .json or .csv"
            raise InputError(message)
        with writing(path, force=force) as stream:
            stream.write(json_text(self.to_json()) if path.suffix == ".json" else frame_csv(self.to_frame()))


def _iso(date: dt.date | None) -> str | None:
    return None if date is None else date.isoformat()
