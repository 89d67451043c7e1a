"""The commands that tutorials show still run, and print the tables that the pages show."""

import importlib.util
import re
import shlex
import sys

import pytest

from examples import assert_same
from places import ROOT

PAGE = ROOT / "docs" / "tutorials" / "size-r1.md"
QUICK = ("--preset", "--ttft 0.05", "--budget")


PAGES = sorted(page for folder in ("tutorials", "zh") for page in (ROOT / "docs" / folder).glob("*.md"))


def loaded():
    spec = importlib.util.spec_from_file_location("run_tutorial", ROOT / "scripts" / "run_tutorial.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = loaded()


@pytest.fixture(scope="module")
def script():
    return SCRIPT


def blocks(script):
    return [(m.group(1), m.group(2)) for m in script.CONSOLE.finditer(PAGE.read_text(encoding="utf-8"))]


@pytest.mark.slow
def test_quick_commands_print_what_the_page_shows(script, tmp_path):
    quick = [(command, shown) for command, shown in blocks(script) if any(mark in command for mark in QUICK)]
    for mark in QUICK:
        assert any(mark in command for command, _ in quick), mark
    for command, shown in quick:
        words = shlex.split(command)[1:]
        if "--plot" in words:
            words[words.index("--plot") + 1] = str(tmp_path / "figure.svg")
        printed = script.output([sys.executable, "-m", "jevons", *words])
        assert_same(shown, printed)


def test_every_option_of_the_page_exists(script):
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    sections = [reference.split(f"## `jevons {name}`")[1].split("\n## ")[0] for name in ("size", "buy-rent-api")]
    section = "\n".join(sections)
    for option in re.findall(r"--[a-z0-9-]+", PAGE.read_text(encoding="utf-8")):
        assert option in section or option == "--check", option


def test_a_program_that_fails_stops_the_script_instead_of_showing_a_traceback(script):
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        script.refreshed("```python\n1 / 0\n```\n\n```text\n```\n")


def programs(script):
    return [
        pytest.param(code, shown, id=f"{page.stem}-{place}")
        for page in PAGES
        for place, (code, shown) in enumerate(script.PYTHON.findall(page.read_text(encoding="utf-8")))
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("code", "shown"), programs(SCRIPT))
def test_programs_of_all_tutorials_print_what_is_shown(code, shown):
    assert_same(shown, SCRIPT.output([sys.executable, "-c", code]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_page_shows_a_traceback(page):
    assert "Traceback" not in page.read_text(encoding="utf-8")


def test_a_stale_page_is_told_from_a_current_one(script):
    page = "text\n\n```console\n$ jevons --version\nold\n```\n\n```python\nprint(6 * 7)\n```\n\n```text\n```\n"
    fresh = script.refreshed(page)
    assert "jevons 0." in fresh
    assert "```text\n42\n```" in fresh
    assert script.refreshed(fresh) == fresh


FLEET = ROOT / "docs" / "tutorials" / "trace-to-fleet.md"


@pytest.mark.slow
def test_the_page_from_trace_to_fleet_prints_what_it_shows(script, tmp_path):
    shown = [(m.group(1), m.group(2)) for m in script.CONSOLE.finditer(FLEET.read_text(encoding="utf-8"))]
    command, text = shown[0]
    words = shlex.split(command)[1:]
    words[words.index("--plot") + 1] = str(tmp_path / "figure.svg")
    printed = script.output([sys.executable, "-m", "jevons", *words])
    assert_same(text, printed)
    assert (tmp_path / "figure.svg").read_text().startswith("<svg")


def test_every_option_of_the_page_from_trace_to_fleet_exists():
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    for option in re.findall(r"(?<=\s)--[a-z0-9-]+", FLEET.read_text(encoding="utf-8")):
        assert f"`{option}`" in reference, option
    for picture in re.findall(r"\((\.\./images/[^)]+)\)", FLEET.read_text(encoding="utf-8")):
        assert (FLEET.parent / picture).is_file(), picture
