"""Times of the commands of an engineer's day, warm, beside their targets, and of a first use in a fresh process.

Run: python benchmarks/day.py [runs]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
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
FRESH = (
    ("--version", 1.0, ["--version"]), ("a missing option", 1.0, ["size"]),
    ("size, static, first use of a process", 10.0, ["size", "--model", "llama-3.1-8b", "--rate", "10", "--static"]),
)  # fmt: skip


def line(name: str, target_s: float, times: list[float]) -> str:
    """Return a row: the median, its target, and whether it is met."""
    middle = statistics.median(times)
    met = "met" if middle <= target_s else "MISSED"
    return f"{name:40} {middle:6.2f} s  target {target_s:4.1f} s  {met}  ({min(times):.2f} to {max(times):.2f})"


def timed(call: Callable[[], Any]) -> float:
    """Return how long a call takes [s]."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    """Print a row for each case."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for name, target_s, words in FRESH:
        command = [sys.executable, "-m", "jevons.cli", *words]
        times = [timed(lambda c=command: subprocess.run(c, capture_output=True, check=False)) for _ in range(runs)]
        print(line(f"command: {name}", target_s, times), flush=True)
    for name, target_s, call in CASES:
        call()  # compilation and imports
        print(line(name, target_s, [timed(call) for _ in range(runs)]), flush=True)


if __name__ == "__main__":
    main()
