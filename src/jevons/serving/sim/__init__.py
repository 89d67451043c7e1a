"""Event simulation of continuous batching: loads, traces, step tables, and what users of a deployment see."""

from jevons.serving.sim.fleet.run import FLEET_ROUTINGS, simulate_fleet
from jevons.serving.sim.fleet.types import (
    Admission,
    Autoscale,
    Failures,
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
from jevons.serving.sim.load.arrivals import RATED, STAGED, Bursts, Day, Pattern, Stage, arrival_times, stage_requests
from jevons.serving.sim.load.classes import ClassSpec, LoadSpec, Mix, generate_mix, read_load
from jevons.serving.sim.load.generate import ARRIVALS, Load, from_trace, generate, stream, thinned, without_prefixes
from jevons.serving.sim.load.repeats import Repeats
from jevons.serving.sim.load.traces import Trace, read_trace
from jevons.serving.sim.replica.disaggregated import Pool, PoolUse, SplitResult, hand_over_s, simulate_split
from jevons.serving.sim.replica.run import ROUTINGS, simulate
from jevons.serving.sim.replica.step_table import constant_table, limits_of, step_table
from jevons.serving.sim.series import ClassResult, Latencies, Series, by_class, energy_j, latencies, time_series
from jevons.serving.sim.types import Requests, SimLimits, SimResult, Spread, StepTable, Trail, Work

__all__ = [
    "ARRIVALS",
    "FLEET_ROUTINGS",
    "RATED",
    "ROUTINGS",
    "STAGED",
    "Admission",
    "Autoscale",
    "Bursts",
    "ClassResult",
    "ClassSpec",
    "Day",
    "Failures",
    "FleetResult",
    "FleetSeries",
    "Kind",
    "KindShare",
    "Latencies",
    "Load",
    "LoadSpec",
    "Mix",
    "ModelShare",
    "Offline",
    "OfflineShare",
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
    "Trace",
    "Trail",
    "Work",
    "arrival_times",
    "by_class",
    "constant_table",
    "energy_j",
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
    "stage_requests",
    "step_table",
    "stream",
    "thinned",
    "time_series",
    "without_prefixes",
]
