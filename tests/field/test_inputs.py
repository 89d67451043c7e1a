"""Public reports by people who size, run and measure models: what they have goes in, and the outcome comes out.

Inputs are rewritten and hold facts and figures only; each test names the report.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jevons
from draws import some
from jevons.errors import InfeasibleError, InputError
from jevons.serving import Layout
from jevons.serving.sim import from_trace, read_trace

BENCH = {  # llm-d benchmark of 2025-05-30: Llama-3.2-3B, four replicas on L40S, 10 requests per second
    "date": "20250530-203806", "backend": "vllm", "model_id": "meta-llama/Llama-3.2-3B-Instruct", "num_prompts": 300,
    "gpu": "4xNVIDIA_L40S", "decode_replicas": "4", "input_len": "1000", "output_len": "500", "request_rate": 10.0,
    "max_concurrency": None, "duration": 36.03, "completed": 300, "total_input_tokens": 299_700,
    "total_output_tokens": 81_050, "request_throughput": 8.325, "output_throughput": 2249.2,
    "mean_ttft_ms": 54.58, "median_ttft_ms": 53.0, "p99_ttft_ms": 89.77, "mean_tpot_ms": 13.58, "p99_tpot_ms": 17.65,
    "mean_itl_ms": 13.51,
}  # fmt: skip
AGENTIC = [  # AIPerf, agentic coding: later turns hold what is new and say how long after the last answer they come
    {"session_id": "a", "input_length": 42_000, "output_length": 335, "hash_ids": list(range(82)), "timestamp": 0.0},
    {"session_id": "a", "input_length": 1800, "output_length": 1345, "hash_ids": [], "delay": 12_000.0},
    {"session_id": "b", "input_length": 52_000, "output_length": 1078, "hash_ids": list(range(101)), "timestamp": 5.0},
    {"session_id": "b", "input_length": 3700, "output_length": 304, "hash_ids": [], "delay": 1400.0},
]  # fmt: skip
SIMULATED = [  # LLMServingSim, requests of ShareGPT
    {"input_toks": 2358, "output_toks": 531, "arrival_time_ns": 46_926_808, "input_tok_ids": []},
    {"input_toks": 1034, "output_toks": 769, "arrival_time_ns": 347_938_951, "input_tok_ids": []},
]
CLIENTS = [  # ServeGen with blocks of 16 tokens: neither times nor answers
    {"request_id": 0, "type": "text", "input_length": 271, "hash_ids": list(range(17)), "img_ids": []},
    {"request_id": 1, "type": "text", "input_length": 288, "hash_ids": [*range(10), *range(17, 25)], "img_ids": []},
]


def lines(path: Path, records: list[dict[str, Any]]) -> Path:
    """Write records as JSON lines."""
    path.write_text("\n".join(json.dumps(record) for record in records))
    return path


@pytest.mark.slow
def test_a_bench_result_of_llm_d_goes_beside_its_prediction_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(BENCH))
    record = jevons.simulate(measured=path).to_json()
    assert record["accelerators"] == 4
    ratios = {row["figure"]: row["ratio"] for row in record["measured"]}
    for figure in ("output_tok_per_s", "req_per_s", "ttft_s.mean", "tpot_s.mean", "itl_s.mean"):
        assert 0.7 < ratios[figure] < 1.2, figure
    report = jevons.validate(path)
    assert report.overall.coverage_frac == 1.0
    assert (report.overall.median_ape or 1) < 0.3  # steps of an L40S come out some 20 % too slow


def test_agentic_sessions_of_aiperf_grow_and_share_their_beginnings(tmp_path: Path) -> None:
    trace = read_trace(lines(tmp_path / "agentic.jsonl", AGENTIC))
    assert sorted(trace.isl) == [42_000, 42_000 + 335 + 1800, 52_000, 52_000 + 1078 + 3700]
    assert trace.hash_tokens == 512
    assert trace.session is not None
    second = int(np.flatnonzero(trace.isl == 44_135)[0])
    assert trace.arrival_s[second] > 12.0
    load = from_trace(trace, prefixes=True)
    assert load.hashes is not None
    record = jevons.simulate(
        "llama-3.1-8b", gpu="h200_sxm", trace=tmp_path / "agentic.jsonl", prefix_cache=True
    ).to_json()
    assert record["hit_tokens"] > 40_000 + 52_000


def test_requests_of_llmservingsim_come_at_their_nanoseconds(tmp_path: Path) -> None:
    trace = read_trace(lines(tmp_path / "lss.jsonl", SIMULATED))
    assert trace.arrival_s[1] == pytest.approx(0.301012143)
    assert list(trace.osl) == [531, 769]


def test_clients_of_servegen_are_told_what_they_lack_and_take_it(tmp_path: Path) -> None:
    path = lines(tmp_path / "clients.jsonl", CLIENTS)
    with pytest.raises(InputError, match="no output lengths"):
        read_trace(path)
    trace = read_trace(path, {"isl": "input_length", "osl": "150"})
    assert trace.hash_tokens == 16 or trace.hashes is not None
    with pytest.raises(InputError, match="no times; give a --rate"):
        from_trace(trace)
    record = jevons.simulate(
        "llama-3.1-8b", trace=path, map_=["isl=input_length", "osl=150"], rate=2, requests=200
    ).to_json()
    assert record["served"] == 200


def test_a_run_of_128_requests_is_counted_whole() -> None:
    """vllm#43232: 151 s, 847 output tokens/s, TTFT mean 15.7 s and p99 55.1 s, not 1,400 and 1.5."""
    line = (
        "vllm serve Qwen/Qwen3-235B-A22B-FP8 --tensor-parallel-size 4 --kv-cache-dtype fp8 --max-model-len 40960 "
        "--no-enable-prefix-caching"
    )
    record = jevons.simulate(serve=line, gpu="b200_sxm", isl=30_000, osl=1000, concurrency=64, requests=128).to_json()
    assert record["output_tok_per_s"] == pytest.approx(847, rel=0.22)
    assert record["wall_s"] == pytest.approx(151, rel=0.28)
    assert record["ttft_s"]["mean"] == pytest.approx(15.7, rel=0.2)
    assert record["ttft_s"]["p99"] == pytest.approx(55.1, rel=0.25)
    assert record["steady"]["output_tok_per_s"] > 1.3 * record["output_tok_per_s"]


@pytest.mark.parametrize(("tp", "measured"), [(2, 938), (4, 1138), (8, 1239)])
def test_eight_users_of_qwen3_next_on_h200(tp: int, measured: float) -> None:
    """sglang#10404: 8 at once, 1,000 in and 2,000 out."""
    line = f"python3 -m sglang.launch_server --model-path Qwen/Qwen3-Next-80B-A3B-Instruct --tp {tp} --port 30000"
    record = jevons.simulate(serve=line, gpu="h200_sxm", isl=1000, osl=2000, concurrency=8, requests=32).to_json()
    assert record["output_tok_per_s"] == pytest.approx(measured, rel=0.15)


def test_qwen3_coder_needs_62_gib_for_its_whole_context() -> None:
    """vllm-project/recipes#12: 62.00 GiB of KV cache for 262,144 tokens."""
    per_token = jevons.models.show("qwen3-coder-480b-a35b").to_json()["kv_bytes_per_token"]
    assert per_token * 262_144 / 2**30 == pytest.approx(62.0, rel=1e-3)


def test_nemotron_49b_does_not_fit_one_h100() -> None:
    """NVIDIA-AI-Blueprints/rag#48: two are needed."""
    line = "vllm serve nvidia/Llama-3_3-Nemotron-Super-49B-v1 --max-model-len 16384 -tp {}"
    assert not jevons.memory("llama-3.3-nemotron-super-49b", serve=line.format(1), gpu="h100_sxm").fits
    assert jevons.memory("llama-3.3-nemotron-super-49b", serve=line.format(2), gpu="h100_sxm").fits


@pytest.mark.slow
def test_one_finalist_that_fails_is_a_line_and_a_short_trace_is_repeated() -> None:
    """A trace of 150 requests, the longest of 4,176 tokens, was refused for what one layout could not hold."""
    trace = Path(__file__).parents[1] / "data" / "traces" / "azure_conversation_sample.csv"
    with pytest.warns(UserWarning, match="150 requests; it is repeated to 2,000"):
        sized = jevons.size(
            "llama-3.3-70b", gpu="h100,h200,b200", trace=trace, rate=20, ttft="500ms", tpot="30ms", engine="vllm"
        )
    assert sized.best.observed is not None
    assert sized.best.observed.requests == 2000
    assert sized.to_json()["left_out"]


@pytest.mark.parametrize("precision", some(["q4_k_m", "Q8_0", "awq", "nf4", "mxfp4", "int3"]))
def test_weights_of_any_quantisation_are_taken_everywhere(precision: str) -> None:
    """`jevons simulate --precision q4_k_m` was a KeyError."""
    assert jevons.simulate("llama-3.1-8b", precision=precision, rate=1, requests=100).to_json()["served"] == 100
    assert jevons.memory("llama-3.1-8b", precision=precision).fits
    assert jevons.size("llama-3.1-8b", precision=precision, rate=1, static=True).best.accelerators >= 1
    assert jevons.cost("h100_sxm", model="llama-3.1-8b", precision=precision).tokens is not None


def test_ranks_that_share_no_experts_are_refused_by_name() -> None:
    """`Layout(dp=8, ep=8)` was a ZeroDivisionError."""
    for degrees in ({"dp": 8, "ep": 8}, {"tp": 2, "ep": 3}, {"tp": 0}):
        with pytest.raises(InputError, match=r"Use|must be"):
            Layout(**degrees)  # type: ignore[arg-type]
    assert Layout(dp=8, ep=8, dp_attention=True).expert_tp == 1


def test_one_a100_serves_some_64_users_of_llama_2_13b() -> None:
    """h2ogpt#997: 100 users wanted, one A100 of 80 GB takes about 64."""
    use = jevons.memory("llama-2-13b", gpu="a100_80gb", max_model_len=4096)
    assert 10 < use.max_concurrency < 64
    run = jevons.simulate("llama-2-13b", gpu="a100_80gb", concurrency=64, isl=500, osl=200, requests=256)
    assert run.to_json()["preemptions"] == 0
    assert run.latency("tpot_s", "p50") < 0.15  # type: ignore[operator]


def test_nothing_is_refused_for_lack_of_room_that_a_wider_layout_has() -> None:
    with pytest.raises(InfeasibleError, match="tp >="):
        jevons.simulate("llama-3.3-70b", gpu="h100_sxm", tp=1, rate=1)
    assert jevons.simulate("llama-3.3-70b", gpu="h100_sxm", tp=4, rate=1, requests=100).to_json()["served"] == 100
