"""`jevons validate` and `jevons calibrate`: measured rows against predictions."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.cli.options import CalibrationFile, Json, Out
from jevons.cli.output import check_out, emit, forced, note, table, write
from jevons.files import read_csv, safe_cell
from jevons.results import number
from jevons.schema import json_text

if TYPE_CHECKING:
    from jevons.validation import Score, ValidationReport

_WORST_GROUPS = 12
_REASONS = 12


def run_validate(files: list[Path], *, calibration: Path | None, out: Path | None, as_json: bool) -> None:
    """Predict every row of the files and print the errors by family, by group and overall.

    ``--out`` takes ``.csv``, the rows with the prediction added, or ``.json``, the whole report.
    """
    from jevons.validation import validate

    check_out(out)
    report = validate(files, calibration)
    value = report.to_json()
    if out is not None:
        write(out, json_text(value) if out.suffix == ".json" else rows_text(files, report))
    emit(value, report_tables(report), as_json=as_json, out=None)


def report_tables(report: ValidationReport) -> list[Any]:
    """Return the tables of a report for people."""
    columns = ("set", "rows", "answered", "coverage", "median APE", "p90 APE", "bias")
    families = report.by(lambda entry: f"{entry.family}  {entry.metric}")
    groups = [item for item in report.by(lambda entry: entry.group).items() if item[1].median_ape is not None]
    worst = sorted(groups, key=lambda item: -(item[1].median_ape or 0.0))[:_WORST_GROUPS]
    made: list[Any] = [
        table("all rows", columns, [_cells("all", report.overall)]),
        table("by family and metric", columns, [_cells(name, found) for name, found in families.items()]),
    ]
    if worst:
        made.append(table("groups with the largest median error", columns, [_cells(*item) for item in worst]))
    if report.reasons:
        listed = list(report.reasons.items())[:_REASONS]
        made.append(table("rows without a prediction", ("reason", "rows"), [(why, count) for why, count in listed]))
    return made


def _cells(name: str, found: Score) -> tuple[str, ...]:
    percents = (found.coverage_frac, found.median_ape, found.p90_ape, found.bias)
    shown = ("–" if share is None else f"{number(100.0 * share)} %" for share in percents)
    return (name, number(found.rows), number(found.answered), *shown)


def rows_text(files: list[Path], report: ValidationReport) -> str:
    """Return the files' rows as CSV with ``predicted``, ``ape`` and ``reason`` added."""
    records: list[dict[str, Any]] = []
    for path in files:
        rows = [row for _, row in read_csv(path)[1]]
        for entry in (entry for entry in report.entries if entry.file == path.name):
            ape = None if entry.error is None else abs(entry.error)
            common = {"metric": entry.metric, "measured": entry.measured}
            added = {**common, "predicted": entry.predicted, "ape": ape, "reason": entry.reason}
            records.append({"file": entry.file, "row": entry.row, **rows[entry.row], **added})
    columns = list(dict.fromkeys(name for record in records for name in record if name))
    stream_out = io.StringIO()
    writer = csv.DictWriter(stream_out, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({key: safe_cell(v) if isinstance(v, str) else v for key, v in one.items()} for one in records)
    return stream_out.getvalue()


def run_calibrate(files: list[Path], *, out: Path, as_json: bool) -> None:
    """Fit the engines' and kernels' factors to the rows of the files and write a calibration file."""
    from jevons.validation.fit.serving import calibrate

    check_out(out, (".json",))
    made = calibrate(files, note)
    made.write(out, force=forced())
    spread = made.provenance["spread_frac"]
    records = [
        {"of": owner, "factor": factor, "value": value, "spread_frac": spread[f"{owner}.{factor}"]}
        for owners in (made.engines, made.scales or {})
        for owner, factors in owners.items()
        for factor, value in factors.items()
        if f"{owner}.{factor}" in spread
    ]
    cells = [
        (str(r["of"]), str(r["factor"]), number(r["value"]), f"{number(100.0 * r['spread_frac'])} %") for r in records
    ]
    about = made.provenance
    title = (
        f"{len(records)} factors fitted to {about['rows']} figures, written to {out}; on the same figures the median "
        f"error is {number(100 * about['median_ape'])} %, p90 {number(100 * about['p90_ape'])} %"
    )
    columns = ("engine, generation or all", "factor [s], share or scale", "value", "standard error")
    shown = table(title, columns, cells, text_columns=2)
    emit({**made.to_json(), "factors": records}, [shown], as_json=as_json, out=None)


def validate(
    files: Annotated[list[Path], typer.Argument(help="CSV files of measured rows (serving or operators).")],
    calibration: CalibrationFile = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Predict measured rows, and print how far off the predictions are, with coverage.

    --out takes .csv (the rows with the prediction added) or .json (the whole report).
    """
    run_validate(files, calibration=calibration, out=out, as_json=json)


def calibrate(
    files: Annotated[list[Path], typer.Argument(help="CSV files of measured serving rows.")],
    out: Annotated[Path, typer.Option("--out", help="Calibration file to write (.json).")] = Path("calibration.json"),
    json: Json = False,
) -> None:
    """Fit the engines' and kernels' few factors to measured rows; other commands take the file with --calibration."""
    run_calibrate(files, out=out, as_json=json)
