"""What comparing machines with an API returns: costs of the same load, break-even load and date, what dominates."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.checks import check, check_finite, check_ordered, check_shares
from jevons.facts import default_facts
from jevons.facts.ledger import add_fact
from jevons.hardware import site_facts
from jevons.provenance import Ledger
from jevons.results import Column, Result, Table, table
from jevons.serving.spread import spread
from jevons.sizing.hour_price import in_china
from jevons.sizing.price_estimate import is_estimate, price_estimated
from jevons.sizing.rents import rent_offers, rent_since
from jevons.sizing.service import Service
from jevons.sizing.ways import ApiPrice, Machine, Swing, Way
from jevons.sizing.ways_answer import site_notes, ways_sentences
from jevons.sizing.ways_formulas import (
    BARE_BREAK_EVEN,
    MACHINE_DAY,
    MACHINE_PRICE,
    OUTPUT_WITH_INPUT,
    add_api_prices,
)
from jevons.units import DAYS_PER_MONTH, HOURS_PER_MONTH, format_count
from jevons.words import Sentence

if TYPE_CHECKING:
    import polars as pl

_DAY_S = 86_400.0
_CUTS = (0.0, 0.3, 0.5, 0.75, 0.9)
_ENDS = ("low", "high")
_LOADS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison(Result):
    """Buying, renting and an API for the same load.

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

    kind: ClassVar[str] = "buy_rent_api"
    picture: ClassVar[str] = "break_even"

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

    def check(self) -> None:
        """Check that machines carry the load, that parts make up each month, and that the cheapest way is first."""
        super().check()
        ways = self.ways()
        check_ordered("cost a month of the ways", [way.month_cny for way in ways])
        for way in ways:
            check_finite({f"{way.name}: {part}": value for part, value in way.parts_cny.items()})
            check_shares({f"{way.name}: utilisation": way.utilisation_frac})
            if way.machine is not None:
                carried = way.machines * self.carried_tok_per_d(way.machine)
                check(carried >= self.output_tok_per_d * (1 - 1e-6), f"{way.name}: carries {carried:g} tokens a day")

    def draws_picture(self, name: str) -> bool:
        """Return whether it is this result's picture: sizes, comparisons and presets share a list."""
        return name == self.picture

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

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        per_month = self.output_tok_per_d * DAYS_PER_MONTH / 1e6

        def record(way: Way) -> dict[str, Any]:
            machine = way.machine
            date = way.break_even_date
            layout = None if machine is None else str(machine.deployment.layout)
            ends = (way.month_cny, way.month_cny) if way.ends_cny is None else way.ends_cny
            return {
                "way": way.name, "gpu": None if machine is None else machine.device.id, "layout": layout,
                "machines": way.machines, "accelerators": 0 if machine is None else way.machines * machine.accelerators,
                "latency": None if machine is None else machine.latency,
                "cost": {"per_month": way.month_cny / self.cny_rate, "currency": self.currency,
                         "per_output_mtok": way.month_cny / per_month / self.cny_rate,
                         "parts": {name: part / self.cny_rate for name, part in way.parts_cny.items()},
                         **{f"per_month_{end}": month / self.cny_rate for end, month in zip(_ENDS, ends, strict=True)},
                         **{f"per_month_cny_{end}": month for end, month in zip(_ENDS, ends, strict=True)},
                         "per_month_cny": way.month_cny, "per_output_mtok_cny": way.month_cny / per_month,
                         "parts_cny": dict(way.parts_cny)},
                "utilisation_frac": way.utilisation_frac, "break_even_tok_per_d": way.break_even_tok_per_d,
                "always_pays_tok_per_d":
                None if machine is None else self.always_pays_tok_per_d(machine, rented=way.name == "rent"),
                "break_even_date": None if date is None else date.isoformat(),
            }  # fmt: skip

        ways = [record(way) for way in self.ways()]
        return {
            **self.answer_record(), "currency": self.currency, "hours": self.assumptions.hours,
            "unit": self.assumptions.unit, "site": self.assumptions.site,
            "model": self.model, "output_tok_per_d": self.output_tok_per_d, "isl": self.service.isl,
            "osl": self.service.osl, "start": self.start.isoformat(),
            "api": {"prefix": self.api.prefix, "input_cny_per_mtok": self.api.input_cny_per_mtok,
                    "cached_cny_per_mtok": self.api.cached_cny_per_mtok,
                    "output_cny_per_mtok": self.api.output_cny_per_mtok, "since": self.api.since.isoformat(),
                    "input_per_mtok": self.api.input_cny_per_mtok * self._scale,
                    "cached_per_mtok": self.api.cached_cny_per_mtok * self._scale,
                    "output_per_mtok": self.api.output_cny_per_mtok * self._scale, "currency": self.currency},
            "best": ways[0], "pareto": ways[:1], "ways": ways,
            "machines": [
                {"gpu": m.device.id, "accelerators": m.accelerators, "price_cny": m.price_cny,
                 "output_tok_per_d_at_most": m.output_tok_per_d, "carried_tok_per_d": self.carried_tok_per_d(m),
                 "bare_break_even_tok_per_d": self.bare_tok_per_d(m.price_cny),
                 "break_even_tok_per_d": self.break_even_tok_per_d(m),
                 "break_even_utilisation_frac": self.break_even_utilisation(m),
                 "per_output_mtok_cny": self.owned_per_mtok(m),
                 "rent_cny_per_h": m.rent_cny_per_h, "rent_origin": m.rent_origin,
                 "price_since": None if m.paid.source is None else m.paid.start.isoformat(),
                 "rent_since": rent_since(m.rent_origin, self.service.on),
                 "price": m.price_cny * self._scale, "per_output_mtok": self.owned_per_mtok(m) * self._scale,
                 "rent_per_h": None if m.rent_cny_per_h is None else m.rent_cny_per_h * self._scale,
                 "currency": self.currency}
                for m in (*self.machines, *(s for s in self.smallest if s not in self.machines))
            ],
            "bare_break_even_tok_per_d_of_a_million_cny": self.bare_tok_per_d(1e6),
            "price_cuts": [
                {"cut_frac_per_y": cut, "gpu": m.device.id, "mean_price_frac": self.mean_price_factor(cut),
                 "break_even_tok_per_d": self.break_even_tok_per_d(m, price_factor=self.mean_price_factor(cut)),
                 "break_even_date": _iso(self.break_even_date(m, cut))} for m in self.machines for cut in _CUTS
            ],
            "swings": [
                {"name": s.name, "fact": s.fact, "unit": s.unit, "low": s.low, "high": s.high,
                 "at_low_cny": s.low_cny, "at_high_cny": s.high_cny} for s in self.swings
            ],
        }  # fmt: skip

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
        """Return the ways as a table, one row each."""
        if table is not None:
            return super().to_frame(table)
        import polars as pl

        rows = []
        for way in self.to_json()["ways"]:
            flat = {k: v for k, v in way.items() if not isinstance(v, dict)}
            rows.append({**flat, **{k: v for k, v in way["cost"].items() if k not in {"parts", "parts_cny"}}})
        return pl.DataFrame(rows)

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The cheapest way for the load, the load at which that changes, and how old the API's price is."""
        listed = self.ways()
        ways = [(self._spoken(way), way.month_cny / self.cny_rate) for way in listed]
        ends_cny = listed[0].ends_cny
        ends = None if ends_cny is None else (ends_cny[0] / self.cny_rate, ends_cny[1] / self.cny_rate)
        evens = [(even, way) for way in listed if (even := way.break_even_tok_per_d) is not None]
        pays = min(evens, key=lambda pair: pair[0], default=None)
        switch = None if pays is None else (pays[0], _any_number(pays[1]))
        return ways_sentences(
            ways, ends, switch, model=self.model, output_tok_per_d=self.output_tok_per_d, currency=self.currency,
            api=self.api.prefix, since=self.api.since, start=self.start,
        )  # fmt: skip

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """What the API charges, and since when."""
        api = self.api
        prices = {"given": api.input_cny_per_mtok, "cached": api.cached_cny_per_mtok, "output": api.output_cny_per_mtok}
        values = {name: f"{price * self._scale:.3g}" for name, price in prices.items()}
        stated = {"api": api.prefix, "since": f"{api.since}", "currency": self.currency}
        return (Sentence("ways.api_price", values | stated), *self._site_notes(), *self._estimates())

    def _site_notes(self) -> Iterator[Sentence]:
        paid = [(m.device.id, m.paid) for m in self.machines]
        terms, on = self.assumptions, self.service.on
        return site_notes(
            terms.site, on, paid, staff_cny_per_y=terms.staff_cny_per_y, cny_rate=self.cny_rate, currency=self.currency
        )

    def _estimates(self) -> Iterator[Sentence]:
        """Yield which prices of machines are estimates, and how wide."""
        for m in self.machines:
            if is_estimate(m.paid):
                yield price_estimated(m.device, m.paid, 1.0 / self._scale, self.currency)

    def _spoken(self, way: Way) -> Sentence:
        """Return a way as sentences name it."""
        if way.machine is None:
            return Sentence("ways.api")
        number = "machine" if way.machines == 1 else "machines"
        return Sentence(f"ways.{way.name}_{number}", {"count": f"{way.machines}", "machine": way.machine.words})

    def _tables(self) -> Iterator[Table]:
        yield self._same_load()
        yield self._parts()
        yield self._rents()
        yield dataclasses.replace(self._machine_table(), detail=True)
        yield dataclasses.replace(self._break_even(), detail=True)
        yield self._by_load()
        yield self._cuts()
        yield self._dominate()

    def _same_load(self) -> Table:
        load, code = self.output_tok_per_d, self.currency.lower()
        limits = f", {self.service.limits}" if self.service.limits else ""
        title = (
            f"{self.model}, {self.service.isl:,} in, {self.service.osl:,} out{limits}: "
            f"{format_count(load)} output tokens a day; low, high: 80 % interval"
        )
        columns = (
            Column("way", "way"), Column("machines", "machines"),
            Column("utilisation_frac", "utilisation", "%", scale=100.0),
            Column(f"month_{code}", "cost", f"{self.currency} per month"),
            *(Column(f"month_{end}_{code}", end, f"{self.currency} per month") for end in _ENDS),
            Column(f"per_mtok_{code}", "cost", f"{self.currency}/Mtok output"),
            Column("break_even_tok_per_d", "break-even load", "M tok/day", scale=1e-6),
            Column("always_pays_tok_per_d", "always pays above", "M tok/day", scale=1e-6, detail=True),
            Column("break_even_utilisation_frac", "break-even utilisation", "%", scale=100.0, detail=True),
            Column("break_even_date", "pays back by", detail=True),
        )  # fmt: skip
        rows: list[tuple[Any, ...]] = []
        for way in self.ways():
            machine, date = way.machine, way.break_even_date
            month = way.month_cny * self._scale
            ends = (None, None) if way.ends_cny is None else (end * self._scale for end in way.ends_cny)
            cost = (month, *ends, month / (load * DAYS_PER_MONTH / 1e6))
            if machine is None:
                rows.append((way.name, None, None, *cost, None, None, None, None))
                continue
            rented = way.name == "rent"
            rows.append((
                self._label(way), way.machines, way.utilisation_frac or 0.0, *cost,
                way.break_even_tok_per_d, self.always_pays_tok_per_d(machine, rented=rented),
                self.break_even_utilisation(machine, rented=rented),
                None if rented else "never" if date is None else f"{date:%Y-%m}",
            ))  # fmt: skip
        return table("ways", title, columns, rows)

    @property
    def _scale(self) -> float:
        """What an amount in yuan is multiplied with to be in the currency of the tables."""
        return 1.0 / self.cny_rate

    def _label(self, way: Way) -> str:
        """Return what a way is called in tables, such as ``rent 8 x h20``."""
        return way.name if way.machine is None else f"{way.name} {way.machine.label}"

    def _parts(self) -> Table:
        names = ("machines", "rent", "tokens", "power", "site", "maintenance", "staff")
        rows = [(self._label(way), *(way.parts_cny.get(name) for name in names)) for way in self.ways()]
        columns = [Column("way", "way"), *(Column(f"{name}_cny", name, scale=self._scale) for name in names)]
        return table("parts", f"Cost of a month by part [{self.currency}]", columns, rows, detail=True)

    def _rents(self) -> Table:
        """Return the rents on file of the machines' devices."""
        columns = (
            Column("gpu", "device"), Column("provider", "provider"), Column("term", "term"),
            Column("cny_per_h", "rent", f"{self.currency}/h", scale=self._scale), Column("since", "since"),
            Column("fact", "fact"),
        )  # fmt: skip
        rows = [
            (m.device.id, offer.provider, offer.term, offer.cny_per_h, offer.since.isoformat(), offer.fact)
            for m in self.machines
            for offer in rent_offers(m.device, self.service.on, china=in_china(self.assumptions.site))
        ]  # fmt: skip
        return table("rents", "Rents on file, those first that count where none is named", columns, rows, detail=True)

    def _by_size(self) -> list[Machine]:
        """Return the machines and the smallest ones that hold the model, by device and size."""
        smaller = [m for m in self.smallest if m not in self.machines]
        return sorted([*smaller, *self.machines], key=lambda m: (m.device.id, m.accelerators))

    def _machine_table(self) -> Table:
        columns = (
            Column("machine", "machine"), Column("layout", "layout"),
            Column("price_cny", "price", f"k {self.currency}", scale=1e-3 * self._scale),
            Column("maximum_tok_per_d", "maximum load", "M tok/day", scale=1e-6),
            Column("average_tok_per_d", "average load", "M tok/day", scale=1e-6),
        )  # fmt: skip
        rows = [
            (m.label, m.layout_words, m.price_cny, m.output_tok_per_d, self.carried_tok_per_d(m))
            for m in self._by_size()
        ]
        mean = 100 * self.assumptions.utilisation_frac
        return table("machines", f"One machine: output tokens at full load and at {mean:.0f} % mean use", columns, rows)

    def _break_even(self) -> Table:
        title = (
            f"Break-even load against the API over {self.assumptions.life_y:g} years; hardware alone: purchase price "
            "against output tokens, no other cost"
        )
        columns = (
            Column("machine", "machine"),
            Column("bare_tok_per_d", "break-even, hardware alone", "M tok/day", scale=1e-6),
            Column("break_even_tok_per_d", "break-even, all costs", "M tok/day", scale=1e-6),
            Column("own_per_mtok_cny", "cost when bought", f"{self.currency}/Mtok output", scale=self._scale),
        )
        million = self.bare_tok_per_d(1e6 * self.cny_rate)
        rows: list[tuple[Any, ...]] = [(f"each M {self.currency} of hardware", million, None, None)]
        rows += [
            (m.label, self.bare_tok_per_d(m.price_cny), self.break_even_tok_per_d(m), self.owned_per_mtok(m))
            for m in self._by_size()
        ]
        return table("break_even", title, columns, rows)

    def _by_load(self) -> Table:
        names = [(way, m) for m in self.machines for way in ("buy", "rent")]
        columns = [Column("output_tok_per_d", "output tokens per day"), Column("api_cny", "API", scale=self._scale)]
        columns += [Column(f"{way}_{m.device.id}_cny", f"{way} {m.device.id}", scale=self._scale) for way, m in names]
        columns += [Column("cheapest", "cheapest")]
        rows: list[tuple[Any, ...]] = []
        for factor in _LOADS:
            load = self.output_tok_per_d * factor
            costs = {"API": self.api_month_cny(load)}
            for way, m in names:
                count = self.machines_for(m, load)
                parts = self.owned_parts_cny(m, count) if way == "buy" else self.rented_parts_cny(m, count, load)
                costs[f"{way} {m.device.id}"] = sum(parts.values())
            rows.append((load, *costs.values(), min(costs, key=lambda name: costs[name])))
        return table("by_load", f"Cost of a month by load [{self.currency}]", columns, rows, detail=True)

    def _cuts(self) -> Table:
        columns = [
            Column("cut_frac", "API price cut", "% a year", scale=100.0),
            Column("mean_per_mtok_cny", "mean API price", f"{self.currency}/Mtok output", scale=self._scale),
        ]  # fmt: skip
        for m in self.machines:
            name = m.device.id
            columns.append(Column(f"{name}_break_even_tok_per_d", f"{name}: break-even load", "M tok/day", scale=1e-6))
            columns.append(Column(f"{name}_break_even_date", f"{name}: pays back by"))
        rows: list[tuple[Any, ...]] = []
        for cut in _CUTS:
            factor = self.mean_price_factor(cut)
            row: list[Any] = [cut, self.api_cny_per_output_mtok * factor]
            for m in self.machines:
                date = self.break_even_date(m, cut)
                row += [self.break_even_tok_per_d(m, price_factor=factor), "never" if date is None else f"{date:%Y-%m}"]
            rows.append(tuple(row))
        today = f"{self.api_cny_per_output_mtok * self._scale:.3g} {self.currency}/Mtok output, input included"
        return table("price_cuts", f"Sensitivity to API price cuts (today {today})", columns, rows, detail=True)

    def _dominate(self) -> Table:
        columns = (
            Column("assumption", "assumption"), Column("fact", "fact"), Column("low", "low"), Column("high", "high"),
            Column("low_cny", "cost at low", f"{self.currency}/Mtok", scale=self._scale),
            Column("high_cny", "cost at high", f"{self.currency}/Mtok", scale=self._scale),
            Column("swing_cny", "swing", f"{self.currency}/Mtok", scale=self._scale),
        )  # fmt: skip
        rows = [
            (s.name, s.fact, s.low, s.high, s.low_cny, s.high_cny, abs(s.high_cny - s.low_cny)) for s in self.swings
        ]
        title = f"Cost of output on {self.machines[0].device.name} bought, one machine, by assumption"
        return table("assumptions", title, columns, rows, detail=True)

    @property
    def ledger(self) -> Ledger:
        """Return how the figures were made."""
        ledger, facts, on = Ledger(), default_facts(), self.service.on
        for m in self.machines:
            if m.paid.grade == "judgement" and m.paid.source is None:
                low, high = m.paid.low, m.paid.high
                ledger.add(m.paid.id, m.paid.number, "CNY", grade="judgement", source=m.paid.reason, low=low, high=high)
        at_site = [fact for figure, fact in site_facts(self.assumptions.site).items() if figure in {"pue", "build"}]
        paid = (m.paid.id for m in self.machines)
        for fact in (*self.api.facts, *(s.fact for s in self.swings), *at_site, *paid):
            if fact in facts:
                add_fact(ledger, fact, facts, on)
        api = add_api_prices(ledger, self.api, "api")
        for name, count in (("isl", self.service.isl), ("osl", self.service.osl)):
            ledger.add(f"request.{name}", count, "tok", source="asked for, or the default")
        ledger.add("load.cached_frac", self.assumptions.cached_frac, source="asked for, or the default")
        ledger.add("machine.life_y", self.assumptions.life_y, "y", source="asked for, or the fact own_machine.life_y")
        ledger.derive(
            "api.per_output_mtok_cny", OUTPUT_WITH_INPUT, **api, isl="request.isl", osl="request.osl",
            cached_frac="load.cached_frac",
        )  # fmt: skip
        for m in self.machines:
            name = m.device.id
            ledger.add(f"{name}.accelerators", m.accelerators, method="whole servers that hold a replica")
            price = f"{name}.accelerator_price_cny"
            ledger.add(price, m.paid.number, "CNY", method="in yuan at the rate of the day", parents=(m.paid.id,))
            ledger.derive(f"{name}.machine_price_cny", MACHINE_PRICE, price=price, accelerators=f"{name}.accelerators")
            ledger.add(
                f"{name}.output_tok_per_s", m.output_tok_per_s, "tok/s",
                method=f"{m.deployment} at batch {m.point.batch:g}, static point within the limits",
            )  # fmt: skip
            ledger.derive(f"{name}.output_tok_per_d", MACHINE_DAY, rate=f"{name}.output_tok_per_s")
            ledger.derive(
                f"{name}.bare_break_even_tok_per_d", BARE_BREAK_EVEN, price=f"{name}.machine_price_cny",
                life="machine.life_y", output=api["output"],
            )  # fmt: skip
            even = self.break_even_tok_per_d(m)
            if even is not None:
                ledger.add(
                    f"{name}.break_even_tok_per_d", even, "tok/day",
                    method="least load at which machines and staff cost no more than the API, by search",
                    parents=(f"{name}.machine_price_cny", f"{name}.output_tok_per_d", "api.per_output_mtok_cny",
                             *dict.fromkeys(s.fact for s in self.swings), *at_site),
                )  # fmt: skip
        return ledger


def _any_number(way: Way) -> Sentence:
    """Return a way of machines without its number, which is that of one load alone."""
    machine = way.machine.words.split(": ")[0] if way.machine else ""
    return Sentence(f"ways.{way.name}_any", {"machine": machine})


def _iso(date: dt.date | None) -> str | None:
    return None if date is None else date.isoformat()
