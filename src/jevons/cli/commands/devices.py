"""`jevons devices` and `jevons engines`: the accelerators and engines on file."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

from jevons.api.devices import device as show_device
from jevons.api.devices import devices as list_devices
from jevons.api.devices import engines as list_engines
from jevons.cli.build import command


class _Listing(TyperGroup):
    """A group that lists where no command is named: ``jevons devices H100`` is ``jevons devices list H100``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put ``list`` before words and options that name no command."""
        if not args or (args[0] not in self.commands and args[0] not in {"--help", "-h"}):
            args = ["list", *args]
        return super().parse_args(ctx, args)


devices_app = typer.Typer(help="List the accelerators on file, or show one.", cls=_Listing)
devices_app.command("list")(command(list_devices, arguments=("words",)))
devices_app.command("show")(command(show_device, arguments=("gpu",)))

engines = command(list_engines)
