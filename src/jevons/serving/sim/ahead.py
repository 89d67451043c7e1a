"""Compiles a kernel in a process of its own while something else is worked out: a first use takes the longer of both.

Loading a kernel that another process has kept takes a tenth of a second, compiling it seven of a processor.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from typing import Any

_CODE = "from jevons.serving.sim.replica.run import compile_kernels; compile_kernels(closed={closed})"
_CHILDREN: dict[bool, subprocess.Popen[bytes]] = {}


def begin(*, closed: bool = False) -> None:
    """Let another process compile the kernel of one kind of load where none is kept, and a processor is free."""
    from jevons.serving.sim._kernels import drive  # loads Numba, which static answers do without

    kernel = drive.run_closed if closed else drive.run_open
    if closed in _CHILDREN or not sys.executable or (os.cpu_count() or 1) < 2 or _is_at_hand(kernel):
        return
    paths = os.pathsep.join(path for path in sys.path if path)
    try:
        child = subprocess.Popen(  # noqa: S603 - this Python, and code of ours
            [sys.executable, "-c", _CODE.format(closed=closed)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths}, start_new_session=True,
        )  # fmt: skip
    except OSError:
        return
    _CHILDREN[closed] = child
    atexit.register(_end, child)


def finish(*, closed: bool = False) -> None:
    """Wait for the process that compiles that kernel, if there is one."""
    if closed in _CHILDREN:
        _CHILDREN[closed].wait()


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    child.wait()


def _is_at_hand(kernel: Any) -> bool:
    """Return whether a kernel is compiled or kept, or cannot be kept, so that another process would be of no use."""
    if getattr(kernel, "overloads", True):  # a plain function under NUMBA_DISABLE_JIT=1
        return True
    try:
        return bool(kernel._cache._cache_file._load_index())  # noqa: SLF001 - numba has no other way to ask
    except Exception:
        return True
