"""A service with its workers, for tests with and without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")

API = "/api/v1"


class Served:
    """A running service: its client and what stands behind it."""

    def __init__(self, client: Any, address: str, folder: Path, guard: Any) -> None:
        self.client = client
        self.address = address
        self.folder = folder
        self.guard = guard

    def ask(self, path: str, body: Any, **more: Any) -> Any:
        return self.client.post(f"{API}/{path}", json=body, **more)


@contextlib.contextmanager
def served(folder: Path, *, token: str = "", hosts: set[str] | None = None, public: bool = False) -> Iterator[Served]:
    from jevons.web.app import service

    guard = service(folder=str(folder), hosts=hosts or set(), token=token, public=public)
    config = uvicorn.Config(guard, host="127.0.0.1", port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    for _ in range(400):
        if server.started:
            break
        thread.join(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=address, timeout=120) as client:
        try:
            yield Served(client, address, folder, guard)
        finally:
            server.should_exit = True
            thread.join(10)
