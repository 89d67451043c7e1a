"""The store as data: what it holds, SQL over it, older and newer forms, and pruning."""

import json

import numpy as np
import polars as pl
import pytest

import jevons
from jevons.errors import InputError, InputWarning
from jevons.study.draws import sql as sql_module
from jevons.study.draws.store import ABOUT, INPUTS, SCHEMA, SEAL, Store
from places import TINY


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    store = tmp_path_factory.mktemp("filled")
    result = jevons.study.montecarlo(TINY, draws=4, processes=1, store=store)
    jevons.study.sweep(TINY, {"cost.wacc": [0.09, 0.11]}, processes=1, store=store)
    return store, result


@pytest.fixture
def store(tmp_path):
    """Two studies by hand: one complete with an infeasible draw, one stopped."""
    first = Store(tmp_path, "aaaa1111", {"kind": "montecarlo", "total": 2, "names": ["x"], "version": "0.0.9"})
    first.add({0: {"devices": 1.5, "paths": {"capex": [1.0, 2.0]}}, 1: None})
    second = Store(tmp_path, "bbbb2222", {"kind": "montecarlo", "total": 5, "version": jevons.__version__})
    second.add({0: {"unsolved": "HiGHS stopped"}})
    return tmp_path


def test_draws_are_rows_with_inputs_and_outcomes_as_they_were_computed(filled):
    store, result = filled
    opened = jevons.study.open(store)
    drawn = opened.to_frame("draws").filter(pl.col("hardware.devices.h20.price").is_not_null())
    for name, values in result.draws.outcomes.items():
        assert drawn[name].to_list() == values.tolist()
    for name, column in zip(result.draws.names, result.draws.values.T, strict=True):
        assert drawn[name].to_list() == column.tolist()
    paths = opened.to_frame("paths").filter(path="capex", study=drawn["study"][0])
    assert paths["value"].to_list() == result.draws.paths["capex"].ravel().tolist()
    assert {one["state"] for one in opened.to_json()["studies"]} == {"complete"}


def test_sql_sees_every_table_and_nothing_else(filled):
    pytest.importorskip("duckdb", reason="pip install 'jevons[sql]'")
    store, result = filled
    asked = jevons.study.open(store, sql='select sum(devices) from draws where "cost.wacc" is null')
    assert asked.rows == ((pytest.approx(result.draws.outcomes["devices"].sum()),),)
    counts = jevons.study.open(store, sql="select count(*) from segments join studies using (study)").rows
    assert counts == ((2,),)
    for sql, said in (
        ("select * from read_csv('/etc/hostname')", "Permission Error"),
        ("copy draws to '/tmp/never.csv'", "only select"),
        ("drop table draws", "only select"),
        ("select 1; select 2", "2 statements"),
        ("select * from nope", "Tables: studies, draws"),
        ("", "sql: is empty"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            jevons.study.open(store, sql=sql)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_sql_without_end_stops_at_a_limit_and_leaves_no_file(filled, monkeypatch, tmp_path):
    pytest.importorskip("duckdb", reason="pip install 'jevons[sql]'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sql_module, "SQL_S", 1)
    monkeypatch.setattr(sql_module, "SQL_ROWS", 1000)
    monkeypatch.setattr(sql_module, "SQL_BYTES", 100_000_000)
    for text, said in (
        ("with recursive t(n) as (select 1 union all select n + 1 from t) select max(n) from t", "more than 1 s"),
        ("select count(*) from range(100000000000) a, range(1000000000) b", "more than 1(00,000,000 bytes)? ?s?"),
        ("select * from range(1001)", "more than 1,000 rows"),
        ("select list(i) from range(100000000) t(i)", "bytes of memory|more than 1 s"),
    ):
        with pytest.raises(InputError, match=said):
            jevons.study.open(filled[0], sql=text)
    assert not list(tmp_path.iterdir())
    assert len(jevons.study.open(filled[0], sql="select * from range(1000)").rows) == 1000


def test_states_counts_and_sizes_are_listed(store):
    one, two = jevons.study.open(store).to_json()["studies"]
    assert (one["state"], one["stored"], one["infeasible"]) == ("complete", 2, 1)
    assert (two["state"], two["stored"], two["unsolved"]) == ("stopped", 1, 1)
    assert one["bytes"] == sum(path.stat().st_size for path in (store / "aaaa1111").iterdir())


def test_the_first_schema_is_read_and_upgraded_by_a_run(store):
    about = store / "aaaa1111" / ABOUT
    about.write_text(json.dumps({"kind": "montecarlo", "scenario": "old", "draws": 2}))
    (one, _) = jevons.study.open(store).to_json()["studies"]
    assert (one["schema"], one["stored"], one["total"]) == (1, 2, 2)
    Store(store, "aaaa1111", {"kind": "montecarlo"}).add({2: None})
    assert json.loads(about.read_text())["schema"] == SCHEMA
    assert Store(store, "aaaa1111", {}).read().keys() == {0, 1, 2}


def test_a_newer_schema_is_refused_with_a_word_and_left_alone(store):
    about = store / "aaaa1111" / ABOUT
    about.write_text(json.dumps({"schema": SCHEMA + 1}))
    with pytest.raises(InputError, match=f"has schema {SCHEMA + 1}.*update jevons"):
        Store(store, "aaaa1111", {"kind": "montecarlo"})
    with pytest.raises(InputError, match="update jevons"):
        jevons.study.open(store, table="draws")
    assert "newer" in jevons.study.open(store).to_json()["studies"][0]["state"]
    assert json.loads(about.read_text()) == {"schema": SCHEMA + 1}


def test_opening_changes_nothing_and_names_damage(store):
    segment = next((store / "aaaa1111").glob("segment-*"))
    segment.write_text(segment.read_text().replace("1.5", "9.5"))
    Store(store, "aaaa1111", {"kind": "montecarlo", "total": 2}).add_inputs(("x",), np.zeros((2, 1)))
    (store / "aaaa1111" / INPUTS).write_bytes(b"PAR1 rubbish PAR1")
    (store / "bbbb2222" / ABOUT).write_text("[[[")
    (store / "notes").mkdir()
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    opened = jevons.study.open(store)
    assert [one["damaged"] for one in opened.to_json()["studies"]] == [2, 0]
    assert "2 files are damaged; the command that made the study writes it again" in opened.answer
    with pytest.warns(InputWarning, match="segment is damaged") as told:
        assert opened.to_frame("draws")["study"].to_list() == ["bbbb2222"]
    assert any("inputs.parquet is damaged, and its draws have no inputs here" in str(one.message) for one in told)
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("damage", ["a value", "cut", "no checksum", "a checksum of junk", "a folder"])
def test_damaged_inputs_are_seen_set_aside_and_written_again(tmp_path, damage):
    values = np.linspace(0.05, 0.15, 40).reshape(20, 2)
    first = Store(tmp_path, "aaaa1111", {"kind": "montecarlo", "total": 20})
    first.add({draw: {"devices": float(draw)} for draw in range(20)})
    first.add_inputs(("a", "b"), values)
    whole = jevons.study.open(tmp_path).to_frame("draws")
    file, seal = tmp_path / "aaaa1111" / INPUTS, tmp_path / "aaaa1111" / SEAL
    content = file.read_bytes()
    if damage == "a value":  # polars reads it, as another figure
        place = content.index(np.float64(values[3, 0]).tobytes())
        file.write_bytes(content[:place] + np.float64(0.99).tobytes() + content[place + 8 :])
        assert pl.read_parquet(file)["a"].max() == 0.99
    elif damage == "cut":
        file.write_bytes(content[:-20])
    elif damage == "no checksum":
        seal.unlink()
    elif damage == "a checksum of junk":
        seal.write_text("[]")
    else:
        file.unlink()
        file.mkdir()
    opened = jevons.study.open(tmp_path)
    assert opened.to_json()["studies"][0]["damaged"] == 1
    with pytest.warns(InputWarning, match="its draws have no inputs here"):
        assert "a" not in opened.to_frame("draws").columns
    Store(tmp_path, "aaaa1111", {"kind": "montecarlo", "total": 20}).add_inputs(("a", "b"), values)
    again = jevons.study.open(tmp_path)
    assert again.to_frame("draws").equals(whole)
    assert "damaged; the command" not in again.answer
    jevons.study.prune(tmp_path, everything=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_inputs_of_the_second_schema_are_read_and_get_a_checksum_from_the_next_run(tmp_path):
    about = {"kind": "montecarlo", "total": 2}
    Store(tmp_path, "aaaa1111", about).add({0: {"devices": 1.0}, 1: {"devices": 2.0}})
    folder = tmp_path / "aaaa1111"
    pl.DataFrame({"x": [1.0, 2.0]}).write_parquet(folder / INPUTS)
    (folder / ABOUT).write_text(json.dumps({**about, "schema": 2}))
    assert jevons.study.open(tmp_path).to_frame("draws")["x"].to_list() == [1.0, 2.0]
    Store(tmp_path, "aaaa1111", about).add_inputs(("x",), np.array([[1.0], [2.0]]))
    assert (folder / SEAL).is_file()
    opened = jevons.study.open(tmp_path)
    assert opened.to_frame("draws")["x"].to_list() == [1.0, 2.0]
    assert opened.to_json()["studies"][0]["damaged"] == 0


def test_prune_removes_what_is_named_and_no_file_of_others(store):
    with pytest.raises(InputError, match="nothing to remove is named"):
        jevons.study.prune(store)
    (store / "aaaa1111" / "notes.txt").write_text("mine")
    dry = jevons.study.prune(store, other_versions=True, dry_run=True)
    assert [one.key for one in dry.pruned] == ["aaaa1111"]
    assert (store / "aaaa1111" / ABOUT).exists()
    jevons.study.prune(store, other_versions=True)
    assert [path.name for path in (store / "aaaa1111").iterdir()] == ["notes.txt"]
    assert [one.key for one in jevons.study.open(store).studies] == ["bbbb2222"]
    jevons.study.prune(store, study=["bbbb"])
    assert not (store / "bbbb2222").exists()


def test_prune_of_damage_keeps_the_rest(store):
    segment = next((store / "aaaa1111").glob("segment-*"))
    segment.with_suffix(".damaged").write_text("x")
    jevons.study.prune(store, damaged=True)
    assert not segment.with_suffix(".damaged").exists()
    assert segment.exists()


def test_a_study_that_a_run_fills_is_shown_as_running_and_not_pruned(store):
    with Store(store, "bbbb2222", {}).locked():
        assert jevons.study.open(store).to_json()["studies"][1]["state"] == "running"
        with pytest.raises(InputError, match="another run is filling"):
            jevons.study.prune(store, study=["bbbb2222"])
    assert (store / "bbbb2222" / ABOUT).exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"study": "zzzz"}, "no study has a key that begins so"),
        ({"study": "a"}, "at least 4 characters"),
        ({"table": "drawz"}, "Did you mean `draws`"),
        ({"table": "draws", "sql": "select 1"}, "exclude each other"),
    ],
)
def test_a_wrong_question_is_one_line(store, given, said):
    with pytest.raises(InputError, match=said) as caught:
        jevons.study.open(store, **given)
    assert len(str(caught.value).splitlines()) == 1


def test_no_store_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="there is no such folder"):
        jevons.study.open(tmp_path / "nope")
    with pytest.raises(InputError, match="is a file"):
        jevons.study.open(tmp_path / "file")
