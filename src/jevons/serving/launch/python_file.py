"""Finds servers and engines in a Python file: lists of words, command strings, ``LLM(…)`` and its like."""

from __future__ import annotations

import ast
import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jevons.limits import REPLICAS
from jevons.serving.launch.types import Command, positive_whole

_ENGINES = {"vllm": "vllm", "sglang": "sglang", "sgl": "sglang", "tensorrt_llm": "trtllm", "ray": "vllm"}
"""Engine by the package that a class is imported from."""
_CLASSES = frozenset({"LLM", "EngineArgs", "AsyncEngineArgs", "Engine", "ServerArgs"})
_ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
_UNKNOWN = "$"


class Found(NamedTuple):
    """What a Python file starts: engines by their classes, lists of words, and command strings."""

    engines: list[Command]
    lists: list[list[str]]
    lines: list[str]


def python_commands(text: str) -> Found | None:
    """Return what a Python file starts; None where the text is no Python that imports or defines something."""
    if "import " not in text and "def " not in text:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    reader = _Reader()
    try:
        reader.body(tree.body)
    except RecursionError:
        return None
    return Found(reader.engines, reader.listed(), reader.lines)


class _Reader:
    """Follows the assignments of a file in the order in which they stand."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.classes: dict[str, str] = {}
        self.engines: list[Command] = []
        self.lines: list[str] = []
        self._lists: list[list[Any]] = []

    def listed(self) -> list[list[str]]:
        """Return the lists of words, as they were in the end."""
        return [[str(word) for word in words] for words in self._lists if words]

    def body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._imports(statement)
        elif isinstance(statement, ast.If):
            self._either(statement)
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            self._assign(statement.targets[0], statement.value)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._assign(statement.target, statement.value)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
            self._add(statement.target, self.value(statement.value))
        else:
            if isinstance(statement, ast.Expr | ast.Return) and statement.value is not None:
                self.value(statement.value)
            for name in ("body", "orelse", "finalbody"):
                self.body(getattr(statement, name, []))

    def _either(self, statement: ast.If) -> None:
        """Follow the branch that is taken; what hangs on something unknown is said to have no value."""
        known = self.value(statement.test)
        if _is_unknown(known):
            own = isinstance(statement.test, ast.Compare) and ast.unparse(statement.test).startswith("__name__")
            if own:
                self.body(statement.body)
            else:
                before = [len(words) for words in self._lists]
                self.body(statement.body)
                for words, length in zip(self._lists, before, strict=False):
                    if len(words) > length:
                        words[length:] = [f"{_UNKNOWN}{{if {ast.unparse(statement.test)}}}"]
        else:
            self.body(statement.body if known else statement.orelse)

    def _imports(self, statement: ast.Import | ast.ImportFrom) -> None:
        for alias in statement.names:
            source = alias.name if isinstance(statement, ast.Import) else statement.module or ""
            engine = _ENGINES.get(source.partition(".")[0])
            if engine:
                self.classes[alias.asname or alias.name] = engine

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        known = self.value(value)
        if isinstance(target, ast.Name | ast.Attribute):
            self.values[ast.unparse(target)] = known

    def _add(self, target: ast.expr, value: Any) -> None:
        held = self.values.get(ast.unparse(target))
        if isinstance(held, list) and isinstance(value, list):
            held += value
            self._lists = [words for words in self._lists if words is not value]
        elif isinstance(held, str) and isinstance(value, str):
            self.values[ast.unparse(target)] = held + value

    def value(self, node: ast.expr) -> Any:
        """Return what an expression is, as far as the file says; ``$`` and its text for what it does not."""
        match node:
            case ast.Constant(value=constant):
                if isinstance(constant, str) and " --" in constant:
                    self.lines.append(constant)
                return constant
            case ast.List(elts=items) | ast.Tuple(elts=items):
                words = list(self._items(items))
                self._lists.append(words)
                return words
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return {str(self.value(key)): self.value(value) for key, value in pairs if key is not None}
            case ast.JoinedStr(values=parts):
                told = "".join(
                    str(self.value(part.value if isinstance(part, ast.FormattedValue) else part)) for part in parts
                )
                self.lines += [told] if " --" in told else []
                return told
            case ast.BinOp(left=left, op=op, right=right):
                return self._sum(op, self.value(left), self.value(right), node)
            case ast.IfExp(test=test, body=body, orelse=other):
                known = self.value(test)
                return _unknown(node) if _is_unknown(known) else self.value(body if known else other)
            case ast.Call():
                return self._call(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                known = self.value(operand)
                return -known if isinstance(known, int | float) else _unknown(node)
            case ast.Name() | ast.Attribute():
                name = ast.unparse(node)
                return self.values.get(name, self.values.get(name.removeprefix("self."), _unknown(node)))
            case _:
                return _unknown(node)

    def _items(self, items: Sequence[ast.expr]) -> Iterator[Any]:
        for item in items:
            known = self.value(item.value if isinstance(item, ast.Starred) else item)
            if isinstance(item, ast.Starred) and isinstance(known, list):
                yield from known
            else:
                yield known

    def _sum(self, op: ast.operator, left: Any, right: Any, node: ast.expr) -> Any:
        if isinstance(left, int) and isinstance(right, int) and type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](left, right)
        if not isinstance(op, ast.Add):
            return _unknown(node)
        if isinstance(left, list) and isinstance(right, list):
            self._lists = [words for words in self._lists if words is not right and words is not left]
            self._lists.append([*left, *right])
            return self._lists[-1]
        alike = isinstance(left, str) and isinstance(right, str)
        return left + right if alike else _unknown(node)

    def _call(self, node: ast.Call) -> Any:
        name, own = ast.unparse(node.func), [self.value(argument) for argument in node.args]
        named = {word.arg: self.value(word.value) for word in node.keywords if word.arg}
        for word in node.keywords:
            spread = self.value(word.value) if word.arg is None else None
            named |= spread if isinstance(spread, dict) else {}
        first, last = name.partition(".")[0], name.rpartition(".")[2]
        if last in {"append", "extend"} and own:
            held = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            self._add(held, [own[0]] if last == "append" else own[0])
            return None
        if last in {"str", "int", "float"} and own:
            return str(own[0]) if last == "str" else own[0]
        if name in {"os.environ.get", "os.getenv", "getenv", "environ.get"} and len(own) == 2:
            return own[1]
        if last == "join" and own and isinstance(own[0], list):
            return " ".join(map(str, own[0]))
        if first in self.classes and (last in _CLASSES or last == "LLMConfig"):
            self._engine(self.classes[first], own, named)
        if last == "HuggingFaceModel" and own:
            return own[0]
        if last == "dumps" and own:
            return json.dumps(own[0], default=str)
        return dict(named) if named and not own else _unknown(node)

    def _engine(self, engine: str, own: Sequence[Any], named: Mapping[str, Any]) -> None:
        if "engine_kwargs" in named:
            stated = ray_words(named)
            self.engines += [] if stated is None else [stated]
            return
        given = {"model": own[0], **named} if own and isinstance(own[0], str) else dict(named)
        if given:
            self.engines.append(_command(engine, given))


def ray_words(config: Mapping[str, Any]) -> Command | None:
    """Return the server of a ``LLMConfig`` of Ray Serve, from Python or YAML; None where it names no model."""
    names = ("model_loading_config", "deployment_config", "engine_kwargs")
    loading, deployed, own = (held if isinstance(held := config.get(name), dict) else {} for name in names)
    model = loading.get("model_source") or loading.get("model_id")
    if not isinstance(model, str):
        model = loading.get("model_id")
    if not isinstance(model, str):
        return None
    scaled = deployed.get("autoscaling_config")
    least = scaled.get("min_replicas") if isinstance(scaled, dict) else None
    count = deployed.get("num_replicas", least)
    command = _command("vllm", {"model": model, **own})
    return Command(
        engine="vllm", words=command.words, release="", variables={}, replicas=positive_whole(count, REPLICAS)
    )


def _command(engine: str, given: Mapping[str, Any]) -> Command:
    words = []
    for name, value in given.items():
        if value is None:
            continue
        told = json.dumps(value, default=str) if isinstance(value, dict | list | bool) else str(value)
        words.append(f"--{name}={told}")
    return Command(engine=engine, words=tuple(words), release="", variables={})


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.startswith(_UNKNOWN))


def _unknown(node: ast.expr) -> str:
    return f"{_UNKNOWN}{{{ast.unparse(node)[:40]}}}"
