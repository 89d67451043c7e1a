"""One reader for all decoders that say their layers in the common keys; a family adds what its code fixes unsaid."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jevons.models import _mixers
from jevons.models._config import Config
from jevons.models._plan import BOTH, FULL, LOCAL, NEITHER, STATE, layer_kinds, sparse_layers
from jevons.models.types import Attention, FeedForward

Layers = list[tuple[Attention, FeedForward]]

EXPERTS = (
    "n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts", "num_routed_experts", "n_experts",
    "moe_num_primary_experts",
)  # fmt: skip
_TAKEN = (
    "num_experts_per_tok", "num_experts_per_token", "experts_per_token", "top_k_experts", "moe_k", "moe_topk",
    "moe_top_k", "moe_router_topk", "num_selected_experts", "num_activated_experts", "router_top_k",
)  # fmt: skip
_INNER = (
    "moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size", "ffn_dim_exps", "intermediate_size",
    "ffn_hidden_size",
)  # fmt: skip
_SHARED = (
    "n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert", "moe_num_shared_expert",
)  # fmt: skip
_SHARED_INNER = (
    "shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size",
    "share_expert_dim", "moe_shared_intermediate_size",
)  # fmt: skip


_WINDOW = 4096
"""Tokens that layers named as sliding look back where the file does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a family's code fixes and its config.json does not say.

    Parameters
    ----------
    qkv_bias, out_bias, qk_norm, feed_bias, router_bias, shared_gate : bool
        Extra parameters that all models of the family have.
    out_follows : bool
        Whether ``attention_bias`` also gives the output projection one.
    gated : bool
        Whether a feed-forward block has two inner matrices.
    windowed : bool
        Whether ``sliding_window`` alone gives all layers a window.
    every : int
        One layer in so many is full, the others have a window, where the file names none; 0 for all full.
    """

    qkv_bias: bool = False
    out_bias: bool = False
    out_follows: bool = False
    qk_norm: bool = False
    gated: bool = True
    feed_bias: bool = False
    router_bias: bool = False
    shared_gate: bool = False
    windowed: bool = False
    every: int = 0


def attention(config: Config, traits: Traits) -> Attention:
    """Return the attention of layers without a window."""
    if config.raw.get("kv_lora_rank") is not None:
        return _mixers.mla(config)
    plain = _mixers.gqa(config, window=None)
    return replace(
        plain,
        qkv_bias=plain.qkv_bias or traits.qkv_bias,
        qk_norm=traits.qk_norm or config.flag("use_qk_norm", "qk_norm", "qk_layernorm", "use_query_key_norm"),
        out_bias=traits.out_bias
        or config.flag("attention_out_bias", default=traits.out_follows and config.flag("attention_bias")),
        out_gate=config.flag("attn_output_gate", "use_attn_output_gate"),
    )


def dense(config: Config, traits: Traits) -> FeedForward:
    """Return a dense feed-forward block."""
    hidden = _mixers.width(config)
    names = (
        "intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "dense_intermediate_size", "feed_forward_size",
        "ff_intermediate_size", "block_ff_dim", "shared_intermediate_size",
    )  # fmt: skip
    inner = of_list(config, *names, default=None if traits.gated else 4 * hidden)
    if config.raw.get("block_auto_adjust_ff_dim"):
        inner = _adjusted(config, inner)
    return FeedForward(
        kind="dense", hidden_inner=inner, gated=traits.gated, bias=traits.feed_bias or config.flag("mlp_bias")
    )


def _adjusted(config: Config, inner: int) -> int:
    """Return the width after LFM2's rule: two thirds, scaled, up to a multiple."""
    scaled = int(config.number("block_ffn_dim_multiplier", default=1.0, most=100.0) * int(2 * inner / 3))
    multiple = config.integer("block_multiple_of", default=256, least=1)
    return -(-scaled // multiple) * multiple


def moe(config: Config, traits: Traits) -> FeedForward:
    """Return routed experts and those that all tokens take."""
    inner = of_list(config, *_INNER)
    shared = of_list(config, *_SHARED, default=0) * inner
    routed = FeedForward(
        kind="moe",
        experts=of_list(config, *EXPERTS),
        experts_per_token=of_list(config, *_TAKEN),
        expert_inner=inner,
        shared_inner=config.integer(*_SHARED_INNER, default=shared),
        latent=config.integer("routed_expert_hidden_size", "moe_latent_size", "moe_hidden_size", default=0),
        gated=traits.gated,
        router_bias=traits.router_bias or config.text("topk_method") == "noaux_tc"
        or config.text("scoring_func") == "sigmoid" or config.flag("moe_router_enable_expert_bias", "use_expert_bias"),
        shared_gate=traits.shared_gate,
    )  # fmt: skip
    if routed.experts_per_token > routed.experts:
        config.fault("num_experts_per_tok", f"{routed.experts_per_token} exceeds the {routed.experts} experts")
    return routed


def of_list(config: Config, *names: str, default: int | None = None) -> int:
    """Return a whole number; of a list (one item a layer, or text before images) its first."""
    least = 1 if default is None else 0
    for name in names:
        value = config.raw.get(name)
        if isinstance(value, list) and value:
            items = config.numbers(name)
            return max(items[0], least) if items else least
        if value is not None:
            break
    return config.integer(*names, default=default, least=least, most=10_000_000)


def has_experts(config: Config) -> bool:
    """Return whether any key counts more than one expert."""
    for name in EXPERTS:
        value = config.raw.get(name)
        if value is not None:
            first = value[0] if isinstance(value, list) and value else value
            return not isinstance(first, int | float) or first > 1
    return False


def plain(config: Config, traits: Traits) -> Layers:
    """Return the layers of a decoder from the common keys."""
    depth = _mixers.depth(config)
    kinds = layer_kinds(config, depth, every=traits.every, all_local=traits.windowed)
    makes: dict[str, Attention] = {NEITHER: _mixers.NONE}
    if set(kinds) & {FULL, LOCAL, BOTH}:
        makes[FULL] = attention(config, traits)
    if LOCAL in kinds:
        size = config.window("sliding_window") or config.window("attention_chunk_size") or _WINDOW
        longest = config.integer("max_position_embeddings", default=0)
        makes[LOCAL] = replace(makes[FULL], window=size if not longest or size < longest else None)
    if set(kinds) & {STATE, BOTH}:
        makes[STATE] = _mixers.recurrent(config, _state_word(config))
    if BOTH in kinds:
        makes[BOTH] = _mixers.joined(makes[FULL], makes[STATE])
    if not has_experts(config):
        block = dense(config, traits)
        return [(makes[kind], block) for kind in kinds]
    sparse, block = sparse_layers(config, depth), moe(config, traits)
    other = dense(config, traits) if not all(sparse) else block
    return [(makes[kind], block if routed else other) for kind, routed in zip(kinds, sparse, strict=True)]


def _state_word(config: Config) -> str:
    """Return how the file calls its layers without a growing cache."""
    for name in ("layer_types", "layers_block_type", "block_types"):
        words = [word for word in config.words(name) if word in {"mamba", "mamba2", "conv", "recurrent"}]
        if words:
            return words[0]
    return "mamba" if config.raw.get("attn_layer_period") is not None else ""
