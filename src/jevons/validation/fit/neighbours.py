"""How far predictions were from measured configurations that the fit had not seen, for `jevons.serving.neighbours`."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np

from jevons.models import base_name
from jevons.serving.neighbours import Measured, weights_of
from jevons.serving.types import FloatArray
from jevons.validation.fit.serving import Item, Problem
from jevons.validation.serving.predict import quantity_of

_QUANTITIES = ("ttft", "tpot", "rate")
_OPEN = "open"


def neighbours_document(problem: Problem, errors: FloatArray) -> dict[str, Any]:
    """Return the document of `jevons.serving.neighbours`.

    Parameters
    ----------
    problem : Problem
        All items of the fit.
    errors : ndarray
        log(predicted / measured) of all rows under factors fitted without their group.
    """
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, item in enumerate(problem.items):
        alike[_key(item)].append(index)
    rows = [one for members in alike.values() if (one := _measured(problem, members, errors)) is not None]
    names = [field.name for field in fields(Measured)]
    return {
        "about": "Median of predicted over measured, minus 1, by measured configuration, under factors fitted without "
        "its group; written by scripts/fit_serving.py",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "columns": names,
        "rows": sorted(([getattr(row, name) for name in names] for row in rows), key=str),
    }


def _key(item: Item) -> tuple[object, ...]:
    """Return what rows of one configuration have in common: all but the load, and lengths to a factor of two."""
    case = item.prepared.case
    lengths = (round(math.log2(max(drawn.mean, 1.0))) for drawn in (case.requested.isl, case.requested.osl))
    return (
        item.group,
        item.engine,
        case.version,
        item.device,
        case.gpus,
        item.model,
        case.precision,
        case.instances.layout,
        case.instances.prefill,
        case.scheduler.draft_tokens,
        case.scenario == _OPEN,
        *lengths,
    )


def _measured(problem: Problem, members: Iterable[int], errors: FloatArray) -> Measured | None:
    """Return the configuration of some items with the medians of their errors; None where nothing is predicted."""
    log_errors: dict[str, list[float]] = defaultdict(list)
    loads, lengths = [], []
    for index in members:
        case = problem.items[index].prepared.case
        loads.append(
            case.requested.rate_per_s
            if case.scenario == _OPEN
            else float(case.requested.users or case.requested.requests)
        )
        lengths.append((case.requested.isl.mean, case.requested.osl.mean))
        for row in problem.rows_of[index]:
            quantity = quantity_of(problem.metrics[row])
            if quantity in _QUANTITIES and not np.isnan(errors[row]):
                log_errors[quantity].append(float(np.expm1(errors[row])))
    if not log_errors:
        return None
    item = problem.items[index]
    case, deployment = item.prepared.case, item.prepared.surfaces[0].deployment
    return Measured(
        source=item.group.split(" :: ")[0].partition(" (via")[0],
        engine=item.engine,
        version=case.version,
        device=item.device,
        gpus=case.gpus,
        layout=str(deployment.layout),
        apart=case.instances.prefill is not None,
        model=base_name(item.model),
        weights=weights_of(deployment),
        active_params=float(deployment.model.parameters_active),
        isl=round(statistics.median(isl for isl, _ in lengths)),
        osl=round(statistics.median(osl for _, osl in lengths)),
        least_load=min(loads),
        most_load=max(loads),
        open_loop=case.scenario == _OPEN,
        figures=sum(map(len, log_errors.values())),
        errors={name: round(statistics.median(log_errors[name]), 3) for name in _QUANTITIES if log_errors[name]},
    )
