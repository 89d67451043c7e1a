"""Outcomes of draws on disk: a run that is killed at any moment goes on without losing or repeating what it stored.

A store is a folder; each run has a folder in it, named by the hash of everything the outcomes depend on. Outcomes are
written in segments of JSON lines, each to a temporary file that is moved into place when whole, with a checksum on the
last line. A segment that does not pass is set aside and its draws are computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from jevons.errors import InputError
from jevons.files import writing

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows, where two runs of one store are not kept apart
    fcntl = None  # type: ignore[assignment]

Record = dict[str, Any] | None
"""Outcomes of a draw; None without a feasible plan, `UNSOLVED` with the reason where a solver failed."""

UNSOLVED = "unsolved"


def key_of(parts: Mapping[str, Any]) -> str:
    """Return a short hash of *parts*, the same in every process and on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Store:
    """Outcomes by draw index of one run.

    Parameters
    ----------
    folder : Path
        Folder of the store; made where it does not exist.
    key : str
        What the outcomes depend on, hashed; see `key_of`.
    about : mapping
        Written beside the outcomes for people to read.

    Raises
    ------
    InputError
        If *folder* is a file or cannot be written.
    """

    def __init__(self, folder: Path, key: str, about: Mapping[str, Any]) -> None:
        self.folder = folder / key
        self.key = key
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            message = f"--store {folder}: {reason}; name a folder that can be written"
            raise InputError(message) from None
        _move_into(self.folder / "about.json", json.dumps(about, indent=1, sort_keys=True, default=str) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run of the same key out; the lock ends with the process, however that ends.

        Raises
        ------
        InputError
            If another process holds it, or it is no file.
        """
        path = self.folder / "lock"
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            message = f"{path}: cannot be locked ({error.strerror}); remove it, or use another --store"
            raise InputError(message) from None
        with os.fdopen(descriptor, "w") as handle:
            if fcntl is not None and not _lock(handle):
                message = f"{self.folder}: another run is filling this store; wait for it or use another --store"
                raise InputError(message)
            yield

    def read(self) -> dict[int, Record]:
        """Return the stored outcomes by draw index, None for draws without a feasible plan; sets damage aside."""
        by_index: dict[int, Record] = {}
        for path in sorted(self.folder.glob("segment-*.jsonl")):
            records = _read_segment(path)
            if records is None:
                _set_aside(path)
                continue
            by_index.update(records)
        return by_index

    def add(self, records: Mapping[int, Record]) -> None:
        """Store outcomes by draw index as one new segment, whole or not at all."""
        if not records:
            return
        lines = [
            json.dumps({"draw": index, "outcome": records[index]}, separators=(",", ":")) for index in sorted(records)
        ]
        body = "\n".join(lines) + "\n"
        seal = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "draws": len(lines)})
        _move_into(self.folder / f"segment-{min(records):08d}-{max(records):08d}.jsonl", f"{body}{seal}\n")


def _lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _move_into(path: Path, text: str) -> None:
    """Write *text* to *path*, whole or not at all."""
    with writing(path, force=True) as stream:
        stream.write(text)


def _set_aside(path: Path) -> None:
    """Rename what is no segment: a damaged file, a folder or a link."""
    aside, count = path.with_suffix(".damaged"), 0
    while os.path.lexists(aside):
        count += 1
        aside = path.with_suffix(f".damaged-{count}")
    path.rename(aside)


def _read_segment(path: Path) -> dict[int, Record] | None:
    """Return the outcomes of a segment, None where it is not what was written."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8")
        body, _, seal = text.rstrip("\n").rpartition("\n")
        body += "\n"
        if json.loads(seal)["sha256"] != hashlib.sha256(body.encode()).hexdigest():
            return None
        return {line["draw"]: line["outcome"] for line in map(json.loads, body.splitlines())}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
