"""Records of JSON texts of any shape, and what parts the cells of a table."""

from __future__ import annotations

import json
import re
from typing import Any

from jevons.errors import Fault, InputError
from jevons.text import shortened

DELIMITERS = (",", "\t", ";")


def one_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; one whose key stands twice with two values is refused, for either may be meant.

    Raises
    ------
    InputError
        Naming the key and both values.
    """
    record = dict(pairs)
    if len(record) < len(pairs):
        for key, value in pairs:
            if value != record[key]:
                two = f"{shortened(json.dumps(value))} and {shortened(json.dumps(record[key]))}"
                message = f"the key `{shortened(key)}` is given twice, {two}; keep one"
                raise InputError(message)
    return record


def json_documents(text: str, file: str = "") -> list[tuple[int, Any]] | None:
    r"""Return the JSON documents of a text, each with its line: the whole, a line each, or one after another.

    ``Infinity`` and ``NaN`` are taken, for load tests write them. None where the text is no JSON.

    Raises
    ------
    InputError
        If an object of the *file* has a key twice; see `one_of_each`.

    Examples
    --------
    >>> json_documents('{"a": 1}\n{"a": Infinity}')
    [(1, {'a': 1}), (2, {'a': inf})]
    >>> json_documents('{"a":\n1}\n{"a":\n2}')
    [(1, {'a': 1}), (3, {'a': 2})]
    >>> json_documents("a,b") is None
    True
    """
    try:
        return _documents(text)
    except InputError as error:
        raise InputError(Fault(message=str(error), file=file)) from None


def _documents(text: str) -> list[tuple[int, Any]] | None:
    try:
        return [(1, json.loads(text, object_pairs_hook=one_of_each))]
    except (ValueError, RecursionError):
        pass
    documents = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            documents.append((number, json.loads(line, object_pairs_hook=one_of_each)))
        except (ValueError, RecursionError):
            return _one_after_another(text) if len(documents) < 2 else None
    return documents or None


def _one_after_another(text: str) -> list[tuple[int, Any]] | None:
    decoder, place, line, documents = json.JSONDecoder(object_pairs_hook=one_of_each), 0, 1, []
    while place < len(text):
        gap = re.compile(r"[\s,]*").match(text, place)
        end = gap.end() if gap else place
        line, place = line + text.count("\n", place, end), end
        if place >= len(text):
            break
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return None
        documents.append((line, value))
        line, place = line + text.count("\n", place, end), end
    return documents or None


def delimiter_of(header: str) -> str:
    r"""Return what parts the cells of a table, by its header.

    Examples
    --------
    >>> delimiter_of("time;isl;osl"), delimiter_of("time\tTTFT (mean, ms)"), delimiter_of("time")
    (';', '\t', ',')
    """
    bare = re.sub(r'"[^"]*"|\([^()]*\)', "", header)
    return max(DELIMITERS, key=lambda mark: (bare.count(mark), mark in bare and mark == "\t"))


__all__ = ["DELIMITERS", "delimiter_of", "json_documents", "one_of_each"]
