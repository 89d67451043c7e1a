"""Fits the operators' factors (`jevons.validation.fit.operators`) and writes what ships with the package.

python scripts/fit_operators.py --data DIR
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import time
from pathlib import Path

from operators_page import write_page

from jevons.hardware import accelerator
from jevons.hardware.types import Accelerator
from jevons.operators.factors import KernelTable
from jevons.operators.factors import read_table as read_kernels
from jevons.validation.fit.operator_errors import (
    Residuals,
    document_of,
    facts_text,
    intervals_report,
    report,
    residuals_by_distance,
    worst,
)
from jevons.validation.fit.operators import (
    FACTS,
    KERNELS,
    PLANS,
    Fitted,
    Sample,
    first_guess,
    fit_and_judge,
    record_of,
    samples_of,
    shared_values,
    with_projections,
)
from jevons.validation.operators.rows import Block
from jevons.validation.operators.tables import read_table


def main() -> int:
    """Fit everything and write the package's files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ops/*.csv")
    parser.add_argument("--families", help="comma-separated; a dry run of these alone, nothing is written")
    parser.add_argument("--worst", type=int, default=25, help="kernels to list with the largest errors")
    parser.add_argument("--out", type=Path, help="write the error tables to this file too")
    parser.add_argument(
        "--date", type=dt.date.fromisoformat, default=dt.datetime.now(dt.UTC).date(), help="date of the fit"
    )
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    started = time.monotonic()
    devices: dict[str, Accelerator] = {}

    def known(name: str) -> Accelerator:
        if name not in devices:
            devices[name] = accelerator(name)
        return devices[name]

    blocks: list[Block] = []
    for path in sorted((options.data / "ops").glob("*.csv")):
        if path.name != "deepseek_kernels.csv":  # best cases as printed: judged on, never fitted
            blocks.extend(block for block in read_table(path, known).blocks if block.beside is None)
    samples = samples_of(blocks)
    print(f"{len(samples)} kernels, {sum(len(s.log_s) for s in samples)} rows", f"{time.monotonic() - started:.0f} s")
    wanted = options.families.split(",") if options.families else list(PLANS)
    fits: dict[str, list[Fitted]] = {}
    shared: dict[str, dict[str, float]] = {}
    residuals: dict[str, Residuals] = {}
    table = KernelTable(records={}, shared=shared)
    if options.families and "gemm" not in wanted:
        table = read_kernels(json.loads(KERNELS.read_text(encoding="utf-8")), {})
    with multiprocessing.Pool(options.jobs) as pool:
        for name in wanted:
            group = [sample for sample in samples if sample.key[0] == name]
            group = with_projections(group, table, devices)
            guesses = pool.map(first_guess, [(name, sample) for sample in group], chunksize=1)
            shared[name] = shared_values(name, group, guesses)
            together: dict[tuple[str, ...], list[Sample]] = {}
            for sample in group:
                together.setdefault(sample.key[2:], []).append(sample)
            jobs = [(name, members, shared[name]) for members in together.values()]
            fits[name] = [fit for fitted in pool.map(fit_and_judge, jobs, chunksize=1) for fit in fitted]
            residuals[name] = residuals_by_distance(name, fits[name], shared[name], devices)
            if name == "gemm":
                table = KernelTable(records={"gemm": [record_of(fit) for fit in fits[name]]}, shared=shared)
            print(name, {k: float(f"{v:.3g}") for k, v in shared[name].items()}, f"{time.monotonic() - started:.0f} s")
    tables = f"{report(fits, residuals)}\n{intervals_report(residuals)}\n{worst(fits, options.worst)}\n"
    print(tables)
    if options.out:
        options.out.write_text(tables, encoding="utf-8")
    if not options.families:
        KERNELS.write_text(json.dumps(document_of(fits, residuals), separators=(",", ":")) + "\n", encoding="utf-8")
        FACTS.write_text(facts_text(shared, fits, options.date), encoding="utf-8")
        fitted = read_kernels(json.loads(KERNELS.read_text(encoding="utf-8")), {})
        write_page(fits, residuals, options.data, fitted, known)
    return 0


if __name__ == "__main__":
    main()
