"""Forecasts see nothing later than their date; scores are those of the textbook; wrong files are named."""

import datetime as dt

import numpy as np
import pytest

from jevons.errors import FactError, InputError
from jevons.facts import default_facts
from jevons.plot.backtest import backtest_figure
from jevons.validation.backtest.forecast import TARGETS, VARIANTS, evidence, forecast, quarter_end
from jevons.validation.backtest.score import backtest, crps, read_outcomes, refutations, summary_rows

AS_OF = dt.date(2025, 2, 24)
HEAD = "entity,quantity,date_or_period,value,unit,source_title,source_ref,quality,note\n"
CLOUD = "Alibaba Cloud Intelligence Group"


@pytest.fixture(scope="module")
def known():
    return evidence(default_facts(), AS_OF)


def write(tmp_path, *rows):
    path = tmp_path / "outcomes.csv"
    path.write_text(HEAD + "".join(f"{row},,,,\n" for row in rows))
    return path


class TestFrozen:
    def test_what_is_published_later_changes_nothing(self, known, spoiled):
        """Every value that was not public is made absurd: the forecasts stay the same to the byte."""
        again = evidence(spoiled(AS_OF), AS_OF)
        for variant in VARIANTS:
            first, second = forecast(known, draws=200, variant=variant), forecast(again, draws=200, variant=variant)
            for target in TARGETS:
                assert first.draws[target].tobytes() == second.draws[target].tobytes()

    def test_before_the_plan_was_public_there_is_no_forecast(self):
        with pytest.raises((FactError, InputError), match="2025-02-2"):
            evidence(default_facts(), dt.date(2025, 2, 21))

    def test_between_results_there_is_none_either(self):
        with pytest.raises(InputError, match="after results"):
            evidence(default_facts(), dt.date(2025, 4, 20))


class TestForecast:
    def test_quantiles_are_ordered_and_finite(self, known):
        made = forecast(known, draws=500)
        assert made.quarters == ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1")
        for target in TARGETS:
            low, middle, high = made.quantiles(target)
            assert np.isfinite(made.draws[target]).all()
            assert (low <= middle).all()
            assert (middle <= high).all()

    def test_constant_elasticity_leaves_tokens_where_prices_stand(self, known):
        made = forecast(known, draws=500, variant="constant elasticity only")
        still = (made.draws["qwen_price_index"] == 1) & (made.draws["deepseek_price_index"] == 1)
        assert still.any()
        assert made.draws["doubao_tok_per_d"][still] == pytest.approx(known.doubao_tok_per_d[-1])

    def test_growth_is_revenue_over_the_year_before(self, known):
        made = forecast(known, draws=200)
        revenue = made.draws["cloud_revenue"]
        assert made.draws["cloud_growth_frac"][:, 4] == pytest.approx(revenue[:, 4] / revenue[:, 0] - 1)
        assert made.draws["cloud_growth_frac"][:, 0] == pytest.approx(revenue[:, 0] / known.revenue_cur[0] - 1)

    @pytest.mark.parametrize(("options", "message"), [({"variant": "best"}, "must be one of"), ({"draws": 5}, "100")])
    def test_wrong_options_are_named(self, known, options, message):
        with pytest.raises(InputError, match=message):
            forecast(known, **options)

    def test_quarters_end_on_their_last_day(self):
        assert quarter_end("2024-Q1") == dt.date(2024, 3, 31)
        assert quarter_end("2025-Q4") == dt.date(2025, 12, 31)


class TestScores:
    def test_crps_of_a_point_is_its_error(self):
        assert crps(np.full(7, 3.0), 5.0) == pytest.approx(2.0)

    def test_crps_of_a_normal_is_the_closed_form(self):
        from scipy.stats import norm

        draws = norm.ppf((np.arange(20000) + 0.5) / 20000)
        for value in (-1.5, 0.0, 0.7):
            closed = value * (2 * norm.cdf(value) - 1) + 2 * norm.pdf(value) - 1 / np.sqrt(np.pi)
            assert crps(draws, value) == pytest.approx(closed, abs=2e-4)

    def test_an_outcome_at_the_median_scores_best_and_is_covered(self, tmp_path, known):
        middle = forecast(known, draws=400, seed=3).quantiles("cloud_revenue")[1, 0]
        path = write(tmp_path, f"{CLOUD},revenue,2025-Q1 (quarter to 2025-03-31),{middle / 1e6},CNY million")
        result = backtest([path], default_facts(), as_of=AS_OF, draws=400, seed=3)
        score = next(s for s in result.scores if s.method == "full")
        assert score.covered
        assert score.error == pytest.approx(0, abs=1e-3 * middle)
        row = next(r for r in summary_rows(result) if r["method"] == "last growth persists")
        assert row["crps_over_full"] > 1
        assert row["covered_frac"] is None

    def test_absurd_outcomes_refute_the_model(self, tmp_path):
        path = write(tmp_path, "ByteDance (Doubao),daily tokens,2025-03,1e9,tokens per day",
                     f"{CLOUD},revenue,2025-Q1,1,CNY million")  # fmt: skip
        found = {r["test"]: r["answer"] for r in refutations(backtest([path], default_facts(), as_of=AS_OF, draws=200))}
        assert found["80 % intervals cover at least half of the outcomes"] == "refuted"
        assert found["tokens within an order of magnitude, or inside the interval"] == "refuted"
        assert found["capital expenditure changes in the right direction"] == "no outcome"


class TestOutcomes:
    def read(self, path, known):
        return read_outcomes([path], default_facts(), AS_OF, known.ends)

    def test_units_quarters_and_what_is_left_out(self, tmp_path, known):
        path = write(
            tmp_path,
            f"{CLOUD},revenue,2025-Q2 (quarter to 2025-06-30),33000,CNY million",
            f"{CLOUD},adjusted EBITA margin,2025-Q2,8.8,percent",
            f"{CLOUD},revenue,2024-Q4,31742,CNY million",
            f"{CLOUD},revenue,FY2026,1,CNY million",
            f"{CLOUD},revenue,2027-Q1,1,CNY million",
            "Tencent,revenue,2025-Q2,1,CNY million",
        )
        found, skipped = self.read(path, known)
        assert [(o.target, o.date, o.value) for o in found] == [
            ("cloud_revenue", dt.date(2025, 6, 30), pytest.approx(33e9)),
            ("cloud_margin_frac", dt.date(2025, 6, 30), pytest.approx(0.088)),
        ]
        assert skipped == {
            "known at the date": 1, "not a quarter": 1, "beyond the last quarter forecast": 1,
            "no forecast of this quantity": 1,
        }  # fmt: skip

    def test_a_list_price_stands_until_a_row_changes_it(self, tmp_path, known):
        unit = "CNY per million tokens"
        path = write(
            tmp_path,
            f"Alibaba Cloud (Qwen),qwen-max | input,2025-05-01,1.2,{unit}",
            f"Alibaba Cloud (Qwen),qvq-max | input,2025-06-14,8,{unit}",
        )
        found, _ = self.read(path, known)
        assert [(o.target, o.date) for o in found] == [
            ("qwen_price_index", dt.date(2025, 3, 31)), ("qwen_price_index", dt.date(2025, 6, 14))
        ]  # fmt: skip
        assert found[0].value == pytest.approx(1.0)
        assert found[1].value == pytest.approx(0.5 ** (1 / 6))  # one of six prices halved

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            (f"{CLOUD},revenue,2025-Q2,33,CNY billion", "must be `CNY million`"),
            (f"{CLOUD},revenue,2025-Q2,many,CNY million", "not a finite number"),
            (f"{CLOUD},revenue,2025-Q2,nan,CNY million", "not a finite number"),
            ("ByteDance (Doubao),daily tokens,last week,1e13,tokens per day", "not a date"),
        ],
    )
    def test_wrong_rows_are_named_with_file_and_line(self, tmp_path, known, row, message):
        with pytest.raises(InputError, match=message) as caught:
            self.read(write(tmp_path, row), known)
        assert "outcomes.csv:2" in str(caught.value)

    def test_missing_columns_are_named(self, tmp_path, known):
        path = tmp_path / "x.csv"
        path.write_text("entity,value\na,1\n")
        with pytest.raises(InputError, match="no column quantity, date_or_period, unit"):
            self.read(path, known)


def test_quarters_together_are_scored_as_their_sum(tmp_path):
    rows = [
        "entity,quantity,date_or_period,value,unit",
        "Alibaba Cloud Intelligence Group,revenue,2025-Q1 and 2025-Q2 together,63574,CNY million",
        "Alibaba Cloud Intelligence Group,adjusted EBITA,2025-Q1 and 2025-Q2 together,5374,CNY million",
        "Alibaba Cloud Intelligence Group,revenue growth,2025-Q1 and 2025-Q2 together,22,percent",
    ]
    path = tmp_path / "together.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    result = backtest([path], default_facts(), as_of=dt.date(2025, 2, 24), draws=400)
    revenue, margin = (s for s in result.scores if s.method == "full")
    assert revenue.outcome.quarters == ("2025-Q1", "2025-Q2")
    draws = result.forecasts["full"].draws
    assert revenue.middle == pytest.approx(float(np.median(draws["cloud_revenue"][:, :2].sum(axis=1))))
    assert margin.outcome.target == "cloud_margin_frac"
    assert margin.outcome.value == pytest.approx(5374 / 63574)
    assert revenue.outcome.per_quarter == pytest.approx(63574e6 / 2)
    assert margin.outcome.per_quarter == margin.outcome.value
    panel = backtest_figure(result).axes[0]
    drawn = [float(np.max(line.get_ydata())) for line in panel.lines]
    assert max(drawn) < 60  # bn CNY: a quarter's mean, beside the forecasts of a quarter
    assert any(line.get_ydata()[0] == pytest.approx(31.787) and len(line.get_xdata()) == 2 for line in panel.lines)
