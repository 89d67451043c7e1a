"""Loads too large to keep: the same requests as `generate` gives, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jevons.errors import InfeasibleError, InputError
from jevons.limits import REQUEST_TOKENS, STREAMED_REQUESTS
from jevons.serving.sim.load.arrivals import check_span
from jevons.serving.sim.load.generate import Load, lengths_like, stream
from jevons.serving.sim.types import LONGEST_S, FloatArray, IntArray

PART = 1_000_000
PARTED = ("constant", "poisson", "gamma")
"""Arrivals that need nothing but the one before."""

Part = tuple[FloatArray, IntArray, IntArray]


def can_stream(load: Load) -> bool:
    """Return whether a load can be drawn a part at a time."""
    return load.arrivals in PARTED and not load.stages and load.lengths is None and load.repeats is None


def parts(load: Load, seed: int, size: int = PART) -> Iterator[Part]:
    """Yield arrivals [s], prompt and output tokens of the requests of a load, so many at a time.

    Raises
    ------
    InputError
        If a figure is out of range.
    """
    for name, value, most in (
        ("requests", load.requests, STREAMED_REQUESTS), ("isl", load.isl, REQUEST_TOKENS),
        ("osl", load.osl, REQUEST_TOKENS),
    ):  # fmt: skip
        if not 1 <= value <= most:
            message = f"{name} = {value}: must be from 1 to {most:,}"
            raise InputError(message)
    check_span(load.requests, load.rate_req_per_s)
    prompts, outputs, gaps = (stream(seed, name) for name in ("isl", "osl", "arrivals"))
    mean_s, last_s, left = 1.0 / load.rate_req_per_s, 0.0, load.requests
    while left:
        count = min(size, left)
        if load.arrivals == "constant":
            between = np.full(count, mean_s)
        elif load.arrivals == "gamma":
            shape = 1.0 / load.cv**2
            between = gaps.gamma(shape, mean_s / shape, count)
        else:
            between = gaps.exponential(mean_s, count)
        between[0] += last_s
        arrival_s = np.cumsum(between)
        last_s = float(arrival_s[-1])
        if last_s > LONGEST_S:
            message = f"{load.requests:,} requests last over {LONGEST_S:,.0f} s, the most; raise the rate"
            raise InputError(message)
        yield (
            arrival_s, lengths_like(count, load.isl, load.isl_cv, prompts),
            lengths_like(count, load.osl, load.osl_cv, outputs),
        )  # fmt: skip
        left -= count


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a load that is drawn in parts comes to.

    Parameters
    ----------
    count : int
        Requests that fit an engine.
    mean_isl, mean_osl : float
        Mean prompt and output tokens, of all.
    longest : int
        Prompt and output tokens of the longest.
    last_s : float
        Arrival of the last that fits [s].
    window_s : tuple of float
        Arrivals between which statistics count.
    """

    count: int
    mean_isl: float
    mean_osl: float
    longest: int
    last_s: float
    window_s: tuple[float, float]


def course(load: Load, seed: int, longest: int | None = None, edge_frac: float = 0.05) -> Course:
    """Return what a load comes to, of requests of at most *longest* tokens; it is drawn twice for that.

    Raises
    ------
    InfeasibleError
        If no request is so short.
    """
    count, prompts, outputs, most, last_s = 0, 0, 0, 0, 0.0
    least = 2 * REQUEST_TOKENS
    for arrival_s, isl, osl in parts(load, seed):
        total = isl + osl
        fits = total <= (longest or 2 * REQUEST_TOKENS)
        count += int(fits.sum())
        prompts, outputs = prompts + int(isl.sum()), outputs + int(osl.sum())
        least, most = min(least, int(total.min())), max(most, int(total.max()))
        last_s = float(arrival_s[fits][-1]) if fits.any() else last_s
    if not count:
        message = f"no request fits: the shortest has {least:,} tokens, and a sequence at most {longest:,}"
        raise InfeasibleError(message, ["device memory"])
    edge, seen, window = int(count * edge_frac), 0, [0.0, last_s]
    for arrival_s, isl, osl in parts(load, seed):
        own = arrival_s[isl + osl <= longest] if longest else arrival_s
        for end, place in enumerate((edge, count - 1 - edge)):
            if seen <= place < seen + len(own):
                window[end] = float(own[place - seen])
        seen += len(own)
    return Course(
        count=count, mean_isl=prompts / load.requests, mean_osl=outputs / load.requests, longest=most, last_s=last_s,
        window_s=(window[0], window[1]),
    )  # fmt: skip
