"""Progress lines on a terminal."""

from __future__ import annotations

import sys
import time
from typing import Any

from jevons.text import printable


class Progress:
    """Says on standard error, where it is a terminal, what is done and how long is left."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.step = ""
        self.shown = sys.stderr.isatty()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show the step; draws show a count and the time left."""
        if not self.shown:
            return
        now = time.monotonic()
        if step != self.step:
            self.step, self.start = step, now
        left = ""
        if done:
            left = f" {done}/{total}, {(now - self.start) / done * (total - done):.0f} s left"
        sys.stderr.write(f"\r\033[K{printable(step)}{left}")
        sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self.shown:
            sys.stderr.write("\r\033[K")


class progress:  # noqa: N801 - used as a function
    """Writes what is being done on a terminal's standard error, on one line that is wiped at the end."""

    def __enter__(self) -> Any:
        """Return the function to tell; None where nobody would see it."""
        return self._say if sys.stderr.isatty() else None

    def __exit__(self, *error: object) -> None:
        """Wipe the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{printable(text[:110])}")
        sys.stderr.flush()
