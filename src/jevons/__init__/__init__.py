"""`jevons` plans, simulates and prices AI compute, from one matrix product to what a share price implies.

>>> import jevons
>>> scenario = jevons.load("scenarios/alibaba-380bn.yaml")  # doctest: +SKIP
>>> plan = jevons.plan(scenario, seed=7)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load": "jevons.study",
    "plan": "jevons.study",
    "Scenario": "jevons.study",
    "PlanResult": "jevons.study",
    "size": "jevons.study",
    "compare": "jevons.study",
    "preset": "jevons.study",
    "train": "jevons.study",
    "JevonsError": "jevons.errors",
    "InputError": "jevons.errors",
    "FactError": "jevons.errors",
    "InfeasibleError": "jevons.errors",
    "SolverError": "jevons.errors",
}

__all__ = [  # noqa: PLE0604 - the names are loaded on first use, so that `import jevons` stays fast
    "__version__",
    *_HOMES,
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module `jevons` has no attribute `{name}`"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
