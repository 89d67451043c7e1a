"""The sections of a plan, such as ``plan.cost``: thin labelled views over its dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from jevons.study.plan.figures import PlanFigures

_VIEWS: dict[str, dict[str, str]] = {
    "cost": {
        "per_mtok": "cost_per_mtok",
        "device_hour": "cost_per_device_h",
        "scarcity_rent_per_h": "scarcity_rent_per_h",
    },
    "fleet": {
        "devices": "installed",
        "ordered": "ordered",
        "training": "training",
        "it_w": "it_w",
        "site_w": "site_w",
        "utilisation_frac": "utilisation_frac",
    },
    "tokens": {"per_day": "tokens_per_d", "demand_per_day": "tokens_wanted_per_d", "calls_per_day": "calls_per_d"},
    "market": {
        "price_per_mtok": "price_per_mtok",
        "scarcity": "scarcity",
        "elasticity": "elasticity",
        "loop_gain": "loop_gain",
    },
    "cash": {
        "capex": "capex",
        "ai_revenue": "ai_revenue",
        "ai_ebita": "ai_ebita",
        "ai_fcf": "ai_fcf",
    },
}
"""Section, name in it, and the variable of the dataset."""


class Section(Mapping[str, "xr.DataArray"]):
    """Labelled arrays of one subject, by attribute or by key; units are in their attributes."""

    def __init__(self, name: str, arrays: Mapping[str, xr.DataArray]) -> None:
        self._name = name
        self._arrays = dict(arrays)

    def __getattr__(self, name: str) -> xr.DataArray:
        """Return an array by name."""
        arrays = self.__dict__.get("_arrays", {})
        if name in arrays:
            array: xr.DataArray = arrays[name]
            return array
        message = f"the plan's {self.__dict__.get('_name', 'section')} has no `{name}`; there are {', '.join(arrays)}"
        raise AttributeError(message)

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return an array by name."""
        return self._arrays[name]

    def __iter__(self) -> Any:
        """Yield the names."""
        return iter(self._arrays)

    def __len__(self) -> int:
        """Return the number of arrays."""
        return len(self._arrays)

    def __dir__(self) -> list[str]:
        """Return the names."""
        return sorted(self._arrays)

    def __repr__(self) -> str:
        """Return names, dimensions, units and meanings."""
        return "\n".join(
            f"{self._name}.{name} ({', '.join(map(str, array.dims))}) [{array.attrs['units']}]: "
            f"{array.attrs['long_name']}"
            for name, array in self._arrays.items()
        )


def section(name: str, dataset: xr.Dataset) -> Section:
    """Return a section of a plan's dataset; accelerators are summed over sites."""
    arrays = {}
    for view, variable in _VIEWS[name].items():
        array = dataset[variable]
        arrays[view] = array.sum("site", keep_attrs=True) if {"device", "site"} <= set(array.dims) else array
    return Section(name, arrays)


def value_section(result: PlanFigures) -> Section:
    """Return what the plan is worth: single figures and the bridge from the parts to equity."""
    import xarray as xr

    accounts, code = result.chain.accounts, result.scenario.currency

    def single(amount: float, meaning: str, units: str = code) -> xr.DataArray:
        return xr.DataArray(float(amount), attrs={"units": units, "long_name": meaning})

    parts = [name for name, _ in accounts.valuation.bridge]
    amounts = np.array([amount for _, amount in accounts.valuation.bridge], float)
    attrs = {"units": code, "long_name": "parts of the value of equity"}
    return Section(
        "value",
        {
            "bridge": xr.DataArray(amounts, dims=("part",), coords={"part": parts}, attrs=attrs),
            "equity": single(accounts.valuation.equity_cur, "value of equity"),
            "market": single(accounts.market_value_cur, "market capitalisation"),
            "per_share": single(accounts.value_per_share_cur, "value per share"),
            "price_per_share": single(accounts.price_per_share_cur, "price per share"),
            "plan_value": single(accounts.plan_value_cur, "value of the AI cloud"),
            "orders_value": single(result.orders_value_cur, "value added by new orders"),
        },
    )
