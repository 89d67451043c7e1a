"""Rebuilds what the README and the docs show of the main scenario: figures, printed tables, an explanation.

Usage: python scripts/build_docs.py
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console

import jevons
from jevons.cli.output import table
from jevons.files import writing
from jevons.plot import FIGURES, figure_svg, plan_figure

ROOT = Path(__file__).resolve().parent.parent
SHOWN = (
    "Accelerators in service [thousand], power and use",
    "Tokens served a day [billion]",
    "What binds, strongest first",
    "Accounts by calendar year [bn CNY]",
    "Value",
    "The Jevons verdict",
    "Uncertainty over the stated ranges",
)
EVERY = 3
"""Of the quarters, the README shows every third, so that its tables fit a page."""


def thinned(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return columns and rows with every third quarter and the last."""
    quarters = [i for i, column in enumerate(columns) if re.fullmatch(r"\d{4}-Q[1-4]", column)]
    if not quarters:
        return columns, rows
    kept = {*quarters[::EVERY], quarters[-1]}
    use = [i for i in range(len(columns)) if i not in quarters or i in kept]
    return tuple(columns[i] for i in use), [tuple(row[i] for i in use) for row in rows]


def printed(plan: jevons.PlanResult) -> str:
    """Return the chosen tables as plain text."""
    console = Console(width=112, highlight=False, color_system=None, file=io.StringIO(), record=True)
    for title, columns, rows in plan.table():
        if title in SHOWN:
            heads, cells = thinned(tuple(columns), [tuple(row) for row in rows])
            console.print(table(title, heads, cells, text_columns=len(heads) if heads[-1] == "note" else 1))
    lines = (line.rstrip() for line in console.export_text().splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def published_checks() -> str:
    """Return what the checks against published runs print: predictions that nothing was fitted to."""
    tests = ("tests/unit/serving/test_deepseek_day.py", "tests/unit/training/test_published_runs.py")
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:xdist", "-q", *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.lstrip(".") for line in done.stdout.splitlines() if re.search(r"[+-]\d+%\)", line)]
    return "\n".join(lines)


def put(text: str, name: str, block: str) -> str:
    """Return *text* with the block of that name replaced."""
    pattern = rf"(<!-- begin:{name} -->\n).*?(<!-- end:{name} -->)"
    return re.sub(pattern, lambda m: f"{m.group(1)}{block}\n{m.group(2)}", text, flags=re.DOTALL)


def main() -> int:
    """Run the scenario and write README and figures."""
    scenario = jevons.load(ROOT / "scenarios" / "alibaba-380bn.yaml")
    plan = jevons.plan(scenario, file="alibaba-380bn.yaml")
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    for name in FIGURES:
        with writing(images / f"{name}.svg", force=True) as stream:
            stream.write(figure_svg(plan_figure(plan, name)))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = put(readme, "explain", f"```\n{plan.explain('cost.h20.per_h_cny')}\n```")
    readme = put(readme, "demo", f"```\n{printed(plan)}\n```")
    readme = put(readme, "accuracy", f"```\n{published_checks()}\n```")
    with writing(ROOT / "README.md", force=True) as stream:
        stream.write(readme)
    return 0


if __name__ == "__main__":
    sys.exit(main())
