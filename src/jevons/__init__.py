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

TYPE_CHECKING = False  # `typing` takes longer to load than all of this, before an interruption is taken
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

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
_PARTS = {
    "op": "operators",
    **{name: name for name in ("facts", "hardware", "models", "operators", "serving", "training", "study")},
}
"""Parts by the names they are asked for: `op` is `operators`, as at the command line."""
_HOMES = {
    **{name: f"jevons.api.{name}" for name in _FUNCTIONS},
    "load": "jevons.study",
    "serve": "jevons.web.serve",
    "Scenario": "jevons.study",
    "PlanResult": "jevons.study",
    "ValueResult": "jevons.study.plan.value",
    "accelerator": "jevons.api.devices",
    "device": "jevons.api.devices",
    "devices": "jevons.api.devices",
    "engines": "jevons.api.devices",
    "model": "jevons.api.models",
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
    "models": {
        "list": "jevons.api.models:list_", "search": "jevons.api.models:list_", "show": "jevons.api.models:show",
    },
    "study": {
        "backtest": "jevons.api.study:backtest", "foresight": "jevons.api.study:foresight",
        "growth": "jevons.api.study:growth", "montecarlo": "jevons.api.study:montecarlo",
        "open": "jevons.api.store:open_", "prune": "jevons.api.store:prune",
        "resolved": "jevons.api.study:resolved",
        "sensitivity": "jevons.api.study:sensitivity", "sweep": "jevons.api.study:sweep",
        "yardsticks": "jevons.api.study:yardsticks",
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
    ("accelerator", "result"): "jevons.sizing.catalogue:described",
    ("model", "result"): "jevons.models.result:described",
    ("fact", "result"): "jevons.facts.result:described",
    ("fact_value", "result"): "jevons.facts.result:value_described",
}

_EVERY = {
    "picture": "jevons.plot.style:write_figure",
    "page": "jevons.web.frozen:result_page",
    "notebook": "jevons.web.frozen:notebook",
}
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
        return importlib.import_module(f"jevons.{_PARTS[name]}")
    raise unknown(__name__, name, __all__)


_MEANT = {
    "cluster": "hardware.cluster", "gpu": "device", "chip": "device", "gpus": "devices",
    "chips": "devices",
    "engine": "engines", "tune": "size", "serve_model": "simulate", "simulation": "simulate", "pricing": "cost",
    "price": "cost", "economics": "cost", "backtest": "study.backtest", "montecarlo": "study.montecarlo",
    "monte_carlo": "study.montecarlo", "sensitivity": "study.sensitivity", "sweep": "study.sweep",
    "growth": "study.growth", "foresight": "study.foresight",
    "yardsticks": "study.yardsticks", "fact": "facts.get", "search": "facts.search",
    "get": "facts.get", "gemm": "operators.gemm", "matmul": "gemm", "attention": "operators.attention",
    "moe": "operators.moe", "mla": "operators.mla", "allreduce": "operators.allreduce",
    "all_reduce": "operators.all_reduce", "buy_or_rent": "buy_rent_api", "rent": "buy_rent_api",
    "rent_or_buy": "buy_rent_api", "open": "load", "scenario": "load", "read_scenario": "load", "web": "serve",
    "report": "plan", "list_models": "models", "list_devices": "devices", "mem": "memory", "fits": "memory",
}  # fmt: skip
"""What other words mean here."""


def unknown(module: str, name: str, known: Sequence[str]) -> AttributeError:
    """Return the error of a name that a part of the package has not, with the one that likely was meant."""
    meant = _MEANT.get(name.lower(), "")
    near = f" Did you mean `{meant}`?" if meant.partition(".")[0] in known else ""
    if not near and not name.startswith("_"):
        from jevons.errors import did_you_mean

        near = did_you_mean(name, known)
    return AttributeError(f"module `{module}` has no attribute `{name}`.{near}")


class Part(types.ModuleType):
    """A part of the package that is no function: a call is answered with the functions it has."""

    def __call__(self, *_given: Any, **_options: Any) -> NoReturn:
        """Refuse the call."""
        from jevons.errors import ArgumentError

        own = [name for name in dir(self) if name[0].islower()]
        message = f"{self.__name__} is a part, not a function; it has {', '.join(own)}"
        raise ArgumentError(message)


class Listing(types.ModuleType):
    """A part that lists what is on file when it is called, such as ``jevons.models()``, and finds it by its name."""

    def __call__(self, *words: Any, **options: Any) -> Any:
        """Return what the part's ``list`` returns."""
        return self.list(*words, **options)

    def __getitem__(self, name: str) -> Any:
        """Return what the part has under a name: ``jevons.facts["h20.price_cny"]``, ``jevons.models["qwen3-32b"]``."""
        return (self.get if hasattr(self, "get") else self.load)(name)

    def __iter__(self) -> Any:
        """Yield what the part lists."""
        return iter(self.list())

    def __len__(self) -> int:
        """Return how many the part lists."""
        return len(self.list())

    def __contains__(self, name: object) -> bool:
        """Return whether the part lists a name."""
        return name in self.list()

    def __bool__(self) -> bool:
        """Return true: the part is there."""
        return True


def offered(part: str, name: str) -> Any:
    """Return a declared function that a part of the package offers under its own name, such as `facts.search`.

    Raises
    ------
    AttributeError
        If the part offers no such function.
    """
    place = _OFFERED.get(part, {}).get(name)
    if place is None:
        module = importlib.import_module(f"jevons.{part}")
        raise unknown(module.__name__, name, dir(module))
    return _at(place)


def _at(place: str) -> Any:
    """Return what stands at ``module:name``."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def face(kind: str, what: str) -> Any:
    """Return pictures (``plot``), page (``page``, ``notebook``) or ``workbook`` of a kind of result, or None.

    Pictures and pages stand below the stages, which do not import them; a result asks the package for its own. So does
    a part, such as a device, for the ``result`` that describes it.
    """
    place = _FACES.get((kind, what)) or _EVERY.get(what)
    return None if place is None else _at(place)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
