"""Where a figure came from: its grade, its source, and the tree of formulas and facts behind a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jevons.formula import Formula

GRADES = ("measured", "filing", "vendor", "literature", "derived", "judgement")
"""Grades of evidence, strongest first. A total is never better founded than its weakest part."""


def weakest_grade(grades: Iterable[str]) -> str:
    """Return the weakest of *grades*; ``measured`` for none."""
    return max(grades, key=GRADES.index, default="measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One figure of a result and how it was made.

    Parameters
    ----------
    path : str
        Dotted name, such as ``cost.h20.per_h_cny``.
    value : float or str
        The figure, in *unit*.
    unit : str
        Unit as printed; ``1`` for ratios.
    formula : str
        How *value* follows from the parents; arithmetic that can be evaluated where *symbols* are given.
    method : str
        What gave a figure that no formula gives: a solver, a simulation, a fit. It then depends on the parents.
    parents : tuple of str
        Paths of other nodes, or fact ids.
    symbols : mapping of str to tuple of str
        Parents that each name in the formula stands for, several where it sums or averages over them.
    grade, source : str
        Evidence of an input; empty for a computed figure.
    low, high : float or None
        Stated range of an input.
    """

    path: str
    value: float | str
    unit: str = "1"
    formula: str = ""
    method: str = ""
    parents: tuple[str, ...] = ()
    symbols: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grade: str = ""
    source: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(slots=True)
class Ledger:
    """The figures of one run by path; stages add to it, results answer ``explain`` from it."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def add(
        self,
        path: str,
        value: float | str,
        unit: str = "1",
        *,
        formula: str = "",
        parents: Iterable[str] = (),
        **evidence: Any,
    ) -> None:
        """Record one figure; a later figure of the same path replaces the earlier."""
        shown = value if isinstance(value, str) else float(value)  # numpy numbers become plain ones
        self.nodes[path] = Node(path=path, value=shown, unit=unit, formula=formula, parents=tuple(parents), **evidence)

    def derive(self, path: str, formula: Formula, **symbols: str | Iterable[str]) -> float:
        """Record the figure that *formula* gives for other figures, and return it.

        Parameters
        ----------
        path : str
            Path of the figure.
        formula : Formula
            Printed with the figure.
        **symbols : str or iterable of str
            Path of the figure that each of its symbols stands for, several where the formula runs over them.
        """
        from jevons.formula import evaluate

        bound = {name: (given,) if isinstance(given, str) else tuple(given) for name, given in symbols.items()}
        parents = tuple(dict.fromkeys(path for paths in bound.values() for path in paths))
        value = evaluate(formula.text, self._values(bound))
        self.nodes[path] = Node(
            path=path, value=value, unit=formula.unit, formula=formula.text, parents=parents, symbols=bound
        )
        return value

    def recompute(self, path: str) -> float:
        """Return what the formula of a figure gives for the values of its parents.

        Raises
        ------
        ValueError
            If the figure has no formula that can be evaluated.
        """
        from jevons.formula import evaluate

        node = self.nodes[path]
        return evaluate(node.formula, self._values(node.symbols))

    def _values(self, symbols: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        import numpy as np

        values = {name: np.array([self.nodes[path].value for path in paths], float) for name, paths in symbols.items()}
        return {name: array[0] if array.size == 1 else array for name, array in values.items()}

    def grade(self, path: str) -> str:
        """Return the weakest grade in the tree under *path*."""
        return weakest_grade(node.grade for node in self.walk(path) if node.grade)

    def walk(self, path: str) -> list[Node]:
        """Return the nodes of the tree under *path*, each once, parents after children."""
        seen: dict[str, Node] = {}
        queue = [path]
        while queue:
            name = queue.pop(0)
            node = self.nodes.get(name)
            if node is None or name in seen:
                continue
            seen[name] = node
            queue.extend(node.parents)
        return list(seen.values())

    def explain(self, path: str, *, depth: int = 12) -> str:
        """Return the tree under *path* as indented text: value, formula, source and grade of each figure.

        Raises
        ------
        KeyError
            If no figure of that path was recorded; the message offers near names.
        """
        if path not in self.nodes:
            from jevons.errors import did_you_mean

            message = f"no figure `{path}` in this result.{did_you_mean(path, self.nodes)}"
            raise KeyError(message)
        lines: list[str] = []
        self._lines(path, "", 0, depth, lines, set())
        return "\n".join(lines)

    def _lines(self, path: str, symbol: str, level: int, depth: int, lines: list[str], shown: set[str]) -> None:
        """Add the lines of a figure and of what is below it; what was shown before is not spelled out again."""
        node = self.nodes.get(path)
        head = "  " * level + (f"{symbol}: {path}" if symbol else path)
        if node is None:
            lines.append(head)
            return
        digits = 6 if node.parents else 12  # of inputs enough to follow the formulas exactly
        value = node.value if isinstance(node.value, str) else f"{node.value:.{digits}g}"
        unit = "" if node.unit in {"1", "text"} else f" {node.unit}"
        span = f" [{node.low:.4g} to {node.high:.4g}]" if node.low is not None and node.high is not None else ""
        again = path in shown
        told = ("as above",) if again else (node.formula, node.method, node.source, node.grade)
        tail = "; ".join(part for part in told if part)
        lines.append(f"{head} = {value}{unit}{span}" + (f"  ({tail})" if tail else ""))
        if level >= depth or again:
            return
        shown.add(path)
        named = [(name, parent) for name, parents in node.symbols.items() for parent in parents]
        for name, parent in named or [("", parent) for parent in node.parents]:
            self._lines(parent, name, level + 1, depth, lines, shown)

    def as_json(self) -> Mapping[str, Any]:
        """Return the ledger as plain JSON values."""
        return {
            path: {
                "value": node.value,
                "unit": node.unit,
                **({"formula": node.formula} if node.formula else {}),
                **({"method": node.method} if node.method else {}),
                **({"parents": list(node.parents)} if node.parents else {}),
                **({"symbols": {n: list(p) for n, p in node.symbols.items()}} if node.symbols else {}),
                **({"grade": node.grade} if node.grade else {}),
                **({"source": node.source} if node.source else {}),
                **({"low": node.low, "high": node.high} if node.low is not None else {}),
            }
            for path, node in self.nodes.items()
        }
