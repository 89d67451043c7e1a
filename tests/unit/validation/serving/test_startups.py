"""Start-up rows of an engine: recognised by their header, every component judged, outcomes told right or unsafe."""

from pathlib import Path

import pytest

import jevons
from jevons.validation.report import Entry, score
from jevons.validation.rows import read_table
from jevons.validation.serving.startups import start_up, startup_entries

TABLE = Path(__file__).parents[3] / "data" / "serving" / "vllm_memory.csv"


@pytest.fixture(scope="module")
def report():
    return jevons.validate(TABLE)


def test_the_header_tells_start_ups():
    assert read_table(TABLE).kind == "startups"


def test_tokens_of_the_cache_are_within_three_percent_and_nine_in_ten_within_eight(report):
    tokens = score(one for one in report.entries if one.metric == "kv_cache_tokens")
    assert tokens.coverage_frac == 1.0
    assert tokens.median_ape < 0.01
    assert tokens.p90_ape < 0.03


def test_no_start_is_promised_that_failed(report):
    starts = score(one for one in report.entries if one.metric == "starts")
    assert starts.unsafe == 0
    assert starts.right_frac == 1.0


def test_other_causes_are_no_outcome(report):
    row = {**read_table(TABLE).rows[0], "outcome": "failed", "reason_kind": "environment", "reason": "disk full"}
    said = [one for one in startup_entries(TABLE, [row]) if one.metric == "starts"]
    assert [one.reason for one in said] == ["not the model's memory: disk full"]
    assert said[0].measured is None
    del report


def test_outcomes_are_counted_apart_from_errors():
    yes, no = (Entry(file="", row=0, metric="starts", group="", family="", measured=m, predicted=1.0, outcome=True)
               for m in (1.0, 0.0))  # fmt: skip
    plain = Entry(file="", row=0, metric="x", group="", family="", measured=2.0, predicted=1.0)
    of_all = score([yes, no, plain])
    assert (of_all.right_frac, of_all.unsafe, of_all.median_ape, of_all.answered) == (0.5, 1, 0.5, 3)
    assert (yes.unsafe, no.unsafe) == (False, True)


def test_json_gives_outcomes_as_zero_or_one(report):
    rows = report.to_json()["rows"]
    assert {row["ape"] for row in rows if row["metric"] == "starts" and "ape" in row} == {0.0}


def test_nothing_measured_is_read():
    row = read_table(TABLE).rows[0]
    bare = {**row, "weights_gib": "1", "kv_cache_gib": "1", "run_id": "x", "source_ref": "", "outcome": "failed"}
    assert start_up(bare).use == start_up(row).use


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({"model": "no-such-model"}, "unknown model"),
        ({"gpu": ""}, "names no gpu; add it"),
        ({"tp": ""}, "states no layout"),
        ({"engine_version": "eleven"}, ""),
        ({"max_num_seqs": "1e99"}, ""),
        ({"gpu_memory_utilization": "0"}, "gpu_memory_utilization = 0: must be above 0 and at most 1"),
        ({"gpu_memory_utilization": "95"}, "gpu_memory_utilization = 95: must be above 0 and at most 1"),
    ],
)
def test_rows_with_bad_cells_carry_the_reason(cell, said):
    entries = startup_entries(TABLE, [{**read_table(TABLE).rows[1], **cell}])
    assert entries
    assert all(said in one.reason for one in entries if not one.answered)
