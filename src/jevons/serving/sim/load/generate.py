"""Generated loads and scaled traces; every kind of chance has a stream of its own, named, from one seed."""

from __future__ import annotations

import math
import warnings
import zlib
from dataclasses import dataclass, replace

import numpy as np

from jevons.errors import InputError, InputNote, did_you_mean
from jevons.limits import REQUEST_TOKENS, REQUESTS
from jevons.serving.kv_pages import PAGE_TOKENS
from jevons.serving.sim.load.arrivals import (
    RATED,
    Bursts,
    Day,
    Pattern,
    Stage,
    arrival_times,
    arrivals_in_words,
    check_span,
)
from jevons.serving.sim.load.repeats import Repeats, block_hashes, check_blocks, ragged
from jevons.serving.sim.load.room import check_room
from jevons.serving.sim.load.traces import Trace
from jevons.serving.sim.types import LONGEST_S, IntArray, Requests

ARRIVALS = (*RATED, "at_once", "closed")


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of that name; a further one never shifts another."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load to generate.

    Parameters
    ----------
    requests : int
        How many, >= 1.
    isl, osl : float
        Mean prompt and output tokens, >= 1.
    arrivals : str
        ``poisson``, ``gamma`` (bunched), ``constant``, ``bursts``, ``day``, ``at_once`` or ``closed``.
    rate_req_per_s : float
        Mean rate of all but the last two, > 0.
    users, think_s : int, float
        Of the closed loop: users, and time from an answer to the next request [s].
    cv : float
        Standard deviation of the gaps over their mean, of ``gamma`` arrivals, > 0.
    isl_cv, osl_cv : float
        Likewise of the lengths, which are lognormal; 0 for constant ones.
    bursts, day : Bursts, Day, optional
        Of arrivals of that kind.
    stages : tuple of Stage
        Rates in turn, in place of one.
    lengths : Trace, optional
        Prompt and output tokens are drawn from its requests, both of the same one, in place of the means.
    repeats : Repeats, optional
        How prompts repeat, which a prefix cache then knows; each differs from all others by default.
    """

    requests: int
    isl: float
    osl: float
    arrivals: str = "poisson"
    rate_req_per_s: float = 1.0
    users: int = 1
    think_s: float = 0.0
    cv: float = 1.0
    isl_cv: float = 0.0
    osl_cv: float = 0.0
    bursts: Bursts | None = None
    day: Day | None = None
    stages: tuple[Stage, ...] = ()
    lengths: Trace | None = None
    repeats: Repeats | None = None


def generate(load: Load, seed: int = 0) -> Requests:
    """Return the requests of a load; the same seed gives the same bytes.

    Raises
    ------
    InputError
        If a figure is out of range; the message names it.
    """
    _check(load)
    count = load.requests
    if load.lengths is not None:
        drawn = stream(seed, "lengths").integers(0, len(load.lengths.isl), count)
        isl, osl = load.lengths.isl[drawn], load.lengths.osl[drawn]
    else:
        isl = _prompt_lengths(load, stream(seed, "isl"))
        osl = lengths_like(count, load.osl, load.osl_cv, stream(seed, "osl"))
    return _with_prefixes(_arriving(load, isl, osl, seed), load.repeats)


def _prompt_lengths(load: Load, rng: np.random.Generator) -> IntArray:
    """Return prompt tokens; those of a prompt that repeats are as many each time."""
    distinct = load.repeats.distinct if load.repeats else 0
    lengths = lengths_like(min(distinct, load.requests) or load.requests, load.isl, load.isl_cv, rng)
    return np.resize(lengths, load.requests)


def _with_prefixes(requests: Requests, repeats: Repeats | None) -> Requests:
    if repeats is None:
        return requests
    hashes, start = block_hashes(requests.isl, repeats, PAGE_TOKENS)
    return replace(requests, hashes=hashes, hash_start=start, hash_tokens=PAGE_TOKENS)


def _arriving(load: Load, isl: IntArray, osl: IntArray, seed: int) -> Requests:
    count = load.requests
    if load.arrivals == "closed":
        origin = f"{load.users:,} user{'s' if load.users > 1 else ''} in a closed loop"
        return Requests(
            arrival_s=np.zeros(count), isl=isl, osl=osl, users=load.users, think_s=load.think_s, origin=origin
        )
    if load.arrivals == "at_once":
        return Requests(arrival_s=np.zeros(count), isl=isl, osl=osl, origin="all at once")
    pattern = Pattern(
        kind=load.arrivals, rate_per_s=load.rate_req_per_s, cv=load.cv, bursts=load.bursts, day=load.day,
        stages=load.stages,
    )  # fmt: skip
    arrival_s = arrival_times(pattern, count, stream(seed, "arrivals"))
    origin = arrivals_in_words(load.arrivals, [stage.rate_per_s for stage in load.stages] or [load.rate_req_per_s])
    return Requests(arrival_s=arrival_s, isl=isl, osl=osl, origin=origin)


def from_trace(
    trace: Trace,
    *,
    requests: int | None = None,
    rate_req_per_s: float | None = None,
    prefixes: bool = False,
    speed: float | None = None,
    keep_frac: float = 1.0,
    seed: int = 0,
) -> Requests:
    """Return a trace as a load: thinned, cut or repeated to a number of requests, its time stretched.

    Parameters
    ----------
    trace : Trace
        The trace.
    requests : int, optional
        Requests wanted; the trace's own by default. Beyond those it begins again a mean gap after its end.
    rate_req_per_s : float, optional
        Mean rate wanted; the trace's own by default.
    prefixes : bool
        Whether prompts share the prefixes that the trace's block hashes tell of; each repetition has its own.
    speed : float, optional
        By how much faster than recorded the trace runs, in place of a rate.
    keep_frac : float
        Share of the requests to keep, in (0, 1], drawn at random; of whole conversations where the trace tells them.
    seed : int
        Of that draw.

    Raises
    ------
    InputError
        If a figure is out of range, or a rate is asked of a trace whose requests all arrive at once. Prefixes of one
        without hashes are warned of.
    """
    if keep_frac != 1.0:
        trace = thinned(trace, keep_frac, seed)
    count = len(trace.isl)
    wanted = count if requests is None else requests
    if not 1 <= wanted <= REQUESTS:
        message = f"requests = {wanted}: must be from 1 to {REQUESTS:,}"
        raise InputError(message)
    span_s = float(trace.arrival_s[-1])
    if not trace.timed and rate_req_per_s is None:
        message = f"{trace.name}: says no times; give a --rate at which its requests come"
        raise InputError(message)
    scale = 1.0
    if speed is not None:
        _positive("speed", speed)
        if rate_req_per_s is not None:
            message = f"speed = {speed:g} and rate = {rate_req_per_s:g}: both set how fast a trace runs; give one"
            raise InputError(message)
        scale = 1.0 / speed
    if rate_req_per_s is not None:
        _positive("rate", rate_req_per_s)
        if span_s <= 0:
            message = f"{trace.name}: all requests arrive at once, so they have no rate to scale"
            raise InputError(message)
        scale = (count - 1) / span_s / rate_req_per_s
    rounds, place = np.divmod(np.arange(wanted), count)
    period_s = span_s * count / max(count - 1, 1)
    arrival_s = (trace.arrival_s[place] + rounds * period_s) * scale
    if arrival_s[-1] > LONGEST_S:
        message = (
            f"{trace.name}: lasts {arrival_s[-1]:,.0f} s; {LONGEST_S:,.0f} s is the most. Use fewer requests or a "
            "higher rate."
        )
        raise InputError(message)
    origin = f"{trace.name} ({trace.make})"
    if rate_req_per_s is not None:
        origin += f" at {rate_req_per_s:g} requests per second"
    elif speed is not None:
        origin += f" at {speed:g} times its speed"
    load = Requests(arrival_s=arrival_s, isl=trace.isl[place], osl=trace.osl[place], origin=origin)
    if not prefixes:
        return load
    if trace.hashes is None or trace.hash_start is None:
        doubt = f"{trace.name}: has no hash_ids, so nothing says which prompts share a prefix; none are kept"
        warnings.warn(doubt, InputNote, stacklevel=2)
        return load
    lengths = np.diff(trace.hash_start)[place]
    check_blocks(f"{trace.name}: {wanted:,} requests", lengths, "it, or take fewer requests")
    start = np.append(0, np.cumsum(lengths)).astype(np.int64)
    keys = int(trace.hashes.max()) + 1 if len(trace.hashes) else 0
    hashes = trace.hashes[ragged(trace.hash_start[:-1][place], lengths)]
    hashes = hashes + np.repeat(rounds, lengths) * keys
    return replace(load, hashes=hashes, hash_start=start, hash_tokens=trace.hash_tokens)


def thinned(trace: Trace, keep_frac: float, seed: int = 0) -> Trace:
    """Return a trace with a random share of its requests, or of its conversations where it tells them apart.

    Raises
    ------
    InputError
        If the share is not in (0, 1], or none is left.
    """
    if not 0.0 < keep_frac <= 1.0:
        message = f"keep = {keep_frac}: must be above 0 and at most 1"
        raise InputError(message)
    units = np.arange(len(trace.isl)) if trace.session is None else trace.session
    is_chosen = stream(seed, "thinning").random(int(units.max()) + 1)[units] < keep_frac
    if not is_chosen.any():
        message = f"{trace.name}: none of {len(is_chosen):,} requests is left at keep = {keep_frac:g}; keep more"
        raise InputError(message)
    arrival_s = trace.arrival_s[is_chosen]
    left = replace(
        trace, arrival_s=arrival_s - arrival_s[0], isl=trace.isl[is_chosen], osl=trace.osl[is_chosen],
        session=None if trace.session is None else np.unique(trace.session[is_chosen], return_inverse=True)[1],
    )  # fmt: skip
    if trace.hashes is None or trace.hash_start is None:
        return left
    lengths = np.diff(trace.hash_start)
    hashes = np.unique(trace.hashes[np.repeat(is_chosen, lengths)], return_inverse=True)[1].astype(np.int64)
    return replace(left, hashes=hashes, hash_start=np.append(0, np.cumsum(lengths[is_chosen])).astype(np.int64))


def without_prefixes(requests: Requests) -> Requests:
    """Return a load whose prompts share nothing that an engine could find in its prefix cache."""
    return replace(requests, hashes=None, hash_start=None, hash_tokens=0)


def _positive(name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        message = f"{name} = {value}: must be above 0"
        raise InputError(message)


def _check(load: Load) -> None:
    if load.arrivals not in ARRIVALS:
        known = ", ".join(ARRIVALS)
        message = f"arrivals `{load.arrivals}`: unknown.{did_you_mean(load.arrivals, ARRIVALS)} Known: {known}."
        raise InputError(message)
    for name, value, least, most in (
        ("requests", load.requests, 1, REQUESTS), ("isl", load.isl, 1, REQUEST_TOKENS),
        ("osl", load.osl, 1, REQUEST_TOKENS), ("users", load.users, 1, REQUESTS), ("think_s", load.think_s, 0, 1e6),
        ("isl_cv", load.isl_cv, 0, 100), ("osl_cv", load.osl_cv, 0, 100),
    ):  # fmt: skip
        if not least <= value <= most:
            message = f"{name} = {value}: must be from {least:g} to {most:,g}"
            raise InputError(message)
    check_room(load.requests)
    if load.arrivals not in {"closed", "at_once"} and not load.stages:  # before lengths are drawn for all of them
        check_span(load.requests, load.rate_req_per_s)


def lengths_like(count: int, mean: float, cv: float, rng: np.random.Generator) -> IntArray:
    """Return whole lengths of that mean before rounding, at least one token."""
    if cv == 0.0:
        return np.full(count, round(mean), dtype=np.int64)
    sigma = math.sqrt(math.log1p(cv**2))
    drawn = rng.lognormal(math.log(mean) - sigma**2 / 2, sigma, count)
    return np.clip(np.round(drawn), 1, REQUEST_TOKENS).astype(np.int64)
