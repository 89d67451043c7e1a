"""Tables of the terminal: what they do with too little and with spare width."""

import pytest

from jevons.cli.build import sheet
from jevons.cli.output import console
from jevons.results import Column, table

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
