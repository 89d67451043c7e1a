"""Bytes of trace files, plain or compressed, and never more of them than memory is meant to hold."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl

from jevons.errors import Fault, InputError

MOST_BYTES = 4_000_000_000

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_UNIT = "\x1f"
"""Separates units of text in ASCII; no line of a trace holds one, so that each line is read as one column."""


def trace_fault(path: Path, message: str, line: int | None = None) -> InputError:
    """Return the error of a trace file, at a line where that is known."""
    return InputError(Fault(message=message, file=str(path), line=line))


def trace_bytes(path: Path) -> bytes:
    """Return the content of a file, decompressed where it is gzip or zstd.

    Raises
    ------
    InputError
        If it cannot be read, is cut off, or holds more than `MOST_BYTES`.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            message = f"has {path.stat().st_size:,} bytes, at most {MOST_BYTES:,} are read. Cut the trace."
            raise trace_fault(path, message)
        content = path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}. Name a trace file."
        raise trace_fault(path, message) from None
    if content[:2] == _GZIP:
        content = _from_gzip(path, content)
    elif content[:4] == _ZSTD:
        content = _from_zstd(path, content)
    if len(content) > MOST_BYTES:
        message = f"holds more than {MOST_BYTES:,} bytes, the most that are read. Cut the trace."
        raise trace_fault(path, message)
    return content


def _from_gzip(path: Path, content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            return stream.read(MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        message = f"is no whole gzip file: {error}. Fetch it again."
        raise trace_fault(path, message) from None


def _from_zstd(path: Path, content: bytes) -> bytes:
    """Return the lines of a compressed text; the table reader decompresses zstd, older Pythons do not."""
    try:
        lines = pl.read_csv(
            content, has_header=False, separator=_UNIT, quote_char=None, infer_schema=False, new_columns=["line"]
        )["line"]
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"is no whole zstd file of text lines: {str(error).splitlines()[0]}. Fetch it again."
        raise trace_fault(path, message) from None
    return "\n".join(lines.fill_null("").to_list()).encode()
