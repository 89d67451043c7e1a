"""Commands that stand beside a printed report say which server and which load it is of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jevons
from jevons.errors import InputError
from jevons.serving.measured import read_runs

REPORT = """\
============ Serving Benchmark Result ============
Successful requests:                     200
Benchmark duration (s):                  187.90
Total input tokens:                      25553
Total generated tokens:                  25600
Output token throughput (tok/s):         136.24
Mean TTFT (ms):                          587.30
==================================================
"""
SERVER = "vllm serve Qwen/Qwen3-30B-A3B --load-format dummy -tp 4"
BENCH = """\
vllm bench serve --model Qwen/Qwen3-30B-A3B --dataset-name random \\
    --random-input-len 128 --request-rate 1
"""


@pytest.mark.parametrize(
    ("before", "serve", "rate", "users"),
    [
        (f"$ {SERVER}\n$ {BENCH}", SERVER, 1.0, None),
        (f"```\n{SERVER} \\\n   --max-model-len 4096\n```\n", f"{SERVER}     --max-model-len 4096", None, None),
        ("Namespace(backend='vllm', model='Qwen/Qwen3-30B-A3B', request_rate=inf, max_concurrency=8)", "", None, 8),
        ("python3 benchmark_serving.py --model=Qwen/Qwen3-30B-A3B --max-concurrency=8\n", "", None, 8),
        ("we ran vllm serve and then the bench of it\n", "", None, None),
    ],
    ids=["both", "in Markdown", "what a bench prints", "an older bench", "no command"],
)
def test_commands_before_a_report_name_its_server_and_its_load(
    tmp_path: Path, before: str, serve: str, rate: float | None, users: int | None
) -> None:
    path = tmp_path / "bench.txt"
    path.write_text(before + REPORT)
    (run,) = read_runs(path)
    assert (run.serve, run.rate_req_per_s, run.users) == (serve, rate, users)
    assert run.model == ("Qwen/Qwen3-30B-A3B" if "model=" in before or "--model" in before else "")
    assert run.isl == pytest.approx(25553 / 200)


def test_each_report_has_the_server_that_was_started_before_it(tmp_path: Path) -> None:
    path = tmp_path / "bench.txt"
    path.write_text(f"{SERVER}\n{BENCH}{REPORT}{SERVER.replace('4', '2')}\n{BENCH}{REPORT}{BENCH}{REPORT}")
    assert [run.serve[-1] for run in read_runs(path)] == ["4", "2", "2"]


def test_validate_and_simulate_predict_the_server_that_a_report_was_made_of(tmp_path: Path) -> None:
    pasted, told = tmp_path / "pasted.txt", tmp_path / "told.txt"
    pasted.write_text(f"{SERVER}\n{BENCH}{REPORT}")
    told.write_text(REPORT)
    own = jevons.validate(pasted, gpu="h100_sxm")
    stated = jevons.validate(told, gpu="h100_sxm", serve=SERVER, rate=1)
    assert own.overall.coverage_frac == 1.0
    assert [one.predicted for one in own.entries] == [one.predicted for one in stated.entries]
    run = jevons.simulate(measured=pasted, gpu="h100_sxm").to_json()
    assert run["accelerators"] == 4
    assert jevons.simulate(measured=pasted, gpu="h100_sxm", tp=2).to_json()["accelerators"] == 2


def test_a_report_of_one_model_and_a_server_of_another_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pasted.txt"
    path.write_text(BENCH + REPORT)
    with pytest.raises(InputError, match=r"is of mistral-7b, and another option of Qwen/Qwen3-30B-A3B; omit one"):
        jevons.simulate(measured=path, serve="vllm serve mistralai/Mistral-7B-Instruct-v0.3", gpu="h100_sxm")


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.touch()
    with pytest.raises(InputError, match=r"rows.csv: is empty; name a file of measured rows"):
        jevons.validate(path)


def test_the_server_and_bench_of_sglangs_tuner_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tuned.json"
    record = {
        "request_rate": 4.0, "max_concurrency": None, "output_token_throughput": 1325, "mean_e2e_latency_ms": 12285.4,
        "server_command": "python -m sglang.launch_server --model-path meta-llama/Llama-3.3-70B-Instruct --tp 2",
        "benchmark_command": "python -m sglang.bench_serving --random-input-len 1024 --random-output-len 512",
    }  # fmt: skip
    path.write_text(json.dumps(record))
    (run,) = read_runs(path)
    assert (run.isl, run.osl, run.serve) == (1024, 512, record["server_command"])
