"""Reads tables of measured rows; what they hold is recognised by their header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jevons.errors import InputError
from jevons.files import read_csv
from jevons.serving.measured import read_runs
from jevons.serving.measured.engine_log import is_engine_log
from jevons.serving.measured.known import known_text, text_of
from jevons.validation.operators.predict import recognises
from jevons.validation.serving.acceptance import ACCEPTANCE_COLUMNS
from jevons.validation.serving.startup_log import is_log, startup_of_log
from jevons.validation.serving.startups import STARTUP_COLUMNS
from jevons.validation.told import Told, is_load_test, serving_rows, startup_row
from jevons.validation.training.reliability import RELIABILITY_COLUMNS

TABLES = (".csv", ".tsv", ".parquet")
SERVING_COLUMNS = ("model", "gpu", "isl", "osl", "concurrency_or_rate", "metric", "value")
ACCEPTED = "accept_length"
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
        ``serving``, ``startups``, ``acceptance``, ``ops``, ``traces``, ``training`` or ``reliability``.
    columns : tuple of str
        Its header.
    rows : tuple of dict
        Its data rows, as text.
    named : bool
        Whether its rows name their server in columns of their own, so that what is told of it has no effect.
    """

    path: Path
    kind: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    named: bool = False


def kind_of(header: list[str]) -> str | None:
    """Return what a header's rows measure, or None."""
    names = set(header)
    if names.issuperset(SERVING_COLUMNS):
        return "serving"
    if names.issuperset(STARTUP_COLUMNS):
        return "startups"
    if names.issuperset(ACCEPTANCE_COLUMNS):
        return "acceptance"
    if names.issuperset(TRACE_COLUMNS):
        return "traces"
    if recognises(header):
        return "ops"
    if names.issuperset(TRAINING_COLUMNS):
        return "training"
    if names.issuperset(RELIABILITY_COLUMNS):
        return "reliability"
    return None


def read_table(path: Path | str, told: Told | None = None) -> Table:
    """Return the first table of a file; see `read_tables`."""
    return read_tables(path, told)[0]


def read_tables(path: Path | str, told: Told | None = None) -> list[Table]:
    """Return the rows of a file of measurements.

    A CSV file holds a table known by its header, or a load test's results a row each; a log (``.log``, ``.txt``) tells
    of a start-up, and of a steady load where lengths are told, unless it is a printed report; a snapshot of
    ``/metrics`` has a table of runs and one of start-ups.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or is none that a reader knows; the message has an example of each.
    """
    path, told = Path(path), told or Told()
    text = text_of(path) if path.suffix.lower() not in TABLES else ""
    if is_log(path, text) and not is_load_test(text):
        served = _load_tests(path, told) if is_engine_log(text) and told.cells["isl"] and told.cells["osl"] else []
        try:
            row = startup_of_log(path)
        except InputError:
            if served:
                return served
            raise
        given = {name: value for name, value in told.cells.items() if value and name in row}
        row |= {name: value for name, value in given.items() if not row[name] or name in {"model", "gpu"}}
        row["tp"] = row["tp"] or "1"
        return [Table(path=path, kind="startups", columns=tuple(row), rows=(row,)), *served]
    if text and is_load_test(text):
        return _load_tests(path, told)
    if not text.strip() and path.is_file() and not path.stat().st_size:
        message = f"{path}: is empty; name a file of measured rows, or the result of a load test"
        raise InputError(message)
    header, lines = read_csv(path)
    kind = None if told.mapping else kind_of(header)
    if kind is None:
        try:
            return _load_tests(path, told)
        except InputError as error:
            if "no result of a load test" not in str(error):
                raise
            message = (
                f"{path}: the header `{','.join(header)[:120]}` is none of those known. Serving rows need "
                f"{', '.join(SERVING_COLUMNS)}; acceptance lengths {', '.join(ACCEPTANCE_COLUMNS)}; operator rows the "
                "columns of their operator. Results of load tests "
                f"are:\n{known_text()}\nColumns of other names are mapped, as in --map ttft='First token (ms)'."
            )
            raise InputError(message) from None
    if not lines:
        message = f"{path}:1: has a header and no rows; there is nothing to compare"
        raise InputError(message)
    rows = tuple({k: v for k, v in row.items() if k} for _, row in lines)
    if kind == "serving":
        rows = with_accepted(rows)
    return [Table(path=path, kind=kind, columns=tuple(header), rows=rows, named=True)]


def with_accepted(rows: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
    """Return serving rows, those of runs that print how many tokens a step yields with that figure.

    A run that prints it ran with a drafting head, whatever its serve command says.
    """
    accepted = {row.get("run_id"): row["value"] for row in rows if row["metric"] == ACCEPTED and row.get("run_id")}
    return tuple({**row, ACCEPTED: accepted[row["run_id"]]} if row.get("run_id") in accepted else row for row in rows)


def _load_tests(path: Path, told: Told) -> list[Table]:
    """Return the tables of a load test's file: its runs, and the start-ups that snapshots give."""
    runs = read_runs(path, told.mapping)
    rows = tuple(row for run in runs for row in serving_rows(run, told))
    starts = tuple(row for run in runs for row in (startup_row(run, told),) if row is not None)
    tables = [Table(path=path, kind="serving", columns=tuple(rows[0]), rows=rows)] if rows else []
    if starts:
        tables.append(Table(path=path, kind="startups", columns=tuple(starts[0]), rows=starts))
    return tables
