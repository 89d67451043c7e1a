"""Serve options of benchmark rows that name no serve command, read from ``data/recipes.yaml``.

Public benchmark workflows start each engine with a script of their own per model, device and lengths. Rows that were
made so state the engine, model, device, layout, lengths and concurrency, from which the script's rules follow.
"""

from __future__ import annotations

import fnmatch
import functools
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jevons.errors import InputError, did_you_mean
from jevons.formula import evaluate, names_in
from jevons.schema import read_yaml
from jevons.serving.types import Layout
from jevons.validation.serving.case import Case

_DATA = Path(__file__).parent / "data" / "recipes.yaml"
_LISTS = ("any_json", "closed_loops", "loops_in_words", "pools", "offline", "bursts", "mlperf")
_EACH = ("any_json", "mlperf")  # lists of which each recipe applies
_LAYOUT = ("tp", "pp", "ep", "dp", "dp_attention")
_PREFILL = "prefill_"
_PREFILL_LAYOUT = tuple(_PREFILL + name for name in _LAYOUT)
_UNSET = ("captured_tokens", "ep_overlap_frac", "reserve_frac")  # numbers of which None is none stated
_TEXTS = ("engine", "model", "printed", "version", "precision", "device", "scenario", "origin")
_NUMBERS = (
    "users", "requests", "isl", "osl", "prompt", "total", "wave", "tp", "pp", "ep", "dp", "ranks", "step_tokens",
    "max_batch", "draft_tokens", "prefill_workers", "prefill_ranks", "prefill_experts", "decode_workers",
)  # fmt: skip
_SWITCHES = ("dp_attention", "moe")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq,
}  # fmt: skip

Conditions = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """Options that hold where conditions are met."""

    when: Conditions
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Rows that a script made, and the options it gives; *source* is where they were read."""

    name: str
    source: str
    when: Conditions
    options: tuple[Option, ...]


def with_recipe(case: Case, model: str, kind: str, *, moe: bool = False, origin: str = "") -> Case:
    """Return the case with the options of the first recipe of a list that it falls under.

    Parameters
    ----------
    case : Case
        As its row states it.
    model : str
        Name of its architecture.
    kind : str
        List of the file: ``closed_loops``, ``pools`` (closed loops whose prompts are processed apart),
        ``loops_in_words`` (of rows whose notes are no JSON), ``offline``, ``bursts``, or ``any_json`` and ``mlperf``,
        of which each recipe applies.
    moe : bool
        Whether the model has experts.
    origin : str
        Where the row says that it comes from.
    """
    if kind in {"closed_loops", "pools"} and (
        case.scenario != "closed" or (case.instances.prefill is None) == (kind == "pools")
    ):
        return case
    for recipe in shipped_recipes()[kind]:
        if _holds(recipe.when, _facts_of(case, model, moe, origin)):
            case = _with_options(case, recipe, model, moe, origin)
            if kind not in _EACH:
                break
    return case


def _with_options(case: Case, recipe: Recipe, model: str, moe: bool, origin: str) -> Case:
    for option in recipe.options:
        if not _holds(option.when, _facts_of(case, model, moe, origin)):
            continue
        for name, value in option.values.items():
            case = _with_value(case, name, _value_of(value, _facts_of(case, model, moe, origin)))
    return case


def _value_of(value: Any, row: Mapping[str, Any]) -> Any:
    """Return a value of an option; a text over numbers of the row is arithmetic."""
    if not isinstance(value, str) or not _is_arithmetic(value):
        return value
    return evaluate(value, {name: float(row[name]) for name in names_in(value)})


def _is_arithmetic(text: str) -> bool:
    return text in _NUMBERS or bool(re.search(r"[()/*+-]", text))


def _with_value(case: Case, name: str, value: Any) -> Case:
    if name in _LAYOUT:
        whole = value if isinstance(value, bool) else int(value)
        return case.replace(layout=replace(case.instances.layout, **{name: whole}))  # type: ignore[arg-type]
    if name in _PREFILL_LAYOUT and case.instances.prefill is not None:
        whole = value if isinstance(value, bool) else int(value)
        changed = replace(case.instances.prefill, **{name.removeprefix(_PREFILL): whole})  # type: ignore[arg-type]
        return case.replace(prefill=changed)
    if name in _UNSET:
        return case.replace(**{name: float(value)})
    before = case.field(name)
    if isinstance(before, int | float) and not isinstance(before, bool):
        value = type(before)(value)
    return case.replace(**{name: value})


def _facts_of(case: Case, model: str, moe: bool, origin: str) -> dict[str, Any]:
    """Return what conditions and arithmetic of a recipe may speak of."""
    layout: Layout = case.instances.layout
    row: dict[str, Any] = {name: getattr(layout, name) for name in _LAYOUT}
    for name in ("engine", "version", "precision", "device", "scenario", "users", "requests"):
        row[name] = case.field(name)
    for name in ("step_tokens", "max_batch", "draft_tokens"):
        row[name] = case.field(name)
    return row | {
        "model": model,
        "printed": case.model,
        "origin": origin,
        "moe": moe,
        "isl": case.requested.isl.mean,
        "osl": case.requested.osl.mean,
        "prompt": math.ceil(case.requested.isl.mean * (1.0 + case.requested.isl.spread)),
        "total": case.requested.isl.mean + case.requested.osl.mean,
        "wave": case.requested.users * case.requested.isl.mean,
        "ranks": layout.dp if layout.dp_attention else 1,
        "prefill_workers": case.instances.prefill_workers,
        "prefill_ranks": case.instances.prefill.dp if case.instances.prefill else 1,
        "prefill_experts": case.instances.prefill.ep if case.instances.prefill else 1,
        "decode_workers": case.instances.decode_workers,
    }


def _holds(when: Conditions, row: Mapping[str, Any]) -> bool:
    return all(_meets(row[name], stated, row) for name, stated in when.items())


def _meets(value: Any, stated: Any, row: Mapping[str, Any]) -> bool:
    """Return whether a value is as a condition states: a switch, bounds of a number or version, patterns of a text."""
    if isinstance(stated, bool):
        return bool(value) is stated
    bounds = [part.split() for part in str(stated).split(",")]
    if isinstance(value, int | float):
        return all(_COMPARE[sign](float(value), float(row.get(bound, bound))) for sign, bound in bounds)
    if bounds[0][0] in _COMPARE:
        return all(_COMPARE[sign](_version(value), _version(bound)) for sign, bound in bounds)
    patterns = [str(pattern) for pattern in ([stated] if isinstance(stated, str) else stated)]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    refused = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    text = value or ""
    if any(fnmatch.fnmatchcase(text, pattern) for pattern in refused):
        return False
    return not wanted or any(fnmatch.fnmatchcase(text, pattern) for pattern in wanted)


def _version(text: str) -> tuple[int, ...]:
    """Return the numbers of a version with three of them, nothing where it has fewer."""
    stated = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in stated.groups()) if stated else ()


@functools.cache
def shipped_recipes() -> Mapping[str, tuple[Recipe, ...]]:
    """Return the recipes that ship, by list."""
    return read_recipes(_DATA)


def read_recipes(path: Path) -> Mapping[str, tuple[Recipe, ...]]:
    """Return the recipes of a file by list.

    Raises
    ------
    InputError
        If a recipe states what rows do not have, or names no source of the file.
    """
    document = read_yaml(path).root
    return {name: tuple(_recipe(entry, document["sources"], path) for entry in document[name]) for name in _LISTS}


def _recipe(raw: Mapping[str, Any], sources: Mapping[str, Any], path: Path) -> Recipe:
    name = str(raw.get("name", ""))
    source = str(raw.get("source", ""))
    if source not in sources:
        message = f"{path}: recipe `{name}`: unknown source `{source}`.{did_you_mean(source, sources)}"
        raise InputError(message)
    options = tuple(Option(given.get("when", {}), given["set"]) for given in raw["options"])
    comparable, settable = {*_TEXTS, *_NUMBERS, *_SWITCHES}, {*_LAYOUT, *_PREFILL_LAYOUT, *Case.names()}
    for stated, known in ((raw["when"], comparable), *((each.when, comparable) for each in options)):
        _check_names(stated, known, name, path)
    for option in options:
        _check_names(option.values, settable, name, path)
    return Recipe(name=name, source=source, when=raw["when"], options=options)


def _check_names(stated: Mapping[str, Any], known: set[str], recipe: str, path: Path) -> None:
    for key in stated:
        if key not in known:
            message = f"{path}: recipe `{recipe}`: unknown `{key}`.{did_you_mean(key, sorted(known))}"
            raise InputError(message)
