"""Fits the training factors (`jevons.validation.fit.training`), judges them out of sample, and writes the figures.

Run ``python scripts/fit_training.py DIR/training`` (minutes on one core). Prints the factors, which
``src/jevons/facts/data/engines/training.yaml`` keeps, and writes ``docs/validation/training.json`` with the errors.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jevons.plot.palette import INK, colours
from jevons.plot.style import figure_svg, subplots
from jevons.training import training_factors
from jevons.validation.fit.training import (
    BOUNDS,
    FOLDS,
    NEUTRAL,
    Rows,
    devices_left_out,
    fit,
    metric_seconds,
    narrow_left_out,
    scaling_errors,
    score,
    subset_of,
)


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


def table(title: str, scores: dict[str, dict[str, float]]) -> str:
    """Return scores as a Markdown table."""
    lines = [f"| {title} | rows | median APE | p90 APE | bias |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {s['rows']} | {s['median_ape']:.1%} | {s['p90_ape']:.1%} | {s['bias']:.1%} |".replace("%", " %")
        for name, s in scores.items()
    ]
    return "\n".join(lines) + "\n"


def _table_for(title: str, scores: dict[str, dict[str, float]], _match: re.Match[str]) -> str:
    return table(title, scores)


def write_page(report: dict[str, Any], path: Path) -> None:
    """Put the report's tables in place of those of the page that begin alike."""
    text = path.read_text(encoding="utf-8")
    tables = {
        "held out by source, model, device": {"all": report["held_out"], **report["families"]},
        "whole device left out": report["devices_out"],
        "8- and 4-bit rows, all factors but one from 16-bit rows": report["narrow_out"],
    }
    for title, scores in tables.items():
        text, count = re.subn(
            rf"\| {re.escape(title)} \|.*\n(\|.*\n)+", functools.partial(_table_for, title, scores), text
        )
        if count != 1:
            message = f"{path}: {count} tables begin with `{title}`"
            raise SystemExit(message)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Fit, cross-validate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/validation/training.json"))
    parser.add_argument("--page", type=Path, help="page whose tables are replaced by the report's")
    given = parser.parse_args()
    begun = time.monotonic()
    rows = Rows.read(given.folder)
    start = replace(training_factors(), **NEUTRAL)
    whole = np.ones(len(rows.items), dtype=bool)
    print(f"{len(rows.items)} rows, start {score(rows.errors(start))}", file=sys.stderr)
    best = fit(rows, whole, start)
    fitted = rows.errors(best)
    print(f"fitted {score(fitted)} {time.monotonic() - begun:.0f} s", file=sys.stderr)
    for name in BOUNDS:
        print(f"{name}: {getattr(best, name):.4g}")
    fold = np.array([zlib.crc32(item.group.encode()) % FOLDS for item in rows.items])
    predictions = np.empty(len(rows.items))
    for k in range(FOLDS):
        out = fold == k
        predictions[out] = subset_of(rows, out).errors(fit(rows, ~out, start))
    print(f"held out by group {score(predictions)} {time.monotonic() - begun:.0f} s", file=sys.stderr)
    family = np.array([item.family for item in rows.items])
    families = sorted(set(family.tolist()))
    report: dict[str, Any] = {
        "factors": {name: getattr(best, name) for name in BOUNDS},
        "fitted": score(fitted),
        "held_out": score(predictions),
        "families": {f: score(predictions[family == f]) for f in families},
        "devices_out": devices_left_out(rows, start),
        "narrow_out": narrow_left_out(rows, start, fold),
        "scaling": scaling_errors(rows, predictions),
        "points": [
            [item.family, round(float(metric_seconds(item)), 5), round(float(error), 4)]
            for item, error in zip(rows.items, predictions, strict=True)
        ],
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw(report, given.out.with_suffix(".svg"))
    if given.page:
        write_page(report, given.page)
    print(json.dumps({k: v for k, v in report.items() if k != "points"}, indent=1))


if __name__ == "__main__":
    main()
