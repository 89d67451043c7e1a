"""What the readers of figures share: places, ranges, and two numbers that ``and`` joins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jevons.study.announcement.figure import Figure
from jevons.study.announcement.numerals import magnitude_of, value_of


def found(match: re.Match[str], **said: Any) -> tuple[re.Match[str], Figure]:
    """Return a match and the figure that it states, at its place in the sentence."""
    return match, Figure(start=match.start(), end=match.end(), text="", **said)


def range_of(a: str, b: str | None) -> tuple[float, float]:
    """Return the least and the greatest value of one number or two; the second lends the first its magnitude."""
    low, high = value_of(a)
    if b:
        other = value_of(b)
        if magnitude_of(a) == 1.0 and low < other[0] and "," not in a:
            scale = magnitude_of(b)
            low, high = low * scale, high * scale
        low, high = min(low, other[0]), max(high, other[1])
    return low, high


def is_two(sentence: str, match: re.Match[str]) -> bool:
    """Return whether ``and`` between two numbers joins two statements and no ends of a range."""
    joined = re.search(r"(?<![a-z])and(?![a-z])", sentence[match.end("a") : match.start("b")])
    return joined is not None and "between" not in sentence[max(0, match.start() - 12) : match.start()]


@dataclass(frozen=True, slots=True)
class Span:
    """Place of a figure that is part of a match."""

    first: int
    last: int

    def start(self) -> int:
        """Return where it begins."""
        return self.first

    def end(self) -> int:
        """Return where it ends."""
        return self.last
