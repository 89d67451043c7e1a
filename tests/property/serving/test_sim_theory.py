"""The simulator against queueing theory, where an engine is simple enough for it."""

import numpy as np
import pytest

from jevons.serving import sim

SERVICE_S = 0.1


def single_server(load: sim.Requests) -> sim.SimResult:
    """Serve one request at a time, a tenth of a second per prompt token and nothing else."""
    table = sim.constant_table(1, 1000, decode_s=0.01, prompt_token_s=SERVICE_S)
    return sim.simulate(load, table, sim.SimLimits(max_batch=1, step_tokens=1000, block_tokens=16, kv_blocks=1000))


@pytest.mark.parametrize("busy_frac", [0.3, 0.6, 0.8])
def test_constant_service_waits_as_in_m_d_1(busy_frac: float) -> None:
    """Invariant 18: Constant service times wait as in M/D/1."""
    # Mean wait of M/D/1 (Pollaczek-Khinchine): rho * service / (2 * (1 - rho)).
    expected_s = busy_frac * SERVICE_S / (2 * (1 - busy_frac))
    load = {"requests": 100_000, "isl": 1, "osl": 1, "rate_req_per_s": busy_frac / SERVICE_S}
    runs = [single_server(sim.generate(sim.Load(**load), seed)) for seed in range(8)]
    waits = np.array([run.latency.ttft_s.mean - SERVICE_S for run in runs])
    error_s = waits.std(ddof=1) / np.sqrt(len(waits))
    assert abs(waits.mean() - expected_s) < 4 * error_s
    assert error_s < 0.03 * expected_s


def test_exponential_service_waits_as_in_m_m_1() -> None:
    """Invariant 19: Exponential service times wait as in M/M/1."""
    # Prompts of a geometric number of tokens; mean wait of M/G/1: rate * E[S^2] / (2 * (1 - rho)).
    waits, expected = [], []
    for seed in range(8):
        rng = sim.stream(seed, "service")
        isl = rng.geometric(0.02, 100_000)
        load = sim.generate(sim.Load(requests=100_000, isl=1, osl=1, rate_req_per_s=0.12), seed)
        found = single_server(sim.Requests(arrival_s=load.arrival_s, isl=isl.astype(np.int64), osl=load.osl))
        service_s = isl * SERVICE_S
        waits.append(found.latency.ttft_s.mean - service_s[5000:95_000].mean())
        mean_s, second = 50 * SERVICE_S, (2 - 0.02) / 0.02**2 * SERVICE_S**2
        expected.append(0.12 * second / (2 * (1 - 0.12 * mean_s)))
    error_s = np.std(waits, ddof=1) / np.sqrt(len(waits))
    assert abs(np.mean(waits) - expected[0]) < 4 * error_s
    assert error_s < 0.05 * expected[0]


def erlang_c(servers: int, load_erlang: float) -> float:
    """Return the chance that an arrival of M/M/c waits."""
    term, total = 1.0, 1.0
    for number in range(1, servers):
        term *= load_erlang / number
        total += term
    term *= load_erlang / servers
    last = term / (1.0 - load_erlang / servers)
    return last / (total + last)


@pytest.mark.parametrize(("servers", "busy_frac"), [(2, 0.7), (8, 0.85), (32, 0.95)])
def test_slots_of_constant_steps_wait_as_in_m_m_c(servers: int, busy_frac: float) -> None:
    """Invariant 20: Slots of constant steps wait as in M/M/c."""
    # Steps of one millisecond whatever the batch, prompts at no cost, a geometric number of output tokens: each slot
    # is a server, and the batch limit their number. Wait: C / (c mu - lambda), and half a step for the step under way.
    step_s, mean_tokens = 1e-3, 400
    rate = busy_frac * servers / (mean_tokens * step_s)
    table = sim.constant_table(servers, 4096, decode_s=step_s)
    waits = []
    for seed in range(6):
        load = sim.generate(sim.Load(requests=60_000, isl=1, osl=1, rate_req_per_s=rate), seed)
        osl = sim.stream(seed, "service").geometric(1.0 / mean_tokens, 60_000).astype(np.int64)
        trail = sim.simulate(
            sim.Requests(arrival_s=load.arrival_s, isl=load.isl, osl=osl),
            table,
            sim.SimLimits(max_batch=servers, step_tokens=4096, block_tokens=16, kv_blocks=1 << 20),
        ).trail
        waits.append(float((trail.admitted - trail.arrival)[3000:].mean()) / 1e12)
    expected_s = erlang_c(servers, busy_frac * servers) / (servers / (mean_tokens * step_s) - rate)
    error_s = np.std(waits, ddof=1) / np.sqrt(len(waits))
    assert abs(np.mean(waits) - expected_s) < 4 * error_s + step_s
    assert error_s < 0.12 * expected_s


@pytest.mark.parametrize("lengths", ["constant", "geometric"])
@pytest.mark.parametrize("busy_frac", [0.5, 0.8])
def test_steps_as_long_as_the_batch_share_the_processor(lengths: str, busy_frac: float) -> None:
    """Invariant 21: Steps as long as the batch behave as processor sharing."""
    # Reading equal, long contexts alone: a step takes the batch times a constant, so that requests share one processor.
    # M/G/1-PS: an answer of x alone takes x / (1 - rho), whatever the distribution of lengths.
    context, tokens, token_s = 100_000, 150, 1e-3
    table = sim.constant_table(2000, 1 << 17, decode_s=0.0, per_context_s=token_s / context)
    rate = busy_frac / (tokens * token_s)
    slowdowns = []
    for seed in range(6):
        load = sim.generate(sim.Load(requests=20_000, isl=context, osl=tokens, rate_req_per_s=rate), seed)
        osl = load.osl
        if lengths == "geometric":
            osl = sim.stream(seed, "service").geometric(1.0 / tokens, 20_000).astype(np.int64)
        limits = sim.SimLimits(max_batch=2000, step_tokens=1 << 17, block_tokens=16, kv_blocks=1 << 25)
        trail = sim.simulate(sim.Requests(arrival_s=load.arrival_s, isl=load.isl, osl=osl), table, limits).trail
        sojourn_s = (trail.finish - trail.arrival)[1000:-1000] / 1e12
        slowdowns.append(float(sojourn_s.mean()) / float(osl[1000:-1000].mean() * token_s))
    expected = 1.0 / (1.0 - busy_frac)
    error = np.std(slowdowns, ddof=1) / np.sqrt(len(slowdowns))
    assert abs(np.mean(slowdowns) - expected) < 4 * error + 0.02 * expected
    assert error < 0.06 * expected


def test_littles_law_holds_in_every_run() -> None:
    """Invariant 22: Little's law holds in every run."""
    table = sim.constant_table(8, 512, decode_s=0.01, per_context_s=1e-6, prompt_token_s=1e-4)
    load = sim.generate(sim.Load(requests=2000, isl=100, osl=50, rate_req_per_s=8, isl_cv=1.0, osl_cv=1.0), 3)
    found = sim.simulate(load, table, sim.SimLimits(max_batch=8, step_tokens=512, block_tokens=16, kv_blocks=400))
    steps = np.sort(np.concatenate([load.arrival_s, found.trail.finish / 1e12]))
    present = np.searchsorted(load.arrival_s, steps, "right") - np.searchsorted(
        np.sort(found.trail.finish / 1e12), steps, "right"
    )
    area = float((present[:-1] * np.diff(steps)).sum())
    assert found.occupancy.mean_in_system == pytest.approx(area / found.timing.end_s, rel=1e-9)
    assert found.occupancy.mean_in_system > found.occupancy.mean_running > found.occupancy.mean_batch * 0.5


def test_closed_loop_never_holds_more_than_its_users() -> None:
    """Invariant 23: A closed loop never holds more requests than it has users."""
    table = sim.constant_table(64, 512, decode_s=0.01, prompt_token_s=1e-4)
    load = sim.generate(sim.Load(requests=3000, isl=100, osl=20, arrivals="closed", users=5, osl_cv=1.0), 1)
    trail = sim.simulate(
        load, table, sim.SimLimits(max_batch=64, step_tokens=512, block_tokens=16, kv_blocks=4000)
    ).trail
    for moment in np.linspace(0, trail.finish.max(), 50):
        assert ((trail.arrival <= moment) & (trail.finish > moment)).sum() <= 5
