"""Three thousand hostile cases; `make fuzz` runs a hundred thousand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from suite import TARGETS, failure, warm_up

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _warm():
    warm_up()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_hostile_case_is_answered(target, tmp_path):
    failures = [found for seed in range(target.quick) if (found := failure(target, seed, tmp_path))]
    assert not failures, f"{len(failures)} failures\n" + "\n\n".join(failures[:5])
