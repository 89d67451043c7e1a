"""Parameters, work and bytes of a decoder from its sizes; every matrix of the publishers' reference code is counted.

References
----------
Shapes follow the reference implementations of each family (Llama, Qwen, DeepSeek, Mixtral, gpt-oss, …); the sums are
checked against published totals in the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jevons.models.types import Attention, DecoderSizes, FeedForward, Gemm, LayerGroup, WeightPrecision


def attention_gemms(attention: Attention, hidden: int) -> list[Gemm]:
    """Return the projections of one attention block (not the products of queries with the cache)."""
    from jevons.models.types import Gemm

    a = attention
    if a.kind == "mla":
        return _latent_gemms(a, hidden)
    if a.kind == "gqa":
        query = a.heads * a.head_dim * (2 if a.out_gate else 1)
        narrow = []
        if rank := a.latent.q_lora_rank:
            narrow = [
                Gemm(name="attn_q_down", n=rank, k=hidden, split="replicated", precision_class="attention"),
                Gemm(name="attn_q_up", n=query, k=rank, split="column", precision_class="attention"),
            ]
            query = 0
        own = 0 if a.cache_of_others else a.kv_heads
        inner = query + own * (a.head_dim + (0 if a.keys_are_values else a.v_head_dim))
        gemms = [
            *narrow,
            Gemm(name="attn_qkv", n=inner, k=hidden, split="column", precision_class="attention"),
            Gemm(name="attn_out", n=hidden, k=a.heads * a.v_head_dim, split="row", precision_class="outputs"),
        ]
        return gemms + (_mixer_gemms(a, hidden, a.mixer.inner) if a.mixer.parameters else [])
    if a.kind in {"linear", "ssm"}:
        return _mixer_gemms(a, hidden, a.heads * a.v_head_dim)
    return []


def _mixer_gemms(a: Attention, hidden: int, inner: int) -> list[Gemm]:
    from jevons.models.types import Gemm

    into = max(a.mixer.parameters // hidden - inner, 1)
    return [
        Gemm(name="mixer_in", n=into, k=hidden, split="column", precision_class="mixers"),
        Gemm(name="mixer_out", n=hidden, k=inner, split="row", precision_class="mixers"),
    ]


def _latent_gemms(a: Attention, hidden: int) -> list[Gemm]:
    """Return the projections of latent attention, of its indexer, its compressor and its output in groups of heads."""
    from jevons.models.types import Gemm

    def product(name: str, n: int, k: int, split: Literal["column", "row", "replicated"]) -> Gemm:
        return Gemm(name=name, n=n, k=k, split=split, precision_class="attention")

    wide, values = a.heads * a.latent.key_dim, a.heads * a.v_head_dim
    if a.latent.q_lora_rank:
        gemms = [
            product("mla_q_down", a.latent.q_lora_rank, hidden, "replicated"),
            product("mla_q_up", wide, a.latent.q_lora_rank, "column"),
        ]
    else:
        gemms = [product("mla_q", wide, hidden, "column")]
    gemms.append(product("mla_kv_down", a.latent.cached_dim, hidden, "replicated"))
    if not a.latent.one_vector:
        gemms.append(
            product("mla_kv_up", a.heads * (a.latent.nope_dim + a.v_head_dim), a.latent.kv_lora_rank, "column")
        )
    if a.compression.inner:
        gemms.append(product("kv_compress", a.compression.inner, hidden, "replicated"))
    if a.out_gate:
        gemms.append(product("attn_gate", values, hidden, "column"))
    joined = values
    if a.output_groups:
        joined = a.output_groups * a.output_rank
        gemms.append(product("attn_out_down", joined, values // a.output_groups, "column"))
    gemms.append(Gemm(name="attn_out", n=hidden, k=joined, split="row", precision_class="outputs"))
    if a.indexer.heads:
        gemms.append(product("index_q", a.indexer.heads * a.indexer.dim, a.latent.q_lora_rank or hidden, "replicated"))
        if not a.compression.inner:
            gemms.append(product("index_k", a.indexer.dim, hidden, "replicated"))
        gemms.append(product("index_weight", a.indexer.heads, hidden, "replicated"))
    return gemms


def feed_forward_gemms(block: FeedForward, hidden: int) -> list[Gemm]:
    """Return the dense products of one feed-forward block; routed experts are left to the grouped product."""
    from jevons.models.types import Gemm

    sides = 2 if block.gated else 1
    if block.kind == "dense":
        return [
            Gemm(name="ffn_up", n=sides * block.hidden_inner, k=hidden, split="column", precision_class="dense"),
            Gemm(name="ffn_down", n=hidden, k=block.hidden_inner, split="row", precision_class="dense"),
        ]
    if block.kind == "moe":
        gemms = [Gemm(name="router", n=block.experts, k=hidden, split="replicated", precision_class="embeddings")]
        if block.latent:
            gemms += [
                Gemm(name="latent_down", n=block.latent, k=hidden, split="replicated", precision_class="dense"),
                Gemm(name="latent_up", n=hidden, k=block.latent, split="replicated", precision_class="dense"),
            ]
        if block.shared_inner:
            gemms += [
                Gemm(
                    name="shared_up", n=sides * block.shared_inner, k=hidden, split="column", precision_class="shared"
                ),
                Gemm(name="shared_down", n=hidden, k=block.shared_inner, split="row", precision_class="shared"),
            ]
        if block.hidden_inner:
            gemms += feed_forward_gemms(_dense_part(block), hidden)
        return gemms
    return []


def _dense_part(block: FeedForward) -> FeedForward:
    from dataclasses import replace

    return replace(block, kind="dense", experts=0, experts_per_token=0, expert_inner=0, shared_inner=0)


def layer_gemms(group: LayerGroup, hidden: int) -> list[Gemm]:
    """Return all dense products of a layer, per token and before tensor parallelism divides them."""
    return [*attention_gemms(group.attention, hidden), *feed_forward_gemms(group.feed_forward, hidden)]


def expert_parameters(block: FeedForward, hidden: int) -> int:
    """Return the parameters of one routed expert."""
    size = (3 if block.gated else 2) * (block.latent or hidden) * block.expert_inner
    return size + ((2 if block.gated else 1) * block.expert_inner + hidden if block.bias else 0)


def _attention_extras(a: Attention, hidden: int) -> int:
    extra = 0
    if a.kind == "gqa":
        if a.qkv_bias:
            extra += a.heads * a.head_dim + a.kv_heads * (a.head_dim + a.v_head_dim)
        if a.qk_norm:
            extra += 2 * a.head_dim
        if a.out_bias:
            extra += hidden
    elif a.kind == "mla":
        extra += a.latent.q_lora_rank + a.latent.kv_lora_rank + (2 * a.indexer.dim if a.indexer.heads else 0)
    if a.mixer.parameters:
        products = (g.n * g.k for g in attention_gemms(a, hidden) if g.name.startswith("mixer_"))
        extra += a.mixer.parameters - sum(products)
    return extra + a.extra_parameters


def layer_parameters(spec: DecoderSizes, group: LayerGroup, *, active: bool = False) -> int:
    """Return the parameters of one layer; with *active*, routed experts only as many as a token takes."""
    block, hidden = group.feed_forward, spec.hidden
    total = sum(gemm.n * gemm.k for gemm in layer_gemms(group, hidden))
    total += _attention_extras(group.attention, hidden) + spec.norms_per_layer * hidden
    total += 0 if active else group.attention.looked_up
    if block.kind == "dense" and block.bias:
        total += block.hidden_inner * (2 if block.gated else 1) + hidden
    if block.kind == "moe":
        experts = block.experts_per_token if active else block.experts
        total += experts * expert_parameters(block, hidden)
        total += block.experts if block.router_bias else 0
        total += hidden if block.shared_gate else 0
    return total


_LATENT_BLOCK, _SCALE_BYTES, _ROPE_BYTES = 128, 4.0, 2.0


def cached_bytes(attention: Attention, element_bytes: float) -> float:
    """Return the cache of one token in one layer over all heads [bytes].

    Notes
    -----
    With a sparse indexer, the index key is always kept in 8 bits with a 4-byte scale. In an 8-bit cache the latent then
    has a 4-byte scale for each 128 numbers, and the rotated part stays in 16 bits: 656 + 132 bytes for DeepSeek-V3.2.
    DeepSeek-V4 does the same with or without an indexer, with a 1-byte scale for each 64 numbers and one to align them:
    584 + 132 bytes an entry, and an entry for several tokens.

    References
    ----------
    FlashMLA's layout of an fp8 cache with sparse attention, as vLLM and SGLang allocate it.
    """
    if attention.cache_of_others:
        return 0.0
    index_key = index_key_bytes(attention)
    if attention.latent.one_vector:
        return (entry_bytes(attention, element_bytes) + index_key) / attention.compression.stride
    if attention.kind != "mla" or not attention.indexer.topk:
        return attention.cached_elements_per_token * element_bytes
    if element_bytes > 1.0:
        return attention.latent.cached_dim * element_bytes + index_key
    latent = attention.latent.kv_lora_rank * (element_bytes + _SCALE_BYTES / _LATENT_BLOCK)
    return latent + attention.latent.rope_dim * _ROPE_BYTES + index_key


def index_key_bytes(attention: Attention) -> float:
    """Return the key by which an indexer chooses a cached entry, with its scale [bytes]; 0 without an indexer."""
    return attention.indexer.dim + _SCALE_BYTES if attention.indexer.dim else 0.0


def entry_bytes(attention: Attention, element_bytes: float) -> float:
    """Return one cached vector that serves as key and as value [bytes]; its rotated part stays in 16 bits."""
    if element_bytes > 1.0:
        return attention.latent.cached_dim * element_bytes
    rank = attention.latent.kv_lora_rank
    return rank * element_bytes + rank / 64 + 1.0 + attention.latent.rope_dim * _ROPE_BYTES


def kept_bytes(attention: Attention, element_bytes: float) -> float:
    """Return what a sequence keeps in one layer whatever its length: states, and last tokens kept whole [bytes]."""
    recent = attention.compression.recent
    return attention.mixer.state_elements * 4.0 + (recent * entry_bytes(attention, element_bytes) if recent else 0.0)


def cached_bytes_per_token(layers: Iterable[LayerGroup], element_bytes: float) -> float:
    """Return the cache of one token in all those layers [bytes]."""
    return sum(group.count * cached_bytes(group.attention, element_bytes) for group in layers)


def weight_bytes(spec: DecoderSizes, precision: WeightPrecision) -> float:
    """Return the size of all weights in the given precisions [bytes]."""
    from jevons.models.types import WEIGHT_BITS

    head = 0 if spec.tied_embeddings else spec.vocab * spec.hidden
    bits = (spec.parameters_embedding - head) * WEIGHT_BITS[precision.embeddings] + spec.hidden * 16.0
    bits += head * WEIGHT_BITS[precision.head]
    for group in spec.layers:
        known = 0
        for gemm in layer_gemms(group, spec.hidden):
            bits += group.count * gemm.n * gemm.k * WEIGHT_BITS[getattr(precision, gemm.precision_class)]
            known += gemm.n * gemm.k
        block = group.feed_forward
        if block.kind == "moe":
            routed = block.experts * expert_parameters(block, spec.hidden)
            bits += group.count * routed * WEIGHT_BITS[precision.experts]
            known += routed
        bits += group.count * (layer_parameters(spec, group) - known) * 16.0
    return bits / 8


def flop_per_token(spec: DecoderSizes, context: int) -> float:
    """Return the work of one token's forward pass at that context [FLOP], a multiply-add counted as two."""
    flop = 2.0 * spec.vocab * spec.hidden
    for group in spec.layers:
        a, block = group.attention, group.feed_forward
        work = 2.0 * sum(gemm.n * gemm.k for gemm in layer_gemms(group, spec.hidden))
        if block.kind == "moe":
            work += 2.0 * block.experts_per_token * expert_parameters(block, spec.hidden)
        if a.indexer.topk:
            entries = (min(context, a.window) if a.window else context) / a.compression.stride
            work += 2.0 * a.indexer.heads * a.indexer.dim * entries
        seen = a.seen_tokens(context)
        if a.kind == "gqa":
            work += 2.0 * a.heads * (a.head_dim + a.v_head_dim) * seen
        elif a.kind == "mla":
            work += 2.0 * a.heads * (a.latent.key_dim + a.v_head_dim) * seen
        if a.mixer.parameters:
            work += 4.0 * a.mixer.state_elements
        flop += group.count * work
    return flop
