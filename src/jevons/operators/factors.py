"""The named efficiency factors of kernels and links, and the choice of the kernel that answers a question.

Shared factors of a family are facts (``operators.<family>.<factor>``, grade derived). Kernels with measurements of
their own (a device x an engine's kernel x a precision) carry their own values and a small residual surface in
``data/kernels.json``. A device or engine without measurements gets the average of its nearest relatives, and a wider
interval.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from jevons.errors import InputError, did_you_mean
from jevons.facts import Facts, default_facts
from jevons.facts.per_facts import per_facts
from jevons.hardware import accelerator
from jevons.hardware.types import Accelerator
from jevons.operators.engines import kernel_engines
from jevons.operators.families import Family, Kernel, cores_of
from jevons.operators.types import UNKNOWN, Errors, FloatArray

_DATA = Path(__file__).parent / "data" / "kernels.json"

_LINK_FAMILIES = {"collective", "exchange"}
_BOARD_LINK = "pcie"

# Precision whose kernels stand in where a family has none of its own.
_STAND_INS: Mapping[str, tuple[str, ...]] = {
    "fp16": ("bf16",), "fp8_block": ("fp8",), "fp4": ("fp8",), "w4a8": ("fp8",), "mxfp4": ("int4", "bf16"),
    "int8_wo": ("int4", "bf16"), "int4": ("int8_wo", "bf16"), "int8": ("fp8", "bf16"), "fp8": ("int8", "bf16"),
    "bf16/int8": ("bf16/fp8",), "bf16/fp4": ("bf16/fp8",), "fp8/bf16": ("fp8/fp8", "bf16/fp8", "bf16/bf16"),
    "fp8/fp8": ("bf16/fp8", "bf16/bf16"), "bf16/fp8": ("bf16/bf16",),
}  # fmt: skip

# Kernels of another operator than the usual one; they answer only when asked for.
_ASKED_FOR = {"nongated", "situ", "small", "custom_eager", "mx", "grouped", "grouped/masked", "index", "sparse"}
_ALONE = "alone"
"""Kernels timed by themselves, not as an engine calls them; of these only products answer for an engine."""

DISTANCES = ("own", "device", "kin", "far")
"""How far the rows fitted lie: the same kernel; another precision or kernel of the device; a device of the same
generation; another generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One fitted kernel: where it was measured, its factors, and how well it does on rows held out."""

    family: str
    device: str
    engine: str
    dtype: str
    variant: str
    kernel: Kernel
    rows: int
    median_frac: float


@dataclass(slots=True, kw_only=True)
class KernelTable:
    """Fitted kernels by family, with the families' shared factors as the last resort.

    Parameters
    ----------
    records, shared : mapping
        Fitted kernels, and the shared factors, by family.
    errors : mapping
        By family and distance (`DISTANCES`), the error that eight of ten calls stayed below when kernels that near were
        hidden from the fit.
    """

    records: Mapping[str, Sequence[Record]]
    shared: Mapping[str, Mapping[str, float]]
    errors: Mapping[str, Mapping[str, Errors]] = field(default_factory=dict)
    _found: dict[tuple[str, ...], Kernel] = field(default_factory=dict)

    def find(self, family: Family, device: Accelerator, dtype: str, variant: str, engine: str) -> Kernel:
        """Return the kernel for a device, precision, variant and engine, or the average of the nearest ones."""
        near = " ".join(name for group in _relatives(device, family.name) for name in group)
        pace = f"{_core_flop_per_s(device)} {_flop_per_j(device)} {device.host_link}"
        key = (family.name, device.id, pace, near, dtype, variant, engine)
        if key not in self._found:
            self._found[key] = self._search(family, device, dtype, variant, engine)
        return self._found[key]

    def _search(self, family: Family, device: Accelerator, dtype: str, variant: str, engine: str) -> Kernel:
        records = self.records.get(family.name, ())
        if not records:
            far = self._error(family.name, "far")
            return Kernel(values=self.shared[family.name], error=far, outside=far, origin="shared factors")
        label = next(
            (name for name in (dtype, *_STAND_INS.get(dtype, ())) if any(record.dtype == name for record in records)),
            "",
        )
        same = [record for record in records if record.dtype == label] or list(records)
        near: list[Record] = []
        for names in ((device.id,), *_relatives(device, family.name), None):
            near = [record for record in same if names is None or record.device in names]
            near = _answering(near, variant, family.name) or (near if names is None else [])
            if near:
                break
        # Engines run other kernels on another maker's devices: theirs say no more of one than any others do.
        own = [
            record for record in near if record.engine == engine and _measured(record.device).vendor == device.vendor
        ]
        exact = [record for record in own if record.variant == variant]
        chosen = exact or _main_variants(own or near)
        kernel = _average([_adapted(record, device) for record in chosen])
        if variant != _ALONE and all(record.variant == _ALONE for record in chosen):
            kernel = self._in_engine(kernel, same, family, device, variant)
        return self._rated(
            kernel, chosen, family.name, device, exact=label == dtype and bool(exact or engine == "generic")
        )

    def _in_engine(
        self, kernel: Kernel, same: Sequence[Record], family: Family, device: Accelerator, variant: str
    ) -> Kernel:
        """Return a product timed alone with the launch and the quantising of its activations that a relative has."""
        for names in (*_relatives(device, family.name), None):
            others = [record for record in same if record.device != device.id and record.variant != _ALONE]
            others = _answering(
                [record for record in others if names is None or record.device in names], variant, family.name
            )
            if others:
                around = _average([record.kernel for record in _main_variants(others)]).values
                return replace(
                    kernel, values={**kernel.values, "quant": around["quant"], "launch_s": around["launch_s"]}
                )
        return kernel

    def _rated(
        self, kernel: Kernel, chosen: Sequence[Record], family: str, device: Accelerator, *, exact: bool
    ) -> Kernel:
        """Return a kernel with the errors of its distance."""
        if all(record.device == device.id for record in chosen):
            distance = "own" if exact else "device"
        else:
            kin = all(_measured(record.device).generation == device.generation for record in chosen)
            distance = "kin" if kin and device.generation != "other" else "far"
        outside = _widest(kernel.error, self._error(family, "kin"))
        error = kernel.error
        if distance != "own":
            error = _widest(self._error(family, distance), kernel.error)
            error = error if exact else _widest(error, self._error(family, "device"))
        return replace(kernel, error=error, outside=_widest(outside, error), origin=_origin(chosen), distance=distance)

    def _error(self, family: str, distance: str) -> Errors:
        return self.errors.get(family, {}).get(distance, UNKNOWN)


def _widest(a: Errors, b: Errors) -> Errors:
    return Errors(max(a.long, b.long), max(a.short, b.short))


def _answering(records: Sequence[Record], variant: str, family: str) -> list[Record]:
    """Return the records that may answer for a variant: its own, or those that need not be asked for."""
    named = [record for record in records if record.variant == variant and variant]
    hidden = _ASKED_FOR if family == "gemm" else _ASKED_FOR | {_ALONE}
    return named or [record for record in records if record.variant not in hidden]


def _adapted(record: Record, device: Accelerator) -> Kernel:
    """Return a record's kernel as it would run on another device.

    Notes
    -----
    What a core loses beside its products (loads, synchronising, the epilogue) takes a time of its own: where its matrix
    unit is slower than that of the core measured, the loss is a smaller share, ``1 / (1 + (1 / frac - 1) * ratio)``.
    That holds for NVIDIA's cores; power holds AMD's. The losses of tiles, of starting and draining the inner loop and
    of the exponential are shares of the matrix unit's time too, and shrink by the ratio: to the core measured, or to
    the fastest of the device's own generation where that is faster. Between generations this holds for products alone.
    Hidden from the fit, the H20's products come out 7 % off that way, not 21 %, and its attention 4 %, not 20 %.

    Matrix units at full load run into the board's power limit. Power rises with the cube of the clock (frequency times
    the square of a voltage that follows it), so that chips of one generation sustain a share of their peak that falls
    with the cube root of peak per watt, up to `_FULL`. Hidden from the fit, the H20's products come out 21 % off that
    way, not 28 %; an L20 has 0.84 of its peak from the L40S's 0.63, where CUDA-Learn-Notes print 0.88 to 0.96.
    A device that is sold with its processor states the power of both: it takes the share of its relative.
    """
    kernel, measured = record.kernel, _measured(record.device)
    if device.id == measured.id or "compute_frac" not in kernel.values:
        return kernel
    frac = adapted = kernel.values["compute_frac"]
    if device.vendor == measured.vendor == "NVIDIA":
        ratio = min(_core_flop_per_s(device) / _core_flop_per_s(measured), 1.0)
        adapted = 1.0 / (1.0 + (1.0 / min(frac, 1.0) - 1.0) * ratio)
    if device.generation == measured.generation != "other" and device.host_link == measured.host_link:
        sustained = (_flop_per_j(measured) / _flop_per_j(device)) ** _CLOCK_EXPONENT
        adapted = adapted * sustained if sustained < 1.0 else max(adapted, min(frac * sustained, _FULL))
    return replace(kernel, values={**kernel.values, "compute_frac": adapted, **_losses(record, device, measured)})


_LOSSES = ("tile", "depth", "exponential")
"""Factors that are times of a core beside its matrix unit, in that unit's time."""


def _losses(record: Record, device: Accelerator, measured: Accelerator) -> dict[str, float]:
    """Return what a core loses beside its products, as shares of the matrix unit's time on another device."""
    alike = device.generation == measured.generation != "other"
    if not device.vendor == measured.vendor == "NVIDIA" or not (alike or record.family == "gemm"):
        return {}
    kin = [_measured(name) for name in device.kernels_like]
    cores = [measured, *(relative for relative in kin if relative.generation == device.generation)]
    fastest = max(_core_flop_per_s(core) for core in cores)
    ratio = min(_core_flop_per_s(device) / fastest, 1.0)
    return {name: record.kernel.values[name] * ratio for name in _LOSSES if name in record.kernel.values}


_CLOCK_EXPONENT = 1.0 / 3.0
"""How the clock follows power where the voltage follows the clock."""

_FULL = 0.95
"""Share of the peak that products reach where power allows it: an H20's reach 0.95."""


def _flop_per_j(device: Accelerator) -> float:
    return device.peak_flop_per_s["bf16"] / device.tdp_w


def lasting_slowdown(device: Accelerator) -> float:
    """Return by how much longer products take over minutes of full load than alone, >= 1.

    It is above 1 on boards that are sold to do more work per watt than the relative of their generation whose kernels
    were measured. Lone products run at the clock that such a board holds for a moment: `_adapted` takes the cube root
    of the ratio. Over minutes the rate falls with the ratio to the power ``training.board_exponent``.
    """
    relatives = [_measured(name) for name in device.kernels_like if name != device.id]
    alike = [
        relative
        for relative in relatives
        if relative.generation == device.generation and relative.host_link == device.host_link
    ]
    if device.id in device.kernels_like or device.generation == "other" or not alike:
        return 1.0
    exponent = default_facts().get("training.board_exponent").number - _CLOCK_EXPONENT
    slowdown: float = max(_flop_per_j(device) / _flop_per_j(alike[0]), 1.0) ** max(exponent, 0.0)
    return slowdown


@per_facts()
def _measured(device: str) -> Accelerator:
    return accelerator(device)


def _core_flop_per_s(device: Accelerator) -> float:
    return device.peak_flop_per_s["bf16"] / cores_of(device.cores)


@dataclass(frozen=True, slots=True)
class Factors:
    """Which kernels answer, and by how much a calibration scales them.

    Parameters
    ----------
    engine : str
        One of `kernel_engines`; ``generic`` for the average of the engines' kernels.
    scale : mapping of str to float
        Multiplier on the time of a family (``gemm``, ``elementwise``, ``attention_prefill``, ``attention_decode``,
        ``mla_prefill``, ``mla_decode``, ``moe``, ``collective``, ``exchange``), for a user's own machine.
    table : KernelTable, optional
        Fitted kernels; the shipped ones by default.

    Raises
    ------
    InputError
        If the engine is unknown, or a scale is not above zero.
    """

    engine: str = "generic"
    scale: Mapping[str, float] = field(default_factory=dict)
    table: KernelTable | None = None

    def __post_init__(self) -> None:
        known = kernel_engines()
        if self.engine not in known:
            message = f"unknown engine `{self.engine}`.{did_you_mean(self.engine, known)}"
            raise InputError(message)
        for name, value in self.scale.items():
            if not value > 0.0:
                message = f"scale.{name} = {value}: must be above 0 (1 leaves times as they are)"
                raise InputError(message)

    def kernel(self, family: Family, device: Accelerator, dtype: str, variant: str = "") -> Kernel:
        """Return the kernel of that family, precision and variant on a device."""
        table = self.table or shipped_table()
        return table.find(family, device, dtype, variant, self.engine)


@per_facts()
def _stand_ins(kind: str) -> tuple[str, ...]:
    """Return the measured devices that stand in for one of a kind without relatives."""
    return tuple(str(default_facts().get(f"stand_in.{kind}").value).split())


def _relatives(device: Accelerator, family: str) -> tuple[tuple[str, ...], ...]:
    """Return devices that stand in, nearest first; those of one tuple are averaged."""
    if family in _LINK_FAMILIES:
        return _link_relatives(device)
    kind = _stand_ins("graphics" if device.graphics else "stacked_memory")
    return (*((name,) for name in device.kernels_like), kind)


def _link_relatives(device: Accelerator) -> tuple[tuple[str, ...], ...]:
    """Return devices whose collectives stand in: a board's links are not those of the same chip on a baseboard."""
    board = device.scaleup.kind == _BOARD_LINK
    alike = [name for name in device.kernels_like if (_link_kind(name) == _BOARD_LINK) == board]
    kind = _stand_ins("graphics" if board else "stacked_memory")
    return (*((name,) for name in device.links_like or alike), kind)


@functools.cache
def _link_kind(device: str) -> str:
    return accelerator(device).scaleup.kind


def _main_variants(records: Sequence[Record]) -> list[Record]:
    """Return the most measured kernel of each device and engine; measuring loops chose it for most shapes.

    Profiles that belong to no current engine count only where there is nothing else.
    """
    main: dict[tuple[str, str], Record] = {}
    current = kernel_engines()
    for record in [record for record in records if record.engine in current] or records:
        largest = main.get((record.device, record.engine))
        if largest is None or record.rows > largest.rows:
            main[record.device, record.engine] = record
    return list(main.values())


def _origin(records: Sequence[Record]) -> str:
    """Return where kernels were measured: devices, engines and precision."""
    devices, engines, dtypes = (
        ", ".join(dict.fromkeys(getattr(record, name) for record in records)) for name in ("device", "engine", "dtype")
    )
    return f"{dtypes} kernels of {engines} measured on {devices}, {sum(record.rows for record in records):,} rows"


def _average(kernels: Sequence[Kernel]) -> Kernel:
    if len(kernels) == 1:
        return kernels[0]
    names = kernels[0].values
    values = {name: float(np.exp(np.mean([np.log(kernel.values[name]) for kernel in kernels]))) for name in names}
    surfaces = [kernel.surface for kernel in kernels if kernel.surface is not None]
    lows = [kernel.low for kernel in kernels if kernel.low is not None]
    highs = [kernel.high for kernel in kernels if kernel.high is not None]
    return Kernel(
        values=values,
        surface=np.sum(surfaces, axis=0) / len(kernels) if surfaces else None,
        low=np.min(lows, axis=0) if lows else None,
        high=np.max(highs, axis=0) if highs else None,
        least=min(kernel.least for kernel in kernels),
        most=max(kernel.most for kernel in kernels),
        error=functools.reduce(_widest, [kernel.error for kernel in kernels]),
    )


def read_table(document: Mapping[str, Any], shared: Mapping[str, Mapping[str, float]]) -> KernelTable:
    """Return the kernels of a fitted document (the content of ``kernels.json``)."""
    records: dict[str, list[Record]] = {}
    errors: dict[str, dict[str, Errors]] = {}
    for name, family in document["families"].items():
        names = family["factors"]
        errors[name] = {distance: Errors(*map(float, pair)) for distance, pair in family["errors"].items()}
        for row in family["kernels"]:
            kernel = Kernel(
                values=dict(zip(names, map(float, row["values"]), strict=True)),
                surface=_array(row.get("surface")),
                low=_array(row.get("low")),
                high=_array(row.get("high")),
                least=float(row["held"][0]),
                most=float(row["held"][1]),
                error=Errors(*map(float, row["error"])),
            )
            record = Record(
                family=name,
                device=row["device"],
                engine=row["engine"],
                dtype=row["dtype"],
                variant=row["variant"],
                kernel=kernel,
                rows=int(row["rows"]),
                median_frac=float(row["median_frac"]),
            )
            records.setdefault(name, []).append(record)
    return KernelTable(records=records, shared=shared, errors=errors)


def _array(raw: Any) -> FloatArray | None:
    return None if raw is None else np.asarray(raw, dtype=np.float64)


def shared_factors(facts: Facts) -> dict[str, dict[str, float]]:
    """Return the shared factors of every family from facts ``operators.<family>.<factor>``."""
    shared: dict[str, dict[str, float]] = {}
    for fact in facts:
        parts = fact.id.split(".")
        if parts[0] == "operators" and len(parts) == 3:
            shared.setdefault(parts[1], {})[parts[2]] = facts.get(fact.id).number
    return shared


@per_facts()
def shipped_table() -> KernelTable:
    """Return the kernels that ship with the package."""
    shared = shared_factors(default_facts())
    return _table(tuple((family, tuple(values.items())) for family, values in shared.items()))


@functools.cache
def _table(shared: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]) -> KernelTable:
    with _DATA.open(encoding="utf-8") as stream:
        return read_table(json.load(stream), {family: dict(values) for family, values in shared})


@functools.cache
def default_factors() -> Factors:
    """Return the shipped factors of a generic engine."""
    return Factors()
