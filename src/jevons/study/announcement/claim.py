"""What an announcement states: a claim with its figures, firm, quantity and verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from jevons.study.announcement.figure import Figure
from jevons.study.announcement.text import Sentence

VERDICTS = ("confirmed", "contradicted", "unlike", "not_on_file", "unread")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an announcement states.

    Parameters
    ----------
    kind : str
        ``budget``, ``metric``, ``comparison``, ``superlative``, ``cluster``, ``calls``, ``multiple``, ``price``,
        ``growth``, ``difference``, ``share``, ``stake``, ``interest_rate``, ``margin``, ``target``, ``power``,
        ``count``, ``change``, ``rates`` or ``figure``.
    firm : str
        Key of the firm spoken of; empty where none is.
    quantity : str
        What is measured, as the lexicon names it.
    sentence : Sentence
        Where it stands.
    named : mapping of str to Figure
        The figures by what they are: ``amount``, ``period``, ``devices``, ``price`` and others.
    derived : mapping of str to tuple
        Numbers that follow from them: low, high, unit.
    other : str
        Firm of a comparison, or the other party of a contract or stake.
    rivals : tuple of str
        Firms that a comparison takes together, all of them.
    status : str
        ``planned``, ``conditional``, ``estimated`` by others, ``earlier`` where something later is measured against it;
        empty of what was or is.
    denied : bool
        Whether the text says that it is not so.
    """

    kind: str
    firm: str
    quantity: str
    sentence: Sentence
    named: dict[str, Figure]
    derived: dict[str, tuple[float, float, str]] = field(default_factory=dict)
    other: str = ""
    rivals: tuple[str, ...] = ()
    status: str = ""
    denied: bool = False
    verdict: str = ""
    reason: str = ""
    facts: tuple[str, ...] = ()
