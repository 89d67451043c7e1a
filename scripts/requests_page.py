"""Replays measured requests through the simulator and writes docs/validation/requests.md and its picture.

python scripts/requests_page.py --data DIR
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
NAMES = {"ttft_s": "TTFT", "tpot_s": "TPOT", "e2e_s": "E2E latency"}
DEVELOPED_BESIDE = ("meta-llama/Llama-3.1-8B",)
"""Models whose runs were at hand when the simulator was written; all others are new to it."""
PUBLISHED_LAYOUT = {"n_gpus": "2", "tp": "2"}
"""Of the run of Qwen3-32B, by its publisher (bench/examples/RTXPRO6000/Qwen3-32B/config.json); its rows do not say."""
QUEUE_METRICS = ("output_tok_s", "ttft_ms_mean", "ttft_ms_p99", "tpot_ms_mean", "tpot_ms_p99")
SHIPPED = shipped_calibration()
ENGINES = calibrated(SHIPPED)
SERVER: dict[str, Any] = {"step_tokens": 8192, "max_batch": 1024}

PAGE = """# Simulated against measured requests, one by one

Written by `python scripts/requests_page.py --data DIR`; `jevons validate request_traces.csv` prints the same errors.

**Claim:** on the runs available when the simulator was written, the median error of E2E latency over {known} requests
is {e2e:.0f} %, and the mean TTFT of a run is off by at most {ttft:.0f} %. The claim fails on a later run,
{new_names}: the median error of E2E latency is {new_e2e:.0f} %, and the mean TTFT is off by {new_ttft:+.0f} %.
Nothing was fitted to any of these runs.

**Measured:** vLLM 0.19 inside the client's process, 300 ShareGPT requests a run at about ten a second, output lengths
fixed, bfloat16 ([LLMServingSim's bench examples](https://github.com/casys-kaist/LLMServingSim), MIT). The times are
the engine's own: `ttft_s` is from entry into the engine's queue to the first token, `e2e_s` to the last.

**Predicted** from the load alone: arrival times, prompt tokens and output tokens. The deployment follows from the
columns: the model's own precision on the smallest number of devices that holds it, and vLLM's shipped factors. Limits
are those of vLLM inside a process ({tokens:,} tokens a step, {batch} requests). The KV cache takes what weights,
activations and reserve leave.

**Fitted:** nothing on these requests, but they are no strict hold-out. Three corrections followed the residuals of
the first two runs: the measured kernels that stand in for the RTX 4090's, the memory bandwidth as a limit of
attention, and vLLM's memory reserve. Each rests on other evidence: io.net's RTX 4090, physics, vLLM's start-up logs.
The shipped scales were fitted to some four thousand figures; eight summary figures
of each of the first two runs are among them.

![Predicted against measured answers, and distributions of first tokens](requests.svg)

## Errors

Per request, absolute percentage error, median and 90th percentile; signed error of a run's mean and percentiles.

{errors}

## Findings from the runs

Each line leaves one effect out of the simulation and gives the signed error of the run's mean.

{ablation}

- **Cache size decides.** An RTX 4090 holds about forty of these requests at once; the others wait more than a
  minute. A reserve of 3 GB, in place of the 1.5 GB of vLLM's start-up logs, lengthens the mean TTFT there by a third.
- **The engine's limits depend on how it was started.** Inside a process it takes {batch} requests and {tokens:,}
  tokens a step on every device; as a server 1,024 and 8,192 on large devices. With the server's limits no request
  waits on the RTX PRO 6000. E2E latency of Llama-3.1-8B stays near the measurement, but only because two errors
  cancel.
- **A preempted request does not start from nothing.** Its blocks stay in the prefix cache until they are evicted, the
  first ones longest, so most of its prompt is a cache hit. The engine keeps its output tokens too; the simulator does
  not, which is part of the remaining error on the RTX 4090.
- **The number of devices is not stated.** The smallest number that holds the model is taken. Qwen3-32B had 128 requests
  of 172,000 tokens running at once: 45 GB of cache beside 65.5 GB of weights, more than a card of 96 GB holds. The
  publisher's configuration has two cards, tp 2; nothing in a row tells, as the Llama-3.1-8B of the RTX 4090 fills as
  much of its one. With two cards the median errors are {two_e2e:.0f} % of E2E latency and {two_tpot:.0f} % of TPOT, and
  the mean TTFT is off by {two_ttft:+.0f} %: steps of tensor parallelism over the bus come out too short.

## Rows of serving tables with queues

Absolute percentage error, median / 90th percentile, of two models: the loop over engine steps that the factors were
fitted with, and the event simulator. The choice between them was made on these rows. The simulator is used for open
loops. Closed loops and bursts stay with the loop (132 figures of vLLM at a concurrency: 37 % by the loop, 36 % by the
simulator; 581 of bursts: 23 and 25 %). So do MLPerf's server tasks: its harnesses look for requests every few steps.

{queues}

The two differ little when step times are equal. The large errors in these rows come from the step
time, or from a server that was still warming up.

## Known errors

- **Near saturation a queue multiplies the error of a step.** On a full machine, steps 4 % too short shorten the wait
  by 13 %; steps 9 % too long lengthen it by 14 %. The run of Qwen3-32B shows the worst
  case: TPOT is off by {new_tpot:.0f} % (median), and the mean TTFT by {new_ttft:+.0f} %.
- **Requests that find no queue wait one step longer than predicted.** vLLM schedules the next step while the last one
  runs, and records `queued_s` on average half a step after arrival. Both are 10 to 30 ms: most of the error of the
  {quick} requests with a measured TTFT below 0.3 s (median error {quick_error:.0f} %).
- **The first steps after start are slower** (0.39 s for 2,048 tokens on the RTX 4090, 0.20 s later): kernels load
  when first used.
- **Decode on the RTX 4090 was measured at 97 % of its memory's nominal bandwidth**, which no measured kernel of its
  relatives reaches. On the RTX PRO 6000, steps with prompts beside a full batch come out a tenth too short.
- **Not covered:** tensor parallelism, experts, several replicas. The {count} requests are of two dense models.
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
    quick = [apart(run, "ttft_s")[run.measured["ttft_s"] < 0.3] for run in replays]
    known = [run for run in replays if run.group.startswith(DEVELOPED_BESIDE)]
    new = [run for run in replays if not run.group.startswith(DEVELOPED_BESIDE)]
    two_rows = [{**row, **PUBLISHED_LAYOUT} for row in rows]
    two = [replay(run.group, two_rows, groups[run.group]) for run in new]
    text = PAGE.format(
        count=len(rows), known=sum(len(run.rows) for run in known), e2e=median_error(known, "e2e_s"),
        ttft=100 * max(abs(deviation(run, "ttft_s", "mean")) for run in known),
        new_names="; ".join(run.group.replace(" :: ", " on ") for run in new), new_e2e=median_error(new, "e2e_s"),
        new_tpot=median_error(new, "tpot_s"), new_ttft=100 * max(deviation(run, "ttft_s", "mean") for run in new),
        tokens=replays[0].limits.step_tokens, batch=replays[0].limits.max_batch,
        errors="\n".join(error_lines(replays)), ablation="\n".join(ablation_lines(rows, groups, replays)),
        queues="\n".join(queue_lines(data)), two_e2e=median_error(two, "e2e_s"), two_tpot=median_error(two, "tpot_s"),
        two_ttft=100 * max(deviation(run, "ttft_s", "mean") for run in two),
        quick=sum(map(len, quick)), quick_error=100 * float(np.median(np.abs(np.concatenate(quick)))),
    )  # fmt: skip
    with writing(PAGES / "requests.md", force=True) as stream:
        stream.write(text)
    return 0


def apart(replayed: Replay, metric: str) -> np.ndarray:
    """Return signed relative errors of a metric's requests."""
    return replayed.predicted[metric] / replayed.measured[metric] - 1.0


def median_error(runs: Sequence[Replay], metric: str) -> float:
    """Return the median absolute error of a metric over the requests of runs [%]."""
    return 100 * float(np.nanmedian(np.abs(np.concatenate([apart(run, metric) for run in runs]))))


def deviation(replayed: Replay, metric: str, statistic: str) -> float:
    """Return the signed relative error of a statistic over a run's requests."""
    return statistics(replayed.predicted[metric])[statistic] / statistics(replayed.measured[metric])[statistic] - 1.0


def error_lines(replays: Sequence[Replay]) -> list[str]:
    """Return the table of errors by run and metric."""
    lines = [
        "| run | time | requests | median | p90 | mean measured | predicted | mean | p50 | p90 | p99 |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for run in replays:
        for metric in METRICS:
            size = np.abs(apart(run, metric))
            scale, unit = (1e3, "ms") if metric == "tpot_s" else (1.0, "s")
            means = [scale * statistics(times[metric])["mean"] for times in (run.measured, run.predicted)]
            signed = " | ".join(f"{100 * deviation(run, metric, s):+.1f} %" for s in ("mean", "p50", "p90", "p99"))
            name = run.group.replace(" :: ", ", ")
            lines.append(
                f"| {name} | {NAMES[metric]} | {len(size)} | {100 * np.nanmedian(size):.1f} % | "
                f"{100 * np.nanquantile(size, 0.9):.1f} % | {means[0]:.3g} {unit} | {means[1]:.3g} {unit} | {signed} |"
            )
    return lines


def ablation_lines(rows: Sequence[Row], groups: dict[str, list[int]], replays: Sequence[Replay]) -> list[str]:
    """Return the table of what leaving one thing out does to each run."""
    heads = [replayed.group.split("/")[-1].replace(" :: ", " on ") for replayed in replays]
    columns = " | ".join(f"{name}, {NAMES[metric]}" for name in heads for metric in ("ttft_s", "e2e_s"))
    lines = [f"| simulation | {columns} |", "|---|" + "---:|" * (2 * len(heads))]
    variants = {
        "as predicted": list(replays),
        "the limits of a server": [],
        "a reserve of 3 GB": [],
        "no block kept": [],
    }
    for (name, indices), replayed in zip(groups.items(), replays, strict=True):
        block_bytes = kv_bytes_per_request(replayed.deployment, 8192.0) / 8192.0 * replayed.limits.block_tokens
        smaller = replayed.limits.kv_blocks - int(
            (3e9 - replayed.deployment.engine.batching.reserved_bytes) / block_bytes
        )
        variants["the limits of a server"].append(
            replay(name, rows, indices, limits=replace(replayed.limits, **SERVER))
        )
        variants["a reserve of 3 GB"].append(
            replay(name, rows, indices, limits=replace(replayed.limits, kv_blocks=smaller))
        )
        variants["no block kept"].append(replay(name, rows, indices, keeps_blocks=False))
    for label, runs in variants.items():
        cells = (f"{100 * deviation(run, metric, 'mean'):+.1f} %" for run in runs for metric in ("ttft_s", "e2e_s"))
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def queue_lines(data: Path) -> list[str]:
    """Return the table of errors of both ways to predict rows with a queue."""
    errors: dict[tuple[str, str], list[tuple[float, float]]] = {}
    answers: dict[Case, tuple[Answer, Answer] | None] = {}
    used: dict[str, str] = {}
    for row in read_table(data / "engine_bench.csv").rows:
        if row["metric"] not in QUEUE_METRICS:
            continue
        try:
            case = read_case(row)
            if case.scenario != "open":
                continue
            if case not in answers:
                answers[case] = None
                prepared = prepare(case, ENGINES)
                looped, simulated = (by(prepared, ENGINES, SHIPPED.scales) for by in (answer, queued_answer))
                answers[case] = looped, simulated
            pair = answers[case]
            if pair is None or not float(row["value"]) > 0.0:
                continue
            figures = [abs(metric_value(row["metric"], case, outcome) / float(row["value"]) - 1.0) for outcome in pair]
        except (InputError, InfeasibleError, FactError, ValueError):
            continue
        kind = "open loop"
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
