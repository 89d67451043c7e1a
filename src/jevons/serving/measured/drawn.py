"""Tables that tools draw with lines, or that reports hold in Markdown, as the comma-separated tables that they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

_BAR = re.compile(r"[|│┃]")
_RULE = re.compile(r"[\s\-=+:|─━═┌┐└┘├┤┬┴┼┏┓┗┛┡┩┠┨╇┳┻╋╞╪╡╭╮╰╯│┃]*")
_LOAD = re.compile(r"(?:conc(?:urrency)?|users|c)\s*[=:@ ]?\s*(\d+)", re.IGNORECASE)
_STATISTIC = {"avg", "mean", "min", "max", "p50", "p90", "p99"}
_HEADS = {"metric", "statistic"}
_PAIR = 2


def drawn_table(text: str) -> str:
    r"""Return the first drawn table of a text as CSV, a row for each run or metric; empty where it holds none.

    Cells of a drawn line that has no first column, or no other, belong to the line above. A table of names and values
    is one run, whose figures stand below each other; so are columns such as ``conc=8`` each one.

    Examples
    --------
    >>> drawn_table("| ISL | TTFT (ms) |\n|-----|-----------|\n| 128 | 1,011.4   |")
    'ISL,TTFT (ms)\n128,1011.4\n'
    >>> drawn_table("ISL,TTFT (ms)\n128,11.4")
    ''
    """
    rows: list[list[str]] = []
    for line in text.splitlines():
        drawn = line.strip()
        if not drawn or (_RULE.fullmatch(drawn) and rows):
            continue
        if not _BAR.match(drawn) or not _BAR.match(drawn[-1]):
            if rows:
                break
            continue
        if not _RULE.fullmatch(drawn):
            _add(rows, [cell.strip().strip("*`").strip() for cell in _BAR.split(drawn)[1:-1]])
    if len(rows) < _PAIR or any(len(row) != len(rows[0]) for row in rows):
        return ""
    return _written(_of_runs(rows))


def _add(rows: list[list[str]], cells: list[str]) -> None:
    if rows and len(rows[-1]) == len(cells) > 1 and cells[0] and not any(cells[1:]):
        rows[-1][0] = f"{rows[-1][0]} {cells[0]}"
    else:
        rows.append(cells)


def _of_runs(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return a table whose rows are runs, or metrics with a column for each statistic."""
    head = [cell.lower() for cell in rows[0]]
    if len(head) == _PAIR and not _number(rows[0][1]) and not any(_number(row[0]) for row in rows):
        pairs = rows[1:] if head[1] in {"value", "values"} else rows
        return [list(column) for column in zip(*pairs, strict=True)]
    if head[0] in _HEADS and _STATISTIC & set(head):
        return [["Metric", *head[1:]], *map(list, rows[1:])]
    loads = [_LOAD.fullmatch(cell) for cell in head[1:]]
    if head[0] in _HEADS and all(loads):
        users = ["concurrency", *(load[1] for load in loads if load)]
        return [list(column) for column in zip(users, *rows[1:], strict=True)]
    return [*map(list, rows)]


def _number(cell: str) -> str:
    """Return a cell as a number without commas between thousands; empty where it is none."""
    plain = cell.replace(",", "")
    return plain if re.fullmatch(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?", plain, re.IGNORECASE) else ""


def _written(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow([_number(cell) or ("" if cell in {"N/A", "-", "–"} else cell) for cell in row])
    return out.getvalue()
