"""What every result offers: named tables with raw numbers, frames, files, and a short text."""

import dataclasses
import html
import json
from typing import ClassVar

import polars as pl
import pytest

import jevons
from jevons.errors import InputError
from jevons.results import Column, Result, Table, Tables, table

COLUMNS = (
    Column(name="layout", label="layout"),
    Column(name="ttft_p95_s", label="TTFT p95", unit="ms", scale=1e3),
    Column(name="fits", label="fits"),
)
ROWS = [("tp1", 0.25, True), ("tp2", None, False), ("=tp4", 1234.5, True)]


class Example(Result):
    kind: ClassVar[str] = "example"

    @property
    def answer(self):
        return "tp1 answers first."

    def _tables(self):
        yield table("latency", "Latency by layout", COLUMNS, ROWS)
        yield table(
            "left_out",
            "Left out",
            [Column(name="why", label="why")],
            [(f"reason {n}",) for n in range(40)],
            detail=True,
        )

    def _document(self):
        return {"answer": self.answer, "latency": self.tables["latency"].records()}


def test_cells_stay_raw_and_are_formatted_with_the_unit_only_where_people_read_them():
    one = Example().tables["latency"]
    assert one.column("ttft_p95_s") == [0.25, None, 1234.5]
    assert one.columns[1].head == "TTFT p95 [ms]"
    assert [row[1] for row in one.shown()] == ["250", "–", "1,234,500"]
    assert [row[2] for row in one.shown()] == ["yes", "no", "yes"]


def test_tables_are_found_by_name_and_near_names_are_offered():
    tables = Example().tables
    assert isinstance(tables, Tables)
    assert list(tables) == ["latency", "left_out"]
    with pytest.raises(InputError, match="no table `latncy`. Did you mean `latency`"):
        tables["latncy"]
    with pytest.raises(InputError, match="has no column `ttft`"):
        tables["latency"].column("ttft")
    assert "3 x 3" in repr(tables)


def test_a_row_of_another_width_is_a_defect():
    with pytest.raises(ValueError, match="has not 3 cells"):
        Table(name="latency", title="", columns=COLUMNS, rows=(("tp1", 0.1),))


def test_frames_keep_names_and_types():
    frame = Example().to_frame()
    assert frame.schema == {"layout": pl.String, "ttft_p95_s": pl.Float64, "fits": pl.Boolean}
    assert Example().to_frame("left_out").height == 40


def test_the_text_of_a_result_is_short():
    text = repr(Example())
    assert text.count("\n") < 15
    assert "tp1 answers first." in text
    assert "latency, left_out" in text


@pytest.mark.parametrize("ending", ["json", "csv", "parquet", "xlsx", "html"])
def test_a_result_is_saved_by_its_ending(tmp_path, ending):
    path = tmp_path / f"result.{ending}"
    Example().save(path)
    if ending == "json":
        assert json.loads(path.read_text())["latency"][0]["ttft_p95_s"] == 0.25
    elif ending == "csv":
        assert pl.read_csv(path)["ttft_p95_s"][0] == 0.25
    elif ending == "parquet":
        assert pl.read_parquet(path).equals(Example().to_frame())
    elif ending == "html":
        assert "<td>tp1</td>" in path.read_text()
    else:
        assert path.read_bytes()[:2] == b"PK"


def test_unknown_endings_and_missing_dimensions_say_what_would_do(tmp_path):
    with pytest.raises(InputError, match=r"must be one of \.json"):
        Example().save(tmp_path / "result.doc")
    with pytest.raises(InputError, match="no dimensions to label"):
        Example().to_xarray()
    with pytest.raises(InputError, match="no figure `cost` to explain"):
        Example().explain("cost")
    with pytest.raises(AttributeError, match="no picture `front`"):
        Example().plot.front()


PARTS = {
    "accelerator": lambda: jevons.accelerator("h100_sxm"),
    "model": lambda: jevons.model("qwen3-32b"),
    "fact": lambda: jevons.facts.search("h20 price")[0],
    "value of a fact": lambda: jevons.facts.get("h20.price_cny"),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_read_as_results_are(name):
    part = PARTS[name]()
    assert len(repr(part).splitlines()) <= 15
    assert part.to_frame().height > 0
    assert part.to_frame(next(iter(part.tables))).columns == [c.name for c in next(iter(part.tables.values())).columns]
    assert json.loads(json.dumps(part.to_json())) == part.to_json()
    page = part._repr_html_()
    assert html.escape(part.to_json()["answer"]) in page
    assert "<table" in page
    assert len(page) < 20_000


def test_a_part_says_the_figures_that_it_has_itself():
    device = jevons.accelerator("h100_sxm")
    bigger = dataclasses.replace(device, hbm_bytes=2.0 * device.hbm_bytes)
    assert bigger.to_json()["specification"]["hbm_bytes"] == 2.0 * device.hbm_bytes
    assert bigger.to_json()["figures"] == []
    assert {one["id"] for one in device.to_json()["figures"]} >= {"h100_sxm.hbm_bytes"}


def test_a_number_that_rounds_to_nothing_has_no_minus():
    signed, plain = Column("a", "a", form="+,.1f"), Column("a", "a", form=".2f")
    assert [signed.shown(x) for x in (-0.04, 0.04, -0.06)] == ["+0.0", "+0.0", "-0.1"]
    assert [plain.shown(x) for x in (-0.001, -0.006, -10.0)] == ["0.00", "-0.01", "-10.00"]
