"""Which class of weights a module's name, or a pattern of names, belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jevons.models._config import Config

CLASSES = ("attention", "mixers", "dense", "shared", "experts")

_SMALL = re.compile(
    r"norm|router|indexer|rotary|conv1d|a_log|dt_bias|bias|shared_expert_gate|in_proj_(a|b|ba)\b|vision|visual|"
    r"mm_proj|multi_modal|projector|audio|mtp|(^|\.)gate(\.weight)?\*?$|block_sparse_moe\.gate\*?$|weights_proj|"
    r"kv_b_proj$|patch_"
)
_LAYER = re.compile(r"layers?[.\\]+(\d+)(?=[.*\\]|$)")
_WHOLE = re.compile(r"layers?[.\\]+\d+(\.?\*|\.?)$")


def module_class(name: str) -> str | None:
    """Return the class of a module's name or of a pattern; None for what is small, not text, or not known.

    Examples
    --------
    >>> module_class("model.layers.3.self_attn*"), module_class("re:.*shared_experts.*"), module_class("lm_head")
    ('attention', 'shared', 'head')
    """
    text = name.lower().removeprefix("re:")
    if re.search(r"lm_head|^head$|output_layer", text):
        return "head"
    if _SMALL.search(text):
        return None
    if "shared_expert" in text or "shared_mlp" in text or "share_expert" in text:
        return "shared"
    if re.search(r"linear_attn|mamba|mixer|\bssm\b|short_conv", text):
        return "mixers"
    if re.search(r"experts", text):
        return "experts"
    if re.search(r"attn|attention|[qkvo]_proj\b|qkv", text):
        return "attention"
    if re.search(r"mlp|feed_forward|\bffn\b|gate_proj|up_proj|down_proj", text):
        return "dense"
    return "embeddings" if re.search(r"embed_tokens|wte|word_embeddings", text) else None


def covered(patterns: Iterable[str], config: Config) -> set[str]:
    """Return the classes of which at least half of the layers are named.

    A list that ends in "..." was shortened: three layers count as all there. Whole layers count for the dense blocks
    where a model's dense layers come first.
    """
    layers: dict[str, set[str]] = {}
    everywhere: set[str] = set()
    whole: set[int] = set()
    named = list(patterns)
    cut = any(pattern.startswith("...") for pattern in named)
    for pattern in named:
        layer = _LAYER.search(pattern)
        if layer and _WHOLE.search(pattern):
            whole.add(int(layer[1][:6]))
            continue
        kind = module_class(pattern)
        if kind is None:
            continue
        if layer is None:
            everywhere.add(kind)
        else:
            layers.setdefault(kind, set()).add(layer[1])
    depth = len(config.listed("layer_types")) or _size(config, "num_hidden_layers", "num_layers", "n_layer")
    dense = _size(config, "first_k_dense_replace")
    most = {"dense": dense or depth, "mixers": 1}
    for kind, places in layers.items():
        needed = min(most.get(kind, depth), depth) / 2
        if len(places) + len(whole) >= needed or (cut and len(places) >= min(3, needed)):
            everywhere.add(kind)
    if dense and len(whole & set(range(dense))) * 2 > dense:
        everywhere.add("dense")
    return everywhere


def _size(config: Config, *names: str) -> int:
    for name in names:
        value = config.raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000:
            return value
    return 0
