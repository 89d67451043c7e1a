"""Scores frozen forecasts against the facts on file; writes the tables of docs/validation/backtest.md.

python scripts/frozen_page.py

The forecasts lie in docs/validation/frozen/ and never change; the text between the tables is written by hand.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jevons.facts import default_facts
from jevons.files import writing
from jevons.text import with_blocks
from jevons.validation.backtest.forecast import TARGETS, evidence, target_unit
from jevons.validation.backtest.frozen import (
    LOG_TARGETS,
    FrozenForecast,
    FrozenScore,
    fact_outcomes,
    read_frozen,
    score_frozen,
)
from jevons.validation.backtest.score import baselines

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "backtest.md"
FROZEN = ROOT / "docs" / "validation" / "frozen" / "2025-02-24.json"
LAST_SEEN = dt.date(2025, 7, 1)
"""Outcomes up to here were on file when the forecasts were published."""

METHODS = ("chain", "reduced form")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_rules(forecast: FrozenForecast) -> FrozenForecast:
    """Return a frozen forecast with the simple rules beside it, from what was public on its day."""
    known = evidence(default_facts(), forecast.as_of)
    rules = {
        name: {target: np.quantile(draws, forecast.levels, axis=0) for target, draws in paths.items()}
        for name, paths in baselines(known, draws=4000, seed=7).items()
    }
    return FrozenForecast(
        as_of=forecast.as_of, levels=forecast.levels, quarters=forecast.quarters,
        quantiles={**forecast.quantiles, **rules},
    )  # fmt: skip


def _cell(score: FrozenScore) -> str:
    factor, _ = target_unit(score.outcome.target)
    inside = "yes" if score.covered else "**no**"
    return f"{'/'.join(f'{v / factor:,.3g}' for v in (score.low, score.middle, score.high))} {inside}"


def outcome_table(scores: Sequence[FrozenScore]) -> str:
    """Return every outcome against both forecasts."""
    rows = []
    for score in scores:
        if score.method != METHODS[0]:
            continue
        outcome = score.outcome
        factor, unit = target_unit(outcome.target)
        other = next(s for s in scores if s.method == METHODS[1] and s.outcome == outcome)
        when = " + ".join(outcome.quarters) if outcome.quarters else str(outcome.date)
        rows.append(
            (
                TARGETS[outcome.target][1], unit, when, str(outcome.published), f"{outcome.value / factor:,.4g}",
                _cell(score), _cell(other),
            )
        )  # fmt: skip
    heads = ("quantity", "unit", "of", "published", "outcome", "chain: 10/50/90 %, inside", "reduced form")
    return table(heads, rows)


def summary_table(scores: Sequence[FrozenScore]) -> str:
    """Return coverage and mean score by quantity and method."""
    rows = []
    for target, (_, label) in TARGETS.items():
        mine = [s for s in scores if s.outcome.target == target]
        for method in dict.fromkeys(s.method for s in mine):
            those = [s for s in mine if s.method == method]
            factor = 1.0 if target in LOG_TARGETS else target_unit(target)[0]
            unit = "log" if target in LOG_TARGETS else target_unit(target)[1]
            inside = sum(s.covered for s in those)
            point = all(s.low == s.high for s in those)
            mean = np.mean([s.interval_score for s in those]) / factor
            rows.append((label, method, "" if point else f"{inside} of {len(those)}", f"{mean:.3g}", unit))
    return table(("quantity", "method", "inside", "interval score", "scale"), rows)


def whole_table(scores: Sequence[FrozenScore]) -> str:
    """Return coverage over all outcomes, over quantities, and over those that were open when the page was written."""
    rows = []
    for method in METHODS:
        mine = [s for s in scores if s.method == method]
        later = [s for s in mine if s.outcome.published > LAST_SEEN]
        shares = [
            np.mean([s.covered for s in mine if s.outcome.target == t])
            for t in dict.fromkeys(s.outcome.target for s in mine)
        ]
        most = sum(share > 0.5 for share in shares)
        rows.append(
            (
                method, f"{sum(s.covered for s in mine)} of {len(mine)}",
                f"{sum(s.covered for s in later)} of {len(later)}", f"{most} of {len(shares)}",
            )
        )  # fmt: skip
    heads = ("forecast", "outcomes inside", "of those not on file when it was frozen", "quantities mostly inside")
    return table(heads, rows)


def main() -> int:
    """Score and write."""
    facts = default_facts()
    forecast = with_rules(read_frozen(FROZEN))
    scores = score_frozen(forecast, fact_outcomes(facts, forecast.as_of, forecast.quarters))
    blocks = {
        "frozen-whole": whole_table(scores),
        "frozen-outcomes": outcome_table(scores),
        "frozen-scores": summary_table(scores),
    }
    page = with_blocks(PAGE.read_text(encoding="utf-8"), blocks)
    with writing(PAGE, force=True) as stream:
        stream.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
