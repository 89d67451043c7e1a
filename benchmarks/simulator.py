"""Speed of the serving simulator on one core, compilation apart: plain load, long answers, trace, and a fleet.

Run: python benchmarks/simulator.py [requests]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from jevons import models, serving
from jevons.hardware import accelerator
from jevons.serving import sim

SAMPLE = Path(__file__).parent.parent / "tests" / "data" / "traces" / "mooncake_conversation_sample.jsonl.gz"
REPEATS = 3


def best(load: sim.Requests, table: sim.StepTable, limits: sim.SimLimits, **options: object) -> sim.SimResult:
    """Return the fastest of a few equal runs."""
    return min((sim.simulate(load, table, limits, **options) for _ in range(REPEATS)), key=lambda r: r.timing.wall_s)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    deployment = serving.Deployment(
        model=models.load("llama-3.1-8b"),
        accelerator=accelerator("h100_sxm"),
        layout=serving.Layout(),
        precision="bf16",
        kv_precision="bf16",
        engine=serving.engine("vllm"),
    )
    limits = sim.limits_of(deployment, context=700.0)
    began = time.perf_counter()
    table = sim.step_table(deployment, limits.max_batch, limits.step_tokens)
    print(f"step table: {time.perf_counter() - began:.3f} s")

    def poisson(rate: float, osl: int) -> sim.Requests:
        return sim.generate(sim.Load(requests=count, isl=500, osl=osl, rate_req_per_s=rate))

    trace = sim.from_trace(sim.read_trace(SAMPLE), requests=count, rate_req_per_s=2.0)
    shared = sim.from_trace(sim.read_trace(SAMPLE), requests=count // 4, rate_req_per_s=2.0, prefixes=True)
    blocks = sim.limits_of(deployment, context=12_000.0, block_tokens=512)
    heavy = sim.SimLimits(
        max_batch=limits.max_batch,
        step_tokens=limits.step_tokens,
        block_tokens=limits.block_tokens,
        kv_blocks=4000,
        max_context=limits.max_context,
    )
    cases = {
        "500 in, 200 out, 6 req/s": (poisson(6, 200), limits, {}),
        "500 in, 200 out, 12 req/s": (poisson(12, 200), limits, {}),
        "500 in, 200 out, 30 req/s": (poisson(30, 200), limits, {}),
        "500 in, 2000 out, 1.2 req/s (OSL x10)": (poisson(1.2, 2000), limits, {}),
        "500 in, 200 out, 30 req/s, 64,000-token cache": (poisson(30, 200), heavy, {}),
        "Mooncake sample looped, 2 req/s, 4 replicas": (trace, limits, {"replicas": 4}),
        "Mooncake sample looped, 2 req/s, 4 replicas, prefix cache": (shared, blocks, {"replicas": 4}),
        "100 replicas, 1200 req/s, least loaded": (
            poisson(1200, 200), limits, {"replicas": 100, "routing": "least_loaded"},
        ),
    }  # fmt: skip
    first: sim.SimResult | None = None
    for name, (load, bounds, options) in cases.items():
        found = best(load, table, bounds, **options)
        first = first or found
        print(
            f"{name}: {found.counts.served / found.timing.wall_s:,.0f} requests/s, "
            f"{found.work.events / found.counts.served:.2f} events and "
            f"{found.work.decode_tokens / found.counts.served:,.0f} decode tokens a request, "
            f"{found.work.preemptions:,} preemptions, "
            f"{found.timing.wall_s / first.timing.wall_s:.2f} x the first case's time"
        )
    kinds = [
        sim.Kind(
            name="scaled",
            table=table,
            limits=limits,
            replicas=60,
            autoscale=sim.Autoscale(least=40, most=120, target=8.0),
        ),
        sim.Kind(name="fixed", table=table, limits=limits, replicas=40),
    ]
    fleets = {
        "fleet of 100 replicas, 1200 req/s, least loaded": {
            "kinds": [sim.Kind(name="all", table=table, limits=limits, replicas=100)]
        },
        "fleet of two kinds that scales and fails, loads told every 0.5 s": {
            "kinds": kinds,
            "routing": sim.Routing(kind="least_loaded", stale_s=0.5),
            "failures": sim.Failures(mtbf_s=3600.0),
        },
    }
    for name, options in fleets.items():
        wall_s = min(sim.simulate_fleet(poisson(1200, 200), **options).timing.wall_s for _ in range(3))
        print(f"{name}: {count / wall_s:,.0f} requests/s")


if __name__ == "__main__":
    main()
