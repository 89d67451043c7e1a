"""Outcomes of draws on disk: a run that is killed at any moment goes on without losing or repeating what it stored.

A store is a folder; each run has a folder in it, named by the hash of everything the outcomes depend on. Outcomes are
written in segments of JSON lines, each to a temporary file that is moved into place when whole, with a checksum on the
last line. A segment that does not pass is set aside and its draws are computed again. What was drawn lies beside them,
with its checksum in a file of its own; where that does not pass it is set aside and written again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jevons.arrays import Array
from jevons.errors import InputError
from jevons.study.draws.places import KEPT, LOCK, Folder, Place, place_of

Record = dict[str, Any] | None
"""Outcomes of a draw; None without a feasible plan, `UNSOLVED` with the reason where a solver failed."""

UNSOLVED = "unsolved"
SCHEMA = 3
"""Form of a study's folder; a run upgrades older ones.

The first had no number, no inputs and no count of wanted draws; the second no checksum of its inputs.
"""

ABOUT, INPUTS, SEAL = "about.json", "inputs.parquet", "inputs.json"


def key_of(parts: Mapping[str, Any]) -> str:
    """Return a short hash of *parts*, the same in every process and on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Store:
    """Outcomes by draw index of one run.

    Parameters
    ----------
    store : path or str
        Folder of the store, or its address; made where it does not exist.
    key : str
        What the outcomes depend on, hashed; see `key_of`.
    about : mapping
        Written beside the outcomes for people to read.

    Raises
    ------
    InputError
        If *store* is a file or cannot be written, or a newer version wrote it in another form.
    """

    def __init__(self, store: Path | str, key: str, about: Mapping[str, Any]) -> None:
        self.place: Place = place_of(store).inside(key)
        self.key = key
        self._made = self.place.make()
        before = read_about(self.place)
        refuse_newer(self.place, before)
        text = json.dumps({**about, "schema": SCHEMA}, indent=1, sort_keys=True, default=str) + "\n"
        if before is None or self.place.read(ABOUT) != text.encode():
            try:
                self.place.put(ABOUT, text.encode())
            except InputError:
                self.place.remove_folder(self._made)
                raise

    @property
    def folder(self) -> Path:
        """Folder of the run, of a store on this machine."""
        assert isinstance(self.place, Folder)  # noqa: S101 - asked of local stores only
        return self.place.path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run of the same key out; a folder that this run made and stored nothing in goes away again.

        Raises
        ------
        InputError
            If another run holds it, or the lock is no file.
        """
        in_vain = False
        try:
            with self.place.locked():
                try:
                    yield
                except BaseException:
                    in_vain = self._forget()
                    raise
        finally:
            if in_vain:
                with suppress(InputError, OSError):
                    self.place.remove(LOCK)
                self.place.remove_folder(self._made)

    def _forget(self) -> bool:
        """Remove what was written about a study that this run began and stored no draw of; return whether it was so."""
        with suppress(InputError, OSError):
            if self._made and not segments(self.place):
                for name in (SEAL, INPUTS, ABOUT):
                    self.place.remove(name)
                return True
        return False

    def read(self) -> dict[int, Record]:
        """Return the stored outcomes by draw index, None for draws without a feasible plan; sets damage aside."""
        by_index: dict[int, Record] = {}
        for name in segments(self.place):
            records = read_segment(self.place, name)
            if records is None:
                _set_aside(self.place, name)
                continue
            by_index.update(records)
        return by_index

    def add(self, records: Mapping[int, Record]) -> None:
        """Store outcomes by draw index as one new segment, whole or not at all.

        Raises
        ------
        InputError
            If the disk is full or cannot be written.
        """
        if not records:
            return
        lines = [
            json.dumps({"draw": index, "outcome": records[index]}, separators=(",", ":")) for index in sorted(records)
        ]
        body = "\n".join(lines) + "\n"
        seal = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "draws": len(lines)})
        name = f"segment-{min(records):08d}-{max(records):08d}.jsonl"
        taken = self.place.sizes() if len(lines) < max(records) - min(records) + 1 else {}
        count = 0
        while name in taken:  # draws that finish out of order may begin and end a segment as those of another do
            count += 1
            name = f"segment-{min(records):08d}-{max(records):08d}-{count}.jsonl"
        try:
            self.place.put(name, f"{body}{seal}\n".encode())
        except InputError as error:
            message = str(error)
            told = KEPT in message or not segments(self.place)
            raise InputError(message if told else f"{message}. {KEPT}") from None

    def add_inputs(self, names: tuple[str, ...], values: Array) -> None:
        """Store what was drawn, a row for each draw, unless it is there whole; sets damage aside."""
        import polars as pl

        there = self.place.sizes()
        if INPUTS in there and inputs_of(self.place) is not None:
            return
        if INPUTS in there and (SEAL in there or there[INPUTS] < 0):
            _set_aside(self.place, INPUTS)
        if there.get(SEAL, 0) < 0:
            _set_aside(self.place, SEAL)
        stream = io.BytesIO()
        pl.DataFrame(dict(zip(names, values.T, strict=True))).write_parquet(stream, statistics=False)
        content = stream.getvalue()
        # First, so that what a run was killed before it wrote is missing, and not damaged.
        self.place.put(SEAL, json.dumps({"sha256": hashlib.sha256(content).hexdigest()}).encode() + b"\n")
        self.place.put(INPUTS, content)


def inputs_of(place: Place) -> bytes | None:
    """Return what was drawn, as stored; None where it is missing, or not what its checksum says."""
    content, seal = place.read(INPUTS), place.read(SEAL)
    try:
        stated = None if seal is None else json.loads(seal)["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return content if content is not None and stated == hashlib.sha256(content).hexdigest() else None


def read_about(place: Place) -> dict[str, Any] | None:
    """Return what is written of a study, or None where it is not there or damaged."""
    content = place.read(ABOUT)
    try:
        about = None if content is None else json.loads(content)
    except (ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) else None


def schema_of(about: Mapping[str, Any] | None) -> int:
    """Return the number of the form that a study is written in."""
    number = (about or {}).get("schema", 1)
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else 1


def refuse_newer(place: Place, about: Mapping[str, Any] | None) -> None:
    """Refuse a study in a form that this version does not know.

    Raises
    ------
    InputError
        Saying so, and what to do.
    """
    number = schema_of(about)
    if number > SCHEMA:
        message = (
            f"{place.name}: has schema {number}, and this version reads up to {SCHEMA}; update jevons, or use another "
            "--store"
        )
        raise InputError(message)


def segments(place: Place) -> list[str]:
    """Return the names of a study's segments, in order."""
    return [name for name in place.sizes() if name.startswith("segment-") and name.endswith(".jsonl")]


def _set_aside(place: Place, name: str) -> None:
    """Rename what is no segment: a damaged file, a folder or a link."""
    taken, stem = place.sizes(), name.removesuffix(".jsonl")
    aside, count = f"{stem}.damaged", 0
    while aside in taken:
        count += 1
        aside = f"{stem}.damaged-{count}"
    place.move(name, aside)


def read_segment(place: Place, name: str) -> dict[int, Record] | None:
    """Return the outcomes of a segment, None where it is not what was written."""
    content = place.read(name)
    if content is None:
        return None
    try:
        body, _, seal = content.decode().rstrip("\n").rpartition("\n")
        body += "\n"
        if json.loads(seal)["sha256"] != hashlib.sha256(body.encode()).hexdigest():
            return None
        return {line["draw"]: line["outcome"] for line in map(json.loads, body.splitlines())}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
