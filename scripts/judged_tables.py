"""Judges shipped serving factors on tables that no fit sees: errors, reasons, and the intervals that they need."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jevons.validation.fit.judged import JudgedFigure, judged_coverage, judged_figures, with_judged
from jevons.validation.report import Entry, score
from jevons.validation.rows import read_table

TABLES = (
    "argonne_static", "dstack", "slo_decode", "published_misc", "published_2026", "accept_length",
    "request_traces_dstack",
)  # fmt: skip
HEADING = "## Judged, not fitted"
_LEAST_ROWS, _LEAST_OF_GROUP, _SHOWN_GROUPS = 8, 5, 24

# Why groups are far off, by what their name holds: what the rows leave unsaid, or physics that is missing.
REASONS = {
    "llama.cpp": "its launches were not measured; times fall with the devices although layers are split",
    "PVC": "kernels and links of this card were not measured; two devices take longer than one",
    "MI250X": "a device is a module of two dies, linked by a fabric that was not measured; no kernel was",
    "8xMi300x 1FP8-meta": "a step takes 137 ms whatever its batch: no fast kernel for this checkpoint on AMD in 0.6",
    "4xMi300x 1FP8-amd": "right up to 64 requests; attention over 32,784 tokens takes twice as long as modelled",
    "8xH100 1FP8-meta": "right where the cache holds all requests; beyond, it holds fewer than modelled",
    "dstack P/D": "prompts pass between SGLang's pools three times quicker at few users than in InferenceX's runs",
    "dstack :: llama-3.1-405b": "38 % of answers carry no times; 15 steps per scheduling on MI300X are not modelled",
    "LLM-Inference-Bench vLLM": "decode attention of vLLM 0.6.1 on AMD read the cache for each query head, at 1.3 TB/s",
    "decode SLO": "2 to 4 % of the GPUs' FLOP/s, with and without load; half of a run's prompts were the run's before",
    "golden acceptance": "drafts of code are accepted more often than those of other text",
    "Vultr cookbook": "a sweep sends the same prompts at each load, so later ones are cached; the page does not say so",
    "Gaudi": "software of 2024 on a device whose kernels were not measured",
    "Mooncake PD": "pools of one device each over a network that the rows do not state",
    "Ascend": "graphs, dies and seats are not stated; 16 users wait 77 s for a first token",
    "TPU v7": "precision of the weights is not stated; no kernel of this device was measured",
    "TPU v6e": "kernels of TPUs were measured alone, not in an engine",
    "AMD ROCm": "8-bit steps of eight MI300X are tuned by hand",
    "mixtral-8x7b": "grouped products of TensorRT-LLM 0.11 were not measured",
}

SECTION = """{heading}

Tables with too few groups, or too little said about the run, to be fitted. `python scripts/fit_serving.py --data DIR
--judge` writes this section in a minute. *Inside* is the share of figures in 80 % intervals that were widened without
their group; requests one by one have no interval here.

| table and metric | rows | answered | median error | p90 | bias |
|---|---:|---:|---:|---:|---:|
{errors}

| table | figures | inside |
|---|---:|---:|
{inside}

Groups of at least {least} figures with the largest errors, and what is missing:

| group | metric | figures | median error | bias | why |
|---|---|---:|---:|---:|---|
{groups}

What is refused, and why:

{refused}

Prompts of 2,048 tokens on models made for 2,048 leave no room for an answer. Engines return nothing, at once; they are
predicted as if they answered. Intervals of devices unlike all that have rows (Gaudi, TPU, Intel Max) are those of the
judged rows of such devices. A source that is not on file has intervals that hold 80 % of a table drawn among all of
these and the fitted ones; those of all tables would hold 2 to 59 % of the judged ones.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Predictions of tables that the fit does not see, and those of their figures that have an interval."""

    entries: Mapping[str, Sequence[Entry]]
    figures: Sequence[JudgedFigure]


def judge(data: Path, seen: Mapping[str, Any]) -> Judged:
    """Predict the judged tables of a data folder with the facts as they are written."""
    entries, figures = {}, []
    for name in TABLES:
        path = data / "serving" / f"{name}.csv"
        table = read_table(path)
        entries[name] = validated(path, table.rows)
        if table.kind == "serving":
            figures += judged_figures(table.rows, entries[name], seen)
    return Judged(entries=entries, figures=figures)


def validated(path: Path, rows: Sequence[Mapping[str, str]] = ()) -> list[Entry]:
    """Return what `jevons validate` makes of a file in a process of its own, which reads the facts just written."""
    done = subprocess.run(
        [sys.executable, "-m", "jevons", "validate", str(path), "--json"], check=True, capture_output=True, text=True
    )
    found = []
    for row in json.loads(done.stdout)["rows"]:
        place = int(row["row"])
        of = rows[place] if place < len(rows) else {}
        found.append(
            Entry(
                file=path.stem, row=place, metric=row["metric"], group=of.get("group", ""),
                family=of.get("family", path.stem), measured=row.get("measured"), predicted=row.get("predicted"),
                reason=row.get("reason") or "",
            )
        )  # fmt: skip
    return found


def write_judged(judged: Judged, spread: Path, page: Path) -> None:
    """Widen the intervals in the file *spread*, and write the section of the page about serving."""
    document = json.loads(spread.read_text("utf-8"))
    inside = judged_coverage(document, judged.figures)
    spread.write_text(json.dumps(with_judged(document, judged.figures), indent=1) + "\n", "utf-8")
    written = SECTION.format(
        heading=HEADING, least=_LEAST_OF_GROUP, errors="\n".join(_errors(judged)), groups="\n".join(_groups(judged)),
        inside="\n".join(f"| {name} | {count} | {100 * share:.0f} % |" for name, (count, share) in inside.items()),
        refused="\n".join(_refused(judged)),
    )  # fmt: skip
    text = re.sub(rf"{HEADING}\n.*?(?=^## )", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    page.write_text(text.replace("## How rows are read\n", f"{written}## How rows are read\n"), "utf-8")


def _errors(judged: Judged) -> list[str]:
    lines = []
    for name, entries in judged.entries.items():
        for metric, count in Counter(entry.metric for entry in entries).most_common():
            found = score([entry for entry in entries if entry.metric == metric])
            if count >= _LEAST_ROWS and found.median_ape is not None:
                shown = f"{_percent(found.median_ape)} | {_percent(found.p90_ape)} | {_percent(found.bias)}"
                lines.append(f"| {name} {metric} | {count} | {100 * found.coverage_frac:.0f} % | {shown} |")
    return lines


def _groups(judged: Judged) -> list[str]:
    groups: dict[tuple[str, str], list[float]] = {}
    for entries in judged.entries.values():
        for entry in entries:
            if entry.error is not None and entry.group:
                groups.setdefault((entry.group, entry.metric), []).append(entry.error)
    many = {key: errors for key, errors in groups.items() if len(errors) >= _LEAST_OF_GROUP}
    ranked = sorted(many.items(), key=lambda item: -float(np.median(np.abs(item[1]))))
    lines: list[str] = []
    seen: set[str] = set()
    for (group, metric), errors in ranked:
        if group in seen or len(lines) == _SHOWN_GROUPS:
            continue
        seen.add(group)
        why = next((reason for key, reason in REASONS.items() if key in group), "not yet explained")
        middle, bias = _percent(float(np.median(np.abs(errors)))), _percent(float(np.median(errors)))
        lines.append(f"| {group} | {metric} | {len(errors)} | {middle} | {bias} | {why} |")
    return lines


def _refused(judged: Judged) -> list[str]:
    reasons = Counter(
        (name, entry.reason) for name, entries in judged.entries.items() for entry in entries if entry.predicted is None
    )
    return [f"- {name}, {count} figures: {reason}" for (name, reason), count in reasons.most_common(12)]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
