"""What is shipped: wheel and sdist in a clean environment, the same bytes each time, and no network at run time."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_BYTES = 10_000_000

_CUT = """
import socket, sys
def refused(*_args, **_how):
    raise AssertionError("the network was asked for")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refused
sys.argv = ["jevons", *sys.argv[1:]]
from jevons.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["cost", "--gpu", "h20"],
        ["facts", "search", "h20"],
        ["size", "--model", "llama-3.1-8b", "--gpu", "h100_sxm", "--rate", "2", "--ttft", "2", "--static"],
        ["study", "montecarlo", "tests/unit/study/tiny.yaml", "--draws", "2", "--processes", "1", "--no-store"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_asks_for_the_network(words):
    done = subprocess.run([sys.executable, "-c", _CUT, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def built(folder):
    """Return the wheel and the sdist, built from a copy of what git tracks."""
    source = folder / "source"
    source.mkdir(parents=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if name.startswith(("src/", "README", "LICENSE", "pyproject")) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    make = "from setuptools import build_meta as b; import sys; to = sys.argv[1]; b.build_sdist(to); b.build_wheel(to)"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "PYTHONWARNINGS": "ignore"}
    subprocess.run(
        [sys.executable, "-c", make, str(folder)], cwd=source, env=environment, check=True, capture_output=True
    )  # fmt: skip
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.mark.slow
def test_a_wheel_is_small_whole_the_same_each_time_and_runs_in_a_clean_environment(tmp_path):
    pytest.importorskip("setuptools", minversion="77", reason="setuptools 77 builds the wheel")
    wheel, sdist = built(tmp_path / "one")
    again, _ = built(tmp_path / "two")
    assert wheel.read_bytes() == again.read_bytes()
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
    zipfile.ZipFile(wheel).extractall(site)
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
