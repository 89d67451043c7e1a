"""One measured row of serving as a case to predict."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.limits import CELL, ROW_DEVICES
from jevons.operators.engines import Place, Release, engine_fact, engine_number, release_of
from jevons.parts import Grouped, Part
from jevons.schema import shortened
from jevons.serving.closed_loop.types import Lengths
from jevons.serving.sim.load.repeats import Repeats
from jevons.serving.types import Layout

Row = Mapping[str, str]

LARGEST = float(CELL)
# Bounds that keep a run within minutes and memory; published runs lie far inside.
_LIMITS = (
    ("isl", 1, 1e7), ("osl", 1, 1e7), ("requests", 0, 1e6), ("users", 0, 1e5), ("rate_per_s", 0, 1e6),
    ("gpus", 0, ROW_DEVICES), ("replicas", 1, ROW_DEVICES), ("step_tokens", 0, 1e7), ("max_batch", 0, 1e6),
    ("memory_frac", 0, 1), ("draft_tokens", 0, 64), ("poll_steps", 0, 1e6), ("wait_steps", 0, 1e6),
    ("stream_tokens", 1, 1e3),
    ("prefill_workers", 0, 1e5), ("decode_workers", 0, 1e5), ("prefill_batch", 0, 1e6), ("prefill_seats", 0, 1e6),
    ("frontends", 1, 1e3),
    ("first_stall_s", 0, 3600), ("admit_more_s", 0, 60), ("token_s", 0, 1), ("accepted_tokens", 0, 65),
)  # fmt: skip


def benchmark(name: str) -> float:
    """Return what the rows of a benchmark leave unprinted: the fact ``serving_benchmark.<name>``."""
    return default_facts().get(f"serving_benchmark.{name}").number


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A benchmark task's lengths, and its limits on the 99th percentile by scenario [s]."""

    isl: Lengths
    osl: Lengths
    requests: int
    limits: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances(Part):
    """How the model is spread over devices, and how many copies of it serve.

    Parameters
    ----------
    layout, prefill : Layout
        Of an instance; of a prefill instance where prompts are processed apart.
    replicas : int
        Independent instances that share the load.
    prefill_workers, decode_workers, prefill_batch, prefill_seats : int
        Of a disaggregated deployment; 0 where prompts and decodes share devices.
    frontends : int
        Front ends of a disaggregated deployment, each with a router of its own.
    decoded_layout : bool
        Whether the table's layout was a product of sizes and had to be read as such.
    search : bool
        Whether the layout is not recorded, so that the best is taken.
    """

    layout: Layout
    replicas: int = 1
    prefill: Layout | None = None
    prefill_workers: int = 0
    decode_workers: int = 0
    prefill_batch: int = 0
    prefill_seats: int = 0
    frontends: int = 1
    decoded_layout: bool = False
    search: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler(Part):
    """How the engine composes its steps.

    Parameters
    ----------
    step_tokens, max_batch : int
        Limits given on the command line; 0 where none.
    memory_frac : float
        Share of memory given on the command line; 0 where none.
    draft_tokens : int
        Speculated tokens per step; 0 without speculation.
    poll_steps, wait_steps : int
        The scheduler looks for requests every so many steps; prompts wait so long for company.
    wait_frac : float
        Until they fill this share of a step.
    reserve_frac : float or None
        Share of its longest answer for which a request must find room in the cache; None for what the engine does.
    stream_tokens : int
        Tokens that the server sends at a time after the first, which comes alone.
    lags : bool
        Whether this version of the engine composes a step as the one before begins.
    captured_tokens : float or None
        Prompt steps of up to so many tokens run as captured graphs; None for what the engine does.
    captured_batch : float
        Decode steps of up to so many requests run as captured graphs; 0 for what the engine's server does.
    mxfp4_like : str
        Precision whose kernels the server was told to run for experts in MXFP4; empty for what it runs untold.
    sorts_logits : bool
        Whether tokens are drawn among the most likely ones, which sorts every request's logits in every step.
    admit_more_s : float
        Time that the front end spends on each request beyond what the engine's factors say [s].
    token_s : float
        Time that the front end spends on each token that it streams [s].
    accepted_tokens : float
        Tokens that a request gains per step with drafting, where the run prints it; 0 where not.
    ep_overlap_frac : float or None
        Share of the exchanges between expert ranks that is hidden behind computation; None for what the engine does.
    told_to_gather : bool or None
        Whether all expert ranks gather the tokens of all attention ranks; None for what the engine does.
    untold : bool
        Whether the row says nothing of how the server was started.
    """

    step_tokens: int = 0
    max_batch: int = 0
    memory_frac: float = 0.0
    draft_tokens: int = 0
    poll_steps: int = 0
    wait_steps: int = 0
    wait_frac: float = 0.0
    reserve_frac: float | None = None
    stream_tokens: int = 1
    lags: bool = True
    captured_tokens: float | None = None
    captured_batch: float = 0.0
    mxfp4_like: str = ""
    sorts_logits: bool = False
    admit_more_s: float = 0.0
    token_s: float = 0.0
    accepted_tokens: float = 0.0
    ep_overlap_frac: float | None = None
    told_to_gather: bool | None = None
    untold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested(Part):
    """What the client sends.

    Parameters
    ----------
    isl, osl : Lengths
        Of the requests.
    requests, users : int
        In all, and at once (batch where static).
    rate_per_s : float
        Of an open loop.
    even : bool
        Whether requests of an open loop come at equal distances, not by chance.
    repeats : Repeats or None
        How prompts repeat; None where each differs from all others.
    warm : bool
        Whether an earlier stage of the load has sent all of those prompts before.
    """

    isl: Lengths
    osl: Lengths
    requests: int = 0
    users: int = 0
    rate_per_s: float = 0.0
    even: bool = False
    repeats: Repeats | None = None
    warm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Part):
    """How the run was measured.

    Parameters
    ----------
    represents : int
        Requests of the run that a shorter one stands for; 0 for none.
    counted_osl : float
        Output tokens of a request as the client counts them, by which it divides; 0 for those that were made.
    warmed_up : bool
        Whether the client leaves the first wave of requests out of its statistics.
    first_stall_s : float
        Time by which the first wave of requests waits for kernels to be compiled [s].
    steady : bool
        Whether rates are those while the batch is full, without the start and the end of the run.
    """

    represents: int = 0
    counted_osl: float = 0.0
    warmed_up: bool = False
    first_stall_s: float = 0.0
    steady: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Grouped):
    """The configuration behind one or several measured rows; rows of one run have equal cases.

    Parameters
    ----------
    family : str
        Of the table.
    device, model : str
        Accelerator id, and the model's name as printed.
    engine, version : str
        Engine preset, and the version as printed.
    precision : str or None
        Of the weights; None for what the model ships in.
    kv : str or None
        Of the cache; None for the rule of `predict`.
    gpus : int
        Accelerators that the metric covers.
    scenario : str
        ``closed``, ``open``, ``burst``, ``offline``, ``static``, or an MLPerf one: ``mlperf-offline``,
        ``mlperf-server``, ``mlperf-interactive``.
    release : tuple of int or None
        Release of the engine that the version means, None for the newest.
    instances : Instances
        How the model is spread over devices, and how many copies of it serve.
    scheduler : Scheduler
        How the engine composes its steps.
    requested : Requested
        What the client sends.
    measured : Measured
        How the run was measured.
    """

    family: str
    device: str
    model: str
    engine: str
    version: str
    precision: str | None
    kv: str | None
    scenario: str
    gpus: int
    instances: Instances
    requested: Requested
    scheduler: Scheduler = Scheduler()
    measured: Measured = Measured()
    release: Release | None = None


def with_release(case: Case, release: Release | None) -> Case:
    """Return a case of a release of its engine, which composes steps ahead or does not."""
    ahead = engine_number(case.engine, "composes_ahead", Place(release=release))
    return case.replace(release=release, lags=bool(ahead))


def release_meant(engine: str, version: str, day: str = "") -> Release | None:
    """Return the release that a row means, None for the newest.

    Builds of the day are the newest; a row without a version means the release of ``engine.<id>.unstated_release`` on
    its *day*, such as ``2024`` or ``2025-10-29``.
    """
    if version.startswith(("nightly", "main")):
        return None
    stated = release_of(version)
    if stated is not None:
        return stated
    unstated = engine_fact(engine, "unstated_release", on=_date_of(day))
    return None if unstated is None else release_of(str(unstated.value))


def _date_of(day: str) -> dt.date | None:
    """Return the last day that a text means, None where it is no date."""
    stated = re.match(r"(20\d\d)(?:-(\d\d))?(?:-(\d\d))?", day)
    if stated is None:
        return None
    year, month, date = (int(part) if part else 0 for part in stated.groups())
    try:
        return dt.date(year, month or 12, date or 28)
    except ValueError:
        return None


def number_of(text: str | None) -> float | None:
    """Return a count such as ``1024``, ``2K`` or ``64k``, or None where the text is none.

    Raises
    ------
    InputError
        If it is larger than anything that a row can mean.
    """
    stated = re.fullmatch(r"\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?)\s*([kK]?)\s*", text or "", re.ASCII)
    if stated is None:
        return None
    value = float(stated[1]) * (1024.0 if stated[2] else 1.0)
    if value > LARGEST:
        message = f"`{shortened(text or '')}`: must be at most {LARGEST:,.0f}"
        raise InputError(message)
    return value


def count_of(text: str | None) -> int:
    """Return a whole count; 0 where the text states none.

    Raises
    ------
    InputError
        If it is larger than anything that a row can mean.
    """
    return int(number_of(text) or 0)


def check_case(case: Case) -> Case:
    """Return a case whose numbers lie within what can be predicted.

    Raises
    ------
    InputError
        Naming the number, its value and the limits.
    """
    for name, low, high in _LIMITS:
        value = case.field(name)
        value = value.mean if isinstance(value, Lengths) else value
        if not low <= value <= high:
            message = f"{name} = {value:g}: must lie between {low:g} and {high:,.10g}"
            raise InputError(message)
    if case.instances.layout.devices > ROW_DEVICES or (
        case.instances.prefill and case.instances.prefill.devices > ROW_DEVICES
    ):
        message = f"layout {case.instances.layout}: must have at most {ROW_DEVICES:,} devices"
        raise InputError(message)
    return case


def sizes_of(row: Row) -> Layout:
    """Return the layout of a row's columns; attention ranks share experts where both dp and ep are above one."""
    tp, pp, ep, dp = (int(number_of(row.get(name)) or 1) for name in ("tp", "pp", "ep", "dp"))
    tp, pp, ep, dp = max(tp, 1), max(pp, 1), max(ep, 1), max(dp, 1)
    return Layout(tp=tp, pp=pp, ep=ep, dp=dp, dp_attention=dp > 1)
