"""Rebuilds what the README and the docs show of the main scenario: pictures, headlines, checks on published runs.

Usage: python scripts/build_docs.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jevons
from jevons.files import writing
from jevons.plot import FIGURES, figure_svg, plan_figure
from jevons.rounding import scaled, shown_in
from jevons.study.currency import named_in
from jevons.study.draws.summary import interval_records, probabilities
from jevons.text import with_blocks

ROOT = Path(__file__).resolve().parent.parent
SHOWN = {
    "devices": "accelerators in service at the end",
    "it_w": "IT power at the end",
    "tokens_per_d": "tokens served per day at the end",
    "price_index": "price per token, last quarter over first",
    "capex": "capital expenditure over the plan",
    "ai_revenue": "AI revenue, last four quarters",
    "ai_ebita": "AI EBITA, last four quarters",
    "orders_value": "value added by new orders",
    "value_per_share": "value per share",
    "compute_factor": "compute demand when efficiency doubles, relative",
}
CHANCES = {
    "value_created": "P(new orders are worth more than they cost)",
    "jevons": "P(Jevons) within the plan",
    "jevons_settled": "P(Jevons) in the long run",
    "elastic": "P(elasticity of compute above one)",
}


def headlines(plan: jevons.PlanResult) -> str:
    """Return the plan's main figures with their intervals, and its probabilities, as a table of a dozen lines."""
    draws = plan.draws
    if draws is None:
        message = "the scenario has no draws"
        raise ValueError(message)
    records = {record["outcome"]: record for record in interval_records(draws)}
    lines = ["| figure | unit | 10 % | median | 90 % |", "|---|---|---:|---:|---:|"]
    for name, label in SHOWN.items():
        factor, unit = shown_in(records[name]["unit"])
        low, middle, high = (scaled(records[name][quantile] / factor) for quantile in ("p10", "p50", "p90"))
        lines.append(f"| {label} | {named_in(plan.scenario.currency, unit)} | {low} | {middle} | {high} |")
    chances = probabilities(draws)
    lines += [f"| {label} | % | | {100 * chances[name]['p']:.0f} | |" for name, label in CHANCES.items()]
    return "\n".join(lines)


def published_checks() -> str:
    """Return what the checks against published runs print: predictions that nothing was fitted to."""
    tests = ("tests/unit/serving/test_deepseek_day.py", "tests/unit/training/test_published_runs.py")
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:xdist", "-q", *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.lstrip(".") for line in done.stdout.splitlines() if re.search(r"[+-]\d+%\)", line)]
    return "\n".join(lines)


def main() -> int:
    """Run the scenario and write README and figures."""
    plan = jevons.plan(ROOT / "scenarios" / "alibaba-380bn.yaml")
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    for name in FIGURES:
        with writing(images / f"{name}.svg", force=True) as stream:
            stream.write(figure_svg(plan_figure(plan, name)))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = with_blocks(readme, {"demo": headlines(plan), "accuracy": f"```\n{published_checks()}\n```"})
    with writing(ROOT / "README.md", force=True) as stream:
        stream.write(readme)
    return 0


if __name__ == "__main__":
    sys.exit(main())
