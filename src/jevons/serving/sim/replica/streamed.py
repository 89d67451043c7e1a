"""Simulates loads too large to keep: in parts, with exact counters and finely binned latencies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from jevons.errors import InputError
from jevons.limits import UNANSWERED
from jevons.serving.sim._kernels import drive
from jevons.serving.sim._kernels import state as ks
from jevons.serving.sim.invariants import checked
from jevons.serving.sim.load.generate import Load
from jevons.serving.sim.load.parts import PART, Course, course, parts
from jevons.serving.sim.overload import STABLE, Backlog, overload_of
from jevons.serving.sim.replica.run import (
    TOTALS,
    bounds_of,
    check_inputs,
    gap_spread,
    kernel_table,
    told_of_compiling,
    within,
)
from jevons.serving.sim.series import BINS, BoolArray, Series, integrals, series_of
from jevons.serving.sim.types import (
    QUANTILES,
    TICKS_PER_S,
    Counts,
    FloatArray,
    IntArray,
    LatencySpreads,
    Occupancy,
    Overload,
    Requests,
    SimLimits,
    SimResult,
    Spread,
    StepTable,
    Throughput,
    Timing,
    Trail,
    WholeRun,
    tick_sum,
    work_of,
)
from jevons.serving.sim.window import made_in

_SHIFT = 40
"""Bits of a double that a bin of latencies leaves out: 4,096 bins to a doubling."""
_FIRST = (1023 - 44) << (52 - _SHIFT)
_BINS = (44 + 24) << (52 - _SHIFT)
_SAID_S = 5.0

Limits = tuple[float | None, float | None, float | None]


@dataclass(slots=True)
class Bins:
    """Latencies counted in bins 0.02 % wide, from less than a picosecond to six months, with their exact mean."""

    counts: IntArray = field(default_factory=lambda: np.zeros(_BINS + 1, np.int64))
    total: float = 0.0

    def add(self, values: FloatArray) -> None:
        """Count some values."""
        place = (np.maximum(values, 0.0).view(np.int64) >> _SHIFT) - _FIRST
        self.counts += np.bincount(np.clip(place, 0, _BINS), minlength=_BINS + 1)
        self.total += float(values.sum())

    def spread(self) -> Spread | None:
        """Return mean and percentiles; None where nothing was counted."""
        count = int(self.counts.sum())
        if not count:
            return None
        edges = ((np.arange(_BINS + 2) + _FIRST) << _SHIFT).view(np.float64)
        edges[0] = 0.0
        below = np.append(0, np.cumsum(self.counts)) / count
        values = {name: float(np.interp(q, below, edges)) for name, q in QUANTILES.items()}
        return Spread(mean=self.total / count, **values)


@dataclass(slots=True, kw_only=True)
class Seen:
    """What clients saw of some requests, and what was made in some time."""

    ttft: Bins = field(default_factory=Bins)
    tpot: Bins = field(default_factory=Bins)
    e2e: Bins = field(default_factory=Bins)
    counted: int = 0
    made: float = 0.0
    tokens: float = 0.0
    good: float = 0.0

    def add(self, latencies: tuple[FloatArray, FloatArray, FloatArray], osl: IntArray, counted: BoolArray) -> None:
        """Count the latencies of those of some requests that count."""
        ttft_s, tpot_s, e2e_s = (values[counted] for values in latencies)
        self.ttft.add(ttft_s)
        self.tpot.add(tpot_s[osl[counted] > 1])
        self.e2e.add(e2e_s)
        self.counted += len(ttft_s)

    def make(self, osl: IntArray, share: FloatArray, good: BoolArray) -> None:
        """Count what was made, each request by its share, and which of it kept the limits."""
        self.made += float(share.sum())
        self.tokens += float((osl * share).sum())
        self.good += float(share[good].sum())

    def views(self, length_s: float, gaps: IntArray) -> tuple[LatencySpreads, Throughput]:
        """Return latencies, and rates over a time."""
        latency = LatencySpreads(
            ttft_s=self.ttft.spread(), tpot_s=self.tpot.spread(), e2e_s=self.e2e.spread(), itl_s=gap_spread(gaps)
        )
        throughput = Throughput(
            req_per_s=self.made / length_s, output_tok_per_s=self.tokens / length_s,
            goodput_req_per_s=self.good / length_s,
        )  # fmt: skip
        return latency, throughput


class _Tally:
    """Sums over the answered requests of all parts."""

    def __init__(self, ahead: Course, slo: Limits) -> None:
        self.ahead, self.slo = ahead, slo
        self.steady, self.whole = Seen(), Seen()
        self.edges = np.linspace(0.0, max(ahead.last_s, 1e-12), BINS + 1)
        self.series = np.zeros((6, BINS + 1))
        self.running_s = self.in_system_s = self.begun_s = self.stop_s = 0.0
        self.start_s = np.inf
        self.arrived, self.finished = np.zeros(2, np.int64), np.zeros(2, np.int64)

    @property
    def window_s(self) -> tuple[float, float]:
        """Time that statistics count: that of steady arrivals, or the whole run where all come at once."""
        start, stop = self.ahead.window_s
        return (start, stop) if stop > start else (0.0, max(self.stop_s, 1e-12))

    def add(self, rows: IntArray, arrival: FloatArray) -> None:
        """Count answered requests."""
        admitted, first, finish = (rows[row] / TICKS_PER_S for row in (ks.ADMITTED, ks.FIRST_TOKEN, ks.FINISH))
        isl, osl = rows[ks.ISL], rows[ks.OSL]
        tpot_s = np.where(osl > 1, (finish - first) / np.maximum(osl - 1, 1), 0.0)
        latencies = (first - arrival, tpot_s, finish - arrival)
        good = within(latencies, self.slo)
        start, stop = self.ahead.window_s
        all_of = np.ones(len(osl), np.bool_)
        inside = (arrival >= start) & (arrival <= stop) if stop > start else all_of
        share = made_in(first, finish, osl, (start, stop)) if stop > start else np.ones(len(osl))
        self.steady.add(latencies, osl, inside)
        self.steady.make(osl, share, good)
        self.whole.add(latencies, osl, all_of)
        self.whole.make(osl, np.ones(len(osl)), good)
        self.running_s += float((finish - admitted).sum())
        self.in_system_s += float((finish - arrival).sum())
        self.begun_s = max(self.begun_s, float(first.max()))
        self.start_s, self.stop_s = min(self.start_s, float(arrival.min())), max(self.stop_s, float(finish.max()))
        for place, moment in enumerate((self.ahead.last_s / 2, self.ahead.last_s)):
            self.arrived[place] += int((arrival <= moment).sum())
            self.finished[place] += int((finish <= moment).sum())
        self.series += integrals(self.edges, (arrival, admitted, first, finish), isl, osl)

    def overload(self, busy_frac: float) -> Overload:
        """Return whether arrivals exceed what is finished."""
        last_s = self.ahead.last_s
        if last_s <= 0.0:
            return STABLE
        came, finished = ((int(counts[0]), int(counts[1])) for counts in (self.arrived, self.finished))
        backlog = Backlog(
            half_s=last_s / 2, last_s=last_s, came=came, finished=finished,
            first_token_s=self.begun_s, end_s=self.stop_s,
        )  # fmt: skip
        return overload_of(backlog, busy_frac)


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A simulation whose requests were not kept: its result, without a row for each, and how it went over time."""

    simulated: SimResult
    series: Series


def simulate_streamed(
    load: Load,
    table: StepTable,
    limits: SimLimits,
    *,
    replicas: int = 1,
    entry_s: float = 0.0,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
    e2e_s: float | None = None,
    edge_frac: float = 0.05,
    seed: int = 0,
    part: int = PART,
    progress: Callable[[str], None] | None = None,
) -> Streamed:
    """Serve a load as `simulate` does, in turn by equal replicas, without keeping its requests.

    Notes
    -----
    Requests and steps are the same to the picosecond. What is left between two parts are requests in work or waiting.
    Percentiles come from bins 0.02 % wide. Where an engine refuses requests, statistics leave out warm-up and drain by
    arrivals rather than by answers; the series ends with the last arrival.

    Raises
    ------
    InputError
        If an argument is out of range, drafts are asked for, or more requests wait than there is room for.
    InfeasibleError
        If no request fits.
    """
    nothing = np.ones(1, np.int64)
    few = Requests(arrival_s=np.zeros(1), isl=nothing, osl=nothing)
    check_inputs(few, table, limits, replicas, "round_robin", edge_frac)
    if limits.draft_tokens:
        message = f"draft_tokens = {limits.draft_tokens}: a load in parts is simulated without drafts"
        raise InputError(message)
    longest = limits.kv_blocks * limits.block_tokens + 1
    longest = min(longest, limits.max_context) if limits.max_context else longest
    ahead = _as_seen(course(load, seed, longest, edge_frac), entry_s)
    began = time.perf_counter()
    tally = _Tally(ahead, (ttft_s, tpot_s, e2e_s))
    engines = _Engines(table, limits, replicas, entry_s)
    done, said = 0, began
    with told_of_compiling(progress):
        for arrival_s, isl, osl in parts(load, seed, part):
            done += len(isl)
            engines.serve(arrival_s, isl, osl, isl + osl <= longest, last=done == load.requests)
            for rows, arrival in engines.answered():
                tally.add(rows, arrival)
            if progress is not None and time.perf_counter() - said > _SAID_S:
                said = time.perf_counter()
                progress(f"{done:,} of {load.requests:,} requests")
    simulated = _summary(load, tally, engines, limits, time.perf_counter() - began)
    return Streamed(simulated=checked(simulated), series=series_of(tally.edges, tally.series, limits, replicas))


def _as_seen(ahead: Course, entry_s: float) -> Course:
    """Return the course with its moments as they come back from whole ticks, so that they equal arrivals."""
    entry = round(entry_s * TICKS_PER_S)

    def seen(moment_s: float) -> float:
        return float(np.float64(int(np.round(moment_s * TICKS_PER_S)) + entry) / TICKS_PER_S - entry_s)

    return replace(
        ahead, last_s=seen(ahead.last_s), window_s=(seen(ahead.window_s[0]), seen(ahead.window_s[1]))
    )  # fmt: skip


class _Engines:
    """Replicas between two parts of a load: their states, slots, and requests in work or waiting."""

    def __init__(self, table: StepTable, limits: SimLimits, replicas: int, entry_s: float) -> None:
        self.table, self.bounds, self.entry_s = kernel_table(table), bounds_of(limits, 0), entry_s
        self.states = np.zeros((replicas, ks.STATE_SIZE), np.int64)
        self.gaps = np.zeros(ks.GAP_BINS, np.int64)
        size = limits.max_batch + 1
        self.slots = [
            ks.Slots(
                np.zeros((ks.SLOT_ROWS, size), np.int64), np.zeros(size, np.int64),
                np.zeros(int(self.bounds[ks.PERIOD]), np.int64), np.zeros((2, 1), np.int64), self.gaps,
                np.zeros(0, np.int64), np.zeros((2, 2), np.int64),
            )
            for _ in range(replicas)
        ]  # fmt: skip
        self.rows, self.arrival = np.zeros((ks.WORK_ROWS, 0), np.int64), np.zeros(0, np.int64)
        self.begun, self.fitting, self.refused = False, 0, 0

    def serve(
        self, arrival_s: FloatArray, isl: IntArray, osl: IntArray, fits: BoolArray, *, last: bool
    ) -> None:  # fmt: skip
        """Run the next part of the load, the last one to its end."""
        before, count = self.rows.shape[1], int(fits.sum())
        rows = np.zeros((ks.WORK_ROWS, before + count), np.int64)
        rows[:, :before] = self.rows
        rows[ks.ISL, before:], rows[ks.OSL, before:] = isl[fits], osl[fits]
        rows[ks.STEPS, before:] = osl[fits]
        rows[ks.ADMITTED, before:] = rows[ks.FIRST_TOKEN, before:] = -1
        rows[ks.FINISH, before:] = rows[ks.FOLLOWING, before:] = -1
        entry = round(self.entry_s * TICKS_PER_S)
        arriving = np.round(arrival_s[fits] * TICKS_PER_S).astype(np.int64) + entry
        self.rows, self.arrival = rows, np.append(self.arrival, arriving)
        work = ks.Work(rows, np.zeros(0, np.int64), np.zeros(before + count + 1, np.int64))
        replicas, ends = len(self.states), (not self.begun, last)
        for place in range(replicas):
            own = np.arange(before + (place - self.fitting) % replicas, before + count, replicas, dtype=np.int64)
            slots, state = self.slots[place], self.states[place]
            drive.run_part(self.arrival, work, self.table, self.bounds, own, state, slots, ends)
        self.begun, self.fitting = True, self.fitting + count

    def answered(self) -> list[tuple[IntArray, FloatArray]]:
        """Return rows and arrivals of the requests answered since, and keep the others, numbered anew."""
        finish = self.rows[ks.FINISH]
        self.refused += int((finish == drive.REFUSED).sum())
        done, left = np.flatnonzero(finish >= 0), np.flatnonzero(finish == -1)
        if len(left) > UNANSWERED:
            message = (
                f"{len(left):,} requests are unanswered at {self.arrival[-1] / TICKS_PER_S:,.0f} s, and there is room "
                f"for {UNANSWERED:,}: the load is more than these replicas can do; use more of them or a lower rate"
            )
            raise InputError(message)
        rows, arrival = self.rows[:, done], self.arrival[done] / TICKS_PER_S - self.entry_s
        number = np.full(len(finish) + 1, -1, np.int64)  # the last for -1, no request
        number[left] = np.arange(len(left))
        for slots in self.slots:
            slots.rows[ks.REQUEST] = number[slots.rows[ks.REQUEST]]
            slots.ends[:] = number[slots.ends]
        self.rows, self.arrival = self.rows[:, left], self.arrival[left]
        self.rows[ks.FOLLOWING] = number[self.rows[ks.FOLLOWING]]
        return [(rows, arrival)] if len(done) else []


def _summary(load: Load, tally: _Tally, engines: _Engines, limits: SimLimits, wall_s: float) -> SimResult:
    """Return the result of all parts."""
    states, replicas = engines.states, len(engines.states)
    if states[:, ks.OUTSTANDING].any():
        message = f"{load.requests:,} requests take these {replicas} replicas too long; use more of them"
        raise InputError(message)
    totals = {name: states[:, column].copy() for name, column in TOTALS.items()}
    end_s = float(totals["end"].max()) / TICKS_PER_S
    served, steps = tally.whole.counted, max(int(totals["steps"].sum()), 1)
    window = tally.window_s
    latency, throughput = tally.steady.views(window[1] - window[0], engines.gaps)
    whole_s = max(tally.stop_s - tally.start_s, 1e-12)
    whole = tally.whole.views(whole_s, engines.gaps)
    nothing = np.zeros(0, np.int64)
    return SimResult(
        counts=Counts(
            requests=load.requests, served=served, rejected=load.requests - engines.fitting, refused=engines.refused,
            counted=tally.steady.counted,
        ),
        latency=latency, throughput=throughput,
        whole=WholeRun(latency=whole[0], throughput=whole[1], wall_s=whole_s),
        occupancy=Occupancy(
            utilisation_frac=tick_sum(totals["busy"]) / TICKS_PER_S / max(end_s * replicas, 1e-12),
            mean_batch=float(totals["decode_tokens"].sum()) / steps,
            mean_running=tally.running_s / max(end_s * replicas, 1e-12),
            mean_in_system=tally.in_system_s / max(end_s * replicas, 1e-12),
            kv_mean_frac=tick_sum(totals["context_steps"]) / steps / (limits.kv_blocks * limits.block_tokens),
            kv_peak_frac=float(totals["peak_blocks"].max()) / limits.kv_blocks,
        ),
        work=work_of(totals),
        timing=Timing(window_s=window, end_s=max(end_s, tally.stop_s), wall_s=wall_s, compile_s=0.0),
        overload=tally.overload(tick_sum(totals["busy"]) / tick_sum(np.maximum(totals["end"], 1))),
        trail=Trail(
            arrival=nothing, admitted=nothing, first=nothing, finish=nothing, preempted=nothing, replica=nothing,
            totals=totals, gaps=engines.gaps,
        ),
    )  # fmt: skip
