"""The slow, obvious twin of the fleet's kernels: every replica is walked to every moment, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jevons.serving.sim._kernels.fleet_state import SAMPLE_TICKS
from jevons.serving.sim.fleet.run import with_pile
from jevons.serving.sim.fleet.types import Admission, Autoscale, Failures, Kind, Offline, Routing
from jevons.serving.sim.replica._reference import Job, Replica, hashes_of
from jevons.serving.sim.replica.drafts import longest_tokens, steps_needed
from jevons.serving.sim.types import TICKS_PER_S, IntArray, Requests

FOREVER = 1 << 62


@dataclass(eq=False, kw_only=True)
class Ask(Job):
    """One request of a fleet."""

    able: tuple[int, ...] = ()
    model: int = 0
    session: int = 0
    weight: int = 1
    offline: bool = False
    attempts: int = 0
    fate: str = ""
    chosen: int = -1
    due: int = -1
    bound_for: Place | None = None
    bound_life: int = -1


@dataclass(eq=False, kw_only=True)
class Place:
    """Room for one replica: off, starting, up, draining or down."""

    number: int
    kind: int
    engine: Replica
    status: str = "off"
    timer: int = FOREVER
    sent: list[Ask] = field(default_factory=list)
    landing: list[Ask] = field(default_factory=list)
    adapters: dict[int, tuple[int, int]] = field(default_factory=dict)
    life: int = 0
    past_busy: int = 0
    busy_seen: int = 0
    busy_sampled: int = 0
    seen: int = 0
    since: int = 0
    up_since: int = 0
    paid: int = 0
    serving: int = 0

    def open_asks(self, now: int) -> list[Ask]:
        """Return what was sent here and is not answered at a moment."""
        return [ask for ask in self.sent if ask.finish < 0 or ask.finish > now]

    def load(self, now: int) -> int:
        """Return the load that routing compares."""
        return sum(ask.weight for ask in self.open_asks(now) if not ask.offline)

    def count(self, now: int) -> int:
        """Return the unanswered requests, offline work apart."""
        return sum(not ask.offline for ask in self.open_asks(now))

    def busy(self, now: int) -> int:
        """Return the ticks it was busy by a moment."""
        return self.past_busy + self.engine.busy - max(self.engine.time - now, 0)

    def renew(self, now: int) -> None:
        """Begin anew with an empty engine."""
        self.past_busy += self.engine.busy
        self.engine = Replica(table=self.engine.table, limits=self.engine.limits, time=now)
        self.sent, self.landing, self.adapters, self.seen = [], [], {}, 0
        self.life += 1


def chance(seed: int, request: int, attempt: int, place: int) -> int:
    """Return 62 bits of splitmix64's finaliser."""
    full = (1 << 64) - 1
    mixed = seed * 0x9E3779B97F4A7C15 + request * 0xD1342543DE82EF95 + (4 * attempt + place + 1) * 0xBF58476D1CE4E5B9
    mixed &= full
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & full
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & full
    return (mixed ^ (mixed >> 31)) >> 2


@dataclass(eq=False, kw_only=True)
class FleetTwin:
    """A fleet and its router at a moment."""

    kinds: Sequence[Kind]
    routing: Routing
    failures: Failures
    admission: Admission
    offline: Offline | None
    places: list[Place]
    units: list[int]
    seed: int
    unrouted: list[Ask] = field(default_factory=list)
    later: list[Ask] = field(default_factory=list)
    pile: list[Ask] = field(default_factory=list)
    pile_able: tuple[int, ...] = ()
    last: dict[tuple[int, ...], int] = field(default_factory=dict)
    home: dict[int, tuple[Place, int]] = field(default_factory=dict)
    buckets: list[list[int]] = field(default_factory=list)
    enough: dict[int, int] = field(default_factory=dict)
    clock: int = 0
    failed: int = 0
    refreshed: int = 0
    samples: list[list[tuple[int, int, int, int]]] = field(default_factory=list)

    def load(self, place: Place, now: int) -> int:
        """Return a replica's load as the router sees it."""
        load = place.seen if self.routing.stale_s else place.load(now)
        return load * self.units[place.kind]

    def open_for(self, ask: Ask) -> list[Place]:
        """Return the open replicas that can take a request."""
        return [place for place in self.places if place.status == "up" and place.kind in ask.able]

    def at_home(self, key: int, ask: Ask) -> Place | None:
        """Return where a prefix or session went last, if it still can."""
        place, life = self.home.get(key, (None, 0))
        return place if place is not None and place in self.open_for(ask) and place.life == life else None

    def whole_hashes(self, ask: Ask) -> list[int]:
        """Return the hashes of a prompt's whole blocks."""
        return ask.hashes[: ask.isl // self.kinds[0].limits.block_tokens]

    def route(self, ask: Ask, now: int) -> Place | None:
        """Return the replica that a request is sent to."""
        options, way = self.open_for(ask), self.routing.kind
        if not options:
            return None
        if way == "round_robin":
            chosen = next((p for p in options if p.number > self.last.get(ask.able, -1)), options[0])
            self.last[ask.able] = chosen.number
            return chosen
        if way == "session":
            home = self.at_home(ask.session, ask)
            if home:
                return home
        if way == "two_choices":
            one = chance(self.seed, ask.index, ask.attempts, 0) % len(options)
            if len(options) > 1:
                other = chance(self.seed, ask.index, ask.attempts, 1) % (len(options) - 1)
                options = [options[one], [p for p in options if p is not options[one]][other]]
        best = min(options, key=lambda place: self.load(place, now))
        near: Place | None = None
        if way == "prefix":
            homes = [self.at_home(key, ask) for key in reversed(self.whole_hashes(ask))]
            near = next((place for place in homes if place), None)
        if way == "adapter":
            holders = [place for place in options if ask.model in place.adapters]
            near = min(holders, key=lambda place: self.load(place, now), default=None)
        if near and self.load(near, now) <= self.load(best, now) + self.routing.slack * self.units[near.kind]:
            return near
        return best

    def send(self, ask: Ask, now: int, *, new: bool = False) -> None:
        """Send a request to a replica, keep it, or refuse it."""
        limit = self.admission.queue_limit if new else None
        place = self.route(ask, now)
        if place is None:
            if limit is not None and len(self.unrouted) >= limit:
                ask.fate = "queue_limit"
            else:
                self.unrouted.append(ask)
            return
        waiting = sum(not job.offline for job in place.engine.waiting if isinstance(job, Ask)) + len(place.landing)
        if limit is not None and waiting >= limit:
            ask.fate = "queue_limit"
            return
        ask.chosen = place.number
        place.sent.append(ask)
        if self.routing.counts_own:
            place.seen += ask.weight
        for key in {"prefix": self.whole_hashes(ask), "session": [ask.session]}.get(self.routing.kind, []):
            self.home[key] = place, place.life
        ready = self.switched_in(ask, place, now)
        if ready > now:
            ask.due, ask.bound_for, ask.bound_life = ready, place, place.life
            place.landing.append(ask)
            self.later.append(ask)
        else:
            place.engine.accept(ask, now)

    def switched_in(self, ask: Ask, place: Place, now: int) -> int:
        """Return when a replica has the request's adapter."""
        kind = self.kinds[place.kind]
        if kind.adapters == 0:
            return now
        if ask.model not in place.adapters:
            if len(place.adapters) >= kind.adapters:
                del place.adapters[min(place.adapters, key=lambda model: place.adapters[model][1])]
            place.adapters[ask.model] = now + _ticks(kind.switch_s), 0
        self.clock += 1
        ready = place.adapters[ask.model][0]
        place.adapters[ask.model] = ready, self.clock
        return max(ready, now)

    def admitted(self, ask: Ask, now: int) -> bool:
        """Return whether the token buckets let a request pass; each fills by a tick per tick."""
        own = [
            (bucket, rate)
            for bucket, rate in zip(self.buckets, self.admission.rates, strict=True)
            if rate.priority in (None, ask.rank)
        ]
        for bucket, rate in own:
            gap = max(round(TICKS_PER_S / rate.req_per_s), 1)
            bucket[0], bucket[1] = min(bucket[0] + now - bucket[1], gap * rate.burst), now
        gaps = [max(round(TICKS_PER_S / rate.req_per_s), 1) for _, rate in own]
        if any(bucket[0] < gap for (bucket, _), gap in zip(own, gaps, strict=True)):
            return False
        for (bucket, _), gap in zip(own, gaps, strict=True):
            bucket[0] -= gap
        return True

    def flush(self, now: int) -> None:
        """Try to send what is kept."""
        waiting, self.unrouted = self.unrouted, []
        for ask in waiting:
            self.send(ask, now)

    def fail(self, place: Place, now: int) -> None:
        """Let a replica fail after the step in progress."""
        if place.status not in {"up", "draining"}:
            return
        death = max(now, place.engine.time)
        lost = [job for job in (*place.engine.running, *place.engine.waiting) if isinstance(job, Ask)]
        for ask in lost:
            ask.cached, ask.grown, ask.decoding, ask.shared, ask.ready = 0, 0, False, 0, ""
            if not self.failures.resume:
                ask.steps_done, ask.first = 0, -1
            ask.attempts += 1
            if ask.offline:
                ask.due = death
            elif ask.attempts > self.failures.retries:
                ask.fate = "retries"
                continue
            else:
                ask.due = death + _ticks(self.failures.retry_s)
            self.later.append(ask)
        place.renew(death)
        self.failed += 1
        place.serving += death - place.up_since
        if place.status == "draining":
            place.status = "off"
            place.paid += death - place.since
        else:
            place.status = "down"
            place.timer = min(death + _ticks(self.failures.repair_s), FOREVER)
        self.flush(now)

    def close_drained(self, now: int) -> None:
        """Turn off the replicas that have drained."""
        for place in self.places:
            if place.status == "draining" and not place.open_asks(now):
                end = max(place.engine.time, place.timer)
                place.status = "off"
                place.serving += end - place.up_since
                place.paid += end - place.since

    def evaluate(self, kind: int, scale: Autoscale, now: int) -> None:
        """Start replicas of a kind, or let some drain."""
        own = [place for place in self.places if place.kind == kind]
        waiting = sum(kind in ask.able for ask in self.unrouted)
        target = max(round(scale.target * 1000), 1)
        if scale.signal == "utilisation":
            busy = 0
            for place in own:
                busy += place.busy(now) - place.busy_seen
                place.busy_seen = place.busy(now)
            ask = -(-(busy // 10**6 * 1000) // (_ticks(scale.every_s) // 10**6 * target))
        else:
            count = sum(place.count(now) for place in own if place.status in {"up", "draining"}) + waiting
            ask = -(-count * 1000 // target)
        ask = min(max(ask, scale.least, int(waiting > 0)), scale.most)
        committed = sum(place.status in {"up", "starting"} for place in own)
        if ask >= committed:
            self.enough[kind] = now
        changed = False
        for place in [p for p in own if p.status == "draining"] + [p for p in own if p.status == "off"]:
            if committed < ask:
                if place.status == "draining":
                    place.status = "up"
                else:
                    place.since = max(now, place.engine.time)
                    place.status, place.timer = "starting", place.since + _ticks(scale.cold_start_s)
                committed, changed = committed + 1, True
        while committed > ask and now - self.enough.get(kind, 0) >= _ticks(scale.down_after_s):
            busy_ones = [p for p in reversed(own) if p.status in {"up", "starting"}]
            place = min(busy_ones, key=lambda p: p.count(now) if p.status == "up" else -1)
            if place.status == "starting":
                place.status = "off"
                place.paid += max(now - place.since, 0)
            else:
                place.status, place.timer = "draining", now
                self.close_drained(now)
            committed, changed = committed - 1, True
        if changed:
            self.flush(now)

    def sample(self, now: int) -> None:
        """Note the state of each kind."""
        rows = []
        for kind in range(len(self.kinds)):
            own = [place for place in self.places if place.kind == kind]
            up = [place for place in own if place.status in {"up", "draining"}]
            busy = sum(place.busy(now) // SAMPLE_TICKS - place.busy_sampled for place in own)
            paid = sum(place.status != "off" for place in own)
            rows.append((len(up), paid, sum(place.count(now) for place in up), busy))
        for place in self.places:
            place.busy_sampled = place.busy(now) // SAMPLE_TICKS
        self.samples.append(rows)

    def hand_out(self, now: int) -> None:
        """Give offline work to replicas with little to do."""
        below = self.offline.below if self.offline else 0
        for place in self.places:
            able = place.status == "up" and place.kind in self.pile_able
            while able and self.pile and len(place.open_asks(now)) < below:
                ask = self.pile.pop(0)
                ask.chosen = place.number
                if ask.arrival < 0:
                    ask.arrival = now
                place.sent.append(ask)
                place.engine.accept(ask, now)

    def come_back(self, ask: Ask, now: int) -> None:
        """Handle a request that is due: offline work to its pile, others where they are bound for, or anywhere."""
        self.later.remove(ask)
        place, ask.bound_for = ask.bound_for, None
        if ask.offline:
            self.pile.append(ask)
        elif place and place.life == ask.bound_life:
            place.landing.remove(ask)
            place.engine.accept(ask, now)
        elif place and ask.attempts + 1 > self.failures.retries:
            ask.attempts += 1
            ask.fate = "retries"
        else:
            ask.attempts += place is not None
            self.send(ask, now)

    def hopeful(self) -> bool:
        """Return whether some request that is kept may yet find a replica."""
        for ask in self.unrouted:
            for place in self.places:
                scale = self.kinds[place.kind].autoscale
                if place.kind not in ask.able:
                    continue
                if place.status in {"starting", "down"} and place.timer < FOREVER:
                    return True
                if place.status in {"off", "draining"} and scale is not None:
                    return True
        return False


def _ticks(time_s: float) -> int:
    return FOREVER if time_s == float("inf") else min(round(time_s * TICKS_PER_S), FOREVER)


def simulate_fleet_steps(
    twin: FleetTwin, asks: list[Ask], failures: list[tuple[int, int]], bin_ticks: int, bins: int
) -> int:
    """Serve requests in order of arrival; return the end of the run in ticks."""
    coming, last, end = list(asks), asks[-1].arrival, asks[-1].arrival
    coming = [ask for ask in coming if ask.able]
    scales = {k: kind.autoscale for k, kind in enumerate(twin.kinds) if kind.autoscale}
    evaluations = {k: _ticks(scale.every_s) for k, scale in scales.items()}
    every = _ticks(twin.offline.every_s) if twin.offline else FOREVER
    poll = 0 if twin.offline else FOREVER
    while True:
        events: list[tuple[int, int, int]] = []
        events += [(p.timer, 0, p.number) for p in twin.places if p.status in {"starting", "down"}]
        events += [(moment, 1, number) for moment, number in failures[:1]]
        events += [(moment, 2, kind) for kind, moment in evaluations.items()]
        events += [((len(twin.samples) + 1) * bin_ticks, 3, 0)] if len(twin.samples) < bins else []
        events += [(poll, 4, 0)]
        events += [(ask.due, 5, ask.index) for ask in twin.later]
        events += [(ask.arrival, 6, ask.index) for ask in coming[:1]]
        now, sort, subject = min(events)
        for place in twin.places:
            place.engine.run_until(now)
        if not coming:
            idle = not any(place.open_asks(now) for place in twin.places) and not twin.later
            if now == FOREVER or (idle and not twin.hopeful()):
                break
        stale = _ticks(twin.routing.stale_s)
        if stale and now >= twin.refreshed + stale:
            twin.refreshed = now // stale * stale
            for place in twin.places:
                place.seen = place.load(twin.refreshed)
        twin.close_drained(now)
        if sort < 6:
            end = max(end, now)
        if sort == 0:
            place = twin.places[subject]
            place.renew(now)
            place.status, place.timer, place.up_since = "up", FOREVER, now
            twin.flush(now)
        elif sort == 1:
            failures.pop(0)
            twin.fail(twin.places[subject], now)
        elif sort == 2:
            twin.evaluate(subject, scales[subject], now)
            evaluations[subject] += _ticks(scales[subject].every_s)
        elif sort == 3:
            twin.sample(now)
        elif sort == 4:
            twin.hand_out(now)
            poll = poll + every if poll + every <= last else FOREVER
        elif sort == 5:
            twin.come_back(next(ask for ask in twin.later if ask.index == subject), now)
        else:
            ask = coming.pop(0)
            if twin.admitted(ask, now):
                twin.send(ask, now, new=True)
            else:
                ask.fate = "rate_limit"
    end = max(end, *(place.engine.time for place in twin.places))
    twin.close_drained(end)
    for place in twin.places:
        if place.status in {"up", "draining"}:
            place.serving += end - place.up_since
        if place.status != "off":
            place.paid += end - place.since
    return end


def build_twin(
    requests: Requests,
    kinds: Sequence[Kind],
    parts: tuple[Routing, Failures, Admission, Offline | None],
    sorts: tuple[Sequence[str], IntArray, IntArray, IntArray],
    seed: int = 0,
) -> tuple[FleetTwin, list[Ask]]:
    """Return a fleet at the start, and its requests; offline work is on the twin's pile."""
    routing, failures, admission, offline = parts
    names, model, session, priority = sorts
    mean_osl = round(float(requests.osl.mean()))
    whole = requests if offline is None else with_pile(requests, offline)
    steps = steps_needed(whole, kinds[0].limits, seed)
    room = [longest_tokens(whole, steps, kind.limits) for kind in kinds]
    asks = [
        Ask(
            index=i,
            arrival=round(requests.arrival_s[i] * TICKS_PER_S),
            isl=int(requests.isl[i]),
            osl=int(requests.osl[i]),
            hashes=hashes_of(requests, i),
            steps=int(steps[i]),
            model=int(model[i]),
            session=int(session[i]),
            rank=int(priority[i]),
        )
        for i in range(requests.count)
    ]
    pile = []
    if offline is not None:
        pile = [
            Ask(
                index=requests.count + i,
                arrival=-1,
                isl=int(offline.requests.isl[i]),
                osl=int(offline.requests.osl[i]),
                steps=int(steps[requests.count + i]),
                offline=True,
                model=list(names).index(offline.model),
                rank=int(priority.max()) + 1,
            )
            for i in range(offline.requests.count)
        ]
    for ask in asks + pile:
        ask.able = tuple(k for k, kind in enumerate(kinds) if _takes(kind, ask, names, int(room[k][ask.index])))
        if routing.kind == "least_tokens":
            ask.weight = ask.isl + mean_osl
    places: list[Place] = []
    for k, kind in enumerate(kinds):
        for i in range(kind.autoscale.most if kind.autoscale else kind.replicas):
            status = "up" if i < kind.replicas else "off"
            places.append(
                Place(number=len(places), kind=k, engine=Replica(table=kind.table, limits=kind.limits), status=status)
            )
    most = max(kind.weight for kind in kinds)
    equal = all(kind.weight == most for kind in kinds)
    units = [1 if equal else round(1000 * most / kind.weight) for kind in kinds]
    twin = FleetTwin(
        kinds=kinds,
        routing=routing,
        failures=failures,
        admission=admission,
        offline=offline,
        places=places,
        units=units,
        seed=seed,
    )
    twin.buckets = [[max(round(TICKS_PER_S / r.req_per_s), 1) * r.burst, 0] for r in admission.rates]
    twin.pile_able = tuple(sorted({k for ask in pile for k in ask.able}))
    twin.pile = [ask for ask in pile if ask.able and ask.able == twin.pile_able]
    return twin, asks


def _takes(kind: Kind, ask: Ask, names: Sequence[str], room: int) -> bool:
    """Return whether a kind serves a request's model and can hold its *room* tokens."""
    total, limits = ask.isl + ask.osl, kind.limits
    offered = not kind.models or names[ask.model] in kind.models
    short = not limits.max_context or total <= limits.max_context
    return offered and short and room <= limits.kv_blocks * limits.block_tokens
