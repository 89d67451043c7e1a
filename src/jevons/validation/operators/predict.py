"""Predicts every row of a table of measured operators, from its configuration alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jevons.hardware import accelerator
from jevons.hardware.types import Accelerator
from jevons.operators.engines import GENERIC, kernel_engines
from jevons.operators.factors import Factors, KernelTable, shipped_table
from jevons.operators.families import evaluate
from jevons.operators.kernels.mla import DEEPSEEK_WIDTHS, projections_s
from jevons.operators.types import UNKNOWN, OpTime, interval_s
from jevons.validation.operators import rows, tables


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
        A CSV file in one of the headers of `jevons.validation.operators.tables`. Where rows name no device, the
        file's name must.
    device : callable
        Maps a device id to an accelerator; the shipped facts by default.
    table : KernelTable, optional
        Fitted kernels; the shipped ones by default.

    Returns
    -------
    list of dict
        In row order: ``row`` (0-based), ``metric``, ``measured`` (as printed), and either ``predicted`` (same unit),
        ``low`` and ``high`` (80 % interval),
        ``ape`` and ``error_frac`` (the error expected of eight in ten), or ``reason``.

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
    records: list[dict[str, Any]] = [
        {"row": row, "metric": metric, "measured": None, "reason": reason} for row, metric, reason in read.left
    ]
    for block in read.blocks:
        accelerator_of_block = device(block.device)
        result = _predict(block, accelerator_of_block, fitted)
        low_s, high_s = interval_s(result)
        if block.work is None:
            measured, predicted, low, high = (
                time / block.unit_s for time in (block.measured_s, result.time_s, low_s, high_s)
            )
        else:
            measured, predicted, low, high = (
                block.work / time for time in (block.measured_s, result.time_s, high_s, low_s)
            )
        columns = zip(block.rows, measured, predicted, low, high, result.error_frac, strict=True)
        records.extend(
            {
                "row": row, "metric": block.metric, "measured": float(was), "predicted": float(now),
                "low": float(least), "high": float(most), "ape": float(abs(now / was - 1.0)), "error_frac": float(off),
            }
            for row, was, now, least, most, off in columns
        )  # fmt: skip
    return sorted(records, key=lambda entry: (entry["row"], entry["metric"]))


def _predict(block: rows.Block, device: Accelerator, table: KernelTable) -> OpTime:
    shape = dict(block.shape)
    if block.projections:
        engine = block.engine if block.engine in kernel_engines() else GENERIC
        tokens = shape["b"] * (shape["s"] if "s" in shape else shape["q"])
        shape["projections_s"] = projections_s(
            device, tokens, shape["h"], block.projections, DEEPSEEK_WIDTHS, Factors(engine, table=table),
            absorbed="t" in shape,
        )  # fmt: skip
    kernel = table.find(block.family, device, block.dtype, block.variant, block.engine)
    answer = evaluate(block.family, kernel, shape, block.rates)
    if block.beside is None:
        return answer
    # A surface fitted to prompts says nothing about single rows.
    other = evaluate(block.family, replace(kernel, surface=None), block.beside.shape, block.rates)
    far = table.errors.get(block.family.name, {}).get("far", UNKNOWN)
    start_s = np.minimum(answer.start_s, other.start_s)
    return replace(answer, time_s=answer.time_s + other.time_s - start_s, error=far, outside=far, terms=None)
