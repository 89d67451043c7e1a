"""Readers of load-test results, one for each tool; each knows the keys that its tool writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from jevons.serving.measured.commanded import commanded
from jevons.serving.measured.offline import READERS as OFFLINE
from jevons.serving.measured.types import LATENCIES, STATISTICS, MeasuredRun, cleaned, finite, load_of, number, whole
from jevons.serving.measured.web_load import is_k6, k6

Record = Mapping[str, Any]

_VLLM_NAMES = {"ttft": "ttft_s", "tpot": "tpot_s", "itl": "itl_s", "e2el": "e2e_s", "e2e_latency": "e2e_s"}
_VLLM_STATISTICS = {"mean": "mean", "median": "p50", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99"}


def _mapping(value: Any) -> Record:
    return value if isinstance(value, Mapping) else {}


def _first(record: Record, *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def flat_latencies(record: Record) -> dict[str, Any]:
    """Return the latencies of keys such as ``median_ttft_ms`` and ``p99_e2e_latency_ms`` [s]."""
    latencies: dict[str, Any] = {}
    for prefix, statistic in _VLLM_STATISTICS.items():
        for name, latency in _VLLM_NAMES.items():
            value = number(record.get(f"{prefix}_{name}_ms"))
            if value is not None:
                latencies[f"{latency}.{statistic}"] = value / 1e3
    return latencies


def _rates(record: Record) -> dict[str, Any]:
    return {
        "output_tok_per_s": _first(record, "output_throughput", "output_token_throughput"),
        "total_tok_per_s": _first(record, "total_token_throughput", "total_throughput"),
        "req_per_s": record.get("request_throughput"), "duration_s": record.get("duration"),
    }  # fmt: skip


def _gpus(text: Any) -> tuple[str, int | None]:
    """Return the device and number of ``4xNVIDIA_L40S``."""
    stated = re.fullmatch(r"\s*(\d{1,5})\s*[x×*]\s*(.+)", str(text or ""))
    name = (stated[2] if stated else str(text or "")).replace("_", " ").strip()
    return name, int(stated[1]) if stated else None


def _degrees(record: Record) -> dict[str, int]:
    names = {
        "tp": ("tp", "tp_size", "tensor_parallel_size", "tensor_parallel"),
        "pp": ("pp", "pp_size", "pipeline_parallel_size"),
        "dp": ("dp", "dp_size", "data_parallel_size"), "ep": ("ep", "ep_size", "expert_parallel_size"),
    }  # fmt: skip
    degrees = {name: whole(_first(record, *spellings)) for name, spellings in names.items()}
    return {name: size for name, size in degrees.items() if size is not None}


def vllm_bench(record: Record) -> MeasuredRun:
    """Return a result of ``vllm bench serve`` (``benchmark_serving.py``), metadata of ``--metadata`` included."""
    requests = whole(record.get("completed"))
    gpu, gpus = _gpus(_first(record, "gpu", "gpu_type", "gpu_name", "device", "accelerator", "hardware"))
    rate, users = load_of(record.get("request_rate"), record.get("max_concurrency"))
    isl = _mean(record, "total_input_tokens", requests, ("random_input_len", "input_len"))
    return MeasuredRun(
        make="vllm bench serve", model=str(_first(record, "model_id", "base_model", "model") or ""), gpu=gpu,
        gpus=whole(_first(record, "n_gpus", "num_gpus", "gpu_count")) or gpus, engine=_engine(record) or "vllm",
        version=str(_first(record, "vllm_version", "engine_version") or ""), degrees=_degrees(record),
        isl=isl, osl=_mean(record, "total_output_tokens", requests, ("random_output_len", "output_len")),
        requests=requests, rate_req_per_s=rate, users=users,
        figures=cleaned(_rates(record) | flat_latencies(record)),
    )  # fmt: skip


def _engine(record: Record) -> str:
    named = str(_first(record, "engine", "backend", "endpoint_type") or "").lower()
    known = {"sglang": "sglang", "tensorrt": "trtllm", "trtllm": "trtllm"}
    return next((engine for word, engine in known.items() if word in named), "")


def _mean(record: Record, total: str, requests: int | None, asked: tuple[str, ...]) -> float | None:
    """Return mean tokens of a request: those counted, else those asked for."""
    counted = finite(record.get(total))
    return counted / requests if counted is not None and requests else finite(_first(record, *asked))


def sglang_bench(record: Record) -> MeasuredRun:
    """Return a line of ``sglang.bench_serving``, whose rate is ``Infinity`` where all requests are sent at once."""
    said = commanded(str(record.get("benchmark_command") or ""))
    record = {**said.load, **{name: value for name, value in record.items() if value is not None}}
    requests = whole(record.get("completed"))
    rate, users = load_of(record.get("request_rate"), record.get("max_concurrency"))
    server = _mapping(record.get("server_info"))
    gpu, gpus = _gpus(_first(record, "gpu", "gpu_type", "gpu_name", "device"))
    return MeasuredRun(
        make="sglang.bench_serving", gpu=gpu, gpus=gpus,
        model=str(_first(record, "model", "model_id") or _first(server, "model_path", "served_model_name") or ""),
        engine="vllm" if str(record.get("backend")).startswith("vllm") else "sglang",
        version=str(_first(server, "version") or ""), degrees=_degrees(server) | _degrees(record),
        isl=_mean(record, "total_input_tokens", requests, ("random_input_len",)),
        osl=_mean(record, "total_output_tokens", requests, ("random_output_len",)),
        requests=requests, rate_req_per_s=rate, users=users,
        figures=cleaned(_rates(record) | flat_latencies(record)), serve=str(record.get("server_command") or ""),
    )  # fmt: skip


def _spread(record: Any, unit_s: float, spellings: Mapping[str, tuple[str, ...]]) -> dict[str, float | None]:
    """Return the statistics of a mapping of them in seconds."""
    stated = _mapping(record)
    spread = {name: number(_first(stated, *spelled)) for name, spelled in spellings.items()}
    return {name: None if value is None else value * unit_s for name, value in spread.items()}


def _latencies(pairs: Mapping[str, dict[str, float | None]]) -> dict[str, float | None]:
    return {f"{name}.{statistic}": value for name, spread in pairs.items() for statistic, value in spread.items()}


_AVERAGES = {"mean": ("avg", "mean"), "p50": ("p50", "median"), "p90": ("p90",), "p95": ("p95",), "p99": ("p99",)}
_UNITS_S = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0, "us": 1e-6, "ns": 1e-9, "milliseconds": 1e-3}


def aiperf(record: Record) -> MeasuredRun:
    """Return the JSON of AIPerf and of genai-perf.

    Their inter-token latency is a request's time after its first token over its other tokens: TPOT here.
    """
    record = {**record, **_mapping(record.get("metrics")), **_mapping(record.get("records"))}
    config = _mapping(record.get("input_config"))
    loadgen, endpoint = _mapping(config.get("loadgen")), _mapping(config.get("endpoint"))
    stimulus = _mapping(_mapping(config.get("perf_analyzer")).get("stimulus")) or _mapping(config.get("stimulus"))
    rate, users = load_of(
        _first(loadgen, "request_rate") or _first(stimulus, "request_rate") or config.get("request_rate"),
        _first(loadgen, "concurrency") or _first(stimulus, "concurrency") or config.get("concurrency"),
    )
    models = _first(endpoint, "model_names") or _first(config, "model_names", "model")

    def average(name: str) -> float | None:
        return finite(_mapping(record.get(name)).get("avg"))

    def seconds(name: str) -> dict[str, float | None]:
        stated = _mapping(record.get(name))
        return _spread(stated, _UNITS_S.get(str(stated.get("unit", "ms")), 1e-3), _AVERAGES)

    figures = _latencies({
        "ttft_s": seconds("time_to_first_token"), "tpot_s": seconds("inter_token_latency"),
        "e2e_s": seconds("request_latency"),
    })  # fmt: skip
    output = average("output_token_throughput")
    more = {"output_tok_per_s": output, "req_per_s": average("request_throughput"),
            "duration_s": average("benchmark_duration")}  # fmt: skip
    return MeasuredRun(
        make="AIPerf", model=str(models[0] if isinstance(models, list) and models else models or ""),
        isl=average("input_sequence_length"), osl=average("output_sequence_length"),
        requests=whole(average("request_count")), rate_req_per_s=rate, users=users,
        figures=cleaned(figures | more),
    )  # fmt: skip


def guidellm(benchmark: Record) -> MeasuredRun:
    """Return a benchmark of a GuideLLM report.

    Its inter-token latency leaves the first token out, as TPOT here does; its time per output token counts it.
    """
    config = _mapping(benchmark.get("config")) or _mapping(benchmark.get("args"))
    strategy = _mapping(config.get("strategy")) or _mapping(_mapping(benchmark.get("scheduler")).get("strategy"))
    kind = str(_first(strategy, "type_", "type") or "")
    metrics = _mapping(benchmark.get("metrics"))
    backend = _mapping(config.get("backend")) or _mapping(benchmark.get("worker"))

    def successful(name: str) -> Record:
        stated = _mapping(metrics.get(name))
        good = _mapping(_first(stated, "successful", "total"))
        return {**good, **_mapping(good.get("percentiles"))}

    def spread(name: str, unit_s: float) -> dict[str, float | None]:
        return _spread(successful(name), unit_s, {**_AVERAGES, "p50": ("p50", "median")})

    rate = _first(strategy, "rate", "initial_rate") if kind in {"constant", "poisson", "async"} else None
    users = _first(strategy, "streams", "max_concurrency", "concurrency") if rate is None else None
    if kind == "synchronous":
        users = 1
    elif kind == "throughput":
        rate, users = "inf", _first(strategy, "max_concurrency")
    stated_rate, closed = load_of(rate, users)
    by_outcome = _mapping(benchmark.get("run_stats")).get("requests_made")
    totals = _mapping(_first(benchmark, "request_totals") or _first(metrics, "request_totals") or by_outcome)
    figures = _latencies({
        "ttft_s": spread("time_to_first_token_ms", 1e-3), "tpot_s": spread("inter_token_latency_ms", 1e-3),
        "e2e_s": spread("request_latency", 1.0),
    })  # fmt: skip
    more = {
        "output_tok_per_s": successful("output_tokens_per_second").get("mean"),
        "total_tok_per_s": successful("tokens_per_second").get("mean"),
        "req_per_s": successful("requests_per_second").get("mean"), "duration_s": benchmark.get("duration"),
    }  # fmt: skip
    return MeasuredRun(
        make="GuideLLM", model=str(_first(backend, "model", "backend_model", "target_model") or ""),
        isl=finite(successful("prompt_token_count").get("mean")),
        osl=finite(successful("output_token_count").get("mean")),
        requests=whole(_first(totals, "successful", "completed")), rate_req_per_s=stated_rate, users=closed,
        figures=cleaned(figures | more),
    )  # fmt: skip


def inference_perf(record: Record) -> MeasuredRun:
    """Return the lifecycle metrics of inference-perf, of a stage or of the summary."""
    load, good = _mapping(record.get("load_summary")), _mapping(record.get("successes"))
    latency, rates = _mapping(good.get("latency")), _mapping(good.get("throughput"))
    rate, users = load_of(
        _first(load, "requested_rate", "target_rate", "achieved_rate"), _first(load, "concurrency", "concurrency_level")
    )
    means = {"mean": ("mean",), "p50": ("median", "p50"), "p90": ("p90",), "p95": ("p95",), "p99": ("p99",)}
    figures = _latencies({
        "ttft_s": _spread(latency.get("time_to_first_token"), 1.0, means),
        "tpot_s": _spread(latency.get("time_per_output_token"), 1.0, means),
        "itl_s": _spread(latency.get("inter_token_latency"), 1.0, means),
        "e2e_s": _spread(latency.get("request_latency"), 1.0, means),
    })  # fmt: skip
    more = {
        "output_tok_per_s": rates.get("output_tokens_per_sec"), "total_tok_per_s": rates.get("total_tokens_per_sec"),
        "req_per_s": rates.get("requests_per_sec"), "duration_s": load.get("benchmark_time"),
    }  # fmt: skip
    if users is not None and _first(load, "requested_rate") is None:
        rate = None
    return MeasuredRun(
        make="inference-perf", model=str(record.get("model") or ""),
        isl=finite(_mapping(good.get("prompt_len")).get("mean")),
        osl=finite(_mapping(good.get("output_len")).get("mean")), requests=whole(good.get("count")),
        rate_req_per_s=rate, users=None if rate is not None else users, figures=cleaned(figures | more),
    )  # fmt: skip


def llmperf(record: Record) -> MeasuredRun:
    """Return a summary of LLMPerf; its inter-token latency has the first token in it, so that TPOT is worked out."""
    latencies: dict[str, Any] = {}
    for name, latency in (("ttft_s", "ttft_s"), ("end_to_end_latency_s", "e2e_s")):
        for statistic in STATISTICS:
            key = f"results_{name}_mean" if statistic == "mean" else f"results_{name}_quantiles_{statistic}"
            latencies[f"{latency}.{statistic}"] = record.get(key)
    osl = finite(_first(record, "results_number_output_tokens_mean", "mean_output_tokens"))
    first, whole_s = finite(latencies["ttft_s.mean"]), finite(latencies["e2e_s.mean"])
    if osl is not None and osl > 1 and first is not None and whole_s is not None:
        latencies["tpot_s.mean"] = (whole_s - first) / (osl - 1.0)
    per_min = finite(record.get("results_num_completed_requests_per_min"))
    latencies |= {
        "output_tok_per_s": record.get("results_mean_output_throughput_token_per_s"),
        "req_per_s": None if per_min is None else per_min / 60.0,
    }  # fmt: skip
    return MeasuredRun(
        make="LLMPerf", model=str(record.get("model") or ""),
        isl=finite(_first(record, "results_number_input_tokens_mean", "mean_input_tokens")), osl=osl,
        requests=whole(record.get("results_num_completed_requests")),
        users=whole(record.get("num_concurrent_requests")), figures=cleaned(latencies),
    )  # fmt: skip


Reader = tuple[Callable[[Record], bool], Callable[[Record], MeasuredRun]]
READERS: tuple[Reader, ...] = (
    (lambda r: any(str(name).startswith("results_ttft_s") for name in r), llmperf),
    (lambda r: "successes" in r and "load_summary" in r, inference_perf),
    (lambda r: isinstance(_mapping(r.get("metrics")).get("time_to_first_token_ms"), Mapping), guidellm),
    (is_k6, k6),
    *OFFLINE,
    (lambda r: any(_averaged(part) for part in (r, _mapping(r.get("metrics")), _mapping(r.get("records")))), aiperf),
    (lambda r: "mean_e2e_latency_ms" in r or "total_output_tokens_retokenized" in r, sglang_bench),
    (lambda r: "mean_ttft_ms" in r or "median_ttft_ms" in r or ("completed" in r and "request_throughput" in r),
     vllm_bench),
)  # fmt: skip
"""How a record is recognised, and its reader; the first that holds counts."""


def _averaged(record: Record) -> bool:
    keys = ("time_to_first_token", "request_latency", "request_throughput", "inter_token_latency")
    return any(isinstance(record.get(name), Mapping) and "avg" in record[name] for name in keys)


def runs_of(value: Any, depth: int = 0) -> Iterator[MeasuredRun]:
    """Yield the runs of a JSON value: one record, a list of them, or a report that holds several."""
    if depth > 4:
        return
    if isinstance(value, list):
        for item in value:
            yield from runs_of(item, depth + 1)
    elif isinstance(value, Mapping):
        read = next((read for known, read in READERS if known(value)), None)
        if read is not None:
            run = read(value)
            if run.figures:
                yield run
            return
        for name in ("benchmarks", "results", "runs", "records", "data"):
            if isinstance(value.get(name), list | Mapping):
                model = str(_mapping(value.get("args")).get("model") or "")  # a report of GuideLLM names it once
                yield from (run if run.model else replace(run, model=model) for run in runs_of(value[name], depth + 1))
                return


__all__ = ["LATENCIES", "READERS", "flat_latencies", "runs_of"]
