"""Takes the pictures of the planner page that the guides show, with Chromium.

Usage: python scripts/page_pictures.py

Needs a Chromium on this machine and the extra ``dev``. Pictures lie in docs/images/page-SCREEN-LANGUAGE.png.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chromium import MISSING, browser

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SCREENS = {
    "start": "start",
    "size": "size?model=deepseek-v3&gpu=h200&rate=30&ttft=2&tpot=0.05",
    "choice": "choice?model=deepseek-r1&tokens_per_day=50000000",
    "plan": "plan",
}
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
SIZE = {"width": 1180, "height": 820}


@contextlib.contextmanager
def service() -> Iterator[str]:
    """Yield the address of a service that ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jevons", "web", "--no-open", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as running:
        try:
            for _ in range(240):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.25)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()


def picture(chromium: Any, address: str, screen: str, language: str) -> None:
    """Write what a reader sees first of one screen."""
    context = chromium.new_context(viewport=SIZE, locale=LANGUAGES[language], color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/#/{SCREENS[screen]}")
    page.wait_for_selector(".runbar.done, .error, .ready")
    page.locator(".banner:not(.own)").wait_for(state="detached")
    page.wait_for_timeout(1200)
    page.screenshot(path=IMAGES / f"page-{screen}-{language}.png")
    context.close()


def main() -> int:
    """Take every picture."""
    with browser() as chromium:
        if chromium is None:
            print(MISSING, file=sys.stderr)
            return 2
        with service() as address:
            for screen in SCREENS:
                for language in LANGUAGES:
                    picture(chromium, address, screen, language)
    return 0


if __name__ == "__main__":
    sys.exit(main())
