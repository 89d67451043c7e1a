"""`jevons read`: what an announcement says, against facts."""

from jevons.api.read import read as function
from jevons.cli.build import OUTPUT_ENDINGS, command

read = command(function, arguments=("source",), endings=(*OUTPUT_ENDINGS, ".yaml", ".yml"))
