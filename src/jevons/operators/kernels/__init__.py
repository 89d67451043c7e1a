"""The kernels of operators on arrays: from shapes, a precision and a device or cluster to times and their bounds."""

from jevons.operators.engines import kernel_engines
from jevons.operators.factors import Factors
from jevons.operators.kernels.attention import attended_pairs, attention_decode, attention_prefill
from jevons.operators.kernels.collectives import (
    all_gather,
    all_reduce,
    all_to_all,
    moe_combine,
    moe_dispatch,
    point_to_point,
    reduce_scatter,
)
from jevons.operators.kernels.gemm import elementwise, gemm
from jevons.operators.kernels.mla import mla_decode, mla_prefill
from jevons.operators.kernels.moe import moe_gemm
from jevons.operators.kernels.routing import active_experts
from jevons.operators.types import BOUNDS, PRECISIONS, OpTime

__all__ = [
    "BOUNDS",
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
    "kernel_engines",
    "mla_decode",
    "mla_prefill",
    "moe_combine",
    "moe_dispatch",
    "moe_gemm",
    "point_to_point",
    "reduce_scatter",
]
