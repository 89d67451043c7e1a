"""More targets: results of offline benches, start-up logs, facts, stores, emitted folders, nested files, numbers."""

from __future__ import annotations

import importlib.util
import json
import math
import random
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from targets import JUNK, ROOT, Target, encoded, mutated, noisy, written
from told import judge_bench

from jevons.errors import InputWarning


def _samples(path: str) -> Any:
    """Return the test module of a reader, whose samples are taken."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "tests" / "unit" / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Offline benches ----------------------------------------------------------------------------------------------------

_OFFLINE = sorted({(name, text) for name, text, *_ in _samples("serving/measured/test_offline.py").CASES})


def make_offline(rng: random.Random) -> bytes:
    _, text = rng.choice(_OFFLINE)
    if rng.random() < 0.5:
        spots = [match.span() for match in re.finditer(r"-?\d+(\.\d+)?", text)]
        start, end = rng.choice(spots)
        return encoded(text[:start] + rng.choice(JUNK) + text[end:])
    return encoded(mutated(text, rng))


# Trainers' files and lines -------------------------------------------------------------------------------------------

_CONFIGS = [
    getattr(_samples(f"training/{module}.py"), name)
    for module, names in (
        ("test_config", ("LLAMA_FACTORY", "AXOLOTL", "DEEPSPEED", "TORCHTITAN", "MEGATRON", "SKYPILOT", "KUBEFLOW")),
        ("test_torchtune", ("FULL", "ADAPTERS")),
        ("test_other_trainers", ("PEFT", "UNSLOTH", "NEMO", "MAXTEXT", "NANOTRON")),
    )
    for name in names
]


def make_training(rng: random.Random) -> bytes:
    content = encoded(mutated(rng.choice(_CONFIGS), rng))
    return noisy(content, rng) if rng.random() < 0.2 else content


def judge_training(case: bytes, folder: Path) -> None:
    from jevons.training.config import options_of, read_training

    path = written(folder, "training.conf", case)
    found = options_of(read_training(path), {"gpus": 64, "model": "qwen3-0.6b", "seq_len": 512})
    for name in ("tp", "pp", "cp", "ep", "micro_batch", "accumulation", "gpus", "seq_len", "lora_rank"):
        assert name not in found or 0 < found[name][0] < 1e15, name


# Start-up logs ------------------------------------------------------------------------------------------------------

_LOGS = [getattr(_samples("validation/serving/test_startup_logs.py"), name) for name in ("V06", "V11", "SGLANG")]


def make_log(rng: random.Random) -> bytes:
    content = encoded(mutated(rng.choice(_LOGS), rng))
    return noisy(content, rng) if rng.random() < 0.2 else content


def judge_log(case: bytes, folder: Path) -> None:
    from jevons.validation import validate

    for entry in validate([written(folder, "startup.log", case)]).entries:
        assert entry.predicted is not None or entry.reason
        assert entry.predicted is None or (math.isfinite(entry.predicted) and entry.predicted >= 0.0)


# Facts --------------------------------------------------------------------------------------------------------------

_FACTS = """sources:
  paper:
    publisher: A journal
    title: A study
    published: 2024-05-01
    accessed: 2025-01-01
    url: https://example.org/x
facts:
  card.hbm_bytes:
    unit: GB
    values:
      - {from: 2024-01-01, value: 96, grade: vendor, source: paper, locator: table 1}
      - {from: 2024-06-01, value: 141, grade: judgement, reason: a guess, low: 100, high: 150}
  card.price_cny:
    unit: CNY
    values:
      - {from: 2024-01-01, value: 1000, grade: derived, formula: a, parents: [card.hbm_bytes]}
"""


def make_facts(rng: random.Random) -> bytes:
    return encoded(mutated(_FACTS, rng))


def judge_facts(case: bytes, folder: Path) -> None:
    from jevons.facts.read import load_facts

    for fact in load_facts([written(folder, "facts.yaml", case)]):
        for value in fact.values:
            assert not isinstance(value.value, float) or math.isfinite(value.value), fact.id


# Stores -------------------------------------------------------------------------------------------------------------

_RECORDS = 6


def make_store(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(10**9), rng.randrange(4), rng.randrange(3)


def judge_store(case: tuple[int, int, int], folder: Path) -> None:
    """Damage a store's files; what is read then is right, and nothing that was there is lost but by the damage."""
    from jevons.api.store import open_ as open_store
    from jevons.study.draws.outcomes import OUTCOMES
    from jevons.study.draws.store import Store

    seed, kind, which = case
    rng = random.Random(seed)  # noqa: S311
    place = folder / "store"
    shutil.rmtree(place, ignore_errors=True)
    right = {draw: {name: float(draw + n) for n, name in enumerate(OUTCOMES)} for draw in range(_RECORDS)}
    store = Store(place, "k", {"kind": "montecarlo", "scenario": "x"})
    for first in range(0, _RECORDS, 2):
        store.add({draw: right[draw] for draw in (first, first + 1)})
    store.add_inputs(("cost.wacc", "site.pue"), np.arange(2.0 * _RECORDS).reshape(_RECORDS, 2))
    files = sorted(path for path in store.folder.iterdir() if path.is_file())
    hurt = files[rng.randrange(len(files))]
    if kind == 0:
        hurt.write_bytes(noisy(hurt.read_bytes(), rng))
    elif kind == 1:
        hurt.write_bytes(encoded(rng.choice(JUNK)))
    elif kind == 2:
        hurt.unlink()
        (hurt.mkdir, lambda: hurt.symlink_to("nowhere"), lambda: None)[which]()
    else:
        hurt.rename(hurt.with_name(rng.choice(("x.jsonl", "segment-00000000-00000001.jsonl", "about.json"))))
    try:
        answer = open_store(place)
        answer.to_json()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputWarning)  # damage is said so
            drawn = answer.to_frame("draws")
        for row in drawn.to_dicts() if "cost.wacc" in drawn.columns else ():
            assert (row["cost.wacc"], row["site.pue"]) == (2.0 * row["draw"], 2.0 * row["draw"] + 1.0), row
    finally:
        for draw, record in Store(place, "k", {"kind": "montecarlo", "scenario": "x"}).read().items():
            assert record == right[draw], draw


# Emitted folders ----------------------------------------------------------------------------------------------------


def make_emitted(rng: random.Random) -> bytes:
    names = ("run.sh", "k8s/a.yaml", "../victim", "/etc/hostname", "mine.txt", "link/x", "", ".", "\x00", "a" * 300)
    mark: Any = {"files": {rng.choice(names): rng.choice(("0", None, [], {}, "x" * 64)) for _ in range(3)}}
    return encoded(mutated(json.dumps(rng.choice((mark, mark, mark, [], {"files": []}, None, {}))), rng))


def judge_emitted(case: bytes, folder: Path) -> None:
    """Emit over a folder whose list of our files lies; files of others stay as they are."""
    from jevons.deploy.write import MARK, write_files

    place, victim = folder / "emitted", folder / "victim"
    shutil.rmtree(place, ignore_errors=True)
    (place / "k8s").mkdir(parents=True)
    (folder / "outside").mkdir(exist_ok=True)
    (place / "link").symlink_to(folder / "outside")
    others = {place / "mine.txt": "mine", victim: "victim", folder / "outside" / "x": "outside"}
    for path, text in others.items():
        path.write_text(text)
    (place / MARK).write_bytes(case)
    try:
        write_files(place, {"run.sh": "vllm serve", "k8s/a.yaml": "a: 1\n"})
        assert (place / "run.sh").read_text() == "vllm serve"
    finally:
        for path, text in others.items():
            assert path.read_text() == text, path


# Nesting ------------------------------------------------------------------------------------------------------------

_TINY = (ROOT / "tests" / "unit" / "study" / "tiny.yaml").read_text(encoding="utf-8")


def make_nested(rng: random.Random) -> tuple[str, bytes]:
    depth = rng.choice((1, 2, 5, 30, 300, 3000, 30_000))
    deep = rng.choice((
        "[" * depth + "1" + "]" * depth, "{a: " * depth + "1" + "}" * depth, "[1, " * depth + "2" + "]" * depth,
        "[" * depth, "{low: " * depth, "- " * depth + "1", f"[{'1, ' * depth}1]",
        f"{{{', '.join(f'k{i}: 1' for i in range(depth))}}}",
    ))  # fmt: skip
    name, text = rng.choice(
        (("s.yaml", _TINY), ("facts.yaml", _FACTS), ("load.yaml", "rate: 2\nclasses:\n  - {name: a}\n"))
    )
    lines = text.split("\n")
    at = rng.choice([n for n, line in enumerate(lines) if ":" in line])
    lines[at] = lines[at][: lines[at].index(":") + 1] + " " + deep
    return name, encoded("\n".join(lines))


def judge_nested(case: tuple[str, bytes], folder: Path) -> None:
    from jevons.facts.read import load_facts
    from jevons.serving import sim
    from jevons.study import load

    name, content = case
    path = written(folder, name, content)
    {"s.yaml": load, "facts.yaml": lambda p: load_facts([p]), "load.yaml": sim.read_load}[name](path)


# Answers as questions -----------------------------------------------------------------------------------------------

_ANSWERS: list[dict[str, Any]] = []


def make_asked(rng: random.Random) -> tuple[str, Any]:
    from jevons.web.inputs import KINDS

    given: Any = rng.choice(_ANSWERS)
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        inner = [one for one in (given.values() if isinstance(given, dict) else given) if isinstance(one, dict | list)]
        given = rng.choice(inner) if inner else given
    kind = rng.choice(KINDS)
    if rng.random() < 0.5 and isinstance(given, dict) and given:
        keys = rng.sample(sorted(given), min(3, len(given)))
        given = {key: given[key] for key in keys} | {"model": "qwen3-0.6b", "gpu": "h20"}
    return kind, given


def judge_asked(case: tuple[str, Any], folder: Path) -> None:
    from jevons.web.inputs import FUNCTIONS, asked, declared_of

    del folder
    question = asked(*case)
    if question.kind in FUNCTIONS:
        assert set(question.input) <= {*declared_of(question.kind), "facts", "scenario", "set"}


# Numbers ------------------------------------------------------------------------------------------------------------


def make_number(rng: random.Random) -> tuple[str, bool, bool]:
    parts = (
        "1",
        "0",
        "12",
        "345",
        ",",
        ".",
        "_",
        "e",
        "E",
        "-",
        "+",
        "k",
        "M",
        "B",
        "%",
        " ",
        "tokens",
        "GB",
        "req/s",
        "١",
        "½",
    )
    text = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 8)))
    return (rng.choice(JUNK) if rng.random() < 0.2 else text), rng.random() < 0.5, rng.random() < 0.3


def judge_number(case: tuple[str, bool, bool], folder: Path) -> None:
    from jevons.options import Option, duration_s
    from jevons.options.numbers import number_of_text

    del folder
    text, whole, share = case
    number = number_of_text(text, Option(help="x", unit="" if share else "tokens", share=share), "x", whole=whole)
    assert isinstance(number, int if whole else float)
    plain = text.strip().replace(",", "").replace("_", "")
    if re.fullmatch(r"-?\d+(\.\d+)?", plain):
        assert number == float(plain)
    assert not re.fullmatch(r"\d{1,2},\d{1,2}", text.strip()), "a decimal comma was taken"
    duration_s(text, "x")


TARGETS = (
    Target("offline benches", make_offline, judge_bench, 150),
    Target("trainings", make_training, judge_training, quick=80),
    Target("start-up logs", make_log, judge_log, 60),
    Target("facts", make_facts, judge_facts, 150),
    Target("stores", make_store, judge_store, 30),
    Target("emitted folders", make_emitted, judge_emitted, 150),
    Target("nesting", make_nested, judge_nested, 40),
    Target("answers as questions", make_asked, judge_asked, 150),
    Target("numbers", make_number, judge_number, 300),
)


def warm_up(folder: Path) -> None:
    """Import what the targets use."""
    import jevons

    _ANSWERS.extend(
        one.to_json()
        for one in (
            jevons.size("qwen3-0.6b", gpu="h20", rate=2.0, static=True),
            jevons.cost("h20", model="qwen3-0.6b"),
            jevons.memory("qwen3-0.6b", gpu="h20"),
            jevons.train("qwen3-0.6b", gpu="h20", gpus=8, tokens="1B"),
        )
    )
    for log in _LOGS:
        judge_log(encoded(log), folder)
    judge_facts(encoded(_FACTS), folder)
    judge_store((1, 0, 0), folder)
