"""Model architectures: parameters, work and cache per token, and the products of each layer, from config.json alone.

``jevons.models.list`` and ``jevons.models.show`` are declared in the layer above; the package names them here.
"""

import sys
from typing import Any

import jevons
from jevons.models.checkpoints import quantised
from jevons.models.formulas import expert_parameters, layer_gemms
from jevons.models.library import Resolved, base_name, load, maker_of, names, resolve
from jevons.models.read import read_config, spec_of
from jevons.models.spec import ModelSpec
from jevons.models.types import WEIGHT_BITS, Attention, FeedForward, Gemm, LayerGroup, WeightPrecision

__all__ = [
    "WEIGHT_BITS", "Attention", "FeedForward", "Gemm", "LayerGroup", "ModelSpec", "Resolved", "WeightPrecision",
    "base_name", "expert_parameters", "layer_gemms", "list", "load", "maker_of", "names", "quantised",
    "read_config", "resolve", "search", "show", "spec_of",
]  # fmt: skip

sys.modules[__name__].__class__ = jevons.Listing


def __getattr__(name: str) -> Any:
    """Return a function that describes models on first use; the package knows where it is declared."""
    return jevons.offered("models", name)


def __dir__() -> Any:
    """Return the public names."""
    return __all__
