"""Monte Carlo over the whole chain: the same outcomes on any number of processes."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import InfeasibleError
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.operating_points import Engineering
from jevons.study.draws.grid import check_axes
from jevons.study.draws.outcomes import OUTCOMES, PATHS
from jevons.study.draws.sampling import draw_amounts, rank_correlations
from jevons.study.draws.store import UNSOLVED, Record, Store, key_of
from jevons.study.draws.workers import run_rows
from jevons.study.scenario.scenario import Scenario

_SEGMENT_DRAWS = 20
_SEGMENT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
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
    unsolved : int
        Draws on which a solver stopped without a verdict.
    paths : mapping of str to (draws, t)
        See `PATHS`.
    stored : int
        Draws that came from a store rather than being computed.
    """

    names: tuple[str, ...]
    values: Array
    outcomes: dict[str, Array]
    infeasible: int
    unsolved: int = 0
    paths: dict[str, Array] = dataclasses.field(default_factory=dict)
    stored: int = 0

    @property
    def left_out(self) -> str:
        """How many draws have no outcomes, in words."""
        unsolved = f", {self.unsolved} unsolved" if self.unsolved else ""
        return f"{self.infeasible} without a feasible plan{unsolved}"

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
        As `jevons.study.draws.grid.check_axes` says.
    """
    check_axes(scenario, axes)
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
    """Return outcomes for each row of *values* (n, names), in their order whatever computes them.

    Raises
    ------
    InfeasibleError
        If no row has outcomes.
    """
    total = values.shape[0]
    key = run_key(scenario, engineering, about) if store is not None else ""
    archive = Store(store, key, {"scenario": scenario.name, **about}) if store is not None else None
    with archive.locked() if archive is not None else nullcontext():
        before = {} if archive is None else archive.read()
        done = {index: record for index, record in before.items() if index < total}
        stored = len(done)
        wanted = [index for index in range(total) if index not in done]
        if progress is not None and stored:
            progress(stored, total)
        workers = min(processes or os.cpu_count() or 1, max(len(wanted), 1))
        rows = [(names, values[index]) for index in wanted]
        pending: dict[int, Record] = {}
        since = time.monotonic()
        for index, outcome in zip(wanted, run_rows(rows, scenario, engineering, base, workers), strict=True):
            done[index] = pending[index] = outcome
            if archive is not None and (len(pending) >= _SEGMENT_DRAWS or time.monotonic() - since > _SEGMENT_S):
                archive.add(pending)
                pending, since = {}, time.monotonic()
            if progress is not None:
                progress(len(done), total)
        if archive is not None:
            archive.add(pending)
    unsolved = [record[UNSOLVED] for record in done.values() if record is not None and UNSOLVED in record]
    feasible = [index for index in range(total) if UNSOLVED not in (done[index] or {UNSOLVED: ""})]
    records: list[dict[str, Any]] = [record for index in feasible if (record := done[index]) is not None]
    if not records:
        failed = f"; on {len(unsolved)} a solver failed ({unsolved[0]})" if unsolved else ""
        remedy = "Widen budget, chip supply or power, or look at `jevons plan` without draws first."
        message = f"none of {total} draws has a feasible plan{failed}. {remedy}"
        raise InfeasibleError(message)
    return Draws(
        names=names,
        values=values[feasible],
        outcomes={name: np.array([record[name] for record in records]) for name in OUTCOMES},
        infeasible=total - len(feasible) - len(unsolved),
        unsolved=len(unsolved),
        paths={
            name: np.array([record["paths"][name] for record in records])
            for name in (records[0]["paths"] if records else ())
        },
        stored=stored,
    )
