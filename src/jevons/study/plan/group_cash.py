"""Cash of the whole group, quarter by quarter."""

from __future__ import annotations

import dataclasses

import numpy as np

from jevons.arrays import Array
from jevons.finance import DebtSchedule, Funding, Loan, debt_schedule, fund
from jevons.study.chain.accounts import Accounts, budget_lines, lines_as_planned
from jevons.study.chain.budget import released_rest
from jevons.study.chain.setting import quarter_index
from jevons.study.scenario.scenario import Scenario


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroupCash:
    """Cash of the group by quarter and where it comes from; every array is (t,) in currency.

    Parameters
    ----------
    quarters : tuple of str
        Labels.
    cloud_cur, rest_cur : (t,)
        Free cash flow of the cloud, AI and the rest of it, and of the other businesses.
    lines_spent_cur, lines_received_cur : (t,)
        Spent on the budget's lines beside infrastructure, and what that spending brings back after tax.
    funding : Funding
        Interest, returns to owners, money raised and net cash that follow.
    """

    quarters: tuple[str, ...]
    cloud_cur: Array
    rest_cur: Array
    lines_spent_cur: Array
    lines_received_cur: Array
    funding: Funding


def line_cash(scenario: Scenario) -> tuple[Array, Array]:
    """Return what the lines beside infrastructure take and bring by quarter, two arrays (t,) [currency].

    Notes
    -----
    Money is spent as the budget is released, in the middle of each quarter. Each unit brings, after the line's lag, its
    mean first return a year, which falls on a straight line to zero over the line's life: the same stream that the
    line's value discounts.
    """
    spec, quarters = scenario.expansion, np.arange(scenario.quarters)
    spent, received = np.zeros(quarters.size), np.zeros(quarters.size)
    planned = lines_as_planned(scenario)
    if planned is None:
        return spent, received
    path = released_rest(scenario)
    age_y = (quarters[:, None] - quarters[None, :]) / 4
    for row, (line, terms) in enumerate(zip(budget_lines(scenario), spec.lines.values(), strict=True)):
        taken, money = terms.share.value * path, float(planned.spent_cur[row])
        if money <= 0:
            continue
        first = line.first_return_frac * line.scale_cur * np.log1p(money / line.scale_cur) / money
        edges = [np.clip(age_y - line.lag_y + half, 0.0, line.life_y) for half in (-0.125, 0.125)]
        so_far = [age - age**2 / (2 * line.life_y) for age in edges]  # years of the first return
        spent += taken
        received += first * (so_far[1] - so_far[0]) @ taken
    return spent, received


def loans(scenario: Scenario) -> DebtSchedule | None:
    """Return the schedule of the firm's loans, None where the scenario states none."""
    specs = scenario.finance.debt
    if not specs:
        return None
    each = [
        Loan(
            name=spec.label or name, balance_cur=spec.balance.value, rate_frac=spec.rate.value,
            quarters=quarter_index(scenario, spec.matures) + 1, evenly=spec.repaid == "evenly",
        )
        for name, spec in specs.items()
    ]  # fmt: skip
    return debt_schedule(each, scenario.quarters)


def _mean_rate(debt: DebtSchedule | None) -> float:
    """Return the mean interest a year of what is owed at the start; 0 without debt."""
    if debt is None or not debt.opening_cur[:, 0].sum() > 0:
        return 0.0
    return float(4 * debt.interest_cur[:, 0].sum() / debt.opening_cur[:, 0].sum())


def group_cash(scenario: Scenario, accounts: Accounts) -> GroupCash:
    """Return the group's cash: cloud as planned, other lines and businesses, returns to owners as meant."""
    spec = scenario.finance
    labels = accounts.statements.quarters
    years = (np.arange(len(labels)) + 0.5) / 4
    profit = spec.rest_ebita.value / 4 * (1.0 + spec.rest_growth.value) ** years * (1.0 - spec.tax.value)
    rest = profit * (1.0 - spec.rest_growth.value / spec.rest_return.value)
    spent, received = line_cash(scenario)
    debt = loans(scenario)
    funding = fund(
        spec.net_cash.value, accounts.statements.cash.fcf_cur + rest - spent + received,
        returns_cur=np.full(len(labels), spec.owner_returns.value / 4), tax_frac=spec.tax.value, debt=debt,
        new_debt_frac=spec.new_debt_rate.value or _mean_rate(debt),
    )  # fmt: skip
    return GroupCash(
        quarters=labels,
        cloud_cur=accounts.statements.cash.fcf_cur,
        rest_cur=rest,
        lines_spent_cur=spent,
        lines_received_cur=received,
        funding=funding,
    )
