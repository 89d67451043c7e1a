"""Scores forecasts of the main scenario and of its reduced form; writes the tables of docs/validation/backtest.md.

python scripts/backtest_page.py --data ../shared/data

The text between the tables is written by hand; the tables and the picture are those of `jevons study backtest`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from jevons.facts import default_facts
from jevons.plot.backtest import backtest_figure
from jevons.plot.style import figure_svg
from jevons.schema import replacing
from jevons.study import load
from jevons.study.backtest import REDUCED, Backtest, backtest, horizon_rows, refutations, summary_rows
from jevons.study.forecast import TARGETS, Forecast

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "backtest.md"
FILES = ("alibaba.csv", "demand.csv", "api_prices.csv")
DRAWS = 1000
_SHOWN = {"CNY": (1e9, "bn CNY"), "tok/day": (1e12, "tn tok/day"), "USD": (1.0, "USD")}


def scale_of(target: str) -> tuple[float, str]:
    """Return the factor and name of the unit in which a target is shown."""
    unit = TARGETS[target][0]
    return (0.01, "%") if target.endswith("_frac") else _SHOWN.get(unit, (1.0, ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def forecast_table(forecast: Forecast) -> str:
    """Return 10/50/90 % by quantity and quarter."""
    rows = []
    for target, (_, label) in TARGETS.items():
        factor, unit = scale_of(target)
        cells = ("/".join(f"{x / factor:,.3g}" for x in column) for column in forecast.quantiles(target).T)
        rows.append((label, unit, *cells))
    return table(("quantity", "unit", *forecast.quarters), rows)


def outcome_table(result: Backtest) -> str:
    """Return outcomes against the intervals of the chain and of its reduced form."""
    rows = []
    mine = [s for s in result.scores if s.method == result.published.variant]
    others = {(s.outcome.target, s.outcome.date): s for s in result.scores if s.method == REDUCED}
    for score in mine:
        factor, unit = scale_of(score.outcome.target)
        reduced = others[score.outcome.target, score.outcome.date]
        cells = []
        for one in (score, reduced):
            cells += ["/".join(f"{x / factor:,.3g}" for x in (one.low, one.middle, one.high))]
            cells += ["yes" if one.covered else "no"]
        happened = f"{score.outcome.value / factor:,.4g}"
        rows.append((TARGETS[score.outcome.target][1], unit, str(score.outcome.date), happened, *cells))
    return table(("quantity", "unit", "date", "outcome", "chain", "inside", "reduced form", "inside"), rows)


def score_table(result: Backtest) -> str:
    """Return CRPS, coverage and error by quantity and method."""
    rows = [
        (
            TARGETS[r["target"]][1], r["method"], str(r["outcomes"]), f"{r['crps']:.3g}", f"{r['crps_over_full']:.2f}",
            "" if r["covered_frac"] is None else f"{100 * r['covered_frac']:.0f} %", f"{r['mean_abs_error']:.3g}",
            r["scale"],
        )
        for r in summary_rows(result)
    ]  # fmt: skip
    heads = ("quantity", "method", "outcomes", "CRPS", "over the chain's", "coverage", "error of the median", "scale")
    return table(heads, rows)


def horizon_table(result: Backtest) -> str:
    """Return bias and error of the chain by quarters ahead."""
    rows = [
        (
            TARGETS[r["target"]][1], str(r["horizon_quarters"]), str(r["outcomes"]), f"{r['mean_error']:+.3g}",
            f"{r['mean_abs_error']:.3g}",
        )
        for r in horizon_rows(result)
    ]  # fmt: skip
    return table(("quantity", "quarters ahead", "outcomes", "bias", "error"), rows)


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
    page = PAGE.read_text(encoding="utf-8")
    for name, block in blocks.items():
        pattern = rf"(<!-- begin:{name} -->\n).*?(<!-- end:{name} -->)"
        page = re.sub(pattern, lambda m, b=block: f"{m.group(1)}{b}\n{m.group(2)}", page, flags=re.DOTALL)
    with replacing(PAGE) as stream:
        stream.write(page)
    with replacing(PAGE.with_suffix(".svg")) as stream:
        stream.write(figure_svg(backtest_figure(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
