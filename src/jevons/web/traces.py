"""Uploaded traces: read in a worker, told in numbers, mapped where their columns have other names."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jevons.errors import Fault, InputError
from jevons.files import csv_lines

MAX_BYTES = 50_000_000
MAX_TRACES = 20
ENDINGS = (".csv", ".jsonl", ".json", ".parquet", ".csv.gz", ".jsonl.gz", ".csv.zst", ".jsonl.zst")
ROLES = ("arrival", "isl", "osl")
"""What a column may be mapped to: arrival time, prompt tokens, output tokens."""
_MAPPED = ("arrived_at", "num_prefill_tokens", "num_decode_tokens")
_BINS = 60


def ending(name: str) -> str:
    """Return the ending of a trace's name.

    Raises
    ------
    InputError
        If traces have no such ending.
    """
    lower = name.lower()
    for suffix in sorted(ENDINGS, key=len, reverse=True):
        if lower.endswith(suffix):
            return suffix
    message = f"trace {name[-60:] or '(no name)'}: the ending must be one of {', '.join(ENDINGS)}"
    raise InputError(message)


def identity(content: bytes, columns: Mapping[str, str] | None) -> str:
    """Return the id of a trace: the hash of what it holds and how its columns are read."""
    digest = hashlib.sha256(content)
    digest.update(repr(sorted((columns or {}).items())).encode())
    return f"t-{digest.hexdigest()[:20]}"


def mapped(content: bytes, columns: Mapping[str, str]) -> bytes:
    """Return a CSV trace with the columns that readers know, from one whose columns are named in *columns*.

    Raises
    ------
    InputError
        If a column is missing, or a row has no number where one must stand.
    """
    text = content.decode("utf-8-sig", errors="replace")
    lines = csv_lines("trace", text)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    missing = [f"{role}: column `{columns.get(role, '')}`" for role in ROLES if columns.get(role) not in header]
    if missing:
        message = f"map {'; '.join(missing)} is not in the file. It has: {', '.join(header[:40])}."
        raise InputError(message)
    places = [header.index(columns[role]) for role in ROLES]
    rows = []
    for line, row in lines:
        if not row:
            continue
        try:
            rows.append((_seconds(row[places[0]]), float(row[places[1]]), float(row[places[2]])))
        except (ValueError, IndexError):
            fault = Fault(message="has no time and two counts in the mapped columns", file="trace", line=line)
            raise InputError(fault) from None
    if not rows:
        message = "trace: has no rows below its header"
        raise InputError(message)
    rows.sort()
    first = rows[0][0]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_MAPPED)
    writer.writerows((f"{time - first:.6f}", f"{isl:.0f}", f"{osl:.0f}") for time, isl, osl in rows)
    return out.getvalue().encode()


def _seconds(text: str) -> float:
    """Return a time in seconds: a number, or a date and time."""
    import datetime as dt

    try:
        value = float(text)
    except ValueError:
        value = dt.datetime.fromisoformat(text.strip()).replace(tzinfo=dt.UTC).timestamp()
    if not math.isfinite(value):
        raise ValueError
    return value


def header_of(content: bytes) -> dict[str, Any]:
    """Return the columns and first rows of a CSV file, for a mapping; empty where it is none."""
    try:
        text = content[:20_000].decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content[:20_000].decode("utf-8-sig", errors="ignore")
    try:
        rows = [cells for _, cells in itertools.islice(csv_lines("trace", text), 4)]
    except InputError:
        return {}
    if not rows or not 2 <= len(rows[0]) <= 200 or any("\x00" in cell for cell in rows[0]):
        return {}
    return {"columns": [cell.strip()[:80] for cell in rows[0]], "rows": [[c[:40] for c in r] for r in rows[1:]]}


def statistics(path: Path, name: str, columns: Mapping[str, str] | None) -> dict[str, Any]:
    """Return what a trace holds; the file is rewritten with known columns where a mapping is given.

    Raises
    ------
    InputError
        If it cannot be read as a trace; the message says why.
    """
    import numpy as np

    from jevons.serving.sim.load.traces import read_trace

    if columns:
        path.write_bytes(mapped(path.read_bytes(), columns))
    try:
        trace = read_trace(path)
    except InputError as error:  # of the file that the user knows, not of the copy that is held
        raise InputError(str(error).replace(str(path), name)) from None
    arrival = trace.arrival_s
    span = float(arrival[-1]) if len(arrival) else 0.0
    counts, edges = np.histogram(arrival, bins=_BINS, range=(0.0, max(span, 1e-9)))
    width = float(edges[1] - edges[0])
    return {
        "name": name,
        "format": "mapped columns" if columns else trace.make,
        "requests": len(arrival),
        "skipped": trace.skipped,
        "span_s": span,
        "rate_req_per_s": len(arrival) / span if span > 0 else None,
        "isl": _lengths(trace.isl),
        "osl": _lengths(trace.osl),
        "prefix_hashes": trace.hashes is not None,
        "arrivals": {"start_s": edges[:-1].tolist(), "per_s": (counts / width).tolist()},
    }


def _lengths(values: Any) -> dict[str, Any]:
    import numpy as np

    top = max(float(values.max()), 2.0)
    edges = np.unique(np.round(np.geomspace(1, top * 1.0001, 33)))
    counts, edges = np.histogram(values, bins=edges)
    return {
        "mean": float(values.mean()),
        **{f"p{q}": float(np.percentile(values, q)) for q in (50, 95, 99)},
        "edges": edges.tolist(),
        "counts": counts.tolist(),
    }
