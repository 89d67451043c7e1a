"""Encoders beside a decoder wherever a file describes them, and lists that end early: published sizes."""

from __future__ import annotations

from typing import Any

import pytest

from jevons.models.read import spec_of

SPARSE: dict[str, Any] = {
    "hidden_size": 2048, "intermediate_size": 6144, "moe_intermediate_size": 768, "num_hidden_layers": 48,
    "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8,
    "max_position_embeddings": 65_536, "tie_word_embeddings": False,
}  # fmt: skip
OCR: dict[str, Any] = {
    "architectures": ["DeepseekOCRForCausalLM"], "model_type": "deepseek_vl_v2", "language_config": {
        "architectures": ["DeepseekV2ForCausalLM"], "first_k_dense_replace": 1, "hidden_size": 1280,
        "intermediate_size": 6848, "kv_lora_rank": None, "max_position_embeddings": 8192, "moe_intermediate_size": 896,
        "n_routed_experts": 64, "n_shared_experts": 2, "num_attention_heads": 10, "num_experts_per_tok": 6,
        "num_hidden_layers": 12, "num_key_value_heads": 10, "q_lora_rank": None, "qk_nope_head_dim": 0,
        "qk_rope_head_dim": 0, "use_mla": False, "v_head_dim": 0, "vocab_size": 129_280,
    },
    "vision_config": {"image_size": 1024, "width": {
        "clip-l-14-224": {"heads": 16, "layers": 24, "width": 1024},
        "sam_vit_b": {"heads": 12, "layers": 12, "width": 768},
    }},
}  # fmt: skip
OMNI: dict[str, Any] = {
    "architectures": ["Qwen3OmniMoeForConditionalGeneration"], "model_type": "qwen3_omni_moe", "thinker_config": {
        "text_config": {**SPARSE, "model_type": "qwen3_omni_moe_text", "vocab_size": 152_064},
        "vision_config": {
            "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "patch_size": 16, "spatial_merge_size": 2,
        },
        "audio_config": {"d_model": 1280, "encoder_layers": 32, "encoder_ffn_dim": 5120},
    },
}  # fmt: skip


def test_a_file_without_latent_attention_may_state_its_widths_as_none() -> None:
    """DeepSeek-OCR: 3,336,106,240 parameters in its file of weights; keys and values of ten heads of 128."""
    spec = spec_of(OCR, "deepseek-ocr")
    assert spec.parameters + spec.vision_parameters == pytest.approx(3_336_106_240, rel=0.01)
    assert spec.layers[0].attention.kind == "gqa"
    assert spec.layers[0].attention.cached_elements_per_token == 2 * 10 * 128


def test_towers_of_a_model_that_talks_lie_in_the_part_that_listens() -> None:
    """Qwen3-Omni: 31.7 bn parameters in its thinker, 0.64 of them in the encoder of sound, 0.54 in that of images."""
    spec = spec_of(OMNI, "qwen3-omni")
    assert spec.parameters + spec.vision_parameters == pytest.approx(31.7e9, rel=0.01)
    assert spec.vision_parameters == pytest.approx(0.64e9 + 0.54e9, rel=0.1)
    assert spec.free_images


@pytest.mark.parametrize(("named", "said"), [(3, True), (4, False), (48, False), (50, False)])
def test_a_list_of_layers_that_ends_early_is_said_to_be_repeated(named: int, said: bool) -> None:
    file = {**SPARSE, "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "vocab_size": 151_936,
            "num_hidden_layers": 50 if named == 3 else 48, "layer_types": ["full_attention"] * named}  # fmt: skip
    assert any("layer_types names" in text for text in spec_of(file, "own").warnings) == said


def test_one_matrix_that_alone_stays_in_16_bits_is_said() -> None:
    """GPTQModel writes `dynamic` so; all three matrices of a block would be read alike without a word."""
    file = {**SPARSE, "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "vocab_size": 151_936}
    quantised = {"quant_method": "gptq", "bits": 8, "group_size": 128}
    one = spec_of({**file, "quantization_config": {**quantised, "dynamic": {"-:.*down_proj.*": {}}}}, "own")
    assert any("only down_proj stays in 16 bits" in text for text in one.warnings)
    whole = spec_of({**file, "quantization_config": {**quantised, "dynamic": {"-:.*mlp.*": {}}}}, "own")
    assert not any("stays in 16 bits" in text for text in whole.warnings)


def test_a_tower_of_glm_is_as_wide_inside_as_its_decoder() -> None:
    """GLM-4.1V-9B: 10,292,777,472 parameters in its file of weights."""
    file = {
        "architectures": ["Glm4vForConditionalGeneration"], "model_type": "glm4v", "text_config": {
            "model_type": "glm4v_text", "attention_bias": True, "hidden_size": 4096, "intermediate_size": 13_696,
            "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 2, "vocab_size": 151_552,
            "max_position_embeddings": 65_536, "tie_word_embeddings": False,
        },
        "vision_config": {
            "model_type": "glm4v", "depth": 24, "hidden_size": 1536, "intermediate_size": 13_696, "num_heads": 12,
            "out_hidden_size": 4096, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
        },
    }  # fmt: skip
    spec = spec_of(file, "glm-4.1v-9b")
    assert spec.parameters + spec.vision_parameters == pytest.approx(10.29e9, rel=0.003)


def test_an_encoder_of_sound_is_found_by_either_of_its_names_for_sizes() -> None:
    """Voxtral-Small-24B: 24.3 bn parameters, 0.64 of them in the encoder; it was read without."""
    text = {
        "model_type": "llama", "head_dim": 128, "hidden_size": 5120, "intermediate_size": 32_768, "vocab_size": 131_072,
        "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 32_768,
    }  # fmt: skip
    sound = {
        "model_type": "voxtral_encoder", "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
        "num_attention_heads": 20, "num_mel_bins": 128,
    }  # fmt: skip
    file = {"architectures": ["VoxtralForConditionalGeneration"], "model_type": "voxtral", "text_config": text}
    spec = spec_of({**file, "audio_config": sound}, "voxtral-small")
    assert spec.parameters + spec.vision_parameters == pytest.approx(24.3e9, rel=0.01)
    assert spec.vision_parameters == pytest.approx(0.64e9, rel=0.03)
