"""Loads of several classes of requests: shares, lengths, conversations, shared prefixes, priorities and limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jevons.errors import InputError
from jevons.limits import DRAWN_TURNS, REQUESTS, TURNS
from jevons.schema import Located, read_yaml, validate_document
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
from jevons.serving.sim.load.generate import lengths_like, stream
from jevons.serving.sim.load.repeats import check_blocks, ragged
from jevons.serving.sim.load.room import check_room
from jevons.serving.sim.load.traces import Trace, read_trace
from jevons.serving.sim.types import LONGEST_S, FloatArray, IntArray, Requests

_Tokens = Annotated[float, Field(ge=1, le=1e8)]
_Positive = Annotated[float, Field(gt=0, le=1e9)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SloSpec(_Section):
    """Latency limits that a request must meet to count as goodput."""

    ttft_s: _Positive | None = None
    """Time to first token [s]."""
    tpot_s: _Positive | None = None
    """Time per output token after the first [s]."""
    e2e_s: _Positive | None = None
    """End-to-end latency [s]."""


class ClassSpec(_Section):
    """One class of requests."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    """Name of the class in tables."""
    share: _Positive = 1.0
    """Weight of the class among all requests; weights are divided by their sum."""
    isl: _Tokens = 500.0
    """Mean prompt length [tokens]; in a conversation, the mean length that each turn adds."""
    osl: _Tokens = 200.0
    """Mean output length [tokens]."""
    isl_cv: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Coefficient of variation of lognormal prompt lengths; 0 for constant ones."""
    osl_cv: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Coefficient of variation of lognormal output lengths; 0 for constant ones."""
    lengths_from: str | None = None
    """Trace file from which pairs of lengths are drawn, in place of the means; the path is relative to the
    load file.
    """
    system_tokens: Annotated[int, Field(ge=0, le=10**7)] = 0
    """Tokens shared by the beginning of every prompt of the class [tokens]."""
    prompts: Annotated[int, Field(ge=0, le=10**7)] = 0
    """Distinct prompts of the class, sent in turn and found in a prefix cache; 0 where every prompt is new."""
    turns: Annotated[float, Field(ge=1, le=TURNS)] = 1.0
    """Mean turns of a conversation, geometrically distributed. Each prompt repeats the conversation so far."""
    think_s: Annotated[float, Field(ge=0, le=1e6)] = 30.0
    """Mean time between the turns of a conversation, exponentially distributed [s]."""
    priority: Annotated[int, Field(ge=0, le=63)] = 0
    """Priority: lower numbers are admitted first, and preempt running requests of higher numbers."""
    slo: SloSpec = SloSpec()
    """Latency limits of this class."""


class BurstSpec(_Section):
    """Poisson arrivals at two rates in turn."""

    on_s: _Positive = 30.0
    """Mean duration of a burst [s]."""
    off_s: _Positive = 90.0
    """Mean time between bursts [s]."""
    ratio: Annotated[float, Field(ge=1, le=1e9)] = 5.0
    """Arrival rate in a burst over that between bursts."""


class DaySpec(_Section):
    """A rate that rises and falls over the day."""

    trough_frac: Annotated[float, Field(ge=0, le=1)]
    """Lowest rate over the highest."""
    peak_h: Annotated[float, Field(ge=0, lt=24)] = 15.0
    """Hour of the highest rate [h]."""
    start_h: Annotated[float, Field(ge=0, lt=24)] = 0.0
    """Hour at which the load begins [h]."""


class StageSpec(_Section):
    """One stage of a load, with its arrival rate."""

    rate: _Positive
    """Mean requests per second, all classes together."""
    seconds: Annotated[float, Field(gt=0, le=LONGEST_S)]
    """Duration of the stage [s]; the last stage lasts until all requests have arrived."""


class LoadSpec(_Section):
    """A load of several classes."""

    rate: _Positive | None = None
    """Mean arrival rate of all classes together [req/s]; omit it where `stages` or `users` are given."""
    stages: Annotated[tuple[StageSpec, ...], Field(max_length=1000)] = ()
    """Arrival rates in turn (poisson, gamma or constant); `requests` follows from them unless given."""
    users: Annotated[int, Field(ge=1, le=REQUESTS)] | None = None
    """Concurrent users of a closed loop, in place of a rate."""
    think_s: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """User think time between an answer and the next request, in a closed loop [s]."""
    requests: Annotated[int, Field(ge=1, le=REQUESTS)] = 10_000
    """Number of requests."""
    arrivals: str = "poisson"
    """Arrival process: ``poisson``, ``gamma``, ``constant``, ``bursts``, ``day`` or ``at_once``."""
    cv: _Positive = 2.0
    """Coefficient of variation of the gaps between gamma arrivals."""
    bursts: BurstSpec = BurstSpec()
    """Shape of arrivals in bursts."""
    day: DaySpec | None = None
    """Shape of arrivals over a day."""
    block_tokens: Annotated[int, Field(ge=1, le=4096)] = 16
    """Tokens per block of the prefix cache."""
    most_context: Annotated[int, Field(ge=1, le=10**8)] = 32_768
    """Maximum context of a conversation [tokens]; it ends before a turn that would exceed it."""
    classes: Annotated[tuple[ClassSpec, ...], Field(min_length=1, max_length=64)]
    """Classes of requests, at least one."""

    @model_validator(mode="after")
    def _fits_together(self) -> LoadSpec:
        kinds = (*RATED, "at_once")
        if self.arrivals not in kinds:
            message = f"arrivals: `{self.arrivals}` is none of {', '.join(kinds)}"
            raise ValueError(message)
        self._check_rates()
        if self.arrivals == "day" and self.day is None:
            message = "arrivals over a day need a section `day` with `trough_frac`"
            raise ValueError(message)
        names = [request_class.name for request_class in self.classes]
        if len(set(names)) < len(names):
            message = f"classes: names must differ: {', '.join(names)}"
            raise ValueError(message)
        talking = [request_class.name for request_class in self.classes if request_class.turns > 1]
        if talking and (self.users is not None or self.arrivals == "at_once"):
            message = f"class `{talking[0]}`: conversations need a rate; set turns: 1"
            raise ValueError(message)
        if talking and self.stages:
            message = f"class `{talking[0]}`: conversations have no stages; set turns: 1, or rate in place of stages"
            raise ValueError(message)
        repeated = [
            request_class.name for request_class in self.classes if request_class.turns > 1 and request_class.prompts
        ]
        if repeated:
            message = (
                f"class `{repeated[0]}`: a conversation's prompts grow and never repeat; set turns: 1 or prompts: 0"
            )
            raise ValueError(message)
        return self

    def _check_rates(self) -> None:
        if self.rate is not None and self.users is not None:
            message = "rate and users: users of a closed loop have no rate; give one of the two"
            raise ValueError(message)
        if self.stages and (self.rate is not None or self.users is not None):
            message = (
                f"stages and {'users' if self.rate is None else 'rate'}: stages state the rates; give one of the two"
            )
            raise ValueError(message)
        if self.stages and self.arrivals not in STAGED:
            message = f"stages: arrivals `{self.arrivals}` have none; use {', '.join(STAGED)}"
            raise ValueError(message)
        if self.rate is None and self.users is None and not self.stages and self.arrivals != "at_once":
            message = "give `rate` (requests per second), `stages` (rates in turn) or `users` (of a closed loop)"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """A load of several classes.

    Parameters
    ----------
    requests : Requests
        In order of arrival.
    classes : tuple of ClassSpec
        The classes.
    of_class, session : ndarray of int, shape (n,)
        Each request's class and conversation.
    """

    requests: Requests
    classes: tuple[ClassSpec, ...]
    of_class: IntArray
    session: IntArray


def read_load(path: Path | str) -> tuple[LoadSpec, dict[str, Trace]]:
    """Return the load that a YAML file describes, and the traces that it draws lengths from, by class.

    Raises
    ------
    InputError
        With every fault of the file, each at its line and column.
    """
    document = read_yaml(path)
    spec: LoadSpec = validate_document(document, LoadSpec)
    if spec.stages and "requests" not in spec.model_fields_set:
        coming = stage_requests([Stage(stage.rate, stage.seconds) for stage in spec.stages])
        if coming > REQUESTS:
            message = f"{coming:,} requests come in them; {REQUESTS:,} is the most"
            raise InputError(document.fault(("stages",), message))
        spec = spec.model_copy(update={"requests": coming})
    return spec, {
        request_class.name: _lengths_of(document, place, request_class)
        for place, request_class in enumerate(spec.classes)
        if request_class.lengths_from
    }


def _lengths_of(document: Located, place: int, request_class: ClassSpec) -> Trace:
    path = Path(document.name).parent / str(request_class.lengths_from)
    try:
        return read_trace(path)
    except InputError as error:
        message = f"`{request_class.lengths_from}`: {error}"
        raise InputError(document.fault(("classes", place, "lengths_from"), message)) from None


def generate_mix(spec: LoadSpec, lengths: dict[str, Trace] | None = None, seed: int = 0) -> Mix:
    """Return the requests of a load of several classes; the same seed gives the same bytes.

    Parameters
    ----------
    spec : LoadSpec
        The load.
    lengths : dict of str to Trace, optional
        Traces to draw lengths from, by class.
    seed : int
        Of all chance; each kind has a stream of its own.

    Raises
    ------
    InputError
        If the load lasts too long.

    Notes
    -----
    Conversations begin after the pattern of arrivals at such a rate that their turns make the class's share. The load
    is cut to its number of requests, so that the last conversations are not finished, and the first minutes hold first
    turns only: both lie in the warm-up and drain that statistics leave out, unless thinking takes longer.
    """
    check_room(spec.requests)
    count, shares = spec.requests, np.array([request_class.share for request_class in spec.classes])
    starts = shares / shares.sum() / np.array([request_class.turns for request_class in spec.classes])
    begun = _enough(spec, starts)
    of_start = stream(seed, "classes").choice(len(starts), begun, p=starts / starts.sum())
    turns = np.ones(begun, dtype=np.int64)
    mean = np.array([request_class.turns for request_class in spec.classes])[of_start]
    turns[mean > 1] = np.minimum(stream(seed, "turns").geometric(1.0 / mean[mean > 1]), TURNS)
    session = np.repeat(np.arange(begun), turns)
    of_class = of_start[session]
    arrival_s = _arrivals(spec, begun, float(starts.sum()), seed)[session]
    first = np.append(0, np.cumsum(turns))[:-1].astype(np.int64)
    think_s = np.array([request_class.think_s for request_class in spec.classes])[of_class]
    pause_s = think_s * stream(seed, "thinking").exponential(1.0, len(session))
    pause_s[first] = 0.0
    arrival_s = arrival_s + _within(pause_s, first, session)
    isl, osl = _lengths(spec, lengths or {}, of_class, seed)
    system = np.array([request_class.system_tokens for request_class in spec.classes])[of_class]
    said = isl + osl
    before = np.append(0, said[:-1])
    before[first] = 0
    prompt = system + isl + np.round(_within(before.astype(np.float64), first, session)).astype(np.int64)
    fitting = np.flatnonzero(prompt + osl <= np.maximum(spec.most_context, system + said))
    order = fitting[np.argsort(arrival_s[fitting], kind="stable")][:count]
    origin = f"{len(spec.classes)} classes, " + (
        f"{spec.users:,} user{'s' if spec.users > 1 else ''} in a closed loop" if spec.users
        else "all at once" if spec.arrivals == "at_once"
        else arrivals_in_words(spec.arrivals, [stage.rate for stage in spec.stages] or [spec.rate or 0.0])
    )  # fmt: skip
    requests = Requests(
        arrival_s=arrival_s[order],
        isl=prompt[order],
        osl=osl[order],
        users=spec.users or 0,
        think_s=spec.think_s,
        origin=origin,
    )
    requests = _with_hashes(spec, requests, of_class[order], session[order])
    if len({request_class.priority for request_class in spec.classes}) > 1:
        requests = replace(
            requests, priority=np.array([request_class.priority for request_class in spec.classes])[of_class[order]]
        )
    return Mix(
        requests=requests,
        classes=spec.classes,
        of_class=of_class[order],
        session=np.unique(session[order], return_inverse=True)[1],
    )


def _enough(spec: LoadSpec, starts: FloatArray) -> int:
    """Return how many conversations hold the requests wanted, with room for those that come later than they end."""
    if all(request_class.turns == 1 for request_class in spec.classes):
        return spec.requests
    longest_s = max(
        request_class.turns * request_class.think_s for request_class in spec.classes if request_class.turns > 1
    )
    wanted = (spec.requests + longest_s * (spec.rate or 0.0)) * float(starts.sum())
    # All that come before the last conversation begins count, each has a first turn: more are never needed.
    begun = min(math.ceil(wanted + 6.0 * math.sqrt(wanted) + 16.0), spec.requests)
    turns = begun / float(starts.sum())
    if turns > 3 * spec.requests + DRAWN_TURNS:
        message = (
            f"classes: {spec.requests:,} requests of these conversations take {turns:.3g} turns to draw, at most "
            f"{DRAWN_TURNS:,} more than are kept; shorten think_s or turns, or lower the rate"
        )
        raise InputError(message)
    return begun


def _arrivals(spec: LoadSpec, count: int, per_request: float, seed: int) -> FloatArray:
    if spec.users or spec.arrivals == "at_once":
        return np.zeros(count)
    bursts = Bursts(spec.bursts.on_s, spec.bursts.off_s, spec.bursts.ratio)
    day = None if spec.day is None else Day(spec.day.trough_frac, spec.day.peak_h, spec.day.start_h)
    pattern = Pattern(
        kind=spec.arrivals, rate_per_s=(spec.rate or 1.0) * per_request, cv=spec.cv, bursts=bursts, day=day,
        stages=tuple(Stage(stage.rate, stage.seconds) for stage in spec.stages),
    )  # fmt: skip
    return arrival_times(pattern, count, stream(seed, "arrivals"))


def _within(values: FloatArray, first: IntArray, group: IntArray) -> FloatArray:
    """Return running sums that begin anew with each group."""
    total: FloatArray = np.cumsum(values)
    before: FloatArray = (total - values)[first][group]
    return total - before


def _lengths(spec: LoadSpec, traces: dict[str, Trace], of_class: IntArray, seed: int) -> tuple[IntArray, IntArray]:
    """Return each turn's own prompt and output tokens."""
    isl, osl = np.empty(len(of_class), dtype=np.int64), np.empty(len(of_class), dtype=np.int64)
    for place, request_class in enumerate(spec.classes):
        own = np.flatnonzero(of_class == place)
        if request_class.name in traces:
            trace = traces[request_class.name]
            drawn = stream(seed, f"lengths of {request_class.name}").integers(0, len(trace.isl), len(own))
            osl[own] = trace.osl[drawn]
            isl[own] = trace.isl[
                np.resize(drawn[: request_class.prompts], len(own)) if request_class.prompts else drawn
            ]
        else:
            drawn_isl = lengths_like(
                request_class.prompts or len(own),
                request_class.isl,
                request_class.isl_cv,
                stream(seed, f"isl of {request_class.name}"),
            )
            isl[own] = np.resize(drawn_isl, len(own))
            osl[own] = lengths_like(
                len(own), request_class.osl, request_class.osl_cv, stream(seed, f"osl of {request_class.name}")
            )
    return isl, osl


def _same_prompts(spec: LoadSpec, of_class: IntArray, session: IntArray) -> IntArray:
    """Return conversations, where requests with the same prompt count as one."""
    session, free = session.copy(), int(session.max()) + 1
    for place, request_class in enumerate(spec.classes):
        if request_class.prompts:
            own = np.flatnonzero(of_class == place)
            session[own] = free + np.arange(len(own)) % request_class.prompts
            free += request_class.prompts
    return session


def _with_hashes(spec: LoadSpec, requests: Requests, of_class: IntArray, session: IntArray) -> Requests:
    """Return requests with hashes of prompt blocks: the class's for what all its prompts begin with, then their own."""
    if not any(
        request_class.system_tokens or request_class.prompts or request_class.turns > 1
        for request_class in spec.classes
    ):
        return requests
    session = _same_prompts(spec, of_class, session)
    blocks = requests.isl // spec.block_tokens
    check_blocks("classes", blocks, "isl or system_tokens, raise block_tokens, or take fewer requests")
    common = np.array([request_class.system_tokens for request_class in spec.classes]) // spec.block_tokens
    common_start = np.append(0, np.cumsum(common))
    groups, group = np.unique(session, return_inverse=True)
    own = np.zeros(len(groups), dtype=np.int64)
    np.maximum.at(own, group, np.maximum(blocks - common[of_class], 0))
    own_start = common_start[-1] + np.append(0, np.cumsum(own))[:-1]
    start = np.append(0, np.cumsum(blocks)).astype(np.int64)
    shared = np.minimum(common[of_class], blocks)
    keys = ragged(own_start[group] - common[of_class], blocks)
    keys[ragged(start[:-1], shared)] = ragged(common_start[of_class], shared)
    return replace(requests, hashes=keys, hash_start=start, hash_tokens=spec.block_tokens)
