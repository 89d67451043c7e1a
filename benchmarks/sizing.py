"""Time to size DeepSeek-V3 and R1 over 8 to 64 H200 with all layouts: the static stage, and with simulated finalists.

Run: python benchmarks/sizing.py [runs]
"""

from __future__ import annotations

import statistics
import sys
import time

from jevons.sizing.search import SizeResult, size
from jevons.sizing.service import Demand, Service

RATE_REQ_PER_S = 50.0


def seconds(model: str, service: Service, *, simulated: bool) -> tuple[float, SizeResult]:
    began = time.perf_counter()
    found = size(model, service, demand=Demand(rate_req_per_s=RATE_REQ_PER_S), simulated=simulated)
    return time.perf_counter() - began, found


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    cases = [
        (model, Service(gpu="h200_sxm", gpus=64, ttft_s=2.0, least_gpus=8, precision=precision))
        for model in ("deepseek-v3", "deepseek-r1")
        for precision in (None, "fp8,bf16")
    ]
    seconds("llama-3.1-8b", Service(gpus=1), simulated=True)  # compilation and imports
    for model, service in cases:
        for simulated in (False, True):
            found = [seconds(model, service, simulated=simulated) for _ in range(runs)]
            times = [t for t, _ in found]
            result = found[0][1]
            kind = "with simulated finalists" if simulated else "static"
            print(
                f"{model}, weights {service.precision or 'as shipped'}, 8 to 64 H200, {kind}: median of {runs} "
                f"{statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f}), {result.tried} layouts, "
                f"{len(result.entries)} fleets in the answer, best {result.best.words()} "
                f"({result.best.accelerators} accelerators)"
            )


if __name__ == "__main__":
    main()
