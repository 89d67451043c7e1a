"""Rows of tables of measured operators, as blocks that one kernel answers; names of devices, engines and precisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from jevons.errors import FactError, InputError
from jevons.facts import default_facts
from jevons.facts.per_facts import per_facts
from jevons.files import read_csv
from jevons.hardware import device_in
from jevons.hardware.types import Accelerator
from jevons.operators.families import Family, Rates
from jevons.operators.types import PRECISION_ALIASES, FloatArray

Row = Mapping[str, str]

MS, US = 1e-3, 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that one kernel of one device answers, as arrays.

    Parameters
    ----------
    family : Family
        Physics and surface.
    device, engine, dtype, variant : str
        The kernel asked for.
    rates : Rates
        The device's rates for it.
    shape : mapping of str to ndarray
        Arguments of the family's terms.
    metric, rows : str, sequence of int
        Column predicted, and 0-based rows.
    measured_s : ndarray
        Measured time [s]; what is printed is ``measured_s / unit_s``, or ``work / measured_s`` for rates.
    unit_s : float
        Seconds per unit of the column.
    work : ndarray or None
        For columns that print a rate: the work, in the column's unit times seconds.
    projections : str
        For whole MLA blocks: precision of the projections.
    beside : Block or None
        Work of another kernel in the same call, whose time beyond its launch is added; such rows are not fitted.
    """

    family: Family
    device: str
    engine: str
    dtype: str
    variant: str
    rates: Rates
    shape: Mapping[str, FloatArray]
    metric: str
    rows: Sequence[int]
    measured_s: FloatArray
    unit_s: float = MS
    work: FloatArray | None = None
    projections: str = ""
    beside: Block | None = None


@dataclass(slots=True)
class Table:
    """A file of measured operators: blocks to predict, and rows that cannot be, with the reason."""

    kind: str
    blocks: list[Block] = field(default_factory=list)
    left: list[tuple[int, str, str]] = field(default_factory=list)


def device_of(text: str) -> str:
    """Return the id of the device that a measuring host's name or a file name states; empty if none is known."""
    labelled, rest = "", text.lower()
    for device, label in _labels().items():
        if label in rest:
            labelled, rest = device, rest.replace(label, " ")
    try:
        return device_in(rest)
    except InputError:
        return labelled


@per_facts()
def _labels() -> dict[str, str]:
    """Return what tables of kernels call a device, by device: facts ``<device>.labels``."""
    facts = default_facts()
    return {
        fact.id.removesuffix(".labels"): str(facts.get(fact.id).value) for fact in facts if fact.id.endswith(".labels")
    }


def dtype_of(text: str) -> str:
    """Return the canonical precision of a table's dtype."""
    return PRECISION_ALIASES.get(text.lower(), text.lower())


def read_rows(path: Path | str) -> tuple[list[str], list[Row]]:
    """Return a CSV file's header and rows.

    Raises
    ------
    InputError
        If it is missing or not a CSV file with a header.
    """
    header, rows = read_csv(path)
    return header, [row for _, row in rows]


class Reader:
    """Rows of one file, and the blocks made of them."""

    def __init__(self, table: Table, rows: Sequence[Row], name: str, device: Callable[[str], Accelerator]) -> None:
        self.table, self.rows, self.name, self.device = table, rows, name, device

    def groups(
        self, metric: str, *columns: str, several: bool = False
    ) -> Iterator[tuple[tuple[str, ...], list[int], Accelerator]]:
        """Yield rows that agree in *columns*, with their device; rows without value or device are left out.

        In tables of *several* metrics an empty cell is no figure; elsewhere it is a row that cannot be judged.
        """
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, row in enumerate(self.rows):
            if not 0.0 < number(row.get(metric)) <= GREATEST:
                if not several or (row.get(metric) or "").strip():
                    self.table.left.append((index, metric, f"no usable value of {metric}"))
                continue
            name = row.get("device") or row.get("gpu") or self.name
            key = device_of(name)
            if not key:
                self.table.left.append((index, metric, f"unknown device `{name}`"))
                continue
            groups.setdefault((key, *(row.get(column) or "" for column in columns)), []).append(index)
        for key_columns, indices in groups.items():
            try:
                accelerator = self.device(key_columns[0])
            except (InputError, FactError) as error:
                self.leave(indices, metric, str(error))
                continue
            yield key_columns[1:], indices, accelerator

    def leave(self, indices: Sequence[int], metric: str, reason: str) -> None:
        """Count rows as not predicted."""
        self.table.left.extend((index, metric, reason) for index in indices)

    def column(self, indices: Sequence[int], name: str) -> FloatArray:
        """Return a column's numbers; empty cells read 0, and nan stands for what no machine has."""
        values = np.array([number(self.rows[index].get(name)) for index in indices])
        return np.where(values > GREATEST, np.nan, np.where(values > 0.0, values, 0.0))

    def add(
        self,
        family: Family,
        device: Accelerator,
        kernel: tuple[str, str, str],
        rates: Rates,
        shape: Mapping[str, Any],
        metric: str,
        indices: Sequence[int],
        unit_s: float = MS,
        **more: Any,
    ) -> None:
        """Add a block of rows measured as *metric*; rows of an impossible shape are left out."""
        arrays = {name: np.broadcast_to(np.asarray(value, float), (len(indices),)) for name, value in shape.items()}
        good = np.ones(len(indices), bool)
        other: Block | None = more.get("beside")
        for name, array in [*arrays.items(), *(other.shape.items() if other else ())]:
            good &= np.isfinite(array) & ((array >= _LEAST) | ((array == 0.0) & (name in _MAY_BE_ZERO)))
        if "p" in arrays:
            good &= arrays["p"] >= np.maximum(arrays["domains"], 1.0)
        bad = [index for index, fine in zip(indices, good, strict=True) if not fine]
        self.leave(bad, metric, "a shape column is empty, zero or out of range")
        usable = [index for index, fine in zip(indices, good, strict=True) if fine]
        if not usable:
            return
        arrays = {name: array[good] for name, array in arrays.items()}
        measured = more.pop("measured_s", None)
        measured = self.column(indices, metric) * unit_s if measured is None else measured
        work = more.pop("work", None)
        if other is not None:
            more["beside"] = replace(other, shape={name: value[good] for name, value in other.shape.items()})
        engine, dtype, variant = kernel
        self.table.blocks.append(
            Block(
                family=family,
                device=device.id,
                engine=engine,
                dtype=dtype,
                variant=variant,
                rates=rates,
                shape=arrays,
                metric=metric,
                rows=usable,
                measured_s=measured[good],
                unit_s=unit_s,
                work=None if work is None else work[good],
                **more,
            )
        )


GREATEST = 1e13
"""Beyond this a size, a count or a time is a mistake."""

_LEAST = 1e-3
"""Below this a size or a count is a mistake."""

_MAY_BE_ZERO = {"past", "w", "projections_s", "operation", "per_expert", "uneven", "read_bytes", "write_bytes"}


def number(text: str | None) -> float:
    """Return a cell's number; nan where it is empty or none."""
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return float("nan")


def engine_of(framework: str) -> str:
    """Return the engine that a framework column names."""
    return framework.lower()


ALONE = {"infersim"}
"""Frameworks whose tables time a kernel by itself, without what an engine does around it."""


def class_of(source: str, framework: str = "") -> str:
    """Return the kind of kernel that a source names: triton, fa4, flashinfer's decode kernel, or the engine's own."""
    if engine_of(framework) in ALONE:
        return "alone"
    lower = source.lower()
    return next((name for name in ("triton", "fa4", "fidecode", "marlin", "cutlass") if name in lower), "")
