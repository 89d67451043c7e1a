"""`jevons devices` and `jevons engines`: the accelerators and engines on file."""

from __future__ import annotations

from jevons.api.devices import devices as list_devices
from jevons.api.devices import engines as list_engines
from jevons.cli.build import command

devices = command(list_devices, arguments=("words",))
engines = command(list_engines)
