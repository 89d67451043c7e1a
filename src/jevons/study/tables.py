"""A plan as printed tables, as JSON, and as a labelled dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.errors import InputError
from jevons.expansion import ExpansionPlan
from jevons.schema import json_text, replacing
from jevons.study import uncertainty
from jevons.study.lines import PlanLines
from jevons.study.market_tables import market_json, rent_table, rival_tables, ways_table
from jevons.study.montecarlo import OUTCOMES, Draws
from jevons.study.rounding import scaled
from jevons.study.schedule import schedule_json, schedule_table
from jevons.study.shadow import scarcity_rent, shadow_json, shadow_table
from jevons.units import format_money

if TYPE_CHECKING:
    import xarray as xr

    from jevons.study.result import PlanResult

Table = tuple[str, Sequence[str], list[Sequence[Any]]]


def plan_tables(result: PlanResult) -> list[Table]:
    """Return the tables that `jevons plan` prints, as (title, columns, rows)."""
    tables = [_fleet(result), _tokens(result), schedule_table(result), _calls(result), _capital(result)]
    if result.chain.inputs.rivals is not None:
        tables[3:3] = rival_tables(result)
    if result.chain.rents is not None:
        tables.insert(-1, rent_table(result))
    if result.chain.ways is not None:
        tables.insert(-1, ways_table(result))
    if result.chain.plan.months is not None:
        tables.append(_months(result, result.chain.plan.months))
    tables += [_binding(result), shadow_table(result), _accounts(result)]
    tables.append(_value(result))
    if result.lines is not None:
        tables.append(_lines(result.lines))
    tables.append(_verdict(result))
    if result.draws is not None:
        tables += [_intervals(result.draws), _sensitivity(result, result.draws)]
    return tables


def _fleet(result: PlanResult) -> Table:
    plan = result.chain.plan

    def row(label: str, values: Any, scale: float = 1e3) -> Sequence[Any]:
        return (label, *(scaled(float(x) / scale) for x in values))

    rows: list[Sequence[Any]] = []
    for index, device in enumerate(plan.problem.devices):
        held = plan.installed[index].sum(axis=0)
        if held.max() > 0.5:
            rows.append(row(result.device_label(device), held))
    rows.append(row("all", plan.installed.sum(axis=(0, 1))))
    rows.append(row("of these for training", plan.training_devices.sum(axis=(0, 1))))
    busy = plan.busy_device_h_per_d.sum(axis=(1, 2, 4)) / 24.0
    rented = result.chain.inputs.model == len(result.models)
    rows.append(row("busy with calls, mean", busy[~rented].sum(axis=0)))
    if rented.any():
        rows.append(row("rented out, mean", busy[rented].sum(axis=0)))
    rows.append(row("ordered", plan.ordered.sum(axis=(0, 1))))
    if plan.retired_early.max() > 0.5:
        rows.append(row("retired before their life ends", plan.retired_early))
    rows.append(row("IT power of all [MW]", plan.it_w, 1e6))
    rows.append(row("site power built [MW]", plan.site_w.sum(axis=0), 1e6))
    rows.append(row("utilisation [%]", plan.utilisation_frac, 0.01))
    return ("Accelerators in service [thousand], power and use", ("", *result.quarters), rows)


def _tokens(result: PlanResult) -> Table:
    rows: list[Sequence[Any]] = []
    tokens = result.tokens_per_d
    for row, segment in enumerate(result.segments):
        if tokens[row].max() > 0:
            rows.append((result.segment_label(segment), *(scaled(n / 1e9) for n in tokens[row])))
    rows.append(("all", *(scaled(n / 1e9) for n in tokens.sum(axis=0))))
    rows.append(("served of what is wanted [%]", *(f"{100 * f:.0f}" for f in _served_share(result))))
    return ("Tokens served a day [billion]", ("segment", *result.quarters), rows)


def _served_share(result: PlanResult) -> Any:
    wanted = result.chain.market.tokens_per_d.sum(axis=0)
    return result.tokens_per_d.sum(axis=0) / np.maximum(wanted, 1e-30)


def _calls(result: PlanResult) -> Table:
    paid = result.chain.market.call_price_cny * result.chain.scarcity
    rows: list[Sequence[Any]] = []
    for row, segment in enumerate(result.segments):
        if result.chain.inputs.model[row] < len(result.models):
            rows.append((result.segment_label(segment), *(scaled(p * 100) for p in paid[row])))
    return ("Price of a call, scarcity in it [CNY cents]", ("segment", *result.quarters), rows)


def _capital(result: PlanResult) -> Table:
    plan = result.chain.plan
    spent = plan.device_capex_cny + plan.site_capex_cny
    to_date = np.cumsum(spent) / np.maximum(np.cumsum(plan.problem.budget_cny), 1e-30)
    rows: list[Sequence[Any]] = [
        ("accelerators and network", *(scaled(x / 1e9) for x in plan.device_capex_cny)),
        ("sites", *(scaled(x / 1e9) for x in plan.site_capex_cny)),
        ("AI budget released", *(scaled(x / 1e9) for x in plan.problem.budget_cny)),
        ("spent of budget to date [%]", *(f"{100 * f:.0f}" for f in to_date)),
    ]
    return ("Capital expenditure against the budget [bn CNY]", ("", *result.quarters), rows)


def _months(result: PlanResult, fine: ExpansionPlan) -> Table:
    months = 3
    rows: list[Sequence[Any]] = []
    for index, device in enumerate(fine.problem.devices):
        ordered = fine.ordered[index].sum(axis=0).reshape(-1, months)
        if ordered.max() > 0.5:
            for m in range(months):
                label = f"{result.device_label(device)}, month {m + 1}"
                rows.append((label, *(scaled(x / 1e3) for x in ordered[:, m])))
    return ("Orders by month of the quarter [thousand]", ("", *result.quarters), rows)


def _binding(result: PlanResult) -> Table:
    """Group neighbouring quarters with the same limits."""
    rows: list[Sequence[Any]] = []
    previous: tuple[str, ...] | None = None
    first = last = ""
    for quarter, names in (*zip(result.quarters, result.chain.plan.binding, strict=True), ("", ("end",))):
        if names != previous:
            if previous is not None:
                rows.append(
                    (
                        first if first == last else f"{first} to {last}",
                        ", ".join(map(result.limit_label, previous)) or "nothing",
                    )
                )
            first, previous = quarter, names
        last = quarter
    return ("What binds, strongest first", ("quarters", "note"), rows)


def _years(result: PlanResult) -> list[tuple[str, list[int]]]:
    years: dict[str, list[int]] = {}
    for index, quarter in enumerate(result.quarters):
        years.setdefault(quarter[:4], []).append(index)
    return list(years.items())


def _accounts(result: PlanResult) -> Table:
    accounts = result.chain.accounts.statements
    lines = (
        ("AI revenue, external", accounts.external_revenue_cny),
        ("AI revenue, internal", accounts.internal_revenue_cny),
        ("depreciation", -accounts.depreciation_cny),
        ("energy", -accounts.energy_cny),
        ("operations", -accounts.fixed_cny),
        ("overhead", -accounts.overhead_cny),
        ("EBITA of AI", accounts.ai_ebita_cny),
        ("EBITA of the other cloud", accounts.base_ebita_cny),
        ("capital expenditure, AI", -accounts.capex_cny),
        ("free cash flow of AI", accounts.ai_fcf_cny),
    )
    years = _years(result)
    rows: list[Sequence[Any]] = [
        (label, *(f"{series[index].sum() / 1e9 + 0.0:,.1f}".replace("-0.0", "0.0") for _, index in years))
        for label, series in lines
    ]
    cloud = accounts.external_revenue_cny + accounts.internal_revenue_cny + accounts.base_revenue_cny
    rows.insert(2, ("other cloud revenue", *(f"{accounts.base_revenue_cny[i].sum() / 1e9:,.1f}" for _, i in years)))
    rows.insert(3, ("cloud revenue", *(f"{cloud[i].sum() / 1e9:,.1f}" for _, i in years)))
    return ("Accounts by calendar year [bn CNY]", ("", *(year for year, _ in years)), rows)


def _value(result: PlanResult) -> Table:
    accounts = result.chain.accounts
    rows: list[Sequence[Any]] = [
        (label, format_money(amount, "CNY"), _value_note(result, label)) for label, amount in accounts.valuation.bridge
    ]
    after = 1 + max((i for i, row in enumerate(rows) if row[0].startswith("AI cloud")), default=-1)
    note = "against ordering nothing, at the same prices"
    rows.insert(after, ("of these what the orders add", format_money(result.orders_value_cny, "CNY"), note))
    rows.append(("value of equity", format_money(accounts.valuation.equity_cny, "CNY"), ""))
    rows.append(("market value", format_money(accounts.market_value_cny, "CNY"), f"on {result.scenario.as_of}"))
    gap = accounts.value_per_ads_cny / accounts.price_per_ads_cny - 1
    drawn = "" if result.draws is None else f"; {uncertainty.interval_text(result.draws, 'value_per_ads_cny')} CNY"
    rows.append(
        (
            "value per ADS",
            format_money(accounts.value_per_ads_cny, "CNY"),
            f"{100 * gap:+.0f} % against the price{drawn}",
        )
    )
    rows.append(("price per ADS", format_money(accounts.price_per_ads_cny, "CNY"), ""))
    rows.append(("cloud growth that the price assumes", *_implied(result)))
    if (draws := result.draws) is not None:
        p = uncertainty.probability_text(draws, "value_created")
        rows.append(("P(value created)", p, f"that the orders are worth more than they cost; {_counted(draws)}"))
    return ("Value", ("", "value", "note"), rows)


def _lines(lines: PlanLines) -> Table:
    def row(label: str, *amounts: float) -> Sequence[Any]:
        return (label, *(f"{x / 1e9:,.1f}" for x in amounts))

    columns = (lines.spent_cny, lines.value_cny, lines.best_spent_cny, lines.best_value_cny)
    rows = [row(label, *(c[i] for c in columns)) for i, label in enumerate(lines.labels)]
    rows.append(row("all lines", *(c.sum() for c in columns)))
    rows.append(("not spent", *(f"{(lines.budget_cny - x) / 1e9:,.1f}" if x is not None else "" for x in (
        columns[0].sum(), None, columns[2].sum(), None
    ))))  # fmt: skip
    heads = ("line", "planned: money", "planned: value added", "best split: money", "best split: value added")
    return ("Budget by line [bn CNY, present value]", heads, rows)


def lines_record(lines: PlanLines | None) -> dict[str, Any] | None:
    """Return money and value by line as plain values."""
    if lines is None:
        return None
    return {
        "budget_cny": lines.budget_cny,
        "total_value_cny": lines.value_cny.sum(),
        "best_total_value_cny": lines.best_value_cny.sum(),
        "lines": {
            name: {
                "label": lines.labels[i], "spent_cny": lines.spent_cny[i], "value_cny": lines.value_cny[i],
                "best_spent_cny": lines.best_spent_cny[i], "best_value_cny": lines.best_value_cny[i],
            }
            for i, name in enumerate(lines.names)
        },
    }  # fmt: skip


def _value_note(result: PlanResult, label: str) -> str:
    ai = result.chain.accounts.valuation.ai
    if label == "AI cloud: cash in the plan":
        return f"{result.quarters[0]} to {result.quarters[-1]}"
    if label == "AI cloud: what then stands":
        return "earning on at the last quarter's pace, replaced, without growth"
    if label == "AI cloud: growth after it":
        word = "destroys" if ai.growth_destroys_value else "creates"
        return f"{word} value: capital added returns {100 * ai.roic_frac:.1f} %, costs {100 * ai.wacc_frac:.1f} %"
    return ""


def _implied(result: PlanResult) -> tuple[str, str]:
    own = result.implied[0]
    margin, capital = 100 * own["margin_frac"], own["capital_per_revenue"]
    word = growth_word(own)
    at = f"at margin {margin:.0f} %, capital {capital:.1f} per revenue"
    said = {"any": "worth it without growth", "none": "no growth below 100 % a year does"}
    return word, f"{said.get(word, 'a year for five years')}, {at}"


def growth_word(record: dict[str, Any]) -> str:
    """Return the growth a year that a price assumes: *any* where it holds without, *none* where no growth gives it."""
    if record["growth_frac"] is not None:
        return f"{100 * record['growth_frac']:.0f} %"
    return "any" if "worth it" in record["reason"] else "none"


def _counted(draws: Draws) -> str:
    held = draws.values.shape[0]
    return f"{held} draws ({draws.infeasible} more without a feasible plan)"


def _verdict(result: PlanResult) -> Table:
    v = result.verdict
    factor = float(v.compute_factor[-1])
    word = "rises" if factor > 1 else "falls"
    rows: list[Sequence[Any]] = [
        (
            "elasticity of tokens to price, first to last",
            f"{v.elasticity[0]:.2f} to {v.elasticity[-1]:.2f}",
            "compute-weighted; adoption at its pace",
        ),
        ("pass-through of efficiency to price", f"{v.pass_through[-1]:.2f}", "last quarter; 1: all of it"),
        ("tokens wanted when efficiency doubles", f"x {v.tokens_factor[-1]:.2f}", "last quarter, supply unlimited"),
        ("compute wanted when efficiency doubles", f"x {factor:.2f}", f"last quarter: compute {word}"),
        (
            "the same once all is passed on and adopted",
            f"x {v.settled_compute_factor:.2f}",
            "all who sell halve prices, all adopt for whom it pays",
        ),
        (
            "compute of the planned fleet, the same",
            f"x {v.planned_compute_factor:.2f}",
            "whole horizon, limits of supply in force",
        ),
        (
            "capital spent, the same",
            "–" if v.planned_capex_factor is None else f"x {v.planned_capex_factor:.2f}",
            "whole horizon",
        ),
        (
            "loop gain, first to last",
            f"{abs(v.loop_gain[0]):.3f} to {v.loop_gain[-1]:.3f}",
            "1: the flywheel runs away",
        ),
    ]
    if result.draws is not None:
        draws = result.draws
        for event, when in (("jevons", "in the plan"), ("jevons_settled", "with time")):
            p = uncertainty.probability_text(draws, event)
            rows.append((f"P(Jevons) {when}", p, f"that compute wanted rises; {_counted(draws)}"))
    return ("The Jevons verdict", ("", "value", "note"), rows)


def _intervals(draws: Draws) -> Table:
    columns = ("outcome", "unit", "10 %", "median", "90 %", "mean")
    return ("Uncertainty over the stated ranges", columns, list(uncertainty.interval_rows(draws)))


def _sensitivity(result: PlanResult, draws: Draws) -> Table:
    """Rank the inputs of each headline; the method is in the title, as the size means nothing without it."""
    rows: list[Sequence[Any]] = []
    for outcome in uncertainty.HEADLINES:
        found = uncertainty.ranked(draws, outcome, 5)
        rows += [
            (OUTCOMES[outcome][1].split(":")[0], result.amount_label(name), f"{size:+.2f}") for name, size in found
        ]
        if not found:
            rows.append((OUTCOMES[outcome][1].split(":")[0], "none stands out of chance", ""))
    least = uncertainty.chance_size(draws)
    title = f"What moves the answer: Spearman's rank correlation over the draws, chance (below {least:.2f}) left out"
    return (title, ("outcome", "input", "rank correlation"), rows)


def plan_json(result: PlanResult) -> dict[str, Any]:
    """Return the plan as plain values; see `docs/reference/plan-json.md` for the fields."""
    plan, market, v = result.chain.plan, result.chain.market, result.verdict
    accounts, held = result.chain.accounts, result.chain.accounts.statements
    problem = plan.problem
    draws = result.draws
    records = [] if draws is None else uncertainty.interval_records(draws)
    return {
        "scenario": result.scenario.name,
        "as_of": result.scenario.as_of,
        "currency": result.scenario.currency,
        "quarters": list(result.quarters),
        "fleet": {
            "devices": {d: plan.installed[i].sum(axis=0) for i, d in enumerate(problem.devices)},
            "ordered": {d: plan.ordered[i].sum(axis=0) for i, d in enumerate(problem.devices)},
            "training_devices": plan.training_devices.sum(axis=(0, 1)),
            "retired_early": plan.retired_early,
            "it_w": plan.it_w,
            "site_w": {s: plan.site_w[i] for i, s in enumerate(problem.sites)},
            "utilisation_frac": plan.utilisation_frac,
        },
        "tokens_per_day": {
            "total": result.tokens_per_d.sum(axis=0),
            "by_segment": {s: result.tokens_per_d[i] for i, s in enumerate(result.segments)},
            "wanted": market.tokens_per_d.sum(axis=0),
        },
        "market": market_json(result),
        "price_per_mtok": {
            m: {kind: market.price_cny_per_tok[i, k] * 1e6 for k, kind in enumerate(("input", "cached", "output"))}
            for i, m in enumerate(result.models)
        },
        "price_schedule": schedule_json(result),
        "price_per_call_cny": {
            s: market.call_price_cny[i] * result.chain.scarcity[i] for i, s in enumerate(result.segments)
        },
        "cost_per_mtok": {
            m: {
                kind: result.chain.inputs.unit_cost_cny_per_tok[i, k] * 1e6
                for k, kind in enumerate(("input", "cached", "output"))
            }
            for i, m in enumerate(result.models)
        },
        "cost_per_device_hour_cny": {d: result.chain.setting.hour_cny[i] for i, d in enumerate(problem.devices)},
        "cash": {
            "budget_cny": problem.budget_cny,
            "capex_cny": held.capex_cny,
            "ai_revenue_external_cny": held.external_revenue_cny,
            "ai_revenue_internal_cny": held.internal_revenue_cny,
            "ai_ebita_cny": held.ai_ebita_cny,
            "base_revenue_cny": held.base_revenue_cny,
            "base_ebita_cny": held.base_ebita_cny,
            "depreciation_cny": held.depreciation_cny,
            "ai_fcf_cny": held.ai_fcf_cny,
            "binding": [list(names) for names in plan.binding],
        },
        "value": {
            "bridge_cny": dict(accounts.valuation.bridge),
            "ai_roic_frac": accounts.valuation.ai.roic_frac,
            "ai_growth_destroys_value": accounts.valuation.ai.growth_destroys_value,
            "equity_cny": accounts.valuation.equity_cny,
            "market_cny": accounts.market_value_cny,
            "per_ads_cny": accounts.value_per_ads_cny,
            "price_per_ads_cny": accounts.price_per_ads_cny,
            "plan_value_cny": accounts.plan_value_cny,
            "orders_value_cny": result.orders_value_cny,
            "implied_cloud_growth_frac": result.implied[0]["growth_frac"],
            "iso_price_surface": result.implied,
        },
        "lines": lines_record(result.lines),
        "jevons": {
            "elasticity": v.elasticity,
            "elasticity_to_efficiency": v.elasticity_to_efficiency,
            "pass_through": v.pass_through,
            "loop_gain": v.loop_gain,
            "tokens_factor": v.tokens_factor,
            "compute_factor": v.compute_factor,
            "compute_rises": v.compute_rises,
            "settled_compute_factor": v.settled_compute_factor,
            "planned_compute_factor": v.planned_compute_factor,
            "planned_tokens_factor": v.planned_tokens_factor,
            "planned_capex_factor": v.planned_capex_factor,
            "segment_compute_factor": {
                s: float(v.segment_compute_factor[i])
                for i, s in enumerate(result.segments)
                if np.isfinite(v.segment_compute_factor[i])
            },
            "probability": None if draws is None else draws.probability("compute_factor", 1.0),
            "probability_settled": None if draws is None else draws.probability("settled_compute_factor", 1.0),
        },
        "probability": None if draws is None else uncertainty.probabilities(draws),
        "uncertainty": {record.pop("outcome"): record for record in records},
        "sensitivity": {}
        if draws is None
        else {name: dict(uncertainty.ranked(draws, name)) for name in uncertainty.HEADLINES},
        "shadow_prices": shadow_json(result),
        "residual": result.chain.residual,
        "gap_frac": result.chain.gap_frac,
        "rounds": result.chain.rounds,
        "draws": 0 if draws is None else int(draws.outcomes["devices"].size),
        "infeasible_draws": 0 if draws is None else draws.infeasible,
        "judgements": [
            {"path": path, "value": value, "low": low, "high": high, "unit": unit, "reason": reason}
            for path, value, low, high, unit, reason in result.judgements
        ],
        "sources": {
            name: dict(zip(("value", "unit", "from", "grade", "source", "url"), row, strict=True))
            for name, row in result.sources.items()
        },
    }


def plan_dataset(result: PlanResult) -> xr.Dataset:
    """Return the path of a plan with named dimensions; units and meanings are in the attributes."""
    import xarray as xr

    plan, market, held = result.chain.plan, result.chain.market, result.chain.accounts.statements
    problem = plan.problem
    kinds = ["input", "cached", "output"]
    models = len(result.models)

    def variable(dims: tuple[str, ...], values: Any, units: str, long_name: str) -> Any:
        return (
            dims,
            np.asarray(values, float),
            {"units": units, "long_name": long_name, "source": result.file or "scenario"},
        )

    return xr.Dataset(
        {
            "installed": variable(("device", "site", "quarter"), plan.installed, "devices", "accelerators in service"),
            "ordered": variable(("device", "site", "quarter"), plan.ordered, "devices", "accelerators ordered"),
            "training": variable(("device", "site", "quarter"), plan.training_devices, "devices", "held for training"),
            "site_w": variable(("site", "quarter"), plan.site_w, "W", "IT power built"),
            "it_w": variable(("quarter",), plan.it_w, "W", "IT power of accelerators"),
            "utilisation_frac": variable(
                ("quarter",), plan.utilisation_frac, "1", "busy share of serving device-hours"
            ),
            "tokens_per_d": variable(("segment", "quarter"), result.tokens_per_d, "tok/day", "tokens served"),
            "tokens_wanted_per_d": variable(("segment", "quarter"), market.tokens_per_d, "tok/day", "tokens wanted"),
            "calls_per_d": variable(
                ("segment", "quarter"), market.calls_per_d * result.served_frac, "1/day", "calls served"
            ),
            "price_cny_per_mtok": variable(
                ("model", "kind", "quarter"), market.price_cny_per_tok[:models] * 1e6, "CNY/Mtok", "posted price"
            ),
            "cost_cny_per_mtok": variable(
                ("model", "kind", "quarter"),
                result.chain.inputs.unit_cost_cny_per_tok[:models] * 1e6,
                "CNY/Mtok",
                "unit cost",
            ),
            "scarcity_rent_cny_per_h": variable(
                ("device", "quarter"), scarcity_rent(result), "CNY/h", "scarcity rent of a device-hour, day's mean"
            ),
            "scarcity": variable(("segment", "quarter"), result.chain.scarcity, "1", "clearing over posted price"),
            "capex_cny": variable(("quarter",), held.capex_cny, "CNY", "AI capital expenditure"),
            "ai_revenue_cny": variable(("quarter",), held.ai_revenue_cny, "CNY", "AI revenue, internal in it"),
            "ai_ebita_cny": variable(("quarter",), held.ai_ebita_cny, "CNY", "EBITA of AI"),
            "ai_fcf_cny": variable(("quarter",), held.ai_fcf_cny, "CNY", "free cash flow of AI"),
            "elasticity": variable(
                ("quarter",), result.verdict.elasticity, "1", "elasticity of tokens to the call price"
            ),
            "loop_gain": variable(("quarter",), result.verdict.loop_gain, "1", "loop gain of the flywheel"),
        },
        coords={
            "quarter": list(result.quarters),
            "device": list(problem.devices),
            "site": list(problem.sites),
            "segment": list(result.segments),
            "model": list(result.models),
            "kind": kinds,
        },
        attrs={
            "title": result.scenario.name,
            "as_of": str(result.scenario.as_of),
            "currency": result.scenario.currency,
            "residual": result.chain.residual,
        },
    )


def save_plan(result: PlanResult, path: Path) -> None:
    """Write a plan as ``.json`` or ``.nc``, whole or not at all."""
    if path.suffix == ".nc":
        encoded = plan_dataset(result).to_netcdf(engine="h5netcdf")
        with replacing(path, "wb") as stream:
            stream.write(bytes(encoded))
    elif path.suffix == ".json":
        with replacing(path) as stream:
            stream.write(json_text(plan_json(result)))
    else:
        message = f"{path}: the ending must be .json, .nc or .html"
        raise InputError(message)
