"""`jevons models`: the shipped architectures, and what follows from one."""

from __future__ import annotations

import typer

from jevons.api.models import list_, show
from jevons.cli.build import command

models_app = typer.Typer(help="Read model architectures from config.json files.", no_args_is_help=True)
models_app.command("list")(command(list_, arguments=("words",)))
models_app.command("show")(command(show, arguments=("model",)))
