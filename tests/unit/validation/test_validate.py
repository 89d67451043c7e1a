"""Measured serving rows against predictions: on the samples always, on the whole tables where they lie beside."""

import csv
import doctest
import importlib

import pytest

import draws
import jevons
from jevons.errors import InputError
from jevons.validation import validate
from jevons.validation.rows import with_accepted
from places import DATA, TABLES

SAMPLES = DATA / "serving"
SERVING = TABLES / "serving"
OPS = SAMPLES.parent / "ops"
NAMES = ["trtllm_overview", "inferencex_silicon", "engine_bench", "phase_latency"]
NAMES += [] if draws.quick else ["mlperf_inference"]  # whose rows name no layout, so that each searches for one


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


def test_tables_have_typed_columns_and_the_file_holds_every_row_with_its_prediction(tmp_path, report):
    assert set(report.tables) >= {"overall", "families", "groups", "rows"}
    assert report.tables["rows"].detail
    assert report.tables["overall"].column("rows") == [len(report.entries)]
    report.save(tmp_path / "rows.csv")
    written = rows_of(tmp_path / "rows.csv")
    assert len(written) == len(report.entries)
    for row, entry in zip(written, report.entries, strict=True):
        assert row["reason"] == entry.reason
        assert (row["predicted"] == "") == (entry.predicted is None)
    assert written[0]["model"] == rows_of(SAMPLES / f"{NAMES[0]}.csv")[0]["model"]
    assert len(repr(report).splitlines()) <= 15


def test_operators_and_serving_state_an_interval():
    made = jevons.validate(OPS / "aic_h200_gemm.csv", SAMPLES / "trtllm_overview.csv")
    for row in made.to_json()["rows"]:
        assert row["low"] < row["predicted"] < row["high"]
    assert 0.6 < made.by(lambda entry: entry.family)["ops"].inside_frac <= 1.0


def test_files_of_one_name_stay_apart(tmp_path):
    twin = tmp_path / "trtllm_overview.csv"
    twin.write_bytes((SAMPLES / "trtllm_overview.csv").read_bytes())
    made = validate([SAMPLES / "trtllm_overview.csv", twin])
    assert len({entry.file for entry in made.entries}) == 2
    assert len(made.tables["rows"]) == 2 * len(rows_of(twin))


def test_a_calibration_that_was_just_fitted_is_taken_as_it_is(tmp_path):
    table = SAMPLES / "phase_latency.csv"
    fitted = jevons.calibrate(table)
    fitted.save(tmp_path / "c.json")
    by_object, by_file = (jevons.validate(table, calibration=c) for c in (fitted, tmp_path / "c.json"))
    assert by_object.to_json() == by_file.to_json()
    assert by_object.overall.median_ape == pytest.approx(
        fitted.median_ape, abs=0.05
    )  # of more figures than were fitted
    assert len(fitted.tables["factors"]) == len(fitted.to_json()["factors"]) > 0


def test_examples_of_the_docstrings_run(monkeypatch):
    monkeypatch.chdir(SAMPLES.parents[2])
    for name in ("validate", "calibrate"):
        assert doctest.testmod(importlib.import_module(f"jevons.api.{name}")).failed == 0


def test_no_file_and_a_file_without_rows_are_said(tmp_path):
    with pytest.raises(InputError, match="no file of measured rows"):
        jevons.validate()
    path = tmp_path / "x.csv"
    path.write_text("model,gpu,isl,osl,concurrency_or_rate,metric,value\n", encoding="utf-8")
    with pytest.raises(InputError, match="header and no rows"):
        jevons.validate(path)


def test_unknown_header_names_what_is_needed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="Serving rows need"):
        validate(path)


@pytest.mark.slow
@pytest.mark.skipif(not SERVING.is_dir(), reason="the whole tables are not beside the repository")
@pytest.mark.parametrize(("name", "covered"), [("trtllm_overview", 0.95), ("phase_latency", 1.0)])
def test_whole_tables_are_covered(name, covered):
    assert validate(SERVING / f"{name}.csv").overall.coverage_frac >= covered


def test_all_figures_of_a_run_know_its_acceptance_length():
    rows = (
        {"run_id": "a", "metric": "tpot_ms_mean", "value": "8"},
        {"run_id": "a", "metric": "accept_length", "value": "3.2"},
        {"run_id": "b", "metric": "tpot_ms_mean", "value": "9"},
    )
    assert [row.get("accept_length") for row in with_accepted(rows)] == ["3.2", "3.2", None]
