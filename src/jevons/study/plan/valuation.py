"""What a dated price assumes, what the plan would have to deliver, and how far a re-rating is explained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import FactError, InputError
from jevons.facts import Facts, cny_per
from jevons.finance import (
    NarrativeScore,
    PriceView,
    Rerating,
    ScenarioWeights,
    at_multiple,
    growth_value,
    incremental_roic,
    rerating,
    reverse_dcf,
    scenario_weights,
    score_narrative,
)
from jevons.study.chain.accounts import Accounts, cloud_value_implied_cur, lines_as_planned
from jevons.study.draws.sampling import draw_amounts
from jevons.study.plan.figures import PlanFigures
from jevons.study.scenario.scenario import Scenario

MARGINS = (0.10, 0.15, 0.20, 0.25)
CAPITALS = (0.8, 1.0, 1.5, 2.0)
WACCS = (0.08, 0.10, 0.12)
STORIES = ("fast and earning", "fast, destroying value", "slow and earning", "slow, destroying value")
_STORY_DRAWS = 2000
FEWEST_CLOSES = 12
"""Quarterly closes that the story layer needs to be judged."""


def iso_surface(scenario: Scenario, value_cur: float, revenue_cur: float) -> list[dict[str, Any]]:
    """Return the growth for five years that a value of the cloud assumes, by margin, capital per revenue and WACC."""
    spec = scenario.finance
    m, k, w = (a.ravel() for a in np.meshgrid(MARGINS, CAPITALS, WACCS, indexing="ij"))
    solved = reverse_dcf(
        value_cur, revenue_cur=revenue_cur, margin_frac=m, capital_per_revenue=k, wacc_frac=w, tax_frac=spec.tax.value,
        terminal_growth_frac=spec.terminal_growth.value,
    )  # fmt: skip
    return [
        {
            "margin_frac": float(m[i]), "capital_per_revenue": float(k[i]), "wacc_frac": float(w[i]),
            "growth_frac": float(solved.growth_frac[i]) if solved.solved[i] else None, "reason": str(solved.reason[i]),
            "roic_frac": float(solved.roic_frac[i]), "destroys": bool(solved.growth_destroys_value[i]),
        }
        for i in range(m.size)
    ]  # fmt: skip


def deliver(scenario: Scenario, growth_frac: float, *, years: int = 5) -> dict[str, float]:
    """Return what the cloud would have to be after *years* at a growth, and what that takes.

    Returns
    -------
    dict
        Revenue and EBITA a year, capital added and that capital over the plan's budget.
    """
    spec = scenario.finance
    now = 4 * spec.base_revenue.value
    then = now * (1.0 + growth_frac) ** years
    added = spec.capital_per_revenue.value * (then - now)
    return {
        "growth_frac": growth_frac, "revenue_now": now, "revenue": then,
        "ebita": spec.terminal_margin.value * then, "capital_added": added,
        "capital_over_plan": added / scenario.expansion.budget.value,
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """Four kinds of futures of the cloud within the scenario's ranges, before and after a price is believed.

    Parameters
    ----------
    names : tuple of str
        Growth above or below the ranges' median; incremental return above or below the cost of capital.
    prior, weights : (4,)
        Probability before, and nearest in relative entropy with the price as the mean.
    value_per_share_cur : (4,)
        Mean in each.
    tilt : ScenarioWeights
        Over the draws.
    prior_value_cur : float
        Mean per share before the price is believed.
    """

    names: tuple[str, ...]
    prior: Array
    weights: Array
    value_per_share_cur: Array
    tilt: ScenarioWeights
    prior_value_cur: float


def stories(scenario: Scenario, price_per_share_cur: float, *, draws: int = _STORY_DRAWS) -> Stories:
    """Return how a price tilts the scenario's own ranges; the cloud as one business, growth from `after_growth`.

    Other budget lines count at their central values.

    Raises
    ------
    InfeasibleError
        If the price lies outside all draws.
    """
    names, values = draw_amounts(scenario, draws, scenario.seed)
    drawn = {name: values[:, column] for column, name in enumerate(names)}
    central = scenario.amounts()

    def get(path: str) -> Array:
        return drawn.get(path, np.full(draws, central[path].value))

    wacc, tax = get("cost.wacc"), get("finance.tax")
    forever = np.minimum(get("finance.terminal_growth"), wacc - 0.02)
    margin, capital = get("finance.terminal_margin"), get("finance.capital_per_revenue")
    growth = get("finance.after_growth")
    revenue = 4 * scenario.finance.base_revenue.value
    cloud = np.array(
        [
            float(growth_value(
                growth[i], revenue_cur=revenue, margin_frac=margin[i], capital_per_revenue=capital[i],
                wacc_frac=wacc[i], tax_frac=float(tax[i]), terminal_growth_frac=float(forever[i]),
            ))
            for i in range(draws)
        ]
    )  # fmt: skip
    slow = np.minimum(get("finance.rest_growth"), wacc - 0.02)
    rest_profit = get("finance.rest_ebita") * (1 - tax)
    rest = rest_profit * (1 + slow) * (1 - slow / get("finance.rest_return")) / (wacc - slow) * (1 + wacc) ** 0.5
    others = lines_as_planned(scenario)
    lines = 0.0 if others is None else others.total_value_cur
    equity = cloud + lines + rest + get("finance.net_cash") + get("finance.stakes")
    per_share = equity / get("finance.shares")
    tilt = scenario_weights(per_share, np.full(draws, 1.0 / draws), price_per_share_cur)
    fast = growth > np.median(growth)
    earning = incremental_roic(margin, tax, capital) > wacc
    groups = [fast & earning, fast & ~earning, ~fast & earning, ~fast & ~earning]
    return Stories(
        names=STORIES,
        prior=np.array([g.mean() for g in groups]),
        weights=np.array([tilt.weights[g].sum() for g in groups]),
        value_per_share_cur=np.array([per_share[g].mean() if g.any() else 0.0 for g in groups]),
        tilt=tilt,
        prior_value_cur=float(per_share.mean()),
    )


def required_of_plan(accounts: Accounts) -> dict[str, Any]:
    """Return what the dated price asks of the plan, beside what it is planned to be worth; all at present value.

    Returns
    -------
    dict
        `cloud_left_cur`, what the price leaves for the whole cloud; `base_value_cur`, of it the cloud without the plan;
        `plan_needed_cur`, the difference; `cash_cur`, the plan's cash in its quarters; `after_needed_cur`, what follows
        them must then be worth; `after_share_frac`, that over what follows as planned, None where that is not positive.
        `cloud_value_cur`, `plan_value_cur` and `after_value_cur` are as planned.
    """
    ai, base = accounts.valuation.ai, accounts.valuation.base
    left = cloud_value_implied_cur(accounts)
    needed = left - base.total_cur
    after, planned = needed - ai.explicit_cur, ai.total_cur - ai.explicit_cur
    return {
        "cloud_left": left, "cloud_value": ai.total_cur + base.total_cur, "base_value": base.total_cur,
        "plan_needed": needed, "plan_value": ai.total_cur, "cash": ai.explicit_cur,
        "after_needed": after, "after_value": planned,
        "after_share_frac": after / planned if planned > 0 else None,
    }  # fmt: skip


def returns_on_capital(scenario: Scenario, accounts: Accounts) -> list[dict[str, Any]]:
    """Return what the AI cloud's capital earns in each calendar year of the plan, and when mature.

    Returns
    -------
    list of dict
        `period`; `capital_cur`, book value at its end; `nopat_cur`, EBITA less impairment after tax, at a year's pace;
        `roic_frac`, the one over the mean of opening and closing capital; `added_roic_frac`, the change of NOPAT over
        the change of opening capital since the year before, None in the first and where no capital was added.
    """
    books, spec = accounts.statements, scenario.finance
    closing = books.balance.device_closing_cur + books.balance.building_closing_cur
    opening = books.balance.device_opening_cur + books.balance.building_opening_cur
    nopat = books.earnings.ai_ebita_cur - books.write_offs.impairment_cur - books.earnings.ai_tax_cur
    years: dict[str, list[int]] = {}
    for index, quarter in enumerate(books.quarters):
        years.setdefault(quarter[:4], []).append(index)
    rows: list[dict[str, Any]] = []
    for year, within in years.items():
        first, last = float(opening[within[0]]), float(closing[within[-1]])
        profit = float(nopat[within].sum()) * 4 / len(within)
        added = None
        if rows and first > rows[-1]["opening"]:
            added = (profit - rows[-1]["nopat"]) / (first - rows[-1]["opening"])
        mean = (first + last) / 2
        rows.append(
            {
                "period": year, "opening": first, "capital": last, "nopat": profit,
                "roic_frac": profit / mean if mean > 0 else None, "added_roic_frac": added,
            }
        )  # fmt: skip
    mature = float(incremental_roic(spec.terminal_margin.value, spec.tax.value, spec.capital_per_revenue.value))
    rows.append(
        {
            "period": "mature", "opening": None, "capital": None, "nopat": None, "roic_frac": mature,
            "added_roic_frac": mature,
        }
    )  # fmt: skip
    return rows


def price_date(scenario: Scenario, facts: Facts) -> dt.date:
    """Return the day whose price the scenario takes: of the fact that it refers to, else the scenario's date."""
    origin = scenario.finance.share_price.origin
    return facts.get(origin, scenario.as_of).start if origin in facts else scenario.as_of


def fair_multiple(plan: PlanFigures, multiple: float, earnings_cur: float | None) -> dict[str, Any]:
    """Return what a share would stand at if a multiple of its earnings were fair.

    Returns
    -------
    dict
        `multiple`, `multiple_now`, `earnings_per_share` [currency a year] with their `basis`, `price_per_share` at that
        multiple, and `change_frac` from the price now.

    Raises
    ------
    InputError
        If earnings are not positive.
    """
    scenario, price = plan.scenario, plan.chain.accounts.price_per_share_cur
    trailing = f"{scenario.firm.facts}.group.pe_trailing"
    if earnings_cur is not None:
        earnings, basis = earnings_cur, "as given"
    elif trailing in plan.facts and scenario.firm.facts:
        earnings, basis = price / plan.facts.get(trailing, scenario.as_of).number, f"fact {trailing}"
    else:
        spec = scenario.finance
        cloud = 4 * spec.base_revenue.value * spec.base_margin.value
        earnings = (spec.rest_ebita.value + cloud) * (1 - spec.tax.value) / spec.shares.value
        basis = "EBITA of the scenario after tax"
    if not earnings > 0:
        stated = f"earnings are {earnings:,.2f} a share ({basis})"
        why = "a loss has no multiple" if earnings < 0 else "the file states no finance.base_margin or rest_ebita"
        message = f"--multiple {multiple:g}: {stated}, and {why}; give --earnings"
        raise InputError(message)
    at = at_multiple(price, price / earnings, multiple)
    return {
        "multiple": multiple, "multiple_now": price / earnings, "earnings_per_share": earnings, "basis": basis,
        "price_per_share": at.fair_price, "change_frac": at.change_frac,
    }  # fmt: skip


def dated(facts: Facts, fact_id: str, on: dt.date, *, published: bool) -> float:
    """Return the value of a fact that was public on a date, or (not *published*) that describes exactly that date.

    Raises
    ------
    FactError
        If there is none; it names the dates there are.
    """
    if published:
        return facts.get(fact_id, on).number
    for value in facts.series(fact_id):
        if value.start == on:
            return value.number
    known = ", ".join(str(value.start) for value in facts.series(fact_id)[-6:])
    message = f"fact `{fact_id}` has no value of {on}; the last there are: {known}"
    raise FactError(message)


def check_ends(facts: Facts, firm: str, first: dt.date, last: dt.date) -> None:
    """Refuse ends of a re-rating without an enterprise value and a yield on file, or that are not in order.

    Raises
    ------
    InputError
        Naming the end, the dates there are, the nearest of them, and the file that would do instead.
    """
    values = {value.start for value in facts.series(f"{firm}.group.enterprise_value_usd")}
    both = sorted(values & {value.start for value in facts.series("rates.us_10y_frac")})
    if not first < last:
        message = f"--from {first} --to {last}: the first date must come before the last"
        raise InputError(message)
    for name, day in (("from", first), ("to", last)):
        if day in both:
            continue
        if not both:
            message = f"--{name} {day}: no enterprise value is on file; give --prices FILE.csv with date and price"
            raise InputError(message)
        near = min(both, key=lambda known: abs((known - day).days))
        message = (
            f"--{name} {day}: no enterprise value is on file for that day; give --{name} {near}, the nearest (of "
            f"{', '.join(map(str, both))}), or --prices FILE.csv with a line for {day}"
        )
        raise InputError(message)


def price_view(scenario: Scenario, facts: Facts, on: dt.date, rate_base_frac: float) -> PriceView:
    """Return what could be read on a date: results published by then, the day's rates.

    The cost of capital is the scenario's, moved by the change of the ten-year yield from *rate_base_frac*. Earnings are
    the scenario's for the rest of the group, moved by what quarters reported by then show against the year before.
    """
    firm, code = scenario.firm.facts, scenario.currency.lower()
    growths = facts.series(f"{firm}.group.ebita_growth_frac", on)
    quarters = {value.start: value.number for value in facts.series(f"{firm}.group.ebita_quarter_{code}", on)}
    gain = sum(quarters[g.start] * g.number / (1.0 + g.number) for g in growths if g.start in quarters)
    revenue = [v.number for v in facts.series(f"{firm}.cloud.revenue_quarter_{code}", on)][-1]
    rate = dated(facts, "rates.us_10y_frac", on, published=False)
    return PriceView(
        earnings_cur=scenario.finance.rest_ebita.value + gain,
        cloud_revenue_cur=4 * revenue,
        growth_frac=facts.get(f"{firm}.cloud.revenue_growth_frac", on).number,
        wacc_frac=scenario.cost.wacc.value + rate - rate_base_frac,
        rate=per_usd(scenario, facts, on),
    )


def explain_rerating(scenario: Scenario, facts: Facts, first: dt.date, last: dt.date) -> Rerating:
    """Return how far the change of enterprise value between two dates is explained.

    Raises
    ------
    InputError
        If no enterprise value or rate is known for a date, or the dates are not in order.
    """
    check_ends(facts, scenario.firm.facts, first, last)
    ends = [
        dated(facts, f"{scenario.firm.facts}.group.enterprise_value_usd", on, published=False) for on in (first, last)
    ]
    base = dated(facts, "rates.us_10y_frac", first, published=False)
    views = [price_view(scenario, facts, on, base) for on in (first, last)]
    return rerated(scenario, ends, views)


def rerated(scenario: Scenario, ends: Sequence[float], views: Sequence[PriceView]) -> Rerating:
    """Return the re-rating between two dates: enterprise values in USD, and what was seen at each."""
    spec = scenario.finance
    return rerating(
        ends[0], ends[1], views[0], views[1], margin_frac=spec.terminal_margin.value,
        capital_per_revenue=spec.capital_per_revenue.value, tax_frac=spec.tax.value,
        terminal_growth_frac=spec.terminal_growth.value, rest_growth_frac=spec.rest_growth.value,
        rest_return_frac=spec.rest_return.value,
    )  # fmt: skip


def per_usd(scenario: Scenario, facts: Facts, on: dt.date) -> float:
    """Return units of the scenario's currency for a dollar on a date."""
    if scenario.currency == "USD":
        return 1.0
    return cny_per(facts, "USD", on) / cny_per(facts, scenario.currency, on)


def _of_year(facts: Facts, fact_id: str, on: dt.date) -> float:
    """Return the value of the last year that ends by a date, published then or later."""
    values = facts.series(fact_id)
    return next((value.number for value in reversed(values) if value.start <= on), values[0].number)


def range_of(facts: Facts, fact_id: str) -> tuple[float, float, float]:
    """Return the least, the likely and the largest value of a judgement."""
    fact = facts.get(fact_id)
    return fact.number if fact.low is None else fact.low, fact.number, fact.number if fact.high is None else fact.high


def rise_alone(scenario: Scenario, facts: Facts, change: float, on: dt.date) -> list[dict[str, Any]]:
    """Return the growth of the cloud that would justify a change of value alone.

    The change comes on top of the cloud's profit of the fiscal year of that date for ever. Cost of capital, tax and
    lasting growth are the facts ``assumption.rerating_*``; margin and capital per revenue run over their ranges.
    """
    wacc, tax, lasting = (facts.get(f"assumption.rerating_{name}_frac").number for name in ("wacc", "tax", "growth"))
    margins = range_of(facts, "assumption.rerating_margin_frac")
    least, _, most = range_of(facts, "assumption.rerating_capital_per_revenue")
    firm, code = scenario.firm.facts, scenario.currency.lower()
    revenue = _of_year(facts, f"{firm}.cloud.revenue_year_{code}", on)
    rate = per_usd(scenario, facts, on)
    margin = _of_year(facts, f"{firm}.cloud.ebita_margin_year_frac", on)
    standing = revenue * margin * (1 - tax) / wacc
    m, k = (a.ravel() for a in np.meshgrid(margins, (least, most), indexing="ij"))
    solved = reverse_dcf(
        change * rate + standing, revenue_cur=revenue, margin_frac=m, capital_per_revenue=k, wacc_frac=wacc,
        tax_frac=tax, terminal_growth_frac=lasting,
    )  # fmt: skip
    return [
        {
            "margin_frac": float(m[i]), "capital_per_revenue": float(k[i]), "reason": str(solved.reason[i]),
            "growth_frac": float(solved.growth_frac[i]) if solved.solved[i] else None,
            "roic_frac": float(solved.roic_frac[i]), "destroys": bool(solved.growth_destroys_value[i]),
        }
        for i in range(m.size)
    ]  # fmt: skip


def narrative_score(scenario: Scenario, facts: Facts) -> NarrativeScore | None:
    """Return the story layer's score on all quarterly closes of the share, in hindsight; None without enough closes."""
    closes = [value.number for value in facts.series(closes_of(scenario))]
    return score_narrative(closes) if len(closes) >= FEWEST_CLOSES else None


def closes_of(scenario: Scenario) -> str:
    """Return the fact that holds quarterly closes of the firm's share."""
    return f"{scenario.firm.facts}.group.{scenario.firm.share.lower()}_price_adjusted_usd"


def rerating_facts(scenario: Scenario) -> tuple[str, ...]:
    """Return the facts without which no re-rating of the firm can be taken apart."""
    firm, code = scenario.firm.facts, scenario.currency.lower()
    return (
        f"{firm}.group.enterprise_value_usd", f"{firm}.group.ebita_growth_frac", f"{firm}.group.ebita_quarter_{code}",
        f"{firm}.cloud.revenue_quarter_{code}", f"{firm}.cloud.revenue_growth_frac",
        f"{firm}.cloud.revenue_year_{code}", f"{firm}.cloud.ebita_margin_year_frac", closes_of(scenario),
    )  # fmt: skip
