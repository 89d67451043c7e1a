"""A plan whose accounts can be done by hand: one device a quarter late, one site, two segments."""

import numpy as np
import pytest

from jevons.expansion import ExpansionProblem, solve

QUARTERS = 9


def make(**changes):
    T = QUARTERS
    fields = {
        "quarters": tuple(f"{2025 + (t + 1) // 4}-Q{(t + 1) % 4 + 1}" for t in range(T)),  # from 2025-Q2
        "segments": ("shops", "own"),
        "devices": ("h20",),
        "sites": ("north",),
        "slots": ("day",),
        "slot_h_per_d": np.array([24.0]),
        "block_value_cur_per_call": np.full((2, T, 1), 5.0),
        "block_calls_per_d": np.tile([[[300.0]], [[200.0]]], (1, T, 1)),
        "slot_share_frac": np.ones((2, 1)),
        "deferrable_frac": np.zeros(2),
        "device_s_per_call": np.full((2, 1, T), 864.0),  # 100 calls a day
        "utilisation_cap_frac": np.ones(2),
        "availability_frac": 1.0,
        "capex_cur_per_device": np.full((1, T), 100_000.0),
        "device_w": np.array([1000.0]),
        "site_capex_cur_per_w": np.full((1, T), 20.0),
        "energy_cur_per_device_h": np.full((1, 1, T), 1.0),
        "fixed_cur_per_device_quarter": np.full((1, T), 500.0),
        "budget_cur": np.full(T, 1e6),
        "supply_devices": np.array([[5.0, *[0.0] * (T - 1)]]),
        "lead_quarters": np.array([1]),
        "life_quarters": np.array([16]),
        "initial_devices": np.array([[2.0]]),
        "initial_age_quarters": np.array([4]),
        "initial_site_w": np.array([2000.0]),
        "site_limit_w": np.full((1, T), 1e5),
        "site_build_w_per_quarter": np.array([1e5]),
        "training_flop_per_s": np.full(T, 2e15),
        "device_flop_per_s": np.array([1e15]),
        "discount": 1.1 ** -((np.arange(T) + 0.5) / 4),
        "terminal_cur_per_device": np.full((1, T), 60_000.0),
    }
    return solve(ExpansionProblem.of(**(fields | changes)))


@pytest.fixture
def make_plan():
    return make
