"""The reference pages say what the code does."""

import importlib.util
import json
import sys

import pytest

from jevons.cli import main
from places import ROOT, TINY

DOCS = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location("build_reference", ROOT / "scripts" / "build_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "limits.md", "load.md", "scenario.md"])
def test_generated_pages_are_up_to_date(builder, name):
    assert (DOCS / name).read_text(encoding="utf-8") == builder.PAGES[name](), "run scripts/build_reference.py"


def test_every_field_of_a_scenario_has_a_meaning(builder):
    rows = [row for row in (DOCS / "scenario.md").read_text().splitlines() if row.startswith("| `")]
    assert len(rows) > 100
    for row in rows:
        assert row.split("|")[-3].strip(), row


def test_every_key_of_the_plan_is_documented(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["jevons", "plan", str(TINY), "--json"])
    with pytest.raises(SystemExit):
        main()
    found = json.loads(capsys.readouterr().out)
    text = (DOCS / "plan-json.md").read_text()
    keys = set(found)
    for section in ("fleet", "shadow_prices", "tokens_per_day", "market", "cash", "value", "jevons"):
        keys |= set(found[section])
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


def keys_of(item):
    """Return the keys of an object, of the objects in it and in its lists, names of figures apart."""
    if isinstance(item, list):
        return set().union(*(keys_of(part) for part in item))
    if not isinstance(item, dict):
        return set()
    named = {"bridge", "vintage_depreciation", "vintage_closing", "parts", "answer_parts"}
    return set(item).union(*(keys_of(part) for key, part in item.items() if key not in named))


def test_every_key_of_the_value_is_documented(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["jevons", "value", str(TINY), "--json"])
    with pytest.raises(SystemExit):
        main()
    keys = keys_of(json.loads(capsys.readouterr().out))
    text = (DOCS / "value-json.md").read_text() + (DOCS / "plan-json.md").read_text()
    assert len(keys) > 80
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "--model", "llama-3.1-8b", "--rate", "2", "--requests", "50"],
        ["simulate", "--model", "llama-3.1-8b", "--rate", "2", "--requests", "50", "--autoscale", "1:2"],
        ["cost", "--gpu", "h20", "--model", "deepseek-r1"],
    ],
)
def test_every_key_of_a_simulation_and_of_a_cost_is_documented(monkeypatch, capsys, words):
    monkeypatch.setattr(sys, "argv", ["jevons", *words, "--json"])
    with pytest.raises(SystemExit):
        main()
    found = json.loads(capsys.readouterr().out)
    text = (DOCS / "simulate-json.md").read_text()
    keys = {key for key in found if not key.endswith(("_low", "_high"))}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
