import dataclasses
import math

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.serving import sim
from jevons.serving.sim.fleet.run import FLEET_ROUTINGS, simulate_fleet
from jevons.serving.sim.fleet.types import (
    Admission,
    Autoscale,
    Failures,
    FleetResult,
    Kind,
    Offline,
    RateLimit,
    Routing,
)

TABLE = sim.constant_table(4, 64, decode_s=0.01, prompt_token_s=0.001)
LIMITS = sim.SimLimits(max_batch=4, step_tokens=64, block_tokens=4, kv_blocks=100)
# A server that answers one request at a time: all its time is in the prompt, so lengths are service times.
SERVER = sim.constant_table(1, 200_000, decode_s=0.0, prompt_token_s=1e-4)
ONE_AT_A_TIME = sim.SimLimits(max_batch=1, step_tokens=200_000, block_tokens=16, kv_blocks=20_000)


def poisson(requests: int, rate: float, **more: float) -> sim.Requests:
    return sim.generate(sim.Load(requests=requests, isl=10, osl=10, rate_req_per_s=rate, **more), 1)


def services(requests: int, rate: float, seed: int = 1) -> sim.Requests:
    """Poisson arrivals of requests whose service takes an exponential time, one second on average."""
    chance = np.random.default_rng(seed)
    arrival_s = np.cumsum(chance.exponential(1 / rate, requests))
    isl = np.clip(np.round(chance.exponential(1e4, requests)), 1, 200_000).astype(np.int64)
    return sim.Requests(arrival_s=arrival_s, isl=isl, osl=np.ones(requests, dtype=np.int64))


def accounted(found: FleetResult) -> int:
    return found.counts.served + sum(found.counts.rejected.values()) + sum(found.counts.lost.values())


@pytest.mark.parametrize("routing", ["round_robin", "least_loaded"])
def test_equal_replicas_without_features_equal_the_plain_simulation(routing: str) -> None:
    load = poisson(2000, 100.0, osl_cv=1.0)
    plain = sim.simulate(load, TABLE, LIMITS, replicas=3, routing=routing)
    found = simulate_fleet(
        load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=3)], routing=Routing(kind=routing)
    )
    for name in ("admitted", "first", "finish", "replica", "preempted"):
        assert np.array_equal(getattr(found.trail, name), getattr(plain.trail, name))
    assert found.latency.ttft_s == plain.latency.ttft_s
    assert found.work.decode_tokens == plain.work.decode_tokens


def test_equal_kinds_are_one_kind() -> None:
    load = poisson(1000, 100.0, osl_cv=1.0)
    for routing in ("round_robin", "least_loaded", "two_choices"):
        one = simulate_fleet(
            load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=5)], routing=Routing(kind=routing)
        )
        two = simulate_fleet(
            load,
            [
                Kind(name="a", table=TABLE, limits=LIMITS, replicas=2),
                Kind(name="b", table=TABLE, limits=LIMITS, replicas=3),
            ],
            routing=Routing(kind=routing),
        )
        assert np.array_equal(one.trail.finish, two.trail.finish)
        assert one.bill.replica_hours == pytest.approx(two.bill.replica_hours)


def test_the_same_seed_gives_the_same_bytes() -> None:
    load = poisson(2000, 100.0)
    runs = [
        simulate_fleet(
            load,
            [Kind(name="a", table=TABLE, limits=LIMITS, replicas=4)],
            routing=Routing(kind="two_choices"),
            failures=Failures(mtbf_s=2.0, repair_s=0.5),
            seed=seed,
        )
        for seed in (3, 3, 4)
    ]
    assert runs[0].trail.finish.tobytes() == runs[1].trail.finish.tobytes()
    assert runs[0].trail.finish.tobytes() != runs[2].trail.finish.tobytes()


def test_two_choices_wait_between_round_robin_and_least_loaded() -> None:
    load = services(40_000, 8.0)
    waits = {
        way: simulate_fleet(
            load, [Kind(name="a", table=SERVER, limits=ONE_AT_A_TIME, replicas=10)], routing=Routing(kind=way)
        ).latency.ttft_s.mean
        for way in ("round_robin", "two_choices", "least_loaded")
    }
    assert waits["least_loaded"] < waits["two_choices"] < waits["round_robin"]


def erlang_c(servers: int, offered: float) -> float:
    """Probability of waiting in M/M/c."""
    below = sum(offered**k / math.factorial(k) for k in range(servers))
    top = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return top / (below + top)


def test_join_the_shortest_queue_lies_between_one_queue_and_separate_ones() -> None:
    # M/M/4 with one queue is the best that any routing does, four M/M/1 at random the worst of the sensible ones.
    servers, load = 4, 0.7
    requests = services(200_000, servers * load)
    isl_s = requests.isl * 1e-4
    mean_s = float(isl_s.mean())
    found = simulate_fleet(
        requests, [Kind(name="a", table=SERVER, limits=ONE_AT_A_TIME, replicas=servers)], edge_frac=0.02
    )
    waiting_s = found.latency.ttft_s.mean - mean_s
    offered = servers * load * mean_s
    shared_s = erlang_c(servers, offered) * mean_s / (servers - offered)
    alone_s = load * mean_s * mean_s / (1 - load * mean_s)
    assert shared_s < waiting_s < alone_s / 2


def test_a_random_split_waits_as_m_g_1_does() -> None:
    # Poisson arrivals split by round robin over four are Erlang-4; by independent models they stay Poisson.
    requests = services(200_000, 2.8)
    chance = np.random.default_rng(5)
    kinds = [Kind(name=name, table=SERVER, limits=ONE_AT_A_TIME, replicas=1, models=(name,)) for name in "abcd"]
    found = simulate_fleet(requests, kinds, models=tuple("abcd"), model=chance.integers(0, 4, requests.count))
    service_s = requests.isl * 1e-4
    rate = requests.count / requests.arrival_s[-1] / 4
    busy = rate * service_s.mean()
    waiting_s = rate * (service_s**2).mean() / (2 * (1 - busy))
    assert found.latency.ttft_s.mean - service_s.mean() == pytest.approx(waiting_s, rel=0.05)


def test_a_full_queue_turns_away_as_erlang_says() -> None:
    # One server and one place to wait: M/M/1/2 refuses a share r^2 (1 - r) / (1 - r^3) of what comes.
    requests = services(100_000, 0.8)
    found = simulate_fleet(
        requests,
        [Kind(name="a", table=SERVER, limits=ONE_AT_A_TIME, replicas=1)],
        admission=Admission(queue_limit=1),
        edge_frac=0.0,
    )
    ratio = 0.8 * float(requests.isl.mean()) * 1e-4
    refused = found.counts.rejected["queue_limit"] / requests.count
    assert refused == pytest.approx(ratio**2 * (1 - ratio) / (1 - ratio**3), rel=0.06)
    assert accounted(found) == requests.count


def test_a_token_bucket_passes_its_rate_and_its_burst() -> None:
    load = sim.Requests(arrival_s=np.repeat(np.arange(50) / 10.0, 4), isl=np.full(200, 5), osl=np.full(200, 2))
    found = simulate_fleet(
        load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=8)], admission=Admission(rates=(RateLimit(20.0, 7),))
    )
    # Four come each 0.1 s and two may: the five saved up at first last for three times.
    assert found.counts.served == pytest.approx(7 + 2 * 49, abs=1)
    assert found.counts.rejected["rate_limit"] == 200 - found.counts.served
    classes = np.resize([0, 1], 200)
    only = simulate_fleet(
        load,
        [Kind(name="a", table=TABLE, limits=LIMITS, replicas=8)],
        admission=Admission(rates=(RateLimit(0.001, 1, 1),)),
        priority=classes,
    )
    assert only.counts.served == 101


def test_stale_loads_herd() -> None:
    load = services(20_000, 3.0)
    waits = [
        simulate_fleet(
            load, [Kind(name="a", table=SERVER, limits=ONE_AT_A_TIME, replicas=4)], routing=routing
        ).latency.ttft_s.mean
        for routing in (Routing(), Routing(stale_s=5.0, counts_own=True), Routing(stale_s=5.0))
    ]
    assert waits[0] < waits[1] < waits[2]


def test_sessions_stay_and_prefixes_are_found_again() -> None:
    turns, sessions = 6, 12
    session = np.tile(np.arange(sessions), turns)
    count = turns * sessions
    turn = np.repeat(np.arange(turns), sessions)
    isl = 8 * (turn + 1)
    hashes = np.concatenate([1000 * s + np.arange(2 * (t + 1)) for s, t in zip(session, turn, strict=True)])
    _, hashes = np.unique(hashes, return_inverse=True)
    start = np.append(0, np.cumsum(2 * (turn + 1)))
    load = sim.Requests(
        arrival_s=np.arange(count) * 0.11,
        isl=isl,
        osl=np.full(count, 3),
        hashes=hashes,
        hash_start=start,
        hash_tokens=4,
    )
    kinds = [Kind(name="a", table=TABLE, limits=dataclasses.replace(LIMITS, kv_blocks=400), replicas=5)]
    hits = {}
    for way in ("round_robin", "session", "prefix"):
        found = simulate_fleet(load, kinds, routing=Routing(kind=way), session=session)
        hits[way] = found.work.hit_tokens
        if way == "session":
            assert all(len(set(found.trail.replica[session == s])) == 1 for s in range(sessions))
    assert hits["session"] == hits["prefix"] > 2 * hits["round_robin"]


def test_a_failed_replica_s_requests_are_answered_elsewhere() -> None:
    # 10 prompt tokens at 1 ms, then steps of 10 ms: at 45 ms four tokens are out, the fifth comes with the step.
    load = sim.Requests(arrival_s=np.array([0.0]), isl=np.array([10]), osl=np.array([20]))
    kinds = [Kind(name="a", table=TABLE, limits=LIMITS, replicas=2)]
    failed = Failures(times=((0.045, 0),), repair_s=math.inf)
    on = simulate_fleet(load, kinds, failures=failed)
    assert (on.failures, on.counts.retried, on.counts.served) == (1, 1, 1)
    assert on.latency.ttft_s.mean == pytest.approx(0.010)
    # Five tokens seen, fifteen computed anew with the sixth: 50 ms + 15 ms, then 14 steps.
    assert on.latency.e2e_s.mean == pytest.approx(0.050 + 0.015 + 0.140)
    anew = simulate_fleet(load, kinds, failures=dataclasses.replace(failed, resume=False))
    assert anew.latency.ttft_s.mean == pytest.approx(0.060)
    assert anew.latency.e2e_s.mean == pytest.approx(0.050 + 0.010 + 0.190)
    never = simulate_fleet(load, kinds, failures=dataclasses.replace(failed, retries=0))
    assert (never.counts.served, never.counts.lost) == (0, {"retries": 1, "no_replica": 0})
    alone = simulate_fleet(load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=1)], failures=failed)
    assert alone.counts.lost == {"retries": 0, "no_replica": 1}


def test_failures_come_as_often_as_said() -> None:
    load = poisson(5000, 5.0)
    found = simulate_fleet(
        load,
        [Kind(name="a", table=TABLE, limits=LIMITS, replicas=20)],
        failures=Failures(mtbf_s=100.0, repair_s=1.0),
        seed=2,
    )
    expected = 20 * float(load.arrival_s[-1]) / 101.0
    assert found.failures == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert accounted(found) == load.count
    assert found.kinds[0].up_hours == pytest.approx(found.bill.replica_hours * 100 / 101, rel=0.01)


def test_autoscaling_follows_a_day_and_pays_only_what_is_up() -> None:
    chance = np.random.default_rng(3)
    gaps = np.concatenate([chance.exponential(1 / rate, n) for rate, n in ((2.0, 100), (40.0, 2000), (2.0, 100))])
    load = sim.Requests(arrival_s=np.cumsum(gaps), isl=np.full(2200, 10), osl=np.full(2200, 20))
    scale = Autoscale(least=1, most=10, target=3.0, every_s=1.0, cold_start_s=2.0, down_after_s=5.0)
    found = simulate_fleet(load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=1, autoscale=scale)])
    up = found.series.up[:, 0]
    assert up[10] == 1
    assert up.max() >= 3
    assert up[-1] <= 2
    fixed = simulate_fleet(load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=10)])
    assert found.bill.replica_hours < 0.6 * fixed.bill.replica_hours
    assert fixed.bill.replica_hours == pytest.approx(10 * fixed.timing.end_s / 3600)
    assert found.counts.served == 2200
    # What the bins show as paid is what is paid.
    bin_s = found.series.end_s[0]
    assert found.series.paid.sum() * bin_s / 3600 == pytest.approx(found.bill.replica_hours, rel=0.05)


def test_scaled_to_zero_waits_for_the_cold_start() -> None:
    load = sim.Requests(arrival_s=np.array([5.0]), isl=np.array([10]), osl=np.array([5]))
    scale = Autoscale(least=0, most=2, target=4.0, every_s=1.0, cold_start_s=30.0)
    found = simulate_fleet(load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=0, autoscale=scale)])
    # Evaluated at the fifth second before the request comes, at the sixth with it; 30 s later it is served.
    assert found.latency.ttft_s.mean == pytest.approx(31.0 + 0.010)


def test_offline_work_fills_the_valleys_and_hardly_slows_the_others() -> None:
    load = poisson(2000, 20.0)
    pile = sim.Requests(arrival_s=np.zeros(3000), isl=np.full(3000, 10), osl=np.full(3000, 30))
    kinds = [Kind(name="a", table=TABLE, limits=LIMITS, replicas=4)]
    alone = simulate_fleet(load, kinds)
    both = simulate_fleet(load, kinds, offline=Offline(requests=pile, below=3, every_s=0.2))
    assert both.offline.served > 500
    assert both.offline.output_tokens == 30 * both.offline.served
    assert both.offline.served + both.offline.left == 3000
    assert both.counts.served == alone.counts.served == 2000
    assert both.utilisation_frac > alone.utilisation_frac
    assert alone.latency.ttft_s.mean < both.latency.ttft_s.mean < 2.5 * alone.latency.ttft_s.mean


def test_adapters_are_switched_in_once_where_they_fit() -> None:
    names = ("x", "y", "z")
    load = sim.Requests(arrival_s=np.arange(30) * 1.0, isl=np.full(30, 10), osl=np.full(30, 2))
    model = np.resize([0, 1, 2], 30)

    def mean_ttft_s(adapters: int) -> float:
        kinds = [Kind(name="a", table=TABLE, limits=LIMITS, replicas=3, adapters=adapters, switch_s=0.5)]
        return simulate_fleet(load, kinds, models=names, model=model, edge_frac=0.0).latency.ttft_s.mean

    # All go to the first replica when it is idle: with room for one adapter each request waits for its own.
    assert mean_ttft_s(1) == pytest.approx(0.510)
    assert mean_ttft_s(3) == pytest.approx(0.010 + 0.5 * 3 / 30)
    assert mean_ttft_s(0) == pytest.approx(0.010)


def test_models_go_to_the_kinds_that_serve_them() -> None:
    load = poisson(500, 40.0)
    model = np.resize([0, 1], 500)
    kinds = [
        Kind(name="one", table=TABLE, limits=LIMITS, replicas=1, models=("x",)),
        Kind(name="both", table=TABLE, limits=LIMITS, replicas=2),
    ]
    found = simulate_fleet(load, kinds, models=("x", "y"), model=model)
    assert set(found.trail.replica[model == 1]) <= {1, 2}
    assert [share.served for share in found.models] == [250, 250]
    assert sum(share.served for share in found.kinds) == 500
    with pytest.raises(InfeasibleError, match="no kind serves"):
        simulate_fleet(load, kinds[:1], models=("x", "y"), model=np.ones(500, dtype=np.int64))


def test_faster_kinds_get_more() -> None:
    fast = sim.constant_table(4, 64, decode_s=0.005, prompt_token_s=0.0005)
    load = poisson(3000, 60.0)
    kinds = [
        Kind(name="fast", table=fast, limits=LIMITS, replicas=2, weight=2.0),
        Kind(name="slow", table=TABLE, limits=LIMITS, replicas=2),
    ]
    found = simulate_fleet(load, kinds)
    assert found.kinds[0].served > 1.5 * found.kinds[1].served


def test_an_overloaded_fleet_is_called_so_with_its_limit() -> None:
    load = sim.generate(sim.Load(requests=20_000, isl=10, osl=1, rate_req_per_s=260.0), 1)
    found = simulate_fleet(load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=2)])
    assert found.overload.overload_frac == pytest.approx(0.30, abs=0.03)
    assert found.overload.capacity_req_per_s == pytest.approx(200.0, rel=0.01)
    assert "a" in found.overload.limit
    calm = simulate_fleet(load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=4)])
    assert (calm.overload.overload_frac, calm.overload.limit) == (None, None)


def test_tokens_and_requests_are_conserved() -> None:
    load = poisson(1000, 60.0, osl_cv=1.0)
    found = simulate_fleet(
        load,
        [Kind(name="a", table=TABLE, limits=LIMITS, replicas=4)],
        failures=Failures(mtbf_s=5.0, repair_s=1.0),
        admission=Admission(3),
        seed=1,
    )
    assert accounted(found) == 1000
    answered = found.trail.finish >= 0
    # Each time that it begins, a request's prompt gives its next token; decode steps give the others.
    begun = answered.sum() + found.attempts.sum() + found.work.preemptions
    assert found.work.decode_tokens + begun >= int(load.osl[answered].sum())
    calm = simulate_fleet(load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=8)])
    assert calm.work.decode_tokens == int((load.osl - 1).sum())
    assert calm.work.prefill_tokens == int(load.isl.sum())


def test_wrong_arguments_are_refused() -> None:
    load = poisson(10, 10.0)
    kind = Kind(name="a", table=TABLE, limits=LIMITS)
    scaled = dataclasses.replace(kind, autoscale=Autoscale(least=1, most=2, target=0.0))
    for kinds, options in (
        ([], {}),
        ([kind, kind], {}),
        ([dataclasses.replace(kind, replicas=0)], {}),
        ([dataclasses.replace(kind, weight=0.0)], {}),
        ([dataclasses.replace(kind, models=("z",))], {}),
        ([scaled], {}),
        ([kind], {"routing": Routing(kind="prefix")}),
        ([kind], {"routing": Routing(kind="leastloaded")}),
        ([kind], {"routing": Routing(stale_s=-1.0)}),
        ([kind], {"routing": Routing(stale_s=math.nan)}),
        ([kind], {"failures": Failures(mtbf_s=0.0)}),
        ([kind], {"failures": Failures(mtbf_s=1e-12)}),
        ([kind], {"failures": Failures(times=((1.0, 1),))}),
        ([kind], {"admission": Admission(queue_limit=0)}),
        ([kind], {"admission": Admission(rates=(RateLimit(0.0),))}),
        ([kind], {"model": np.ones(10, dtype=np.int64)}),
        ([kind], {"priority": np.full(10, -1)}),
        ([kind], {"session": np.zeros(9, dtype=np.int64)}),
        ([kind], {"offline": Offline(requests=load, below=0)}),
        ([kind], {"edge_frac": 0.5}),
    ):
        with pytest.raises(InputError):
            simulate_fleet(load, kinds, **options)
    closed = sim.Requests(
        arrival_s=np.zeros(2), isl=np.ones(2, dtype=np.int64), osl=np.ones(2, dtype=np.int64), users=1
    )
    with pytest.raises(InputError, match="closed loop"):
        simulate_fleet(closed, [kind])


def test_every_routing_answers_everything() -> None:
    load = poisson(300, 60.0)
    for way in FLEET_ROUTINGS:
        if way != "prefix":
            assert (
                simulate_fleet(
                    load, [Kind(name="a", table=TABLE, limits=LIMITS, replicas=3)], routing=Routing(kind=way)
                ).counts.served
                == 300
            )
