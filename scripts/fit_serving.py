"""Fits the serving engines' factors to measured rows, judges them out of sample, and writes what ships.

Reads the serving tables of a data folder, fits the named factors (`jevons.validation.fit.serving`) from a neutral
prior, and writes them as dated facts of grade `derived` beside the judgements they replace. Errors of factors fitted
without a figure's group, its device or its model go to ``docs/validation/serving.md``.

    python scripts/fit_serving.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from validation_page import write_page

from jevons.validation.fit.serving import Item, Problem, factors_for, fit, folds, gather, provenance, solve
from jevons.validation.report import Entry, score

ROOT = Path(__file__).parent.parent
ENGINES = ROOT / "src" / "jevons" / "facts" / "data" / "engines"
PAGES = ROOT / "docs" / "validation"
FILES = ("trtllm_overview", "phase_latency", "engine_bench", "inferencex_silicon", "mlperf_inference")
FOLDS = 5
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
    given = parser.parse_args()
    paths = [given.data / "serving" / f"{name}.csv" for name in FILES]
    items = gather(paths)
    problem = Problem(items, factors_for(items, neutral=True))
    say(f"{len(items)} cases, {len(problem.owner)} figures, {len(problem.factors)} factors")
    theta, base, slopes = fit(problem, say)
    about = provenance(problem, paths, base, slopes)
    report: dict[str, Any] = {"fitted": table(problem, base)}
    say(lines("fitted", report["fitted"]))
    errors = {}
    for name, parts in splits(items).items():
        errors[name] = apart(problem, theta, base, slopes, parts)
        report[name] = table(problem, errors[name])
        say(lines(name, report[name]))
    if given.dry_run:
        return 0
    spread: Mapping[str, float] = about.pop("spread_frac")  # type: ignore[assignment]
    write_facts(problem, theta, spread, int(str(about["rows"])))
    write_page({**about, **report}, figures(problem, {"fitted": base, **errors}), coverage(paths), PAGES)
    return 0


def coverage(paths: Sequence[Path]) -> str:
    """Return a table of rows, coverage and errors with the factors just written, in Markdown."""
    made = ["| table and metric | rows | covered | median error | p90 | bias |", "|---|---:|---:|---:|---:|---:|"]
    program = "from jevons.cli.app import main; main()"  # a process of its own reads the new facts
    for path in paths:
        done = subprocess.run(
            [sys.executable, "-c", program, "validate", str(path), "--json"], check=True, capture_output=True, text=True
        )
        by_metric: dict[str, list[Entry]] = {}
        for row in json.loads(done.stdout)["rows"]:
            entry = Entry(
                file="",
                row=0,
                metric=row["metric"],
                group="",
                family="",
                measured=row["measured"],
                predicted=row.get("predicted"),
            )
            by_metric.setdefault(row["metric"], []).append(entry)
        for metric, entries in sorted(by_metric.items(), key=lambda item: -len(item[1])):
            got = score(entries)
            if got.rows >= LEAST_ROWS:
                errors = (got.median_ape, got.p90_ape, got.bias)
                cells = " | ".join("–" if share is None else f"{100 * share:.1f} %" for share in errors)
                made.append(f"| {path.stem} {metric} | {got.rows} | {100 * got.coverage_frac:.0f} % | {cells} |")
    return "\n".join(made)


def say(text: str) -> None:
    """Write progress on standard error."""
    sys.stderr.write(f"{text}\n")


def splits(items: Sequence[Item]) -> dict[str, dict[str, list[int]]]:
    """Return the ways of holding rows out."""
    keys: dict[str, tuple[Callable[[Item], str], int]] = {
        "5-fold over groups": (lambda item: item.group, FOLDS),
        "leave one device out": (lambda item: item.device, 0),
        "leave one model out": (lambda item: item.model, 0),
    }
    return {name: folds(items, key, count) for name, (key, count) in keys.items()}


def apart(
    problem: Problem, theta: np.ndarray, base: np.ndarray, slopes: np.ndarray, parts: Mapping[str, Sequence[int]]
) -> np.ndarray:
    """Return every figure's error under factors fitted without its part."""
    found = np.full(len(problem.owner), np.nan)
    owner = np.array(problem.owner)
    for items in parts.values():
        out = np.isin(owner, np.array(items))
        found[out] = problem.errors(solve(problem, base, slopes, theta, ~out), items)[out]
    return found


def label(problem: Problem, row: int) -> str:
    """Return the family and metric of a figure, disaggregated rows apart."""
    case = problem.items[problem.owner[row]].prepared.case
    kind = " (prefill apart)" if case.prefill else ""
    return f"{case.family} {problem.metrics[row]}{kind}"


def table(problem: Problem, errors: np.ndarray) -> list[dict[str, Any]]:
    """Return rows, median and 90th percentile error and bias by family and metric."""
    sets: dict[str, list[Entry]] = {}
    for row, error in enumerate(errors):
        predicted = None if np.isnan(error) else float(np.exp(error))
        sets.setdefault(label(problem, row), []).append(
            Entry(file="", row=row, metric="", group="", family="", measured=1.0, predicted=predicted)
        )
    made = []
    for name, entries in sorted(sets.items()):
        found = score(entries)
        errors_of = {"median_ape": found.median_ape, "p90_ape": found.p90_ape, "bias": found.bias}
        made.append({"set": name, "figures": found.rows, **errors_of})
    return made


def lines(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table as text."""
    text = [f"--- {title}"]
    for row in rows:
        if row["median_ape"] is not None:
            shown = f"median {row['median_ape']:.3f}  p90 {row['p90_ape']:.3f}  bias {row['bias']:+.3f}"
            text.append(f"  {row['set']:50s} {row['figures']:5d}  {shown}")
    return "\n".join(text)


def figures(problem: Problem, errors: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return measured and held-out predictions, for plots and for the worst groups."""
    made = []
    for row, index in enumerate(problem.owner):
        item = problem.items[index]
        measured = float(np.exp(problem.target[row]))
        record: dict[str, Any] = {
            "set": label(problem, row), "group": item.group, "device": item.device, "model": item.model,
            "engine": item.engine, "measured": float(f"{measured:.5g}"),
        }  # fmt: skip
        for name, found in errors.items():
            record[name] = None if np.isnan(found[row]) else float(f"{measured * np.exp(found[row]):.5g}")
        made.append(record)
    return made


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
    kept = re.sub(r"      - from: \S+\n        value: \S+\n        grade: derived\n(?:        .*\n)+", "", block[0])
    made = kept.rstrip("\n") + "\n" + entry(value / size, spread, rows, day)
    path.write_text(text.replace(block[0], made), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
