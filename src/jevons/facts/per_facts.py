"""What is worked out once from facts, and anew where figures of one's own stand for some of them."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from jevons.facts.types import Facts

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """Facts of which some are one's own, and what functions returned under them."""

    facts: Facts
    answers: dict[Callable[..., Any], Callable[..., Any]] = field(default_factory=dict)


IN_FORCE: contextvars.ContextVar[OwnFigures | None] = contextvars.ContextVar("own figures", default=None)


def per_facts(maxsize: int | None = None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that keeps what a function returns, for the shipped facts and for one's own apart.

    Whatever reads `default_facts`, by itself or by what it calls, is kept by this and not by `functools.cache`: that
    would give an answer under one's own figures to whoever asks next under the shipped ones.

    Parameters
    ----------
    maxsize : int, optional
        How many answers are kept of each; all by default.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        keep: Callable[[Callable[P, T]], Callable[P, T]] = functools.lru_cache(maxsize)  # type: ignore[assignment]
        shipped = keep(function)

        @functools.wraps(function)
        def answer(*args: P.args, **kwargs: P.kwargs) -> T:
            own = IN_FORCE.get()
            if own is None:
                return shipped(*args, **kwargs)
            if function not in own.answers:
                own.answers[function] = keep(function)
            kept: Callable[P, T] = own.answers[function]
            return kept(*args, **kwargs)

        return answer

    return decorate
