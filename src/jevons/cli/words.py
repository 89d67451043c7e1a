"""Command lines in other tools' words: what was likely meant is offered."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from jevons.options.spellings import SPELLINGS

UsageError: Any = typer.BadParameter.__base__
"""The error of a wrong command line, of whichever click typer carries."""


class Command(TyperCommand):
    """A command that offers its option for another tool's, such as ``--rate`` for ``--qps``, and for a bare model."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; where it is wrong, say what was likely meant."""
        try:
            return super().parse_args(ctx, args)
        except UsageError as error:
            if hint := self._meant(error):
                ctx.fail(f"{error.message.rstrip('.')}{hint}")
            raise

    def _meant(self, error: Any) -> str:
        """Return what to write in place of an option that is not there, or of a word without an option."""
        word = str(getattr(error, "option_name", "")).lstrip("-").replace("-", "_").lower()
        known = {param.name for param in self.params}
        meant = next((name for name in SPELLINGS.get(word, ()) if name in known), "")
        if meant:
            return f". Did you mean --{meant.replace('_', '-')}?"
        bare = "unexpected extra argument" in error.message
        return "; options are named, such as --gpu NAME" if bare and "gpu" in known else ""


class Group(TyperGroup):
    """A group whose help has the first sentence of each command whole, over two lines where it takes them."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each with its first sentence."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, _first_sentence(command.help)) for name, command in commands if command and not command.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _first_sentence(text: str | None) -> str:
    """Return the first paragraph of a help text in one line, without its full stop."""
    return " ".join((text or "").split("\n\n")[0].split()).split(". ")[0].rstrip(".")


class Listing(Group):
    """A group that lists where no command is named: ``jevons devices H100`` is ``jevons devices list H100``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``list`` before words and options that name no command."""
        if not args or (args[0] not in self.commands and args[0] not in {"--help", "-h"}):
            args = ["list", *args]
        return super().parse_args(ctx, args)
