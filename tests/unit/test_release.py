"""What is shipped: wheel and sdist in a clean environment, the same bytes each time, and no network at run time."""

import io
import json
import os
import runpy
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_BYTES = 10_000_000
_TIMES = {"compile_s", "computed_s", "wall_s", "simulated_req_per_s"}
"""Keys of an answer that say how long its computation took."""

_CUT = """
import socket, sys
def refused(*_args, **_how):
    raise AssertionError("the network was asked for")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refused
sys.argv = ["jevons", *sys.argv[1:]]
from jevons.cli import main
main()
"""


def without_network():
    """Return what goes before a command so that it has no network at all; nothing where that is not allowed."""
    alone = ["unshare", "--map-root-user", "--net"]
    able = shutil.which(alone[0]) and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
    return alone if able else []


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["cost", "--gpu", "h20"],
        ["facts", "search", "h20"],
        ["op", "gemm", "4096", "4096", "4096", "--gpu", "h20"],
        ["size", "--model", "llama-3.1-8b", "--gpu", "h100_sxm", "--rate", "2", "--ttft", "2", "--static"],
        ["simulate", "--model", "llama-3.1-8b", "--rate", "2", "--requests", "100"],
        ["train", "--model", "llama-3.1-8b", "--gpus", "64"],
        ["plan", "tests/unit/study/tiny.yaml"],
        ["study", "montecarlo", "tests/unit/study/tiny.yaml", "--draws", "2", "--processes", "1", "--no-store"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_asks_for_the_network_and_without_it_answers_the_same(words):
    def answer(*before):
        done = subprocess.run([*before, *words, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-500:]
        return undated(json.loads(done.stdout))

    assert answer(*without_network(), sys.executable, "-c", _CUT) == answer(sys.executable, "-m", "jevons")


def undated(value):
    """Return an answer without the times that its computation took."""
    if isinstance(value, dict):
        return {name: undated(part) for name, part in value.items() if name not in _TIMES}
    return [undated(part) for part in value] if isinstance(value, list) else value


def built(folder):
    """Return the wheel and the sdist, built from what git tracks."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    build = [sys.executable, str(ROOT / "scripts" / "build_release.py"), str(folder)]
    subprocess.run(build, env=environment, check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def test_an_sdist_says_nothing_of_the_machine_that_packed_it():
    plain = runpy.run_path(str(ROOT / "scripts" / "build_release.py"))["plain"]

    def packed(order, moment, owner):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for name in order:
                member = tarfile.TarInfo(name)
                member.size, member.mtime, member.uname, member.mode = len(name), moment, owner, 0o600 + moment
                archive.addfile(member, io.BytesIO(name.encode()))
        return stream.getvalue()

    one, other = packed(("a", "b"), 1, "ann"), packed(("b", "a"), 2, "bob")
    assert one != other
    assert plain(one, 5) == plain(other, 5) != plain(one, 6)
    with tarfile.open(fileobj=io.BytesIO(plain(one, 5))) as archive:
        assert [(m.name, m.mtime, m.uname, oct(m.mode)) for m in archive] == [
            ("a", 5, "", "0o644"), ("b", 5, "", "0o644"),
        ]  # fmt: skip
        assert archive.extractfile("b").read() == b"b"


@pytest.mark.slow
def test_a_wheel_is_small_whole_the_same_each_time_and_runs_in_a_clean_environment(tmp_path):
    pytest.importorskip("setuptools", minversion="77", reason="setuptools 77 builds the wheel")
    wheel, sdist = built(tmp_path / "one")
    assert [path.read_bytes() for path in built(tmp_path / "two")] == [wheel.read_bytes(), sdist.read_bytes()]
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "src/jevons/py.typed"} <= packed
    assert max(wheel.stat().st_size, sdist.stat().st_size) <= MOST_BYTES
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {".yaml", ".json", ".html", ".css", ".csv", ".js", ".typed", ".txt"}
    wanted = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "jevons").rglob("*")
        if path.suffix in {".py", *data} and "__pycache__" not in path.parts
    } | {"jevons/py.typed"}
    assert sorted(wanted - names) == []
    assert not [name for name in names if not name.startswith(("jevons/", "jevons-"))]
    clean = tmp_path / "clean"
    venv.create(clean, with_pip=False, system_site_packages=False)
    site = next((clean / "lib").glob("python*")) / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)  # noqa: S202 - built just now
    (site / "others.pth").write_text(next(path for path in sys.path if path.endswith("site-packages")) + "\n")
    run = """
import sys, jevons
from importlib.metadata import entry_points
(one,) = [p for p in entry_points(group="console_scripts", name="jevons") if "clean" in str(p.dist._path)]
sys.argv = ["jevons", "cost", "--gpu", "h20", "--json"]
print(jevons.__file__, file=sys.stderr)
one.load()()
"""
    done = subprocess.run(
        [clean / "bin" / "python", "-c", run], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    assert str(clean) in done.stderr
