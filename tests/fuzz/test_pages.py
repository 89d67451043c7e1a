"""Some hundred hostile requests to the page; `make fuzz` sends ten thousand."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
from pages import ask_many


@pytest.mark.slow
def test_random_requests_and_killed_workers_leave_a_service_that_answers_and_loses_nothing(tmp_path):
    assert ask_many(600, 18, tmp_path, kills=1) == []
