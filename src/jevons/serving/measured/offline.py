"""Readers of results without a server between: trtllm-bench, the throughput and latency of vLLM, SGLang and llama.cpp.

Their load is a batch that is sent at once, or so many sequences side by side; the readers say which.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jevons.files import csv_lines
from jevons.serving.gguf import gguf_name, precision_named
from jevons.serving.measured.types import MeasuredRun, cleaned, finite, number, whole

Record = Mapping[str, Any]

_PERCENTILES = {"mean": ("average", "avg"), "p50": ("p50",), "p90": ("p90",), "p95": ("p95",), "p99": ("p99",)}
_AT_ONCE_FRAC = 0.4
"""Share of all requests that is in flight on average where all were sent at once: half of them, or more."""


def _mapping(value: Any) -> Record:
    return value if isinstance(value, Mapping) else {}


def _milliseconds(latency: str, record: Any, mean_ms: Any = None) -> dict[str, float | None]:
    """Return the statistics of a latency [s] from a mapping of percentiles [ms]."""
    stated = _mapping(record)
    spread = {f"{latency}.{name}": _scaled(_named(stated, *keys), 1e-3) for name, keys in _PERCENTILES.items()}
    own = _scaled(mean_ms, 1e-3)
    return spread if own is None else {**spread, f"{latency}.mean": own}


def _named(record: Record, *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def _scaled(value: Any, scale: float) -> float | None:
    figure = number(value)
    return None if figure is None else figure * scale


def _batch(requests: int | None, at_once: float | None) -> tuple[float | None, int | None]:
    """Return rate and users of a run by its requests in flight on average."""
    if at_once is None or requests is None or at_once > _AT_ONCE_FRAC * requests:
        return math.inf, None
    return None, max(round(at_once), 1)


def trtllm_bench(record: Record) -> MeasuredRun:
    """Return a report of ``trtllm-bench throughput`` or ``latency``.

    The report does not say the limit on requests at once; those in flight on average tell it from a batch.
    """
    engine, world = _mapping(record.get("engine")), _mapping(record.get("world_info"))
    asked, speed = _mapping(record.get("request_info")), _mapping(record.get("performance"))
    stream = _mapping(record.get("streaming_metrics"))
    requests = whole(asked.get("num_requests"))
    rate, users = _batch(requests, finite(asked.get("avg_num_concurrent_requests")))
    degrees = {name: whole(world.get(f"{name}_size")) for name in ("tp", "pp", "ep")}
    figures = {
        **_milliseconds("e2e_s", speed.get("request_latency_percentiles_ms"), speed.get("avg_request_latency_ms")),
        **_milliseconds("ttft_s", stream.get("ttft_percentiles"), stream.get("avg_ttft_ms")),
        **_milliseconds("tpot_s", stream.get("tpot_percentiles"), stream.get("avg_tpot_ms")),
        "req_per_s": speed.get("request_throughput_req_s"),
        "output_tok_per_s": speed.get("system_output_throughput_tok_s"),
        "total_tok_per_s": speed.get("system_total_throughput_tok_s"),
        "duration_s": _scaled(speed.get("total_latency_ms"), 1e-3),
    }
    return MeasuredRun(
        make="trtllm-bench", model=str(engine.get("model") or ""), engine="trtllm",
        version=str(engine.get("version") or ""), gpu=str(_mapping(record.get("machine")).get("name") or ""),
        gpus=whole(world.get("world_size")), degrees={name: size for name, size in degrees.items() if size},
        isl=finite(asked.get("avg_input_length")), osl=finite(asked.get("avg_output_length")), requests=requests,
        rate_req_per_s=rate, users=users, figures=cleaned(figures), serve=_trtllm_line(engine, world),
    )  # fmt: skip


def _trtllm_line(engine: Record, world: Record) -> str:
    """Return the line of a server with the layout and limits that a report of ``trtllm-bench`` states."""
    share = str(world.get("kv_cache_percentage") or "")
    held = finite(share.rstrip("%"))
    stated = {
        **{f"{name}_size": whole(world.get(f"{name}_size")) for name in ("tp", "pp", "ep")},
        "max_batch_size": whole(world.get("max_batch_size")), "max_num_tokens": whole(world.get("max_num_tokens")),
        "kv_cache_free_gpu_memory_fraction": held / 100.0 if held and share.endswith("%") else held,
        "kv_cache_dtype": str(engine.get("kv_cache_dtype") or "").lower().replace("none", ""),
    }  # fmt: skip
    flags = [f"--{name} {value:g}" if isinstance(value, float) else f"--{name} {value}"
             for name, value in stated.items() if value]  # fmt: skip
    return " ".join(["trtllm-serve", str(engine["model"]), *flags]) if engine.get("model") else ""


def vllm_throughput(record: Record) -> MeasuredRun:
    """Return a result of ``vllm bench throughput``: all requests at once; lengths and model are for the reader."""
    counted = ("num_requests", "total_num_prompt_tokens", "total_num_output_tokens")
    figures = {
        "req_per_s": record.get("requests_per_second"), "total_tok_per_s": record.get("tokens_per_second"),
        "output_tok_per_s": record.get("output_tokens_per_second"), "duration_s": record.get("elapsed_time"),
    }  # fmt: skip
    return _at_once(record, "vllm bench throughput", "vllm", counted, figures)


def vllm_latency(record: Record) -> MeasuredRun:
    """Return a result of ``vllm bench latency``: one batch after another; its size is for the reader."""
    stated = _mapping(record.get("percentiles"))
    figures = {f"e2e_s.p{mark}": stated.get(str(mark)) for mark in (50, 90, 95, 99)}
    return MeasuredRun(
        make="vllm bench latency", model=str(record.get("model") or ""), engine="vllm",
        users=whole(record.get("batch_size")), isl=finite(record.get("input_len")),
        osl=finite(record.get("output_len")), figures=cleaned({"e2e_s.mean": record.get("avg_latency"), **figures}),
    )  # fmt: skip


def sglang_offline(record: Record) -> MeasuredRun:
    """Return a line of ``sglang.bench_offline_throughput``: all requests at once."""
    counted = ("successful_requests", "total_input_tokens", "total_output_tokens")
    figures = {
        "req_per_s": record.get("request_throughput"), "output_tok_per_s": record.get("output_throughput"),
        "total_tok_per_s": record.get("total_throughput"), "duration_s": record.get("total_latency"),
    }  # fmt: skip
    return _at_once(record, "sglang.bench_offline_throughput", "sglang", counted, figures)


def _at_once(
    record: Record, make: str, engine: str, counted: tuple[str, str, str], figures: dict[str, Any]
) -> MeasuredRun:
    """Return a run whose requests come at once; *counted* names requests, input and output tokens."""
    requests = whole(record.get(counted[0]))
    isl, osl = (finite(record.get(name)) for name in counted[1:])
    return MeasuredRun(
        make=make, model=str(record.get("model") or ""), engine=engine, requests=requests,
        isl=isl / requests if isl and requests else None, osl=osl / requests if osl and requests else None,
        rate_req_per_s=math.inf, figures=cleaned(figures),
    )  # fmt: skip


def sglang_batch(record: Record) -> MeasuredRun:
    """Return a line of ``sglang.bench_one_batch`` or ``bench_one_batch_server``: a batch from prompt to end."""
    batch = whole(record.get("batch_size"))
    whole_s = finite(_named(record, "total_latency", "latency"))
    return MeasuredRun(
        make="sglang.bench_one_batch", model=str(_named(record, "model", "model_path") or ""), engine="sglang",
        users=batch, requests=batch, isl=finite(record.get("input_len")), osl=finite(record.get("output_len")),
        figures=cleaned({
            "ttft_s.mean": _named(record, "prefill_latency", "ttft", "last_ttft"),
            "tpot_s.mean": record.get("median_decode_latency"), "e2e_s.mean": whole_s, "duration_s": whole_s,
            "total_tok_per_s": record.get("overall_throughput"),
        }),
    )  # fmt: skip


_TEST = re.compile(r"(?:pp(?P<pp>\d+))?\+?(?:tg(?P<tg>\d+))?(?:\s*@\s*d(?P<depth>\d+))?")


def llama_bench(record: Record) -> MeasuredRun:
    """Return a test of llama.cpp's ``llama-bench``: one prompt (``pp``), or tokens after it (``tg``), at once one.

    Its engine is none of those that are modelled, so that the generic one stands for it.
    """
    model, precision = gguf_name(str(record.get("model_filename") or ""))
    prompt, generated, depth = (whole(record.get(name)) or 0 for name in ("n_prompt", "n_gen", "n_depth"))
    took_s, speed = _scaled(finite(record.get("avg_ns")), 1e-9), finite(record.get("avg_ts"))
    if took_s is None and speed is not None:
        took_s = (prompt + generated) / speed
    figures: dict[str, float | None] = {}
    if took_s is not None and prompt and generated:
        figures["e2e_s.mean"] = took_s
    elif took_s is not None and prompt and not depth:
        figures["ttft_s.mean"] = took_s
    elif took_s is not None and generated:
        figures["tpot_s.mean"] = took_s / generated
    return MeasuredRun(
        make="llama-bench", model=model, engine="generic", users=1,
        precision=precision or precision_named(str(record.get("model_type") or "")),
        gpu=str(record.get("gpu_info") or "").split(",")[0].strip(), isl=float(prompt + depth or 1),
        osl=float(generated or 1), figures=cleaned(figures),
    )  # fmt: skip


READERS = (
    (lambda r: "request_info" in r and "performance" in r, trtllm_bench),
    (lambda r: "elapsed_time" in r and "requests_per_second" in r, vllm_throughput),
    (lambda r: "avg_latency" in r and isinstance(r.get("percentiles"), Mapping), vllm_latency),
    (lambda r: "successful_requests" in r and "total_latency" in r, sglang_offline),
    (lambda r: "batch_size" in r and "overall_throughput" in r, sglang_batch),
    (lambda r: {"n_prompt", "n_gen"} <= set(r) and bool({"avg_ts", "avg_ns"} & set(r)), llama_bench),
)
"""How a record is recognised, and its reader."""

_PRINTED_THROUGHPUT = re.compile(
    r"Throughput:\s*([\d.,]+)\s*requests/s,\s*([\d.,]+)\s*(?:total )?tokens/s(?:,\s*([\d.,]+)\s*output tokens/s)?"
)
_PRINTED_TRTLLM = {
    "request throughput (req/sec)": ("performance", "request_throughput_req_s"),
    "total output throughput (tokens/sec)": ("performance", "system_output_throughput_tok_s"),
    "total token throughput (tokens/sec)": ("performance", "system_total_throughput_tok_s"),
    "total latency (ms)": ("performance", "total_latency_ms"),
    "average request latency (ms)": ("performance", "avg_request_latency_ms"),
    "average time-to-first-token [ttft] (ms)": ("streaming_metrics", "avg_ttft_ms"),
    "average time-per-output-token [tpot] (ms)": ("streaming_metrics", "avg_tpot_ms"),
    "number of requests": ("request_info", "num_requests"), "number of sequences": ("request_info", "num_requests"),
    "number of concurrent requests": ("request_info", "avg_num_concurrent_requests"),
    "average input length (tokens)": ("request_info", "avg_input_length"),
    "average output length (tokens)": ("request_info", "avg_output_length"),
    "model": ("engine", "model"), "tensorrt-llm version": ("engine", "version"),
    "tensorrt llm version": ("engine", "version"), "tp size": ("world_info", "tp_size"),
    "pp size": ("world_info", "pp_size"), "ep size": ("world_info", "ep_size"),
    "max runtime batch size": ("world_info", "max_batch_size"), "max runtime tokens": ("world_info", "max_num_tokens"),
    "kv memory percentage": ("world_info", "kv_cache_percentage"), "kv cache dtype": ("engine", "kv_cache_dtype"),
}  # fmt: skip
_LENGTHS = re.compile(
    r"Input\s+Output\s+Seq\. Length[^\S\n]*\n(?:.*\n){1,8}?\s*(?:\[.*\]\s*)?AVG:\s+([\d.]+)\s+([\d.]+)"
)
"""Mean lengths in the table of a data set that ``trtllm-bench`` prints: ``AVG:   128.0  2048.0  2176.0``."""
_TRTLLM_HEAD = "PERFORMANCE OVERVIEW"
_MARKDOWN = re.compile(r"(?m)^\|\s*model\s*\|.*\|\s*test\s*\|\s*t/s\s*\|")


def is_printed_offline(text: str) -> bool:
    """Return whether a text is what one of these tools prints.

    Examples
    --------
    >>> is_printed_offline("Throughput: 17.15 requests/s, 17563.36 total tokens/s, 4390.84 output tokens/s")
    True
    """
    return bool(_TRTLLM_HEAD in text or _PRINTED_THROUGHPUT.search(text) or _MARKDOWN.search(text))


def printed_offline(text: str) -> Iterator[MeasuredRun]:
    """Yield the runs of a text that one of these tools printed."""
    if _TRTLLM_HEAD in text:
        run = trtllm_bench(_trtllm_record(text))
        if run.figures:
            yield run
    for match in _PRINTED_THROUGHPUT.finditer(text):
        yield _throughput_line(text, *(None if part is None else part.replace(",", "") for part in match.groups()))
    if _MARKDOWN.search(text):
        yield from _markdown(text)


def _trtllm_record(text: str) -> dict[str, dict[str, Any]]:
    record: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        label, mark, value = line.partition(":")
        place = _PRINTED_TRTLLM.get(" ".join(re.sub(r"^.*\[I\]", "", label).lower().split()))
        if mark and place and value.strip():
            record.setdefault(place[0], {})[place[1]] = value.strip().replace(",", "")
    lengths = _LENGTHS.search(text)
    if lengths:  # early releases print no averages of their own beside the table of the data set
        asked = record.setdefault("request_info", {})
        for name, stated in (("avg_input_length", lengths[1]), ("avg_output_length", lengths[2])):
            asked.setdefault(name, stated)
    return record


def _throughput_line(text: str, requests: Any, total: Any, output: Any) -> MeasuredRun:
    """Return the run of a line that ``vllm bench throughput`` prints, mean lengths by the lines after it."""
    counted = {
        name: found[1].replace(",", "") if found else None
        for name in ("prompt", "output")
        for found in (re.search(rf"Total num {name} tokens:\s*([\d,]+)", text),)
    }
    tokens, per_s, out_per_s = (finite(counted["output"]), finite(requests), finite(output))
    count = whole(tokens * per_s / out_per_s) if tokens and per_s and out_per_s else None
    return vllm_throughput({
        "num_requests": count, "requests_per_second": requests, "tokens_per_second": total,
        "output_tokens_per_second": output, "total_num_prompt_tokens": counted["prompt"],
        "total_num_output_tokens": counted["output"],
    })  # fmt: skip


def _markdown(text: str) -> Iterator[MeasuredRun]:
    """Yield the tests of the table that ``llama-bench`` prints; it names no file, so the model is for the reader."""
    titles: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if "test" in cells and "t/s" in cells:
            titles = cells
            continue
        row = dict(zip(titles, cells, strict=False))
        test = _TEST.fullmatch(row.get("test", ""))
        if len(row) < 3 or test is None or not (test["pp"] or test["tg"]):
            continue
        run = llama_bench({
            "model_type": row.get("model"), "n_prompt": test["pp"], "n_gen": test["tg"], "n_depth": test["depth"],
            "avg_ts": row.get("t/s", "").split("±")[0].strip(),
        })  # fmt: skip
        if run.figures:
            yield run


def is_llama_table(text: str) -> bool:
    """Return whether a text is the CSV of ``llama-bench``."""
    header = text.lstrip()[:2000].split("\n", 1)[0]
    return "n_prompt" in header and "avg_ts" in header and "{" not in header


def llama_table(file: str, text: str) -> list[MeasuredRun]:
    """Return the tests of a CSV of ``llama-bench``."""
    rows = [cells for _, cells in csv_lines(file, text)]
    runs = [llama_bench(dict(zip(rows[0], row, strict=False))) for row in rows[1:]]
    return [run for run in runs if run.figures]
