"""Tables of the terminal: what they do with too little and with spare width."""

import itertools
import os
import subprocess
import sys

import pytest

from draws import some
from jevons.cli.output import console
from jevons.cli.printed import SCREEN_COLUMNS, SCREEN_LINES, lines_of, named_more, on_a_screen, sheet
from jevons.results import Column, Table, table

COLUMNS = (Column("name", "fleet"), Column("layout", "layout"), Column("cost", "cost of an hour", "CNY"),
           Column("note", "note"))  # fmt: skip
LONG = "a note of many words that goes on and on until no terminal of eighty columns could hold it in one line at all"
ROWS = [("A", "tp4 dp8-attention ep32", 12.5, LONG), ("B", "tp8 ep8", 7.25, "")]


def _lines(width, monkeypatch, rows=ROWS):
    monkeypatch.setenv("COLUMNS", str(width))
    screen = console()
    with screen.capture() as captured:
        screen.print(sheet(table("fleets", "Fleets", COLUMNS, rows)))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 150])
def test_long_text_wraps_and_nothing_is_wider_than_the_terminal(monkeypatch, width):
    lines = _lines(width, monkeypatch)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert all(word in words for word in LONG.split())


def test_text_that_fits_stands_on_one_line_before_heads_are_widened(monkeypatch):
    lines = _lines(100, monkeypatch)
    assert any("A " in line and "tp4 dp8-attention ep32" in line for line in lines)


def test_only_columns_that_name_the_row_are_repeated_where_a_table_continues(monkeypatch):
    lines = _lines(40, monkeypatch)
    assert sum("layout" in line for line in lines) == 1
    assert sum("fleet" in line for line in lines) > 1
    twice = [("A", "tp1", 1.0, LONG), ("A", "tp2", 2.0, LONG)]
    assert sum("layout" in line for line in _lines(40, monkeypatch, twice)) > 1


def test_a_long_cell_among_figures_wraps_and_leaves_the_rows_their_names(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [("parameters", 671.0, "bn"), ("precision", "mxfp4, attention bf16, dense bf16, " * 3, "")]
    screen = console()
    with screen.capture() as captured:
        heads = (Column("quantity", "quantity"), Column("value", "value"), Column("unit", "unit"))
        screen.print(sheet(table("model", "Model", heads, rows)))
    lines = captured.get().splitlines()
    assert any(line.startswith("parameters") and "671" in line for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("group", some(["models", "devices", "facts"]))
def test_a_group_without_a_command_lists_in_few_lines_that_fit(group):
    command = [sys.executable, "-m", "jevons", group]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"})
    lines = done.stdout.splitlines()
    assert "on file" in lines[0]
    assert len(lines) <= 26
    assert max(map(len, lines)) <= 80


def _long(name: str, rows: int, *, legend: bool = False) -> Table:
    columns = [Column("fleet", "fleet")] + [
        Column(f"c{i}", f"a long head {i}", "ms") for i in range(1 if legend else 6)
    ]
    cells = [(f"row {i}", *((f"what row {i} is",) if legend else (1.5,) * 6)) for i in range(rows)]
    return table(name, f"Table {name}", columns, cells, legend=legend)


@pytest.mark.parametrize("tables", [
    [_long("a", 40)], [_long("a", 10), _long("b", 10), _long("c", 10)], [_long("a", 2), _long("b", 30)],
    [_long("a", 9), _long("a names", 9, legend=True), _long("b", 9)],
])  # fmt: skip
def test_a_screen_holds_twenty_lines_below_the_answer(tables: list[Table]) -> None:
    notes = ("n" * 100, "m" * 10)
    shown = on_a_screen(tables, notes)
    assert shown
    assert [one.name for one in shown] == [one.name for one in tables[: len(shown)]]
    assert sum(lines_of(one) for one in shown) + 3 + 1 <= SCREEN_LINES
    assert all(len(one) >= min(3, len(whole)) for one, whole in zip(shown, tables, strict=False))
    for one, names in itertools.pairwise(shown):
        assert not names.legend or len(names) == len(one)


def test_of_many_tables_the_first_are_named_on_one_line() -> None:
    line = named_more([f"table_number_{i}" for i in range(12)])
    assert len(line) <= SCREEN_COLUMNS
    assert line.endswith("more tables.")
    wide = ["a" * (SCREEN_COLUMNS // 2), "b" * (SCREEN_COLUMNS // 2)]
    assert named_more(wide).endswith("and 1 more table.")
    assert named_more(["fleets (9 rows)"]) == "More with --detail: fleets (9 rows)."


def test_what_short_names_stand_for_is_never_cut() -> None:
    layout = "prefill 2 x tp1 dp8-attention ep8 + decode 1 x tp1 dp16-attention ep16"
    rows = [(letter, layout) for letter in "ABCDEFG"]
    columns = (Column("fleet", "fleet"), Column("layout", "layout"))
    assert table("layouts", "", columns, rows, most=5, legend=True).brief().rows[0] == ("A", layout)
    assert table("layouts", "", columns, rows, most=5).brief().rows[0][1].endswith("…")
