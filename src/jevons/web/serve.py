"""`jevons.serve`: the page on this machine."""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from typing import Annotated

from jevons import options as o
from jevons.errors import InputError

PORT = o.Option(help="Port of the page; the next free one if it is in use", low=0, high=65_535)
HOST = o.Option(
    help="Address to listen on besides this machine, such as 0.0.0.0; every request then needs the token",
    metavar="HOST",
)
TOKEN = o.Option(help="Token that requests show with --host; a random one where not given", metavar="TEXT")
PUBLIC = o.Option(
    help="Answer anybody with --host, without a token: no uploads, runs of two minutes at most, and a quota for each",
)
NO_OPEN = o.Option(help="Do not open a browser")
WORKERS = o.Option(help="Worker processes for simulations and plans, besides the one for quick answers", low=1, high=32)

_LOOPBACK = "127.0.0.1"
_TRIES = 20
_SHORTEST_TOKEN = 12


@o.declared
def serve(
    *,
    port: Annotated[int, PORT] = 8765,
    host: Annotated[str | None, HOST] = None,
    token: Annotated[str | None, TOKEN] = None,
    public: Annotated[bool, PUBLIC] = False,
    no_open: Annotated[bool, NO_OPEN] = False,
    workers: Annotated[int, WORKERS] = 1,
) -> None:
    """Serve the planner page until it is interrupted.

    Returns
    -------
    None
        When it is interrupted.

    Raises
    ------
    InputError
        If the port is taken, the host no address, or the packages of the page are missing.

    Examples
    --------
    >>> import jevons
    >>> jevons.serve(port=8765)  # doctest: +SKIP
    """
    try:
        import uvicorn

        from jevons.web.app import service
    except ModuleNotFoundError as error:
        message = f"the page needs the package `{error.name}`; pip install 'jevons[web]'"
        raise InputError(message) from None
    if token is not None and host is None:
        message = "--token: has no effect without --host; add it"
        raise InputError(message)
    if public and (host is None or token is not None):
        message = (
            "--public: has no effect without --host; add it"
            if host is None
            else "--token with --public: one asks for a token, the other for none; give one of them"
        )
        raise InputError(message)
    if token is not None and not re.fullmatch(rf"[A-Za-z0-9_.-]{{{_SHORTEST_TOKEN},200}}", token):
        message = f"--token: give {_SHORTEST_TOKEN} to 200 letters, digits, - . or _"
        raise InputError(message)
    if host is not None and not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", host):
        message = f"--host {host[:60]}: give an address or name of this machine, such as 0.0.0.0"
        raise InputError(message)
    secret = "" if host is None or public else token or secrets.token_urlsafe(24)
    listening = _listening(host or _LOOPBACK, port)
    number = listening.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="jevons-web-")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _leave)  # uvicorn raises the signal again; the folder is removed all the same
    try:
        hosts = set() if host is None else {"*"}
        app = service(folder=folder, hosts=hosts, token=secret, workers=workers, public=public)
        shown = "[::1]" if host and ":" in host else _LOOPBACK
        address = f"http://{shown}:{number}/" + (f"?token={secret}" if secret else "")
        sys.stderr.write(f"jevons page: {address}  (stop with Ctrl+C)\n")
        if host is not None:
            whoever = "anybody" if public else "whoever has the token"
            sys.stderr.write(f"listening on {host}; {whoever} may use it. Traffic is not encrypted.\n")
        sys.stderr.flush()
        if not no_open:
            threading.Thread(target=_open, args=(address,), daemon=True).start()
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30,
            timeout_graceful_shutdown=1, h11_max_incomplete_event_size=32_768, limit_concurrency=200,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()
        shutil.rmtree(folder, ignore_errors=True)


def _leave(_number: int, _frame: object) -> None:
    """End the process as an interruption does, so that what must be done at the end is done."""
    raise SystemExit(0)


def _open(address: str) -> None:
    time.sleep(0.6)
    webbrowser.open(address)


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the port, or on the next free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem: OSError | None = None
    for number in range(port, min(port + _TRIES, 65_536)) if port else (0,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(128)
        except OSError as error:
            listener.close()
            problem = error
            continue
        return listener
    message = f"--port {port}: cannot listen on {host}: {problem.strerror if problem else 'no port is free'}"
    raise InputError(message)
