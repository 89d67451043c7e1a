"""`jevons value`: what the plan is worth, what the price implies, and how far a re-rating is explained."""

from jevons.api.value import value as function
from jevons.cli.build import command

value = command(function, arguments=("scenario",), counted=True)
