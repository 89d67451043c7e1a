"""What a decoder is made of: attention, feed-forward, layers, and the totals that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

AttentionKind = Literal["gqa", "mla", "linear", "ssm", "none"]
FeedForwardKind = Literal["dense", "moe", "none"]

WEIGHT_BITS = {
    "fp32": 32.0, "bf16": 16.0, "fp16": 16.0, "fp8": 8.0, "fp8_block": 8.002, "int8": 8.03, "int4": 4.25, "nvfp4": 4.5,
    "mxfp4": 4.25, "int4_g32": 4.5, "mxfp8": 8.25, "mxfp6": 6.25, "int6": 6.25, "int5": 5.25, "int3": 3.25,
    "int2": 2.25, "nf4": 4.5, "nf4_double": 4.127,
    "q8_0": 8.5, "q6_k": 6.5633, "q5_k_m": 5.7036, "q5_k_s": 5.5704, "q5_1": 6.0, "q5_0": 5.5, "q4_k_m": 4.8944,
    "q4_k_s": 4.6672, "q4_1": 5.0, "q4_0": 4.5, "iq4_nl": 4.6818, "iq4_xs": 4.4597, "q3_k_l": 4.2979, "q3_k_m": 3.9960,
    "q3_k_s": 3.6429, "iq3_m": 3.7628, "iq3_s": 3.6606, "iq3_xs": 3.4977, "iq3_xxs": 3.2548, "q2_k": 3.1593,
    "q2_k_s": 2.9697, "iq2_m": 2.9294, "iq2_s": 2.7403, "iq2_xs": 2.5882, "iq2_xxs": 2.3824, "iq1_m": 2.1460,
    "iq1_s": 2.0042,
}  # fmt: skip
"""Bits per weight with the scales.

Blocks of 128 x 128 for fp8, groups of 128 for int4 and other widths, 16 for nvfp4, 32 for mxfp4 and mxfp8, 64 for nf4
(scales in 32 bits, or quantised again). GGUF types are means over a whole file, embeddings included, as llama.cpp's
page of its quantiser lists them for Llama 3.1 8B; ``_0`` and ``_1`` types follow from their blocks of 32.
"""

GGUF = frozenset(name for name in WEIGHT_BITS if name.startswith(("q", "iq")))
"""Types of llama.cpp, which quantise the embeddings too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latent:
    """Low ranks through which queries, keys and values pass (MLA); zeros where they do not.

    Parameters
    ----------
    q_lora_rank, kv_lora_rank : int
        Compressed sizes of queries and of the cache; a grouped-query layer may compress its queries alone.
    rope_dim, nope_dim : int
        Parts of a key with and without rotation.
    one_vector : bool
        Whether all heads read the cached vector itself as key and as value, without projections.
    """

    q_lora_rank: int = 0
    kv_lora_rank: int = 0
    rope_dim: int = 0
    nope_dim: int = 0
    one_vector: bool = False

    @property
    def cached_dim(self) -> int:
        """Numbers cached per token."""
        return self.kv_lora_rank + self.rope_dim

    @property
    def key_dim(self) -> int:
        """Width of a query or key of one head."""
        return self.nope_dim + self.rope_dim


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexer:
    """What chooses the cached tokens that a query attends to.

    Parameters
    ----------
    topk : int or None
        Tokens chosen; None where a query attends to all.
    heads, dim : int
        Heads of the indexer, and the dimension of its keys.
    """

    topk: int | None = None
    heads: int = 0
    dim: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixer:
    """A linear or state-space mixer: a state of fixed size instead of a cache, or beside one.

    Parameters
    ----------
    state_elements : int
        Numbers a sequence keeps in this layer whatever its length.
    parameters : int
        Parameters, which follow from other sizes than heads.
    inner : int
        Inner width where it stands beside attention in one layer; 0 elsewhere.
    """

    state_elements: int = 0
    parameters: int = 0
    inner: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Cached entries that stand for several tokens each.

    Parameters
    ----------
    stride, recent : int
        Tokens that one cached entry stands for, and the last tokens that are kept whole beside such entries.
    inner : int
        Width of the projections that make such entries.
    """

    stride: int = 1
    recent: int = 0
    inner: int = 0


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
    chunked : bool
        Whether it looks back to the beginning of its chunk of so many tokens, rather than so far.
    latent : Latent
        Compressed queries and cache.
    indexer : Indexer
        What chooses the tokens that a query attends to.
    mixer : Mixer
        A state of fixed size.
    compression : Compression
        Cached entries that stand for several tokens.
    qkv_bias, out_bias, qk_norm, out_gate : bool
        Extra parameters; the gate doubles the query projection.
    keys_are_values : bool
        Whether one projection gives keys and values; both are cached.
    output_groups, output_rank : int
        Groups of heads that are projected to a low rank each before the output; 0 for none.
    streams : int
        Residual streams that a block reads and writes.
    extra_parameters, looked_up : int
        What no product above counts, such as connections between layers; and tables of which a token reads one row.
    cache_of_others : bool
        Whether it reads keys and values that an earlier layer cached, and makes none.
    """

    kind: AttentionKind
    heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    v_head_dim: int = 0
    window: int | None = None
    chunked: bool = False
    latent: Latent = Latent()
    indexer: Indexer = Indexer()
    mixer: Mixer = Mixer()
    compression: Compression = Compression()
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: bool = False
    out_gate: bool = False
    keys_are_values: bool = False
    output_groups: int = 0
    output_rank: int = 0
    streams: int = 1
    extra_parameters: int = 0
    looked_up: int = 0
    cache_of_others: bool = False

    @property
    def cached_elements_per_token(self) -> float:
        """Numbers kept in the cache per token in this layer."""
        if self.cache_of_others:
            return 0
        if self.kind == "gqa":
            return self.kv_heads * (self.head_dim + self.v_head_dim)
        if self.kind == "mla":
            return (self.latent.cached_dim + self.indexer.dim) / self.compression.stride
        return 0

    def seen_tokens(self, context: float) -> float:
        """Return the cached entries that one query attends to at a context: within a window, chosen, or compressed."""
        seen = min(context, self.window) if self.window else context
        if self.compression.stride > 1:
            seen /= self.compression.stride
        if self.indexer.topk:
            seen = min(seen, self.indexer.topk)
        return seen + min(self.compression.recent, context)


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
    """Precision that weights are stored in, by class; see `WEIGHT_BITS`.

    Parameters
    ----------
    attention, dense, experts, embeddings : str
        Of attention, dense feed-forward blocks, routed experts, and embedding and head.
    outputs, mixers, shared, head : str
        Of attention's output projection, of linear and state-space mixers, of shared experts, and of the head that is
        not the embedding; as attention (the first two), dense blocks and embeddings where empty.
    """

    attention: str = "bf16"
    dense: str = "bf16"
    experts: str = "bf16"
    embeddings: str = "bf16"
    outputs: str = ""
    mixers: str = ""
    shared: str = ""
    head: str = ""

    def __post_init__(self) -> None:
        """Let the finer classes follow those that they belong to."""
        object.__setattr__(self, "outputs", self.outputs or self.attention)
        object.__setattr__(self, "mixers", self.mixers or self.attention)
        object.__setattr__(self, "shared", self.shared or self.dense)
        object.__setattr__(self, "head", self.head or self.embeddings)

    @classmethod
    def uniform(cls, precision: str) -> WeightPrecision:
        """Return that precision for all matrices, embeddings kept in 16 bits unless the type quantises them."""
        key = precision.lower()
        ends = key if key in GGUF else "bf16"
        return cls(attention=key, dense=key, experts=key, embeddings=ends)


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
    precision_class: Literal["attention", "outputs", "mixers", "dense", "shared", "experts", "embeddings"]


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
    def tied_embeddings(self) -> bool:
        """Whether the head reuses the embedding."""

    @property
    def parameters_embedding(self) -> int:
        """Parameters of the input embedding, and of the head where it is not tied."""
