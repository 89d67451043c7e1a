"""No dialect of `quantization_config` is read silently as 16 bits; each class of modules has its own type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jevons import models
from jevons.errors import InputError
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
        {"quant_method": "newquant"}, {"quant_method": "aqlm", "in_group_size": 8},
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
