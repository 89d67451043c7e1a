"""What comparing machines with an API returns: costs of the same load, break-even load and date, what dominates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.checks import check, check_finite, check_ordered, check_shares
from jevons.facts import default_facts
from jevons.facts.ledger import add_fact
from jevons.hardware import site_facts
from jevons.provenance import Ledger
from jevons.results import Result, Table
from jevons.sizing.price_estimate import is_estimate, price_estimated
from jevons.sizing.rents import rent_since
from jevons.sizing.ways import CUTS, ENDS, Way
from jevons.sizing.ways_answer import site_notes, ways_sentences
from jevons.sizing.ways_cost import LoadCosts
from jevons.sizing.ways_formulas import (
    BARE_BREAK_EVEN,
    MACHINE_DAY,
    MACHINE_PRICE,
    OUTPUT_WITH_INPUT,
    add_api_prices,
)
from jevons.sizing.ways_tables import ways_tables
from jevons.sizing.what_changes import of_owning, of_ways
from jevons.units import DAYS_PER_MONTH
from jevons.words import Sentence

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison(LoadCosts, Result):
    """Buying, renting and an API for the same load: its costs as a result that prints and saves."""

    kind: ClassVar[str] = "buy_rent_api"
    picture: ClassVar[str] = "break_even"

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
                         **{f"per_month_{end}": month / self.cny_rate for end, month in zip(ENDS, ends, strict=True)},
                         **{f"per_month_cny_{end}": month for end, month in zip(ENDS, ends, strict=True)},
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
                    "input_per_mtok": self.api.input_cny_per_mtok * self.scale,
                    "cached_per_mtok": self.api.cached_cny_per_mtok * self.scale,
                    "output_per_mtok": self.api.output_cny_per_mtok * self.scale, "currency": self.currency},
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
                 "price": m.price_cny * self.scale, "per_output_mtok": self.owned_per_mtok(m) * self.scale,
                 "rent_per_h": None if m.rent_cny_per_h is None else m.rent_cny_per_h * self.scale,
                 "currency": self.currency}
                for m in (*self.machines, *(s for s in self.smallest if s not in self.machines))
            ],
            "bare_break_even_tok_per_d_of_a_million_cny": self.bare_tok_per_d(1e6),
            "price_cuts": [
                {"cut_frac_per_y": cut, "gpu": m.device.id, "mean_price_frac": self.mean_price_factor(cut),
                 "break_even_tok_per_d": self.break_even_tok_per_d(m, price_factor=self.mean_price_factor(cut)),
                 "break_even_date": _iso(self.break_even_date(m, cut))} for m in self.machines for cut in CUTS
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
    def change_parts(self) -> tuple[Sentence, ...]:
        """At which price of the API and of rent another way is cheapest, and the assumption that moves most."""
        ways = [(way, self._spoken(way) if way.machine is None else _any_number(way)) for way in self.ways()]
        machine, load = self.machines[0], self.output_tok_per_d * DAYS_PER_MONTH / 1e6
        owning = of_owning(self.swings, machine.device.id, self.owned_per_mtok(machine), ways[0][0].month_cny / load)
        return (*of_ways(ways), *owning)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """What the API charges, and since when."""
        api = self.api
        prices = {"given": api.input_cny_per_mtok, "cached": api.cached_cny_per_mtok, "output": api.output_cny_per_mtok}
        values = {name: f"{price * self.scale:.3g}" for name, price in prices.items()}
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
                yield price_estimated(m.device, m.paid, 1.0 / self.scale, self.currency)

    def _spoken(self, way: Way) -> Sentence:
        """Return a way as sentences name it."""
        if way.machine is None:
            return Sentence("ways.api")
        number = "machine" if way.machines == 1 else "machines"
        return Sentence(f"ways.{way.name}_{number}", {"count": f"{way.machines}", "machine": way.machine.words})

    def _tables(self) -> Iterator[Table]:
        return ways_tables(self)

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
