"""What every request passes first: whose it is, how large it is, and the headers that its answer carries."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import math
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from jevons.web.problems import dumps, plain_problem
from jevons.web.quota import Quota, kind_of

MAX_BODY = 64_000
"""Bytes of a question."""
MAX_UPLOAD = 50_000_000
"""Bytes of a trace."""
READ_LIMIT_S, UPLOAD_LIMIT_S = 20.0, 180.0
_DRAINED = 4
"""Up to how many times its limit a body that is too large is still taken, for the refusal to be heard."""
UPLOADS = "/api/v1/traces"
COOKIE = "jevons_token"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_HOST = re.compile(r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?$")


class RefusedError(Exception):
    """A request that is not answered, with its status and reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def security_headers(script_hashes: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of every answer: scripts, styles and connections of this service alone."""
    policy = (
        f"default-src 'none'; script-src 'self' {script_hashes}; style-src 'self'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; object-src 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]


class Guard:
    """Wraps the service: checks host, origin, token and size before anything reads the request.

    Parameters
    ----------
    app : callable
        The service.
    hosts : set of str
        Host names that may be asked for besides this machine's own.
    token : str
        Secret that every request must show; empty where the service listens on this machine alone.
    script_hashes : str
        Hashes of the page's inline scripts.
    quota : Quota or None
        What each address may ask of a public service, which takes no uploads; None for no bounds.
    """

    def __init__(
        self, app: App, *, hosts: set[str], token: str, script_hashes: str, quota: Quota | None = None
    ) -> None:
        self.app = app
        self.quota = quota
        self.hosts = _LOOPBACK | hosts
        self.token = token
        self.headers = security_headers(script_hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                known = {name.lower() for name, _ in message.get("headers", [])}
                more = [pair for pair in self.headers if pair[0] not in known]
                if b"cache-control" not in known:
                    more.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        try:
            self._check_origin(headers)
            self._check_quota(scope)
            if self.token and await self._enter(scope, headers, answer):
                return
            body = await self._body(scope, headers, receive)
        except RefusedError as error:
            await _refuse(answer, error.status, str(error))
            return
        try:
            await self.app(scope, body, answer)
        except asyncio.CancelledError:  # the server ends, and waits no longer for what is asked
            if not begun:
                await _refuse(answer, 503, "the service ends; ask again when it is started")

    def _check_origin(self, headers: dict[str, str]) -> None:
        """Refuse another host's name, and pages of other sites."""
        host = headers.get("host", "")
        match = _HOST.match(host)
        name = match[1].strip("[]").lower() if match else ""
        if not match or (name not in self.hosts and "*" not in self.hosts):
            message = f"Host {host[:80] or '(none)'}: not served; open the address that `jevons web` printed"
            raise RefusedError(421, message)
        origin = headers.get("origin")
        if origin is not None:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or parts.netloc.lower() != host.lower():
                message = f"Origin {origin[:80]}: pages of other sites may not ask this service"
                raise RefusedError(403, message)
        elif headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            message = "a page of another site may not ask this service; open the address that `jevons web` printed"
            if headers.get("sec-fetch-mode") != "navigate":
                raise RefusedError(403, message)

    def _check_quota(self, scope: Scope) -> None:
        """Refuse what a public service does not do, and more of the rest than an address has left.

        Raises
        ------
        RefusedError
            With what to do instead, or how long to wait.
        """
        if self.quota is None:
            return
        if scope["path"] == UPLOADS and scope["method"] == "POST":
            message = "this page is public and takes no files; run `jevons web` on your own machine for traces"
            raise RefusedError(403, message)
        address = (scope.get("client") or ("",))[0]
        wait_s = self.quota.wait_s(address, kind_of(scope["method"], scope["path"]))
        if wait_s > 0:
            message = f"this page is public, and your share of this minute is used; ask again in {math.ceil(wait_s)} s"
            raise RefusedError(429, message)

    async def _enter(self, scope: Scope, headers: dict[str, str], send: Send) -> bool:
        """Return whether the request was answered by taking its token into a cookie.

        Raises
        ------
        RefusedError
            If it shows no right token.
        """
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        given = query.get("token", [""])[0]
        if given and self._right(given) and scope["method"] == "GET":
            rest = urlencode({k: v[0] for k, v in query.items() if k != "token"})
            target = scope["path"] + (f"?{rest}" if rest else "")
            cookie = f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            head = [(b"location", target.encode("latin-1", "ignore")), (b"set-cookie", cookie.encode())]
            await send({"type": "http.response.start", "status": 303, "headers": head})
            await send({"type": "http.response.body", "body": b""})
            return True
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if not (self._right(bearer) or self._right(_cookie(headers.get("cookie", "")))):
            message = "the token is missing or wrong; open the address that `jevons web` printed, token and all"
            raise RefusedError(401, message)
        return False

    def _right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.token.encode())

    async def _body(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Receive:
        """Return what gives the body, which was read whole within its limits of size and time."""
        upload = scope["path"] == UPLOADS
        most = MAX_UPLOAD if upload else MAX_BODY
        stated = headers.get("content-length", "")
        if stated and (not stated.isdigit() or int(stated) > most):
            if stated.isdigit() and int(stated) <= _DRAINED * most:
                await _drained(receive)
            raise RefusedError(413, _too_large(upload=upload))
        try:
            content = await asyncio.wait_for(
                _read(receive, most, upload=upload), UPLOAD_LIMIT_S if upload else READ_LIMIT_S
            )
        except TimeoutError:
            message = "the request took too long to arrive; send it again"
            raise RefusedError(408, message) from None
        told = False

        async def give() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": content, "more_body": False}

        return give


async def _drained(receive: Receive) -> None:
    """Take what is still sent, so that the sender hears the refusal rather than a broken connection."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READ_LIMIT_S):
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass


async def _read(receive: Receive, most: int, *, upload: bool) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise RefusedError(413, _too_large(upload=upload))
        if not message.get("more_body"):
            return b"".join(parts)


def _too_large(*, upload: bool) -> str:
    if upload:
        return f"the trace has more than {MAX_UPLOAD // 1_000_000} MB; keep part of its rows, or use `jevons simulate`"
    return f"the question has more than {MAX_BODY // 1000} kB; ask for less"


def _cookie(text: str) -> str:
    try:
        cookies = SimpleCookie(text)
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


async def _refuse(send: Send, status: int, message: str) -> None:
    body = dumps({"error": plain_problem(2, message)})
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 413:
        head.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
