"""Step times of a replica whose prompts are spread over attention ranks, tabulated for the simulator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons import serving
from jevons.serving import sim
from jevons.serving.sim.replica.step_table import decode_pieces, mixed_rows
from jevons.serving.sim.types import TICKS_PER_S

FloatArray = NDArray[np.float64]

RANKS_STEP_TOKENS = 32_768
"""Maximum prompt tokens in one step of all attention ranks; more would delay decodes beyond any latency limit."""
_TILE, _FINE_TOKENS, _COARSE_POINTS = 128, 2048, 24
_REFERENCE_CONTEXT = 1024.0
_CACHED_CONTEXT = 8192.0


def rank_table(deployment: serving.Deployment, max_batch: int, step_tokens: int, isl: float) -> sim.StepTable:
    """Return the table of a replica for prompts of about *isl* tokens.

    Parameters
    ----------
    deployment : Deployment
        The replica; of one with pipeline stages, the table is of one of the engines that go through them in turn.
    max_batch, step_tokens : int
        Largest batch and most tokens of a step, of all ranks together.
    isl : float
        Mean prompt, which says how many prompts share a step, >= 1.

    Notes
    -----
    `sim.step_table` takes all prompt tokens of a step for one prompt of one rank. Here a step of many tokens holds
    several prompts of *isl* tokens, one rank after the other; steps of equal prompts come out as `serving.step_time`
    has them, others are interpolated. Attention of chunks to earlier ones is that of a single rank.
    """
    knots, base, slope = decode_pieces(deployment, max_batch, one_of_stages=deployment.layout.pp > 1)
    dp, overhead_s = deployment.layout.dp, deployment.engine.host.request_overhead_s
    grid = _grid(step_tokens, isl)
    prompts = np.maximum(np.floor(grid / isl), 1.0)
    total_s = serving.step_time(deployment, prefill_tokens=grid, prefill_requests=prompts).time_s
    single_s, behind_s = (
        serving.step_time(deployment, prefill_tokens=grid, prefill_context=context).time_s
        for context in (0.0, _CACHED_CONTEXT)
    )
    per_cached_s = np.maximum(behind_s - single_s, 0.0) / _CACHED_CONTEXT
    per_pair_s = per_cached_s[-1] / step_tokens / min(dp, max(1.0, step_tokens / isl))
    tokens = np.arange(step_tokens + 1, dtype=np.float64)
    own_s = np.append(0.0, per_pair_s * tokens[1:] ** 2 / 2.0 + overhead_s)
    held_s = prompts * (per_pair_s * (grid / prompts) ** 2 / 2.0 + overhead_s)
    alone_s = np.interp(tokens, np.append(0.0, grid), np.append(0.0, np.maximum(total_s - held_s, 0.0)))
    rows = mixed_rows(max_batch)
    mixed_s = np.zeros((len(rows), step_tokens + 1))
    if len(rows) > 1:
        batch, new = (a.ravel() for a in np.meshgrid(rows[1:].astype(float), grid, indexing="ij"))
        decode = {"decode_batch": batch, "decode_context": _REFERENCE_CONTEXT}
        both_s = serving.step_time(
            deployment, prefill_tokens=new, prefill_requests=np.tile(prompts, len(rows) - 1), **decode
        ).time_s
        decode_s = serving.step_time(deployment, **decode).time_s
        beside = np.minimum(new + batch, step_tokens).astype(np.int64)
        added_s = both_s - decode_s - alone_s[beside] - np.tile(held_s, len(rows) - 1)
        for row, added in enumerate(added_s.reshape(len(rows) - 1, len(grid)), start=1):
            mixed_s[row, 1:] = np.interp(tokens[1:], grid, added)
    cached_s = np.interp(tokens, grid, per_cached_s)
    cached_s[0] = 0.0
    alone, mixed, own, cached = (
        np.round(t * TICKS_PER_S).astype(np.int64) for t in (alone_s, mixed_s, own_s, cached_s)
    )
    return sim.StepTable(
        knots=knots, base=base, slope=slope, alone=alone, mixed_batches=rows, mixed=mixed, own=own, cached=cached
    )


def _grid(step_tokens: int, isl: float) -> FloatArray:
    """Return token counts of a step, ascending: both sides of tiles' edges, coarser later, and whole prompts."""
    powers = 2.0 ** np.arange(8)
    edges = np.arange(_TILE, min(step_tokens, _FINE_TOKENS) + 1, _TILE)
    coarse = np.geomspace(_FINE_TOKENS, step_tokens, _COARSE_POINTS) if step_tokens > _FINE_TOKENS else edges
    whole = isl * np.arange(1, min(step_tokens // max(isl, 1.0), 32) + 1)
    grid = np.unique(np.round(np.concatenate([powers, edges, edges + 1.0, coarse, whole, [float(step_tokens)]])))
    return np.asarray(grid[(grid >= 1) & (grid <= step_tokens)])
