"""Sizes, caches and states of families by the keys of their publishers' files, against what they state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jevons.errors import InputError
from jevons.models.formulas import cached_bytes_per_token
from jevons.models.read import spec_of
from published_models import CONFIG, COUNTED, STATED, plain


@pytest.mark.parametrize("name", STATED)
def test_parameters_and_cache_are_as_stated(name: str) -> None:
    config, total, active, cached = STATED[name]
    spec = spec_of(config, name)
    assert spec.parameters_total / 1e9 == pytest.approx(total, rel=0.025)
    if active is not None:
        assert spec.parameters_active / 1e9 == pytest.approx(active, rel=0.1)
    assert spec.kv_bytes_per_token("bf16") == cached
    assert spec.warnings == ()


@pytest.mark.parametrize("kind", COUNTED)
def test_files_of_transformers_5_count_as_its_classes_do(kind: str) -> None:
    config, counted = COUNTED[kind]
    spec = spec_of(config, kind)
    assert spec.parameters_total == pytest.approx(counted, rel=0.01)
    assert spec.warnings == ()


def test_sizes_of_an_unknown_family_that_no_rule_reads_are_named() -> None:
    config = plain("zamba9", 64, 2, 4, 4, 128, 100, num_mem_blocks=2, adapter_rank=8, rope_theta=10000, pad_token_id=3)
    warnings = spec_of(config, "x").warnings
    assert any("num_mem_blocks, adapter_rank" in text for text in warnings)
    assert not any("rope_theta" in text or "pad_token_id" in text for text in warnings)


def test_embeddings_of_another_width_are_refused() -> None:
    with pytest.raises(InputError, match="word_embed_proj_dim"):
        spec_of(plain("opt", 64, 2, 4, 4, 128, 100, word_embed_proj_dim=32), "x")


def test_recurrent_layers_keep_a_state_and_no_cache() -> None:
    jamba, falcon = (spec_of(STATED[name][0], name) for name in ("Jamba-v0.1", "Falcon-H1-34B"))
    assert jamba.state_bytes_per_sequence() == 28 * 8192 * 16 * 4
    assert falcon.state_bytes_per_sequence() == 72 * 4096 * 256 * 4
    assert falcon.n_layers == 72


@pytest.mark.parametrize(
    ("keys", "windows"),
    [
        ({"layer_types": ["sliding_attention", "full_attention"]}, [64, None]),
        ({"sliding_window_pattern": 2}, [64, None]),
        ({"sliding_window_pattern": "LG"}, [64, None]),
        ({"use_sliding_window": True, "max_window_layers": 1}, [None, 64]),
        ({"global_attn_every_n_layers": 2}, [64, None]),
    ],
)  # fmt: skip
def test_windows_under_a_plain_family_are_seen(keys: dict[str, Any], windows: list[int | None]) -> None:
    config = plain("llama", 64, 2, 4, 4, 128, 100, sliding_window=64, **keys)
    assert [group.attention.window for group in spec_of(config, "x").layers] == windows


@pytest.mark.parametrize(
    "keys",
    [
        {"layer_types": ["mamba", "attention"]}, {"attn_layer_period": 2, "attn_layer_offset": 1},
        {"layers_block_type": ["mamba", "attention"]}, {"attn_type_list": [0, 1]}, {"attn_layer_indices": [1]},
    ],
)  # fmt: skip
def test_state_layers_under_a_plain_family_are_seen(keys: dict[str, Any]) -> None:
    config = plain("llama", 64, 2, 4, 4, 128, 100, **keys)
    first, second = spec_of(config, "x").layers
    assert first.attention.mixer.state_elements > 0
    assert first.attention.cached_elements_per_token == 0
    assert second.attention.kind == "gqa"


def test_an_unknown_decoder_is_read_by_the_common_keys_with_a_warning() -> None:
    config = plain("newcomer", 2048, 16, 16, 16, 1024, 50304, num_experts=64, num_experts_per_tok=8)
    spec = spec_of(config | {"architectures": ["NewcomerForCausalLM"]}, "x")
    assert spec.parameters_total == pytest.approx(6.92e9, rel=0.01)
    (warning,) = spec.warnings
    assert warning.startswith("model_type `newcomer` is not known: read as a plain decoder by its common keys")


def test_a_model_type_of_ones_own_is_known_by_its_class() -> None:
    config = plain("my_reference", 64, 2, 4, 4, 128, 100, architectures=["Qwen2ForCausalLM"])
    spec = spec_of(config, "x")
    assert spec.warnings == ()
    assert spec.layers[0].attention.qkv_bias


@pytest.mark.parametrize(
    "change",
    [
        {"architectures": ["BertForMaskedLM"]}, {"is_encoder_decoder": True}, {"num_attention_heads": None},
        {"architectures": ["ViTForImageClassification"]}, {"vocab_size": None},
    ],
)  # fmt: skip
def test_what_is_no_decoder_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="unknown architecture|only decoders of text are read"):
        spec_of(plain("newcomer", 64, 2, 4, 4, 128, 100) | change, "x")


def test_text_decoders_nested_in_other_models_are_found() -> None:
    inner = plain("qwen3_omni_moe_text", 64, 2, 4, 4, 128, 100, num_experts=4, num_experts_per_tok=2)
    outer = {"model_type": "qwen3_omni_moe", "thinker_config": {"text_config": inner}, "tie_word_embeddings": True}
    spec = spec_of(json.loads(json.dumps(outer)), "x")
    assert spec.is_moe
    assert spec.tied_embeddings


def test_deepseek_v4_keeps_an_entry_for_several_tokens_and_the_last_tokens_whole() -> None:
    config = {
        "model_type": "deepseek_v4", "hidden_size": 4096, "num_hidden_layers": 3, "num_attention_heads": 64,
        "head_dim": 512, "qk_rope_head_dim": 64, "q_lora_rank": 1024, "o_groups": 8, "o_lora_rank": 1024,
        "index_n_heads": 64, "index_head_dim": 128, "index_topk": 512, "sliding_window": 128, "hc_mult": 4,
        "compress_ratios": [0, 4, 128, 0], "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 6,
        "moe_intermediate_size": 2048, "vocab_size": 129280,
    }  # fmt: skip
    spec = spec_of(config, "x")
    only_window, sparse, dense = (group.attention for group in spec.layers)
    assert (only_window.window, sparse.compression.stride, dense.compression.stride) == (128, 4, 128)
    assert spec.kv_bytes_per_token("bf16") == (1024 + 132) / 4 + 1024 / 128
    assert spec.state_bytes_per_sequence("bf16") == 3 * 128 * 1024
    assert (sparse.seen_tokens(100_000), dense.seen_tokens(128_000)) == (512 + 128, 1000 + 128)
    assert sparse.seen_tokens(400) == 100 + 128


def test_layers_that_take_the_tokens_of_an_earlier_indexer_keep_no_index_keys() -> None:
    config = CONFIG | {"index_topk": 16, "index_n_heads": 2, "index_head_dim": 8}
    words = ["full", "shared", "shared", "full"] * 2
    named = spec_of(config | {"indexer_types": words}, "x")
    counted = spec_of(config | {"index_topk_freq": 4, "index_skip_topk_offset": 1}, "x")
    every = spec_of(config, "x")
    assert every.kv_bytes_per_token("bf16") == 8 * ((32 + 8) * 2 + 8 + 4)
    assert named.kv_bytes_per_token("bf16") == 8 * (32 + 8) * 2 + 4 * (8 + 4)
    assert [group.attention.indexer.dim > 0 for group in counted.layers] == [True, False, True]
    assert all(group.attention.indexer.topk == 16 for group in named.layers)


def test_experts_of_images_weigh_beside_the_text() -> None:
    """ERNIE-4.5-VL-28B-A3B: 21 B of text, and as many narrower experts for images."""
    config = plain(
        "ernie4_5_moe_vl", 2560, 28, 20, 4, 12288, 103424, head_dim=128, moe_intermediate_size=[1536, 512],
        moe_num_experts=[64, 64], moe_num_shared_experts=2, moe_k=6, moe_layer_start_index=[1, 1],
        moe_layer_end_index=[29, 28], moe_layer_interval=1, tie_word_embeddings=True,
        vision_config={"hidden_size": 1280, "depth": 32},
    )  # fmt: skip
    spec = spec_of(config, "x")
    assert spec.parameters_total == pytest.approx(21.8e9, rel=0.01)
    assert spec.parameters_total + spec.vision_parameters == pytest.approx(29.4e9, rel=0.02)


@pytest.mark.parametrize(
    ("family", "scaling", "longest"),
    [
        ("llama", {"type": "linear", "factor": 4.0}, 16_384),
        ("qwen2", {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}, 16_384),
        ("qwen2", {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}, 4096),
        ("llama", {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 4096}, 4096),
        ("gemma3_text", {"rope_type": "linear", "factor": 8.0}, 4096),
        ("llama", {"type": "linear", "factor": "4"}, 4096), ("llama", {"type": "linear", "factor": 1e9}, 4096),
        ("llama", [4.0], 4096),
    ],
)  # fmt: skip
def test_a_stretched_rotation_reaches_as_much_further_as_engines_take_it(family, scaling, longest):
    config = plain(family, 64, 2, 4, 4, 128, 100, max_position_embeddings=4096, head_dim=16, rope_scaling=scaling)
    assert spec_of(config, "x").max_context == longest


def test_qwen_3_8_flash_next_has_125_7_billion_parameters_beside_its_table_of_n_grams() -> None:
    """inference-atlas#34: 125.7 bn of 176.9; a table of 51.2 bn of which a token reads sixteen rows."""
    depth = 48
    text = {
        "model_type": "qwen4_exp_text", "hidden_size": 2560, "num_hidden_layers": depth, "num_attention_heads": 24,
        "num_key_value_heads": 2, "head_dim": 256, "vocab_size": 248_320, "max_position_embeddings": 262_144,
        "num_experts": 512, "num_experts_per_tok": 10, "moe_intermediate_size": 640,
        "shared_expert_intermediate_size": 640, "full_attention_interval": 4, "linear_num_key_heads": 16,
        "linear_num_value_heads": 48, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
        "linear_conv_kernel_dim": 4, "hc_count": 4, "hc_lowrank": 320, "indexer_budget": 2048,
        "indexer_compress_ratio": 4, "indexer_head_dim": 128, "indexer_n_heads": 4, "ngram_size": 3,
        "ngram_vocab_size_base": 20_000_000, "heads_per_ngram": 8, "ple_embed_dim": 2560, "tie_word_embeddings": False,
        "layer_types": ["full_attention" if (layer + 1) % 4 == 0 else "linear_attention" for layer in range(depth)],
    }  # fmt: skip
    spec = spec_of({"architectures": ["Qwen4ExpForConditionalGeneration"], "text_config": text}, "flash-next")
    assert spec.parameters_total == pytest.approx(125.7e9, rel=0.002)
    assert spec.kv_bytes_per_token() == 12 * 2 * 512 * 2
    assert len(spec.warnings) == 1
    assert "51.2 bn" in spec.warnings[0]


def test_deepseek_v4_1_flash_has_552_billion_parameters_and_four_layers_that_cache_for_all() -> None:
    """Its makers: 552 bn, 16 bn active for output; tables of n-grams beside them, 203 GB with their scales."""
    depth = 40
    text = {
        "model_type": "deepseek_v41_text", "vocab_size": 129_280, "hidden_size": 5120, "moe_intermediate_size": 2304,
        "num_hidden_layers": depth, "num_attention_heads": 64, "num_key_value_heads": 1, "head_dim": 512,
        "qk_rope_head_dim": 64, "q_lora_rank": 1280, "o_lora_rank": 1024, "o_groups": 8,
        "max_position_embeddings": 1_048_576, "n_routed_experts": 384, "n_shared_experts": 1, "num_experts_per_tok": 6,
        "sliding_window": 128, "compress_ratios": [0, 0, *[2] * 18, *[1] * 20], "kv_source_layer_ids": [2, 8, 14, 20],
        "index_source_layer_ids": [2, 8, 14, 20, 24, 28, 32, 36], "index_n_heads": 32, "index_head_dim": 128,
        "index_topk": 512, "hc_mult": 4, "engram_num_embeddings": [384_006_168, 384_016_682], "engram_head_dim": 256,
    }  # fmt: skip
    spec = spec_of({"architectures": ["DeepseekV41ForCausalLM"], "text_config": text}, "v4.1")
    assert spec.parameters_total == pytest.approx(552e9, rel=0.002)
    assert spec.parameters_active == pytest.approx(16e9, rel=0.02)
    assert cached_bytes_per_token(spec.layers, 1.0) == pytest.approx(
        2.5 * (584 + 132) + 2 * 584
    )  # two have a window alone
    assert "196.6 bn" in spec.warnings[0]
