"""`jevons new`: a scenario file for a new firm; a terminal is asked for what is missing."""

from __future__ import annotations

import sys
from typing import Any

import typer

from jevons.api.new import new as function
from jevons.cli.build import command

_ASKED = {
    "firm": "Name of the firm",
    "budget": "Capital expenditure over the plan (such as 2 bn USD)",
    "revenue": "Revenue of the cloud in the last quarter, AI in it (such as 200 mn USD)",
    "net_cash": "Cash less debt (such as -1 bn USD)",
    "shares": "Shares outstanding (such as 300 mn)",
    "share_price": "Price of a share (such as 30 USD)",
}


def _ask(given: dict[str, Any]) -> None:
    """Ask a person at a terminal for what was not given."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    for name, question in _ASKED.items():
        if not given.get(name):
            given[name] = typer.prompt(question, err=True)


new = command(function, arguments=("file",), before=_ask)
