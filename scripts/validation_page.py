"""Writes the page and the plots of how far serving predictions are from measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

# What a set is asked to reach on rows not fitted: median and 90th-percentile absolute error [%].
TARGETS = {
    "inferencex_silicon tpot_ms (prefill apart)": (12, 35), "inferencex_silicon ttft_ms (prefill apart)": (30, 70),
    "inferencex_mantile tpot_ms_mean (prefill apart)": (12, 35),
    "inferencex_mantile ttft_ms_mean (prefill apart)": (30, 70),
    "trtllm_overview": (8, 25), "inferencex_silicon tpot_ms": (8, 22), "inferencex_silicon ttft_ms": (18, 45),
    "engine_bench ttft": (30, 80), "engine_bench": (12, 40), "phase_latency": (8, 20), "mlperf_inference": (12, 35),
    "inferencex_mantile tpot_ms": (8, 22), "inferencex_mantile ttft_ms": (18, 45),
}  # fmt: skip
SCHEMES = ("fitted", "held out by group", "held out by device", "held out by model", "held out by release")
SHOWN = "held out by group"
_WORST = 14
_LEAST = 5
_COLOURS = {"trtllm": "#76b900", "vllm": "#30a2ff", "sglang": "#d7544b", "generic": "#666666", "eager": "#8a5cd0"}

# Why some groups are far off: what the rows leave unsaid, or physics that is missing.
REASONS = {
    "SGLang cookbook :: kimi": "one user's step takes 9 ms at 1,000 tokens of context, 25 at 8,000: a fallback kernel",
    "GPUStack performance lab :: glm": "a burst: its TTFT is the front end's pace, which differs by release",
    "SGLang cookbook": "the serve command is a best guess of the page's last one",
    "qwen3.5-35b-a3b :: H200": "the client did not time most tokens: times per token are left out, the rest is judged",
    "H100 PCIe": "weights leave little room for the cache, which rows do not state: a few prompts wait 20 s",
    "RTX 4090": "TTFT is seconds at 1 request/s and falls as the rate rises, while TPOT is as usual: no engine's wait",
    "gpt-oss-120b": "4-bit experts run on other kernels in each engine; at 512 users the figures lie below those at 64",
    "qwen3-32b :: GB200": "the figures rise and fall with the users without order (42 ms at 2 users, 28 ms at 8)",
    "qwen3.5-397b": "linear attention and experts in SGLang; part of the rows drafts tokens and does not say so",
    "kimi-k2.5 :: H200": "4-bit experts are measured on two devices only",
    "deepseek-v3/r1 :: MI355X": "exchanges between AMD devices were not measured alone, and this group has all of them",
    "deepseek-v3/r1 :: MI300X": "each step takes twice the MI355X's, however few its tokens: kernels not tuned",
    "deepseek-v3/r1 :: B300": "each prompt token takes five times as long as on a B200, at any precision and layout",
    "deepseek-v3/r1": "drafting is not recorded; where the engine's image says so it is assumed",
    "MI3": "no attention, exchange or all-reduce of an AMD device was measured alone",
    "falcon-180b": "a decoder of 2023 under static batching",
    "qwen3-30b-a3b :: Ascend 910B": "vLLM without graphs and MindIE on one page; its last part does not say which",
    "qwen3-30b-a3b": "many small experts per layer: fixed costs of the grouped products weigh most",
    "qwen3-235b-a22b :: H100": "block-scaled experts take less than alone; users keep step: prompts come together",
    "llama-4": "the experts' kernel with one scale per tensor was not measured alone",
    "llama-2-70b": "layout and lengths are not stated; the best layout and the task's mean lengths are taken",
}


PAGE = """# Serving predictions against measurements

Written by `python scripts/fit_serving.py --data DIR` from {rows} figures of {files} tables.

**Claim.** From a row's configuration alone, throughput, TTFT and TPOT of published serving runs are predicted with
the errors below, on figures held out of the fit.

**Fitted:** a few factors of each engine (host time per step, per request and per launched kernel; time outside the
engine), scales on the times of kernels (for all devices, by generation, by engine, and by engine on a
generation), and one scale on the host's time for each device. The method is robust, bounded least squares with a prior.
**Held out:** all rows of a group (source, model, device), of a device, of a model, or of an engine's minor release
together; groups are divided into five folds.

## Errors on rows held out

Absolute percentage error, median / 90th percentile. *Bias* is the median signed error, held out by group. *Fitted* is
the error on the rows of the fit.

{held}

![Predicted against measured, rows held out by group](serving.svg)

## 80 % intervals

Share of figures inside the interval that was set without their group, and the interval's median width (high over
low). Intervals come from the errors of held-out groups, devices and models, by distance from the fitted rows. Each
table's are then scaled until they contain 80 % of the held-out figures, or 85 % for a table of few groups. They are
wider for tables whose rows describe the run less fully. Phase latencies have only two groups. They take the intervals
of all tables, narrowed as far as the other group allows.

{intervals}

## Effect of four runs of a deployment

The update of `jevons calibrate` with four runs of a deployment (engine, release, device, model, precision) whose group
no fit had seen: errors of its other runs, median / 90th percentile, before and after. Errors are taken as linear in the
factors here. The command runs its own optimiser and can do slightly worse. Prompts of phase latencies get worse: the
error depends on the batch size.

{few}

## Coverage, and errors of the shipped factors

`jevons validate FILE` prints these. The shipped factors were fitted to most of these rows, so these are in-sample
errors. The report gives the reason for each row without a prediction.

{coverage}

## Groups with the largest errors

Groups of at least {least} figures, by median error held out by group.

| group | set | figures | median error | bias | why |
|---|---|---:|---:|---:|---|
{worst}

## How rows are read

- *Offline*: all requests are queued at the start. Throughput is that of the full machine, without the tail.
- *Concurrency N*: a closed loop of ten requests per user, which is InferenceX's own rule. Lengths lie between 0.8 and 1
  of the nominal ones; `ttft_ms` and `tpot_ms` are means.
- *N req/s*: Poisson arrivals; *inf*: a burst. It reaches vLLM when the front end has taken in all of it,
  SGLang one request at a time. vLLM
  0.11.0 parses the chat template for each request, 7 ms. Conversations have lognormal lengths of the printed mean, up
  to 1,024 tokens. Answers whose mean is a whole number to the digit all have that length. Until 0.9.2 vLLM's client
  drew gaps that do not add up to the rate: they are drawn likewise.
- *Static batch*: one batch, prompts first; `prompt_phase_ms` and `token_step_ms` are its two steps. Splitwise's batch
  latencies end with a stop token: those of 8,192 nominal tokens take as long as those of 2,048.
- *MLPerf* states neither layout nor lengths: the task's lengths, to its longest, and the best layout are assumed. Runs
  last ten minutes or more, so that large systems go through the set again and again, and their batches stay full.
  Cards called "dual" hold two devices. A stack that names TensorRT-LLM and another engine ran text under the former,
  and one of AMD's that names none ran vLLM. A third of Mixtral's prompts carry eight worked examples (GSM8K).
  Over ten minutes power binds boards that are sold to do more work per watt than the one whose kernels were measured:
  products on an H100 NVL take 30 % longer than alone, as training's rows say.
- *MLPerf's server scenario* is predicted at 98 % of the highest rate at which ten minutes of arrivals by chance meet
  the task's limits. Published configurations of the harnesses give the rest: tokens per step, seats, and how often the
  scheduler looks for requests (every ten steps in AMD's until vLLM 0.9, every three to eleven later).
- *Engines of 2023* launch each kernel of a step by itself and handle requests one by one in Python. Decode steps of a
  70B take as long on eight devices as on four.
- *A run that was measured did fit*: where the default share of memory leaves no room for its cache, 97 % are taken; of
  vLLM also where the cache holds no sequence of 8,192 tokens, or of the model's longest, without which it stops. A
  server of which a row tells nothing at all held the model's longest, or had 97 %.
- *GeForce cards* reach each other through the host's memory. Its bus carries each byte twice, a pair's too.
- *SGLang's share of memory*, where a server is told none, leaves room for a step's tokens and captured requests: 83 %
  of 80 GB, 90 % of 141. On one H100 that leaves 1 GB of cache beside gpt-oss-120b, a tenth of what 88 % would.
- *Copies*: runs that repeat all figures of another device or model to the digit are left out of the fit.
- *Layouts printed as products of sizes* are read as such, and left out of the fit. Four devices with two expert ranks
  are two: InferenceX's scripts take one expert rank, or as many as devices.
- *The first scripts of InferenceX for TensorRT-LLM* (October 2025; rows without a version) chose expert ranks and
  attention per device by users and lengths. Rows print neither: they have the layout of those rules.
- *Drafting* (multi-token prediction) is not recorded in most rows of InferenceX. It is assumed where the engine's image
  is only run with it, or where the same engine and layout appear under R1's name beside V3's. Rows named V3 have none.
- *A run that prints its acceptance length* drafted, whatever the page's last serve command says: three tokens a step
  where nothing states them. The length it prints is taken.
- *Captured batches*: servers started without a limit capture decode steps of up to 512 requests (vLLM; SGLang on four
  devices or more, else 256) or 32 (TensorRT-LLM, which pads none). Larger ones are launched kernel by kernel. Scripts
  of InferenceX give the engine all sizes that they need.
- *SGLang's tokens per step* are those of all attention ranks of a server together. Long prompts are spread over
  enough ranks that none exceeds its share of a step.
- *Prompts of latent attention* are expanded and run on FlashAttention-3 on Hopper. SGLang's measured kernel works on
  unexpanded latents, 3.4 times the work, and is not used. Models with sparse attention do not expand cached tokens.
- *InferenceX* rows state engine, model, device, layout, lengths and users. The public script of that model and device
  gives the rest: cache precision, tokens per step, waiting time for a batch, and which prefill steps run as captured
  graphs (`jevons/validation/serving/data/recipes.yaml`).
- *Sweeps that send the same prompts at each load* (runs of one day whose prompts have as many tokens to the digit, or a
  random data set of as many prompts): from the second load on the server's prefix cache knows all of them, where the
  release keeps prefixes untold and its cache holds a whole run. SGLang's client draws the same prompts again for other
  lengths of answers.
- *AIPerf* (the vendor's own runs) sends each of 100 prompts repeatedly, so they hit vLLM's prefix cache. Its
  statistics exclude the warm-up. Answer lengths differ by some eight tokens.
- *A server's front end* streams a limited number of tokens a second, however fast the devices are: 9,250 in
  TensorRT-LLM until
  1.0, some 19,000 in SGLang. Further tokens wait, so TTFT grows with the length of answers. InferenceX's scripts
  stream ten tokens at a time and do not reach it. The event simulator and `jevons size` do not model this limit.
- *Sweeps of Llama by TensorRT-LLM's maker* (1.0.0rc3) had one seat fewer than users: TTFT grows with the length of
  answers, by an answer's time over the number of seats.
- *Routers* choose some experts more often than others. Popularity is lognormal, of spread 1.1: a batch of medium size
  reaches up to a quarter fewer experts than it would at random.
- *A tensor parallelism of 12 to 72 without expert ranks* on GB200 is the device count of a run in pools. The row does
  not state the pools and is rejected.
- *A median gap of 0 ms between tokens* means that the client did not time most of them. Only TTFT and rates of such a
  run are used.
- *A stall of the first wave* is assumed for SGLang until 0.5.6 with DeepSeek on Blackwell: kernels that continue a
  prompt were compiled when the first came.
- *The first request to a new SGLang server on MI300X* waits 40 s for AMD's kernels to be compiled, unless they are off.
- *Separate pools* stream from the decode worker: the first token reaches the client after the KV transfer and a step.
  A front end sends requests to workers of both pools in turn. Ten of them share the load where the recipe does not ask
  for one (TensorRT-LLM on GB200, SGLang 0.5.8), and none knows what the others send: as many seats as users do not
  suffice then. Each prefill worker has a queue of its own. SGLang gives a
  prompt to one of the worker's attention ranks by chance and fills a step with a part of a prompt; TensorRT-LLM deals
  whole prompts to its ranks when a step begins. The step ends with the busiest rank. Where more users send than decode
  workers have seats, the rest wait. Rows print neither seats nor tokens per step: both are those of the public recipe
  that InferenceX names for the model, devices, workers and users. A request also passes a router, a handshake and polls
  (`hand_over_s`, fitted for each engine).
- *Exchanges between expert ranks* are not hidden behind another batch: SGLang does so where it is told to, and neither
  InferenceX's scripts nor the recipes that it names tell it. Its release 0.5.8 on GB200 hides a part of them.
- *Layouts of pools that rows misprint*: prefill workers on H200 in February 2026, and workers of four devices under
  SGLang 0.5.5, have the layout of their recipe.
- *Tokens of prompts between expert ranks on Grace Blackwell* are sent by 128 cores or more, not by DeepEP's 20, and
  under TensorRT-LLM in the precision that experts multiply in.
- *512 users of gpt-oss under vLLM* are a misprint of the client's limit. TTFT is 4.5 times an answer's time, as for ten
  requests of each of 4 to 64 users sent at once to as many seats. The actual number is not stated; 16 is assumed.
- *Old TensorRT-LLM*: until 0.7 decode attention read the cache once for each query head of a group, in part from the
  second-level cache; with 8-bit caches on Hopper until 0.9, for groups of other than eight heads. Engines built by
  TensorRT attended to the whole context where a model has windows, unless told the window, and cached all of it.
- *Llama 4 under TensorRT-LLM on Hopper* attends to whole contexts, in chunks on Blackwell: release 0.20 had no chunks,
  and later ones lose pace by them on Hopper.
- *Tokens between expert ranks under TensorRT-LLM*: all ranks gather those of all attention ranks, in 4 or 8 bits where
  they are quantised as a whole, and scatter sums back. Kernels that send tokens to their experts alone need an Arm host
  and one NVLink domain (GB200, GB300).
- *gpt-oss under TensorRT-LLM on Hopper* runs the Triton kernels published with the model, as the guide for serving
  advises. The performance overview, and servers that were told nothing, ran the default, CUTLASS kernels.
- *The launch of a prompt's kernels* delays its first token. A part of it (`entry_launch_s`, TensorRT-LLM alone)
  does not hold up the requests that decode beside it.
- *ATOM*, AMD's engine around the kernels that SGLang runs, is read as SGLang. It compiles the model as a whole by
  default, so that no prompt waits for launches. *MindIE* is read as SGLang too, which also computes the prompts that
  wait before it decodes. A section or label that names one engine tells more than the page's first serve command does.
- *Llama 70B under vLLM on H100* held what a cache of 16 bits holds, though the script asks for 8: with two devices 64
  users of 8k wait 59 s.
- *MiniMax in fp4 on nightly vLLM* ran the first script, which states neither tokens per step nor captured sizes.
- *DeepSeek's page of TensorRT-LLM* prints `FP4 (FP8 KV)` and "attention DP" in words: read as such.
- *Attention per device* in TensorRT-LLM: prompts wait up to 60 steps until each device has one. They arrive at
  devices at random, so this takes n H(n) prompts.
- *Runs on MI355X* sent 20 or 50 requests per user. Those in fp4 with prompts of 1k began with 21.5 s of compiling,
  which the 99th percentile of TTFT shows. Pools of SGLang compiled through the first wave: 10 s, 18 s with attention
  per device, 80 s over two nodes. Their exchanges between expert ranks take the time of 512 tokens at least.
- *SGLang 0.5.5 on AMD in fp8* compiled through the first wave: 3 s on MI355X, 3.7 s on MI300X, 8 s with prompts of 8k.
- *Asynchronous scheduling*: SGLang, TensorRT-LLM's PyTorch backend and vLLM from 0.14 compose a step while the previous
  one runs, so that an arrival waits one step longer. InferenceX's scripts tell vLLM 0.11 and 0.13 to do so: their
  tokens of gpt-oss take as long as those of 0.18.

**Chosen after residuals were seen**, so the errors above do not test them: the rates at which front ends stream, and
the missing seat; the spread of experts' popularity; the vendor's TensorRT-LLM runs without asynchronous scheduling;
Marlin's experts at Hopper's pace on Blackwell; the number of kernels that a layer with experts or linear attention
launches; eager engines bound by their host; seats of decode workers; how much of its exchanges SGLang 0.5.8 hides on
GB200; the waits of ranks for prompts; the requests and the first stall of runs on MI300X and MI355X, and the least
size of exchanges there; 16 users for the misprinted 512; how often old kernels read the cache again; the 0.3 ms of
host time per step of a vLLM that composes them in turn (taken off later releases after an earlier fit); the part of a
launch that decodes do not wait for; chunks of Llama 4 on Hopper; the kernels of gpt-oss under TensorRT-LLM; launches of
engines without graphs, and their 0.2 ms a request; SGLang's own share of memory, and how it pads gpt-oss; ATOM read as
SGLang; which rows of TensorRT-LLM 1.1.0rc2.post2 in fp4 drafted; that servers of which nothing is told had more memory
than the default, and scripts had not; that ATOM's prompts wait for no launches; the 16-bit cache of Llama on H100.

**Tried and rejected**: a learned residual model of users, lengths, devices, engine, generation and precision. On
held-out groups it makes medians 1 to 8 % worse and 90th percentiles 4 to 7 %, in relative terms.
Also answers of exactly the stated length in the vendor's own runs, whose users then keep in step: their TPOT goes from
15/53 to 14/34 %, but their TTFT from 33 to 80 % in the median.

**What is missing where the target is missed**, judging by the errors:

- *TTFT of pools*: near saturation TTFT is users over throughput, less the time that answers take: where prefill is a
  tenth too quick, TTFT is halved. Prompts of 1k under SGLang on B200 wait eight seconds for no reason that the recipe
  tells.
- *InferenceX apart and on AMD, held out*: exchanges and attention of AMD devices measured alone. Without the group's
  own rows nothing determines their speed, so the second snapshot of InferenceX (five groups) carries its devices'
  errors.
- *Engine benches, 90th percentile*: single pages. Kimi-K2.5 and gpt-oss on kernels that the release fell back to,
  GLM-4.5 in fp8 on H100 without tuned experts, DeepSeek-V3.2 tensor-parallel, and clients that limit the rate.
- *Engine benches, TTFT*: servers of several GeForce cards, where half of the requests wait 3 to 7 s at one request a
  second and 0.1 s at eight, for no reason that the page tells: 17 of the 35 figures beyond the 90th percentile.
- *MLPerf*: layout, lengths and drafting are not printed. Intel's cards run tuned kernels that no table measures. AMD's
  submissions of Llama are a third faster than its engines elsewhere.
- *TensorRT-LLM overview, 90th percentile*: hosts of GB200, whose steps with prompts take 20 to 50 ms longer in 1.0
  than those of B200; Llama 4 at 20,000 tokens in 0.20; batch limits of static runs of 2024.
- *TTFT together*: waits of TensorRT-LLM with drafting; prompts of DeepSeek on B300 under SGLang 0.5.10, five times as
  long as on a B200. On B200 under SGLang 0.5.6 kernels compile for 70 s in some runs of a configuration and not in
  others (22 of the 30 where any do), and rows do not tell which: the newer family's 90th percentile.

Tables and licences: TensorRT-LLM performance overview (NVIDIA, Apache-2.0); InferenceX runs in aiconfigurator-core
0.12.0 (Apache-2.0) and in gminneci/mantile (no licence file: fitted, no row kept here); MLPerf Inference results
(MLCommons, Apache-2.0); engine benchmarks of GPUStack, SGLang's cookbook, io.net and vLLM's recipes (Apache-2.0) and of
LLMServingSim (MIT); phase latencies of Splitwise (MIT).
"""


def write_page(report: Mapping[str, Any], figures: Sequence[Mapping[str, Any]], coverage: str, folder: Path) -> None:
    """Write ``serving.md`` and its plots into *folder*.

    Parameters
    ----------
    report : mapping
        ``files``, ``rows``, and for each of `SCHEMES` a list of sets with ``set``, ``figures``, ``median_ape``,
        ``p90_ape`` and ``bias``.
    figures : sequence of mapping
        Per measured figure ``set``, ``group``, ``engine``, ``measured`` and a prediction for each scheme.
    coverage : str
        Table of coverage, in Markdown.
    folder : Path
        Where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scatter(figures, folder / "serving.svg")
    tables = {name: {row["set"]: row for row in report[name]} for name in SCHEMES}
    columns = ("figures", "target", *SCHEMES, "bias")
    lines = ["| set | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, row in tables[SHOWN].items():
        target = next((t for key, t in TARGETS.items() if name.startswith(key)), None)
        cells = [f"{_percent(t[name]['median_ape'])} / {_percent(t[name]['p90_ape'])}" for t in tables.values()]
        wanted = f"{target[0]} / {target[1]}" if target else "–"
        bias = f"{100 * row['bias']:+.0f} %" if row["bias"] is not None else "–"
        lines.append(f"| {name} | {row['figures']} | {wanted} | " + " | ".join(cells) + f" | {bias} |")
    text = PAGE.format(
        intervals="\n".join(_intervals(report["intervals"])), few="\n".join(_few(report)),
        rows=report["rows"], files=len(report["files"]), held="\n".join(lines), coverage=coverage,
        least=_LEAST, worst="\n".join(worst(figures)),
    )  # fmt: skip
    (folder / "serving.md").write_text(text, "utf-8")


def _intervals(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table of intervals."""
    lines = ["| table | quantity | figures | inside | width |", "|---|---|---:|---:|---:|"]
    for row in rows:
        inside, width = f"{100 * row['inside_frac']:.0f} %", f"{row['width']:.2f}"
        lines.append(f"| {row['family']} | {row['quantity']} | {row['figures']} | {inside} | {width} |")
    return lines


def _few(report: Mapping[str, Any]) -> list[str]:
    """Return the table of errors before and after four runs."""
    before = {row["set"]: row for row in report["without them"]}
    lines = ["| set | figures | before | with four runs | bias then |", "|---|---:|---:|---:|---:|"]
    for row in report["with four runs"]:
        old = before[row["set"]]
        if row["median_ape"] is None or old["median_ape"] is None:
            continue
        cells = [f"{_percent(scored['median_ape'])} / {_percent(scored['p90_ape'])}" for scored in (old, row)]
        lines.append(f"| {row['set']} | {row['answered']} | {cells[0]} | {cells[1]} | {100 * row['bias']:+.0f} % |")
    return lines


def scatter(figures: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw predicted against measured, a panel per set."""
    sets = sorted({row["set"] for row in figures})
    columns = 4
    rows = -(-len(sets) // columns)
    plot, axes = plt.subplots(rows, columns, figsize=(13, 3.1 * rows), squeeze=False, layout="constrained")
    for axis in axes.flat[len(sets) :]:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, sets, strict=False):
        points = [row for row in figures if row["set"] == name and row[SHOWN]]
        measured = np.array([row["measured"] for row in points])
        low, high = measured.min() * 0.7, measured.max() * 1.4
        axis.plot([low, high], [low, high], color="#333333", linewidth=0.8)
        axis.fill_between([low, high], [low / 1.25, high / 1.25], [low * 1.25, high * 1.25], color="#eeeeee")
        for engine in sorted({row["engine"] for row in points}):
            own = [row for row in points if row["engine"] == engine]
            axis.scatter(
                [row["measured"] for row in own], [row[SHOWN] for row in own], s=6, alpha=0.5, linewidths=0,
                color=_COLOURS.get(engine, "#333333"), label=engine, rasterized=True,
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low / 1.5, high * 1.5))
        axis.set_title(name.replace("_silicon", "").replace("_overview", ""), fontsize=8)
        axis.tick_params(labelsize=7)
        axis.legend(fontsize=6, frameon=False)
    plot.supxlabel("measured", fontsize=9)
    plot.supylabel("predicted, held out by group", fontsize=9)
    plot.savefig(path, dpi=110, metadata={"Date": None})
    plt.close(plot)


def worst(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return table rows of the groups with the largest median error, with the reason where one is known."""
    groups: dict[tuple[str, str], list[float]] = {}
    for row in figures:
        if row[SHOWN]:
            groups.setdefault((row["group"], row["set"]), []).append(row[SHOWN] / row["measured"] - 1.0)
    ranked = sorted(
        ((key, errors) for key, errors in groups.items() if len(errors) >= _LEAST),
        key=lambda item: -float(np.median(np.abs(item[1]))),
    )[:_WORST]
    lines = []
    for (group, name), errors in ranked:
        why = next((reason for key, reason in REASONS.items() if key in group), "not yet explained")
        middle, bias = np.median(np.abs(errors)), np.median(errors)
        lines.append(f"| {group} | {name} | {len(errors)} | {100 * middle:.0f} % | {100 * bias:+.0f} % | {why} |")
    return lines


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
