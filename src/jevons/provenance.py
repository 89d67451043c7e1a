"""Where a figure came from: its grade, its source, and the tree of formulas and facts behind a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
        How *value* follows from the parents, in words or symbols; empty for an input.
    parents : tuple of str
        Paths of other nodes, or fact ids.
    grade, source : str
        Evidence of an input; empty for a computed figure.
    low, high : float or None
        Stated range of an input.
    """

    path: str
    value: float | str
    unit: str = "1"
    formula: str = ""
    parents: tuple[str, ...] = ()
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
        shown = value if isinstance(value, str) else float(value)
        self.nodes[path] = Node(path=path, value=shown, unit=unit, formula=formula, parents=tuple(parents), **evidence)

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

    def explain(self, path: str, *, depth: int = 6) -> str:
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
        self._lines(path, 0, depth, lines, set())
        return "\n".join(lines)

    def _lines(self, path: str, level: int, depth: int, lines: list[str], above: set[str]) -> None:
        node = self.nodes.get(path)
        indent = "  " * level
        if node is None:
            lines.append(f"{indent}{path}")
            return
        value = node.value if isinstance(node.value, str) else f"{node.value:.6g}"
        unit = "" if node.unit in {"1", "text"} else f" {node.unit}"
        span = f" [{node.low:.4g} to {node.high:.4g}]" if node.low is not None and node.high is not None else ""
        tail = "; ".join(part for part in (node.formula, node.source, node.grade) if part)
        lines.append(f"{indent}{path} = {value}{unit}{span}" + (f"  ({tail})" if tail else ""))
        if level < depth and path not in above:
            for parent in node.parents:
                self._lines(parent, level + 1, depth, lines, above | {path})

    def as_json(self) -> Mapping[str, Any]:
        """Return the ledger as plain JSON values."""
        return {
            path: {
                "value": node.value,
                "unit": node.unit,
                **({"formula": node.formula} if node.formula else {}),
                **({"parents": list(node.parents)} if node.parents else {}),
                **({"grade": node.grade} if node.grade else {}),
                **({"source": node.source} if node.source else {}),
                **({"low": node.low, "high": node.high} if node.low is not None else {}),
            }
            for path, node in self.nodes.items()
        }
