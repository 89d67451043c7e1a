"""What a simulation looked like over time, by class of request, and in energy; all from the trail of its requests."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from jevons.errors import InputError
from jevons.limits import TIMELINE_BINS
from jevons.serving.sim.fleet.types import FleetResult
from jevons.serving.sim.load.classes import Mix
from jevons.serving.sim.types import (
    QUANTILES,
    TICKS_PER_S,
    FloatArray,
    IntArray,
    Requests,
    SimLimits,
    SimResult,
    Spread,
)
from jevons.serving.sim.window import made_in

BoolArray = NDArray[np.bool_]

BINS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Means over equal bins of time.

    Parameters
    ----------
    start_s : ndarray, shape (bins,)
        When each bin begins [s].
    bin_s : float
        How long it is [s].
    arrivals_per_s, finished_per_s, output_tok_per_s : ndarray, shape (bins,)
        Requests that arrive and finish, and output tokens made, per second of the bin, all replicas.
    running, waiting : ndarray, shape (bins,)
        Requests in work, and arrived but not yet admitted, all replicas.
    kv_frac : ndarray, shape (bins,)
        Tokens of the requests in work over those that the replicas' caches hold.
    """

    start_s: FloatArray
    bin_s: float
    arrivals_per_s: FloatArray
    finished_per_s: FloatArray
    output_tok_per_s: FloatArray
    running: FloatArray
    waiting: FloatArray
    kv_frac: FloatArray

    def to_json(self) -> dict[str, float | list[float]]:
        """Return the series as plain numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: v if isinstance(v, float) else [round(float(x), 9) for x in v] for name, v in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Latency of every answered request, and which of them statistics count.

    Parameters
    ----------
    place : ndarray of int, shape (n,)
        Their places in the load.
    ttft_s, tpot_s, e2e_s : ndarray, shape (n,)
        Of each; ``tpot_s`` is nan for a single output token.
    finish_s : ndarray, shape (n,)
        When each was answered [s].
    counted : ndarray of bool, shape (n,)
        False in the warm-up and the drain.
    """

    place: NDArray[np.int64]
    ttft_s: FloatArray
    tpot_s: FloatArray
    e2e_s: FloatArray
    finish_s: FloatArray
    counted: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """What the users of one class saw.

    Parameters
    ----------
    name : str
        Of the class.
    counted : int
        Requests that statistics count.
    req_per_s, output_tok_per_s : float
        Finished in the window of the statistics.
    good_frac : float
        Share of the counted requests within the class's own latency limits.
    ttft_s, tpot_s, e2e_s : Spread or None
        None where there is no such request.
    """

    name: str
    counted: int
    req_per_s: float
    output_tok_per_s: float
    good_frac: float
    ttft_s: Spread | None
    tpot_s: Spread | None
    e2e_s: Spread | None


def latencies(requests: Requests, result: SimResult | FleetResult, entry_s: float = 0.0) -> Latencies:
    """Return the latency of every answered request; *entry_s* as given to the simulation."""
    trail = result.trail
    place = np.flatnonzero(trail.finish[: requests.count] >= 0)
    arrival = trail.arrival[place] / TICKS_PER_S - entry_s
    first, finish = trail.first[place] / TICKS_PER_S, trail.finish[place] / TICKS_PER_S
    osl = requests.osl[place]
    tpot_s = np.where(osl > 1, (finish - first) / np.maximum(osl - 1, 1), np.nan)
    start, stop = result.timing.window_s
    counted = arrival >= start
    counted &= finish <= stop if requests.users else arrival <= stop
    return Latencies(
        place=place, ttft_s=first - arrival, tpot_s=tpot_s, e2e_s=finish - arrival, finish_s=finish, counted=counted
    )


def spread(values: FloatArray) -> Spread | None:
    """Return mean and percentiles of what is there, nan left out; None where nothing is."""
    there = values[np.isfinite(values)]
    if not len(there):
        return None
    return Spread(mean=float(there.mean()), **{name: float(np.quantile(there, q)) for name, q in QUANTILES.items()})


SHARES = np.append(np.linspace(0.0, 0.98, 99), [0.985, 0.99, 0.995, 0.999, 1.0])
"""Shares of the answered requests at which a distribution is told."""


def distributions(seen: Latencies) -> dict[str, list[float]]:
    """Return the latency that each share of the answered requests stays within, by name [s].

    ``share`` holds the shares, 0..1; a latency that no request has is left out.
    """
    told = {"share": SHARES.tolist()}
    for name in ("ttft_s", "tpot_s", "e2e_s"):
        values = getattr(seen, name)
        there = values[np.isfinite(values)]
        if len(there):
            told[name] = np.quantile(there, SHARES).tolist()
    return told


def by_class(mix: Mix, result: SimResult, entry_s: float = 0.0) -> list[ClassResult]:
    """Return what each class of a load saw; *entry_s* as given to the simulation."""
    seen = latencies(mix.requests, result, entry_s)
    of_class, osl = mix.of_class[seen.place], mix.requests.osl[seen.place]
    start, stop = result.timing.window_s
    share = made_in(seen.finish_s - seen.e2e_s + seen.ttft_s, seen.finish_s, osl, (start, stop))
    records = []
    for number, request_class in enumerate(mix.classes):
        own = of_class == number
        counted = own & seen.counted
        good = counted.copy()
        for values, limit in (
            (seen.ttft_s, request_class.slo.ttft_s), (np.nan_to_num(seen.tpot_s), request_class.slo.tpot_s),
            (seen.e2e_s, request_class.slo.e2e_s),
        ):  # fmt: skip
            if limit is not None:
                good &= values <= limit
        records.append(
            ClassResult(
                name=request_class.name,
                counted=int(counted.sum()),
                req_per_s=float(share[own].sum()) / (stop - start),
                output_tok_per_s=float((osl * share)[own].sum()) / (stop - start),
                good_frac=float(good.sum()) / max(int(counted.sum()), 1),
                ttft_s=spread(seen.ttft_s[counted]),
                tpot_s=spread(seen.tpot_s[counted]),
                e2e_s=spread(seen.e2e_s[counted]),
            )
        )
    return records


def time_series(
    requests: Requests,
    result: SimResult,
    limits: SimLimits,
    *,
    replicas: int = 1,
    bins: int = BINS,
    entry_s: float = 0.0,
) -> Series:
    """Return how a simulation went from its first arrival to its last answer.

    Parameters
    ----------
    requests : Requests
        The load.
    result : SimResult
        Its simulation.
    limits : SimLimits
        Of one replica.
    replicas : int
        How many there were.
    bins : int
        Parts into which the time is cut, >= 1.
    entry_s : float
        As given to the simulation.

    Raises
    ------
    InputError
        If *bins* is out of range.

    Notes
    -----
    Integrals over each bin, exact but for two simplifications: a request's tokens are made evenly between its first and
    its last, and one that lost its place counts as running, with its tokens, from its first admission on. Blocks that
    prompts share are counted once for each.
    """
    if not 1 <= bins <= TIMELINE_BINS:
        message = f"bins = {bins}: must be from 1 to {TIMELINE_BINS:,}"
        raise InputError(message)
    trail = result.trail
    done = trail.finish >= 0
    arrival = trail.arrival[done] / TICKS_PER_S - entry_s
    admitted, first, finish = (getattr(trail, name)[done] / TICKS_PER_S for name in ("admitted", "first", "finish"))
    edges = np.linspace(0.0, float(finish.max()), bins + 1)
    sums = integrals(edges, (arrival, admitted, first, finish), requests.isl[done], requests.osl[done])
    return series_of(edges, sums, limits, replicas)


def integrals(
    edges: FloatArray, times_s: tuple[FloatArray, FloatArray, FloatArray, FloatArray], isl: IntArray, osl: IntArray
) -> FloatArray:
    """Return a row for each quantity of a `Series`: its integral up to each edge. Those of parts of a load add up.

    Parameters
    ----------
    edges : ndarray, shape (bins + 1,)
        Ends of the bins [s].
    times_s : tuple of ndarray
        Arrival, admission, first and last token of each answered request [s].
    isl, osl : ndarray of int
        Its prompt and output tokens.
    """
    begins = float(times_s[0].min()) if len(times_s[0]) else 0.0  # near zero, differences of large sums keep digits
    at, (arrival, admitted, first, finish) = edges - begins, (times - begins for times in times_s)
    prompt, output, ones = isl.astype(np.float64), osl.astype(np.float64), np.ones(len(arrival))
    pace = np.where(osl > 1, (output - 1.0) / np.maximum(finish - first, 1e-12), 0.0)
    cached = _ramp(at, admitted, prompt) - _ramp(at, finish, prompt)
    cached += _curve(at, first, pace) - _curve(at, finish, pace) - _ramp(at, finish, np.maximum(output - 1.0, 0.0))
    return np.stack([
        _step(at, arrival, ones), _step(at, finish, ones),
        _ramp(at, first, pace) - _ramp(at, finish, pace) + _step(at, first, ones),
        _ramp(at, admitted, ones) - _ramp(at, finish, ones), _ramp(at, arrival, ones) - _ramp(at, admitted, ones),
        cached,
    ])  # fmt: skip


def series_of(edges: FloatArray, sums: FloatArray, limits: SimLimits, replicas: int) -> Series:
    """Return the means over the bins between edges, of the sums of `integrals`."""
    bin_s = float(edges[-1]) / (len(edges) - 1)
    arrived, finished, tokens, running, waiting, cached = np.diff(sums, axis=1) / bin_s
    return Series(
        start_s=edges[:-1], bin_s=bin_s, arrivals_per_s=arrived, finished_per_s=finished, output_tok_per_s=tokens,
        running=running, waiting=waiting, kv_frac=cached / (limits.kv_blocks * limits.block_tokens * replicas),
    )  # fmt: skip


def _sums(at: FloatArray, weights: FloatArray, edges: FloatArray, powers: int) -> list[FloatArray]:
    """Return for each edge the sums of ``w``, ``w t``, … over the times up to it."""
    order = np.argsort(at, kind="stable")
    at, weights = at[order], weights[order]
    upto = np.searchsorted(at, edges, side="right")
    return [np.append(0.0, np.cumsum(weights * at**power))[upto] for power in range(powers)]


def _step(edges: FloatArray, at: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the integral of jumps of a weight at each time."""
    (total,) = _sums(at, weights, edges, 1)
    return total


def _ramp(edges: FloatArray, at: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the integral of levels that begin at each time: the sum of ``w (T - t)``."""
    total, moment = _sums(at, weights, edges, 2)
    return total * edges - moment


def _curve(edges: FloatArray, at: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the integral of slopes that begin at each time: the sum of ``w (T - t)^2 / 2``."""
    total, moment, second = _sums(at, weights, edges, 3)
    return (total * edges**2 - 2.0 * edges * moment + second) / 2.0
