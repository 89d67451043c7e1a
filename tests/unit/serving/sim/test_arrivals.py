import math

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.serving import sim


def times(count: int = 200_000, **given: object) -> np.ndarray:
    return sim.arrival_times(
        sim.Pattern(**{"kind": "poisson", "rate_per_s": 5.0} | given), count, sim.stream(1, "arrivals")
    )


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "poisson"}, {"kind": "gamma", "cv": 3.0}, {"kind": "constant"},
        {"kind": "bursts", "bursts": sim.Bursts(10.0, 30.0, 6.0)},
        {"kind": "bursts", "bursts": sim.Bursts(10.0, 30.0, math.inf)},
        {"kind": "day", "rate_per_s": 0.5, "day": sim.Day(0.2)},
    ],
)  # fmt: skip
def test_every_kind_has_the_mean_rate(given: dict) -> None:
    arrival_s = times(**given)
    assert (np.diff(arrival_s) >= 0).all()
    # A thousand cycles of bursts leave two to four percent of chance in the mean.
    assert len(arrival_s) / arrival_s[-1] == pytest.approx(given.get("rate_per_s", 5.0), rel=0.12)


def test_bursts_come_at_the_ratio_and_for_the_share_asked_for() -> None:
    arrival_s = times(kind="bursts", bursts=sim.Bursts(50.0, 150.0, 9.0))
    counts = np.bincount((arrival_s // 5.0).astype(int))
    # Rates: mean 5 = (share + (1 - share) / 9) on, so 15 a second in a quarter of the time, 1.67 in the rest.
    busy = counts > 40
    assert busy.mean() == pytest.approx(0.25, abs=0.04)
    assert np.median(counts[busy]) / 5.0 == pytest.approx(15.0, rel=0.05)
    assert np.median(counts[~busy]) / 5.0 == pytest.approx(15.0 / 9.0, rel=0.15)


def test_nothing_comes_in_a_silent_calm() -> None:
    gaps_s = np.diff(times(kind="bursts", bursts=sim.Bursts(100.0, 100.0, math.inf)))
    assert gaps_s.max() > 200.0
    assert (
        np.quantile(gaps_s, 0.99) < 0.6
    )  # in bursts ten a second come, the gaps of which have a 99th percentile of 0.46


def test_a_day_peaks_at_its_hour_and_ebbs_to_the_share_asked_for() -> None:
    arrival_s = times(kind="day", rate_per_s=1.0, day=sim.Day(0.25, peak_h=14.0, start_h=6.0))
    arrival_s = arrival_s[arrival_s < 2 * 86_400.0]
    hours = np.bincount(((arrival_s / 3600.0 + 6.0) % 24.0).astype(int), minlength=24)
    assert hours.argmax() in {13, 14}
    assert hours.argmin() in {1, 2}
    assert hours.min() / hours.max() == pytest.approx(0.25, rel=0.08)


@pytest.mark.parametrize(
    "given",
    [
        {"rate_per_s": 0.0}, {"rate_per_s": math.nan}, {"kind": "bursts", "bursts": sim.Bursts(0.0, 1.0, 2.0)},
        {"kind": "bursts", "bursts": sim.Bursts(1.0, 1.0, 0.5)}, {"kind": "day", "day": sim.Day(1.5)},
        {"kind": "day", "day": sim.Day(0.5, peak_h=24.0)}, {"kind": "gamma", "cv": 0.0}, {"rate_per_s": 1e-4},
        {"kind": "bursts", "bursts": sim.Bursts(1e-5, 1e-5, 2.0)},
    ],
)  # fmt: skip
def test_patterns_out_of_range_are_refused(given: dict) -> None:
    with pytest.raises(InputError):
        times(1000, **given)


STAGES = (sim.Stage(8.0, 100.0), sim.Stage(20.0, 50.0))


@pytest.mark.parametrize("kind", ["constant", "poisson", "gamma"])
def test_each_stage_has_its_own_rate(kind: str) -> None:
    arrival_s = times(sim.stage_requests(STAGES), kind=kind, stages=STAGES)
    slow = arrival_s < 100.0
    assert slow.sum() == pytest.approx(800, abs=1 if kind == "constant" else 150)
    assert np.diff(arrival_s[slow]).mean() == pytest.approx(1 / 8, rel=0.2)
    assert np.diff(arrival_s[~slow]).mean() == pytest.approx(1 / 20, rel=0.2)
    assert len(arrival_s) == 1800


def test_constant_stages_are_even_and_the_last_goes_on() -> None:
    arrival_s = times(2800, kind="constant", stages=STAGES)
    assert np.diff(arrival_s[:800]) == pytest.approx(1 / 8)
    assert arrival_s[-1] == pytest.approx(200.0)


def test_stages_of_bursts_and_stages_without_a_rate_are_refused() -> None:
    with pytest.raises(InputError, match="have no stages"):
        times(10, kind="bursts", stages=STAGES)
    with pytest.raises(InputError, match=r"stages\[0\]\.rate = 0"):
        times(10, kind="constant", stages=(sim.Stage(0.0, 5.0),))
