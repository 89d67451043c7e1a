"""Scores forecasts of the main scenario and of its reduced form; writes the tables of docs/validation/backtest.md.

python scripts/backtest_page.py --data DIR

The text between the tables is written by hand; the tables and the picture are those of `jevons study backtest`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from jevons.facts import default_facts
from jevons.files import writing
from jevons.plot.backtest import backtest_figure
from jevons.plot.style import figure_svg
from jevons.study import load
from jevons.text import with_blocks
from jevons.validation.backtest.forecast import Forecast
from jevons.validation.backtest.rows import forecast_cells, horizon_cells, interval_cell, outcome_cells, summary_cells
from jevons.validation.backtest.score import REDUCED, Backtest, backtest, horizon_rows, refutations, summary_rows

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "backtest.md"
FILES = ("alibaba.csv", "demand.csv", "api_prices.csv")
DRAWS = 1000


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def forecast_table(forecast: Forecast) -> str:
    """Return 10/50/90 % by quantity and quarter."""
    return table(("quantity", "unit", *forecast.quarters), forecast_cells(forecast))


def outcome_table(result: Backtest) -> str:
    """Return outcomes against the intervals of the chain and of its reduced form."""
    others = {(s.outcome.target, s.outcome.date): s for s in result.scores if s.method == REDUCED}
    rows = []
    for score in result.scores:
        if score.method == result.published.variant:
            both = (score, others[score.outcome.target, score.outcome.date])
            cells = [
                cell for quantity in both for cell in (interval_cell(quantity), "yes" if quantity.covered else "no")
            ]
            rows.append((*outcome_cells(score), *cells))
    return table(("quantity", "unit", "date", "outcome", "chain", "inside", "reduced form", "inside"), rows)


def score_table(result: Backtest) -> str:
    """Return CRPS, coverage and error by quantity and method."""
    heads = ("quantity", "method", "outcomes", "CRPS", "over the chain's", "coverage", "error of the median", "scale")
    return table(heads, summary_cells(summary_rows(result)))


def horizon_table(result: Backtest) -> str:
    """Return bias and error of the chain by quarters ahead."""
    return table(("quantity", "quarters ahead", "outcomes", "bias", "error"), horizon_cells(horizon_rows(result)))


def test_table(result: Backtest) -> str:
    """Return the tests that could refute the model."""
    rows = [(r["test"], f"**{r['answer']}**", r["detail"]) for r in refutations(result)]
    return table(("test", "answer", "detail"), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Forecast, score and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with economics/")
    folder = parser.parse_args(arguments).data / "economics"
    scenario = load(ROOT / "scenarios" / "alibaba-380bn.yaml")
    result = backtest(
        [folder / name for name in FILES], default_facts(), as_of=scenario.as_of, scenario=scenario, chain_draws=DRAWS
    )
    blocks = {
        "chain": forecast_table(result.published),
        "reduced": forecast_table(result.forecasts[REDUCED]),
        "outcomes": outcome_table(result),
        "scores": score_table(result),
        "horizons": horizon_table(result),
        "tests": test_table(result),
    }
    page = with_blocks(PAGE.read_text(encoding="utf-8"), blocks)
    with writing(PAGE, force=True) as stream:
        stream.write(page)
    with writing(PAGE.with_suffix(".svg"), force=True) as stream:
        stream.write(figure_svg(backtest_figure(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
