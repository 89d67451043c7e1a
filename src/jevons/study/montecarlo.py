"""Monte Carlo over the whole chain: the same outcomes on any number of processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.errors import InfeasibleError
from jevons.study.chain import ChainResult, run_chain
from jevons.study.engineering import Engineering
from jevons.study.sampling import BAN, draw_amounts, rank_correlations
from jevons.study.scenario import Scenario
from jevons.study.verdict import demand_response

Array = NDArray[np.float64]

OUTCOMES: dict[str, tuple[str, str]] = {
    "value_per_ads_cny": ("CNY/ADS", "value per American depositary share"),
    "plan_value_cny": ("CNY", "value that the plan adds: its cash flows and what stands at the end, discounted"),
    "tokens_per_d": ("tok/day", "tokens served a day in the last quarter"),
    "devices": ("devices", "accelerators in service in the last quarter"),
    "capex_cny": ("CNY", "capital spent on accelerators and sites over the plan"),
    "budget_spent_frac": ("1", "share of the AI budget that is spent"),
    "it_w": ("W", "IT power in the last quarter"),
    "ai_revenue_cny": ("CNY", "AI revenue of the last four quarters"),
    "ai_ebita_cny": ("CNY", "AI EBITA of the last four quarters"),
    "price_index": ("1", "price per token in the last quarter over the first, compute-weighted"),
    "compute_factor": ("1", "compute wanted in the last quarter when efficiency doubles, over without"),
    "elasticity": ("1", "elasticity of tokens to the call price in the last quarter"),
}
"""Name, unit and meaning of the outcomes that each draw records."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Outcomes of the draws.

    Parameters
    ----------
    names : tuple of str
        Paths of the drawn amounts.
    values : (draws, names)
        What was drawn.
    outcomes : mapping of str to (draws,)
        See `OUTCOMES`; infeasible draws are left out.
    infeasible : int
        Draws without a feasible plan.
    """

    names: tuple[str, ...]
    values: Array
    outcomes: dict[str, Array]
    infeasible: int

    def quantiles(self, outcome: str, at: tuple[float, ...] = (0.1, 0.5, 0.9)) -> tuple[float, ...]:
        """Return quantiles of an outcome."""
        return tuple(float(q) for q in np.quantile(self.outcomes[outcome], at))

    def probability(self, outcome: str, above: float) -> float:
        """Return the share of draws in which an outcome lies above a level."""
        return float(np.mean(self.outcomes[outcome] > above))

    def sensitivity(self, outcome: str, most: int = 12) -> list[tuple[str, float]]:
        """Return the inputs that correlate most with an outcome by rank, those within chance (2 / sqrt n) left out."""
        ranked = rank_correlations(list(self.names), self.values, self.outcomes[outcome])
        chance = 2.0 / max(self.values.shape[0], 1) ** 0.5
        return [(name, size) for name, size in ranked[:most] if abs(size) > chance]


def outcomes_of(result: ChainResult, engineering: Engineering) -> dict[str, float]:
    """Return the recorded outcomes of one pass of the chain."""
    plan, problem, market = result.plan, result.plan.problem, result.market
    demanded = np.maximum(problem.block_calls_per_d[:, -1].sum(axis=1), 1e-30)
    served = plan.served_calls_per_d[:, -1].sum(axis=1) / demanded
    response = demand_response(result, engineering)
    capex = float((plan.device_capex_cny + plan.site_capex_cny).sum())
    tokens = result.inputs.model < len(result.scenario.serving.models)
    weight = market.tokens_per_d[tokens, -1] * market.call_price_cny[tokens, -1]
    index = market.price_index[result.inputs.model[tokens], -1]
    return {
        "value_per_ads_cny": result.accounts.value_per_ads_cny,
        "plan_value_cny": result.accounts.plan_value_cny,
        "tokens_per_d": float((market.tokens_per_d[:, -1] * served).sum()),
        "devices": float(plan.installed[:, :, -1].sum()),
        "capex_cny": capex,
        "budget_spent_frac": capex / max(float(problem.budget_cny.sum()), 1e-30),
        "it_w": float(plan.it_w[-1]),
        "ai_revenue_cny": float(result.accounts.statements.ai_revenue_cny[-4:].sum()),
        "ai_ebita_cny": float(result.accounts.statements.ai_ebita_cny[-4:].sum()),
        "price_index": float((index * weight).sum() / max(weight.sum(), 1e-30)),
        "compute_factor": float(response.compute_factor[-1]),
        "elasticity": float(response.elasticity[-1]),
    }


_state: tuple[Scenario, Engineering, ChainResult | None] | None = None


def _start_worker(scenario: Scenario, engineering: Engineering, base: ChainResult | None) -> None:
    global _state  # noqa: PLW0603 - what a worker process keeps between draws
    _state = (scenario, engineering, base)


def _one(row: tuple[list[str], Array]) -> dict[str, float] | None:
    names, values = row
    if _state is None:
        message = "worker was not started"
        raise RuntimeError(message)
    scenario, engineering, base = _state
    drawn = dict(zip(names, values.tolist(), strict=True))
    banned = frozenset(name for name in scenario.hardware.devices if drawn.pop(BAN.format(name), 0.0) > 0.5)
    try:
        result = run_chain(scenario.with_values(drawn), engineering, start=base, most_rounds=2, banned=banned)
    except InfeasibleError:
        return None
    return outcomes_of(result, engineering)


def monte_carlo(
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    draws: int,
    *,
    seed: int,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Draws:
    """Return outcomes of *draws* drawn scenarios.

    Parameters
    ----------
    scenario, engineering : Scenario, Engineering
        What is drawn from, and the modelled device-seconds.
    base : ChainResult or None
        Central answer that each draw's iteration begins from.
    draws : int
        How many, >= 1.
    seed : int
        Root seed; the same seed gives the same outcomes on any number of processes.
    processes : int, optional
        Worker processes; as many as there are cores by default, none (in this process) for one.
    progress : callable, optional
        Called with draws done and wanted.
    """
    names, values = draw_amounts(scenario, draws, seed)
    rows = [(names, row) for row in values]
    workers = min(processes or os.cpu_count() or 1, draws)
    found: list[dict[str, float] | None] = []
    for outcome in _run(rows, scenario, engineering, base, workers):
        found.append(outcome)
        if progress is not None:
            progress(len(found), draws)
    kept = [index for index, outcome in enumerate(found) if outcome is not None]
    outcomes = {name: np.array([found[index][name] for index in kept]) for name in OUTCOMES}  # type: ignore[index]
    return Draws(tuple(names), values[kept], outcomes, draws - len(kept))


def _run(
    rows: list[tuple[list[str], Array]],
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    workers: int,
) -> Iterator[dict[str, float] | None]:
    if workers <= 1:
        _start_worker(scenario, engineering, base)
        yield from map(_one, rows)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (scenario, engineering, base)) as pool:
        yield from pool.map(_one, rows)
