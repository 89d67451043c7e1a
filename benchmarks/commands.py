"""Times `jevons --help`, the main scenario's plan and its draws against their budgets (0.3 s; 30 s and 2 GiB; 120 s).

Each runs in a process of its own; medians of several runs, with the peak of that process's memory.

    python benchmarks/commands.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCENARIO = ROOT / "scenarios" / "alibaba-380bn.yaml"
JOBS = (
    ("jevons --help", ["--help"], 10, 0.3),
    ("jevons plan, fixed point without draws", ["plan", str(SCENARIO), "--draws", "0", "--json"], 3, 30.0),
    (
        "jevons study montecarlo, 1,000 draws of the chain",
        ["study", "montecarlo", str(SCENARIO), "--draws", "1000", "--no-store", "--json"],
        1,
        120.0,
    ),
)


def main() -> int:
    """Run every job and print a line for each."""
    for name, options, runs, budget_s in JOBS:
        times, peak_kib = [], 0
        for _ in range(runs):
            start = time.perf_counter()
            child = subprocess.Popen([sys.executable, "-m", "jevons", *options], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            times.append(time.perf_counter() - start)
            peak_kib = max(peak_kib, usage.ru_maxrss)
            if os.waitstatus_to_exitcode(status):
                sys.stderr.write(f"{name} failed\n")
                return 1
        middle = statistics.median(times)
        sys.stdout.write(
            f"{name}: {middle:.2f} s median of {runs} (budget {budget_s} s), peak {peak_kib / 2**10:.0f} MiB\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
