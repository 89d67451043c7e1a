"""Runs the commands of tutorials and puts their real output under them.

Usage: python scripts/run_tutorial.py [--check] FILE...

A block marked ``console`` begins with ``$ jevons ...`` and goes on with what that printed. Other blocks stay. A block
marked ``python`` that is followed by one marked ``text`` is run too, and its output put there. ``--check`` writes
nothing and exits 1 where an output has changed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from jevons.files import writing

ROOT = Path(__file__).resolve().parent.parent
WIDTH = "118"
CONSOLE = re.compile(r"```console\n\$ (jevons [^\n]*(?:\\\n[^\n]*)*)\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


ANSWERS = (0, 2, 3)
"""Exit codes of answers: done, wrong input, no feasible answer. Any other is a defect, which no page may show."""


def output(command: list[str]) -> str:
    """Return what a command prints, without blanks at the ends of lines; a refusal's message where it is one.

    Raises
    ------
    RuntimeError
        If the command fails otherwise, such as with a traceback.
    """
    environment = {**os.environ, "COLUMNS": WIDTH, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in ANSWERS or (done.returncode and not done.stderr.strip()):
        message = f"{shlex.join(command)} exited {done.returncode}: {done.stderr[-2000:]}"
        raise RuntimeError(message)
    printed = done.stdout if done.returncode == 0 else done.stderr
    lines = "\n".join(line.rstrip() for line in printed.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def refreshed(text: str) -> str:
    """Return a tutorial with the outputs of its commands and programs as they are now."""

    def console(match: re.Match[str]) -> str:
        words = shlex.split(match.group(1).replace("\\\n", " "))[1:]
        return f"```console\n$ {match.group(1)}\n{output([sys.executable, '-m', 'jevons', *words])}```"

    def program(match: re.Match[str]) -> str:
        return f"```python\n{match.group(1)}```\n\n```text\n{output([sys.executable, '-c', match.group(1)])}```"

    return PYTHON.sub(program, CONSOLE.sub(console, text))


def main() -> int:
    """Refresh or check the files named; return the exit code."""
    check = "--check" in sys.argv
    stale = []
    for name in [a for a in sys.argv[1:] if a != "--check"]:
        path = Path(name)
        text = path.read_text(encoding="utf-8")
        new = refreshed(text)
        if new != text:
            stale.append(name)
            if not check:
                with writing(path, force=True) as stream:
                    stream.write(new)
    for name in stale:
        print(f"{'out of date' if check else 'refreshed'}: {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
