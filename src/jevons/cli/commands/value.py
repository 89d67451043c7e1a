"""`jevons value`: what the plan is worth, what the price assumes, and how far a re-rating is explained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.cli.options import AsOf, Json
from jevons.cli.output import Sheet, check_out, csv_text, emit, table, write
from jevons.errors import InfeasibleError
from jevons.units import parse_date

if TYPE_CHECKING:
    from jevons.study import PlanResult
    from jevons.study.plan.group_cash import GroupCash
    from jevons.study.scenario.scenario import Scenario

_BN = 1e9


def run_value(scenario: Path, *, first: str, last: str, as_of: str | None, json: bool, out: Path | None) -> None:
    """Print the value of a plan, what the dated price assumes, and the re-rating between two dates."""
    check_out(out)
    from jevons.cli.scenarios import solve
    from jevons.facts import default_facts
    from jevons.study.chain.accounts import cloud_value_implied_cny
    from jevons.study.plan import valuation
    from jevons.study.plan.group_cash import group_cash
    from jevons.study.plan.tables import statements as books

    dates = parse_date(first, "--from"), parse_date(last, "--to")
    result = solve(scenario, seed=None, as_of=as_of, draws=0)
    facts, loaded, held = default_facts(), result.scenario, result.chain.accounts
    left = cloud_value_implied_cny(held)
    own = result.implied[0]
    found = valuation.explain_rerating(loaded, facts, *dates)
    cash = group_cash(loaded, held)
    value = {
        "scenario": loaded.name, "as_of": loaded.as_of, **result.to_json()["value"],
        "cloud_left_by_price_cny": left,
        "iso_price_by_wacc": valuation.iso_surface(loaded, left, 4 * loaded.finance.base_revenue.value),
        "deliver": [valuation.deliver(loaded, g) for g in _growths(own["growth_frac"])],
        "returns": valuation.returns_on_capital(loaded, held), "wacc_frac": loaded.cost.wacc.value,
        "stories": _tilted(loaded, held.price_per_ads_cny),
        "statements": books.statements_record(held.statements), "funding": books.cash_record(cash),
        "required": valuation.required_of_plan(held),
        "rerating": {
            "from": dates[0], "to": dates[1], "before_usd": found.before_usd, "after_usd": found.after_usd,
            "model_before_usd": found.model_before_usd, "model_after_usd": found.model_after_usd,
            "parts_usd": dict(found.parts_usd), "explained_frac": found.explained_frac,
            "from_cloud_alone": valuation.rise_alone(facts, found.change_usd, dates[1]),
        },
        "narrative": _narrative(valuation.narrative_score(facts)),
    }  # fmt: skip
    if out is not None and out.suffix == ".csv":
        write(out, csv_text({"quarters": books.quarter_records(held.statements, cash)}))
        out = None
    emit(value, _tables(result, value, cash), as_json=json, out=out)


def _tilted(scenario: Scenario, price_cny: float) -> dict[str, Any]:
    """Return the weights of futures, or why no weights explain the price: an answer about the price, not a failure."""
    from jevons.study.plan.valuation import stories

    try:
        found = stories(scenario, price_cny)
    except InfeasibleError as error:
        return {"reason": str(error), "weights": None}
    return {
        "names": found.names, "prior": found.prior, "weights": found.weights,
        "value_per_ads_cny": found.value_per_ads_cny, "tilt_per_cny": found.tilt.tilt_per_cny,
        "relative_entropy_nats": found.tilt.relative_entropy_nats, "prior_value_per_ads_cny": found.prior_value_cny,
        "reason": "",
    }  # fmt: skip


def _growths(implied: float | None) -> list[float]:
    return sorted({0.08, 0.15, 0.25, 0.37, *([round(implied, 4)] if implied is not None else [])})


def _narrative(score: Any) -> dict[str, Any]:
    return {
        "kept": score.keep, "forecasts": score.actual.size, "rmse": score.rmse_narrative,
        "rmse_random_walk": score.rmse_walk, "rmse_walk_with_drift": score.rmse_drift,
    }  # fmt: skip


_IDENTITIES = """\
Free cash flow is EBITA less tax, depreciation added back, less capex; impairment moves no cash but tax. Capex comes a
lead time before its depreciation begins, so the plan costs cash before it costs profit.
"""


def _noted(item: tuple[str, Sequence[str], list[Sequence[Any]]]) -> Sheet:
    """Return a table whose last column is words: they follow the numbers and are aligned left with the first."""
    title, columns, rows = item
    return table(title, columns, rows, text_columns=len(columns))


def _tables(result: PlanResult, value: dict[str, Any], cash: GroupCash) -> Iterator[Sheet | str]:
    from jevons.study.plan.tables import statements as books

    for item in result.table():
        if item[0] == "Value":
            yield table(*item, text_columns=3)
    for item in books.statement_tables(result.chain.accounts.statements, cash):
        yield table(*item)
    yield _IDENTITIES
    yield _noted(books.returns_table(value["returns"], value["wacc_frac"]))
    yield _noted(books.required_table(value["required"]))
    yield from _surface(value)
    rows = [
        (
            f"{100 * d['growth_frac']:.0f} %", f"{d['revenue_cny'] / _BN:,.0f}", f"{d['ebita_cny'] / _BN:,.0f}",
            f"{d['capital_added_cny'] / _BN:,.0f}", f"{d['capital_over_plan']:.1f}",
        )
        for d in value["deliver"]
    ]  # fmt: skip
    now = value["deliver"][0]["revenue_now_cny"] / _BN
    yield table(
        f"What the cloud must be after five years (revenue now {now:,.0f} bn CNY)",
        ("growth a year", "revenue [bn CNY]", "EBITA [bn CNY]", "capital added [bn CNY]", "over the plan's budget"),
        rows,
    )  # fmt: skip
    yield from _stories(value["stories"], value["price_per_ads_cny"])
    yield from _rerating(value["rerating"])
    n = value["narrative"]
    said = "kept: it beats both" if n["kept"] else "dropped: it does not beat both"
    yield (
        f"The narrative layer on all quarterly closes, one quarter ahead ({n['forecasts']} forecasts): RMSE "
        f"{n['rmse']:.3f}, random walk {n['rmse_random_walk']:.3f}, with drift {n['rmse_walk_with_drift']:.3f}; "
        f"{said}.\n"
    )


def _surface(value: dict[str, Any]) -> Iterator[Sheet | str]:
    from jevons.study.plan.tables.summary import growth_word

    def cell(record: dict[str, Any]) -> str:
        return growth_word(record) + ("*" if record["destroys"] else "")

    surface = value["iso_price_by_wacc"]
    found = {(r["margin_frac"], r["capital_per_revenue"], r["wacc_frac"]): r for r in surface}
    waccs = sorted({r["wacc_frac"] for r in surface})
    pairs = list(dict.fromkeys((r["margin_frac"], r["capital_per_revenue"]) for r in surface))
    rows = [
        (
            f"{100 * m:.0f} %", f"{k:.1f}",
            *(cell(found[m, k, w]) for w in waccs),
        )
        for m, k in pairs
    ]  # fmt: skip
    yield table(
        "Iso-price surface: growth of the cloud a year for five years that the price assumes",
        ("EBITA margin", "capital per revenue", *(f"WACC {100 * w:.0f} %" for w in waccs)), rows,
    )  # fmt: skip
    left = value["cloud_left_by_price_cny"] / _BN
    yield (
        f"The price leaves the cloud {left:,.0f} bn CNY after cash, stakes, other lines and businesses. any: worth it "
        "without growth; none: no growth below 100 % a year does; *: the incremental return lies below the WACC, so "
        "growth lowers value.\n"
    )


def _stories(said: dict[str, Any], price: float) -> Iterator[Sheet | str]:
    if said["weights"] is None:
        yield f"Futures within the scenario's ranges: {said['reason']}\n"
        return
    rows = [
        (name, f"{v:,.0f}", f"{100 * p:.0f} %", f"{100 * w:.0f} %", f"{100 * (w - p):+.0f} points")
        for name, v, p, w in zip(
            said["names"], said["value_per_ads_cny"], said["prior"], said["weights"], strict=True
        )
    ]  # fmt: skip
    title = "Futures of the cloud: the scenario's ranges, and nearest to them with the price as mean"
    yield table(title, ("", "mean value [CNY per ADS]", "prior", "with the price", "gained"), rows)
    yield (
        f"Mean before {said['prior_value_per_ads_cny']:,.0f}, price {price:,.0f} CNY per ADS; tilt "
        f"{said['tilt_per_cny']:+.2e} per CNY, {said['relative_entropy_nats']:.3f} nats from the ranges. One price "
        "pins one tilt: other weights with the same mean are further from the ranges, not ruled out.\n"
    )


def _rerating(said: dict[str, Any]) -> Iterator[Sheet | str]:
    change = said["after_usd"] - said["before_usd"]
    rows = [(part, f"{x / _BN:+,.1f}", f"{100 * x / change:+.0f} %") for part, x in said["parts_usd"].items()]
    rows.append(("change", f"{change / _BN:+,.1f}", "+100 %"))
    title = (
        f"Re-rating {said['from']} to {said['to']}: enterprise value {said['before_usd'] / _BN:,.1f} to "
        f"{said['after_usd'] / _BN:,.1f} bn USD (in hindsight: facts of both dates)"
    )
    yield table(title, ("part", "bn USD", "of the change"), rows)
    alone = [
        (
            f"{100 * r['margin_frac']:.0f} %", f"{r['capital_per_revenue']:.1f}", f"{100 * r['roic_frac']:.0f} %",
            r["reason"] if r["growth_frac"] is None else f"{100 * r['growth_frac']:.0f} %",
            "growth lowers value" if r["destroys"] else "",
        )
        for r in said["from_cloud_alone"]
    ]  # fmt: skip
    yield table(
        "Growth of the cloud for five years that would justify the change alone (WACC 10 %, growth for ever 3 %)",
        ("EBITA margin", "capital per revenue", "incremental return", "growth a year", "note"), alone,
    )  # fmt: skip


def value(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (YAML).")],
    first: Annotated[str, typer.Option("--from", help="First date of the re-rating, YYYY-MM-DD.")] = "2024-12-31",
    last: Annotated[str, typer.Option("--to", help="Last date of the re-rating, YYYY-MM-DD.")] = "2025-03-31",
    as_of: AsOf = None,
    json: Json = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file too: .json (all) or .csv (statements by quarter).")
    ] = None,
) -> None:
    """Value the plan against the dated share price: what that price assumes, and how far a re-rating is explained."""
    run_value(scenario, first=first, last=last, as_of=as_of, json=json, out=out)
