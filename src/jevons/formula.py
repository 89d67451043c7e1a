"""Formulas that are printed as they are evaluated.

A `Formula` is declared beside the code of its quantity. Its text is arithmetic over named symbols. The same
text is what a stage evaluates, what `explain` prints and what a reader can follow. It is parsed once into nested
functions; nothing is handed to Python's `eval`.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Evaluator = Callable[[Mapping[str, Any]], Any]

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def _sum(values: Any) -> Any:
    import numpy as np

    return np.sum(values)


def _mean(values: Any) -> Any:
    if isinstance(values, float):
        return values
    import numpy as np

    return np.mean(values)


def _least(*values: Any) -> Any:
    import numpy as np

    return functools.reduce(np.minimum, values)


def _most(*values: Any) -> Any:
    import numpy as np

    return functools.reduce(np.maximum, values)


def _floor(value: Any) -> Any:
    import numpy as np

    return np.floor(value)


def _order(values: Any) -> Any:
    import numpy as np

    return np.arange(np.size(values), dtype=float)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sum": _sum,
    "mean": _mean,
    "min": _least,
    "max": _most,
    "floor": _floor,
    "order": _order,
}
"""Functions of a formula's text. ``sum`` and ``mean`` run over a symbol's several values, such as the sites; ``min``
and ``max`` are of their arguments, value by value; ``order`` numbers the values from 0."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a symbol of a formula stands for: its meaning and its unit, ``1`` for ratios."""

    meaning: str
    unit: str = "1"


@dataclass(frozen=True)
class Formula:
    """Arithmetic text over named symbols.

    Parameters
    ----------
    text : str
        Sums, products, powers and calls of `FUNCTIONS` over the symbols.
    unit : str
        Unit of the result.
    symbols : mapping of str to Symbol
        Every name in the text.

    Raises
    ------
    ValueError
        If the text holds anything else, or its names are not those of the symbols.

    Examples
    --------
    >>> power = Formula("tdp * (1 + overhead)", "W", {"tdp": Symbol("of the device", "W"), "overhead": Symbol("share")})
    >>> power(tdp=400.0, overhead=0.5)
    600.0
    """

    text: str
    unit: str
    symbols: Mapping[str, Symbol]

    def __post_init__(self) -> None:
        """Refuse a text that cannot be evaluated, or whose names are not declared."""
        names = names_in(self.text)
        if names != set(self.symbols):
            message = f"`{self.text}` has the names {sorted(names)}; declared are {sorted(self.symbols)}"
            raise ValueError(message)
        _compiled(self.text)

    def __call__(self, **values: Any) -> Any:
        """Return the result for *values* by symbol: floats, or arrays that broadcast."""
        return _compiled(self.text)(values)


def evaluate(text: str, values: Mapping[str, Any]) -> float:
    """Return the number that a formula's *text* gives for *values* by symbol.

    Raises
    ------
    ValueError
        If the text holds anything but arithmetic, or a name without a value.
    """
    missing = names_in(text) - set(values)
    if missing:
        message = f"`{text}`: no value for {', '.join(sorted(missing))}"
        raise ValueError(message)
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return float(_compiled(text)(values))


def names_in(text: str) -> set[str]:
    """Return the symbols of a formula's text."""
    tree = ast.parse(text, mode="eval")
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}


@functools.lru_cache(maxsize=512)
def _compiled(text: str) -> Evaluator:
    return _compile(ast.parse(text, mode="eval").body, text)


def _compile(node: ast.expr, text: str) -> Evaluator:
    """Return a function of the symbols' values for a node of the parsed text."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return lambda _values: number
        case ast.Name(id=name):
            return lambda values: values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compile(operand, text)
            return lambda values: -inner(values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            first, second, combine = _compile(left, text), _compile(right, text), _OPERATORS[type(op)]
            return lambda values: combine(first(values), second(values))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            parts, function = [_compile(argument, text) for argument in arguments], FUNCTIONS[name]
            return lambda values: function(*(part(values) for part in parts))
    message = f"`{ast.unparse(node)}` in `{text}`: only sums, products, powers and {', '.join(FUNCTIONS)} are allowed"
    raise ValueError(message)
