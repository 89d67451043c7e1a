"""Composes the stages: loads scenarios, runs the chain, explores uncertainty, explains results.

``jevons.study.montecarlo``, ``sweep``, ``sensitivity``, ``foresight``, ``growth``, ``backtest`` and ``yardsticks`` are
declared in the layer above; the package names them here.
"""

import sys
from typing import Any

import jevons
from jevons.study.plan.result import PlanResult
from jevons.study.plan.run import plan
from jevons.study.scenario.load import load
from jevons.study.scenario.scenario import Scenario

__all__ = [
    "PlanResult", "Scenario", "backtest", "foresight", "growth", "load", "montecarlo", "plan", "resolved",
    "sensitivity", "sweep", "yardsticks",
]  # fmt: skip

sys.modules[__name__].__class__ = jevons.Part


def __getattr__(name: str) -> Any:
    """Return a public function of studies on first use; the package knows where it is declared."""
    return jevons.offered("study", name)


def __dir__() -> Any:
    """Return the public names."""
    return __all__
