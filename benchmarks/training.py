"""Layouts a second of the training search on one core, memory-infeasible ones included.

Run: python benchmarks/training.py [repeats]
"""

from __future__ import annotations

import sys
import time

from jevons import models, training
from jevons.hardware import cluster

CASES = (
    ("llama-3.1-70b", 1024, 8192, 1024),
    ("llama-3.1-405b", 16_384, 8192, 2048),
    ("deepseek-v3", 2048, 4096, 15_360),
)


def main() -> None:
    """Print the best of some repeats for each case."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for name, devices, seq_len, batch in CASES:
        job = training.TrainingJob(
            model=models.load(name), cluster=cluster("h100_sxm", devices), seq_len=seq_len, global_batch=batch
        )
        training.search(job, best=1)
        best_s, tried = float("inf"), 0
        for _ in range(repeats):
            begun = time.perf_counter()
            tried = training.search(job, best=1).tried
            best_s = min(best_s, time.perf_counter() - begun)
        print(f"{name:16s} {tried:6,d} layouts {1e3 * best_s:8.1f} ms {tried / best_s:10,.0f} layouts/s")


if __name__ == "__main__":
    main()
