"""Checks that imports go one way: a stage may import only what stands above it in the house's list.

Reads every import, also those inside functions, under ``if TYPE_CHECKING`` and through ``importlib``. Exits 1 and names
file, line and import for each that goes down, sideways, into another stage's private modules, or round in a circle.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "jevons"
CORE = (
    "errors",
    "units",
    "formula",
    "provenance",
    "schema",
    "arrays",
    "files",
    "limits",
    "intervals",
    "text",
    "rounding",
    "words",
    "named",
    "tables",
    "results",
    "options",
    "checks",
    "parallel",
    "parts",
)
STAGES = (
    ("facts",),
    ("hardware",),
    ("operators",),
    ("models",),
    ("serving", "training"),
    ("deploy",),
    ("costing",),
    ("market",),
    ("expansion",),
    ("finance",),
    ("sizing",),
    ("study",),
    ("validation",),
    ("plot",),
    ("report",),
    ("api",),
    ("cli", "web"),
)
LEVEL = {name: level for level, names in enumerate(STAGES, start=1) for name in names} | dict.fromkeys(CORE, 0)
FACES = {"__init__", "__main__"}  # `jevons` itself: the public names and the command, above every stage


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import of the package in a module, ``importlib.import_module`` included."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and _called(node.func) in {"import_module", "__import__"}:
            names = [str(a.value) for a in node.args[:1] if isinstance(a, ast.Constant)]
        for name in names:
            if name.startswith("jevons."):
                yield getattr(node, "lineno", 0), name


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the package, a folder's ``__init__`` under the folder's name."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def faults(path: Path) -> list[str]:
    """Return a message for each import of *path* that breaks the order."""
    stage = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if stage in FACES or stage not in LEVEL:
        return []
    messages = []
    for line, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        target = name.split(".")[1:]
        if target[0] not in LEVEL:
            continue
        where = f"{path.relative_to(PACKAGE.parent.parent)}:{line}"
        if target[0] != stage and LEVEL[target[0]] >= LEVEL[stage] and not (stage in CORE and target[0] in CORE):
            messages.append(f"{where}: {stage} must not import {target[0]} (`{name}`)")
        private = [part for part in target[1:] if part.startswith("_") and not part.startswith("__")]
        if target[0] != stage and private:
            messages.append(f"{where}: `{name}` is private to {target[0]}")
    return messages


def graph(paths: list[Path]) -> dict[str, set[str]]:
    """Return which modules of the package each module imports."""
    known = {module_name(path): path for path in paths}
    edges: dict[str, set[str]] = {}
    for name, path in known.items():
        targets = set()
        for _, target in imported(ast.parse(path.read_text(encoding="utf-8"))):
            home = target if target in known else target.rpartition(".")[0]
            if home in known and home not in {name, PACKAGE.name}:
                targets.add(home)
        edges[name] = targets
    return edges


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import one another in a circle (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    loops: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(edges.get(name, ())):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                loops.append(sorted(group))

    for name in sorted(edges):
        if name not in index:
            visit(name)
    return loops


def main() -> int:
    """Check every module; return the exit code."""
    modules = sorted(PACKAGE.rglob("*.py"))
    unknown = {m.relative_to(PACKAGE).parts[0].removesuffix(".py") for m in modules} - set(LEVEL) - FACES
    messages = [message for module in modules for message in faults(module)]
    messages += [f"src/jevons/{name}: belongs to no layer" for name in sorted(unknown)]
    messages += [f"circle of imports: {', '.join(group)}" for group in circles(graph(modules))]
    for message in messages:
        print(message, file=sys.stderr)
    if not messages:
        print(f"{len(modules)} modules import one way, without a circle")
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
