"""A recorded trace as the load that machines, rent and an API are compared for."""

from pathlib import Path

import pytest

import jevons
from jevons.errors import InputError, InputWarning
from jevons.sizing.trace_load import trace_load

TRACES = Path(__file__).parents[2] / "data" / "traces"
AZURE = TRACES / "azure_conversation_sample.csv"


def test_lengths_and_rate_are_those_of_the_trace():
    load = trace_load(AZURE, None, None)
    assert (load.requests, load.isl, load.osl) == (150, 902, 217)
    assert load.output_tok_per_d == pytest.approx(load.rate_req_per_s * 217 * 86_400)
    assert load.utilisation_frac is None  # under half an hour
    assert trace_load(AZURE, None, 3.0).rate_req_per_s == 3.0


def test_hashed_prompts_say_how_much_was_seen_before():
    load = trace_load(TRACES / "mooncake_conversation_sample.jsonl.gz", None, 1.0)
    assert 0.0 < load.cached_frac < 0.99


def test_peaks_of_a_long_trace_set_the_mean_use(tmp_path):
    rows = [f"{60 * minute},100,{1000 if minute < 10 else 100}" for minute in range(60)]
    file = tmp_path / "day.csv"
    file.write_text("at,in,out\n" + "\n".join(rows) + "\n")
    load = trace_load(file, {"time": "at", "isl": "in", "osl": "out"}, None)
    assert load.utilisation_frac == pytest.approx(0.25, abs=0.05)


def test_ways_are_compared_for_a_trace():
    with pytest.warns(InputWarning, match=r"150 requests of 902 and 217 tokens at 2.94 req/s"):
        ways = jevons.buy_rent_api("deepseek-r1", gpu="h20", trace=AZURE)
    assert "cheapest way" in ways.answer


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"isl": 3000}, "isl=3000: has no effect with trace"),
        ({"rate": 3, "tokens_per_day": "1M"}, "both state the load"),
        ({"preset": "bakery"}, "has no effect with preset|unknown"),
    ],
)
def test_what_contradicts_a_trace_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        jevons.buy_rent_api("deepseek-r1", gpu="h20", trace=AZURE, **given)
