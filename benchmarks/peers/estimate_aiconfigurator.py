"""Answers InferenceX runs with AIConfigurator's own estimate; runs in an environment that has it, without jevons.

Run: python estimate_aiconfigurator.py RUNS.csv CONFIGS ESTIMATES.json

Each run is asked as its row states it: model, system, engine, quantisation, layout and batch, at the newest performance
tables that the package has for the engine. The package's mode for shapes that it lacks tables of is left off. Models
whose config.json the package would fetch from the network are given as folders of CONFIGS, named as in the rows with
``--`` for the slash. ESTIMATES.json holds TTFT and TPOT [ms] by run, or the reason why there are none.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from aiconfigurator.cli.api import cli_estimate

SYSTEMS = {
    "B200 SXM": "b200_sxm", "B300 SXM": "b300_sxm", "GB200": "gb200", "H100 SXM": "h100_sxm", "H200 SXM": "h200_sxm",
}  # fmt: skip
SIDES = ("batch_size", "num_workers", "tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size")


def arguments(row: dict[str, str], configs: Path) -> dict[str, Any]:
    """Return what the estimate takes of a row."""
    notes = json.loads(row["notes"])
    own = configs / row["model"].replace("/", "--")
    given: dict[str, Any] = {
        "model_path": str(own) if own.is_dir() else row["model"], "system_name": SYSTEMS[row["gpu"]],
        "backend_name": row["engine"], "mode": notes["mode"],
        "isl": int(float(row["isl"])), "osl": int(float(row["osl"])),
        "gemm_quant_mode": notes.get("gemm") or None, "moe_quant_mode": notes.get("moe") or None,
    }  # fmt: skip
    if notes["mode"] == "disagg":
        for side in ("prefill", "decode"):
            given |= {f"{side}_{name}": int(float(notes[f"{side}_{name}"])) for name in SIDES}
        return given
    given |= {
        "batch_size": int(float(notes["batch_size"])), "tp_size": int(row["tp"]), "pp_size": int(row["pp"] or 1),
        "attention_dp_size": int(row["dp"] or 1),
    }  # fmt: skip
    if notes.get("moe_tp"):
        given |= {"moe_tp_size": int(notes["moe_tp"]), "moe_ep_size": int(row["ep"] or 1)}
    return given


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    runs: dict[str, dict[str, str]] = {}
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            runs.setdefault(row["run_id"], row)
    answers: dict[str, dict[str, Any]] = {}
    began = time.process_time()
    for place, (run, row) in enumerate(runs.items()):
        try:
            made = cli_estimate(**arguments(row, Path(sys.argv[2])))
            answers[run] = {"ttft_ms": float(made.ttft), "tpot_ms": float(made.tpot)}
        except Exception as error:  # its kinds of errors are its own
            answers[run] = {"reason": f"{type(error).__name__}: {error}"[:200]}
        if place % 200 == 0:
            sys.stderr.write(f"{place} of {len(runs)} runs, {time.process_time() - began:.0f} s\n")
    text = json.dumps({"seconds": time.process_time() - began, "answers": answers})
    Path(sys.argv[3]).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
