import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from jevons.cli import main
from places import TINY


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def jevons(monkeypatch, capsys):
    """Runs the command line in this process; an exception that is no answer passes through and fails the test."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["jevons", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def scenario(tmp_path):
    """Writes the small scenario with one text replaced by another, each exactly once."""

    def write(*changes: tuple[str, str]) -> Path:
        text = TINY.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "s.yaml"
        path.write_text(text)
        return path

    return write
