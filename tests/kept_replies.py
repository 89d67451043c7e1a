"""Answers of the service that are kept beside pictures: how a screen looks must not hang on what a fit has moved."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_OF_SERVICE = re.compile(r"/api/v1/(?!i18n/)|/static/examples/")


class Replies:
    """Replies to all questions of one screen: taken from the service and kept, or given as they were.

    Words of the page are not among them: they are part of its look.
    """

    def __init__(self, file: Path, *, keep: bool) -> None:
        self.file = file
        self.keep = keep
        self.unknown: list[str] = []
        self._known: dict[str, list[Any]] = {} if keep else json.loads(gzip.decompress(file.read_bytes()))

    def serve(self, context: Any) -> None:
        """Answer what pages of a context ask."""
        context.route(_OF_SERVICE, self._answer)

    def write(self) -> None:
        """Keep what was answered."""
        self.file.parent.mkdir(exist_ok=True)
        text = json.dumps(self._known, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        self.file.write_bytes(gzip.compress(text.encode(), 9, mtime=0))

    def _answer(self, route: Any) -> None:
        name = _name(route.request)
        if name.startswith("POST /api/v1/draw "):  # asked so that a worker is warm; nobody reads the answer
            route.fulfill(status=200, content_type="application/json", body="{}")
            return
        if self.keep and (name not in self._known or name.endswith("/status")):
            reply = route.fetch(timeout=300_000)
            self._known[name] = [reply.status, reply.headers["content-type"], reply.text()]
        if name not in self._known:
            self.unknown.append(name)
            route.abort()
            return
        status, kind, text = self._known[name]
        route.fulfill(status=status, content_type=kind, body=text)


def _name(request: Any) -> str:
    """Return what is asked, without the tab that asks."""
    address = urlsplit(request.url)
    body = json.loads(request.post_data) if request.post_data else {}
    body.pop("tab", None)
    asked = f"?{address.query}" if address.query else ""
    return f"{request.method} {address.path}{asked} {json.dumps(body, sort_keys=True) if body else ''}".strip()
