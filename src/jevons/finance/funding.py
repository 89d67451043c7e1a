"""Where the money comes from: the group's cash by quarter, what is raised, and what is given back to its owners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.finance.debt import DebtSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """Cash of the group by quarter; every array is (t,) in currency.

    Parameters
    ----------
    free_cash_cur : (t,)
        Free cash flow of all businesses.
    interest_cur : (t,)
        On opening net cash, after tax; negative on net debt.
    returned_cur : (t,)
        Buybacks and dividends that are paid; cut before anything is raised.
    raised_cur : (t,)
        Debt or equity needed to keep the least net cash.
    opening_cur, closing_cur : (t,)
        Net cash; money raised as debt is taken off again when it is counted, so `closing` counts raised money as cash.
        With `debt`, cash.
    debt : DebtSchedule, optional
        Loans of the start; without any, cash and debt are one figure.
    debt_interest_cur : (t,)
        On loans and new debt, after tax.
    repaid_cur : (t,)
        Repaid of loans, and of new debt from cash above the least.
    debt_closing_cur : (t,)
        Owed at the end of the quarter, new debt in it.
    """

    free_cash_cur: Array
    interest_cur: Array
    returned_cur: Array
    raised_cur: Array
    opening_cur: Array
    closing_cur: Array
    debt: DebtSchedule | None = None
    debt_interest_cur: Array
    repaid_cur: Array
    debt_closing_cur: Array

    @property
    def net_closing_cur(self) -> Array:
        """Cash less debt at the end of the quarter."""
        return self.closing_cur - self.debt_closing_cur


def fund(
    opening_net_cash_cur: float, free_cash_cur: Array, *, returns_cur: Array, least_net_cash_cur: float = 0.0,
    interest_frac: float = 0.02, tax_frac: float = 0.2, debt: DebtSchedule | None = None, new_debt_frac: float = 0.0,
) -> Funding:  # fmt: skip
    """Return the group's cash by quarter.

    Parameters
    ----------
    opening_net_cash_cur : float
        Cash and treasury investments less debt at the start.
    free_cash_cur : (t,)
        Of all businesses.
    returns_cur : (t,)
        Buybacks and dividends that are meant to be paid, >= 0.
    least_net_cash_cur : float
        Net cash the group keeps; below it, returns are cut first, then money is raised.
    interest_frac, tax_frac : float
        A year, and tax on it.
    debt : DebtSchedule, optional
        Loans of the start, part of the opening net cash. With them, cash and debt are kept apart: loans are repaid as
        they fall due, what is raised is new debt, and cash above the least pays it back.
    new_debt_frac : float
        Interest a year on new debt.

    Raises
    ------
    InputError
        If shapes differ, an amount is not finite, or returns are negative.

    Notes
    -----
    ``closing = opening + interest - debt interest + free cash - returned - repaid + raised``. Issue prices and dilution
    are left out: the plan of February 2025 needed neither.
    """
    flows, meant = np.asarray(free_cash_cur, float), np.asarray(returns_cur, float)
    faults = []
    if flows.ndim != 1 or flows.shape != meant.shape or not np.isfinite([*flows, *meant]).all():
        faults.append(
            Fault(message="must be finite amounts by quarter, as many as there are returns", path="free_cash_cur")
        )
    elif (meant < 0).any():
        faults.append(Fault(message=f"{meant.min():g}: must be >= 0", path="returns_cur"))
    if not np.isfinite([opening_net_cash_cur, least_net_cash_cur, interest_frac]).all() or not 0 <= tax_frac <= 1:
        faults.append(Fault(message="net cash and rates must be finite, tax in 0..1", path="opening_net_cash_cur"))
    if faults:
        raise InputError(faults)
    due, owed = np.zeros(flows.size), np.zeros(flows.size)
    costs = np.zeros(flows.size)
    cash = opening_net_cash_cur
    if debt is not None:
        due, owed, costs = (rows.sum(axis=0) for rows in (debt.repaid_cur, debt.closing_cur, debt.interest_cur))
        cash += float(debt.opening_cur[:, 0].sum())
    rows = np.zeros((8, flows.size))
    new = 0.0
    for t in range(flows.size):
        interest = cash * ((1.0 + interest_frac) ** 0.25 - 1.0) * (1.0 - tax_frac)
        cost = (costs[t] + new * new_debt_frac / 4) * (1.0 - tax_frac)
        before = cash + interest - cost + flows[t] - due[t]
        back = 0.0 if debt is None else float(np.clip(before - least_net_cash_cur, 0.0, new))
        paid = float(np.clip(before - back - least_net_cash_cur, 0.0, meant[t]))
        raised = max(least_net_cash_cur - (before - back - paid), 0.0)
        new = 0.0 if debt is None else new - back + raised
        rows[:, t] = interest, paid, raised, cash, before - back - paid + raised, cost, due[t] + back, owed[t] + new
        cash = rows[4, t]
    interest_cur, returned_cur, raised_cur, opening_cur, closing_cur, cost_cur, repaid_cur, debt_closing_cur = rows
    return Funding(
        free_cash_cur=flows,
        interest_cur=interest_cur,
        returned_cur=returned_cur,
        raised_cur=raised_cur,
        opening_cur=opening_cur,
        closing_cur=closing_cur,
        debt=debt,
        debt_interest_cur=cost_cur,
        repaid_cur=repaid_cur,
        debt_closing_cur=debt_closing_cur,
    )
