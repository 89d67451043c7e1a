"""Checks that imports go one way: a stage may import only what stands above it in the house's list.

Exits 1 and names file, line and import for each that goes down, sideways, or into another stage's private modules.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "jevons"
CORE = ("errors", "units", "provenance", "schema")
STAGES = (
    ("facts",),
    ("hardware",),
    ("operators",),
    ("models",),
    ("serving", "training"),
    ("validation",),
    ("cost",),
    ("market",),
    ("expansion",),
    ("finance",),
    ("study",),
    ("plot",),
    ("report",),
    ("cli", "web"),
)
LEVEL = {name: level for level, names in enumerate(STAGES, start=1) for name in names} | dict.fromkeys(CORE, 0)


def imported(tree: ast.AST) -> list[tuple[int, str]]:
    """Return line and dotted name of every import of the package in a module."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name.startswith("jevons.")]


def faults(path: Path) -> list[str]:
    """Return a message for each import of *path* that breaks the order."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    stage = parts[0]
    if stage not in LEVEL:
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


def main() -> int:
    """Check every module; return the exit code."""
    modules = sorted(PACKAGE.rglob("*.py"))
    unknown = {m.relative_to(PACKAGE).parts[0].removesuffix(".py") for m in modules} - set(LEVEL) - {"__init__"}
    found = [message for module in modules for message in faults(module)]
    found += [f"src/jevons/{name}: belongs to no layer" for name in sorted(unknown)]
    for message in found:
        print(message, file=sys.stderr)
    if not found:
        print(f"{len(modules)} modules import one way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
