"""The options of a server that runs a model, which all functions that serve one share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

from jevons import options as o
from jevons.api.launch import SERVE, changed_factors
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.serving import Layout
    from jevons.sizing.service import Service


class Server(TypedDict, total=False):
    """How a model is served: the layout of a replica, the engine with its limits, and what is known of both."""

    serve: Annotated[str | Path | None, SERVE]
    hardware: Annotated[Path | str | None, o.HARDWARE]
    tp: Annotated[int | None, o.TP]
    pp: Annotated[int | None, o.PP]
    ep: Annotated[int | None, o.EP]
    dp: Annotated[int | None, o.DP]
    dp_attention: Annotated[bool, o.DP_ATTENTION, o.Default(False)]
    engine: Annotated[str, o.ENGINE, o.Default("vllm")]
    engine_version: Annotated[str, o.ENGINE_VERSION, o.Default("")]
    kv_precision: Annotated[str, o.KV_PRECISION, o.Default("bf16")]
    max_num_seqs: Annotated[int | None, o.MAX_NUM_SEQS]
    max_num_batched_tokens: Annotated[int | None, o.MAX_NUM_BATCHED_TOKENS]
    max_model_len: Annotated[int | None, o.MAX_MODEL_LEN]
    gpu_memory_utilization: Annotated[float | None, o.GPU_MEMORY_UTILIZATION]
    eager: Annotated[bool, o.EAGER, o.Default(False)]
    draft_tokens: Annotated[int, o.DRAFT_TOKENS, o.Default(0)]
    draft_acceptance: Annotated[float | None, o.DRAFT_ACCEPTANCE]
    calibration: Annotated[Path | str | None, o.CALIBRATION]
    as_of: Annotated[dt.date | str | None, o.AS_OF]


def service_of(gpu: str, server: Server) -> Service:
    """Return the service that options of a server describe, on an accelerator or on a device of one's own.

    A launch line says the whole layout; degrees alone leave the others open.

    Raises
    ------
    InputError
        If the release of the engine is given twice.
    """
    from jevons.sizing.service import Service, released

    exact = server["serve"] is not None
    return Service(
        gpu=o.kind_of(gpu, server["hardware"]), engine=released(server["engine"], server["engine_version"]),
        kv_precision=server["kv_precision"], max_batch=server["max_num_seqs"],
        step_tokens=server["max_num_batched_tokens"], memory_frac=server["gpu_memory_utilization"],
        max_model_len=server["max_model_len"], eager=server["eager"], draft_tokens=server["draft_tokens"],
        draft_acceptance=server["draft_acceptance"],
        layout=_layout_of(server) if exact else None, fixed=() if exact else tuple(_degrees_of(server).items()),
        calibration=o.file(server["calibration"]), on=o.day(server["as_of"]),
        changed=changed_factors(server["serve"]),
    )  # fmt: skip


def devices_of(gpu: str | Sequence[str] | None, server: Server) -> tuple[str, ...]:
    """Return the accelerators that are named, or the file of one's own device where one is given."""
    return o.words(gpu) if server["hardware"] is None else (str(server["hardware"]),)


def _layout_of(server: Server) -> Layout | None:
    """Return the layout whose degrees are given, the others being 1; None where none is."""
    degrees = {name: value for name, value in _degrees_of(server).items() if name != "dp_attention"}
    if server["dp_attention"] and (server["dp"] or 1) == 1:
        message = "--dp-attention: has no effect without --dp above 1; add it"
        raise InputError(message)
    if not degrees:
        return None
    from jevons.serving import Layout

    return Layout(**degrees, dp_attention=server["dp_attention"])


def _degrees_of(server: Server) -> dict[str, int]:
    """Return the degrees of the layout that are given, by name."""
    stated = {"tp": server["tp"], "pp": server["pp"], "ep": server["ep"], "dp": server["dp"]}
    degrees = {name: value for name, value in stated.items() if value is not None}
    return degrees | ({"dp_attention": True} if server["dp_attention"] else {})
