"""One verdict on memory, whichever command is asked, with the limits that the engine's server takes on the device."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jevons
from draws import draws
from jevons.errors import InfeasibleError, InputError

CASES = st.fixed_dictionaries(
    {
        "gpu": st.sampled_from(["t4", "l4", "rtx_4090", "a10g", "a100_80gb", "a100_40gb", "h100_sxm", "h20", "mi300x"]),
        "tp": st.sampled_from([1, 2, 4, 8]),
        "engine": st.sampled_from(["vllm", "sglang", "trtllm", "generic"]),
        "precision": st.sampled_from(["native", "bf16", "fp8", "int4"]),
    },
    optional={
        "max_model_len": st.sampled_from([2048, 8192]),
        "max_num_seqs": st.sampled_from([1, 64, 512]),
        "max_num_batched_tokens": st.sampled_from([512, 4096, 16384]),
        "gpu_memory_utilization": st.sampled_from([0.5, 0.8, 0.95]),
        "eager": st.just(True),
    },
)
MODELS = (
    "qwen3-0.6b", "llama-3.1-8b", "llama-3.1-70b", "gpt-oss-20b", "gemma-2-9b", "qwen3-30b-a3b", "deepseek-v2-lite",
)  # fmt: skip
_ONE = {"pp": 1, "ep": 1, "dp": 1}
"""Degrees that commands that search leave open where they are not given."""


def verdict(ask):
    """Return whether the engine starts, or None where nothing holds the weights or the question is refused."""
    try:
        return ask()
    except (InfeasibleError, InputError):
        return None


@given(model=st.sampled_from(MODELS), asked=CASES)
@settings(max_examples=draws(20), deadline=None)
def test_every_command_says_alike_whether_a_model_fits(model, asked):
    """Invariant 80: `op memory`, `simulate`, `cost` and `size` agree whether an engine starts on a device."""
    short = {"isl": 200, "osl": 50}
    memory = verdict(lambda: jevons.memory(model, **asked).to_json())
    run = verdict(lambda: jevons.simulate(model, rate=0.1, requests=2, **short, **asked).to_json())
    cost = verdict(lambda: jevons.cost(model=model, gpu_hour="2 USD", tpot=10.0, **short, **asked, **_ONE).to_json())
    size = verdict(lambda: jevons.size(model, ttft=100.0, tpot=10.0, **short, **asked, **_ONE).to_json()["best"])
    answers = [one["memory"] for one in (run, cost, size) if one is not None]
    if memory is None or memory["fits"]:
        assert len(answers) == (0 if memory is None else 3)
    for key in ("fits", "weights_bytes", "activations_bytes", "graphs_bytes", "other_bytes", "kv_bytes", "kv_tokens"):
        assert not answers or {repr(one[key]) for one in answers} == {repr(memory[key])}


@given(model=st.sampled_from(MODELS), asked=CASES)
@settings(max_examples=draws(10), deadline=None)
def test_a_run_says_where_its_engine_would_not_start(model, asked):
    """Invariant 81: A simulation notes that an engine does not start exactly where `op memory` says so."""
    run = verdict(lambda: jevons.simulate(model, isl=200, osl=50, rate=0.1, requests=2, **asked))
    if run is not None:
        noted = any(part.record()["id"] == "memory.does_not_start" for part in run.note_parts)
        assert noted != jevons.memory(model, **asked).fits


@pytest.mark.parametrize(
    ("gpu", "running", "tokens"),
    [("t4", 256, 2048), ("l4", 256, 2048), ("rtx_4090", 256, 2048), ("a100_80gb", 256, 2048), ("h100_sxm", 1024, 8192)],
)
def test_limits_of_a_server_are_those_that_vllm_takes_on_the_device(gpu, running, tokens):
    """Invariant 82: Where no limits are given, a replica has those of its engine's server on that device."""
    commands = jevons.size("qwen3-0.6b", gpu=gpu, engine="vllm", ttft=5.0, tpot=1.0, tp=1).to_json()["best"]["launch"]
    assert f"--max-num-seqs {running} --max-num-batched-tokens {tokens}" in commands["vllm"][0]
