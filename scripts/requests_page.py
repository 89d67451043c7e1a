"""Replays measured requests through the simulator and writes docs/validation/requests.md and its picture.

python scripts/requests_page.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.files import writing
from jevons.plot.requests import replay_figure
from jevons.plot.style import figure_svg
from jevons.serving import kv_bytes_per_request
from jevons.serving.calibration import shipped_calibration
from jevons.validation.rows import read_table
from jevons.validation.serving.case import Case
from jevons.validation.serving.cases import read_case
from jevons.validation.serving.predict import Answer, answer, calibrated, metric_value, prepare
from jevons.validation.serving.queueing import queued_answer, queues
from jevons.validation.serving.requests import METRICS, Replay, Row, groups_of, replay, statistics

PAGES = Path(__file__).parent.parent / "docs" / "validation"
NAMES = {"ttft_s": "first token", "tpot_s": "per token", "e2e_s": "whole answer"}
QUEUE_METRICS = ("output_tok_s", "ttft_ms_mean", "ttft_ms_p99", "tpot_ms_mean", "tpot_ms_p99")
SHIPPED = shipped_calibration()
ENGINES = calibrated(SHIPPED)
SERVER: dict[str, Any] = {"step_tokens": 8192, "max_batch": 1024}

PAGE = """# Requests, one by one, against their simulation

Written by `python scripts/requests_page.py --data DIR`; `jevons validate request_traces.csv` prints the same errors.
**Claim:** the event simulator predicts when each of {count} measured requests was answered within {e2e:.0f} % (median),
and the mean wait for the first token of a run within {ttft:.0f} %, with nothing fitted to these runs.

**Measured:** vLLM 0.19 inside the client's process, 300 ShareGPT requests a run at about ten a second, output lengths
fixed, bfloat16 ([LLMServingSim's bench examples](https://github.com/casys-kaist/LLMServingSim), MIT). The engine's own
stamps: `ttft_s` is first token less entry into the engine's queue, `e2e_s` last token less the same.

**Predicted** from the load alone: when requests arrived, prompt and output tokens. The deployment is what the columns
imply: the model's own precision on the least number of devices that holds it, vLLM's shipped factors, the limits that
its engine takes where nothing is set and no server asks ({tokens:,} tokens a step, {batch} requests), and the cache
that is left beside weights, work space and reserve.

**Fitted:** nothing on these requests. But three things were put right after their residuals were seen: whose measured
kernels the RTX 4090 borrows, that attention reads its cache no faster than the memory can, and vLLM's reserve of
memory; each stands on evidence of its own (io.net's RTX 4090, physics, vLLM's start-up logs). And the scales that ship
were fitted to serving tables which hold eight summary figures of each of these runs among some four thousand. The
errors are therefore not those of a strict hold-out.

![Predicted against measured answers, and distributions of first tokens](requests.svg)

## Errors

Per request, absolute percentage error, median and 90th percentile; signed error of a run's mean and percentiles.

{errors}

## What the runs taught

Each line leaves one thing out of the simulation; signed error of the run's mean.

{ablation}

- **Room in the cache decides.** An RTX 4090 holds some forty of these requests at once; the rest wait for more than a
  minute. A reserve of 3 GB in place of the 1.5 GB of vLLM's start-up logs lengthens every wait by half.
- **The engine's limits are those of how it was started.** Inside a process it takes {batch} requests and {tokens:,}
  tokens a step on every device, as a server 1,024 and 8,192 on large ones. With the server's limits nobody waits on the
  RTX PRO 6000: the whole answer comes out as measured, by two errors that cancel.
- **A request that loses its place does not start from nothing.** Its blocks stay in the prefix cache until others take
  them, the first ones longest, so most of its prompt is found again. Output tokens are kept by the engine too, and by
  the simulator not: part of what is left on the RTX 4090.

## Serving tables: rows where requests queue

Absolute percentage error, median / 90th percentile, of the loop over engine steps to which the factors were fitted, and
of the event simulator. What is used was chosen on these rows: the simulator for open loops and for MLPerf's server
tasks on engines that schedule as it does; not for TensorRT-LLM, which admits a request only with room for its whole
answer. Closed loops and bursts were tried too (132 figures of vLLM at a concurrency: 37 % by the loop, 36 % by the
simulator; 581 of bursts: 23 and 25 %) and stay with the loop.

{queues}

The two differ little: with equal step times a queue is a queue. What is far off in these rows is the step, the layout
that MLPerf does not state, or a server that was still warming up.

## What is left

- A queue multiplies the error of a step: where the machine is full, steps that are 4 % too short shorten the wait for a
  place by 13 %, and steps that are 9 % too long lengthen it by 14 %.
- vLLM schedules the next step while the last one runs, so that a request that comes while others decode waits one more
  step than here, and `queued_s` is stamped at the engine's next step, half a step after arrival on average. Both are
  some 10 to 30 ms: nothing in a queue of seconds, most of the error of those that meet no queue
  ({quick} requests with a measured first token within 0.3 s: median error {quick_error:.0f} %).
- The first steps after start are slower than the same ones later (0.39 s for 2,048 tokens on the RTX 4090, 0.20 s
  after): kernels that load when first used.
- Decoding on the RTX 4090 was measured at 97 % of its memory's nominal bandwidth, which no kernel of its relatives
  reaches; on the RTX PRO 6000 steps with prompts beside a full batch come out a tenth too short.
- {count} requests are two runs of one model of 8 billion parameters without tensor parallelism: nothing is shown here
  of links, experts, or more than one replica.
"""


def main() -> int:
    """Replay, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds serving/request_traces.csv")
    data = parser.parse_args().data / "serving"
    rows = read_table(data / "request_traces.csv").rows
    groups = groups_of(rows)
    replays = [replay(name, rows, indices) for name, indices in groups.items()]
    with writing(PAGES / "requests.svg", force=True) as stream:
        stream.write(figure_svg(replay_figure(replays)) + "\n")
    quick = [apart(one, "ttft_s")[one.measured["ttft_s"] < 0.3] for one in replays]
    means = [abs(deviation(one, "ttft_s", "mean")) for one in replays]
    text = PAGE.format(
        count=len(rows), e2e=100 * float(np.median(np.concatenate([np.abs(apart(one, "e2e_s")) for one in replays]))),
        ttft=100 * max(means), tokens=replays[0].limits.step_tokens, batch=replays[0].limits.max_batch,
        errors="\n".join(error_lines(replays)), ablation="\n".join(ablation_lines(rows, groups, replays)),
        queues="\n".join(queue_lines(data)),
        quick=sum(map(len, quick)), quick_error=100 * float(np.median(np.abs(np.concatenate(quick)))),
    )  # fmt: skip
    with writing(PAGES / "requests.md", force=True) as stream:
        stream.write(text)
    return 0


def apart(one: Replay, metric: str) -> np.ndarray:
    """Return signed relative errors of a metric's requests."""
    return one.predicted[metric] / one.measured[metric] - 1.0


def deviation(one: Replay, metric: str, statistic: str) -> float:
    """Return the signed relative error of a statistic over a run's requests."""
    return statistics(one.predicted[metric])[statistic] / statistics(one.measured[metric])[statistic] - 1.0


def error_lines(replays: Sequence[Replay]) -> list[str]:
    """Return the table of errors by run and metric."""
    lines = [
        "| run | time | requests | median | p90 | mean measured | predicted | mean | p50 | p90 | p99 |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in replays:
        for metric in METRICS:
            size = np.abs(apart(one, metric))
            scale, unit = (1e3, "ms") if metric == "tpot_s" else (1.0, "s")
            means = [scale * statistics(times[metric])["mean"] for times in (one.measured, one.predicted)]
            signed = " | ".join(f"{100 * deviation(one, metric, s):+.1f} %" for s in ("mean", "p50", "p90", "p99"))
            name = one.group.replace(" :: ", ", ")
            lines.append(
                f"| {name} | {NAMES[metric]} | {len(size)} | {100 * np.median(size):.1f} % | "
                f"{100 * np.quantile(size, 0.9):.1f} % | {means[0]:.3g} {unit} | {means[1]:.3g} {unit} | {signed} |"
            )
    return lines


def ablation_lines(rows: Sequence[Row], groups: dict[str, list[int]], replays: Sequence[Replay]) -> list[str]:
    """Return the table of what leaving one thing out does to each run."""
    heads = [one.group.split(" :: ")[1] for one in replays]
    columns = " | ".join(f"{name}, {NAMES[metric]}" for name in heads for metric in ("ttft_s", "e2e_s"))
    lines = [f"| simulation | {columns} |", "|---|" + "---:|" * (2 * len(heads))]
    made = {"as predicted": list(replays), "the limits of a server": [], "a reserve of 3 GB": [], "no block kept": []}
    for (name, indices), one in zip(groups.items(), replays, strict=True):
        block_bytes = kv_bytes_per_request(one.deployment, 8192.0) / 8192.0 * one.limits.block_tokens
        smaller = one.limits.kv_blocks - int((3e9 - one.deployment.engine.reserved_bytes) / block_bytes)
        made["the limits of a server"].append(replay(name, rows, indices, limits=replace(one.limits, **SERVER)))
        made["a reserve of 3 GB"].append(replay(name, rows, indices, limits=replace(one.limits, kv_blocks=smaller)))
        made["no block kept"].append(replay(name, rows, indices, keeps_blocks=False))
    for label, runs in made.items():
        cells = (f"{100 * deviation(run, metric, 'mean'):+.1f} %" for run in runs for metric in ("ttft_s", "e2e_s"))
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def queue_lines(data: Path) -> list[str]:
    """Return the table of errors of both ways to predict rows with a queue."""
    errors: dict[tuple[str, str], list[tuple[float, float]]] = {}
    answers: dict[Case, tuple[Answer, Answer] | None] = {}
    used: dict[str, str] = {}
    for row in (row for name in ("engine_bench", "mlperf_inference") for row in read_table(data / f"{name}.csv").rows):
        if row["metric"] not in QUEUE_METRICS:
            continue
        try:
            case = read_case(row)
            if case.scenario != "open" and not case.scenario.startswith(("mlperf-server", "mlperf-interactive")):
                continue
            if case not in answers:
                answers[case] = None
                prepared = prepare(case, ENGINES)
                looped, simulated = (by(prepared, ENGINES, SHIPPED.scales) for by in (answer, queued_answer))
                answers[case] = looped, simulated
            pair = answers[case]
            if pair is None or not float(row["value"]) > 0.0:
                continue
            figures = [abs(metric_value(row["metric"], case, one) / float(row["value"]) - 1.0) for one in pair]
        except (InputError, InfeasibleError, FactError, ValueError):
            continue
        kind = "open loop" if case.scenario == "open" else f"MLPerf server, {case.engine}"
        used[kind] = "simulator" if queues(case) else "loop"
        errors.setdefault((kind, row["metric"]), []).append((figures[0], figures[1]))
    lines = ["| rows | metric | figures | loop | simulator | used |", "|---|---|---:|---:|---:|---|"]
    for (kind, metric), pairs in sorted(errors.items()):
        columns = np.array(pairs).T
        cells = [f"{100 * np.median(c):.0f} / {100 * np.quantile(c, 0.9):.0f}" for c in columns]
        lines.append(f"| {kind} | {metric} | {len(pairs)} | {cells[0]} | {cells[1]} | {used[kind]} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
