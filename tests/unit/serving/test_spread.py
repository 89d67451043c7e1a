"""80 % intervals of serving predictions: how near rows are, their ends, and the chance to keep a limit."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jevons.serving.spread import NEARNESS, QUANTITIES, Spread, nearness_of, shipped, spread

SEEN = {"vllm": [["h100_sxm", "llama-3.1-8b"], ["h100_sxm", "qwen3-32b"], ["b200_sxm", "qwen3-32b"]]}


@pytest.mark.parametrize(
    ("device", "model", "nearness"),
    [
        ("h100_sxm", "qwen3-32b", "same"),
        ("b200_sxm", "llama-3.1-8b", "near"),
        ("h200_sxm", "qwen3-32b", "new device"),
        ("h100_sxm", "gpt-oss-120b", "new model"),
        ("h200_sxm", "gpt-oss-120b", "new both"),
        ("l40s", "qwen3-32b", "new kind"),
        ("gaudi3", "qwen3-32b", "new kind"),
    ],
)
def test_nearness_says_what_the_engine_has_rows_of(device, model, nearness):
    assert nearness_of("vllm", device, model, SEEN) == nearness
    assert nearness_of("sglang", device, model, SEEN) == ("new kind" if nearness == "new kind" else "new both")


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_shipped_intervals_hold_the_prediction_and_widen_with_distance(quantity):
    of_all = shipped()["quantities"][quantity]["all"]
    widths = {}
    for name in NEARNESS:
        low, high, _ = of_all[name]
        assert 0.0 < low <= 1.0 <= high < 25.0
        widths[name] = math.log(high / low)
    assert widths["same"] <= widths["near"] <= widths["new device"] <= widths["new both"]
    assert widths["new both"] <= widths["new kind"]


def test_a_device_without_rows_has_a_wider_interval_than_one_with():
    known = spread("tpot", "vllm", "h100_sxm", "gpt-oss-120b")
    unknown = spread("tpot", "vllm", "ascend_910c", "gpt-oss-120b")
    assert known.nearness == "same"
    assert unknown.nearness == "new device"
    assert unknown.high / unknown.low > known.high / known.low
    assert "no rows" in unknown.why


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_table_that_is_not_on_file_has_a_wider_interval_than_all_tables(quantity):
    names = ("vllm", "h100_sxm", "qwen3-32b")
    of_all, of_new = spread(quantity, *names), spread(quantity, *names, "a page of mine")
    assert of_new.low < of_all.low
    assert of_new.high > of_all.high
    own = spread(quantity, *names, "a page of mine", calibrated=True)
    assert (own.low, own.high) == (spread(quantity, *names, calibrated=True).low, own.high)


@given(low=st.floats(0.2, 1.0), high=st.floats(1.0, 5.0), value=st.floats(1e-3, 1e3), limit=st.floats(1e-3, 1e3))
def test_chance_rises_with_the_limit_and_agrees_with_the_interval(low, high, value, limit):
    """The chance to keep a limit rises with the limit, from 10 % to 90 % over the interval."""
    one = Spread(low=low, high=high * 1.01, nearness="same", rows=1)
    assert 0.0 <= one.chance_below(value, limit) <= one.chance_below(value, 1.1 * limit) <= 1.0
    ends = one.interval(value)
    assert one.chance_below(value, ends[0]) == pytest.approx(0.1)
    assert one.chance_below(value, ends[1]) == pytest.approx(0.9)
