"""The measured runs nearest to a prediction, as sentences, a table and JSON."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.errors import InputNote
from jevons.results import Column, Table, table
from jevons.serving.neighbours import Measured, nearest, taken_as_newer
from jevons.words import Sentence

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import Requests


def nearest_to(
    deployment: Deployment, requests: Requests, at_once: float = 0.0, *, apart: bool = False
) -> tuple[Measured, ...]:
    """Return the measured runs nearest to a deployment under simulated requests, so many of them at once."""
    return nearest(deployment, float(requests.isl.mean()), float(requests.osl.mean()), at_once, apart=apart)


def warn_of_release(engine: str, calibration: Path | None) -> None:
    """Warn where a stated release is older than all that were measured and nothing else is known of it."""
    doubt = None if calibration is not None else taken_as_newer(engine)
    if doubt is not None:
        warnings.warn(doubt, InputNote, stacklevel=3)


def nearest_sentence(runs: Sequence[Measured]) -> Sentence:
    """Return what was measured nearest, and how far a prediction was that had not seen it."""
    if not runs:
        return Sentence("nearest.none")
    one = runs[0]
    errors = {name: one.errors.get(name) for name in ("ttft", "tpot", "rate")}
    return Sentence("nearest.run", {"run": one.words(), "source": one.source, "figures": one.figures, **errors})


def nearest_table(runs: Sequence[Measured]) -> Table:
    """Return the nearest measured runs with the errors of predictions."""
    columns = (
        Column("run", "measured run"), Column("source", "source"), Column("isl", "in", "tokens"),
        Column("osl", "out", "tokens"), Column("load", "load"), Column("figures", "figures"),
        Column("ttft_error", "TTFT error", "%", scale=100.0), Column("tpot_error", "TPOT error", "%", scale=100.0),
        Column("rate_error", "throughput error", "%", scale=100.0),
    )  # fmt: skip
    rows = [
        (
            run.words(), run.source, run.isl, run.osl, _load(run), run.figures,
            *(run.errors.get(name) for name in ("ttft", "tpot", "rate")),
        )
        for run in runs
    ]  # fmt: skip
    title = "Nearest measured runs: error of predictions made without them, predicted over measured"
    return table("nearest", title, columns, rows, detail=True)


def nearest_records(runs: Sequence[Measured]) -> list[dict[str, Any]]:
    """Return the documented JSON objects."""
    return [run.record() for run in runs]


def _load(run: Measured) -> str:
    ends = [f"{run.least_load:,.4g}", f"{run.most_load:,.4g}"]
    return f"{' to '.join(dict.fromkeys(ends))} {'req/s' if run.open_loop else 'at once'}"
