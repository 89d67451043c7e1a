"""Examples in docstrings run and give what they show."""

import ast
import doctest
import importlib

import pytest

from places import ROOT

SOURCE = ROOT / "src"
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if "\n>>> " in (text := path.read_text(encoding="utf-8")) or "    >>> " in text
)
API = sorted(path.stem for path in (SOURCE / "jevons" / "api").glob("[!_]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_give_what_they_show(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("name", API)
def test_every_public_function_has_an_example(name):
    tree = ast.parse((SOURCE / "jevons" / "api" / f"{name}.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    assert functions
    for function in functions:
        assert ">>> " in (ast.get_docstring(function) or ""), function.name
