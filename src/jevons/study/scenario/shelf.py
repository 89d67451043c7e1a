"""The scenarios that ship with the package, by name."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from jevons.errors import did_you_mean

_SHIPPED = Path(__file__).with_name("shipped")


@functools.cache
def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the shipped scenarios, in alphabetical order."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.yaml")))


def shipped_file(name: str) -> Path:
    """Return the file of a shipped scenario."""
    return (_SHIPPED / f"{name}.yaml").resolve()


def file_meant(path: Path | str) -> Path | str:
    """Return the file of the shipped scenario that a name means; the path as it is where it means none.

    A file of that name in the working folder comes first.
    """
    if os.path.lexists(path) or str(path) not in shipped_scenarios():
        return path
    return shipped_file(str(path))


def near_scenario(name: str) -> str:
    """Return a sentence with the shipped scenario whose name is near, empty where none is."""
    return did_you_mean(name, shipped_scenarios())
