"""`import jevons` is fast and gives the public names on first use."""

import subprocess
import sys

import pytest

import jevons


@pytest.mark.parametrize("name", jevons.__all__)
def test_every_public_name_can_be_imported(name):
    assert getattr(jevons, name) is not None
    assert name in dir(jevons)


def test_unknown_names_raise_as_python_expects():
    with pytest.raises(AttributeError, match="no attribute `nope`"):
        jevons.nope  # noqa: B018


def test_importing_the_package_loads_nothing_else():
    code = "import sys, jevons; print(sorted(m for m in sys.modules if m.startswith('jevons')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['jevons']"
