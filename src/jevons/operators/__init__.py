"""Operators: from a shape, a precision and a device or link to a time and the bound that sets it."""

from jevons.operators.attention import attended_pairs, attention_decode, attention_prefill
from jevons.operators.collectives import (
    all_gather,
    all_reduce,
    all_to_all,
    moe_combine,
    moe_dispatch,
    point_to_point,
    reduce_scatter,
)
from jevons.operators.factors import ENGINES, Factors
from jevons.operators.gemm import elementwise, gemm
from jevons.operators.mla import mla_decode, mla_prefill
from jevons.operators.moe import moe_gemm
from jevons.operators.routing import active_experts
from jevons.operators.types import BOUNDS, PRECISIONS, OpTime

__all__ = [
    "BOUNDS",
    "ENGINES",
    "PRECISIONS",
    "Factors",
    "OpTime",
    "active_experts",
    "all_gather",
    "all_reduce",
    "all_to_all",
    "attended_pairs",
    "attention_decode",
    "attention_prefill",
    "elementwise",
    "gemm",
    "mla_decode",
    "mla_prefill",
    "moe_combine",
    "moe_dispatch",
    "moe_gemm",
    "point_to_point",
    "reduce_scatter",
]
