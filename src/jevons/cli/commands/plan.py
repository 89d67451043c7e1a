"""`jevons plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons import options as o
from jevons.cli.build import OUTPUT_ENDINGS, Detail, Format, Json, Out, check_format, print_result
from jevons.cli.output import RECORD_ENDINGS, check_out, emit, forced, note, say, show, table
from jevons.cli.scenarios import solve
from jevons.schema import json_text
from jevons.units import parse_date

if TYPE_CHECKING:
    from jevons.study import PlanResult


def run(
    scenario: Path,
    *,
    seed: int | None,
    as_of: str | None,
    draws: int | None,
    explain: list[str],
    form: str,
    detail: bool,
    out: Path | None,
) -> None:
    """Plan a scenario; print the answer and tables, JSON, or the formulas of figures; write the report."""
    if explain and draws is None and out is None and form != "json":
        draws = 0  # formulas and facts do not depend on draws
    result = solve(scenario, seed=seed, as_of=as_of, draws=draws)
    explained = {path: result.explain(path) for path in explain}
    if not explained:
        print_result(result, form=form, detail=detail, out=out)
    else:
        if out is not None:
            result.save(out, force=forced())
            note(f"wrote {out}")
        if form == "json":
            say(json_text(result.to_json() | {"explained": explained}))
        else:
            show(*explained.values())
    if form == "table" and not explained:
        show(_quality(result))


def _quality(result: PlanResult) -> str:
    last = result.chain.convergence
    return (
        f"Market and planner converged to a residual of {last.residual:.4f} in {last.rounds} rounds; "
        f"the price gap is {100 * last.gap_frac:.2f} %. {len(result.judgements)} inputs rest on judgement; "
        "--out report.html lists them.\n"
    )


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
    scenario: Annotated[Path, typer.Argument(help=f"{o.SCENARIO.text()}.")],
    seed: Annotated[int | None, typer.Option("--seed", min=0, help=f"{o.SEED.text()}.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help=f"{o.AS_OF.text()}.")] = None,
    draws: Annotated[int | None, typer.Option("--draws", min=0, max=100_000, help=f"{o.DRAWS.text()}.")] = None,
    explain: Annotated[
        list[str] | None,
        typer.Option("--explain", help="Path of a figure whose formulas and facts are printed.", metavar="PATH"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved scenario and stop.")] = False,
    json: Json = False,
    form: Format = "table",
    detail: Detail = False,
    out: Out = None,
) -> None:
    """Plan what to build, serve and charge, and what it earns, over the quarters of a scenario."""
    check_format(form)
    check_out(out, RECORD_ENDINGS if dry_run else (*OUTPUT_ENDINGS, ".nc"))
    if dry_run:
        _dry_run(scenario, as_of, json or form == "json", out)
        return
    form = "json" if json else form
    run(
        scenario, seed=seed, as_of=as_of, draws=draws, explain=explain or [], form=form, detail=detail, out=out
    )  # fmt: skip
