"""Reading and solving the scenario that a command names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jevons.api.plan import plan
from jevons.cli.progress import Progress
from jevons.options import call_parsed

if TYPE_CHECKING:
    from jevons.study import PlanResult


def solve(scenario: Path, *, seed: int | None, as_of: str | None, draws: int | None) -> PlanResult:
    """Return the plan of a scenario file, with progress on a terminal."""
    progress = Progress()
    try:
        given = {"scenario": scenario, "seed": seed, "as_of": as_of, "draws": draws, "progress": progress}
        return call_parsed(plan, given)
    finally:
        progress.end()
