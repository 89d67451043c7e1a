"""Every public function's result, by every way to read it: files, frames, pictures, formulas, entries."""

import json
import math
import zipfile

import polars as pl
import pytest
import xarray as xr

import jevons
from jevons.results import ENDINGS, ListResult, Result
from result_kinds import MAKERS, SLOW, made

SLOW_ENDINGS = (".svg", ".parquet.zip", ".png", ".pdf")
ALL_PICTURES = ("plan with draws", "size", "train")
"""Kinds whose pictures are all packed: each picture of each kind is drawn by a test of its own."""
KINDS = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MAKERS]
)


@pytest.mark.slow
def test_no_kind_of_result_is_left_out():
    def below(kind):
        return {kind} | {inner for one in kind.__subclasses__() for inner in below(one)}

    kinds = {made(name).kind for name in MAKERS}
    package = {one.kind for one in below(Result) if one.__module__.startswith("jevons.")} - {"result"}
    assert kinds == package


@KINDS
@pytest.mark.parametrize(
    "ending",
    [
        *ENDINGS, ".nc",
        *(pytest.param(e, marks=pytest.mark.slow) for e in SLOW_ENDINGS),
    ],
)  # fmt: skip
def test_it_is_saved_under_every_ending_or_says_why_not(name, ending, tmp_path):
    _saved_or_refused(made(name), tmp_path / f"result{ending}", ending)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".svg.zip", ".png.zip"])
@pytest.mark.parametrize("name", ALL_PICTURES)
def test_all_its_pictures_are_packed(name, ending, tmp_path):
    _saved_or_refused(made(name), tmp_path / f"result{ending}", ending)


def _saved_or_refused(result, path, ending):
    """Save a result and read it back, or see that it is refused for a reason and no file is left."""
    plain = ending in {*ENDINGS, ".parquet.zip"}
    if plain or _can(result, ending):
        result.save(path)
        _read_back(result, path, ending)
        return
    with pytest.raises(jevons.InputError, match="has no dimensions to label|has no pictures"):
        result.save(path)
    assert not path.exists()


def _can(result, ending):
    """Return whether a result has what an ending holds: dimensions or pictures."""
    if ending != ".nc":
        return bool(dir(result.plot))
    return type(result).to_xarray is not Result.to_xarray and _labelled(result) is not None


def _labelled(result):
    """Return a result's dataset, or None where it says that it has none."""
    try:
        return result.to_xarray()
    except jevons.InputError:
        return None


def _read_back(result, path, ending):
    """Read a file and compare it with the result."""
    if ending == ".json":
        assert json.loads(path.read_text(encoding="utf-8")).keys() == result.to_json().keys()
    elif ending in {".csv", ".parquet"}:
        frame = pl.read_csv(path, infer_schema_length=None) if ending == ".csv" else pl.read_parquet(path)
        kept = result.to_frame(result.file_table or None)
        assert frame.columns == kept.columns
        assert frame.height == kept.height
    elif ending == ".html":
        assert path.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    elif ending == ".nc":
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            assert dict(dataset.sizes) == dict(result.to_xarray().sizes)
    elif ending.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            pictures = ending in {".svg.zip", ".png.zip"}
            wanted = dir(result.plot) if pictures else list(result.tables)
            inner = ending.split(".")[-2] or "csv"
            assert sorted(archive.namelist()) == sorted(f"{one}.{inner}" for one in wanted)
    else:
        begins = {".xlsx": b"PK", ".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}
        assert path.read_bytes().startswith(begins[ending])


@KINDS
def test_its_text_is_short_and_its_answer_is_a_sentence(name):
    result = made(name)
    assert len(repr(result).splitlines()) <= 15
    assert len(result.answer) > 5
    assert "<table>" in result._repr_html_()
    json.dumps(result.to_json(), allow_nan=False)


@KINDS
def test_its_tables_are_found_by_name_place_and_attribute(name):
    result = made(name)
    for place, (title, table) in enumerate(result.tables.items()):
        assert result.tables[place] == table
        assert title == "values" or getattr(result.tables, title) == table  # `.values()` is every mapping's
        assert len(list(table)) == len(table) == result.to_frame(title).height
        assert len(repr(table).splitlines()) <= 15
        if len(table):
            assert list(table[0]) == [column.name for column in table.columns]
    with pytest.raises(LookupError, match="no table `nope`"):
        result.tables["nope"]


@KINDS
def test_its_entries_are_read_as_of_a_dictionary(name):
    result = made(name)
    record = result.to_json()
    if isinstance(result, ListResult):
        assert len(list(result)) == len(result) == len(dict(result))
        first = next(iter(result.keys()), None)
        assert first is None or (first in result and result[first] == result[0] == next(iter(result)))
    else:
        assert dict(result).keys() == record.keys()
        assert all(key in result for key in record)
        assert result
    with pytest.raises(LookupError, match=r"nope|place"):
        result["nope"]
    with pytest.raises(LookupError):
        result[10**9]
    with pytest.raises(AttributeError, match="no attribute `nope`"):
        result.nope  # noqa: B018 - reading it is the test


@KINDS
def test_it_is_labelled_or_says_what_else_it_has(name):
    result = made(name)
    dataset = _labelled(result)
    if dataset is not None:
        assert [title for title, one in dataset.data_vars.items() if "units" not in one.attrs] == []
        return
    with pytest.raises(jevons.InputError, match=r"use \.to_frame\(\), tables:"):
        result.to_xarray()


@KINDS
def test_it_explains_its_figures_or_says_that_it_keeps_no_formulas(name):
    result = made(name)
    paths = result.explain().splitlines()
    if "keeps no formulas" in paths[0]:
        assert len(paths) == 1
        return
    assert all(result.explain(path) for path in paths)
    with pytest.raises(jevons.InputError, match="no figure `nope` to explain"):
        result.explain("nope")


@KINDS
def test_what_it_explains_follows_from_the_printed_formula(name):
    ledger = getattr(made(name), "ledger", None)
    for path, node in ({} if ledger is None else ledger.nodes).items():
        if node.formula and isinstance(node.value, float) and math.isfinite(node.value):
            assert ledger.recompute(path) == pytest.approx(node.value, rel=1e-9), path


@KINDS
def test_every_picture_is_drawn(name):
    plots = made(name).plot
    for title in dir(plots):
        assert getattr(plots, title)().axes
    with pytest.raises(AttributeError, match="no picture `nope`"):
        plots.nope  # noqa: B018 - reading it is the test
