"""Closed forms over decode steps: how long they take, how many fit, and the blocks that they need."""

from __future__ import annotations

import numpy as np

from jevons.serving.sim._kernels.state import (
    GROWTH,
    PERIOD,
    IntArray,
    Slots,
    Table,
    gap_bin,
    gap_edge,
    inline,
    rare,
)


@inline
def series(base: int, slope: int, context: int, growth: int, steps: int) -> int:
    """Return the ticks of that many decode steps from a sum of contexts on, which grows at each."""
    return steps * base + slope * (steps * context + growth * (steps * (steps + 1) // 2))


@inline
def step_ticks(table: Table, limits: IntArray, batch: int, context: int) -> int:
    """Return the ticks of one decode step."""
    after = context + batch * limits[GROWTH]
    piece, last = 0, len(table.knots) - 2
    while piece < last and table.knots[piece + 1] * batch < after:
        piece += 1
    return int(table.pieces[0, batch, piece] + table.pieces[1, batch, piece] * after)


@inline
def least_steps(base: int, slope: int, context: int, growth: int, most: int, ticks: int) -> int:
    """Return the fewest steps, 1 to *most*, that take at least *ticks*, given that *most* do."""
    half = 0.5 * slope * growth
    linear = base + slope * (context + 0.5 * growth)
    root = linear * linear + 4.0 * half * ticks
    guess: float = 2.0 * ticks / (linear + np.sqrt(root)) if root > 0.0 and linear > 0.0 else 1.0
    steps = min(max(int(np.ceil(guess)), 1), most)
    while steps < most and series(base, slope, context, growth, steps) < ticks:
        steps += 1
    while steps > 1 and series(base, slope, context, growth, steps - 1) >= ticks:
        steps -= 1
    return steps


@inline
def leap(table: Table, limits: IntArray, batch: int, context: int, most: int, ticks: int) -> tuple[int, int]:
    """Return steps and their ticks: *most* decode steps, or the fewest that take at least *ticks*."""
    knots, growth = table.knots, batch * limits[GROWTH]
    last = len(knots) - 2
    piece, steps, spent = 0, 0, 0
    while steps < most and spent < ticks:
        while piece < last and knots[piece + 1] * batch < context + growth:
            piece += 1
        count = most - steps
        if piece < last:
            count = min(count, (knots[piece + 1] * batch - context) // growth)
        base, slope = table.pieces[0, batch, piece], table.pieces[1, batch, piece]
        took = series(base, slope, context, growth, count)
        if spent + took >= ticks:
            count = least_steps(base, slope, context, growth, count, ticks - spent)
            took = series(base, slope, context, growth, count)
        steps += count
        spent += took
        context += count * growth
    return steps, spent


@rare
def spread_gaps(slots: Slots, base: int, slope: int, context: int, growth: int, steps: int, batch: int) -> None:
    """Count steps of one linear piece, which get longer by the same time each, in the bins of their times."""
    step, rise = 1, slope * growth
    while step <= steps:
        own = gap_bin(base + slope * context + step * rise)
        last = steps if rise <= 0 else min(steps, (gap_edge(own + 1) - 1 - base - slope * context) // rise)
        slots.gaps[own] += (last - step + 1) * batch
        step = last + 1


@inline
def count_gaps(slots: Slots, table: Table, limits: IntArray, batch: int, context: int, steps: int, ticks: int) -> None:
    """Count the tokens of decode steps, of so many ticks in all, by the time of their step."""
    if steps == 1:
        slots.gaps[gap_bin(ticks)] += batch
        return
    knots, growth = table.knots, batch * limits[GROWTH]
    last = len(knots) - 2
    piece = 0
    while steps > 0:
        while piece < last and knots[piece + 1] * batch < context + growth:
            piece += 1
        count = steps if piece == last else min(steps, (knots[piece + 1] * batch - context) // growth)
        base, slope = table.pieces[0, batch, piece], table.pieces[1, batch, piece]
        own = gap_bin(base + slope * (context + growth))
        if own == gap_bin(base + slope * (context + count * growth)):
            slots.gaps[own] += count * batch
        else:
            spread_gaps(slots, base, slope, context, growth, count, batch)
        steps -= count
        context += count * growth


@inline
def added_ticks(table: Table, batch: int, tokens: int) -> int:
    """Return what prompt tokens add to a decode step of a batch, attention apart."""
    row = 0
    while table.rows[row] < batch:
        row += 1
    ticks = int(table.by_tokens[0, tokens + batch] + table.mixed[row, tokens])
    if table.rows[row] == batch:
        return ticks
    less = int(table.mixed[row - 1, tokens] - table.mixed[row, tokens])
    near, far = int(table.rows[row - 1]), int(table.rows[row])
    return ticks + less * (far - batch) // (far - near)


@inline
def steps_in_cache(slots: Slots, limits: IntArray, batch: int, step: int, free: int, most: int) -> int:
    """Return how many steps, at most *most*, the free blocks last."""
    period = limits[PERIOD]
    if batch * (most // period + 1) <= free:
        return most
    steps = free // batch * period
    left = free % batch
    phase = -(step + steps) % period
    for _ in range(period):
        left -= slots.phases[phase]
        if left < 0 or steps >= most:
            break
        steps += 1
        phase = phase - 1 if phase > 0 else period - 1
    return min(steps, most)


@inline
def blocks_taken(slots: Slots, limits: IntArray, batch: int, step: int, steps: int) -> int:
    """Return the blocks that so many steps take."""
    period = limits[PERIOD]
    taken = batch * (steps // period)
    phase = -step % period
    for _ in range(steps % period):
        taken += slots.phases[phase]
        phase = phase - 1 if phase > 0 else period - 1
    return taken
