"""Measured requests, one by one: replayed through the event simulator, each answer's times beside the measured ones.

A group of rows (device, model and whatever else the columns state) is one run of one deployment. Only the load is read
for the prediction: when requests arrived, and how many tokens each brought and got. What happened to them is compared,
never used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.hardware import Accelerator, accelerator
from jevons.limits import REPLAYED_TOKENS
from jevons.models import ModelSpec, maker_of
from jevons.operators.engines import Release, engine_in, engine_number
from jevons.serving import Deployment, Layout, kv_capacity_tokens
from jevons.serving import engine as engine_preset
from jevons.serving.calibration import Calibration, shipped_calibration
from jevons.serving.closed_loop.points import with_limits
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.engines import older_overheads
from jevons.serving.kv_pages import PAGE_TOKENS
from jevons.serving.sim import Requests, SimLimits, SimResult, limits_of, simulate, step_table
from jevons.serving.sim.types import TICKS_PER_S, FloatArray, IntArray
from jevons.validation.names import device_id, model_named, precision_of, quantised
from jevons.validation.report import Entry
from jevons.validation.serving.case import release_meant

Row = Mapping[str, str]

METRICS = ("ttft_s", "tpot_s", "e2e_s")
STATISTICS = ("mean", "p50", "p90", "p99")
FAMILY = "request_traces"

_CONFIGURATION = (
    "gpu", "model", "engine", "engine_version", "precision", "n_gpus", "tp", "pp", "ep", "dp", "max_num_seqs",
    "max_num_batched_tokens", "kv_tokens",
)  # fmt: skip
_LOAD = ("arrival_s", "input_tokens", "output_tokens")
_MOST_STATED = 1_000_000_000
_LARGEST_TP = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One run of measured requests and its simulation.

    Parameters
    ----------
    group : str
        Model and device, and what else the columns state.
    rows : ndarray of int, shape (n,)
        Data rows of the file, from 0.
    deployment : Deployment
        What the columns imply.
    limits : SimLimits
        Of its engine.
    measured, predicted : mapping of str to ndarray, shape (n,)
        Seconds of each of `METRICS`; nan where there is no such time.
    result : SimResult
        The simulation.
    """

    group: str
    rows: IntArray
    deployment: Deployment
    limits: SimLimits
    measured: Mapping[str, FloatArray]
    predicted: Mapping[str, FloatArray]
    result: SimResult


def request_entries(path: Path, rows: Sequence[Row], calibration: Calibration | None = None) -> list[Entry]:
    """Return an entry for every request and metric, then the mean and percentiles of each group.

    Parameters
    ----------
    path : Path
        The file, for its name.
    rows : sequence of mapping
        Its data rows: ``gpu``, ``model``, ``arrival_s``, ``input_tokens``, ``output_tokens``, ``queued_s`` (when the
        engine took the request in), ``first_token_s``, ``last_token_s``; layout, engine and precision where stated.
    calibration : Calibration, optional
        Engine factors to use instead of the shipped ones.

    Returns
    -------
    list of Entry
        Metrics ``ttft_s``, ``tpot_s`` and ``e2e_s``, counted from the engine's taking the request in; those of groups
        carry the statistic's name and the group's first row.
    """
    entries: list[Entry] = []
    for name, indices in groups_of(rows).items():
        try:
            run = replay(name, rows, indices, calibration)
        except (InputError, InfeasibleError, FactError) as error:
            entries += [
                Entry(
                    file=path.name,
                    row=i,
                    metric=metric,
                    group=name,
                    family=FAMILY,
                    measured=_positive(_measured(rows[i])[metric]),
                    predicted=None,
                    reason=str(error),
                )
                for i in indices
                for metric in METRICS
            ]
            continue
        entries += _of_requests(path.name, run) + _of_group(path.name, run)
    return entries


def groups_of(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Return the rows of each run, in file order: those with the same configuration."""
    by_configuration: dict[tuple[str, ...], list[int]] = {}
    for index, row in enumerate(rows):
        by_configuration.setdefault(tuple(row.get(name) or "" for name in _CONFIGURATION), []).append(index)
    named: dict[str, list[int]] = {}
    for (gpu, model, *others), indices in by_configuration.items():
        stated = [f"{name} {value}" for name, value in zip(_CONFIGURATION[2:], others, strict=True) if value]
        named[" :: ".join([f"{model or '–'} :: {gpu or '–'}", *stated])] = indices
    return named


def replay(
    name: str,
    rows: Sequence[Row],
    indices: Sequence[int],
    calibration: Calibration | None = None,
    *,
    limits: SimLimits | None = None,
    keeps_blocks: bool = True,
) -> Replay:
    """Return a group of measured requests and their simulation.

    Parameters
    ----------
    name : str
        Of the group.
    rows : sequence of mapping
        Rows of the file.
    indices : sequence of int
        Those of the group.
    calibration : Calibration, optional
        Engine factors to use instead of the shipped ones.
    limits : SimLimits, optional
        Of the engine, in place of its defaults.
    keeps_blocks : bool
        Whether the prefix cache keeps the prompt of a request that lost its place until others need the blocks.

    Raises
    ------
    InputError, InfeasibleError, FactError
        With the reason why the group cannot be replayed.

    Notes
    -----
    vLLM keeps the blocks of a request that loses its place until others need them, so that its prompt is found again in
    the prefix cache: prompts carry hashes of their own. Prefixes that requests share are not recorded and not assumed.
    The time between arrival and the engine's next step, which ``queued_s`` leaves out, is not taken off.
    """
    load = _load(name, rows, indices)
    order = np.argsort(load[0], kind="stable")
    arrival_s, isl, osl = (column[order] for column in load)
    blocks = isl // PAGE_TOKENS
    start = np.append(0, np.cumsum(blocks)).astype(np.int64)
    requests = Requests(
        arrival_s=arrival_s - arrival_s[0], isl=isl.astype(np.int64), osl=osl.astype(np.int64), origin=name
    )
    if keeps_blocks:
        hashes = np.arange(start[-1], dtype=np.int64)
        requests = replace(requests, hashes=hashes, hash_start=start, hash_tokens=PAGE_TOKENS)
    deployment, replicas = deployment_of(rows[indices[0]], float((isl + osl).max()), calibration)
    if limits is None:
        cache_tokens = _stated(rows[indices[0]], "kv_tokens") or None
        limits = limits_of(
            deployment, context=float((isl + osl).mean()), kv_tokens=cache_tokens, block_tokens=PAGE_TOKENS
        )
    table = step_table(deployment, limits.max_batch, limits.step_tokens)
    simulated = simulate(requests, table, limits, replicas=replicas, edge_frac=0.0)
    times = np.array([[_measured(rows[i])[metric] for metric in METRICS] for i in indices])[order]
    return Replay(
        group=name,
        rows=np.asarray(indices, dtype=np.int64)[order],
        deployment=deployment,
        limits=limits,
        measured={metric: times[:, column] for column, metric in enumerate(METRICS)},
        predicted=_predicted(simulated, osl),
        result=simulated,
    )


def deployment_of(row: Row, longest: float, calibration: Calibration | None = None) -> tuple[Deployment, int]:
    """Return the deployment that a row's columns imply, and how many equal ones there are.

    Parameters
    ----------
    row : mapping
        Columns ``gpu`` and ``model``; ``engine`` (vLLM where it is not stated), ``engine_version`` (a release, or the
        day of one; the newest where it is not stated), ``precision``, ``max_num_seqs``,
        ``max_num_batched_tokens``, ``tp``, ``pp``, ``ep``,
        ``dp`` and ``n_gpus`` (also as ``2 x H100``) where they are.
    longest : float
        Tokens of the longest request: without a layout the least tensor parallelism is taken that holds it.
    calibration : Calibration, optional
        Engine factors to use instead of the shipped ones.

    Raises
    ------
    InputError, InfeasibleError, FactError
        If device, model, engine or precision is unknown, or nothing fits.
    """
    device = accelerator(device_id(row["gpu"]))
    known, hint = model_named(row["model"])
    stated = precision_of(row.get("precision") or "")
    spec = quantised(known, stated or hint, maker_of(row["model"]))
    engine, version = engine_in(row.get("engine") or "vllm"), row.get("engine_version") or ""
    release = release_meant(engine, version, version) if version else None
    factors = _factors(engine, release, calibration or shipped_calibration())
    factors = with_limits(
        factors, step_tokens=_stated(row, "max_num_batched_tokens"), max_batch=_stated(row, "max_num_seqs")
    )
    sizes = {size: many for size in ("tp", "pp", "ep", "dp") if (many := _stated(row, size))}
    if not sizes:
        count = re.match(r"\s*(\d+)\s*[x×]\s", row["gpu"])
        devices = _stated(row, "n_gpus") or (int(count[1]) if count else 0)
        return _least(spec, device, factors, longest, devices), 1
    shares_experts = sizes.get("dp", 1) > 1 and sizes.get("ep", 1) > 1
    layout = Layout(**{**sizes, "dp": sizes.get("dp", 1) if shares_experts else 1}, dp_attention=shares_experts)
    replicas = 1 if shares_experts else sizes.get("dp", 1)
    return Deployment(
        model=spec, accelerator=device, layout=layout, precision="native", kv_precision="bf16", engine=factors
    ), replicas


def _stated(row: Row, name: str) -> int:
    """Return a whole number of a row, 0 where it states none."""
    text = (row.get(name) or "").strip()
    value = _number(text) if text else 0.0
    if not (0 <= value <= _MOST_STATED and value == int(value)):
        message = f"{name} = `{text}`: must be a whole number of at most {_MOST_STATED:,}"
        raise InputError(message)
    return int(value)


def _factors(name: str, release: Release | None, calibration: Calibration) -> EngineFactors:
    """Return the factors of an engine's release with the limits of one that runs inside the client's process.

    Timestamps of queueing and scheduling are seen there only. An engine may then take other defaults than as a server:
    facts ``embedded_step_tokens`` and ``embedded_max_batch``.
    """
    older = older_overheads(name, release)
    values = {key: value + older.get(key, 0.0) for key, value in calibration.engines.get(name, {}).items()}
    factors = engine_preset(name, release=release).replace(**values)
    if calibration.scales is not None:
        factors = replace(factors, scales=calibration.scales)
    tokens, batch = (engine_number(name, f"embedded_{limit}") for limit in ("step_tokens", "max_batch"))
    own = factors.batching
    return factors.replace(step_tokens=int(tokens or own.step_tokens), max_batch=int(batch or own.max_batch))


def _least(spec: ModelSpec, device: Accelerator, factors: EngineFactors, longest: float, devices: int) -> Deployment:
    if devices:
        return Deployment(
            model=spec,
            accelerator=device,
            layout=Layout(tp=devices),
            precision="native",
            kv_precision="bf16",
            engine=factors,
        )
    tp = 1
    while True:
        deployment = Deployment(
            model=spec,
            accelerator=device,
            layout=Layout(tp=tp),
            precision="native",
            kv_precision="bf16",
            engine=factors,
        )
        try:
            if kv_capacity_tokens(deployment, longest) >= longest or tp >= _LARGEST_TP:
                return deployment
        except InfeasibleError:
            if tp >= _LARGEST_TP:
                raise
        tp *= 2


def _load(name: str, rows: Sequence[Row], indices: Sequence[int]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return arrivals, prompt and output tokens; a request without one refuses the group, whose load it is part of."""
    columns = np.array([[_number(rows[i].get(column)) for column in _LOAD] for i in indices])
    for place, column in enumerate(_LOAD):
        least = 0.0 if column == "arrival_s" else 1.0
        most = 1e9 if column == "arrival_s" else 1e8
        bad = np.flatnonzero(~((columns[:, place] >= least) & (columns[:, place] <= most)))
        if len(bad):
            row = indices[int(bad[0])]
            message = (
                f"{name}: row {row}: {column} = `{rows[row].get(column)}`: must be a number from {least:g} to {most:g}"
            )
            raise InputError(message)
    total = columns[:, 1:].sum()
    if total > REPLAYED_TOKENS:
        message = f"{name}: {total:.3g} tokens in one run; at most {REPLAYED_TOKENS:,} are replayed"
        raise InputError(message)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def _measured(row: Row) -> dict[str, float]:
    """Return the measured times of a row; nan where a stamp is missing or out of order."""
    queued, first, last = (_number(row.get(name)) for name in ("queued_s", "first_token_s", "last_token_s"))
    tokens = _number(row.get("output_tokens"))
    ttft_s = first - queued if first >= queued else math.nan
    tpot_s = (last - first) / (tokens - 1.0) if last > first >= queued and tokens > 1.0 else math.nan
    return {"ttft_s": ttft_s, "tpot_s": tpot_s, "e2e_s": last - queued if last >= queued else math.nan}


def _predicted(simulated: SimResult, osl: FloatArray) -> dict[str, FloatArray]:
    trail = simulated.trail
    ran = trail.finish >= 0
    first_s = np.where(ran, (trail.first - trail.arrival) / TICKS_PER_S, math.nan)
    last_s = np.where(ran, (trail.finish - trail.arrival) / TICKS_PER_S, math.nan)
    per_token = np.where(osl > 1, (last_s - first_s) / np.maximum(osl - 1.0, 1.0), math.nan)
    return {"ttft_s": first_s, "tpot_s": per_token, "e2e_s": last_s}


def statistics(values: FloatArray) -> dict[str, float]:
    """Return mean and percentiles of times, those that are missing left out."""
    there = values[np.isfinite(values)]
    if not len(there):
        return {}
    return dict(zip(STATISTICS, (float(there.mean()), *map(float, np.quantile(there, (0.5, 0.9, 0.99)))), strict=True))


def _of_requests(file: str, run: Replay) -> list[Entry]:
    entries = []
    for place in np.argsort(run.rows):
        for metric in METRICS:
            measured, predicted = float(run.measured[metric][place]), float(run.predicted[metric][place])
            entry = partial(
                Entry, file=file, row=int(run.rows[place]), metric=metric, group=run.group, family=FAMILY,
                measured=_positive(measured),
            )  # fmt: skip
            if not measured > 0.0:
                entries.append(entry(reason="no such time: a stamp is missing, or there is one token only"))
            elif math.isnan(predicted):
                entries.append(entry(reason=f"does not fit: a sequence of it exceeds {run.deployment}"))
            else:
                entries.append(entry(predicted=predicted))
    return entries


def _of_group(file: str, run: Replay) -> list[Entry]:
    entries = []
    for metric in METRICS:
        both = np.isfinite(run.measured[metric]) & np.isfinite(run.predicted[metric])
        measured, predicted = (statistics(times[metric][both]) for times in (run.measured, run.predicted))
        entries += [
            Entry(
                file=file,
                row=int(run.rows.min()),
                metric=f"{metric}_{name}",
                group=run.group,
                family=f"{FAMILY} of groups",
                measured=value,
                predicted=predicted[name],
            )
            for name, value in measured.items()
        ]
    return entries


def _number(text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _positive(value: float) -> float | None:
    return value if value > 0.0 else None
