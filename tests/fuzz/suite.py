"""All targets together."""

from __future__ import annotations

import tempfile
from pathlib import Path

import kept
import targets
import told
import wide
from targets import failure

__all__ = ["TARGETS", "failure", "warm_up"]

TARGETS = (*targets.TARGETS, *wide.TARGETS, *told.TARGETS, *kept.TARGETS)


def warm_up() -> None:
    """Import and compile what the targets use, whose time is not a case's."""
    targets.warm_up()
    with tempfile.TemporaryDirectory() as name:
        wide.warm_up(Path(name))
        told.warm_up(Path(name))
        kept.warm_up(Path(name))
