"""Amounts of a small firm are told in units that fit it."""

from __future__ import annotations

from pathlib import Path

import pytest

import jevons
from jevons.results import Column, table
from jevons.study.currency import for_small_firm

pytestmark = pytest.mark.slow  # plans whole scenarios

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


def test_amounts_and_counts_of_a_table_move_to_the_next_smaller_unit() -> None:
    columns = (
        Column("name", "name"),
        Column("unit", "unit"),
        Column("value", "value"),
        Column("sum", "sum", "bn ¤", scale=1e-9),
    )
    own = for_small_firm(table("t", "t", columns, [("Fleet", "thousand", 0.016, 2e6), ("Use", "%", 60.0, None)]))
    assert own.rows == (("Fleet", "accelerators", 16.0, 2e6), ("Use", "%", 60.0, None))
    assert (own.columns[3].unit, own.columns[3].scale) == ("mn ¤", pytest.approx(1e-6))


def test_a_unit_in_brackets_after_a_label_moves_with_its_amounts() -> None:
    columns = (Column("outcome", "outcome"), Column("a", "A"), Column("low", "10 %"))
    others = ("value per share [¤]", 3.0, 2.0), ("devices [of one kind]", 4.0, 1.0)
    own = for_small_firm(table("t", "t", columns, [("capital spent [bn ¤]", 0.002, None), *others]))
    assert own.rows == (("capital spent [mn ¤]", 2.0, None), *others)


def test_no_table_of_a_small_firm_counts_in_billions_and_those_of_a_large_one_do() -> None:
    units = {}
    for name in ("small-firm-r1", "nebius"):
        tables = jevons.plan(jevons.load(SCENARIOS / f"{name}.yaml"), draws=0).tables.values()
        cells = {c.unit for one in tables for c in one.columns} | {
            cell for one in tables for row in one.rows for cell in row if isinstance(cell, str)
        }
        units[name] = {unit for unit in cells if unit.startswith(("bn ", "mn ", "MW", "kW", "thousand"))}
    assert {"mn CNY", "kW"} <= units["small-firm-r1"]
    assert not units["small-firm-r1"] & {"bn CNY", "MW", "thousand"}
    assert {"bn USD", "MW", "thousand"} <= units["nebius"]
