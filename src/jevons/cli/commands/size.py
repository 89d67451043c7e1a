"""`jevons size`: the cheapest fleet that serves a load within its latency limits."""

from __future__ import annotations

from jevons.api.size import size as function
from jevons.cli.build import command

size = command(function, plots=True, emits=True)
