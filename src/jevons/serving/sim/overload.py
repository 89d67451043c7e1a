"""Judges whether a load outgrows the replicas that serve it: one rule for replicas, pools, streams and fleets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.serving.sim.types import FloatArray, Overload

BUSY_FRAC = 0.98
UNSTABLE_FRAC = 0.02
STABLE = Overload(overload_frac=None, capacity_req_per_s=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What had come and what was finished at the middle and at the end of a load's arrivals.

    Parameters
    ----------
    half_s, last_s : float
        Middle of the arrivals, and the last of them [s], > 0.
    came, finished : tuple of int
        Requests that had come, and that were finished, at these two times.
    first_token_s, end_s : float
        Last first token, and last token of all [s].
    """

    half_s: float
    last_s: float
    came: tuple[int, int]
    finished: tuple[int, int]
    first_token_s: float
    end_s: float


def backlog_of(arrival: FloatArray, first_token_s: float, finish: FloatArray) -> Backlog:
    """Return the backlog of a load from its arrivals [s], in order, the last > 0, and what is finished of it [s]."""
    last_s = float(arrival[-1])
    half_s = last_s / 2
    came, finished = ((int((times <= half_s).sum()), int((times <= last_s).sum())) for times in (arrival, finish))
    return Backlog(
        half_s=half_s, last_s=last_s, came=came, finished=finished,
        first_token_s=first_token_s, end_s=float(finish.max(initial=0.0)),
    )  # fmt: skip


def overload_of(backlog: Backlog, busy_frac: float) -> Overload:
    """Return by how much arrivals exceed what is finished in their second half, and the latter per second.

    A load is unstable where the replicas never rest (*busy_frac*, 0 to 1) and the backlog grows by more than what falls
    to chance: beyond 2 % of the arrivals and three standard deviations of a Poisson count. One that ends in a burst,
    but comes on average more slowly than the replicas finish then, is not.
    """
    count = backlog.came[1]
    came, left = count - backlog.came[0], backlog.finished[1] - backlog.finished[0]
    if busy_frac < BUSY_FRAC or came - left <= max(UNSTABLE_FRAC * came, 3.0 * np.sqrt(came)):
        return STABLE
    if left == 0:
        return _outlasting(backlog, count)
    pace_req_per_s = left / (backlog.last_s - backlog.half_s)
    if count / backlog.last_s <= pace_req_per_s:
        return STABLE
    return Overload(overload_frac=came / left - 1.0, capacity_req_per_s=pace_req_per_s)


def _outlasting(backlog: Backlog, count: int) -> Overload:
    """Return the overload of a load that is over early, by the pace of its whole run.

    Nothing that came in the second half is finished when the last request comes. The load is unstable where its queue
    lasts for longer than twice the time in which its *count* requests came.
    """
    if backlog.first_token_s <= 2.0 * backlog.last_s or count / 2.0 <= 3.0 * np.sqrt(count):
        return STABLE
    return Overload(overload_frac=backlog.end_s / backlog.last_s - 1.0, capacity_req_per_s=count / backlog.end_s)
