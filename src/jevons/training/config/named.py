"""The model that a trainer's configuration names: by name, by a family's flavour, or by its sizes."""

from __future__ import annotations

import re

from jevons import models
from jevons.errors import InputError
from jevons.models import ModelSpec
from jevons.training.config.torchtune import model_of_builder
from jevons.training.config.types import TrainingText

_FLAVOURS = {
    ("llama3", "8b"): "llama-3.1-8b", ("llama3", "70b"): "llama-3.1-70b", ("llama3", "405b"): "llama-3.1-405b",
    ("llama2", "7b"): "llama-2-7b", ("llama2", "13b"): "llama-2-13b", ("llama2", "70b"): "llama-2-70b",
    ("llama4", "17bx16e"): "llama-4-scout", ("llama4", "17bx128e"): "llama-4-maverick",
    ("deepseek_v3", "671b"): "deepseek-v3", ("deepseek_v3", "16b"): "deepseek-v2-lite",
}  # fmt: skip
"""Models of torchtitan by family and flavour; Qwen's flavours are named as its models are."""


def model_of(told: TrainingText) -> tuple[str, str]:
    """Return the model that a configuration names and the key that does; empty where none is named.

    Raises
    ------
    InputError
        If its sizes or its flavour are those of no model on file.
    """
    if "model" in told.settings:
        return re.sub(r"-(?:mcore|torch_dist)/?$", "", str(told.value("model")), flags=re.IGNORECASE), told.key("model")
    if "builder" in told.settings:
        return model_of_builder(str(told.value("builder")).partition("(")[0]), told.key("builder")
    if "flavor" in told.settings:
        family, flavour = str(told.value("family", "")).lower(), str(told.value("flavor")).lower()
        named = _FLAVOURS.get((family, flavour), f"{family}-{flavour}" if family.startswith("qwen") else "")
        if not named:
            message = f"--config: {told.key('flavor')} = {flavour} of {family}: is of no model on file; add --model"
            raise InputError(message)
        return named, told.key("flavor")
    if "layers" in told.settings and "hidden" in told.settings:
        return _by_sizes(told)
    return "", ""


def _by_sizes(told: TrainingText) -> tuple[str, str]:
    """Return the shipped model that has the sizes which flags state, and takes sequences of the stated length."""
    alike = [name for name in models.names() if _agrees(told, models.load(name))]
    if not alike:
        sizes = {
            name: told.value(name) for name in ("layers", "hidden", "inner", "heads", "kv_heads", "experts")
            if name in told.settings
        }  # fmt: skip
        shown = ", ".join(f"{told.key(name)} {size}" for name, size in sizes.items())
        message = f"--config: no model on file has {shown}; add --model with the path of a config.json"
        raise InputError(message)
    chosen, *others = sorted(alike, key=lambda name: _distance(told, models.load(name)))
    more = f" (they are those of {', '.join(others[:3])} too; --model says which)" if others else ""
    told.notes.append(f"its sizes are those of {chosen}, which is taken{more}")
    return chosen, told.key("layers")


def _distance(told: TrainingText, spec: ModelSpec) -> tuple[bool, int, int, int]:
    """Return how far a model of the stated sizes is: too short a context, another vocabulary, a longer context.

    Of several that are as near where no vocabulary is stated, the one of the fewest words is taken.
    """
    vocabulary = told.value("vocabulary", 0)
    if not vocabulary and "tokenizer" in told.settings:
        try:
            vocabulary = models.load(str(told.value("tokenizer"))).vocab
        except InputError:
            vocabulary = 0
    context = spec.max_context or told.value("seq_len", 0)
    return context < told.value("seq_len", 0), abs(spec.vocab - vocabulary) if vocabulary else 0, context, spec.vocab


def _agrees(told: TrainingText, spec: ModelSpec) -> bool:
    attention = [group.attention for group in spec.layers if group.attention.heads]
    blocks = [group.feed_forward for group in spec.layers]
    if (told.value("layers"), told.value("hidden")) != (spec.n_layers, spec.hidden) or not attention:
        return False
    heads = told.value("heads", attention[0].heads)
    shared = told.value("kv_heads", heads if attention[0].kind == "gqa" else attention[0].kv_heads)
    if (heads, shared) != (attention[0].heads, attention[0].kv_heads):
        return False
    sparse = next((block for block in blocks if block.kind == "moe"), None)
    if sparse is None:
        return "experts" not in told.settings and told.value("inner", 4 * spec.hidden) == blocks[0].hidden_inner
    inner = told.value("expert_inner", told.value("inner", sparse.expert_inner))
    stated = told.value("experts"), told.value("experts_per_token", 2), inner
    return stated == (sparse.experts, sparse.experts_per_token, sparse.expert_inner)
