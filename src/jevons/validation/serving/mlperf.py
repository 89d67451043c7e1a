"""Cases from MLPerf Inference rows."""

from __future__ import annotations

import re

from jevons.errors import InputError
from jevons.serving.closed_loop.points import Lengths
from jevons.validation.serving.case import Case, Dataset, Row

# Mean and longest lengths as the task descriptions of MLPerf Inference (v4.1 to v6.0) print or imply them; limits are
# TTFT, TPOT.
MLPERF = {
    "llama-2-70b": Dataset(
        isl=Lengths(mean=294.0, sigma=0.8, most=1024.0),
        osl=Lengths(mean=294.0, sigma=0.7, most=1024.0),
        requests=24576,
        limits={"Server": (2.0, 0.2), "Interactive": (0.45, 0.04)},
    ),
    "llama-3.1-405b": Dataset(
        isl=Lengths(mean=9428.0, sigma=0.6, most=20000.0),
        osl=Lengths(mean=684.0, sigma=0.7, most=2000.0),
        requests=8313,
        limits={"Server": (6.0, 0.175), "Interactive": (4.5, 0.08)},
    ),
    "llama-3.1-8b": Dataset(
        isl=Lengths(mean=778.0, sigma=0.5, most=2540.0),
        osl=Lengths(mean=128.0),
        requests=13368,
        limits={"Server": (2.0, 0.1), "Interactive": (0.5, 0.03)},
    ),
    "mixtral-8x7b": Dataset(
        isl=Lengths(mean=275.0, sigma=0.8, most=2048.0),
        osl=Lengths(mean=145.0, sigma=0.8, most=1024.0),
        requests=15000,
        limits={"Server": (2.0, 0.2)},
    ),
    "deepseek-r1": Dataset(
        isl=Lengths(mean=800.0, sigma=0.8, most=3136.0),
        osl=Lengths(mean=3880.0, sigma=0.8, most=20000.0),
        requests=4388,
        limits={"Server": (2.0, 0.08), "Interactive": (1.5, 0.015)},
    ),
    "gpt-oss-120b": Dataset(
        isl=Lengths(mean=3500.0, sigma=0.7),
        osl=Lengths(mean=1310.0, sigma=0.8, most=10240.0),
        requests=6396,
        limits={"Server": (3.0, 0.08), "Interactive": (2.0, 0.02)},
    ),
    "gpt-j-6b": Dataset(
        isl=Lengths(mean=919.0, sigma=0.5, most=1919.0),
        osl=Lengths(mean=69.0, sigma=0.3, most=128.0),
        requests=13368,
        limits={"Server": (20.0, 1.0)},
    ),
}


def mlperf_case(case: Case, row: Row, model: str) -> Case:
    """MLPerf prints neither layout nor lengths: the task fixes these, and the layout is searched."""
    if model not in MLPERF:
        message = f"`{row['model']}` is no MLPerf task whose lengths are known"
        raise InputError(message)
    scenario = row.get("concurrency_or_rate", "")
    task = MLPERF[model]
    if scenario not in {"Offline", *task.limits}:
        message = f"scenario `{scenario}` of {model} has no known limits"
        raise InputError(message)
    if case.gpus < 1:
        message = "the row does not say how many devices it covers"
        raise InputError(message)
    precision = case.precision
    if precision is None:  # the tasks' accuracy targets allow it, and submitters use it
        precision = "fp4" if case.device in {"b200_sxm", "gb200", "b300_sxm", "gb300"} else "fp8"
    cards = re.search(r"\bdual\b", row.get("gpu", ""), re.IGNORECASE)
    # Submitters run builds of their own, whose host does not hold the device up.
    return case.replace(
        release=None,
        precision=precision,
        scenario=f"mlperf-{scenario.lower()}",
        isl=task.isl,
        osl=task.osl,
        requests=task.requests,
        search=True,
        gpus=case.gpus * (2 if cards else 1),
    )
