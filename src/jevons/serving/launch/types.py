"""The command that starts a server, as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The words after the server's name, which engine it is, its release where it is said, and variables before it.

    Where a manifest starts several equal servers, *replicas* says how many; 0 where none says.
    """

    engine: str
    words: tuple[str, ...]
    release: str
    variables: Mapping[str, str]
    replicas: int = 0
