"""Draws and grids as labelled datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.study.draws.outcomes import OUTCOMES, PATHS
from jevons.study.draws.run import Draws
from jevons.study.scenario.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr


def study_dataset(scenario: Scenario, draws: Draws, *, random: bool) -> xr.Dataset:
    """Return outcomes along ``draw`` with inputs and paths, or along the axes of a grid, with units as attributes."""
    import xarray as xr

    amounts = scenario.amounts()
    about = {name: {"units": unit, "long_name": meaning} for name, (unit, meaning) in OUTCOMES.items()}
    if not random:
        return _grid(draws, {path: amounts[path].unit for path in draws.names}, about)
    variables: dict[str, Any] = {
        name: ("draw", values, about.get(name, {})) for name, values in draws.outcomes.items() if name in OUTCOMES
    }
    variables["inputs"] = (
        ("draw", "input"),
        draws.values,
        {"units": "by input_unit", "long_name": "drawn inputs, each in its own unit"},
    )
    coordinates: dict[str, Any] = {
        "draw": np.arange(draws.values.shape[0]),
        "input": list(draws.names),
        "input_unit": ("input", [amounts[name].unit if name in amounts else "1" for name in draws.names]),
        "quarter": list(scenario.labels()),
    }
    for name, (unit, meaning) in PATHS.items():
        if name in draws.paths:
            named = f"{name}_path"
            variables[named] = (("draw", "quarter"), draws.paths[name], {"units": unit, "long_name": meaning})
    return xr.Dataset(variables, coordinates, {"scenario": scenario.name, "as_of": str(scenario.as_of)})


def _grid(draws: Draws, units: dict[str, str], about: dict[str, dict[str, str]]) -> xr.Dataset:
    import xarray as xr

    axes = [np.unique(column) for column in draws.values.T]
    places = tuple(np.searchsorted(axis, column) for axis, column in zip(axes, draws.values.T, strict=True))
    variables = {}
    for name in OUTCOMES:
        values = np.full([axis.size for axis in axes], np.nan)
        values[places] = draws.outcomes[name]
        variables[name] = (draws.names, values, about[name])
    coordinates: dict[str, Any] = {
        path: (path, axis, {"units": units[path]}) for path, axis in zip(draws.names, axes, strict=True)
    }
    return xr.Dataset(variables, coordinates)
