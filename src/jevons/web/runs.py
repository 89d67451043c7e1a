"""Runs by the hash of their question: started once, heard by many, finished ones kept."""

from __future__ import annotations

import asyncio
import json
import math
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from jevons.web.inputs import Asked, versions
from jevons.web.pool import KILL_AFTER_S, QUICK, RUNS, BusyError, Job, Pool
from jevons.web.problems import plain_problem

MAX_RUNS, MAX_BYTES = 400, 256_000_000
"""Finished runs that are kept, and their size together [bytes]."""
_LIMIT_S, _PLAN_LIMIT_S = 240.0, 900.0
_QUICK_LIMIT_S = 30.0
_DRAWN_LIMIT_S, _DRAWN_PATIENCE_S = 180.0, 60.0
"""Draws take a moment, and their worker keeps the solved plan that they start from."""
_ENDS = {"result", "error", "cancelled"}


@dataclass(eq=False, slots=True, kw_only=True)
class Run:
    """A question on its way to an answer."""

    asked: Asked
    state: str = "waiting"
    events: list[tuple[str, bytes]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    payload: bytes = b""
    job: Job | None = None
    tabs: set[str] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in {"done", "failed", "cancelled"}

    def tell(self, kind: str, content: bytes) -> None:
        """Add an event and wake those who listen."""
        self.events.append((kind, content))
        news, self.news = self.news, asyncio.Event()
        news.set()

    def document(self) -> dict[str, Any]:
        """Return what the worker sent."""
        parsed: dict[str, Any] = json.loads(self.payload)
        return parsed

    def meta(self) -> dict[str, Any]:
        """Return what identifies the run."""
        seed = self.asked.input.get("seed", 0)
        return {
            "id": self.asked.id, "kind": self.asked.kind, "input": dict(self.asked.input), "state": self.state,
            "versions": versions(), "seed": seed,
        }  # fmt: skip


def _limit_s(asked: Asked) -> float:
    """Return how long a question may take [s]."""
    if asked.drawn:
        return _DRAWN_LIMIT_S
    if asked.kind == "plan":
        return _PLAN_LIMIT_S
    return _QUICK_LIMIT_S if asked.quick else _LIMIT_S


class Store:
    """All runs of a service; a question that was asked before is not asked again."""

    def __init__(self, pool: Pool, longest_s: float = math.inf) -> None:
        self.pool = pool
        self.longest_s = longest_s
        self.runs: OrderedDict[str, Run] = OrderedDict()

    def get(self, identity: str) -> Run | None:
        """Return a run by its id."""
        run = self.runs.get(identity)
        if run is not None:
            self.runs.move_to_end(identity)
        return run

    def start(self, asked: Asked, tab: str = "") -> tuple[Run, bool]:
        """Return the run of a question, and whether it was started now; older unfinished ones of the tab are ended.

        Raises
        ------
        BusyError
            If too many runs wait.
        """
        run = self.get(asked.id)
        if tab:
            self._supersede(tab, asked)
        if run is not None and run.state not in {"failed", "cancelled"} and not (run.job and run.job.late):
            if tab:
                run.tabs.add(tab)
            return run, False
        run = Run(asked=asked, tabs={tab} if tab else set())
        task = "compare" if asked.kind == "compare" else "run"
        lane = QUICK if asked.quick else RUNS
        job = Job(
            content={
                "id": f"{asked.id}-{id(run):x}", "task": task, "kind": asked.kind, "input": dict(asked.input),
                "key": asked.id,
            },
            lane=lane, listener=lambda kind, content: self._heard(run, kind, content),
            limit_s=min(_limit_s(asked), self.longest_s),
            patience_s=_DRAWN_PATIENCE_S if asked.drawn else KILL_AFTER_S,
        )  # fmt: skip
        run.job = job
        self.pool.submit(job)
        self.runs[asked.id] = run
        self._forget()
        return run, True

    def _supersede(self, tab: str, asked: Asked) -> None:
        """End what a tab asked before, of the same kind and lane, and nobody else waits for: the newest wins."""
        for other in list(self.runs.values()):
            if other.ended or tab not in other.tabs or other.asked.id == asked.id:
                continue
            if other.asked.kind == asked.kind and other.asked.quick == asked.quick:
                self.leave(other, tab)

    def leave(self, run: Run, tab: str) -> None:
        """Take a tab from those that wait for a run; without any the run is ended."""
        if tab in run.tabs:
            run.tabs.discard(tab)
            if not run.tabs:
                self.cancel(run)

    def cancel(self, run: Run) -> None:
        """End a run."""
        if not run.ended and run.job is not None:
            run.state = "cancelling"
            self.pool.cancel(run.job)

    def _heard(self, run: Run, kind: str, content: bytes) -> None:
        if run.ended:
            return
        if kind == "result":
            run.payload, run.state = content, "done"
        elif kind == "error":
            run.payload, run.state = content, "failed"
        elif kind == "cancelled":
            run.state = "cancelled"
            content = b"{}"
        elif kind == "restarted":
            kind, content = "progress", b'{"stage":"a worker died; the run starts again","done":null,"of":null}'
        elif kind in {"died", "late"}:
            run.state = "failed"
            limit = run.job.limit_s if run.job else 0
            message = (
                f"the run took longer than {limit:.0f} s and was ended; ask for less: fewer requests, runs or devices"
                if kind == "late"
                else "the worker died twice on this run and was replaced; finished runs are kept. Ask for less"
            )
            content = json.dumps(plain_problem(1, message)).encode()
            run.payload, kind = content, "error"
        if run.state == "waiting":
            run.state = "running"
        run.tell(kind, content if kind != "result" else b"{}")

    def _forget(self) -> None:
        """Drop the oldest finished runs beyond what is kept."""
        size = sum(len(run.payload) for run in self.runs.values())
        for identity, run in list(self.runs.items()):
            if len(self.runs) <= MAX_RUNS and size <= MAX_BYTES:
                return
            if run.ended:
                size -= len(run.payload)
                del self.runs[identity]

    async def finished(self, run: Run) -> Run:
        """Return a run when it has ended."""
        while not run.ended:
            await run.news.wait()
        return run

    async def events(self, run: Run, *, after: int = -1, beat_s: float = 10.0) -> AsyncIterator[str]:
        """Yield the events of a run as server-sent events, those that were first; a comment keeps a quiet line open."""
        place = after + 1
        while True:
            news = run.news
            while place < len(run.events):
                kind, content = run.events[place]
                yield f"id: {place}\nevent: {kind}\ndata: {content.decode()}\n\n"
                place += 1
                if kind in _ENDS:
                    return
            if run.ended:
                return
            try:
                await asyncio.wait_for(news.wait(), beat_s)
            except TimeoutError:
                yield ": still at it\n\n"


__all__ = ["BusyError", "Run", "Store"]
