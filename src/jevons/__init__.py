"""`jevons` plans, simulates and prices AI compute, from one matrix product to what a share price implies.

>>> import jevons
>>> jevons.accelerator("h100_sxm").name
'NVIDIA H100 SXM5 80GB'
>>> round(jevons.cost(gpu="h20").per_hour, 2)  # USD
1.07
"""

from __future__ import annotations

import importlib
import types
from typing import Any

__version__ = "0.1.0"

_FUNCTIONS = (
    "buy_rent_api",
    "calibrate",
    "compare",
    "cost",
    "memory",
    "new",
    "plan",
    "read",
    "simulate",
    "size",
    "track",
    "train",
    "validate",
    "value",
)
_PARTS = ("facts", "hardware", "models", "operators", "serving", "training", "study")
_HOMES = {
    **{name: f"jevons.api.{name}" for name in _FUNCTIONS},
    "load": "jevons.study",
    "serve": "jevons.web.serve",
    "Scenario": "jevons.study",
    "PlanResult": "jevons.study",
    "ValueResult": "jevons.study.plan.value",
    "accelerator": "jevons.hardware",
    "device": "jevons.api.devices",
    "devices": "jevons.api.devices",
    "engines": "jevons.api.devices",
    "model": "jevons.models",
    "JevonsError": "jevons.errors",
    "InputError": "jevons.errors",
    "FactError": "jevons.errors",
    "InfeasibleError": "jevons.errors",
    "SolverError": "jevons.errors",
}

_OFFERED = {
    "facts": {
        "list": "jevons.api.facts:list_", "search": "jevons.api.facts:search", "show": "jevons.api.facts:show",
        "check": "jevons.api.facts:check",
    },
    "models": {"list": "jevons.api.models:list_", "show": "jevons.api.models:show"},
    "study": {
        "backtest": "jevons.api.study:backtest", "foresight": "jevons.api.study:foresight",
        "growth": "jevons.api.study:growth", "montecarlo": "jevons.api.study:montecarlo",
        "open": "jevons.api.store:open_", "prune": "jevons.api.store:prune",
        "resolved": "jevons.api.study:resolved",
        "sensitivity": "jevons.api.study:sensitivity", "sweep": "jevons.api.study:sweep",
    },
}  # fmt: skip
"""Functions of the layer above that a part offers too: the part asks the package, and imports nothing upward."""

_FACES = {
    ("plan", "plot"): "jevons.plot.plan:PICTURES",
    ("plan", "workbook"): "jevons.report.workbook:write_plan",
    ("value", "workbook"): "jevons.report.workbook:write_value",
    ("track", "plot"): "jevons.plot.track:FIGURES",
    ("compare", "plot"): "jevons.plot.compare:FIGURES",
    ("simulation", "plot"): "jevons.plot.simulation:FIGURES",
    ("fleet", "plot"): "jevons.plot.simulation:FLEET_FIGURES",
    ("sweep", "plot"): "jevons.plot.simulation:SWEEP_FIGURES",
    ("train", "plot"): "jevons.plot.training:FIGURES",
    ("size", "plot"): "jevons.plot.size:FIGURES",
    ("buy_rent_api", "plot"): "jevons.plot.size:FIGURES",
    ("backtest", "plot"): "jevons.plot.backtest:FIGURES",
    ("sensitivity", "plot"): "jevons.plot.sensitivity:FIGURES",
}

_EVERY = {"page": "jevons.web.frozen:result_page", "notebook": "jevons.web.frozen:notebook"}
"""Faces that every kind of result has."""

__all__ = [  # noqa: PLE0604 - the names are loaded on first use, so that `import jevons` stays fast
    "__version__",
    *_HOMES,
    *_PARTS,
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _PARTS:
        return importlib.import_module(f"jevons.{name}")
    from jevons.errors import did_you_mean

    near = "" if name.startswith("_") else did_you_mean(name, __all__)
    message = f"module `jevons` has no attribute `{name}`.{near}"
    raise AttributeError(message)


class Listing(types.ModuleType):
    """A part that lists what is on file when it is called, such as ``jevons.models()``."""

    def __call__(self, *words: Any, **options: Any) -> Any:
        """Return what the part's ``list`` returns."""
        return self.list(*words, **options)


def offered(part: str, name: str) -> Any:
    """Return a declared function that a part of the package offers under its own name, such as `facts.search`.

    Raises
    ------
    AttributeError
        If the part offers no such function.
    """
    place = _OFFERED.get(part, {}).get(name)
    if place is None:
        message = f"module `jevons.{part}` has no attribute `{name}`"
        raise AttributeError(message)
    return _at(place)


def _at(place: str) -> Any:
    """Return what stands at ``module:name``."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def face(kind: str, what: str) -> Any:
    """Return pictures (``plot``), page (``page``, ``notebook``) or ``workbook`` of a kind of result, or None.

    Pictures and pages stand below the stages, which do not import them; a result asks the package for its own.
    """
    place = _FACES.get((kind, what)) or _EVERY.get(what)
    return None if place is None else _at(place)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
