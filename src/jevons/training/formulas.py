"""Formulas of pipelines and hidden communication: plain functions on floats."""

from __future__ import annotations

import math

_ZERO_BUBBLE_FRAC = 1.0 / 3.0  # handcrafted schedule with the memory of 1F1B, [qi2023]_


def exposed_s(comm_s: float, busy_s: float, overlap_frac: float, cores_frac: float = 0.0) -> float:
    """Return the time that communication adds to computation which hides some of it [s].

    Parameters
    ----------
    comm_s, busy_s : float
        Communication, and the computation it may hide behind [s].
    overlap_frac : float
        Share of the shorter of the two that overlaps, in 0..1.
    cores_frac : float
        Share of the device's cores that communication holds meanwhile, by which computation is slower, in 0..1.

    Notes
    -----
    ``comm - (1 - cores) * overlap * min(comm, busy)``.
    """
    return comm_s - (1.0 - cores_frac) * overlap_frac * min(comm_s, busy_s)


def gap_s(host_s: float, busy_s: float) -> float:
    """Return the time that a device waits for launches of its host, which runs ahead of it where it can [s].

    Parameters
    ----------
    host_s, busy_s : float
        What the host takes to launch the work, and the device to do it [s], >= 0.

    Notes
    -----
    ``hypot(host, busy) - busy``: the longer of the two where one is far longer. Where they are near, kernels that are
    shorter than their launches wait, and those that are longer do not.

    Examples
    --------
    >>> gap_s(3.0, 4.0)
    1.0
    """
    return math.hypot(host_s, busy_s) - busy_s


def bubble_s(stage_s: float, stages: int, virtual: int, *, zero_bubble: bool = False) -> float:
    """Return the time a pipeline takes to fill and drain [s].

    Parameters
    ----------
    stage_s : float
        Forward and backward of one micro-batch on one stage [s].
    stages, virtual : int
        Pipeline stages, and virtual stages per device, >= 1.
    zero_bubble : bool
        Whether gradients of weights fill the drain.

    Notes
    -----
    ``(stages - 1) / virtual * stage`` for 1F1B and its interleaved form; a third of it with zero-bubble schedules when
    forward, input gradients and weight gradients take equal times.

    References
    ----------
    [narayanan2021]_, [qi2023]_
    """
    full = (stages - 1) * stage_s / virtual
    return full * _ZERO_BUBBLE_FRAC if zero_bubble else full


def slowest_stage_s(layer_s: float, head_s: float, layers: int, stages: int) -> float:
    """Return the time of the slowest stage when layers are whole and the head may have fewer beside it [s].

    Examples
    --------
    >>> slowest_stage_s(1.0, 2.0, 126, 16)  # 15 stages of 8 layers, 6 layers and the head on the last
    8.0
    """
    if stages == 1:
        return layers * layer_s + head_s
    best = math.inf
    for last in range(math.ceil(layers / stages) + 1):
        others = math.ceil((layers - last) / (stages - 1))
        best = min(best, max(others * layer_s, last * layer_s + head_s))
    return best


def odd_part(count: int) -> int:
    """Return what is left of a number that is halved as often as it can be.

    Examples
    --------
    >>> odd_part(72), odd_part(64)
    (9, 1)
    """
    return count // (count & -count)
