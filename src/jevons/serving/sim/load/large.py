"""Reads large tables of plain numbers by columns; whatever else a table holds is for the reader of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from jevons import limits
from jevons.files.read import limit
from jevons.limits import MAX_ROWS
from jevons.serving.sim.load.obvious import cached_fields, obvious_fields
from jevons.serving.sim.types import FloatArray, IntArray

LARGE_BYTES = 8_000_000
"""Size from which a table is read by columns: a row read alone takes 20 microseconds and a kilobyte."""
_HEAD_BYTES = 1_000_000
_UNITS_S = {"": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


class Columns(NamedTuple):
    """Requests in order of time, the fields that they are of, rows without tokens, and fields of cached tokens."""

    arrival_s: FloatArray
    isl: IntArray
    osl: IntArray
    fields: Mapping[str, str]
    skipped: int
    cached: list[str]


def large_table(content: bytes) -> Columns | None:
    """Return the requests of a table whose names tell times and tokens; None where anything is not a plain number."""
    end = content.find(b"\n", 0, _HEAD_BYTES)
    if end < 0 or content[:1] in {b"{", b"["} or b'"' in content[:_HEAD_BYTES]:
        return None
    try:
        first = pl.read_csv(content[:_HEAD_BYTES].rsplit(b"\n", 1)[0], n_rows=1, infer_schema=False)
        record = {name: first[name][0] for name in first.columns}
        fields = obvious_fields(record)
        time = next((name for name in fields if name == "time" or name.startswith("time_")), "")
        others = {"isl", "osl", time}
        if set(fields) != others or not time or any(re.search(r"_duplicated_\d+$|hash", n) for n in first.columns):
            return None
        names = [fields[name] for name in (time, "isl", "osl")]
        most = limit(MAX_ROWS, limits.TRACE_ROWS)
        table = pl.read_csv(content, columns=names, schema_overrides=dict.fromkeys(names, pl.Float64), n_rows=most + 1)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    times, isl, osl = (table[name].fill_null(float("nan")).to_numpy() for name in names)
    counts = all(((column >= 0) & (column == np.floor(column))).all() for column in (isl, osl))
    within = counts and max(isl.max(), osl.max()) <= limits.REQUEST_TOKENS
    if not within or not np.isfinite(times).all() or table.height > most:
        return None
    usable = (isl >= 1) & (osl >= 1)
    if not usable.any():
        return None
    seconds = times[usable] * _UNITS_S[time.partition("_")[2]]
    order = np.argsort(seconds, kind="stable")
    return Columns(
        seconds[order] - seconds[order[0]], isl[usable][order].astype(np.int64), osl[usable][order].astype(np.int64),
        fields, int((~usable).sum()), cached_fields(record),
    )  # fmt: skip
