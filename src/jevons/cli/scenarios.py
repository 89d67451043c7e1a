"""Reading and solving the scenario that a command names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jevons.cli.progress import Progress
from jevons.units import parse_date

if TYPE_CHECKING:
    from jevons.study import PlanResult


def solve(scenario: Path, *, seed: int | None, as_of: str | None, draws: int | None) -> PlanResult:
    """Return the plan of a scenario file, with progress on a terminal."""
    from jevons.study import load, plan

    progress = Progress()
    try:
        loaded = load(scenario, as_of=parse_date(as_of))
        return plan(loaded, seed=seed, draws=draws, progress=progress, file=scenario.name)
    finally:
        progress.end()
