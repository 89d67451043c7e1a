"""Monte Carlo over the whole chain: the same outcomes on any number of processes."""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jevons.errors import InfeasibleError, InputError
from jevons.study.chain import ChainResult, run_chain
from jevons.study.counterfactual import orders_value_cny
from jevons.study.engineering import Engineering
from jevons.study.problem import released_rest
from jevons.study.sampling import BAN, draw_amounts, rank_correlations
from jevons.study.scenario import Scenario
from jevons.study.store import Record, Store, key_of
from jevons.study.verdict import DemandResponse, demand_response

Array = NDArray[np.float64]

OUTCOMES: dict[str, tuple[str, str]] = {
    "value_per_ads_cny": ("CNY/ADS", "value per American depositary share"),
    "plan_value_cny": ("CNY", "value of the AI cloud: cash in the plan and what stands at its end, discounted"),
    "orders_value_cny": ("CNY", "value that the plan's orders add to it, against ordering nothing at the same prices"),
    "tokens_per_d": ("tok/day", "tokens served a day in the last quarter"),
    "devices": ("devices", "accelerators in service in the last quarter"),
    "capex_cny": ("CNY", "capital spent on accelerators and sites over the plan"),
    "budget_spent_frac": ("1", "share of the AI budget that is spent"),
    "it_w": ("W", "IT power in the last quarter"),
    "ai_revenue_cny": ("CNY", "AI revenue of the last four quarters"),
    "ai_ebita_cny": ("CNY", "AI EBITA of the last four quarters"),
    "price_index": ("1", "price per token in the last quarter over the first, compute-weighted"),
    "compute_factor": ("1", "compute wanted in the last quarter when efficiency doubles, over without"),
    "settled_compute_factor": ("1", "the same once all is passed on and all have adopted for whom it then pays"),
    "elasticity": ("1", "elasticity of tokens to the call price in the last quarter"),
}
"""Name, unit and meaning of the outcomes that each draw records."""

PATHS: dict[str, tuple[str, str]] = {
    "tokens_per_d": ("tok/day", "tokens served a day"),
    "cloud_revenue_cny": ("CNY", "revenue of the cloud in the quarter, AI and the rest"),
    "cloud_ebita_frac": ("1", "EBITA over revenue of the cloud"),
    "capex_cny": ("CNY", "AI capital expenditure of the quarter"),
    "ai_revenue_cny": ("CNY", "AI revenue of the quarter"),
    "released_rest_cny": ("CNY", "money released in the quarter for lines of the plan beside AI"),
    "market_tokens_per_d": ("tok/day", "tokens wanted a day of all providers"),
    "price_index": ("1", "price per token over the first quarter's, compute-weighted"),
    "loop_gain": ("1", "learning exponent times pass-through times size of the elasticity of tokens to price"),
}
"""Name, unit and meaning of the paths by quarter that each draw records; of rivals, see `paths_of`."""

ROUNDS, TOLERANCE = 6, 0.02
"""Most rounds between market and planner in a draw, and the residual at which they stop before."""

_SEGMENT_DRAWS = 20
_SEGMENT_S = 3.0


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
    paths : mapping of str to (draws, t)
        See `PATHS`.
    stored : int
        Draws that came from a store rather than being computed.
    """

    names: tuple[str, ...]
    values: Array
    outcomes: dict[str, Array]
    infeasible: int
    paths: dict[str, Array] = dataclasses.field(default_factory=dict)
    stored: int = 0

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


def outcomes_of(result: ChainResult, response: DemandResponse) -> dict[str, float]:
    """Return the recorded outcomes of one pass of the chain, and of the demand's response to doubled efficiency."""
    plan, problem, market = result.plan, result.plan.problem, result.market
    demanded = np.maximum(problem.block_calls_per_d[:, -1].sum(axis=1), 1e-30)
    served = plan.served_calls_per_d[:, -1].sum(axis=1) / demanded
    capex = float((plan.device_capex_cny + plan.site_capex_cny).sum())
    tokens = result.inputs.model < len(result.scenario.serving.models)
    weight = market.tokens_per_d[tokens, -1] * market.call_price_cny[tokens, -1]
    index = market.price_index[result.inputs.model[tokens], -1]
    return {
        "value_per_ads_cny": result.accounts.value_per_ads_cny,
        "plan_value_cny": result.accounts.plan_value_cny,
        "orders_value_cny": orders_value_cny(result),
        "tokens_per_d": float((market.tokens_per_d[:, -1] * served).sum()),
        "devices": float(plan.installed[:, :, -1].sum()),
        "capex_cny": capex,
        "budget_spent_frac": capex / max(float(problem.budget_cny.sum()), 1e-30),
        "it_w": float(plan.it_w[-1]),
        "ai_revenue_cny": float(result.accounts.statements.ai_revenue_cny[-4:].sum()),
        "ai_ebita_cny": float(result.accounts.statements.ai_ebita_cny[-4:].sum()),
        "price_index": float((index * weight).sum() / max(weight.sum(), 1e-30)),
        "compute_factor": float(response.compute_factor[-1]),
        "settled_compute_factor": response.settled_compute_factor,
        "elasticity": float(response.elasticity[-1]),
    }


def paths_of(result: ChainResult, loop_gain: Array) -> dict[str, list[float]]:
    """Return the recorded paths by quarter of one pass of the chain, whose *loop_gain* (t,) is given.

    They are `PATHS` and what each provider sells: ``price:MODEL`` is the firm's posted price over its start,
    ``price:RIVAL:MODEL`` a rival's list price of the model's token mix [CNY/token], ``tokens:RIVAL`` the tokens a day
    that a rival serves.
    """
    plan, market, books = result.plan, result.market, result.accounts.statements
    demanded = np.maximum(plan.problem.block_calls_per_d.sum(axis=2), 1e-30)
    served = plan.served_calls_per_d.sum(axis=2) / demanded
    tokens = result.inputs.model < len(result.scenario.serving.models)
    weight = (market.tokens_per_d * market.call_price_cny)[tokens]
    index = market.price_index[result.inputs.model[tokens]]
    revenue = books.ai_revenue_cny + books.base_revenue_cny
    held = {
        "tokens_per_d": (market.tokens_per_d * served).sum(axis=0),
        "cloud_revenue_cny": revenue,
        "cloud_ebita_frac": books.ebita_cny / np.maximum(revenue, 1e-30),
        "capex_cny": books.capex_cny,
        "ai_revenue_cny": books.ai_revenue_cny,
        "released_rest_cny": released_rest(result.scenario),
        "market_tokens_per_d": market.market_tokens_per_d.sum(axis=0),
        "price_index": (index * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-30),
        "loop_gain": loop_gain,
    }
    models, rivals = list(result.scenario.serving.models), list(result.scenario.market.providers.rivals)
    held |= {f"price:{model}": market.price_index[m] for m, model in enumerate(models)}
    for column, rival in enumerate(rivals, 1):
        served = market.provider_share_frac[:, column] * market.market_tokens_per_d
        held[f"tokens:{rival}"] = served.sum(axis=0)
        prices = market.provider_price_cny_per_tok[:, column]
        held |= {f"price:{rival}:{model}": prices[m] for m, model in enumerate(models) if prices[m, 0] > 0}
    return {name: np.asarray(path, float).tolist() for name, path in held.items()}


_state: tuple[Scenario, Engineering, ChainResult | None] | None = None


def _start_worker(scenario: Scenario, engineering: Engineering, base: ChainResult | None) -> None:
    global _state  # noqa: PLW0603 - what a worker process keeps between draws
    _state = (scenario, engineering, base)


def _start_child(scenario: Scenario, engineering: Engineering, base: ChainResult | None) -> None:
    """Start a worker process that ends with its parent, also where the parent is killed and can tell it nothing."""
    _start_worker(scenario, engineering, base)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _one(row: tuple[tuple[str, ...], Array]) -> Record:
    names, values = row
    if _state is None:
        message = "worker was not started"
        raise RuntimeError(message)
    scenario, engineering, base = _state
    drawn = dict(zip(names, values.tolist(), strict=True))
    banned = frozenset(name for name in scenario.hardware.devices if drawn.pop(BAN.format(name), 0.0) > 0.5)
    try:
        result = run_chain(
            scenario.with_values(drawn), engineering, start=base, most_rounds=ROUNDS, tolerance=TOLERANCE, banned=banned
        )
        response = demand_response(result, engineering)
        return {**outcomes_of(result, response), "paths": paths_of(result, response.loop_gain(result.scenario))}
    except InfeasibleError:
        return None


def monte_carlo(
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    draws: int,
    *,
    seed: int,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    store: Path | None = None,
) -> Draws:
    """Return outcomes of *draws* drawn scenarios.

    Each draw runs the chain at the scenario's resolution from the central answer, in `ROUNDS` rounds at most.

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
    store : Path, optional
        Folder that keeps outcomes: a run of the same scenario, seed and number of draws goes on where one was stopped.

    Raises
    ------
    InputError
        If the correlations contradict each other, or the store cannot be used.
    """
    names, values = draw_amounts(scenario, draws, seed)
    return evaluate(
        scenario, engineering, base, tuple(names), values,
        about={"kind": "montecarlo", "seed": seed, "draws": draws}, processes=processes, progress=progress, store=store,
    )  # fmt: skip


def sweep(
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    axes: Mapping[str, Sequence[float]],
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    store: Path | None = None,
) -> Draws:
    """Return outcomes over the grid of *axes*, the last axis fastest; see `monte_carlo` for the rest.

    Parameters
    ----------
    axes : mapping of str to sequence of float
        Values, in SI units, by path of an amount of the scenario.

    Raises
    ------
    InputError
        If a path is no amount of the scenario, or an axis has no or a non-finite value.
    """
    known = scenario.amounts()
    for path, grid in axes.items():
        if path not in known:
            from jevons.errors import did_you_mean

            message = f"--set {path}: no amount of the scenario has this path.{did_you_mean(path, known)}"
            raise InputError(message)
        if not len(grid) or not all(math.isfinite(value) for value in grid):
            message = f"--set {path}: needs finite values, such as 0.2:0.6:5"
            raise InputError(message)
    mesh = np.meshgrid(*(np.asarray(grid, float) for grid in axes.values()), indexing="ij")
    values = np.stack([column.ravel() for column in mesh], axis=1)
    return evaluate(
        scenario, engineering, base, tuple(axes), values,
        about={"kind": "sweep", "axes": {path: list(grid) for path, grid in axes.items()}},
        processes=processes, progress=progress, store=store,
    )  # fmt: skip


def run_key(scenario: Scenario, engineering: Engineering, about: Mapping[str, Any]) -> str:
    """Return the hash of what outcomes depend on: resolved scenario, engineering, program version, and *about*."""
    from jevons import __version__

    amounts = {path: (a.value, a.low, a.high) for path, a in scenario.amounts().items()}
    settings = {path: value for path, (value, _) in scenario.settings().items()}
    correlations = [(c.between, c.rank.value) for c in scenario.study.correlations]
    modelled = np.asarray(engineering.device_s_per_tok, float).tolist()
    parts = {
        "amounts": amounts, "settings": settings, "correlations": correlations, "engineering": modelled,
        "version": __version__, "outcomes": [*OUTCOMES, *PATHS], **about,
    }  # fmt: skip
    return key_of(parts)


def evaluate(
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    names: tuple[str, ...],
    values: Array,
    *,
    about: Mapping[str, Any],
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    store: Path | None = None,
) -> Draws:
    """Return outcomes for each row of *values* (n, names), in their order whatever computes them."""
    total = values.shape[0]
    key = run_key(scenario, engineering, about) if store is not None else ""
    kept = Store(store, key, {"scenario": scenario.name, **about}) if store is not None else None
    with kept.locked() if kept is not None else nullcontext():
        found = {index: record for index, record in kept.read().items() if index < total} if kept is not None else {}
        stored = len(found)
        wanted = [index for index in range(total) if index not in found]
        if progress is not None and stored:
            progress(stored, total)
        workers = min(processes or os.cpu_count() or 1, max(len(wanted), 1))
        rows = [(names, values[index]) for index in wanted]
        pending: dict[int, Record] = {}
        since = time.monotonic()
        for index, outcome in zip(wanted, _run(rows, scenario, engineering, base, workers), strict=True):
            found[index] = pending[index] = outcome
            if kept is not None and (len(pending) >= _SEGMENT_DRAWS or time.monotonic() - since > _SEGMENT_S):
                kept.add(pending)
                pending, since = {}, time.monotonic()
            if progress is not None:
                progress(len(found), total)
        if kept is not None:
            kept.add(pending)
    feasible = [index for index in range(total) if found[index] is not None]
    records: list[dict[str, Any]] = [record for index in feasible if (record := found[index]) is not None]
    return Draws(
        names,
        values[feasible],
        {name: np.array([record[name] for record in records]) for name in OUTCOMES},
        total - len(feasible),
        {
            name: np.array([record["paths"][name] for record in records])
            for name in (records[0]["paths"] if records else ())
        },
        stored,
    )


def _run(
    rows: list[tuple[tuple[str, ...], Array]],
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    workers: int,
) -> Iterator[Record]:
    if workers <= 1:
        _start_worker(scenario, engineering, base)
        yield from map(_one, rows)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_child, (scenario, engineering, base)) as pool:
        with _main_unseen():  # workers start as work is handed out
            outcomes = pool.map(_one, rows)
        yield from outcomes


@contextmanager
def _main_unseen() -> Iterator[None]:
    """Keep new processes from running the caller's script again, which they do where it has no guard.

    What they need is importable by name; a script that calls this at its top level would start processes without end.
    """
    main = sys.modules["__main__"]
    spec, path = main.__spec__, main.__dict__.pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        if path is not None:
            main.__file__ = path
