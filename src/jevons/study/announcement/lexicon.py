"""Words of announcements, from data files: firms, quantities, devices, models, and traditional characters."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jevons.facts import default_facts
from jevons.facts.per_facts import per_facts
from jevons.schema import read_yaml

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A firm, analyst or paper of the lexicon.

    Parameters
    ----------
    key, name : str
        Key of the lexicon, and name for people.
    facts : tuple of str
        Beginnings of the ids of its facts.
    role : str
        ``firm``, ``supplier``, ``analyst``, ``paper`` or ``fund``.
    currency : str
        Currency in which it reports.
    fiscal_end_month : int
        Month in which its fiscal year ends.
    cloud : tuple of str
        Those of its beginnings that hold the figures of its cloud alone.
    """

    key: str
    name: str
    facts: tuple[str, ...]
    role: str
    currency: str
    fiscal_end_month: int
    cloud: tuple[str, ...] = ()


def words_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of *words*, the longest first; Latin words as whole words."""
    latin: list[str] = []
    others: list[str] = []
    for word in sorted(set(words), key=len, reverse=True):
        escaped = re.escape(word).replace(r"\ ", r"\s+")
        tail = r"(?![a-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
        (latin if word[0].isascii() and word[0].isalnum() else others).append(f"{escaped}{tail}")
    parts = [rf"(?<![a-z0-9])(?:{'|'.join(latin)})"] * bool(latin) + [f"(?:{'|'.join(others)})"] * bool(others)
    return re.compile("|".join(parts) if parts else r"(?!)")


@functools.cache
def _file(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = read_yaml(_DATA / f"{name}.yaml").root
    return content


@functools.cache
def simplified() -> dict[int, int]:
    """Return the translation of traditional and full-width characters to simplified and plain ones, one for one."""
    table = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20, 0xA0: 0x20, 0x2009: 0x20, 0x202F: 0x20}
    for pair in str(_file("characters")["pairs"]).split():
        if len(pair) == 2 and pair[0] != pair[1]:
            table[ord(pair[0])] = ord(pair[1])
    return table


@functools.cache
def firms() -> dict[str, Firm]:
    """Return every firm by its key."""
    return {
        key: Firm(
            key=key, name=entry["name"], facts=tuple(entry.get("facts") or ()), role=entry.get("role", "firm"),
            currency=entry.get("currency", ""), fiscal_end_month=int(entry.get("fiscal_end_month", 12)),
            cloud=tuple(entry.get("cloud") or ()),
        )
        for key, entry in _file("firms").items()
    }  # fmt: skip


def firm(key: str) -> Firm | None:
    """Return a firm by its key; a key that is not on the list is the name of a firm that a text states."""
    if not key or key in firms():
        return firms().get(key)
    return Firm(key=key, name=key, facts=(), role="firm", currency="", fiscal_end_month=12)


def firm_name(key: str, none: str = "") -> str:
    """Return the name of a firm, *none* where there is no key."""
    known = firm(key)
    return none if known is None else known.name


@functools.cache
def firm_names() -> dict[str, str]:
    """Return the key of the firm for each of its names."""
    return {str(name): key for key, entry in _file("firms").items() for name in entry["names"]}


@functools.cache
def firm_pattern() -> re.Pattern[str]:
    """Return the pattern that finds names of firms."""
    return words_pattern(firm_names())


def words(section: str) -> Any:
    """Return a section of the lexicon of words."""
    return _file("words")[section]


def cues() -> Mapping[str, Any]:
    """Return the words right before and behind figures, by what they say of them."""
    return _file("cues")


@functools.cache
def pattern(section: str) -> re.Pattern[str]:
    """Return the pattern of a plain list of words."""
    return words_pattern(words(section))


@functools.cache
def quantity_words() -> dict[str, str]:
    """Return the quantity for each word that names one."""
    return {str(word): key for key, entry in words("quantities").items() for word in entry["words"]}


@functools.cache
def quantity_pattern() -> re.Pattern[str]:
    """Return the pattern that finds words of quantities."""
    return words_pattern(quantity_words())


@functools.cache
def measures(quantity: str) -> frozenset[str]:
    """Return the kinds of figures that a quantity is stated in; empty where it is in any."""
    return frozenset(words("quantities").get(quantity, {}).get("kinds") or ())


@functools.cache
def unit_words() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of units that a price is for one of, and the quantity of such a price for each."""
    table = {str(word): key for key, every in words("units").items() for word in every}
    return words_pattern(table), table


@functools.cache
def count_words() -> dict[str, str]:
    """Return the kind of thing for each noun that is counted."""
    return {str(word): key for key, entry in words("counts").items() for word in entry["words"]}


@functools.cache
def count_pattern() -> re.Pattern[str]:
    """Return the pattern that finds nouns that are counted."""
    return words_pattern(count_words())


def label_of(quantity: str) -> str:
    """Return the words for a quantity, or for a thing that is counted."""
    known = words("quantities").get(quantity) or words("counts").get(quantity) or {}
    return str(known.get("label", quantity or "figure"))


@functools.cache
def named(section: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of names in a section of names and facts, and the beginning of ids for each name."""
    table = {str(name): str(entry["facts"]) for entry in words(section) for name in entry["names"]}
    if section != "devices":
        return words_pattern(table), table
    parts = sorted((re.escape(name) for name in table), key=len, reverse=True)
    return re.compile("|".join(f"{part}(?:x)?" for part in parts)), table


@per_facts()
def listed_models() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of models with a list price on file, and the beginning of the ids for each, by its letters.

    Names are those of the ids: ``api.openai.gpt_5_mini`` is found as GPT-5 mini. Names without a number are left out.
    """
    ids = [fact.id for fact in default_facts() if fact.id.startswith("api.") and fact.id.count(".") >= 3]
    prefixes = {".".join(fact_id.split(".")[:3]) for fact_id in ids}
    table: dict[str, str] = {}
    parts: list[str] = []
    for prefix in sorted(prefixes, key=len, reverse=True):
        slug = prefix.split(".")[2]
        if re.search(r"[a-z]", slug) and re.search(r"\d", slug) and len(slug) >= 4:
            table.setdefault(slug.replace("_", ""), prefix)
            parts.append(r"[-_. ]?".join(re.escape(part) for part in slug.split("_")))
    return re.compile(r"(?<![a-z0-9])(?:" + "|".join(parts) + r")(?![a-z0-9]|\.\d)"), table
