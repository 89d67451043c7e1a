"""Commands and their options; what they do lives in the stages, and is imported only when a command runs."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import os
import re
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from jevons.cli.output import FULL, forcible, full_problem, harmless, let_go, note, open_streams
from jevons.cli.words import Command, Group
from jevons.errors import FactError, InfeasibleError, InputError, SolverError
from jevons.text import shortened

_COMMANDS = {
    "plan": "plan",
    "value": "value",
    "compare": "compare",
    "track": "track",
    "read": "read",
    "new": "new",
    "size": "size",
    "buy-rent-api": "buy_rent_api",
    "simulate": "simulate",
    "train": "train",
    "cost": "cost",
    "validate": "validate",
    "calibrate": "validate",
    "engines": "devices",
    "web": "web",
    "facts": "facts",
    "models": "models",
    "op": "op",
    "devices": "devices",
    "study": "study",
}
"""Commands and groups of commands in the order of the help, and the module of ``jevons.cli.commands`` that has each."""


@functools.cache
def app_of(*names: str) -> typer.Typer:
    """Return the command line with these commands, or with all: whoever runs one command need not load the others."""
    app = typer.Typer(
        name="jevons",
        cls=Group,
        help="Plans, simulates and prices AI compute, from one matrix product to what a share price implies.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback(invoke_without_command=True)(root)
    for name in names or _COMMANDS:
        module = importlib.import_module(f"jevons.cli.commands.{_COMMANDS[name]}")
        group = getattr(module, f"{name}_app", None)
        if group is None:
            app.command(name, cls=Command)(getattr(module, name.replace("-", "_")))
        else:
            app.add_typer(group, name=name)
    _with_force(app)
    return app


def __getattr__(name: str) -> typer.Typer:
    """Return ``app``, the whole command line."""
    if name == "app":
        return app_of()
    problem = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(problem)


def _with_force(group: typer.Typer) -> None:
    """Give every command that writes files the option ``--force``."""
    for info in group.registered_commands:
        if info.callback is not None:
            info.callback = forcible(info.callback)
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _with_force(inner.typer_instance)


@functools.cache
def _built(*names: str) -> Callable[[], Any]:
    """Return commands with all their options, built once: a program may run many lines in one process."""
    return typer.main.get_command(app_of(*names))


def _named() -> list[str]:
    """Return the command that the line begins with; none for help, a wrong name or a shell that completes."""
    return [name for name in sys.argv[1:2] if name in _COMMANDS]


def main() -> None:
    """Run the command line and turn known errors into messages and exit codes."""
    os.environ["MPLBACKEND"] = "agg"  # pictures go to files; a notebook's own backend need not be installed here
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8")
    try:
        _check_environment()
        with harmless():
            _built(*_named())()
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


_YEAR_10000_S = 253_402_300_800


def _check_environment() -> None:
    """Refuse a date of the build that NumPy, SciPy and Matplotlib would fail on, each in its own way."""
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if stated == "":
        del os.environ["SOURCE_DATE_EPOCH"]
    elif stated is not None and not (re.fullmatch(r"\d{1,12}", stated) and int(stated) < _YEAR_10000_S):
        message = f"SOURCE_DATE_EPOCH={stated}: must be whole seconds since 1970, before the year 10000; unset it"
        raise InputError(message)


def _stop(error: Exception, code: int) -> None:
    """Print a message, with what a file may have smuggled into it made harmless to a terminal, and leave."""
    with contextlib.suppress(BrokenPipeError):
        for line in dict.fromkeys(str(error).split("\n")):
            note(shortened(line))
    sys.exit(code)


def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """Plans, simulates and prices AI compute, from one matrix product to what a share price implies."""
    if version:
        from jevons import __version__

        typer.echo(f"jevons {__version__}")
        raise typer.Exit
