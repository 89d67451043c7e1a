"""Formulas of a served instance in the steady state: plain functions on floats and arrays."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from jevons.serving.types import FloatArray


def exposed_comm_s(comm_s: FloatArray, busy_s: FloatArray, overlap_frac: float | FloatArray) -> FloatArray:
    """Return the communication that is not hidden behind computation [s].

    Parameters
    ----------
    comm_s, busy_s : ndarray
        Communication, and the computation it may hide behind [s].
    overlap_frac : float or ndarray
        Share of the smaller of the two that overlaps, in [0, 1].

    Notes
    -----
    ``comm - overlap * min(comm, busy)``: at full overlap the step takes the longer of the two.
    """
    return comm_s - overlap_frac * np.minimum(comm_s, busy_s)


def largest_of(draws: int) -> float:
    """Return about how many standard deviations the largest of so many normal draws lies above their mean."""
    return NormalDist().inv_cdf((draws - 0.375) / (draws + 0.25))


def accepted_tokens(draft_tokens: float, acceptance_frac: float) -> float:
    """Return the tokens that a request gains per step when *draft_tokens* are drafted and verified in order.

    Parameters
    ----------
    draft_tokens : float
        Drafted per step, >= 0.
    acceptance_frac : float
        Chance that each is accepted where those before it were, in [0, 1).

    Notes
    -----
    ``1 + a + a^2 + ... + a^d``: the verified step always yields one token of its own.
    """
    return float((1.0 - acceptance_frac ** (draft_tokens + 1.0)) / (1.0 - acceptance_frac))


def acceptance_of(gained_tokens: float, draft_tokens: int) -> float:
    """Return the chance of acceptance at which *draft_tokens* yield *gained_tokens* per step, as in `accepted_tokens`.

    Examples
    --------
    >>> round(acceptance_of(accepted_tokens(3, 0.7), 3), 6)
    0.7
    """
    low, high = 0.0, 1.0 - 1e-9
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if accepted_tokens(draft_tokens, middle) < gained_tokens else (low, middle)
    return low


def shared_tpot_s(decode_step_s: FloatArray, batch: FloatArray, prefill_s: FloatArray, steps: float) -> FloatArray:
    """Time per output token where prompts of other requests run between decode steps [s].

    Parameters
    ----------
    decode_step_s : ndarray
        One decode step of the whole batch [s].
    batch : ndarray
        Requests decoding at once, > 0.
    prefill_s : ndarray
        Time the instance spends on one request's prompt [s].
    steps : float
        Decode steps per request, > 0.

    Notes
    -----
    In the steady state a new prompt takes the place of each request that ends. While a request takes its ``steps``
    decode steps, each of the ``batch - 1`` others turns over once, and its prompt runs in between:
    ``step + (batch - 1) * prefill / steps``. Holds on average; a single gap between two tokens may be longer.
    """
    return decode_step_s + np.maximum(batch - 1.0, 0.0) * prefill_s / steps


def chunked_pass_s(chunk_s: FloatArray, stages: int) -> float:
    """Time of one prompt cut into chunks that follow each other through pipeline stages [s].

    Parameters
    ----------
    chunk_s : ndarray, shape (chunks,)
        Time of each chunk through all stages [s].
    stages : int
        Pipeline stages, >= 1.

    Notes
    -----
    With chunks of equal time T: ``(chunks + stages - 1) * T / stages``, the filling of a pipeline.
    """
    return float(chunk_s.sum() / stages + chunk_s[-1] * (stages - 1) / stages)


def pareto_front(cost: FloatArray, gain: FloatArray) -> list[bool]:
    """Return for each point whether no other has both less *cost* and no less *gain*, or more gain at no more cost."""
    order = np.lexsort((-gain, cost))
    on_front = [False] * len(order)
    best = -np.inf
    for index in order:
        if gain[index] > best:
            on_front[index] = True
            best = float(gain[index])
    return on_front
