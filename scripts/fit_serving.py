"""Fits the serving engines' factors to measured rows, judges them out of sample, and writes what ships.

Reads the serving tables of a data folder, fits the named factors (`jevons.validation.fit.serving`) from a neutral
prior, and writes them as dated facts of grade `derived` beside the judgements they replace. Errors of factors fitted
without a figure's group, its device or its model go to ``docs/validation/serving.md``.

    python scripts/fit_serving.py --data DIR
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from judged_tables import judge, validated, write_judged
from validation_page import write_page

from jevons.validation.fit.few_shot import few_shot_errors
from jevons.validation.fit.held_out import BY_RELEASE, error_table, figures, splits, table_text
from jevons.validation.fit.neighbours import neighbours_document
from jevons.validation.fit.serving import ITERATIONS, Problem, factors_for, fit, gather, held_out, provenance, thinned
from jevons.validation.fit.spread import interval_coverage, spread_document
from jevons.validation.report import Entry, score

ROOT = Path(__file__).parent.parent
ENGINES = ROOT / "src" / "jevons" / "facts" / "data" / "engines"
SPREAD = ROOT / "src" / "jevons" / "serving" / "data" / "spread.json"
NEIGHBOURS = SPREAD.with_name("neighbours.json")
PAGES = ROOT / "docs" / "validation"
FILES = (
    "trtllm_overview", "phase_latency", "engine_bench", "inferencex_silicon", "inferencex_mantile", "mlperf_inference",
)  # fmt: skip
LEAST_ROWS = 15
UNITS = {"ms": 1e-3, "us": 1e-6, "s": 1.0, "ratio": 1.0, "1": 1.0}
SOURCE = """sources:
  serving-measurements:
    publisher: "NVIDIA, SemiAnalysis, MLCommons, GPUStack, io.net, SGLang, vLLM, Microsoft"
    title: "Published serving benchmarks: TensorRT-LLM overview, InferenceX, MLPerf, engine benchmarks, Splitwise"
    ref: "docs/validation/serving.md lists each table and its licence"
    licence: "Apache-2.0; MIT"
"""


def main() -> int:
    """Fit, judge, and write; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds serving/*.csv")
    parser.add_argument("--dry-run", action="store_true", help="print the errors and write nothing")
    parser.add_argument(
        "--most-alike", type=int, default=5, help="rows fitted of each deployment and shape; all are judged in the end"
    )
    parser.add_argument("--rounds", type=int, default=ITERATIONS, help="most rounds of the search, from what ships")
    parser.add_argument("--judge", action="store_true", help="fit nothing; judge what ships on the tables kept apart")
    given = parser.parse_args()
    if given.judge:
        seen = json.loads(SPREAD.read_text("utf-8"))["seen"]
        write_judged(judge(given.data, seen), SPREAD, PAGES / "serving.md")
        return 0
    paths = [given.data / "serving" / f"{name}.csv" for name in FILES]
    items = thinned(gather(paths), given.most_alike)
    problem = Problem(items=items, factors=factors_for(items, neutral=True))
    say(f"{len(items)} cases, {len(problem.owner)} figures, {len(problem.factors)} factors")
    begin = [factor.start for factor in factors_for(items)]  # what ships is near, and saves rounds
    theta, base, slopes = fit(problem, say, np.log(np.array(begin)), given.rounds)
    about = provenance(problem, paths, base, slopes)
    report: dict[str, Any] = {"fitted": error_table(problem, base)}
    say(table_text("fitted", report["fitted"]))
    errors, schemes = {}, []
    for name, parts in splits(items).items():
        errors[name] = held_out(problem, theta, base, slopes, parts)
        if name != BY_RELEASE:  # rows of another release are no further than those of another group
            schemes.append((parts, errors[name]))
        report[name] = error_table(problem, errors[name])
        say(table_text(name, report[name]))
    if given.dry_run:
        return 0
    spread: Mapping[str, float] = about.pop("spread_frac")  # type: ignore[assignment]
    standard_errors = np.array([spread[f"{factor.owner}.{factor.name}"] for factor in problem.factors])
    by_group = splits(items)["held out by group"]
    calibrated = few_shot_errors(problem, (theta, base, slopes), standard_errors, by_group)
    report["with four runs"] = error_table(problem, calibrated)
    without = np.where(np.isnan(calibrated), np.nan, errors["held out by group"])
    report["without them"] = error_table(problem, without)
    report["intervals"] = interval_coverage(problem, by_group, errors["held out by group"])
    say(table_text("with four runs", report["with four runs"]))
    SPREAD.parent.mkdir(exist_ok=True)
    document = spread_document(problem, schemes, calibrated)
    SPREAD.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    neighbours = neighbours_document(problem, errors["held out by group"])
    NEIGHBOURS.write_text(json.dumps(neighbours).replace("], [", "],\n["), "utf-8")
    write_facts(problem, theta, spread, int(str(about["rows"])))
    write_page({**about, **report}, figures(problem, {"fitted": base, **errors}), coverage(paths), PAGES)
    write_judged(judge(given.data, document["seen"]), SPREAD, PAGES / "serving.md")
    return 0


def coverage(paths: Sequence[Path]) -> str:
    """Return a table of rows, coverage and errors with the factors just written, in Markdown."""
    lines = ["| table and metric | rows | covered | median error | p90 | bias |", "|---|---:|---:|---:|---:|---:|"]
    for path in paths:
        by_metric: dict[str, list[Entry]] = {}
        for row in validated(path):
            by_metric.setdefault(row.metric, []).append(row)
        for metric, entries in sorted(by_metric.items(), key=lambda item: -len(item[1])):
            scored = score(entries)
            if scored.rows >= LEAST_ROWS:
                errors = (scored.median_ape, scored.p90_ape, scored.bias)
                cells = " | ".join("–" if share is None else f"{100 * share:.1f} %" for share in errors)
                lines.append(f"| {path.stem} {metric} | {scored.rows} | {100 * scored.coverage_frac:.0f} % | {cells} |")
    return "\n".join(lines)


def say(text: str) -> None:
    """Write progress on standard error."""
    sys.stderr.write(f"{text}\n")


def write_facts(problem: Problem, theta: np.ndarray, spread: Mapping[str, float], rows: int) -> None:
    """Write engines' factors beside their judgements, and the kernels' scales to a file of their own."""
    day = dt.datetime.now(dt.UTC).date().isoformat()
    values = {(f.kind, f.owner, f.name): float(v) for f, v in zip(problem.factors, np.exp(theta), strict=True)}
    for (kind, owner, name), value in values.items():
        if kind == "engine":
            write_engine(owner, name, value, spread[f"{owner}.{name}"], rows, day)
    text = "# Written by scripts/fit_serving.py. A part's scales of all, of its generation and its engine multiply.\n"
    text += SOURCE + "facts:\n"
    for (kind, owner, name), value in sorted(values.items()):
        if kind == "scale":
            text += f"  kernels.{owner}.{name.replace('.', '_in_')}_scale:\n    unit: ratio\n"
            text += f"    about: time of {name} in a running engine over that of lone kernels, {owner}\n"
            text += "    values:\n" + entry(value, spread[f"{owner}.{name}"], rows, day)
    (ENGINES / "kernels.yaml").write_text(text, "utf-8")


def entry(value: float, spread: float, rows: int, day: str) -> str:
    """Return one dated value of grade derived."""
    low, high = value * np.exp(-1.64 * spread), value * np.exp(1.64 * spread)
    return (
        f"      - from: {day}\n        value: {value:.4g}\n        grade: derived\n        low: {low:.3g}\n"
        f"        high: {high:.3g}\n        source: serving-measurements\n"
        f"        formula: robust bounded least squares on {rows} figures of serving tables (scripts/fit_serving.py)\n"
        f"        parents: []\n"
    )


def write_engine(engine: str, name: str, value: float, spread: float, rows: int, day: str) -> None:
    """Replace the derived value of one engine's factor in its file."""
    path = ENGINES / f"{engine}.yaml"
    text = path.read_text("utf-8")
    block = re.search(rf"  engine\.{engine}\.{name}:\n(?:    .*\n|\n)+", text)
    if block is None:
        message = f"{path} has no engine.{engine}.{name}"
        raise SystemExit(message)
    unit = re.search(r"unit: (\S+)", block[0])
    size = UNITS[unit[1] if unit else "1"]
    others = re.sub(r"      - from: \S+\n        value: \S+\n        grade: derived\n(?:        .*\n)+", "", block[0])
    written = others.rstrip("\n") + "\n" + entry(value / size, spread, rows, day)
    path.write_text(text.replace(block[0], written), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
