"""From a plan to statements, and from statements to a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.expansion import DAYS_PER_QUARTER, ExpansionPlan
from jevons.finance.books import building_books, device_books
from jevons.finance.formulas import discount_factors, incremental_roic, terminal_value
from jevons.finance.types import (
    AccountTerms,
    BalanceSheet,
    BaseCloud,
    BaseLines,
    CashFlows,
    DcfTerms,
    Earnings,
    LineValue,
    Revenue,
    RunningCosts,
    Shortage,
    Statements,
    Valuation,
    WriteOffs,
)


def base_cloud(
    revenue_quarter_cur: float, growth_frac: float, margin_frac: float, capital_per_revenue: float, quarters: int
) -> BaseCloud:
    """Return the cloud without the plan, growing at one rate.

    Parameters
    ----------
    revenue_quarter_cur : float
        Revenue of the quarter before the first, > 0.
    growth_frac : float
        Growth a year, > -1.
    margin_frac : float
        EBITA over revenue.
    capital_per_revenue : float
        Capital per unit of currency of added yearly revenue, >= 0.
    quarters : int
        Number of quarters.
    """
    revenue = revenue_quarter_cur * (1.0 + growth_frac) ** (np.arange(quarters + 1) / 4)
    return BaseCloud(revenue[1:], margin_frac * revenue[1:], capital_per_revenue * 4.0 * np.diff(revenue))


def statements(
    plan: ExpansionPlan,
    price_cur_per_call: Array,
    internal: Sequence[bool] | NDArray[np.bool_],
    terms: AccountTerms,
    base: BaseCloud | None = None,
) -> Statements:
    """Return the accounts of a plan by quarter.

    Parameters
    ----------
    plan : ExpansionPlan
        What is built and served.
    price_cur_per_call : (s, t)
        What callers pay on average for a call that is served.
    internal : (s,) of bool
        Segments that are the firm's own businesses.
    terms : AccountTerms
        Lives, tax, overhead.
    base : BaseCloud, optional
        The cloud without the plan; none where not given.

    Raises
    ------
    InputError
        If shapes do not fit the plan, or a life, share or price is out of range.
    """
    p = plan.problem
    quarters = len(p.quarters)
    base = base or BaseCloud(np.zeros(quarters), np.zeros(quarters), np.zeros(quarters))
    inside = np.asarray(internal, bool)
    _check(plan, price_cur_per_call, inside, terms, base)
    revenue = price_cur_per_call * plan.service.served_calls_per_d.sum(axis=2) * DAYS_PER_QUARTER
    external, own = revenue[~inside].sum(axis=0), revenue[inside].sum(axis=0)
    energy = _energy_cur(plan)
    fixed, lease = _fixed_and_lease_cur(plan, terms)
    devices = device_books(plan, price_cur_per_call, terms)
    building_depreciation, building_closing = building_books(plan, terms)
    depreciation, closing = devices.depreciation_cur.sum(axis=0), devices.closing_cur.sum(axis=0)
    machines = energy + fixed + lease + depreciation + building_depreciation
    ai_ebita, overhead = earned_cur(external + own, machines, terms)
    ai_tax = terms.tax_frac * (ai_ebita - devices.impairment_cur)
    base_tax = terms.tax_frac * base.ebita_cur
    base_fcf = base.ebita_cur - base_tax - base.investment_cur
    nothing = np.zeros(quarters)
    return Statements(
        quarters=p.quarters,
        vintages=devices.vintages,
        revenue=Revenue(
            external_revenue_cur=external,
            internal_revenue_cur=own,
            contract_revenue_cur=nothing if terms.contract_revenue_cur is None else terms.contract_revenue_cur,
        ),
        costs=RunningCosts(energy_cur=energy, fixed_cur=fixed, lease_cur=lease, overhead_cur=overhead),
        write_offs=WriteOffs(
            device_depreciation_cur=depreciation,
            building_depreciation_cur=building_depreciation,
            vintage_depreciation_cur=devices.depreciation_cur,
            impairment_cur=devices.impairment_cur,
        ),
        earnings=Earnings(
            ai_ebita_cur=ai_ebita, ebita_cur=ai_ebita + base.ebita_cur, ai_tax_cur=ai_tax, tax_cur=ai_tax + base_tax
        ),
        base=BaseLines(
            base_revenue_cur=base.revenue_cur,
            base_ebita_cur=base.ebita_cur,
            base_investment_cur=base.investment_cur,
            base_fcf_cur=base_fcf,
        ),
        cash=_cash_flows(plan, terms, ai_ebita - ai_tax + depreciation + building_depreciation, base_fcf),
        balance=BalanceSheet(
            vintage_closing_cur=devices.closing_cur,
            customer_prepaid_closing_cur=nothing if terms.customer_prepaid_cur is None else terms.customer_prepaid_cur,
            under_way_cur=_under_way(plan) + _paid_ahead_cur(plan, terms),
            device_opening_cur=np.concatenate([[devices.opening_cur], closing[:-1]]),
            device_closing_cur=closing,
            building_opening_cur=np.concatenate([[terms.opening_building_book_cur], building_closing[:-1]]),
            building_closing_cur=building_closing,
        ),
    )


def _energy_cur(plan: ExpansionPlan) -> Array:
    """Return what the hours of a quarter take in energy, those of training in them, (t,)."""
    machines = plan.problem.machines
    training_h = 24.0 * machines.availability_frac * plan.fleet.training_devices
    hours = plan.service.busy_device_h_per_d.sum(axis=(0, 4)) + training_h
    return np.asarray(np.einsum("vrt,vrt->t", hours, machines.energy_cur_per_device_h) * DAYS_PER_QUARTER)


def _fixed_and_lease_cur(plan: ExpansionPlan, terms: AccountTerms) -> tuple[Array, Array]:
    """Return what installed devices cost whether they work or not, and the lease of leased sites, (t,) each."""
    machines, installed = plan.problem.machines, plan.fleet.installed
    fixed = np.asarray(np.einsum("vt,vrt->t", machines.fixed_cur_per_device_quarter, installed))
    if terms.lease_cur_per_w_quarter is None:
        return fixed, np.zeros(fixed.size)
    site_w = np.einsum("v,vrt->rt", machines.device_w, installed)
    # the planner's fixed cost of a device has the mean lease of all sites; the accounts have each site's own
    return fixed - terms.mean_lease_cur_per_w_quarter * site_w.sum(axis=0), np.asarray(
        terms.lease_cur_per_w_quarter @ site_w
    )


def _paid_ahead_cur(plan: ExpansionPlan, terms: AccountTerms) -> Array:
    """Return what stands paid for the devices of the next quarter, (t,); the last quarter's for those after."""
    capex = plan.spending.device_capex_cur
    return np.asarray(terms.prepaid_frac * np.append(capex[1:], capex[-1]))


def _cash_flows(plan: ExpansionPlan, terms: AccountTerms, earned: Array, base_fcf: Array) -> CashFlows:
    """Return the cash of the AI cloud, whose earnings before write-offs and after tax are *earned*, and the group's."""
    spending = plan.spending
    capex = spending.device_capex_cur + spending.site_capex_cur
    prepayment = _paid_ahead_cur(plan, terms) - terms.prepaid_frac * spending.device_capex_cur
    from_customers = terms.customer_prepayment_cur
    if from_customers is None:
        from_customers = np.zeros(capex.size)
    ai_fcf = earned - capex - prepayment + from_customers
    return CashFlows(
        device_capex_cur=spending.device_capex_cur,
        site_capex_cur=spending.site_capex_cur,
        prepayment_cur=prepayment,
        customer_prepayment_cur=from_customers,
        ai_fcf_cur=ai_fcf,
        fcf_cur=ai_fcf + base_fcf,
        cumulative_cash_cur=np.cumsum(ai_fcf + base_fcf),
    )


def earned_cur(revenue_cur: Array, machines_cur: Array, terms: AccountTerms) -> tuple[Array, Array]:
    """Return EBITA and overhead, (t,), of revenue and what machines cost: energy, operation, depreciation.

    Staff, prices and research grow into what is earned above the usual margin.
    """
    usual = terms.overhead_frac * revenue_cur
    before = revenue_cur - machines_cur - usual
    reinvested = terms.reinvested_frac * np.maximum(before - terms.usual_margin_frac * revenue_cur, 0.0)
    return before - reinvested, usual + reinvested


def _under_way(plan: ExpansionPlan) -> Array:
    """Return what was paid for devices that are not in service at the end of a quarter, (t,)."""
    machines = plan.problem.machines
    paid = (plan.fleet.ordered.sum(axis=1) * machines.capex_cur_per_device).cumsum(axis=1)
    serves = np.zeros_like(paid)
    for kind, lead in enumerate(machines.lead_quarters.tolist()):
        serves[kind, lead:] = paid[kind, : max(paid.shape[1] - lead, 0)]
    return np.asarray((paid - serves).sum(axis=0))


def _check(plan: ExpansionPlan, price: Array, inside: NDArray[np.bool_], terms: AccountTerms, base: BaseCloud) -> None:
    segments, quarters = len(plan.problem.segments), len(plan.problem.quarters)
    faults = []
    if price.shape != (segments, quarters) or not (np.isfinite(price) & (price >= 0)).all():
        faults.append(Fault(message=f"must be ({segments}, {quarters}) finite prices >= 0", path="price_cur_per_call"))
    if inside.shape != (segments,):
        faults.append(Fault(message=f"shape {inside.shape}: must be ({segments},)", path="internal"))
    for name, least, most in (
        ("tax_frac", 0, 1),
        ("overhead_frac", 0, 1),
        ("reinvested_frac", 0, 1),
        ("prepaid_frac", 0, 1),
        ("opening_building_book_cur", 0, np.inf),
    ):
        number = getattr(terms, name)
        if not least <= number <= most:
            faults.append(Fault(message=f"{number:g}: must be in {least:g}..{most:g}", path=name))
    for name in ("device_life_y", "building_life_y"):
        number = getattr(terms, name)
        if not 0 < number < np.inf:
            faults.append(Fault(message=f"{number:g}: must be positive", path=name))
    cost = terms.initial_cost_cur_per_device
    if cost is not None and (cost.shape != (len(plan.problem.devices),) or not (np.isfinite(cost) & (cost >= 0)).all()):
        faults.append(Fault(message="must be one finite cost >= 0 per device", path="initial_cost_cur_per_device"))
    for field in dataclasses.fields(base):
        array = getattr(base, field.name)
        if array.shape != (quarters,) or not np.isfinite(array).all():
            faults.append(Fault(message=f"must be {quarters} finite amounts", path=f"base.{field.name}"))
    if faults:
        raise InputError(faults)


_FIRST_YEAR = 0.625
"""Years from the middle of the last quarter to the middle of the first year after it."""


def line_value(
    revenue_cur: Array, ebita_cur: Array, fcf_cur: Array, terms: DcfTerms, shortage: Shortage | None = None
) -> LineValue:
    """Return the present value of a business from its explicit quarters and how it runs on.

    Parameters
    ----------
    revenue_cur, ebita_cur, fcf_cur : (t,)
        By quarter; the margin of the last year is that of the last four, or of all where there are fewer.
    terms : DcfTerms
        Cost of capital, fade and what follows.
    shortage : Shortage, optional
        The part of revenue and EBITA that a shortage adds. What runs on is the rest; the last quarter's shortage fades
        by `shortage_decay_frac` a year and ends with the fade.

    Returns
    -------
    LineValue
        Flows fall in the middle of their quarter or year. The fade starts from the pace of the last quarter; growth,
        margin and capital per revenue reach their terminal values in its last year, and ``FCF = NOPAT - added capital``
        counts the capital that stands already; after it, the value driver formula. What sells nothing in the last
        quarter has nothing to run on from: it is worth its flows.

    Raises
    ------
    InputError
        If there are fewer than eight quarters where the starting growth is to be measured, or the cost of capital does
        not exceed growth for ever.
    """
    quarters = revenue_cur.size
    if not quarters or (quarters < 8 and terms.start_growth_frac is None):
        message = f"growth is measured over 8 quarters and there are {quarters}; give `start_growth_frac` for fewer"
        raise InputError(message)
    explicit = float(fcf_cur @ discount_factors(terms.wacc_frac, quarters))
    if not revenue_cur[-1] > 0:
        return LineValue(
            explicit_cur=explicit,
            fade_cur=0.0,
            terminal_cur=0.0,
            standing_cur=0.0,
            roic_frac=_mature_roic(terms),
            wacc_frac=terms.wacc_frac,
        )
    none = np.zeros_like(revenue_cur)
    short = Shortage(revenue_cur=none, ebita_cur=none) if shortage is None else shortage
    calm = revenue_cur - short.revenue_cur
    margin = float((ebita_cur - short.ebita_cur)[-4:].sum()) / float(calm[-4:].sum())
    growth = terms.start_growth_frac
    if growth is None:
        before = float(revenue_cur[-8:-4].sum())
        growth = float(revenue_cur[-4:].sum()) / before - 1.0 if before > 0 else terms.terminal_growth_frac
    pace = 4.0 * float(calm[-1])
    fade, after = _run_on(pace, margin, growth, terms.terminal_growth_frac, quarters / 4, terms)
    passing = _passing_cur(4.0 * float(short.ebita_cur[-1]), quarters / 4, terms)
    fade += passing
    standing = sum(_run_on(pace, margin, 0.0, 0.0, quarters / 4, terms)) + passing
    roic = _mature_roic(terms)
    return LineValue(
        explicit_cur=explicit,
        fade_cur=fade,
        terminal_cur=after,
        standing_cur=standing,
        roic_frac=roic,
        wacc_frac=terms.wacc_frac,
    )


def _passing_cur(ebita_y_cur: float, begin_y: float, terms: DcfTerms) -> float:
    """Return the present value, after tax, of what a shortage earns in the years of the fade."""
    years = np.arange(1, terms.fade_y + 1) - 0.5
    left = (1.0 - terms.shortage_decay_frac) ** years * (1.0 + terms.wacc_frac) ** -(begin_y + years)
    return float(ebita_y_cur * (1.0 - terms.tax_frac) * left.sum())


def _mature_roic(terms: DcfTerms) -> float:
    k = terms.capital_per_revenue
    return float(incremental_roic(terms.terminal_margin_frac, terms.tax_frac, k)) if k > 0 else float("inf")


def _run_on(
    pace_cur: float, margin: float, growth: float, forever: float, begin_y: float, terms: DcfTerms
) -> tuple[float, float]:
    """Return the present values of the fade and of what follows, from a yearly *pace_cur* of revenue at *begin_y*."""
    wacc, tax, k = terms.wacc_frac, terms.tax_frac, terms.capital_per_revenue
    revenue, fade = pace_cur, 0.0
    capital = k * pace_cur if terms.opening_capital_cur is None else terms.opening_capital_cur
    intensity = capital / pace_cur
    for year in range(1, terms.fade_y + 1):
        faded = year / terms.fade_y
        rate = growth + (forever - growth) * faded
        revenue *= (1.0 + rate) ** (_FIRST_YEAR if year == 1 else 1.0)
        profit = (margin + (terms.terminal_margin_frac - margin) * faded) * (1.0 - tax) * revenue
        needed = (intensity + (k - intensity) * faded) * revenue
        fade += (profit - (needed - capital)) * (1.0 + wacc) ** -(begin_y + year - 0.5)
        capital = needed
    roic = _mature_roic(terms) if terms.terminal_roic_frac is None else terms.terminal_roic_frac
    next_profit = terms.terminal_margin_frac * (1.0 - tax) * revenue * (1.0 + forever)
    last = float(terminal_value(next_profit, wacc, forever, roic))
    return fade, last * (1.0 + wacc) ** -(begin_y + terms.fade_y - 0.5)


def growing_line(
    ebita_y_cur: float,
    *,
    growth_frac: float,
    years: int,
    wacc_frac: float,
    tax_frac: float,
    terminal_growth_frac: float,
    roic_frac: float,
) -> float:
    """Return the value of a business whose yearly EBITA grows at one rate, then for ever at another [currency].

    Parameters
    ----------
    ebita_y_cur : float
        EBITA of the year before the first.
    growth_frac, terminal_growth_frac : float
        Growth a year of the first `years`, and after.
    years : int
        Years at `growth_frac`, >= 0.
    wacc_frac, tax_frac : float
        Cost of capital; tax on EBITA.
    roic_frac : float
        After-tax return on the capital that growth needs, > 0; growth reinvests ``g / ROIC`` of the profit.

    Returns
    -------
    float
        Present value, flows in the middle of years.

    Raises
    ------
    InputError
        If the return is not positive or the cost of capital does not exceed growth for ever.
    """
    if not roic_frac > 0:
        message = f"roic_frac = {roic_frac:g}: must be positive"
        raise InputError(message)
    profit, value = ebita_y_cur * (1.0 - tax_frac), 0.0
    for year in range(1, years + 1):
        profit *= 1.0 + growth_frac
        value += profit * (1.0 - growth_frac / roic_frac) * (1.0 + wacc_frac) ** -(year - 0.5)
    after = float(terminal_value(profit * (1.0 + terminal_growth_frac), wacc_frac, terminal_growth_frac, roic_frac))
    return float(value + after * (1.0 + wacc_frac) ** -(years - 0.5))


def dcf(
    accounts: Statements,
    *,
    ai: DcfTerms,
    base: DcfTerms,
    rest_cur: float,
    net_cash_cur: float,
    stakes_cur: float,
    shares: float,
    lines: Mapping[str, float] | None = None,
    ai_shortage: Shortage | None = None,
) -> Valuation:
    """Return the group's value as a sum of parts.

    Parameters
    ----------
    accounts : Statements
        With AI cloud and base cloud lines; a base line without revenue is worth nothing.
    ai, base : DcfTerms
        How the two run on after the plan.
    rest_cur : float
        Value of the other businesses: a multiple times EBITA after tax, or `growing_line`.
    net_cash_cur, stakes_cur : float
        Cash less debt; stakes in other firms.
    shares : float
        Shares outstanding, > 0, of the kind whose price is quoted: ordinary ones, or depositary shares.
    lines : mapping of str to float, optional
        Net present value of other lines of the plan by label [currency].
    ai_shortage : Shortage, optional
        What a shortage adds to the AI cloud; it fades after the plan.

    Raises
    ------
    InputError
        If shares are not positive, or a line cannot be valued.
    """
    if not shares > 0:
        message = f"shares = {shares:g}: must be positive"
        raise InputError(message)
    nothing = LineValue(
        explicit_cur=0.0, fade_cur=0.0, terminal_cur=0.0, standing_cur=0.0, roic_frac=0.0, wacc_frac=ai.wacc_frac
    )
    parts = []
    for name, fields, terms, short in (("AI cloud", "ai", ai, ai_shortage), ("Base cloud", "base", base, None)):
        revenue = accounts.field(f"{fields}_revenue_cur")
        flows = accounts.field(f"{fields}_fcf_cur")
        value = nothing
        if revenue.any() or flows.any():
            try:
                value = line_value(revenue, accounts.field(f"{fields}_ebita_cur"), flows, terms, short)
            except InputError as error:
                message = f"{name}: {error}"
                raise InputError(message) from error
        parts.append(value)
    others = dict(lines or {})
    bridge = (
        ("AI cloud: cash in the plan", parts[0].explicit_cur),
        ("AI cloud: fleet value at the horizon", parts[0].standing_cur),
        ("AI cloud: growth after the horizon", parts[0].growth_cur),
        *others.items(),
        ("Base cloud", parts[1].total_cur),
        ("Rest of the group", rest_cur),
        ("Net cash", net_cash_cur),
        ("Stakes", stakes_cur),
    )
    extra = sum(others.values())
    enterprise = parts[0].total_cur + extra + parts[1].total_cur + rest_cur
    equity = enterprise + net_cash_cur + stakes_cur
    return Valuation(
        ai=parts[0],
        base=parts[1],
        lines_cur=extra,
        rest_cur=rest_cur,
        net_cash_cur=net_cash_cur,
        stakes_cur=stakes_cur,
        enterprise_cur=enterprise,
        equity_cur=equity,
        per_share_cur=equity / shares,
        bridge=bridge,
    )
