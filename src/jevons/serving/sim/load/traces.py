"""Reads request traces of several makes, recognised by what is in them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from jevons.errors import Fault, InputError
from jevons.serving.sim.load.files import trace_bytes, trace_fault
from jevons.serving.sim.types import FloatArray, IntArray

BoolArray = NDArray[np.bool_]

MOST_TOKENS = 100_000_000
_MOST_FAULTS = 5


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
        ``azure``, ``mooncake``, ``qwen``, ``burstgpt``, ``vidur`` or ``vllm_bench``.
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
_KNOWN = (
    "Known: Azure CSV (TIMESTAMP, ContextTokens, GeneratedTokens), Vidur CSV (arrived_at, num_prefill_tokens, "
    "num_decode_tokens), BurstGPT CSV (Timestamp, Request tokens, Response tokens), Mooncake and Qwen-Bailian JSONL "
    "(timestamp, input_length, output_length), the detailed JSON of vllm bench serve; plain, .gz, .zst or Parquet."
)


def read_trace(path: Path | str) -> Trace:
    """Read a request trace.

    Parameters
    ----------
    path : Path or str
        CSV, JSON lines or JSON, plain, gzip or zstd, or Parquet with the columns of one of the CSV makes.

    Raises
    ------
    InputError
        If the file is missing, empty, too large, of no known make, or a row is malformed, out of order or out of
        range; the message names file, line, value and remedy.
    """
    path = Path(path)
    content = trace_bytes(path)
    if content[:4] == b"PAR1":
        return _from_table(path, _parquet(path, content), line_offset=1)
    if not content.strip():
        raise trace_fault(path, "is empty. Give a trace with at least one request.")
    if content.lstrip()[:1] == b"{":
        return _from_json(path, content)
    return _from_table(path, _csv(path, content), line_offset=2)


def _parquet(path: Path, content: bytes) -> pl.DataFrame:
    try:
        table = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        message = f"is no whole Parquet file: {str(error).splitlines()[0]}. Fetch it again."
        raise trace_fault(path, message) from None
    return table.with_columns(pl.all().cast(pl.String, strict=False))


def _csv(path: Path, content: bytes) -> pl.DataFrame:
    try:
        content.decode("utf-8")
        return pl.read_csv(content, infer_schema=False, truncate_ragged_lines=False)
    except UnicodeDecodeError:
        message = f"is neither text nor Parquet. {_KNOWN}"
        raise trace_fault(path, message) from None
    except pl.exceptions.PolarsError as error:
        message = f"is malformed CSV: {str(error).splitlines()[0]}. Mend or cut the row."
        raise trace_fault(path, message) from None


def _from_table(path: Path, table: pl.DataFrame, *, line_offset: int) -> Trace:
    """Return the trace of a table of texts."""
    table = table.rename({column: column.strip() for column in table.columns})
    for make in _CSV_MAKES:
        if {make.time, make.isl, make.osl} <= set(table.columns):
            break
    else:
        message = f"has columns {', '.join(table.columns[:8])}, those of no known trace. {_KNOWN}"
        raise trace_fault(path, message, 1)
    if table.height == 0:
        message = "has a head but no rows. Give a trace with at least one request."
        raise trace_fault(path, message)
    texts = table.select(pl.col(make.time, make.isl, make.osl).str.strip_chars())
    times = _seconds(texts[make.time], dated=make.dated) / make.per_s
    isl, osl = (_numbers(texts[column]) for column in (make.isl, make.osl))

    def place(row: int) -> tuple[int, dict[str, Any]]:
        return row + line_offset, texts.row(row, named=True)

    return _checked(path, make, (times, isl, osl), place)


def _numbers(texts: pl.Series) -> FloatArray:
    return texts.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def _seconds(texts: pl.Series, *, dated: bool) -> FloatArray:
    """Return seconds; of dates, from the first date on (nan where unreadable)."""
    plain = _numbers(texts)
    if not dated and not np.isnan(plain).all():
        return plain
    bare = texts.str.replace(r"(Z|[+-]00:?00)$", "").str.replace("T", " ", literal=True)
    stamps = bare.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ns", strict=False).to_physical()
    if stamps.null_count() == len(stamps):
        return plain
    start = int(stamps.drop_nulls()[0])
    return ((stamps - start).cast(pl.Float64) / 1e9).fill_null(float("nan")).to_numpy()


def _from_json(path: Path, content: bytes) -> Trace:
    """Return the trace of JSON lines, or of one object of lists."""
    lines = content.splitlines()
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == 1 and (whole := _whole(content)) is not None:
                row = whole
            else:
                reason = str(error).splitlines()[0]
                shown = line[:60].decode("utf-8", "replace")
                message = f"`{shown}` is no JSON ({reason}). Mend or cut the line."
                raise trace_fault(path, message, number) from None
        if not isinstance(row, dict):
            message = f"`{str(row)[:60]}` is no object with timestamp, input_length and output_length. Mend the line."
            raise trace_fault(path, message, number)
        if not rows and "input_lens" in row:
            return _from_bench(path, row)
        rows.append(row)
        numbers.append(number)
    for make in _JSONL_MAKES:
        if {make.time, make.isl, make.osl, *make.needs} <= set(rows[0]):
            break
    else:
        message = f"has fields {', '.join(list(rows[0])[:8])}, those of no known trace. {_KNOWN}"
        raise trace_fault(path, message, numbers[0])
    columns = [_plain([row.get(name) for row in rows]) for name in (make.time, make.isl, make.osl)]
    times, isl, osl = columns

    def place(row: int) -> tuple[int, dict[str, Any]]:
        return numbers[row], {name: rows[row].get(name) for name in (make.time, make.isl, make.osl)}

    trace = _checked(path, make, (times / make.per_s, isl, osl), place)
    kept = np.flatnonzero((isl >= 1) & (osl >= 1))
    if make.needs:
        trace = replace(trace, session=_sessions([rows[row] for row in kept]))
    if not any("hash_ids" in row for row in rows):
        return trace
    return _with_hashes(path, trace, make, [(numbers[row], rows[row].get("hash_ids", [])) for row in kept])


def _with_hashes(path: Path, trace: Trace, make: _Make, lists: list[tuple[int, Any]]) -> Trace:
    """Return the trace with the hashes of its prompt blocks."""
    for line, keys in lists:
        if not isinstance(keys, list) or not all(type(key) is int and abs(key) < 1 << 62 for key in keys):
            message = f"hash_ids `{str(keys)[:60]}`: must be a list of whole numbers; mend or cut the line"
            raise trace_fault(path, message, line)
    flat = np.array([key for _, keys in lists for key in keys], dtype=np.int64)
    start = np.append(0, np.cumsum([len(keys) for _, keys in lists])).astype(np.int64)
    dense = np.unique(flat, return_inverse=True)[1].astype(np.int64)
    return replace(trace, hashes=dense, hash_start=start, hash_tokens=make.hash_tokens)


def _sessions(rows: list[dict[str, Any]]) -> IntArray:
    """Return the conversation of each request: that of the one it answers to, or a new one."""
    of_chat: dict[str, int] = {}
    sessions = np.empty(len(rows), dtype=np.int64)
    count = 0
    for place, row in enumerate(rows):
        parent = of_chat.get(str(row.get("parent_chat_id")))
        sessions[place] = count if parent is None else parent
        count += parent is None
        of_chat[str(row["chat_id"])] = int(sessions[place])
    return sessions


def _whole(content: bytes) -> dict[str, Any] | None:
    """Return the object that the whole file is, if it is one."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _plain(values: list[Any]) -> FloatArray:
    """Return numbers, nan for what is none."""
    numbers = [v if isinstance(v, int | float) and not isinstance(v, bool) else float("nan") for v in values]
    try:
        return np.array(numbers, dtype=np.float64)
    except OverflowError:
        return np.array([v if abs(v) < 1e300 else np.inf for v in numbers], dtype=np.float64)


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
        raise trace_fault(path, message)
    columns = (_plain(starts), _plain(isl), _plain(osl))
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
    earlier[1:] = np.diff(times) < 0
    for bad, column, remedy in (
        (~np.isfinite(times), make.time, "must be a time; mend or cut the row"),
        (earlier, make.time, "earlier than the row before; sort the trace by time"),
        (~_is_count(isl), make.isl, f"must be a whole number of tokens, 0 to {MOST_TOKENS:,}; mend or cut the row"),
        (~_is_count(osl), make.osl, f"must be a whole number of tokens, 0 to {MOST_TOKENS:,}; mend or cut the row"),
    ):
        for row in np.flatnonzero(bad)[:_MOST_FAULTS]:
            line, values = place(int(row))
            faults.append(
                Fault(message=f"`{str(values[column])[:60]}`: {remedy}", path=column, file=str(path), line=line)
            )
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.line or 0)[:_MOST_FAULTS])
    kept = (isl >= 1) & (osl >= 1)
    if not kept.any():
        raise trace_fault(path, "has no request with both prompt and output tokens. Check the columns.")
    times = times[kept]
    whole_isl, whole_osl = isl[kept].astype(np.int64), osl[kept].astype(np.int64)
    return Trace(
        arrival_s=times - times[0],
        isl=whole_isl,
        osl=whole_osl,
        make=make.name,
        name=path.name,
        skipped=int((~kept).sum()),
    )


def _is_count(values: FloatArray) -> BoolArray:
    whole = np.isfinite(values) & (values == np.floor(values))
    return np.asarray(whole & (values >= 0) & (values <= MOST_TOKENS), dtype=np.bool_)
