"""Predicts every row of a table of measured operators, from its configuration alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jevons.hardware import accelerator
from jevons.hardware.types import Accelerator
from jevons.operators.factors import Factors, KernelTable, shipped_table
from jevons.operators.families import evaluate
from jevons.operators.kernels.mla import DEEPSEEK_WIDTHS, projections_s
from jevons.operators.types import FloatArray
from jevons.validation.operators import rows as tables


def recognises(header: list[str]) -> bool:
    """Return whether a CSV header is that of a table of measured operators."""
    return bool(tables.kind_of(header))


def predict_ops_rows(
    path: Path | str, *, device: Callable[[str], Accelerator] = accelerator, table: KernelTable | None = None
) -> list[dict[str, Any]]:
    """Return a prediction, or the reason why there is none, for every measured figure of a file.

    Parameters
    ----------
    path : path
        A CSV file in one of the headers of `jevons.validation.operators.rows`. Where rows name no device, the
        file's name must.
    device : callable
        Maps a device id to an accelerator; the shipped facts by default.
    table : KernelTable, optional
        Fitted kernels; the shipped ones by default.

    Returns
    -------
    list of dict
        In row order: ``row`` (0-based), ``metric``, ``measured`` (as printed), and either ``predicted`` (same unit),
        ``ape`` and ``p90_frac`` (the error expected of nine in ten), or ``reason``.

    Raises
    ------
    InputError
        If the file cannot be read or its header is none that operators are measured in.

    Notes
    -----
    The engine, kernel and routing columns choose factors; nothing is looked up by a measured value. Times are those of
    the loop that measured: operands may stay in the cache, and an eager engine's host time counts.
    """
    fitted = table or shipped_table()
    read = tables.read_table(path, device)
    found: list[dict[str, Any]] = [
        {"row": row, "metric": metric, "measured": None, "reason": reason} for row, metric, reason in read.left
    ]
    for block in read.blocks:
        accelerator_of_block = device(block.device)
        time_s, p90_frac = _predict(block, accelerator_of_block, fitted)
        if block.work is None:
            measured, predicted = block.measured_s / block.unit_s, time_s / block.unit_s
        else:
            measured, predicted = block.work / block.measured_s, block.work / time_s
        found.extend(
            {
                "row": row, "metric": block.metric, "measured": float(was), "predicted": float(now),
                "ape": float(abs(now / was - 1.0)), "p90_frac": p90_frac,
            }
            for row, was, now in zip(block.rows, measured, predicted, strict=True)
        )  # fmt: skip
    return sorted(found, key=lambda entry: (entry["row"], entry["metric"]))


def _predict(block: tables.Block, device: Accelerator, table: KernelTable) -> tuple[FloatArray, float]:
    shape = dict(block.shape)
    if block.projections:
        engine = block.engine if block.engine in {"trtllm", "vllm", "sglang"} else "generic"
        tokens = shape["b"] * (shape["s"] if "s" in shape else shape["q"])
        shape["projections_s"] = projections_s(
            device, tokens, shape["h"], block.projections, DEEPSEEK_WIDTHS, Factors(engine, table=table),
            absorbed="t" in shape,
        )  # fmt: skip
    kernel = table.find(block.family, device, block.dtype, block.variant, block.engine)
    result = evaluate(block.family, kernel, shape, block.rates)
    return np.asarray(result.time_s), result.p90_frac
