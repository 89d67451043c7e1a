"""The architecture page says what the code and the tests say."""

import subprocess
import sys

import pytest

from places import ROOT


@pytest.mark.slow
def test_the_page_is_up_to_date_and_every_property_test_states_its_invariant():
    command = [sys.executable, str(ROOT / "scripts" / "build_architecture.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
