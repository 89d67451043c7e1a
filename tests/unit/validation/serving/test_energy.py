"""Rows of power are predicted at the rate that their run reached, those of energy at the predicted one."""

import csv

import pytest

from jevons.hardware import accelerator
from jevons.serving.energy import power_model
from jevons.validation import validate
from jevons.validation.serving.cases import read_case
from jevons.validation.serving.energy import requests_of
from jevons.validation.serving.predict import answer, prepare

RUN = {
    "family": "energy", "source_title": "a board", "source_ref": "", "date_or_version": "2026-02-16", "engine": "vllm",
    "engine_version": "0.11.1", "model": "Qwen/Qwen3-14B", "precision": "bfloat16", "gpu": "H100 SXM", "n_gpus": "1",
    "tp": "1", "pp": "1", "ep": "1", "dp": "1", "isl": "dataset gpqa", "osl": "6930.4",
    "concurrency_or_rate": "concurrency 32", "unit": "", "notes": "serve: vllm serve Qwen/Qwen3-14B --max-num-seqs 32",
    "run_id": "one", "group": "",
}  # fmt: skip


def predicted(path, figures, **changes):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*RUN, "metric", "value"])
        writer.writeheader()
        writer.writerows({**RUN, **changes, "metric": metric, "value": value} for metric, value in figures.items())
    return {entry.metric: entry for entry in validate(path).entries}


def test_power_follows_the_rate_that_the_run_reached_and_energy_does_not(tmp_path):
    drawn = {"power_w": 500.0, "energy_j_per_output_token": 0.5}
    alone = predicted(tmp_path / "alone.csv", drawn)
    fast, slow = (
        predicted(tmp_path / f"{rate}.csv", {**drawn, "running_mean": 32.0, "output_tok_s": rate})
        for rate in (3000.0, 300.0)
    )
    assert slow["power_w"].predicted < 0.8 * fast["power_w"].predicted
    energies = {run["energy_j_per_output_token"].predicted for run in (alone, fast, slow)}
    assert len(energies) == 1
    rate = alone["power_w"].predicted / alone["energy_j_per_output_token"].predicted
    same = predicted(tmp_path / "same.csv", {**drawn, "running_mean": 32.0, "output_tok_s": rate})
    # A little more: the predicted batch is the mean of a run, the stated one is full.
    assert same["power_w"].predicted == pytest.approx(alone["power_w"].predicted, rel=0.03)
    width = [run["power_w"].high / run["power_w"].low for run in (same, alone)]
    assert width[0] < width[1]  # a rate that is known takes its error with it


def test_a_slow_run_of_images_waits_for_its_host(tmp_path):
    task = {"isl": "dataset image-chat", "osl": "500"}
    alone = predicted(tmp_path / "alone.csv", {"power_w": 500.0, "energy_j_per_output_token": 0.5}, **task)
    working_w = alone["power_w"].predicted
    rate = working_w / alone["energy_j_per_output_token"].predicted
    slow = {"power_w": 500.0, "running_mean": 32.0, "output_tok_s": rate / 4.0}
    waiting_w = power_model().waiting_frac * accelerator("h100_sxm").tdp_w
    expected_w = waiting_w + (working_w - waiting_w) / 4.0
    assert predicted(tmp_path / "slow.csv", slow, **task)["power_w"].predicted == pytest.approx(expected_w)


def test_a_run_sends_its_set_as_often_as_its_batch_takes():
    """The sweeps of ML.ENERGY: repeats of 198 questions, and of 1,024 conversations."""
    assert [requests_of("gpqa", seats) // 198 for seats in (8, 128, 192, 256, 384, 768, 1024)] == [1, 1, 2, 2, 3, 5, 6]
    assert [requests_of("lm-arena-chat", seats) // 1024 for seats in (256, 1024, 1536, 2048, 3072)] == [1, 2, 2, 3, 4]
    assert requests_of("video-chat", 512) == 1024


def test_short_runs_are_measured_while_their_contexts_are_young():
    notes = "serve: vllm serve Qwen/Qwen3-14B --max-num-seqs 32; task gpqa"
    case = read_case(
        {**RUN, "concurrency_or_rate": "concurrency 32", "metric": "power_w", "value": "1", "notes": notes}
    )
    assert case.requested.requests == 198
    rates = [answer(prepare(c)).outcome.steady_output_tok_per_s for c in (case.replace(requests=64), case)]
    assert rates[0] > 1.05 * rates[1]
