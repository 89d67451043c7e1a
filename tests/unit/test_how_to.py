"""The how-to guides can be followed: the code of each is run as it stands, and gives what the guide promises."""

import json
import re
import sys
import textwrap
import types

import pytest
import typer
from typer.testing import CliRunner

import jevons
from jevons import facts
from jevons.errors import InputError
from places import ROOT, TINY

GUIDES = ROOT / "docs" / "how-to"


def blocks(guide, language):
    """Return the fenced texts of a guide in one language, in order, without the indent of the list they stand in."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, flags=re.MULTILINE | re.DOTALL)
    assert found, f"{guide} has no {language}"
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def steps(guide):
    """Return the numbers of a guide's steps."""
    return [
        int(n) for n in re.findall(r"^(\d+)\. \*\*", (GUIDES / guide).read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]


@pytest.mark.parametrize(("guide", "word", "count"), [
    ("add-a-fact.md", "Three", 3), ("add-a-segment.md", "Three", 3), ("add-a-command.md", "Five", 5),
])  # fmt: skip
def test_steps_are_counted(guide, word, count):
    assert steps(guide) == list(range(1, count + 1))
    assert f"{word} steps" in (GUIDES / guide).read_text(encoding="utf-8")


def test_a_fact_is_added_in_a_file_and_read(tmp_path, monkeypatch):
    (entry,), (read,) = blocks("add-a-fact.md", "yaml"), blocks("add-a-fact.md", "python")
    (tmp_path / "new.yaml").write_text(entry)
    monkeypatch.setattr(facts, "get", facts.load_facts([tmp_path]).get)
    exec(read, {})  # noqa: S102 - the guide's own text


def with_segment(tmp_path, entry):
    mark = "    renters:\n"
    text = TINY.read_text()
    assert text.count(mark) == 1
    path = tmp_path / "with-segment.yaml"
    path.write_text(text.replace(mark, textwrap.indent(textwrap.dedent(entry), "    ") + mark))
    return path


def test_a_segment_is_added_in_the_scenario_and_planned(tmp_path):
    (entry,), (run,) = blocks("add-a-segment.md", "yaml"), blocks("add-a-segment.md", "python")
    names = {"file": with_segment(tmp_path, entry)}
    exec(run, names)  # noqa: S102 - the guide's own text
    assert "tutors" in names["plan"].segments


def test_a_misspelt_field_of_a_segment_is_answered_with_its_line(tmp_path):
    (entry,) = blocks("add-a-segment.md", "yaml")
    path = with_segment(tmp_path, entry.replace("adopters", "adoptors"))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "adoptors" in text)
    with pytest.raises(InputError, match=rf":{line}:.*(?s:.)*adopters"):
        jevons.load(path)


def test_a_command_is_made_of_a_declared_function(monkeypatch):
    module = types.ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", module)
    names = vars(module)
    exec("\n".join(blocks("add-a-command.md", "python")), names)  # noqa: S102 - the guide's own text
    used = names["electricity"](gpu="h20", gpus=8, hours=10.0)
    assert used.energy_kwh == pytest.approx(8 * 800 / 1000 * 10)
    app = typer.Typer()
    app.command()(names["run"])
    done = CliRunner().invoke(app, ["--gpu", "h20", "--gpus", "8", "--hours", "10", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == used.to_json()
    assert "Hours of use" in CliRunner().invoke(app, ["--help"]).output
