"""Fits the training factors (`jevons.validation.fit.training`), judges them out of sample, and writes the figures.

Run ``python scripts/fit_training.py --data DIR`` (minutes on one core). Prints the factors, which
``src/jevons/facts/data/engines/training.yaml`` keeps, and writes ``docs/validation/training.json`` with the errors, the
page beside it (`training_page`), and the intervals of `jevons.training.spread`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from training_page import page_of

from jevons.plot.palette import INK, colours
from jevons.plot.style import figure_svg, subplots
from jevons.training import TrainingFactors, training_factors
from jevons.validation.fit.training import (
    BOUNDS,
    FOLDS,
    NEUTRAL,
    Rows,
    devices_left_out,
    fit,
    fit_scripted,
    inside_by_family,
    metric_seconds,
    narrow_left_out,
    scaling_errors,
    score,
    scores_by_device,
    scripted_errors,
    scripted_rows,
    spread_document,
    subset_of,
)
from jevons.validation.rows import read_table
from jevons.validation.training.rows import training_entries


def draw(report: dict[str, Any], path: Path) -> None:
    """Write predicted against measured step times of held-out rows as SVG."""
    points = report["points"]
    figure, axis = subplots(width=6.4, height=5.4)
    families = sorted({point[0] for point in points})
    for name, colour in colours(families).items():
        own = [point for point in points if point[0] == name]
        times = np.array([point[1] for point in own])
        axis.plot(times, times * np.exp([point[2] for point in own]), ".", color=colour, label=name, markersize=4)
    ends = np.array([min(point[1] for point in points) / 1.5, max(point[1] for point in points) * 1.5])
    axis.loglog(ends, ends, color=INK, linewidth=0.8)
    for band in (0.9, 1.1):
        axis.loglog(ends, band * ends, color=INK, linewidth=0.5, linestyle=":")
    axis.set_xlabel("measured step time [s], log scale")
    axis.set_ylabel("predicted, held out [s], log scale")
    axis.set_title("Training steps: group-wise cross-validation, ±10 % band")
    axis.legend(fontsize=8, ncols=2)
    path.write_text(figure_svg(figure) + "\n", encoding="utf-8")


def folds(groups: list[str]) -> np.ndarray:
    """Return the fold of each row: one of five, the same for all rows of a group."""
    return np.array([zlib.crc32(group.encode()) % FOLDS for group in groups])


def scripted_report(rows: Rows, factors: TrainingFactors) -> dict[str, Any]:
    """Return the costs of scripted launches, and their errors on models and node counts that they did not see."""
    whole = np.ones(len(rows.items), dtype=bool)
    best = fit_scripted(rows, whole, factors)
    fold = folds([f"{item.group}|{item.job.cluster.devices}" for item in rows.items])
    held_out = np.empty(len(rows.items))
    for k in sorted(set(fold.tolist())):
        costs = fit_scripted(rows, fold != k, factors)
        held_out[fold == k] = scripted_errors(subset_of(rows, fold == k), costs, factors)
    shapes = {}
    for name in sorted({item.row["model"] for item in rows.items}):
        own = np.array([item.row["model"] == name for item in rows.items])
        shapes[name] = score(held_out[own])
    return {
        "costs": best,
        "fitted": score(scripted_errors(rows, best, factors)),
        "held_out": score(held_out),
        "models": shapes,
        "none": score(scripted_errors(rows, dict.fromkeys(best, 1e-9) | {"far_frac": 1.0}, factors)),
    }


def coverage(folder: Path) -> dict[str, list[int]]:
    """Return by table the rows predicted, and those that print a step time or rate."""
    counts = {}
    for path in sorted(folder.glob("*.csv")):
        if not path.stem.startswith("reliability"):
            entries = [e for e in training_entries(path, read_table(path).rows) if not e.outcome]
            counts[path.stem] = [sum(e.predicted is not None for e in entries), len(entries)]
    return counts


def main() -> None:
    """Fit, cross-validate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds training/*.csv")
    parser.add_argument("--out", type=Path, default=Path("docs/validation/training.json"))
    parser.add_argument("--page", type=Path, default=Path("docs/validation/training.md"))
    parser.add_argument("--spread", type=Path, default=Path("src/jevons/training/data/spread.json"))
    given = parser.parse_args()
    begun, folder = time.monotonic(), given.data / "training"
    every = Rows.read(folder)
    scripted = scripted_rows(every)
    rows, others = subset_of(every, ~scripted), subset_of(every, scripted)
    start = training_factors().replace(**NEUTRAL)
    print(f"{len(rows.items)} rows, start {score(rows.errors(start))}", file=sys.stderr)
    best = fit(rows, np.ones(len(rows.items), dtype=bool), start)
    fitted = rows.errors(best)
    print(f"fitted {score(fitted)} {time.monotonic() - begun:.0f} s", file=sys.stderr)
    for name in BOUNDS:
        print(f"{name}: {best.field(name):.4g}")
    fold = folds([item.group for item in rows.items])
    predictions = np.empty(len(rows.items))
    for k in range(FOLDS):
        predictions[fold == k] = subset_of(rows, fold == k).errors(fit(rows, fold != k, start))
    print(f"held out by group {score(predictions)} {time.monotonic() - begun:.0f} s", file=sys.stderr)
    family = np.array([item.family for item in rows.items])
    by_device = devices_left_out(rows, start)
    spread = spread_document(rows, predictions, by_device)
    report: dict[str, Any] = {
        "factors": {name: best.field(name) for name in BOUNDS},
        "fitted": score(fitted),
        "held_out": score(predictions),
        "families": {f: score(predictions[family == f]) for f in sorted(set(family.tolist()))},
        "devices_out": scores_by_device(rows, by_device),
        "spread": spread["quantiles"],
        "inside": inside_by_family(rows, predictions),
        "narrow_out": narrow_left_out(rows, start, fold),
        "scaling": scaling_errors(rows, predictions),
        "scripted": scripted_report(others, best),
        "coverage": coverage(folder),
        "points": [
            [item.family, round(float(metric_seconds(item)), 5), round(float(error), 4)]
            for item, error in zip(rows.items, predictions, strict=True)
        ],
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    given.spread.write_text(json.dumps(spread, indent=1) + "\n", encoding="utf-8")
    draw(report, given.out.with_suffix(".svg"))
    given.page.write_text(page_of(report), encoding="utf-8")
    print(json.dumps({k: v for k, v in report.items() if k != "points"}, indent=1))


if __name__ == "__main__":
    main()
