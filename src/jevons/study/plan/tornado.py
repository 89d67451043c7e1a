"""How the value of a share moves with each input of finance taken to either end of its range, the plan held."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from jevons.study.chain.accounts import accounts
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.scenario.scenario import Scenario

NAMED_FRAC = 0.1
"""Swing of the value of a share from which on an input is named in the answer.

As a share of the value or of the price, whichever is larger: a value near zero would name every input.
"""

_PREMIUM = "market.cloud_premium"
_REVERSION = "market.rental_reversion"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSwing:
    """What one input does to the value of a share.

    Parameters
    ----------
    path, unit, grade : str
        The input, its unit and its evidence.
    low, high : float
        Ends of its range, in *unit*.
    at_low_cur, at_high_cur : float
        Value of a share at either end.
    value_cur, price_cur : float
        Value in the middle; price of a share on the market.
    """

    path: str
    unit: str
    grade: str
    low: float
    high: float
    at_low_cur: float
    at_high_cur: float
    value_cur: float
    price_cur: float

    @property
    def swing_cur(self) -> float:
        """Greatest less least value of a share."""
        ends = (self.at_low_cur, self.at_high_cur, self.value_cur)
        return max(ends) - min(ends)

    @property
    def named(self) -> bool:
        """Whether the input moves value by so much that the answer must name it."""
        return self.swing_cur > NAMED_FRAC * max(abs(self.value_cur), self.price_cur)


def value_swings(chain: ChainResult) -> tuple[ValueSwing, ...]:
    """Return what each uncertain input of the accounts does to the value of a share, greatest swing first.

    Notes
    -----
    Devices, calls and prices are those of the central plan: this is what value rests on once the plan is made. What the
    firm is paid over bare rents moves revenue. `jevons study sensitivity` moves the plan itself.
    """
    scenario = chain.scenario
    amounts = {
        path: amount
        for path, amount in scenario.amounts().items()
        if amount.uncertain and (path.startswith("finance.") or path in {"cost.wacc", _PREMIUM, _REVERSION})
    }
    central, price = chain.accounts.value_per_share_cur, chain.accounts.price_per_share_cur
    swings = []
    for path, amount in amounts.items():
        ends = [_value(chain, scenario, path, float(end)) for end in (amount.low or 0.0, amount.high or 0.0)]
        swings.append(
            ValueSwing(
                path=path, unit=amount.unit, grade=amount.grade, low=float(amount.low or 0.0),
                high=float(amount.high or 0.0), at_low_cur=ends[0], at_high_cur=ends[1], value_cur=central,
                price_cur=price,
            )
        )  # fmt: skip
    return tuple(sorted(swings, key=lambda one: (-one.swing_cur, one.path)))


def _value(chain: ChainResult, scenario: Scenario, path: str, end: float) -> float:
    market = chain.market
    if path == _PREMIUM:
        rented = ~chain.inputs.use.counts_tokens
        price = market.call_price_cur.copy()
        price[rented] *= end / scenario.market.cloud_premium.value
        market = dataclasses.replace(market, call_price_cur=price)
    moved = scenario.with_numbers({path: end})
    return accounts(moved, market, chain.plan, chain.exchange.scarcity, chain.inputs, chain.rents).value_per_share_cur
