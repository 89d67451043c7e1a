"""What a simulation and a fleet are asked for; `jevons.simulate` says what each means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jevons.options import ISL_TOKENS, OSL_TOKENS
from jevons.parts import Grouped, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    """What only a fleet has; times in seconds but for *mtbf*, in hours; None for what is not asked for."""

    routing: str | None = None
    stale: float | None = None
    slack: int | None = None
    autoscale: str | None = None
    target: float | None = None
    cold_start: float | None = None
    mtbf: float | None = None
    repair: float | None = None
    retries: int | None = None
    queue_limit: int | None = None
    rate_limit: str | None = None
    offline_requests: int | None = None
    offline_below: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices(Part):
    """Which accelerators, how many, and how models are spread over them."""

    gpu: str = "h100_sxm"
    gpus: int | None = None
    tp: int | None = None
    pp: int | None = None
    ep: int | None = None
    dp: int | None = None
    dp_attention: bool = False
    replicas: int | None = None
    routing: str = "round_robin"
    prefill_replicas: int | None = None
    prefill_tp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Part):
    """The engine and its settings."""

    engine: str = "vllm"
    precision: str = "native"
    kv_precision: str = "bf16"
    kv_tokens: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    max_model_len: int | None = None
    memory_frac: float | None = None
    eager: bool = False
    prefix_cache: bool = False
    host_gb: float = 0.0
    swap: bool = False
    draft_tokens: int = 0
    draft_acceptance: float | None = None
    changed: tuple[tuple[str, float | str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving(Part):
    """How many requests come, and when."""

    rate: float | None = None
    requests: int | None = None
    arrivals: str = "poisson"
    cv: float | None = None
    rate_stages: str | None = None
    concurrency: int | None = None
    think: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLengths(Part):
    """Tokens of the requests, and how their prompts begin."""

    isl: int = ISL_TOKENS
    osl: int = OSL_TOKENS
    isl_cv: float = 0.0
    osl_cv: float = 0.0
    prompts: int | None = None
    system_tokens: int = 0
    lengths_from: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Part):
    """Files that state the requests, in place of a law."""

    trace: Path | None = None
    mapping: Mapping[str, str] | None = None
    load: Path | None = None
    speed: float | None = None
    keep: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyLimits(Part):
    """Latencies that a request has to meet."""

    ttft: float | None = None
    tpot: float | None = None
    e2e: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation(Grouped):
    """What is simulated; times in seconds, None for what model, device and engine say.

    Parameters
    ----------
    devices : Devices
        Which accelerators, how many, and how models are spread over them.
    server : Server
        The engine and its settings.
    arriving : Arriving
        How many requests come, and when.
    lengths : RequestLengths
        Tokens of the requests, and how their prompts begin.
    recorded : Recorded
        Files that state the requests, in place of a law.
    limits : LatencyLimits
        Latencies that a request has to meet.
    """

    model: str
    devices: Devices = Devices()
    server: Server = Server()
    arriving: Arriving = Arriving()
    lengths: RequestLengths = RequestLengths()
    recorded: Recorded = Recorded()
    limits: LatencyLimits = LatencyLimits()
    seed: int = 0
    as_of: dt.date | None = None
    calibration: Path | None = None
