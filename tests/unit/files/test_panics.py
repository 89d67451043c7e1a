"""Damage that makes polars panic is one line, without the panic's own text."""

import random
import subprocess
import sys

import polars as pl

_READ = """
import pathlib, sys
from jevons.errors import InputError
from jevons.files.parquet import parquet_columns
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        parquet_columns(path, path.read_bytes(), (("a", "b"),))
    except InputError as error:
        print(len(str(error).splitlines()))
"""


def test_damaged_pages_print_nothing_but_the_error(tmp_path):
    whole = tmp_path / "whole"
    pl.DataFrame({"a": [0.1 * i for i in range(300)], "b": [str(i % 7) for i in range(300)]}).write_parquet(whole)
    content, place = whole.read_bytes(), random.Random(4)  # noqa: S311
    whole.unlink()
    for number in range(80):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[place.randrange(4, len(content) - 8)] = place.randrange(256)
        (tmp_path / f"{number:03d}.parquet").write_bytes(damaged)
    done = subprocess.run([sys.executable, "-c", _READ, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == {"1"}
