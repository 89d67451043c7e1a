"""Other simulators beside jevons, in one run on one machine: speed of a plain load, and errors on InferenceX runs.

Run: python benchmarks/peers.py ENV [--data DIR] [--every N] [--requests N] [--page FILE]

ENV is a virtual environment that is made where it is not there; each peer is installed into it from the package index.
Timed: NVIDIA Dynamo's offline replay and jevons' simulator on N requests of 500 tokens in and 200 out, 6 a second.
Judged, with --data (the folder of the measured tables): AIConfigurator and jevons on every Nth InferenceX run. With
--page, the lines go into a page of the documentation too.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jevons import models, serving, validate
from jevons.hardware import accelerator
from jevons.serving import sim

HERE = Path(__file__).parent / "peers"
DYNAMO = ("ai-dynamo==1.3.1", "ai-dynamo-runtime==1.3.1")
DYNAMO_NEEDS = (
    "pydantic<=2.13", "uvloop", "msgspec", "prometheus-client", "pyzmq", "tqdm", "aiohttp", "numpy", "tabulate",
    "transformers", "zstandard",
)  # fmt: skip
RATE = 6.0
PAGE = """# AIConfigurator and Dynamo beside jevons

Written by `python benchmarks/peers.py ENV --data DIR --page FILE`, which installs both into ENV and runs all three on
one machine. NVIDIA AIConfigurator 0.12.0 answers InferenceX runs from its own tables of kernels, each run asked as its
row states it, without its mode for shapes that it lacks. jevons answers with its shipped factors. They were fitted to
rows of this table, and AIConfigurator ships the table to be compared with, so neither is judged on rows that its makers
had not seen. Errors of jevons on rows held out are on [the page of serving](serving.md).

Errors are of TTFT and TPOT on the runs that both answer. Speed is that of the simulators of requests: Dynamo's offline
replay 1.3.1, compiled, with its built-in timing, against `jevons simulate` without compilation, on 500 tokens in and
200 out at 6 requests a second.

```text
{lines}
```
"""
# Architectures that AIConfigurator would fetch, by the name in the table.
CONFIGS = {
    "meta-llama/Llama-3.1-8B-Instruct": "llama-3.1-8b", "meta-llama/Llama-3.1-70B": "llama-3.1-70b",
    "zhipuai/GLM-5": "glm-5",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("env", type=Path, help="virtual environment of the peers")
    parser.add_argument("--data", type=Path, help="folder that holds serving/*.csv")
    parser.add_argument("--every", type=int, default=4, help="each so many-th run is judged")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--page", type=Path, help="page that is written")
    given = parser.parse_args()
    python = environment(given.env)
    lines = [speed(python, given.requests)]
    print(lines[0])
    if given.data:
        lines += accuracy(python, given.data / "serving" / "inferencex_silicon.csv", given.every)
        print("\n".join(lines[1:]))
    if given.page:
        given.page.write_text(PAGE.format(lines="\n".join(lines)), "utf-8")


def environment(folder: Path) -> Path:
    """Return the interpreter of a virtual environment, made where it is not there."""
    python = folder.resolve() / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    return python


def installed(python: Path, module: str, *packages: tuple[str, ...]) -> None:
    """Install packages, one group after the other, where the module cannot be imported; the first without needs."""
    if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0:
        return
    for place, group in enumerate(packages):
        alone = ["--no-deps"] if place == 0 and len(packages) > 1 else []
        subprocess.run([python, "-m", "pip", "install", "-q", *alone, *group], check=True)


def speed(python: Path, requests: int) -> str:
    """Return requests per second of both simulators, and their ratio."""
    installed(python, "dynamo.replay", DYNAMO, DYNAMO_NEEDS)
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [
                python, "-m", "dynamo.replay", "--input-tokens", "500", "--output-tokens", "200", "--request-count",
                str(requests), "--arrival-interval-ms", str(1000.0 / RATE), "--num-workers", "1", "--replay-mode",
                "offline", "--report-json", "report.json",
            ],
            cwd=folder, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    wall_ms = next(line for line in told.splitlines() if line.startswith("Wall Time (ms)"))
    peer = requests / (float(wall_ms.split(":")[1].replace(",", "")) / 1e3)
    deployment = serving.Deployment(
        model=models.load("llama-3.1-8b"), accelerator=accelerator("h100_sxm"), layout=serving.Layout(),
        precision="bf16", kv_precision="bf16", engine=serving.engine("vllm"),
    )  # fmt: skip
    limits = sim.limits_of(deployment, context=700.0)
    table = sim.step_table(deployment, limits.max_batch, limits.step_tokens)
    load = sim.generate(sim.Load(requests=requests, isl=500, osl=200, rate_req_per_s=RATE))
    sim.simulate(load, table, limits)  # compiles
    walls = []
    for _ in range(5):
        began = time.perf_counter()
        sim.simulate(load, table, limits)
        walls.append(time.perf_counter() - began)
    own = requests / statistics.median(walls)
    return f"Dynamo replay 1.3.1: {peer:,.0f} requests/s; jevons: {own:,.0f} requests/s; ratio {own / peer:,.0f}"


def accuracy(python: Path, table: Path, every: int) -> list[str]:
    """Return lines of the errors of both on the runs that both answer, and of how many each answers."""
    installed(python, "aiconfigurator", ("aiconfigurator==0.12.0",))
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = set(list(dict.fromkeys(row["run_id"] for row in rows))[::every])
    rows = [row for row in rows if row["run_id"] in chosen]
    with tempfile.TemporaryDirectory() as folder:
        path, configs, estimates = (Path(folder) / name for name in (table.name, "configs", "estimates.json"))
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        for name, shipped in CONFIGS.items():
            own = configs / name.replace("/", "--")
            own.mkdir(parents=True)
            text = (Path(models.__file__).parent / "configs" / f"{shipped}.json").read_text("utf-8")
            (own / "config.json").write_text(text, "utf-8")
        subprocess.run([python, HERE / "estimate_aiconfigurator.py", path, configs, estimates], check=True)
        found = json.loads(estimates.read_text("utf-8"))
        began = time.process_time()
        report = validate(path).to_json()["rows"]
        seconds = time.process_time() - began
    took = f"CPU seconds for {len(chosen):,} runs: AIConfigurator {found['seconds']:.0f}, jevons {seconds:.0f}"
    return [*error_lines(rows, report, found["answers"]), took]


def error_lines(rows: list[dict[str, str]], report: Iterable[dict[str, Any]], answers: dict[str, Any]) -> Iterator[str]:
    """Yield the errors by mode and metric on the runs that both answer, and how many each answers."""
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    counts: dict[str, list[int]] = {}
    for one in report:
        row, metric = rows[one["row"]], one["metric"]
        mode = "prefill apart" if json.loads(row["notes"])["mode"] == "disagg" else "together"
        peer, own = answers[row["run_id"]].get(metric), one.get("predicted")
        tally = counts.setdefault(f"{mode} {metric}", [0, 0, 0])
        for place, got in enumerate((1, peer, own)):
            tally[place] += bool(got)
        if peer and own:
            measured = float(row["value"])
            pairs.setdefault((mode, metric), []).append((abs(peer / measured - 1.0), abs(own / measured - 1.0)))
    yield f"{'median / p90 error [%]':28} {'runs of both':>12} {'AIConfigurator':>16} {'jevons':>16}"
    for (mode, metric), errors in sorted(pairs.items()):
        texts = []
        for side in zip(*errors, strict=True):
            ranked = sorted(side)
            texts.append(f"{100 * statistics.median(ranked):.1f} / {100 * ranked[int(0.9 * (len(ranked) - 1))]:.1f}")
        yield f"{mode + ' ' + metric:28} {len(errors):12,} {texts[0]:>16} {texts[1]:>16}"
    for name, (runs, peer, own) in sorted(counts.items()):
        yield f"answered, {name}: AIConfigurator {peer:,} of {runs:,}, jevons {own:,}"


if __name__ == "__main__":
    main()
