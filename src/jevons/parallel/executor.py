"""What runs the items of a study, a sweep or a search."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jevons.errors import InputError

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

_START_S = 4.0
"""About how long a new worker process takes to import what it needs [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Where items run.

    Parameters
    ----------
    kind : str
        ``local`` for processes of this machine, ``ray`` for a Ray cluster.
    address : str
        Address of the cluster: ``auto``, ``ray://HOST:PORT`` or ``HOST:PORT``; a cluster of this machine where empty.
    processes : int or None
        Worker processes; where None as many as there are cores, and none where the items take less than starting them.
    """

    kind: str = "local"
    address: str = ""
    processes: int | None = None

    @classmethod
    def chosen(cls, kind: str, address: str | None, processes: int | None) -> Executor:
        """Return the executor that options name.

        Raises
        ------
        InputError
            If an address is given that nothing reads, or Ray is not installed.
        """
        if address is not None and kind != "ray":
            message = f"--address {address}: has no effect without --executor ray; add it"
            raise InputError(message)
        if kind == "ray":
            from jevons.parallel.cluster import checked_address, library

            library()
            address = checked_address(address or "")
        return cls(kind=kind, address=address or "", processes=processes)

    def run(
        self, function: Callable[[S, T], R], shared: S, items: Sequence[T], *, each_s: float | None = None
    ) -> Iterator[tuple[int, R]]:
        """Yield place and result of each item as it is done, in any order.

        Parameters
        ----------
        function : callable
            Of what is shared and an item; it can be imported by name.
        shared : object
            What all items need; each worker gets it once.
        items : sequence
            What to run.
        each_s : float, optional
            About how long an item takes [s]. Few short ones run in this process; on a cluster they travel together.
        """
        if not items:
            return
        if self.kind == "ray":
            from jevons.parallel.cluster import on_cluster

            yield from on_cluster(
                function, shared, items, address=self.address, processes=self.processes, each_s=each_s
            )
            return
        workers = min(self.processes or os.cpu_count() or 1, len(items))
        if self.processes is None and each_s is not None:
            saved_s = len(items) * each_s * (1.0 - 1.0 / workers)
            workers = workers if saved_s > _START_S else 1
        if workers <= 1:
            for place, item in enumerate(items):
                yield place, function(shared, item)
            return
        from jevons.parallel.processes import in_processes

        yield from in_processes(function, shared, items, workers)

    def ordered(self, function: Callable[[S, T], R], shared: S, items: Sequence[T], **how: Any) -> Iterator[R]:
        """Yield the result of each item in their order; see `run`."""
        early: dict[int, R] = {}
        due = 0
        for place, result in self.run(function, shared, items, **how):
            early[place] = result
            while due in early:
                yield early.pop(due)
                due += 1


LOCAL = Executor(processes=1)
"""This process alone."""
