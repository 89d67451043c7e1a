"""Draws over the small scenario: the same on any number of processes, resumed or not."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError, SolverError
from jevons.facts import default_facts
from jevons.parallel import Executor, processes
from jevons.study import load
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.operating_points import engineer
from jevons.study.draws import run as montecarlo
from jevons.study.draws import workers
from jevons.study.draws.outcomes import OUTCOMES, PATHS
from jevons.study.draws.run import monte_carlo, run_key, sweep
from jevons.study.draws.summary import path_records, probabilities, summary
from jevons.web.planning import Fan
from places import TINY


@pytest.fixture(scope="module")
def prepared():
    scenario = load(TINY)
    engineering = engineer(scenario, default_facts(), scenario.as_of)
    return scenario, engineering, run_chain(scenario, engineering)


@pytest.fixture(scope="module")
def drawn(prepared):
    return monte_carlo(*prepared, 12, seed=5, executor=Executor(processes=1))


def same(first, second):
    assert first.names == second.names
    assert np.array_equal(first.values, second.values)
    for held, other in ((first.outcomes, second.outcomes), (first.paths, second.paths)):
        assert held.keys() == other.keys()
        for name, numbers in held.items():
            assert numbers.tobytes() == other[name].tobytes(), name


def test_draws_are_told_one_by_one_and_say_together_what_the_study_says(prepared, drawn):
    told, fan = [], []
    again = monte_carlo(*prepared, 6, seed=5, executor=Executor(processes=1), on_draw=told.append)
    for record in told:
        Fan(tell=fan.append, currency="CNY", records=list(told[: told.index(record)]))(record)
    assert len(told) == 6 - again.infeasible - again.unsolved > 4
    assert path_records(montecarlo.gathered(told)) == path_records(again)
    assert [one["draws"] for one in fan] == list(range(1, len(told) + 1))
    assert [one["draws"] for one in fan if "paths" in one] == [5]
    assert (
        fan[4]["paths"]["tokens_per_d"]["p50"] == np.median([r["paths"]["tokens_per_d"] for r in told[:5]], 0).tolist()
    )
    assert fan[0]["outcomes"]["devices"] == told[0]["devices"]
    assert fan[4]["paths"]["capex"]["unit"] == fan[4]["uncertainty"]["capex"]["unit"] == "CNY"


@pytest.mark.slow
def test_processes_do_not_change_a_byte(prepared, drawn):
    same(drawn, monte_carlo(*prepared, 12, seed=5, executor=Executor(processes=2)))


@pytest.mark.slow
def test_a_script_without_a_guard_starts_no_processes_without_end(tmp_path, drawn):
    script = tmp_path / "script.py"
    script.write_text(
        "import jevons\n"
        f"plan = jevons.plan(jevons.load({str(TINY)!r}), draws=4, processes=2)\n"
        "print('draws', len(plan.draws.values))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["draws", "4"], done.stderr
    assert "Error" not in done.stderr


class StoppedError(Exception):
    pass


def stop_after(draws):
    def progress(done, _total):
        if done >= draws:
            raise StoppedError

    return progress


@pytest.mark.slow
def test_a_stopped_run_goes_on_without_repeats_and_ends_the_same(prepared, drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(montecarlo, "_SEGMENT_DRAWS", 2)
    with pytest.raises(StoppedError):
        monte_carlo(*prepared, 12, seed=5, executor=Executor(processes=1), store=tmp_path, progress=stop_after(7))
    computed = []
    one = workers._one
    monkeypatch.setattr(workers, "_one", lambda shared, row: computed.append(row) or one(shared, row))
    resumed = monte_carlo(*prepared, 12, seed=5, executor=Executor(processes=1), store=tmp_path)
    assert resumed.stored >= 6
    assert len(computed) == 12 - resumed.stored
    same(drawn, resumed)
    again = monte_carlo(*prepared, 12, seed=5, executor=Executor(processes=1), store=tmp_path)
    assert again.stored == 12
    assert len(computed) == 12 - resumed.stored
    same(drawn, again)


def test_a_draw_that_a_solver_fails_on_is_a_draw_with_a_state_and_is_not_computed_again(
    prepared, drawn, tmp_path, monkeypatch
):
    calls = []
    chain = workers.run_chain

    def failing(*given, **options):
        calls.append(given)
        if len(calls) == 3:
            message = "HiGHS stopped with `Unknown`"
            raise SolverError(message)
        if len(calls) == 5:
            message = "nothing fits"
            raise InfeasibleError(message)
        return chain(*given, **options)

    monkeypatch.setattr(workers, "run_chain", failing)
    first = monte_carlo(*prepared, 12, seed=5, executor=Executor(processes=1), store=tmp_path)
    assert (first.unsolved, first.infeasible, len(first.values)) == (1, 1, 10)
    assert first.left_out == "1 without a feasible plan, 1 unsolved"
    rest = [i for i in range(12) if i not in (2, 4)]
    assert np.array_equal(first.outcomes["devices"], drawn.outcomes["devices"][rest])
    again = monte_carlo(*prepared, 12, seed=5, executor=Executor(processes=1), store=tmp_path)
    assert len(calls) == 12
    same(first, again)
    assert (again.unsolved, again.infeasible) == (1, 1)
    assert summary(again)["draws"] == 12


def test_a_study_without_any_plan_says_so_with_a_remedy(prepared, monkeypatch):
    def failing(*_given, **_options):
        message = "HiGHS stopped with `Unknown`"
        raise SolverError(message)

    monkeypatch.setattr(workers, "run_chain", failing)
    with pytest.raises(InfeasibleError, match=r"none of 4 draws .* on 4 a solver failed \(HiGHS.*Widen budget"):
        monte_carlo(*prepared, 4, seed=5, executor=Executor(processes=1))


def test_another_seed_number_of_draws_or_figure_is_another_run(prepared):
    scenario, engineering, _ = prepared
    about = {"seed": 1, "draws": 10}
    key = run_key(scenario, engineering, about)
    other = scenario.with_values({"cost.wacc": scenario.cost.wacc.value + 0.01})
    assert key != run_key(scenario, engineering, about | {"seed": 2})
    assert key != run_key(scenario, engineering, about | {"draws": 11})
    assert key != run_key(other, engineering, about)
    faster = dataclasses.replace(engineering, device_s_per_tok=engineering.device_s_per_tok * 0.5)
    assert key != run_key(scenario, faster, about)


def test_the_summary_has_every_headline_in_order_and_probabilities_count_draws(drawn):
    said = summary(drawn)
    assert [record["outcome"] for record in said["outcomes"]] == list(OUTCOMES)
    assert set(said["paths"]) == set(PATHS)
    for record in said["outcomes"]:
        assert record["p10"] <= record["p50"] <= record["p90"]
    share = float(np.mean(drawn.outcomes["compute_factor"] > 1))
    assert probabilities(drawn)["jevons"]["p"] == share


def test_the_last_quarter_of_a_path_is_the_outcome(drawn):
    assert drawn.paths["tokens_per_d"][:, -1] == pytest.approx(drawn.outcomes["tokens_per_d"])
    assert drawn.paths["capex"].sum(axis=1) == pytest.approx(drawn.outcomes["capex"])


class TestSweep:
    def test_the_grid_is_run_in_order_and_moves_only_what_it_names(self, prepared):
        scenario, engineering, base = prepared
        path = "finance.terminal_margin"
        found = sweep(
            scenario, engineering, base, {path: [0.1, 0.2], "cost.wacc": [0.09, 0.11]}, executor=Executor(processes=1)
        )
        assert found.values.tolist() == [[0.1, 0.09], [0.1, 0.11], [0.2, 0.09], [0.2, 0.11]]
        value = found.outcomes["value_per_share"]
        assert value[2] > value[0]
        assert value[0] > value[1]

    @pytest.mark.parametrize(
        ("axes", "message"),
        [({"finance.terminal_marjin": [0.1]}, "Did you mean `finance.terminal_margin`"), ({"cost.wacc": []}, "finite"),
         ({"cost.wacc": [float("nan")]}, "finite")],
    )  # fmt: skip
    def test_wrong_axes_are_named(self, prepared, axes, message):
        with pytest.raises(InputError, match=message):
            sweep(*prepared, axes, executor=Executor(processes=1))


def _mark_later(folder, item):
    if item:
        time.sleep(5.0)
        (Path(folder) / str(item)).touch()
    return item


def _process(_shared, _item):
    return os.getpid()


def test_workers_end_where_the_caller_wants_no_more(tmp_path):
    results = processes.in_processes(_mark_later, str(tmp_path), [0, 1], 2)
    assert next(results) == (0, 0)
    results.close()
    assert list(tmp_path.iterdir()) == []


def test_few_short_items_start_no_processes_and_many_do(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    asked = []
    monkeypatch.setattr(processes, "in_processes", lambda *given: asked.append(given[3]) or iter(()))
    assert {made for _, made in Executor().run(_process, None, range(8), each_s=0.5)} == {os.getpid()}
    assert not asked
    assert list(Executor().run(_process, None, range(100), each_s=0.5)) == []
    assert list(Executor(processes=2).run(_process, None, range(8), each_s=0.5)) == []
    assert asked == [2, 2]
