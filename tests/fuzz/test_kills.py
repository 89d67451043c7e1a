"""A handful of kills; `make fuzz` does a hundred."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from kills import kill_many


@pytest.mark.slow
def test_a_study_killed_at_random_moments_loses_nothing_repeats_nothing_and_ends_the_same(tmp_path):
    assert kill_many(5, 1, tmp_path) == []
