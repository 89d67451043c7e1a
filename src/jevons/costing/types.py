"""Terms of finance, and the cost of a device-hour and of tokens, by part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FinanceTerms:
    """How capital is charged.

    Parameters
    ----------
    wacc_frac : float
        Weighted average cost of capital a year, nominal.
    economic_life_y : float
        Years in which a device earns its price. Obsolescence sets it, not the accounts.
    site_life_y : float
        Years of buildings, power and cooling.
    network_frac : float
        Network and storage as a share of the device's price.
    operations_frac : float
        Staff, spares and maintenance a year as a share of the device's price.
    """

    wacc_frac: float
    economic_life_y: float
    site_life_y: float
    network_frac: float
    operations_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHour:
    """Cost of one accelerator for one hour, busy or not [CNY/h].

    Parameters
    ----------
    capital_cur, network_cur, site_cur, energy_cur, operations_cur : float
        The parts.
    energy_kwh, carbon_kgco2 : float
        Electricity drawn with PUE, and its emissions.
    """

    capital_cur: float
    network_cur: float
    site_cur: float
    energy_cur: float
    operations_cur: float
    energy_kwh: float
    carbon_kgco2: float

    @property
    def total_cur(self) -> float:
        """All parts [CNY/h]."""
        return self.capital_cur + self.network_cur + self.site_cur + self.energy_cur + self.operations_cur


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCost:
    """Cost of a million tokens by kind, in the currency of the device-hour."""

    input_per_mtok: float
    cached_per_mtok: float
    output_per_mtok: float
    blended_per_mtok: float
