"""`jevons plan`: a scenario through the whole chain, or its values as they were understood."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jevons.api.plan import plan as function
from jevons.api.study import resolved
from jevons.cli.build import OUTPUT_ENDINGS, command

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the resolved scenario and stop.", show_default=False)]


def _formulas_alone(given: dict[str, Any]) -> None:
    """Leave out draws where only formulas and facts are printed, which do not depend on them."""
    json = given["json"] or given["form"] == "json"
    if given["explain"] and given["draws"] is None and given["out"] is None and not json:
        given["draws"] = 0


plan = command(
    function, arguments=("scenario",), endings=(*OUTPUT_ENDINGS, ".nc"), counted=True, explains=True,
    instead={"dry_run": (DryRun, resolved)}, before=_formulas_alone,
)  # fmt: skip
