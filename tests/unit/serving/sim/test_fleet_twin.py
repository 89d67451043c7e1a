"""The fleet's kernels against their plain twin: equal to the tick, whatever is combined."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.serving import sim
from jevons.serving.sim._kernels import fleet_state as kf
from jevons.serving.sim.fleet import _reference as ref
from jevons.serving.sim.fleet import run as fl
from jevons.serving.sim.fleet.types import Admission, Autoscale, Failures, Kind, Offline, RateLimit, Routing

NAMES = ("a", "b", "c")
FATES = {
    0: "", kf.ANSWERED: "answered", kf.RATE_LIMIT: "rate_limit", kf.QUEUE_LIMIT: "queue_limit", kf.LOST: "retries",
    kf.NO_REPLICA: "no_replica",
}  # fmt: skip


@st.composite
def loads(draw, *, hashed=True) -> sim.Requests:
    count = draw(st.integers(1, 25))
    numbers = st.lists(st.integers(1, 30), min_size=count, max_size=count)
    isl, osl = np.array(draw(numbers)), np.array(draw(numbers))
    gaps = draw(st.lists(st.sampled_from([0.0, 0.001, 0.0137, 0.05, 0.3]), min_size=count, max_size=count))
    more = {}
    if hashed:
        blocks = isl // 4
        keys = draw(st.lists(st.integers(0, 9), min_size=int(blocks.sum()), max_size=int(blocks.sum())))
        start = np.append(0, np.cumsum(blocks))
        # A block's hash stands for all before it, too.
        chained = {}
        hashes = []
        for i in range(count):
            chain = ()
            for key in keys[start[i] : start[i + 1]]:
                chain = (*chain, key % 3)
                hashes.append(chained.setdefault(chain, len(chained)))
        more = {"hashes": np.array(hashes, dtype=np.int64), "hash_start": start, "hash_tokens": 4}
    return sim.Requests(arrival_s=np.cumsum(gaps), isl=isl, osl=osl, **more)


@st.composite
def kinds(draw) -> list[Kind]:
    found = []
    drafts = draw(st.sampled_from([(0, 0.0), (0, 0.0), (2, 0.6), (3, 0.9)]))
    for number in range(draw(st.integers(1, 3))):
        host = draw(st.sampled_from([0, 0, 3, 20]))
        most = draw(st.integers(1, 3))
        table = sim.constant_table(
            4, 16, decode_s=draw(st.sampled_from([0.01, 0.017])), per_context_s=draw(st.sampled_from([0.0, 1e-4])),
            prompt_token_s=0.001,
        )  # fmt: skip
        limits = sim.SimLimits(
            max_batch=draw(st.integers(1, 4)),
            step_tokens=16,
            block_tokens=4,
            kv_blocks=draw(st.integers(8, 30)),
            host_blocks=host,
            swap=host > 0,
            move_s=draw(st.sampled_from([0.0, 0.0031])),
            draft_tokens=drafts[0],
            draft_acceptance_frac=drafts[1],
        )
        replicas, scale = most, None
        if draw(st.booleans()):
            least = draw(st.integers(0, most))
            replicas = draw(st.integers(least, most))
            signal = draw(st.sampled_from(fl.SIGNALS))
            target = draw(st.floats(0.2, 0.9)) if signal == "utilisation" else draw(st.floats(0.5, 4.0))
            scale = Autoscale(
                least=least, most=most, target=target, signal=signal, every_s=draw(st.sampled_from([0.05, 0.11, 0.4])),
                cold_start_s=draw(st.sampled_from([0.0, 0.03, 0.2])), down_after_s=draw(st.sampled_from([0.0, 0.15])),
            )  # fmt: skip
        models = draw(st.sampled_from([(), (), ("a", "b"), ("b", "c"), ("c",)]))
        found.append(
            Kind(
                name=f"kind {number}",
                table=table,
                limits=limits,
                replicas=replicas,
                models=models,
                weight=draw(st.sampled_from([1.0, 1.0, 2.5])),
                autoscale=scale,
                adapters=draw(st.integers(0, 2)),
                switch_s=draw(st.sampled_from([0.0, 0.02, 0.1])),
            )
        )
    return found


@st.composite
def all_parts(draw) -> tuple[Routing, Failures, Admission, Offline | None]:
    routing = Routing(
        kind=draw(st.sampled_from(fl.FLEET_ROUTINGS)),
        stale_s=draw(st.sampled_from([0.0, 0.0, 0.04, 0.2])),
        counts_own=draw(st.booleans()),
        slack=draw(st.integers(0, 3)),
    )
    times = draw(
        st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.05, 0.1234, 0.3, 1.0]), st.integers(0, 8)), max_size=4)
    )
    failures = Failures(
        times=tuple(times), repair_s=draw(st.sampled_from([0.02, 0.2, math.inf])), retries=draw(st.integers(0, 2)),
        retry_s=draw(st.sampled_from([0.0, 0.013])), resume=draw(st.booleans()),
    )  # fmt: skip
    rates = [RateLimit(draw(st.sampled_from([20.0, 60.0])), draw(st.integers(1, 4)), p) for p in draw(
        st.lists(st.sampled_from([None, 0, 1]), max_size=2))]  # fmt: skip
    admission = Admission(draw(st.sampled_from([None, 1, 3])), tuple(rates))
    offline = None
    if draw(st.booleans()):
        pile = draw(loads(hashed=False))
        offline = Offline(
            requests=pile,
            below=draw(st.integers(1, 4)),
            every_s=draw(st.sampled_from([0.03, 0.1])),
            model=draw(st.sampled_from(NAMES)),
        )
    return routing, failures, admission, offline


def compare(load: sim.Requests, fleet: list[Kind], parts, sorts: fl.Sorts) -> None:
    """Run both and hold everything that they leave against one another."""
    places = sum(kind.autoscale.most if kind.autoscale else kind.replicas for kind in fleet)
    routing, failures, admission, offline = parts
    times = tuple((moment, replica % places) for moment, replica in failures.times)
    failures = Failures(
        mtbf_s=math.inf,
        repair_s=failures.repair_s,
        times=times,
        retries=failures.retries,
        retry_s=failures.retry_s,
        resume=failures.resume,
    )
    parts = (routing, failures, admission, offline)
    twin, asks = ref.build_twin(load, fleet, parts, (sorts.names, sorts.model, sorts.session, sorts.priority), 7)
    if not any(ask.able for ask in asks):
        return
    ready = fl.prepare(load, fleet, parts, sorts, entry_s=0.0, seed=7)
    ready.run()
    trail, fate, attempts = fl.gather(ready, load, offline)
    fleet_after = ready.fleet
    everyone = asks + list(twin.pile)
    pile = [*twin.pile]
    events = sorted((round(moment * sim.types.TICKS_PER_S), replica) for moment, replica in times)
    bin_ticks = int(fleet_after.settings[kf.BIN])
    end = ref.simulate_fleet_steps(twin, asks, events, bin_ticks, fl.BINS)
    everyone = asks + pile
    index = [ask.index for ask in everyone]
    for name in ("admitted", "first", "finish", "preempted"):
        assert getattr(trail, name)[index].tolist() == [getattr(ask, name) for ask in everyone], name
    assert trail.replica[index].tolist() == [ask.chosen for ask in everyone]
    assert attempts[index].tolist() == [ask.attempts for ask in everyone]
    assert trail.arrival[index].tolist() == [ask.arrival for ask in everyone]
    for ask in asks:
        expected = ask.fate or ("answered" if ask.finish >= 0 else "no_replica" if ask.able else "")
        assert FATES[int(fate[ask.index])] == expected
    assert fleet_after.own[kf.LAST_EVENT] == end
    assert fleet_after.rows[:, kf.PAID].tolist() == [place.paid for place in twin.places]
    assert fleet_after.rows[:, kf.SERVING].tolist() == [place.serving for place in twin.places]
    assert trail.totals["busy"].tolist() == [place.past_busy + place.engine.busy for place in twin.places]
    assert fleet_after.own[kf.FAILED] == twin.failed
    taken = fleet_after.samples[: fleet_after.own[kf.SAMPLED]]
    assert taken.tolist() == [[list(row) for row in rows] for rows in twin.samples]


def sorts_of(load: sim.Requests, model, session, priority) -> fl.Sorts:
    count = load.count
    columns = {"model": model, "session": session, "priority": priority}
    return fl.Sorts(
        names=NAMES, **{k: np.resize(np.array(v), count).astype(np.int64) for k, v in columns.items()}
    )  # fmt: skip


@settings(max_examples=draws(150), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    loads(), kinds(), all_parts(), st.lists(st.integers(0, 2), min_size=1, max_size=7),
    st.lists(st.integers(0, 4), min_size=1, max_size=9), st.sampled_from([[0], [0, 1], [1, 0, 0]]),
)  # fmt: skip
def test_every_combination_agrees_with_the_twin_to_the_tick(load, fleet, parts, model, session, priority) -> None:
    compare(load, fleet, parts, sorts_of(load, model, session, priority))
