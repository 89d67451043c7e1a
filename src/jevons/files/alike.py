"""Tells whether a file holds what is to replace it: the same columns or entries, for the most part."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

_LEAST_SHARED = 0.5
"""Share of the more names that two files of one kind have in common; those of other commands share few."""
_SHOWN = 3
_LONGEST = 40
_MOST_BYTES = 100_000_000


def other_content(old: Path, new: Path) -> str:
    r"""Return what a CSV or JSON file holds that its successor does not; empty where they are alike or of other kinds.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> old, new = folder / "old.csv", folder / "new.csv"
    >>> _ = old.write_text("day,price\n1,2\n"), new.write_text("ttft_s,tpot_s\n1,2\n")
    >>> other_content(old, new)
    'columns day, price'
    """
    names = {".csv": _columns, ".json": _entries}.get(old.suffix.lower())  # the new one may have no name yet
    if names is None or not old.stat().st_size or old.stat().st_size > _MOST_BYTES:
        return ""
    own, coming = names(old), names(new)
    if own is None:
        return "other content"
    if not own or coming is None or len(set(own) & set(coming)) >= _LEAST_SHARED * max(len(set(own)), len(set(coming))):
        return ""
    kind = "columns" if old.suffix.lower() == ".csv" else "entries"
    more = f" and {len(own) - _SHOWN} more" if len(own) > _SHOWN else ""
    return f"{kind} {', '.join(name[:_LONGEST] for name in own[:_SHOWN])}{more}"


def _columns(path: Path) -> list[str] | None:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return _named(next(csv.reader(iter([stream.readline(_MOST_BYTES)])), []))


def _entries(path: Path) -> list[str] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return None
    return _named(content) if isinstance(content, dict) else None


def _named(names: Iterable[str]) -> list[str]:
    return [name.strip() for name in names if name.strip()]
