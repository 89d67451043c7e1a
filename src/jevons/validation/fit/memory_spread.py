"""Intervals of predicted memory, from errors on start-ups and layouts that no fit had seen.

The documents of `jevons.serving.memory_spread` and `jevons.training.memory_spread`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.stats import norm

from jevons.errors import FactError, InputError
from jevons.serving.memory import memory_plan
from jevons.serving.memory_spread import cache_ends
from jevons.training import Recipe, TrainingLayout, memory_bytes, training_factors
from jevons.validation.fit.memory import (
    MeasuredStart,
    Outcomes,
    fit_outcomes,
    fit_startups,
    outcome_bytes,
    shipped_outcome_factors,
    with_factors,
)
from jevons.validation.rows import Table, read_table
from jevons.validation.serving.case import number_of
from jevons.validation.serving.startups import start_up
from jevons.validation.training.cases import TrainingCase, read_training_case

Floats = NDArray[np.float64]

_GIB = 2.0**30
_ENDS = (0.1, 0.9)
_FAR = 2.0
"""How much wider than with a release left out the interval is where nothing alike is on file."""
_PEAK = re.compile(r"peak memory\s*(?:GiB=)?\s*([\d.]+)")
_PEAKS = {"torchtitan": Recipe(framework="fsdp"), "bigscience": Recipe()}
"""Tables whose notes print peaks, all in GiB as PyTorch counts, and what their trainers keep."""


def cache_errors(starts: Sequence[MeasuredStart], key: Callable[[MeasuredStart], str]) -> Floats:
    """Return logged less predicted cache over the device's memory, under factors fitted to starts with another key."""
    errors = []
    for name in sorted({key(start) for start in starts}):
        values = fit_startups([start for start in starts if key(start) != name])
        for start in starts:
            printed = start.row.get("kv_cache_gib") or ""
            if key(start) == name and printed:
                deployment = with_factors(start.predicted.deployment, values, newer=start.newer)
                off = float(printed) * _GIB - memory_plan(deployment).kv_bytes
                errors.append(off / deployment.accelerator.hbm_bytes)
    return np.array(errors)


def cache_document(starts: Sequence[MeasuredStart]) -> dict[str, object]:
    """Return the document of `jevons.serving.memory_spread`."""
    models, releases = (cache_errors(starts, key) for key in (lambda one: one.model, lambda one: one.release))
    same, near = (np.quantile(errors, _ENDS) for errors in (models, releases))
    near = np.array([min(near[0], same[0]), max(near[1], same[1])])
    ends = {"same": same, "near": near, "far": _FAR * near}
    devices = [start.predicted.deployment.accelerator for start in starts]
    return {
        "about": "Quantiles (10 %, 90 %) of logged less predicted cache over a device's memory, on start-ups left out, "
        "and how many; written by scripts/fit_memory.py",
        "engine": "vllm",
        "vendor": devices[0].vendor,
        "generations": sorted({device.generation for device in devices}),
        "releases": sorted({tuple(int(part) for part in start.release.split(".")[:2]) for start in starts}),
        "quantiles": {
            name: [round(float(low), 5), round(float(high), 5), len(releases if name != "same" else models)]
            for name, (low, high) in ends.items()
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededMemory:
    """Logarithm of needed over predicted memory of one source, taken as normal, and the layouts it comes from."""

    mean: float
    deviation: float
    rows: int


def outcome_margins(outcomes: Outcomes) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the logarithm of predicted over a device's memory with each model left out, and which layouts failed.

    Shipped factors lie on the safe side of fitted ones; so do those fitted to the other models, as far.
    """
    whole, ship = fit_outcomes(outcomes), shipped_outcome_factors()
    margins, labels = np.empty(len(outcomes.hbm)), np.array(outcomes.model)
    for name in sorted(set(outcomes.model)):
        own = labels == name
        fitted = fit_outcomes(outcomes.subset(~own))
        safe = {factor: value * ship[factor] / whole[factor] for factor, value in fitted.items()}
        inside = outcomes.subset(own)
        margins[own] = np.log(outcome_bytes(inside, safe, training_factors()) / inside.hbm)
    return margins, outcomes.failed


def needed_by_outcomes(margins: Floats, failed: NDArray[np.bool_]) -> NeededMemory:
    """Return the normal under which outcomes are likeliest: a layout fails where what it needs exceeds the device."""

    def surprise(at: Floats) -> float:
        chance = np.clip(norm.cdf((margins + at[0]) / np.exp(at[1])), 1e-6, 1.0 - 1e-6)
        return float(-np.log(np.where(failed, chance, 1.0 - chance)).sum())

    mean, scale = minimize(surprise, np.array([0.0, -2.0]), method="Nelder-Mead").x
    return NeededMemory(mean=float(mean), deviation=float(np.exp(scale)), rows=len(failed))


def needed_by_peaks(table: Table, recipe: Recipe) -> NeededMemory:
    """Return the normal of printed peaks over predicted memory of a table's rows that print one."""
    ratios = []
    for row in table.rows:
        printed = _PEAK.search(row.get("notes", ""))
        if printed is None:
            continue
        try:
            predicted = _predicted_bytes(read_training_case(row), recipe)
        except (InputError, FactError):
            continue
        ratios.append(np.log(float(printed[1]) * _GIB / predicted))
    return NeededMemory(mean=float(np.mean(ratios)), deviation=float(np.std(ratios)), rows=len(ratios))


def _predicted_bytes(case: TrainingCase, recipe: Recipe) -> float:
    """Return the memory of the layout that a row prints, as `jevons train` adds it up for such software."""
    printed = case.fixed()
    tp, pp, cp = (printed.get(name, 1) for name in ("tp", "pp", "cp"))
    layout = TrainingLayout(
        tp=tp, pp=pp, cp=cp, dp=case.job.cluster.devices // (tp * pp * cp), zero=printed.get("zero", 1),
        recompute=case.recompute, micro_batch=printed.get("micro_batch", 1), sequence_parallel=case.sequence_parallel,
    )  # fmt: skip
    software = replace(case.job.software, eager_memory=recipe.native)
    return float(sum(memory_bytes(replace(case.job, recipe=recipe, software=software), layout).values()))


def mixed_ends(sources: Sequence[NeededMemory]) -> tuple[float, float]:
    """Return the 10 % and 90 % quantiles of needed over predicted memory, each source weighing alike."""

    def chance(at: float) -> float:
        return float(np.mean([norm.cdf(at, one.mean, one.deviation) for one in sources]))

    low, high = (brentq(lambda at, end=end: chance(at) - end, -3.0, 3.0) for end in _ENDS)
    return float(np.exp(low)), float(np.exp(high))


def needed_memory(outcomes: Outcomes, folder: Path) -> Mapping[str, NeededMemory]:
    """Return the normal of each source of a folder of training tables: layouts' outcomes, and printed peaks."""
    peaks = {name: needed_by_peaks(read_table(folder / f"{name}.csv"), recipe) for name, recipe in _PEAKS.items()}
    return {"nanotron": needed_by_outcomes(*outcome_margins(outcomes)), **peaks}


def training_document(needed: Mapping[str, NeededMemory]) -> dict[str, object]:
    """Return the document of `jevons.training.memory_spread`."""
    kinds = {"native": ("nanotron", "torchtitan"), "megatron": ("nanotron", "bigscience")}
    quantiles = {}
    for kind, names in kinds.items():
        low, high = mixed_ends([needed[name] for name in names])
        quantiles[kind] = [round(low, 4), round(high, 4), sum(needed[name].rows for name in names)]
    return {
        "about": "Quantiles (10 %, 90 %) of needed over predicted memory on layouts left out, and how many; written by "
        "scripts/fit_memory.py",
        "quantiles": quantiles,
    }


def reports_inside(table: Table) -> tuple[int, int]:
    """Return how many caches that a table of start-ups prints lie in their interval, and how many it prints."""
    inside = known = 0
    for row in table.rows:
        start = start_up(row)
        logged = number_of(row.get("kv_cache_gib"))
        tokens = number_of(row.get("kv_cache_tokens"))
        if not logged and tokens and start.use.kv_bytes > 0.0:
            logged = start.use.kv_bytes / _GIB * tokens / start.component("kv_cache_tokens")
        if logged and start.use.kv_bytes > 0.0:
            low, high = cache_ends(start.deployment, start.use)
            known += 1
            inside += low.kv_bytes <= logged * _GIB <= high.kv_bytes
    return inside, known
