"""Imports go one way: the check finds what breaks the order, and the package passes it."""

import importlib.util
from pathlib import Path

import pytest

from places import ROOT

SCRIPT = ROOT / "scripts" / "check_layers.py"


@pytest.fixture
def layers():
    spec = importlib.util.spec_from_file_location("check_layers", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_package_imports_one_way(layers):
    """Invariant 62: Imports go one way, without a circle."""
    assert layers.main() == 0


@pytest.mark.parametrize(
    ("place", "line", "part"),
    [
        ("serving/run.py", "from jevons.training import search", "serving must not import training"),
        ("facts/read.py", "import jevons.study", "facts must not import study"),
        ("market/run.py", "from jevons import cli", "market must not import cli"),
        ("study/plan.py", "from jevons.market._kernels import f", "is private to market"),
        ("costing/run.py", "def f():\n    from jevons.finance import dcf", "costing must not import finance"),
        ("results.py", "import importlib\nimportlib.import_module('jevons.plot.size')", "results must not import plot"),
    ],
)
def test_an_import_that_goes_down_or_sideways_is_named(layers, tmp_path, monkeypatch, place, line, part):
    package = tmp_path / "src" / "jevons"
    path = package / place
    path.parent.mkdir(parents=True)
    path.write_text(line)
    monkeypatch.setattr(layers, "PACKAGE", package)
    messages = layers.faults(path)
    assert len(messages) == 1
    assert part in messages[0]
    assert f"{Path(place)}:{line.count(chr(10)) + 1}" in messages[0]


def test_imports_up_the_list_pass(layers, tmp_path, monkeypatch):
    package = tmp_path / "src" / "jevons"
    (package / "study").mkdir(parents=True)
    path = package / "study" / "plan.py"
    path.write_text("from jevons.market import f\nfrom jevons.errors import InputError\nimport numpy\n")
    monkeypatch.setattr(layers, "PACKAGE", package)
    assert layers.faults(path) == []


def test_modules_that_import_one_another_in_a_circle_are_named(layers, tmp_path, monkeypatch):
    package = tmp_path / "src" / "jevons"
    (package / "study").mkdir(parents=True)
    texts = {
        "a": "from jevons.study import b",
        "b": "def f():\n    from jevons.study.c import x",
        "c": "import jevons.study.a",
    }
    for name, text in texts.items():
        (package / "study" / f"{name}.py").write_text(text)
    monkeypatch.setattr(layers, "PACKAGE", package)
    edges = layers.graph(sorted(package.rglob("*.py")))
    assert layers.circles(edges) == [["jevons.study.a", "jevons.study.b", "jevons.study.c"]]
    (package / "study" / "c.py").write_text("import math")
    assert layers.circles(layers.graph(sorted(package.rglob("*.py")))) == []
