"""Families whose files say less than their code, and files that say something twice or are no decoder."""

from __future__ import annotations

from typing import Any

import pytest

from jevons.errors import InputError
from jevons.models.read import spec_of
from published_models import plain

_BAMBA = plain("bamba", 4096, 32, 32, 8, 14336, 128256, mamba_n_heads=128, mamba_d_head=64, mamba_d_state=128,
               mamba_n_groups=1, mamba_conv_bias=True, tie_word_embeddings=False)  # fmt: skip
_PUBLISHED: dict[str, tuple[dict[str, Any], float]] = {
    "Bamba-9B": ({**_BAMBA, "attn_layer_indices": [9, 18, 27]}, 9.78),
    "Qwen-7B": (plain("qwen", 4096, 32, 32, 32, 22016, 151936, kv_channels=128, tie_word_embeddings=False), 7.72),
    "Molmo-7B-D": (plain("molmo", 3584, 28, 28, 4, 37888, 152064, qkv_bias=True, tie_word_embeddings=False), 7.62),
    "Grok-2": (
        plain("git", 8192, 64, 64, 8, 32768, 131072, moe_intermediate_size=16384, num_local_experts=8,
              num_experts_per_tok=2, residual_moe=True, tie_word_embeddings=False), 269.5,
    ),
    "Arctic": (
        plain("arctic", 7168, 35, 56, 8, 4864, 32000, num_local_experts=128, num_experts_per_tok=2,
              parallel_attn_mlp_res=True, tie_word_embeddings=False), 480,
    ),
    "RecurrentGemma-9B": (
        plain("recurrent_gemma", 4096, 38, 16, 1, 24576, 256000, head_dim=256, lru_width=4096,
              block_types=["recurrent", "recurrent", "attention"]), 8.58,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", _PUBLISHED)
def test_older_families_count_as_published(name: str) -> None:
    config, billions = _PUBLISHED[name]
    spec = spec_of({key: value for key, value in config.items() if value is not None}, name)
    assert spec.parameters_total / 1e9 == pytest.approx(billions, rel=0.01)
    assert spec.warnings == ()


def test_bamba_without_attention_layers_is_all_mamba_and_says_so() -> None:
    spec = spec_of(_BAMBA, "bamba")
    assert {group.attention.kind for group in spec.layers} == {"ssm"}
    assert any("attn_layer_indices is missing" in text for text in spec.warnings)


def test_recurrent_sizes_without_their_layers_are_told() -> None:
    spec = spec_of(plain("llama", 64, 2, 4, 4, 128, 100, mamba_d_state=16), "x")
    assert any("no key says which layers are recurrent (mamba_d_state)" in text for text in spec.warnings)


def test_a_file_that_says_of_each_layer_that_it_attends_is_not_doubted() -> None:
    """Granite-4.0-Micro: sizes of a family with recurrent layers, of which it has none."""
    sizes = plain("granitemoehybrid", 2560, 40, 40, 8, 8192, 100_352, layer_types=["attention"] * 40)
    spec = spec_of({**sizes, "mamba_d_state": 128, "num_local_experts": 0, "shared_intermediate_size": 8192}, "micro")
    assert spec.warnings == ()
    assert spec.parameters_total / 1e9 == pytest.approx(3.4, rel=0.01)


@pytest.mark.parametrize(("outer", "inner", "told"), [(False, True, 1), (True, False, 1), (True, True, 0)])
def test_heads_that_a_file_ties_once_and_unties_once_are_told(outer: bool, inner: bool, told: int) -> None:
    text = plain("qwen2", 64, 2, 4, 4, 128, 100, tie_word_embeddings=inner)
    spec = spec_of({"model_type": "llava", "text_config": text, "tie_word_embeddings": outer}, "x")
    assert spec.tied_embeddings is inner
    assert sum("tie_word_embeddings is" in warning for warning in spec.warnings) == told


def test_classifiers_have_no_head_over_the_vocabulary() -> None:
    config = plain("qwen3", 64, 2, 4, 4, 128, 100, tie_word_embeddings=False)
    whole, classifier = (spec_of(config | {"architectures": [f"Qwen3For{kind}"]}, "x")
                         for kind in ("CausalLM", "SequenceClassification"))  # fmt: skip
    assert whole.parameters_total - classifier.parameters_total == 64 * 100


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.1-8B"}, "adapter .LORA. of meta-llama"),
        ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "encoder-decoder"),
        ({"model_type": "ultravox", "text_model_id": "meta-llama/Llama-3.3-70B"}, "another repository's"),
        ({"_class_name": "FluxPipeline"}, "diffusion pipeline"),
    ],
)
def test_files_that_are_no_decoder_say_what_they_are(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        spec_of(raw, "x")
