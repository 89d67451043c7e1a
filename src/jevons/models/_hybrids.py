"""Families whose layers differ in make: sliding and full attention, state-space mixers, searched layer shapes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jevons.models._config import Config
from jevons.models._mixers import mamba2
from jevons.models._plain import Traits, of_list, plain
from jevons.models._plain import moe as moe_of
from jevons.models._plan import LOCAL, layer_kinds, sparse_layers
from jevons.models.types import Attention, FeedForward, Indexer, Latent, Mixer

Layers = list[tuple[Attention, FeedForward]]

_NONE = Attention(kind="none")
_NO_FEED_FORWARD = FeedForward(kind="none")


def _heads(config: Config, prefix: str = "", *, kv: str = "", **extra: Any) -> Attention:
    dim = config.integer(f"{prefix}head_dim", "attention_head_dim", "head_dim", least=1)
    attention = Attention(
        kind="gqa",
        heads=config.integer(f"{prefix}num_attention_heads", "num_attention_heads", least=1),
        kv_heads=config.integer(kv or f"{prefix}num_key_value_heads", "num_key_value_heads", least=1),
        head_dim=dim,
        v_head_dim=config.integer(f"{prefix}v_head_dim", "v_head_dim", default=dim),
    )
    return replace(attention, **extra)


def _experts(config: Config, **extra: Any) -> FeedForward:
    experts = FeedForward(
        kind="moe",
        experts=config.integer("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts", least=1),
        experts_per_token=config.integer("num_experts_per_tok", "top_k_experts", "moe_top_k", least=1),
        expert_inner=config.integer("moe_intermediate_size", "intermediate_size", least=1),
        router_bias=True,
    )
    if experts.experts_per_token > experts.experts:
        config.fault("num_experts_per_tok", f"{experts.experts_per_token} exceeds the {experts.experts} experts")
    return replace(experts, **extra)


def mimo_v2(config: Config) -> Layers:
    """MiMo-V2-Flash: one full layer in six, the others with a short window and more cached heads."""
    full = _heads(config)
    local = _heads(config, "swa_", window=config.integer("sliding_window", default=128, least=1))
    dense = FeedForward(kind="dense", hidden_inner=config.integer("intermediate_size", least=1))
    moe = _experts(config)
    if config.words("layer_types"):
        if (
            config.raw.get("swa_num_key_value_heads") is None
        ):  # Transformers' class fixes twice the heads of full layers
            local = replace(local, kv_heads=2 * full.kv_heads)
        depth = config.integer("num_hidden_layers", least=1, most=10_000)
        kinds, sparse_of = layer_kinds(config, depth), sparse_layers(config, depth)
        return [(local if k == LOCAL else full, moe if e else dense) for k, e in zip(kinds, sparse_of, strict=True)]
    slides, sparse = config.numbers("hybrid_layer_pattern"), config.numbers("moe_layer_freq")
    if len(slides) != len(sparse) or not slides:
        config.fault("hybrid_layer_pattern", "must be a list as long as moe_layer_freq")
    return [(local if s else full, moe if e else dense) for s, e in zip(slides, sparse, strict=False)]


def minimax_m3(config: Config) -> Layers:
    """MiniMax-M3: dense layers first, then experts with a shared one; attention to chosen blocks of the cache."""
    if config.raw.get("index_topk_blocks") is not None:  # as Transformers 5 writes it, one key each
        sparse, prefix, heads = config, "index_", "index_n_heads"
    else:
        sparse, prefix, heads = config.section("sparse_attention_config"), "sparse_", "sparse_num_index_heads"
    blocks = sparse.integer(f"{prefix}topk_blocks", default=0) * sparse.integer(f"{prefix}block_size", default=128)
    full = _heads(config, qk_norm=config.flag("use_qk_norm"))
    chosen = replace(
        full,
        indexer=Indexer(
            topk=blocks or None,
            heads=sparse.integer(heads, default=0),
            dim=sparse.integer("sparse_index_dim", "index_head_dim", default=0),
        ),
    )
    dense = FeedForward(kind="dense", hidden_inner=config.integer("dense_intermediate_size", least=1))
    moe = _experts(config, shared_inner=config.integer("shared_intermediate_size", default=0))
    depth = config.integer("num_hidden_layers", least=1, most=10_000)
    pattern = config.numbers("moe_layer_freq")
    first = config.integer("first_k_dense_replace", default=3)
    routed = [bool(x) for x in pattern] if len(pattern) >= depth else [index >= first for index in range(depth)]
    if config.words("mlp_layer_types"):
        routed = sparse_layers(config, depth)
    sparse_too = routed
    if config.words("layer_types"):
        sparse_too = [word != "full_attention" for word in config.words("layer_types")[:depth]]
    return [
        (chosen if choosing else full, moe if layer else dense)
        for choosing, layer in zip(sparse_too, routed[:depth], strict=False)
    ]


def step3(config: Config) -> Layers:
    """Step-3.5 and 3.7: full and sliding layers, dense ones first, a shared expert.

    In StepFun's own spelling sliding layers have heads of their own, and layers with experts are named.
    """
    full = _step_heads(config)
    sliding = config.section("attention_other_setting") if config.raw.get("attention_other_setting") else config
    local = _step_heads(sliding, window=config.integer("sliding_window", default=512, least=1))
    if config.flag("use_head_wise_attn_gate"):
        hidden = config.integer("hidden_size", least=1)
        full, local = (replace(make, extra_parameters=hidden * make.heads) for make in (full, local))
    dense = FeedForward(kind="dense", hidden_inner=config.integer("intermediate_size", least=1))
    moe = _experts(config, shared_inner=config.integer("share_expert_dim", default=0))
    depth = config.integer("num_hidden_layers", least=1, most=10_000)
    first = config.integer("first_k_dense_replace", default=3)
    routed = [index >= first for index in range(depth)]
    if config.raw.get("moe_layers_enum"):
        routed = sparse_layers(config, depth)
    kinds = (config.words("layer_types") or ["full_attention"] * depth)[:depth]
    if len(kinds) < depth:
        config.fault("layer_types", f"names {len(kinds)} layers of {depth}")
    return [
        (full if kind == "full_attention" else local, moe if experts else dense)
        for kind, experts in zip(kinds, routed, strict=False)
    ]


def _step_heads(config: Config, **extra: Any) -> Attention:
    return _heads(config, kv="num_attention_groups", **extra)


def gemma4(config: Config) -> Layers:
    """Gemma 3n and 4: sliding layers, full ones with wide heads whose keys are values; experts beside the dense block.

    The small ones embed each token once for every layer, and their last layers read the cache of earlier ones.
    """
    local = _heads(config, window=config.integer("sliding_window", default=1024, least=1), qk_norm=True)
    wide = config.integer("global_head_dim", default=local.head_dim, least=1)
    kv = config.integer("num_global_key_value_heads", default=local.kv_heads, least=1)
    full = replace(local, window=None, head_dim=wide, v_head_dim=wide, kv_heads=kv)
    if config.flag("attention_k_eq_v"):
        full = replace(full, keys_are_values=True)
    inner = of_list(config, "intermediate_size")
    block = FeedForward(kind="dense", hidden_inner=inner)
    if config.integer("num_experts", default=0):
        block = _experts(config, hidden_inner=inner, router_bias=False)
    kinds = config.words("layer_types")
    if not kinds:
        config.fault("layer_types", "is missing; it names the full and the sliding layers")
    rows, projections = _own_inputs(config)
    makes = {
        whole: replace(make, looked_up=rows, extra_parameters=projections)
        for whole, make in ((True, full), (False, local))
    }
    owners = max(len(kinds) - config.integer("num_kv_shared_layers", default=0), 0)
    second = replace(block, hidden_inner=2 * inner) if config.flag("use_double_wide_mlp") else block
    layers = []
    for index, kind in enumerate(kinds):
        make, alone = makes[kind == "full_attention"], config.of_layer(index)
        if alone is not config:
            dim = alone.integer("head_dim", default=make.head_dim, least=1)
            cached = alone.integer("num_key_value_heads", default=make.kv_heads, least=1)
            make = replace(make, head_dim=dim, v_head_dim=dim, kv_heads=cached)
        layers.append((make, block) if index < owners else (replace(make, cache_of_others=True), second))
    return layers


def _own_inputs(config: Config) -> tuple[int, int]:
    """Return the parameters of the embedding that a layer adds of its own, looked up, and of its two projections."""
    size = config.integer("hidden_size_per_layer_input", default=0)
    rows = config.integer("vocab_size_per_layer_input", "vocab_size", default=0)
    hidden = config.integer("hidden_size", least=1)
    return rows * size, 3 * hidden * size


def step3_first(config: Config) -> Layers:
    """Step-3: all heads share one key and value, queries come from a narrow projection; named layers have experts."""
    narrow = Latent(q_lora_rank=config.integer("share_q_dim", default=0, most=1_000_000))
    full = _heads(config, kv="num_attention_groups", latent=narrow)
    dense = FeedForward(kind="dense", hidden_inner=config.integer("intermediate_size", least=1))
    moe = moe_of(config, Traits())
    depth = config.integer("num_hidden_layers", least=1, most=10_000)
    return [(full, moe if routed else dense) for routed in sparse_layers(config, depth)]


def dbrx(config: Config) -> Layers:
    """DBRX: heads and experts stand in objects of their own."""
    heads, experts = config.section("attn_config").raw, config.section("ffn_config").raw
    inner = config.like({**config.raw, **heads, **experts})
    return plain(inner, Traits())


def nemotron_h(config: Config) -> Layers:
    """Nemotron-H and Nemotron 3: one mixer or one feed-forward block a layer, as a pattern says."""
    words = {
        "mamba": "M", "linear_attention": "M", "attention": "*", "full_attention": "*", "moe": "E", "sparse": "E",
        "mlp": "-", "dense": "-",
    }  # fmt: skip
    named = [words.get(str(kind), "?") for kind in config.words("layers_block_type")]
    pattern = config.text("hybrid_override_pattern") or "".join(named)
    if not pattern or set(pattern) - set("M*E-"):
        config.fault("hybrid_override_pattern", "must be made of M (Mamba), * (attention), E (experts) and - (dense)")
        return []
    makes: dict[str, tuple[Attention, FeedForward]] = {}
    if "M" in pattern:
        makes["M"] = (mamba2(config), _NO_FEED_FORWARD)
    if "*" in pattern:
        makes["*"] = (_heads(config), _NO_FEED_FORWARD)
    if "-" in pattern:
        makes["-"] = (
            _NONE,
            FeedForward(kind="dense", hidden_inner=config.integer("intermediate_size", least=1), gated=False),
        )
    if "E" in pattern:
        latent = config.integer("moe_latent_size", default=0)
        shared = config.integer("moe_shared_expert_intermediate_size", default=0)
        makes["E"] = (_NONE, _experts(config, gated=False, shared_inner=shared, latent=latent))
    return [makes[letter] for letter in pattern]


def nemotron_nas(config: Config) -> Layers:
    """Llama-Nemotron found by architecture search: each layer states its own attention and feed-forward block."""
    hidden, heads = config.integer("hidden_size", least=1), config.integer("num_attention_heads", least=1)
    layers: Layers = []
    for index, block in enumerate(config.listed("block_configs")):
        place = f"block_configs.{index}"
        attention, ffn = (block.get("attention"), block.get("ffn")) if isinstance(block, dict) else (None, None)
        if not isinstance(attention, dict) or not isinstance(ffn, dict):
            config.fault(place, "needs `attention` and `ffn`")
            continue
        mixing, feeding = config.nested(f"{place}.attention", attention), config.nested(f"{place}.ffn", ffn)
        group = mixing.integer("n_heads_in_group", default=0, most=heads)
        dim = max(hidden // heads, 1)
        if group and heads % group:
            mixing.fault("n_heads_in_group", f"{group}: does not divide num_attention_heads {heads}")
            continue
        mixer = (
            _NONE
            if mixing.flag("no_op") or not group
            else Attention(kind="gqa", heads=heads, kv_heads=heads // group, head_dim=dim, v_head_dim=dim)
        )
        if mixing.flag("replace_with_linear"):
            mixer = Attention(
                kind="linear",
                heads=heads,
                kv_heads=heads,
                head_dim=dim,
                v_head_dim=dim,
                mixer=Mixer(parameters=hidden * hidden),
            )
        scale = feeding.number("ffn_mult", default=0.0, most=1000.0)
        inner = -(-int(2 * scale * hidden / 3) // 256) * 256 if scale else 0
        feed = (
            FeedForward(kind="dense", hidden_inner=inner) if inner and not feeding.flag("no_op") else _NO_FEED_FORWARD
        )
        layers.append((mixer, feed))
    if not layers:
        config.fault("block_configs", "is missing or empty")
    return layers
