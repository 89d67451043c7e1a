"""`jevons study backtest`: forecasts as quantiles, scores, and the tests that could refute the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jevons.cli.output import check_out, emit, table
from jevons.units import parse_date


def run_backtest(
    files: list[Path],
    *,
    as_of: str,
    draws: int,
    seed: int,
    scenario: Path | None,
    chain_draws: int,
    processes: int | None,
    plot: Path | None,
    json: bool,
    out: Path | None,
) -> None:
    """Forecast, score, print."""
    from jevons.cli.figures import PICTURES, save_figure
    from jevons.cli.progress import Progress
    from jevons.facts import default_facts
    from jevons.study.scenario.load import load
    from jevons.validation.backtest import score as tests
    from jevons.validation.backtest.forecast import TARGETS

    check_out(out)
    check_out(plot, PICTURES, option="--plot")
    date = parse_date(as_of)
    loaded = None if scenario is None else load(scenario, as_of=date)
    progress = Progress()
    try:
        result = tests.backtest(
            files, default_facts(), as_of=date, draws=draws, seed=seed, scenario=loaded, chain_draws=chain_draws,
            processes=processes, progress=progress,
        )  # fmt: skip
    finally:
        progress.end()
    published = result.published
    forecasts = []
    for target, (unit, label) in TARGETS.items():
        low, middle, high = published.quantiles(target).tolist()
        for quarter, *numbers in zip(published.quarters, low, middle, high, strict=True):
            record: dict[str, Any] = {"target": target, "label": label, "unit": unit, "quarter": quarter}
            forecasts.append(record | dict(zip(("p10", "p50", "p90"), numbers, strict=True)))
    summary, horizons = tests.summary_rows(result), tests.horizon_rows(result)
    refuted = tests.refutations(result)
    scores = [
        {
            "method": s.method, "target": s.outcome.target, "date": s.outcome.date,
            "horizon_quarters": s.horizon_quarters,
            "outcome": s.outcome.value, "p10": s.low, "p50": s.middle, "p90": s.high, "covered": s.covered,
            "crps": s.crps, "error": s.error, "place": s.outcome.place,
        }
        for s in result.scores
    ]  # fmt: skip
    value = {
        "scores": scores, "as_of": result.known.as_of, "engine": result.engine,
        "variant_published": published.variant, "forecasts": forecasts, "summary": summary, "by_horizon": horizons,
        "refutations": refuted, "skipped": dict(result.skipped),
    }  # fmt: skip
    if plot is not None:
        from jevons.plot.backtest import backtest_figure

        save_figure(plot, backtest_figure(result))
    emit(value, _tables(result, summary, horizons, refuted), as_json=json, out=out)


def _tables(result: Any, summary: Any, horizons: Any, refuted: Any) -> list[Any]:
    from jevons.validation.backtest.rows import (
        forecast_cells,
        horizon_cells,
        interval_cell,
        outcome_cells,
        summary_cells,
    )

    quarters = result.published.quarters
    scored = []
    for score in result.scores:
        if score.method == "full":
            *what, happened = outcome_cells(score)
            scored.append((*what, interval_cell(score), happened, "inside" if score.covered else "outside"))
    tests = [(r["test"], r["answer"], r["detail"]) for r in refuted]
    left = ", ".join(f"{count:,} {why}" for why, count in sorted(result.skipped.items())) or "none"
    known = f"known on {result.known.as_of}, variant `{result.published.variant}`"
    return [
        table(
            f"Forecasts from what was {known}: 10/50/90 %", ("quantity", "unit", *quarters),
            forecast_cells(result.published), text_columns=2,
        ),
        *(
            [
                table(
                    "What happened, against the full model",
                    ("quantity", "unit", "date", "10/50/90 %", "outcome", "80 % interval"), scored, text_columns=3,
                ),
                table(
                    "Scores: mean CRPS (lower is better), coverage of 80 % intervals, mean error of medians",
                    ("quantity", "method", "outcomes", "CRPS", "over full", "covered", "error", "scale"),
                    summary_cells(summary), text_columns=2,
                ),
                table(
                    "Error by horizon, full model", ("quantity", "quarters ahead", "outcomes", "bias", "error"),
                    horizon_cells(horizons),
                ),
            ]
            if scored
            else ["No outcome in the files meets a forecast.\n"]
        ),
        table("What could refute the model", ("test", "answer", "detail"), tests, text_columns=3),
        f"Rows left out: {left}.\n",
    ]  # fmt: skip
