"""What the README tells its reader to type works, and prints what the README shows."""

import importlib.util
import re
import shlex
import sys

import pytest

from examples import assert_same
from jevons.cli import main
from places import ROOT

GROUPS = {"op", "study", "facts", "models"}
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("run_tutorial", ROOT / "scripts" / "run_tutorial.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_commands_print_what_is_shown(script):
    shown = script.CONSOLE.findall(PAGE)
    assert shown
    for command, text in shown:
        assert_same(text, script.output([sys.executable, "-m", "jevons", *shlex.split(command)[1:]]))


def programs():
    return [
        pytest.param(*found, marks=pytest.mark.slow if "jevons.plan" in found[0] else ())
        for found in re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, flags=re.DOTALL)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("program", "text"), programs())
def test_programs_print_what_is_shown(script, program, text):
    assert_same(text, script.output([sys.executable, "-c", program]))


def commands():
    """Return each command line in the README's tables and blocks."""
    lines = re.findall(r"`(jevons [^`]+)`", PAGE) + re.findall(
        r"^(?:\.venv/bin/)(jevons [^\n#]+)", PAGE, flags=re.MULTILINE
    )
    return sorted({line.replace("\\|", "|") for line in lines})


@pytest.mark.parametrize("line", commands())
def test_each_command_and_its_options_exist(line, monkeypatch, capsys):
    words = shlex.split(line)[1:]
    first = words[0].split("|")
    second = words[1].split("|") if first[0] in GROUPS and len(words) > 1 else [""]
    for command in first:
        for inner in second:
            monkeypatch.setattr(sys, "argv", ["jevons", command, *filter(None, [inner]), "--help"])
            with pytest.raises(SystemExit) as stop:
                main()
            assert not stop.value.code
            text = capsys.readouterr().out
            assert all(word in text for word in words if word.startswith("--"))


def test_each_target_of_make_exists():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = re.findall(r"`make ([a-z-]+)`", PAGE + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert named
    assert set(named) <= set(targets)


def test_each_link_leads_to_a_file():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (ROOT / link).exists(), f"{page.name}: {link}"


def test_the_version_to_cite_is_the_packages():
    import jevons

    assert f"version: {jevons.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version {jevons.__version__}, " in PAGE


def validated(page, row, column):
    """Return a cell of a table of a validation page: the row that begins so, the column of that heading."""
    heads: list[str] = []
    for line in (ROOT / "docs" / "validation" / page).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if column in cells:
            heads = cells
        elif cells and cells[0] == row and len(cells) == len(heads):
            return cells[heads.index(column)]
    message = f"{page} has no row `{row}` under `{column}`"
    raise AssertionError(message)


def claimed(what):
    """Return rows and error of a line of the README's table of accuracy."""
    line = next(one for one in PAGE.splitlines() if one.startswith("|") and what in one)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return int(cells[1].replace(",", "")), [float(part) for part in cells[3].split(" / ")]


@pytest.mark.parametrize(
    ("what", "row"),
    [
        ("TensorRT-LLM](", "trtllm_overview output_tok_s"), ("InferenceX, TPOT", "inferencex_silicon tpot_ms"),
        ("InferenceX, TTFT", "inferencex_silicon ttft_ms"), ("MLPerf", "mlperf_inference output_tok_s"),
        ("engine benchmarks, output", "engine_bench output_tok_s"),
    ],
)  # fmt: skip
def test_errors_of_serving_are_those_of_the_validation_page(what, row):
    rows, (median, p90) = claimed(what)
    held_out = [float(part) for part in validated("serving.md", row, "held out by group").split(" / ")]
    assert rows == int(validated("serving.md", row, "figures"))
    assert (median, p90) == (pytest.approx(held_out[0], abs=0.05), pytest.approx(held_out[1], abs=0.51))


def test_errors_of_kernels_and_training_are_those_of_the_validation_pages():
    rows, errors = claimed("calls above 20 µs")
    row = "products, attention and experts of current engines"
    assert f"{rows:,}" == validated("operators.md", row, "calls > 20 µs")
    assert errors == [float(part) for part in validated("operators.md", row, "held out by group").split(" / ")]
    rows, (median, p90) = claimed("[training](")
    assert str(rows) == validated("training.md", "all", "rows")
    assert f"{median} %" == validated("training.md", "all", "median APE")
    assert float(validated("training.md", "all", "p90 APE").rstrip(" %")) == pytest.approx(p90, abs=0.51)
