"""What fills an accelerator's memory when a model is served, and how many tokens its cache holds."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from jevons import models
from jevons.errors import InfeasibleError, InputError
from jevons.hardware import accelerator
from jevons.results import Column, Result, Table, number, table
from jevons.serving import Deployment, Layout, MemoryUse, memory_use
from jevons.serving.calibration import engine_for
from jevons.serving.memory import check_layout, kv_bytes_per_request, memory_plan, multiplied_in

_PARTS = {
    "weights_bytes": "weights", "activations_bytes": "activations of the largest step",
    "other_bytes": "runtime context, captured graphs and communication buffers", "kv_bytes": "KV cache",
    "unused_bytes": "not for the engine to use",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class MemoryResult(Result):
    """What `jevons.memory` returns; all bytes are per accelerator of the fullest pipeline stage.

    Parameters
    ----------
    deployment : Deployment
        Model, accelerator, layout and engine.
    use : MemoryUse
        Parts of the memory.
    max_model_len : int
        Longest sequence [tokens].
    shortage : str
        Why it does not fit, with a remedy; empty where it does.
    """

    kind: ClassVar[str] = "memory"

    deployment: Deployment
    use: MemoryUse
    max_model_len: int
    shortage: str

    @property
    def fits(self) -> bool:
        """Whether weights and work space fit, and the cache holds at least one sequence of the greatest length."""
        return not self.shortage

    @property
    def kv_bytes(self) -> float:
        """KV cache [bytes]."""
        return max(self.use.kv_bytes, 0.0)

    @property
    def kv_tokens(self) -> int:
        """Tokens that the cache of one attention rank holds, in sequences of the greatest length."""
        per_sequence = max(kv_bytes_per_request(self.deployment, float(self.max_model_len)), 1.0)
        return math.floor(self.kv_bytes / per_sequence * self.max_model_len)

    @property
    def max_concurrency(self) -> float:
        """Sequences of the greatest length that the cache of one attention rank holds at once."""
        return self.kv_tokens / self.max_model_len

    @property
    def answer(self) -> str:
        """Whether it fits, and how many tokens the cache holds."""
        if not self.fits:
            return f"Does not fit: {self.shortage}"
        return (
            f"{self.deployment} fits: {self.kv_bytes / 1e9:.1f} GB of KV cache per accelerator hold "
            f"{self.kv_tokens:,} tokens, {number(self.max_concurrency)} sequences of {self.max_model_len:,} tokens."
        )

    def _bytes(self) -> dict[str, float]:
        use, device = self.use, self.deployment.accelerator
        return {
            "weights_bytes": use.weights_bytes, "activations_bytes": use.activations_bytes,
            "other_bytes": use.reserved_bytes, "kv_bytes": self.kv_bytes,
            "unused_bytes": device.hbm_bytes - self.deployment.usable_bytes,
        }  # fmt: skip

    def _tables(self) -> Iterator[Table]:
        total = self.deployment.accelerator.hbm_bytes
        columns = (
            Column(name="part", label="part"),
            Column(name="bytes", label="memory", unit="GB", scale=1e-9),
            Column(name="share_frac", label="of the device", unit="%", scale=100.0),
        )
        rows = [(_PARTS[name], value, value / total) for name, value in self._bytes().items()]
        yield table("memory", f"Memory of one {self.deployment.accelerator.id}", columns, rows)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object; captured graphs are part of ``other_bytes``, so theirs are not known."""
        return {
            "answer": self.answer, "model": self.deployment.model.name, "gpu": self.deployment.accelerator.id,
            "layout": str(self.deployment.layout), "engine": self.deployment.engine.name, **self._bytes(),
            "graphs_bytes": None, "kv_tokens": self.kv_tokens, "max_model_len": self.max_model_len,
            "max_concurrency": self.max_concurrency, "fits": self.fits,
        }  # fmt: skip


def memory_of(
    model: str,
    gpu: str,
    layout: Mapping[str, int],
    *,
    dp_attention: bool,
    precision: str,
    kv_precision: str,
    engine: str,
    max_model_len: int | None,
    memory_frac: float | None,
    max_num_seqs: int | None,
    max_num_batched_tokens: int | None,
    calibration: Path | None,
    on: dt.date | None,
) -> MemoryResult:
    """Return what fills the memory of an accelerator.

    Raises
    ------
    InputError
        As `jevons.memory` says.
    """
    spec = models.load(model)
    degrees = Layout(**layout, dp_attention=dp_attention)
    check_layout(spec, degrees)
    factors = engine_for(engine, calibration, on)
    factors = replace(
        factors, max_batch=max_num_seqs or factors.max_batch, step_tokens=max_num_batched_tokens or factors.step_tokens
    )
    longest = max_model_len or spec.max_context
    if not longest:
        message = f"--max-model-len: {spec.name} states no context length; give one"
        raise InputError(message)
    if spec.max_context and longest > spec.max_context:
        message = f"--max-model-len {longest}: must be at most the {spec.max_context:,} tokens that {spec.name} reads"
        raise InputError(message)
    deployment = Deployment(
        model=spec, accelerator=accelerator(gpu, on=on), layout=degrees, precision=precision,
        kv_precision=kv_precision, engine=factors, memory_frac=memory_frac,
    )  # fmt: skip
    if precision != "native":
        multiplied_in(deployment, precision)
    use, shortage = memory_plan(deployment), ""
    try:
        memory_use(deployment)
        needed = kv_bytes_per_request(deployment, float(longest))
        if needed > use.kv_bytes:
            shortage = (
                f"a sequence of {longest:,} tokens needs {needed / 1e9:.1f} GB of KV cache per accelerator, and "
                f"{use.kv_bytes / 1e9:.1f} GB are left. Use a larger --tp, --kv-precision fp8 or a smaller "
                f"--max-model-len."
            )
    except InfeasibleError as error:
        shortage = str(error)
    return MemoryResult(deployment=deployment, use=use, max_model_len=longest, shortage=shortage)
