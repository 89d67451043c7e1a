"""Measured interruptions against the failure model."""

import csv
import re

import pytest

from jevons.training import failure_model
from jevons.validation.rows import kind_of
from jevons.validation.run import validate

ROW = {
    "source_title": "x", "system": "Big run", "gpu": "H100-80GB", "n_gpus": "16384", "window": "54 days",
    "metric": "unexpected interruptions", "value": "419", "unit": "count",
}  # fmt: skip


def entries(tmp_path, *changes):
    path = tmp_path / "mine.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(ROW))
        writer.writeheader()
        writer.writerows(ROW | change for change in changes)
    return validate(path).entries


def test_interruptions_are_rate_times_window(tmp_path):
    (found,) = entries(tmp_path, {})
    assert kind_of(list(ROW)) == "reliability"
    assert found.predicted == pytest.approx(failure_model().per_h(16_384) * 54 * 24)
    assert abs(found.error) < 0.1


def test_the_printed_figure_does_not_move_the_prediction(tmp_path):
    found, other = entries(tmp_path, {}, {"value": "7"})
    assert found.predicted == other.predicted


def test_units_of_node_rates_agree(tmp_path):
    nodes, percent, machines = entries(
        tmp_path,
        {"metric": "node failure rate", "unit": "failures per 1000 node-days", "value": "6.5", "n_gpus": ""},
        {"metric": "single-node failure rate", "unit": "percent per node-day", "value": "1.5", "n_gpus": ""},
        {"metric": "machines going down", "unit": "machines per day", "value": "~2", "n_gpus": "8000"},
    )
    assert nodes.predicted == pytest.approx(10.0 * percent.predicted) == pytest.approx(machines.predicted)
    assert machines.measured == 2.0


def test_bounds_are_not_scored_but_judged(tmp_path):
    kept, broken = entries(
        tmp_path,
        {"metric": "effective training time", "unit": "percent", "value": ">50"},
        {"metric": "restarts", "value": "900000+"},
    )
    assert "keeps" in kept.reason
    assert "breaks" in broken.reason
    assert kept.predicted is None


def test_a_fall_between_levels_is_a_loss(tmp_path):
    (found,) = entries(
        tmp_path, {"metric": "throughput loss from one slow node", "unit": "TFLOPS per GPU", "value": "150 to 120"}
    )
    assert found.measured == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n_gpus": ""}, "no number of devices"),
        ({"n_gpus": "1000+"}, "no number of devices: `1000\\+`"),
        ({"window": "a while"}, "no length of the time observed"),
        ({"gpu": "Abacus"}, "unknown accelerator"),
        ({"metric": "unexpected interruptions: Faulty GPU"}, "causes are not told apart"),
        ({"metric": "job uptime", "unit": "percent", "system": "x, manual restarts"}, "restarts by hand"),
        ({"metric": "moods"}, "nothing that the failure model gives"),
        ({"value": "many"}, "`many` is not one figure"),
    ],
)
def test_what_a_row_lacks_is_named(tmp_path, change, reason):
    (found,) = entries(tmp_path, change)
    assert found.predicted is None
    assert re.search(reason, found.reason)


def test_faults_of_servers_follow_their_devices_and_repairs_their_length(tmp_path):
    servers = {"gpu": "8-GPU servers (device not named)", "n_gpus": "3200", "window": "348 days from 2024-03-30"}
    asked = [
        ("node faults", "count"), ("node fault rate", "per 1000 node-days"), ("node fault rate", "per node-month"),
        ("mean time between node faults per node", "days"), ("node unavailability", "percent"),
        ("outage duration mean", "hours"),
    ]  # fmt: skip
    found = entries(tmp_path, *({**servers, "metric": metric, "unit": unit} for metric, unit in asked))
    faults, per_thousand_days, per_month, days, unavailable, mean = (entry.predicted for entry in found)
    nodes = 3200 / failure_model().node_devices
    assert faults == pytest.approx(per_thousand_days / 1000 * nodes * 348)
    assert per_month == pytest.approx(per_thousand_days / 1000 * 365.25 / 12)
    assert days == pytest.approx(1000 / per_thousand_days)
    assert unavailable == pytest.approx(100 * mean / (24 * days))


def test_a_device_that_is_misspelt_is_still_refused(tmp_path):
    (found,) = entries(tmp_path, {"gpu": "no such thing"})
    assert found.predicted is None
