"""A simulation beside what a load test measured of the same load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.results import Column, Table, table
from jevons.serving.measured import ENGINE_LOG, LATENCIES, STATISTICS, MeasuredRun, read_runs
from jevons.sizing.simulation_tables import LATENCIES as LABELS
from jevons.sizing.simulation_tables import interval_of

_RATES = {
    "req_per_s": ("throughput", "req/s"), "output_tok_per_s": ("output throughput", "tok/s"),
    "total_tok_per_s": ("total throughput", "tok/s"),
}  # fmt: skip
_LOADS = ("rate", "concurrency", "trace", "load", "rate_stages", "sweep_rates")


def run_of(path: Path, mapping: Mapping[str, str], rate: float | None, users: int | None) -> MeasuredRun:
    """Return the run of a load test's file that is set beside a prediction.

    Raises
    ------
    InputError
        If the file holds several and none, or several, of that load; the message names their loads.
    """
    runs = read_runs(path, mapping)
    if len(runs) == 1:
        return runs[0]
    same = [run for run in runs if (rate is not None and run.rate_req_per_s == rate) or (users and run.users == users)]
    if len(same) == 1:
        return same[0]
    loads = list(dict.fromkeys(run.load or "no load" for run in runs))
    message = (
        f"--measured {path}: holds {len(runs)} runs ({', '.join(loads[:8])}{', …' if len(loads) > 8 else ''}). Say "
        "which by --rate or --concurrency; `jevons validate` takes them all"
    )
    raise InputError(message)


def arguments_of(run: MeasuredRun, given: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """Return the arguments of `jevons.simulate` that a run states, those given otherwise left out.

    Raises
    ------
    InputError
        If neither the run nor the caller states a load.
    """
    arguments: dict[str, Any] = {
        "model": run.model or None, "gpu": run.gpu or None, "gpus": run.gpus, "requests": run.requests,
        "isl": run.isl and max(round(run.isl), 1), "osl": run.osl and max(round(run.osl), 1),
        "engine": run.engine if run.engine and not given.get("serve") else None,
        "precision": run.precision or None, **run.degrees,
    }  # fmt: skip
    if not any(given.get(name) is not None for name in _LOADS):
        if run.users:
            arguments["concurrency"] = run.users
        elif run.rate_req_per_s is not None and math.isinf(run.rate_req_per_s):
            arguments["arrivals"] = "at_once"
        elif run.rate_req_per_s is not None:
            arguments["rate"] = run.rate_req_per_s
        elif given.get("arrivals") != "at_once":
            message = (
                "--measured: the file states no load; add --rate or --concurrency, or --arrivals at_once where all "
                "requests were sent at once"
            )
            raise InputError(message)
    unsaid = [name for name in ("isl", "osl") if arguments[name] is None and given.get(name) is None]
    if unsaid and all(given.get(name) is None for name in ("trace", "load", "lengths_from")):
        added = " and ".join(f"--{name}" for name in unsaid)
        message = f"--measured: the file states no lengths of requests; add {added}"
        raise InputError(message)
    if given.get("trace") is not None or given.get("load") is not None:
        for name in ("isl", "osl", "requests"):
            arguments[name] = None
    if given.get("replicas") is not None:
        arguments["gpus"] = None
    return {name: (value, run.make) for name, value in arguments.items() if value is not None and name not in given}


def beside(record: Mapping[str, Any], run: MeasuredRun) -> list[dict[str, Any]]:
    """Return each measured figure with its prediction, ends of its 80 % interval, and measured over predicted."""
    rows = []
    rates = record["steady"] if run.make == ENGINE_LOG else record
    for name, value in run.figures.items():
        latency, _, statistic = name.partition(".")
        low: float | None = None
        high: float | None = None
        predicted: float | None
        if latency in LATENCIES and statistic in STATISTICS:
            spread = record[latency]
            predicted = None if spread is None else spread[statistic]
            low, high = interval_of(record, latency, statistic)
        elif name == "duration_s":
            predicted = record["wall_s"]
        elif name == "total_tok_per_s":
            predicted = rates["output_tok_per_s"] + rates["req_per_s"] * record["mean_isl"]
        elif name == "kv_cache_tokens":
            predicted = record["memory"]["kv_tokens"]
        elif name in _RATES:
            predicted = rates[name]
        else:
            continue
        rows.append({
            "figure": name, "predicted": predicted, "low": low, "high": high, "measured": value,
            "ratio": value / predicted if predicted else None,
        })  # fmt: skip
    return rows


def beside_table(rows: Sequence[Mapping[str, Any]], run: MeasuredRun) -> Table:
    """Return the table of predictions beside measurements."""
    columns = [
        Column("figure", "figure"), Column("unit", "unit"), Column("predicted", "predicted"),
        Column("low", "80 % low"), Column("high", "80 % high"), Column("measured", "measured"),
        Column("difference_frac", "measured minus predicted", "%", scale=100.0),
    ]  # fmt: skip
    cells = []
    for row in rows:
        label, unit, scale = _shown(row["figure"])
        values = [None if row[name] is None else scale * row[name] for name in ("predicted", "low", "high", "measured")]
        cells.append((label, unit, *values, None if row["ratio"] is None else row["ratio"] - 1.0))
    return table("measured", f"Beside {run.make}", columns, cells)


def _shown(name: str) -> tuple[str, str, float]:
    latency, _, statistic = name.partition(".")
    if latency in LABELS:
        return f"{LABELS[latency]} {statistic}", "ms", 1e3
    if name == "duration_s":
        return "duration", "s", 1.0
    if name == "kv_cache_tokens":
        return "KV cache", "tokens", 1.0
    return *_RATES[name], 1.0
