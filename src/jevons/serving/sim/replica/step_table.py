"""Step times of a deployment, tabulated so that a simulated step costs nanoseconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.limits import STEP_TOKENS
from jevons.serving.kv_pages import PAGE_TOKENS
from jevons.serving.memory import kv_bytes_per_request, kv_capacity_tokens
from jevons.serving.sim.types import TICKS_PER_S, FloatArray, IntArray, SimLimits, StepTable
from jevons.serving.step import step_time
from jevons.serving.types import Deployment

_LONGEST_CONTEXT = 1 << 20
_SHORTEST_PIECE = 32
TABULATED_BATCHES = 2048
"""Batches up to which each has a row of its own."""
_CACHED_CONTEXT = 8192.0
_REFERENCE_CONTEXT = 1024.0


def limits_of(
    deployment: Deployment,
    *,
    context: float,
    kv_tokens: float | None = None,
    max_batch: int | None = None,
    step_tokens: int | None = None,
    block_tokens: int = PAGE_TOKENS,
    host_bytes: float = 0.0,
    swap: bool = False,
) -> SimLimits:
    """Return the limits of one replica from model, device and engine, drafted tokens included.

    Parameters
    ----------
    deployment : Deployment
        The replica.
    context : float
        Tokens of a typical sequence, which decide what windowed and recurrent layers leave for others.
    kv_tokens : float, optional
        Tokens of the cache, in place of what memory leaves.
    max_batch, step_tokens : int, optional
        In place of the engine's.
    block_tokens : int
        Tokens of a cache block.
    host_bytes : float
        Host memory behind the cache, for each accelerator [bytes]; its blocks move at the rate of the link to the host.
    swap : bool
        Whether the cache of preempted requests goes there.

    Raises
    ------
    InputError
        If a limit is below 1, or host memory holds no block.
    InfeasibleError
        If the weights do not fit.
    """
    layout, engine = deployment.layout, deployment.engine
    capacity = kv_capacity_tokens(deployment, context) if kv_tokens is None else kv_tokens
    limits = SimLimits(
        max_batch=max_batch if max_batch is not None else engine.batching.max_batch * layout.dp,
        step_tokens=step_tokens if step_tokens is not None else engine.batching.step_tokens * layout.dp,
        block_tokens=block_tokens,
        kv_blocks=int(capacity // max(block_tokens, 1)),
        max_context=deployment.max_model_len or deployment.model.max_context,
        swap=swap,
        draft_tokens=deployment.draft_tokens,
        draft_acceptance_frac=engine.batching.draft_acceptance_frac if deployment.draft_tokens else 0.0,
    )
    if host_bytes:
        limits = _with_host(limits, deployment, context, host_bytes)
    for name, value in (
        ("max_batch", limits.max_batch), ("step_tokens", limits.step_tokens), ("block_tokens", limits.block_tokens),
        ("kv_blocks", limits.kv_blocks),
    ):  # fmt: skip
        if not 1 <= value <= (STEP_TOKENS if name == "step_tokens" else 1 << 40):
            message = f"{name} = {value}: must be at least 1"
            message += f" and at most {STEP_TOKENS:,}" if name == "step_tokens" else ""
            raise InputError(message)
    return limits


def _with_host(limits: SimLimits, deployment: Deployment, context: float, host_bytes: float) -> SimLimits:
    """Return limits with host memory: every device keeps its part of a block there, and moves it over its own link."""
    block_bytes = kv_bytes_per_request(deployment, context) / context * limits.block_tokens
    kind = deployment.accelerator.host_link
    rates = [default_facts().get(f"training_host.{kind}_{name}_bytes_per_s").number for name in ("link", "memory")]
    blocks = int(deployment.layout.dp * host_bytes // block_bytes)
    if blocks < 1:
        message = f"host_bytes = {host_bytes:,.0f}: must hold at least a block of the cache, {block_bytes:,.0f} bytes"
        raise InputError(message)
    return replace(limits, host_blocks=blocks, move_s=block_bytes / min(rates))


def step_table(deployment: Deployment, max_batch: int, step_tokens: int, *, one_of_stages: bool = False) -> StepTable:
    """Tabulate the step times of one instance.

    Parameters
    ----------
    deployment : Deployment
        One instance; attention ranks that share experts count as one, others are refused.
    max_batch, step_tokens : int
        Largest batch and most tokens of a step.
    one_of_stages : bool
        Whether the instance has pipeline stages, and the table is of one of the engines that go through them in turn: a
        step from the first stage to the last. Refused where not said.

    Raises
    ------
    InputError
        If the layout is one of those that the simulator leaves out.

    Notes
    -----
    Decode time is taken at every batch (interpolated beyond 2,048) and linear between contexts a factor of the square
    root of two apart. A mixed step is the decode step and what its prompt tokens add at a context of 1,024, their
    attention counted prompt by prompt.
    """
    knots, base, slope = decode_pieces(deployment, max_batch, one_of_stages=one_of_stages)
    alone, mixed_batches, mixed, own, cached = _prefill(deployment, max_batch, step_tokens)
    return StepTable(
        knots=knots, base=base, slope=slope, alone=alone, mixed_batches=mixed_batches, mixed=mixed, own=own,
        cached=cached,
    )  # fmt: skip


def decode_pieces(
    deployment: Deployment, max_batch: int, *, one_of_stages: bool = False
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the part of a table for steps without prompts: contexts between pieces, intercepts and slopes [ticks].

    Raises
    ------
    InputError
        If the layout is one of those that the simulator leaves out.
    """
    layout = deployment.layout
    if (layout.pp > 1 and not one_of_stages) or (layout.dp > 1 and not layout.dp_attention):
        message = (
            f"layout {layout}: pipeline stages and independent ranks are not simulated. Use tp, attention ranks that "
            "share experts, or replicas."
        )
        raise InputError(message)
    knots = _knots()
    batches = np.arange(1, min(max_batch, TABULATED_BATCHES) + 1)
    if max_batch > TABULATED_BATCHES:
        more = np.geomspace(TABULATED_BATCHES, max_batch, 64).round().astype(np.int64)
        batches = np.unique(np.append(batches, more))
    batch, context = np.repeat(batches, len(knots)), np.tile(np.maximum(knots, 1), len(batches))
    flat_s = step_time(deployment, decode_batch=batch.astype(float), decode_context=context.astype(float)).time_s
    decode_s = np.maximum.accumulate(flat_s.reshape(len(batches), len(knots)), axis=1)
    all_batches = np.arange(1, max_batch + 1)
    if max_batch > TABULATED_BATCHES:
        columns = [np.interp(all_batches, batches, decode_s[:, j]) for j in range(len(knots))]
        decode_s = np.stack(columns, axis=1)
    return (knots, *_pieces(decode_s, all_batches, knots))


def mixed_rows(max_batch: int) -> IntArray:
    """Return the batches at which what prompts add to a decode step is tabulated: none, powers of two, the largest."""
    powers = 2 ** np.arange(int(np.log2(max_batch)) + 1)
    return np.unique(np.concatenate([[0], powers, [max_batch]])).astype(np.int64)


def constant_table(
    max_batch: int, step_tokens: int, *, decode_s: float, per_context_s: float = 0.0, prompt_token_s: float = 0.0
) -> StepTable:
    """Return the table of an idealised engine: decode steps linear in all contexts, prompts linear in tokens.

    Parameters
    ----------
    max_batch, step_tokens : int
        Largest batch and most tokens of a step.
    decode_s, per_context_s, prompt_token_s : float
        Time of a decode step, of each token in its contexts, and of each prompt token [s], >= 0. A step without decodes
        takes the prompt tokens' time alone.
    """
    base = np.full((max_batch + 1, 1), round(decode_s * TICKS_PER_S), dtype=np.int64)
    slope = np.full((max_batch + 1, 1), round(per_context_s * TICKS_PER_S), dtype=np.int64)
    line = np.arange(step_tokens + 1) * round(prompt_token_s * TICKS_PER_S)
    none = np.zeros(step_tokens + 1, dtype=np.int64)
    rows = np.array([0, max_batch], dtype=np.int64)
    of_decodes = np.stack([none, none - max_batch * round(prompt_token_s * TICKS_PER_S)])
    return StepTable(
        knots=np.array([0, 1]),
        base=base,
        slope=slope,
        alone=line,
        mixed_batches=rows,
        mixed=of_decodes,
        own=none,
        cached=none,
    )


def _knots() -> IntArray:
    """Return contexts from 0, a factor of the square root of two apart."""
    count = int(2 * np.log2(_LONGEST_CONTEXT / _SHORTEST_PIECE)) + 1
    rising = np.round(_SHORTEST_PIECE * 2.0 ** (np.arange(count) / 2)).astype(np.int64)
    return np.append(0, rising).astype(np.int64)


def _pieces(decode_s: FloatArray, batches: IntArray, knots: IntArray) -> tuple[IntArray, IntArray]:
    """Return intercept and slope in ticks of each piece, row 0 being a batch of none."""
    rise = np.diff(decode_s, axis=1) / np.diff(knots)
    slope = np.round(rise / batches[:, None] * TICKS_PER_S).astype(np.int64)
    start = np.round(decode_s[:, :-1] * TICKS_PER_S).astype(np.int64)
    base = start - slope * (batches[:, None] * knots[:-1])
    none = np.zeros((1, len(knots) - 1), dtype=np.int64)
    return np.concatenate([none, base]), np.concatenate([none, slope])


def _prefill(
    deployment: Deployment, max_batch: int, step_tokens: int
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Return prompts alone, batches, what mixing adds, and attention per chunk to itself and to cached tokens."""
    tokens = np.arange(1, step_tokens + 1, dtype=float)
    alone_s = step_time(deployment, prefill_tokens=tokens).time_s
    behind_s = step_time(deployment, prefill_tokens=tokens, prefill_context=_CACHED_CONTEXT).time_s
    per_cached_s = np.maximum(behind_s - alone_s, 0.0) / _CACHED_CONTEXT
    per_pair_s = per_cached_s[-1] / step_tokens
    own_s = per_pair_s * tokens**2 / 2.0 + deployment.engine.host.request_overhead_s
    rows = mixed_rows(max_batch)
    grid = np.concatenate([2 ** np.arange(7), np.arange(128, 1025, 128), np.arange(1280, step_tokens, 256)])
    grid = np.unique(np.append(grid[grid < step_tokens], step_tokens)).astype(float)
    mixing = np.zeros((len(rows), step_tokens + 1))
    batch, new = (a.ravel() for a in np.meshgrid(rows[1:].astype(float), grid, indexing="ij"))
    decode = {"decode_batch": batch, "decode_context": _REFERENCE_CONTEXT}
    mixed_s = step_time(deployment, prefill_tokens=new, **decode).time_s
    total_s = step_time(deployment, prefill_tokens=new + batch).time_s
    pairs_s = per_pair_s * ((new + batch) ** 2 - new**2) / 2.0
    added_s = mixed_s - step_time(deployment, **decode).time_s - total_s + pairs_s
    for row, added in enumerate(added_s.reshape(len(rows) - 1, len(grid)), start=1):
        mixing[row, 1:] = np.interp(tokens, grid, added)
    alone = _ticks(np.append(0.0, np.maximum(alone_s - own_s, 0.0)))
    return alone, rows, _ticks(mixing), _ticks(np.append(0.0, own_s)), _ticks(np.append(0.0, per_cached_s))


def _ticks(time_s: FloatArray) -> IntArray:
    return np.round(time_s * TICKS_PER_S).astype(np.int64)
