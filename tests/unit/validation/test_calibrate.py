"""Fitting: known factors are found again, groups stay whole, files are checked."""

import csv
import json

import pytest

from jevons.errors import InputError
from jevons.serving import engine
from jevons.serving.calibration import Calibration, engine_for
from jevons.validation import validate
from jevons.validation.fit.calibrate import calibrate
from jevons.validation.fit.serving import folds, gather
from places import DATA

SAMPLES = DATA / "serving"


def rows_of(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def rewritten(tmp_path, calibration):
    """Return a table whose measured values are the predictions under a calibration."""
    source = SAMPLES / "phase_latency.csv"
    report = validate(source, calibration)
    rows = rows_of(source)
    path = tmp_path / "made.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "value": repr(e.predicted)} for row, e in zip(rows, report.entries, strict=True))
    return path


def test_known_factors_are_found_again(tmp_path):
    truth = engine("eager").host.step_overhead_s + 6e-3
    made = Calibration({"eager": {"step_overhead_s": truth}})
    path = rewritten(tmp_path, made)
    before = validate(path).overall.median_ape
    fitted = calibrate([path])
    after = validate(path, fitted).overall.median_ape
    assert before > 0.05
    assert after < 0.3 * before
    assert fitted.provenance["rows"] > 0
    assert all(value >= 0 for value in fitted.provenance["spread_frac"].values())


def test_calibration_file_round_trip(tmp_path):
    made = Calibration({"vllm": {"step_overhead_s": 0.004}}, {"all": {"compute.bf16": 1.5}}, {"rows": 3})
    path = tmp_path / "c.json"
    made.write(path)
    assert Calibration.read(path) == made
    factors = engine_for("vllm", path)
    assert factors.host.step_overhead_s == 0.004
    assert factors.scales == {"all": {"compute.bf16": 1.5}}
    assert factors == engine("vllm").replace(step_overhead_s=0.004)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is not JSON"),
        (json.dumps({"engines": {"vlm": {}}}), "unknown engine `vlm`"),
        (json.dumps({"engines": {"vllm": {"step_overhed_s": 1}}}), "unknown factor"),
        (json.dumps({"engines": {"vllm": {"step_overhead_s": -1}}}), "must be a number from 0 to 60"),
        (json.dumps({"engines": {}, "scales": {"all": {"compute.bf16": 0}}}), "must be a number from 0.001 to 1000"),
        (json.dumps({"engines": {}, "scales": {"blackwel": {"memory": 1}}}), "unknown owner. Did you mean `blackwell`"),
        (json.dumps({"engines": {}, "scales": {"all": {"compute.bf61": 1}}}), "unknown part. Did you mean"),
    ],
)
def test_wrong_calibration_files_are_refused(tmp_path, document, said):
    path = tmp_path / "c.json"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        Calibration.read(path)


def test_folds_keep_groups_whole():
    items = gather([SAMPLES / "trtllm_overview.csv"])
    parts = folds(items, lambda item: item.group, 3)
    places = {}
    for name, indices in parts.items():
        for index in indices:
            assert places.setdefault(items[index].group, name) == name
    assert sorted(i for indices in parts.values() for i in indices) == list(range(len(items)))


def test_nothing_to_fit_is_said(tmp_path):
    path = tmp_path / "x.csv"
    head = "family,engine,model,gpu,isl,osl,concurrency_or_rate,metric,value,notes"
    path.write_text(f"{head}\nx,vllm,nobody/x,H100 SXM,10,10,concurrency 1,tpot_ms,1,\n", encoding="utf-8")
    with pytest.raises(InputError, match="none of the rows can be fitted"):
        calibrate([path])
