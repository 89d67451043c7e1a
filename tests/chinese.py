"""What a Chinese page may say in Latin letters: names, units and code; everything else is left in English."""

from __future__ import annotations

import functools
import re

from jevons import operators
from jevons.facts import default_facts
from jevons.validation.yardsticks.measures import QUESTIONS
from jevons.web.catalog import catalog

QUOTED = {
    "source", "evidence", "reason", "why", "which counts", "note", "notes", "locator", "missing or in part",
    "source_title", "source_ref", "measured run",
}  # fmt: skip
"""Columns that quote: titles of sources, reasons written in the fact files, and what a user's own rows say."""
OF_A_FILE = {
    "validate": {"load", "set", "group", "model", "gpu", "engine_version", "concurrency_or_rate", "date_or_version"}
}
"""Further columns, by kind of result, whose cells are those of the file that was read."""

_SYMBOLS = {
    "token", "tok", "req", "bytes", "kWh", "Mtok", "jevons", "h", "ms", "TFLOP", "PFLOP", "logits", "mbs", "nvlink",
    "gqa", "Meta", "yaml", "adamw", "megatron", "fsdp", "Triton", "Megatron",
}  # fmt: skip
_IDENTIFIER = re.compile(
    r"[A-Za-z\d]\w*[-_./:=@+][\w./:=@+-]*|--?[a-z][\w-]*(?: [A-Z]+| auto)?|\b(?:none|selective|full)(?= mbs)"
    r"|\b\w*\d\w*\b|`[^`]*`"
)
_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]?[a-z]{2,}(?![A-Za-z])")


@functools.cache
def names() -> frozenset[str]:
    """Return the words of the catalogue's names: models, devices, engines, operators, providers, marks of rubrics."""
    listed, facts = catalog(), default_facts().by_id
    texts = [one["name"].partition("(")[0] for one in (*listed["models"], *listed["devices"])]
    texts += [*listed["engines"], *listed["targets"].values(), *operators.__all__]
    texts += [mark for questions in QUESTIONS.values() for mark in questions]
    places = {"api": 1, "rent": 2, "peer": 1}
    for identity in facts:
        head, *rest = identity.split(".")
        texts += rest[places[head] - 1 : places[head]] if head in places else []
        texts += [str(facts[identity].values[-1].value)] if identity.endswith(".generation") else []
    return frozenset(word for text in texts for word in re.findall(r"[A-Za-z]+", text))


@functools.cache
def titles() -> tuple[str, ...]:
    """Return the names that are several words: devices, and the sources of facts."""
    sources = default_facts().sources.values()
    return (*(one["name"] for one in catalog()["devices"]), *(str(one) for one in sources), "MLPerf Inference")


def english(text: str, *own: str) -> list[str]:
    """Return the words of a Chinese text that are English; *own* are names that a user gave."""
    for title in titles():
        text = text.replace(title, " ")
    text = _IDENTIFIER.sub(" ", text)
    for name in own:
        text = text.replace(name, " ")
    return [word for word in _WORD.findall(text) if word not in _SYMBOLS | names()]
