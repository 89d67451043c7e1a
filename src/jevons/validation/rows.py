"""Reads tables of measured rows; what they hold is recognised by their header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jevons.errors import InputError
from jevons.files import read_csv
from jevons.validation.operators.predict import recognises
from jevons.validation.serving.startup_log import is_log, startup_of_log
from jevons.validation.serving.startups import STARTUP_COLUMNS
from jevons.validation.training.reliability import RELIABILITY_COLUMNS

SERVING_COLUMNS = ("model", "gpu", "isl", "osl", "concurrency_or_rate", "metric", "value")
TRACE_COLUMNS = ("gpu", "model", "request_id", "input_tokens", "output_tokens", "first_token_s", "last_token_s")
TRAINING_COLUMNS = ("model", "gpu", "seq_len", "global_batch", "step_time_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file of measured rows.

    Parameters
    ----------
    path : Path
        Where it was read.
    kind : str
        ``serving``, ``startups``, ``ops``, ``traces``, ``training`` or ``reliability``.
    columns : tuple of str
        Its header.
    rows : tuple of dict
        Its data rows, as text.
    """

    path: Path
    kind: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def kind_of(header: list[str]) -> str | None:
    """Return what a header's rows measure, or None."""
    names = set(header)
    if names.issuperset(SERVING_COLUMNS):
        return "serving"
    if names.issuperset(STARTUP_COLUMNS):
        return "startups"
    if names.issuperset(TRACE_COLUMNS):
        return "traces"
    if recognises(header):
        return "ops"
    if names.issuperset(TRAINING_COLUMNS):
        return "training"
    if names.issuperset(RELIABILITY_COLUMNS):
        return "reliability"
    return None


def read_table(path: Path | str) -> Table:
    """Return the rows of a CSV file of measurements, or the start-up that a log (``.log``, ``.txt``) tells.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or has a header that none of the readers knows.
    """
    path = Path(path)
    if is_log(path):
        row = startup_of_log(path)
        return Table(path=path, kind="startups", columns=tuple(row), rows=(row,))
    header, lines = read_csv(path)
    kind = kind_of(header)
    if kind is None:
        message = (
            f"{path}: the header `{','.join(header)[:120]}` is none of those known. Serving rows need "
            f"{', '.join(SERVING_COLUMNS)}; operator rows the columns of their operator."
        )
        raise InputError(message)
    if not lines:
        message = f"{path}:1: has a header and no rows; there is nothing to compare"
        raise InputError(message)
    rows = tuple({k: v for k, v in row.items() if k} for _, row in lines)
    return Table(path=path, kind=kind, columns=tuple(header), rows=rows)
