"""Names of models as people, Ollama and Hugging Face write them."""

from __future__ import annotations

import pytest

import jevons
from jevons import models
from jevons.errors import InputError
from jevons.models.library import other_names

WRITTEN = {
    "deepseek-r1:70b": "deepseek-r1-distill-llama-70b", "deepseek-r1:671b": "deepseek-r1", "llama3.3": "llama-3.3-70b",
    "llama3.1:latest": "llama-3.1-8b", "ollama/llama3.1": "llama-3.1-8b", "ollama run qwen3": "qwen3-8b",
    "gemma3:27b": "gemma-3-27b", "phi4": "phi-4", "mixtral": "mixtral-8x7b", "granite3.1-dense:8b": "granite-3.1-8b",
    "Qwen/Qwen2-7B-Instruct": "qwen2.5-7b", "models--Qwen--Qwen3-8B": "qwen3-8b", "kimi-k2:1t": "kimi-k2",
    "NousResearch/Hermes-3-Llama-3.1-70B": "llama-3.1-70b", "DeepSeek-R1-0528-Qwen3-8B": "qwen3-8b",
    "mistralai/Mistral-Large-Instruct-2407": "mistral-large-123b", "XiaomiMiMo/MiMo-7B-RL": "mimo-7b",
    "mistralai/Devstral-Small-2505": "mistral-small-3.1-24b", "TinyLlama/TinyLlama-1.1B-Chat-v1.0": "tinyllama-1.1b",
}  # fmt: skip


@pytest.mark.parametrize(("written", "name"), WRITTEN.items())
def test_a_name_as_tools_write_it_finds_its_model(written: str, name: str) -> None:
    assert models.resolve(written).spec_name == name


def test_every_other_name_means_a_shipped_model_and_is_no_model_itself() -> None:
    others, _ = other_names()
    assert set(others.values()) <= set(models.names())
    assert not set(others) & set(models.names())
    for other, name in others.items():
        assert models.resolve(other).spec_name == name


@pytest.mark.parametrize(
    ("written", "name", "precision"),
    [
        ("Intel/Qwen3.6-27B-int4-AutoRound", "qwen3.5-27b", "int4"),
        ("Intel/Qwen3-30B-A3B-int4-mixed-AutoRound", "qwen3-30b-a3b", "int4"),
        ("gaunernst/gemma-3-27b-it-int4-awq", "gemma-3-27b", "int4"),
        ("RedHatAI/Qwen3-32B-NVFP4A16", "qwen3-32b", "nvfp4"),
        ("Qwen/Qwen3.8-27B-FP8", "qwen3.5-27b", "fp8"),
    ],
)
def test_a_checkpoint_s_name_states_its_precision(written: str, name: str, precision: str) -> None:
    found = models.resolve(written)
    assert (found.spec_name, found.precision_hint) == (name, precision)


@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4.1-mini", "claude-3.5-sonnet", "gemini-1.5-pro", "o3-mini"])
def test_a_closed_model_is_said_to_have_no_published_sizes(name: str) -> None:
    with pytest.raises(InputError, match="its maker publishes no sizes; give an open model"):
        models.resolve(name)


@pytest.mark.parametrize("name", ["yuhuili/EAGLE3-Llama-3.1-8B", "draft-qwen3-8b", "llama-3.1-9b", "-llama-3.1-8"])
def test_a_part_trained_for_a_model_and_a_size_that_none_has_are_no_model(name: str) -> None:
    with pytest.raises(InputError, match="unknown model"):
        models.resolve(name)


READS = {  # `max_position_embeddings` of the releases' config.json, times the factor of YaRN
    "Qwen/Qwen3-30B-A3B": 40_960, "Qwen/Qwen3-30B-A3B-Instruct-2507": 262_144,
    "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8": 262_144, "Qwen/Qwen3-235B-A22B-Thinking-2507-FP8": 262_144,
    "moonshotai/Kimi-K2-Instruct": 131_072, "moonshotai/Kimi-K2-Instruct-0905": 262_144,
    "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B": 131_072, "Qwen/Qwen2.5-7B-Instruct-1M": 1_010_000,
    "unsloth/Qwen3-8B-128K-GGUF:Q4_K_M": 131_072, "NousResearch/Yarn-Llama-2-7b-128k": 131_072,
    "microsoft/Phi-3-mini-4k-instruct": 4096, "microsoft/Phi-3-mini-128k-instruct": 131_072,
    "qwen3-32b-awq-64k": 65_536,
}  # fmt: skip


@pytest.mark.parametrize("written", READS)
def test_a_release_reads_as_many_tokens_as_its_config_says(written: str) -> None:
    spec = models.load(written)
    assert spec.max_context == READS[written]
    plain = models.load(spec.name)
    assert spec.weight_bytes() == plain.weight_bytes()
    assert jevons.memory(spec, gpu="mi355x", tp=4).to_json() == jevons.memory(written, gpu="mi355x", tp=4).to_json()


def test_kimi_k2_thinking_is_as_large_as_published() -> None:
    """594 GB in 4 bits, twice as much in 8."""
    assert models.load("moonshotai/Kimi-K2-Thinking").weight_bytes() / 1e9 == pytest.approx(594, rel=0.005)
