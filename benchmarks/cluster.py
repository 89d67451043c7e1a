"""How a study scales over Ray workers: measured on 1 and 2, then simulated with the measured overheads up to 1,000.

``python benchmarks/cluster.py`` needs ``jevons[ray]``. ``--draw-s`` says what a draw takes.
"""

from __future__ import annotations

import argparse
import heapq
import time

import numpy as np

from jevons.parallel import Executor
from jevons.parallel.cluster import batch_size

DRAWS = 1_000_000


def sleeping(pause: float, _item: int) -> int:
    """Stand for a draw of known length, so that two workers do not share what one core can do."""
    time.sleep(pause)
    return 0


def wall_s(workers: int, items: int, pause: float) -> float:
    """Return how long items take on so many workers, without starting and stopping the cluster."""
    start = 0.0
    for count, _ in enumerate(Executor(kind="ray", processes=workers).run(sleeping, pause, range(items))):
        if count == 0:
            start = time.perf_counter()
    return time.perf_counter() - start


def simulated_s(draws: int, workers: int, draw_s: float, overhead_s: float, seed: int = 7) -> float:
    """Return how long a study takes when one driver hands out and collects every batch, one after the other."""
    random = np.random.default_rng(seed)
    size = batch_size(draws, workers, None)
    batches = -(-draws // size)
    work = size * draw_s * random.lognormal(-0.5 * 0.3**2 / size, 0.3 / size**0.5, batches)
    free = [0.0] * (3 * workers)  # slots of batches in flight: each waits for a worker
    idle = [0.0] * workers
    driver = end = 0.0
    heapq.heapify(free)
    heapq.heapify(idle)
    for batch in range(batches):
        driver = max(driver, heapq.heappop(free)) + overhead_s
        finish = max(driver, heapq.heappop(idle)) + work[batch]
        heapq.heappush(idle, finish)
        heapq.heappush(free, finish)
        end = max(end, finish)
    return end


def main() -> None:
    """Print measured and simulated times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw-s", type=float, default=0.5)
    parser.add_argument("--items", type=int, default=200)
    given = parser.parse_args()
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    one, two = (wall_s(workers, given.items, 0.05) for workers in (1, 2))
    count = 3000
    overhead = wall_s(2, count, 0.0) / -(-count // batch_size(count, 2, None))
    ray.shutdown()
    print(f"items of 50 ms: 1 worker {one:.2f} s, 2 workers {two:.2f} s, speed-up {one / two:.2f}")
    print(f"driver's time for a batch of empty items: {1e3 * overhead:.2f} ms")
    print(f"{DRAWS:,} draws of {given.draw_s:g} s, simulated with {1e3 * overhead:.2f} ms for each batch:")
    for workers in (1, 2, 10, 100, 1000):
        took = simulated_s(DRAWS, workers, given.draw_s, overhead)
        ideal = DRAWS * given.draw_s / workers
        print(f"{workers:5d} workers {took / 3600:8.2f} h, efficiency {100 * ideal / took:5.1f} %")


if __name__ == "__main__":
    main()
