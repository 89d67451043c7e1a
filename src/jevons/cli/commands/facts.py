"""`jevons facts`: dated, sourced figures, listed, searched and shown."""

from __future__ import annotations

import typer

from jevons.api.facts import check, list_, search, show
from jevons.cli.build import command
from jevons.cli.words import Listing

facts_app = typer.Typer(help="List dated, sourced figures, or show one.", cls=Listing)
facts_app.command("list")(command(list_, arguments=("prefix",)))
facts_app.command("search")(command(search, arguments=("words",)))
facts_app.command("check")(command(check, counted=True))
facts_app.command("show")(command(show, arguments=("fact_id",)))
