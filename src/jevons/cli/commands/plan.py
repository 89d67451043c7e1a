"""`jevons plan` and `jevons value`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.cli.options import AsOf, Json, Seed
from jevons.cli.output import RECORD_ENDINGS, Sheet, check_out, emit, forced, note, say, show, table, write
from jevons.cli.scenarios import solve
from jevons.errors import InputError
from jevons.schema import json_text
from jevons.units import parse_date

if TYPE_CHECKING:
    from jevons.study import PlanResult

_ENDINGS = (".html", ".json", ".nc")


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
    result = solve(scenario, seed=seed, as_of=as_of, draws=draws)
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
    result.save(out, force=forced())
    note(f"wrote {out}")


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
    last = result.chain.convergence
    quality = (
        f"Fixed point between market and planner: residual {last.residual:.4f} after {last.rounds} "
        f"rounds, prices {100 * last.gap_frac:.2f} % from the planner's own. {len(result.judgements)} figures "
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


def plan(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (YAML).")],
    seed: Seed = None,
    as_of: AsOf = None,
    draws: Annotated[
        int | None, typer.Option("--draws", min=0, max=100_000, help="Monte Carlo draws; 0 for none.")
    ] = None,
    explain: Annotated[
        list[str] | None, typer.Option("--explain", help="Print the formulas and facts behind a figure, by path.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved scenario and stop.")] = False,
    json: Json = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file too: .html (the report), .json (all) or .nc (the paths)."),
    ] = None,
) -> None:
    """Plan what to build, serve and charge, and what it earns, over the quarters of a scenario."""
    run(scenario, seed=seed, as_of=as_of, draws=draws, explain=explain or [], dry_run=dry_run, json=json, out=out)
