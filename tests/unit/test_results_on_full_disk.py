"""Results saved to a disk that is full: one line with a remedy, nothing on standard error, no file left."""

import subprocess
import sys

import pytest

SAVE = """
import resource, sys
import jevons
from jevons.errors import InputError
result = jevons.cost("h20")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    result.save(sys.argv[1])
except InputError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["json", "csv", "parquet", "xlsx", "zip", "html"])
def test_every_form_of_a_result_says_in_one_line_that_the_disk_is_full(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    done = subprocess.run([sys.executable, "-c", SAVE, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert "cannot be written: File too large; free some space" in done.stdout
    assert list(tmp_path.iterdir()) == []
