"""The errors that are answers: wrong input, unknown facts, no feasible plan, a solver that failed.

Every message says what was wrong, where, and what would be right. The command line prints the first three without a
traceback; anything else is a defect of the program and keeps it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_LEAST_PART = 3
"""Letters from which on a word is looked for inside names; one or two are in nearly all of them."""


_ONE = re.compile(
    r"(?<![\w.,=-])1 (?:(?P<noun>accelerator|card|case|cell|character|claim|class(?=es)|column|day|device|draw|error"
    r"|expert|failure|field|figure|file|fleet|GPU|head|hour|layer|line|machine|minute|month|name|node|page|path|plan"
    r"|point|prompt|quarter|question|range|rank|replica|request|row|run|second|section|sentence|sequence|server|shop"
    r"|site|stage|step|token|turn|user|value|variable|week|word|year)e?s"
    r"|(?P<stem>categor|compan|currenc|entr|famil|quer|repl)ies)(?![\w-])"
)
"""One of a thing that a template has in the plural."""


def agreed(text: str) -> str:
    """Return an English text with the nouns behind a bare 1 in the singular, as templates have them in the plural.

    Examples
    --------
    >>> agreed("1 sequences of 1 entries; 11 rows, 2.1 tokens, 1 experts")
    '1 sequence of 1 entry; 11 rows, 2.1 tokens, 1 expert'
    """
    return _ONE.sub(lambda match: f"1 {match['noun'] or match['stem'] + 'y'}", text)


class JevonsError(Exception):
    """Base of all errors the package raises on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in an input.

    Parameters
    ----------
    message : str
        What was wrong and what would be right, with the offending value.
    path : str
        Dotted path of the field, such as ``workload.slo.tpot_s``; empty for a whole file.
    file : str
        Name of the file, or empty where the input is an option or an argument.
    line, column : int or None
        One-based position, where known.
    """

    message: str
    path: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return ``file:line:column: path: message`` with the parts that are known."""
        place = self.file
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        return ": ".join(part for part in (place, self.path, agreed(self.message)) if part)


class InputError(JevonsError):
    """Wrong input: one or more faults, reported together in file order."""

    def __init__(self, faults: str | Fault | Iterable[Fault]) -> None:
        if isinstance(faults, str):
            faults = [Fault(message=faults)]
        elif isinstance(faults, Fault):
            faults = [faults]
        self.faults = tuple(sorted(faults, key=lambda f: (f.file, f.line or 0, f.column or 0)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ArgumentError(InputError, TypeError):
    """A function was called with an argument that it has not, with one too many, or without one that it needs."""


class NoSuchNameError(InputError, KeyError, IndexError):
    """An object was asked for an entry that it has not, by name or by place."""

    def __str__(self) -> str:
        """Return the message as it is; a `KeyError` would quote it."""
        return "\n".join(str(fault) for fault in self.faults)


class FactError(JevonsError):
    """A fact is unknown, not yet visible at the date asked for, expired, or contradicts itself."""


class InfeasibleError(JevonsError):
    """The question was understood and has no answer.

    Parameters
    ----------
    message : str
        What cannot be met and what would help.
    limits : iterable of str
        Names of the limits that bind, such as ``chip supply 2025-Q3``.
    """

    def __init__(self, message: str, limits: Iterable[str] = ()) -> None:
        self.limits = tuple(limits)
        binding = f" Binding limits: {', '.join(self.limits)}." if self.limits else ""
        super().__init__(agreed(message) + binding)


class SolverError(JevonsError):
    """A solver stopped without an answer although one should exist."""


class InputWarning(UserWarning):
    """Something in an input that has no part in the answer."""


class InputNote(InputWarning):
    """Something that an answer takes an input to be, which nobody has to mend."""


def did_you_mean(word: str, known: Iterable[str], *, most: int = 3, offered: Mapping[str, str] | None = None) -> str:
    """Return `` Did you mean `x`?`` for near names of *word* among *known*, or an empty string.

    *offered* has the name to offer for those that are spellings of it.
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, n=most, cutoff=0.6)
    if not near and len(word) >= _LEAST_PART:
        lower = word.lower()
        near = [name for name in names if lower in name.lower()][:most]
    if not near:
        return ""
    shown = dict.fromkeys((offered or {}).get(name, name) for name in near)
    return f" Did you mean {' or '.join(f'`{name}`' for name in shown)}?"
