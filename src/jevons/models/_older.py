"""Families whose code fixes more than their files say: halved inner widths, residual blocks, recurrent gates."""

from __future__ import annotations

from dataclasses import replace

from jevons.models import _mixers
from jevons.models._config import Config
from jevons.models._plain import Layers, Traits, of_list, plain
from jevons.models._plan import LOCAL
from jevons.models.types import Attention, FeedForward, Mixer


def joined_inner(config: Config, *, qkv_bias: bool = True) -> Layers:
    """Return layers of Qwen of 2023 and of Molmo: `intermediate_size` counts both inner matrices together."""
    inner = config.integer("intermediate_size", least=2) // 2
    return plain(config.like({**config.raw, "intermediate_size": inner}), Traits(qkv_bias=qkv_bias))


def molmo(config: Config) -> Layers:
    """Molmo, whose queries and keys may be normalised."""
    return joined_inner(config, qkv_bias=config.flag("qkv_bias"))


def grok(config: Config) -> Layers:
    """Grok-1, and Grok-2 with a dense block beside the experts."""
    layers = plain(config, Traits())
    if not config.flag("residual_moe"):
        return layers
    beside = config.integer("intermediate_size", least=1)
    return [(attention, replace(block, hidden_inner=beside)) for attention, block in layers]


def arctic(config: Config) -> Layers:
    """Arctic: a dense block as wide as the residual stream beside the experts."""
    layers = plain(config, Traits())
    beside = _mixers.width(config) if config.flag("parallel_attn_mlp_res") else 0
    return [
        (attention, replace(block, hidden_inner=beside) if block.kind == "moe" else block)
        for attention, block in layers
    ]


def bamba(config: Config) -> Layers:
    """Bamba: layers that `attn_layer_indices` does not name are Mamba-2, all of them where it is missing."""
    depth = _mixers.depth(config)
    chosen = config.numbers("attn_layer_indices")
    named = config.words("layer_types", "layers_block_type")
    kinds = named or ["attention" if index in chosen else "mamba2" for index in range(depth)]
    return plain(config.like({**config.raw, "layer_types": kinds}), Traits())


def recurrent_gemma(config: Config) -> Layers:
    """RecurrentGemma: two gated linear recurrences for each attention with a window; halved inner width."""
    hidden, depth = _mixers.width(config), _mixers.depth(config)
    width = config.integer("lru_width", default=hidden, least=1)
    heads = config.integer("num_attention_heads", least=1)
    kernel = config.integer("conv1d_width", default=4, least=1)
    gates = 2 * (width * width // heads + width)
    recurrence = Attention(
        kind="linear", heads=heads, kv_heads=heads, head_dim=width // heads, v_head_dim=width // heads,
        mixer=Mixer(
            state_elements=width * kernel, parameters=3 * hidden * width + width * (kernel + 1) + gates + width
        ),
    )  # fmt: skip
    local = _mixers.gqa(config, window=config.integer("attention_window_size", default=2048, least=1))
    block = FeedForward(kind="dense", hidden_inner=of_list(config, "intermediate_size") // 2)
    pattern = config.words("block_types", "_block_types") or ["recurrent", "recurrent", LOCAL]
    return [(recurrence if pattern[index % len(pattern)] == "recurrent" else local, block) for index in range(depth)]
