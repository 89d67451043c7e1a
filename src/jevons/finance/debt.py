"""Loans and notes by quarter: interest, repayment and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """A loan at the start of a plan.

    Parameters
    ----------
    name : str
        Label.
    balance_cur : float
        Owed at the start, >= 0.
    rate_frac : float
        Interest a year, >= 0.
    quarters : int
        Quarters to the last repayment, >= 1.
    evenly : bool
        Whether it is repaid in equal parts; else whole in the last quarter.
    """

    name: str
    balance_cur: float
    rate_frac: float
    quarters: int
    evenly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtSchedule:
    """Loans by quarter, (n, t) each in currency; ``opening - repaid = closing``.

    Parameters
    ----------
    names : tuple of str
        Labels.
    opening_cur, repaid_cur, closing_cur : (n, t)
        Owed at the start of a quarter, repaid at its end, owed then.
    interest_cur : (n, t)
        On what is owed at the start, before tax.
    """

    names: tuple[str, ...]
    opening_cur: Array
    repaid_cur: Array
    closing_cur: Array
    interest_cur: Array


def debt_schedule(loans: Sequence[Loan], quarters: int) -> DebtSchedule:
    """Return what loans cost and when they are repaid.

    Raises
    ------
    InputError
        If a balance or rate is negative, or a loan has no quarter left.

    Examples
    --------
    >>> schedule = debt_schedule([Loan(name="notes", balance_cur=100.0, rate_frac=0.08, quarters=2, evenly=True)], 3)
    >>> schedule.closing_cur.tolist(), schedule.interest_cur.tolist()
    ([[50.0, 0.0, 0.0]], [[2.0, 1.0, 0.0]])
    """
    faults = [
        Fault(message=f"{loan.balance_cur:g} at {loan.rate_frac:g} over {loan.quarters} quarters: amounts must be "
              "finite and >= 0, with a quarter left", path=f"loans.{loan.name}")
        for loan in loans
        if not (np.isfinite([loan.balance_cur, loan.rate_frac]).all() and min(loan.balance_cur, loan.rate_frac) >= 0)
        or loan.quarters < 1
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    ends = np.array([loan.quarters for loan in loans], int)[:, None]
    balance = np.array([loan.balance_cur for loan in loans], float)[:, None]
    even = np.array([loan.evenly for loan in loans], bool)[:, None]
    t = np.arange(quarters)[None, :]
    part = np.where(even, (t < ends) / np.maximum(ends, 1), t == ends - 1)
    repaid = balance * part
    closing = np.where(t >= ends - 1, 0.0, balance - np.cumsum(repaid, axis=1))
    opening = closing + repaid
    rate = np.array([loan.rate_frac for loan in loans], float)[:, None]
    return DebtSchedule(
        names=tuple(loan.name for loan in loans), opening_cur=opening, repaid_cur=repaid, closing_cur=closing,
        interest_cur=opening * rate / 4,
    )  # fmt: skip
