"""Monte Carlo over the whole chain: the same outcomes on any number of processes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import InfeasibleError, InputError
from jevons.parallel import Executor
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.operating_points import Engineering
from jevons.study.draws.grid import check_axes
from jevons.study.draws.outcomes import OUTCOMES, PATHS
from jevons.study.draws.sampling import draw_amounts, rank_correlations
from jevons.study.draws.store import UNSOLVED, Record, Store, key_of
from jevons.study.draws.workers import run_rows
from jevons.study.scenario.scenario import Scenario

_SEGMENT_DRAWS = 20
_MOST_SEGMENTS = 1000
_SEGMENT_S = 3.0
"""Draws and seconds after which a segment is stored; a study of many draws has larger segments."""


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
    channels : mapping of str to (draws,)
        Of a grid: the AI cloud's value less that of the central answer, by channel of
        `jevons.study.chain.value_bridge.CHANNELS`.
    """

    names: tuple[str, ...]
    values: Array
    outcomes: dict[str, Array]
    infeasible: int
    unsolved: int = 0
    paths: dict[str, Array] = dataclasses.field(default_factory=dict)
    stored: int = 0
    channels: dict[str, Array] = dataclasses.field(default_factory=dict)

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
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_draw: Callable[[Mapping[str, Any]], None] | None = None,
    store: Path | str | None = None,
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
    executor : Executor, optional
        Where draws run; by default in as many processes as there are cores.
    progress : callable, optional
        Called with draws done and wanted.
    on_draw : callable, optional
        Called with the outcomes and paths of each draw that has a feasible plan, as soon as it is computed.
    store : path or str, optional
        Folder, or an address such as ``s3://bucket/folder``, that keeps outcomes: a run of the same scenario, seed and
        number of draws goes on where one was stopped.

    Raises
    ------
    InputError
        If the correlations contradict each other, or the store cannot be used.
    """
    names, values = draw_amounts(scenario, draws, seed)
    return evaluate(
        scenario, engineering, base, tuple(names), values,
        about={"kind": "montecarlo", "seed": seed, "draws": draws}, executor=executor, progress=progress,
        on_draw=on_draw, store=store,
    )  # fmt: skip


def sweep(
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    axes: Mapping[str, Sequence[float]],
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    store: Path | str | None = None,
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
        executor=executor, progress=progress, store=store,
    )  # fmt: skip


def run_key(scenario: Scenario, engineering: Engineering, about: Mapping[str, Any]) -> str:
    """Return the hash of what outcomes depend on: resolved scenario, engineering, program version, and *about*."""
    amounts = {path: (a.value, a.low, a.high) for path, a in scenario.amounts().items()}
    settings = {path: value for path, (value, _) in scenario.settings().items()}
    correlations = [(c.between, c.rank.value) for c in scenario.study.correlations]
    modelled = np.asarray(engineering.device_s_per_tok, float).tolist()
    parts = {
        "amounts": amounts, "settings": settings, "correlations": correlations, "engineering": modelled,
        "version": _version(), "outcomes": [*OUTCOMES, *PATHS], **about,
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
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_draw: Callable[[Mapping[str, Any]], None] | None = None,
    store: Path | str | None = None,
) -> Draws:
    """Return outcomes for each row of *values* (n, names), in their order whatever computes them.

    Raises
    ------
    InfeasibleError
        If no row has outcomes.
    """
    total = values.shape[0]
    key = run_key(scenario, engineering, about) if store is not None else ""
    archive = None
    if store is not None:
        described = {**about, "scenario": scenario.name, "names": list(names), "total": total, "version": _version()}
        archive = Store(store, key, described)
    with archive.locked() if archive is not None else nullcontext():
        before = {} if archive is None else archive.read()
        done = {index: record for index, record in before.items() if 0 <= index < total}
        stored = len(done)
        if archive is not None:
            archive.add_inputs(names, values)
        if progress is not None and stored:
            progress(stored, total)
        wanted = [index for index in range(total) if index not in done]
        rows = [(names, values[index]) for index in wanted]
        grid = about["kind"] == "sweep"
        computed = run_rows(rows, scenario, engineering, base, executor or Executor(), channels=grid)
        with closing(_keeping(archive, ((wanted[place], record) for place, record in computed), total)) as records_kept:
            for index, record in records_kept:
                done[index] = record
                if on_draw is not None and record is not None and UNSOLVED not in record:
                    on_draw(record)
                if progress is not None:
                    progress(len(done), total)
    unsolved = [record[UNSOLVED] for record in done.values() if record is not None and UNSOLVED in record]
    feasible = [index for index in range(total) if UNSOLVED not in (done[index] or {UNSOLVED: ""})]
    records: list[dict[str, Any]] = [record for index in feasible if (record := done[index]) is not None]
    if not records:
        failed = f"; on {len(unsolved)} a solver failed ({unsolved[0]})" if unsolved else ""
        remedy = "Widen budget, chip supply or power, or look at `jevons plan` without draws first."
        message = f"none of {total} draws has a feasible plan{failed}. {remedy}"
        raise InfeasibleError(message)
    return dataclasses.replace(
        gathered(records),
        names=names,
        values=values[feasible],
        infeasible=total - len(feasible) - len(unsolved),
        unsolved=len(unsolved),
        stored=stored,
    )


def gathered(records: Sequence[Mapping[str, Any]]) -> Draws:
    """Return the outcomes of at least one draw from their records, without what was drawn."""
    return Draws(
        names=(),
        values=np.zeros((len(records), 0)),
        outcomes={name: np.array([record[name] for record in records]) for name in OUTCOMES},
        infeasible=0,
        paths={name: np.array([record["paths"][name] for record in records]) for name in records[0]["paths"]},
        channels=_channels(records),
    )


def _channels(records: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """Return what each channel adds to value by draw; none where a record has not kept it."""
    if not all("channels" in record for record in records):
        return {}
    return {name: np.array([record["channels"][name] for record in records]) for name in records[0]["channels"]}


def _version() -> str:
    from jevons import __version__

    return __version__


def _keeping(
    archive: Store | None, computed: Iterable[tuple[int, Record]], total: int
) -> Generator[tuple[int, Record], None, None]:
    """Yield draws as they are computed and store them in segments, what is left also where the run is stopped."""
    pending: dict[int, Record] = {}
    since, most = time.monotonic(), max(_SEGMENT_DRAWS, total // _MOST_SEGMENTS)
    try:
        for index, record in computed:
            pending[index] = record
            if archive is not None and (len(pending) >= most or time.monotonic() - since > _SEGMENT_S):
                full, pending, since = pending, {}, time.monotonic()
                archive.add(full)
            yield index, record
    except BaseException:
        if archive is not None:
            with suppress(InputError):  # what stopped the run is said, not what followed from it
                archive.add(pending)
        raise
    if archive is not None:
        archive.add(pending)
