"""`jevons web`: the planner page, served on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

Port = Annotated[
    int,
    typer.Option("--port", help="Port of the page; the next free one if it is in use (default 8765).",
                 show_default=False),
]  # fmt: skip
Host = Annotated[
    str | None,
    typer.Option("--host", metavar="HOST", help="Address to listen on besides this machine, such as 0.0.0.0; every "
                 "request then needs the token."),
]  # fmt: skip
Token = Annotated[
    str | None, typer.Option("--token", metavar="TEXT", help="Token of --host; a random one where not given.")
]
Public = Annotated[
    bool,
    typer.Option("--public", help="With --host, answer anyone without a token: no uploads, and a quota per visitor."),
]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")]
Workers = Annotated[
    int,
    typer.Option("--workers", help="Worker processes for simulations and plans (default 1).", show_default=False),
]


def web(
    port: Port = 8765, host: Host = None, token: Token = None, public: Public = False, no_open: NoOpen = False,
    workers: Workers = 1,
) -> None:  # fmt: skip
    """Open the planner page: a local service with the functions of this program, in English and Chinese.

    It listens only on this machine, needs no network, and removes its files at the end.
    """
    import jevons
    from jevons.options import call_parsed

    given = {"port": port, "host": host, "token": token, "public": public, "no_open": no_open, "workers": workers}
    call_parsed(jevons.serve, given)
