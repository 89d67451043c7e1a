"""Tables that results of simulations share, from their documented records."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jevons.results import Cell, Column, Table, number, table
from jevons.serving.spread import spread
from jevons.words import Sentence

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import FleetResult, SimResult

STATISTICS = ("mean", "p50", "p90", "p95", "p99")
LATENCIES = {"ttft_s": "TTFT", "tpot_s": "TPOT", "itl_s": "ITL", "e2e_s": "E2E latency"}
INTERVALS = {
    "ttft": ("ttft_s",), "tpot": ("tpot_s", "itl_s"), "e2e": ("e2e_s",),
    "rate": ("capacity_req_per_s", "cost_per_mtok", "cost_per_output_mtok"),
}  # fmt: skip
"""Figures of a run that have the interval of each quantity of `jevons.serving.spread`."""
QUANTITY = (
    Column("quantity", "quantity"), Column("value", "value"), Column("unit", "unit"),
    Column("note", "note", detail=True),
)  # fmt: skip
_FEW = 8

Record = Mapping[str, Any]
Quantity = tuple[str, float | int | None, str, str]


def latency_table(record: Record, title: str) -> Table:
    """Return mean and percentiles of each latency."""
    columns = [
        Column("latency", "latency"), *(Column(f"{name}_s", name, "ms", scale=1e3) for name in STATISTICS),
        Column("mean_low_s", "low", "ms", scale=1e3), Column("mean_high_s", "high", "ms", scale=1e3),
    ]  # fmt: skip
    rows = []
    for key, label in LATENCIES.items():
        spread = record[key]
        values = [None if spread is None else spread[name] for name in STATISTICS]
        rows.append([label, *values, *interval_of(record, key, "mean")])
    return table("latency", f"{title}; low, high: 80 % interval of the mean", columns, rows)


def whole_and_steady(result: SimResult | FleetResult) -> dict[str, Any]:
    """Return latencies and rates as benchmarks count, and under ``steady`` those without ramp and drain."""

    def view(latency: Any, throughput: Any) -> dict[str, Any]:
        return {**dataclasses.asdict(latency), **dataclasses.asdict(throughput)}

    start, stop = result.timing.window_s
    steady = view(result.latency, result.throughput) | {"requests": result.counts.counted, "window_s": [start, stop]}
    return {
        **view(result.whole.latency, result.whole.throughput), "steady": steady, "wall_s": result.whole.wall_s,
        "end_s": result.timing.end_s, "computed_s": result.timing.wall_s, "compile_s": result.timing.compile_s,
        "edges": {"warm_up_s": start, "drain_s": max(result.timing.end_s - stop, 0.0)},
    }  # fmt: skip


_NEAR_FRAC = 0.05
"""Difference between the whole run and its steady part that is worth a line."""
_LEAST_TURNS = 0.5
"""Share of the time that a request takes, which the part between ramp and drain must last to show a rate."""


def steady_note(record: Record) -> tuple[Sentence, ...]:
    """Return in a sentence how far the steady part of a run lies from all of it, and why; nothing where it is near.

    A load that exceeds what is finished has no steady part, and a short run shows none.
    """
    if not record["stable"]:
        return ()
    steady, edges = record["steady"], record["edges"]
    start, stop = steady["window_s"]
    spread = record["e2e_s"]
    if spread is not None and stop - start < _LEAST_TURNS * spread["mean"]:
        lasts = {"window": number(stop - start), "request": number(spread["mean"])}
        return (Sentence("simulate.no_steady", lasts),)
    shown = (("output_tok_per_s", None, 1.0), ("ttft_s", "mean", 1e3), ("tpot_s", "mean", 1e3))
    apart = []
    for key, statistic, scale in shown:
        pair = [
            figures[key] if statistic is None or figures[key] is None else figures[key][statistic]
            for figures in (record, steady)
        ]
        if None not in pair and pair[0] > 0 and abs(pair[1] / pair[0] - 1.0) > _NEAR_FRAC:
            values = {"steady": number(scale * pair[1]), "whole": number(scale * pair[0])}
            apart.append(Sentence(f"simulate.steady_{key}", values))
    if not apart:
        return ()
    edge = {"ramp": number(edges["warm_up_s"]), "drain": number(edges["drain_s"])}
    return (Sentence("simulate.steady", {**edge, "apart": apart}),)


def intervals(deployments: Iterable[Deployment]) -> dict[str, dict[str, Any]]:
    """Return the 80 % interval of each figure of a run as ratios to it, by the figure's key, and what it rests on.

    Of several deployments the widest counts.

    Notes
    -----
    They say how far measurements of engines lie from predictions; see `jevons.serving.spread`. A cost moves against
    the rate.
    """
    ranges: dict[str, dict[str, Any]] = {}
    of_each = [(d.engine.name, d.accelerator.id, d.model.name) for d in deployments]
    for quantity, keys in INTERVALS.items():
        widest = max((spread(quantity, *names) for names in of_each), key=lambda one: one.high / one.low)
        for key in keys:
            turned = key.startswith("cost")
            low, high = (1.0 / widest.high, 1.0 / widest.low) if turned else (widest.low, widest.high)
            ranges[key] = {"low": low, "high": high, "why": widest.why}
    return ranges


def with_ends(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with ``x_low`` and ``x_high`` beside each figure ``x`` that has an interval of 80 %."""
    ends: dict[str, Any] = {}
    for key in record["intervals_80"]:
        value = record.get(key)
        if isinstance(value, Mapping):
            ends[key] = dict(value)
            for name in STATISTICS:
                ends[key][f"{name}_low"], ends[key][f"{name}_high"] = interval_of(record, key, name)
        elif value is not None:
            ends[f"{key}_low"], ends[f"{key}_high"] = interval_of(record, key)
    return record | ends


def interval_of(record: Record, key: str, statistic: str | None = None) -> tuple[float | None, float | None]:
    """Return the ends of the 80 % interval of a figure; None where it has none."""
    ratios, figure = record["intervals_80"].get(key), record[key]
    value = figure if statistic is None or figure is None else figure[statistic]
    return (None, None) if ratios is None or value is None else (value * ratios["low"], value * ratios["high"])


def span(record: Record, key: str, statistic: str | None = None, scale: float = 1.0) -> str:
    """Return the interval of a figure in words, such as `` [26–38]``; empty where it has none."""
    low, high = interval_of(record, key, statistic)
    return "" if low is None or high is None else f" [{number(scale * low)}–{number(scale * high)}]"


def failed_sentence(record: Record, rejected: int, lost: int) -> tuple[Sentence, ...]:
    """Return in a sentence how many requests got no answer; nothing where all did."""
    if rejected + lost == 0:
        return ()
    share = (rejected + lost) / max(record["requests"], 1)
    return (Sentence("simulate.failed", {"rejected": rejected, "lost": lost, "share": share}),)


def service_table(quantities: Sequence[Quantity]) -> Table:
    """Return throughput, cost and use, a quantity a row."""
    return table("service", "Throughput, cost and use", QUANTITY, quantities, most=_FEW)


def limits_text(slo: Mapping[str, float | None]) -> str:
    """Return the latency limits in words; empty where there are none."""
    return ", ".join(f"{LATENCIES[name]} <= {limit:g} s" for name, limit in slo.items() if limit is not None)


def latency_values(record: Record) -> dict[str, Any]:
    """Return throughput, 95th percentiles and cost with their intervals, for a sentence."""
    values: dict[str, Any] = {
        "rate": record["req_per_s"], "output": record["output_tok_per_s"], "cost": record["cost_per_mtok"],
        "currency": record["currency"],
    }  # fmt: skip
    values["cost_low"], values["cost_high"] = interval_of(record, "cost_per_mtok")
    for name in ("ttft", "tpot"):
        spread = record[f"{name}_s"]
        values[name] = None if spread is None else spread["p95"]
        values[f"{name}_low"], values[f"{name}_high"] = interval_of(record, f"{name}_s", "p95")
    return values


def class_table(classes: Sequence[Record]) -> Table:
    """Return what the requests of each class saw."""
    columns = [
        Column("class", "class"),
        Column("req_per_s", "finished", "req/s"),
        Column("output_tok_per_s", "output", "tok/s"),
        Column("good_frac", "within limits", "%", scale=100.0),
        Column("ttft_p50_s", "TTFT p50", "ms", scale=1e3),
        Column("ttft_p99_s", "TTFT p99", "ms", scale=1e3),
        Column("tpot_p50_s", "TPOT p50", "ms", scale=1e3),
        Column("tpot_p99_s", "TPOT p99", "ms", scale=1e3),
        Column("e2e_p50_s", "E2E p50", "s"),
        Column("e2e_p99_s", "E2E p99", "s"),
    ]

    def spreads(record: Record) -> Iterator[Cell]:
        for name in ("ttft_s", "tpot_s", "e2e_s"):
            for quantile in ("p50", "p99"):
                yield None if record[name] is None else record[name][quantile]

    rows = [
        (row["name"], row["req_per_s"], row["output_tok_per_s"], row["good_frac"], *spreads(row)) for row in classes
    ]  # fmt: skip
    return table("classes", "Classes of requests", columns, rows)


def sweep_table(points: Sequence[Record]) -> Table:
    """Return one row for each arrival rate."""
    columns = [
        Column("rate_req_per_s", "arrivals", "req/s"), Column("req_per_s", "finished", "req/s"),
        Column("goodput_req_per_s", "goodput", "req/s"), Column("output_tok_per_s", "output", "tok/s"),
        Column("ttft_p50_s", "TTFT p50", "ms", scale=1e3), Column("ttft_p99_s", "TTFT p99", "ms", scale=1e3),
        Column("tpot_p50_s", "TPOT p50", "ms", scale=1e3), Column("tpot_p99_s", "TPOT p99", "ms", scale=1e3),
        Column("utilisation_frac", "utilisation", "%", scale=100.0),
    ]  # fmt: skip
    currency = points[0]["currency"]
    columns += [Column("cost_per_mtok", "cost", f"{currency}/Mtok")] if currency else []
    columns += [Column("stable", "stable")]

    def time(point: Record, name: str, quantile: str) -> float | None:
        return None if point[name] is None else point[name][quantile]

    rows = [
        (
            p["rate"], p["req_per_s"], p["goodput_req_per_s"], p["output_tok_per_s"], time(p, "ttft_s", "p50"),
            time(p, "ttft_s", "p99"), time(p, "tpot_s", "p50"), time(p, "tpot_s", "p99"), p["utilisation_frac"],
            *([p["cost_per_mtok"]] if currency else []), p["stable"],
        )
        for p in points
    ]  # fmt: skip
    first = points[0]
    title = f"{first['requests']:,} requests at each rate on {first['replicas']} x tp{first['tp']} {first['gpu']}"
    return table("sweep", title, columns, rows)
