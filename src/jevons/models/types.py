"""What a decoder is made of: attention, feed-forward, layers, and the totals that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

AttentionKind = Literal["gqa", "mla", "linear", "ssm", "none"]
FeedForwardKind = Literal["dense", "moe", "none"]

WEIGHT_BITS = {
    "fp32": 32.0, "bf16": 16.0, "fp16": 16.0, "fp8": 8.0, "fp8_block": 8.002, "int8": 8.03, "int4": 4.25, "nvfp4": 4.5,
    "mxfp4": 4.25,
}  # fmt: skip
"""Bits per weight with the scales: blocks of 128 x 128 for fp8, groups of 128 for int4, 16 for nvfp4, 32 for mxfp4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """How a layer mixes tokens.

    Parameters
    ----------
    kind : str
        ``gqa`` (multi-head and multi-query are its ends), ``mla``, ``linear`` (gated delta and relatives), ``ssm``
        (Mamba-2), or ``none``.
    heads, kv_heads : int
        Query heads and key-value heads.
    head_dim, v_head_dim : int
        Dimension of a query or key, and of a value.
    window : int or None
        Tokens a query looks back; None for all.
    q_lora_rank, kv_lora_rank, rope_dim, nope_dim : int
        Of MLA: compressed sizes of queries and of the cache, and the parts of a key with and without rotation.
    sparse_topk : int or None
        Tokens a query attends to after an indexer has chosen them.
    index_heads, index_dim : int
        Of that indexer.
    state_elements : int
        Numbers a sequence keeps in this layer whatever its length (linear, ssm).
    mixer_parameters : int
        Parameters of a linear or state-space mixer, which follow from other sizes than heads.
    qkv_bias, out_bias, qk_norm, out_gate : bool
        Extra parameters; the gate doubles the query projection.
    keys_are_values : bool
        Whether one projection gives keys and values; both are cached.
    """

    kind: AttentionKind
    heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    v_head_dim: int = 0
    window: int | None = None
    q_lora_rank: int = 0
    kv_lora_rank: int = 0
    rope_dim: int = 0
    nope_dim: int = 0
    sparse_topk: int | None = None
    index_heads: int = 0
    index_dim: int = 0
    state_elements: int = 0
    mixer_parameters: int = 0
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: bool = False
    out_gate: bool = False
    keys_are_values: bool = False

    @property
    def cached_elements_per_token(self) -> int:
        """Numbers kept in the cache per token in this layer."""
        if self.kind == "gqa":
            return self.kv_heads * (self.head_dim + self.v_head_dim)
        if self.kind == "mla":
            return self.kv_lora_rank + self.rope_dim + self.index_dim
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForward:
    """How a layer transforms each token.

    Parameters
    ----------
    kind : str
        ``dense``, ``moe`` or ``none``.
    hidden_inner : int
        Inner size of a dense block.
    gated : bool
        Whether it has two inner matrices (SwiGLU) instead of one.
    experts, experts_per_token, expert_inner : int
        Routed experts, how many a token takes, their inner size.
    shared_inner : int
        Inner size of the experts that all tokens take, together.
    latent : int
        Width that routed experts work in where it is not the model's; 0 otherwise.
    router_bias, shared_gate, bias : bool
        Extra parameters.
    """

    kind: FeedForwardKind
    hidden_inner: int = 0
    gated: bool = True
    experts: int = 0
    experts_per_token: int = 0
    expert_inner: int = 0
    shared_inner: int = 0
    latent: int = 0
    router_bias: bool = False
    shared_gate: bool = False
    bias: bool = False


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """Layers of one make, not necessarily neighbours."""

    count: int
    attention: Attention
    feed_forward: FeedForward


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPrecision:
    """Precision that weights are stored in, by class; see `WEIGHT_BITS`."""

    attention: str = "bf16"
    dense: str = "bf16"
    experts: str = "bf16"
    embeddings: str = "bf16"

    @classmethod
    def uniform(cls, precision: str) -> WeightPrecision:
        """Return that precision for all matrices, embeddings kept in 16 bits."""
        return cls(attention=precision, dense=precision, experts=precision, embeddings="bf16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemm:
    """A matrix product of a layer, per token: ``[tokens, k] x [k, n]``.

    Parameters
    ----------
    name : str
        ``attn_qkv``, ``attn_out``, ``mla_q_down``, ``ffn_up``, ``router``, ``shared_up``, …
    n, k : int
        Output and inner size on one device.
    split : str
        What tensor parallelism divides: ``column`` (n), ``row`` (k), ``replicated``.
    precision_class : str
        Field of `WeightPrecision`.
    """

    name: str
    n: int
    k: int
    split: Literal["column", "row", "replicated"]
    precision_class: Literal["attention", "dense", "experts", "embeddings"]


class DecoderSizes(Protocol):
    """The sizes of a whole decoder that sums over its layers need; `jevons.models.spec.ModelSpec` has them."""

    @property
    def hidden(self) -> int:
        """Width of the residual stream."""

    @property
    def vocab(self) -> int:
        """Rows of the embedding."""

    @property
    def layers(self) -> tuple[LayerGroup, ...]:
        """All layers, those of one make together."""

    @property
    def norms_per_layer(self) -> int:
        """Vectors of the hidden size that norms hold per layer."""

    @property
    def parameters_embedding(self) -> int:
        """Parameters of the input embedding, and of the head where it is not tied."""
