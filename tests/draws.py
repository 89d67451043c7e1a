"""How many cases a test tries: all of them, or a sixth where the quick tests alone run."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

_PART = 6
_LEAST = 3

quick = False
"""Whether slow tests are left out; `conftest` says so before any test is read."""


def draws(count: int) -> int:
    """Return how many of *count* random cases this run draws."""
    return max(count // _PART, min(count, _LEAST)) if quick else count


def some(cases: Iterable[T]) -> list[T]:
    """Return the cases that this run tries: every sixth of a long list in the quick tests."""
    return list(cases)[:: _PART if quick else 1]
