"""Documents of a YAML text that people keep, as far as they are of a size that can be gone through."""

from __future__ import annotations

import math
import re
from typing import Any

_MOST_CHARACTERS, _MOST_VALUES = 2_000_000, 200_000
_COUNTED = re.compile(r"(?<=[\[{, ])([A-Za-z][\w.-]*:\d+)(?=[ ]*[,}\]])")
"""An accelerator and its number in a set, ``{L4:1, A10G:1}``, which the parser in C refuses without quotes."""


def documents_of(text: str) -> list[Any]:
    """Return the documents of a YAML or JSON text; none of other texts, or where aliases make it too large to walk."""
    from ruamel.yaml import YAML, YAMLError

    if len(text) > _MOST_CHARACTERS:
        return []
    for way in dict.fromkeys((text, _COUNTED.sub(r'"\1"', text))):
        try:
            documents = [document for document in YAML(typ="safe").load_all(way) if document is not None]
        except (YAMLError, ValueError, RecursionError):
            continue
        return documents if values_within(documents, {}) <= _MOST_VALUES else []
    return []


def values_within(value: Any, known: dict[int, float]) -> float:
    """Return how many values a walk through one meets, each alias anew; infinite where one holds itself."""
    if not isinstance(value, dict | list):
        return 1.0
    if id(value) not in known:
        known[id(value)] = math.inf
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1.0 + sum(values_within(one, known) for one in inner)
    return known[id(value)]
