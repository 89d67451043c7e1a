"""`jevons devices` and `jevons engines`: the accelerators and engines on file."""

from __future__ import annotations

import typer

from jevons.api.devices import device as show_device
from jevons.api.devices import devices as list_devices
from jevons.api.devices import engines as list_engines
from jevons.cli.build import command
from jevons.cli.words import Listing

devices_app = typer.Typer(help="List the accelerators on file, or show one.", cls=Listing)
devices_app.command("list")(command(list_devices, arguments=("words",)))
devices_app.command("show")(command(show_device, arguments=("gpu",)))

engines = command(list_engines)
