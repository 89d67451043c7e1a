"""The load test that repeats the load of a prediction, and whose result calibrates it."""

from __future__ import annotations

import math

from jevons.deploy.engines import replica
from jevons.deploy.scripts import FIRST_PORT, ROUTER_PORT, replicas
from jevons.deploy.types import Command, Handover

RESULT = "jevons-bench.json"
_WIDEST = 0.99


def base_url(handover: Handover, engine: str) -> str:
    """Return where requests go: the router's port, or that of the only instance."""
    alone = sum(launched.instances for launched in replicas(handover, engine)) == 1
    return f"http://localhost:{FIRST_PORT if alone else ROUTER_PORT}"


def vllm_bench(handover: Handover) -> Command:
    """Return vLLM's own load test, which measures any engine that speaks OpenAI's protocol."""
    t = handover.traffic
    options: list[tuple[str, str | None]] = [
        ("--backend", "openai"), ("--base-url", "$URL"), ("--endpoint", "/v1/completions"), ("--model", "$MODEL"),
        ("--dataset-name", "random"), ("--random-input-len", str(t.isl)), ("--random-output-len", str(t.osl)),
    ]  # fmt: skip
    widest = max(t.isl_cv, t.osl_cv) * math.sqrt(3.0)
    options += [("--random-range-ratio", f"{min(widest, _WIDEST):.2g}")] if widest else []
    options += [("--ignore-eos", None), ("--num-prompts", str(t.requests))]
    if t.users:
        options += [("--max-concurrency", str(t.users))]
    elif t.rate_req_per_s:
        options += [("--request-rate", f"{t.rate_req_per_s:g}")]
        options += [("--burstiness", f"{1.0 / t.cv**2:.3g}")] if t.cv not in {0.0, 1.0} else []
    options += [("--percentile-metrics", "ttft,tpot,itl,e2el"), ("--metric-percentiles", "50,90,95,99")]
    options += [("--seed", str(t.seed)), ("--metadata", None), *((word, None) for word in _metadata(handover))]
    options += [("--save-result", None), ("--result-filename", RESULT)]
    return Command(program=("vllm", "bench", "serve"), options=tuple(options))


def _metadata(handover: Handover) -> list[str]:
    """Return the layout, so that the result can be read without the fleet beside it."""
    first = replica(handover, handover.pools[-1], handover.engine)
    layout = first.pool.deployment.layout
    words = {
        "gpu": first.pool.deployment.accelerator.id, "gpus": str(handover.accelerators), "engine": handover.engine,
        "engine_version": first.release, "tp": str(layout.tp), "pp": str(layout.pp), "ep": str(layout.ep),
        "dp": str(layout.dp), "replicas": str(first.pool.replicas), "precision": first.pool.deployment.precision,
    }  # fmt: skip
    return [f"{name}={value}" for name, value in words.items()]


def aiperf(handover: Handover) -> Command:
    """Return AIPerf's load test of the same load."""
    t = handover.traffic
    options: list[tuple[str, str | None]] = [
        ("--model", "$MODEL"), ("--url", "$URL"), ("--endpoint-type", "completions"), ("--streaming", None),
        ("--isl", str(t.isl)), ("--isl-stddev", f"{t.isl * t.isl_cv:g}"), ("--osl", str(t.osl)),
        ("--osl-stddev", f"{t.osl * t.osl_cv:g}"), ("--extra-inputs", "ignore_eos:true"),
        ("--request-count", str(t.requests)),
    ]  # fmt: skip
    if t.users:
        options += [("--concurrency", str(t.users))]
    elif t.rate_req_per_s:
        options += [("--request-rate", f"{t.rate_req_per_s:g}")]
    options += [("--random-seed", str(t.seed)), ("--artifact-dir", "aiperf")]
    return Command(program=("aiperf", "profile"), options=tuple(options))


def bench_files(handover: Handover) -> dict[str, str]:
    """Return the load tests as scripts, by file name."""
    url = base_url(handover, handover.engine)
    files = {}
    for name, arguments in (("vllm-bench", vllm_bench(handover)), ("aiperf", aiperf(handover))):
        lines = ["#!/usr/bin/env bash", f"# Repeats the load of the prediction: {load_words(handover)}."]
        lines += ["set -euo pipefail", f'MODEL="${{MODEL:-{handover.checkpoint}}}"', f'URL="${{URL:-{url}}}"']
        files[f"bench/{name}.sh"] = "\n".join([*lines, f"exec {arguments.lines()}", ""])
    return files


def load_words(handover: Handover) -> str:
    """Return the load in words."""
    t = handover.traffic
    how = f"{t.users} users" if t.users else f"{t.rate_req_per_s:g} requests per second"
    how = how if t.users or t.rate_req_per_s else "as many as it takes"
    return f"{t.isl:,} tokens in, {t.osl:,} out, {how}"
