"""Random requests to a running service of the page, its workers killed between: it answers each, and loses nothing."""

from __future__ import annotations

import json
import os
import random
import socket
import string
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from page_service import API, Served, served

QUESTION = {"model": "llama-3.1-8b", "gpu": ["h100_sxm"], "rate": 5}
_PLACES = (
    "size", "runs", "facts", "traces", "diff", "catalog", "scenarios", "i18n/en.json", "static/app.js", "nope", "train",
    "memory", "cost", "buy-rent-api", "status", "openapi.json",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, -1, 0, 1e308, -0.0, 2**70, "", " ", "<script>alert(1)</script>", "../x", "/etc/passwd", "..\\x", "~root",
    "config.json", [], {}, "h20", True, "9" * 300, "\x00", "🦜", "\u202e", [[1]], [None], "1e999", "nan", "${HOME}",
    "'; drop table x", "%2e%2e%2f",
)  # fmt: skip
_KEYS = (
    "model", "gpu", "kind", "input", "rate", "isl", "tpot", "trace", "hardware", "calibration", "facts", "set", "a",
    "b", "x",
)  # fmt: skip
_PATHS = (
    "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/%00", "/..;/",
    "/api/v1/runs/..%2f..%2fx", "/api/v1/facts/%2e%2e%2fx", "/api/v1/i18n/..%2fen.json",
    "/api/v1/scenarios/..%2f..%2fx", "//evil.example/x",
)  # fmt: skip
_FOREIGN = (
    {"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Host": "127.0.0.1.evil.example"}, {"Host": "localhost:x"},
)  # fmt: skip
_RAW = (
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"POST /api/v1/size HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"G" * 40_000,
)
_TRACES = (
    b"", b"\x00\x01" * 40, b"when,what\n0,1\n", b"PK\x03\x04xx", b"\x1f\x8b\x08zz",
    b"arrived_at,input,output\n0,1e999,-1\n",
)  # fmt: skip
_WORKER_S = 90.0
"""Time within which a killed worker's place is taken again."""


def _address(rng: random.Random) -> str:
    tail = "".join(rng.choices(string.printable[:94], k=rng.randrange(12)))
    for mark in "%?#":
        tail = tail.replace(mark, f"%{ord(mark):02X}")
    return f"{API}/{rng.choice(_PLACES)}{rng.choice(['', '/', f'/{tail}'])}"


def _body(rng: random.Random) -> bytes:
    """Return a question with values that no form sends, or no question at all."""
    if rng.random() < 0.15:
        return bytes(rng.choices(range(256), k=rng.randrange(80)))
    given: dict[str, Any] = {**QUESTION, "static": True} if rng.random() < 0.3 else {}
    given |= {rng.choice(_KEYS): rng.choice(_VALUES) for _ in range(rng.randrange(1, 4))}
    if rng.random() < 0.2:
        given = {"kind": rng.choice(["size", "cost", "compare", "nothing", None]), "input": given}
    return json.dumps(given).encode()


def sent(page: Served, rng: random.Random) -> tuple[str, Any]:
    """Send one random request; return what it was in words, and its answer."""
    draw = rng.random()
    if draw < 0.1:
        path, method, headers, content = rng.choice(_PATHS), "GET", {}, b""
    elif draw < 0.2:
        path, method, headers, content = f"{API}/status", "GET", dict(rng.choice(_FOREIGN)), b""
    elif draw < 0.3:
        path, method, headers = (
            f"{API}/traces?name={rng.choice(['a.csv', '..%2Fa.csv', 'a.exe', '%00', ''])}",
            "POST",
            {},
        )
        content = rng.choice(_TRACES)
    else:
        path, method, content = (
            _address(rng),
            rng.choice(["GET", "POST", "POST", "POST", "DELETE", "PUT", "HEAD"]),
            _body(rng),
        )
        headers = {"Content-Type": rng.choice(["application/json"] * 4 + ["text/plain", ""])}
    reply = page.client.request(method, path, content=content, headers=headers)
    return f"{method} {path} {headers} {content[:200]!r}", reply


def _wrong(said: str, reply: Any) -> Iterator[str]:
    if reply.status_code >= 500:
        yield f"{said}: {reply.status_code} {reply.text[:300]}"
    for word in ("Traceback", "site-packages", "root:x:", 'File "/'):
        if word in reply.text:
            yield f"{said}: its answer holds {word!r}"
    if "access-control-allow-origin" in reply.headers:
        yield f"{said}: other sites may read its answer"


def _kill_one(page: Served, rng: random.Random) -> None:
    """Kill a worker, and wait until one is ready in its place."""
    pool = page.guard.app.state.desk.pool
    before, worker = pool.deaths, rng.choice(list(pool.workers))
    worker.process.kill()
    until = time.monotonic() + _WORKER_S
    while time.monotonic() < until and not (pool.deaths > before and all(one.ready for one in pool.workers)):
        time.sleep(0.05)


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def ask_many(count: int, seed: int, folder: Path, *, kills: int = 2) -> list[str]:
    """Return what was wrong with the answers to so many random requests, workers being killed *kills* times between."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    inside, here = folder / "run", folder / "elsewhere"
    inside.mkdir()
    here.mkdir()
    wrong: list[str] = []
    before = Path.cwd()
    os.chdir(here)
    try:
        with served(inside) as page:
            first = page.ask("size", {**QUESTION, "static": True}).json()
            moments = {count * (place + 1) // (kills + 1) for place in range(kills)}
            for number in range(count):
                if number in moments:
                    _kill_one(page, rng)
                if number % 500 == 0:
                    _raw(page, rng.choice(_RAW))
                wrong += _wrong(*sent(page, rng))
            held = page.client.get(f"{API}/runs/{first['meta']['id']}").json()
            if held.get("answer") != first["answer"]:
                wrong.append(f"the finished run is lost: {str(held)[:200]}")
            if page.ask("size", {**QUESTION, "rate": 7, "static": True}).status_code != 200:
                wrong.append("a plain question is not answered any more")
            if strange := {name for name in _files(inside) if not name.startswith("t-")} | _files(here):
                wrong.append(f"files were written: {sorted(strange)[:5]}")
    finally:
        os.chdir(before)
    return wrong


def _raw(page: Served, content: bytes) -> None:
    """Send bytes that are no request of HTTP."""
    host, port = page.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(content)
        line.shutdown(socket.SHUT_WR)
        line.settimeout(5)
        try:
            line.recv(2000)
        except OSError:
            return
