"""How many random cases a property test draws: all of them, or a quarter where the quick tests alone run."""

_LEAST = 3

quick = False
"""Whether slow tests are left out; `conftest` says so before any test is read."""


def draws(count: int) -> int:
    """Return how many of *count* random cases this run draws."""
    return max(count // 4, min(count, _LEAST)) if quick else count
