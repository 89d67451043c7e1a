"""How a layer mixes tokens: attention with cached heads or latents, and mixers that keep a state of fixed size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from jevons.models._config import Config
from jevons.models.types import Attention, Indexer, Latent, Mixer

NONE = Attention(kind="none")


def width(config: Config) -> int:
    """Return the width of the residual stream."""
    return config.integer("hidden_size", "n_embd", "d_model", "dim", least=1)


def depth(config: Config) -> int:
    """Return the number of layers."""
    return config.integer("num_hidden_layers", "n_layer", "n_layers", "num_layers", least=1, most=10_000)


def gqa(config: Config, **extra: Any) -> Attention:
    """Return attention with cached keys and values; multi-head and multi-query are its ends."""
    hidden = width(config)
    heads = config.integer("num_attention_heads", "n_head", "n_heads", least=1, most=100_000)
    groups = config.integer("num_attention_groups", "multi_query_group_num", default=heads, least=1, most=100_000)
    names: tuple[str, ...] = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "kv_n_heads", "n_kv_heads")
    if config.raw.get("multi_query"):
        groups = config.integer("multi_query_group_num", default=1, least=1, most=100_000)
        names = names[: 0 if config.raw.get("new_decoder_architecture") is False else None]
    kv_heads = config.integer(*names, default=groups, least=1, most=100_000) if names else groups
    widths = ("head_dim", "attention_head_dim", "kv_channels")
    sound = not any(fault.path.endswith(("hidden_size", "num_attention_heads")) for fault in config.faults)
    if sound and all(config.raw.get(name) is None for name in widths) and hidden % heads:
        config.fault("num_attention_heads", f"{heads} does not divide hidden_size {hidden}; give `head_dim`")
    head_dim = config.integer(*widths, default=max(hidden // heads, 1), least=1, most=100_000)
    if heads % kv_heads:
        config.fault("num_key_value_heads", f"{kv_heads} does not divide num_attention_heads {heads}")
    window = config.window("sliding_window") if config.flag("use_sliding_window", default=False) else None
    attention = Attention(
        kind="gqa",
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        v_head_dim=config.integer("v_head_dim", default=head_dim, least=1, most=100_000),
        window=window,
        qkv_bias=config.flag("attention_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias"),
    )
    return replace(attention, **extra)


def mla(config: Config, **extra: Any) -> Attention:
    """Return latent attention: one compressed vector a token is cached for all heads."""
    heads = config.integer("num_attention_heads", "n_heads", least=1, most=100_000)
    nope, rope = config.integer("qk_nope_head_dim", least=1), config.integer("qk_rope_head_dim", least=0)
    attention = Attention(
        kind="mla",
        heads=heads,
        kv_heads=heads,
        head_dim=nope + rope,
        v_head_dim=config.integer("v_head_dim", default=nope, least=1),
        latent=Latent(
            q_lora_rank=config.integer("q_lora_rank", default=0),
            kv_lora_rank=config.integer("kv_lora_rank", least=1),
            rope_dim=rope,
            nope_dim=nope,
        ),
        indexer=Indexer(
            topk=config.integer("index_topk", default=0) or None,
            heads=config.integer("index_n_heads", default=0),
            dim=config.integer("index_head_dim", default=0),
        ),
        out_gate=config.flag("mla_use_output_gate"),
    )
    return replace(attention, **extra)


def delta_net(config: Config) -> Attention:
    """Return the gated delta-net mixer of Qwen3-Next, Qwen3.5 and OLMo-Hybrid."""
    hidden = width(config)
    key_heads, value_heads = (config.integer(f"linear_num_{kind}_heads", least=1) for kind in ("key", "value"))
    key_dim, value_dim = (config.integer(f"linear_{kind}_head_dim", least=1) for kind in ("key", "value"))
    keys, values = key_heads * key_dim, value_heads * value_dim
    kernel = config.integer("linear_conv_kernel_dim", default=4)
    projections = hidden * (2 * keys + 2 * values) + hidden * 2 * value_heads + values * hidden
    extras = (2 * keys + values) * kernel + 2 * value_heads + value_dim
    return Attention(
        kind="linear",
        heads=value_heads,
        kv_heads=key_heads,
        head_dim=key_dim,
        v_head_dim=value_dim,
        mixer=Mixer(state_elements=value_heads * key_dim * value_dim, parameters=projections + extras),
    )


def kimi_delta(config: Config) -> Attention:
    """Return Kimi's delta attention: decay and output gate by channel, each of low or of full rank.

    Kimi states its heads in `linear_attn_config` or, in files of Transformers 5, as `linear_num_heads`, and its decay
    is of low rank. Ling 3 has the heads of its full layers; `no_kda_lora` gives both gates the full rank.
    """
    hidden = width(config)
    if config.raw.get("linear_num_heads") is not None:
        heads = config.integer("linear_num_heads", least=1, most=100_000)
        dim = config.integer("linear_head_dim", default=128, least=1, most=100_000)
        kernel = config.integer("linear_conv_kernel_dim", default=4)
        full_decay = full_gate = config.flag("no_kda_lora", default=config.raw.get("kda_safe_gate") is not None)
    elif config.raw.get("linear_attn_config") is not None:
        linear = config.section("linear_attn_config")
        heads = linear.integer("num_heads", least=1, most=100_000)
        dim = linear.integer("head_dim", least=1, most=100_000)
        kernel = linear.integer("short_conv_kernel_size", default=4)
        full_decay, full_gate = False, linear.flag("use_full_rank_gate")
    else:
        heads = config.integer("num_attention_heads", least=1, most=100_000)
        dim = config.integer("head_dim", default=max(hidden // heads, 1), least=1, most=100_000)
        kernel = config.integer("short_conv_kernel_size", default=4)
        full_decay = full_gate = config.flag("no_kda_lora")
    inner = heads * dim
    ranks = {False: dim * (hidden + inner), True: hidden * inner}
    projections = 4 * hidden * inner + ranks[full_decay] + ranks[full_gate] + hidden * heads
    return Attention(
        kind="linear",
        heads=heads,
        kv_heads=heads,
        head_dim=dim,
        v_head_dim=dim,
        mixer=Mixer(
            state_elements=heads * dim * dim, parameters=projections + 3 * inner * kernel + heads + inner + dim
        ),
    )


def lightning(config: Config) -> Attention:
    """Return linear attention with a gated, normalised output (MiniMax-01 and M1, Ling and Ring with linear layers)."""
    full, hidden = gqa(config), width(config)
    inner = full.heads * full.head_dim
    return Attention(
        kind="linear",
        heads=full.heads,
        kv_heads=full.heads,
        head_dim=full.head_dim,
        v_head_dim=full.head_dim,
        mixer=Mixer(state_elements=full.heads * full.head_dim**2, parameters=5 * hidden * inner + inner),
    )


def mamba2(config: Config) -> Attention:
    """Return a Mamba-2 mixer, by the names of Nemotron-H, Bamba, Granite 4 and Falcon-H1."""
    hidden = width(config)
    expand = config.integer("mamba_expand", "expand", default=2, least=1, most=1000)
    inner_given = config.integer("mamba_d_ssm", default=0)
    names: tuple[str, ...] = ("mamba_head_dim", "mamba_d_head", "mamba_headdim")
    if config.raw.get("mamba_d_head") == "auto":
        names = names[:1]
    counted = config.integer("mamba_num_heads", "mamba_n_heads", "n_mamba_heads", default=0, most=100_000)
    inner = inner_given or expand * hidden
    dim = config.integer(*names, default=max(inner // counted, 1) if counted else 64, least=1, most=100_000)
    heads = counted or config.integer("num_heads", default=max(inner // dim, 1), least=1, most=100_000)
    groups = config.integer("n_groups", "mamba_n_groups", "mamba_ngroups", default=1, least=1)
    state = config.integer("ssm_state_size", "mamba_d_state", "state_size", default=128, least=1)
    inner, shared = heads * dim, 2 * groups * state
    biased = config.flag("use_conv_bias", "mamba_conv_bias", default="mamba_n_heads" in config.raw)
    kernel = config.integer("conv_kernel", "mamba_d_conv", "mamba_conv_kernel", default=4) + int(biased)
    parameters = hidden * (2 * inner + shared + heads) + (inner + shared) * kernel + 3 * heads + inner + inner * hidden
    return Attention(
        kind="ssm",
        heads=heads,
        kv_heads=groups,
        head_dim=state,
        v_head_dim=dim,
        mixer=Mixer(state_elements=inner * state, parameters=parameters),
    )


def mamba1(config: Config) -> Attention:
    """Return a Mamba mixer of the first kind: a state of a few numbers for each inner channel (Jamba, Falcon-Mamba)."""
    hidden = width(config)
    inner = config.integer("mamba_expand", "expand", default=2, least=1, most=1000) * hidden
    names: tuple[str, ...] = ("mamba_intermediate_size",)
    if config.raw.get("num_attention_heads") is None:  # without attention, the mixer's own inner width
        names = ("intermediate_size", "mamba_intermediate_size")
    inner = config.integer(*names, default=inner, least=1)
    state = config.integer("mamba_d_state", "state_size", "ssm_state_size", default=16, least=1)
    rank = -(-hidden // 16)
    if config.raw.get("mamba_dt_rank", config.raw.get("time_step_rank")) not in (None, "auto"):
        rank = config.integer("mamba_dt_rank", "time_step_rank", default=rank, least=1)
    kernel = config.integer("mamba_d_conv", "conv_kernel", default=4)
    projections = 2 * hidden * inner + inner * (rank + 2 * state) + rank * inner + inner * hidden
    extras = inner * (kernel + 1) + inner + inner * state + inner + rank + 2 * state
    heads = math.gcd(inner, 64)  # channels are independent: any device may hold any of them
    return Attention(
        kind="ssm",
        heads=heads,
        kv_heads=heads,
        head_dim=state,
        v_head_dim=inner // heads,
        mixer=Mixer(state_elements=inner * state, parameters=projections + extras),
    )


def short_convolution(config: Config) -> Attention:
    """Return the gated short convolution of LFM2: a state of a few tokens."""
    hidden, kernel = width(config), config.integer("conv_L_cache", default=3, least=1, most=100_000)
    heads = config.integer("num_attention_heads", "num_heads", default=1, least=1, most=100_000)
    return Attention(
        kind="linear",
        heads=heads,
        kv_heads=heads,
        head_dim=max(hidden // heads, 1),
        v_head_dim=max(hidden // heads, 1),
        mixer=Mixer(state_elements=hidden * (kernel - 1), parameters=4 * hidden * hidden + hidden * kernel),
    )


def joined(attention: Attention, beside: Attention) -> Attention:
    """Return attention with a state-space mixer beside it in the same layer (Falcon-H1)."""
    return replace(
        attention,
        mixer=replace(beside.mixer, inner=beside.heads * beside.v_head_dim),
    )


def recurrent(config: Config, word: str = "") -> Attention:
    """Return the mixer without a growing cache that a config's fields describe."""
    if any(
        config.raw.get(name) is not None
        for name in ("linear_attn_config", "no_kda_lora", "kda_lower_bound", "linear_num_heads")
    ):
        return kimi_delta(config)
    if config.raw.get("linear_num_value_heads") is not None and word != "mamba":
        return delta_net(config)
    if word == "conv" or config.raw.get("conv_L_cache") is not None:
        return short_convolution(config)
    heads = ("mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "mamba_d_head", "mamba_headdim", "mamba_d_ssm")
    if any(config.raw.get(name) is not None for name in heads):
        return mamba2(config)
    if any(name.startswith("mamba_") for name in config.raw) or word in {"mamba", "mamba1", "mamba2"}:
        return mamba2(config) if word == "mamba2" else mamba1(config)
    return lightning(config)
