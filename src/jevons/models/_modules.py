"""Which class of weights a module's name, or a pattern of names, belongs to."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

from jevons.models._config import Config

_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "attention": (
        tuple(f"model.layers.7.self_attn.{projection}" for projection in ("q_proj", "k_proj", "v_proj", "o_proj")),
        tuple(
            f"model.layers.7.self_attn.{projection}"
            for projection in ("kv_a_proj_with_mqa", "q_b_proj", "kv_b_proj", "o_proj")
        ),
    ),
    "mixers": (
        tuple(f"model.layers.7.linear_attn.{projection}" for projection in ("in_proj_qkvz", "in_proj_ba", "out_proj")),
    ),
    "dense": (tuple(f"model.layers.7.mlp.{projection}" for projection in ("gate_proj", "up_proj", "down_proj")),),
    "shared": (
        tuple(
            f"model.layers.7.mlp.shared_experts.{projection}" for projection in ("gate_proj", "up_proj", "down_proj")
        ),
    ),
    "experts": (
        tuple(f"model.layers.7.mlp.experts.3.{projection}" for projection in ("gate_proj", "up_proj", "down_proj")),
        tuple(f"model.layers.7.block_sparse_moe.experts.3.{projection}" for projection in ("w1", "w2", "w3")),
        ("model.layers.7.mlp.experts.gate_up_proj", "model.layers.7.mlp.experts.down_proj"),
    ),
    "head": (("lm_head",),),
}
"""Modules of each class as publishers call them, for patterns to match."""

_SLOW = re.compile(r"\([^)]*[*+][^)]*\)[*+{]|.{400}")
"""Patterns that take long to match, or are too long to be one."""

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


def matched(pattern: str) -> set[str]:
    """Return the classes of which a regular expression (`re:…`) or a pattern with stars matches more than half.

    Examples
    --------
    >>> sorted(matched("re:.*mlp.*")), sorted(matched("*self_attn*"))
    (['dense', 'experts', 'shared'], ['attention'])
    """
    text = pattern.removeprefix("re:") if pattern.startswith("re:") else fnmatch.translate(pattern)
    if _SLOW.search(text) or _LAYER.search(pattern) or not (pattern.startswith("re:") or "*" in pattern):
        return set()
    try:
        rule = re.compile(text)
    except re.error:
        return set()
    return {
        kind for kind, spellings in _NAMES.items()
        if any(2 * sum(rule.match(name) is not None for name in names) > len(names) for names in spellings)
    }  # fmt: skip


_MATRICES = {"gate_up": ("gate", "up"), "gate": ("gate",), "up": ("up",), "down": ("down",)}
"""Matrices of a gated block that the end of a module's name stands for."""


def parts_named(patterns: Iterable[str]) -> dict[str, list[str]]:
    """Return the matrices of feed-forward blocks and of experts where patterns name no more than half of the three.

    Examples
    --------
    >>> parts_named(["re:.*down_proj.*"]), parts_named(["re:.*mlp.*"]), parts_named(["*.gate_proj", "*.up_proj"])
    ({'dense': ['down']}, {}, {})
    """
    named: dict[str, set[str]] = {}
    for pattern in patterns:
        kind = module_class(pattern)
        if kind in {"dense", "experts"}:
            found = re.search(r"(gate_up|gate|up|down)_proj[$*.)]*$", pattern.lower())
            named.setdefault(kind, set()).update(_MATRICES[found[1]] if found else ("gate", "up", "down"))
    return {kind: sorted(parts) for kind, parts in named.items() if len(parts) == 1}


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
        whole_classes = matched(pattern)
        if whole_classes:
            everywhere |= whole_classes
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


def covered_by_modules(names: Iterable[str], config: Config) -> set[str]:
    """Return the classes of which at least half of the layers, and more than one projection, are named one by one."""
    single = [name for name in names if _LAYER.search(name)]
    projections: dict[str, set[str]] = {}
    for name in single:
        projections.setdefault(module_class(name) or "", set()).add(name.rsplit(".", 1)[-1])
    return covered(single, config) & {kind for kind, ends in projections.items() if len(ends) > 1}


def _size(config: Config, *names: str) -> int:
    for name in names:
        value = config.raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000:
            return value
    return 0
