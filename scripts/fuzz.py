"""Runs the fuzz targets of tests/fuzz for many cases or much time, and writes a report of what failed.

``python scripts/fuzz.py --cases 100000 --minutes 60 --report out/fuzz.json``; exits 1 where a case failed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def run(cases: int, minutes: float, seed: int, only: str) -> dict[str, Any]:
    """Return the report of a run: cases, failures and seconds of each target."""
    sys.path.insert(0, str(ROOT / "tests" / "fuzz"))
    fuzz = importlib.import_module("suite")
    chosen = [target for target in fuzz.TARGETS if only in target.name]
    weight = sum(target.quick for target in chosen)
    done: dict[str, dict[str, Any]] = {target.name: {"cases": 0, "seconds": 0.0, "failures": []} for target in chosen}
    fuzz.warm_up()
    start = time.monotonic()
    while sum(outcome["cases"] for outcome in done.values()) < cases and time.monotonic() - start < 60.0 * minutes:
        for target in chosen:
            one, began = done[target.name], time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                for _ in range(max(round(1000 * target.quick / weight), 1)):
                    failure = fuzz.failure(target, seed + one["cases"], Path(folder))
                    one["cases"] += 1
                    if failure is not None:
                        one["failures"].append(failure)
                        print(failure, file=sys.stderr)
            one["seconds"] += time.monotonic() - began
        total, failed = sum(d["cases"] for d in done.values()), sum(len(d["failures"]) for d in done.values())
        print(f"{total:,} cases, {failed} failures, {time.monotonic() - start:.0f} s", file=sys.stderr)
    return {"seed": seed, "minutes": (time.monotonic() - start) / 60.0, "targets": done}


def killed(kills: int, seed: int) -> list[str]:
    """Return what was wrong after so many studies were killed at random moments."""
    sys.path.insert(0, str(ROOT / "tests" / "fuzz"))
    kill_many = importlib.import_module("kills").kill_many
    with tempfile.TemporaryDirectory() as folder:
        problems: list[str] = kill_many(kills, seed, Path(folder))
    print(f"{kills:,} kills, {len(problems)} failures", file=sys.stderr)
    return problems


def requested(requests: int, seed: int) -> list[str]:
    """Return what was wrong with the page's answers to so many random requests, workers killed between."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "fuzz")]
    ask_many = importlib.import_module("pages").ask_many
    with tempfile.TemporaryDirectory() as folder:
        problems: list[str] = ask_many(requests, seed, Path(folder), kills=max(requests // 1000, 1))
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    print(f"{requests:,} requests, {len(problems)} failures", file=sys.stderr)
    return problems


def main() -> int:
    """Run the targets; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1_000_000, help="First seed; the quick suite takes those from 0.")
    parser.add_argument("--target", default="", help="Only targets whose name holds this.")
    parser.add_argument("--kills", type=int, default=100, help="Studies that are killed at random moments.")
    parser.add_argument("--requests", type=int, default=10_000, help="Random requests to the service of the page.")
    parser.add_argument("--report", type=Path, default=ROOT / "out" / "fuzz.json")
    given = parser.parse_args()
    report = run(given.cases, given.minutes, given.seed, given.target)
    problems = killed(given.kills, given.seed) if given.kills else []
    report["kills"] = {"kills": given.kills, "failures": problems}
    unanswered = requested(given.requests, given.seed) if given.requests else []
    report["requests"] = {"requests": given.requests, "failures": unanswered}
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(json.dumps(report, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    failed = len(problems) + len(unanswered) + sum(len(target["failures"]) for target in report["targets"].values())
    for name, target in report["targets"].items():
        print(
            f"{name:16} {target['cases']:>8,} cases {len(target['failures']):>5} failures {target['seconds']:>8.0f} s"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
