"""What would change an answer: beyond each stated turn the answer is another, before it the same."""

import pytest

import jevons
from jevons.sizing.what_changes import of_hour, of_rates, of_run, of_step, of_use
from result_kinds import made


def told(result):
    return {sentence.id: sentence.values for sentence in result.change_parts}


def test_beyond_the_stated_price_of_the_api_another_way_is_cheapest():
    ask = {"model": "llama-3.1-8b", "gpu": "h100_sxm", "tokens_per_day": "50M"}
    times = told(jevons.buy_rent_api(**ask, api="0.1/0.2 USD"))["change.api_rises"]["times"]
    assert times > 1
    for share, first in ((0.99, "API"), (1.01, "rent")):
        api = f"{0.1 * times * share}/{0.2 * times * share} USD"
        assert jevons.buy_rent_api(**ask, api=api).to_json()["best"]["way"] == first


def test_below_the_stated_rent_renting_is_cheapest():
    ask = {"model": "llama-3.1-8b", "gpu": "h100_sxm", "tokens_per_day": "400M", "api": "0.1/0.2 USD"}
    before = jevons.buy_rent_api(**ask, rent="h100_sxm=8 USD")
    assert before.to_json()["best"]["way"] != "rent"
    fall = told(before)["change.rent_falls"]["fall"]
    for share, rents in ((1.0 - fall + 0.01, False), (1.0 - fall - 0.01, True)):
        way = jevons.buy_rent_api(**ask, rent=f"h100_sxm={8 * share} USD").to_json()["best"]["way"]
        assert (way == "rent") is rents


def test_at_the_stated_load_a_fleet_is_full_and_at_the_stated_price_the_other_device_wins():
    ask = {"model": "llama-3.1-8b", "gpu": ["h100_sxm", "h20"], "ttft": 1.0, "static": True}
    result = jevons.size(**ask, rate=30, gpu_hour=["h100_sxm=2 USD", "h20=1.2 USD"])
    changes, best = told(result), result.to_json()["best"]
    most = changes["change.load"]["most"]
    assert most == pytest.approx(30 * (1 + changes["change.load"]["room"]))
    assert most == best["req_per_s_at_most"]
    fall = changes["change.device"]["fall"]
    prices = {"h100_sxm": 2.0, "h20": 1.2}
    other = next(name for name in prices if name != best["gpu"])
    for share, first in ((1.0 - fall + 0.01, best["gpu"]), (1.0 - fall - 0.01, other)):
        own = [f"{name}={price * (share if name == other else 1.0)} USD" for name, price in prices.items()]
        assert jevons.size(**ask, rate=30, gpu_hour=own).to_json()["best"]["gpu"] == first


def test_an_overloaded_run_says_below_how_many_replicas_none_carry_the_load():
    ask = {"model": "llama-3.1-8b", "gpu": "h100_sxm", "rate": 60, "requests": 3000}
    result = jevons.simulate(**ask)
    assert not result.stable
    needed = told(result)["change.replicas"]["needed"]
    assert not jevons.simulate(**ask, replicas=needed - 1).stable
    assert jevons.simulate(**ask, replicas=2 * needed).stable


def test_of_a_run_the_limit_that_is_nearest_is_told():
    seen = {"p95": 0.4, "p95_low": 0.3, "p95_high": 0.6}
    record = {
        "stable": True, "preemptions": 0, "kv_peak_frac": 0.5, "slo": {"ttft_s": 1.0, "tpot_s": 0.5, "e2e_s": None},
        "ttft_s": seen, "tpot_s": seen, "e2e_s": seen,
    }  # fmt: skip
    first, second = of_run(record, 1)
    assert first.values["limit"] == "TPOT"
    assert second.id == "change.room"
    assert next(iter(of_run({**record, "slo": {}, "kv_peak_frac": 0.99}, 1))).id == "change.full"
    assert next(iter(of_run({**record, "slo": {}, "preemptions": 3}, 1))).values == {"count": 3}


def test_rates_parts_and_use_are_told_from_their_figures():
    points = [{"rate": 1.0, "stable": True}, {"rate": 2.0, "stable": True}, {"rate": 4.0, "stable": False}]
    assert next(of_rates(points)).values == {"stable": 2.0, "unstable": 4.0}
    assert list(of_rates(points[2:])) == []
    step = of_step({"compute": 6.0, "tp_comm": 3.0, "dp_exposed": 1.0})
    assert step.values == {"compute": 0.6, "rest": 0.4, "part": "tp comm", "share": pytest.approx(0.3)}
    assert of_step({"compute": 1.0, "tp_comm": 0.0}).id == "change.step_compute"
    assert of_hour({"machines": 3.0, "power": 1.0}).values["part"] == "machines"
    assert of_use(0.6).values["fall"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("kind", "least"),
    [("simulation", 1), ("fleet", 1), ("sweep", 1), ("train", 2), ("cost", 1), ("cost of tokens", 2),
     ("buy_rent_api", 2)],
)  # fmt: skip
def test_each_kind_says_it_in_both_languages(kind, least):
    changes = made(kind).change_parts
    assert len(changes) >= least
    for sentence in changes:
        for language in ("en", "zh"):
            text = sentence.text(language)
            assert text
            assert "{" not in text
