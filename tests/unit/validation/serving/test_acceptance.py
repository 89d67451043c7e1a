"""Measured acceptance lengths beside what the engine's chance of acceptance gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import jevons
from jevons.serving.calibration import Calibration
from jevons.validation.run import validate

HEADER = "model,method,draft_tokens,accept_length,engine\n"


def _entries(tmp_path: Path, lines: str, calibration: Calibration | None = None):
    path = tmp_path / "accepted.csv"
    path.write_text(HEADER + lines, encoding="utf-8")
    return validate(path, calibration).entries


def test_a_step_yields_one_token_and_each_drafted_with_its_chance(tmp_path):
    calibration = Calibration(engines={"vllm": {"draft_acceptance_frac": 0.5}})
    (entry,) = _entries(tmp_path, "any,MTP,3,1.9,vLLM\n", calibration)
    assert entry.predicted == pytest.approx(1 + 0.5 + 0.25 + 0.125)
    assert entry.measured == 1.9
    assert entry.group == "any :: MTP"


def test_the_shipped_chance_has_an_interval_around_it(tmp_path):
    (entry,) = _entries(tmp_path, "any,EAGLE3,4,3.0,sglang\n")
    assert entry.low < entry.predicted < entry.high


@pytest.mark.parametrize("drafted", ["0", "-1", "2.5", "many", "17", ""])
def test_what_is_no_count_of_drafts_is_a_reason(tmp_path, drafted):
    (entry,) = _entries(tmp_path, f"any,MTP,{drafted},1.9,vllm\n")
    assert entry.predicted is None
    assert "draft_tokens" in entry.reason


@pytest.mark.parametrize("accepted", ["-1", "nan", "inf", "1e30", "two"])
def test_what_is_no_length_is_a_reason_that_names_it(tmp_path, accepted):
    (entry,) = _entries(tmp_path, f"any,MTP,2,{accepted},vllm\n")
    assert (entry.predicted, entry.measured) == (None, None)
    assert f"`{accepted}` is no number above 0" in entry.reason


def test_an_unknown_engine_is_a_reason(tmp_path):
    (entry,) = _entries(tmp_path, "any,MTP,2,1.9,nothing\n")
    assert entry.predicted is None
    assert "nothing" in entry.reason


def test_the_command_reads_such_a_table(tmp_path):
    path = tmp_path / "accepted.csv"
    path.write_text(HEADER + "any,MTP,1,1.8,vllm\nany,MTP,2,2.3,vllm\n", encoding="utf-8")
    assert "2 of 2 measured figures are predicted" in jevons.validate(path).answer
