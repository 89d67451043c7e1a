"""From a plan to the group's accounts and value, for one set of figures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import InputError
from jevons.expansion import Allocation, BudgetLine, ExpansionPlan, split_value
from jevons.finance import (
    AccountTerms,
    DcfTerms,
    Shortage,
    Statements,
    Valuation,
    base_cloud,
    dcf,
    earned_cur,
    growing_line,
    reverse_dcf,
    statements,
)
from jevons.market import MarketInputs, MarketPath
from jevons.study.chain.budget import released
from jevons.study.chain.contracts import ContractAccount, contract_account
from jevons.study.chain.demand import revenue_price_cur
from jevons.study.chain.planner_inputs import mean_lease_cur_per_w_y
from jevons.study.chain.rents import Rents
from jevons.study.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Statements and value.

    Parameters
    ----------
    statements : Statements
        By quarter.
    valuation : Valuation
        Sum of parts.
    market_value_cur, price_per_share_cur : float
        Shares times the dated price, and that price.
    shortage_frac : (t,)
        Share of AI revenue that a shortage adds: rents and prices above their calm level.
    contracts : ContractAccount, optional
        Customers' contracts; None where there are none.
    """

    statements: Statements
    valuation: Valuation
    market_value_cur: float
    price_per_share_cur: float
    shortage_frac: Array
    contracts: ContractAccount | None = None

    @property
    def plan_value_cur(self) -> float:
        """Value of the AI cloud: its cash flows in the plan, and of what stands at its end and grows on."""
        return self.valuation.ai.total_cur

    @property
    def value_per_share_cur(self) -> float:
        """Equity per share."""
        return self.valuation.per_share_cur


def base_trend_cur(scenario: Scenario, ai_now_cur: float) -> float:
    """Return the trend of the cloud's revenue without AI in the quarter before the start.

    Notes
    -----
    Without a season it is revenue less what AI brings in the first quarter. A season is stated of the quarter before
    the start: what AI had of that one is taken away, and the rest is divided by the quarter's season.
    """
    spec = scenario.finance
    revenue, ai = spec.base_revenue.value, ai_now_cur
    season = 1.0
    if spec.season is not None:
        season = spec.season.factors(scenario.start, 4)[-1]
        ai = scenario.market.ai_revenue_share.value * revenue or ai
    return max(revenue - ai, spec.base_least.value * revenue) / season


def accounts(
    scenario: Scenario, market: MarketPath, plan: ExpansionPlan, scarcity: Array, inputs: MarketInputs,
    rents: Rents | None = None,
) -> Accounts:  # fmt: skip
    """Return statements by quarter and the value of the group.

    Parameters
    ----------
    scenario : Scenario
        Terms of finance.
    market, inputs : MarketPath, MarketInputs
        Posted prices.
    plan : ExpansionPlan
        What is built and served.
    scarcity : (s, t)
        Clearing over posted price.
    rents : Rents, optional
        By chip; what they lie above their calm level ends after the plan.
    """
    spec = scenario.finance
    internal = [segment.internal for segment in scenario.market.segments.values()]
    served = plan.service.served_calls_per_d.sum(axis=2)
    price = revenue_price_cur(scenario, inputs, market, scarcity, served)
    signed = contract_account(scenario, market, served)
    terms = account_terms(scenario, plan, signed)
    # a rush is not in the base
    lasting = served[:, 0] if inputs.use.rush is None else served[:, 0] / inputs.use.rush[:, 0]
    now = float((price[:, 0] * lasting).sum()) * 365.25 / 4
    base = base_cloud(
        base_trend_cur(scenario, now),
        spec.base_growth.value,
        spec.base_margin.value,
        spec.base_capital.value,
        inputs.supply.unit_cost_cur_per_tok.shape[2],
    )
    books = statements(plan, price, internal, terms, base)
    wacc = scenario.cost.wacc.value
    ai = ai_terms(scenario, float(books.own_capital_cur[-1]))
    short = shortage_frac(price * served, plan, scarcity, inputs, rents)
    value = dcf(
        books,
        ai=ai,
        ai_shortage=shortage_of(
            books.ai_revenue_cur,
            books.running_cur + books.write_offs.device_depreciation_cur + books.write_offs.building_depreciation_cur,
            short,
            terms,
        ),
        base=dataclasses.replace(
            ai,
            capital_per_revenue=spec.base_capital.value,
            start_growth_frac=spec.base_growth.value,
            opening_capital_cur=None,
        ),
        rest_cur=growing_line(
            spec.rest_ebita.value,
            growth_frac=spec.rest_growth.value,
            years=round(spec.rest_years.value),
            wacc_frac=wacc,
            tax_frac=spec.tax.value,
            terminal_growth_frac=min(spec.rest_growth.value, spec.terminal_growth.value),
            roic_frac=spec.rest_return.value,
        ),
        net_cash_cur=spec.net_cash.value,
        stakes_cur=spec.stakes.value,
        shares=spec.shares.value,
        lines=_other_lines(scenario),
    )
    return Accounts(
        statements=books,
        valuation=value,
        market_value_cur=spec.shares.value * spec.share_price.value,
        price_per_share_cur=spec.share_price.value,
        shortage_frac=short,
        contracts=signed,
    )


def shortage_frac(
    revenue_cur_per_d: Array, plan: ExpansionPlan, scarcity: Array, inputs: MarketInputs, rents: Rents | None
) -> Array:
    """Return the share of AI revenue that a shortage adds, (t,): rents above calm ones, and prices that ration calls.

    Parameters
    ----------
    revenue_cur_per_d : (s, t)
        By segment.
    plan, rents
        What is let of each chip, and at which rent. A rent below its calm level, in a glut, adds nothing.
    scarcity : (s, t)
        Clearing over posted price of a call.
    """
    above = np.where(inputs.use.counts_tokens[:, None], 1.0 - 1.0 / scarcity, 0.0)
    if rents is not None:
        let_h = plan.service.busy_device_h_per_d[~inputs.use.counts_tokens].sum(axis=(0, 2, 4))
        paid = (let_h * rents.rent_cur_per_h).sum(axis=0)
        more = (let_h * np.maximum(rents.rent_cur_per_h - rents.calm_cur_per_h, 0.0)).sum(axis=0)
        above += np.where(inputs.use.counts_tokens[:, None], 0.0, more / np.maximum(paid, 1e-300))
    whole = revenue_cur_per_d.sum(axis=0)
    return np.asarray((above * revenue_cur_per_d).sum(axis=0) / np.maximum(whole, 1e-300))


def shortage_of(revenue_cur: Array, machines_cur: Array, frac: Array, terms: AccountTerms) -> Shortage:
    """Return revenue above calm prices, and what of it is left as EBITA once overhead has grown into it."""
    calm = revenue_cur * (1.0 - frac)
    earned = earned_cur(revenue_cur, machines_cur, terms)[0] - earned_cur(calm, machines_cur, terms)[0]
    return Shortage(revenue_cur=revenue_cur - calm, ebita_cur=earned)


def ai_terms(scenario: Scenario, closing_cur: float) -> DcfTerms:
    """Return how the AI cloud runs on after the plan, with *closing_cur* of machines and buildings on its books.

    What customers have paid ahead is off it.
    """
    spec = scenario.finance
    return DcfTerms(
        wacc_frac=scenario.cost.wacc.value,
        tax_frac=spec.tax.value,
        terminal_growth_frac=spec.terminal_growth.value,
        terminal_margin_frac=spec.terminal_margin.value,
        fade_y=round(spec.fade_years.value),
        capital_per_revenue=spec.capital_per_revenue.value,
        start_growth_frac=spec.after_growth.value,
        opening_capital_cur=closing_cur,
        shortage_decay_frac=scenario.market.rental_reversion.value,
    )


def account_terms(scenario: Scenario, plan: ExpansionPlan, signed: ContractAccount | None = None) -> AccountTerms:
    """Return lives, tax, overhead, opening costs, leases and contracts of the accounts."""
    spec = scenario.finance
    standing = plan.problem.opening.initial_site_w * plan.problem.power.site_capex_cur_per_w[:, 0]
    return AccountTerms(
        tax_frac=spec.tax.value,
        device_life_y=spec.accounting_life.value,
        building_life_y=spec.building_life.value,
        overhead_frac=spec.overhead.value,
        usual_margin_frac=spec.base_margin.value,
        reinvested_frac=spec.reinvested.value,
        prepaid_frac=spec.prepaid.value,
        initial_cost_cur_per_device=plan.problem.machines.capex_cur_per_device[:, 0],
        opening_building_book_cur=float(standing.sum() * spec.opening_book.value),
        lease_cur_per_w_quarter=np.array([site.lease.value / 4 for site in scenario.hardware.sites.values()]),
        mean_lease_cur_per_w_quarter=mean_lease_cur_per_w_y(scenario) / 4,
        contract_revenue_cur=None if signed is None else signed.revenue_cur.sum(axis=0),
        customer_prepaid_cur=None if signed is None else signed.owed_cur.sum(axis=0),
        customer_prepayment_cur=None if signed is None else (signed.received_cur - signed.used_cur).sum(axis=0),
    )


def _other_lines(scenario: Scenario) -> dict[str, float]:
    allocation = lines_as_planned(scenario)
    if allocation is None:
        return {}
    labels = [spec.label or name for name, spec in scenario.expansion.lines.items()]
    return dict(zip(labels, allocation.value_cur.tolist(), strict=True))


def budget_lines(scenario: Scenario) -> tuple[BudgetLine, ...]:
    """Return the lines beside infrastructure."""
    return tuple(
        BudgetLine(
            name=name,
            first_return_frac=s.first_return.value,
            scale_cur=s.scale.value,
            lag_y=s.lag.value,
            life_y=s.life.value,
        )
        for name, s in scenario.expansion.lines.items()
    )


def lines_as_planned(scenario: Scenario) -> Allocation | None:
    """Return what the lines beside infrastructure take of the budget and are worth; None where there are none.

    Raises
    ------
    InputError
        If they take more than infrastructure leaves.
    """
    specs = scenario.expansion.lines
    if not specs:
        return None
    share = sum(s.share.value for s in specs.values())
    if share > 1 + 1e-9:
        message = (
            f"expansion.lines: shares sum to {share:g}: must not exceed 1, what infrastructure leaves of the budget"
        )
        raise InputError(message)
    left = whole_budget_cur(scenario) * (1.0 - scenario.expansion.ai_share.value)
    spent = np.array([s.share.value * left for s in specs.values()])
    return split_value(budget_lines(scenario), spent, wacc_frac=scenario.cost.wacc.value)


def whole_budget_cur(scenario: Scenario) -> float:
    """Return the present value of the budget's releases, all lines."""
    path = released(scenario)
    return float(path @ (1.0 + scenario.cost.wacc.value) ** -((np.arange(path.size) + 0.5) / 4))


def cloud_value_implied_cur(result: Accounts) -> float:
    """Return what the market price leaves for the whole cloud: equity less cash, stakes, the rest and lines."""
    v = result.valuation
    return result.market_value_cur - v.net_cash_cur - v.stakes_cur - v.rest_cur - v.lines_cur


def implied_growth(scenario: Scenario, result: Accounts) -> list[dict[str, Any]]:
    """Return the iso-price surface of the cloud: growth for five years that the dated price assumes.

    Returns
    -------
    list of dict
        For each margin, capital per revenue: `growth_frac` or None, `roic_frac`, `destroys` (growth lowers value),
        `reason`; the scenario's own margin and capital come first.
    """
    spec, wacc = scenario.finance, scenario.cost.wacc.value
    own = (spec.terminal_margin.value, spec.capital_per_revenue.value)
    grid = [own, *((m, k) for m in (0.10, 0.15, 0.20, 0.25) for k in (0.8, 1.0, 1.5, 2.0))]
    surface = reverse_dcf(
        cloud_value_implied_cur(result),
        revenue_cur=4 * spec.base_revenue.value,
        margin_frac=[m for m, _ in grid],
        capital_per_revenue=[k for _, k in grid],
        wacc_frac=wacc,
        tax_frac=spec.tax.value,
        terminal_growth_frac=spec.terminal_growth.value,
    )
    return [
        {
            "margin_frac": margin,
            "capital_per_revenue": capital,
            "growth_frac": float(surface.growth_frac[i]) if surface.solved[i] else None,
            "roic_frac": float(surface.roic_frac[i]),
            "destroys": bool(surface.growth_destroys_value[i]),
            "reason": str(surface.reason[i]),
        }
        for i, (margin, capital) in enumerate(grid)
    ]
