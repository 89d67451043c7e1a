"""Worker processes: one kept for quick answers, the others for runs; a dead one is replaced, a stale one is ended.

Everything here runs on the service's event loop; a thread for each worker only carries its messages over.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jevons.web import work

QUICK, RUNS = "quick", "runs"
KILL_AFTER_S = 1.0
"""Time that a cancelled run has to end by itself."""
MAX_WAITING = 32
_TRIES = 2
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
"""Wait after a worker that ended before it was ready, doubled with each that does; at most."""

Listener = Callable[[str, bytes], None]


class BusyError(Exception):
    """Too many jobs wait."""


@dataclass(eq=False, slots=True, kw_only=True)
class Job:
    """One piece of work, and who hears of it.

    Parameters
    ----------
    content : mapping
        What `jevons.web.work.serve` gets.
    lane : str
        Kind of worker that may take it.
    listener : callable
        Called with the kind of a message and its content: ``progress``, ``partial``, ``result``,
        ``error``, ``cancelled``, ``died``.
    limit_s : float
        Time after which it is ended.
    patience_s : float
        Time that it has to end by itself once cancelled; long where its worker holds what took long to make.
    """

    content: Mapping[str, Any]
    lane: str
    listener: Listener
    limit_s: float
    patience_s: float = KILL_AFTER_S
    tries: int = 0
    done: bool = False
    timer: asyncio.TimerHandle | None = None
    late: bool = False


@dataclass(eq=False, slots=True, kw_only=True)
class Worker:
    """A process and its pipe."""

    lane: str
    process: Any
    pipe: Any
    flag: Any
    job: Job | None = None
    ready: bool = False
    thread: threading.Thread | None = None


@dataclass(eq=False, kw_only=True)
class Pool:
    """The workers of a service.

    Parameters
    ----------
    folder : str
        Folder of uploaded traces.
    runners : int
        Workers for runs.
    """

    folder: str
    runners: int = 1
    workers: list[Worker] = field(default_factory=list)
    waiting: dict[str, deque[Job]] = field(default_factory=lambda: {QUICK: deque(), RUNS: deque()})
    deaths: int = 0
    failed_starts: dict[str, int] = field(default_factory=lambda: {QUICK: 0, RUNS: 0})
    closed: bool = False
    _loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the workers; they get warm in the background."""
        self._loop = asyncio.get_running_loop()
        for lane in (QUICK, *[RUNS] * self.runners):
            self._spawn(lane)

    def _spawn(self, lane: str) -> None:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        flag = context.Event()
        process = context.Process(
            target=work.serve, args=(there, flag, self.folder, lane), daemon=True, name=f"jevons-{lane}"
        )
        process.start()
        there.close()
        worker = Worker(lane=lane, process=process, pipe=here, flag=flag)
        worker.thread = threading.Thread(target=self._listen, args=(worker,), daemon=True)
        worker.thread.start()
        self.workers.append(worker)

    def _listen(self, worker: Worker) -> None:
        """Carry a worker's messages to the loop until its pipe closes."""
        loop = self._loop
        while loop is not None:
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                message = None
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._heard, worker, message)
            if message is None:
                return

    def _heard(self, worker: Worker, message: tuple[str, str, bytes] | None) -> None:
        if message is None:
            self._died(worker)
            return
        identity, kind, content = message
        if kind == "ready":
            worker.ready = True
            self.failed_starts[worker.lane] = 0
        elif worker.job is not None and worker.job.content["id"] == identity:
            job = worker.job
            if kind in {"result", "error", "cancelled"}:
                self._end(worker)
                job.done = True
            job.listener(kind, content)
        self._feed()

    def _end(self, worker: Worker) -> None:
        job, worker.job = worker.job, None
        worker.flag.clear()
        if job is not None and job.timer is not None:
            job.timer.cancel()

    def _died(self, worker: Worker) -> None:
        if worker not in self.workers:
            return
        job = worker.job
        wanted = job is not None and not worker.flag.is_set()
        self._end(worker)
        self.workers.remove(worker)
        worker.pipe.close()
        if self.closed:
            return
        self.deaths += 1
        self._replace(worker)
        if job is not None:
            if wanted and job.tries < _TRIES:
                job.listener("restarted", b"")
                self.waiting[job.lane].appendleft(job)
            else:
                job.done = True
                job.listener("late" if job.late else "died" if wanted else "cancelled", b"")
        self._feed()

    def _replace(self, worker: Worker) -> None:
        """Start another worker; where none gets ready, after a pause, and whoever waits is told."""
        if worker.ready:
            self._spawn(worker.lane)
            return
        pause_s = min(_PAUSE_S * 2 ** min(self.failed_starts[worker.lane], 8), _LONGEST_PAUSE_S)
        self.failed_starts[worker.lane] += 1
        if self._loop is not None:
            self._loop.call_later(pause_s, self._start_again, worker.lane)
        waiting = self.waiting[worker.lane]
        while waiting and self.failed_starts[worker.lane] > _TRIES:
            job = waiting.popleft()
            job.done = True
            job.listener("died", b"")

    def _start_again(self, lane: str) -> None:
        if not self.closed:
            self._spawn(lane)
            self._feed()

    def _feed(self) -> None:
        """Give waiting jobs to free workers that are ready; a job's time does not count that of getting ready."""
        for worker in self.workers:
            queue = self.waiting[worker.lane]
            if worker.ready and worker.job is None and queue and not self.closed:
                job = queue.popleft()
                worker.job = job
                job.tries += 1
                worker.flag.clear()
                if self._loop is not None:
                    job.timer = self._loop.call_later(job.limit_s, self._too_long, worker, job)
                try:
                    worker.pipe.send(dict(job.content))
                except (OSError, ValueError):
                    continue  # its listener tells of the death

    def _too_long(self, worker: Worker, job: Job) -> None:
        if worker.job is job:
            job.late = True
            job.tries = _TRIES
            worker.flag.set()
            worker.process.kill()

    def submit(self, job: Job) -> None:
        """Take a job.

        Raises
        ------
        BusyError
            If too many wait.
        """
        if len(self.waiting[job.lane]) >= MAX_WAITING:
            raise BusyError
        self.waiting[job.lane].append(job)
        self._feed()

    def cancel(self, job: Job) -> None:
        """End a job: at once where it waits, else when it next tells its progress, or by force a second later."""
        if job.done:
            return
        queue = self.waiting[job.lane]
        if job in queue:
            queue.remove(job)
            job.done = True
            job.listener("cancelled", b"")
            return
        for worker in self.workers:
            if worker.job is job:
                worker.flag.set()
                if self._loop is not None:
                    self._loop.call_later(job.patience_s, self._kill, worker, job)

    def _kill(self, worker: Worker, job: Job) -> None:
        if worker.job is job:
            worker.process.kill()

    def state(self) -> dict[str, Any]:
        """Return what the workers do."""
        return {
            "workers": [{"lane": w.lane, "ready": w.ready, "busy": w.job is not None} for w in self.workers],
            "waiting": sum(map(len, self.waiting.values())),
            "restarted": self.deaths,
        }

    def close(self) -> None:
        """End all workers."""
        self.closed = True
        for worker in self.workers:
            with contextlib.suppress(OSError, ValueError):
                worker.process.kill()
        for worker in self.workers:
            with contextlib.suppress(OSError, ValueError, AssertionError):
                worker.process.join(2)
