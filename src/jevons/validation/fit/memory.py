"""Fits the factors of memory to start-ups of an engine and to outcomes of training, and judges them on whole groups.

A start-up is judged under factors that saw no start-up of its model, of its layout, or of its release; a training
layout under factors that saw none of its model, or of its number of devices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from jevons.errors import InputError, JevonsError
from jevons.facts.per_facts import per_facts
from jevons.serving.activations import activation_bytes
from jevons.serving.calibration import Calibration
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.engines import engine as engine_preset
from jevons.serving.memory import communicator_bytes, graph_bytes, memory_plan
from jevons.serving.types import Deployment
from jevons.training import TrainingFactors, TrainingLayout, training_factors
from jevons.training.activations import kept_bytes_per_token, micro_batches, stage_layers
from jevons.training.memory import parameters_per_device
from jevons.validation.rows import Table, read_table
from jevons.validation.serving.case import number_of
from jevons.validation.serving.startups import Row, StartUp, start_up
from jevons.validation.training.cases import read_training_case

Floats = NDArray[np.float64]

_GIB = 2.0**30
_NEWER = (0, 16)
"""Release in which the sampler changed; releases on either side have factors of their own."""
PARTED = ("sampler_bytes", "comm_bytes", "reserved_bytes")
"""Factors that each side has of its own."""
SHARED = ("sampler_fixed_bytes", "hidden_copies", "graph_fixed_bytes", "graph_layer_bytes", "graph_expert_bytes")
_COMPONENTS = ("activation_gib", "non_torch_gib", "cuda_graph_actual_gib")
_GRAPHS_WEIGHT = 0.2  # changes of memory during capture scatter five times as much as the other components


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredStart:
    """A start-up that went far enough to print its components, and its prediction under shipped factors."""

    row: Row
    predicted: StartUp
    model: str
    layout: str
    release: str
    newer: bool


def read_startups(path: Path) -> list[MeasuredStart]:
    """Return the start-ups of a table that print an activation peak."""
    starts = []
    for row in read_table(path).rows:
        if not (row.get("activation_gib") or "").strip():
            continue
        predicted = start_up(row)
        version = row.get("engine_version") or ""
        numbers = tuple(int(part) for part in version.split(".")[:2])
        starts.append(
            MeasuredStart(
                row=row,
                predicted=predicted,
                model=row["model"].split("/")[-1].lower(),
                layout=str(predicted.deployment.layout),
                release=version,
                newer=numbers >= _NEWER,
            )
        )
    return starts


def names_of(starts: Sequence[MeasuredStart]) -> list[str]:
    """Return the factors that those start-ups can tell: ``newer.sampler_bytes``, …, ``sampler_fixed_bytes``, …."""
    sides = [side for side in ("older", "newer") if any(logged.newer == (side == "newer") for logged in starts)]
    return [*(f"{side}.{name}" for side in sides for name in PARTED), *SHARED]


def shipped(name: str) -> float:
    """Return the shipped value of a factor."""
    side, _, field = name.rpartition(".")
    preset = engine_preset("vllm", release=(0, 11) if side == "older" else (0, 19))
    return preset.batching.reserved_bytes if field == "reserved_bytes" else float(preset.memory.field(field))


def with_factors(deployment: Deployment, values: Mapping[str, float], *, newer: bool) -> Deployment:
    """Return a deployment under fitted factors; of a side that was not fitted, under those of the other side."""
    own, other = ("newer", "older") if newer else ("older", "newer")
    chosen = {name: values.get(f"{own}.{name}", values.get(f"{other}.{name}", 0.0)) for name in PARTED}
    chosen |= {name: values[name] for name in SHARED}
    reserved = chosen.pop("reserved_bytes")
    engine: EngineFactors = deployment.engine
    memory = engine.memory.replace(**chosen)
    if f"{own}.sampler_bytes" not in values:
        memory = replace(memory, workspace_kept=0.0 if newer else 1.0)
    return replace(deployment, engine=engine.replace(memory=memory, reserved_bytes=reserved))


def _components(deployment: Deployment) -> tuple[float, float, float]:
    engine = deployment.engine
    other = engine.batching.reserved_bytes + communicator_bytes(deployment)
    return activation_bytes(deployment) / _GIB, other / _GIB, graph_bytes(deployment) / _GIB


def fit_startups(starts: Sequence[MeasuredStart]) -> dict[str, float]:
    """Return the factors that come nearest the printed components, by robust least squares on their differences [GiB].

    Notes
    -----
    Graphs weigh a fifth, and those of releases before the change nothing: what they print is the change of memory.
    """
    names = names_of(starts)
    start = np.array([shipped(name) for name in names])

    def residuals(scale: Floats) -> Floats:
        values = dict(zip(names, (start * scale).tolist(), strict=True))
        rest = []
        for logged in starts:
            parts = _components(with_factors(logged.predicted.deployment, values, newer=logged.newer))
            for component, value in zip(_COMPONENTS, parts, strict=True):
                weight = 1.0 if component != "cuda_graph_actual_gib" else _GRAPHS_WEIGHT * logged.newer
                printed = logged.row.get(component) or ""
                rest.append(weight * (value - float(printed)) if printed else 0.0)
        return np.array(rest)

    solution = least_squares(residuals, np.ones(len(names)), bounds=(0.05, 20.0), loss="soft_l1", f_scale=0.05)
    return dict(zip(names, (start * solution.x).tolist(), strict=True))


def startup_errors(starts: Sequence[MeasuredStart], values: Mapping[str, float]) -> dict[str, list[float]]:
    """Return the relative errors of each component and of the cache's tokens under those factors."""
    errors: dict[str, list[float]] = {}
    for logged in starts:
        deployment = with_factors(logged.predicted.deployment, values, newer=logged.newer)
        again = _again(deployment)
        for name in ("weights_gib", *_COMPONENTS[:2], "kv_cache_gib", "kv_cache_tokens", "max_concurrency"):
            printed = logged.row.get(name) or ""
            if printed and float(printed) > 0.0:
                errors.setdefault(name, []).append(again.component(name) / float(printed) - 1.0)
    return errors


def _again(deployment: Deployment) -> StartUp:
    return StartUp(deployment=deployment, use=memory_plan(deployment), shortage="")


def startups_held_out(starts: Sequence[MeasuredStart], key: Callable[[MeasuredStart], str]) -> dict[str, list[float]]:
    """Return the errors of each start-up under factors fitted to those with another key."""
    errors: dict[str, list[float]] = {}
    for name in sorted({key(logged) for logged in starts}):
        inside = [logged for logged in starts if key(logged) != name]
        outside = [logged for logged in starts if key(logged) == name]
        for component, values in startup_errors(outside, fit_startups(inside)).items():
            errors.setdefault(component, []).extend(values)
    return errors


OUTCOME_FACTORS = ("eager_gradient_bytes", "eager_optimizer_bytes", "eager_logit_bytes", "eager_activation_frac")
_KEPT = "kept_frac"
_SPREAD = 0.05  # of the logarithm of memory over the device's, between outcomes of one layout
_RESERVED_WEIGHT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Layouts that ran or ran out of memory, and what their memory is made of.

    Parameters
    ----------
    failed, early : ndarray of bool, shape (n,)
        Ran out of memory; ran in a pipeline before its fix.
    parameters, shared : ndarray, shape (n,)
        Parameters of a device, and the replicas that share out its optimiser states.
    first, last, logits : ndarray, shape (n,)
        Activations of the first and the last stage by fused kernels [bytes], and logits of the last.
    reserved : ndarray, shape (n,)
        Memory reserved by runs without a pipeline [bytes]; nan for others.
    hbm : ndarray, shape (n,)
        Memory of the device [bytes].
    model, devices : tuple of str
        Groups.
    """

    failed: NDArray[np.bool_]
    early: NDArray[np.bool_]
    parameters: Floats
    shared: Floats
    first: Floats
    last: Floats
    logits: Floats
    reserved: Floats
    hbm: Floats
    model: tuple[str, ...]
    devices: tuple[str, ...]

    def subset(self, chosen: NDArray[np.bool_]) -> Outcomes:
        """Return those chosen."""

        def kept(labels: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(label for label, inside in zip(labels, chosen, strict=True) if inside)

        arrays = {name: getattr(self, name)[chosen] for name in ("failed", "early", *_ARRAYS)}
        return replace(self, **arrays, model=kept(self.model), devices=kept(self.devices))


_ARRAYS = ("parameters", "shared", "first", "last", "logits", "reserved", "hbm")


def read_outcomes(path: Path) -> Outcomes:
    """Return the layouts of a training table whose rows state an outcome."""
    records = []
    for row in read_table(path).rows:
        if row.get("outcome") not in {"ok", "oom"}:
            continue
        case = read_training_case(row)
        job, printed = case.job, case.fixed()
        tp, pp = printed.get("tp", 1), printed.get("pp", 1)
        layout = TrainingLayout(
            tp=tp, pp=pp, dp=job.cluster.devices // (tp * pp), zero=printed.get("zero", 1), recompute=case.recompute,
            micro_batch=printed["micro_batch"],
        )  # fmt: skip
        tokens = layout.micro_batch * job.seq_len
        stage = tokens * stage_layers(job, layout) * kept_bytes_per_token(job, layout)
        reserved = row.get("memory_reserved_gb") or ""
        records.append(
            {
                "failed": row["outcome"] == "oom", "early": job.software.kept_frac > 1.0 and pp > 1,
                "parameters": parameters_per_device(job, layout).dense,
                "shared": float(layout.dp if layout.zero else 1),
                "first": stage * min(micro_batches(job, layout), pp), "last": stage,
                "logits": tokens * job.model.vocab / tp,
                "reserved": float(reserved) * _GIB if reserved and pp == 1 else np.nan,
                "hbm": job.cluster.accelerator.hbm_bytes,
                "model": row["model"], "devices": str(job.cluster.devices),
            }
        )  # fmt: skip
    arrays = {name: np.array([record[name] for record in records]) for name in ("failed", "early", *_ARRAYS)}
    return Outcomes(
        **arrays,
        model=tuple(str(record["model"]) for record in records),
        devices=tuple(str(record["devices"]) for record in records),
    )


def outcome_bytes(outcomes: Outcomes, values: Mapping[str, float], factors: TrainingFactors) -> Floats:
    """Return the memory of each layout as `jevons.training.memory_bytes` adds it up, under those factors."""
    states = (2.0 + values["eager_gradient_bytes"]) * outcomes.parameters
    states = states + values["eager_optimizer_bytes"] * outcomes.parameters / outcomes.shared
    live_frac = values["eager_activation_frac"] * np.where(outcomes.early, values[_KEPT], 1.0)
    last = live_frac * outcomes.last + values["eager_logit_bytes"] * outcomes.logits
    activations = np.maximum(live_frac * outcomes.first, last) * (1.0 + factors.memory.fragmentation_frac)
    return np.asarray(states + activations + factors.memory.reserved_bytes)


@per_facts()
def _factors() -> TrainingFactors:
    return training_factors()


def shipped_outcome_factors() -> dict[str, float]:
    """Return the shipped values of what is fitted to outcomes."""
    from jevons.validation.training.cases import benchmark

    return {name: _factors().field(name) for name in OUTCOME_FACTORS} | {_KEPT: benchmark("leaky_pipeline_ratio")}


def fit_outcomes(outcomes: Outcomes) -> dict[str, float]:
    """Return the factors under which outcomes are likeliest, and reserved memory is near."""
    names = (*OUTCOME_FACTORS, _KEPT)
    start = np.array([shipped_outcome_factors()[name] for name in names])
    known = np.isfinite(outcomes.reserved) & ~outcomes.failed

    def loss(scale: Floats) -> float:
        values = dict(zip(names, np.abs(start * scale).tolist(), strict=True))
        total = outcome_bytes(outcomes, values, _factors())
        margin = np.log(total / outcomes.hbm) / _SPREAD
        surprise = np.minimum(np.logaddexp(0.0, np.where(outcomes.failed, -margin, margin)), 40.0)
        near = np.minimum(np.abs(np.log(total[known] / outcomes.reserved[known])), 0.5)
        return float(surprise.mean() + (_RESERVED_WEIGHT * near.mean() if known.any() else 0.0))

    scale = np.ones(len(names))
    for _ in range(2):
        solution = minimize(
            loss, scale, method="Nelder-Mead", options={"maxiter": 800, "maxfev": 800, "adaptive": True}
        )
        scale = solution.x
    return dict(zip(names, np.abs(start * scale).tolist(), strict=True))


def outcome_counts(outcomes: Outcomes, values: Mapping[str, float]) -> tuple[int, int, int]:
    """Return how many layouts there are, how many are told right, and how many are promised and failed."""
    fits = outcome_bytes(outcomes, values, _factors()) <= outcomes.hbm
    return len(fits), int((fits != outcomes.failed).sum()), int((fits & outcomes.failed).sum())


def outcomes_held_out(outcomes: Outcomes, labels: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Return the counts of each group of labels under factors fitted to the others."""
    own = np.array(labels)
    return {
        name: outcome_counts(outcomes.subset(own == name), fit_outcomes(outcomes.subset(own != name)))
        for name in sorted(set(labels))
    }


def calibrate_startups(paths: Sequence[Path | Table]) -> Calibration:
    """Return the memory that an engine keeps on a device, from start-ups that print the bytes of their cache.

    The context and communicators take up what the shipped prediction is off, mean of all start-ups.

    Raises
    ------
    InputError
        If no start-up can be used, or they are of several engines.
    """
    reserved: dict[str, list[float]] = {}
    caches: list[float] = []
    reasons: list[str] = []
    for path in paths:
        for row in (path if isinstance(path, Table) else read_table(path)).rows:
            printed = row.get("kv_cache_gib") or ""
            try:
                one = start_up(row)
            except JevonsError as error:
                reasons.append(str(error))
                continue
            tokens = number_of(row.get("kv_cache_tokens"))
            if not printed and tokens and one.use.kv_bytes > 0.0:  # bytes by those of a predicted token
                printed = repr(tokens / one.component("kv_cache_tokens") * one.use.kv_bytes / _GIB)
            if not printed or float(printed) <= 0.0 or one.use.kv_bytes <= 0.0:
                reasons.append("no cache is printed or predicted")
                continue
            engine = one.deployment.engine
            missing = one.use.kv_bytes - float(printed) * _GIB
            caches.append(float(printed) * _GIB)
            reserved.setdefault(engine.name, []).append(max(engine.batching.reserved_bytes + missing, 0.0))
    names = [str(path.path if isinstance(path, Table) else path) for path in paths]
    if len(reserved) != 1:
        what = f"are of {', '.join(sorted(reserved))}; calibrate one engine at a time" if reserved else "cannot be used"
        message = f"{', '.join(names)}: the start-ups {what}" + _because(reasons)
        raise InputError(message)
    ((name, values),) = reserved.items()
    mean = float(np.mean(values))
    off = np.abs(np.array(values) - mean)
    left = off / np.array(caches)
    return Calibration(
        {name: {"reserved_bytes": mean}},
        provenance={
            "files": names, "rows": len(values),
            "median_ape": float(np.median(left)), "p90_ape": float(np.quantile(left, 0.9)),
            "spread_frac": {f"{name}.reserved_bytes": float(off.mean()) / max(mean, 1.0)},
        },
    )  # fmt: skip


def _because(reasons: Sequence[str]) -> str:
    return f" ({reasons[0]})" if reasons else ""
