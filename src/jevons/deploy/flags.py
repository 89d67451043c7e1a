"""Options that releases of engines document, from a dated table."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of a program and the options that it documents.

    Parameters
    ----------
    program, version : str
        Name in the table, and release.
    command : str
        How it is started.
    options : frozenset of str
        Names without dashes.
    read, source : str
        When and where the options were read.
    """

    program: str
    version: str
    command: str
    options: frozenset[str]
    read: str
    source: str

    def has(self, option: str) -> bool:
        """Return whether the release documents an option, with or without its dashes."""
        return option.lstrip("-") in self.options


@functools.cache
def shipped_table(name: str) -> dict[str, Any]:
    """Return a table that ships with the package, such as ``launch_flags`` or ``checkpoints``."""
    from ruamel.yaml import YAML

    return dict(YAML(typ="safe").load((_DATA / f"{name}.yaml").read_text("utf-8")))


def programs() -> tuple[str, ...]:
    """Return the names of the programs in the table."""
    return tuple(shipped_table("launch_flags"))


@functools.lru_cache(maxsize=64)
def releases(program: str) -> tuple[Release, ...]:
    """Return the releases of a program, oldest first."""
    entry = shipped_table("launch_flags")[program]
    return tuple(
        Release(
            program=program,
            version=str(release["release"]),
            command=str(entry["command"]),
            options=frozenset(str(release["options"]).split()),
            read=str(release["read"]),
            source=str(release["source"]),
        )
        for release in entry["releases"]
    )


def release_of(program: str, version: str = "") -> tuple[Release, str]:
    """Return the release whose options are used for a version, and a warning where it is another one.

    The newest is used where no version is stated, else the last one that is not newer, else the oldest.
    """
    known = releases(program)
    if not version:
        return known[-1], ""
    stated = _number(version)
    fitting = [flags for flags in known if _number(flags.version)[: len(stated)] <= stated]
    chosen = fitting[-1] if fitting else known[0]
    if _number(chosen.version)[: len(stated)] == stated:
        return chosen, ""
    return chosen, f"Options are those of {program} {chosen.version}; {version} was asked for and is not on file."


def _number(version: str) -> tuple[int, ...]:
    parts = []
    for part in version.removeprefix("v").split("."):
        digits = "".join(c for c in part if c.isdigit())
        parts.append(int(digits or 0))
    return tuple(parts)
