"""How each family of architectures writes its sizes down."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from jevons.limits import CONFIG_NUMBER
from jevons.models import _compressed, _hybrids, _latent, _mixers, _older
from jevons.models._config import Config
from jevons.models._plain import Layers, Traits, dense, moe, plain
from jevons.models.spec import ModelSpec
from jevons.models.types import FeedForward, Indexer, LayerGroup


def family_of(model_types: list[str], architectures: list[str]) -> str | None:
    """Return the family that a file's model types, or else its class names, belong to; None where none is known."""
    for kind in model_types:
        if kind in FAMILIES:
            return kind
    bare = {re.sub(r"[^a-z0-9]", "", name): name for name in FAMILIES}
    for name in (*model_types, *architectures):
        plain_name = re.sub(r"[^a-z0-9]", "", re.sub(_CLASS_ENDS, "", name).lower())
        if plain_name in bare:
            return bare[plain_name]
    return None


_CLASS_ENDS = r"(Model|LMHead|ForCausalLM|LMHeadModel|ForConditionalGeneration|MoeForCausalLM)$"
_NO_DECODER = re.compile(
    r"MaskedLM|Classification|QuestionAnswering|MultipleChoice|PreTraining|NextSentence|CTC|Encoder|Detection|"
    r"Segmentation|Seq2Seq|^(Bert|Roberta|XLM|ViT|CLIP|T5|MT5|Whisper|Deberta|Electra|Siglip|Dino)"
)


def may_be_decoder(architectures: list[str], config: Config) -> bool:
    """Return whether an unknown file has the fields of a decoder and no class that says otherwise."""
    named = not any(_NO_DECODER.search(name) for name in architectures)
    fields = (
        ("hidden_size", "n_embd", "d_model"), ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        ("num_attention_heads", "n_head", "n_heads"), ("vocab_size", "padded_vocab_size"),
    )  # fmt: skip
    present = all(any(config.raw.get(name) is not None for name in names) for names in fields)
    return named and present and not config.raw.get("is_encoder_decoder")


def build(family: str | None, config: Config, name: str, architecture: str) -> ModelSpec:
    """Return the spec of one family's config, or of an unknown one by the common keys; faults stay in *config*."""
    layers = FAMILIES[family](config) if family else plain(config, Traits(out_follows=True, windowed=True))
    counted = Counter(layers)
    family = family or ""
    hidden = _mixers.width(config)
    if config.integer("word_embed_proj_dim", default=hidden) != hidden:
        config.fault(
            "word_embed_proj_dim", f"is not hidden_size {hidden}; embeddings of another width are not modelled"
        )
    learned = (
        config.integer("n_positions", "max_position_embeddings", "max_seq_len", default=0) if family in _LEARNED else 0
    )
    return ModelSpec(
        name=name,
        architecture=architecture,
        hidden=hidden,
        vocab=config.integer("vocab_size", "padded_vocab_size", least=1),
        layers=tuple(LayerGroup(count, *make) for make, count in counted.items()),
        tied_embeddings=config.flag("tie_word_embeddings", "tie_embeddings", default=family in _TIED),
        mtp_layers=config.integer("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules", default=0),
        max_context=_longest(config),
        position_embeddings=learned,
        table_parameters=_table_parameters(config, hidden) if family == "longcat_flash_ngram" else 0,
        norms_per_layer=_NORMS.get(family, 2),
    )  # fmt: skip


_STRETCHED = frozenset({"linear", "dynamic", "yarn"})
"""Rotations that reach a factor beyond what a config states; others state what they reach."""


def _longest(config: Config) -> int:
    """Return the tokens that a model reads as engines take them: stretched rotations count; 0 where none are stated.

    References
    ----------
    vLLM, ``_get_and_verify_max_len``; SGLang, ``get_context_length``.
    """
    stated = config.integer(
        "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length", "max_seq_length",
        default=0,
    )  # fmt: skip
    both = (config.raw.get(key) for key in ("rope_scaling", "rope_parameters"))
    scaling = next((value for value in both if isinstance(value, Mapping)), {})
    kind, factor = str(scaling.get("rope_type", scaling.get("type"))), scaling.get("factor")
    own = str(config.raw.get("model_type", "")).startswith("gemma3")
    if own or kind not in _STRETCHED or isinstance(factor, bool) or not isinstance(factor, int | float):
        return stated
    first = scaling.get("original_max_position_embeddings") if kind == "yarn" else stated
    first = first if isinstance(first, int) and not isinstance(first, bool) else stated
    return max(stated, int(first * factor)) if 1.0 <= factor <= _MOST_STRETCHED and first <= CONFIG_NUMBER else stated


_MOST_STRETCHED = 1024.0


def _qwen_hybrid(config: Config) -> Layers:
    shared = config.integer("shared_expert_intermediate_size", default=0) > 0
    gated = {"attn_output_gate": True, "full_attention_interval": 4}
    filled = {**gated, **{key: value for key, value in config.raw.items() if value is not None}}
    if not filled.get("num_experts"):
        filled.pop("num_experts", None)
    return plain(config.like(filled), Traits(qk_norm=True, shared_gate=shared))


def _qwen_streams(config: Config) -> Layers:
    """Qwen3.8-Flash-Next: the hybrid with low-rank connections of several residual streams, and chosen cache blocks."""
    hidden = _mixers.width(config)
    streams = config.integer("hc_count", default=1, least=1, most=1000)
    connections = 4 * streams * hidden * config.integer("hc_lowrank", default=0, most=100_000)
    indexer = Indexer(
        topk=config.integer("indexer_budget", default=0) or None,
        heads=config.integer("indexer_n_heads", default=0, most=100_000),
        dim=config.integer("indexer_head_dim", default=0, most=100_000),
    )
    return [
        (
            replace(
                attention,
                streams=streams,
                extra_parameters=attention.extra_parameters + connections,
                indexer=indexer if attention.kind == "gqa" else attention.indexer,
            ),
            block,
        )
        for attention, block in _qwen_hybrid(config)
    ]


def _gpt_oss(config: Config) -> Layers:
    filled = {"sliding_window": 128, **config.raw}
    if not config.words("layer_types"):
        filled["sliding_window_pattern"] = "LG"
    layers = plain(config.like(filled), Traits(qkv_bias=True, out_bias=True, router_bias=True))
    return [(attention, replace(block, bias=True)) for attention, block in layers]


def _llama4(config: Config) -> Layers:
    step = config.integer("interleave_moe_layer_step", default=1)
    named = config.numbers("moe_layers") if config.raw.get("moe_layers") is not None else None
    inner = config.integer("intermediate_size", least=1)
    routed = replace(moe(config, Traits()), expert_inner=inner, shared_inner=inner)
    other = FeedForward(kind="dense", hidden_inner=config.integer("intermediate_size_mlp", default=inner))
    chunk = config.integer("attention_chunk_size", default=8192, least=1)
    full = _mixers.gqa(config, qkv_bias=False)
    local = replace(full, window=chunk, chunked=True)
    return [
        (full if (index + 1) % 4 == 0 else local, routed if _llama4_routed(index, step, named) else other)
        for index in range(_mixers.depth(config))
    ]


def _llama4_routed(index: int, step: int, named: list[int] | None) -> bool:
    """Return whether a layer has experts: those that the file names, or one in so many; none for 0 (Llama Guard 4)."""
    return index in named if named is not None else bool(step) and (index + 1) % step == 0


def _gemma_sliding(config: Config) -> Layers:
    second = config.raw.get("model_type") == "gemma2"
    filled = {"sliding_window": 4096, **{key: value for key, value in config.raw.items() if value is not None}}
    return plain(config.like(filled), Traits(qk_norm=not second, every=2 if second else 6))


def _cohere2(config: Config) -> Layers:
    filled = {"sliding_window": 4096, **{key: value for key, value in config.raw.items() if value is not None}}
    return plain(config.like(filled), Traits(every=4))


def _phi_moe(config: Config) -> Layers:
    layers = plain(config, Traits(windowed=True, out_follows=True))
    return [(replace(attention, extra_parameters=2 * _mixers.width(config)), block) for attention, block in layers]


def _seed_oss(config: Config) -> Layers:
    return plain(config.like({"attention_bias": True, **config.raw}), Traits())


def _linear_ling(config: Config) -> Layers:
    """Ling and Ring with linear attention: the last layer of each group attends to all tokens."""
    size = config.integer("layer_group_size", default=1, least=1)
    depth = _mixers.depth(config)
    tail = depth // size * size
    kinds = ["full" if (index + 1) % size == 0 or index >= tail else "linear" for index in range(depth)]
    return plain(config.like({**config.raw, "layer_types": kinds}), Traits(qk_norm=True, router_bias=True))


def _llama_vision(config: Config) -> Layers:
    """Llama 3.2 Vision: named layers attend to an image of at most four tiles instead of the text."""
    crossing = set(config.numbers("cross_attention_layers"))
    text = plain(config, Traits())
    return [
        (replace(attention, window=_IMAGE_TOKENS) if index in crossing else attention, block)
        for index, (attention, block) in enumerate(text)
    ]


_IMAGE_TOKENS = 4 * 1601


def _granite_hybrid(config: Config) -> Layers:
    """Granite 4: the dense models have the shared block alone."""
    raw = dict(config.raw)
    if not raw.get("num_local_experts") and raw.get("shared_intermediate_size") is not None:
        raw["intermediate_size"] = raw["shared_intermediate_size"]
    return plain(config.like(raw), Traits())


def _afmoe(config: Config) -> Layers:
    return plain(config.like({"attn_output_gate": True, **config.raw}), Traits(qk_norm=True, router_bias=True))


def _muse(config: Config) -> Layers:
    return plain(config.like({"attn_output_gate": True, **config.raw}), Traits())


def _falcon_h1(config: Config) -> Layers:
    depth = min(_mixers.depth(config), 10_000)
    return plain(config.like({**config.raw, "layer_types": ["hybrid"] * depth}), Traits())


def _state_space(config: Config) -> Layers:
    """Mamba and Mamba-2 without attention: one mixer a layer and no feed-forward block."""
    second = "mamba2" in str(config.raw.get("model_type", "")) or config.raw.get("n_groups") is not None
    mixer = _mixers.mamba2(config) if second else _mixers.mamba1(config)
    return [(mixer, FeedForward(kind="none"))] * _mixers.depth(config)


def _longcat(config: Config) -> Layers:
    """LongCat-Flash: two latent attentions and two dense blocks a layer, experts beside the first of them."""
    raw = {**config.raw, "intermediate_size": config.raw.get("ffn_hidden_size")}
    first, inner = _mixers.mla(config), dense(config.like(raw), Traits())
    routed = replace(
        moe(config.like({**raw, "moe_intermediate_size": config.raw.get("expert_ffn_hidden_size")}), Traits()),
        hidden_inner=inner.hidden_inner,
        router_bias=True,
    )
    copies = config.integer("zero_expert_num", default=0)  # of experts that pass a token on unchanged
    share = routed.experts / max(routed.experts + copies, 1)
    routed = replace(routed, experts_per_token=max(round(routed.experts_per_token * share), 1))
    depth = config.integer("num_layers", "num_hidden_layers", least=1, most=5_000)
    return [(first, routed), (first, inner)] * depth


def _table_parameters(config: Config, hidden: int) -> int:
    """Parameters of LongCat's tables of n-grams, several for each length of two and more, each with a projection.

    Together they are as wide as the model, and each has some times the vocabulary's rows.
    """
    lengths, splits = (config.integer(key, default=1, most=1000) for key in ("emb_neighbor_num", "emb_split_num"))
    rows = config.integer("ngram_vocab_size_ratio", default=0, most=10_000) * config.integer("vocab_size", least=1)
    return (rows + hidden) * hidden if rows and lengths > 1 and splits else 0


_GPT = Traits(qkv_bias=True, out_bias=True, gated=False, feed_bias=True)
"""GPT-2's make and its relatives': multi-head, two matrices in the feed-forward block, biases."""

_PLAIN: dict[str, Traits] = {
    "llama": Traits(out_follows=True), "phi3": Traits(out_follows=True), "yi": Traits(), "internlm": Traits(),
    "mistral": Traits(windowed=True), "ministral": Traits(windowed=True), "ministral3": Traits(windowed=True),
    "mixtral": Traits(), "qwen2": Traits(qkv_bias=True), "mimo": Traits(qkv_bias=True),
    "qwen2_vl": Traits(qkv_bias=True), "qwen2_vl_text": Traits(qkv_bias=True), "qwen2_5_vl": Traits(qkv_bias=True),
    "qwen2_5_vl_text": Traits(qkv_bias=True), "qwen2_audio": Traits(qkv_bias=True),
    "qwen2_5_omni_text": Traits(qkv_bias=True), "qwen2_moe": Traits(qkv_bias=True, shared_gate=True),
    "qwen3": Traits(qk_norm=True), "qwen3_moe": Traits(qk_norm=True), "qwen3_vl_text": Traits(qk_norm=True),
    "qwen3_vl_moe_text": Traits(qk_norm=True), "qwen3_omni_moe_text": Traits(qk_norm=True),
    "glm4_moe": Traits(router_bias=True), "glm4v_moe_text": Traits(router_bias=True), "glm": Traits(),
    "glm4": Traits(), "glm4v_text": Traits(), "chatglm": Traits(qkv_bias=True),
    "minimax_m2": Traits(router_bias=True), "minimax_m1": Traits(), "minimax_text_01": Traits(),
    "minimax": Traits(), "dots1": Traits(qk_norm=True, router_bias=True), "gemma": Traits(),
    "olmo": Traits(), "olmo2": Traits(qk_norm=True), "olmo3": Traits(qk_norm=True, every=4),
    "olmoe": Traits(qk_norm=True), "granite": Traits(out_follows=True), "granitemoe": Traits(),
    "granitemoeshared": Traits(), "granitemoehybrid": Traits(), "jamba": Traits(),
    "phi3small": Traits(qkv_bias=True, out_bias=True, feed_bias=True), "phi3_v": Traits(), "minicpm": Traits(),
    "xverse": Traits(), "aquila": Traits(), "orion": Traits(), "skywork_moe": Traits(),
    "falcon_h1": Traits(), "exaone": Traits(), "exaone4": Traits(qk_norm=True),
    "exaone_moe": Traits(qk_norm=True, router_bias=True), "internlm2": Traits(), "internlm3": Traits(),
    "ernie4_5": Traits(), "ernie4_5_moe": Traits(router_bias=True), "ernie4_5_moe_vl": Traits(router_bias=True),
    "ernie4_5_vl_moe": Traits(router_bias=True), "ernie4_5_vl_moe_text": Traits(router_bias=True),
    "hunyuan_v1_dense": Traits(qk_norm=True), "hunyuan_v1_moe": Traits(qk_norm=True), "hunyuan": Traits(),
    "bailing_moe": Traits(), "bailing_moe_v2": Traits(qk_norm=True, router_bias=True),
    "smollm3": Traits(), "arcee": Traits(gated=False), "apertus": Traits(gated=False, qk_norm=True),
    "nemotron": Traits(gated=False), "starcoder2": Traits(gated=False, qkv_bias=True, out_bias=True, feed_bias=True),
    "stablelm": Traits(), "cohere": Traits(), "phi": _GPT, "gpt_bigcode": _GPT, "baichuan": Traits(),
    "lfm2": Traits(qk_norm=True), "lfm2_moe": Traits(qk_norm=True, router_bias=True), "afmoe": Traits(qk_norm=True),
    "olmo_hybrid": Traits(qk_norm=True), "kimi_linear": Traits(router_bias=True), "gpt2": _GPT, "opt": _GPT,
    "megatron": _GPT, "bloom": _GPT, "gpt_neox": _GPT, "mpt": Traits(gated=False), "falcon": Traits(gated=False),
    "glm4_moe_lite": Traits(router_bias=True), "gptj": Traits(gated=False, feed_bias=True),
    "codegen": Traits(gated=False, feed_bias=True), "gpt_neo": Traits(out_bias=True, gated=False, feed_bias=True),
    "persimmon": replace(_GPT, qk_norm=True), "nanochat": Traits(gated=False),
    "jais2": Traits(gated=False, out_follows=True),
    "apertus1p5_text": Traits(gated=False, qk_norm=True), "cosmos3_edge_text": Traits(gated=False),
    "paddleocr_vl_text": Traits(), "paddleocr_vl": Traits(),
    **dict.fromkeys(
        ("aria_text", "cwm", "diffllama", "flex_olmo", "flint", "glm_ocr_text", "granite_docling_text", "granite_swa",
         "granitemoe_swa", "hy_v3", "hyperclovax", "kolibri1", "laguna", "lara_mini", "mellum", "minicpm3",
         "molmo2_text", "phi4_multimodal", "solar_open", "vaultgemma", "bitnet", "sarvam_moe"),
        Traits(out_follows=True, windowed=True),
    ),
}  # fmt: skip

FAMILIES: dict[str, Callable[[Config], Layers]] = {
    **{name: partial(plain, traits=traits) for name, traits in _PLAIN.items()},
    "qwen3_next": _qwen_hybrid, "qwen3_5_text": _qwen_hybrid, "qwen3_5_moe_text": _qwen_hybrid,
    "qwen4_exp_text": _qwen_streams, "qwen3_8_flash_next_text": _qwen_streams,
    **dict.fromkeys(
        ("deepseek", "deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "glm_moe_dsa", "axk1", "axk2", "hy_v4",
         "hy_v4_text", "hy_v4_vl_text", "glm5_next_text", "dots3_note_text", "mistral4", "mistral_large4_text",
         "youtu", "sarvam_mla"),
        _latent.deepseek,
    ),
    "deepseek_v4": _compressed.deepseek_v4, "deepseek_v41_text": _compressed.deepseek_v41,
    "qwen": _older.joined_inner, "molmo": _older.molmo, "grok-1": _older.grok, "git": _older.grok,
    "arctic": _older.arctic, "bamba": _older.bamba, "recurrent_gemma": _older.recurrent_gemma,
    "gpt_oss": _gpt_oss, "llama4_text": _llama4, "gemma2": _gemma_sliding, "gemma3_text": _gemma_sliding,
    "gemma3": _gemma_sliding, "cohere2": _cohere2, "phimoe": _phi_moe, "seed_oss": _seed_oss,
    "bailing_moe_linear": _linear_ling, "bailing_hybrid": _linear_ling, "falcon_h1": _falcon_h1,
    "mamba": _state_space, "mamba2": _state_space, "falcon_mamba": _state_space, "longcat_flash": _longcat,
    "longcat_flash_ngram": _longcat,
    "mimo_v2_flash": _hybrids.mimo_v2, "mimo_v2": _hybrids.mimo_v2,
    "step3_text": _hybrids.step3_first, "dbrx": _hybrids.dbrx, "granitemoehybrid": _granite_hybrid, "afmoe": _afmoe,
    "muse_glimmer_text": _muse, "muse_spark_text": _muse,
    "mllama_text_model": _llama_vision, "gemma3n_text": _hybrids.gemma4,
    "minimax_m3": _hybrids.minimax_m3,
    "minimax_m3_vl": _hybrids.minimax_m3, "minimax_m3_vl_text": _hybrids.minimax_m3, "step3p5": _hybrids.step3,
    "step3p7": _hybrids.step3,
    "gemma4_text": _hybrids.gemma4, "gemma4_unified_text": _hybrids.gemma4, "nemotron_h": _hybrids.nemotron_h,
    "nemotron-nas": _hybrids.nemotron_nas,
}  # fmt: skip
"""Readers by `model_type`."""

DEFAULTS: dict[str, dict[str, int]] = {
    "llama": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
              "num_attention_heads": 32},
    "mistral": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                "num_attention_heads": 32, "num_key_value_heads": 8, "sliding_window": 4096},
    "qwen2": {"vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
              "num_attention_heads": 32},
    "gemma": {"vocab_size": 256000, "hidden_size": 3072, "intermediate_size": 24576, "num_hidden_layers": 28,
              "num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": 256},
    "gemma2": {"vocab_size": 256000, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
               "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096},
    "gemma3_text": {"vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
                    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096},
}  # fmt: skip
"""What the classes of Transformers fill in: files of models with several parts leave it out of the decoder's."""

_LEARNED = {"gpt2", "opt", "megatron", "gpt_bigcode", "gpt_neo"}
_TIED = {
    "gpt2", "opt", "megatron", "gemma", "gemma2", "gemma3_text", "gemma3", "bloom", "mpt", "falcon", "cohere",
    "cohere2", "gpt_bigcode", "smollm3", "granitemoehybrid", "lfm2", "lfm2_moe", "ernie4_5", "ernie4_5_moe",
    "hunyuan_v1_dense", "starcoder2", "gemma3n_text", "gpt_neo", "paddleocr_vl_text",
    "paddleocr_vl", "mamba", "falcon_mamba",
    "gemma4_text", "gemma4_unified_text", "recurrent_gemma", "minicpm", "phi3small",
}  # fmt: skip
"""Families whose head is the embedding where the file does not say."""

_NORMS = {
    "gemma2": 4, "gemma3_text": 4, "gemma3": 4, "gemma3n_text": 4, "gpt2": 4, "opt": 4, "megatron": 4, "bloom": 4,
    "gpt_neo": 4, "codegen": 2, "persimmon": 4, "jais2": 4,
    "gptj": 2, "gpt_neox": 4, "nemotron_h": 1, "mpt": 2, "falcon": 4, "mamba": 1, "mamba2": 1, "falcon_mamba": 1,
    "glm4": 4, "glm4v_text": 4, "muse_glimmer_text": 4, "muse_spark_text": 5, "cohere": 1, "cohere2": 1,
}  # fmt: skip
