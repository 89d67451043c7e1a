"""Reads request traces of several makes, recognised by what is in them."""

from __future__ import annotations

import io
import itertools
import json
import math
import warnings
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from jevons import limits
from jevons.errors import Fault, InputError, InputNote
from jevons.files.parquet import check_parquet, parquet_columns
from jevons.files.read import check_text, file_fault, is_parquet, limit, read_bytes
from jevons.limits import MAX_BYTES, MAX_ROWS
from jevons.serving.sim.load.records import block_tokens, gathered, known_text
from jevons.serving.sim.types import FloatArray, IntArray

BoolArray = NDArray[np.bool_]

_LINE_BYTES = 1_000_000
"""Of the first line of a CSV file."""
_MOST_FAULTS = 5
_SAMPLE = 2000
"""Requests by whose prompts and hashes the size of a block is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A recorded load.

    Parameters
    ----------
    arrival_s : ndarray, shape (n,)
        Arrivals from the first one on [s], ascending.
    isl, osl : ndarray of int, shape (n,)
        Prompt and output tokens, >= 1.
    make : str
        ``azure``, ``mooncake``, ``qwen``, ``burstgpt``, ``vidur``, ``vllm_bench``, or one of
        `jevons.serving.sim.load.records`; ``mapped`` where the reader named the columns.
    name : str
        Of the file.
    skipped : int
        Rows left out because they have no prompt or no output token (failed requests).
    hashes, hash_start : ndarray of int or None, shapes (m,), (n + 1,)
        Hashes of prompt blocks as whole numbers from 0, and where those of each request begin; None where the trace
        has none.
    hash_tokens : int
        Tokens of a hashed block.
    session : ndarray of int or None, shape (n,)
        Which conversation a request continues, numbered from 0 by first request; None where the trace does not tell.
    timed : bool
        Whether the trace says when requests came; one that does not needs a rate.
    """

    arrival_s: FloatArray
    isl: IntArray
    osl: IntArray
    make: str
    name: str
    skipped: int = 0
    hashes: IntArray | None = None
    hash_start: IntArray | None = None
    hash_tokens: int = 0
    session: IntArray | None = None
    timed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Make:
    """Columns of one make of trace, and how its times are written."""

    name: str
    time: str
    isl: str
    osl: str
    per_s: float = 1.0
    dated: bool = False
    needs: tuple[str, ...] = ()
    hash_tokens: int = 0


_CSV_MAKES = (
    _Make(name="azure", time="TIMESTAMP", isl="ContextTokens", osl="GeneratedTokens", dated=True),
    _Make(name="vidur", time="arrived_at", isl="num_prefill_tokens", osl="num_decode_tokens"),
    _Make(name="burstgpt", time="Timestamp", isl="Request tokens", osl="Response tokens"),
)
_JSONL_MAKES = (
    _Make(name="qwen", time="timestamp", isl="input_length", osl="output_length", needs=("chat_id",), hash_tokens=16),
    _Make(name="mooncake", time="timestamp", isl="input_length", osl="output_length", per_s=1000.0, hash_tokens=512),
)
_KNOWN = f"Known, plain, .gz, .zst or Parquet:\n{known_text()}"


def read_trace(path: Path | str, mapping: Mapping[str, str] | None = None) -> Trace:
    """Read a request trace.

    Parameters
    ----------
    path : Path or str
        CSV, JSON lines or JSON, plain, gzip or zstd, or Parquet with the columns of one of the CSV makes.
    mapping : mapping of str to str, optional
        Column or field of ``time``, ``isl``, ``osl``, ``session`` and ``delay``, or a number that holds for all rows;
        times also as ``time_ms`` and so on.

    Raises
    ------
    InputError
        If the file is missing, empty, too large, of no known make, or a row is malformed, out of order or out of
        range; the message names file, line, value and remedy.
    """
    trace = _read(Path(path), mapping or {})
    if trace.skipped:
        told = f"{trace.skipped:,} of {trace.skipped + len(trace.isl):,} requests have no prompt or no output tokens"
        warnings.warn(f"--trace {trace.name}: {told}, and are left out", InputNote, stacklevel=2)
    return trace


def _read(path: Path, mapping: Mapping[str, str]) -> Trace:
    content = read_bytes(path, most_bytes=limits.TRACE_BYTES, unpack=True)
    if is_parquet(content):
        check_parquet(path, content, most_bytes=limits.TRACE_BYTES, most_rows=limits.TRACE_ROWS)
        columns = tuple((make.time, make.isl, make.osl) for make in _CSV_MAKES)
        return _from_table(path, parquet_columns(path, content, columns), line_offset=1)
    check_text(path, content)
    if b"\n" not in content:  # lines of old Macs end with a return
        content = content.replace(b"\r", b"\n")
    head = content[:_LINE_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head and len(content) <= _LINE_BYTES:
        raise file_fault(path, "is empty. Give a trace with at least one request.")
    listed = _as_lines(content) if head.startswith(b"[") and not mapping else None
    content, head = (content, head) if listed is None else (listed, listed[:_LINE_BYTES])
    if mapping or _of_other_make(head) or not _of_plain_make(head):
        trace = gathered(path, content, mapping)
        if trace is not None:
            return Trace(
                arrival_s=trace.arrival_s, isl=trace.isl, osl=trace.osl, make=trace.make, name=path.name,
                skipped=trace.skipped, hashes=trace.hashes, hash_start=trace.hash_start, hash_tokens=trace.hash_tokens,
                session=trace.session, timed=trace.timed,
            )  # fmt: skip
    if head.startswith(b"{"):
        return _from_json(path, content)
    return _from_table(path, _csv(path, content), line_offset=2)


_OTHER_WORDS = (b'"session_id"', b'"request_id"', b'"input_toks"', b"conversation", b'"messages"', b"gen_ai.",
                b"resourceSpans", b"resource_spans", b"llm.")  # fmt: skip


def _of_other_make(head: bytes) -> bool:
    """Return whether a file begins like one of the makes of `records`."""
    line = head.split(b"\n", 1)[0] if head.startswith(b"{") and b"}\n" in head else head
    untimed = b'"input_length"' in line and b'"timestamp"' not in line and head.startswith(b"{")
    return head[:1] in {b"{", b"["} and (untimed or any(word in line for word in _OTHER_WORDS))


def _of_plain_make(head: bytes) -> bool:
    """Return whether a file's first line names the fields of one of the makes read here, or is no sound record."""
    line = head.split(b"\n", 1)[0].strip()
    if head[:1] in {b"{", b"["}:
        try:
            row = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return head[:2] not in {b"{\n", b"{\r", b"[\n", b"[\r"}
        return not isinstance(row, dict) or "input_lens" in row or _make_of(row) is not None
    names = {name.strip().strip('"') for name in line.decode("utf-8", "replace").split(",")}
    return any({make.time, make.isl, make.osl} <= names for make in _CSV_MAKES)


def _as_lines(content: bytes) -> bytes | None:
    """Return as JSON lines a list of rows of one of the makes read here; None of any other."""
    try:
        rows = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        return None
    return b"\n".join(json.dumps(row).encode() for row in rows) if _make_of(rows[0]) else None


def _csv(path: Path, content: bytes) -> pl.DataFrame:
    """Return as texts the columns of the make that a CSV file's head names; no rows if it is none."""
    end = content.find(b"\n", 0, _LINE_BYTES)
    if end < 0 and len(content) > _LINE_BYTES:
        message = f"has more than {_LINE_BYTES:,} characters. Give a CSV whose first line names its columns."
        raise file_fault(path, message, 1)
    try:
        head = pl.read_csv(content, n_rows=0, infer_schema=False).columns
        named = {name.strip(): name for name in head}
        make = next((make for make in _CSV_MAKES if {make.time, make.isl, make.osl} <= set(named)), None)
        if make is None:
            return pl.DataFrame(schema=dict.fromkeys(head, pl.String))
        columns = [named[name] for name in (make.time, make.isl, make.osl)]
        twice = next((name for name in columns if f"{name}_duplicated_0" in head), None)
        if twice is not None:
            raise file_fault(path, f"has two columns `{twice.strip()}`; rename or cut one", 1)
        most = limit(MAX_ROWS, limits.TRACE_ROWS)
        table = pl.read_csv(content, columns=columns, infer_schema=False, n_rows=most + 1)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        message = f"is malformed CSV: {str(error).splitlines()[0]}. Mend or cut the row."
        raise file_fault(path, message) from None
    if table.height > most:
        raise _too_many_rows(path, most)
    return table


def _too_many_rows(path: Path, most: int) -> InputError:
    return file_fault(path, f"has more than {most:,} rows; at most so many are read. Cut it, or raise {MAX_ROWS}")


def _from_table(path: Path, table: pl.DataFrame, *, line_offset: int) -> Trace:
    """Return the trace of a table of texts."""
    named = {column.strip(): column for column in table.columns}
    for make in _CSV_MAKES:
        if {make.time, make.isl, make.osl} <= set(named):
            break
    else:
        shown = ", ".join(column[:40] for column in table.columns[:8])
        message = f"has columns {shown}, those of no known trace. {_KNOWN}"
        raise file_fault(path, message, 1)
    table = table.select(pl.col(named[name]).alias(name) for name in (make.time, make.isl, make.osl))
    if table.height == 0:
        message = "has a head but no rows. Give a trace with at least one request."
        raise file_fault(path, message)
    texts = table.select(pl.col(make.time, make.isl, make.osl).str.strip_chars())
    blank = np.logical_and.reduce([texts[name].fill_null("").eq("").to_numpy() for name in texts.columns])
    if blank.all():
        message = "has a head but no rows. Give a trace with at least one request."
        raise file_fault(path, message)
    lines = np.flatnonzero(~blank)
    texts = texts.filter(~blank) if blank.any() else texts
    times = _seconds(texts[make.time], dated=make.dated) / make.per_s
    isl, osl = (_numbers(texts[column]) for column in (make.isl, make.osl))

    def place(row: int) -> tuple[int, dict[str, Any]]:
        return int(lines[row]) + line_offset, texts.row(row, named=True)

    return _checked(path, make, (times, isl, osl), place)


def _numbers(texts: pl.Series) -> FloatArray:
    return texts.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def _seconds(texts: pl.Series, *, dated: bool) -> FloatArray:
    """Return seconds; of dates, from the first date on (nan where unreadable)."""
    plain = _numbers(texts)
    if not dated and not np.isnan(plain).all():
        return plain
    bare = texts.str.replace(r"(:\d\d(?:\.\d+)?)(?:Z|[+-]\d\d:?\d\d)$", "${1}").str.replace("T", " ", literal=True)
    stamps = bare.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ns", strict=False).to_physical()
    if stamps.null_count() == len(stamps):
        return plain
    start = int(stamps.drop_nulls()[0])
    seconds = ((stamps - start).cast(pl.Float64) / 1e9).fill_null(float("nan")).to_numpy()
    return seconds - _ahead_s(texts)


def _ahead_s(texts: pl.Series) -> FloatArray:
    """Return how far the clock of each time is ahead of UTC, as ``+05:30`` at its end says [s]; 0 where none says."""
    zone = r":\d\d(?:\.\d+)?([+-])(\d\d):?(\d\d)$"
    hours, minutes = (texts.str.extract(zone, part).cast(pl.Float64).fill_null(0.0).to_numpy() for part in (2, 3))
    return np.where(texts.str.extract(zone, 1).eq("-").fill_null(value=False).to_numpy(), -1.0, 1.0) * (
        3600.0 * hours + 60.0 * minutes
    )


class _JsonRows:
    """Numbers of the rows of JSON lines, gathered without keeping the rows."""

    def __init__(self, make: _Make) -> None:
        self.make = make
        self.columns = tuple(array("d") for _ in range(3))
        self.lines = array("q")
        self.sessions = array("q")
        self.hashes = array("q")
        self.counts = array("q")
        self.hashed = False
        self.bad_hashes: tuple[int, str] | None = None
        self.of_chat: dict[str, int] = {}
        self.talks = 0

    def add(self, line: int, row: dict[str, Any]) -> None:
        """Take a row of the file."""
        make = self.make
        numbers = [_plain(row.get(name)) for name in (make.time, make.isl, make.osl)]
        for column, number in zip(self.columns, numbers, strict=True):
            column.append(number)
        self.lines.append(line)
        self.hashed = self.hashed or "hash_ids" in row
        if not (numbers[1] >= 1 and numbers[2] >= 1):
            return
        if make.needs:
            self.sessions.append(self._session(row))
        keys = row.get("hash_ids", [])
        if not isinstance(keys, list) or not all(type(key) is int and abs(key) < 1 << 62 for key in keys):
            self.bad_hashes = self.bad_hashes or (line, str(keys)[:60])
            keys = []
        self.counts.append(len(keys))
        self.hashes.extend(keys)

    def _session(self, row: dict[str, Any]) -> int:
        """Return the conversation of a request: that of the one it answers to, or a new one."""
        parent = self.of_chat.get(str(row.get("parent_chat_id")))
        session = self.talks if parent is None else parent
        self.talks += parent is None
        self.of_chat[str(row.get("chat_id"))] = session
        return session

    def trace(self, path: Path, content: bytes) -> Trace:
        """Return the trace of the rows."""
        make = self.make
        times, isl, osl = (np.frombuffer(column, dtype=np.float64) for column in self.columns)

        def place(row: int) -> tuple[int, dict[str, Any]]:
            text = next(itertools.islice(io.BytesIO(content), self.lines[row] - 1, None))
            values = json.loads(text.decode("utf-8-sig"))
            return self.lines[row], {name: values.get(name) for name in (make.time, make.isl, make.osl)}

        trace = _checked(path, make, (times / make.per_s, isl, osl), place)
        if make.needs:
            trace = replace(trace, session=np.array(self.sessions, dtype=np.int64))
        if not self.hashed:
            return trace
        if self.bad_hashes is not None:
            line, shown = self.bad_hashes
            raise file_fault(path, f"hash_ids `{shown}`: must be a list of whole numbers; mend or cut the line", line)
        start = np.append(0, np.cumsum(np.array(self.counts, dtype=np.int64))).astype(np.int64)
        dense = np.unique(np.array(self.hashes, dtype=np.int64), return_inverse=True)[1].astype(np.int64)
        size = block_tokens(trace.isl[:_SAMPLE].tolist(), list(self.counts[:_SAMPLE]), make.hash_tokens)
        return replace(trace, hashes=dense, hash_start=start, hash_tokens=size)


def _from_json(path: Path, content: bytes) -> Trace:
    """Return the trace of JSON lines, or of one object of lists."""
    rows: _JsonRows | None = None
    most_rows, most_hashes = limit(MAX_ROWS, limits.TRACE_ROWS), limit(MAX_ROWS, limits.TRACE_HASHES)
    most_line = limit(MAX_BYTES, limits.JSON_LINE_BYTES)
    for number, line in enumerate(io.BytesIO(content), 1):
        if not line.strip():
            continue
        if len(line) > most_line:
            message = f"has more than {most_line:,} bytes; at most so many are read. Cut it, or raise {MAX_BYTES}"
            raise file_fault(path, message, number)
        row = _object(path, number, line, content)
        if rows is None and "input_lens" in row:
            return _from_bench(path, row)
        if rows is None:
            rows = _JsonRows(_json_make(path, number, row))
        rows.add(number, row)
        if len(rows.lines) > most_rows:
            raise _too_many_rows(path, most_rows)
        if len(rows.hashes) > most_hashes:
            message = f"has more than {most_hashes:,} hash_ids; at most so many are read. Cut it, or raise {MAX_ROWS}"
            raise file_fault(path, message, number)
    if rows is None:
        raise file_fault(path, "is empty. Give a trace with at least one request.")
    return rows.trace(path, content)


def _object(path: Path, number: int, line: bytes, content: bytes) -> dict[str, Any]:
    """Return the object on a line; on the first, that which the whole file may be."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        whole = _whole(content) if number == 1 else None
        if whole is not None:
            return whole
        reason = str(error).splitlines()[0]
        shown = line[:60].decode("utf-8", "replace").rstrip("\n")
        message = f"`{shown}` is no JSON ({reason}). Mend or cut the line."
        raise file_fault(path, message, number) from None
    if not isinstance(row, dict):
        message = f"`{str(row)[:60]}` is no object with timestamp, input_length and output_length. Mend the line."
        raise file_fault(path, message, number)
    return row


def _json_make(path: Path, number: int, row: dict[str, Any]) -> _Make:
    """Return the make of trace whose fields a first row has."""
    make = _make_of(row)
    if make is not None:
        return make
    message = f"has fields {', '.join(list(row)[:8])}, those of no known trace. {_KNOWN}"
    raise file_fault(path, message, number)


def _make_of(row: Mapping[str, Any]) -> _Make | None:
    named = (make for make in _JSONL_MAKES if {make.time, make.isl, make.osl, *make.needs} <= set(row))
    return next(named, None)


def _whole(content: bytes) -> dict[str, Any] | None:
    """Return the object that the whole file is, if it is one."""
    if len(content) > limit(MAX_BYTES, limits.JSON_LINE_BYTES):
        return None
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _plain(value: Any) -> float:
    """Return a number, nan for what is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    return float(value) if abs(value) < 1e300 else math.inf if value > 0 else math.nan


def _column(values: list[Any]) -> FloatArray:
    return np.array([_plain(value) for value in values], dtype=np.float64)


def _from_bench(path: Path, record: dict[str, Any]) -> Trace:
    """Return the trace of a detailed result of vllm bench serve; without start times all arrive at once."""
    lengths = [record.get(name) for name in ("input_lens", "output_lens")]
    times = record.get("start_times")
    isl, osl = (length if isinstance(length, list) else [] for length in lengths)
    starts = times if isinstance(times, list) else [0.0] * len(isl)
    if not isl or not len(isl) == len(osl) == len(starts):
        message = (
            f"input_lens, output_lens and start_times have {len(isl)}, {len(osl)} and {len(starts)} items. Give the "
            "result of vllm bench serve --save-result --save-detailed."
        )
        raise file_fault(path, message)
    columns = (_column(starts), _column(isl), _column(osl))
    order = np.argsort(columns[0], kind="stable")

    def place(row: int) -> tuple[int, dict[str, Any]]:
        at = int(order[row])
        return 1, {"request": at, "start_times": starts[at], "input_lens": isl[at], "output_lens": osl[at]}

    make = _Make(name="vllm_bench", time="start_times", isl="input_lens", osl="output_lens")
    return _checked(path, make, (columns[0][order], columns[1][order], columns[2][order]), place)


def _checked(
    path: Path,
    make: _Make,
    columns: tuple[FloatArray, FloatArray, FloatArray],
    place: Callable[[int], tuple[int, dict[str, Any]]],
) -> Trace:
    """Return the trace of the columns once every value is a number in range and times ascend."""
    times, isl, osl = columns
    faults = []
    earlier = np.zeros(len(times), dtype=np.bool_)
    with np.errstate(invalid="ignore"):  # a time that is none has a fault of its own
        earlier[1:] = np.diff(times) < 0
    for bad, column, remedy in (
        (~np.isfinite(times), make.time, "must be a time; mend or cut the row"),
        (earlier, make.time, "earlier than the row before; sort the trace by time"),
        (
            ~_is_count(isl),
            make.isl,
            f"must be a whole number of tokens, 0 to {limits.REQUEST_TOKENS:,}; mend or cut the row",
        ),
        (
            ~_is_count(osl),
            make.osl,
            f"must be a whole number of tokens, 0 to {limits.REQUEST_TOKENS:,}; mend or cut the row",
        ),
    ):
        for row in np.flatnonzero(bad)[:_MOST_FAULTS]:
            line, values = place(int(row))
            faults.append(
                Fault(message=f"`{str(values[column])[:60]}`: {remedy}", path=column, file=str(path), line=line)
            )
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.line or 0)[:_MOST_FAULTS])
    is_usable = (isl >= 1) & (osl >= 1)
    if not is_usable.any():
        raise file_fault(path, "has no request with both prompt and output tokens. Check the columns.")
    times = times[is_usable]
    whole_isl, whole_osl = isl[is_usable].astype(np.int64), osl[is_usable].astype(np.int64)
    return Trace(
        arrival_s=times - times[0],
        isl=whole_isl,
        osl=whole_osl,
        make=make.name,
        name=path.name,
        skipped=int((~is_usable).sum()),
    )


def _is_count(values: FloatArray) -> BoolArray:
    whole = np.isfinite(values) & (values == np.floor(values))
    return np.asarray(whole & (values >= 0) & (values <= limits.REQUEST_TOKENS), dtype=np.bool_)
