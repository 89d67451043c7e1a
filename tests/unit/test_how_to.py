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
from jevons import facts, serving
from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.models import _families, read
from jevons.operators.engines import Place, engine_names, engine_text
from places import ROOT, TINY

GUIDES = ROOT / "docs" / "how-to"
SHIPPED = ROOT / "src" / "jevons" / "facts" / "data"


def blocks(guide, language):
    """Return the fenced texts of a guide in one language, in order, without the indent of the list they stand in."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    fenced = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, flags=re.MULTILINE | re.DOTALL)
    assert fenced, f"{guide} has no {language}"
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in fenced]


def steps(guide):
    """Return the numbers of a guide's steps."""
    return [
        int(n) for n in re.findall(r"^(\d+)\. \*\*", (GUIDES / guide).read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]


@pytest.mark.parametrize(("guide", "word", "count"), [
    ("add-a-fact.md", "three", 3), ("add-a-segment.md", "three", 3), ("add-a-command.md", "five", 5),
    ("add-a-device.md", "five", 5), ("add-a-model.md", "four", 4), ("add-an-engine.md", "four", 4),
])  # fmt: skip
def test_steps_are_counted(guide, word, count):
    assert steps(guide) == list(range(1, count + 1))
    assert f"{word} steps" in " ".join((GUIDES / guide).read_text(encoding="utf-8").split())


def test_contributing_and_the_index_lead_to_every_guide():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing = [guide.name for guide in GUIDES.glob("add-*.md") if f"docs/how-to/{guide.name}" not in text]
    assert not missing


def test_a_log_is_compared_and_calibrates_memory(tmp_path):
    log, own = tmp_path / "start.log", tmp_path / "own.json"
    log.write_text(blocks("will-it-fit.md", "text")[0])
    names = {"log": log, "own": own}
    for code in blocks("will-it-fit.md", "python"):
        exec(code, names)  # noqa: S102 - the guide's own text
    assert steps("will-it-fit.md") == [1, 2, 3]


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


def test_a_device_of_ones_own_is_described_in_a_file_and_used(tmp_path):
    card, *_ = blocks("add-a-device.md", "yaml")
    (use,) = blocks("add-a-device.md", "python")
    path = tmp_path / "card.yaml"
    path.write_text(card)
    exec(use, {"hardware": str(path)})  # noqa: S102 - the guide's own text


@pytest.mark.slow
def test_a_device_is_shipped_by_facts_and_found_under_all_its_names(tmp_path):
    _, datasheet, relatives = blocks("add-a-device.md", "yaml")
    file = tmp_path / "maker.yaml"
    file.write_text(f"{datasheet}\n{relatives}")
    known = facts.load_facts([SHIPPED, file])
    for name in ("x1", "Maker X1 144GB", "X1 OAM", "X-1"):
        device = accelerator(name, known)
        assert (device.id, device.hbm_bytes, device.scaleup.bytes_per_s) == ("x1", 144e9, 450e9)
    assert device.kernels_like == ("h200_sxm", "h100_sxm")
    file.write_text(datasheet.replace("x1.tdp_w:", "x1.tdp:"))
    with pytest.raises(InputError, match="unit"):
        facts.load_facts([file])


def test_a_config_of_a_known_family_is_a_model(tmp_path):
    (config,), (use, _) = blocks("add-a-model.md", "json"), blocks("add-a-model.md", "python")
    (tmp_path / "config.json").write_text(config)
    exec(use, {"file": str(tmp_path)})  # noqa: S102 - the guide's own text


def test_a_new_family_is_a_reader_of_its_config(tmp_path, monkeypatch):
    (config,), (_, reader) = blocks("add-a-model.md", "json"), blocks("add-a-model.md", "python")
    monkeypatch.setattr(_families, "FAMILIES", dict(_families.FAMILIES))
    exec(reader, vars(_families) | {"FAMILIES": _families.FAMILIES})  # noqa: S102 - the guide's own text
    monkeypatch.setattr(read, "FAMILIES", _families.FAMILIES)
    raw = json.loads(config) | {"model_type": "tutor", "sliding_window": 1024}
    spec = read.spec_of(raw, "tutor")
    assert [(group.count, group.attention.window) for group in spec.layers] == [(21, 1024), (7, None)]


@pytest.mark.slow
def test_an_engine_and_a_release_of_it_are_added_by_facts(tmp_path, monkeypatch):
    described, conditions = blocks("add-an-engine.md", "yaml")
    (look,) = blocks("add-an-engine.md", "python")
    file = tmp_path / "mindie.yaml"
    file.write_text(described + conditions.removeprefix("facts:\n"))
    known = facts.load_facts([SHIPPED, file])
    shipped_engine = serving.engine
    monkeypatch.setattr(serving, "engine", lambda name: shipped_engine(name, known))
    exec(look, {})  # noqa: S102 - the guide's own text
    assert "mindie" in engine_names(known)
    kernels = [engine_text("mindie", "kernels_like", Place(generation=one), known) for one in ("hopper", "ampere")]
    assert kernels == ["sglang", "vllm"]


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


def test_an_announcement_is_read_as_the_guide_says():
    names = {"text": blocks("read-an-announcement.md", "text")[0]}
    for code in blocks("read-an-announcement.md", "python"):
        exec(code, names)  # noqa: S102 - the guide's own text


@pytest.mark.slow
def test_two_scenarios_are_compared_as_the_guide_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    for code in blocks("compare.md", "python"):
        exec(code, {})  # noqa: S102 - the guide's own text


def test_every_place_that_contributing_names_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    places = set(re.findall(r"`((?:src|tests|scenarios|docs|scripts)/[^`]*)`", text))
    assert len(places) > 20
    assert sorted(place for place in places if not (ROOT / place).exists()) == []
