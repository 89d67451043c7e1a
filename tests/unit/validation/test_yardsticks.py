"""Yardsticks: training efficiency and tool chains, kept only where they help on groups left out."""

import math

import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.validation.yardsticks.measures import QUESTIONS, tool_chains, training_yardsticks
from jevons.validation.yardsticks.scores import LEAST_GROUPS, YardstickScore, held_out_frac


@pytest.fixture(scope="module")
def found():
    return jevons.study.yardsticks()


@pytest.mark.parametrize("kind", ["chip", "provider"])
def test_each_score_is_the_mean_of_the_ten_marks_of_the_rubric(kind):
    for chain in tool_chains(default_facts(), kind, None).values():
        assert list(chain.marks) == list(QUESTIONS[kind])
        assert set(chain.marks.values()) <= {0.0, 0.5, 1.0}
        assert chain.score == pytest.approx(sum(chain.marks.values()) / 10)
        assert chain.low <= chain.score <= chain.high


def test_training_efficiency_is_work_times_gain_over_cost():
    run = next(one for one in training_yardsticks(default_facts(), None) if one.name == "deepseek_v3")
    assert run.work_flop == pytest.approx(6 * 37e9 * 14.8e12)
    years = (run.day.toordinal() - 738521) / 365.25  # 2023-01-01
    assert run.gain == pytest.approx(2 ** (years / 0.667))
    assert run.flop_per_s == pytest.approx(run.work_flop / (2.664e6 * 3600))
    assert run.flop_per_cny == pytest.approx(run.work_flop * run.gain / run.cost_cny)


def test_the_error_is_of_rows_whose_group_the_fit_has_not_seen():
    draw = np.random.default_rng(7)
    truth, noise = draw.normal(size=60), 0.05 * draw.normal(size=60)
    groups = [str(i // 6) for i in range(60)]
    known = held_out_frac(np.column_stack([np.ones(60), truth]), truth + noise, groups)
    assert known == pytest.approx(0.03, abs=0.02)
    assert held_out_frac(np.ones((60, 1)), truth + noise, groups) > 5 * known
    # a column that names the groups says nothing of one that is left out
    labels = np.eye(10)[np.arange(60) // 6]
    assert held_out_frac(np.column_stack([np.ones(60), labels]), truth, groups) > 5 * known


@pytest.mark.parametrize(("chance", "kept"), [(0.05, True), (0.4, False)])
def test_what_chance_does_as_well_is_not_kept(chance, kept):
    told = {"yardstick": "a", "outcome": "b", "rows": 9, "without_frac": 0.5, "with_frac": 0.1, "why": ""}
    assert YardstickScore(groups=LEAST_GROUPS, chance_frac=chance, **told).kept == kept


def test_too_few_groups_keep_nothing_however_good_the_fit():
    told = {"yardstick": "a", "outcome": "b", "rows": 9, "without_frac": 0.5, "with_frac": 0.1, "why": ""}
    assert not YardstickScore(groups=LEAST_GROUPS - 1, **told).kept
    assert YardstickScore(groups=LEAST_GROUPS, **told).kept


def test_the_answer_names_what_is_kept_and_its_score(found):
    scores = {(one.yardstick, one.outcome): one for one in found.scores}
    rents = scores["tool chain of the chip", "rent of an accelerator-hour"]
    assert rents.kept
    assert rents.with_frac < 0.95 * rents.without_frac
    assert not scores["factor for the chip's training software", "training on ascend_910b beside a100_sxm"].kept
    assert f"{len(found.kept)} of {len(found.scores)} tests" in found.answer
    assert found.to_json()["scores"][0]["kept"] is True


def test_nothing_is_scored_before_the_tool_chains_were_read():
    with pytest.raises(InputError, match="2025-11-30"):
        jevons.study.yardsticks(as_of="2025-01-01")


def test_training_on_ascend_says_what_paired_runs_reached():
    run = jevons.train("llama-2-7b", gpu="ascend_910b", gpus=8, seq_len=4096, batch=32)
    paired = run.to_json()["paired"]
    assert paired["mean"] == pytest.approx(math.exp(np.mean(np.log(list(paired["ratio"].values())))))
    assert "0.83 (0.67 to 1.01) of the tokens per second of a100_sxm" in run.answer
    assert jevons.train("llama-2-7b", gpu="h100_sxm", gpus=8, seq_len=4096, batch=32).to_json()["paired"] is None
