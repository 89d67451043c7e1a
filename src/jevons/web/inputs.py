"""What a request may ask: the kinds of run, and bodies that hold keywords of the function of that name.

A body names no file of this machine: options that take a path are refused, and so is text that reads like one. A
trace is named by the id that its upload gave it, a scenario by the name of a shipped one.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jevons
from jevons.errors import Fault, InputError, JevonsError, did_you_mean
from jevons.facts import changed
from jevons.options import Declared, parameters
from jevons.study.scenario.shelf import shipped_scenarios

FUNCTIONS = {
    "size": "jevons.api.size",
    "simulate": "jevons.api.simulate",
    "buy_rent_api": "jevons.api.buy_rent_api",
    "train": "jevons.api.train",
    "cost": "jevons.api.cost",
    "memory": "jevons.api.memory",
    "plan": "jevons.api.plan",
}
"""Functions that a run may call, and their modules."""

ALIASES = {
    "replay": ("simulate", {}),
    "sweep": ("simulate", {}),
    "draws": ("plan", {"draws": 40}),
    "draw": ("plan", {}),
    "buy-rent-api": ("buy_rent_api", {}),
}
"""Other names of kinds, and what they add to the input."""

KINDS = (*FUNCTIONS, *ALIASES, "compare")

MAX_TEXT = 400
MAX_ITEMS = 64
MAX_KEYS = 120

_PATH = re.compile(
    r"[/\\\x00]|^\s*[.~]|\.(?:ya?ml|json|csv|tsv|txt|toml|gz|zst|zip|parquet|nc|html|xlsx|py|sh)\s*$", re.IGNORECASE
)
_MAY_SLASH = {"api", "budget", "gpu_hour", "rent", "tokens_per_day"}
"""Parameters whose text may have a slash, as in ``12 CNY/h``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question: the kind of run, its input without what is left at its default, and the hash of both."""

    kind: str
    input: Mapping[str, Any]
    id: str

    @property
    def quick(self) -> bool:
        """Whether the answer takes no simulation, and so has the worker that is kept for such."""
        if self.kind == "size":
            return bool(self.input.get("static"))
        return self.drawn or self.kind in {"buy_rent_api", "train", "cost", "memory"}

    @property
    def drawn(self) -> bool:
        """Whether it is answered by draws from a solved plan, which its worker keeps: a slider's, or two plans'."""
        return self.kind == "draw" or (self.kind == "compare" and self.input["a"]["kind"] == "plan")


@functools.cache
def declared_of(kind: str) -> dict[str, Declared]:
    """Return the parameters of the function of a kind by name."""
    function = getattr(importlib.import_module(FUNCTIONS[kind]), kind)
    return {parameter.name: parameter for parameter in parameters(function)}


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions that an answer rests on: of the program, and a digest of its facts and factors."""
    digest = hashlib.sha256()
    package = Path(jevons.__file__).parent
    for path in sorted([*package.glob("*/data/**/*.yaml"), *package.glob("*/data/**/*.json")]):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return {"jevons": jevons.__version__, "facts": digest.hexdigest()[:12]}


def asked(kind: Any, given: Any) -> Asked:
    """Return a checked question.

    Raises
    ------
    InputError
        If the kind is unknown, the body is no object, or it has what the function does not take.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        message = f"kind {_quoted(kind)}: unknown.{did_you_mean(str(kind), KINDS)} Known: {', '.join(KINDS)}."
        raise InputError(message)
    _check_shape(given)
    if kind == "compare":
        both = {side: _side(given, side) for side in ("a", "b")}
        if both["a"].kind != both["b"].kind:
            message = f"b: is a `{both['b'].kind}`, a is a `{both['a'].kind}`; compare two of one kind"
            raise InputError(message)
        shown = {side: {"kind": question.kind, "input": dict(question.input)} for side, question in both.items()}
        return _hashed("compare", shown)
    name, more = ALIASES.get(kind, (kind, {}))
    return _hashed("draw" if kind == "draw" else name, _checked(name, {**more, **given}))


def _side(given: Mapping[str, Any], side: str) -> Asked:
    asked_side = given.get(side)
    if not isinstance(asked_side, Mapping):
        message = f"{side}: is missing; give {{kind, input}}"
        raise InputError(message)
    question = asked(asked_side.get("kind"), asked_side.get("input", {}))
    if question.kind == "compare":
        message = f"{side}: is a comparison itself; give size, simulate, buy_rent_api, train or plan"
        raise InputError(message)
    return question


def _hashed(kind: str, given: Mapping[str, Any]) -> Asked:
    text = json.dumps([kind, given, versions()], sort_keys=True, ensure_ascii=True)
    return Asked(kind=kind, input=given, id=hashlib.sha256(text.encode()).hexdigest()[:20])


def _check_shape(given: Any) -> None:
    if not isinstance(given, Mapping):
        message = f"input: must be an object of keywords, not {_quoted(given)}"
        raise InputError(message)
    if len(given) > MAX_KEYS:
        message = f"input: has {len(given)} keys; a question has at most {MAX_KEYS}"
        raise InputError(message)


def _checked(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input without defaults; every key is one that the function has, every value short and no path."""
    known = declared_of(kind)
    faults = []
    values: dict[str, Any] = {}
    names = [*known, "set" if kind == "plan" else "facts"]
    for key, value in given.items():
        if key not in names:
            near = did_you_mean(str(key), names)
            faults.append(Fault(message=f"{_quoted(key)}: `{kind}` takes no such keyword.{near}"))
            continue
        problem = _problem(kind, key, value, known.get(key))
        if problem:
            faults.append(Fault(message=f"{key}: {problem}"))
        elif value not in (None, "", [], {}):
            number = _floated(value, known.get(key))
            if not (key in known and _same(number, known[key].default)):
                values[key] = number
    if faults:
        raise InputError(faults)
    return dict(sorted(values.items()))


def _floated(value: Any, parameter: Declared | None) -> Any:
    """Return a whole number as the real one that its keyword takes, as the command line reads it."""
    kinds = set() if parameter is None else {parameter.type, *typing.get_args(parameter.type)}
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and float in kinds and int not in kinds else value


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _problem(kind: str, key: str, value: Any, known: Declared | None) -> str:
    """Return what is wrong with a value before its function sees it; empty where nothing is."""
    if key == "trace":
        fine = value is None or (isinstance(value, str) and re.fullmatch(r"t-[0-9a-f]{20}|", value))
        return "" if fine else "give the id that the upload of a trace returned, such as t-0123…; paths are not read"
    if kind == "plan" and key == "scenario":
        names = shipped_scenarios()
        return "" if value in names else f"{_quoted(value)}: no such scenario. Known: {', '.join(names)}."
    if kind == "plan" and key == "set":
        return _set_problem(value)
    if key == "facts":
        return _facts_problem(value)
    if known is not None and known.option.metavar == "FILE" and value is not None:
        return "names a file; the page reads no files of this machine. Use the command line for it"
    if isinstance(value, Mapping):
        return "must be a single value, not an object"
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_ITEMS:
        return f"has {len(items)} items; give at most {MAX_ITEMS}"
    for item in items:
        problem = _item_problem(key, item)
        if problem:
            return problem
    return ""


def _item_problem(key: str, item: Any) -> str:
    if isinstance(item, list | Mapping):
        return "must be text, a number or a list of these"
    if isinstance(item, int) and not isinstance(item, bool) and abs(item) > 2**63:
        return "is too large a number; give one below 2^63"
    if isinstance(item, str):
        if len(item) > MAX_TEXT:
            return f"has {len(item):,} characters; give at most {MAX_TEXT}"
        if _PATH.search(item) and not (key in _MAY_SLASH and "\\" not in item and not re.search(r"[.~]{2}|^/", item)):
            return f"{_quoted(item)} reads like a path; the page reads no files of this machine. Give a name or a value"
    return ""


def _set_problem(value: Any) -> str:
    if not isinstance(value, Mapping):
        return "must be an object of scenario paths and values"
    if len(value) > MAX_ITEMS:
        return f"changes {len(value)} values; change at most {MAX_ITEMS}"
    for path, item in value.items():
        if not isinstance(path, str) or not re.fullmatch(r"[\w.\-\[\]]{1,200}", path):
            return f"{_quoted(path)} is no path of a scenario, such as market.start_price"
        if not isinstance(item, str | int | float | bool) or len(str(item)) > MAX_TEXT:
            return f"{path}: must be a number, or text of at most {MAX_TEXT} characters"
    return ""


def _facts_problem(value: Any) -> str:
    """Return what is wrong with figures of one's own for facts; empty where nothing is."""
    if not isinstance(value, Mapping):
        return "must be an object of fact ids and numbers"
    if len(value) > MAX_ITEMS:
        return f"changes {len(value)} facts; change at most {MAX_ITEMS}"
    try:
        with changed(value):
            return ""
    except JevonsError as error:
        return str(error)


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 60 else f"{text[:57]}…"
