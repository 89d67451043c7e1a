"""Updates what ships by a few measured runs: the factors of `jevons calibrate`, each within its own uncertainty."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.serving.calibration import Calibration
from jevons.serving.scales import scale_facts, shipped_scales
from jevons.serving.types import FloatArray
from jevons.validation.fit.serving import (
    ENGINE_FACTORS,
    HOPELESS,
    PACES,
    Factor,
    Item,
    Problem,
    factors_for,
    gather,
    provenance,
)
from jevons.validation.fit.update import Evidence, update
from jevons.validation.rows import Table
from jevons.validation.serving.predict import quantity_of

_NORMAL_90 = 1.64
_UPDATES, _SETTLED = 3, 0.02


def own_factors(items: Sequence[Item]) -> list[Factor]:
    """Return the factors that a few runs of a deployment may move, around what ships.

    The prior of a factor is its value with the spread that its own fit left; beside them each engine gets a pace of its
    decode steps and one of its prompt steps, which take what is this deployment's alone.
    """
    engines = sorted({item.engine for item in items})
    spreads = shipped_spreads(engines)
    factors = [
        replace(factor, sigma=min(spreads.get((factor.owner, factor.name), factor.sigma), factor.sigma))
        for factor in factors_for(items)
    ]
    for engine in engines:
        for name, sigma in PACES.items():
            factors.append(Factor(kind="engine", owner=engine, name=name, start=1.0, low=0.2, high=5.0, sigma=sigma))
    return factors


def shipped_spreads(engines: Iterable[str]) -> dict[tuple[str, str], float]:
    """Return the standard errors, in the logarithm, of the scales and factors that ship, by owner and name."""
    facts = default_facts()
    named = list(scale_facts(facts))
    for engine in engines:
        ids = ((name, f"engine.{engine}.{name}") for name, *_ in ENGINE_FACTORS)
        named += [(engine, name, facts.get(fact_id)) for name, fact_id in ids if fact_id in facts]
    return {
        (owner, name): math.log(value.high / value.low) / (2.0 * _NORMAL_90)
        for owner, name, value in named
        if value.grade == "derived" and value.low and value.high
    }


def calibrate(paths: Sequence[Path | str | Table], log: Callable[[str], None] = lambda _: None) -> Calibration:
    """Return factors updated by the serving rows of files; three to five runs of a deployment are enough.

    Raises
    ------
    InputError
        If no row can be fitted.
    """
    items = gather([path if isinstance(path, Table) else Path(path) for path in paths])
    if not items:
        message = "none of the rows can be fitted; `jevons validate` names the reasons"
        raise InputError(message)
    problem = Problem(items=items, factors=own_factors(items))
    before = problem.errors(problem.start)
    theta, errors, slopes = updated(problem, log)
    fitted = problem.calibration(theta)
    scales = {owner: dict(parts) for owner, parts in shipped_scales().items()}
    for owner, parts in (fitted.scales or {}).items():
        scales.setdefault(owner, {}).update(parts)
    about = provenance(problem, paths, errors, slopes)
    about["before"] = {
        f"{factor.owner}.{factor.name}": float(math.exp(value))
        for factor, value in zip(problem.factors, problem.start, strict=True)
    }
    about["median_ape_before"] = float(np.nanmedian(np.abs(np.expm1(before))))
    about["deployments"] = [list(deployment) for deployment in sorted({(i.engine, i.device, i.model) for i in items})]
    return replace(fitted, scales=scales, provenance=about)


def updated(problem: Problem, log: Callable[[str], None] = lambda _: None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return factors updated by the runs of a problem, and errors and derivatives there.

    Errors are linearised where the update before led; nothing is kept that fits these runs worse than what ships.
    """
    start = problem.clip(problem.start)
    theta, base = start, problem.errors(start)
    first = slopes = problem.slopes(theta, base)
    best = (_misfit(problem, base), start, base, first)
    for round_ in range(_UPDATES):
        known = ~np.isnan(base) & (np.abs(np.nan_to_num(base)) < HOPELESS)
        evidence = Evidence(
            error=(base - slopes @ (theta - start))[known], slope=slopes[known], sigma=problem.sigma,
            run=np.array(problem.owner)[known],
            kind=np.array([quantity_of(metric) or "" for metric in problem.metrics])[known],
        )  # fmt: skip
        wanted = problem.clip(start + update(evidence))
        errors = problem.errors(wanted)
        log(f"round {round_}: median error {np.nanmedian(np.abs(np.expm1(errors))):.3f}")
        moved = float(np.abs(wanted - theta).max())
        theta, base = wanted, errors
        if _misfit(problem, base) >= best[0]:
            break
        slopes = problem.slopes(theta, base)
        best = (_misfit(problem, base), theta, base, slopes)
        if moved < _SETTLED:
            break
    return best[1:]


def _misfit(problem: Problem, errors: FloatArray) -> float:
    known = ~np.isnan(errors)
    return float(np.log1p((errors[known] / problem.outlier[known]) ** 2).sum()) + 2.0 * float((~known).sum())
