"""Balance sheets of brokers and speculators who own accelerators: they buy on expectations, carry, resell and default.

Axes: ``v`` chips.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.units import HOURS_PER_YEAR

HOURS_PER_QUARTER = HOURS_PER_YEAR / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanTerms:
    """How brokers pay for devices.

    Parameters
    ----------
    debt_frac : float
        Share of a device's price that is borrowed, in [0, 1).
    interest_frac : float
        A year, >= 0.
    term_y : float
        Over which a loan is paid back, > 0.
    carry_frac : float
        Return above interest at which buying begins, a year, >= 0.
    entry_frac : float
        Most that they buy in a quarter, over what the firm can buy, >= 0.
    """

    debt_frac: float
    interest_frac: float
    term_y: float
    carry_frac: float
    entry_frac: float

    def __post_init__(self) -> None:
        """Refuse terms outside their ranges."""
        faults = []
        if not 0 <= self.debt_frac < 1:
            faults.append(Fault(message=f"{self.debt_frac:g}: must be at least 0 and below 1", path="debt_frac"))
        if not self.term_y > 0:
            faults.append(Fault(message=f"{self.term_y:g}: must be above 0", path="term_y"))
        faults += [
            Fault(message=f"{getattr(self, name):g}: must be at least 0", path=name)
            for name in ("interest_frac", "carry_frac", "entry_frac")
            if not getattr(self, name) >= 0
        ]
        if faults:
            raise InputError(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterFigures:
    """What brokers meet in a quarter, (v,) each.

    Parameters
    ----------
    rent_cur_per_h, running_cur_per_h, let_frac : (v,)
        Of a device-hour; let share of what they offer.
    withheld : (v,)
        Devices held back.
    rise_frac : (v,)
        Rise of rent that they expect by next quarter.
    price_cur : (v,)
        Of a device on the open market.
    resale_cur : (v,)
        Of one of theirs.
    supply : (v,)
        Devices that the firm could buy.
    """

    rent_cur_per_h: Array
    running_cur_per_h: Array
    let_frac: Array
    withheld: Array
    rise_frac: Array
    price_cur: Array
    resale_cur: Array
    supply: Array


@dataclass(slots=True, kw_only=True)
class BalanceSheets:
    """What brokers own and owe, by chip; `settle` moves it on by a quarter.

    Parameters
    ----------
    terms : LoanTerms
        How they pay.
    held : (v,)
        Devices in their hands.
    debt_cur : (v,)
        What they owe on them.
    term_left_q : (v,)
        Quarters over which that is due.

    Attributes
    ----------
    given_up : (v,)
        Devices that lenders have taken and let at any rent.
    cash_cur : (v,)
        Left of rents.
    paid_in_cur : (v,)
        Of their own, all quarters, opening equity in it.
    lenders_loss_cur : (v,)
        Debt less resale value of what was given_up, all quarters.
    bought : (v,)
        In the last quarter.
    """

    terms: LoanTerms
    held: Array
    debt_cur: Array
    term_left_q: Array
    paid_in_cur: Array
    given_up: Array = field(init=False)
    cash_cur: Array = field(init=False)
    lenders_loss_cur: Array = field(init=False)
    bought: Array = field(init=False)

    def __post_init__(self) -> None:
        """Begin without cash and losses."""
        self.given_up, self.cash_cur, self.lenders_loss_cur, self.bought = (np.zeros_like(self.held) for _ in range(4))

    @property
    def offered(self) -> Array:
        """Devices in brokers' and lenders' hands, (v,)."""
        return self.held + self.given_up

    def equity_cur(self, resale_cur: Array) -> Array:
        """Return what is theirs at resale value, (v,): below zero where they owe more."""
        return np.asarray(self.held * resale_cur + self.cash_cur - self.debt_cur)

    def owners_loss_cur(self, resale_cur: Array) -> Array:
        """Return what they have lost of their own money, (v,), at most all of it."""
        return np.asarray(np.clip(self.paid_in_cur - self.equity_cur(resale_cur), 0.0, self.paid_in_cur))

    def settle(self, q: QuarterFigures, grown: Array) -> None:
        """Take rents, pay interest and instalments, hand over what cannot be paid for, and buy where it seems to pay.

        Parameters
        ----------
        q : QuarterFigures
            The quarter.
        grown : (v,)
            Devices that leasing firms add whatever they expect; negative where they leave.

        Notes
        -----
        Without the cash for a quarter's service they sell devices; where these are worth less than the debt on them,
        lenders take them with the loss. A device is bought where rents at today's let share, with the expected rise of
        its price, bring more than interest and carry.
        """
        terms = self.terms
        share = np.where(self.offered > 0, self.held / np.maximum(self.offered, 1e-12), 0.0)
        let = np.maximum(self.offered - q.withheld, 0.0) * q.let_frac * share
        income = let * np.maximum(q.rent_cur_per_h - q.running_cur_per_h, 0.0) * HOURS_PER_QUARTER
        due = self.debt_cur / np.maximum(self.term_left_q, 1.0) + self.debt_cur * terms.interest_frac / 4
        self.debt_cur = self.debt_cur - self.debt_cur / np.maximum(self.term_left_q, 1.0)
        self.cash_cur = self.cash_cur + income - due
        self._hand_over(q, due)
        # what remains after service is paid out
        out = np.maximum(self.cash_cur, 0.0)
        self.paid_in_cur, self.cash_cur = np.maximum(self.paid_in_cur - out, 0.0), self.cash_cur - out
        self.term_left_q = np.maximum(self.term_left_q - 1.0, 1.0)
        self._buy(q, grown)

    def _hand_over(self, q: QuarterFigures, due: Array) -> None:
        short = np.maximum(-self.cash_cur, 0.0)
        worth = self.held * q.resale_cur
        under = worth < self.debt_cur
        gone = np.clip(np.where(due > 0, short / np.maximum(due, 1e-12), 0.0), 0.0, 1.0)
        # solvent: sell as many as the gap takes, the buyers let them on; under water: lenders take the share not paid
        sold = np.where(under | (worth <= 0), 0.0, np.clip(short / np.maximum(worth, 1e-12), 0.0, 1.0))
        part = np.where(under, gone, sold)
        lost = np.where(under, part * (self.debt_cur - worth) + short, 0.0)
        self.lenders_loss_cur = self.lenders_loss_cur + lost
        self.given_up = self.given_up + part * self.held
        self.debt_cur = np.where(under, self.debt_cur * (1.0 - part), self.debt_cur)
        self.held = self.held * (1.0 - part)
        self.cash_cur = np.where(short > 0, 0.0, self.cash_cur)

    def _buy(self, q: QuarterFigures, grown: Array) -> None:
        terms = self.terms
        net = np.maximum(q.rent_cur_per_h - q.running_cur_per_h, 0.0) * q.let_frac * HOURS_PER_QUARTER * 4
        price = np.where(np.isfinite(q.price_cur) & (q.price_cur > 0), q.price_cur, 1.0)
        worn = 1.0 / max(terms.term_y, 0.25)
        gain = net / price + 4 * q.rise_frac - worn - terms.interest_frac - terms.carry_frac
        eager = np.clip(gain / max(terms.carry_frac, 1e-9), 0.0, 1.0) * (q.supply > 0)
        left = np.maximum(-grown, 0.0)
        stay = np.where(self.held > 0, 1.0 - np.minimum(left / np.maximum(self.held, 1e-12), 1.0), 1.0)
        self.held, self.debt_cur = self.held * stay, self.debt_cur * stay
        self.bought = eager * terms.entry_frac * q.supply + np.maximum(grown, 0.0)
        spent = self.bought * price
        fresh = spent * terms.debt_frac
        whole = self.debt_cur + fresh
        quarters = 4 * terms.term_y
        self.term_left_q = np.where(
            whole > 0, (self.debt_cur * self.term_left_q + fresh * quarters) / np.maximum(whole, 1e-12), quarters
        )
        self.debt_cur = whole
        self.paid_in_cur = self.paid_in_cur + spent - fresh
        self.held = self.held + self.bought
