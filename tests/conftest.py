from typing import Any

import pytest
from hypothesis import settings

import draws

# the same examples on every machine, however busy: a submission must not fail by the luck of the draw or of the clock
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="Write the kept outputs in tests/golden anew.")


def pytest_configure(config: pytest.Config) -> None:
    draws.quick = config.option.markexpr == "not slow"


TOGETHER = {
    "tests/browser/test_page.py": "a browser and a service: half of the time of all that need them",
    "tests/browser/": "one browser and one service",
    "tests/unit/study/chain/": "layouts of the same scenarios",
    "tests/unit/study/plan/": "layouts of the same scenarios",
    "tests/unit/validation/backtest/": "layouts of the same scenarios",
}
"""What the files of a folder share that one process works out once."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what gives each process whole files, and folders that share something to one process."""
    from xdist.scheduler import LoadFileScheduling

    if config.getvalue("dist") != "loadfile":
        return None

    class WholeFiles(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            shared = (what for folder, what in TOGETHER.items() if nodeid.startswith(folder))
            return next(shared, super()._split_scope(nodeid))

    return WholeFiles(config, log)
