"""Times of the commands of an engineer's day beside their targets: as commands, as calls of a warm process, first use.

Processor seconds stand beside those of the wall: on a shared machine they say what a command costs.

Run: python benchmarks/day.py [runs]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jevons

LOAD = {"rate": 10, "ttft": 1.0}
CASES: tuple[tuple[str, float, Callable[[], Any]], ...] = (
    ("size, static, dense, one device", 1.0, lambda: jevons.size("llama-3.1-8b", gpu="h100", static=True, **LOAD)),
    (
        "size, static, dense, three devices", 2.0,
        lambda: jevons.size("llama-3.3-70b", gpu="h100,h200,b200", static=True, **LOAD),
    ),
    ("size, static, DeepSeek-V3", 2.0, lambda: jevons.size("deepseek-v3", gpu="h200", static=True, **LOAD)),
    ("size, simulated, dense", 4.0, lambda: jevons.size("llama-3.1-8b", gpu="h100", **LOAD)),
    ("size, simulated, DeepSeek-V3", 8.0, lambda: jevons.size("deepseek-v3", gpu="h200", **LOAD)),
    ("buy-rent-api", 1.0, lambda: jevons.buy_rent_api("deepseek-r1", gpu="h20", tokens_per_day="57M")),
    ("cost of tokens", 1.0, lambda: jevons.cost("h100", model="llama-3.1-8b")),
    ("train", 1.2, lambda: jevons.train("llama-3.1-8b", gpus=64)),
)  # fmt: skip
LLAMA, THREE = ("--model", "llama-3.1-8b"), ("--model", "llama-3.3-70b", "--gpu", "h100,h200,b200", "--ttft", "1s")
FRESH: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("--version", 1.0, ("--version",)), ("a missing option", 1.0, ("size",)),
    ("size, static, dense, one device", 1.0, ("size", *LLAMA, "--rate", "10", "--static")),
    ("size, static, dense, three devices", 2.0, ("size", *THREE, "--rate", "10", "--static")),
    ("size, simulated, dense", 4.0, ("size", *LLAMA, "--rate", "10")),
    ("size, simulated, DeepSeek-V3", 8.0, ("size", "--model", "deepseek-v3", "--gpu", "h200", "--rate", "10")),
    (
        "size, simulated, Kimi-K2, SGLang", 8.0,
        ("size", "--model", "kimi-k2", "--gpu", "h200", "--engine", "sglang", "--rate", "10"),
    ),
)  # fmt: skip
"""Each in a process of its own, after one that compiles what it needs."""
FIRST_USE_S = 10.0


Times = tuple[float, float]
"""Of the wall and of the processor [s]."""


def line(name: str, target_s: float, times: list[Times]) -> str:
    """Return a row: the medians of the wall and of the processor, the target, and whether the wall's meets it."""
    wall, spent = (statistics.median(column) for column in zip(*times, strict=True))
    met = "met" if wall <= target_s else "MISSED"
    least = min(wall_s for wall_s, _ in times)
    return f"{name:46} {wall:6.2f} s, {spent:5.2f} of processor  target {target_s:4.1f} s  {met}  (least {least:.2f})"


def timed(call: Callable[[], Any]) -> Times:
    """Return how long a call takes, children included."""

    def spent() -> float:
        return sum(os.times()[:4])

    began, before = time.perf_counter(), spent()
    call()
    return time.perf_counter() - began, spent() - before


def command(words: Sequence[str], **environment: str) -> Callable[[], Any]:
    """Return what runs a command in a process of its own."""
    whole = [sys.executable, "-m", "jevons", *words]
    return lambda: subprocess.run(whole, capture_output=True, check=False, env={**os.environ, **environment})


def first_use(words: Sequence[str]) -> Times:
    """Return the times of a command of a copy of the package that has compiled and kept nothing yet."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "jevons"
        shutil.copytree(Path(jevons.__file__).parent, own, ignore=shutil.ignore_patterns("__pycache__"))
        return timed(command(words, PYTHONPATH=folder, HOME=folder, PYTHONDONTWRITEBYTECODE=""))


def main() -> None:
    """Print a row for each case."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for name, target_s, words in FRESH:
        call = command(words)
        call()  # compilation
        print(line(f"command: {name}", target_s, [timed(call) for _ in range(runs)]), flush=True)
    for words, name in ((FRESH[2][2], "size, static"), (FRESH[4][2], "size, simulated")):
        print(line(f"first use: {name}", FIRST_USE_S, [first_use(words)]), flush=True)
    for name, target_s, call in CASES:
        call()  # compilation and imports
        print(line(name, target_s, [timed(call) for _ in range(runs)]), flush=True)


if __name__ == "__main__":
    main()
