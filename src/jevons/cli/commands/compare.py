"""`jevons compare`: two scenarios, or one and changes of it, on paired draws."""

from jevons.api.compare import compare as function
from jevons.cli.build import command

compare = command(function, arguments=("a", "b"), counted=True, plots=True)
