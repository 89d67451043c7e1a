"""What a few runs of a deployment that no fit had seen do for its other runs: `jevons calibrate`, judged out of sample.

Each deployment (engine, release, device, model, precision) of a part left out gives four runs, spread over its loads;
the factors fitted without the part are updated by them as `calibrate` does, on linearised errors, and the deployment's
other runs are predicted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from jevons.serving.types import FloatArray
from jevons.validation.fit.serving import PACES, Problem, solve
from jevons.validation.fit.update import Evidence, update
from jevons.validation.serving.predict import quantity_of

RUNS = 4
LEAST_OTHERS = 3


def few_shot_errors(
    problem: Problem,
    at: tuple[FloatArray, FloatArray, FloatArray],
    spread: FloatArray,
    parts: Mapping[str, Sequence[int]],
) -> FloatArray:
    """Return log(predicted / measured) of the runs not given, under factors updated by those that are; NaN elsewhere.

    Parameters
    ----------
    problem : Problem
        All items.
    at : tuple of ndarray
        Factors, errors and derivatives at which errors are linear.
    spread : ndarray
        Standard errors of the factors, in the logarithm.
    parts : mapping of str to sequence of int
        Items left out together.
    """
    theta, base, slopes = at
    owner = np.array(problem.owner)
    errors = np.full(len(owner), np.nan)
    steep = np.hstack([slopes, _pace_slopes(problem)])
    sigma = np.minimum(np.append(spread, list(PACES.values())), np.append(problem.sigma, list(PACES.values())))
    for items in parts.values():
        apart = solve(problem, base, slopes, theta, ~np.isin(owner, np.array(items)))
        before = base + slopes @ (apart - theta)
        for members in _deployments(problem, items).values():
            given = {members[place] for place in np.linspace(0, len(members) - 1, RUNS).round().astype(int)}
            rows = [row for index in members for row in problem.rows_of[index]]
            known = [row for row in rows if owner[row] in given and not np.isnan(before[row])]
            moved = update(
                Evidence(
                    error=before[known], slope=steep[known], sigma=sigma, run=owner[known],
                    kind=np.array([quantity_of(problem.metrics[row]) or "" for row in known]),
                )
            )  # fmt: skip
            for row in rows:
                if owner[row] not in given:
                    errors[row] = before[row] + steep[row] @ moved
    return errors


def _deployments(problem: Problem, items: Sequence[int]) -> dict[tuple[object, ...], list[int]]:
    """Return the items of each deployment that has runs enough, by rising load."""
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index in items:
        item, case = problem.items[index], problem.items[index].prepared.case
        alike[
            item.engine, case.version, item.device, item.model, case.precision, case.instances.prefill is None
        ].append(index)
    enough = {name: members for name, members in alike.items() if len(members) >= RUNS + LEAST_OTHERS}
    for members in enough.values():
        members.sort(key=lambda index: (problem.items[index].prepared.case.requested.isl.mean,
                                        problem.items[index].prepared.case.requested.users))  # fmt: skip
    return enough


def _pace_slopes(problem: Problem) -> FloatArray:
    """Return the derivatives by the paces of decode and prompt steps, shape (rows, 2)."""
    slopes = np.zeros((len(problem.owner), 2))
    for row, metric in enumerate(problem.metrics):
        quantity = quantity_of(metric)
        if quantity == "ttft":
            slopes[row, 1] = 1.0
        elif quantity == "rate":
            slopes[row] = (-0.8, -0.2)
        else:
            slopes[row, 0] = 1.0
    return slopes
