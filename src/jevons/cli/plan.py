"""`jevons plan` and `jevons value`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.options import parse_date
from jevons.cli.output import RECORD_ENDINGS, Sheet, check_out, emit, say, show, table, write
from jevons.errors import InputError
from jevons.schema import json_text

if TYPE_CHECKING:
    from jevons.study import PlanResult

_ENDINGS = (".html", ".json", ".nc")


class Progress:
    """Says on standard error, where it is a terminal, what is done and how long is left."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.step = ""
        self.shown = sys.stderr.isatty()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show the step; draws show a count and the time left."""
        if not self.shown:
            return
        now = time.monotonic()
        if step != self.step:
            self.step, self.start = step, now
        left = ""
        if done:
            left = f" {done}/{total}, {(now - self.start) / done * (total - done):.0f} s left"
        sys.stderr.write(f"\r\033[K{step}{left}")
        sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self.shown:
            sys.stderr.write("\r\033[K")


def _solve(scenario: Path, *, seed: int | None, as_of: str | None, draws: int | None) -> PlanResult:
    from jevons.study import load, plan

    progress = Progress()
    try:
        loaded = load(scenario, as_of=parse_date(as_of))
        return plan(loaded, seed=seed, draws=draws, progress=progress, file=scenario.name)
    finally:
        progress.end()


def run(
    scenario: Path,
    *,
    seed: int | None,
    as_of: str | None,
    draws: int | None,
    explain: list[str],
    dry_run: bool,
    json: bool,
    out: Path | None,
) -> None:
    """Plan a scenario; print tables or JSON; write the report."""
    check_out(out, RECORD_ENDINGS if dry_run else _ENDINGS)
    if dry_run:
        _dry_run(scenario, as_of, json, out)
        return
    if draws == 1:
        message = "--draws 1: one draw has no interval; give 0 for none, or 2 and more"
        raise InputError(message)
    if explain and draws is None and out is None and not json:
        draws = 0  # formulas and facts do not depend on draws
    result = _solve(scenario, seed=seed, as_of=as_of, draws=draws)
    explained = {path: _explained(result, path) for path in explain}
    if out is not None:
        _write(result, out)
    if json:
        say(json_text(result.to_json() | ({"explained": explained} if explained else {})))
    elif explained:
        show(*explained.values())
    else:
        show(*_head(result), *_tables(result))


def _write(result: PlanResult, out: Path) -> None:
    if out.suffix == ".html":
        from jevons.report import plan_html

        write(out, plan_html(result))
        return
    result.save(out)
    sys.stderr.write(f"wrote {out}\n")


_WORDS = {"", "unit", "kind", "provider", "way", "input"}
"""Heads of second columns that hold words."""


def _tables(result: PlanResult) -> Iterator[Sheet]:
    for title, columns, rows in result.table():
        text_columns = len(columns) if columns[-1] == "note" else 1 + (columns[1] in _WORDS)
        yield table(title, columns, rows, text_columns=text_columns)


def _explained(result: PlanResult, path: str) -> str:
    try:
        return result.explain(path)
    except KeyError as error:
        raise InputError(str(error.args[0])) from None


def _head(result: PlanResult) -> tuple[str, str]:
    quality = (
        f"Fixed point between market and planner: residual {result.chain.residual:.4f} after {result.chain.rounds} "
        f"rounds, prices {100 * result.chain.gap_frac:.2f} % from the planner's own. {len(result.judgements)} figures "
        "rest on judgement; the report lists them with their ranges.\n"
    )
    return f"{result.scenario.name}, information of {result.scenario.as_of}", quality


def _dry_run(scenario: Path, as_of: str | None, json: bool, out: Path | None) -> None:
    from jevons.study import load

    loaded = load(scenario, as_of=parse_date(as_of))
    settings, amounts = loaded.settings(), loaded.amounts()
    records: list[dict[str, Any]] = [
        {"path": path, "value": value, "origin": origin} for path, (value, origin) in settings.items()
    ]
    records += [
        {
            "path": path, "value": amount.value, "unit": amount.unit, "low": amount.low, "high": amount.high,
            "origin": amount.origin, "grade": amount.grade, "source": amount.source,
        }
        for path, amount in amounts.items()
    ]  # fmt: skip
    rows = [(path, str(value), "", "", origin, "") for path, (value, origin) in settings.items()]
    rows += [
        (path, f"{a.value:.6g}", a.unit, f"{a.low:.4g} to {a.high:.4g}" if a.uncertain else "", a.origin, a.grade)
        for path, a in amounts.items()
    ]
    columns = ("path", "value", "unit", "range", "origin", "grade")
    shown = table(f"{loaded.name}: resolved", columns, rows, text_columns=6)
    emit({"name": loaded.name, "as_of": loaded.as_of, "resolved": records}, [shown], as_json=json, out=out)
