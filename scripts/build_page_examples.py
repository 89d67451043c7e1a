"""Writes the answers that the page opens with, so that it is never empty: ``src/jevons/web/static/examples/*.json``.

Run it after figures of sizing or of the plan have moved. The page calculates anew whatever its reader changes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jevons
from jevons.schema import plain
from jevons.web.inputs import asked, versions
from jevons.web.work import document_of

PLACE = Path(__file__).resolve().parent.parent / "src" / "jevons" / "web" / "static" / "examples"
SIZE: dict[str, Any] = {
    "model": "deepseek-v3", "gpu": ["h200_sxm"], "rate": 30.0, "isl": 2000, "osl": 500, "ttft": 1.0, "tpot": 0.05,
}  # fmt: skip
CHOICE: dict[str, Any] = {"model": "deepseek-r1", "gpu": ["h20", "h200_sxm"], "tokens_per_day": 57e6}
DRAWS = 120


def rounded(value: Any) -> Any:
    """Return numbers with six significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def write(name: str, value: Any) -> None:
    """Write a file of examples."""
    PLACE.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(plain(value)), ensure_ascii=False, separators=(",", ":")) + "\n"
    (PLACE / f"{name}.json").write_text(text, encoding="utf-8")
    print(f"{name}.json: {len(text):,} characters")


def main(draws: int) -> None:
    """Write all examples."""
    size = jevons.size(**SIZE)
    choice = jevons.buy_rent_api(**CHOICE)
    question = {"scenario": "alibaba-380bn", "draws": draws}
    plan = jevons.plan("alibaba-380bn", draws=draws, processes=2)
    document = plain(document_of(plan))
    record = document["result"]
    for name in ("sources", "judgements", "price_schedule", "shadow_prices", "lines"):
        record.pop(name, None)
    meta = {
        "id": "", "kind": "plan", "input": dict(asked("plan", question).input), "state": "done", "versions": versions(),
        "seed": plan.scenario.seed, "tables": [], "notes": [], "seconds": 0.0, "paths": document.get("paths", {}),
        "explained": [], "change": document["change"], "swings": document["findings"]["swings"],
    }  # fmt: skip
    write("plan", {**record, "meta": meta})
    sized = size.to_json()
    entries = ("answer", "model", "load", "limits", "best")
    names = ("capex", "devices", "tokens_per_d", "compute_factor")
    spread = {name: record["uncertainty"][name] for name in names}
    last = {
        "currency": record["currency"], **{name: one["p50"] for name, one in spread.items()},
        "ends": {name: [one["p10"], one["p90"]] for name, one in spread.items()},
    }  # fmt: skip
    write("start", {
        "versions": versions(), "size": {name: sized[name] for name in entries}, "choice": choice.to_json(),
        "plan": last,
    })  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS)
