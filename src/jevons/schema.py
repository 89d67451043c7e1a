"""Reads YAML safely, remembers where each value stood, and turns pydantic's complaints into faults with positions."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.errors import Fault, InputError, did_you_mean
from jevons.files import read_text
from jevons.limits import YAML_DEPTH, YAML_NODES
from jevons.text import printable_json

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True)
class Located:
    """A parsed YAML document and the line and column of every key and item.

    Parameters
    ----------
    root : object
        Plain Python values: dict, list, str, int, float, bool, date, None.
    name : str
        File name used in messages.
    positions : mapping
        Path (tuple of keys and indices) to one-based (line, column).
    """

    root: Any
    name: str
    positions: Mapping[tuple[Any, ...], tuple[int, int]] = field(default_factory=dict)

    def fault(self, path: Sequence[Any], message: str) -> Fault:
        """Return a fault at *path*, or at the nearest enclosing key that has a position."""
        path = tuple(path)
        line: int | None = None
        column: int | None = None
        for length in range(len(path), -1, -1):
            if path[:length] in self.positions:
                line, column = self.positions[path[:length]]
                break
        dotted = ".".join(str(part) for part in path)
        return Fault(message=message, path=dotted, file=self.name, line=line, column=column)


def read_yaml(path: Path | str) -> Located:
    """Return a YAML file with positions; safe loading only, no tags that build objects.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, repeats a key, or nests aliases without end.
    """
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, name: str) -> Located:
    """Return YAML *text* with positions; see `read_yaml`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yaml = YAML(typ="safe")
        _check_nesting(yaml.parse(text), name)
        node = yaml.compose(text)
        if node is None:
            raise InputError(Fault(message="is empty", file=name))
        reader = _PositionReader(SafeConstructor(loader=yaml), name)
        root = reader.read(node, ())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise InputError(
            Fault(message=f"is not valid YAML: {reason}", path="", file=name, line=line, column=column)
        ) from None
    except RecursionError:
        raise InputError(Fault(message="is nested too deeply", file=name)) from None
    except (YAMLError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(Fault(message=f"is not valid YAML: {shortened(reason, 120)}", file=name)) from None
    return Located(root, name, reader.positions)


def _check_nesting(events: Iterable[Any], name: str) -> None:
    """Refuse what would overflow the stack of the C parser, or take minutes, once composed to a tree."""
    from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for count, event in enumerate(events):
        if isinstance(event, CollectionStartEvent):
            depth += 1
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
        if depth > YAML_DEPTH or count > YAML_NODES:
            mark = event.start_mark
            message = f"is nested more than {YAML_DEPTH} deep" if depth > YAML_DEPTH else "has too many entries"
            raise InputError(
                Fault(message=f"{message}; write it smaller", file=name, line=mark.line + 1, column=mark.column + 1)
            )


class _PositionReader:
    """Walks a YAML node tree into plain values, noting where each stood."""

    TAGS = frozenset(
        f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
    )

    def __init__(self, constructor: Any, name: str) -> None:
        self.constructor = constructor
        self.name = name
        self.positions: dict[tuple[Any, ...], tuple[int, int]] = {}
        self.nodes = 0

    def read(self, node: Any, path: tuple[Any, ...]) -> Any:
        """Return the plain value of a node."""
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        self.nodes += 1
        if self.nodes > YAML_NODES or len(path) > YAML_DEPTH:
            message = "is too large or too deeply nested (aliases that multiply?)"
            raise InputError(Fault(message=message, file=self.name))
        self.positions.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if not isinstance(node, MappingNode | SequenceNode):
            return self._scalar(node, path)
        self._check_tag(node, path)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]

    def _fault(self, node: Any, path: tuple[Any, ...], message: str) -> InputError:
        mark, where = node.start_mark, ".".join(map(str, path))
        fault = Fault(message=message, path=where, file=self.name, line=mark.line + 1, column=mark.column + 1)
        return InputError(fault)

    def _check_tag(self, node: Any, path: tuple[Any, ...]) -> None:
        tag = str(node.tag)
        if tag == "tag:yaml.org,2002:merge":
            message = "merging with `<<` is not supported; write the fields out"
            raise self._fault(node, path, message)
        if tag not in self.TAGS:
            message = f"tag `{tag}` is not allowed; write plain values"
            raise self._fault(node, path, message)

    def _scalar(self, node: Any, path: tuple[Any, ...]) -> Any:
        self._check_tag(node, path)
        try:
            value = self.constructor.construct_object(node)
            if isinstance(value, int | float) and not math.isfinite(value):
                raise OverflowError
        except OverflowError:
            message = f"`{shortened(node.value)}` is not a finite number"
            raise self._fault(node, path, message) from None
        except ValueError as error:
            kind = str(node.tag).rsplit(":", 1)[-1]
            message = f"`{shortened(node.value)}` cannot be read as {kind} ({shortened(str(error))})"
            raise self._fault(node, path, message) from None
        return value

    def _mapping(self, node: Any, path: tuple[Any, ...]) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, path) if isinstance(key_node.value, str) else None
            if isinstance(key, bool) or not isinstance(key, str | int | float):
                message = "a key must be plain text"
                raise self._fault(key_node, path, message)
            if key in result:
                message = "the key is given twice"
                raise self._fault(key_node, (*path, key), message)
            self.positions[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            result[key] = self.read(value_node, (*path, key))
        return result


def shortened(text: str, most: int = 60) -> str:
    """Return *text* with its middle left out where it is longer than *most* characters."""
    return text if len(text) <= most else f"{text[: most - 12]}…{text[-10:]}"


def validate_document(document: Located, model: type[BaseModel], context: Mapping[str, Any] | None = None) -> Any:
    """Return *document* as an instance of a pydantic model.

    Raises
    ------
    InputError
        With every fault, each at its line and column, near names offered for unknown keys.
    """
    from pydantic import ValidationError

    if not isinstance(document.root, Mapping):
        raise InputError(document.fault((), "must be a mapping of sections"))
    try:
        return model.model_validate(document.root, context=dict(context or {}))
    except ValidationError as error:
        raise InputError(_faults(document, model, error)) from None


def _meaning(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """Return what a missing field is, by the first sentence below it in its class; nothing where there is none."""
    owner = _model_at(model, loc[:-1])
    for base in owner.__mro__ if owner is not None else ():
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue
        for entry, text in itertools.pairwise(getattr(body, "body", [])):
            named = isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name)
            if named and entry.target.id == loc[-1] and isinstance(text, ast.Expr):
                words = " ".join(str(ast.literal_eval(text.value)).split())
                first = re.split(r"[.;] |[.;]$", words)[0].replace("`", "")
                return f": {first[:1].lower()}{first[1:]}"
    return ""


def _faults(document: Located, model: type[BaseModel], error: ValidationError) -> list[Fault]:
    faults, told = [], error.errors()
    for detail in told:
        within = [
            fault for fault in told if fault["loc"][: len(detail["loc"])] == detail["loc"] and fault is not detail
        ]
        if detail["type"] == "too_short" and within:
            continue  # what is wrong with an entry leaves a list without it
        place = _existing_path(document, detail["loc"])
        kind = detail["type"]
        if kind == "extra_forbidden":
            message = f"unknown field.{did_you_mean(str(detail['loc'][-1]), _fields_at(model, detail['loc'][:-1]))}"
            place = tuple(detail["loc"])
        elif kind == "missing" and isinstance(detail["loc"][-1], int):
            message = "has too few items"
        elif kind == "missing":
            message = f"needs `{detail['loc'][-1]}`{_meaning(model, detail['loc'])}"
            place = tuple(detail["loc"][:-1])
        else:
            message = _wording(detail)
        faults.append(document.fault(place, message))
    return faults


_WORDS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "greater_than": "must be above {gt:g}",
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "literal_error": "must be {expected}",
    "model_type": "must be a mapping of fields",
    "dict_type": "must be a mapping of names to fields",
    "list_type": "must be a list",
    "tuple_type": "must be a list of two paths",
    "too_short": "needs at least {min_length} entry",
    "too_long": "takes at most {max_length} items",
}
"""What pydantic's kinds of complaint mean to the writer of a file."""


def _wording(detail: Any) -> str:
    """Return what is wrong with a value, the value first."""
    if detail["type"] == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    given, context = detail.get("input"), detail.get("ctx") or {}
    message = _WORDS.get(detail["type"], "").format(**context) or str(detail["msg"])
    if isinstance(given, Mapping | list) and not given:
        return message
    shown = shortened(json.dumps(plain(given), ensure_ascii=False))
    return f"{shown}: {message}"


def _existing_path(document: Located, path: Sequence[Any]) -> tuple[Any, ...]:
    """Drop the tags that pydantic puts into paths (names of union members, `[key]`)."""
    existing: tuple[Any, ...] = ()
    for part in path:
        if (*existing, part) in document.positions:
            existing = (*existing, part)
    return existing


def _model_at(model: type[BaseModel], path: Sequence[Any]) -> type[BaseModel] | None:
    """Return the section that stands at a path; None where it is none."""
    from pydantic import BaseModel

    current: Any = model
    for part in path:
        annotation: Any = None
        if isinstance(current, type) and issubclass(current, BaseModel):
            info = current.model_fields.get(str(part))
            annotation = info.annotation if info else None
        candidates = _models_in(annotation) if annotation is not None else ([current] if current else [])
        current = candidates[0] if candidates else None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _fields_at(model: type[BaseModel], path: Sequence[Any]) -> list[str]:
    current = _model_at(model, path)
    return [] if current is None else [field.alias or name for name, field in current.model_fields.items()]


def _models_in(annotation: Any) -> list[Any]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner_model for argument in getattr(annotation, "__args__", ()) for inner_model in _models_in(argument)]


def plain(value: Any) -> Any:
    """Return *value* as JSON types: arrays become lists, dates ISO text, numbers that are not finite null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def json_text(value: Any) -> str:
    """Return *value* as JSON text that ends with a line break."""
    return printable_json(json.dumps(plain(value), ensure_ascii=False, indent=2)) + "\n"
