"""A simulation whose figures contradict each other is a bug, never an answer."""

from dataclasses import replace

import numpy as np
import pytest

from jevons.checks import InvariantError
from jevons.serving import sim
from jevons.serving.sim.invariants import checked


@pytest.fixture(scope="module")
def sound() -> sim.SimResult:
    table = sim.constant_table(4, 64, decode_s=0.01, prompt_token_s=0.001)
    limits = sim.SimLimits(max_batch=4, step_tokens=64, block_tokens=4, kv_blocks=100)
    load = sim.Requests(arrival_s=np.arange(20.0), isl=np.full(20, 10), osl=np.full(20, 5))
    return sim.simulate(load, table, limits)


def test_a_sound_result_passes(sound: sim.SimResult) -> None:
    assert checked(sound) is sound


@pytest.mark.parametrize(
    ("group", "changed"),
    [
        ("occupancy", {"utilisation_frac": -0.76}), ("occupancy", {"utilisation_frac": 5e15}),
        ("throughput", {"req_per_s": float("nan")}), ("counts", {"served": 19}),
    ],
)  # fmt: skip
def test_a_figure_that_cannot_be_is_refused(sound: sim.SimResult, group: str, changed: dict[str, float]) -> None:
    with pytest.raises(InvariantError):
        checked(replace(sound, **{group: replace(getattr(sound, group), **changed)}))


@pytest.mark.parametrize("changed", [{"decode_tokens": -1}, {"swaps": 1}, {"host_hit_tokens": 1}])
def test_work_that_cannot_be_is_refused(sound: sim.SimResult, changed: dict[str, int]) -> None:
    with pytest.raises(InvariantError):
        checked(replace(sound, work=replace(sound.work, **changed)))


def test_percentiles_that_fall_are_refused(sound: sim.SimResult) -> None:
    assert sound.latency.e2e_s is not None
    falling = replace(sound.latency.e2e_s, p99=sound.latency.e2e_s.p50 / 2)
    with pytest.raises(InvariantError):
        checked(replace(sound, latency=replace(sound.latency, e2e_s=falling)))
