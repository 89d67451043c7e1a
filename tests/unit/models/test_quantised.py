"""No dialect of `quantization_config` is read silently as 16 bits; each class of modules has its own type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jevons import models
from jevons.errors import InputError
from jevons.models._modules import matched
from jevons.models.read import spec_of
from jevons.models.types import GGUF, WEIGHT_BITS
from jevons.operators.types import PRECISION_ALIASES, PRECISIONS
from published_models import CONFIG, DIALECTS, FLOAT4, FLOAT8, groups, modelopt


@pytest.mark.parametrize("place", range(len(DIALECTS)))
def test_each_dialect_is_read_by_class(place: int) -> None:
    section, attention, dense, experts, cache = DIALECTS[place]
    spec = spec_of(CONFIG | {"quantization_config": section}, "x")
    stored = spec.weight_precision
    assert (stored.attention, stored.dense, stored.experts) == (attention, dense, experts)
    assert stored.embeddings == "bf16"
    if "kv_cache_quant_config" not in section:
        assert (spec.kv_precision, spec.warnings) == (cache, ())


@pytest.mark.parametrize(
    "section",
    [
        {"quant_method": "newquant"}, {"quant_method": "vptq", "config_for_layers": {}},
        groups({"num_bits": 7, "type": "int"}), modelopt("W3A3"), {"quant_method": "bitsandbytes"},
        {"quant_method": "quark", "global_quant_config": {}}, {"bits": 9, "quant_method": "gptq"}, {"x": 1},
    ],
)  # fmt: skip
def test_what_is_not_understood_is_one_warning(section: dict[str, Any]) -> None:
    (warning,) = spec_of(CONFIG | {"quantization_config": section}, "x").warnings
    assert "is not known: they are read in" in warning


def test_an_unknown_cache_scheme_is_a_warning() -> None:
    section = groups(FLOAT8, kv_cache_scheme="turbo3")
    (warning,) = spec_of(CONFIG | {"quantization_config": section}, "x").warnings
    assert warning == "kv_cache_scheme 'turbo3' is not known: the cache is read in 16 bits"


def test_a_name_that_states_the_precision_counts_where_the_file_does_not() -> None:
    spec = spec_of(CONFIG, "some-model-Q4_K_M")
    assert spec.weight_precision.embeddings == spec.weight_precision.experts == "q4_k_m"
    assert spec.warnings == ("no quantization_config: the weights are read as q4_k_m, which the name states",)


def test_modelopts_own_file_beside_the_config_is_read(tmp_path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    beside = {"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}}
    (tmp_path / "hf_quant_config.json").write_text(json.dumps(beside))
    spec = models.read_config(tmp_path)
    assert (spec.weight_precision.attention, spec.kv_precision) == ("nvfp4", "fp8")
    (tmp_path / "hf_quant_config.json").write_text("[]")
    with pytest.raises(InputError, match="must be a JSON object with `quantization`"):
        models.read_config(tmp_path)


def test_first_layers_kept_whole_are_the_dense_blocks() -> None:
    section = groups(FLOAT4, ignore=["lm_head", "model.layers.0*", "re:.*self_attn.*", "re:.*shared_experts.*"])
    stored = spec_of(CONFIG | {"quantization_config": section}, "x").weight_precision
    assert (stored.attention, stored.dense, stored.shared, stored.experts) == ("bf16", "bf16", "bf16", "nvfp4")


def test_a_quantised_head_is_told_from_the_embedding() -> None:
    section = groups(FLOAT4, targets=("lm_head", "re:.*mlp.*"))
    stored = spec_of(CONFIG | {"quantization_config": section}, "x").weight_precision
    assert (stored.head, stored.embeddings) == ("nvfp4", "bf16")


def test_every_type_of_weights_has_kernels_that_stand_in() -> None:
    assert not [name for name in WEIGHT_BITS if name not in {*PRECISIONS, *PRECISION_ALIASES, "fp32"}]


def test_gguf_types_quantise_the_embeddings_too() -> None:
    spec = models.load("llama-3.1-8b")
    assert spec.weight_bytes("q4_k_m") == pytest.approx(4.58 * 2**30, rel=0.005)  # llama.cpp's page prints 4.58 GiB
    assert spec.weight_bytes("Q8_0") == pytest.approx(7.95 * 2**30, rel=0.005)
    assert "nf4" not in GGUF


@pytest.mark.parametrize(
    ("section", "classes"),
    [
        ({"quant_method": "compressed-tensors", "config_groups": {
            "group_0": {"targets": ["re:.*mlp.*"], "weights": {"num_bits": 4, "type": "int", "group_size": 128}},
            "group_1": {"targets": ["re:.*self_attn.*"], "weights": FLOAT8}}},
         {"attention": "fp8", "dense": "int4", "experts": "int4", "shared": "int4"}),
        ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp4", "group_size": 32}},
          "layer_quant_config": {"*self_attn*": {"weight": {"dtype": "fp8_e4m3"}}}},
         {"attention": "fp8", "experts": "mxfp4"}),
        ({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4", "group_size": 16}},
         {"attention": "nvfp4", "experts": "nvfp4"}),
        ({"quant_method": "finegrained_fp8", "weight_block_size": [128, 128]}, {"dense": "fp8_block"}),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128, "lm_head": True}, {"head": "int4"}),
        ({"quant_method": "aqlm", "in_group_size": 8, "nbits_per_codebook": 16, "num_codebooks": 1}, {"dense": "int2"}),
        ({"group_size": 64, "bits": 6, "mode": "affine"}, {"experts": "int6"}),
        ({"quant_method": "fp_quant", "forward_dtype": "mxfp4"}, {"attention": "mxfp4"}),
    ],
)  # fmt: skip
def test_sections_of_other_tools_are_read_by_class(section: dict[str, Any], classes: dict[str, str]) -> None:
    spec = spec_of(CONFIG | {"quantization_config": section}, "x")
    assert {kind: getattr(spec.weight_precision, kind) for kind in classes} == classes
    assert spec.warnings == ()


def test_mlx_states_its_widths_in_a_key_of_its_own() -> None:
    assert spec_of(CONFIG | {"quantization": {"group_size": 64, "bits": 4}}, "x").weight_precision.experts == "int4"


def test_the_cache_that_quark_states_by_projection_is_read() -> None:
    eight = {"weight": {"dtype": "fp8_e4m3"}, "output_tensors": {"dtype": "fp8_e4m3"}}
    section = {"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3"}},
               "layer_quant_config": {"*k_proj": eight, "*v_proj": eight}}  # fmt: skip
    assert spec_of(CONFIG | {"quantization_config": section}, "x").kv_precision == "fp8"


def test_modules_of_another_width_are_told() -> None:
    section = {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {"+:.*down_proj.*": {"bits": 8}}}
    (warning,) = spec_of(CONFIG | {"quantization_config": section}, "x").warnings
    assert warning == "modules of 8 bits are read in the width of all others"


def test_one_projection_of_another_width_in_each_layer_makes_no_class() -> None:
    downs = {f"model.layers.{i}.mlp.experts.{e}.down_proj": {"bits": 8} for i in range(8) for e in range(8)}
    section = {"quant_method": "auto-round", "bits": 4, "group_size": 128, "extra_config": downs}
    spec = spec_of(CONFIG | {"quantization_config": section}, "x")
    assert spec.weight_precision.experts == "int4"
    assert spec.warnings == ("modules of 8 bits are read in the width of all others",)


@pytest.mark.parametrize("pattern", ["re:(.*)*x", "re:(a+)+$", "re:[", "re:" + "a" * 1000])
def test_patterns_that_are_slow_or_none_match_nothing(pattern: str) -> None:
    assert matched(pattern) == set()


@pytest.mark.parametrize(
    ("name", "model", "gigabytes"),
    [
        ("bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q4_K_M", "llama-3.1-8b", 4.92),
        ("Qwen3-30B-A3B-Q4_K_M.gguf", "qwen3-30b-a3b", 18.6),
        ("Qwen3-8B-GGUF-Q6_K", "qwen3-8b", 6.73),
    ],
)
def test_names_of_gguf_files_state_model_and_type(name: str, model: str, gigabytes: float) -> None:
    assert models.resolve(name).spec_name == model
    assert models.load(name).weight_bytes() / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_4_bits_by_name_leave_attention_of_a_dense_hybrid_in_8() -> None:
    """recipes#663: a 27B whose feed-forward layers are in NVFP4; attention and mixers in FP8."""
    stored = models.load("nvidia/Qwen3.6-27B-NVFP4").weight_precision
    assert (stored.dense, stored.attention, stored.mixers) == ("nvfp4", "fp8", "fp8")
    assert models.load("Qwen3-32B-NVFP4").weight_precision.attention == "nvfp4"
