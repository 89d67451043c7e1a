"""Tables that results of simulations share, from their documented records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jevons.results import Cell, Column, Table, number, table

STATISTICS = ("mean", "p50", "p90", "p95", "p99")
LATENCIES = {"ttft_s": "TTFT", "tpot_s": "TPOT", "itl_s": "ITL", "e2e_s": "E2E latency"}
QUANTITY = (Column("quantity", "quantity"), Column("value", "value"), Column("unit", "unit"), Column("note", "note"))

Record = Mapping[str, Any]
Quantity = tuple[str, float | int | None, str, str]


def latency_table(record: Record, title: str) -> Table:
    """Return mean and percentiles of each latency."""
    columns = [Column("latency", "latency"), *(Column(f"{name}_s", name, "ms", scale=1e3) for name in STATISTICS)]
    rows = []
    for key, label in LATENCIES.items():
        spread = record[key]
        rows.append([label, *(None if spread is None else spread[name] for name in STATISTICS)])
    return table("latency", title, columns, rows)


def service_table(quantities: Sequence[Quantity]) -> Table:
    """Return throughput, cost and use, a quantity a row."""
    return table("service", "Throughput, cost and use", QUANTITY, quantities)


def limits_text(slo: Mapping[str, float | None]) -> str:
    """Return the latency limits in words; empty where there are none."""
    return ", ".join(f"{LATENCIES[name]} <= {limit:g} s" for name, limit in slo.items() if limit is not None)


def milliseconds(record: Record, key: str, statistic: str) -> str:
    """Return a latency in words, such as ``61.3 ms``."""
    spread = record[key]
    return "none" if spread is None else f"{number(1e3 * spread[statistic])} ms"


def latency_sentence(record: Record) -> str:
    """Return throughput and 95th percentiles in words."""
    text = (
        f"{number(record['req_per_s'])} req/s finished, {number(record['output_tok_per_s'])} output tok/s, "
        f"TTFT p95 {milliseconds(record, 'ttft_s', 'p95')}, TPOT p95 {milliseconds(record, 'tpot_s', 'p95')}"
    )
    if record["cost_per_mtok"] is not None:
        text += f", {number(record['cost_per_mtok'])} {record['currency']}/Mtok"
    return f"{text}."


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

    def spreads(one: Record) -> Iterator[Cell]:
        for name in ("ttft_s", "tpot_s", "e2e_s"):
            for quantile in ("p50", "p99"):
                yield None if one[name] is None else one[name][quantile]

    rows = [
        (one["name"], one["req_per_s"], one["output_tok_per_s"], one["good_frac"], *spreads(one)) for one in classes
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
        Column("cost_per_mtok", "cost", f"{points[0]['currency'] or 'money'}/Mtok"), Column("stable", "stable"),
    ]  # fmt: skip

    def time(point: Record, name: str, quantile: str) -> float | None:
        return None if point[name] is None else point[name][quantile]

    rows = [
        (
            p["rate"], p["req_per_s"], p["goodput_req_per_s"], p["output_tok_per_s"], time(p, "ttft_s", "p50"),
            time(p, "ttft_s", "p99"), time(p, "tpot_s", "p50"), time(p, "tpot_s", "p99"), p["utilisation_frac"],
            p["cost_per_mtok"], p["stable"],
        )
        for p in points
    ]  # fmt: skip
    first = points[0]
    title = f"{first['requests']:,} requests at each rate on {first['replicas']} x tp{first['tp']} {first['gpu']}"
    return table("sweep", title, columns, rows)
