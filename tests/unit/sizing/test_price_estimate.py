"""What machines without a price on file may cost."""

import datetime as dt
from dataclasses import replace

import pytest

import jevons
from jevons.errors import FactError, InputError
from jevons.hardware import OwnPrice, accelerator
from jevons.sizing.hour_price import cny_per, purchase_price
from jevons.sizing.price_estimate import estimated_price, price_or_estimate


def test_a_price_on_file_or_given_is_taken_as_it_is():
    device = accelerator("h100_sxm")
    assert price_or_estimate(device, None) == purchase_price(device, None)
    own = replace(accelerator("l40s"), own_price=OwnPrice(8000.0, "USD"))
    assert price_or_estimate(own, None).number == pytest.approx(8000 * cny_per("USD"))


@pytest.mark.parametrize(("gpu", "usd"), [("l40s", 7500), ("rtx_6000_ada", 6800), ("l4", 2600), ("mi325x", 30_000)])
def test_estimates_hold_street_prices_within_their_interval(gpu, usd):
    """Prices asked in 2024 and 2025 by resellers, rounded."""
    estimate = estimated_price(accelerator(gpu), None)
    assert estimate.low < estimate.number < estimate.high
    assert estimate.low / cny_per("USD") < usd < estimate.high / cny_per("USD")
    assert estimate.grade == "judgement"


def test_an_estimate_grows_with_memory_and_bandwidth():
    device = accelerator("l40s")
    larger = replace(device, hbm_bytes=2 * device.hbm_bytes)
    assert estimated_price(larger, None).number > 1.2 * estimated_price(device, None).number


def test_prices_not_yet_public_make_no_estimate():
    with pytest.raises(FactError, match="are too few to estimate it from; give --purchase-price"):
        estimated_price(accelerator("l40s"), dt.date(2023, 7, 1))


@pytest.mark.parametrize("gpu", ["l4", "t4", "a10g", "rtx_3090", "rtx_5090"])
def test_an_hour_of_a_device_without_a_price_on_file_has_an_interval_and_says_why(gpu):
    hour = jevons.cost(gpu)
    record, estimate = hour.to_json(), estimated_price(accelerator(gpu), None)
    assert record["price_cny"] == pytest.approx(estimate.number)
    assert record["price_low"] < record["price"] < record["price_high"]
    assert record["per_hour_low"] < record["per_hour"] < record["per_hour_high"]
    assert "estimated" in hour.answer
    assert any("is estimated from memory and bandwidth" in note for note in hour.notes)
    given = jevons.cost(gpu, purchase_price="2000 USD")
    assert given.to_json()["price"] == pytest.approx(2000.0)
    assert "per_hour_low" not in given.to_json()
    assert not any("estimated" in note for note in given.notes)


def test_a_given_purchase_price_stands_before_that_on_file():
    own = jevons.cost("h100_sxm", purchase_price="h100_sxm=20000 USD", model="llama-3.1-8b")
    assert own.to_json()["price"] == pytest.approx(20_000.0)
    assert "price on file" not in own.explain("price_cny")
    on_file = jevons.cost("h100_sxm")
    assert own.per_hour < on_file.per_hour
    for wrong, said in (
        ({"purchase_price": "l4=2000 USD"}, "is of l4, and h100_sxm is asked for"),
        ({"purchase_price": "2000 USD", "gpu_hour": "2 USD", "model": "llama-3.1-8b"}, "has no effect where gpu_hour"),
        ({"purchase_price": "2000"}, "write an amount above 0 and a currency"),
    ):
        with pytest.raises(InputError, match=said):
            jevons.cost("h100_sxm", **wrong)


@pytest.mark.slow
def test_machines_without_a_price_are_compared_and_their_estimate_is_said():
    load = {"gpu": "l40s", "tokens_per_day": "100M", "api": "0.05/0.08 USD"}
    ways = jevons.buy_rent_api("llama-3.1-8b", **load)
    assert any("is estimated from memory and bandwidth" in note for note in ways.notes)
    given = jevons.buy_rent_api("llama-3.1-8b", **load, purchase_price="l40s=20000 USD")
    assert not any("estimated" in note for note in given.notes)
    costs = [{row["way"]: row["month_usd"] for row in one.tables["ways"]} for one in (ways, given)]
    assert max(costs[1].values()) > max(costs[0].values())
    with pytest.raises(InputError, match="name the device"):
        jevons.buy_rent_api("llama-3.1-8b", **load, purchase_price="20000 USD")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["qwen2.5-72b", "llama-3.1-8b"])
def test_more_bandwidth_at_one_price_never_makes_tokens_dearer_and_an_estimate_says_that_it_rises(model, tmp_path):
    costs = {}
    for times in (1, 2, 4):
        own = tmp_path / f"times{times}.yaml"
        speed = f"bandwidth: {3.35 * times} TB/s"
        peaks = "peaks: {bf16: 989 TFLOP/s}"
        own.write_text(f"name: own\nlike: h100_sxm\n{peaks}\nmemory: 80 GB\n{speed}\ntdp: 700 W\n")
        costs[times] = jevons.cost(model=model, hardware=own, purchase_price="20000 USD").to_json()["blended_per_mtok"]
        estimated = jevons.cost(model=model, hardware=own)
        assert any("more memory or bandwidth raises it" in note for note in estimated.notes)
    assert costs[4] <= costs[2] <= costs[1]
