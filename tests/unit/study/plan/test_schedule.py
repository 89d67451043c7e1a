"""Tiers, announced prices, and off-peak discounts in a scenario; the dated schedule that a plan posts."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.study import load, plan
from jevons.study.chain.demand import announcements, peak_frac, price_factor
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.market_inputs import busy_frac
from jevons.study.chain.operating_points import engineer
from jevons.study.chain.planner_inputs import expansion_problem
from jevons.study.plan.tables.schedule import price_schedule, tier_factors
from places import TINY

SMALL = "output: 0.6 CNY/Mtok}\n      most_devices: 2\n"
TIERED = f"""{SMALL}      batch_discount: 0.5
      off_peak_discount: 0.4
      tiers:
        long: {{share: 0.2, factor: 2.5}}
        priority: {{share: 0.1, factor: 1.4}}
      announced:
        - {{from: 2025-Q2, input: 0.2 CNY/Mtok, cached: 0.1 CNY/Mtok, output: 0.7 CNY/Mtok}}
        - {{from: 2025-11-30, input: 0.3 CNY/Mtok, cached: 0.1 CNY/Mtok, output: 0.8 CNY/Mtok}}
"""
SUBSTITUTION = "market.slot_substitution"
DISCOUNT = "serving.models.small.off_peak_discount"


def scenario(tmp_path, text=TIERED):
    path = tmp_path / "s.yaml"
    assert SMALL in TINY.read_text()
    path.write_text(TINY.read_text().replace(SMALL, text))
    return load(path)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return plan(scenario(tmp_path_factory.mktemp("schedule")))


class TestInput:
    def test_tiers_raise_what_is_paid_by_their_share(self, tmp_path):
        held = scenario(tmp_path)
        plain = held.with_values({f"serving.models.small.tiers.{tier}.share": 0.0 for tier in ("long", "priority")})
        assert price_factor(held)[0] == pytest.approx(price_factor(plain)[0] * (1 + 0.2 * 1.5 + 0.1 * 0.4))
        assert price_factor(held)[1:] == pytest.approx([1.0, 1.0])

    def test_an_announced_date_counts_as_the_quarter_it_falls_in(self, tmp_path):
        told = announcements(scenario(tmp_path))
        assert told.model.tolist() == [0, 0]
        assert told.quarter.tolist() == [1, 3]
        assert told.price_cur_per_tok[1] == pytest.approx([0.3e-6, 0.1e-6, 0.8e-6])
        assert announcements(load(TINY)) is None

    def test_amounts_in_the_list_have_paths_and_can_be_drawn(self, tmp_path):
        path = "serving.models.small.announced.1.output"
        held = scenario(tmp_path)
        assert held.amounts()[path].value == 0.8
        assert held.with_values({path: 0.9}).amounts()[path].value == 0.9
        assert held.settings()["serving.models.small.announced.1.from"] == ("2025-Q4", "given")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("share: 0.2", "share: 0.95", "tiers: shares reach 0.95 + 0.1 = 1.05: must sum to at most 1"),
            (
                "share: 0.2", "share: {low: 0.1, mode: 0.2, high: 0.92, source: made up}",
                "tiers: shares reach 0.92 + 0.1 = 1.02: must sum to at most 1",
            ),
            ("share: 0.2", "share: -0.2", "tiers.long.share: -0.2: must be at least 0"),
            ("factor: 2.5", "factor: 0", "tiers.long.factor: 0: must be above 0"),
            ("long:", "batch:", "tiers.batch: `batch`: stands for a price of its own"),
            ("factor: 2.5", "price: 2", "tiers.long.price: unknown field."),
            ("2025-Q2", "2025-Q1", "announced.0.from: 2025-Q1: must come after the plan's first quarter, 2025-Q1"),
            ("2025-Q2", "2024-12-31", "announced.0.from: 2024-12-31 (2024-Q4): must come after the plan's first"),
            ("2025-Q2", "2025-Q4", "announced.1.from: 2025-11-30 (2025-Q4): has an announced price already; keep one"),
            ("2025-11-30", "2026-01-01", "announced.1.from: 2026-01-01 (2026-Q1): lies after the plan's last quarter"),
            ("2025-Q2", "soon", "`soon` is neither a quarter nor a date; write it like 2025-Q3 or 2025-07-01"),
            ("2025-Q2", '"2025-06-31"', "`2025-06-31` is not a date of the calendar"),
            ("2025-Q2", "{a: 1}", "announced.0.from: `{'a': 1}` is neither a quarter nor a date"),
            ("output: 0.7 CNY/Mtok", "output: 0 CNY/Mtok", "announced.0.output: 0 CNY/Mtok: must be above 0 CNY/Mtok"),
            ("from: 2025-Q2, ", "", "announced.0: needs `from`"),
            ("from: 2025-Q2", "frm: 2025-Q2", "announced.0.frm: unknown field. Did you mean `from`?"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named_with_line_column_value_and_remedy(self, tmp_path, old, new, message):
        assert old in TIERED
        with pytest.raises(InputError) as error:
            scenario(tmp_path, TIERED.replace(old, new, 1))
        assert message in str(error.value)
        line = next(
            n for n, text in enumerate(Path(tmp_path / "s.yaml").read_text().splitlines(), 1) if "tiers:" in text
        )
        assert all(line <= fault.line <= line + 5 and fault.column > 6 for fault in error.value.faults)

    def test_prices_out_of_order_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="2025-Q3: comes after 2025-Q4 in the list; put prices in order of date"):
            scenario(tmp_path, TIERED.replace("2025-Q2", "2025-Q4").replace("2025-11-30", "2025-Q3"))

    def test_an_announced_price_at_which_calls_cost_nothing_is_refused(self, tmp_path):
        path = tmp_path / "s.yaml"
        text = TINY.read_text().replace(SMALL, TIERED.replace("0.2 CNY", "0 CNY")).replace("output_tokens: 300", "")
        path.write_text(text)
        with pytest.raises(InputError, match="market.segments.shops: has no price from 2025-Q2 on"):
            load(path)

    @pytest.mark.parametrize(("field", "value"), [("slot_substitution", "0.5"), ("price_step", "1.2")])
    def test_elasticities_and_steps_stay_within_their_range(self, tmp_path, field, value):
        path = tmp_path / "s.yaml"
        path.write_text(TINY.read_text().replace("  peak_hours:", f"  {field}: {value}\n  peak_hours:"))
        with pytest.raises(InputError, match=rf"s.yaml:\d+:3: market.{field}: {value}: must be at most"):
            load(path)


class TestSlots:
    """A fifth of the shops' calls may wait; half of all calls fall in the eight hours of the peak."""

    def test_a_discount_without_substitution_moves_no_call(self):
        held = load(TINY)
        cheap = held.with_values({DISCOUNT: 0.4})
        assert peak_frac(held) == pytest.approx([0.5, 0.5, 0.4])
        assert peak_frac(cheap) == pytest.approx(peak_frac(held))
        assert busy_frac(cheap) == pytest.approx(busy_frac(held))

    def test_substitution_without_a_discount_moves_no_call(self):
        assert peak_frac(load(TINY).with_values({SUBSTITUTION: -3.0})) == pytest.approx([0.5, 0.5, 0.4])

    def test_with_both_the_ratio_of_the_slots_falls_by_the_price_ratio_to_the_elasticity(self):
        held = load(TINY).with_values({DISCOUNT: 0.4, SUBSTITUTION: -2.0})
        peak = peak_frac(held)
        assert peak[0] / (1 - peak[0]) == pytest.approx(0.6**2)
        assert peak[1:] == pytest.approx([0.5, 0.4])

    def test_moved_calls_pay_the_discount_and_fill_the_fleet(self):
        still = load(TINY).with_values({DISCOUNT: 0.4})
        moved = still.with_values({SUBSTITUTION: -0.8})
        peak = peak_frac(moved)[0]
        assert 1 / 3 < peak < 0.5
        assert price_factor(moved)[0] == pytest.approx(0.2 + 0.8 * (1 - 0.4 * (1 - peak)))
        assert busy_frac(moved)[0] == pytest.approx(busy_frac(still)[0] * 0.5 / peak)

    def test_past_a_flat_day_the_off_peak_slot_is_the_busier_one(self):
        flat, deep = (load(TINY).with_values({DISCOUNT: 0.9, SUBSTITUTION: s}) for s in (-0.301, -3.0))
        assert peak_frac(deep)[0] < 0.01
        assert busy_frac(flat)[0] == pytest.approx(0.7 * 0.97, rel=1e-3)
        assert busy_frac(deep)[0] == pytest.approx(0.7 * 0.97 * (16 / 24) / (1 - peak_frac(deep)[0]))

    def test_the_planner_sees_the_moved_shares_of_unchanged_calls(self):
        held = load(TINY).with_values({DISCOUNT: 0.4, SUBSTITUTION: -2.0})
        engineering = engineer(held, default_facts())
        chain = run_chain(held, engineering, most_rounds=1)
        shares = chain.plan.problem.demand.slot_share_frac
        assert shares[:, 0] == pytest.approx(peak_frac(held))
        assert shares.sum(axis=1) == pytest.approx(np.ones(3))
        problem = expansion_problem(held, chain.setting, engineering, chain.market, chain.inputs)
        assert problem.demand.block_calls_per_d.sum(axis=2) == pytest.approx(chain.market.calls_per_d)


class TestSchedule:
    def test_every_model_and_tier_has_an_entry_at_the_start(self, result):
        first = {(e.model, e.tier) for e in price_schedule(result) if e.quarter == "2025-Q1" and e.set_by == "start"}
        tiers = {("small", tier) for tier in ("standard", "long", "priority", "batch", "off-peak")}
        assert first == tiers | {("large", "standard")}

    def test_a_tier_is_its_factor_of_the_standard_price_on_the_same_dates(self, result):
        held = price_schedule(result)
        standard = {e.quarter: e for e in held if (e.model, e.tier) == ("small", "standard")}
        for tier, factor in tier_factors(result.scenario.serving.models["small"]).items():
            entries = [e for e in held if (e.model, e.tier) == ("small", tier)]
            assert [e.quarter for e in entries] == list(standard)
            for e in entries:
                assert e.output_cur_per_mtok == pytest.approx(factor * standard[e.quarter].output_cur_per_mtok)
        assert factor == pytest.approx(0.6)

    def test_announced_prices_stand_in_it_as_they_were_announced(self, result):
        told = [e for e in price_schedule(result) if e.set_by == "announced" and e.tier == "standard"]
        assert [e.quarter for e in told] == ["2025-Q2", "2025-Q4"]
        assert [(e.input_cur_per_mtok, e.output_cur_per_mtok) for e in told] == [
            (pytest.approx(0.2), pytest.approx(0.7)), (pytest.approx(0.3), pytest.approx(0.8))
        ]  # fmt: skip

    def test_competition_posts_only_what_moves_by_more_than_the_step(self, result):
        step = result.scenario.market.price_step.value
        large = [e for e in price_schedule(result) if e.model == "large"]
        assert step == 0.05
        assert len(large) > 1
        for before, after in itertools.pairwise(large):
            assert after.output_cur_per_mtok < before.output_cur_per_mtok * (1 - step)

    def test_the_last_entry_before_a_quarter_is_the_price_of_that_quarter(self, result):
        posted = result.to_json()["price_per_mtok"]
        schedule = result.to_json()["price_schedule"]
        for model in result.models:
            for t, quarter in enumerate(result.quarters):
                rows = [e for e in schedule if (e["model"], e["tier"]) == (model, "standard") and e["from"] <= quarter]
                for kind in ("input", "cached", "output"):
                    assert rows[-1][kind] == pytest.approx(posted[model][kind][t])

    @pytest.mark.slow
    def test_the_table_leaves_blank_what_is_unchanged_and_ends_with_the_rent(self, result):
        table = result.tables["price_schedule"]
        assert [column.label for column in table.columns[2:]] == list(result.quarters)
        assert [column.name for column in table.columns[2:]] == ["2025q1", "2025q2", "2025q3", "2025q4"]
        cells = {row[0]: row[2:] for row in table.rows}
        assert cells["small, input"][0] == pytest.approx(0.30)
        assert cells["small, long output"][0] == pytest.approx(1.50)
        blank = [t for t, cell in enumerate(cells["large, output"]) if cell is None]
        moved = {e.quarter for e in price_schedule(result) if e.model == "large"}
        assert [result.quarters[t] for t in blank] == [q for q in result.quarters if q not in moved]
        assert table.rows[-1][:2] == ("hour of work of one h20, mean rent of all that is let", "CNY/h")

    def test_market_and_planner_still_agree(self, result):
        assert result.chain.convergence.residual < 0.01

    def test_the_figure_has_a_step_for_each_model_and_kind(self, result):
        from jevons.plot import plan_figure

        left, right = plan_figure(result, "price_schedule").axes
        for axis, kind in ((left, "input"), (right, "output")):
            assert axis.get_ylabel() == "Price [CNY per million tokens, log]"
            posted = result.to_json()["price_per_mtok"]
            for line, model in zip(axis.get_lines(), result.models, strict=True):
                assert line.get_drawstyle() == "steps-post"
                assert line.get_ydata()[:-1] == pytest.approx(posted[model][kind])
            assert {text.get_text() for text in axis.texts} == set(result.models)
