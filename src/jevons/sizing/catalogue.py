"""The accelerators and engines on file, as tables that fit a screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.errors import FactError, InputError
from jevons.facts import FactValue, default_facts
from jevons.facts.support import support_of
from jevons.hardware import Accelerator, accelerator, accelerator_ids
from jevons.hardware.file import is_file
from jevons.results import Cell, Column, ListResult, Result, Table, number, table
from jevons.serving import EngineFactors, engine, engine_names
from jevons.sizing.hour_price import cny_per, purchase_price
from jevons.units import format_si
from jevons.words import Sentence

_FEW = 16
"""Rows of a list that a terminal shows where no details are asked for."""

_DEVICE_COLUMNS = (
    Column("device", "device"), Column("name", "name", detail=True),
    Column("hbm_bytes", "memory", "GiB", scale=2.0**-30),
    Column("hbm_bytes_per_s", "bandwidth", "TB/s", scale=1e-12),
    Column("peak_bf16_flop_per_s", "bf16", "TFLOP/s", scale=1e-12),
    Column("peak_fp8_flop_per_s", "fp8", "TFLOP/s", scale=1e-12, detail=True),
    Column("scaleup_bytes_per_s", "link", "GB/s", scale=1e-9, detail=True), Column("tdp_w", "TDP", "W", detail=True),
    Column("price_usd", "price", "k USD", scale=1e-3), Column("price_cny", "price", "k CNY", scale=1e-3, detail=True),
    Column("figures", "figures"), Column("error_frac", "median error", "%", scale=100.0),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class DevicesResult(ListResult):
    """What `jevons.devices` returns.

    Parameters
    ----------
    accelerators : tuple of Accelerator
        By id.
    prices : mapping of str to float or None
        Purchase price by id [CNY]; None where none is on file.
    cny_rate : float
        Yuan per US dollar.
    """

    kind: ClassVar[str] = "devices"

    accelerators: tuple[Accelerator, ...]
    prices: dict[str, float | None]
    cny_rate: float = 1.0

    def _listed(self) -> dict[str, Accelerator]:
        return {device.id: device for device in self.accelerators}

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many there are, and how to bring one's own."""
        count = len(self.accelerators)
        return (Sentence("devices.one" if count == 1 else "devices.count", {"count": f"{count}"}),)

    def _tables(self) -> Iterator[Table]:
        rows: list[tuple[Cell, ...]] = [
            (
                d.id, d.name, d.hbm_bytes, d.hbm_bytes_per_s, d.peak_flop_per_s.get("bf16") or None,
                d.peak_flop_per_s.get("fp8") or None, d.scaleup.bytes_per_s, d.tdp_w, self._usd(d.id),
                self.prices[d.id],
                support.figures, support.error_frac,
            )
            for d, support in sorted(
                ((d, support_of("devices", d.id)) for d in self.accelerators), key=lambda pair: -pair[1].figures
            )
        ]  # fmt: skip
        title = "Accelerators: dense peaks; median error of predictions, best validated first"
        yield table("devices", title, _DEVICE_COLUMNS, rows, most=_FEW)

    def _usd(self, device: str) -> float | None:
        price = self.prices[device]
        return None if price is None else price / self.cny_rate

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {"answer": self.answer, "devices": self.tables["devices"].records()}


@dataclass(frozen=True, kw_only=True, repr=False)
class DeviceResult(Result):
    """What `jevons.device` returns.

    Parameters
    ----------
    accelerator : Accelerator
        The device.
    figures : tuple of FactValue
        What is on file about it, by fact id; empty for a device of one's own.
    """

    kind: ClassVar[str] = "device"
    subject: ClassVar[str] = "accelerator"
    main_table: ClassVar[str] = "device"

    accelerator: Accelerator
    figures: tuple[FactValue, ...]

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The device in a line, and whose measured kernels stand in for it."""
        device = self.accelerator
        near = [name for name in device.kernels_like if name != device.id]
        line = Sentence("devices.line", {"device": repr(device).strip("<>")})
        return (line, Sentence("devices.like", {"near": near})) if near else (line,)

    def _tables(self) -> Iterator[Table]:
        device = self.accelerator
        heads: tuple[Column, ...] = (Column("quantity", "quantity"), Column("value", "value"), Column("unit", "unit"))
        yield table("device", f"{device.id}: figures in use", heads, _specification(device), detail=True)
        peaks: list[tuple[Cell, ...]] = [
            (precision, peak, peak / device.hbm_bytes_per_s) for precision, peak in device.peak_flop_per_s.items()
        ]
        heads = (
            Column("precision", "precision"), Column("peak_flop_per_s", "dense peak", "TFLOP/s", scale=1e-12),
            Column("flop_per_byte", "work per byte where both bind", "FLOP/byte"),
        )  # fmt: skip
        yield table("peaks", "Dense peaks", heads, peaks)
        heads = (
            Column("figure", "figure"), Column("value", "value"), Column("grade", "grade"), Column("from", "from"),
            Column("source", "source"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = [
            (figure.id.partition(".")[2], _figure(figure), figure.grade, str(figure.start), _short(figure))
            for figure in self.figures
        ]
        yield table("figures", f"{device.id} on file", heads, rows, detail=True)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object; values are in base units."""
        return {
            "answer": self.answer,
            "device": self.accelerator.id,
            "specification": {name: value for name, value, _ in _specification(self.accelerator)},
            "peaks": self.tables["peaks"].records(),
            "figures": [
                {
                    "id": figure.id, "value": figure.value, "unit": figure.unit, "grade": figure.grade,
                    "from": str(figure.start),
                    "low": figure.low, "high": figure.high, "source": str(figure.source or ""), "reason": figure.reason,
                }
                for figure in self.figures
            ],
        }  # fmt: skip


def _specification(device: Accelerator) -> list[tuple[str, Cell, str]]:
    """Return what the stages read of a device: quantity by its attribute's name, value and base unit."""
    return [
        ("name", device.name, ""), ("vendor", device.vendor, ""), ("hbm_bytes", device.hbm_bytes, "bytes"),
        ("hbm_bytes_per_s", device.hbm_bytes_per_s, "bytes/s"), ("l2_bytes", device.l2_bytes, "bytes"),
        ("cores", device.cores, ""), ("clock_hz", device.clock_hz, "Hz"), ("scaleup", device.scaleup.kind, ""),
        ("scaleup_bytes_per_s", device.scaleup.bytes_per_s, "bytes/s"), ("scaleup_domain", device.scaleup_domain, ""),
        ("scaleout_bytes_per_s", device.scaleout.bytes_per_s, "bytes/s"), ("node_devices", device.node_devices, ""),
        ("tdp_w", device.tdp_w, "W"), ("server_w", device.server_w, "W"),
    ]  # fmt: skip


_LONGEST_SOURCE = 48


def _figure(fact: FactValue) -> str:
    """Return a fact's value as people read it."""
    if isinstance(fact.value, str):
        return fact.value
    if fact.unit in _PREFIXED:
        return format_si(fact.value, _PREFIXED[fact.unit])
    return f"{number(fact.value)} {'' if fact.unit == '1' else fact.unit}".rstrip()


_PREFIXED = {"bytes": "B", "bytes/s": "B/s", "flop/s": "FLOP/s", "Hz": "Hz", "W": "W", "s": "s"}


def _short(fact: FactValue) -> str:
    text = str(fact.source or fact.reason or fact.formula)
    return text if len(text) <= _LONGEST_SOURCE else f"{text[: _LONGEST_SOURCE - 1].rstrip()}…"


@dataclass(frozen=True, kw_only=True, repr=False)
class EnginesResult(ListResult):
    """What `jevons.engines` returns.

    Parameters
    ----------
    presets : tuple of EngineFactors
        By name.
    """

    kind: ClassVar[str] = "engines"

    presets: tuple[EngineFactors, ...]

    def _listed(self) -> dict[str, EngineFactors]:
        return {preset.name: preset for preset in self.presets}

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Which there are."""
        values = {"count": f"{len(self.presets)}", "names": [preset.name for preset in self.presets]}
        return (Sentence("engines.count", values),)

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column("engine", "engine"), Column("step_overhead_s", "host time per step", "µs", scale=1e6),
            Column("request_overhead_s", "host time per request", "µs", scale=1e6, detail=True),
            Column("max_num_seqs", "running requests"), Column("max_num_batched_tokens", "tokens per step"),
            Column("gpu_memory_utilization_frac", "memory used", "%", scale=100.0),
            Column("figures", "figures"), Column("error_frac", "median error", "%", scale=100.0),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = [
            (
                e.name,
                e.host.step_overhead_s,
                e.host.request_overhead_s,
                e.batching.max_batch,
                e.batching.step_tokens,
                e.batching.memory_frac,
                support.figures,
                support.error_frac,
            )
            for e, support in ((e, support_of("engines", e.name)) for e in self.presets)
        ]
        yield table("engines", "Engine presets and their default limits", columns, rows)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {"answer": self.answer, "engines": self.tables["engines"].records()}


def devices_on_file(words: str, on: dt.date | None) -> DevicesResult:
    """Return the accelerators whose id, name or spelling has all *words*, as known on a date.

    Raises
    ------
    InputError
        If none matches.
    """
    listed = []
    for device_id in accelerator_ids():
        try:
            listed.append(accelerator(device_id, on=on))
        except FactError:
            continue
    wanted = words.lower().split()
    listed = [d for d in listed if _means(d, wanted)]
    if not listed:
        message = f"no accelerator has `{words}` in its name; `jevons devices` lists all"
        raise InputError(message)
    prices = {d.id: _price_cny(d, on) for d in listed}
    return DevicesResult(accelerators=tuple(listed), prices=prices, cny_rate=cny_per("USD", on))


def _means(device: Accelerator, words: Sequence[str]) -> bool:
    """Return whether one name of a device has all words."""
    facts, spelled = default_facts(), f"{device.id}.spellings"
    others = str(facts.get(spelled).value).split(";") if spelled in facts else []
    return any(all(word in name.lower() for word in words) for name in (f"{device.id} {device.name}", *others))


def device_shown(name: str, on: dt.date | None) -> DeviceResult:
    """Return one accelerator with what is on file about it, as known on a date.

    Raises
    ------
    InputError
        If the device is unknown, or its file wrong.
    FactError
        If it was not yet public on that date.
    """
    device = accelerator(name, on=on)
    return DeviceResult(accelerator=device, figures=() if is_file(name) else _on_file(device, on))


def described(device: Accelerator) -> DeviceResult:
    """Return a device as the result that describes it, with facts where it is the one on file today."""
    known = not device.file and accelerator(device.id) == device
    return DeviceResult(accelerator=device, figures=_on_file(device, None) if known else ())


def _on_file(device: Accelerator, on: dt.date | None) -> tuple[FactValue, ...]:
    facts = default_facts()
    listed = [fact for fact in facts if fact.id.startswith(f"{device.id}.")]
    visible = (facts.series(fact.id, on)[-1:] for fact in listed)
    return tuple(value for values in visible for value in values)


def _price_cny(device: Accelerator, on: dt.date | None) -> float | None:
    try:
        return purchase_price(device, on).number
    except FactError:
        return None


def engines_on_file(on: dt.date | None) -> EnginesResult:
    """Return the engine presets, as known on a date."""
    return EnginesResult(presets=tuple(engine(name, on=on) for name in engine_names()))
