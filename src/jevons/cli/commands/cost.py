"""`jevons cost`: an accelerator-hour by part, and a model's tokens priced from it."""

from __future__ import annotations

from jevons.api.cost import cost as function
from jevons.cli.build import command

cost = command(function)
