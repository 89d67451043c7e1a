"""Measured rows that nothing can be: each is told in a line or left out with a reason, and none stops the others."""

import csv
import json
import random
from pathlib import Path

import pytest

from draws import some
from jevons.errors import InputError, JevonsError
from jevons.validation import validate
from jevons.validation.serving.case import number_of
from jevons.validation.told import Told

DATA = Path(__file__).parents[2] / "data"
JUNK = (
    "", "0", "-1", "0.5", "1e300", "nan", "inf", "1e9", "1.2.3", ".", "x", "9" * 400, "9" * 5000, "1e-300", "²", "{",
    '{"a":', "concurrency 99999999999", "99999999999 req/s", "static batch 0", "power_law_nan", "v9999999999.1",
    "serve: vllm serve x --max-num-seqs 999999999999 --gpu-memory-utilization 7",
)  # fmt: skip


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def written(path, rows):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("seed", some(range(6)))
def test_a_cell_of_junk_is_a_reason_or_a_line_never_a_defect(tmp_path, seed):
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    files = sorted([*DATA.glob("ops/*.csv"), *DATA.glob("serving/*.csv")])
    for _ in range(25):
        file = draw.choice(files)
        row = dict(draw.choice(rows_of(file)))
        row[draw.choice(list(row))] = draw.choice(JUNK)
        try:
            report = validate(written(tmp_path / file.name, [row]))
        except JevonsError:
            continue
        assert all((e.predicted is None) == bool(e.reason) for e in report.entries if e.measured)


@pytest.mark.parametrize(
    ("file", "column", "value", "said"),
    [
        ("ops/aic_h200_moe.csv", "moe_ep_size", "0", "out of range"),
        ("ops/aic_h200_moe.csv", "num_experts", "500000000", "out of range"),
        ("ops/aic_h200_moe.csv", "topk", "-1", "out of range"),
        ("ops/aic_h200_moe_a2a.csv", "ep_size", "0.5", "out of range"),
        ("ops/vidur_a100_net_all_reduce.csv", "num_workers", "x", "out of range"),
        ("serving/inferencex_silicon.csv", "notes", "{", "begin like JSON"),
        ("serving/inferencex_silicon.csv", "isl", "999999999999", "must be at most"),
        ("serving/phase_latency.csv", "concurrency_or_rate", "static batch 99999999", "must lie between"),
        ("serving/request_traces.csv", "input_tokens", "9007199254740993", "must be a number from"),
        ("serving/request_traces.csv", "arrival_s", "1e30", "must be a number from"),
    ],
)
def test_one_bad_row_has_a_reason_and_the_others_are_predicted(tmp_path, file, column, value, said):
    rows = rows_of(DATA / file)[:2]
    twin = {**rows[1], "gpu": "H100"} if "request_id" in rows[1] else rows[1]
    report = validate(written(tmp_path / Path(file).name, [{**rows[0], column: value}, twin]))
    first = [entry for entry in report.entries if entry.row == 0]
    assert first
    assert all(said in entry.reason for entry in first)
    assert any(entry.predicted is not None for entry in report.entries if entry.row == 1)


def test_too_many_tokens_in_one_run_are_refused_before_memory_is_taken(tmp_path):
    rows = [{**row, "input_tokens": "9000000"} for row in rows_of(DATA / "serving/request_traces.csv")] * 3
    report = validate(written(tmp_path / "x.csv", rows))
    assert all("tokens in one run" in entry.reason for entry in report.entries)


BENCH = {
    "backend": "vllm", "model_id": "Qwen/Qwen3-0.6B", "num_prompts": 100, "request_rate": 2.0, "duration": 50.0,
    "completed": 100, "total_input_tokens": 10_000, "total_output_tokens": 2000, "request_throughput": 2.0,
    "output_throughput": 40.0, "mean_ttft_ms": 20.0, "median_ttft_ms": 18.0, "p99_ttft_ms": 40.0, "mean_tpot_ms": 5.0,
}  # fmt: skip


@pytest.mark.parametrize("value", [0, -1, 1e300, 1e18, 1e13, "x", None, [], True, "1e400"])
@pytest.mark.parametrize("name", some(name for name, value in BENCH.items() if not isinstance(value, str)))
def test_odd_figures_of_a_load_test_are_left_out_with_a_reason_or_make_no_figure(tmp_path, name, value):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(BENCH | {name: value}))
    told = Told(cells={"gpu": "h20"})
    try:
        report = validate([path], told=told)
    except InputError:
        return
    for entry in report.entries:
        assert entry.measured is None or 0.0 < entry.measured <= 1e12
        if entry.predicted is None:
            assert entry.reason
        else:
            assert entry.low <= entry.predicted <= entry.high
            assert entry.predicted > 0.0


def test_counts_with_an_exponent_are_counts():
    assert number_of("1.5e+06") == 1.5e6
    with pytest.raises(InputError, match="at most"):
        number_of("1e+298")
