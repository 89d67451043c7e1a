"""What the footer of a Parquet file promises, read before any of its pages is.

The footer is a struct in Thrift's compact protocol; only the counts and sizes that bound memory are kept.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jevons.files.read import file_fault, limit
from jevons.limits import MAX_BYTES, MAX_ROWS, PARQUET_CELL_BYTES, PARQUET_FOOTER_BYTES

_MOST_DEPTH = 32
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12


class _Footer:
    """Reads values of the compact protocol one after another."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def byte(self) -> int:
        if self.place >= len(self.content):
            message = "the footer ends in the middle"
            raise ValueError(message)
        self.place += 1
        return self.content[self.place - 1]

    def count(self) -> int:
        """Return an unsigned number of seven bits a byte."""
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                message = "a number in the footer is too long"
                raise ValueError(message)

    def value(self, kind: int, depth: int) -> Any:
        """Return a value of a kind: whole numbers, lists, and structs as fields by number; None for all others."""
        if depth > _MOST_DEPTH:
            message = "the footer is nested too deeply"
            raise ValueError(message)
        if kind in {_LIST, _SET}:
            head = self.byte()
            length = head >> 4 if head >> 4 < 15 else self.count()
            if length > len(self.content):
                message = "a list in the footer is too long"
                raise ValueError(message)
            return [self.value(head & 15, depth + 1) for _ in range(length)]
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if 4 <= kind <= 6:
            raw = self.count()
            return (raw >> 1) ^ -(raw & 1)
        if kind in {_TRUE, _FALSE, _BYTE}:
            self.byte()
        elif kind == _DOUBLE:
            self.place += 8
        elif kind == _BINARY:
            length = self.count()
            self.place += length
        elif kind == _MAP:
            length = self.count()
            kinds = self.byte() if length else 0
            for _ in range(min(length, len(self.content))):
                self.value(kinds >> 4, depth + 1)
                self.value(kinds & 15, depth + 1)
        else:
            message = f"the footer holds a value of unknown kind {kind}"
            raise ValueError(message)
        return None

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of a struct by number."""
        fields: dict[int, Any] = {}
        number = 0
        while (head := self.byte()) != _STOP:
            kind = head & 15
            step = head >> 4
            if step:
                number += step
            else:
                raw = self.count()
                number = (raw >> 1) ^ -(raw & 1)
            fields[number] = None if kind in {_TRUE, _FALSE} else self.value(kind, depth)
        return fields


def check_parquet(path: Path | str, content: bytes, *, most_bytes: int, most_rows: int) -> None:
    """Refuse a Parquet file that would take more memory than it may, before it is read.

    Parameters
    ----------
    path : path or str
        Name for messages.
    content : bytes
        The whole file.
    most_bytes, most_rows : int
        Limits on the bytes of all columns once unpacked, and on rows and on the values of a column.

    Raises
    ------
    InputError
        If a limit is passed, or the file has no footer that can be read.
    """
    try:
        groups = _row_groups(content)
        rows = sum(int(group[3]) for group in groups)
        columns = [chunk[3] for group in groups for chunk in group[1]]
        values = max((int(column[5]) for column in columns), default=0)
        size = sum(int(column[6]) for column in columns)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        reason = error if isinstance(error, ValueError) else "its footer is damaged"
        raise file_fault(path, f"is no whole Parquet file: {reason}. Fetch it again") from None
    most = limit(MAX_ROWS, most_rows)
    if max(rows, values) > most:
        message = f"has {max(rows, values):,} rows or values in a column; at most {most:,} are read. Cut it, or raise "
        raise file_fault(path, f"{message}{MAX_ROWS}")
    most = limit(MAX_BYTES, most_bytes)
    if size > most:
        message = f"unpacks to {size:,} bytes; at most {most:,} are read. Cut it, or raise {MAX_BYTES}"
        raise file_fault(path, message)


def _row_groups(content: bytes) -> list[dict[int, Any]]:
    """Return the row groups that the footer lists."""
    if len(content) < 12 or not content.endswith(b"PAR1"):
        message = "it ends in the middle"
        raise ValueError(message)
    length = int.from_bytes(content[-8:-4], "little")
    if length > min(len(content) - 8, PARQUET_FOOTER_BYTES):
        message = f"its footer has {length:,} bytes, more than a footer may"
        raise ValueError(message)
    footer = _Footer(content[-8 - length : -8]).struct()
    groups: list[dict[int, Any]] = footer[4]
    if int(footer[3]) < 0 or any(int(group[3]) < 0 for group in groups):
        message = "it counts rows below 0"
        raise ValueError(message)
    if sum(int(group[3]) for group in groups) != int(footer[3]):
        message = "its counts of rows disagree"
        raise ValueError(message)
    return groups


@contextlib.contextmanager
def without_panics() -> Iterator[None]:
    """Keep what polars' own language prints of a damaged file off standard error; the error itself says it."""
    with contextlib.ExitStack() as stack:
        try:
            before = os.dup(2)
        except OSError:  # closed: nothing is printed
            yield
            return
        stack.callback(os.close, before)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        stack.callback(os.dup2, before, 2)
        yield


def parquet_columns(path: Path | str, content: bytes, columns: tuple[tuple[str, ...], ...]) -> Any:
    """Return as texts the first of some sets of columns that a checked Parquet file has; all columns if it has none.

    Raises
    ------
    InputError
        If the pages are damaged, or a column holds lists or records.
    """
    import numpy as np
    import polars as pl

    try:
        with without_panics():
            schema = pl.read_parquet_schema(io.BytesIO(content))
        named = {name.strip(): name for name in schema}
        wanted = next(([named[column] for column in some] for some in columns if set(some) <= set(named)), None)
        if wanted is None:
            return pl.DataFrame(schema=dict.fromkeys(schema, pl.String))
        odd = [name for name in wanted if schema[name].is_nested() or schema[name] in {pl.Binary, pl.Object}]
        if odd:
            raise file_fault(path, f"column {odd[0]}: holds {schema[odd[0]]}; it must hold one time or number a row")
        with without_panics():
            table = pl.read_parquet(io.BytesIO(content), columns=wanted)
        for name in (name for name in wanted if schema[name] == pl.String):  # one long text may stand in every row
            longest = int(np.max(table[name].str.len_bytes().fill_null(0).to_numpy(), initial=0))
            if longest > PARQUET_CELL_BYTES:
                message = f"a cell has {longest:,} bytes; a time or a number has {PARQUET_CELL_BYTES} at most"
                raise file_fault(path, f"column {name}: {message}")
        return table.with_columns(pl.all().cast(pl.String, strict=False))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, MemoryError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise file_fault(path, f"is no whole Parquet file: {reason}. Fetch it again") from None
