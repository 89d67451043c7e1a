"""What the client of a load test sees of the times of its requests."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np

from jevons.errors import SolverError
from jevons.serving.closed_loop._kernels import DONE, GAP_HIGH_S, GAP_LOW_S, Requests, Seen
from jevons.serving.closed_loop.types import Load, Outcome
from jevons.serving.types import Deployment, FloatArray

PERCENTILES = (50, 90, 95, 99)
_PIECES = 4096
"""Pieces drawn for the percentiles of their gaps."""


def check_done(status: int, deployment: Deployment) -> None:
    """Check that the loop over an engine's steps served all requests.

    Raises
    ------
    SolverError
        If it came to a stop before, which is a defect.
    """
    if status != DONE:
        message = f"{deployment}: the loop over engine steps came to a stop with requests left"
        raise SolverError(message)


def outcome_of(
    load: Load, requests: Requests, seen: Seen, batch: float, outside_s: float, *, gained: float = 1.0
) -> Outcome:
    """Return what a client sees of a run.

    Parameters
    ----------
    load : Load
        What was offered.
    requests : Requests
        What was served.
    seen : Seen
        When its tokens came.
    batch : float
        Mean requests decoding at once.
    outside_s : float
        Time of a request outside the engine [s].
    gained : float
        Mean tokens of an answer that one step brings, >= 1.
    """
    arrival_s, osl, first_s, last_s = requests.arrival_s, requests.osl, seen.first_s, seen.last_s
    if load.first_stall_s > 0.0 and load.users:
        late_s = np.where(np.arange(len(osl)) < load.users, 0.0, load.first_stall_s)
        arrival_s = arrival_s + late_s
        first_s, last_s = first_s + load.first_stall_s, last_s + load.first_stall_s
    duration_s = float(last_s.max() - arrival_s.min()) + outside_s
    several = osl > 1.0
    tpot_s = (last_s - first_s)[several] / (osl - 1.0)[several] if several.any() else np.zeros(1)
    full_until = float(first_s[-1]) if len(first_s) > 1 else float(last_s.max())
    finished = osl * np.clip((full_until - first_s) / np.maximum(last_s - first_s, 1e-9), 0.0, 1.0)
    return Outcome(
        ttft_s=_summary(first_s - arrival_s + outside_s, _weights(load)),
        tpot_s=_summary(tpot_s, _weights(load)[several] if several.any() else np.ones(1)),
        itl_s=_gap_summary(seen.gaps, float((last_s - first_s).sum() / max((osl - 1.0).sum(), 1.0)), gained, load),
        e2e_s=_summary(last_s - arrival_s + outside_s, _weights(load)),
        duration_s=duration_s,
        requests_per_s=len(osl) / duration_s,
        output_tok_per_s=float(osl.sum()) / duration_s,
        input_tok_per_s=float(requests.isl.sum()) / duration_s,
        steady_output_tok_per_s=float(finished.sum()) / max(full_until, 1e-9),
        batch=batch,
    )


def mean_outcome(outcomes: list[Outcome]) -> Outcome:
    """Return the mean of each figure of several outcomes of one load."""
    if len(outcomes) == 1:
        return outcomes[0]
    means: dict[str, Any] = {}
    for figure in fields(Outcome):
        values = [getattr(outcome, figure.name) for outcome in outcomes]
        if isinstance(values[0], dict):
            means[figure.name] = {name: float(np.mean([value[name] for value in values])) for name in values[0]}
        else:
            means[figure.name] = float(np.mean(values))
    return Outcome(**means)


def _weights(load: Load) -> FloatArray:
    weights = np.ones(load.requests)
    if load.warmed_up and load.requests > load.users > 0:
        weights[: load.users] = 0.0
    elif load.represents > load.requests > load.users > 0:
        weights[load.users :] = (load.represents - load.users) / (load.requests - load.users)
    return weights


def _summary(values: FloatArray, weights: FloatArray) -> dict[str, float]:
    percentiles = np.percentile(values[weights > 0.0], PERCENTILES)
    return {"mean": float(np.average(values, weights=weights))} | {
        f"p{p}": float(v) for p, v in zip(PERCENTILES, percentiles, strict=True)
    }


def _gap_summary(gaps: FloatArray, mean_s: float, gained: float, load: Load) -> dict[str, float]:
    """Mean and percentiles of the gaps between pieces of an answer, from the histogram of gaps by token.

    A step brings *gained* tokens at once, and a piece is as many steps as fill the server's stream interval: its gap is
    the sum of theirs, taken as independent.
    """
    edges = np.geomspace(GAP_LOW_S, GAP_HIGH_S, len(gaps))
    steps = max(math.ceil(load.stream_tokens / gained), 1)
    mean_s, total = mean_s * gained * steps, gaps.sum()
    if total <= 0.0:
        return {"mean": mean_s} | {f"p{p}": mean_s for p in PERCENTILES}
    if steps == 1:
        share = np.cumsum(gaps) / total
        return {"mean": mean_s} | {
            f"p{p}": gained * float(edges[int(np.searchsorted(share, p / 100.0))]) for p in PERCENTILES
        }
    drawn_s = np.random.default_rng(20240229).choice(edges, (_PIECES, steps), p=gaps / total).sum(axis=1)
    quantiles = np.percentile(drawn_s * gained, PERCENTILES)
    return {"mean": mean_s} | {f"p{p}": float(value) for p, value in zip(PERCENTILES, quantiles, strict=True)}
