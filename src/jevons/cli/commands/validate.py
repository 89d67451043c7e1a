"""`jevons validate` and `jevons calibrate`: measured rows against predictions, and factors fitted to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jevons.api.calibrate import calibrate as calibrate_function
from jevons.api.validate import validate as validate_function
from jevons.cli.build import command
from jevons.cli.output import note


def _with_progress(given: dict[str, Any]) -> None:
    given["progress"] = note


validate = command(validate_function, arguments=("files",))
calibrate = command(
    calibrate_function, arguments=("files",), endings=(".json",), out=Path("calibration.json"), before=_with_progress
)
