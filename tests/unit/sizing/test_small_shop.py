"""Small shops: the cost of a call by hand, ranges, and machines shared by a city."""

import datetime as dt

import pytest

from jevons.errors import InputError
from jevons.sizing.service import Service
from jevons.sizing.small_shop import preset

ON = Service(on=dt.date(2025, 2, 28), ttft_s=1.0, gpus=2)


@pytest.fixture(scope="module")
def found():
    return preset("restaurant", ON, shops=10_000, simulated=False)


def test_a_call_costs_its_tokens_at_list_price(found):
    price = next(a for a in found.apis if a.prefix == "deepseek.chat")
    # 600 in of which 40 % cached, 150 out, at 2 / 0.5 / 8 CNY per million
    assert found.shop.call_cny(price) == pytest.approx((360 * 2 + 240 * 0.5 + 150 * 8) / 1e6)
    assert found.shop.month_cny(price) == pytest.approx(found.shop.call_cny(price) * 60 * 365.25 / 12)


def test_ranges_enclose_the_middle(found):
    for row in found.rows():
        if row["low_cny"] is not None:
            assert row["low_cny"] < row["per_shop_month_cny"] < row["high_cny"]


def test_machines_are_sized_for_the_busiest_hours(found):
    assert found.shop.peak_req_per_s(10_000) == pytest.approx(10_000 * 60 * 0.65 / (8 * 3600))
    assert found.sized.rate_req_per_s == pytest.approx(found.shop.peak_req_per_s(10_000))
    bought = next(h for h in found.hosted if h.way == "buy")
    assert bought.accelerators % 8 == 0


def test_more_shops_share_the_machines(found):
    few = preset("restaurant", ON, shops=100, simulated=False)

    def own(result):
        return next(r["per_shop_month_cny"] for r in result.rows() if r["way"].startswith("buy"))

    assert own(few) > 10 * own(found)


def test_a_web_shop_differs_and_apis_without_a_price_then_are_left_out(found):
    shop = preset("web-shop", ON, simulated=False, apis=("qwen.plus", "doubao.seed_1_6"))
    assert [a.prefix for a in shop.apis] == ["qwen.plus"]
    assert shop.shop.calls_per_d.number == 100


def test_unknown_presets_offer_near_names():
    with pytest.raises(InputError, match="--preset restaurants: unknown. Did you mean `restaurant`"):
        preset("restaurants")
    with pytest.raises(InputError, match="--shops 0"):
        preset("restaurant", shops=0)


def test_every_use_is_a_judgement_with_a_range_and_reason(found):
    for item in found.to_json()["use"].values():
        assert item["grade"] == "judgement"
        assert item["low"] < item["value"] < item["high"]
        assert item["reason"]
    assert "segment.restaurant.calls_per_adopter = 60" in found.explain("per_shop_month_cny.qwen.turbo")
    assert found.plot.shop() is not None
