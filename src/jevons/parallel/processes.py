"""Worker processes of this machine: one that is lost is replaced, and only what it was doing runs again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from jevons.errors import InputError

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

MOST_LOSSES = 5
"""How many times an item may take its worker with it before a run is ended."""

_state: tuple[Callable[[Any, Any], Any], Any] | None = None


def _start(function: Callable[[Any, Any], Any], shared: Any) -> None:
    """Start a worker process that ends with its parent, also where the parent is killed and can tell it nothing."""
    global _state  # noqa: PLW0603 - what a worker process keeps between items
    _state = (function, shared)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _one(item: Any) -> Any:
    if _state is None:
        message = "worker was not started"
        raise RuntimeError(message)
    function, shared = _state
    return function(shared, item)


def in_processes(
    function: Callable[[S, T], R], shared: S, items: Sequence[T], workers: int
) -> Iterator[tuple[int, R]]:  # fmt: skip
    """Yield place and result of each item as it is done.

    Workers end at once where the caller is interrupted or wants no more.

    Raises
    ------
    InputError
        If workers end again and again on one item.
    """
    context = multiprocessing.get_context("spawn")
    waiting, losses = deque(range(len(items))), [0] * len(items)
    while waiting:
        running: dict[Future[R], int] = {}
        pool = ProcessPoolExecutor(min(workers, len(waiting)), context, _start, (function, shared))
        try:
            while waiting or running:
                while waiting and len(running) < 3 * workers:
                    with _main_unseen(), _uninterrupted():  # workers start as work is handed out
                        running[pool.submit(_one, items[waiting[0]])] = waiting[0]
                    waiting.popleft()
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    result = done.result()
                    yield running.pop(done), result
        except BrokenProcessPool:
            again = sorted(place for future, place in running.items() if not _finished(future))
            for future, place in running.items():
                if place not in again:
                    yield place, future.result()
            for place in again:
                losses[place] += 1
            _check_losses(losses, workers)
            waiting.extendleft(reversed(again))
        except (KeyboardInterrupt, GeneratorExit):
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - what they do is no longer wanted
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _finished(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _check_losses(losses: Sequence[int], workers: int) -> None:
    if max(losses) >= MOST_LOSSES:
        place = list(losses).index(max(losses))
        message = (
            f"--processes {workers}: worker processes ended {MOST_LOSSES} times while item {place + 1} ran (out of "
            "memory?); use fewer processes"
        )
        raise InputError(message)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let new processes take no interruption from the keyboard, which reaches all of a group: their parent ends them.

    A process inherits which signals are blocked, so that none comes between its start and its first line. The parent
    takes what came meanwhile as soon as it goes on.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_unseen() -> Iterator[None]:
    """Keep new processes from running the caller's script again, which they do where it has no guard.

    What they need is importable by name; a script that calls this at its top level would start processes without end.
    """
    main = sys.modules["__main__"]
    spec, path = main.__spec__, main.__dict__.pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        if path is not None:
            main.__file__ = path
