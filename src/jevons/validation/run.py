"""From files of measured rows to a report of the predictions' errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.serving.calibration import Calibration, shipped_calibration
from jevons.validation.calibrated import CalibrationResult
from jevons.validation.operators.predict import predict_ops_rows
from jevons.validation.report import Entry, ValidationReport, measured_of, no_figure
from jevons.validation.rows import Table, read_tables
from jevons.validation.serving.acceptance import acceptance_entries
from jevons.validation.serving.case import Case
from jevons.validation.serving.cases import PER_TOKEN, UNTIMED, untimed_runs
from jevons.validation.serving.energy import ENERGY_METRICS, energy_value, measured_rate, runs_of
from jevons.validation.serving.predict import (
    Answer,
    answer,
    calibrated,
    metric_value,
    predicted_interval,
    prepare,
    reason_of,
)
from jevons.validation.serving.queueing import queued_answer, queues
from jevons.validation.serving.requests import request_entries
from jevons.validation.serving.startups import startup_entries
from jevons.validation.serving.sweeps import case_in_sweep, repeating_runs
from jevons.validation.told import Told
from jevons.validation.training.reliability import reliability_entries
from jevons.validation.training.rows import training_entries

_FAULTS = (InputError, InfeasibleError, FactError)


def validate(
    paths: Sequence[Path | str] | Path | str,
    calibration: Calibration | Path | str | None = None,
    told: Told | None = None,
) -> ValidationReport:
    """Return the predictions of all measured rows in files, and their errors.

    Parameters
    ----------
    paths : path or sequence of paths
        CSV files whose headers are those of measured serving or operator rows.
    calibration : Calibration or path, optional
        Engine factors to use instead of the shipped ones.
    told : Told, optional
        What the files do not say of the server.

    Returns
    -------
    ValidationReport
        With an entry for every measured figure; those that cannot be predicted carry the reason.

    Raises
    ------
    InputError
        If a file cannot be read, or its header is unknown.

    Notes
    -----
    A prediction uses a row's configuration alone. Its measured value, run id and source are never looked at, but for
    power: that is predicted at the rate that the same run states, if it states one.
    """
    factors = calibration if isinstance(calibration, Calibration) else _calibration(calibration)
    entries: list[Entry] = []
    cells: dict[str, tuple[dict[str, str], ...]] = {}
    for table in _tables(paths, told):
        label = str(table.path) if table.path.name in cells else table.path.name
        if label in cells:
            label = f"{label}, {table.kind}"
        entries += [replace(entry, file=label) for entry in _ENTRIES[table.kind](table, factors)]
        cells[label] = table.rows
    return ValidationReport(tuple(entries), cells)


def calibrate(
    paths: Sequence[Path | str] | Path | str, log: Callable[[str], None], told: Told | None = None
) -> CalibrationResult:
    """Return factors fitted to the serving rows of files, and memory fitted to their start-ups.

    Raises
    ------
    InputError
        If a file cannot be read, or no row can be fitted.
    """
    from jevons.validation.fit.calibrate import calibrate as fitted
    from jevons.validation.fit.memory import calibrate_startups

    tables = _tables(paths, told)
    starts = [table for table in tables if table.kind == "startups"]
    others = [table for table in tables if table.kind != "startups"]
    if not starts:
        return CalibrationResult(fitted(others, log))
    memory = calibrate_startups(starts)
    if not others:
        return CalibrationResult(memory)
    calibration = fitted(others, log)
    engines = {name: {**memory.engines.get(name, {}), **calibration.engines.get(name, {})} for name in
               {*memory.engines, *calibration.engines}}  # fmt: skip
    return CalibrationResult(
        replace(calibration, engines=engines, provenance={**calibration.provenance, "memory": memory.provenance})
    )


def _files(paths: Sequence[Path | str] | Path | str) -> list[Path | str]:
    """Return the files of a call, which may be one, several, or a list of them."""
    given: list[Path | str] = []
    for path in [paths] if isinstance(paths, str | Path) else paths:
        given += [path] if isinstance(path, str | Path) else _files(path)
    if not given:
        message = "no file of measured rows was given; name one or more CSV files"
        raise InputError(message)
    return given


def _tables(paths: Sequence[Path | str] | Path | str, told: Told | None) -> list[Table]:
    """Return the tables of files; what is told of a server must have a file that it completes.

    Raises
    ------
    InputError
        If a file cannot be read, or options would have no effect.
    """
    tables = [table for path in _files(paths) for table in read_tables(path, told)]
    options = () if told is None else told.options()
    if options and tables and all(table.named for table in tables):
        names = " and ".join(filter(None, (", ".join(options[:-1]), options[-1])))
        verb = "have" if len(options) > 1 else "has"
        message = f"{names}: {verb} no effect on {tables[0].path}, whose rows name their server and load; omit it"
        raise InputError(message)
    return tables


def _calibration(path: Path | str | None) -> Calibration:
    return shipped_calibration() if path is None else Calibration.read(Path(path))


def _ops(table: Table, factors: Calibration) -> list[Entry]:
    del factors  # operators carry their own
    name = table.path.name
    return [
        Entry(
            file=name,
            row=int(row["row"]),
            metric=str(row["metric"]),
            group=table.path.stem,
            family="ops",
            measured=row.get("measured"),
            predicted=row.get("predicted"),
            low=row.get("low"),
            high=row.get("high"),
            reason=str(row.get("reason", "")),
        )
        for row in predict_ops_rows(table.path)
    ]


def _training(table: Table, factors: Calibration) -> list[Entry]:
    del factors  # those of training are facts
    return training_entries(table.path, table.rows)


def _reliability(table: Table, factors: Calibration) -> list[Entry]:
    del factors  # failure rates are facts
    return reliability_entries(table.path, table.rows)


def _traces(table: Table, factors: Calibration) -> list[Entry]:
    return request_entries(table.path, table.rows, factors)


def _startups(table: Table, factors: Calibration) -> list[Entry]:
    return startup_entries(table.path, table.rows, factors)


def _serving(table: Table, factors: Calibration) -> list[Entry]:
    answers: dict[Case, Answer | Exception] = {}
    entries = []
    untimed, repeating = untimed_runs(table.rows), repeating_runs(table.rows)
    runs = runs_of(table.rows)
    for index, row in enumerate(table.rows):
        measured = measured_of(row.get("value", ""))
        family = row.get("family") or table.path.stem
        entry = partial(Entry, file=table.path.name, row=index, metric=row["metric"], group=_group(row), family=family)
        if measured is None:
            entries.append(entry(measured=None, reason=no_figure(row.get("value"))))
            continue
        if row.get("run_id") in untimed and row["metric"].startswith(PER_TOKEN):
            entries.append(entry(measured=measured, reason=UNTIMED))
            continue
        try:
            case = case_in_sweep(row, repeating)
            if case not in answers:
                answers[case] = _answered(case, factors)
            answer_of_case = answers[case]
            if isinstance(answer_of_case, Exception):
                raise answer_of_case
            if row["metric"] in ENERGY_METRICS:
                rate = measured_rate(case, runs.get(row.get("run_id", ""), {}))
                value, *ends = energy_value(row["metric"], case, answer_of_case, rate)
                entries.append(entry(measured=measured, predicted=value, low=ends[0], high=ends[1]))
                continue
            predicted = metric_value(row["metric"], case, answer_of_case)
            low, high = predicted_interval(row["metric"], case, predicted, factors)
            entries.append(entry(measured=measured, predicted=predicted, low=low, high=high))
        except _FAULTS as error:
            entries.append(entry(measured=measured, reason=reason_of(error)))
    return entries


def _answered(case: Case, factors: Calibration) -> Answer | Exception:
    try:
        by = queued_answer if queues(case) else answer
        engines = calibrated(factors)
        return by(prepare(case, engines), engines, factors.scales)
    except _FAULTS as error:
        return error


def _group(row: dict[str, str]) -> str:
    return row.get("group") or " :: ".join(row.get(name) or "–" for name in ("source_title", "model", "gpu"))


def _acceptance(table: Table, factors: Calibration) -> list[Entry]:
    return acceptance_entries(table.path, table.rows, factors)


_ENTRIES = {"serving": _serving, "startups": _startups, "ops": _ops, "training": _training, "reliability": _reliability,
            "traces": _traces, "acceptance": _acceptance}  # fmt: skip
