"""The arithmetic of cost, and DeepSeek's disclosed day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jevons
from jevons.costing import FinanceTerms, capital_recovery_factor, device_hour, token_cost
from jevons.errors import InputError
from jevons.facts import get
from jevons.hardware import Site, accelerator

SITE = Site(name="test", tariff_cur_per_kwh=0.5, pue=1.2, build_cur_per_w=30.0, carbon_kgco2_per_kwh=0.55)
TERMS = FinanceTerms(wacc_frac=0.10, economic_life_y=4.0, site_life_y=15.0, network_frac=0.15, operations_frac=0.05)


def test_capital_recovery_repays_price_with_interest():
    payment = capital_recovery_factor(0.1, 4)
    assert sum(payment / 1.1**year for year in (1, 2, 3, 4)) == pytest.approx(1.0)


def test_device_hour_by_hand():
    device = accelerator("h20")
    hour = device_hour(device, 150_000.0, SITE, TERMS, load_frac=1.0)
    assert hour.energy_cur == pytest.approx(device.server_w / 1000 * 1.2 * 0.5)
    assert hour.capital_cur == pytest.approx(150_000 * capital_recovery_factor(0.1, 4) / 8766)
    assert hour.operations_cur == pytest.approx(150_000 * 0.05 / 8766)
    assert hour.total_cur == pytest.approx(
        hour.capital_cur + hour.network_cur + hour.site_cur + hour.energy_cur + hour.operations_cur
    )


def test_deepseek_day_costs_what_was_disclosed():
    nodes = get("deepseek.day.nodes").number
    input_tokens = get("deepseek.day.input_tok_per_d").number
    output_tokens = get("deepseek.day.output_tok_per_d").number
    day_usd = nodes * 8 * 2.0 * 24
    assert day_usd == pytest.approx(get("deepseek.day.cost_usd").number, rel=1e-3)
    blended = day_usd / (input_tokens + output_tokens) * 1e6
    assert blended == pytest.approx(0.112, abs=0.0005)


def test_deepseek_throughputs_give_prefill_and_decode_cost():
    prefill = get("deepseek.day.prefill_node_tok_per_s").number / 8
    decode = get("deepseek.day.decode_node_tok_per_s").number / 8
    cost = token_cost(2.0, input_tok_per_s=prefill, output_tok_per_s=decode)
    assert cost.input_per_mtok == pytest.approx(0.060, abs=0.0005)
    assert cost.output_per_mtok == pytest.approx(0.30, abs=0.005)


def test_idle_hours_are_paid_by_busy_ones():
    busy = token_cost(2.0, input_tok_per_s=1000, output_tok_per_s=100)
    half = token_cost(2.0, input_tok_per_s=1000, output_tok_per_s=100, utilisation_frac=0.5)
    assert half.output_per_mtok == pytest.approx(2 * busy.output_per_mtok)


@pytest.mark.parametrize("name", ["input_tok_per_s", "output_tok_per_s", "utilisation_frac"])
def test_nothing_divides_by_zero(name):
    arguments = {"input_tok_per_s": 1.0, "output_tok_per_s": 1.0, name: 0.0}
    with pytest.raises(InputError, match=name):
        token_cost(2.0, **arguments)


@given(st.floats(0.0, 0.5), st.floats(0.5, 30))
def test_recovery_exceeds_straight_line_and_falls_with_life(rate, life):
    factor = capital_recovery_factor(rate, life)
    assert factor >= 1 / life * (1 - 1e-12)
    assert capital_recovery_factor(rate, life * 1.5) < factor


def test_every_figure_of_tokens_has_the_same_interval_in_sentence_table_and_json():
    result = jevons.cost("h20", model="llama-3.1-8b")
    record, rows = result.to_json(), {row[0]: row for row in result.tables["tokens"].rows}
    for name, item in (("input_per_mtok", "input tokens"), ("output_per_mtok", "output tokens"),
                       ("blended_per_mtok", "blended"), ("per_call", "one request")):  # fmt: skip
        own = [record[name], record[f"{name}_low"], record[f"{name}_high"]]
        assert list(rows[item][1:4]) == own
        assert own[1] < own[0] < own[2]
        assert own[0] / own[1] == pytest.approx(
            record["output_tok_per_s_per_gpu_high"] / record["output_tok_per_s_per_gpu"]
        )
    assert f"[{record['blended_per_mtok_low']:.2g}–" in result.answer
    for name in ("ttft_s", "tpot_s"):
        assert record[f"{name}_low"] < record[name] < record[f"{name}_high"]
