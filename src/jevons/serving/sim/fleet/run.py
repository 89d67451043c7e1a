"""Runs a load through a fleet: replicas of several kinds, routed, scaled, failing, turned away from, filled up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jevons.errors import InfeasibleError, InputError, did_you_mean
from jevons.limits import CACHE_KEYS, REPLICAS, RUNNING_SLOTS, SIMULATED_FAILURES
from jevons.serving.sim._kernels import fleet_state as kf
from jevons.serving.sim._kernels import state as ks
from jevons.serving.sim._kernels.fleet import run_fleet
from jevons.serving.sim.fleet.summary import summary
from jevons.serving.sim.fleet.types import Admission, Failures, FleetResult, Kind, Offline, Routing
from jevons.serving.sim.invariants import checked_fleet
from jevons.serving.sim.load.generate import stream
from jevons.serving.sim.replica.drafts import in_units, longest_tokens, pace_of, steps_needed
from jevons.serving.sim.replica.run import (
    bounds_of,
    check_inputs,
    kernel_table,
    told_of_compiling,
    work_arrays,
)
from jevons.serving.sim.replica.step_table import constant_table
from jevons.serving.sim.types import TICKS_PER_S, IntArray, Requests, SimLimits, Trail

FLEET_ROUTINGS = ("round_robin", "least_loaded", "least_tokens", "two_choices", "prefix", "session", "adapter")
"""In the order of the kernels' numbers."""

SIGNALS = ("outstanding", "utilisation")
BINS = 200
_WEIGHTS = 1000
_FAR = 1 << 40
"""A context that no batch reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the kernel takes: requests to serve in order, fleet, engines and their work, rate limits."""

    ids: IntArray
    fleet: kf.Fleet
    gear: kf.Gear
    rates: IntArray

    def run(self) -> None:
        """Run the kernel."""
        run_fleet(self.ids, self.fleet, self.gear, self.rates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorts:
    """Of each request: the model's number, the session's, the priority (0 first); names of the models."""

    names: tuple[str, ...]
    model: IntArray
    session: IntArray
    priority: IntArray


def simulate_fleet(
    requests: Requests,
    kinds: Sequence[Kind],
    *,
    routing: Routing | None = None,
    failures: Failures | None = None,
    admission: Admission | None = None,
    offline: Offline | None = None,
    models: Sequence[str] = (),
    model: IntArray | None = None,
    session: IntArray | None = None,
    priority: IntArray | None = None,
    entry_s: float = 0.0,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
    e2e_s: float | None = None,
    edge_frac: float = 0.05,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> FleetResult:
    """Serve a load by a fleet, exact to the step of every replica.

    Parameters
    ----------
    requests : Requests
        The load; not a closed loop.
    kinds : sequence of Kind
        The fleet; replicas are numbered over kinds in this order.
    routing, failures, admission, offline : optional
        Least loaded, none, none turned away, and none by default.
    models : sequence of str
        Names of the models or adapters, where there are several.
    model : ndarray of int, shape (n,), optional
        Which of *models* each request asks for.
    session : ndarray of int, shape (n,), optional
        Number of the session that each request belongs to, from 0; each is one of its own by default.
    priority : ndarray of int, shape (n,), optional
        Class of each request, 0 first; the engine preempts worse ones for better ones.
    entry_s, ttft_s, tpot_s, e2e_s, edge_frac, progress
        As of `simulate`.
    seed : int
        Of failures and drawn choices.

    Returns
    -------
    FleetResult
        Every request is answered, rejected or lost, and counted once.

    Raises
    ------
    InputError
        If an argument is out of range.
    InfeasibleError
        If no request fits any replica that serves its model.

    Notes
    -----
    A replica that fails finishes the step in progress. Retried requests are not subject to limits again. Moments are
    taken in order; at one and the same, first the router is told loads, then replicas open, fail, are scaled and
    sampled, offline work is handed out, requests come back, and new ones come.
    """
    parts = (routing or Routing(), failures or Failures(), admission or Admission(), offline)
    sorts = _sorts(requests, models, model, session, priority)
    check(requests, kinds, parts, sorts, edge_frac)
    kernels_began = time.perf_counter()
    with told_of_compiling(progress):
        _compile()
    began = time.perf_counter()
    ready = prepare(requests, kinds, parts, sorts, entry_s=entry_s, seed=seed)
    ready.run()
    wall_s = time.perf_counter() - began
    if ready.fleet.states[0, :, ks.OUTSTANDING].any():
        message = f"the fleet takes more than {ks.FOREVER / TICKS_PER_S:,.0f} s. Use fewer requests or more replicas."
        raise InputError(message)
    trail, fate, attempts = gather(ready, requests, offline)
    result = summary(
        requests, kinds, trail, (fate, attempts), ready.fleet, offline=offline, names=sorts.names, model=sorts.model,
        entry_s=entry_s, slo=(ttft_s, tpot_s, e2e_s), edge_frac=edge_frac, clock=(wall_s, began - kernels_began),
    )  # fmt: skip
    return checked_fleet(result, kinds)


def _sorts(
    requests: Requests,
    models: Sequence[str],
    model: IntArray | None,
    session: IntArray | None,
    priority: IntArray | None,
) -> Sorts:
    zeros = np.zeros(requests.count, dtype=np.int64)
    session = np.arange(requests.count, dtype=np.int64) if session is None else session
    sorts = []
    priority = requests.priority if priority is None else priority
    for name, values in (("model", model), ("session", session), ("priority", priority)):
        taken = zeros if values is None else np.ascontiguousarray(values, dtype=np.int64)
        if taken.shape != zeros.shape or (taken < 0).any():
            message = f"{name}: must be one number of at least 0 per request, {requests.count:,}"
            raise InputError(message)
        sorts.append(taken)
    names = tuple(models) or ("",)
    if len(set(names)) != len(names):
        message = f"models = {', '.join(names)}: each may occur once"
        raise InputError(message)
    if requests.count and sorts[0].max() >= len(names):
        message = f"model = {sorts[0].max()}: must be below {len(names)}, the number of models"
        raise InputError(message)
    model, session, priority = sorts
    return Sorts(names=names, model=model, session=session, priority=priority)


Parts = tuple[Routing, Failures, Admission, Offline | None]


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        message = f"{name} = {value:g}: must be from {least:g} to {most:,g}"
        raise InputError(message)


def _known(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        message = f"{name} `{value}`: unknown.{did_you_mean(value, known)} Known: {', '.join(known)}."
        raise InputError(message)


def check(requests: Requests, kinds: Sequence[Kind], parts: Parts, sorts: Sorts, edge_frac: float) -> None:
    """Refuse what the kernels could not take."""
    routing, failures, admission, offline = parts
    if not kinds:
        message = "kinds: a fleet needs at least one kind of replica"
        raise InputError(message)
    if requests.users:
        message = "a closed loop: its users stay with their replica; give a fleet a load with arrivals, or use simulate"
        raise InputError(message)
    names = [kind.name for kind in kinds]
    if len(set(names)) != len(names):
        message = f"kinds {', '.join(names)}: each name may occur once"
        raise InputError(message)
    for kind in kinds:
        check_inputs(requests, kind.table, kind.limits, 1, "round_robin", edge_frac)
        _check_kind(kind, sorts.names)
        if _drafts(kind) != _drafts(kinds[0]):
            message = f"draft_tokens of {kind.name}: all kinds must draft as many, and have as many accepted"
            raise InputError(message)
    if sum(places(kind) for kind in kinds) > REPLICAS:
        message = f"replicas = {sum(places(kind) for kind in kinds):,}: must be at most {REPLICAS:,}"
        raise InputError(message)
    _known("routing", routing.kind, FLEET_ROUTINGS)
    _within("stale_s", routing.stale_s, 0, 1e6)
    _within("slack", routing.slack, 0, 1e9)
    if routing.kind == "prefix" and requests.hashes is None:
        message = "routing `prefix`: needs the block hashes of prompts; use a trace that has them, with prefixes"
        raise InputError(message)
    _within("retries", failures.retries, 0, 1000)
    _within("retry_s", failures.retry_s, 0, 1e6)
    _positive("mtbf_s", failures.mtbf_s)
    _positive("repair_s", failures.repair_s)
    count = sum(places(kind) for kind in kinds)
    for moment, replica in failures.times:
        _within("time of a failure", moment, 0, 1e7)
        _within("replica of a failure", replica, 0, count - 1)
    if admission.queue_limit is not None:
        _within("queue_limit", admission.queue_limit, 1, 1e9)
    for rate in admission.rates:
        _positive("rate limit", rate.req_per_s)
        _within("burst", rate.burst, 1, 1e6)
    if int(sorts.priority.max(initial=0)) > 63:
        message = f"priority = {sorts.priority.max()}: must be from 0 to 63"
        raise InputError(message)
    if offline is not None:
        _within("below", offline.below, 1, 1e9)
        _positive("every_s", offline.every_s)
        check_inputs(replace(offline.requests, arrival_s=np.zeros(offline.requests.count), users=0),
               kinds[0].table, kinds[0].limits, 1, "round_robin", edge_frac)  # fmt: skip
        if offline.model or len(sorts.names) > 1:
            _known("model of offline work", offline.model, sorts.names)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        message = f"{name} = {value:g}: must be above 0"
        raise InputError(message)


def _drafts(kind: Kind) -> tuple[int, float]:
    return kind.limits.draft_tokens, kind.limits.draft_acceptance_frac


def _check_kind(kind: Kind, names: tuple[str, ...]) -> None:
    for model in kind.models:
        _known(f"model of {kind.name}", model, names)
    _within(f"weight of {kind.name}", kind.weight, 1e-3, 1e3)
    _within(f"adapters of {kind.name}", kind.adapters, 0, 1e6)
    _within(f"switch_s of {kind.name}", kind.switch_s, 0, 1e6)
    _within(f"accelerators of {kind.name}", kind.accelerators, 1, 1e6)
    if kind.limits.queue:
        message = f"queue of {kind.name}: a fleet's replicas have the queue_limit of its admission; leave it 0"
        raise InputError(message)
    scale = kind.autoscale
    if scale is None:
        _within(f"replicas of {kind.name}", kind.replicas, 1, REPLICAS)
        return
    _known(f"signal of {kind.name}", scale.signal, SIGNALS)
    _within(f"most replicas of {kind.name}", scale.most, 1, REPLICAS)
    _within(f"least replicas of {kind.name}", scale.least, 0, scale.most)
    _within(f"replicas of {kind.name}", kind.replicas, scale.least, scale.most)
    _within(f"target of {kind.name}", scale.target, 1e-3, 1.0 if scale.signal == "utilisation" else 1e9)
    _within(f"every_s of {kind.name}", scale.every_s, 1e-3, 1e6)
    _within(f"cold_start_s of {kind.name}", scale.cold_start_s, 0, 1e6)
    _within(f"down_after_s of {kind.name}", scale.down_after_s, 0, 1e9)


def places(kind: Kind) -> int:
    """Return how many replicas of a kind there may be at once."""
    return kind.replicas if kind.autoscale is None else kind.autoscale.most


def _ticks(time_s: float) -> int:
    return ks.FOREVER if math.isinf(time_s) else min(round(time_s * TICKS_PER_S), ks.FOREVER)


def prepare(
    requests: Requests, kinds: Sequence[Kind], parts: Parts, sorts: Sorts, *, entry_s: float, seed: int
) -> Prepared:
    """Lay out a fleet and its load as the kernels take them."""
    routing, failures, _, offline = parts
    online = requests.count
    whole = requests if offline is None else with_pile(requests, offline)
    rank = np.append(sorts.priority, np.full(whole.count - online, sorts.priority.max() + 1))
    steps = steps_needed(whole, kinds[0].limits, seed)
    work = work_arrays(whole, steps)
    work.rows[ks.CLASS_OF] = rank
    classes, keys = int(rank.max()) + 1, int(work.hashes.max()) + 1 if len(work.hashes) else 0
    bounds = np.stack([bounds_of(kind.limits, keys) for kind in kinds])
    bounds[:, ks.CLASSES] = classes
    bounds[:, ks.MAX_BATCH] = np.minimum(bounds[:, ks.MAX_BATCH], whole.count + 1)
    replicas = sum(places(kind) for kind in kinds)
    if replicas * keys > CACHE_KEYS:
        message = f"{keys:,} prompt blocks x {replicas} replicas: at most {CACHE_KEYS:,}. Use fewer requests."
        raise InputError(message)
    slots = int(bounds[:, ks.MAX_BATCH].max()) + 1
    if replicas * slots > RUNNING_SLOTS:
        message = (
            f"{replicas:,} replicas x {slots:,} running requests: at most {RUNNING_SLOTS:,} are kept. Use fewer "
            "replicas, or a lower --max-num-seqs."
        )
        raise InputError(message)
    group, serves = _groups(whole, steps, kinds, sorts, None if offline is None else offline.model)
    fits = serves.sum(axis=1)[group] > 0
    if not fits[:online].any():
        longest = max(kind.limits.kv_blocks * kind.limits.block_tokens for kind in kinds)
        message = (
            f"no request fits: the shortest has {int((requests.isl + requests.osl).min()):,} tokens, the largest "
            f"replica holds {longest:,}, or no kind serves its model. Use larger devices, or shorter requests."
        )
        raise InfeasibleError(message, ["device memory"])
    asks = np.zeros((whole.count, kf.ASK_SIZE), dtype=np.int64)
    asks[:, [kf.LINK, kf.TARGET_REPLICA, kf.CHOSEN]] = -1
    asks[:online, kf.ARRIVAL] = np.round(requests.arrival_s * TICKS_PER_S).astype(np.int64)
    asks[:online, kf.ARRIVAL] += round(entry_s * TICKS_PER_S)
    asks[online:, kf.ARRIVAL] = -1
    asks[:, kf.GROUP], asks[:, kf.WEIGHT] = group, 1
    if routing.kind == "least_tokens":
        asks[:, kf.WEIGHT] = whole.isl + round(float(requests.osl.mean()))
    asks[:online, kf.MODEL], asks[:online, kf.SESSION_OF] = sorts.model, sorts.session
    # Offline work is handed out to any replica that serves some of it: what not all of those can hold stays.
    wide = serves[group[online:]].sum(axis=1) == serves[-1].sum()
    pile = np.flatnonzero(fits[online:] & wide) + online
    settings = _settings(parts, online, int(asks[online - 1, kf.ARRIVAL]), seed)
    events = _failures(failures, kinds, float(requests.arrival_s[-1]) + entry_s, seed)
    fleet = _fleet(settings, asks, bounds, kinds, serves, events, keys, sorts, pile)
    return Prepared(
        ids=np.flatnonzero(fits[:online]),
        fleet=fleet,
        gear=_gear(work, bounds, replicas, kinds),
        rates=_rates(parts[2]),
    )


def with_pile(requests: Requests, offline: Offline) -> Requests:
    """Return a load with offline work behind it."""
    pile = offline.requests
    start = requests.hash_start
    return replace(
        requests,
        arrival_s=np.append(requests.arrival_s, np.zeros(pile.count)),
        isl=np.append(requests.isl, pile.isl).astype(np.int64),
        osl=np.append(requests.osl, pile.osl).astype(np.int64),
        hash_start=None if start is None else np.append(start, np.full(pile.count, start[-1])),
    )


def _groups(
    whole: Requests, steps: IntArray, kinds: Sequence[Kind], sorts: Sorts, offline_model: str | None
) -> tuple[IntArray, IntArray]:
    """Return the group of each request and which kinds serve each group; offline work is the last one.

    Requests are of one group if they ask for one model and fit the same kinds.
    """
    online = len(sorts.model)
    model = np.append(sorts.model, np.full(whole.count - online, _number(sorts.names, offline_model)))
    total = whole.isl + whole.osl
    able = np.zeros((whole.count, len(kinds)), dtype=np.bool_)
    for place, kind in enumerate(kinds):
        fits = longest_tokens(whole, steps, kind.limits) <= kind.limits.kv_blocks * kind.limits.block_tokens
        if kind.limits.max_context:
            fits &= total <= kind.limits.max_context
        offered = np.array([not kind.models or name in kind.models for name in sorts.names])
        able[:, place] = fits & offered[model]
    code = np.zeros(whole.count, dtype=np.int64)
    for place in range(len(kinds)):
        _, code = np.unique(2 * code + able[:, place], return_inverse=True)
    code = code.reshape(-1).astype(np.int64)
    count = int(code[:online].max()) + 1
    serves = np.zeros((max(int(code.max()) + 1, count) + 1, len(kinds)), dtype=np.bool_)
    serves[code] = able
    if whole.count > online:
        serves[-1] = able[online:].any(axis=0)
    return code, serves.astype(np.int64)


def _number(names: tuple[str, ...], name: str | None) -> int:
    return names.index(name) if name else 0


def _units(kinds: Sequence[Kind]) -> IntArray:
    """Return what a unit of load counts on each kind, in whole numbers."""
    most = max(kind.weight for kind in kinds)
    if all(kind.weight == most for kind in kinds):
        return np.ones(len(kinds), dtype=np.int64)
    return np.array([round(_WEIGHTS * most / kind.weight) for kind in kinds], dtype=np.int64)


def _kind_row(kind: Kind, begin: int) -> IntArray:
    """Return a kind as the kernels take it, its replicas counted from *begin* on."""
    scale = kind.autoscale
    row = np.zeros(kf.KIND_SIZE, dtype=np.int64)
    row[kf.BEGIN], row[kf.END], row[kf.LOOK] = begin, begin + places(kind), ks.FOREVER
    row[kf.ADAPTERS], row[kf.SWITCH] = kind.adapters, _ticks(kind.switch_s)
    if scale is not None:
        row[kf.LEAST : kf.LOOK] = (
            scale.least, scale.most, max(round(scale.target * kf.THOUSAND), 1), scale.signal == "utilisation",
            _ticks(scale.every_s), _ticks(scale.cold_start_s), _ticks(scale.down_after_s),
        )  # fmt: skip
        row[kf.LOOK] = _ticks(scale.every_s)
    return row


def _rates(admission: Admission) -> IntArray:
    table = np.zeros((len(admission.rates), kf.RATE_SIZE), dtype=np.int64)
    for place, rate in enumerate(admission.rates):
        gap = max(round(TICKS_PER_S / rate.req_per_s), 1)
        table[place] = gap, gap * (rate.burst - 1), -1 if rate.priority is None else rate.priority, 0
    return table


def _failures(failures: Failures, kinds: Sequence[Kind], end_s: float, seed: int) -> IntArray:
    """Return moments and replicas of failures in order of time; each place has a stream of its own."""
    moments = [(round(moment * TICKS_PER_S), replica) for moment, replica in failures.times]
    if math.isfinite(failures.mtbf_s):
        expected = end_s / failures.mtbf_s * sum(places(kind) for kind in kinds)
        if expected > SIMULATED_FAILURES:
            message = f"mtbf_s = {failures.mtbf_s:g}: {expected:.3g} failures; {SIMULATED_FAILURES:,} is the most"
            raise InputError(message)
        replica = 0
        for kind in kinds:
            for place in range(places(kind)):
                chance = stream(seed, f"failures of {kind.name} {place}")
                moment = chance.exponential(failures.mtbf_s)
                while moment <= end_s:
                    moments.append((round(moment * TICKS_PER_S), replica))
                    moment += chance.exponential(failures.mtbf_s)
                replica += 1
    return np.array(sorted(moments), dtype=np.int64).reshape(-1, 2)


def _settings(parts: Parts, online: int, last: int, seed: int) -> IntArray:
    routing, failures, admission, offline = parts
    table = np.zeros(kf.SETTINGS_SIZE, dtype=np.int64)
    table[kf.ROUTING] = FLEET_ROUTINGS.index(routing.kind)
    table[kf.STALE], table[kf.OWN], table[kf.SLACK] = _ticks(routing.stale_s), routing.counts_own, routing.slack
    table[kf.QUEUED] = -1 if admission.queue_limit is None else admission.queue_limit
    table[kf.TRACKED] = routing.kind == "least_tokens" or offline is not None
    table[kf.RETRIES], table[kf.RETRY_TICKS] = failures.retries, _ticks(failures.retry_s)
    table[kf.RESUME], table[kf.REPAIR] = failures.resume, _ticks(failures.repair_s)
    if offline is not None:
        table[kf.POLL], table[kf.BELOW] = max(_ticks(offline.every_s), 1), offline.below
    table[kf.ONLINE], table[kf.BIN], table[kf.SEED] = online, max(-(-last // BINS), 1), seed & (2**62 - 1)
    return table


def _gear(work: ks.Work, bounds: IntArray, replicas: int, kinds: Sequence[Kind]) -> kf.Gear:
    """Return engines, each with room for the largest kind; the kernels empty them."""
    size = int(bounds[:, ks.MAX_BATCH].max()) + 1
    period, classes, keys = (int(bounds[:, limit].max()) for limit in (ks.PERIOD, ks.CLASSES, ks.KEYS))

    def room(*shape: int) -> IntArray:
        return np.zeros(shape, dtype=np.int64)

    tables = _tables([kernel_table(in_units(kind.table, pace_of(kind.limits).unit)) for kind in kinds])
    return kf.Gear(
        work=work.rows, hashes=work.hashes, hash_start=work.hash_start, slotwise=room(replicas, ks.SLOT_ROWS, size),
        heap=room(replicas, size), phases=room(replicas, period), ends=room(replicas, 2, classes),
        gaps=room(ks.GAP_BINS), holders=room(replicas, keys), links=room(replicas, 2, keys + 2),
        **tables._asdict(),
    )  # fmt: skip


def _tables(own: Sequence[ks.Table]) -> ks.Table:
    """Return the step times of all kinds, the shorter ones continued beyond their end, where none is looked up."""

    def stacked(name: str) -> IntArray:
        arrays = [np.asarray(getattr(table, name), dtype=np.int64) for table in own]
        shape = np.max([array.shape for array in arrays], axis=0)
        widths = [[(0, int(most - own)) for most, own in zip(shape, array.shape, strict=True)] for array in arrays]
        if name == "knots":
            return np.stack(
                [np.pad(array, width, constant_values=_FAR) for array, width in zip(arrays, widths, strict=True)]
            )
        return np.stack([np.pad(array, width, mode="edge") for array, width in zip(arrays, widths, strict=True)])

    return ks.Table(*(stacked(name) for name in ks.Table._fields))


def _fleet(
    settings: IntArray,
    asks: IntArray,
    bounds: IntArray,
    kinds: Sequence[Kind],
    serves: IntArray,
    failures: IntArray,
    keys: int,
    sorts: Sorts,
    pile: IntArray,
) -> kf.Fleet:
    """Return a fleet at the start; of each kind, its replicas are open."""

    def zeros(*shape: int) -> IntArray:
        return np.zeros(shape, dtype=np.int64)

    sizes = [places(kind) for kind in kinds]
    begins = np.append(0, np.cumsum(sizes))
    kind_of = np.repeat(np.arange(len(kinds)), sizes)
    replicas, way = len(kind_of), settings[kf.ROUTING]
    own = zeros(kf.OWN_SIZE)
    own[[kf.HELD_FIRST, kf.HELD_LAST]] = -1
    own[kf.NEXT_POLL] = 0 if settings[kf.POLL] > 0 else ks.FOREVER
    own[kf.BACKLOG] = len(pile)
    rows = zeros(replicas, kf.ROW_SIZE)
    rows[:, kf.KIND], rows[:, kf.UNIT] = kind_of, _units(kinds)[kind_of]
    rows[:, kf.TIMER], rows[:, kf.FIRST] = ks.FOREVER, -1
    open_ones = np.arange(replicas) - begins[kind_of] < np.array([kind.replicas for kind in kinds])[kind_of]
    rows[:, kf.STATUS] = np.where(open_ones, kf.UP, kf.OFF)
    hot = zeros(kf.HOT_SIZE, replicas)
    hot[kf.WAKE] = ks.FOREVER
    adapter_count = len(sorts.names) if way == kf.ADAPTER or any(kind.adapters for kind in kinds) else 0
    adapters = np.full((replicas, adapter_count, 2), -1)
    homes = {kf.PREFIX: keys, kf.SESSION: int(sorts.session.max()) + 1}.get(int(way), 0)
    piles = zeros(2, len(asks) if len(failures) or adapter_count else max(len(pile), 1))
    piles[1, : len(pile)] = pile
    turns = zeros(len(serves), 3)
    turns[:, 2] = -1
    return kf.Fleet(
        settings=settings, own=own, asks=asks, bounds=bounds,
        kinds=np.stack([_kind_row(kind, int(begin)) for kind, begin in zip(kinds, begins, strict=False)]),
        serves=serves, failures=failures, states=zeros(2, replicas, ks.STATE_SIZE), rows=rows, hot=hot, piles=piles,
        members=zeros(len(serves), replicas), turns=turns, adapters=adapters, home=np.full(homes, -1),
        samples=zeros(BINS, len(kinds), kf.SAMPLE_SIZE),
    )  # fmt: skip


def gather(ready: Prepared, requests: Requests, offline: Offline | None) -> tuple[Trail, IntArray, IntArray]:
    """Return what happened to every request (offline work behind the others), its fate, and vain attempts."""
    fleet, work = ready.fleet, ready.gear.work
    totals, asks = fleet.states[1], fleet.asks
    names = {
        "end": ks.TIME, "busy": ks.BUSY, "steps": ks.STEP, "events": ks.EVENTS, "preemptions": ks.PREEMPTIONS,
        "prefill_tokens": ks.PREFILLED, "hit_tokens": ks.HIT_TOKENS, "decode_tokens": ks.DECODED,
        "context_steps": ks.CONTEXT_STEPS, "peak_blocks": ks.PEAK, "blocks": ks.USED, "swaps": ks.SWAPS,
        "moved_blocks": ks.MOVED, "host_hit_tokens": ks.HOST_HIT_TOKENS, "host_blocks": ks.HOSTED,
    }  # fmt: skip
    columns = {name: totals[:, column].copy() for name, column in names.items()}
    columns["context_steps"] //= int(fleet.bounds[0, ks.UNIT])
    columns["end"] = fleet.states[0, :, ks.TIME].copy()
    trail = Trail(
        arrival=asks[:, kf.ARRIVAL].copy(),
        admitted=work[ks.ADMITTED],
        first=work[ks.FIRST_TOKEN],
        finish=work[ks.FINISH],
        preempted=work[ks.PREEMPTED],
        replica=asks[:, kf.CHOSEN].copy(),
        totals=columns,
        gaps=ready.gear.gaps,
    )
    fate = asks[:, kf.FATE].copy()
    unfit = np.ones(requests.count, dtype=np.bool_)
    unfit[ready.ids] = False
    fate[: requests.count][unfit] = 0
    if offline is not None:
        fate[requests.count :][trail.finish[requests.count :] < 0] = kf.LEFT
    return trail, fate, asks[:, kf.ATTEMPTS].copy()


def _compile() -> None:
    """Compile the kernel, or load it from the cache, on two requests."""
    ones = np.ones(2, dtype=np.int64)
    tiny = Requests(arrival_s=np.zeros(2), isl=ones, osl=ones)
    kind = Kind(
        name="",
        table=constant_table(2, 4, decode_s=0.01, prompt_token_s=0.001),
        limits=SimLimits(max_batch=2, step_tokens=4, block_tokens=1, kv_blocks=64),
    )
    sorts = _sorts(tiny, (), None, None, None)
    ready = prepare(tiny, [kind], (Routing(), Failures(), Admission(), None), sorts, entry_s=0.0, seed=0)
    ready.run()
