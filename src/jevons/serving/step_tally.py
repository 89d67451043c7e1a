"""The work of one engine step, and the times of its operators, by part and by bound."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from jevons.hardware import Accelerator
from jevons.operators import kernels as ops
from jevons.serving.types import FloatArray

IntArray = NDArray[np.int8]

_STARTED = {"compute", "moe", "attention", "memory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Work of one step: whole-instance counts, and those of the busiest attention rank."""

    prompts: FloatArray
    prompt_tokens: FloatArray
    cached: FloatArray
    decodes: FloatArray
    context: FloatArray
    expert_tokens: FloatArray
    query_tokens: float

    @property
    def tokens(self) -> FloatArray:
        """Tokens that the busiest rank's projections see."""
        return np.maximum(self.prompts * self.prompt_tokens + self.decodes * self.query_tokens, 1.0)

    def but_for_context(self) -> tuple[Load, NDArray[np.intp] | None]:
        """Return the load with one step for each run of steps that differ in their decodes' context alone.

        Only attention reads contexts. Which of them each step is comes with it; None where there is no such run.
        """
        names = ("prompts", "prompt_tokens", "cached", "decodes", "expert_tokens")
        if self.prompts.ndim != 1 or len(self.prompts) < 2:
            return self, None
        differs = np.any([np.diff(getattr(self, name)) != 0.0 for name in names], axis=0)
        if differs.all():
            return self, None
        first = np.append(True, differs)
        own = {name: getattr(self, name)[first] for name in (*names, "context")}
        return replace(self, **own), np.cumsum(first) - 1


@dataclass(slots=True, kw_only=True)
class Tally:
    """Time by part and by bound, collected over operators."""

    shape: tuple[int, ...]
    parts: dict[str, FloatArray] = field(default_factory=dict)
    floors: dict[str, FloatArray] = field(default_factory=dict)
    times: list[FloatArray] = field(default_factory=list)
    bounds: list[IntArray] = field(default_factory=list)

    def add(self, part: str, op: ops.OpTime, count: float = 1.0, where: FloatArray | None = None) -> None:
        """Add *count* calls of an operator, only *where* there is work for it."""
        time_s = np.broadcast_to(op.time_s, self.shape) * count
        start_s = np.minimum(np.broadcast_to(op.start_s, self.shape) * count, time_s)
        if where is not None:
            time_s, start_s = time_s * (where > 0), start_s * (where > 0)
        self._book(part, time_s, start_s)
        self.times.append(time_s)
        self.bounds.append(np.broadcast_to(op.bound, self.shape))

    def spread(self, which: NDArray[np.intp] | None) -> Tally:
        """Return the tally of more steps, each with the times of the one that *which* names, or itself."""
        if which is None:
            return self
        return Tally(
            shape=which.shape,
            parts={name: time_s[which] for name, time_s in self.parts.items()},
            floors={name: time_s[which] for name, time_s in self.floors.items()},
            times=[np.broadcast_to(time_s, self.shape)[which] for time_s in self.times],
            bounds=[np.broadcast_to(bound, self.shape)[which] for bound in self.bounds],
        )

    def add_floor(self, part: str, moved_bytes: FloatArray, device: Accelerator, count: float) -> None:
        """Add what *count* calls move through memory to the least time of a part."""
        least_s = np.broadcast_to(moved_bytes, self.shape) * (count / device.hbm_bytes_per_s)
        self.floors[part] = self.floors[part] + least_s if part in self.floors else least_s

    def _book(self, part: str, time_s: FloatArray, start_s: FloatArray) -> None:
        """Add a time to its part, what starts kernels apart from what works."""
        kind = part.split(".", maxsplit=1)[0]
        if kind in _STARTED:
            time_s = time_s - start_s
            self._add(f"{kind}.start", start_s)
        self._add(part, time_s)

    def _add(self, part: str, time_s: FloatArray) -> None:
        self.parts[part] = self.parts[part] + time_s if part in self.parts else time_s

    def add_stack(
        self,
        part: str,
        op: ops.OpTime,
        counts: FloatArray,
        beside: NDArray[np.bool_],
        streamed: FloatArray | None = None,
    ) -> None:
        """Add several operators evaluated at once, one per row; *streamed* of their work is booked apart.

        Those that run *beside* others start while the others work.
        """
        start_s = np.minimum(op.start_s, op.time_s) * counts[:, None]
        time_s = op.time_s * counts[:, None] - start_s * beside
        start_s = start_s * ~beside
        apart_s = (time_s - start_s) * (0.0 if streamed is None else streamed)
        self._book(part, (time_s - apart_s).sum(axis=0), start_s.sum(axis=0))
        if streamed is not None:
            self._add(f"{part}.streamed", apart_s.sum(axis=0))
        self.times.extend(time_s)
        self.bounds.extend(op.bound)

    def bound_frac(self) -> dict[str, FloatArray]:
        """Share of all operators' time that each limit sets."""
        times, bounds = np.stack(self.times), np.stack(self.bounds)
        total = times.sum(axis=0)
        return {name: (times * (bounds == index)).sum(axis=0) / total for index, name in enumerate(ops.BOUNDS)}
