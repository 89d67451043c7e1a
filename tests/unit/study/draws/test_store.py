import os
import subprocess
import sys
import time

import pytest

from jevons.errors import InputError
from jevons.study.draws.store import Store, key_of


def make(tmp_path, key="k"):
    return Store(tmp_path, key, {"scenario": "test"})


def test_what_is_added_is_read_back_by_draw(tmp_path):
    store = make(tmp_path)
    store.add({3: {"a": 0.1 + 0.2}, 1: None})
    store.add({2: {"a": -1e-300}})
    assert make(tmp_path).read() == {1: None, 2: {"a": -1e-300}, 3: {"a": 0.30000000000000004}}


def test_a_damaged_segment_is_set_aside_and_the_others_kept(tmp_path):
    store = make(tmp_path)
    store.add({0: {"a": 1.0}})
    store.add({1: {"a": 2.0}})
    first = next(iter(sorted(store.folder.glob("segment-*.jsonl"))))
    first.write_text(first.read_text().replace("1.0", "7.0"))
    assert store.read() == {1: {"a": 2.0}}
    assert [path.suffix for path in store.folder.glob("segment-00000000*")] == [".damaged"]


@pytest.mark.parametrize("text", ["", "\n", "{", '{"draw": 0}', "[]\n[]", "\x00\x00"])
def test_rubbish_is_no_segment(tmp_path, text):
    store = make(tmp_path)
    (store.folder / "segment-00000000-00000000.jsonl").write_text(text)
    assert store.read() == {}


def test_an_unfinished_segment_is_not_seen(tmp_path):
    store = make(tmp_path)
    store.add({0: {"a": 1.0}})
    (store.folder / ".segment-00000001-00000001.jsonl.99").write_text('{"draw": 1, "outcome": {"a"')
    assert store.read() == {0: {"a": 1.0}}


def test_another_key_sees_nothing(tmp_path):
    make(tmp_path).add({0: {"a": 1.0}})
    assert make(tmp_path, "other").read() == {}


def test_the_key_hangs_on_content_not_on_order():
    assert key_of({"a": 1, "b": [1.5]}) == key_of({"b": [1.5], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})


def test_a_second_run_is_kept_out_and_the_first_may_return(tmp_path):
    store = make(tmp_path)
    with store.locked(), pytest.raises(InputError, match="another run is filling this store"), make(tmp_path).locked():
        pass
    with store.locked():
        pass


def test_a_file_in_place_of_the_folder_is_wrong_input(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="--store"):
        Store(tmp_path / "taken", "k", {})


@pytest.mark.parametrize("kind", ["folder", "dangling", "FIFO"])
def test_what_is_no_segment_is_set_aside_each_time_it_comes(tmp_path, kind):
    store = make(tmp_path)
    store.add({7: {"a": 1.0}})
    path = store.folder / "segment-00000000-00000000.jsonl"
    for _ in range(2):
        if kind == "folder":
            path.mkdir()
        elif kind == "dangling":
            path.symlink_to("nowhere")
        else:
            os.mkfifo(path)
        assert store.read() == {7: {"a": 1.0}}
    assert {entry.suffix for entry in store.folder.glob("segment-00000000*")} == {".damaged", ".damaged-1"}


@pytest.mark.parametrize("name", ["lock", "about.json", "segment-00000001-00000001.jsonl"])
@pytest.mark.parametrize("kind", ["folder", "dangling"])
def test_what_stands_in_the_way_of_the_store_is_one_line(tmp_path, name, kind):
    folder = make(tmp_path).folder
    (folder / name).unlink(missing_ok=True)
    if kind == "folder":
        (folder / name).mkdir()
    else:
        (folder / name).symlink_to("nowhere")
    with pytest.raises(InputError) as caught:
        store = make(tmp_path)
        with store.locked():
            store.add({1: {"a": 1.0}})
    assert len(str(caught.value).splitlines()) == 1


def test_a_link_that_leads_nowhere_is_no_store(tmp_path):
    (tmp_path / "store").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="--store"):
        Store(tmp_path / "store", "k", {})


_FILL = """
import sys, pathlib
from jevons.study.draws.store import Store
store = Store(pathlib.Path(sys.argv[1]), "k", {})
with store.locked():
    for index in range(10**6):
        store.add({index: {"value": index * 0.1}})
"""


@pytest.mark.slow
def test_nothing_stored_is_lost_to_kill_and_the_lock_is_free(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", _FILL, str(tmp_path)])
    store = make(tmp_path)
    deadline = time.monotonic() + 30
    while len(store.read()) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    before = store.read()
    child.kill()
    child.wait()
    with store.locked():
        after = store.read()
    assert len(before) >= 5
    assert before.items() <= after.items()
    assert sorted(after) == list(range(len(after)))
    assert all(outcome == {"value": index * 0.1} for index, outcome in after.items())
