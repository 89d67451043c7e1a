"""Fills the marked block of `docs/how-to/track.md`: the main scenario tracked to the newest facts, and its picture.

python scripts/track_page.py [--draws N]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jevons
from jevons.plot import figure_svg
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.track.actuals import SERIES
from jevons.text import with_blocks

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "how-to" / "track.md"
PICTURE = ROOT / "docs" / "images" / "track.svg"
SCENARIO = "scenarios/alibaba-380bn.yaml"
NAMES = {
    "cloud_revenue": "cloud revenue", "group_capex": "capital expenditure", "cloud_ebita_frac": "EBITA margin",
    "ai_revenue": "AI revenue",
}  # fmt: skip
SHOWN = ("value_per_share", "orders_value", "devices", "capex", "ai_revenue")
SCALES = {"¤": (1e9, "bn CNY"), "1": (0.01, "%"), "devices": (1e3, "thousand"), "¤/share": (1.0, "CNY")}


def counted(quarters: list[dict[str, Any]]) -> str:
    """Return how many of each series lie inside."""
    parts = []
    for series in dict.fromkeys(row["series"] for row in quarters):
        own = [row["inside"] for row in quarters if row["series"] == series]
        parts.append(f"{sum(own)} of {len(own)} of {NAMES.get(series, series)}")
    return ", ".join(parts)


def lines(tracked: Any) -> Iterator[str]:
    """Yield the block's lines: a paragraph, the quarters, and the headlines before and after."""
    quarters = tracked.quarters()
    inside, draws = sum(row["inside"] for row in quarters), len(tracked.update.weights)
    last = max(row["quarter"] for row in quarters)
    yield (
        f"`jevons track {SCENARIO} --actuals facts`, as of {tracked.scenario.as_of} and {draws} draws: {inside} of "
        f"{len(quarters)} actual figures to {last} lie inside the 80 %: {counted(quarters)}. {tracked.update.ess:.0f} "
        f"of the draws still count; the likelihood counts at {tracked.update.tempering:.2f} of its weight."
    )
    yield "\n| series | quarter | 10 % | median | 90 % | came | inside |\n|---|---|---:|---:|---:|---:|---|"
    for row in quarters:
        scale, unit = SCALES[SERIES[row["series"]][0]]
        numbers = " | ".join(f"{row[key] / scale:.3g}" for key in ("low", "median", "high", "actual"))
        name = f"{NAMES.get(row['series'], row['series'])} [{unit}]"
        yield f"| {name} | {row['quarter']} | {numbers} | {'yes' if row['inside'] else '**no**'} |"
    yield "\n| headline | before: 10 % | median | 90 % | after: 10 % | median | 90 % |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for row in tracked.outcomes():
        if row["outcome"] in SHOWN:
            scale, unit = SCALES[OUTCOMES[row["outcome"]][0]]
            cells = [row["before"][key] / scale for key in ("low", "median", "high")]
            cells += [row[key] / scale for key in ("low", "median", "high")]
            yield f"| {row['meaning']} [{unit}] | {' | '.join(f'{cell:,.4g}' for cell in cells)} |"
    yield "\n![Forecasts before and after what came](../images/track.svg)"


def main() -> None:
    """Write the block and its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=64)
    tracked = jevons.track(ROOT / SCENARIO, actuals="facts", draws=parser.parse_args().draws)
    PICTURE.write_text(figure_svg(tracked.plot.track()), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_blocks(text, {"tracked": "\n".join(lines(tracked))}), encoding="utf-8")


if __name__ == "__main__":
    main()
