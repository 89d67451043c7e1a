import numpy as np
import pytest

from jevons.errors import InputError
from jevons.serving import sim


def load(**changes: object) -> sim.Requests:
    figures = {"requests": 20_000, "isl": 500, "osl": 200, "rate_req_per_s": 4.0, **changes}
    return sim.generate(sim.Load(**figures), 7)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = load(isl_cv=1.0), load(isl_cv=1.0)
    assert first.arrival_s.tobytes() == second.arrival_s.tobytes()
    assert first.isl.tobytes() == second.isl.tobytes()


def test_one_kind_of_chance_never_shifts_another() -> None:
    assert load(isl_cv=1.0).arrival_s.tobytes() == load(osl_cv=2.0, isl=9).arrival_s.tobytes()


@pytest.mark.parametrize(("arrivals", "cv"), [("poisson", 1.0), ("gamma", 3.0), ("constant", 0.0)])
def test_gaps_have_the_mean_and_spread_asked_for(arrivals: str, cv: float) -> None:
    gaps_s = np.diff(load(arrivals=arrivals, cv=3.0).arrival_s)
    assert gaps_s.mean() == pytest.approx(0.25, rel=0.08)
    assert gaps_s.std() / gaps_s.mean() == pytest.approx(cv, abs=0.15)


def test_lognormal_lengths_keep_their_mean() -> None:
    lengths = load(isl_cv=0.8).isl
    assert lengths.mean() == pytest.approx(500, rel=0.03)
    assert lengths.std() / lengths.mean() == pytest.approx(0.8, rel=0.06)
    assert lengths.min() >= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests": 0}, {"isl": 0}, {"osl": -1}, {"rate_req_per_s": 0.0}, {"rate_req_per_s": float("nan")},
        {"arrivals": "poison"}, {"isl_cv": -1.0}, {"rate_req_per_s": 1e-6}, {"arrivals": "gamma", "cv": 0.0},
        {"arrivals": "closed", "users": 0}, {"requests": 10**12},
    ],
)  # fmt: skip
def test_loads_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        load(**wrong)
