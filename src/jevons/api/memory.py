"""`jevons.memory`: what fills an accelerator's memory when a model is served, and how many tokens its cache holds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.api.accelerators import GPU
from jevons.api.launch import SERVE, changed_factors
from jevons.api.reading import named_model

if TYPE_CHECKING:
    from jevons.sizing.memory import MemoryResult


@o.declared
def memory(
    model: Annotated[str | None, o.MODEL] = None,
    *,
    serve: Annotated[str | Path | None, SERVE] = None,
    gpu: Annotated[str, GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    tp: Annotated[int, o.TP] = 1,
    pp: Annotated[int, o.PP] = 1,
    ep: Annotated[int, o.EP] = 1,
    dp: Annotated[int, o.DP] = 1,
    dp_attention: Annotated[bool, o.DP_ATTENTION] = False,
    precision: Annotated[str, o.PRECISION] = "native",
    kv_precision: Annotated[str, o.KV_PRECISION] = "bf16",
    engine: Annotated[str, o.ENGINE] = "vllm",
    engine_version: Annotated[str, o.ENGINE_VERSION] = "",
    eager: Annotated[bool, o.EAGER] = False,
    max_model_len: Annotated[int | None, o.MAX_MODEL_LEN] = None,
    gpu_memory_utilization: Annotated[float | None, o.GPU_MEMORY_UTILIZATION] = None,
    max_num_seqs: Annotated[int | None, o.MAX_NUM_SEQS] = None,
    max_num_batched_tokens: Annotated[int | None, o.MAX_NUM_BATCHED_TOKENS] = None,
    kv_tokens: Annotated[int | None, o.KV_TOKENS] = None,
    draft_tokens: Annotated[int, o.DRAFT_TOKENS] = 0,
    draft_model: Annotated[str | None, o.DRAFT_MODEL] = None,
    calibration: Annotated[Path | str | None, o.CALIBRATION] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
) -> MemoryResult:
    """Split an accelerator's memory into weights, activations, graphs, other and KV cache, as the engine's log does.

    Returns
    -------
    MemoryResult
        Bytes per accelerator of the fullest pipeline stage, tokens that the cache holds, and whether it all fits.

    Raises
    ------
    InputError
        If an argument is wrong, or the layout does not divide the model.
    FactError
        If a figure of the accelerator or the engine was not known on the date.

    Examples
    --------
    >>> import jevons
    >>> use = jevons.memory("llama-3.1-8b", gpu="h100_sxm", max_model_len=8192)
    >>> use.fits, use.max_concurrency > 1
    (True, True)
    """
    model = named_model(model)
    from jevons.sizing.memory import memory_of

    layout = {"tp": tp, "pp": pp, "ep": ep, "dp": dp}
    return memory_of(
        model, o.kind_of(gpu, hardware), layout, dp_attention=dp_attention, precision=precision,
        kv_precision=kv_precision, engine=engine, engine_version=engine_version, eager=eager,
        max_model_len=max_model_len, memory_frac=gpu_memory_utilization, max_num_seqs=max_num_seqs,
        max_num_batched_tokens=max_num_batched_tokens, calibration=o.file(calibration), on=o.day(as_of),
        draft_tokens=draft_tokens, draft_model=draft_model, kv_tokens=kv_tokens, changed=changed_factors(serve),
    )  # fmt: skip
