"""`jevons study`: what it prints, writes and refuses."""

import csv
import json

import pytest

from places import MAIN, TINY


@pytest.mark.slow
def test_montecarlo_says_intervals_probabilities_and_writes_a_row_per_draw(jevons, tmp_path):
    out = tmp_path / "draws.csv"
    ran = jevons("study", "montecarlo", TINY, "--draws", 6, "--processes", 1, "--store", tmp_path / "s", "--json",
                 "--out", out)  # fmt: skip
    assert ran.code == 0
    said = json.loads(ran.out)
    assert said["draws"] == 6
    assert set(said["probability"]) == {"jevons", "jevons_settled", "elastic", "value_created"}
    assert "rank correlation" in said["sensitivity"]["method"]
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6 - said["infeasible"]
    table = tmp_path / "draws.parquet"
    again = jevons("study", "montecarlo", TINY, "--draws", 6, "--processes", 1, "--store", tmp_path / "s", "--json",
                   "--out", table)  # fmt: skip
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(table).height == len(rows)
    assert again.out == ran.out
    assert "6 draws were in the store" in again.err


def test_sweep_prints_a_row_per_point(jevons):
    ran = jevons("study", "sweep", TINY, "--set", "cost.wacc=0.09:0.11:3", "--processes", 1, "--no-store", "--json")
    assert ran.code == 0
    assert [point["cost.wacc"] for point in json.loads(ran.out)["points"]] == pytest.approx([0.09, 0.10, 0.11])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cost.wacc", "write PATH=LOW:HIGH:STEPS"),
        ("cost.wacc=1:2", "write PATH=LOW:HIGH:STEPS"),
        ("cost.wacc=a,b", "write PATH=LOW:HIGH:STEPS"),
        ("cost.wac=0.1", "Did you mean `cost.wacc`"),
        ("cost.wacc=-1:2:3", "--set cost.wacc: -1: must be above 0"),
        ("finance.net_cash=1e15:1e16:2", "is far from the scenario's 2e+10 CNY; values are in CNY"),
    ],
)
def test_wrong_grids_exit_2(jevons, text, message):
    ran = jevons("study", "sweep", TINY, "--set", text, "--processes", 1, "--no-store")
    assert ran.code == 2
    assert message in ran.err


def test_correlations_that_cannot_be_exit_2_with_place_and_remedy(jevons, tmp_path):
    names = ("cost.wacc", "finance.terminal_margin", "finance.capital_per_revenue")
    ranks = ((0, 1, 0.95), (1, 2, 0.95), (0, 2, -0.95))
    text = MAIN.read_text()
    lines = "".join(f"    - {{between: [{names[a]}, {names[b]}], rank: {rank}}}\n" for a, b, rank in ranks)
    path = tmp_path / "s.yaml"
    path.write_text(text[: text.index("  correlations:")] + "  correlations:\n" + lines)
    ran = jevons("study", "montecarlo", path, "--draws", 4, "--no-store")
    assert ran.code == 2
    assert "s.yaml:" in ran.err
    assert "study.correlations" in ran.err
    assert "weaken one" in ran.err


@pytest.mark.parametrize(
    "option", [["--draws", 1], ["--processes", 0], ["--out", "x.txt"], ["--store", "a", "--no-store"]]
)
def test_wrong_options_exit_2(jevons, option):
    assert jevons("study", "montecarlo", TINY, *option).code == 2


def test_backtest_prints_forecasts_scores_and_refutations(jevons, tmp_path):
    path = tmp_path / "o.csv"
    path.write_text(
        "entity,quantity,date_or_period,value,unit\n"
        "Alibaba Cloud Intelligence Group,revenue,2025-Q2 (quarter to 2025-06-30),33000,CNY million\n"
    )
    ran = jevons("study", "backtest", path, "--draws", 200, "--detail")
    assert ran.code == 0
    for part in ("Forecasts from what was known", "What happened", "Scores", "could refute"):
        assert part in ran.out
    said = json.loads(jevons("study", "backtest", path, "--draws", 200, "--json").out)
    assert {score["target"] for score in said["scores"]} == {"cloud_revenue"}
    assert len(said["forecasts"]) == 45


def test_backtest_refuses_a_file_without_its_columns_and_a_date_before_the_plan(jevons, tmp_path):
    path = tmp_path / "o.csv"
    path.write_text("a,b\n1,2\n")
    assert jevons("study", "backtest", path).code == 2
    path.write_text("entity,quantity,date_or_period,value,unit\n")
    assert jevons("study", "backtest", path, "--as-of", "2024-01-01").code == 2
    assert jevons("study", "backtest", tmp_path / "none.csv").code == 2


@pytest.mark.slow
def test_value_prints_every_part_and_refuses_dates_without_a_price(jevons, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    ran = jevons("value", TINY, "--json")
    assert ran.code == 0
    said = json.loads(ran.out)
    parts = said["rerating"]["parts"]
    assert sum(parts.values()) == pytest.approx(said["rerating"]["value_after"] - said["rerating"]["value_before"])
    assert said["stories"]["weights"] is None
    assert "no weights explain" in said["stories"]["reason"]
    assert said["narrative"]["kept"] is False
    assert len(said["iso_price_by_wacc"]) == 48
    assert len(jevons("value", TINY).out.splitlines()) < 30
    shown = jevons("value", TINY, "--detail")
    for part in (
        "Statements by quarter: AI cloud",
        "Depreciation, before 2025",
        "Depreciation, bought 2025",
        "Statements by quarter: cash of the group",
        "Value that the share price requires of the plan",
        "Iso-price surface",
        "The cloud after five years of growth",
        "Futures",
        "Re-rating",
        "Stories that spread",
    ):
        assert part in shown.out
    assert said["statements"]["vintage_depreciation"].keys() == {"before 2025", "2025"}
    assert jevons("value", TINY, "--from", "2025-01-15").code == 2
    assert jevons("value", TINY, "--from", "yesterday").code == 2
    assert jevons("value", TINY, "--from", "2025-06-30").code == 2


def test_value_writes_the_statements_of_each_quarter(jevons, tmp_path):
    out = tmp_path / "v.csv"
    assert jevons("value", TINY, "--out", out).code == 0
    with out.open() as stream:
        rows = [
            {name: cell if name == "quarter" else float(cell) for name, cell in row.items()}
            for row in csv.DictReader(stream)
        ]
    assert [row["quarter"] for row in rows] == ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"]
    for row in rows:
        vintages = row["vintage_depreciation.before 2025"] + row["vintage_depreciation.2025"]
        assert vintages == pytest.approx(row["device_depreciation"])
        assert row["group_cloud_free_cash"] == pytest.approx(row["fcf"])


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ("market.segments.shops.share=0.2,3", "--set market.segments.shops.share: 3: must be at most 1"),
        ("market.segments.shops.elasticity=-0.1,0.5", "elasticity: 0.5: must be at most 0"),
        ("cost.economic_life=0,4", "--set cost.economic_life: 0: must be above 0 y"),
        ("cost.wacc=0.03,0.1", "cost.wacc begins at 0.03: growth for ever must stay below"),
    ],
)
def test_a_grid_outside_the_bounds_of_a_field_is_refused_before_anything_runs(jevons, grid, message):
    ran = jevons("study", "sweep", TINY, "--set", grid, "--no-store")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_growth_of_a_volume_is_split_and_elasticity_refused(jevons):
    done = jevons("study", "growth", "scenarios/doubao-history.csv")
    assert done.code == 0
    shown = json.loads(jevons("study", "growth", "scenarios/doubao-history.csv", "--json").out)
    assert shown["elasticity"] is None
    assert "No elasticity: price moves by 0 %" in done.out
