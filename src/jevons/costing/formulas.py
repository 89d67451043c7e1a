"""Cost of a device-hour and of a million tokens.

References
----------
Capital recovery: the constant yearly payment that repays a price with interest, any textbook of engineering economics.
Unit cost from throughput: the device-hour over what it yields in an hour, divided by the share of hours that sell.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jevons.costing.types import DeviceHour, FinanceTerms, TokenCost
from jevons.errors import InputError
from jevons.formula import Formula, Symbol
from jevons.hardware import Accelerator, Site
from jevons.units import HOURS_PER_YEAR

if TYPE_CHECKING:
    from jevons.arrays import Array

_PRICE = Symbol("device with its share of the server", "CNY")
_SERVER_W = Symbol("power of the device with its share of the server, at full load", "W")
_RECOVERY = Symbol("yearly payment per CNY of a device's price", "1/y")
_OF_PRICE = "as a share of the device's price"

RECOVERY = Formula(
    "rate / (1 - (1 + rate) ** -life)",
    "1/y",
    {"rate": Symbol("cost of capital a year"), "life": Symbol("years in which the payments repay the price", "y")},
)
"""Yearly payment per CNY of a price; `capital_recovery_factor` computes it so that a rate of 0 does no harm."""

CAPITAL = Formula(f"price * recovery / {HOURS_PER_YEAR:g}", "CNY/h", {"price": _PRICE, "recovery": _RECOVERY})
NETWORK = Formula(
    f"price * network * recovery / {HOURS_PER_YEAR:g}",
    "CNY/h",
    {"price": _PRICE, "network": Symbol(f"network and storage {_OF_PRICE}"), "recovery": _RECOVERY},
)
SITE = Formula(
    f"mean(server_w * build * site_recovery / {HOURS_PER_YEAR:g})",
    "CNY/h",
    {
        "server_w": _SERVER_W,
        "build": Symbol("building, power and cooling per watt of IT load, by site", "CNY/W"),
        "site_recovery": Symbol("yearly payment per CNY of a building's price", "1/y"),
    },
)
ENERGY = Formula(
    "mean(server_w * load * pue / 1000 * tariff)",
    "CNY/h",
    {
        "server_w": _SERVER_W,
        "load": Symbol("mean power over full power"),
        "pue": Symbol("facility energy over IT energy, by site"),
        "tariff": Symbol("price of electricity, by site", "CNY/kWh"),
    },
)
OPERATIONS = Formula(
    f"price * operations / {HOURS_PER_YEAR:g}",
    "CNY/h",
    {"price": _PRICE, "operations": Symbol(f"staff, spares and maintenance a year {_OF_PRICE}")},
)
DEVICE_HOUR = Formula(
    "capital + network + site + energy + operations",
    "CNY/h",
    {
        name: Symbol(f"part of the device-hour: {name}", "CNY/h")
        for name in ("capital", "network", "site", "energy", "operations")
    },
)


def capital_recovery_factor(rate_frac: float, life_y: float) -> float:
    """Return the yearly payment per unit of price that repays it with interest over its life.

    Parameters
    ----------
    rate_frac : float
        Interest a year, >= 0.
    life_y : float
        Years, > 0.

    Raises
    ------
    InputError
        If the life is not positive or the rate is negative.

    Examples
    --------
    >>> round(capital_recovery_factor(0.10, 4.0), 5), capital_recovery_factor(0.0, 4.0)
    (0.31547, 0.25)
    """
    if life_y <= 0 or rate_frac < 0:
        message = f"rate {rate_frac:g} and life {life_y:g} y: the rate must be >= 0 and the life > 0"
        raise InputError(message)
    if rate_frac * life_y < 1e-12:
        return 1.0 / life_y
    return -rate_frac / math.expm1(-life_y * math.log1p(rate_frac))


def device_hour(
    accelerator: Accelerator, price_cur: float, site: Site, terms: FinanceTerms, *, load_frac: float
) -> DeviceHour:
    """Return what one accelerator costs per hour of the calendar, whether it works or not.

    Parameters
    ----------
    accelerator : Accelerator
        Sets the power: `server_w` at full load.
    price_cur : float
        Device with its share of the server [CNY].
    site : Site
        Tariff, PUE, building cost.
    terms : FinanceTerms
        Rate, lives, shares.
    load_frac : float
        Mean power over full power, 0..1.

    Returns
    -------
    DeviceHour
        Parts in CNY per hour, energy in kWh and emissions in kg CO2 per hour.

    Raises
    ------
    InputError
        If the price is not positive, or the load lies outside 0..1.

    Notes
    -----
    The sum of `CAPITAL`, `NETWORK`, `SITE`, `ENERGY` and `OPERATIONS`. Leaves out taxes on property, insurance and
    land.
    """
    if price_cur <= 0:
        message = f"price = {price_cur:g} CNY: must be positive"
        raise InputError(message)
    if not 0 <= load_frac <= 1:
        message = f"load_frac = {load_frac:g}: must lie in 0..1"
        raise InputError(message)
    parts = hour_parts(price_cur, accelerator.server_w, site, terms, load_frac=load_frac)
    energy_kwh = accelerator.server_w * load_frac * site.pue / 1000.0
    return DeviceHour(
        **{f"{name}_cur": part for name, part in parts.items()},
        energy_kwh=energy_kwh,
        carbon_kgco2=energy_kwh * site.carbon_kgco2_per_kwh,
    )


def hour_parts(
    price_cur: float | Array, server_w: float, site: Site, terms: FinanceTerms, *, load_frac: float
) -> dict[str, Any]:
    """Return the parts of a device-hour's cost by name [CNY/h], those of the price for one price or several (n,)."""
    recovery = capital_recovery_factor(terms.wacc_frac, terms.economic_life_y)
    site_recovery = capital_recovery_factor(terms.wacc_frac, terms.site_life_y)
    return {
        "capital": CAPITAL(price=price_cur, recovery=recovery),
        "network": NETWORK(price=price_cur, network=terms.network_frac, recovery=recovery),
        "site": SITE(server_w=server_w, build=site.build_cur_per_w, site_recovery=site_recovery),
        "energy": ENERGY(server_w=server_w, load=load_frac, pue=site.pue, tariff=site.tariff_cur_per_kwh),
        "operations": OPERATIONS(price=price_cur, operations=terms.operations_frac),
    }


def token_cost(
    hour_cost: float,
    *,
    input_tok_per_s: float,
    output_tok_per_s: float,
    cached_tok_per_s: float | None = None,
    mix: tuple[float, float, float] = (1.0, 0.0, 1.0),
    utilisation_frac: float = 1.0,
    availability_frac: float = 1.0,
) -> TokenCost:
    """Return cost per million tokens from the cost of a device-hour and its throughputs.

    Parameters
    ----------
    hour_cost : float
        Cost of one device for one hour, any currency, >= 0.
    input_tok_per_s, output_tok_per_s : float
        Tokens a device computes per second when it does nothing else [tok/s], > 0.
    cached_tok_per_s : float, optional
        Input tokens read from the cache per device-second; free of cost where not given.
    mix : tuple of float
        Relative numbers of uncached input, cached input and output tokens of the blend.
    utilisation_frac, availability_frac : float
        Share of hours that sell, and that work, in (0, 1].

    Returns
    -------
    TokenCost
        Per million tokens, in the currency of *hour_cost*.

    Raises
    ------
    InputError
        If a throughput, a share or the blend is not positive.
    """
    for name, number in (
        ("input_tok_per_s", input_tok_per_s),
        ("output_tok_per_s", output_tok_per_s),
        ("utilisation_frac", utilisation_frac),
        ("availability_frac", availability_frac),
        ("sum of mix", sum(mix)),
    ):
        if not number > 0:
            message = f"{name} = {number:g}: must be positive"
            raise InputError(message)
    per_second = hour_cost / 3600.0 / utilisation_frac / availability_frac
    uncached = per_second / input_tok_per_s * 1e6
    cached = 0.0 if cached_tok_per_s is None else per_second / cached_tok_per_s * 1e6
    output = per_second / output_tok_per_s * 1e6
    blended = (mix[0] * uncached + mix[1] * cached + mix[2] * output) / sum(mix)
    return TokenCost(input_per_mtok=uncached, cached_per_mtok=cached, output_per_mtok=output, blended_per_mtok=blended)
