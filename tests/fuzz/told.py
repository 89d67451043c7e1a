"""More targets: what people are told or tell: announcements, load tests, launch lines, actuals, prices, the page."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

from targets import JUNK, Target, encoded, mutated, written

# Announcements ------------------------------------------------------------------------------------------------------

_SAID = (
    (
        "Alibaba will invest at least 380 billion yuan over the next three years in cloud and AI infrastructure.\n"
        "Its cloud revenue grew 13% year over year to 31.7 billion yuan in Q4 2024. It runs 100,000 H20 cards.\n"
        "Output costs $0.8 per million tokens, one third of last year's price."
    ),
    (
        "阿里巴巴宣布未来三年将投入至少3800亿元建设云和人工智能基础设施,超过过去十年总和。\n"
        "2024年第四季度云收入317.42亿元,同比增长13%。百万tokens价格下降九成,市盈率约15倍,三到五万张卡,1.5吉瓦。"
    ),
)
_VERDICTS = {"confirmed", "contradicted", "unlike", "not_on_file", "unread"}


def make_said(rng: random.Random) -> str:
    text = mutated(rng.choice(_SAID), rng)
    if rng.random() < 0.3:
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(("9", "1,", "一", "百", "to 5 ", "1.5", "$", " ", "-", "%")) * rng.choice(
            (3, 50, 900)
        )
    return text.replace("\ud800", "?")


def judge_said(case: str, folder: Path) -> None:
    import jevons

    said = jevons.read(written(folder, "said.txt", encoded(case)))
    for claim in said.claims:
        assert claim.verdict in _VERDICTS
        for figure in claim.named.values():
            assert math.isfinite(figure.low), figure
            assert figure.low <= figure.high, figure
    said.to_json()


# Load tests ---------------------------------------------------------------------------------------------------------

_LATENCY = {"unit": "ms", "avg": 80.0, "p50": 78.0, "p90": 100.0, "p95": 110.0, "p99": 140.0}
_GUIDE = {"successful": {"mean": 4.0, "median": 4.0, "percentiles": {"p50": 4.0, "p95": 4.0, "p99": 8.0}}}
_BENCHES: tuple[Any, ...] = (
    {
        "backend": "vllm", "model_id": "Qwen/Qwen3-0.6B", "num_prompts": 100, "request_rate": 2.0, "duration": 50.0,
        "completed": 100, "total_input_tokens": 10000, "total_output_tokens": 2000, "output_throughput": 40.0,
        "mean_ttft_ms": 20.0, "p99_ttft_ms": 40.0, "mean_tpot_ms": 5.0, "input_lens": [100, 90], "output_lens": [20, 9],
    },
    {
        "request_throughput": {"unit": "requests/sec", "avg": 5.0}, "request_latency": _LATENCY,
        "time_to_first_token": _LATENCY, "output_sequence_length": {"unit": "tokens", "avg": 200.0},
        "input_config": {"endpoint": {"model_names": ["Qwen/Qwen3-8B"]}, "loadgen": {"concurrency": 10}},
    },
    {"benchmarks": [{"config": {"strategy": {"type_": "constant", "rate": 4.0}}, "duration": 60.0,
                     "metrics": {"requests_per_second": _GUIDE, "time_to_first_token_ms": _GUIDE}}]},
    {"load_summary": {"count": 100, "requested_rate": 2.0},
     "successes": {"count": 100, "latency": {"time_to_first_token": {"mean": 0.05, "p99": 0.1}},
                   "throughput": {"output_tokens_per_sec": 260.0}, "prompt_len": {"mean": 250.0}}},
    {"num_concurrent_requests": 4, "results_ttft_s_mean": 0.054, "results_number_input_tokens_mean": 550},
)  # fmt: skip
_PRINTED = (
    (
        "============ Serving Benchmark Result ============\nSuccessful requests:                     300\n"
        "Benchmark duration (s):                  36.00\nTotal input tokens:                      300000\n"
        "Total generated tokens:                  81000\nRequest throughput (req/s):              8.33\n"
        "Mean TTFT (ms):                          54.58\nP99 TTFT (ms):                           89.80\n"
    ),
    (
        'vllm:time_to_first_token_seconds_sum{model_name="x"} 12.3\n'
        'vllm:time_to_first_token_seconds_count{model_name="x"} 100\n'
        'vllm:time_to_first_token_seconds_bucket{le="0.1",model_name="x"} 60\n'
        'vllm:time_to_first_token_seconds_bucket{le="+Inf",model_name="x"} 100\n'
        'vllm:cache_config_info{block_size="16",num_gpu_blocks="5000"} 1\n'
    ),
    "concurrency,isl,osl,mean TTFT (ms),p99 TPOT (ms),output throughput (tok/s)\n4,500,200,54.6,9,300\n",
)
_VALUES: tuple[Any, ...] = (0, -1, 1e300, "nan", "x", None, [], {}, True, "inf", [[]], {"mean": []}, 10**400, "1e400")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in _places(one, (*path, key)))]


def make_bench(rng: random.Random) -> bytes:
    if rng.random() < 0.4:
        return encoded(mutated(rng.choice(_PRINTED), rng))
    bench = json.loads(json.dumps(rng.choice(_BENCHES)))
    for _ in range(rng.choice((1, 1, 3))):
        place = rng.choice(_places(bench)[1:] or [()])
        owner = bench
        for key in place[:-1]:
            owner = owner[key]
        if place:
            owner[place[-1]] = copy.deepcopy(rng.choice(_VALUES))
    text = json.dumps(bench)
    return encoded(mutated(text, rng) if rng.random() < 0.1 else text)


def judge_bench(case: bytes, folder: Path) -> None:
    from jevons.serving.measured import read_runs

    for run in read_runs(written(folder, "bench.json", case)):
        for name, figure in run.figures.items():
            assert math.isfinite(figure), (name, figure)
            assert figure > 0.0, (name, figure)
        assert run.isl is None or run.isl > 0.0
        assert run.osl is None or run.osl > 0.0
        assert run.users is None or run.users > 0


# Launch lines -------------------------------------------------------------------------------------------------------

_LINES = (
    (
        "VLLM_USE=1 vllm serve meta-llama/Llama-3.1-8B --tensor-parallel-size 2 --max-num-seqs 256 --max-model-len 32k"
        " --gpu-memory-utilization 0.9 --kv-cache-dtype fp8 --speculative-config '{\"num_speculative_tokens\": 3}'"
    ),
    "docker run --gpus all -p 8000:8000 vllm/vllm-openai:v0.9.1 --model Qwen/Qwen3-30B-A3B -tp=4",
    (
        "python -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3 --tp 8 --dp 8 --enable-dp-attention "
        "--mem-fraction-static 0.85 --chunked-prefill-size 8192"
    ),
    "trtllm-serve Qwen/Qwen3-30B-A3B --tp_size 4 --ep_size 4 --max_batch_size 512 --kv_cache_dtype fp8",
)


def make_line(rng: random.Random) -> str:
    words = rng.choice(_LINES).split(" ")
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(words))
        kind = rng.randrange(3)
        if kind == 0:
            words[at] = rng.choice(JUNK)
        elif kind == 1:
            del words[at]
        else:
            words.insert(at, words[rng.randrange(len(words))])
        words = words or [""]
    return " ".join(words)


def judge_line(case: str, folder: Path) -> None:
    from jevons.serving.launch import deployment_of, read_launch

    del folder
    given = deployment_of(read_launch(case))
    for name in ("tp", "pp", "dp", "ep"):
        assert 1 <= given[name].value <= 4096 * 4096, name
    assert given["draft_tokens"].value >= 0 if "draft_tokens" in given else True


# Actuals and prices -------------------------------------------------------------------------------------------------

_ACTUALS = (
    "quarter,quantity,value,unit\n2025-Q1,cloud_revenue,1,bn CNY\n2025-Q2,tokens_per_d,1e12,\n"
    "2025-06-30,capex,2 bn CNY\n"
)
_PRICES = "date,price,earnings,yield\n2024-12-31,80,5e9,0.016\n2025-01-31,100,5e9,0.017\n2025-02-24,140,6e9,0.018\n"


def make_actuals(rng: random.Random) -> bytes:
    return encoded(mutated(_ACTUALS, rng))


def judge_actuals(case: bytes, folder: Path) -> None:
    from wide import _amounts

    from jevons.study.track.actuals import actuals_of_file

    for actual in actuals_of_file(written(folder, "a.csv", case), _amounts()[0]):
        assert math.isfinite(actual.value)
        assert actual.value >= 0.0 or actual.series.endswith("_frac")


def make_prices(rng: random.Random) -> bytes:
    return encoded(mutated(_PRICES, rng))


def judge_prices(case: bytes, folder: Path) -> None:
    from jevons.study.plan.prices import read_prices

    quotes = read_prices(written(folder, "p.csv", case))
    assert len(quotes) >= 2


# Questions of the page ----------------------------------------------------------------------------------------------

_QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("size", {"model": "qwen3-0.6b", "gpu": "h20", "rate": 2, "static": True}),
    ("cost", {"gpu": "h20", "model": "qwen3-0.6b", "isl": 200, "osl": 50}),
    ("train", {"model": "qwen3-0.6b", "gpu": "h20", "gpus": 8, "tokens": "1B"}),
    ("compare", {"a": {"kind": "cost", "input": {"gpu": "h20"}}, "b": {"kind": "cost", "input": {"gpu": "h100_sxm"}}}),
)
_PLACED: tuple[Any, ...] = (
    *_VALUES, "/etc/passwd", "../x.yaml", "~", "a\x00b", "x" * 5000, ["x"] * 500, {"x": {"x": {"x": 1}}}, "http://x/y",
)  # fmt: skip


def make_question(rng: random.Random) -> tuple[Any, Any]:
    kind, body = rng.choice(_QUESTIONS)
    given: Any = json.loads(json.dumps(body))
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.choice(_places(given))
        if not place:
            given[str(rng.choice(("rate", "hardware", "calibration", "trace", "serve", "map", "load")))] = rng.choice(
                _PLACED
            )
            continue
        owner = given
        for key in place[:-1]:
            owner = owner[key]
        owner[place[-1]] = copy.deepcopy(rng.choice(_PLACED))
    return (rng.choice((kind, kind, kind, *_PLACED))), given if rng.random() < 0.95 else rng.choice(_PLACED)


def judge_question(case: tuple[Any, Any], folder: Path) -> None:
    from jevons.web.inputs import asked

    del folder
    question = asked(*case)
    text = json.dumps(dict(question.input))
    assert "/etc/passwd" not in text
    assert ".yaml" not in text


TARGETS = (
    Target("announcements", make_said, judge_said, 60),
    Target("load tests", make_bench, judge_bench, 400),
    Target("launch lines", make_line, judge_line, 300),
    Target("actuals", make_actuals, judge_actuals, 200),
    Target("prices", make_prices, judge_prices, 200),
    Target("questions of the page", make_question, judge_question, 300),
)


def warm_up(folder: Path) -> None:
    """Import what the targets use."""
    for said in _SAID:
        judge_said(said, folder)
    judge_actuals(encoded(_ACTUALS), folder)
    judge_prices(encoded(_PRICES), folder)
    for line in _LINES:
        judge_line(line, folder)
    for bench in _BENCHES:
        judge_bench(encoded(json.dumps(bench)), folder)
    for question in _QUESTIONS:
        judge_question(question, folder)
