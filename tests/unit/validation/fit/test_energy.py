"""The fit of power: it finds what made the draws, and takes from images only what a waiting device draws."""

from dataclasses import replace

import numpy as np
import pytest

from jevons.serving.energy import Activity, power_model
from jevons.validation.fit.energy import Draw, errors, fit_power, held_out, interval, shares

TRUE = replace(power_model(), memory_load=0.5, compute_load=3.0, most_frac=0.95)


def draws(noise: float = 0.0) -> list[Draw]:
    rng = np.random.default_rng(5)
    made = []
    for place in range(60):
        activity = Activity(float(rng.uniform(0, 1)), float(rng.uniform(0, 0.6)))
        share = float(shares([activity], TRUE)[0]) * float(np.exp(noise * rng.normal()))
        made.append(Draw(
            run=str(place), model=f"m{place % 5}", device=("a", "b")[place % 2], task="chat", tdp_w=700.0,
            power_w=700.0 * share, measured=activity, predicted=activity, rate_ratio=1.0,
        ))  # fmt: skip
    return made


def test_the_fit_finds_the_loads_that_made_the_draws() -> None:
    found = fit_power(draws())
    assert found.memory_load == pytest.approx(0.5, abs=0.05)
    assert found.compute_load == pytest.approx(3.0, abs=0.1)
    assert found.most_frac == pytest.approx(0.95, abs=0.01)


def test_images_tell_what_a_waiting_device_draws_and_nothing_else() -> None:
    images = []
    for one in draws():
        working = float(shares([one.predicted], TRUE)[0])
        images.append(replace(one, task="image-chat", rate_ratio=4.0, power_w=700.0 * (0.3 + (working - 0.3) / 4.0)))
    found = fit_power([*draws(), *images])
    assert found.waiting_frac == pytest.approx(0.3, abs=0.01)
    assert replace(found, waiting_frac=0.0) == replace(fit_power(draws()), waiting_frac=0.0)


def test_only_tasks_with_images_wait_for_their_host() -> None:
    slow = [replace(one, rate_ratio=4.0) for one in draws()]
    assert np.allclose(errors(slow, TRUE).power, errors(draws(), TRUE).power)
    assert np.median(errors([replace(one, task="video-chat") for one in slow], TRUE).power) < -0.3


def test_the_interval_holds_eight_of_ten_runs_that_no_fit_saw() -> None:
    held = held_out(draws(0.15), "model")
    low, high = interval(held.energy)
    inside = np.mean((np.exp(-held.energy) >= low) & (np.exp(-held.energy) <= high))
    assert inside == pytest.approx(0.8, abs=0.05)
    assert low < 1.0 < high


def test_a_rate_predicted_too_high_makes_energy_per_token_too_low() -> None:
    quick = [replace(one, rate_ratio=1.25) for one in draws()]
    assert np.median(errors(quick, TRUE).energy) == pytest.approx(-np.log(1.25))
