"""The command that starts a server, as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The words after the server's name, which engine it is, its release where it is said, and variables before it.

    Where a manifest starts several equal servers, *replicas* says how many; 0 where none says. *role* is ``prefill`` or
    ``decode`` where the place of the command says that it is of a pool of its own, else empty. *files* are those that
    the text around the command writes, by path. *program* names the server where its words stand for those of a program
    without measured factors, and *unseen* what it says that no prediction sees.
    """

    engine: str
    words: tuple[str, ...]
    release: str
    variables: Mapping[str, str]
    replicas: int = 0
    role: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    program: str = ""
    unseen: tuple[str, ...] = ()


def on_host(said: str) -> str:
    """Return what to do about words of a line that keep weights in host memory."""
    return (
        f"--serve: {said} keeps weights in host memory, which no prediction sees; omit it to ask about a server with "
        "all of them on accelerators"
    )


def positive_whole(value: Any, most: float) -> int:
    """Return a value that is a whole number from 1 to *most*; 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most else 0
