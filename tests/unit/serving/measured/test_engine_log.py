"""Lines on throughput in an engine's log are one run of a steady load."""

from __future__ import annotations

from pathlib import Path

import pytest

import jevons
from jevons.errors import InputError
from jevons.serving.measured import read_runs

VLLM = (
    "INFO 05-19 [loggers.py:271] Engine {rank:03d}: Avg prompt throughput: {prompt} tokens/s, Avg generation "
    "throughput: {decode} tokens/s, Running: {running} reqs, Waiting: {waiting} reqs, GPU KV cache usage: 25.9%, "
    "Prefix cache hit rate: 0.0%\n"
)
ARGUMENTS = (
    "INFO non-default args: {'model_tag': 'Qwen/Qwen3-8B', 'host': '0.0.0.0', 'max_model_len': 16384, "
    "'gpu_memory_utilization': 0.85}\n"
)
SGLANG = (
    "[2025-08-20 11:02:03 DP{rank} TP0] Decode batch. #running-req: {running}, #token: 30912, token usage: 0.08, cuda "
    "graph: True, gen throughput (token/s): {decode}, #queue-req: {waiting}\n"
)


def _vllm(*lines: tuple[float, float, int, int], rank: int = 0) -> str:
    named = ("prompt", "decode", "running", "waiting")
    return "".join(VLLM.format(rank=rank, **dict(zip(named, line, strict=True))) for line in lines)


def test_the_steady_part_is_the_load_and_its_throughput(tmp_path: Path) -> None:
    """The ramp, the drain, and the cut first and last interval are left out."""
    path = tmp_path / "server.log"
    path.write_text(
        ARGUMENTS
        + _vllm(
            (812, 155, 3, 0),
            (1800, 1950, 30, 2),
            (2000, 2050, 32, 0),
            (1900, 2000, 31, 1),
            (0, 900, 12, 0),
            (0, 9, 1, 0),
        )
    )
    (run,) = read_runs(path)
    assert (run.engine, run.users) == ("vllm", 32)
    assert run.figures == {"output_tok_per_s": pytest.approx(2000), "total_tok_per_s": pytest.approx(3900)}
    assert run.serve == "vllm serve Qwen/Qwen3-8B --host=0.0.0.0 --max-model-len=16384 --gpu-memory-utilization=0.85"


def test_ranks_that_log_apart_are_added_up(tmp_path: Path) -> None:
    path = tmp_path / "ranks.log"
    path.write_text("".join(SGLANG.format(rank=rank, running=16, decode=1400, waiting=0) for rank in (0, 1) * 4))
    (run,) = read_runs(path)
    assert (run.engine, run.users, run.figures) == ("sglang", 32, {"output_tok_per_s": pytest.approx(2800)})


def test_a_log_needs_lengths_and_is_set_beside_the_steady_state(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text(ARGUMENTS + _vllm(*[(2000.0, 2000.0, 32, 0)] * 4))
    with pytest.raises(InputError, match="states no lengths of requests; add isl and osl"):
        jevons.simulate(measured=path, gpu="h100_sxm")
    record = jevons.simulate(measured=path, gpu="h100_sxm", isl=512, osl=512, requests=200).to_json()
    shown = {row["figure"]: row["predicted"] for row in record["measured"]}
    assert shown["output_tok_per_s"] == record["steady"]["output_tok_per_s"]
    judged = jevons.validate(path, gpu="h100_sxm", isl=512, osl=512).to_json()
    assert {row["metric"] for row in judged["rows"]} == {"output_tok_s", "total_tok_s"}


def test_a_log_in_which_nothing_is_served_is_no_run(tmp_path: Path) -> None:
    path = tmp_path / "idle.log"
    path.write_text(_vllm((0, 0, 0, 0)))
    with pytest.raises(InputError, match="no result of a load test"):
        read_runs(path)
