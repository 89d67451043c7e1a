"""`jevons simulate`: a load replayed on replicas or a fleet, exact to the engine's step."""

from __future__ import annotations

from jevons.api.simulate import simulate as function
from jevons.cli.build import command

simulate = command(function, plots=True)
