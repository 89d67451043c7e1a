"""Predictions of measured training rows, from their configurations alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.training import TrainingFactors, TrainingJob, TrainingLayout, TrainingStep, training_factors
from jevons.training.exchange import Exchange, exchange
from jevons.training.memory import memory_bytes
from jevons.training.run import virtual_stages
from jevons.training.step import MicroBatch, assemble, micro_batch
from jevons.validation.report import Entry
from jevons.validation.training.cases import Row, TrainingCase, read_training_case

METRICS = ("step_time_s", "tokens_per_s_per_gpu", "tflops_per_gpu", "mfu_pct")
_FAULTS = (InputError, InfeasibleError, FactError)
_MOST_MICRO_BATCH = 16
_MOST_PIPELINE = 16
_LONG = 16_384
_MOST_CP = 8
_TERA = 1e12

Candidate = tuple[TrainingLayout, MicroBatch, Exchange, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row's layouts with the times of their micro-batches, before factors of overlap are applied.

    Parameters
    ----------
    case : TrainingCase
        The configuration.
    candidates : tuple
        Layouts that agree with what is printed and fit in memory by the model; where none fits, the smallest.
    fits : bool
        Whether they do.
    """

    case: TrainingCase
    candidates: tuple[Candidate, ...]
    fits: bool


def prepare_case(case: TrainingCase) -> Prepared:
    """Return the layouts of a row and the times of their micro-batches.

    Raises
    ------
    InputError
        If no layout agrees with what is printed.
    """
    micro: dict[tuple[int, int, int, int], MicroBatch] = {}
    between: dict[tuple[int, ...], Exchange] = {}
    fitting: list[Candidate] = []
    smallest: tuple[float, TrainingLayout, dict[str, float]] | None = None

    def timed(layout: TrainingLayout) -> tuple[MicroBatch, Exchange]:
        key = (layout.tp, layout.cp, layout.ep, layout.micro_batch)
        spread = (*key, layout.pp, layout.zero)
        if key not in micro:
            micro[key] = micro_batch(case.job, layout)
        if spread not in between:
            between[spread] = exchange(case.job, layout)
        return micro[key], between[spread]

    for layout in _layouts(case):
        memory = memory_bytes(case.job, layout)
        total = sum(memory.values())
        if total <= case.job.cluster.accelerator.hbm_bytes:
            fitting.append((layout, *timed(layout), memory))
        elif smallest is None or total < smallest[0]:
            smallest = (total, layout, memory)
    if fitting:
        return Prepared(case, tuple(fitting), fits=True)
    if smallest is None:
        message = "no layout that divides agrees with what the row prints"
        raise InputError(message)
    return Prepared(case, ((smallest[1], *timed(smallest[1]), smallest[2]),), fits=False)


def predicted_step(prepared: Prepared, factors: TrainingFactors | None = None) -> TrainingStep:
    """Return the fastest step of a row's layouts."""
    case = prepared.case
    chosen = factors or training_factors()
    if case.hidden_exchange:
        chosen = chosen.replace(ep_overlap_frac=1.0, far_ep_overlap_frac=1.0)
    job = replace(case.job, factors=chosen)
    steps = (assemble(job, *candidate) for candidate in prepared.candidates)
    return min(steps, key=lambda step: step.step_time_s)


_LARGEST = 1e13
"""Beyond this a printed figure is a mistake."""


def row_metric(row: Row) -> tuple[str, float] | None:
    """Return what the row measures, the most direct first, and its value; None where it prints none."""
    for name in METRICS:
        text = row.get(name, "").strip()
        if re.fullmatch(r"\d+(\.\d+)?([eE][-+]?\d+)?", text) and 0.0 < float(text) <= _LARGEST:
            return name, float(text)
    return None


def metric_of(metric: str, row: Row, job: TrainingJob, step: TrainingStep) -> float:
    """Return a step in the unit and by the formula of a metric."""
    if metric == "step_time_s":
        return step.step_time_s
    if metric == "tokens_per_s_per_gpu":
        return step.tokens_per_s / job.cluster.devices
    rate = _formula_flop(row, job) / step.step_time_s / job.cluster.devices
    if metric == "tflops_per_gpu":
        return rate / _TERA
    return 100.0 * rate / job.cluster.accelerator.peak_flop_per_s["bf16"]


def _formula_flop(row: Row, job: TrainingJob) -> float:
    """Return the work of a step as the source counts it: all of the attention square, with recomputation if it says."""
    tokens = float(job.global_batch) * job.seq_len
    halved = "megatron-core" in row.get("framework", "").lower() and job.model.is_moe
    forward = tokens * job.model.flop_per_token(job.seq_len // 2 if halved else job.seq_len)
    if "counts recomputation" in row.get("notes", "").lower() or (row.get("hfu_pct") and not row.get("mfu_pct")):
        return 4.0 * forward - 2.0 * tokens * job.model.vocab * job.model.hidden
    return (2.0 if job.adapters else 3.0) * forward


def training_entries(
    path: Path, rows: tuple[dict[str, str], ...], factors: TrainingFactors | None = None
) -> list[Entry]:
    """Return an entry for every measured training row; those that cannot be predicted carry the reason."""
    prepared_of: dict[str, Prepared] = {}
    entries = []
    for index, row in enumerate(rows):
        printed = row_metric(row)
        ran = _ran(row)
        metric, measured = printed or ("", None)
        group = " :: ".join(row.get(name) or "–" for name in ("source_title", "model", "gpu"))
        entry = partial(Entry, file=path.name, row=index, group=group, family=path.stem)
        if measured is None and ran is None:
            entries.append(entry(metric=metric, measured=None, reason="the row prints no step time or rate"))
            continue
        prepared, reason = _prepared(row, prepared_of)
        if ran is not None:
            fits = None if prepared is None else float(prepared.fits)
            entries.append(entry(metric="fits", measured=ran, predicted=fits, reason=reason, outcome=True))
        if measured is None:
            continue
        predicted = None
        try:
            if prepared is not None:
                predicted = metric_of(metric, row, prepared.case.job, predicted_step(prepared, factors))
        except _FAULTS as error:
            reason = str(error)
        entries.append(entry(metric=metric, measured=measured, predicted=predicted, reason=reason))
    return entries


_RAN = {"ok": 1.0, "oom": 0.0}


def _ran(row: Row) -> float | None:
    """Return 1 for a run that fitted in memory, 0 for one that did not, None where the row does not say."""
    return _RAN.get((row.get("outcome") or "").strip().lower())


def _prepared(row: Row, known: dict[str, Prepared]) -> tuple[Prepared | None, str]:
    """Return a row's layouts, or why there are none."""
    try:
        case = read_training_case(row)
        key = repr(case)  # a device holds a mapping of rates, which no hash takes
        if key not in known:
            known[key] = prepare_case(case)
    except _FAULTS as error:
        return None, str(error)
    return known[key], ""


def _layouts(case: TrainingCase) -> Iterator[TrainingLayout]:
    """All layouts that agree with what is printed and divide the job; what is not printed is tried in powers of two."""
    job, printed = case.job, case.fixed()
    devices, domain = job.cluster.devices, max(job.cluster.accelerator.scaleup_domain, 1)
    heads = next((g.attention.heads for g in job.model.layers if g.attention.heads), 1)
    split = max(1, min(_MOST_CP, devices // job.global_batch))  # more devices than sequences must share them
    modes = (case.recompute,) if case.recompute else ("none", "selective", "full")
    for tp in _tried(printed, "tp", min(devices, domain, 8)):
        for cp in _tried(printed, "cp", devices if job.seq_len > _LONG else split):
            for pp in _tried(printed, "pp", min(_MOST_PIPELINE, job.model.n_layers, devices)):
                if heads % tp and "tp" not in printed:
                    continue
                dp, rest = divmod(devices, tp * cp * pp)
                if rest or dp < 1:
                    continue
                for ep in _tried(printed, "ep", min(dp * cp, 64)):
                    yield from _schedules(case, printed, (tp, cp, pp, dp, ep), modes)


def _schedules(
    case: TrainingCase, printed: dict[str, int], sizes: tuple[int, ...], modes: tuple[str, ...]
) -> Iterator[TrainingLayout]:
    job, (tp, cp, pp, dp, ep) = case.job, sizes
    divided = TrainingLayout(
        tp=tp, pp=pp, dp=dp, cp=cp, ep=ep, etp=printed.get("etp", 0), stage_layers=_stages(job, pp),
        sequence_parallel=case.sequence_parallel,
    )  # fmt: skip
    shares = (printed["zero"],) if "zero" in printed else ((1,) if pp > 1 or tp > 1 else (1, 3))
    for size in _tried(printed, "micro_batch", _MOST_MICRO_BATCH):
        passes = job.global_batch / (dp * size)
        if passes < 1.0:
            continue
        chunks = [v for v in virtual_stages(job.model.n_layers, pp) if v == 1 or passes % pp == 0]
        for vpp in (printed["vpp"],) if "vpp" in printed else chunks:
            for share in shares:
                for mode in modes:
                    yield replace(divided, vpp=vpp, zero=share, recompute=mode, micro_batch=size)


def _stages(job: TrainingJob, pp: int) -> tuple[int, ...]:
    """Return the layers of each stage where software splits them evenly whatever the head takes; empty elsewhere."""
    each, rest = divmod(job.model.n_layers, pp)
    return () if job.software.overlap or pp == 1 or rest else (each,) * pp


def _tried(printed: dict[str, int], name: str, most: int) -> list[int]:
    if name in printed:
        return [printed[name]]
    return [2**i for i in range(math.floor(math.log2(max(most, 1))) + 1)]
