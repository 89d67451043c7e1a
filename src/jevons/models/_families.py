"""How each family of architectures writes its sizes down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from jevons.models import _hybrids
from jevons.models._config import Config
from jevons.models.spec import ModelSpec
from jevons.models.types import Attention, FeedForward, LayerGroup

Layers = list[tuple[Attention, FeedForward]]


def build(family: str, config: Config, name: str, architecture: str) -> ModelSpec:
    """Return the spec of one family's config; faults are left in *config*."""
    layers = FAMILIES[family](config)
    counted = Counter(layers)
    hidden = config.integer("hidden_size", "n_embd", "d_model", least=1)
    learned = (
        config.integer("n_positions", "max_position_embeddings", "max_seq_len", default=0) if family in _LEARNED else 0
    )
    return ModelSpec(
        name=name,
        architecture=architecture,
        hidden=hidden,
        vocab=config.integer("vocab_size", "padded_vocab_size", least=1),
        layers=tuple(LayerGroup(count, *make) for make, count in counted.items()),
        tied_embeddings=config.flag("tie_word_embeddings", default=family in _TIED),
        mtp_layers=config.integer("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules", default=0),
        max_context=config.integer("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", default=0),
        position_embeddings=learned,
        norms_per_layer=_NORMS.get(family, 2),
    )


def _depth(config: Config) -> int:
    return config.integer("num_hidden_layers", "n_layer", "n_layers", "num_layers", least=1, most=10_000)


def _gqa(config: Config, **extra: object) -> Attention:
    hidden = config.integer("hidden_size", "n_embd", "d_model", least=1)
    heads = config.integer("num_attention_heads", "n_head", "n_heads", least=1, most=100_000)
    kv_heads = config.integer("num_key_value_heads", "num_kv_heads", default=heads, least=1, most=100_000)
    if config.raw.get("head_dim") is None and hidden % heads:
        config.fault("num_attention_heads", f"{heads} does not divide hidden_size {hidden}; give `head_dim`")
    head_dim = config.integer("head_dim", default=max(hidden // heads, 1), least=1, most=100_000)
    if heads % kv_heads:
        config.fault("num_key_value_heads", f"{kv_heads} does not divide num_attention_heads {heads}")
    window = config.window("sliding_window") if config.flag("use_sliding_window", default=False) else None
    made = Attention(
        kind="gqa",
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        v_head_dim=config.integer("v_head_dim", default=head_dim, least=1, most=100_000),
        window=window,
        qkv_bias=config.flag("attention_bias", "qkv_bias"),
    )
    return replace(made, **extra)  # type: ignore[arg-type]


def _dense(config: Config, *, gated: bool = True, bias: bool = False) -> FeedForward:
    hidden = config.integer("hidden_size", "n_embd", "d_model", least=1)
    inner = config.integer(
        "intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", default=None if gated else 4 * hidden, least=1
    )
    return FeedForward(kind="dense", hidden_inner=inner, gated=gated, bias=bias)


def _moe(config: Config, **extra: object) -> FeedForward:
    inner = config.integer("moe_intermediate_size", "expert_ffn_hidden_size", "intermediate_size", least=1)
    shared = config.integer("n_shared_experts", "num_shared_experts", default=0)
    made = FeedForward(
        kind="moe",
        experts=config.integer("n_routed_experts", "num_experts", "num_local_experts", least=1, most=100_000),
        experts_per_token=config.integer(
            "num_experts_per_tok", "num_experts_per_token", "experts_per_token", "top_k_experts", least=1, most=100_000
        ),
        expert_inner=inner,
        shared_inner=shared * inner,
    )
    made = replace(made, **extra)  # type: ignore[arg-type]
    if made.experts_per_token > made.experts:
        config.fault("num_experts_per_tok", f"{made.experts_per_token} exceeds the {made.experts} experts")
    return made


def _sparse_layers(config: Config, attention: Attention, moe: FeedForward, dense: FeedForward | None) -> Layers:
    """Place dense layers first (`first_k_dense_replace`), then MoE, or as `moe_layer_freq` or `mlp_only_layers` say."""
    depth = _depth(config)
    first = config.integer("first_k_dense_replace", default=0)
    pattern = config.numbers("moe_layer_freq")
    only = set(config.numbers("mlp_only_layers"))
    step = config.integer("decoder_sparse_step", default=1, least=1)
    layers: Layers = []
    for index in range(depth):
        sparse = index >= first and index not in only and (index + 1) % step == 0
        if len(pattern) == depth:
            sparse = bool(pattern[index])
        layers.append((attention, moe if sparse or dense is None else dense))
    return layers


def _llama(config: Config) -> Layers:
    bias = config.flag("mlp_bias")
    return [(_gqa(config, out_bias=config.flag("attention_bias")), _dense(config, bias=bias))] * _depth(config)


def _mistral(config: Config) -> Layers:
    window = config.window("sliding_window")
    return [(_gqa(config, window=window), _dense(config))] * _depth(config)


def _qwen2(config: Config) -> Layers:
    return [(_gqa(config, qkv_bias=True), _dense(config))] * _depth(config)


def _qwen2_moe(config: Config) -> Layers:
    moe = _moe(config, shared_inner=config.integer("shared_expert_intermediate_size", default=0), shared_gate=True)
    return _sparse_layers(config, _gqa(config, qkv_bias=True), moe, _dense(config))


def _qwen3(config: Config) -> Layers:
    return [(_gqa(config, qk_norm=True), _dense(config))] * _depth(config)


def _qwen3_moe(config: Config) -> Layers:
    dense = _dense(config) if config.raw.get("mlp_only_layers") else None
    return _sparse_layers(config, _gqa(config, qk_norm=True), _moe(config), dense)


def _mixtral(config: Config) -> Layers:
    return [(_gqa(config), _moe(config))] * _depth(config)


def _delta_net(config: Config) -> Attention:
    """Return the gated delta-net mixer of Qwen3-Next and Qwen3.5."""
    hidden = config.integer("hidden_size", least=1)
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
        state_elements=value_heads * key_dim * value_dim,
        mixer_parameters=projections + extras,
    )


def _qwen_hybrid(config: Config) -> Layers:
    full = _gqa(config, qk_norm=True, out_gate=config.flag("attn_output_gate", default=True))
    linear = _delta_net(config)
    depth, every = _depth(config), config.integer("full_attention_interval", default=4, least=1)
    kinds = config.words("layer_types") or [
        "full_attention" if (index + 1) % every == 0 else "linear_attention" for index in range(depth)
    ]
    if config.integer("num_experts", default=0):
        shared = config.integer("shared_expert_intermediate_size", default=0)
        block = _moe(config, shared_inner=shared, shared_gate=shared > 0)
    else:
        block = _dense(config)
    return [(full if kind == "full_attention" else linear, block) for kind in kinds]


def _mla(config: Config, **extra: object) -> Attention:
    heads = config.integer("num_attention_heads", least=1)
    nope, rope = config.integer("qk_nope_head_dim", least=1), config.integer("qk_rope_head_dim", least=0)
    made = Attention(
        kind="mla",
        heads=heads,
        kv_heads=heads,
        head_dim=nope + rope,
        v_head_dim=config.integer("v_head_dim", least=1),
        q_lora_rank=config.integer("q_lora_rank", default=0),
        kv_lora_rank=config.integer("kv_lora_rank", least=1),
        rope_dim=rope,
        nope_dim=nope,
        sparse_topk=config.integer("index_topk", default=0) or None,
        index_heads=config.integer("index_n_heads", default=0),
        index_dim=config.integer("index_head_dim", default=0),
    )
    return replace(made, **extra)  # type: ignore[arg-type]


def _deepseek(config: Config) -> Layers:
    biased = config.text("topk_method") == "noaux_tc" or config.text("scoring_func") == "sigmoid"
    return _sparse_layers(config, _mla(config), _moe(config, router_bias=biased), _dense(config))


def _glm4_moe(config: Config) -> Layers:
    attention = _gqa(config, qk_norm=config.flag("use_qk_norm"))
    return _sparse_layers(config, attention, _moe(config, router_bias=True), _dense(config))


def _gpt_oss(config: Config) -> Layers:
    window = config.integer("sliding_window", default=128, least=1)
    attention = _gqa(config, qkv_bias=True, out_bias=True)
    moe = _moe(config, router_bias=True, bias=True)
    sliding = replace(attention, window=window)
    kinds = config.words("layer_types") or [("sliding", "full")[i % 2] for i in range(_depth(config))]
    return [(sliding if str(kind).startswith("sliding") else attention, moe) for kind in kinds]


def _llama4(config: Config) -> Layers:
    step = config.integer("interleave_moe_layer_step", default=1, least=1)
    inner = config.integer("intermediate_size", least=1)
    moe = _moe(config, expert_inner=inner, shared_inner=inner)
    dense = FeedForward(kind="dense", hidden_inner=config.integer("intermediate_size_mlp", default=inner))
    chunk = config.integer("attention_chunk_size", default=8192, least=1)
    full = _gqa(config, qkv_bias=False)
    local = replace(full, window=chunk)
    return [
        (full if (index + 1) % 4 == 0 else local, moe if (index + 1) % step == 0 else dense)
        for index in range(_depth(config))
    ]


def _gemma(config: Config) -> Layers:
    return [(_gqa(config), _dense(config))] * _depth(config)


def _gemma_sliding(config: Config) -> Layers:
    norm = config.raw.get("model_type") != "gemma2"
    window, every = (
        config.integer("sliding_window", default=4096, least=1),
        config.integer("sliding_window_pattern", default=6 if norm else 2, least=1),
    )
    full = _gqa(config, qk_norm=norm)
    local = replace(full, window=window)
    return [(full if (i + 1) % every == 0 else local, _dense(config)) for i in range(_depth(config))]


def _plain_gpt(config: Config) -> Layers:
    """Return GPT-2's make and its relatives': multi-head, two matrices in the feed-forward block, biases."""
    return [(_gqa(config, qkv_bias=True, out_bias=True), _dense(config, gated=False, bias=True))] * _depth(config)


def _plain_no_bias(config: Config) -> Layers:
    return [(_gqa(config), _dense(config, gated=False))] * _depth(config)


def _minimax_m2(config: Config) -> Layers:
    return [(_gqa(config), _moe(config, router_bias=True))] * _depth(config)


_LEARNED = {"gpt2", "opt", "megatron"}
_TIED = {"gpt2", "opt", "megatron", "gemma", "gemma2", "gemma3_text", "bloom", "mpt", "falcon"}
_NORMS = {
    "gemma2": 4,
    "gemma3_text": 4,
    "gpt2": 4,
    "opt": 4,
    "megatron": 4,
    "bloom": 4,
    "gptj": 2,
    "gpt_neox": 4,
    "nemotron_h": 1,
    "mpt": 2,
    "falcon": 4,
}

FAMILIES: dict[str, Callable[[Config], Layers]] = {
    "llama": _llama, "mistral": _mistral, "mixtral": _mixtral, "qwen2": _qwen2, "qwen2_moe": _qwen2_moe,
    "qwen3": _qwen3, "qwen3_moe": _qwen3_moe, "qwen3_vl_text": _qwen3, "qwen3_vl_moe_text": _qwen3_moe,
    "qwen3_next": _qwen_hybrid, "qwen3_5_text": _qwen_hybrid, "qwen3_5_moe_text": _qwen_hybrid,
    "deepseek_v2": _deepseek, "deepseek_v3": _deepseek, "deepseek_v32": _deepseek, "kimi_k2": _deepseek,
    "glm_moe_dsa": _deepseek, "glm4_moe": _glm4_moe, "gpt_oss": _gpt_oss, "llama4_text": _llama4, "gemma": _gemma,
    "gemma2": _gemma_sliding, "gemma3_text": _gemma_sliding, "phi3": _llama, "mimo": _qwen2,
    "minimax_m2": _minimax_m2, "gpt2": _plain_gpt, "opt": _plain_gpt, "megatron": _plain_gpt, "bloom": _plain_gpt,
    "mimo_v2_flash": _hybrids.mimo_v2, "minimax_m3": _hybrids.minimax_m3, "minimax_m3_vl": _hybrids.minimax_m3,
    "step3p5": _hybrids.step3, "step3p7": _hybrids.step3, "gemma4_text": _hybrids.gemma4,
    "nemotron_h": _hybrids.nemotron_h, "nemotron-nas": _hybrids.nemotron_nas,
    "gpt_neox": _plain_gpt, "mpt": _plain_no_bias,
}  # fmt: skip
"""Readers by `model_type`."""
