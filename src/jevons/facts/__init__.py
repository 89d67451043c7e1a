"""Dated, sourced, graded figures. A figure published after the date asked for is invisible.

``jevons.facts.list``, ``search`` and ``show`` are declared in the layer above; the package names them here.
"""

import sys
from typing import Any

import jevons
from jevons.facts.rates import cny_per
from jevons.facts.read import changed, default_facts, get, load_facts, series
from jevons.facts.types import Fact, Facts, FactValue, Source

__all__ = [
    "Fact", "FactValue", "Facts", "Source", "changed", "cny_per", "default_facts", "get", "list", "load_facts",
    "search", "series", "show",
]  # fmt: skip

sys.modules[__name__].__class__ = jevons.Listing


def __getattr__(name: str) -> Any:
    """Return a function that lists facts on first use; the package knows where it is declared."""
    return jevons.offered("facts", name)


def __dir__() -> Any:
    """Return the public names."""
    return __all__
