"""One measured row of serving as a case to predict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jevons.serving.closed_loop.points import Lengths
from jevons.serving.types import Layout

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A benchmark task's lengths, and its limits on the 99th percentile by scenario [s]."""

    isl: Lengths
    osl: Lengths
    requests: int
    limits: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The configuration behind one or several measured rows; rows of one run have equal cases.

    Parameters
    ----------
    family : str
        Of the table.
    device, model : str
        Accelerator id, and the model's name as printed.
    engine, version : str
        Engine preset, and the version as printed.
    precision : str or None
        Of the weights; None for what the model ships in.
    kv : str or None
        Of the cache; None for the rule of `predict`.
    layout, prefill : Layout
        Of an instance; of a prefill instance where prompts are processed apart.
    replicas : int
        Independent instances that share the load.
    prefill_workers, decode_workers, prefill_batch : int
        Of a disaggregated deployment; 0 where prompts and decodes share devices.
    gpus : int
        Accelerators that the metric covers.
    scenario : str
        ``closed``, ``open``, ``burst``, ``offline``, ``static``, or an MLPerf one: ``mlperf-offline``,
        ``mlperf-server``, ``mlperf-interactive``.
    isl, osl : Lengths
        Of the requests.
    requests, users : int
        In all, and at once (batch where static).
    rate_per_s : float
        Of an open loop.
    step_tokens, max_batch : int
        Limits given on the command line; 0 where none.
    memory_frac : float
        Share of memory given on the command line; 0 where none.
    draft_tokens : int
        Speculated tokens per step; 0 without speculation.
    poll_steps, wait_steps : int
        The scheduler looks for requests every so many steps; prompts wait so long for company.
    wait_frac : float
        Until they fill this share of a step.
    stream_steps : int
        Tokens that the server sends at a time.
    represents : int
        Requests of the run that a shorter one stands for; 0 for none.
    decoded_layout : bool
        Whether the table's layout was a product of sizes and had to be read as such.
    search : bool
        Whether the layout is not recorded, so that the best is taken.
    lags : bool
        Whether this version of the engine composes a step as the one before begins.
    captured_tokens : float or None
        Prompt steps of up to so many tokens run as captured graphs; None for what the engine does.
    """

    family: str
    device: str
    model: str
    engine: str
    version: str
    precision: str | None
    kv: str | None
    layout: Layout
    scenario: str
    isl: Lengths
    osl: Lengths
    gpus: int
    requests: int = 0
    users: int = 0
    rate_per_s: float = 0.0
    replicas: int = 1
    prefill: Layout | None = None
    prefill_workers: int = 0
    decode_workers: int = 0
    prefill_batch: int = 0
    step_tokens: int = 0
    max_batch: int = 0
    memory_frac: float = 0.0
    draft_tokens: int = 0
    poll_steps: int = 0
    wait_steps: int = 0
    wait_frac: float = 0.0
    stream_steps: int = 1
    represents: int = 0
    decoded_layout: bool = False
    search: bool = False
    lags: bool = True
    captured_tokens: float | None = None


def release_of(version: str) -> tuple[int, ...] | None:
    """Return a version such as ``v0.10.2`` as numbers, or None."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def number_of(text: str | None) -> float | None:
    """Return a count such as ``1024``, ``2K`` or ``64k``, or None."""
    found = re.fullmatch(r"\s*([\d.]+)\s*([kK]?)\s*", text or "")
    return float(found[1]) * (1024.0 if found[2] else 1.0) if found else None


def sizes_of(row: Row) -> Layout:
    """Return the layout of a row's columns; attention ranks share experts where both dp and ep are above one."""
    tp, pp, ep, dp = (int(number_of(row.get(name)) or 1) for name in ("tp", "pp", "ep", "dp"))
    tp, pp, ep, dp = max(tp, 1), max(pp, 1), max(ep, 1), max(dp, 1)
    return Layout(tp=tp, pp=pp, ep=ep, dp=dp, dp_attention=dp > 1)
