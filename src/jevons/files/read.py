"""The one reader of files that users name: regular files alone, and no more of them than memory is meant to hold.

Every limit is stated where it is refused, and raised for all files by an environment variable: `MAX_BYTES` for bytes as
stored and as unpacked, `MAX_ROWS` for rows. The name ``-`` stands for standard input; devices, FIFOs, sockets and
folders are refused, for they may have no end.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from jevons import limits
from jevons.errors import Fault, InputError, did_you_mean
from jevons.files.documents import one_of_each
from jevons.files.write import kind_of_node, note_input, shown_name
from jevons.limits import MAX_BYTES, MAX_ROWS

_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
_KINDS = {
    _PARQUET: "a Parquet file", _GZIP: "a gzip file", _ZSTD: "a zstd file", b"PK\x03\x04": "a zip or Excel file",
    b"%PDF": "a PDF file", b"\x89PNG": "a picture", b"\x7fELF": "a program", b"SQLite format 3": "a database",
}  # fmt: skip
"""Kinds of files that people give for text, by their first bytes."""
_CHUNK = 1 << 20
_ZSTD_CHUNK = 1 << 10
"""A block of four bytes may hold 128 KiB: so few bytes unpack to 32 MiB at most."""
_RATIO, _SMALL = limits.UNPACKED_RATIO, 100_000_000
"""A file that unpacks to more than so many times its size, and to more than so many bytes, is made to fill memory."""


def file_fault(path: Path | str, message: str, line: int | None = None, column: int | None = None) -> InputError:
    """Return the error of a file, at a line where that is known."""
    return InputError(Fault(message=message, file=shown_name(path), line=line, column=column))


def limit(variable: str, default: int) -> int:
    """Return a limit: *default*, or what the user's environment raises it to.

    Raises
    ------
    InputError
        If the variable is no number.
    """
    text = os.environ.get(variable)
    if not text:
        return default
    try:
        return max(default, int(float(text)))
    except (ValueError, OverflowError):
        message = f"{variable}={text}: must be a number, such as 8e9"
        raise InputError(message) from None


def read_bytes(path: Path | str, *, most_bytes: int, unpack: bool = False) -> bytes:
    """Return the content of a file, unpacked where it is gzip or zstd and *unpack* is set.

    Raises
    ------
    InputError
        If it is missing, no regular file, unreadable, cut off, or larger than the limit, as stored or unpacked.
    """
    most = limit(MAX_BYTES, most_bytes)
    try:
        with _opened(path) as stream:
            content = b"" if os.fstat(stream.fileno()).st_size > most else stream.read(most + 1)
            large = len(content) > most or os.fstat(stream.fileno()).st_size > most
    except OSError as error:
        raise _unreadable(path, error) from None
    if large:
        raise _too_large(path, most)
    if unpack and content.startswith(_GZIP):
        return _unpacked(path, "gzip", _gunzipped(content), len(content), most)
    if unpack and content.startswith(_ZSTD):
        return _unpacked(path, "zstd", _unzstd(content), len(content), most)
    return content


def check_readable(path: Path | str) -> None:
    """Refuse a name under which no file can be read, before any work is done; standard input passes.

    Raises
    ------
    InputError
        If it is missing, no regular file, or may not be read.
    """
    if str(path) == "-":
        return
    try:
        _opened(path).close()
    except OSError as error:
        raise _unreadable(path, error) from None


def is_folder(path: Path | str) -> bool:
    """Return whether there is a folder of that name; a name that no file can have is none."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def changed_ns(path: Path | str) -> int:
    """Return when a file was last changed, 0 where there is none [ns since 1970]."""
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def is_parquet(content: bytes) -> bool:
    """Return whether a file's content is Parquet."""
    return content.startswith(_PARQUET)


def _opened(path: Path | str) -> IO[bytes]:
    """Return a regular file, or standard input, open for reading."""
    if str(path) == "-":
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISREG(mode):  # asked before opening: a FIFO would wait for a writer, a device may act
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            mode = os.fstat(handle).st_mode
            if stat.S_ISREG(mode):
                note_input(path)
                return os.fdopen(handle, "rb")
            os.close(handle)
    except FileNotFoundError:
        if Path(path).is_symlink():
            raise file_fault(path, "is a link to a file that does not exist") from None
        hint = _words_hint(str(path))
        raise file_fault(path, f"no such file{hint}.{'' if hint else _near(Path(path))}") from None
    except ValueError:
        raise file_fault(repr(str(path)), "the name holds a NUL character; remove it") from None
    if not str(path):
        message = "no file is named; give its name"
        raise InputError(message)
    kind = kind_of_node(mode)
    hint = "" if kind == "folder" else "; give a file, or - for standard input"
    raise file_fault(path, f"is a {kind}, not a file{hint}")


_SENTENCE = re.compile(r"\S\s+\S+\s+\S|[，。；、]")
_SHOWN = 40
"""Characters of a text that a message shows."""


def _words_hint(name: str) -> str:
    """Return what to do with words that stand where a file's name is asked for; empty where a name is one."""
    if not _SENTENCE.search(name) or re.search(r"\.\w{1,5}$", name):
        return ""
    return "; words themselves go to standard input, with - in the file's place"


def _near(path: Path) -> str:
    try:
        return did_you_mean(path.name, (entry.name for entry in path.parent.iterdir()))
    except OSError:
        return ""


def _unreadable(path: Path | str, error: OSError) -> InputError:
    longest = max((len(os.fsencode(part)) for part in Path(path).parts), default=0)
    if longest > limits.NAME_BYTES:
        name = f"{str(path)[:_SHOWN]}…" if (hint := _words_hint(str(path))) else path
        message = f"no such file: a name in it has {longest} bytes, and file systems take {limits.NAME_BYTES} at most"
        return file_fault(name, message + hint)
    return file_fault(path, f"cannot be read: {error.strerror or error}")


def _too_large(path: Path | str, most: int, content: str = "has") -> InputError:
    message = f"{content} more than {most:,} bytes; at most so many are read. Cut it, or raise {MAX_BYTES}"
    return file_fault(path, message)


def _unpacked(path: Path | str, kind: str, chunks: Iterator[bytes], packed: int, most: int) -> bytes:
    """Return unpacked chunks as one, refused as soon as they pass a limit."""
    raised = MAX_BYTES in os.environ
    whole = io.BytesIO()
    try:
        for chunk in chunks:
            whole.write(chunk)
            size = whole.tell()
            if size > most:
                raise _too_large(path, most, "unpacks to")
            if size > max(_SMALL, _RATIO * packed) and not raised:
                message = f"unpacks to more than {_RATIO} times its size; unpack it first, or raise {MAX_BYTES}"
                raise file_fault(path, message)
    except (OSError, EOFError, ValueError) as error:
        raise file_fault(path, f"is no whole {kind} file: {error}. Fetch it again") from None
    return whole.getvalue()


def _gunzipped(content: bytes) -> Iterator[bytes]:
    """Yield what a gzip file holds."""
    import gzip
    import zlib

    try:
        with gzip.open(io.BytesIO(content)) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except zlib.error as error:
        raise OSError(str(error)) from None


def _unzstd(content: bytes) -> Iterator[bytes]:
    """Yield what a zstd file of one or more frames holds."""
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    frame = None
    try:
        for start in range(0, len(content), _ZSTD_CHUNK):
            rest = content[start : start + _ZSTD_CHUNK]
            while rest:
                frame = frame or unpacker.decompressobj()
                yield frame.decompress(rest)
                rest = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from None
    if frame is not None:
        message = "it ends in the middle"
        raise EOFError(message)


def check_text(path: Path | str, content: bytes) -> None:
    """Refuse what is no UTF-8 text, naming the line.

    Raises
    ------
    InputError
        If a byte is of another encoding, or a character is NUL.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise file_fault(path, "is UTF-32 text; save it as UTF-8")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise file_fault(path, "is UTF-16 text; save it as UTF-8")
    null = content.find(b"\0")
    kind = next((name for magic, name in _KINDS.items() if content.startswith(magic)), None)
    if kind is not None and null >= 0:
        raise file_fault(path, f"is {kind}, not text; give a text file")
    if null >= 0:
        message = f"is not UTF-8 text (byte {null} is NUL); save it as UTF-8"
        raise file_fault(path, message, content.count(b"\n", 0, null) + 1)
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, max(len(content), 1), _CHUNK):
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(content[start : start + _CHUNK], final=start + _CHUNK >= len(content))
        except UnicodeDecodeError as error:
            byte = start - waiting + error.start
            message = f"is not UTF-8 text (byte {byte}); save it as UTF-8"
            raise file_fault(path, message, content.count(b"\n", 0, byte) + 1) from None


def read_text(path: Path | str, *, most_bytes: int = limits.DOCUMENT_BYTES) -> str:
    """Return the text of a file; a mark of the byte order is dropped.

    Raises
    ------
    InputError
        If it cannot be read, see `read_bytes`, or is not UTF-8.
    """
    content = read_bytes(path, most_bytes=most_bytes)
    check_text(path, content)
    return content.decode("utf-8-sig")


def read_json(path: Path | str, *, most_bytes: int = limits.JSON_BYTES) -> Any:
    """Return the value in a JSON file.

    Raises
    ------
    InputError
        If it cannot be read, is not JSON, or is nested too deeply.
    """
    text = read_text(path, most_bytes=most_bytes)
    try:
        return json.loads(text, object_pairs_hook=one_of_each)
    except InputError as error:
        raise file_fault(path, str(error)) from None
    except json.JSONDecodeError as error:
        raise file_fault(path, f"is not JSON: {error.msg}", error.lineno, error.colno) from None
    except ValueError:
        raise file_fault(path, "holds a number with too many digits") from None
    except RecursionError:
        raise file_fault(path, "is nested too deeply") from None


_OTHER_KINDS = {
    ".yaml": "YAML",
    ".yml": "YAML",
    ".xlsx": "Excel",
    ".xls": "Excel",
    ".parquet": "Parquet",
    ".pdf": "PDF",
}
"""What files are by their ending, where rows of text are read."""


def read_csv(
    path: Path | str, *, most_bytes: int = limits.CSV_BYTES, most_rows: int = limits.CSV_ROWS, exact: bool = False
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header of a CSV file, and each row's line and cells.

    Parameters
    ----------
    path : path or str
        File to read.
    most_bytes, most_rows : int
        Limits, which the environment may raise.
    exact : bool
        Whether a row of fewer cells than the header is refused; else the cells that it lacks are empty.

    Raises
    ------
    InputError
        If it cannot be read, has a row of more cells than the header, a cell that is too long, or too many rows.
    """
    kind = Path(path).suffix.lower()
    if kind in _OTHER_KINDS:
        message = f"is a {_OTHER_KINDS[kind]} file; give a CSV file: a line of names, then a row a line"
        raise file_fault(path, message)
    most = limit(MAX_ROWS, most_rows)
    lines = csv_lines(path, read_text(path, most_bytes=most_bytes))
    rows: list[tuple[int, dict[str, str]]] = []
    header = [name.strip() for name in next(lines, (1, []))[1]]
    for number, cells in lines:
        if not cells:
            continue
        if len(cells) > len(header) or (exact and len(cells) < len(header)):
            message = f"{len(cells)} cells under {len(header)} columns; give one cell for each"
            raise file_fault(path, message, number)
        if len(rows) >= most:
            message = f"has more than {most:,} rows; at most so many are read. Cut it, or raise {MAX_ROWS}"
            raise file_fault(path, message, number)
        whole = [*cells, *[""] * (len(header) - len(cells))]
        rows.append((number, dict(zip(header, whole, strict=True))))
    return header, rows


def csv_lines(path: Path | str, text: str, *, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line of a CSV text, whatever ends its lines and parts its cells.

    Raises
    ------
    InputError
        If a cell is too long, or the text is no CSV table.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        reason = str(error)
        if "field larger" in reason:
            reason = f"a cell has more than {limits.FIELD_CHARACTERS:,} characters; is a quote not closed?"
        raise file_fault(path, f"is not a CSV table: {reason}", reader.line_num) from None
