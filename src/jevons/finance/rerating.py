"""How far earnings, rates, growth and currency explain a change of price between two dates; the rest is story."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jevons.errors import Fault, InputError
from jevons.finance.formulas import growth_value
from jevons.finance.run import growing_line


@dataclass(frozen=True, slots=True)
class Multiple:
    """A price re-read at another multiple of earnings.

    Parameters
    ----------
    earnings : float
        Per share, price over multiple.
    fair_price : float
        Earnings times the other multiple.
    change_frac : float
        From price to fair price; falls are negative.
    """

    earnings: float
    fair_price: float
    change_frac: float


def at_multiple(price: float, multiple: float, fair_multiple: float) -> Multiple:
    """Return what a share is worth at another multiple of the same earnings.

    Raises
    ------
    InputError
        If a figure is not positive.

    Examples
    --------
    >>> round(at_multiple(62.6, 25, 15).change_frac, 2)
    -0.4
    """
    faults = [
        Fault(message=f"{number:g}: must be positive", path=name)
        for name, number in (("price", price), ("multiple", multiple), ("fair_multiple", fair_multiple))
        if not 0 < number < float("inf")
    ]
    if faults:
        raise InputError(faults)
    earnings = price / multiple
    return Multiple(earnings, earnings * fair_multiple, fair_multiple / multiple - 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """What the market could read on a date.

    Parameters
    ----------
    earnings_cur : float
        EBITA a year of the businesses besides the cloud.
    cloud_revenue_cur : float
        A year, > 0.
    growth_frac : float
        Last growth reported by the cloud, taken for five years.
    wacc_frac : float
        Cost of capital.
    rate : float
        Units of the scenario's currency for one of the currency of the enterprise values on that day.
    """

    earnings_cur: float
    cloud_revenue_cur: float
    growth_frac: float
    wacc_frac: float
    rate: float


FACTORS: Mapping[str, tuple[str, ...]] = {
    "earnings": ("earnings_cur", "cloud_revenue_cur"),
    "rates": ("wacc_frac",),
    "growth": ("growth_frac",),
    "currency": ("rate",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerating:
    """A change of enterprise value and its parts, all in the currency of the prices.

    Parameters
    ----------
    value_before, value_after : float
        Enterprise values.
    model_before, model_after : float
        What the reading of each date is worth.
    parts : mapping of str to float
        Shapley shares of earnings, rates, growth and currency in the model's change, and ``story``, what is left; they
        sum to the change.
    """

    value_before: float
    value_after: float
    model_before: float
    model_after: float
    parts: Mapping[str, float]

    @property
    def change(self) -> float:
        """Change of enterprise value."""
        return self.value_after - self.value_before

    @property
    def explained_frac(self) -> float:
        """Share of the change that is not story."""
        return 1.0 - self.parts["story"] / self.change


def rerating(
    value_before: float, value_after: float, before: PriceView, after: PriceView, *, margin_frac: float,
    capital_per_revenue: float, tax_frac: float, terminal_growth_frac: float, rest_growth_frac: float,
    rest_return_frac: float,
) -> Rerating:  # fmt: skip
    """Return how far earnings, rates, growth and currency explain a change of enterprise value.

    Parameters
    ----------
    value_before, value_after : float
        Enterprise values, different and > 0.
    before, after : PriceView
        What could be read on the two dates.
    margin_frac, capital_per_revenue : float
        Of the cloud at maturity; where their return lies below the cost of capital, growth counts against the rise.
    tax_frac, terminal_growth_frac, rest_growth_frac, rest_return_frac : float
        Terms of the rest; see `growing_line`.

    Raises
    ------
    InputError
        If an enterprise value is not positive, both are equal, or a reading cannot be valued.

    Notes
    -----
    Factors are averaged over all orders in which they may change (Shapley 1953), so no order is preferred and the parts
    add up. The story is the residual: what an analyst with these terms cannot explain, errors of the terms included.
    """
    if not (value_before > 0 and value_after > 0) or value_before == value_after:
        message = f"enterprise values {value_before:g} and {value_after:g}: must be positive and different"
        raise InputError(message)

    def value(view: Callable[[str], float]) -> float:
        wacc = view("wacc_frac")
        cloud = growth_value(
            view("growth_frac"), revenue_cur=view("cloud_revenue_cur"), margin_frac=margin_frac,
            capital_per_revenue=capital_per_revenue, wacc_frac=wacc, tax_frac=tax_frac,
            terminal_growth_frac=terminal_growth_frac,
        )  # fmt: skip
        rest = growing_line(
            view("earnings_cur"), growth_frac=rest_growth_frac, years=10, wacc_frac=wacc, tax_frac=tax_frac,
            terminal_growth_frac=min(rest_growth_frac, terminal_growth_frac), roic_frac=rest_return_frac,
        )  # fmt: skip
        return (float(cloud) + rest) / view("rate")

    def at(changed: frozenset[str]) -> float:
        late = {field for factor in changed for field in FACTORS[factor]}
        return value(lambda field: float(getattr(after if field in late else before, field)))

    parts = dict.fromkeys(FACTORS, 0.0)
    orders = list(itertools.permutations(FACTORS))
    for order in orders:
        done: frozenset[str] = frozenset()
        for factor in order:
            parts[factor] += (at(done | {factor}) - at(done)) / len(orders)
            done |= {factor}
    model = at(frozenset()), at(frozenset(FACTORS))
    parts["story"] = (value_after - value_before) - (model[1] - model[0])
    return Rerating(
        value_before=value_before,
        value_after=value_after,
        model_before=model[0],
        model_after=model[1],
        parts=parts,
    )
