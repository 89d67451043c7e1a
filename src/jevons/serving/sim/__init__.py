"""Event simulation of continuous batching: loads, traces, step tables, and what users of a deployment see."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import jevons

if TYPE_CHECKING:
    from jevons.serving.sim.fleet.run import FLEET_ROUTINGS, simulate_fleet
    from jevons.serving.sim.fleet.types import (
        Admission,
        Autoscale,
        Bill,
        Failures,
        FleetCounts,
        FleetResult,
        FleetSeries,
        Kind,
        KindShare,
        ModelShare,
        Offline,
        OfflineShare,
        RateLimit,
        Routing,
    )
    from jevons.serving.sim.load.arrivals import (
        RATED,
        STAGED,
        Bursts,
        Day,
        Pattern,
        Stage,
        arrival_times,
        arrivals_in_words,
        stage_requests,
    )
    from jevons.serving.sim.load.classes import ClassSpec, LoadSpec, Mix, generate_mix, read_load
    from jevons.serving.sim.load.generate import ARRIVALS, Load, from_trace, generate, stream, thinned, without_prefixes
    from jevons.serving.sim.load.parts import Course, can_stream, course
    from jevons.serving.sim.load.repeats import Repeats
    from jevons.serving.sim.load.traces import Trace, read_trace
    from jevons.serving.sim.replica.disaggregated import Pool, PoolUse, SplitResult, hand_over_s, simulate_split
    from jevons.serving.sim.replica.run import ROUTINGS, simulate
    from jevons.serving.sim.replica.step_table import TABULATED_BATCHES, constant_table, limits_of, step_table
    from jevons.serving.sim.replica.streamed import Streamed, simulate_streamed
    from jevons.serving.sim.series import (
        ClassResult,
        Latencies,
        Series,
        by_class,
        distributions,
        latencies,
        time_series,
    )
    from jevons.serving.sim.types import (
        Counts,
        LatencySpreads,
        Occupancy,
        Overload,
        Requests,
        SimLimits,
        SimResult,
        Spread,
        StepTable,
        Throughput,
        Timing,
        Trail,
        WholeRun,
        Work,
    )

__all__ = [
    "ARRIVALS",
    "FLEET_ROUTINGS",
    "RATED",
    "ROUTINGS",
    "STAGED",
    "TABULATED_BATCHES",
    "Admission",
    "Autoscale",
    "Bill",
    "Bursts",
    "ClassResult",
    "ClassSpec",
    "Counts",
    "Course",
    "Day",
    "Failures",
    "FleetCounts",
    "FleetResult",
    "FleetSeries",
    "Kind",
    "KindShare",
    "Latencies",
    "LatencySpreads",
    "Load",
    "LoadSpec",
    "Mix",
    "ModelShare",
    "Occupancy",
    "Offline",
    "OfflineShare",
    "Overload",
    "Pattern",
    "Pool",
    "PoolUse",
    "RateLimit",
    "Repeats",
    "Requests",
    "Routing",
    "Series",
    "SimLimits",
    "SimResult",
    "SplitResult",
    "Spread",
    "Stage",
    "StepTable",
    "Streamed",
    "Throughput",
    "Timing",
    "Trace",
    "Trail",
    "WholeRun",
    "Work",
    "arrival_times",
    "arrivals_in_words",
    "by_class",
    "can_stream",
    "constant_table",
    "course",
    "distributions",
    "from_trace",
    "generate",
    "generate_mix",
    "hand_over_s",
    "latencies",
    "limits_of",
    "read_load",
    "read_trace",
    "simulate",
    "simulate_fleet",
    "simulate_split",
    "simulate_streamed",
    "stage_requests",
    "step_table",
    "stream",
    "thinned",
    "time_series",
    "without_prefixes",
]

_HOMES = {
    "fleet.run": ("FLEET_ROUTINGS", "simulate_fleet",),
    "fleet.types": ("Admission", "Autoscale", "Bill", "Failures", "FleetCounts", "FleetResult", "FleetSeries",
        "Kind", "KindShare", "ModelShare", "Offline", "OfflineShare", "RateLimit", "Routing",),
    "load.arrivals": ("RATED", "STAGED", "Bursts", "Day", "Pattern", "Stage", "arrival_times",
        "arrivals_in_words", "stage_requests",),
    "load.classes": ("ClassSpec", "LoadSpec", "Mix", "generate_mix", "read_load",),
    "load.generate": ("ARRIVALS", "Load", "from_trace", "generate", "stream", "thinned", "without_prefixes",),
    "load.parts": ("Course", "can_stream", "course",),
    "load.repeats": ("Repeats",),
    "load.traces": ("Trace", "read_trace",),
    "replica.disaggregated": ("Pool", "PoolUse", "SplitResult", "hand_over_s", "simulate_split",),
    "replica.run": ("ROUTINGS", "simulate",),
    "replica.step_table": ("TABULATED_BATCHES", "constant_table", "limits_of", "step_table",),
    "replica.streamed": ("Streamed", "simulate_streamed",),
    "series": ("ClassResult", "Latencies", "Series", "by_class", "distributions", "latencies", "time_series",),
    "types": ("Counts", "LatencySpreads", "Occupancy", "Overload", "Requests", "SimLimits", "SimResult", "Spread",
        "StepTable", "Throughput", "Timing", "Trail", "WholeRun", "Work",),
}  # fmt: skip
"""Modules by what they give: loaded on first use, for those that compile take half a second to load."""


def __getattr__(name: str) -> Any:
    """Load a name on first use."""
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise jevons.unknown(__name__, name, __all__)
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> Any:
    """Return the public names."""
    return __all__
