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
