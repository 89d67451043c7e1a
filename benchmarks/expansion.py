"""Time of the expansion program at the planned and the coarse size: checks, building, HiGHS, reading back.

Run: python benchmarks/expansion.py [repeats]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from jevons.expansion import DAYS_PER_QUARTER, ExpansionProblem, solve
from jevons.expansion._checks import check_problem
from jevons.expansion._program import build, read
from jevons.expansion._stages import opening

SIZES = {
    "planned 12x8x6x3x2x8": (12, 8, 6, 3, 2, 8),
    "coarse   6x8x6x1x1x6": (6, 8, 6, 1, 1, 6),
    "coarse   4x8x6x1x1x6": (4, 8, 6, 1, 1, 6),
}


def example(T: int, S: int, V: int, R: int, K: int, B: int, seed: int = 1) -> ExpansionProblem:
    """Return a problem of cloud-like magnitudes with budget, supply and power that bind in some quarters."""
    rng = np.random.default_rng(seed)
    growth = (1.0 + rng.uniform(0.05, 0.4, S))[:, None] ** np.arange(T)
    price = 10.0 ** rng.uniform(-2, 0.5, S)
    speed = np.sort(10.0 ** rng.uniform(-0.4, 0.4, V))[::-1]
    seconds = price[:, None] * 3600.0 / 12.0 * speed * rng.uniform(0.7, 1.4, (S, V))
    calls = 7e6 * 12.0 / price / S * rng.uniform(0.2, 2.0, S)
    spread = np.linspace(3.0, 0.6, B)
    capex = 1.2e5 / speed * rng.uniform(0.8, 1.2, V)
    sold = np.arange(V) >= V // 3
    slot_h = np.array([8.0, 16.0]) if K == 2 else np.full(K, 24.0 / K)
    share = np.tile(np.array([0.55, 0.45]) if K == 2 else np.full(K, 1.0 / K), (S, 1))
    years = np.arange(T) / 4
    discount = 1.1 ** -(years + 0.125)
    left = np.clip(1.0 - (T - np.arange(T) - 1) / 16.0, 0.0, 1.0)
    seconds_t = seconds[:, :, None] * 2.0**-years
    seconds_t[0, 0] = np.inf
    return ExpansionProblem.of(
        quarters=tuple(f"q{t}" for t in range(T)),
        segments=tuple(f"s{s}" for s in range(S)),
        devices=tuple(f"v{v}" for v in range(V)),
        sites=tuple(f"r{r}" for r in range(R)),
        slots=tuple(f"k{k}" for k in range(K)),
        slot_h_per_d=slot_h,
        block_value_cur_per_call=price[:, None, None] * spread * 0.9 ** np.arange(T)[:, None],
        block_calls_per_d=(calls[:, None] * growth)[:, :, None] * np.full(B, 1.0 / B),
        slot_share_frac=share,
        deferrable_frac=rng.uniform(0, 0.6, S),
        device_s_per_call=seconds_t,
        utilisation_cap_frac=np.full(S, 0.7),
        availability_frac=0.97,
        capex_cur_per_device=capex[:, None] * 0.98 ** np.arange(T),
        device_w=rng.uniform(700, 1500, V),
        site_capex_cur_per_w=np.full((R, T), 25.0),
        energy_cur_per_device_h=rng.uniform(0.3, 0.9, (V, R))[:, :, None] * np.ones(T),
        fixed_cur_per_device_quarter=np.repeat(capex[:, None] * 0.0125, T, axis=1),
        budget_cur=np.linspace(15e9, 35e9, T),
        supply_devices=np.where(sold, rng.uniform(5e3, 6e4, V), 0.0)[:, None] * np.ones(T),
        lead_quarters=rng.integers(1, 3, V),
        life_quarters=np.full(V, 16),
        initial_devices=np.where(~sold, 6e4, 2e4)[:, None] / R * np.ones(R),
        initial_age_quarters=rng.integers(2, 10, V),
        initial_site_w=np.full(R, 4.5e8 / R),
        site_limit_w=np.full((R, T), 1.5e9 / R),
        site_build_w_per_quarter=np.full(R, 1.2e8 / R),
        training_flop_per_s=2e4 * 3e14 * 1.1 ** np.arange(T),
        device_flop_per_s=np.full(V, 3e14),
        discount=discount,
        terminal_cur_per_device=capex[:, None] * left * discount[-1] * 0.8,
    )


def timed(problem: ExpansionProblem) -> dict[str, float]:
    """Return seconds of each part of one solution."""
    marks = [time.perf_counter()]
    check_problem(problem)
    marks.append(time.perf_counter())
    program = build(problem, opening(problem))
    marks.append(time.perf_counter())
    solution = program.lp.solve()
    marks.append(time.perf_counter())
    read(program, solution)
    marks.append(time.perf_counter())
    solve(problem)
    marks.append(time.perf_counter())
    return dict(zip(("check", "build", "highs", "read", "solve()"), np.diff(marks).tolist(), strict=True))


def main(repeats: int) -> None:
    for name, size in SIZES.items():
        runs = [timed(example(*size, seed=seed)) for seed in range(1, repeats + 1)]
        parts = "  ".join(f"{key} {1e3 * float(np.median([r[key] for r in runs])):7.1f}" for key in runs[0])
        worst = max(r["solve()"] for r in runs)
        print(f"{name}  median of {repeats} [ms]: {parts}  worst solve() {1e3 * worst:.1f}")
    problem = example(*SIZES["planned 12x8x6x3x2x8"])
    for foresight in ("perfect", "rolling", "myopic"):
        began = time.perf_counter()
        plan = solve(problem, foresight=foresight)
        print(f"{foresight:8s} {time.perf_counter() - began:6.3f} s  objective {plan.objective_cur / 1e9:.4f} bn CNY")
    perfect = solve(problem)
    served = DAYS_PER_QUARTER * perfect.service.served_calls_per_d.sum()
    print(f"capex {perfect.spending.device_capex_cur.sum() / 1e9:.1f} bn CNY, calls {served:.4g}")
    for quarter, limits in zip(problem.quarters, perfect.worth.binding, strict=True):
        print(f"  {quarter}: {', '.join(limits)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
