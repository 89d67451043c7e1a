"""SQL over frames, by DuckDB, which sees nothing else: no files, no network."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.errors import InputError
from jevons.files import writing
from jevons.files.read import limit
from jevons.limits import MAX_ROWS, SQL_BYTES, SQL_ROWS, SQL_S

if TYPE_CHECKING:
    import duckdb
    import polars as pl

_SHOWN = 60


def query(frames: Mapping[str, pl.DataFrame], sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return names of columns and rows of what a statement selects from frames.

    Raises
    ------
    InputError
        If DuckDB is not installed or refuses the statement, or it takes more time, memory or rows than it may.
    """
    try:
        import duckdb
    except ImportError:
        message = (
            "--sql: DuckDB is not installed; install it with `pip install 'jevons[sql]'`, or ask polars in Python: "
            "jevons.study.open(STORE).to_frame('draws')"
        )
        raise InputError(message) from None
    shown = sql if len(sql) <= _SHOWN else f"{sql[: _SHOWN - 1]}…"
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(":memory:") as connection:
        for name, frame in frames.items():
            if frame.width == 0:
                continue
            file = Path(folder) / f"{name}.parquet"
            content = io.BytesIO()
            frame.write_parquet(content)
            with writing(file, "wb") as stream:
                stream.write(content.getbuffer())
            connection.execute(f"create table {name} as select * from read_parquet(?)", [str(file)])  # noqa: S608
        connection.execute(f"set memory_limit = '{SQL_BYTES}B'")
        connection.execute("set temp_directory = ''")  # nothing spills beside the user's files
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        most = limit(MAX_ROWS, SQL_ROWS)
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                message = f"--sql {shown}: {len(statements)} statements; give one"
                raise InputError(message)
            if statements[0].type != duckdb.StatementType.SELECT:
                message = (
                    f"--sql {shown}: only select is understood; the tables are a view, and the store stays as it is"
                )
                raise InputError(message)
            with _interrupted(connection, SQL_S):
                answer = connection.execute(statements[0])
                heads = [column[0] for column in answer.description or ()]
                rows = answer.fetchmany(most + 1)
            if len(rows) > most:
                message = f"--sql {shown}: gives more than {most:,} rows; add a limit, or raise {MAX_ROWS}"
                raise InputError(message)
        except duckdb.InterruptException:
            message = f"--sql {shown}: takes more than {SQL_S} s; ask for less"
            raise InputError(message) from None
        except duckdb.OutOfMemoryException:
            message = f"--sql {shown}: takes more than {SQL_BYTES:,} bytes of memory; ask for less"
            raise InputError(message) from None
        except (duckdb.Error, UnicodeError) as error:
            reason = re.sub(r"\s+", " ", str(error).partition("\nLINE")[0]).strip().rstrip(".")
            message = f"--sql {shown}: {reason}. Tables: {', '.join(frames)}."
            raise InputError(message) from None
    return heads, [tuple(map(_plain, row)) for row in rows]


@contextlib.contextmanager
def _interrupted(connection: duckdb.DuckDBPyConnection, most_s: int) -> Iterator[None]:
    """Stop what a connection runs after so many seconds."""
    timer = threading.Timer(most_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _plain(value: Any) -> Any:
    """Return a value as a cell of a table has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    try:
        return float(value) if type(value).__name__ == "Decimal" else str(value)
    except ValueError:
        return str(value)
