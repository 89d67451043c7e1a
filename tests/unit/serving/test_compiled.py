"""Kernels run where nothing can be kept: without a home, on a full disk, beside damaged files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CODE = """
from jevons.serving.compiled import compiled
@compiled()
def twice(x):
    return 2 * x
@compiled()
def thrice(x):
    return twice(x) + x
print(thrice(7))
"""


def ran(folder, code=CODE, expected="21", **environment):
    script = folder / "script.py"
    script.write_text(code)
    source = str(Path(__file__).parents[3] / "src")
    env = {k: v for k, v in os.environ.items() if k not in {"HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"}}
    env |= {"PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"} | environment
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{expected}\n"
    return done.stderr


def test_without_a_folder_that_can_be_written_kernels_are_kept_in_memory_and_it_is_said_once(tmp_path):
    (tmp_path / "__pycache__").write_text("a file in the way, as a read-only folder is no bar to root")
    said = ran(tmp_path, HOME="/dev/null", XDG_CACHE_HOME="/dev/null", NUMBA_CACHE_DIR="/dev/null/x")
    assert said.count("kept in memory alone") == 1
    assert "NUMBA_CACHE_DIR" in said


@pytest.mark.parametrize("damage", [b"", b"\x80", b"garbage"])
def test_damaged_files_are_compiled_anew(tmp_path, damage):
    cache = tmp_path / "cache"
    assert ran(tmp_path, NUMBA_CACHE_DIR=str(cache)) == ""
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(damage)
    ran(tmp_path, NUMBA_CACHE_DIR=str(cache))


CALLED = """
from jevons.serving.kernel_parts import part
@part(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def twice(x):
    return {}
"""


def test_a_change_in_a_file_that_a_kernel_calls_compiles_it_anew(tmp_path):
    code = CODE[: CODE.index("@compiled()")] + "from called import twice\n" + CODE[CODE.rindex("@compiled()") :]
    for body, expected in (("2 * x", "21"), ("2 * x", "21"), ("9 + x", "23")):
        (tmp_path / "called.py").write_text(CALLED.format(body))
        assert ran(tmp_path, code, expected, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == ""
