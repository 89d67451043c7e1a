"""One run of a load test, as any tool reports it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LATENCIES = ("ttft_s", "tpot_s", "itl_s", "e2e_s")
STATISTICS = ("mean", "p50", "p90", "p95", "p99")
OFFLINE = frozenset({"trtllm-bench", "vllm bench throughput", "sglang.bench_offline_throughput"})
"""Tools that hand requests to the engine itself, without a server between."""
ENGINE_LOG = "the engine's log"
"""Lines that an engine logs while it serves: figures of a steady load."""
RATES = ("output_tok_per_s", "total_tok_per_s", "req_per_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """What a load test measured, and under which load.

    Parameters
    ----------
    make : str
        Tool that wrote it, such as ``vllm bench serve``.
    model, gpu, engine, version : str
        As the file names them; empty where it does not.
    gpus : int or None
        Accelerators of the whole deployment.
    degrees : mapping of str to int
        ``tp``, ``pp``, ``ep``, ``dp``, where stated.
    isl, osl : float or None
        Mean input and output tokens of a request, as counted, else as asked for.
    requests : int or None
        Answered requests.
    rate_req_per_s : float or None
        Arrivals of an open loop; infinite where all were sent at once.
    users : int or None
        Requests at once of a closed loop.
    figures : mapping of str to float
        ``output_tok_per_s``, ``req_per_s``, ``total_tok_per_s``, ``duration_s``, and of each latency its statistics,
        such as ``ttft_s.mean`` [s].
    serve : str
        Launch line of the server, where the file has one.
    precision : str
        Precision of the weights, where the file names it.
    """

    make: str
    model: str = ""
    gpu: str = ""
    engine: str = ""
    version: str = ""
    gpus: int | None = None
    degrees: Mapping[str, int] = field(default_factory=dict)
    isl: float | None = None
    osl: float | None = None
    requests: int | None = None
    rate_req_per_s: float | None = None
    users: int | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    serve: str = ""
    precision: str = ""

    @property
    def load(self) -> str:
        """The load in words, as the tables of measured rows have it."""
        if self.users:
            return f"concurrency {self.users}"
        if self.rate_req_per_s is None:
            return ""
        if math.isinf(self.rate_req_per_s):
            return "inf (offline)" if self.make in OFFLINE else "inf"
        return f"{self.rate_req_per_s:g} req/s"


def number(value: Any) -> float | None:
    """Return a number, also one that is written as text; None of what is none, infinite ones included."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        figure = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(figure) else figure


def finite(value: Any) -> float | None:
    """Return a finite number above zero, None of what is none."""
    figure = number(value)
    return figure if figure is not None and 0.0 < figure < math.inf else None


def whole(value: Any) -> int | None:
    """Return a whole number above zero, None of what is none."""
    figure = finite(value)
    return None if figure is None else round(figure) or None


def cleaned(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that are finite numbers above zero."""
    cleaned_figures = {name: finite(value) for name, value in figures.items()}
    return {name: value for name, value in cleaned_figures.items() if value is not None}


def load_of(rate: Any, users: Any) -> tuple[float | None, int | None]:
    """Return the rate of an open loop and the users of a closed one: a limit on users closes the loop of a burst."""
    stated, limit = number("inf" if str(rate).lower() in {"inf", "infinity"} else rate), whole(users)
    stated = None if stated is not None and stated <= 0 else stated
    if limit is not None and (stated is None or math.isinf(stated)):
        return None, limit
    return stated, None
