"""A kernel that is kept nowhere is compiled in another process while this one works, and loaded from what it kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import jevons
from jevons.serving.sim import ahead
from jevons.serving.sim._kernels import drive

CODE = """
from jevons.serving.sim import ahead
from jevons.serving.sim._kernels import drive
from jevons.serving.sim.replica.run import compile_kernels
ahead.begin()
begun = len(ahead._CHILDREN)
compile_kernels(closed=False)
print(begun, sum(drive.run_open.stats.cache_hits.values()), sum(drive.run_open.stats.cache_misses.values()))
"""


def ran(**environment):
    source = str(Path(jevons.__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": source, **environment}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=env)
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor: nothing is done ahead")
def test_the_first_process_loads_what_its_child_compiled_and_the_next_needs_none(tmp_path):
    assert ran(NUMBA_CACHE_DIR=str(tmp_path)) == ["1", "1", "0"]
    assert ran(NUMBA_CACHE_DIR=str(tmp_path)) == ["0", "1", "0"]


class Kernel:
    overloads = ()


def test_nothing_is_begun_for_a_kernel_that_cannot_be_kept(monkeypatch):
    monkeypatch.setattr(drive, "run_open", Kernel())
    monkeypatch.setattr(ahead, "_CHILDREN", {})
    ahead.begin()
    ahead.finish()
    assert not ahead._CHILDREN


def test_a_process_that_cannot_be_begun_is_no_error(monkeypatch):
    monkeypatch.setattr(ahead, "_is_at_hand", lambda kernel: False)
    monkeypatch.setattr(ahead, "_CHILDREN", {})
    monkeypatch.setattr(ahead.sys, "executable", "/nowhere/python")
    ahead.begin()
    assert not ahead._CHILDREN
