"""Chromium on this machine: for the tests of the page, and for its pictures in the guides."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium is installed; `apt-get install chromium` brings one"


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Yield Playwright's browser over this machine's Chromium; None where there is none."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield chromium
        finally:
            chromium.close()
