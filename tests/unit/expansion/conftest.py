"""A small problem with round numbers; tests change what they are about."""

import numpy as np
import pytest

from jevons.expansion import ExpansionProblem


def make(quarters=4, blocks=3, devices=1, sites=1, slots=1, segments=1, **changes):
    T, B, V, R, K, S = quarters, blocks, devices, sites, slots, segments
    fields = {
        "quarters": tuple(f"2025-Q{t + 1}" if t < 4 else f"2026-Q{t - 3}" for t in range(T)),
        "segments": tuple(f"seg{s}" for s in range(S)),
        "devices": tuple(f"dev{v}" for v in range(V)),
        "sites": tuple(f"site{r}" for r in range(R)),
        "slots": tuple(f"slot{k}" for k in range(K)),
        "slot_h_per_d": np.full(K, 24.0 / K),
        "block_value_cur_per_call": np.tile(np.linspace(3.0, 1.0, B), (S, T, 1)),
        "block_calls_per_d": np.full((S, T, B), 1000.0),
        "slot_share_frac": np.full((S, K), 1.0 / K),
        "deferrable_frac": np.zeros(S),
        "device_s_per_call": np.full((S, V, T), 864.0),  # 100 calls a day
        "utilisation_cap_frac": np.ones(S),
        "availability_frac": 1.0,
        "capex_cur_per_device": np.full((V, T), 10_000.0),
        "device_w": np.full(V, 1000.0),
        "site_capex_cur_per_w": np.zeros((R, T)),
        "energy_cur_per_device_h": np.full((V, R, T), 0.5),
        "fixed_cur_per_device_quarter": np.full((V, T), 100.0),
        "budget_cur": np.full(T, 1e6),
        "supply_devices": np.full((V, T), 100.0),
        "lead_quarters": np.zeros(V, np.int64),
        "life_quarters": np.full(V, 16),
        "initial_devices": np.zeros((V, R)),
        "initial_age_quarters": np.zeros(V, np.int64),
        "initial_site_w": np.full(R, 1e6),
        "site_limit_w": np.full((R, T), 1e6),
        "site_build_w_per_quarter": np.zeros(R),
        "training_flop_per_s": np.zeros(T),
        "device_flop_per_s": np.full(V, 1e15),
        "discount": 0.98 ** np.arange(T),
        "terminal_cur_per_device": np.zeros((V, T)),
    }
    return ExpansionProblem.of(**(fields | changes))


@pytest.fixture
def make_problem():
    return make
