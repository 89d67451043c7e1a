"""Compiled functions that are kept on disk where they can be, and in memory alone where they cannot."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jevons.serving.kernel_parts import kernel


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function for numba and keeps the machine code for the next process.

    Numba keeps it by the function's own file: what it calls may lie in others, so a change in any file of its folder
    compiles it anew. Where nothing can be kept (a read-only install of a user without a home, a full disk, a damaged
    file), the function is compiled in each process, and standard error says so once.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            dispatcher = kernel(cache=True, **options)(function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            _say_once("no folder for them can be written")
            return kernel(**options)(function)
        cache = getattr(dispatcher, "_cache", None)  # NUMBA_DISABLE_JIT=1 leaves the function as it is
        if cache is not None:
            cache._cache_file._source_stamp = _digest_of(Path(function.__code__.co_filename).parent)  # noqa: SLF001
            _forgive(cache)
        return dispatcher

    return decorate


@functools.cache
def _digest_of(folder: Path) -> str:
    """Return a digest of a folder's source."""
    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _forgive(cache: Any) -> None:
    """Let a cache that cannot be read or written be none."""
    load, save = cache.load_overload, cache.save_overload

    def load_overload(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except Exception as error:
            _say_once(f"their file is damaged ({type(error).__name__})")
            return None

    def save_overload(*arguments: Any) -> None:
        try:
            save(*arguments)
        except Exception as error:
            _say_once(getattr(error, "strerror", None) or type(error).__name__)

    cache.load_overload, cache.save_overload = load_overload, save_overload


def _say_once(reason: str) -> None:
    if _SAID:
        return
    _SAID.append(reason)
    sys.stderr.write(
        f"compiled functions are kept in memory alone: {reason}. Each run takes seconds longer to start; set "
        "NUMBA_CACHE_DIR to a folder that can be written\n"
    )


_SAID: list[str] = []
