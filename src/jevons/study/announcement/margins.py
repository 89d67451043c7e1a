"""Margins that a sentence states: of which kind, what they were before, and by how many points they moved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.clauses import in_statements
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.patterns import AGO, AGO_ZH, FORMER

_POINTS = re.compile(r"个百分点|point|pct|bps?|基点")
_MOVED = re.compile(
    r"(?:up|down) from|from|improv|expand|widen|narrow|rose|rais|fell|declin|由|从|原|此前|提升|上升|下降|扩大|收窄"
)
_NEGATIVE = re.compile(r"(?:[-−–]|negative|minus|负)\s?$")
_ANOTHER = re.compile(
    r"revenue|sales|income|profit|growth|capex|share|yield|utili[sz]ation|tax"
    r"|收入|营收|利润(?!率)|增长|增速|占比|份额|税率|同比|环比|而"
)
"""Words between a margin and a percentage that is then of something else."""


def year_before(plain: str, figure: Figure) -> bool:
    """Return whether a figure is said to be of the same period a year before."""
    return bool(AGO.match(plain, figure.end) or AGO_ZH.search(plain[: figure.start]))


def margins(plain: str, figures: Sequence[Figure], percents: Sequence[Figure]) -> list[tuple[str, dict[str, Figure]]]:
    """Return margins by kind, such as ``operating margin``, each with ``percent``, ``previous`` and ``change``.

    Parameters
    ----------
    plain : str
        Sentence in plain characters.
    figures, percents : sequence of Figure
        All figures of the sentence, and the percentages that no other claim has taken.
    """
    table = {word: kind for kind, words in lexicon.words("margins").items() for word in words}
    matches = lexicon.words_pattern(table).finditer(plain)
    places = [(m.start(), m.end(), table[re.sub(r"\s+", " ", m[0])]) for m in matches]
    read: list[tuple[str, dict[str, Figure]]] = []
    for figure in percents:
        kind = _kind(plain, figures, figure, places)
        if not kind or figure.what:
            continue
        behind = plain[max(0, figure.start - 24) : figure.start]
        former = (FORMER.search(behind) and _MOVED.search(plain)) or year_before(plain, figure)
        role = "change" if _POINTS.search(plain, figure.start, figure.end) else "previous" if former else "percent"
        if _NEGATIVE.search(behind):
            figure = replace(figure, low=-figure.high, high=-figure.low)  # noqa: PLW2901
        same = next((named for quantity, named in reversed(read) if quantity == kind and role not in named), None)
        if role != "percent" and same is not None:
            same[role] = figure
        else:
            read.append((kind, {role: figure}))
    return [(f"{kind} margin".removeprefix("unknown "), named) for kind, named in read]


def _kind(plain: str, figures: Sequence[Figure], figure: Figure, places: Sequence[tuple[int, int, str]]) -> str:
    """Return the kind of margin that a percentage states: of the word before it, or of one right behind."""
    before = [place for place in places if place[1] <= figure.start]
    if before:
        begin, end, kind = before[-1]
        between = plain[end : figure.start]
        other = any(f.kind in {"money", "count", "devices"} and begin < f.start < figure.start for f in figures)
        another = _ANOTHER.search(between) or lexicon.quantity_pattern().search(between)
        if not other and not in_statements(plain, end, figure.start) and not another:
            return kind
    joined = re.compile(r"\s?(?:的|in |for )?\s?")
    return next((kind for begin, _, kind in places if joined.fullmatch(plain, figure.end, begin)), "")
