"""Measured rows that nothing can be: each is told in a line or left out with a reason, and none stops the others."""

import csv
import random
from pathlib import Path

import pytest

from jevons.errors import JevonsError
from jevons.validation import validate

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


@pytest.mark.parametrize("seed", range(6))
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
