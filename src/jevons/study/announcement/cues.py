"""Words right before or right behind a figure, by what they say of it: one table, a word a line."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from jevons.study.announcement import lexicon
from jevons.study.announcement.figure import Figure

_FILL = (
    r"(?:\s|,(?=\s)|:|(?<![a-z])(?:about|roughly|around|approximately|some|nearly|almost|close to|between|more than|over|up to|at least|as much as|"
    r"an?|the|its|of|at)(?![a-z])|约|近|将近|接近|大约|为|不?超过|不[高低多少]于|达到?|超过?|逾|高达|在|介于|人民币|的)*"
)
_KIND = r"(?:\s|的|%|(?<![a-z])(?:annual|annualised|annualized|yearly|compound|organic|real|senior|convertible|unsecured|secured|first-lien|green|new)(?![a-z]))*"


@dataclass(frozen=True, slots=True)
class Cue:
    """Patterns of the words of one meaning: *before* ends where a figure begins, *after* begins where it ends."""

    before: re.Pattern[str]
    after: re.Pattern[str]

    def precedes(self, plain: str, figure: Figure) -> bool:
        """Return whether such a word stands right before a figure."""
        return self.before.search(plain[: figure.start]) is not None

    def follows(self, plain: str, figure: Figure) -> bool:
        """Return whether such a word stands right behind a figure."""
        return self.after.match(plain, figure.end) is not None


@functools.cache
def cue(name: str) -> Cue:
    """Return the words of a meaning.

    Examples
    --------
    >>> bool(cue("stake").before.search("blue owl keeps about ")), bool(cue("loss").before.search("a net loss of "))
    (True, True)
    """
    entry = lexicon.cues()[name]
    before, after = (_pattern(entry.get(side) or ()) for side in ("before", "after"))
    return Cue(re.compile(f"{before}{_FILL}$"), re.compile(f"{_KIND}{after}"))


def _pattern(words: tuple[str, ...] | list[str]) -> str:
    """Return the pattern of any of the words, the longest first; of none, one that nothing matches."""
    parts = []
    for word in sorted(words, key=len, reverse=True):
        escaped = re.escape(word).replace(r"\~", "[^,，;；。]{0,16}").replace(r"\ ", r"\s")
        head = r"(?<![a-z])" if word[0].isascii() and word[0].isalpha() else ""
        tail = r"(?![a-z])" if word[-1].isascii() and word[-1].isalpha() else ""
        parts.append(f"{head}{escaped}{tail}")
    return f"(?:{'|'.join(parts)})" if parts else r"(?!)"
