"""A service that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi")
from page_service import Served, served


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEVONS_WEB_TEST", "1")
        with served(tmp_path_factory.mktemp("page")) as one:
            yield one
