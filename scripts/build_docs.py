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
from jevons.study.chain.value_bridge import CHANNELS
from jevons.study.currency import named_in
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.summary import interval_records, probabilities
from jevons.text import with_blocks

ROOT = Path(__file__).resolve().parent.parent
MAIN = ROOT / "scenarios" / "alibaba-380bn.yaml"
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
SWEPT = {
    "plan_value": "value of the AI cloud",
    "value_per_share": "value per share",
    "ai_revenue": "AI revenue, last four quarters",
    "tokens_per_d": "tokens served per day at the end",
    "devices": "accelerators in service at the end",
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
        unit = named_in(plan.scenario.currency, unit, plan.scenario.firm.share)
        lines.append(f"| {label} | {unit} | {low} | {middle} | {high} |")
    chances = probabilities(draws)
    lines += [f"| {label} | % | | {100 * chances[name]['p']:.0f} | |" for name, label in CHANCES.items()]
    return "\n".join(lines)


def value_sweep(path: str, values: list[float], name: str) -> str:
    """Return what the main scenario is worth over values of one amount, and the channels of its value."""
    study = jevons.study.sweep(MAIN, {path: values})
    draws, scenario = study.draws, jevons.load(MAIN)
    lines = [f"| {name} | " + " | ".join(f"{value:g}" for value in values) + " |", "|---|" + "---:|" * len(values)]
    for outcome, label in SWEPT.items():
        size, unit = shown_in(OUTCOMES[outcome][0])
        shown = (scaled(float(value) / size) for value in draws.outcomes[outcome])
        unit = named_in(scenario.currency, unit, scenario.firm.share)
        lines.append(f"| {label} [{unit}] | " + " | ".join(shown) + " |")
    for channel, added in draws.channels.items():
        if abs(added).max() > 0.5e9:
            lines.append(
                f"| {CHANNELS[channel]} [bn CNY] | "
                + " | ".join(f"{x / 1e9:+.0f}" if abs(x) >= 0.5e9 else "0" for x in added)
                + " |"
            )
    return "\n".join(lines)


def published_checks() -> str:
    """Return what the checks against published runs print: predictions that nothing was fitted to."""
    tests = ("tests/unit/serving/test_deepseek_day.py", "tests/unit/training/test_published_runs.py")
    command = [sys.executable, "-m", "pytest", "-s", "-n", "0", "-q", *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.lstrip(".") for line in done.stdout.splitlines() if re.search(r"[+-]\d+%\)", line)]
    return "\n".join(lines)


def main() -> int:
    """Run the scenario and write README and figures."""
    plan = jevons.plan(MAIN)
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    for name in FIGURES:
        with writing(images / f"{name}.svg", force=True) as stream:
            stream.write(figure_svg(plan_figure(plan, name)))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = with_blocks(readme, {"demo": headlines(plan), "accuracy": f"```\n{published_checks()}\n```"})
    with writing(ROOT / "README.md", force=True) as stream:
        stream.write(readme)
    page = ROOT / "docs" / "explanation" / "chain.md"
    blocks = {
        "efficiency": value_sweep("serving.efficiency", [0.25, 0.5, 1.0, 2.0, 4.0], "efficiency, all providers'"),
        "error": value_sweep("serving.engineering_error", [0.7, 1.0, 2.0, 5.0], "true over modelled device-seconds"),
        "markup": value_sweep("market.markup", [1.05, 1.3, 2.0], "price of hosts over cost"),
    }
    text = with_blocks(page.read_text(encoding="utf-8"), blocks)
    with writing(page, force=True) as stream:
        stream.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
