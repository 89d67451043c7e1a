"""`jevons track`: actual figures against a scenario's forecast."""

from jevons.api.track import track as function
from jevons.cli.build import command

track = command(function, arguments=("scenario",), counted=True, plots=True)
