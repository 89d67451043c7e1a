"""Tables of machines against an API: the same load, parts of a month, rents, break-even, what moves the cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from jevons.results import Column, Table, table
from jevons.sizing.hour_price import in_china
from jevons.sizing.rents import rent_offers
from jevons.sizing.ways import CUTS, ENDS, Machine, Way
from jevons.sizing.ways_cost import LoadCosts
from jevons.units import DAYS_PER_MONTH, format_count

_LOADS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def ways_tables(compared: LoadCosts) -> Iterator[Table]:
    """Yield the tables of a comparison: the same load first, then its parts, rents, machines and what moves them."""
    yield _same_load(compared)
    yield _parts(compared)
    yield _rents(compared)
    yield dataclasses.replace(_machine_table(compared), detail=True)
    yield dataclasses.replace(_break_even(compared), detail=True)
    yield _by_load(compared)
    yield _cuts(compared)
    yield _dominate(compared)


def _same_load(compared: LoadCosts) -> Table:
    load, code = compared.output_tok_per_d, compared.currency.lower()
    limits = f", {compared.service.limits}" if compared.service.limits else ""
    title = (
        f"{compared.model}, {compared.service.isl:,} in, {compared.service.osl:,} out{limits}: "
        f"{format_count(load)} output tokens a day; low, high: 80 % interval"
    )
    columns = (
        Column("way", "way"), Column("machines", "machines"),
        Column("utilisation_frac", "utilisation", "%", scale=100.0),
        Column(f"month_{code}", "cost", f"{compared.currency} per month"),
        *(Column(f"month_{end}_{code}", end, f"{compared.currency} per month") for end in ENDS),
        Column(f"per_mtok_{code}", "cost", f"{compared.currency}/Mtok output"),
        Column("break_even_tok_per_d", "break-even load", "M tok/day", scale=1e-6),
        Column("always_pays_tok_per_d", "always pays above", "M tok/day", scale=1e-6, detail=True),
        Column("break_even_utilisation_frac", "break-even utilisation", "%", scale=100.0, detail=True),
        Column("break_even_date", "pays back by", detail=True),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for way in compared.ways():
        machine, date = way.machine, way.break_even_date
        month = way.month_cny * compared.scale
        ends = (None, None) if way.ends_cny is None else (end * compared.scale for end in way.ends_cny)
        cost = (month, *ends, month / (load * DAYS_PER_MONTH / 1e6))
        if machine is None:
            rows.append((way.name, None, None, *cost, None, None, None, None))
            continue
        rented = way.name == "rent"
        rows.append((
            _label(way), way.machines, way.utilisation_frac or 0.0, *cost,
            way.break_even_tok_per_d, compared.always_pays_tok_per_d(machine, rented=rented),
            compared.break_even_utilisation(machine, rented=rented),
            None if rented else "never" if date is None else f"{date:%Y-%m}",
        ))  # fmt: skip
    return table("ways", title, columns, rows)


def _parts(compared: LoadCosts) -> Table:
    names = ("machines", "rent", "tokens", "power", "site", "maintenance", "staff")
    rows = [(_label(way), *(way.parts_cny.get(name) for name in names)) for way in compared.ways()]
    columns = [Column("way", "way"), *(Column(f"{name}_cny", name, scale=compared.scale) for name in names)]
    return table("parts", f"Cost of a month by part [{compared.currency}]", columns, rows, detail=True)


def _rents(compared: LoadCosts) -> Table:
    """Return the rents on file of the machines' devices."""
    columns = (
        Column("gpu", "device"), Column("provider", "provider"), Column("term", "term"),
        Column("cny_per_h", "rent", f"{compared.currency}/h", scale=compared.scale), Column("since", "since"),
        Column("fact", "fact"),
    )  # fmt: skip
    rows = [
        (m.device.id, offer.provider, offer.term, offer.cny_per_h, offer.since.isoformat(), offer.fact)
        for m in compared.machines
        for offer in rent_offers(m.device, compared.service.on, china=in_china(compared.assumptions.site))
    ]  # fmt: skip
    return table("rents", "Rents on file, those first that count where none is named", columns, rows, detail=True)


def _by_size(compared: LoadCosts) -> list[Machine]:
    """Return the machines and the smallest ones that hold the model, by device and size."""
    smaller = [m for m in compared.smallest if m not in compared.machines]
    return sorted([*smaller, *compared.machines], key=lambda m: (m.device.id, m.accelerators))


def _machine_table(compared: LoadCosts) -> Table:
    columns = (
        Column("machine", "machine"), Column("layout", "layout"),
        Column("price_cny", "price", f"k {compared.currency}", scale=1e-3 * compared.scale),
        Column("maximum_tok_per_d", "maximum load", "M tok/day", scale=1e-6),
        Column("average_tok_per_d", "average load", "M tok/day", scale=1e-6),
    )  # fmt: skip
    rows = [
        (m.label, m.layout_words, m.price_cny, m.output_tok_per_d, compared.carried_tok_per_d(m))
        for m in _by_size(compared)
    ]
    mean = 100 * compared.assumptions.utilisation_frac
    return table("machines", f"One machine: output tokens at full load and at {mean:.0f} % mean use", columns, rows)


def _break_even(compared: LoadCosts) -> Table:
    title = (
        f"Break-even load against the API over {compared.assumptions.life_y:g} years; hardware alone: purchase price "
        "against output tokens, no other cost"
    )
    columns = (
        Column("machine", "machine"),
        Column("bare_tok_per_d", "break-even, hardware alone", "M tok/day", scale=1e-6),
        Column("break_even_tok_per_d", "break-even, all costs", "M tok/day", scale=1e-6),
        Column("own_per_mtok_cny", "cost when bought", f"{compared.currency}/Mtok output", scale=compared.scale),
    )
    million = compared.bare_tok_per_d(1e6 * compared.cny_rate)
    rows: list[tuple[Any, ...]] = [(f"each M {compared.currency} of hardware", million, None, None)]
    rows += [
        (m.label, compared.bare_tok_per_d(m.price_cny), compared.break_even_tok_per_d(m), compared.owned_per_mtok(m))
        for m in _by_size(compared)
    ]
    return table("break_even", title, columns, rows)


def _by_load(compared: LoadCosts) -> Table:
    names = [(way, m) for m in compared.machines for way in ("buy", "rent")]
    columns = [Column("output_tok_per_d", "output tokens per day"), Column("api_cny", "API", scale=compared.scale)]
    columns += [Column(f"{way}_{m.device.id}_cny", f"{way} {m.device.id}", scale=compared.scale) for way, m in names]
    columns += [Column("cheapest", "cheapest")]
    rows: list[tuple[Any, ...]] = []
    for factor in _LOADS:
        load = compared.output_tok_per_d * factor
        costs = {"API": compared.api_month_cny(load)}
        for way, m in names:
            count = compared.machines_for(m, load)
            parts = compared.owned_parts_cny(m, count) if way == "buy" else compared.rented_parts_cny(m, count, load)
            costs[f"{way} {m.device.id}"] = sum(parts.values())
        rows.append((load, *costs.values(), min(costs, key=lambda name: costs[name])))
    return table("by_load", f"Cost of a month by load [{compared.currency}]", columns, rows, detail=True)


def _cuts(compared: LoadCosts) -> Table:
    columns = [
        Column("cut_frac", "API price cut", "% a year", scale=100.0),
        Column("mean_per_mtok_cny", "mean API price", f"{compared.currency}/Mtok output", scale=compared.scale),
    ]  # fmt: skip
    for m in compared.machines:
        name = m.device.id
        columns.append(Column(f"{name}_break_even_tok_per_d", f"{name}: break-even load", "M tok/day", scale=1e-6))
        columns.append(Column(f"{name}_break_even_date", f"{name}: pays back by"))
    rows: list[tuple[Any, ...]] = []
    for cut in CUTS:
        factor = compared.mean_price_factor(cut)
        row: list[Any] = [cut, compared.api_cny_per_output_mtok * factor]
        for m in compared.machines:
            date = compared.break_even_date(m, cut)
            row += [compared.break_even_tok_per_d(m, price_factor=factor), "never" if date is None else f"{date:%Y-%m}"]
        rows.append(tuple(row))
    today = f"{compared.api_cny_per_output_mtok * compared.scale:.3g} {compared.currency}/Mtok output, input included"
    return table("price_cuts", f"Sensitivity to API price cuts (today {today})", columns, rows, detail=True)


def _dominate(compared: LoadCosts) -> Table:
    columns = (
        Column("assumption", "assumption"), Column("fact", "fact"), Column("low", "low"), Column("high", "high"),
        Column("low_cny", "cost at low", f"{compared.currency}/Mtok", scale=compared.scale),
        Column("high_cny", "cost at high", f"{compared.currency}/Mtok", scale=compared.scale),
        Column("swing_cny", "swing", f"{compared.currency}/Mtok", scale=compared.scale),
    )  # fmt: skip
    rows = [
        (s.name, s.fact, s.low, s.high, s.low_cny, s.high_cny, abs(s.high_cny - s.low_cny)) for s in compared.swings
    ]
    title = f"Cost of output on {compared.machines[0].device.name} bought, one machine, by assumption"
    return table("assumptions", title, columns, rows, detail=True)


def _label(way: Way) -> str:
    """Return what a way is called in tables, such as ``rent 8 x h20``."""
    return way.name if way.machine is None else f"{way.name} {way.machine.label}"
