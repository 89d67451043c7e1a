"""Every key of every family's config.json, replaced by junk: a model with finite sizes, or faults that name the key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from draws import some
from jevons import models
from jevons.errors import InputError
from jevons.models._families import FAMILIES
from jevons.models.read import spec_of
from published_models import DIALECTS, STATED

_CONFIGS = Path(models.__file__).parent / "configs"
JUNK: tuple[Any, ...] = (
    None, True, "x", "", -1, 0, -0.5, 1.5, 1e400, -1e400, float("nan"), 10**4000, 2**40, [], [{}], ["x"], [-1], {},
    {"a": 1}, [[]], "1",
)  # fmt: skip

QUANTISED = {
    f"dialect {place}": {
        "model_type": "mixtral", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 100,
        "intermediate_size": 128, "num_local_experts": 4, "num_experts_per_tok": 2, "quantization_config": section,
    }
    for place, (section, *_) in enumerate(DIALECTS)
}  # fmt: skip


def _one_a_family() -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for path in sorted(_CONFIGS.glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        inner = next((raw[key] for key in ("text_config", "language_config", "llm_config") if key in raw), raw)
        kind = inner.get("model_type") if inner.get("model_type") in FAMILIES else raw.get("model_type")
        chosen.setdefault(kind, raw)
    return chosen


FAMILY = _one_a_family() | {name: config for name, (config, *_) in STATED.items()} | QUANTISED


def _mutants(value: Any) -> Iterator[Any]:
    """Yield a config with each key in turn, nested ones too, replaced by each piece of junk."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for other in (*JUNK, *_mutants(inner)):
                yield {**value, key: other}
    elif isinstance(value, list) and value:
        for other in (*JUNK, *_mutants(value[0])):
            yield [other, *value[1:]]


def _check_faults(error: InputError) -> None:
    assert all(fault.file == "junk.json" and fault.path and len(fault.message) < 400 for fault in error.faults)


def _check(raw: Any) -> None:
    try:
        spec = spec_of(raw, "junk", "junk.json")
        figures = (
            spec.parameters_total, spec.parameters_active, spec.kv_bytes_per_token(), spec.state_bytes_per_sequence(),
            spec.weight_bytes(), spec.flop_per_token(1000), spec.max_context,
        )  # fmt: skip
    except InputError as error:
        _check_faults(error)
        return
    assert all(math.isfinite(figure) and figure >= 0 for figure in figures), raw


@pytest.mark.parametrize("family", some(FAMILY))
def test_junk_in_any_key_is_told_or_gives_finite_sizes(family: str) -> None:
    for mutant in _mutants(FAMILY[family]):
        _check(mutant)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architectures": 7}, "architectures: 7: must be a list"),
        ({"num_hidden_layers": "2"}, "num_hidden_layers: '2': must be a whole number"),
        ({"hidden_size": -64}, "hidden_size: -64: must lie between 1 and 100,000,000"),
        ({"attention_bias": "yes"}, "attention_bias: 'yes': must be true or false"),
        ({"quantization_config": {"quant_method": "compressed-tensors", "ignore": 5}}, "ignore: 5: must be a list"),
        ({"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": "x"}}}},
         "config_groups.g.weights: 'x': must be an object"),
        ({"vocab_size": 10**4000}, "vocab_size: 1000"),
        ({"model_type": "gemma3_text", "sliding_window_pattern": 0}, "sliding_window_pattern: 0: must lie between"),
        ({"model_type": "mistral", "sliding_window": -1}, "sliding_window: -1: must lie between"),
        ({"model_type": "nemotron-nas", "block_configs": [{"attention": {"n_heads_in_group": -3}, "ffn": {}}]},
         "block_configs.0.attention.n_heads_in_group: -3: must lie between"),
        ({"model_type": "nemotron-nas", "block_configs": [{"attention": {}, "ffn": {"ffn_mult": 1e400}}]},
         "block_configs.0.ffn.ffn_mult: inf: must lie between"),
    ],
)  # fmt: skip
def test_a_wrong_figure_names_file_key_value_and_remedy(change: dict[str, Any], told: str) -> None:
    plain = {
        "model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 100,
        "intermediate_size": 128,
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        spec_of(plain | change, "small", "small.json")
    assert told in str(caught.value)
    assert str(caught.value).startswith("small.json: ")
