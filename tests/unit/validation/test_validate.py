"""Measured serving rows against predictions: on the samples always, on the whole tables where they lie beside."""

import csv
from pathlib import Path

import pytest

from jevons.errors import InputError
from jevons.validation import validate

SAMPLES = Path(__file__).parents[2] / "data" / "serving"
TABLES = Path(__file__).parents[4] / "shared" / "data" / "serving"
NAMES = ("trtllm_overview", "inferencex_silicon", "engine_bench", "phase_latency", "mlperf_inference")


def rows_of(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def report():
    return validate([SAMPLES / f"{name}.csv" for name in NAMES])


def test_every_row_is_answered_or_has_a_reason(report):
    rows = sum(len(rows_of(SAMPLES / f"{name}.csv")) for name in NAMES)
    assert len(report.entries) == rows
    assert all((entry.predicted is None) == bool(entry.reason) for entry in report.entries)


@pytest.mark.parametrize(("family", "covered", "median"), [("trtllm_overview", 0.9, 0.25), ("phase_latency", 1.0, 0.3)])
def test_samples_are_covered_and_near(report, family, covered, median):
    found = report.by(lambda entry: entry.family)[family]
    assert found.coverage_frac >= covered
    assert found.median_ape <= median


def test_predictions_do_not_depend_on_what_was_measured(tmp_path, report):
    rows = rows_of(SAMPLES / "inferencex_silicon.csv")
    changed = tmp_path / "inferencex_silicon.csv"
    with changed.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "value": "1.0", "run_id": "x", "source_ref": "y", "group": "z"} for row in rows)
    before = [entry.predicted for entry in report.entries if entry.file == changed.name]
    assert [entry.predicted for entry in validate(changed).entries] == before


def test_json_holds_what_is_promised(report):
    made = report.to_json()
    assert set(made) >= {"overall", "groups", "rows"}
    row = made["rows"][0]
    assert {"file", "row", "metric", "measured"} <= set(row)
    assert all(("predicted" in r and "ape" in r) or "reason" in r for r in made["rows"])


def test_unknown_header_names_what_is_needed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="Serving rows need"):
        validate(path)


@pytest.mark.skipif(not TABLES.is_dir(), reason="the whole tables are not beside the repository")
@pytest.mark.parametrize(("name", "covered"), [("trtllm_overview", 0.95), ("phase_latency", 1.0)])
def test_whole_tables_are_covered(name, covered):
    assert validate(TABLES / f"{name}.csv").overall.coverage_frac >= covered
