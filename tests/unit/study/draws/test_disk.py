"""Disks that are full or read-only, clocks that jump, two runs on one store, workers that end."""

import os
import resource
import subprocess
import sys
import time

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.files import write
from jevons.parallel import Executor, processes
from jevons.study.draws import places
from jevons.study.draws.store import Store
from places import TINY

RUN = [sys.executable, "-m", "jevons", "study", "montecarlo", str(TINY), "--processes", "1"]


def test_a_full_disk_is_one_line_with_a_remedy_and_what_was_stored_stays(tmp_path, monkeypatch):
    store = Store(tmp_path, "k", {})
    store.add({0: {"a": 1.0}})

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write.os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device.*free.*are kept") as caught:
        store.add({1: {"a": 2.0}})
    assert len(str(caught.value).splitlines()) == 1
    monkeypatch.undo()
    assert Store(tmp_path, "k", {}).read() == {0: {"a": 1.0}}
    assert sorted(path.suffix for path in store.folder.iterdir()) == [".json", ".jsonl"]


@pytest.mark.parametrize("fits", [0, 1, 2], ids=["nothing", "about", "inputs"])
def test_a_disk_that_fills_before_the_first_segment_leaves_no_folder(tmp_path, monkeypatch, fits):
    put, written = places.Folder.put, []

    def full(place, name, content):
        if len(written) == fits:
            message = "No space left on device; free some space"
            raise InputError(message)
        written.append(name)
        put(place, name, content)

    monkeypatch.setattr(places.Folder, "put", full)
    with pytest.raises(InputError, match="No space left") as caught:  # noqa: SIM117
        with (store := Store(tmp_path / "a" / "b", "k", {})).locked():
            store.add_inputs(("x",), np.zeros((1, 1)))
            store.add({0: {"a": 1.0}})
    assert "are kept" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_a_study_that_was_there_before_and_what_it_stored(tmp_path):
    Store(tmp_path, "before", {})
    stores = Store(tmp_path, "before", {}), Store(tmp_path, "k", {})
    stores[1].add({0: {"a": 1.0}})
    for store in stores:
        with pytest.raises(KeyboardInterrupt), store.locked():
            raise KeyboardInterrupt
        assert Store(tmp_path, store.key, {}).place.read("about.json") is not None
    assert stores[1].read() == {0: {"a": 1.0}}


@pytest.mark.slow
def test_a_file_size_limit_ends_a_study_with_one_line_and_leaves_a_store_that_goes_on(tmp_path):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    whole = subprocess.run([*RUN, "--draws", "9", "--no-store", "--json"], capture_output=True, text=True, check=True)
    arguments = [*RUN, "--draws", "9", "--store", str(tmp_path), "--json"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    cut = subprocess.run(arguments, capture_output=True, text=True, preexec_fn=limited, env=environment, check=False)
    assert cut.returncode == 2, cut.stderr
    assert len(cut.stderr.splitlines()) == 1
    assert "cannot be written: File too large; free some space" in cut.stderr
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout == whole.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="--store.*name a folder that can be written"):
        Store(tmp_path / "s", "k", {})


def test_a_read_only_disk_is_one_line(tmp_path, monkeypatch):
    def refused(*_args, **_how):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(places.Path, "mkdir", refused)
    with pytest.raises(InputError, match="--store.*Read-only file system; name a folder that can be written"):
        Store(tmp_path / "s", "k", {})


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    moments = iter([1e9, -5.0, 4e9] * 1000)
    monkeypatch.setattr(time, "time", lambda: next(moments))
    store = Store(tmp_path, "k", {})
    store.add({0: {"a": 1.0}})
    for path, moment in zip(sorted(store.folder.iterdir()), (4e9, 0.0), strict=False):
        os.utime(path, (moment, moment))
    store.add({1: None})
    with Store(tmp_path, "k", {}).locked():
        assert Store(tmp_path, "k", {}).read() == {0: {"a": 1.0}, 1: None}


_WRITER = """
import sys
from jevons.study.draws.store import Store
from jevons.errors import InputError
store = Store(sys.argv[1], "k", {})
try:
    with store.locked():
        print("in", flush=True)
        first = max(store.read(), default=-1) + 1
        for index in range(first, first + 20):
            store.add({index: {"by": sys.argv[2]}})
        sys.stdin.readline()
except InputError as error:
    print(error, flush=True)
    sys.exit(2)
"""


@pytest.mark.slow
def test_of_two_writers_one_waits_outside_and_nothing_is_lost(tmp_path):
    def writer(name):
        return subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    first = writer("first")
    assert first.stdout.readline() == "in\n"
    second = writer("second")
    said, _ = second.communicate(timeout=60)
    assert (second.returncode, len(said.splitlines())) == (2, 1)
    assert "another run is filling this store; wait for it or use another --store" in said
    first.communicate("\n", timeout=60)
    third = writer("third")
    third.communicate("\n", timeout=60)
    records = Store(tmp_path, "k", {}).read()
    assert [record["by"] for record in records.values()] == ["first"] * 20 + ["third"] * 20


class TestBucket:
    @pytest.fixture
    def address(self, monkeypatch):
        fsspec = pytest.importorskip("fsspec", reason="pip install 'jevons[ray]'")
        monkeypatch.setattr(places, "_RENEWED_S", 0.05)
        monkeypatch.setattr(places, "_STALE_S", 0.3)
        fsspec.filesystem("memory").store.clear()
        return "memory://bucket/studies"

    def test_keeps_what_a_folder_keeps(self, address):
        store = Store(address, "k", {"total": 3})
        with store.locked():
            store.add({0: {"a": 0.1}, 2: None})
            store.add({1: {"a": 0.2}})
        again = Store(address, "k", {"total": 3})
        assert again.read() == {0: {"a": 0.1}, 1: {"a": 0.2}, 2: None}
        assert not again.place.busy()

    def test_sets_damage_aside(self, address):
        store = Store(address, "k", {})
        store.place.put("segment-00000000-00000000.jsonl", b"rubbish")
        assert store.read() == {}
        assert "segment-00000000-00000000.damaged" in store.place.sizes()

    def test_keeps_a_second_run_out_and_takes_a_dead_ones_lock_over(self, address):
        store = Store(address, "k", {})
        with (
            store.locked(),
            pytest.raises(InputError, match="another run is filling"),
            Store(address, "k", {}).locked(),
        ):
            pass
        store.place.put("lock", b"dead 3\n")
        with store.locked():
            store.add({0: None})
        assert "lock" not in store.place.sizes()

    def test_is_data_and_can_be_pruned(self, address):
        import jevons

        Store(address, "aaaa", {"total": 1}).add({0: None})
        assert jevons.study.open(address).to_json()["studies"][0]["state"] == "complete"
        jevons.study.prune(address, everything=True)
        assert jevons.study.open(address).studies == ()

    @pytest.mark.parametrize("address", ["nope://x/y", "memory://x/y"])
    def test_that_fails_is_one_line(self, address, monkeypatch):
        fsspec = pytest.importorskip("fsspec")

        def down(*_args, **_how):
            message = "connection lost\nand more"
            raise ConnectionError(message)

        monkeypatch.setattr(type(fsspec.filesystem("memory")), "pipe_file", down)
        with pytest.raises(InputError, match=f"--store {address}") as caught:
            Store(address, "k", {})
        assert len(str(caught.value).splitlines()) == 1


def fragile(marker, item):
    """End the process the first time that an item is run, or each time."""
    if item == 3 and not (marker / "ended").exists():
        (marker / "ended").write_text("")
        os._exit(1)
    if item == "always":
        os._exit(1)
    with (marker / "log").open("a") as log:
        log.write(f"{item}\n")
    return item if item == "always" else item * 10


def test_a_lost_worker_is_replaced_and_finished_items_do_not_run_again(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "fragile_work.py").write_text("import os\n" + __import__("inspect").getsource(fragile))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    import fragile_work

    results = dict(Executor(processes=2).run(fragile_work.fragile, tmp_path, list(range(8))))
    assert results == {place: place * 10 for place in range(8)}
    monkeypatch.setattr(processes, "MOST_LOSSES", 2)
    with pytest.raises(InputError, match="--processes 2: worker processes ended 2 times while item 2 ran"):
        list(Executor(processes=2).run(fragile_work.fragile, tmp_path, [1, "always"]))
