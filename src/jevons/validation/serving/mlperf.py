"""Cases from MLPerf Inference rows."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.hardware import accelerator
from jevons.schema import read_yaml
from jevons.serving.closed_loop.types import Lengths
from jevons.validation.serving.case import Case, Dataset, Row
from jevons.validation.serving.recipes import with_recipe

_TASKS = Path(__file__).parent / "mlperf.yaml"


@functools.cache
def tasks() -> dict[str, Dataset]:
    """Return the tasks by the model that they run."""
    return {
        str(model): Dataset(
            isl=Lengths(**task["isl"]),
            osl=Lengths(**task["osl"]),
            requests=task["requests"],
            limits={scenario: (limit["ttft"], limit["tpot"]) for scenario, limit in task["limits"].items()},
        )
        for model, task in read_yaml(_TASKS).root.items()
    }


def mlperf_case(case: Case, row: Row, model: str) -> Case:
    """MLPerf prints neither layout nor lengths: the task fixes these, and the layout is searched."""
    if model not in tasks():
        message = f"`{row['model']}` is no MLPerf task whose lengths are known"
        raise InputError(message)
    scenario = row.get("concurrency_or_rate", "")
    task = tasks()[model]
    if scenario not in {"Offline", *task.limits}:
        message = f"scenario `{scenario}` of {model} has no known limits"
        raise InputError(message)
    if case.gpus < 1:
        message = "the row does not say how many devices it covers"
        raise InputError(message)
    precision = case.precision
    if precision is None:  # the tasks' accuracy targets allow it, and submitters use it
        submitted = f"generation.{accelerator(case.device).generation}.mlperf_precision"
        precision = str(default_facts().get(submitted).value) if submitted in default_facts() else "fp8"
    cards = re.search(r"\bdual\b", row.get("gpu", ""), re.IGNORECASE)
    # Submitters run builds of their own, whose host does not hold the device up.
    run = case.replace(
        release=None,
        precision=precision,
        scenario=f"mlperf-{scenario.lower()}",
        isl=task.isl,
        osl=task.osl,
        requests=task.requests,
        search=True,
        gpus=case.gpus * (2 if cards else 1),
    )
    return with_recipe(run, model, "mlperf", origin=row.get("engine") or "")
