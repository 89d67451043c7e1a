"""What must hold of every answer whatever its figures: more is asked, more is paid; names and order change nothing."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jevons
from draws import draws
from jevons import operators
from jevons.errors import InfeasibleError

SLACK = 1.001
QUICK = settings(max_examples=draws(3), deadline=None)
pytestmark = pytest.mark.slow
MODELS = st.sampled_from(["llama-3.1-8b", "qwen3-0.6b", "qwen2.5-32b"])
CHIPS = st.sampled_from(["h100_sxm", "h20", "h200_sxm", "mi300x"])
RATES = st.floats(0.5, 200.0)
LENGTHS = st.integers(50, 4000)


def hourly(model, gpu, rate, **more):
    """Return what the cheapest fleet of all costs an hour, infinite where there is none."""
    try:
        sized = jevons.size(model, gpu=gpu, rate=rate, static=True, confidence=0.0, **more)
    except InfeasibleError:
        return math.inf
    return min(entry["cost_per_h"] for entry in sized.to_json()["entries"])


@QUICK
@given(MODELS, CHIPS, RATES, LENGTHS, LENGTHS, st.sampled_from(["rate", "isl", "osl"]), st.floats(1.2, 4.0))
def test_a_larger_load_never_costs_less(model, gpu, rate, isl, osl, what, factor):
    """Invariant 67: A larger load, by rate or lengths, never costs less an hour."""
    load = {"rate": rate, "isl": isl, "osl": osl}
    more = load | {what: load[what] * factor if what == "rate" else round(load[what] * factor)}
    assert hourly(model, gpu, **load) <= hourly(model, gpu, **more) * SLACK


@QUICK
@given(MODELS, CHIPS, RATES, st.floats(0.02, 0.2), st.floats(0.2, 5.0), st.floats(1.1, 3.0))
def test_tighter_limits_and_budgets_never_cost_less(model, gpu, rate, tpot, ttft, factor):
    """Invariant 68: Tighter latency limits never cost less an hour."""
    loose = hourly(model, gpu, rate, tpot=tpot * factor, ttft=ttft * factor, osl=200)
    assert loose <= hourly(model, gpu, rate, tpot=tpot, ttft=ttft * factor, osl=200) * SLACK
    assert loose <= hourly(model, gpu, rate, tpot=tpot * factor, ttft=ttft, osl=200) * SLACK


@QUICK
@given(MODELS, RATES, st.permutations(["h100_sxm", "h20", "h200_sxm"]))
def test_order_of_candidates_changes_no_answer(model, rate, gpus):
    """Invariant 69: The order of candidate accelerators changes no answer."""

    def best(names):
        return jevons.size(model, gpu=",".join(names), rate=rate, static=True).to_json()["best"]

    one, two = best(sorted(gpus)), best(gpus)
    for key in ("gpu", "layout", "accelerators", "cost_per_h", "cost_per_mtok"):
        assert one.get(key) == two.get(key), key


@QUICK
@given(MODELS, RATES, st.lists(st.sampled_from(["h20", "h200_sxm", "mi300x"]), min_size=1, max_size=3, unique=True))
def test_more_candidates_never_cost_more(model, rate, others):
    """Invariant 70: More candidate accelerators never cost more an hour."""
    assert hourly(model, ",".join(["h100_sxm", *others]), rate) <= hourly(model, "h100_sxm", rate) * SLACK


def figures(record, path=""):
    """Yield figures of an answer by path, but for how long the computer took."""
    if isinstance(record, dict):
        for key, value in record.items():
            if key in {"computed_s", "compile_s", "simulated_req_per_s"}:
                continue
            yield from figures(value, f"{path}.{key}")
    elif isinstance(record, list):
        for place, value in enumerate(record):
            yield from figures(value, f"{path}[{place}]")
    elif isinstance(record, float) and not isinstance(record, bool):
        yield path, record


@pytest.mark.parametrize("currency", ["CNY", "EUR"])
@QUICK
@given(MODELS, CHIPS, st.integers(1, 8), st.floats(0.5, 8.0))
def test_a_currency_scales_money_by_one_rate_and_nothing_else(currency, model, gpu, replicas, rate):
    """Invariant 71: Another currency scales money by one rate and changes nothing else."""
    load = {"model": model, "gpu": gpu, "rate": rate, "requests": 60, "isl": 200, "osl": 20, "replicas": replicas}
    one, two = (
        dict(figures(jevons.simulate(**load, gpu_hour="2 USD", currency=unit).to_json())) for unit in ("USD", currency)
    )
    ratios = {round(two[path] / one[path], 6) for path in one if two[path] != one[path]}
    assert len(ratios) == 1
    assert any(two[path] == one[path] for path in one)


@QUICK
@given(MODELS, CHIPS, st.integers(1, 6), st.floats(0.5, 8.0), st.floats(0.5, 10.0))
def test_cost_is_hours_times_price_and_twice_the_price_twice_the_cost(model, gpu, replicas, rate, price):
    """Invariant 72: Cost is hours times price, and twice the price is twice the cost."""
    load = {"model": model, "gpu": gpu, "rate": rate, "requests": 60, "isl": 200, "osl": 20, "replicas": replicas}
    one = jevons.simulate(**load, gpu_hour=f"{price:.4f} USD").to_json()
    two = jevons.simulate(**load, gpu_hour=f"{2 * float(f'{price:.4f}'):.4f} USD").to_json()
    assert two["cost_per_mtok"] == pytest.approx(2 * one["cost_per_mtok"], rel=1e-9)
    tokens = (one["output_tok_per_s"] * one["wall_s"]) * (1 + 200 / 20)
    hours = one["wall_s"] / 3600 * replicas * one["accelerators"] / replicas
    assert one["cost_per_mtok"] == pytest.approx(hours * float(f"{price:.4f}") / tokens * 1e6, rel=1e-6)


@QUICK
@given(st.integers(1, 512), st.integers(1, 32), st.sampled_from([64, 128]), st.integers(16, 30_000), CHIPS)
def test_more_keys_and_more_sequences_never_take_less(batch, groups, head_dim, keys, gpu):
    """Invariant 73: Attention over more keys or sequences never takes less time."""

    def time_s(batch, keys):
        return operators.attention(
            batch=batch, tokens=keys, heads=groups * 4, kv_heads=groups, head_dim=head_dim, gpu=gpu
        ).to_json()["time_s"]

    once = time_s(batch, keys)
    assert once <= time_s(2 * batch, keys) * 1.02
    assert once <= time_s(batch, 2 * keys) * 1.02


@QUICK
@given(
    st.integers(1, 2**34), st.floats(1.0, 2.0), st.sampled_from([2, 4, 8, 16, 64, 1000]), CHIPS,
    st.sampled_from([operators.all_reduce, operators.all_gather, operators.reduce_scatter, operators.all_to_all]),
)  # fmt: skip
def test_a_larger_message_never_arrives_sooner(size, factor, gpus, gpu, operation):
    """Invariant 74: A larger message never arrives sooner."""

    def time_s(size):
        return operation(message=f"{size} B", gpus=gpus, gpu=gpu).to_json()["time_s"]

    assert time_s(size) <= time_s(round(size * factor)) * (1 + 1e-9)


@QUICK
@given(st.sampled_from(["qwen3-0.6b", "llama-3.1-8b"]), CHIPS, st.sampled_from([8, 16, 64]), st.integers(1, 400))
def test_training_takes_as_many_days_as_tokens(model, gpu, gpus, billions):
    """Invariant 75: Training takes days in proportion to its tokens."""

    def trained(tokens):
        return jevons.train(model, gpu=gpu, gpus=gpus, tokens=f"{tokens}B").to_json()

    one, three = trained(billions), trained(3 * billions)
    assert one["layout"] == three["layout"]
    assert three["days"] == pytest.approx(3 * one["days"], rel=0.05)
    assert three["cost"] >= one["cost"]
    assert 0.0 < one["mfu_frac"] < 1.0
