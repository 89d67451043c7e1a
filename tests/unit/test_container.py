"""The container recipe: it copies what there is, runs without rights, and is asked for life where it listens."""

import fnmatch
import json
import re
import subprocess
import sys

from places import ROOT

LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()


def _words(instruction):
    return [line.split(maxsplit=1)[1] for line in LINES if line.startswith(instruction + " ")]


def test_what_is_copied_is_there_and_let_through():
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert rules[0] == "*"
    for copied in _words("COPY"):
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(rule[0] == "!" and fnmatch.fnmatch(source, rule[1:]) for rule in rules), source


def test_the_service_runs_without_rights_and_installs_before():
    order = [line.split()[0] for line in LINES if re.match("[A-Z]+ ", line)]
    assert _words("USER") not in ([], ["root"])
    assert order.index("USER") < order.index("CMD")
    assert "pip install" in "\n".join(LINES[: [line.startswith("USER ") for line in LINES].index(True)])


def test_its_command_is_one_of_the_command_line_and_life_is_asked_where_it_listens():
    command = json.loads(_words("CMD")[0])
    assert command[:2] == ["jevons", "web"]
    given = subprocess.run(
        [sys.executable, "-m", "jevons", "web", "--help"], capture_output=True, text=True, check=True
    )
    assert all(word in given.stdout for word in command if word.startswith("--"))
    port = command[command.index("--port") + 1]
    assert _words("EXPOSE") == [port]
    asked = _words("HEALTHCHECK")[0]
    assert f"'127.0.0.1', {port}," in asked
    compile(json.loads(asked.split("CMD ", 1)[1])[2], "healthcheck", "exec")
