"""`jevons simulate`: a load replayed on replicas or a fleet, exact to the engine's step."""

from __future__ import annotations

from typing import Any

from jevons.api.simulate import simulate as function
from jevons.cli.build import command


def _compile_ahead(given: dict[str, Any]) -> None:
    """Begin to compile what simulates one replica, on a first use, before facts are read."""
    if given["rate"] or given["concurrency"]:
        from jevons.serving.sim import ahead  # a refused line, and help, do without

        ahead.begin(closed=bool(given["concurrency"]))


simulate = command(function, plots=True, before=_compile_ahead)
