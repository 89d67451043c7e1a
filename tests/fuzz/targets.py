"""What is fuzzed: each target makes a hostile case from a seed and judges what the package does with it.

A case is answered by a result that keeps its invariants, or by an error that the command line prints (exit 2 or 3).
Anything else is a failure: another exception, a warning, more than `MOST_S` seconds, an answer that cannot be.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jevons.errors import FactError, InfeasibleError, InputError, InputWarning

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
MOST_S = 5.0
"""Processor time that a case may take; other work on the machine does not count."""
_WAIT_S = 60.0
"""Time that a case may take, waiting included."""
ANSWERS = (InputError, FactError, InfeasibleError)

JUNK = (
    "0", "-1", "1e300", "-1e300", "1e-300", "nan", "inf", "-inf", "1e400", "", " ", "null", "true", "[]", "{}", "x",
    "9" * 400, "2" * 20, "0x10", "1_000", "'", '"', "=1+1", "$x$", "\x1b[31m", "中文", "\u202e", "\ud800", "\x00",
    "é", "1e9", "100000000", "0.5", "1:2:3", "-", "..", "/dev/null", "~", "*", "&a", "*a", "!!python/none",
    "%", "1 GB", "5 CNY",
    "{low: 1, mode: 2, high: 3, source: s}", "2025-13-45", "9999-12-31", "{fact: h20.price_cny}",
    "a" * 3000, ",", ";", "\n",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A way in: how its cases are made, and how one is judged in a folder."""

    name: str
    make: Callable[[random.Random], Any]
    judge: Callable[[Any, Path], None]
    quick: int
    """Cases of the quick suite."""


class Numbered(random.Random):
    """Chance that also knows the number of its case, for targets that go through theirs in turn."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} {number}")
        self.number = number


class HangError(Exception):
    """A case took longer than `MOST_S`."""


def mutated(text: str, rng: random.Random) -> str:
    """Return a text with one to three of its words, lines or stretches changed."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        kind = rng.randrange(9)
        if kind <= 3:  # a value
            words = [i for i, c in enumerate(lines[at]) if c in ":=, [{" and i + 1 < len(lines[at])]
            start = (rng.choice(words) if words else 0) + 1
            end = start
            while end < len(lines[at]) and lines[at][end] not in ",]}":
                end += 1
            lines[at] = lines[at][:start] + rng.choice((" ", "")) + rng.choice(JUNK) + lines[at][end:]
        elif kind == 4:
            del lines[at]
        elif kind == 5:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif kind == 6:
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
        elif kind == 7:
            place = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + rng.choice(JUNK) + lines[at][place:]
        else:
            lines[at] = rng.choice(("  ", "", "\t")) + lines[at].strip()
        text = "\n".join(lines)
    return text


def noisy(content: bytes, rng: random.Random) -> bytes:
    """Return bytes with some flipped, cut off or repeated."""
    array = bytearray(content)
    for _ in range(rng.choice((1, 2, 8))):
        if not array:
            break
        at = rng.randrange(len(array))
        kind = rng.randrange(4)
        if kind == 0:
            array[at] = rng.randrange(256)
        elif kind == 1:
            del array[at : at + rng.randrange(1, 40)]
        elif kind == 2:
            array[at:at] = array[at : at + rng.randrange(1, 40)]
        else:
            del array[at:]
    return bytes(array)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


# Traces -------------------------------------------------------------------------------------------------------------

_TRACES = (
    "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,3\n1.5,20,4\n2.5,7,1\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.03,11,2\n",
    "Timestamp,Model,Request tokens,Response tokens\n5,ChatGPT,472,18\n45,ChatGPT,1087,230\n",
    ('{"timestamp": 0, "input_length": 700, "output_length": 5, "hash_ids": [0, 1]}\n'
    '{"timestamp": 10, "input_length": 900, "output_length": 4, "hash_ids": [0, 2]}\n'),
    ('{"chat_id": 1, "parent_chat_id": -1, "timestamp": 0.5, "input_length": 7, "output_length": 5, "hash_ids": [1]}\n'
    '{"chat_id": 2, "parent_chat_id": 1, "timestamp": 1.5, "input_length": 9, "output_length": 4, "hash_ids": [1]}\n'),
    '{"input_lens": [5, 6], "output_lens": [3, 4], "start_times": [1.0, 2.0]}\n',
)  # fmt: skip


def _parquet() -> bytes:
    import polars as pl

    stream = io.BytesIO()
    frame = {"arrived_at": [0.0, 1.5], "num_prefill_tokens": [10, 20], "num_decode_tokens": [3, 4]}
    pl.DataFrame(frame).write_parquet(stream)
    return stream.getvalue()


PARQUET = _parquet()


def make_trace(rng: random.Random) -> bytes:
    if rng.random() < 0.08:
        return noisy(PARQUET, rng)
    content = encoded(mutated(rng.choice(_TRACES), rng))
    if rng.random() < 0.15:
        import zstandard

        content = noisy((gzip.compress if rng.random() < 0.5 else zstandard.compress)(content), rng)
    return noisy(content, rng) if rng.random() < 0.1 else content


def judge_trace(case: bytes, folder: Path) -> None:
    from jevons.serving import sim

    trace = sim.read_trace(written(folder, "trace", case))
    count = len(trace.isl)
    assert count >= 1
    assert len(trace.osl) == len(trace.arrival_s) == count
    assert np.isfinite(trace.arrival_s).all()
    assert trace.arrival_s[0] == 0.0
    assert (np.diff(trace.arrival_s) >= 0).all()
    assert (trace.isl >= 1).all()
    assert (trace.osl >= 1).all()
    assert trace.session is None or len(trace.session) == count
    assert trace.hash_start is None or (len(trace.hash_start) == count + 1 and (np.diff(trace.hash_start) >= 0).all())


# Load files ---------------------------------------------------------------------------------------------------------

_LOAD = """rate: 20
requests: 150
arrivals: bursts
bursts: {on_s: 30, off_s: 90, ratio: 5}
classes:
  - {name: chat, share: 3, isl: 300, osl: 200, isl_cv: 1.2, osl_cv: 0.8, turns: 4, think_s: 20, system_tokens: 200}
  - name: batch
    share: 1
    isl: 2000
    osl: 100
    priority: 2
    slo: {ttft_s: 10, tpot_s: 0.1}
"""


def make_load(rng: random.Random) -> bytes:
    return encoded(mutated(_LOAD, rng))


def judge_load(case: bytes, folder: Path) -> None:
    from jevons.serving import sim

    spec, traces = sim.read_load(written(folder, "load.yaml", case))
    spec = spec.model_copy(update={"requests": min(spec.requests, 300)})
    mix = sim.generate_mix(spec, traces, 1)
    requests = mix.requests
    assert 1 <= requests.count <= 300
    assert np.isfinite(requests.arrival_s).all()
    assert (np.diff(requests.arrival_s) >= 0).all()
    assert (requests.isl >= 1).all()
    assert (requests.osl >= 1).all()
    assert len(mix.of_class) == len(mix.session) == requests.count


# Scenarios ----------------------------------------------------------------------------------------------------------

_SCENARIO = (ROOT / "tests" / "unit" / "study" / "tiny.yaml").read_text(encoding="utf-8")


def make_scenario(rng: random.Random) -> bytes:
    case = encoded(mutated(_SCENARIO, rng))
    return noisy(case, rng) if rng.random() < 0.05 else case


def judge_scenario(case: bytes, folder: Path) -> None:
    from jevons.study import load

    scenario = load(written(folder, "s.yaml", case))
    for path, amount in scenario.amounts().items():
        assert np.isfinite(amount.value), path
        assert amount.low is None or amount.low <= amount.high, path
    scenario.settings()
    assert 2 <= len(scenario.labels()) <= 40


# Measured rows ------------------------------------------------------------------------------------------------------


def _heads(most: int = 2) -> list[str]:
    """Return the first row of each measured table beside the tests."""
    heads = []
    for path in sorted((*(DATA / "ops").glob("*.csv"), *(DATA / "serving").glob("*.csv"))):
        with path.open(encoding="utf-8") as stream:
            lines = [line for _, line in zip(range(most), stream, strict=False)]
        if sum(map(len, lines)) < 20_000:
            heads.append("".join(lines))
    return heads


_ROWS = _heads()


def make_rows(rng: random.Random) -> bytes:
    text = rng.choice(_ROWS)
    if rng.random() < 0.7:  # a cell
        table = list(csv.reader(io.StringIO(text)))
        row = rng.randrange(1, len(table)) if len(table) > 1 else 0
        for _ in range(rng.choice((1, 1, 2, 4))):
            table[row][rng.randrange(len(table[row]))] = rng.choice(JUNK)
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(table)
        return encoded(stream.getvalue())
    return encoded(mutated(text, rng))


def judge_rows(case: bytes, folder: Path) -> None:
    from jevons.validation import validate

    report = validate([written(folder, "rows.csv", case)])
    for entry in report.entries:
        assert entry.predicted is not None or entry.reason
        if entry.predicted is not None:
            assert np.isfinite(entry.predicted), entry
            assert entry.predicted >= 0.0, entry


# Histories and outcomes ---------------------------------------------------------------------------------------------

_HISTORY = "date,tokens_per_day,price,users\n2024-05,1e9,2.0,100\n2024-09,2e9,1.0,150\n2025-02,8e9,0.5,300\n"


def make_history(rng: random.Random) -> bytes:
    return encoded(mutated(_HISTORY, rng))


def judge_history(case: bytes, folder: Path) -> None:
    from jevons.market.history import growth_account, read_history

    growth_account(read_history(written(folder, "h.csv", case)))


# Calibrations -------------------------------------------------------------------------------------------------------

_CALIBRATION = """{"engines": {"vllm": {"step_overhead_s": 0.004, "memory_frac": 0.9, "max_batch": 256,
"entry_s": 0.01}},
"scales": {"all": {"compute.bf16": 1.5}}, "provenance": {"files": ["a"]}}
"""


def make_calibration(rng: random.Random) -> bytes:
    return encoded(mutated(_CALIBRATION, rng))


def judge_calibration(case: bytes, folder: Path) -> None:
    from jevons.serving.calibration import engine_for

    factors = engine_for("vllm", written(folder, "c.json", case))
    assert 0.0 < factors.batching.memory_frac <= 1.0
    assert 0.0 <= factors.host.step_overhead_s <= 60.0
    assert factors.batching.max_batch >= 1


# Paths --------------------------------------------------------------------------------------------------------------

_PARTS = (*JUNK, "out", "a.json", ".json", "no/such", "file", "link", "loop", "fifo", "folder", "x" * 250, "中" * 90)
_ENDINGS = (".json", ".csv", ".svg", ".html", "", ".md", ".parquet")


def make_path(rng: random.Random) -> tuple[str, bool]:
    parts = [rng.choice(_PARTS) for _ in range(rng.choice((1, 1, 2)))]
    return "/".join(parts).lstrip("/~") + rng.choice(_ENDINGS), rng.random() < 0.3


def judge_path(case: tuple[str, bool], folder: Path) -> None:
    from jevons.files import read_text, writing

    name, force = case
    place = folder / "paths"
    if not place.exists():
        (place / "folder").mkdir(parents=True)
        (place / "folder.json").mkdir()
        (place / "link.json").symlink_to("nowhere")
        (place / "loop").symlink_to("loop")
        os.mkfifo(place / "fifo.json")
    for name_of_file in ("file", "file.json"):
        (place / name_of_file).write_text("notes")
    before = {entry.name for entry in place.iterdir()}
    path = str(place) + "/" + name
    try:
        with writing(path, force=force) as stream:
            stream.write("{}")
        assert read_text(path) == "{}"
    finally:
        assert not any(entry.name.endswith(".part") for entry in place.iterdir())
        assert force or (place / "file").read_text() == "notes"
        for entry in {e.name for e in place.iterdir()} - before:
            (place / entry).unlink(missing_ok=True)


# Options ------------------------------------------------------------------------------------------------------------

_COMMANDS = (
    ("facts", "list", "h20."), ("facts", "search", "price"), ("facts", "show", "h20.price_cny"),
    ("models", "show", "qwen3-0.6b"), ("op", "gemm", "64", "128", "256", "--gpu", "h20"),
    ("cost", "--gpu", "h20", "--isl", "500", "--osl", "100"),
    ("memory", "qwen3-0.6b", "--gpu", "h20", "--tp", "1"),
    ("simulate", "--model", "qwen3-0.6b", "--gpu", "h20", "--rate", "2", "--requests", "100", "--isl", "50"),
    ("train", "qwen3-0.6b", "--gpu", "h20", "--gpus", "8", "--tokens", "1B"),
)  # fmt: skip
_EXTRA = (
    "--json", "--as-of", "--isl", "--osl", "--rate", "--tp", "--seed", "--out", "--plot", "--precision", "--gpu-hour",
    "--calibration", "--trace", "--ttft", "--format", "--engine", "--replicas", "--requests", "--nope", "--help", "-h",
)  # fmt: skip


def make_options(rng: random.Random) -> list[str]:
    words = list(rng.choice(_COMMANDS))
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind = rng.randrange(4)
        at = rng.randrange(1, len(words) + 1)
        if kind == 0 and at < len(words):
            words[at] = rng.choice(JUNK)
        elif kind == 1:
            words[at:at] = [rng.choice(_EXTRA), rng.choice(JUNK)]
        elif kind == 2 and len(words) > 1:
            del words[at - 1 if at == len(words) else at]
        elif words and words[-1] not in {"--out", "--plot"}:
            words += [rng.choice(_EXTRA), rng.choice(JUNK)]
    return [word.replace("\x00", "") for word in words]


def judge_options(case: list[str], folder: Path) -> None:
    from jevons.cli import main

    before, here = sys.argv, Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["jevons", *case]
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
        code: Any = 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        sys.argv = before
        os.chdir(here)
    assert code in {0, 2, 3}, (code, err.getvalue()[-300:])
    if code:
        assert err.getvalue().strip(), "an error without a message"
    assert "Traceback" not in err.getvalue()
    assert not set("\x1b\x07\x9b\u202e") & set(out.getvalue() + err.getvalue()), "a terminal would obey the output"


TARGETS = (
    Target("traces", make_trace, judge_trace, 1200),
    Target("load files", make_load, judge_load, 500),
    Target("scenarios", make_scenario, judge_scenario, 150),
    Target("measured rows", make_rows, judge_rows, 150),
    Target("histories", make_history, judge_history, 400),
    Target("calibrations", make_calibration, judge_calibration, 400),
    Target("paths", make_path, judge_path, 300),
    Target("options", make_options, judge_options, 60),
)


def warm_up() -> None:
    """Import and compile what the targets use, whose time is not a case's."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judge_load(encoded(_LOAD), folder)
        judge_trace(PARQUET, folder)
        judge_scenario(encoded(_SCENARIO), folder)
        for text in _ROWS:
            judge_rows(encoded(text), folder)
        for command in _COMMANDS:
            judge_options(list(command), folder)


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise HangError

    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, MOST_S), (signal.SIGALRM, signal.ITIMER_REAL, _WAIT_S))
    before = [signal.signal(number, ring) for number, _, _ in clocks]
    for _, timer, most_s in clocks:
        signal.setitimer(timer, most_s)
    try:
        yield
    finally:
        for (number, timer, _), old in zip(clocks, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, old)


def failure(target: Target, seed: int, folder: Path) -> str | None:
    """Return what is wrong with a target's answer to the case of a seed, None where nothing is."""
    import traceback

    case = target.make(Numbered(target.name, seed))
    try:
        with _limited(), warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", InputWarning)  # what a reader tells beside its answer
            target.judge(case, folder)
    except ANSWERS as error:
        if not str(error).strip():
            return f"{target.name} {seed}: an error without a message, for {case!r:.600}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        last = "".join(traceback.format_exception(error)[-3:])
        return f"{target.name} {seed}: {type(error).__name__}: {error!s:.300}\ncase: {case!r:.900}\n{last[-900:]}"
    return None
