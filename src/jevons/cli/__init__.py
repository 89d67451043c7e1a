"""The command line: `jevons COMMAND …`. Tables for people, `--json` for programs, `--out` for files.

Exit codes: 0 done, 1 a defect of the program, 2 wrong input, 3 no feasible answer.
"""

from jevons.cli.app import main

__all__ = ["main"]
