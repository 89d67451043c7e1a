"""Steps that yield several tokens, for drafts that are verified together (speculative decoding, MTP)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jevons.serving.formulas import accepted_tokens
from jevons.serving.sim.load.generate import stream
from jevons.serving.sim.types import IntArray, Requests, SimLimits, StepTable

_UNIT = 16


class Pace(NamedTuple):
    """How decode steps fill the cache, in whole numbers.

    Parameters
    ----------
    period : int
        Steps that fill a block.
    unit : int
        Parts of a token in which contexts are counted.
    growth : int
        Such parts by which a context grows at each step.
    """

    period: int
    unit: int
    growth: int


def pace_of(limits: SimLimits) -> Pace:
    """Return the pace of an engine: steps to a block rounded to whole ones, growth to sixteenths of a token."""
    if limits.draft_tokens == 0:
        return Pace(limits.block_tokens, 1, 1)
    gained = accepted_tokens(limits.draft_tokens, limits.draft_acceptance_frac)
    return Pace(max(round(limits.block_tokens / gained), 1), _UNIT, round(_UNIT * gained))


def steps_needed(requests: Requests, limits: SimLimits, seed: int) -> IntArray:
    """Return each request's steps: the prompt's, and those until its other output tokens are made.

    Parameters
    ----------
    requests : Requests
        The load.
    limits : SimLimits
        With draft tokens *d* and the chance *a* that one is accepted where those before it were.
    seed : int
        Of the chance.

    Notes
    -----
    A step yields one token and those drafts before the first refusal. The steps until *n* are made are drawn from the
    normal distribution that a renewal process tends to, with its mean ``(n + excess) / m`` and variance ``n v / m^3``
    (*m*, *v*: mean and variance of a step's tokens; *excess*: mean of those made beyond *n*), within what is possible.
    """
    osl = np.ascontiguousarray(requests.osl, dtype=np.int64)
    if limits.draft_tokens == 0:
        return osl
    at_least = limits.draft_acceptance_frac ** np.arange(limits.draft_tokens + 1)
    mean = float(at_least.sum())
    square = float((at_least * (2 * np.arange(limits.draft_tokens + 1) + 1)).sum())
    others = osl - 1
    excess = (square / mean - 1.0) / 2.0
    spread = np.sqrt(others * max(square - mean**2, 0.0) / mean**3)
    drawn = (others + excess) / mean + spread * stream(seed, "accepted drafts").standard_normal(len(osl))
    least = -(-others // (limits.draft_tokens + 1))
    steps: IntArray = 1 + np.clip(np.rint(drawn).astype(np.int64), least, others)
    return steps


def in_units(table: StepTable, unit: int) -> StepTable:
    """Return a table for contexts counted in parts of a token; pieces still meet where they met."""
    if unit == 1:
        return table
    batches = np.arange(len(table.base))[:, None]
    slope = np.round(table.slope / unit).astype(np.int64)
    jumps = np.diff(table.base) + np.diff(table.slope) * batches * table.knots[1:-1]
    rises = jumps - np.diff(slope) * batches * table.knots[1:-1] * unit
    base = table.base[:, :1] + np.cumsum(np.append(np.zeros_like(batches), rises, axis=1), axis=1)
    return replace(table, knots=table.knots * unit, base=base.astype(np.int64), slope=slope)


def longest_tokens(requests: Requests, steps: IntArray, limits: SimLimits) -> IntArray:
    """Return the tokens for which each request may need room at once, wherever it is interrupted.

    Notes
    -----
    With drafts, blocks fill with the steps at their mean pace: a request unlucky with its drafts holds more than its
    tokens, and one that returns after a preemption begins within a step of its tokens.
    """
    if limits.draft_tokens == 0:
        return requests.isl + requests.osl - 1
    period, block = pace_of(limits).period, limits.block_tokens
    parts = np.maximum(requests.isl * period + steps * block, (requests.isl + requests.osl) * period) + block
    whole: IntArray = -(-parts // period)
    return whole
