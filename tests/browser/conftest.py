"""Chromium and a service that the tests of the page share; skipped, with words, where there is no Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")
from chromium import MISSING, browser

from page_service import Served, served


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with browser() as found:
        if found is None:
            pytest.skip(MISSING)
        yield found


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEVONS_WEB_TEST", "1")
        with served(tmp_path_factory.mktemp("site")) as one:
            yield one


class Window:
    """A page of the site, with what it said and fetched."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.said: list[str] = []
        self.fetched: list[str] = []
        page.on("console", lambda m: self.said.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.fetched.append(request.url))
        page.set_default_timeout(60_000)

    def open(self, screen: str) -> Any:
        """Open a screen by the part of its address after the slash."""
        self.page.goto(f"{self.address}/#/{screen}")
        return self.page

    def done(self) -> Any:
        """Wait for the answer of the screen that is open."""
        self.page.wait_for_selector(".runbar.done, .error, .ready")
        self.page.wait_for_timeout(150)
        return self.page

    def foreign(self) -> list[str]:
        """Addresses fetched from elsewhere."""
        own = (self.address, "data:", "blob:", "file:")
        return [one for one in self.fetched if not one.startswith(own)]


@pytest.fixture
def window(chromium: Any, site: Served) -> Iterator[Callable[..., Window]]:
    contexts: list[Any] = []

    def make(*, width: int = 1440, language: str = "en", theme: str = "light", **more: Any) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900}, color_scheme=theme,
            locale="zh-CN" if language == "zh" else "en-US", **more,
        )  # fmt: skip
        contexts.append(context)
        return Window(context.new_page(), site.address)

    yield make
    for context in contexts:
        context.close()
