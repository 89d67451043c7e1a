"""Writes how far predictions were from measurements, by device, engine and model family.

python scripts/support_page.py --data DIR

Makes docs/validation/support.md and src/jevons/facts/support.json from the serving tables in DIR. Medians alone are
kept, no rows. ``--report FILE`` takes the JSON of an earlier ``jevons validate`` of the same tables.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.files import writing
from jevons.operators.engines import engine_in
from jevons.validation import validate
from jevons.validation.names import device_id, model_named

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "validation" / "support.md"
DATA = ROOT / "src" / "jevons" / "facts" / "support.json"
TABLES = (
    "engine_bench", "inferencex_mantile", "inferencex_silicon", "mlperf_inference", "phase_latency", "trtllm_overview",
)  # fmt: skip
QUANTITIES = {
    "throughput": {"output_tok_s", "output_tok_s_per_gpu"},
    "tpot": {"tpot_ms", "tpot_ms_mean", "token_step_ms"},
    "ttft": {"ttft_ms", "ttft_ms_mean", "prompt_phase_ms", "first_token_latency_ms"},
}
LEAST = 5
"""Figures below which no error is stated."""

HEAD = """# How well each device, engine and model family is predicted

Written by `python scripts/support_page.py --data DIR` from the serving tables that the other pages name. Median
absolute error [%] of throughput, TPOT and TTFT with the shipped factors, which were also fitted to these rows;
[Serving](serving.md) has the errors on held-out rows. A blank means fewer than {least} figures. `jevons devices`,
`jevons engines` and `jevons models list` show the medians by device, engine and model.

"""


def family_of(model: str) -> str:
    """Return the family of a model, such as ``llama`` or ``deepseek``."""
    return re.split(r"[-\d.]", model, maxsplit=1)[0]


def records(data: Path, report: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str, float]]:
    """Yield device, engine, model, quantity and absolute error of each answered figure."""
    tables = {
        f"{name}.csv": list(csv.DictReader((data / f"{name}.csv").open(encoding="utf-8", newline="")))
        for name in TABLES
    }
    kinds = {metric: kind for kind, metrics in QUANTITIES.items() for metric in metrics}
    for entry in report["rows"]:
        kind = kinds.get(entry["metric"])
        if kind is None or entry.get("ape") is None:
            continue
        row = tables[Path(entry["file"]).name][entry["row"]]
        try:
            device, model = device_id(row["gpu"]), model_named(row["model"])[0].name
        except InputError:
            continue
        yield device, engine_in(row["engine"]), model, kind, entry["ape"]


def medians(rows: Iterable[tuple[Any, str, float]]) -> dict[Any, dict[str, Any]]:
    """Return figures and the median error of each quantity, by key."""
    errors: dict[Any, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key, kind, ape in rows:
        errors[key][kind].append(ape)
    return {
        key: {
            "figures": sum(map(len, by.values())),
            **{k: round(statistics.median(by[k]), 3) if len(by[k]) >= LEAST else None for k in QUANTITIES},
        }
        for key, by in sorted(errors.items())
    }


def percent(value: float | None) -> str:
    """Return a share as a percentage for a table, blank where there is none."""
    return "" if value is None else f"{100 * value:.0f}"


def main() -> None:
    """Write the page and the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    if given.report:
        report = json.loads(given.report.read_text("utf-8"))
    else:
        report = validate([given.data / f"{name}.csv" for name in TABLES]).to_json()
    rows = list(records(given.data, report))
    matrix = medians(((device, engine, family_of(model)), kind, ape) for device, engine, model, kind, ape in rows)
    groups = {
        "devices": medians((device, kind, ape) for device, _, _, kind, ape in rows),
        "engines": medians((engine, kind, ape) for _, engine, _, kind, ape in rows),
        "models": medians((model, kind, ape) for _, _, model, kind, ape in rows),
        "matrix": [dict(zip(("gpu", "engine", "family"), key, strict=True)) | errors for key, errors in matrix.items()],
    }
    about = "Median absolute error of predictions, and how many figures; written by scripts/support_page.py"
    with writing(DATA) as stream:
        stream.write(json.dumps({"about": about, "date": str(dt.datetime.now(tz=dt.UTC).date()), **groups}, indent=1))
        stream.write("\n")
    lines = ["| device | engine | family | figures | throughput | TPOT | TTFT |", "|---|---|---|---:|---:|---:|---:|"]
    lines += [
        f"| {device} | {engine} | {family} | {errors['figures']:,} | {percent(errors['throughput'])} | "
        f"{percent(errors['tpot'])} | {percent(errors['ttft'])} |"
        for (device, engine, family), errors in matrix.items()
    ]
    with writing(PAGE, force=True) as stream:
        stream.write(HEAD.format(least=LEAST) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
