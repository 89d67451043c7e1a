"""Scores forecasts from many dates; writes docs/validation/rolling.md and the frozen forecasts beyond May 2026.

python scripts/rolling_page.py [--freeze]

The text between the tables is written by hand. A frozen file stays as it is; --freeze writes one where there is none.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from jevons.facts import default_facts
from jevons.files import writing
from jevons.text import with_blocks
from jevons.validation.backtest.rolling import ORIGINS, frozen_quantiles, growth_priors, rolling_scores, summary

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "rolling.md"
FROZEN = ROOT / "docs" / "validation" / "frozen" / "2026-05-31.json"
AS_OF, LEVELS = dt.date(2026, 5, 31), (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
QUARTERS = ("2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def scoring() -> str:
    """Return coverage and scores of both sets of priors by kind of series."""
    rows = []
    for name, priors in (
        ("first", growth_priors(default_facts(), ORIGINS[0])),
        ("widened", growth_priors(default_facts())),
    ):
        scores = rolling_scores(default_facts(), priors=priors)
        for kind, count, covered, crps, rules in summary(scores):
            cells = [f"{ours:.3f} against {theirs:.3f} ({n})" for theirs, ours, n in rules.values()]
            rows.append((name, kind, str(count), f"{100 * covered:.0f} %", f"{crps:.3f}", *cells))
        inside = sum(score.covered for score in scores)
        rows.append((name, "all", str(len(scores)), f"{100 * inside / len(scores):.0f} %", "", "", ""))
    heads = ("priors", "kind", "outcomes", "inside 80 %", "CRPS", "last value persists", "last growth persists")
    return table(heads, rows)


def outcomes() -> str:
    """Return every outcome against the forecast of every date, with the widened priors."""
    rows = []
    for s in rolling_scores(default_facts()):
        size = 10 ** (3 * int(len(f"{s.value:.0f}") // 3 - (len(f"{s.value:.0f}") % 3 == 0)))
        three = "/".join(f"{v / size:,.3g}" for v in (s.low, s.middle, s.high))
        inside = "yes" if s.covered else "**no**"
        rows.append((str(s.origin), s.series.scored, str(s.date), f"{s.value / size:,.4g}", three, inside))
    return table(("from", "fact", "of", "outcome", "10/50/90 %", "inside"), rows)


def frozen_table(frozen: dict[str, dict[str, list[float]]]) -> str:
    """Return the frozen forecasts, 10/50/90 %."""
    rows = []
    for fact, by_quarter in frozen.items():
        for label in ("2026-Q2", "2026-Q4", "2027-Q4"):
            if label in by_quarter:
                low, middle, high = (by_quarter[label][LEVELS.index(q)] for q in (0.1, 0.5, 0.9))
                rows.append((fact, label, f"{low:.3g}", f"{middle:.3g}", f"{high:.3g}"))
    return table(("fact", "quarter", "10 %", "50 %", "90 %"), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and write."""
    freeze = "--freeze" in (sys.argv[1:] if arguments is None else arguments)
    if freeze and not FROZEN.exists():
        quantiles = frozen_quantiles(default_facts(), AS_OF, QUARTERS, LEVELS)
        lines = ",\n".join(f" {json.dumps(fact)}: {json.dumps(rows)}" for fact, rows in quantiles.items())
        head = {"as_of": str(AS_OF), "levels": LEVELS, "about": "quantiles by fact and quarter; never changed"}
        with writing(FROZEN, force=True) as stream:
            stream.write(json.dumps(head)[:-1] + ', "facts": {\n' + lines + "\n}}\n")
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))["facts"]
    page = with_blocks(
        PAGE.read_text(encoding="utf-8"), {"scores": scoring(), "frozen": frozen_table(frozen), "outcomes": outcomes()}
    )
    with writing(PAGE, force=True) as stream:
        stream.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
