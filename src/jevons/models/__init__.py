"""Model architectures: parameters, work and cache per token, and the products of each layer, from config.json alone."""

from jevons.models.checkpoints import quantised
from jevons.models.formulas import expert_parameters, layer_gemms
from jevons.models.library import Resolved, load, model, names, resolve
from jevons.models.read import read_config, spec_of
from jevons.models.spec import ModelSpec
from jevons.models.types import WEIGHT_BITS, Attention, FeedForward, Gemm, LayerGroup, WeightPrecision

__all__ = [
    "WEIGHT_BITS", "Attention", "FeedForward", "Gemm", "LayerGroup", "ModelSpec", "Resolved", "WeightPrecision",
    "expert_parameters", "layer_gemms", "load", "model", "names", "quantised", "read_config", "resolve", "spec_of",
]  # fmt: skip
