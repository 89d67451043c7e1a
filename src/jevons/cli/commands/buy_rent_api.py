"""`jevons buy-rent-api`: buying machines, renting them and calling an API, side by side for the same load."""

from __future__ import annotations

from jevons.api.buy_rent_api import buy_rent_api as function
from jevons.cli.build import command

buy_rent_api = command(function, plots=True)
