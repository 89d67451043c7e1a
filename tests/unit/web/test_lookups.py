"""What is looked up and downloaded: facts in the order of how well they fit, cells as a terminal shows them."""

from __future__ import annotations

import re

import jevons
from jevons.web.catalog import search
from jevons.web.downloads import shown
from jevons.web.frozen import result_page
from jevons.web.work import document_of


def test_facts_that_have_a_word_whole_in_their_id_come_before_those_that_have_it_within_another() -> None:
    ids = [row["id"] for row in search("h20", "", "")]
    whole = ["h20" in re.split(r"[._]", one) for one in ids]
    assert "gh200.cores" in ids
    assert whole == sorted(whole, reverse=True)
    assert ids.index("h20.price_cny") < ids.index("gh200.cores")
    within = ["price" in one for one in (row["id"] for row in search("h20 price", "", ""))]
    assert within == sorted(within, reverse=True)


def test_a_probability_is_neither_impossible_nor_certain_in_a_table_of_a_page() -> None:
    column = {"name": "p", "label": "within limits", "unit": "%", "scale": 100.0, "digits": 3, "form": "p"}
    assert [shown(cell, column) for cell in (0.002, 0.4567, 0.9991, None)] == ["<1", "46", ">99", "–"]


def test_pages_show_cells_with_the_digits_and_forms_that_a_terminal_does() -> None:
    result = jevons.size("llama-3.1-8b", rate=5, static=True)
    page = result_page(result).split("<script", 1)[0]
    held = {table["name"]: table for table in document_of(result)["tables"]}
    for table in result.tables.values():
        cells = [[shown(cell, c) for cell, c in zip(row, held[table.name]["columns"], strict=True)]
                 for row in held[table.name]["rows"]]  # fmt: skip
        assert cells == [list(row) for row in table.shown()]
    assert page.count('class="right"') > 20
