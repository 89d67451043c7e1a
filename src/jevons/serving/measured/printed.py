"""Reports that load tests print, and snapshots of a server's ``/metrics``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from jevons.serving.measured.bench import sglang_bench, vllm_bench
from jevons.serving.measured.commanded import Commanded, commanded
from jevons.serving.measured.types import MeasuredRun, cleaned, whole

_HEAD = "Serving Benchmark Result"
_PRINTED = {
    "successful requests": "completed", "benchmark duration (s)": "duration",
    "total input tokens": "total_input_tokens",
    "total generated tokens": "total_output_tokens", "request throughput (req/s)": "request_throughput",
    "output token throughput (tok/s)": "output_throughput", "total token throughput (tok/s)": "total_token_throughput",
    "total throughput (tok/s)": "total_token_throughput", "maximum request concurrency": "max_concurrency",
    "max request concurrency": "max_concurrency", "traffic request rate": "request_rate", "backend": "backend",
    "request rate configured (rps)": "request_rate", "max reqeuest concurrency": "max_concurrency",
}  # fmt: skip
_LATENCY = re.compile(r"^(mean|median|p\d+)\s+(ttft|tpot|itl|e2el|e2e latency)\s*\(ms\)$")


def printed_runs(text: str) -> Iterator[MeasuredRun]:
    """Yield the runs of reports as ``vllm bench serve`` and ``sglang.bench_serving`` print them.

    What stands before a report may be the commands that started its server and itself, or what such commands print.
    """
    head, *parts = text.split(_HEAD)
    said, before = commanded(head), _lines(head)
    for part in parts:
        stated = {name: before[name] for name in ("request_rate", "max_concurrency") if name in before}
        record = said.load | stated | _lines(part)
        own = sglang_bench(record) if "sglang" in str(record.get("backend", "")) else vllm_bench(record)
        serve = said.serve
        after, before = commanded(part), _lines(part)
        said = Commanded(said.load | after.load, after.serve or said.serve)
        if own.figures:
            yield replace(own, serve=serve)


def is_printed(text: str) -> bool:
    """Return whether a text holds such a report."""
    return _HEAD in text


def _lines(text: str) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for line in text.splitlines():
        label, mark, value = line.strip().lstrip("# ").rpartition(":")
        if not mark or not value.strip():
            continue
        name = " ".join(label.lower().split())
        latency = _LATENCY.match(name)
        if latency:
            record[f"{latency[1]}_{latency[2].replace(' ', '_')}_ms"] = value.strip()
        elif name in _PRINTED:
            record[_PRINTED[name]] = value.strip().split()[0]
    return record


_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_PREFIX = re.compile(r"(?P<engine>vllm|sglang|trtllm|tgi|dynamo_frontend)[:_]")
"""What the names of an engine's figures begin with."""
_HISTOGRAMS = {
    "ttft_s": ("time_to_first_token_seconds",),
    "tpot_s": ("request_time_per_output_token_seconds", "time_per_output_token_seconds",
               "request_mean_time_per_token_duration"),
    "itl_s": ("inter_token_latency_seconds", "time_per_output_token_seconds"),
    "e2e_s": ("e2e_request_latency_seconds", "request_duration_seconds", "request_duration"),
}  # fmt: skip
_ENGINES = {"tgi": "generic", "dynamo_frontend": "vllm"}
"""Engine of figures that name none which is modelled; Dynamo says none, and runs vLLM most often."""
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

Sample = tuple[str, dict[str, str], float]


def is_metrics(text: str) -> bool:
    """Return whether a text is a snapshot of an engine's ``/metrics``."""
    return bool(re.search(rf"(?m)^(?:# (?:HELP|TYPE) )?{_PREFIX.pattern}\w+", text))


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    """Return name, labels and value of every sample."""
    sampled = []
    for line in text.splitlines():
        match = None if line.startswith("#") else _SAMPLE.match(line.strip())
        if match is None:
            continue
        try:
            value = float(match[3])
        except ValueError:
            continue
        sampled.append((match[1], dict(_LABEL.findall(match[2] or "")), value))
    return sampled


def metrics_run(text: str) -> MeasuredRun:
    """Return what a snapshot tells: mean lengths, latencies since the start, requests at once, and the cache.

    Notes
    -----
    A snapshot has no rate: what runs at the moment stands for a closed loop, unless the reader says the load.
    """
    sampled = samples(text)
    prefix = next((begin for name, _, _ in sampled if (begin := _PREFIX.match(name))), None)
    engine = prefix["engine"] if prefix else "vllm"
    named = [(name.removeprefix(prefix[0] if prefix else ""), labels, value) for name, labels, value in sampled]

    def total(*names: str) -> float | None:
        values = [value for name, _, value in named if name in names and 0.0 <= value < math.inf]  # as counters are
        return sum(values) if values else None

    def mean(*names: str) -> float | None:
        for name in names:
            count, amount = total(f"{name}_count"), total(f"{name}_sum")
            if count and amount:
                return amount / count
        return None

    figures: dict[str, float | None] = {}
    for latency, spellings in _HISTOGRAMS.items():
        name = next((spelling for spelling in spellings if total(f"{spelling}_count")), None)
        if name is None:
            continue
        figures[f"{latency}.mean"] = mean(name)
        buckets = _buckets(named, name)
        figures |= {f"{latency}.{label}": _quantile(buckets, share) for label, share in _QUANTILES.items()}
    config = next((labels for name, labels, _ in named if name == "cache_config_info"), {})
    tokens = total("max_total_num_tokens")
    if config.get("num_gpu_blocks", "").isdigit() and config.get("block_size", "").isdigit():
        tokens = float(int(config["num_gpu_blocks"]) * int(config["block_size"]))
    figures["kv_cache_tokens"] = tokens
    figures["gpu_memory_utilization"] = _float(config.get("gpu_memory_utilization"))
    running = (total("num_requests_running", "num_running_reqs", "batch_current_size", "inflight_requests") or 0.0) + (
        total("num_requests_waiting", "num_queue_reqs", "queue_size") or 0.0
    )
    requests = total("request_success_total", "num_requests_total", "request_success", "requests_total")
    isl = mean("request_prompt_tokens", "request_input_length", "input_sequence_tokens")
    osl = mean("request_generation_tokens", "request_generated_tokens", "output_sequence_tokens")
    if requests:
        isl = isl or (total("prompt_tokens_total") or 0.0) / requests or None
        osl = osl or (total("generation_tokens_total") or 0.0) / requests or None
    models = (labels.get("model_name") or labels.get("model") for _, labels, _ in named)
    return MeasuredRun(
        make="/metrics", model=next((model for model in models if model), ""), engine=_ENGINES.get(engine, engine),
        isl=isl, osl=osl, requests=whole(requests),
        users=round(running) or None, figures=cleaned(figures),
    )  # fmt: skip


def _float(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _buckets(named: Sequence[Sample], name: str) -> list[tuple[float, float]]:
    """Return upper ends and cumulated counts of a histogram over all of its labels, in order."""
    buckets: dict[float, float] = {}
    for spelling, labels, value in named:
        end = _float(labels.get("le", "").replace("+Inf", "inf")) if spelling == f"{name}_bucket" else None
        if end is not None:
            buckets[end] = buckets.get(end, 0.0) + value
    return sorted(buckets.items())


def _quantile(buckets: Sequence[tuple[float, float]], share: float) -> float | None:
    """Return a quantile, linear within its bucket; None where it lies beyond the last end."""
    if not buckets or buckets[-1][1] <= 0:
        return None
    wanted, low, below = share * buckets[-1][1], 0.0, 0.0
    for end, count in buckets:
        if count >= wanted:
            if math.isinf(end) or count <= below:
                return None
            return low + (end - low) * (wanted - below) / (count - below)
        low, below = end, count
    return None
