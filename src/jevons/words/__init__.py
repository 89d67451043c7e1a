"""Sentences that answers are made of: templates in a file for each language, filled with named numbers.

A template's fields are written ``{name:form}``. Forms: none for text and plain numbers; ``g`` for up to four digits;
``ms`` for seconds shown as milliseconds; ``%`` and ``%1`` for a fraction as a percentage without or with a decimal;
``+%`` for a signed percentage; ``p%`` for a probability, never shown as impossible or certain; ``d2`` for two decimals;
``[]`` and ``[ms]`` for the 80 % interval of a figure, from the values ``name_low`` and ``name_high``, and nothing where
there is none. A figure with such an interval is shown to the two digits that it allows. A part in double brackets,
``[[ … ]]``, is left out where a plain field in it has no value. A value may be sentences too, such as a list of counts:
it is in the same language.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jevons.errors import InputError, agreed
from jevons.rounding import number

__all__ = ["LANGUAGES", "Sentence", "answer_of", "check_language", "languages", "name_of", "templates"]

LANGUAGES = ("en", "zh")
"""Languages of the page."""

_FOLDER = Path(__file__).parent
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_FIELD = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) (?!至)(?=[\u4e00-\u9fff])")
"""A space between two Chinese characters, as templates have beside a field that may be a number or Latin letters."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer: the template's id and the values of its fields."""

    id: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """Return the sentence in a language."""
        template = templates(language)[self.id]
        template = _OPTIONAL.sub(lambda part: part[1] if self._complete(part[1]) else "", template)
        text = _FIELD.sub(lambda part: _shown(self.values, part[1], part[2] or "", language), template)
        return agreed(text) if language == "en" else _GAP.sub("", text)

    def _complete(self, part: str) -> bool:
        named = [match for match in _FIELD.finditer(part) if not (match[2] or "").startswith("[")]
        return all(self.values.get(match[1]) is not None for match in named)

    def record(self) -> dict[str, Any]:
        """Return id and values, for faces that speak other languages."""
        return {"id": self.id, "values": {name: _plain(value) for name, value in self.values.items()}}


def _plain(value: Any) -> Any:
    """Return a value with the sentences in it as objects."""
    if isinstance(value, Sentence):
        return value.record()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def answer_of(*sentences: Sentence, language: str = "en") -> str:
    """Return sentences as one text."""
    return " ".join(sentence.text(language) for sentence in sentences)


def name_of(identity: str) -> Sentence | str:
    """Return the name of what an id stands for, such as a site; the id itself where it has none.

    Examples
    --------
    >>> name_of("site.us_texas").text("zh"), name_of("site.mine")
    ('得克萨斯州', 'site.mine')
    """
    return Sentence(identity) if identity in templates() else identity


def languages() -> list[str]:
    """Return the languages that there are templates for."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def check_language(language: str, option: str = "--language") -> str:
    """Return a language of the page.

    Raises
    ------
    InputError
        If it is another.
    """
    if language not in LANGUAGES:
        message = f"{option} {language}: unknown; give {' or '.join(LANGUAGES)}"
        raise InputError(message)
    return language


@functools.lru_cache(maxsize=8)
def templates(language: str = "en") -> Mapping[str, str]:
    """Return the templates of a language by id."""
    return dict(json.loads((_FOLDER / f"{language}.json").read_text("utf-8")))


_SCALES = {"ms": (1e3, " ms"), "%": (100.0, " %"), "p%": (100.0, " %"), "%1": (100.0, " %"), "": (1.0, "")}
_DECIMALS = {"%": 0, "p%": 0, "%1": 1, "d2": 2}
_KNOWN_DIGITS = 2
_LEAST_CHANCE = 0.01


_BETWEEN = {"en": ", ", "zh": "、"}


def _shown(values: Mapping[str, Any], name: str, form: str, language: str) -> str:
    if form.startswith("["):
        low, high = values.get(f"{name}_low"), values.get(f"{name}_high")
        scale = _SCALES[form[1:-1]][0]
        if low is None or high is None:
            return ""
        return f" [{number(scale * low, _KNOWN_DIGITS)}–{number(scale * high, _KNOWN_DIGITS)}]"
    value = values.get(name)
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = Sentence(value["id"], value["values"])
    if isinstance(value, Sentence):
        return value.text(language)
    if isinstance(value, list | tuple):
        return _BETWEEN.get(language, ", ").join(_shown({"one": item}, "one", form, language) for item in value)
    if form == "p%" and not _LEAST_CHANCE <= value <= 1.0 - _LEAST_CHANCE:
        return ">99 %" if value > _LEAST_CHANCE else "<1 %"
    if form == "+%":
        return f"{round(100.0 * value, 0) + 0.0:+,.0f} %"  # a small fall is +0, not -0
    scale, unit = _SCALES.get(form, (1.0, ""))
    if form == "g":
        return f"{value:,.4g}"
    if form in _DECIMALS:
        return f"{scale * value:,.{_DECIMALS[form]}f}{unit}"
    digits = 3 if values.get(f"{name}_low") is None else _KNOWN_DIGITS
    return f"{number(scale * value if form else value, digits)}{unit}"
