"""Prefill, decode and batching of a served model: step times, memory, operating points and layout search."""

import sys
from typing import Any

import jevons
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.engines import engine, engine_names
from jevons.serving.memory import kv_bytes_per_request, kv_capacity_tokens, memory_use
from jevons.serving.search import (
    REFINED,
    Candidate,
    Rejection,
    SearchResult,
    Survey,
    full_preference,
    layouts,
    nothing_feasible,
    search_layouts,
    stages_fill_servers,
    survey,
)
from jevons.serving.static_point import (
    LatencyError,
    StaticCurve,
    best_static_point,
    device_seconds_per_call,
    point_at_load,
    static_curve,
    static_point,
)
from jevons.serving.step import entry_time_s, step_time
from jevons.serving.types import Deployment, DeviceSeconds, Layout, MemoryUse, Settings, StaticPoint, StepTime, Workload

__all__ = [
    "REFINED",
    "Candidate",
    "Deployment",
    "DeviceSeconds",
    "EngineFactors",
    "LatencyError",
    "Layout",
    "MemoryUse",
    "Rejection",
    "SearchResult",
    "Settings",
    "StaticCurve",
    "StaticPoint",
    "StepTime",
    "Survey",
    "Workload",
    "best_static_point",
    "device_seconds_per_call",
    "engine",
    "engine_names",
    "entry_time_s",
    "full_preference",
    "kv_bytes_per_request",
    "kv_capacity_tokens",
    "layouts",
    "memory_use",
    "nothing_feasible",
    "point_at_load",
    "search_layouts",
    "stages_fill_servers",
    "static_curve",
    "static_point",
    "step_time",
    "survey",
]

sys.modules[__name__].__class__ = jevons.Part


def __getattr__(name: str) -> Any:
    """Answer a name that is not here with one that is."""
    raise jevons.unknown(__name__, name, __all__)


def __dir__() -> Any:
    """Return the public names."""
    return __all__
