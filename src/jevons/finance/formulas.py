"""Discounting, value drivers and straight-line books."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from jevons.arrays import Array
from jevons.costing.formulas import capital_recovery_factor as crf
from jevons.errors import InfeasibleError, InputError
from jevons.formula import Formula, Symbol

__all__ = [
    "crf", "discount_factors", "enterprise_value_cur", "growth_value", "incremental_roic", "irr", "npv",
    "straight_line", "terminal_value",
]  # fmt: skip


_TIMING = {"start": 0.0, "mid": 0.5, "end": 1.0}

CASH_VALUE = Formula(
    "sum(cash * (1 + wacc) ** -((order(cash) + 0.5) / 4))",
    "¤",
    {"cash": Symbol("free cash flow of each quarter", "¤"), "wacc": Symbol("cost of capital a year")},
)
"""Present value of quarterly flows in the middle of their quarters; `discount_factors` has the weights."""

LINE_TOTAL = Formula(
    "cash + fade + terminal",
    "¤",
    {
        "cash": Symbol("present value of the explicit quarters", "¤"),
        "fade": Symbol("present value of the years in which growth and margin fade", "¤"),
        "terminal": Symbol("present value of what follows", "¤"),
    },
)

VALUE_PER_SHARE = Formula(
    "sum(parts) / shares",
    "¤/share",
    {
        "parts": Symbol("value of each business, net cash and stakes", "¤"),
        "shares": Symbol("shares outstanding, of the kind whose price is quoted"),
    },
)


def discount_factors(rate_frac: float, periods: int, *, periods_per_year: int = 4, timing: str = "mid") -> Array:
    """Return the present value of one unit paid in each period.

    Parameters
    ----------
    rate_frac : float
        Rate a year, > -1.
    periods : int
        Number of periods, the first beginning now.
    periods_per_year : int
        4 for quarters.
    timing : {"mid", "start", "end"}
        When in its period a flow falls: ``(1 + rate) ** -((t + 0.5) / periods_per_year)`` for ``mid``.

    Returns
    -------
    (periods,)

    Raises
    ------
    InputError
        If the rate or the timing is out of range.
    """
    if timing not in _TIMING:
        message = f"timing = `{timing}`: must be one of {', '.join(_TIMING)}"
        raise InputError(message)
    if not rate_frac > -1:
        message = f"rate = {rate_frac:g}: must be above -1"
        raise InputError(message)
    return np.asarray((1.0 + rate_frac) ** -((np.arange(periods) + _TIMING[timing]) / periods_per_year))


def npv(rate_frac: float, flows: ArrayLike, *, periods_per_year: int = 1, timing: str = "start") -> float:
    """Return the present value of *flows* (n,), the first now unless *timing* says otherwise.

    Examples
    --------
    >>> round(npv(0.10, [-100.0, 60.0, 60.0]), 4)
    4.1322
    """
    array = np.asarray(flows, float)
    return float(array @ discount_factors(rate_frac, array.size, periods_per_year=periods_per_year, timing=timing))


def irr(flows: ArrayLike, *, periods_per_year: int = 1) -> float:
    """Return the yearly rate at which *flows* are worth nothing.

    Parameters
    ----------
    flows : (n,)
        Money by period, the first now; the scale does not matter.
    periods_per_year : int
        4 for quarters.

    Returns
    -------
    float
        Rate a year, between -0.999 and 1e6 a period, compounded.

    Raises
    ------
    InputError
        If a flow is not finite, or all have one sign.
    InfeasibleError
        If no rate or more than one makes the flows worth nothing; the message gives the rates.
    """
    array = np.asarray(flows, float)
    if not np.isfinite(array).all():
        message = "internal rate of return: every flow must be a finite number"
        raise InputError(message)
    if not ((array > 0).any() and (array < 0).any()):
        message = "internal rate of return: the flows need at least one outlay and one receipt"
        raise InputError(message)
    array = array / np.abs(array).max()
    power = np.arange(array.size)

    def worth(log_growth: float) -> float:
        # Scaled so that neither early nor late flows overflow; the sign is that of the net present value.
        exponent = -log_growth * power
        return float(array @ np.exp(exponent - exponent.max()))

    grid = np.concatenate([np.linspace(np.log(1e-3), np.log(0.5), 60), np.linspace(np.log(0.5), np.log(1e6), 600)[1:]])
    worths = np.array([worth(x) for x in grid])
    roots = [float(grid[i]) for i in np.nonzero(worths == 0)[0]]
    signs = np.nonzero(worths[:-1] * worths[1:] < 0)[0]
    roots += [float(brentq(worth, grid[i], grid[i + 1], xtol=1e-14, rtol=1e-14)) for i in signs]
    rates = [float(np.expm1(root * periods_per_year)) for root in sorted(roots)]
    if len(rates) != 1:
        shown = ", ".join(f"{rate:.4g}" for rate in rates) or "none"
        message = f"internal rate of return: {len(rates)} rates make the flows worth nothing ({shown}); use npv"
        raise InfeasibleError(message)
    return rates[0]


def incremental_roic(margin_frac: ArrayLike, tax_frac: ArrayLike, capital_per_revenue: ArrayLike) -> Array:
    """Return the after-tax return on capital that growth adds: margin (1 - tax) / capital per revenue."""
    after_tax = 1.0 - np.asarray(tax_frac, float)
    return np.asarray(np.asarray(margin_frac, float) * after_tax / np.asarray(capital_per_revenue, float))


def terminal_value(next_nopat: ArrayLike, wacc_frac: ArrayLike, growth_frac: ArrayLike, roic_frac: ArrayLike) -> Array:
    """Return the value, one period before, of profits that grow for ever and reinvest what that growth needs.

    Parameters
    ----------
    next_nopat : array_like
        After-tax operating profit of the first year, any currency.
    wacc_frac, growth_frac : array_like
        Cost of capital above growth for ever.
    roic_frac : array_like
        Return on the capital added.

    Returns
    -------
    ndarray
        ``NOPAT (1 - g / ROIC) / (WACC - g)``: at ROIC = WACC it is ``NOPAT / WACC`` whatever the growth, below it
        growth lowers it.

    Raises
    ------
    InputError
        If the cost of capital does not exceed growth, or the return is not positive while there is growth.
    """
    wacc, growth, roic = np.asarray(wacc_frac, float), np.asarray(growth_frac, float), np.asarray(roic_frac, float)
    if np.any(wacc <= growth):
        message = f"cost of capital {float(wacc.min()):g} must exceed growth for ever {float(growth.max()):g}"
        raise InputError(message)
    if np.any((roic <= 0) & (growth != 0)):
        message = f"return on added capital = {float(roic.min()):g}: must be positive where growth is not zero"
        raise InputError(message)
    reinvested = np.divide(growth, roic, out=np.zeros(np.broadcast(growth, roic).shape), where=growth != 0)
    return np.asarray(np.asarray(next_nopat, float) * (1.0 - reinvested) / (wacc - growth))


def growth_value(
    growth_frac: ArrayLike,
    *,
    revenue_cur: float,
    margin_frac: ArrayLike,
    capital_per_revenue: ArrayLike,
    wacc_frac: ArrayLike,
    tax_frac: float,
    terminal_growth_frac: float,
    constant_y: int = 5,
    fade_y: int = 5,
) -> Array:
    """Return the value of a business that grows at one rate, then fades to growth for ever; arguments broadcast.

    Parameters
    ----------
    growth_frac : array_like
        Growth a year of the first `constant_y` years.
    revenue_cur : float
        Revenue of the year before the first.
    margin_frac, capital_per_revenue, wacc_frac : array_like
        EBITA over revenue, capital per unit of currency of added revenue (> 0), cost of capital.
    tax_frac, terminal_growth_frac : float
        Tax on EBITA; growth for ever.
    constant_y, fade_y : int
        Years at `growth_frac`, then years over which growth falls linearly, reaching the terminal rate in the last.

    Returns
    -------
    ndarray
        ``sum FCF / (1 + WACC)^(t - 1/2) + TV / (1 + WACC)^(n - 1/2)``, ``FCF = m (1 - tax) R_t - k (R_t - R_(t-1))``,
        and the value-driver terminal value at ROIC = ``m (1 - tax) / k``: flows fall in the middle of each year.
    """
    growth, margin = np.asarray(growth_frac, float), np.asarray(margin_frac, float)
    capital, wacc = np.asarray(capital_per_revenue, float), np.asarray(wacc_frac, float)
    profit = margin * (1.0 - tax_frac)
    revenue = np.full(growth.shape, float(revenue_cur))
    value = np.zeros(np.broadcast(growth, margin, capital, wacc).shape)
    years = constant_y + fade_y
    for year in range(1, years + 1):
        faded = max(year - constant_y, 0) / max(fade_y, 1)
        added = revenue * (growth + (terminal_growth_frac - growth) * faded)
        revenue = revenue + added
        value = value + (profit * revenue - capital * added) * (1.0 + wacc) ** -(year - 0.5)
    roic = incremental_roic(margin, tax_frac, capital)
    after = terminal_value(profit * revenue * (1.0 + terminal_growth_frac), wacc, terminal_growth_frac, roic)
    return np.asarray(value + after * (1.0 + wacc) ** -(years - 0.5))


def enterprise_value_cur(
    price_per_share: float, shares: float, rate: float, net_cash_cur: float, stakes_cur: float = 0.0
) -> float:
    """Return what the market pays for the businesses: market value less cash net of debt and stakes."""
    for name, number in (("price", price_per_share), ("shares", shares), ("rate", rate)):
        if not number > 0:
            message = f"{name} = {number:g}: must be positive"
            raise InputError(message)
    return price_per_share * shares * rate - net_cash_cur - stakes_cur


def straight_line(
    cost_cur: Array,
    paid: NDArray[np.int64],
    in_service: NDArray[np.int64],
    retired: NDArray[np.int64],
    life_quarters: float,
    quarters: int,
    *,
    most_cur: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Return depreciation, impairment and closing book value of vintages by quarter.

    Parameters
    ----------
    cost_cur : (n,)
        Price paid, or for what stood before the start (`paid` < 0) its cost then.
    paid, in_service, retired : (n,) of int
        Quarter of payment, first quarter of service and first quarter out of service; negative before the start.
    life_quarters : float
        Straight-line life, > 0.
    quarters : int
        Length of the horizon.
    most_cur : (n, t), optional
        Value in use at each quarter's end, to which a higher book value is written down.

    Returns
    -------
    depreciation_cur, impairment_cur, closing_cur : (n, t)
        What is left at retirement is impaired in that quarter. After an impairment the rest is spread evenly over the
        remaining life. ``opening + cost - depreciation - impairment = closing``.
    """
    count = cost_cur.size
    lived = np.clip(-in_service / life_quarters, 0.0, 1.0)
    book = np.where(paid < 0, cost_cur * (1.0 - lived), 0.0)
    depreciation, impairment, closing = (
        np.zeros((count, quarters)),
        np.zeros((count, quarters)),
        np.zeros((count, quarters)),
    )
    for t in range(quarters):
        book = book + np.where(paid == t, cost_cur, 0.0)
        written_off = np.where(retired <= t, book, 0.0)
        book = book - written_off
        remaining = np.maximum(life_quarters - (t - in_service), 1.0)
        depreciation[:, t] = np.where(t >= in_service, book / remaining, 0.0)
        book = book - depreciation[:, t]
        if most_cur is not None:
            excess = np.maximum(book - np.maximum(most_cur[:, t], 0.0), 0.0)
            written_off = written_off + excess
            book = book - excess
        impairment[:, t] = written_off
        closing[:, t] = book
    return depreciation, impairment, closing
