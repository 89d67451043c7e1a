"""Commands and their options; what they do lives in the stages, and is imported only when a command runs."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from jevons.cli.commands.buy_rent_api import buy_rent_api
from jevons.cli.commands.compare import compare
from jevons.cli.commands.cost import cost
from jevons.cli.commands.devices import devices_app, engines
from jevons.cli.commands.facts import facts_app
from jevons.cli.commands.models import models_app
from jevons.cli.commands.new import new
from jevons.cli.commands.op import op_app
from jevons.cli.commands.plan import plan
from jevons.cli.commands.read import read
from jevons.cli.commands.simulate import simulate
from jevons.cli.commands.size import size
from jevons.cli.commands.study import study_app
from jevons.cli.commands.track import track
from jevons.cli.commands.train import train
from jevons.cli.commands.validate import calibrate, validate
from jevons.cli.commands.value import value
from jevons.cli.commands.web import web
from jevons.cli.output import FULL, forcible, full_problem, harmless, let_go, note, open_streams
from jevons.cli.words import Command
from jevons.errors import FactError, InfeasibleError, InputError, SolverError
from jevons.text import shortened

app = typer.Typer(
    name="jevons",
    help="Plans, simulates and prices AI compute, from one matrix product to what a share price implies.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.add_typer(facts_app, name="facts", rich_help_panel=None)
app.add_typer(models_app, name="models")
app.add_typer(op_app, name="op")
app.add_typer(devices_app, name="devices")
app.add_typer(study_app, name="study")


def _with_force(group: typer.Typer) -> None:
    """Give every command that writes files the option ``--force``."""
    for info in group.registered_commands:
        if info.callback is not None:
            info.callback = forcible(info.callback)
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _with_force(inner.typer_instance)


@functools.cache
def _built() -> Callable[[], Any]:
    """Return the commands with all their options, built once: a program may run many lines in one process."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line and turn known errors into messages and exit codes."""
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8")
    try:
        with harmless():
            _built()()
    except (InputError, FactError) as error:
        _stop(error, 2)
    except InfeasibleError as error:
        _stop(error, 3)
    except SolverError as error:
        _stop(error, 1)
    except OSError as error:
        if error.filename is not None or error.errno not in FULL:
            raise
        let_go()
        _stop(full_problem(error), 2)


def _stop(error: Exception, code: int) -> None:
    """Print a message, with what a file may have smuggled into it made harmless to a terminal, and leave."""
    with contextlib.suppress(BrokenPipeError):
        for line in dict.fromkeys(str(error).split("\n")):
            note(shortened(line))
    sys.exit(code)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """Plans, simulates and prices AI compute, from one matrix product to what a share price implies."""
    if version:
        from jevons import __version__

        typer.echo(f"jevons {__version__}")
        raise typer.Exit


for command in (
    plan,
    value,
    compare,
    track,
    read,
    new,
    size,
    buy_rent_api,
    simulate,
    train,
    cost,
    validate,
    calibrate,
    engines,
    web,
):
    app.command(cls=Command)(command)
_with_force(app)
