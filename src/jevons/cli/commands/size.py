"""`jevons size`: the cheapest fleet that serves a load within its latency limits."""

from __future__ import annotations

from typing import Any

from jevons.api.size import size as function
from jevons.cli.build import command


def _compile_ahead(given: dict[str, Any]) -> None:
    """Begin to compile what simulates, on a first use, before facts are read."""
    if not given["static"] and (given["rate"] or given["concurrency"]):
        from jevons.serving.sim import ahead  # a refused line, and help, do without

        ahead.begin(closed=bool(given["concurrency"]) and not given["think"])


size = command(function, plots=True, emits=True, before=_compile_ahead)
