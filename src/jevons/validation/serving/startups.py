"""Measured start-ups of an engine: each component of memory, tokens of the cache, and whether it started at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.hardware import accelerator
from jevons.models import ModelSpec, maker_of
from jevons.operators.engines import engine_in
from jevons.serving.calibration import Calibration, shipped_calibration
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.engines import engine as engine_preset
from jevons.serving.engines import with_server_defaults
from jevons.serving.memory import check_layout, kv_cache_tokens, max_concurrency, memory_plan, start_shortage
from jevons.serving.types import Deployment, Layout, MemoryUse
from jevons.validation.names import device_id, model_named, precision_of, quantised
from jevons.validation.report import Entry
from jevons.validation.serving.case import count_of, number_of, release_meant

Row = Mapping[str, str]

STARTUP_COLUMNS = ("model", "gpu", "max_model_len", "gpu_memory_utilization", "weights_gib", "kv_cache_gib")
FAMILY = "vllm_memory"
_GIB = 2.0**30
_FAULTS = (InputError, InfeasibleError, FactError)
COMPONENTS = (
    "weights_gib", "activation_gib", "non_torch_gib", "cuda_graph_actual_gib", "kv_cache_gib", "kv_cache_tokens",
    "max_concurrency",
)  # fmt: skip
_OTHER_CAUSES = ("environment", "configuration")
_EXAMPLES = {"model": "--model meta-llama/Llama-3.1-8B", "gpu": "gpu: H100 80GB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """A start-up that a row describes, and why it would not start; empty where it would."""

    deployment: Deployment
    use: MemoryUse
    shortage: str

    def component(self, name: str) -> float:
        """Return a predicted figure in the row's unit."""
        use = self.use
        in_bytes = {
            "weights_gib": use.weights_bytes, "activation_gib": use.activations_bytes,
            "non_torch_gib": use.reserved_bytes, "cuda_graph_actual_gib": use.graphs_bytes,
            "kv_cache_gib": max(use.kv_bytes, 0.0),
        }  # fmt: skip
        if name in in_bytes:
            return in_bytes[name] / _GIB
        return (
            float(kv_cache_tokens(self.deployment)) if name == "kv_cache_tokens" else max_concurrency(self.deployment)
        )


def start_up(row: Row, calibration: Calibration | None = None, engine: EngineFactors | None = None) -> StartUp:
    """Return what a start-up with a row's configuration takes; nothing measured is read.

    Parameters
    ----------
    row : mapping
        Model, device, sizes and limits; limits that are empty are the server's defaults on the device.
    calibration : Calibration, optional
        Factors in place of the shipped ones.
    engine : EngineFactors, optional
        Factors in place of those of the row's release.

    Raises
    ------
    InputError
        With what the row lacks or what is unknown.
    """
    for name in ("model", "gpu"):
        if not (row.get(name) or "").strip():
            message = f"the start-up names no {name}; add it, in a log as a line such as `{_EXAMPLES[name]}`"
            raise InputError(message)
    spec, hint = model_named(row["model"])
    device = accelerator(device_id(row["gpu"]))
    factors = engine or _engine(row, calibration)
    factors = with_server_defaults(
        factors, device, count_of(row.get("max_num_seqs")), count_of(row.get("max_num_batched_tokens"))
    )
    tp, pp, ep, dp = (max(count_of(row.get(size)), 1) for size in ("tp", "pp", "ep", "dp"))
    if not (row.get("tp") or "").strip():
        message = "the row states no layout"
        raise InputError(message)
    share = number_of(row.get("gpu_memory_utilization"))
    if share is not None and not 0.0 < share <= 1.0:
        message = f"gpu_memory_utilization = {share:g}: must be above 0 and at most 1"
        raise InputError(message)
    deployment = Deployment(
        model=_weights(spec, hint, row), accelerator=device, layout=Layout(tp=tp, pp=pp, ep=ep, dp=dp),
        precision="native", kv_precision=_cache(row, spec), engine=factors,
        memory_frac=share, max_model_len=count_of(row.get("max_model_len")),
    )  # fmt: skip
    try:
        check_layout(spec, deployment.layout)
        shortage = start_shortage(deployment)
    except (InputError, InfeasibleError) as error:
        shortage = str(error)
    return StartUp(deployment=deployment, use=memory_plan(deployment), shortage=shortage)


def _engine(row: Row, calibration: Calibration | None) -> EngineFactors:
    """Return the factors of the row's engine and release; vLLM and its newest where none is stated."""
    name = engine_in(row.get("engine") or "vllm")
    factors = engine_preset(name, release=release_meant(name, row.get("engine_version") or ""))
    given = (calibration or shipped_calibration()).engines.get(name, {})
    return factors.replace(**given)


def _weights(spec: ModelSpec, hint: str | None, row: Row) -> ModelSpec:
    """Return the model in the precision of its name, else in that of the row's quantisation, else as shipped."""
    stated = hint or precision_of(row.get("quantization") or "")
    return quantised(spec, stated, maker_of(row["model"])) if stated else spec


def _cache(row: Row, spec: ModelSpec) -> str:
    stated = (row.get("kv_cache_dtype") or "auto").lower()
    return "fp8" if stated.startswith("fp8") else ("bf16" if stated == "bfloat16" else spec.kv_precision)


def startup_entries(path: Path, rows: Sequence[Row], calibration: Calibration | None = None) -> list[Entry]:
    """Return an entry for every component that a row prints, and one for whether it started."""
    entries = []
    for index, row in enumerate(rows):
        group = row.get("group") or f"{row.get('model')} :: {row.get('gpu')}"
        entry = partial(Entry, file=path.name, row=index, group=group, family=FAMILY)
        predicted: StartUp | None = None
        reason = ""
        try:
            predicted = start_up(row, calibration)
        except _FAULTS as error:
            reason = str(error)
        for name in COMPONENTS:
            measured = _number(row.get(name))
            if measured is None:
                continue
            if measured <= 0.0:
                entries.append(entry(metric=name, measured=None, reason=_FREED))
            elif predicted is None:
                entries.append(entry(metric=name, measured=measured, reason=reason))
            else:
                entries.append(entry(metric=name, measured=measured, predicted=predicted.component(name)))
        started = _started(row)
        if started is None:
            cause = row.get("reason") or row.get("reason_kind") or "no outcome is printed"
            entries.append(
                entry(metric="starts", measured=None, outcome=True, reason=f"not the model's memory: {cause}")
            )
        elif predicted is None:
            entries.append(entry(metric="starts", measured=started, outcome=True, reason=reason))
        else:
            says = 0.0 if predicted.shortage else 1.0
            entries.append(entry(metric="starts", measured=started, outcome=True, predicted=says))
    return entries


_FREED = "memory was freed while graphs were captured, so the change is no size"


def _started(row: Row) -> float | None:
    """Return 1 for a start, 0 for one that memory or the layout stopped, None where something else did."""
    outcome = (row.get("outcome") or "").strip().lower()
    if outcome == "ok":
        return 1.0
    if outcome != "failed" or (row.get("reason_kind") or "").strip().lower() in _OTHER_CAUSES:
        return None
    return 0.0


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
