"""What a store holds, as data: a row for each study, draw, segment and quarter, for polars and for SQL."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.errors import InputError, InputWarning, did_you_mean
from jevons.files import is_folder
from jevons.files.parquet import without_panics
from jevons.study.draws.places import LOCK, Folder, Place, place_of
from jevons.study.draws.store import (
    ABOUT,
    INPUTS,
    SCHEMA,
    SEAL,
    UNSOLVED,
    Record,
    inputs_of,
    read_about,
    read_segment,
    refuse_newer,
    schema_of,
    segments,
)

if TYPE_CHECKING:
    import polars as pl

FRAMES = ("studies", "draws", "paths", "segments")
"""Tables that SQL sees."""

_LEAST_PREFIX = 4
_FIRST_SEALED = 3
"""Schema from which on what was drawn has a checksum."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A study in a store, read without changing it.

    Parameters
    ----------
    key : str
        Name of its folder: the hash of everything that its outcomes depend on.
    place : Place
        Its folder.
    about : mapping
        What is written of it; empty where that is damaged.
    sizes : mapping of str to int
        Bytes of each of its files.
    busy : bool
        Whether a run is filling it.
    """

    key: str
    place: Place
    about: dict[str, Any]
    sizes: dict[str, int]
    busy: bool = False

    @property
    def schema(self) -> int:
        """Number of the form it is written in."""
        return schema_of(self.about)

    @property
    def readable(self) -> bool:
        """Whether this version knows its form."""
        return self.schema <= SCHEMA

    @property
    def total(self) -> int | None:
        """Draws or points that it wants; None where the first schema did not say."""
        total = self.about.get("total", self.about.get("draws"))
        return total if isinstance(total, int) else None

    @cached_property
    def parts(self) -> dict[str, dict[int, Record] | None]:
        """Outcomes of each segment, None where it is damaged."""
        if not self.readable:
            return {}
        return {name: read_segment(self.place, name) for name in segments(self.place)}

    @cached_property
    def records(self) -> dict[int, Record]:
        """Outcomes by draw."""
        return dict(sorted(item for part in self.parts.values() for item in (part or {}).items()))

    @property
    def damaged(self) -> int:
        """Files that are not as they were written, those that a run set aside among them."""
        return len(self.aside) + sum(part is None for part in self.parts.values()) + self.inputs_damaged

    @property
    def aside(self) -> list[str]:
        """Names of the damaged files that a run set aside."""
        return [name for name in self.sizes if ".damaged" in name]

    @cached_property
    def inputs_damaged(self) -> bool:
        """Whether what was drawn is there and not as it was written."""
        return self.readable and INPUTS in self.sizes and self.inputs() is None

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return sum(max(size, 0) for size in self.sizes.values())

    @property
    def state(self) -> str:
        """Whether it is complete, stopped or running, or why it cannot be read."""
        if not self.readable:
            return f"schema {self.schema} is newer; update jevons"
        if self.busy:
            return "running"
        if self.total is None:
            return "unknown"
        return "complete" if len(self.records) >= self.total else "stopped"

    def inputs(self) -> pl.DataFrame | None:
        """Return what was drawn, a row for each draw; None where it is not there or damaged."""
        import polars as pl

        sealed = self.schema >= _FIRST_SEALED or SEAL in self.sizes
        content = inputs_of(self.place) if sealed else self.place.read(INPUTS)
        if content is None:
            return None
        try:
            with without_panics():
                return pl.read_parquet(io.BytesIO(content), use_pyarrow=False)
        except BaseException as error:  # polars panics on some damage, which is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            return None


def studies_in(store: Path | str, only: str = "") -> list[Stored]:
    """Return the studies in a store whose key begins with *only*, in order of their keys.

    Raises
    ------
    InputError
        If there is no such store or study.
    """
    place = place_of(store)
    if isinstance(place, Folder) and not is_folder(place.path):
        is_there = os.path.exists(place.path)  # noqa: PTH110 - Path.exists raises for names that are too long
        what = "is a file" if is_there else "there is no such folder"
        message = f"--store {store}: {what}; name the folder that a study kept its draws in"
        raise InputError(message)
    folders = {name: place.inside(name) for name in place.folders()}
    studies = [
        Stored(key=name, place=folder, about=read_about(folder) or {}, sizes=sizes, busy=_busy(folder, sizes))
        for name, folder in folders.items()
        if ABOUT in (sizes := folder.sizes()) or any(n.startswith("segment-") for n in sizes)
    ]
    if not only:
        return studies
    chosen = [study for study in studies if study.key.startswith(only)]
    if len(only) < _LEAST_PREFIX or not chosen:
        keys = [study.key for study in studies]
        message = f"--study {only}: no study has a key that begins so.{did_you_mean(only, keys)}"
        if len(only) < _LEAST_PREFIX:
            message = f"--study {only}: give at least {_LEAST_PREFIX} characters of the key"
        raise InputError(message)
    return chosen


def _busy(place: Place, sizes: dict[str, int]) -> bool:
    return isinstance(place, Folder) and LOCK in sizes and place.busy()


def frame_of(name: str, studies: list[Stored]) -> pl.DataFrame:
    """Return one of `FRAMES` over studies.

    Raises
    ------
    InputError
        If there is no such table, or a study is in a form that this version does not know.
    """
    makers: dict[str, Callable[[Stored], pl.DataFrame]] = {
        "studies": _study, "draws": _draws, "paths": _paths, "segments": _segments
    }  # fmt: skip
    if name not in makers:
        message = f"--table {name}: unknown.{did_you_mean(name, FRAMES)} Known: {', '.join(FRAMES)}."
        raise InputError(message)
    import polars as pl

    if name != "studies":
        for study in studies:
            refuse_newer(study.place, study.about)
    frames = [makers[name](study) for study in studies]
    return pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()


def _study(study: Stored) -> pl.DataFrame:
    import polars as pl

    about, states = study.about, [_state(record) for record in study.records.values()]
    row = {
        "study": study.key, "kind": _text(about.get("kind")), "scenario": _text(about.get("scenario")),
        "seed": about.get("seed") if isinstance(about.get("seed"), int) else None, "total": study.total,
        "stored": len(states), "infeasible": states.count("infeasible"), "unsolved": states.count("unsolved"),
        "damaged": study.damaged, "bytes": study.bytes, "state": study.state, "schema": study.schema,
        "version": _text(about.get("version")),
    }  # fmt: skip
    kinds = {"seed": pl.Int64, "total": pl.Int64, "version": pl.String, "kind": pl.String, "scenario": pl.String}
    return pl.DataFrame([row], schema_overrides=kinds)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _state(record: Record) -> str:
    if record is None:
        return "infeasible"
    return "unsolved" if UNSOLVED in record else "feasible"


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draw's outcomes without its paths; one that is several by name, such as channels, as one each."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {} if name == "paths" else {f"{name}.{inner}": field for inner, field in value.items()}
        else:
            flat[name] = value
    return flat


def _warn(study: Stored) -> None:
    """Say what of a study's draws is missing because a file is damaged."""
    lost = [name for name, part in study.parts.items() if part is None]
    if lost:
        files = "a segment is" if len(lost) == 1 else f"{len(lost)} segments are"
        message = f"study {study.key}: {files} damaged ({lost[0]}), whose draws are not here; {_AGAIN}"
        warnings.warn(message, InputWarning, stacklevel=2)
    if study.inputs_damaged:
        message = f"study {study.key}: {INPUTS} is damaged, and its draws have no inputs here; {_AGAIN}"
        warnings.warn(message, InputWarning, stacklevel=2)


_AGAIN = "the command that made the study writes it again"


def _draws(study: Stored) -> pl.DataFrame:
    import polars as pl

    _warn(study)
    records = {draw: None if record is None else _flat(record) for draw, record in study.records.items()}
    names = dict.fromkeys(name for record in records.values() for name in (record or {}))
    columns: dict[str, Any] = {
        "study": pl.Series([study.key] * len(records), dtype=pl.String),
        "draw": pl.Series(list(records), dtype=pl.Int64),
        "state": pl.Series([_state(record) for record in records.values()], dtype=pl.String),
        UNSOLVED: pl.Series([(record or {}).get(UNSOLVED) for record in records.values()], dtype=pl.String),
    }
    for name in names:
        if name != UNSOLVED:
            columns[name] = pl.Series([(record or {}).get(name) for record in records.values()], dtype=pl.Float64)
    frame = pl.DataFrame(columns)
    inputs = study.inputs()
    if inputs is None or not records or max(records) >= inputs.height:
        return frame
    return pl.concat([frame, inputs[list(records)]], how="horizontal")


def _paths(study: Stored) -> pl.DataFrame:
    import polars as pl

    _warn(study)

    def rows() -> Iterator[tuple[int, str, int, float]]:
        for draw, record in study.records.items():
            for name, values in ((record or {}).get("paths") or {}).items():
                for quarter, value in enumerate(values):
                    yield draw, name, quarter, value

    kinds = {"draw": pl.Int64, "path": pl.String, "quarter": pl.Int64, "value": pl.Float64}
    frame = pl.DataFrame(list(rows()), schema=kinds, orient="row")
    return frame.select(pl.lit(study.key).alias("study"), pl.all())


def _segments(study: Stored) -> pl.DataFrame:
    import polars as pl

    rows = [
        (study.key, name, None if part is None else len(part), study.sizes.get(name, 0), part is not None)
        for name, part in study.parts.items()
    ]
    lost = [*study.aside, *([INPUTS] if study.inputs_damaged else [])]
    rows += [(study.key, name, None, max(study.sizes[name], 0), False) for name in lost]
    kinds = {"study": pl.String, "file": pl.String, "draws": pl.Int64, "bytes": pl.Int64, "whole": pl.Boolean}
    return pl.DataFrame(rows, schema=kinds, orient="row")
