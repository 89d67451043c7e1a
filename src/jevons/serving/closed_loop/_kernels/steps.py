"""How long a step takes, between the points of a grid, and how the gaps between tokens are counted (numba only)."""

from __future__ import annotations

import numpy as np

from jevons.serving.closed_loop._kernels.arguments import GAP_BINS, StepTimes, inline
from jevons.serving.types import FloatArray

GAP_LOW_S, GAP_HIGH_S = 1e-4, 1e3


@inline
def _position(grid: FloatArray, value: float) -> tuple[int, float]:
    """Return the interval of an ascending grid that holds a value, and where in it; beyond the ends it extrapolates."""
    low, high = 0, grid.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] <= value:
            low = middle
        else:
            high = middle
    share: float = (value - grid[low]) / (grid[low + 1] - grid[low])
    return low, share


@inline
def decode_s(times: StepTimes, batch: float, context: float) -> tuple[float, float]:
    """Return the time of a decode step of requests of a mean context, and by how much a token more in each adds."""
    at, share = _position(times.batches, batch)
    base = times.base_s[at] + share * (times.base_s[at + 1] - times.base_s[at])
    slope = times.slope_s[at] + share * (times.slope_s[at + 1] - times.slope_s[at])
    return base + slope * context, slope


@inline
def prompt_s(times: StepTimes, tokens: float, beside: float) -> float:
    """Return the time of a step with prompt tokens; never below that of the grid's fewest."""
    i, u = _position(times.tokens, max(tokens, times.tokens[0]))
    j, v = _position(times.beside, beside)
    low = times.prompt_s[i, j] + v * (times.prompt_s[i, j + 1] - times.prompt_s[i, j])
    high = times.prompt_s[i + 1, j] + v * (times.prompt_s[i + 1, j + 1] - times.prompt_s[i + 1, j])
    time_s: float = low + u * (high - low)
    return time_s


@inline
def steps_s(steps: int, step_s: float, slope_s: float) -> float:
    """Return the time of steps, each longer than the one before by the slope."""
    return steps * step_s + slope_s * steps * (steps - 1) / 2.0


@inline
def steps_until(gap_s: float, step_s: float, slope_s: float) -> int:
    """Return how many steps, each longer than the one before by the slope, it takes for a time to pass."""
    if gap_s <= 0.0:
        return 0
    steps = int(np.ceil(gap_s / step_s))
    if slope_s > 0.0:
        least = step_s - slope_s / 2.0
        steps = int(np.ceil((np.sqrt(least * least + 2.0 * slope_s * gap_s) - least) / slope_s))
    while steps > 1 and steps_s(steps - 1, step_s, slope_s) >= gap_s:
        steps -= 1
    while steps_s(steps, step_s, slope_s) < gap_s:
        steps += 1
    return steps


@inline
def count_gap(gaps: FloatArray, gap_s: float, tokens: float) -> None:
    """Count tokens that came after a gap, in bins of equal ratio."""
    scale = (GAP_BINS - 1) / np.log(GAP_HIGH_S / GAP_LOW_S)
    place = int(np.log(max(gap_s, GAP_LOW_S) / GAP_LOW_S) * scale)
    gaps[min(place, GAP_BINS - 1)] += tokens
