"""What a config.json leaves open or says twice: files that are no decoder, heads that differ, mixers without layers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jevons.models.spec import ModelSpec
from jevons.schema import shortened

_ENCODER_DECODER = re.compile(
    r"^(M?T5|UMT5|LongT5|Bart|MBart|Pegasus|Marian|Whisper|SeamlessM4T|M2M|NllbMoe|Led|ProphetNet|Blenderbot|"
    r"SpeechT5|Speech2Text|Moonshine|Florence2|VisionEncoderDecoder|EncoderDecoder|T5Gemma)"
)
_ENCODER = re.compile(r"MaskedLM|^(Bert|Roberta|XLM|ViT|CLIP|Deberta|Electra|Siglip|Dino|ModernBert|Wav2Vec2|Hubert)")
_LARGEST = 10**12
_NO_HEAD = re.compile(r"For(Sequence|Token)Classification|RewardModel|ForRewardModel|ForProcessRewardModel")
_MIXER_KEYS = (
    "mamba_d_state", "ssm_state_size", "mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "mamba_d_ssm",
    "linear_num_value_heads", "linear_num_heads", "linear_attn_config", "conv_L_cache", "lru_width", "time_step_rank",
)  # fmt: skip


def no_decoder(raw: Mapping[str, Any]) -> str:
    """Return what a file describes in place of a decoder, and what to give; empty where it may be one."""
    if raw.get("peft_type") or raw.get("base_model_name_or_path"):
        base = shortened(str(raw.get("base_model_name_or_path") or "its base model"))
        return (
            f"this is an adapter ({shortened(str(raw.get('peft_type') or 'PEFT'), 20)}) of {base}: give the base "
            "model, and `jevons train --lora-rank` to train one"
        )
    if raw.get("_diffusers_version") or raw.get("_class_name"):
        return "this describes a diffusion pipeline: only decoders of text are read"
    listed = raw.get("architectures")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    if raw.get("is_encoder_decoder") or any(_ENCODER_DECODER.search(name) for name in names):
        return "this is an encoder-decoder: only decoders of text are read"
    if any(_ENCODER.search(name) for name in names):
        return "this is an encoder: only decoders of text are read"
    if raw.get("num_mem_blocks") is not None and raw.get("hybrid_layer_ids") is not None:
        return (
            "its layers share blocks of attention (num_mem_blocks), which no rule reads: weights would be counted often"
        )
    for key in ("text_model_id", "language_model_id", "llm_model_id"):
        if isinstance(raw.get(key), str):
            return f"the decoder is another repository's ({shortened(raw[key])}): give that model"
    return ""


def headless(architectures: list[str]) -> bool:
    """Return whether a class has no head over the vocabulary: classifiers and reward models."""
    return any(_NO_HEAD.search(name) for name in architectures)


def doubts(raw: Mapping[str, Any], text: Mapping[str, Any], spec: ModelSpec) -> list[str]:
    """Return what a file says twice or leaves open, and how it was read."""
    return [*_two_heads(raw, text, spec), *_no_place(text, spec), *_tables(text), *_too_few(text, spec)]


def _too_few(text: Mapping[str, Any], spec: ModelSpec) -> list[str]:
    """Say that a list of layers ends early; one that comes out even is a pattern."""
    named = text.get("layer_types")
    if not isinstance(named, list) or not named or spec.n_layers % len(named) == 0 or len(named) > spec.n_layers:
        return []
    return [f"layer_types names {len(named)} of {spec.n_layers} layers: it is repeated for the others"]


def _tables(text: Mapping[str, Any]) -> list[str]:
    """Say what tables of n-grams hold: one row of many is read for a token."""
    stated = text.get("engram_num_embeddings")
    rows = sum(size for size in stated if isinstance(size, int)) if isinstance(stated, list) else 0
    numbers = rows * _number(text, "engram_head_dim")
    numbers += _number(text, "ngram_vocab_size_base") * _number(text, "ple_embed_dim")
    if not numbers:
        return []
    told = (
        f"tables of n-grams hold {numbers / 1e9:.1f} bn numbers more, which are not counted: engines keep them in host "
        f"memory or on disk; where devices keep or share them they take {numbers / 1e9:.0f} GB in 8 bits"
    )
    return [told]


def _number(text: Mapping[str, Any], key: str) -> int:
    value = text.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST else 0


def _two_heads(raw: Mapping[str, Any], text: Mapping[str, Any], spec: ModelSpec) -> list[str]:
    outer, inner = raw.get("tie_word_embeddings"), text.get("tie_word_embeddings")
    if not (isinstance(outer, bool) and isinstance(inner, bool)) or outer is inner:
        return []
    head = spec.vocab * spec.hidden / 1e9
    told = (
        f"tie_word_embeddings is {str(outer).lower()} for the whole model and {str(inner).lower()} for its decoder: "
        f"read as the decoder says; a head is {head:.2g} bn parameters"
    )
    return [told]


def _lists_attention(text: Mapping[str, Any], spec: ModelSpec) -> bool:
    """Return whether a file says of each layer that it attends, whatever sizes it states of recurrent ones."""
    kinds = text.get("layer_types")
    return isinstance(kinds, list) and len(kinds) == spec.n_layers and all("attention" in str(kind) for kind in kinds)


def _no_place(text: Mapping[str, Any], spec: ModelSpec) -> list[str]:
    keys = [key for key in _MIXER_KEYS if text.get(key) is not None]
    mixers = any(group.attention.mixer.parameters for group in spec.layers)
    attends = any(group.attention.kind in {"gqa", "mla"} for group in spec.layers)
    if keys and not mixers and not _lists_attention(text, spec):
        return [f"no key says which layers are recurrent ({', '.join(keys[:3])}): all are read as attention"]
    if mixers and not attends and str(text.get("model_type")) == "bamba":
        return ["attn_layer_indices is missing: all layers are read as Mamba-2, as Transformers does"]
    return []
