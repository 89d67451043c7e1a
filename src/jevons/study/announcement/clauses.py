"""Clauses of a plain sentence, as its marks part them; a comma within a number parts nothing."""

from __future__ import annotations

import re

_MARK = re.compile(r"[，;；。]|(?<!\d),|,(?!\d)")
_STOP = re.compile(r"[;；。]")


def clause_start(plain: str, at: int) -> int:
    """Return where the clause of a place begins.

    Examples
    --------
    >>> clause_start("sales rose, to 2,300 units", 16)
    11
    """
    return max((m.end() for m in _MARK.finditer(plain, 0, at)), default=0)


def clause_end(plain: str, at: int) -> int:
    """Return where the clause of a place ends."""
    mark = _MARK.search(plain, at)
    return mark.start() if mark else len(plain)


def clause_before(plain: str, at: int) -> str:
    """Return what stands in a place's clause before it."""
    return plain[clause_start(plain, at) : at]


def clause_after(plain: str, at: int) -> str:
    """Return what stands in a place's clause from it on."""
    return plain[at : clause_end(plain, at)]


def in_clauses(plain: str, first: int, last: int) -> bool:
    """Return whether a mark between two places puts them in two clauses."""
    return _MARK.search(plain, first, last) is not None


def statement_before(plain: str, at: int) -> str:
    """Return what stands before a place since the last semicolon or full stop."""
    return _STOP.split(plain[:at])[-1]


def in_statements(plain: str, first: int, last: int) -> bool:
    """Return whether a semicolon or a full stop stands between two places."""
    return _STOP.search(plain, first, last) is not None
