"""DeepSeek's make and its relatives: latent attention, an indexer that chooses tokens, dense layers before experts."""

from __future__ import annotations

from dataclasses import replace

from jevons.models import _mixers
from jevons.models._config import Config
from jevons.models._plain import Layers, Traits, dense, moe, plain
from jevons.models._plan import FULL, LOCAL, STATE, indexers, sparse_layers
from jevons.models.types import Attention, Indexer


def deepseek(config: Config) -> Layers:
    """Return latent attention with experts; layers named as linear keep a state, those named as sliding a window.

    Layers that take the tokens of an earlier layer's indexer have none of their own.
    """
    biased = config.text("topk_method") == "noaux_tc" or config.text("scoring_func") == "sigmoid"
    if config.raw.get("kv_lora_rank") is None:
        stated = {key: value for key, value in config.raw.items() if key not in _LATENT_WIDTHS or value}
        return plain(config.like(stated), Traits(router_bias=biased))
    depth = _mixers.depth(config)
    shared = config.integer("shared_experts_intermediate_size", default=0)
    routed = moe(config, Traits(router_bias=biased))
    routed = replace(routed, shared_inner=shared or routed.shared_inner)
    sparse = sparse_layers(config, depth)
    block = routed if all(sparse) else dense(config, Traits())
    choosing = indexers(config, depth)
    words = config.words("layer_types") if isinstance(config.raw.get("layer_types"), list) else []
    kinds = [_OTHERS.get(word, FULL) for word in words[:depth]] + [FULL] * (depth - len(words))
    makes: dict[object, Attention] = {}
    layers: Layers = []
    for index, (kind, own, has_experts) in enumerate(zip(kinds, choosing, sparse, strict=True)):
        alone = config.of_layer(index)
        key = (kind, own, id(alone) if alone is config else str(sorted(alone.raw.items(), key=str)))
        if key not in makes:
            makes[key] = _attention(alone, kind, own)
        layers.append((makes[key], routed if has_experts else block))
    return layers


_LATENT_WIDTHS = frozenset({"v_head_dim", "qk_nope_head_dim", "qk_rope_head_dim"})
"""Widths that files without latent attention state as 0 (DeepSeek-OCR)."""
_OTHERS = {"linear_attention": STATE, "sliding_attention": LOCAL}


def _attention(config: Config, kind: str, choosing: bool) -> Attention:
    extra = _streams(config)
    if kind == STATE:
        mixer = _mixers.kimi_delta(config)
        return replace(mixer, extra_parameters=extra)
    attention = replace(_mixers.mla(config), extra_parameters=extra)
    if str(config.raw.get("model_type")) in _GATED:
        attention = replace(attention, out_gate=True)
    if kind == LOCAL:
        window = config.window("sliding_window")
        return replace(attention, window=window, indexer=Indexer())
    return attention if choosing else replace(attention, indexer=Indexer(topk=attention.indexer.topk))


_GATED = {"hy_v4", "hy_v4_text", "hy_v4_vl_text", "axk2"}
"""Families whose attention has a gate as wide as its output."""

_TWO_MAPS = {"hy_v4", "hy_v4_text", "hy_v4_vl_text"}


def _streams(config: Config) -> int:
    """Return the parameters of the maps between several residual streams in one layer; 0 where there is one stream."""
    streams = config.integer("hc_mult", default=1, least=1, most=1000)
    if streams == 1:
        return 0
    maps = 2 * streams if str(config.raw.get("model_type")) in _TWO_MAPS else (2 + streams) * streams
    return 2 * maps * (streams * _mixers.width(config) + 1)
