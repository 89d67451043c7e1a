"""`jevons models`: the shipped architectures, and what follows from one."""

from __future__ import annotations

import typer

from jevons.api.models import list_, show
from jevons.cli.build import command
from jevons.cli.words import Listing

models_app = typer.Typer(help="List the shipped architectures, or show one.", cls=Listing)
models_app.command("list")(command(list_, arguments=("words",)))
models_app.command("show")(command(show, arguments=("model",)))
