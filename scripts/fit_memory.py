"""Fits the factors of memory, judges them on whole groups left out, and writes docs/validation/memory.md.

Run ``python scripts/fit_memory.py --data DIR`` with the folder of measured tables (a minute on one core). It prints the
factors, which ``src/jevons/facts/data/engines/memory.yaml`` and ``training.yaml`` keep.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from paragraphs import wrapped

from jevons.files import writing
from jevons.serving.memory_spread import NEARNESS
from jevons.serving.memory_spread import shipped as shipped_caches
from jevons.training.memory_spread import shipped as shipped_trainings
from jevons.validation import validate
from jevons.validation.fit.memory import (
    fit_outcomes,
    fit_startups,
    outcome_counts,
    outcomes_held_out,
    read_outcomes,
    read_startups,
    shipped,
    shipped_outcome_factors,
    startups_held_out,
)
from jevons.validation.fit.memory_spread import cache_document, needed_memory, reports_inside, training_document
from jevons.validation.report import score
from jevons.validation.rows import read_table

ROOT = Path(__file__).parent.parent
SPREADS = ROOT / "src" / "jevons"
PAGE = ROOT / "docs" / "validation" / "memory.md"
REPORTS = ROOT / "tests" / "data" / "serving" / "startup_reports.csv"
_GIB = 2.0**30
LABELS = {
    "weights_gib": "weights", "activation_gib": "activations", "non_torch_gib": "other memory",
    "kv_cache_gib": "KV cache, bytes", "kv_cache_tokens": "KV cache, tokens", "max_concurrency": "maximum concurrency",
}  # fmt: skip

TEXT = """# Memory: start-up, KV cache size, and training layouts

Written by `python scripts/fit_memory.py --data DIR`; `jevons validate vllm_memory.csv` and `h100_layouts.csv`
print the same kinds of errors.

**Claim:** for models held out of the fit, KV tokens of a vLLM start-up are off by {token_median:.2f} % in the median
and
{token_p90:.1f} % at the 90th percentile (target 3 and 8). Whether it starts is predicted correctly for {starts_right}
of
{starts_rows}, and no failed start is predicted to succeed. Of training layouts with models held out, {oom_right:.1f}
% are classified correctly (target 97).

## Start-ups of vLLM

**Measured:** what the engine's log prints for each device, releases 0.11 and 0.19 on H100
([llm-d-planner](https://github.com/llm-d-incubation/llm-d-planner), Apache-2.0). Starts that failed for another
reason (another process, a missing checkpoint) are not judged.

**Predicted** from the configuration alone:

- *weights* from the architecture, with the padding of MXFP4 experts, the vision tower and the table of
  rotations;
- *activations*: the larger of a layer's peak and the sampler's; the sampler keeps several copies of every running
  request's logits (38 bytes each before 0.16, 14.6 since). Tensor parallelism does not divide it. Expert
  buffers stay since 0.16;
- *other*: context, and communicators on several devices; *graphs* by layers and captured sizes, inside the
  engine's share since 0.21 and outside before;
- the *cache* takes the rest, in pages. Layers of one kind form groups of equal size. A sliding window gets a whole
  step of prompt tokens on top. A page holds one recurrent state.

### Errors, models left out

{by_model}

### Errors, layouts left out

{by_layout}

### Errors, the release left out

{by_release}

Only the release does not generalise: the sampler's peak fell by more than half between 0.15 and 0.16. Each side of
such a change needs a measured release. The default is the newest; `--engine-version` or `--as-of` selects another.

### Does it start

{starts}

The wrong one is gpt-oss-120b under 0.11 at a stated share of 0.9. Its printed parts add up to a share of 0.95.
Mistral-Small-3.2 has half the activations that 1,024 running requests would take; the limit of its run is
not printed.

### Other devices and releases, never fitted

Log lines that users published, read as `vllm_memory.csv` is. The context and communicators of releases before 0.8, and
of cards on the bus, are those of logs among these or beside them: 1.8 GiB lie outside the allocator of one H100 before
0.8, 0.35 on an RTX 3090; communicators take 0.2 to 0.5 GiB on the bus, 0.4 to 2 over links.

{reports}

Of DeepSeek-V4 under vLLM, a step holds queries padded to 64 heads, two copies of its four residual streams, and
buffers for 40 index keys or 4 compressed prompts of the greatest length; 4-bit experts are padded to 256 on AMD. Until
0.10 states of Mamba layers were set aside for every running request.

vLLM before 0.6.4 counted all that the allocator held after its profiling step, where peaks of layers, experts and
sampler add up; before 0.7.1 it cached keys and values of every head of latent attention. SGLang sizes pools by tokens
alone: layers with a window hold four fifths of them (gpt-oss, Llama 4, Gemma 4, MiMo-V2, Step) or all, compressed
attention a tenth and its states. On Hopper it keeps the 32-bit scales of DeepSeek-V4's experts beside the kernel's.
vLLM grants each sequence of DeepSeek-V4 the states of a whole step, most of its cache at short lengths.

Adapters (LoRA) have room set aside beside every matrix, and beside each expert since 0.12, when graphs are captured
twice. vLLM 0.14 and 0.15 ask of each pipeline stage that a longest sequence fit in the layers of all stages. A server
that takes no images and no videos loads no encoder; one that takes no videos runs its encoder on an image.

Decode context parallelism spreads the tokens of a sequence over devices that would keep the same ones; keys of an
indexer, windows and states stay whole. vLLM 0.8.0 to 0.8.3 ran 1,024 requests on every card where nothing was said.

Under vLLM, Qwen3-235B ran with a KV connector, whose buffers are not modelled. On the L40S, vLLM 0.8 kept 0.8 GiB more
than 0.11 does. SGLang's static share covers weights and cache only, out of the memory left by the context.
TensorRT-LLM's share is of the memory left by weights and work space. SGLang's rule was derived from its run of
Qwen3-235B above, so that row does not test it.

## Training

**Measured:** {oom_rows:,} layouts of a nanotron sweep that ran or ran out of memory on H100
([Rapid-LLM](https://github.com/gkarfakis19/Rapid-LLM), Apache-2.0).

{training}

Shipped values lie on the safe side of the fit: {shipped_right} of {oom_rows:,} are right, {shipped_unsafe}
unsafe. In twelve other tables, no layout that ran is newly rejected.

## Intervals, and the probability of fitting

`op memory` and `train` state an 80 % interval and the probability that the server starts or the layout fits. Below 90 %
what fits is called tight; above 10 % what does not is said to fit perhaps. `train` recommends the fastest layout that
surely fits.

A cache is off by shares of a device's memory, since what is wrong is what fills the rest:

| start-ups on file | lower end [% of the device] | upper end | from |
|---|---|---|---|
{cache_ends}

The first are errors with the model left out, the second with the release left out; the third, for other engines, makers
of devices, attention that chooses or compresses tokens, adapters, tokens spread over devices, connectors for caches and
files that are not understood in full, is twice the second: a judgement. The second holds for recurrent states, drafts
and layouts of other kinds than tensor parallelism too. With compressed attention the lower end lies as much lower as a
step takes, with adapters as captured graphs take, with a vision encoder as its run on the largest image takes, until
0.11 on a video of the greatest length. With recurrent layers since 0.26 it lies lower by two outputs of each for every
token of a step, which a start may charge to its graphs: 7 to 10 GiB on an RTX PRO 6000, none on two RTX 5090. A server
is not sure to run where its share leaves a full step little of the device; nor, in 0.8 and 0.9, with a small share,
when what other processes hold was counted as its own.
Of {reports_known} caches that users' logs above print, {reports_inside} lie in their interval.

A training needs more or less than predicted by a factor. Each source weighs alike: nanotron's outcomes with the model
left out, the peaks that torchtitan prints (PyTorch's own operators), and BLOOM's (Megatron).

| software | lower end | upper end | layouts |
|---|---|---|---|
{training_ends}

| source | mean of needed over predicted | standard deviation [%] | layouts |
|---|---|---|---|
{needed}

None of the trainings that users report was used: of the tests' 14 peaks of fms-acceleration on A100, at least three
quarters lie in their interval; three trainings at the edge of a device are told to fit with 51 to 73 %.

## Factors

{factors}

## What is missing

- Start-ups of SGLang and TensorRT-LLM by component. Their work space is a judgement; SGLang's pool of recurrent
  states is from its source.
- Start-ups by component on AMD, with pipeline or data parallelism, of releases 0.12 to 0.18 and from 0.20. On cards
  of less than 80 GB there are single lines only. Prompts cut into 512 tokens under 0.6 took 1.1 GiB less at their peak
  than is told (one log).
- All that a step of DeepSeek-V4 takes under vLLM. On two GH200 with 16,384 tokens a step 3 GiB more than is told, on
  two H20 with 8,192 0.3 GiB, on eight MI300X with 16,384 15 GiB (one log each): a step may take twice what is told.
- How much vLLM since 0.21 takes its graphs to need where ranks share experts: it goes by two of them, and users print 3
  to 118 GiB.
- DeepSeek-V4.1's tables of n-grams (203 GB), which engines read from host memory or disk.
- How the allocator of DeepSpeed and FSDP fragments, and what FSDP keeps more of adapters' layers than one device does
  (0.25 MB a token of 8B).
"""


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def error_table(errors: Mapping[str, Sequence[float]]) -> str:
    """Return median, 90th percentile and bias of each component."""
    rows = []
    for name, label in LABELS.items():
        if errors.get(name):
            off = np.array(errors[name])
            size = np.abs(off)
            shown = [f"{100 * value:.2f}" for value in (np.median(size), np.quantile(size, 0.9), np.median(off))]
            rows.append([label, len(off), *shown])
    return table(["component", "start-ups", "median error [%]", "90th percentile [%]", "bias [%]"], rows)


def counts_table(name: str, counts: Mapping[str, tuple[int, int, int]]) -> str:
    """Return layouts, right answers and unsafe ones by group left out."""
    total = tuple(np.sum(list(counts.values()), axis=0).tolist())
    rows = [
        [label, f"{n:,}", f"{100 * right / n:.1f}", unsafe]
        for label, (n, right, unsafe) in (*counts.items(), ("all", total))
    ]
    return table([f"{name} left out", "layouts", "right [%]", "unsafe"], rows)


def reports_table(path: Path) -> str:
    """Return the figures of published log lines beside their predictions."""
    entries = validate(path).entries
    releases = [
        f"{row['model'].split('/')[-1]}, {row['tp']} x {row['gpu']}, {row['engine']} {row['engine_version']}".rstrip()
        for row in read_table(path).rows
    ]
    rows = []
    for entry in entries:
        said: list[object] = [releases[entry.row], LABELS.get(entry.metric, entry.metric)]
        if entry.outcome:
            words = {1.0: "starts", 0.0: "does not start", None: "–"}
            rows.append([*said, words[entry.measured], words[entry.predicted], ""])
        elif entry.measured is not None and entry.predicted is not None and entry.error is not None:
            digits = 0 if entry.measured > 1000 else 2
            rows.append(
                [*said, f"{entry.measured:,.{digits}f}", f"{entry.predicted:,.{digits}f}", f"{100 * entry.error:+.1f}"]
            )
    return table(["start-up", "figure", "printed", "predicted", "error [%]"], rows)


def main() -> None:
    """Fit, judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the measured tables")
    data = parser.parse_args().data
    memory_table, layouts = data / "serving" / "vllm_memory.csv", data / "training" / "h100_layouts.csv"
    starts = read_startups(memory_table)
    fitted = fit_startups(starts)
    by_model = startups_held_out(starts, lambda one: one.model)
    tokens = np.abs(by_model["kv_cache_tokens"])
    judged = score(entry for entry in validate(memory_table).entries if entry.metric == "starts")
    told = round((judged.right_frac or 0.0) * judged.answered)
    outcomes = read_outcomes(layouts)
    fitted_outcomes = fit_outcomes(outcomes)
    model_out, size_out = (outcomes_held_out(outcomes, labels) for labels in (outcomes.model, outcomes.devices))
    rows, right, _ = np.sum(list(model_out.values()), axis=0)
    shipped_counts = outcome_counts(outcomes, shipped_outcome_factors())
    factors = [[name, f"{_shown(shipped(name))}", f"{_shown(value)}"] for name, value in fitted.items()]
    factors += [
        [name, f"{shipped_outcome_factors()[name]:.3g}", f"{value:.3g}"] for name, value in fitted_outcomes.items()
    ]
    needed = needed_memory(outcomes, data / "training")
    for folder, document in (("serving", cache_document(starts)), ("training", training_document(needed))):
        with writing(SPREADS / folder / "data" / "memory_spread.json", force=True) as stream:
            stream.write(json.dumps(document, indent=1) + "\n")
    inside, known = reports_inside(read_table(REPORTS))
    caches, trainings = shipped_caches()["quantiles"], shipped_trainings()["quantiles"]
    page = TEXT.format(
        cache_ends="\n".join(
            f"| {NEARNESS[name]} | {100 * low:+.1f} | {100 * high:+.1f} | {rows} |"
            for name, (low, high, rows) in caches.items()
        ),
        training_ends="\n".join(
            f"| {name} | {low:.2f} | {high:.2f} | {rows:,} |" for name, (low, high, rows) in trainings.items()
        ),
        needed="\n".join(
            f"| {name} | {np.exp(one.mean):.2f} | {100 * one.deviation:.0f} | {one.rows:,} |"
            for name, one in needed.items()
        ),
        reports_inside=inside, reports_known=known,
        token_median=100 * np.median(tokens), token_p90=100 * np.quantile(tokens, 0.9), starts_right=told,
        starts_rows=judged.answered, oom_right=100 * right / rows, by_model=error_table(by_model),
        by_layout=error_table(startups_held_out(starts, lambda one: one.layout)),
        by_release=error_table(startups_held_out(starts, lambda one: one.release)),
        starts=table(
            ["judged", "correct", "predicted to start, but failed"], [[judged.answered, told, judged.unsafe]]
        ),
        reports=reports_table(REPORTS), oom_rows=len(outcomes.model),
        training=counts_table("model", model_out) + "\n\n" + counts_table("number of devices", size_out),
        shipped_right=f"{shipped_counts[1]:,}", shipped_unsafe=shipped_counts[2],
        factors=table(["factor", "shipped", "fitted"], factors),
    )  # fmt: skip
    print(table(["factor", "shipped", "fitted"], factors))
    with writing(PAGE, force=True) as stream:
        stream.write(wrapped(page))


def _shown(value: float) -> str:
    return f"{value / _GIB:.3g} GiB" if value > 1e6 else f"{value:.3g}"


if __name__ == "__main__":
    main()
