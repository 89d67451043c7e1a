"""An interruption ends a command with a line and 130, whenever it comes, and leaves nothing half written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jevons
from places import TINY

SOURCE = os.environ | {"PYTHONPATH": str(Path(jevons.__file__).parents[1])}
WITHIN = {
    "a call": "def stop(): raise KeyboardInterrupt\napp.main = stop",
    "code made from text": "app.main = lambda: exec('raise KeyboardInterrupt')",
    "the parser of options": "def stop(): sys.exit(130)\napp.main = stop",
    "compiled code, which makes an error of it": (
        "import os, signal\ndef stop():\n try: os.kill(os.getpid(), signal.SIGINT)\n"
        " except KeyboardInterrupt: raise TypeError('no common dtype') from None\napp.main = stop"
    ),
    "a callback of compiled code, whose errors no caller gets": (
        "import ctypes, os, signal\n@ctypes.CFUNCTYPE(None)\ndef back(): os.kill(os.getpid(), signal.SIGINT)\n"
        "def stop(): back(); print('went on')\napp.main = stop"
    ),
}


@pytest.mark.parametrize("place", WITHIN)
def test_an_interruption_anywhere_is_a_line_and_130(place):
    head = "import sys\nimport jevons.cli\nimport jevons.cli.app as app"
    code = f"{head}\n{WITHIN[place]}\nprint('begun')\njevons.cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "begun\n", "interrupted\n")


def test_next_to_nothing_is_loaded_before_an_interruption_is_taken():
    code = "import sys\nbefore = set(sys.modules)\nimport jevons.cli\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=SOURCE)
    assert {"jevons", "jevons.cli"} <= set(done.stdout.split())
    assert not {"typing", "contextlib", "re", "collections.abc"} & set(done.stdout.split())


def test_an_interruption_after_the_answer_does_not_undo_it():
    head = "import atexit, os, signal, jevons.cli\nimport jevons.cli.app as app"
    late = "app.main = lambda: print('answered')\natexit.register(os.kill, os.getpid(), signal.SIGINT)"
    code = f"{head}\n{late}\njevons.cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "answered\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("size", "deepseek-v3", "--gpu", "h200", "--rate", "10", "--ttft", "1s", "--out", "o.html", "--emit", "e"),
        ("plan", str(TINY), "--out", "o.html"),
        ("study", "montecarlo", str(TINY), "--draws", "64", "--store", "s", "--out", "o.json"),
        ("train", "llama-3.1-405b", "--gpus", "16384", "--out", "o.json"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("after_s", [0.3, 0.8, 1.6, 3.0])
def test_a_long_command_that_is_interrupted_leaves_no_part_of_an_answer(tmp_path, words, after_s):
    command = [sys.executable, "-m", "jevons", *words]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    if after_s < 0.5 and "Exception ignored in: <function _get_module_lock" in told:
        return  # on a busy machine Python itself is still starting, and loses it before a line of ours has run
    assert "Traceback" not in told
    if process.returncode == 0:
        return  # it had ended
    assert process.returncode == 130
    assert told.strip().splitlines()[-1] == "interrupted"
    written = {path.name for path in tmp_path.iterdir()} - {"s"}
    said = {line.removeprefix("wrote ") for line in told.splitlines() if line.startswith("wrote ")}
    assert written == said
