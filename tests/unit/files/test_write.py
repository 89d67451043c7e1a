"""The one writer: whole or not at all, nothing destroyed, nothing left behind."""

import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time

import polars as pl
import pytest

from jevons.errors import InputError
from jevons.files import frame_csv, safe_cell, writing


def put(path, text="{}", **options):
    with writing(path, **options) as stream:
        stream.write(text)


def test_a_new_file_has_the_permissions_that_the_mask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        put(tmp_path / "out.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o640


def test_an_existing_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("{}")
    path.chmod(0o600)
    put(path, '{"new": 1}')
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ('{"new": 1}', 0o600)


def test_a_link_stays_and_the_file_that_it_names_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "real.json"
    target.write_text("{}")
    (tmp_path / "link.json").symlink_to(target)
    put(tmp_path / "link.json", "{1}")
    assert (tmp_path / "link.json").is_symlink()
    assert target.read_text() == "{1}"


def node(path, kind):
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/null")
    elif kind == "dangling":
        path.symlink_to(path.parent / "nowhere")
    elif kind == "loop":
        path.symlink_to(path)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("FIFO", "is a FIFO, not a file"), ("socket", "is a socket, not a file"), ("folder", "is a folder, not a file"),
        ("device", "is a device, not a file"), ("dangling", "is a link to a file that does not exist"),
        ("loop", "Too many levels of symbolic links"),
    ],
)  # fmt: skip
def test_what_is_no_regular_file_is_refused_even_by_force(tmp_path, monkeypatch, kind, message, force):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "out.json"
    node(path, kind)
    before = path.lstat()
    with pytest.raises(InputError, match=message):
        put(path, force=force)
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)


OURS = {
    "a.json": b'{"a": 1}', "b.csv": b"a,b\n1,2\n", "c.svg": b"<svg xmlns='x'/>", "d.png": b"\x89PNG\r\n\x1a\n",
    "e.html": b"<!doctype html>", "f.nc": b"\x89HDF\r\n", "g.parquet": b"PAR1", "h.xlsx": b"PK\x03\x04", "i.json": b"",
}  # fmt: skip
OTHERS = {
    "a.json": b"my notes", "b.csv": b"<html>", "c.svg": b"notes", "d.png": b"notes", "e.html": b"notes",
    "f.nc": b"notes", "g.parquet": b"notes", "h.xlsx": b"notes", "victim.md": b"# notes", "i": b"x", "j.csv": b"PK\0",
    "k.py": b"print()",
}  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_a_file_of_the_kind_that_is_written_is_replaced(tmp_path, name):
    (tmp_path / name).write_bytes(OURS[name])
    new = {"a.json": '{"a": 2}', "b.csv": "b,c\n3,4\n"}.get(name, "new")
    put(tmp_path / name, new)
    assert (tmp_path / name).read_text() == new


@pytest.mark.parametrize(
    ("name", "own", "new", "message"),
    [
        ("a.csv", "day,price\n1,2\n", "ttft_s,tpot_s\n1,2\n", "holds columns day, price, which are not those"),
        ("a.csv", "\ufeffa,b,c,d,e\n", "a,x,y,z,w\n", "holds columns a, b, c and 2 more"),
        ("a.csv", "a,b,c,value,unit\n", "quantity,value,unit\n", "holds columns a, b, c and 2 more"),
        ("a.csv", "day,price\n1,2\n", "\n", "holds columns day, price"),
        ("a.csv", "1,2\n3,4\n", "ttft_s\n1\n", "holds columns 1, 2"),
        ("a.json", '{"name": "my-page", "scripts": {}}', '{"requests": 1}', "holds entries name, scripts"),
        ("a.json", "[1, 2]", '{"requests": 1}', "holds other content"),
        ("a.json", '{"broken": ', '{"requests": 1}', "holds other content"),
    ],
)
def test_a_file_with_other_columns_or_entries_is_replaced_by_force_alone(tmp_path, name, own, new, message):
    (tmp_path / name).write_text(own)
    with pytest.raises(InputError, match=f"{message}.*give --force"):
        put(tmp_path / name, new)
    assert (tmp_path / name).read_text() == own
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    put(tmp_path / name, new, force=True)
    assert (tmp_path / name).read_text() == new


@pytest.mark.parametrize("name", OTHERS)
def test_another_file_is_replaced_by_force_alone(tmp_path, name):
    (tmp_path / name).write_bytes(OTHERS[name])
    with pytest.raises(InputError, match="give --force"):
        put(tmp_path / name, "new")
    assert (tmp_path / name).read_bytes() == OTHERS[name]
    put(tmp_path / name, "new", force=True)
    assert (tmp_path / name).read_text() == "new"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 251 + ".json", "has 256 bytes, and file systems take 255 at most"),
        ("中" * 90 + ".json", "has 275 bytes"), ("a\0b.json", "NUL character"), ("no/out.json", "does not exist"),
        ("file.json/out.json", "Not a directory|does not exist"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused_in_a_line(tmp_path, name, message):
    (tmp_path / "file.json").write_text("{}")
    with pytest.raises(InputError, match=message) as caught:
        put(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


def test_the_longest_name_that_the_file_system_takes_is_written(tmp_path):
    path = tmp_path / ("x" * 250 + ".json")
    put(path)
    put(path, '{"a": 2}')
    assert path.read_text() == '{"a": 2}'


def test_a_read_only_file_stays(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("{}")
    path.chmod(0o444)
    with pytest.raises(InputError, match="read-only"):
        put(path, force=True)


@pytest.mark.parametrize("unnamed", [True, False])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, unnamed):
    """Invariant 61: A file is written whole or not at all."""
    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "out.json"
    path.write_text("{}")
    with pytest.raises(RuntimeError), writing(path) as stream:
        stream.write("half")
        raise RuntimeError
    assert path.read_text() == "{}"
    put(path, "{2}")
    put(tmp_path / "new.json")
    assert path.read_text() == "{2}"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["new.json", "out.json"]


FULL = """
import resource, signal, sys
import polars as pl
from jevons.errors import InputError
from jevons.files import writing
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
what, path = sys.argv[1:]
try:
    with writing(path, "w" if what == "text" else "wb") as stream:
        if what == "text":
            stream.write("{" + "x" * 100_000)
        elif what == "parquet":
            import numpy as np
            pl.DataFrame({"a": np.random.default_rng(1).random(100_000)}).write_parquet(stream)
        else:
            from matplotlib.figure import Figure
            figure = Figure(); figure.subplots().plot([1, 5, 2]); figure.savefig(stream, format="png")
except InputError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize(("what", "ending"), [("text", "json"), ("parquet", "parquet"), ("picture", "png")])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, what, ending):
    done = subprocess.run(
        [sys.executable, "-c", FULL, what, str(tmp_path / f"out.{ending}")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written: File too large" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_nothing(tmp_path):
    code = "import sys, time\nfrom jevons.files import writing\n"
    code += "with writing(sys.argv[1]) as s:\n s.write('{'); s.flush(); print('in', flush=True); time.sleep(60)"
    path = tmp_path / "out.json"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(0.01)
    left = list(tmp_path.iterdir())
    assert left == [] or not hasattr(os, "O_TMPFILE")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"), ("@SUM(1)", "'@SUM(1)"),
        ("-2+3", "'-2+3"), ("\t=1", "'\t=1"), ("-1.5", "-1.5"), ("+3 %", "+3 %"), ("-1,234.5", "-1,234.5"),
        ("-1e-9", "-1e-9"), ("chat", "chat"), ("", ""), ("–", "–"),
    ],
)  # fmt: skip
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(cell, written):
    assert safe_cell(cell) == written
    assert frame_csv(pl.DataFrame({"a": [cell, None]})) == pl.DataFrame({"a": [written, None]}).write_csv()


def test_limits_of_this_process_are_as_before():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
