"""Which results of load tests are known, an example of each, and the reader of any of them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jevons import limits
from jevons.errors import InputError, InputWarning
from jevons.files.documents import json_documents
from jevons.files.read import check_text, file_fault, read_bytes
from jevons.serving.measured.bench import aiperf, runs_of
from jevons.serving.measured.columns import read_columns
from jevons.serving.measured.drawn import drawn_table
from jevons.serving.measured.engine_log import engine_log_run, is_engine_log
from jevons.serving.measured.guidellm_table import guidellm_runs, is_guidellm
from jevons.serving.measured.metric_rows import is_metric_rows, metric_record
from jevons.serving.measured.offline import is_llama_table, is_printed_offline, llama_table, printed_offline
from jevons.serving.measured.printed import is_metrics, is_printed, metrics_run, printed_runs
from jevons.serving.measured.types import MeasuredRun, number
from jevons.serving.measured.web_load import locust_runs
from jevons.text import shortened

FORMATS: Mapping[str, str] = {
    "vllm bench serve, JSON": '{"model_id": "…", "request_rate": 10, "completed": 300, "mean_ttft_ms": 54.6, …}',
    "sglang.bench_serving, JSON lines": '{"request_rate": Infinity, "mean_e2e_latency_ms": 812.4, …}',
    "either, as printed": "Mean TTFT (ms):                          54.58",
    "AIPerf or genai-perf, JSON": '{"time_to_first_token": {"unit": "ms", "avg": 54.6, "p99": 89.8}, …}',
    "the same, CSV": "Metric,avg,min,max,p99,p95,p90,p75,p50,p25",
    "GuideLLM, JSON": '{"benchmarks": [{"metrics": {"time_to_first_token_ms": {"successful": {"mean": 54.6, …}}}}]}',
    "the same, as printed": "constant@26.21|  26.15|  120.4|  4281.1|  29064.3|  4.60|  4.58| …",
    "inference-perf, JSON": '{"load_summary": {…}, "successes": {"latency": {"time_to_first_token": {"mean": 0.05}}}}',
    "LLMPerf, JSON": '{"num_concurrent_requests": 4, "results_ttft_s_mean": 0.054, …}',
    "trtllm-bench, --report_json": '{"request_info": {…}, "performance": {"request_throughput_req_s": 8.4, …}}',
    "vllm bench throughput, JSON": '{"elapsed_time": 36.0, "num_requests": 1000, "requests_per_second": 27.8, …}',
    "vllm bench latency, JSON": '{"avg_latency": 1.52, "latencies": […], "percentiles": {"50": 1.51, …}}',
    "sglang.bench_offline_throughput": '{"successful_requests": 1000, "total_latency": 36.0, …}',
    "sglang.bench_one_batch": '{"batch_size": 8, "input_len": 1024, "output_len": 128, "prefill_latency": 0.06, …}',
    "llama-bench, -o json, csv or md": "| llama 8B Q4_K - Medium | 4.58 GiB | 8.03 B | CUDA | 99 | tg128 | 91.5 |",
    "k6, --summary-export": '{"metrics": {"http_req_duration": {"avg": 1520.3, "med": 1490.2, …}, …}}',
    "Locust, CSV of statistics": "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,…",
    "CSV or TSV": "concurrency,isl,osl,mean TTFT (ms),p99 TPOT (ms),output throughput (tok/s)",
    "the same, drawn or in Markdown": "| ISL | OSL | Concurrency | TTFT (ms) | TPOT (ms) |",
    "log of vLLM or SGLang": "Avg generation throughput: 2136.3 tokens/s, Running: 247 reqs, Waiting: 740 reqs, …",
    "/metrics of vLLM, SGLang, TRT-LLM, TGI": 'vllm:time_to_first_token_seconds_sum{model_name="…"} 12.3',
}  # fmt: skip


def known_text(formats: Mapping[str, str] = FORMATS) -> str:
    """Return a line for each format that is read, with an example."""
    return "\n".join(f"  {name}: {example}" for name, example in formats.items())


def pairs_of(texts: Sequence[str]) -> dict[str, str]:
    """Return the names and columns of mappings such as ``ttft=TTFT (ms)``.

    Raises
    ------
    InputError
        If one is no mapping.

    Examples
    --------
    >>> pairs_of(["ttft=TTFT (ms)", "isl=in"])
    {'ttft': 'TTFT (ms)', 'isl': 'in'}
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, mark, column = text.partition("=")
        if not mark or not name.strip() or not column.strip():
            message = f"--map {text}: write NAME=COLUMN, such as --map ttft='TTFT (ms)'"
            raise InputError(message)
        if pairs.setdefault(name.strip(), column.strip()) != column.strip():
            message = f"--map {text}: {name.strip()} is mapped twice; give one column"
            raise InputError(message)
    return pairs


def text_of(path: Path) -> str:
    """Return the text of a file, which may be packed."""
    content = read_bytes(path, most_bytes=limits.JSON_BYTES, unpack=True)
    check_text(path, content)
    return content.decode("utf-8-sig")


def read_runs(path: Path | str, mapping: Mapping[str, str] | None = None) -> list[MeasuredRun]:
    """Return the runs that a load test's file holds.

    Parameters
    ----------
    path : path or str
        Any of `FORMATS`, plain, gzip or zstd.
    mapping : mapping of str to str, optional
        Column of a figure, where a table's titles do not say it.

    Raises
    ------
    InputError
        If it cannot be read, or is none of the formats; the message has an example of each.
    """
    path = Path(path)
    text = text_of(path)
    runs = _runs(path, text, mapping or {})
    if runs:
        return runs
    message = f"holds no result of a load test that is known. Those are:\n{known_text()}"
    raise file_fault(path, message)


_FIGURES = re.compile(r"ttft|tpot|itl|latency|throughput|duration|_ms$|_per_s$|first_token|inter_token", re.IGNORECASE)
_MOST_SAID = 3


def _say_unread(path: Path, value: Any) -> None:
    """Say which figures of a record are written so that no number can be read from them, or lie below zero."""
    records = value if isinstance(value, list) else [value]
    odd: dict[str, Any] = {}
    for record in records:
        for name, figure in record.items() if isinstance(record, Mapping) else ():
            read = number(figure)
            is_text = isinstance(figure, str) and read is None and re.search(r"\d", figure) is not None
            if _FIGURES.search(str(name)) and (is_text or (read is not None and read < 0.0)):
                odd.setdefault(str(name), figure)
    if odd:
        shown = ", ".join(f"{shortened(name)} = {shortened(str(odd[name]))}" for name in list(odd)[:_MOST_SAID])
        more = f" and {len(odd) - _MOST_SAID} more" if len(odd) > _MOST_SAID else ""
        message = f"{path.name}: {shown}{more}: no number above 0, and not read; write it like 54.58"
        warnings.warn(message, InputWarning, stacklevel=2)


def _runs(path: Path, text: str, mapping: Mapping[str, str]) -> list[MeasuredRun]:
    if is_printed(text):
        return list(printed_runs(text))
    if is_printed_offline(text):
        return list(printed_offline(text))
    if is_llama_table(text):
        return llama_table(str(path), text)
    if is_guidellm(text):
        return guidellm_runs(text)
    if is_engine_log(text):
        served = engine_log_run(text)
        return [served] if served is not None else []
    if is_metrics(text):
        run = metrics_run(text)
        return [run] if run.figures else []
    text = drawn_table(text) or text
    if is_metric_rows(text):
        run = aiperf(metric_record(text, str(path)))
        return [run] if run.figures else []
    if text.lstrip()[:1] in {"{", "["}:
        documents = json_documents(text, str(path))
        if documents is None:
            raise file_fault(path, "begins like JSON and is none; mend it, or write it again")
        for _, value in documents:
            _say_unread(path, value)
        return [run for _, value in documents for run in runs_of(value)]
    return locust_runs(text) or read_columns(path, text, mapping)
