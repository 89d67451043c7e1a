"""Tables of operating points: every model on every accelerator, and one of them beside `jevons cost`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from jevons.results import Cell, Column, Table, table
from jevons.study.chain.operating_points import workload_of

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

_RATES = (
    Column("input_tok_per_s", "input tokens", "tok/s"), Column("output_tok_per_s", "output tokens", "tok/s"),
    Column("tok_per_s", "mix of tokens", "tok/s"),
)  # fmt: skip


def point_tables(result: PlanFigures) -> Iterator[Table]:
    """Yield each model's point on each accelerator, and the steps from the plan's service to those of others."""
    rows: list[Iterable[Cell]] = []
    for point in result.engineering.points:
        seconds = point.seconds
        if seconds is None or point.deployment is None:
            continue
        work = workload_of(result.scenario, point.model)
        layout = str(point.deployment).split(" on ")[-1]
        mix = (work.isl + work.osl) / (seconds.input_s + seconds.cached_s + seconds.output_s)
        rows.append((
            point.model, result.device_short(point.device), layout, work.isl, work.osl, work.cached_frac,
            *(1 / s if s > 0 else None for s in (seconds.per_input_token_s, seconds.per_output_token_s)), mix,
        ))  # fmt: skip
    columns = (
        Column("name", "model"), Column("device", "accelerator"), Column("layout", "layout"), Column("isl", "in"),
        Column("osl", "out"), Column("cached_frac", "cached", "%", scale=100), *_RATES,
    )  # fmt: skip
    title = "Operating points per accelerator, as modelled for the mean call; the plan divides by `engineering_error`"
    yield table("operating_points", title, columns, rows, detail=True)
    model, device, points = result.reconciled
    if points:
        heads = (Column("name", "service; each row changes one thing"), Column("layout", "layout"), *_RATES)
        steps = [(p.service, p.layout, p.input_tok_per_s, p.output_tok_per_s, p.tok_per_s) for p in points]
        of = f"{model} per {result.device_short(device)}"
        title = f"One operating point: {of}, from the service of the plan to those of other commands"
        yield table("reconciliation", title, heads, steps, detail=True)
