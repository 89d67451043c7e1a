"""Words of the tables of a plan."""

from __future__ import annotations

import pytest

import jevons
from jevons.errors import InputError
from jevons.study.plan.tables.verdict import growth_word
from places import TINY


@pytest.mark.parametrize(
    ("growth", "reason", "word"),
    [
        (0.373, "", "37 %"),
        (None, "none: worth it at 0% growth", "any"),
        (None, "no growth below 100% justifies it", "none"),
    ],
)
def test_growth_that_a_price_assumes_is_named_alike_in_every_table(growth, reason, word):
    assert growth_word({"growth_frac": growth, "reason": reason}) == word


@pytest.fixture(scope="module")
def result():
    return jevons.plan(TINY, draws=8, seed=11, processes=1)


def test_tables_hold_raw_numbers_under_names(result):
    fleet = result.tables["fleet"]
    row = dict(zip(fleet.column("name"), fleet.rows, strict=True))["All accelerators"]
    assert row[1] == "thousand"
    assert row[-1] * 1e3 == pytest.approx(result.chain.plan.fleet.installed[:, :, -1].sum(), rel=1e-12)
    for table in result.tables.values():
        assert table.columns[0].name == "name", table.name
        for row in table.rows:
            assert all(cell is None or isinstance(cell, str | float | int) for cell in row)


def test_the_token_mix_of_every_priced_model_adds_up_to_one(result):
    record = result.to_json()
    assert record["token_mix"].keys() == record["price_per_mtok"].keys()
    for mix in record["token_mix"].values():
        assert sum(mix.values()) == pytest.approx(1)
        assert all(share >= 0 for share in mix.values())


def test_no_row_refers_to_the_row_above_it(result):
    names = [str(name) for table in result.tables.values() for name in table.column("name")]
    assert not [name for name in names if name.startswith(("the same", "of these", "of it", "so ", "all"))]


def test_a_plan_reads_in_fifteen_lines_and_answers_first(result):
    lines = repr(result).splitlines()
    assert len(lines) <= 15
    assert max(len(line) for line in lines[1:] if not line.startswith(("More", "tables:"))) <= 200
    assert result.answer in lines[0]
    assert "P(Jevons)" in result.answer
    assert result.to_json()["answer"] == result.answer
    shown = [table.name for table in result.tables.values() if not table.detail]
    assert shown == ["summary"]
    assert len(result.tables["summary"]) == 12


def test_limits_that_bind_are_ranked_by_quarter(result):
    binding = result.tables["binding"]
    for place, names in enumerate(result.chain.plan.worth.binding, start=2):
        ranks = sorted(row[place] for row in binding.rows if row[place] is not None)
        assert ranks == list(range(1, len(names) + 1))


def test_sections_are_labelled_views_with_units(result):
    output = result.cost.per_mtok.sel(kind="output")
    assert output.attrs["units"] == "CNY/Mtok"
    assert set(output.dims) == {"model", "quarter"}
    h20 = result.fleet.devices.sel(device="h20", quarter="2025-Q4")
    assert float(h20) == pytest.approx(result.to_json()["fleet"]["devices"]["h20"][-1])
    assert float(result.value.per_share) == result.to_json()["value"]["per_share"]
    for section in (result.cost, result.fleet, result.tokens, result.market, result.cash, result.value):
        assert all(array.attrs["units"] for array in section.values())
        assert len(repr(section).splitlines()) == len(section)
    with pytest.raises(AttributeError, match="has no `per_mtoken`; there are per_mtok"):
        _ = result.cost.per_mtoken


@pytest.mark.parametrize("ending", ["json", "csv", "parquet", "nc", "xlsx", "html"])
def test_a_plan_is_saved_by_ending(result, tmp_path, ending):
    path = tmp_path / f"plan.{ending}"
    result.save(path)
    assert path.stat().st_size > 200


@pytest.mark.slow
def test_a_loaded_scenario_gives_the_same_plan_as_its_path(result):
    assert jevons.plan(jevons.load(TINY), draws=8, seed=11, processes=1).answer == result.answer


def test_what_is_no_scenario_or_a_second_date_is_refused():
    with pytest.raises(InputError, match="give a scenario from"):
        jevons.plan(3)
    with pytest.raises(InputError, match="was loaded as of 2025-02-24"):
        jevons.plan(jevons.load(TINY), as_of="2025-01-01")
    with pytest.raises(InputError, match="draws=1: one draw has no interval"):
        jevons.plan(TINY, draws=1)


def test_a_site_without_power_to_spare_gives_a_plan_and_one_that_cannot_feed_what_stands_is_refused():
    tiny = jevons.load(TINY)
    draw_w = 300 * 800.0 + 200 * 453.75
    plan = jevons.plan(tiny.with_values({"hardware.sites.north.power": draw_w}), draws=0)
    assert plan.chain.plan.fleet.installed[:, :, 0].sum() == pytest.approx(500)
    with pytest.raises(InputError, match=r"h20\.installed: 300: .* draw 330\.8 kW, and the sites have 300 kW"):
        jevons.plan(tiny.with_values({"hardware.sites.north.power": 0.3e6}), draws=0)


@pytest.mark.slow
def test_a_valuation_keeps_its_record_and_names_its_tables(tmp_path):
    value = jevons.value(TINY)
    assert len(repr(value).splitlines()) <= 15
    record = value.to_json()
    assert {"answer", "statements", "rerating", "required", "per_share"} <= set(record)
    assert float(value.tables["required"].column("planned")[0]) == record["required"]["cloud_value"]
    value.save(tmp_path / "quarters.csv")
    assert (tmp_path / "quarters.csv").read_text().startswith("quarter,")
    with pytest.raises(InputError, match="the first date must come before the last"):
        jevons.value(TINY, first="2025-03-31", last="2024-12-31")
