"""Tables for people, JSON for programs, files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import itertools
import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons.errors import InputError
from jevons.files import (
    check_readable,
    keeping_inputs,
    note_input,
    safe_cell,
    target_problem,
    writing,
)
from jevons.results import number
from jevons.schema import json_text, plain
from jevons.text import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

RECORD_ENDINGS = (".json", ".csv")

_SCENARIOS = frozenset({"scenario", "a", "b", "base"})
_OUTPUTS = {"out", "plot", "store", "emit"}
"""Names of options that are written."""
_NARROWEST, _WIDEST = 40, 2000
_LONGEST_NAME, _LONGEST_WORD = 48, 30
"""Words up to these lengths are not broken, in the column that names the row and in other columns of text."""
_NAME_COLUMNS, _TEXT_COLUMNS = 20, 16
"""Widths below which the column that names the row, and other columns of text, do not wrap."""
_LONGEST_FIGURE = 24
"""Cells longer than this are no figures: they wrap, wherever they stand."""
_GAP, _NARROW_GAP = 3, 2
"""Columns of the terminal between two columns of a table, and where it does not fit otherwise."""

_FORCE: ContextVar[bool] = ContextVar("force", default=False)


def named_path(text: str | Path) -> Path:
    """Return the path that an option gives; an empty one would be the folder one is in."""
    import typer

    if not str(text).strip():
        message = "is empty; name a file or folder"
        raise typer.BadParameter(message)
    return Path(text)


_SAYS_HOW = {"--force", "--json", "--detail"}
_SAYS_WHERE = {"--out", "--plot", "--language", "--format"}


def asked_line(words: Sequence[str]) -> str:
    """Return the command of some words without the options that say how and where it is printed."""
    kept: list[str] = []
    skipped = False
    for word in words:
        name, given = word.partition("=")[::2]
        if skipped or word in _SAYS_HOW:
            skipped = False
        elif name in _SAYS_WHERE:
            skipped = not given
        else:
            kept.append(word)
    return shlex.join(["jevons", *kept])


def forced() -> bool:
    """Return whether the running command was given ``--force``."""
    return _FORCE.get()


def forcible(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that writes files with the option ``--force``; another one, or one that has it, as it is."""
    import typer

    signature = inspect.signature(command, eval_str=True)
    if not {"out", "plot"} & set(signature.parameters) or "force" in signature.parameters:
        return command

    @functools.wraps(command)
    def run(**given: Any) -> None:
        mark = _FORCE.set(bool(given.pop("force")))
        try:
            with keeping_inputs():
                note_inputs(given)
                check_inputs({name: value for name, value in given.items() if _of_paths(value)})
                command(**given)
        finally:
            _FORCE.reset(mark)

    kind = Annotated[bool, typer.Option("--force", help="Replace a file that holds something else.")]
    option = inspect.Parameter("force", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    run.__signature__ = signature.replace(parameters=[*own, option])  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in (*own, option)}
    return run


def console() -> Console:
    """Return a console on standard output; where that is no terminal, nothing wraps unless COLUMNS says so."""
    from rich.console import Console

    columns = os.environ.get("COLUMNS", "")
    stated = int(columns) if columns.isdecimal() and len(columns) < 7 else 0
    width = stated or (shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDEST)
    width = min(max(width, _NARROWEST), _WIDEST)
    return Console(highlight=False, width=width, height=25, color_system=None if os.environ.get("NO_COLOR") else "auto")


def show(*items: Any) -> None:
    """Print tables and texts on standard output, and end quietly where the reader has gone."""
    screen = console()
    with screen.capture() as captured:
        for item in items:
            if isinstance(item, str):
                screen.print(printable(item), soft_wrap=True, markup=False)
            else:
                screen.print(item)
    _put(captured.get())


def say(text: str) -> None:
    """Write *text* on standard output, harmless to a terminal; end quietly where the reader has gone (``| head``)."""
    _put(printable(text))


def _put(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        let_go()
        raise SystemExit(0) from None
    except OSError as error:
        let_go()
        raise full_problem(error) from None


FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}
"""What the system says where standard output is a file that cannot take more."""


def full_problem(error: OSError) -> InputError:
    """Return the error of a standard output that cannot be written."""
    return InputError(f"standard output: cannot be written: {error.strerror}; redirect it to another place")


def let_go() -> None:
    """Send what is left for standard output nowhere: Python flushes it once more on its way out."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_streams() -> None:
    """Open what the shell has closed (``>&-``) to nowhere: files would get its number, and writing would fail."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


class _Harmless:
    """Standard error in which nothing that a user or a file wrote is obeyed; our own progress begins with a return."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write *text*."""
        return int(self.stream.write(text if text.startswith("\r") else printable(text)) or 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Make standard error harmless to a terminal: messages of the option parser repeat what was given."""
    with contextlib.redirect_stderr(_Harmless(sys.stderr)):
        yield


def note(text: str) -> None:
    """Write a line of progress on standard error, harmless to a terminal."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{printable(text)}\n")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table that a terminal of any width can show.

    Text columns wrap, heads of number columns wrap, numbers never do: where columns do not fit side by side, the table
    continues below with the columns repeated that name its rows.

    Parameters
    ----------
    title : str
        Line above the table.
    columns : tuple of str
        Heads.
    rows : tuple of tuple of str
        Cells.
    text_columns : int
        How many of the first columns name the row: text, aligned left, repeated where the table continues below.
    text : frozenset of int
        Further columns of text, aligned left.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int
    text: frozenset[int] = frozenset()
    long: frozenset[int] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """Make texts that came from files harmless to a terminal."""
        object.__setattr__(self, "title", printable(self.title))
        object.__setattr__(self, "columns", tuple(map(printable, self.columns)))
        object.__setattr__(self, "rows", tuple(tuple(map(printable, row)) for row in self.rows))
        places = range(len(self.columns))
        longest = [max((len(row[place]) for row in self.rows), default=0) for place in places]
        object.__setattr__(self, "long", frozenset(place for place in places if longest[place] > _LONGEST_FIGURE))

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the title and as many tables as the width needs."""
        from rich.text import Text

        yield Text(self.title, style="bold")
        width, gap = options.max_width, _GAP
        blocks = list(self._blocks(width, gap))
        if len(blocks) > 1:
            closer = list(self._blocks(width, _NARROW_GAP))
            gap, blocks = (_NARROW_GAP, closer) if len(closer) < len(blocks) else (gap, blocks)
        for block in blocks:
            yield self._table(block, width, gap)

    def _natural(self, index: int) -> int:
        return max(len(self.columns[index]), *(len(row[index]) for row in self.rows), 1)

    def _wraps(self, index: int) -> bool:
        return index < self.text_columns or index in self.text or index in self.long

    def _least(self, index: int) -> int:
        """Return the width below which a column must not go."""
        if self._wraps(index):
            words = [word for row in self.rows for word in row[index].split()] + self.columns[index].split()
            most = _LONGEST_NAME if index == 0 else _LONGEST_WORD
            least = _NAME_COLUMNS if index == 0 else _TEXT_COLUMNS
            return min(self._natural(index), max(least, *(min(len(word), most) for word in words), 1))
        head = [len(word) for word in self.columns[index].split()]
        return max(1, *head, *(len(row[index]) for row in self.rows))

    def _blocks(self, width: int, gap: int) -> Iterator[list[int]]:
        """Yield the columns of each table: all that name the row, and a share of the others, in as few as fit."""
        lead = list(range(self.text_columns))
        rest = [self._least(index) + gap for index in range(self.text_columns, len(self.columns))]
        free = width - 2 - sum(self._least(index) + gap for index in lead)
        edges = _full(rest, free)
        equal = [round(i * len(rest) / (len(edges) - 1)) for i in range(len(edges))]
        if all(sum(rest[a:b]) <= free for a, b in itertools.pairwise(equal)):
            edges = equal
        for a, b in itertools.pairwise(edges):
            yield [*lead, *range(self.text_columns + a, self.text_columns + b)]

    def _widen(self, widths: dict[int, int], spare: int) -> None:
        """Share what is spare: text that then stands on one line, then the tallest heads, then long text."""
        missing = {index: self._natural(index) - width for index, width in widths.items()}
        long = [index for index in widths if self._wraps(index) and missing[index] > spare]
        for index in sorted((i for i in widths if self._wraps(i) and i not in long), key=missing.__getitem__):
            more = min(missing[index], spare)
            widths[index] += more
            spare -= more
        heads = {index: self._lines(index, width) for index, width in widths.items() if not self._wraps(index)}
        while heads:
            index = max(heads, key=heads.__getitem__)
            if heads[index] == 1:
                break
            more = next(m for m in range(1, missing[index] + 1) if self._lines(index, widths[index] + m) < heads[index])
            if more > spare:
                del heads[index]
                continue
            widths[index] += more
            heads[index] = self._lines(index, widths[index])
            spare -= more
        for index in long:
            widths[index] += min(missing[index], spare // len(long))

    def _lines(self, index: int, width: int) -> int:
        """Return how many lines a head takes."""
        return len(textwrap.wrap(self.columns[index], width))

    def _table(self, block: Sequence[int], width: int, gap: int) -> Table:
        from rich import box
        from rich.table import Table

        widths = {index: self._least(index) for index in block}
        spare = width - 2 - sum(w + gap for w in widths.values())
        wrapping = [index for index in block if self._wraps(index)]
        while spare < 0 and widths[longest := max(wrapping, key=lambda i: widths[i])] > 8:
            widths[longest] -= 1
            spare += 1
        self._widen(widths, spare)
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, gap - 2))
        for index in block:
            text = self._wraps(index)
            grid.add_column(
                _escaped(self.columns[index]), justify="left" if text else "right", width=widths[index], overflow="fold"
            )
        for row in self.rows:
            grid.add_row(*(_escaped(row[index]) for index in block))
        return grid


def _full(widths: Sequence[int], free: int) -> list[int]:
    """Return where runs of columns begin and end, each as many as fit into *free*."""
    edges, used = [0], 0
    for place, width in enumerate(widths):
        if used and used + width > free:
            edges.append(place)
            used = 0
        used += width
    return [*edges, len(widths)]


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, text_columns: int = 1) -> Sheet:
    """Return a table whose first *text_columns* are text and whose others are numbers, aligned right."""
    cells = tuple(tuple(cell if isinstance(cell, str) else number(cell) for cell in row) for row in rows)
    return Sheet(title=title, columns=tuple(columns), rows=cells, text_columns=text_columns)


def check_out(out: Path | None, endings: Sequence[str] = RECORD_ENDINGS, *, option: str = "--out") -> None:
    """Refuse a path that could not be written, before any work is done.

    Raises
    ------
    InputError
        If the ending is another, or the writer refuses the path.
    """
    if out is None:
        return
    if out.suffix not in endings:
        message = f"{option} {out}: the ending must be {', '.join(endings[:-1])} or {endings[-1]}"
    elif problem := target_problem(out, force=forced()):
        message = f"{option} {out}: {problem}"
    else:
        return
    raise InputError(message)


def check_inputs(given: Mapping[str, Any]) -> None:
    """Refuse files that cannot be read before a command imports what it needs."""
    for name, value in given.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, str | Path) and name not in _OUTPUTS:
                _check_address(str(item))
                if name in _SCENARIOS and not Path(item).suffix and not os.path.lexists(item):
                    continue  # a name that ships, or near one: reading it tells
                check_readable(item)


def _check_address(text: str) -> None:
    """Refuse an address of the web, which as a path has lost one of its slashes."""
    if text.startswith(("http:/", "https:/")):
        shown = text if "://" in text else text.replace(":/", "://", 1)
        message = f"{shown}: pages are not fetched; save the page's text and give that file"
        raise InputError(message)


def _of_paths(value: Any) -> bool:
    return isinstance(value, Path) or (
        isinstance(value, list | tuple) and any(isinstance(item, Path) for item in value)
    )


def note_inputs(given: Mapping[str, Any]) -> None:
    """Take note of the files that a command's line names, and of those in a folder of files, before any is read."""
    for name, value in given.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if name not in _OUTPUTS and isinstance(item, str | Path):
                path = Path(item)
                with contextlib.suppress(OSError, ValueError):
                    note_input(path)
                    for entry in path.iterdir() if name == "files" and path.is_dir() else ():
                        note_input(entry)


def write(path: Path, text: str) -> None:
    """Write *text* to *path*, whole or not at all, and say so on standard error."""
    with writing(path, force=forced()) as stream:
        stream.write(text)
    note(f"wrote {path}")


def emit(value: Mapping[str, Any], tables: Iterable[Any], *, as_json: bool, out: Path | None) -> None:
    """Write *value* to *out* (.json) or its records (.csv); print it as JSON, or print the *tables*."""
    check_out(out)
    if out is not None:
        write(out, json_text(value) if out.suffix == ".json" else csv_text(value))
    if as_json:
        say(json_text(value))
    else:
        show(*tables)


def csv_text(value: Mapping[str, Any]) -> str:
    """Return the first list of records in *value* as CSV; a single record where there is none."""
    import csv
    import io

    listed: list[Mapping[str, Any]] = next(
        (item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], Mapping)), [value]
    )
    records = [dict(_flat(plain(record))) for record in listed]
    columns = list(dict.fromkeys(key for record in records for key in record))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: safe_cell(v) if isinstance(v, str) else v for key, v in row.items()} for row in records)
    return stream.getvalue()


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the cells of a record: nested keys joined by dots, lists as JSON."""
    for key, item in record.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(item, ensure_ascii=False) if isinstance(item, list) else item
