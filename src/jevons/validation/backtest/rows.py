"""A backtest as rows of text, for the terminal and for the published page alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jevons.validation.backtest.forecast import TARGETS, Forecast, target_unit
from jevons.validation.backtest.score import Scored

Rows = list[tuple[str, ...]]


def _three(numbers: Iterable[float], factor: float) -> str:
    return "/".join(f"{number / factor:,.3g}" for number in numbers)


def forecast_cells(forecast: Forecast) -> Rows:
    """Return quantity, unit and the 10/50/90 % by quarter."""
    rows = []
    for target, (_, label) in TARGETS.items():
        factor, unit = target_unit(target)
        rows.append((label, unit, *(_three(column, factor) for column in forecast.quantiles(target).T.tolist())))
    return rows


def outcome_cells(score: Scored) -> tuple[str, str, str, str]:
    """Return quantity, unit, date and what happened."""
    factor, unit = target_unit(score.outcome.target)
    return TARGETS[score.outcome.target][1], unit, str(score.outcome.date), f"{score.outcome.value / factor:,.4g}"


def interval_cell(score: Scored) -> str:
    """Return the 10/50/90 % that a method gave for an outcome."""
    return _three((score.low, score.middle, score.high), target_unit(score.outcome.target)[0])


def summary_cells(records: Iterable[Mapping[str, Any]]) -> Rows:
    """Return quantity, method, outcomes, CRPS, that over the published variant's, coverage, error and its scale.

    *records* are those of `summary_rows`.
    """
    return [
        (
            TARGETS[r["target"]][1], r["method"], str(r["outcomes"]), f"{r['crps']:.3g}", f"{r['crps_over_full']:.2f}",
            "" if r["covered_frac"] is None else f"{100 * r['covered_frac']:.0f} %", f"{r['mean_abs_error']:.3g}",
            r["scale"],
        )
        for r in records
    ]  # fmt: skip


def horizon_cells(records: Iterable[Mapping[str, Any]]) -> Rows:
    """Return quantity, quarters ahead, outcomes, bias and error; *records* are those of `horizon_rows`."""
    return [
        (
            TARGETS[r["target"]][1], str(r["horizon_quarters"]), str(r["outcomes"]), f"{r['mean_error']:+.3g}",
            f"{r['mean_abs_error']:.3g}",
        )
        for r in records
    ]  # fmt: skip
