"""Writes the generated part of `docs/how-to/scenarios.md`: what each scenario predicts beside what was published.

Runs every scenario of the shelf with a few draws, half a minute each; `--draws N` changes them. `--only NAME` runs some
and keeps what the page says of the others. The page's other parts are written by hand. Remarks on where the two part
are in `scripts/scenarios_remarks.yaml`, by scenario.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

import jevons
from jevons.arrays import Array
from jevons.facts import Facts, default_facts
from jevons.files import writing
from jevons.plot import figure_svg
from jevons.plot.track import forecast
from jevons.study import Scenario
from jevons.study.draws.run import Draws
from jevons.study.draws.study import montecarlo_study
from jevons.study.scenario.load import load
from jevons.study.track.actuals import SERIES, Actual, actuals_of_facts, per_quarter, published_of
from jevons.study.track.update import path_of, quantiles, values_of
from jevons.text import with_blocks

ROOT = Path(__file__).resolve().parent.parent
SHELF = (
    "alibaba-380bn", "alibaba-2026", "bytedance-160bn", "tencent", "microsoft-openai", "meta", "coreweave", "nebius",
    "neocloud-h100-2024", "cluster-100k", "small-firm-r1",
)  # fmt: skip
NAMES = {
    "ai_revenue": "AI revenue", "cloud_revenue": "cloud revenue", "group_capex": "capital expenditure",
    "capex": "AI capital expenditure", "it_w": "power", "cloud_ebita_frac": "margin", "tokens_per_d": "tokens a day",
}  # fmt: skip
PICTURED = {"ai_revenue": "AI revenue", "it_w": "IT power", "group_capex": "Capital expenditure"}
UNITS = {"¤": (1e9, "bn"), "W": (1e6, "MW"), "1": (0.01, "%"), "tok/day": (1e12, "tn a day")}


def _row(
    scenario: Scenario, path: Array, series: str, quarters: tuple[str, ...], value: float, source: str
) -> str:  # fmt: skip
    """Return a line of the table: the published value beside the draws' median and 80 %."""
    low, middle, high = quantiles(path, None)
    scale, unit = UNITS[SERIES[series][0]]
    unit = f"{unit} {scenario.currency}" if SERIES[series][0] == "¤" else unit
    when = quarters[0] if len(quarters) == 1 else f"{quarters[0]} to {quarters[-1]}"
    inside = "inside" if low <= value <= high else f"x {value / middle:.2f}" if middle > 0 else "outside"
    shown = [f"{number / scale:,.3g}" for number in (value, middle, low, high)]
    return (
        f"| {NAMES.get(series, series)}, {when} [{unit}] | {shown[0]} | {shown[1]} | {shown[2]} to {shown[3]} | "
        f"{inside} | `{source}` |"
    )


def _actuals(scenario: Scenario, facts: Facts) -> Sequence[Actual]:
    try:
        return actuals_of_facts(scenario, facts, None)
    except jevons.InputError:
        return []


def _picture(name: str, scenario: Scenario, draws: Draws, actuals: Sequence[Actual]) -> str:
    """Write what the draws say by quarter and return the line that shows it."""
    inside = [actual for actual in actuals if actual.quarter in scenario.labels()]
    figure = forecast(scenario, draws, PICTURED, actuals=inside, side_by_side=True)
    with writing(ROOT / "docs" / "images" / f"scenario-{name}.svg", force=True) as stream:
        stream.write(figure_svg(figure))
    return f"\n![AI revenue, power and capital expenditure of {name} by quarter](../images/scenario-{name}.svg)\n"


def _rows(scenario: Scenario, draws: Draws, facts: Facts, actuals: Sequence[Actual]) -> Iterator[str]:
    labels = list(scenario.labels())
    for actual in actuals:
        forecast = values_of(draws, labels, actual)
        yield _row(scenario, forecast, actual.series, (actual.quarter,), actual.value, actual.source)
    for series, fact_id, value, quarters in published_of(scenario, facts):
        if len(quarters) > 1:
            path = path_of(draws, series)[:, [labels.index(quarter) for quarter in quarters]].sum(axis=1)
            yield _row(scenario, path, series, quarters, value.number / per_quarter(fact_id), fact_id)


def _share(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:,.2g}"


def _opening(scenario: Scenario, draws: Draws) -> str:
    """Return a sentence on the firm at the end of the plan: fleet, power, revenue, margin and value of a share."""
    last = scenario.labels()[-1]
    devices, power, value = (float(np.median(draws.outcomes[name])) for name in ("devices", "it_w", "value_per_share"))
    revenue = float(np.median(draws.paths["ai_revenue"][:, -1]))
    margin = float(np.median(draws.paths["cloud_ebita_frac"][:, -1]))
    price = scenario.finance.share_price.value
    small = devices < 1e3
    fleet = f"{devices:,.0f}" if small else f"{devices / 1e3:,.4g} thousand"
    watts = f"{power / 1e3:,.4g} kW" if small else f"{power / 1e6:,.4g} MW"
    sold = f"{revenue / 1e6:,.4g} mn" if small else f"{revenue / 1e9:,.4g} bn"
    return (
        f"Predicted for {last} (medians): {fleet} accelerators, {watts}, "
        f"AI revenue of {sold} {scenario.currency}, cloud margin {round(100 * margin)} %, value of a "
        f"share {_share(value)} against a price of {price:,.0f} {scenario.currency}."
    )


def _kept(page: str, name: str) -> str:
    """Return what the page says of a scenario."""
    match = re.search(rf"\n### `{re.escape(name)}`.*?(?=\n### `|\n<!-- end|\Z)", page, re.DOTALL)
    return "" if match is None else match[0].rstrip() + "\n"


def parts(count: int, names: Sequence[str], written: str) -> Iterator[str]:
    """Yield the generated part, scenario by scenario; those not among *names* as they are in *kept*."""
    facts = default_facts()
    remarks = YAML(typ="safe").load(Path(__file__).with_name("scenarios_remarks.yaml"))
    newest = max(value.published for fact in facts for value in fact.values)
    yield f"Medians and 80 % intervals of {count} draws each, beside facts published by {newest:%Y-%m-%d}.\n"
    for name in SHELF:
        if name not in names:
            yield _kept(written, name)
            continue
        scenario = load(ROOT / "scenarios" / f"{name}.yaml")
        draws = montecarlo_study(scenario, count).draws
        yield f"\n### `{name}`, as of {scenario.as_of:%Y-%m-%d}\n\n{_opening(scenario, draws)}\n"
        actuals = _actuals(scenario, facts)
        yield _picture(name, scenario, draws, actuals)
        rows = list(_rows(scenario, draws, facts, actuals))
        if rows:
            yield "\n| quantity | published | median | 80 % | published is | fact |\n|---|---|---|---|---|---|\n"
            yield "\n".join(rows) + "\n"
        yield f"\n{remarks[name].strip()}\n"


def main() -> None:
    """Replace the generated part of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--only", nargs="+", choices=SHELF, default=SHELF)
    asked = parser.parse_args()
    page = ROOT / "docs" / "how-to" / "scenarios.md"
    text = page.read_text(encoding="utf-8")
    body = "".join(parts(asked.draws, asked.only, text))
    page.write_text(with_blocks(text, {"published": body}), encoding="utf-8")


if __name__ == "__main__":
    main()
