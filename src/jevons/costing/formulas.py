"""Cost of a device-hour and of a million tokens.

References
----------
Capital recovery: the constant yearly payment that repays a price with interest, any textbook of engineering economics.
Unit cost from throughput: the device-hour over what it yields in an hour, divided by the share of hours that sell.
"""

from __future__ import annotations

import math

from jevons.costing.types import DeviceHour, FinanceTerms, TokenCost
from jevons.errors import InputError
from jevons.hardware import Accelerator, Site
from jevons.units import HOURS_PER_YEAR


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
    accelerator: Accelerator, price_cny: float, site: Site, terms: FinanceTerms, *, load_frac: float = 0.8
) -> DeviceHour:
    """Return what one accelerator costs per hour of the calendar, whether it works or not.

    Parameters
    ----------
    accelerator : Accelerator
        Sets the power: `server_w` at full load.
    price_cny : float
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

    Notes
    -----
    ``[P CRF(r, L) + P n CRF(r, L) + W b CRF(r, L_site) + P o] / 8766 + W load PUE tariff``. Leaves out taxes on
    property, insurance and land.
    """
    if price_cny <= 0:
        message = f"price = {price_cny:g} CNY: must be positive"
        raise InputError(message)
    if not 0 <= load_frac <= 1:
        message = f"load_frac = {load_frac:g}: must lie in 0..1"
        raise InputError(message)
    recovery = capital_recovery_factor(terms.wacc_frac, terms.economic_life_y)
    site_recovery = capital_recovery_factor(terms.wacc_frac, terms.site_life_y)
    energy_kwh = accelerator.server_w * load_frac * site.pue / 1000.0
    return DeviceHour(
        capital_cny=price_cny * recovery / HOURS_PER_YEAR,
        network_cny=price_cny * terms.network_frac * recovery / HOURS_PER_YEAR,
        site_cny=accelerator.server_w * site.build_cny_per_w * site_recovery / HOURS_PER_YEAR,
        energy_cny=energy_kwh * site.tariff_cny_per_kwh,
        operations_cny=price_cny * terms.operations_frac / HOURS_PER_YEAR,
        energy_kwh=energy_kwh,
        carbon_kgco2=energy_kwh * site.carbon_kgco2_per_kwh,
    )


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
