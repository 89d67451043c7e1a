"""Examples in docstrings run and give what they show."""

import doctest
import importlib
import types

import pytest

import jevons
from places import ROOT

SOURCE = ROOT / "src"
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if "\n>>> " in (text := path.read_text(encoding="utf-8")) or "    >>> " in text
)
SLOW = {"jevons.api.study", "jevons.api.store", "jevons.api.validate", "jevons.api.calibrate"}
"""Modules whose examples draw scenarios or predict tables."""
API = sorted(name for name in jevons.__all__ if name.islower() and (SOURCE / "jevons" / "api" / f"{name}.py").exists())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODULES]
)
def test_examples_of_a_module_give_what_they_show(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("name", API)
def test_every_public_function_has_an_example(name):
    value = getattr(jevons, name)
    if callable(value) and not isinstance(value, types.ModuleType):
        assert ">>> " in (value.__doc__ or "")
