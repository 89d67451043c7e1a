"""Reads a device of one's own from a YAML file: its datasheet, or what differs from a shipped device it is like."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jevons.errors import Fault, InputError, did_you_mean
from jevons.facts import default_facts
from jevons.files import changed_ns
from jevons.hardware.names import accelerator_ids, device_id
from jevons.hardware.types import PRECISIONS, Accelerator, Link, OwnPrice
from jevons.schema import Located, read_yaml
from jevons.units import CURRENCIES, UnitError, parse_quantity

_UNITS: Mapping[str, tuple[str, float, float]] = {
    "memory": ("bytes", 1e9, 1e14),
    "bandwidth": ("bytes/s", 1e9, 1e15),
    "cache": ("bytes", 0.0, 1e12),
    "clock": ("Hz", 1e7, 1e11),
    "tdp": ("W", 1.0, 1e5),
    "server_power": ("W", 1.0, 1e6),
    "network": ("bytes/s", 1e6, 1e15),
}
"""Fields with a unit: the unit they are kept in, and least and greatest value."""
_COUNTS = {"cores": 1_000_000, "node_devices": 100_000}
_LINK = {"kind", "bandwidth", "domain"}
FIELDS = ("name", "vendor", "like", "peaks", *_UNITS, *_COUNTS, "link", "price")
"""Fields of a device file."""
_NEEDED = ("name", "peaks", "memory", "bandwidth", "tdp", "like")
_KINDS = ("nvlink", "pcie", "xgmi", "hccs", "ici", "neuronlink", "ethernet", "infiniband")


def is_file(name: str) -> bool:
    """Return whether a device is given as the path of a YAML file."""
    return name.lower().endswith((".yaml", ".yml"))


def device_from_file(
    path: Path | str, build: Callable[[str, dt.date | None], Accelerator], on: dt.date | None = None
) -> Accelerator:
    """Return the device that a file describes; figures it leaves out are those of the device it is ``like``.

    Parameters
    ----------
    path : path or str
        YAML file with the fields of `FIELDS`.
    build : callable
        Makes the shipped device of an id.
    on : date, optional
        Date of the information on the shipped device.

    Raises
    ------
    InputError
        With every fault, its line and column, value and remedy.
    """
    reader = _Reader(_document(str(path), changed_ns(path)))
    return reader.device(build, on)


@functools.lru_cache(maxsize=64)
def _document(path: str, _changed_ns: int) -> Located:
    return read_yaml(path)


class _Reader:
    """Fields of one file, checked one by one; faults are collected."""

    def __init__(self, document: Located) -> None:
        self.document = document
        self.faults: list[Fault] = []
        root = document.root
        if not isinstance(root, Mapping):
            raise InputError(document.fault((), f"must be fields of a device: {', '.join(FIELDS)}"))
        self.fields: Mapping[Any, Any] = root

    def fault(self, place: tuple[Any, ...], message: str) -> None:
        self.faults.append(self.document.fault(place, message))

    def device(self, build: Callable[[str, dt.date | None], Accelerator], on: dt.date | None) -> Accelerator:
        for name in self.fields:
            if name not in FIELDS:
                self.fault((name,), f"unknown field.{did_you_mean(str(name), FIELDS)} Known: {', '.join(FIELDS)}.")
        base = self._like(build, on)
        given = self._given()
        if base is None and not self.faults:
            missing = [name for name in _NEEDED if name not in self.fields and name != "like"]
            self.fault(
                (), f"needs {', '.join(missing) or 'like'}; or `like:` a shipped device whose other figures hold"
            )
        if self.faults or base is None:
            raise InputError(self.faults)
        return self._joined(base, given)

    def _like(self, build: Callable[[str, dt.date | None], Accelerator], on: dt.date | None) -> Accelerator | None:
        like = self.fields.get("like")
        if like is None:
            if all(name in self.fields for name in _NEEDED if name != "like"):
                self.fault((), "needs `like:`, the shipped device whose measured kernels stand in, such as h100_sxm")
            return None
        try:
            return build(device_id(str(like)), on)
        except InputError as error:
            self.fault(("like",), f"{like}: {error.faults[0].message}")
            return None

    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, (unit, low, high) in _UNITS.items():
            if name in self.fields:
                given[name] = self._amount((name,), self.fields[name], unit, low, high)
        for name, most in _COUNTS.items():
            if name in self.fields:
                given[name] = self._count((name,), self.fields[name], most)
        for name in ("name", "vendor"):
            if name in self.fields:
                given[name] = self._text((name,), self.fields[name])
        for name, read in (("peaks", self._peaks), ("link", self._link), ("price", self._price)):
            if name in self.fields:
                given[name] = read(self.fields[name])
        if not given.get("name"):
            stem = re.sub(r"[^A-Za-z0-9 ._-]+", " ", Path(self.document.name).stem)
            given["name"] = stem.strip() or "own device"
        return given

    def _text(self, place: tuple[Any, ...], value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value.strip()) <= 80 or not value.isprintable():
            self.fault(place, f"`{str(value)[:40]}`: must be a text of at most 80 characters")
            return ""
        return value.strip()

    def _amount(self, place: tuple[Any, ...], value: Any, unit: str, low: float, high: float) -> float:
        try:
            amount = parse_quantity(str(value)[:100], unit)
        except UnitError as error:
            self.fault(place, str(error))
            return 1.0
        if not low <= amount <= high:
            self.fault(place, f"{value}: must lie between {low:g} and {high:g} {unit}")
            return 1.0
        return amount

    def _count(self, place: tuple[Any, ...], value: Any, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            self.fault(place, f"`{value}`: must be a whole number from 1 to {most:,}")
            return 1
        return value

    def _peaks(self, value: Any) -> dict[str, float]:
        if not isinstance(value, Mapping) or not value:
            self.fault(("peaks",), "must be precisions with their dense peaks, such as `bf16: 165 Tflop/s`")
            return {}
        peaks = {}
        for name, amount in value.items():
            if name not in PRECISIONS:
                near = did_you_mean(str(name), PRECISIONS)
                self.fault(("peaks", name), f"unknown precision.{near} Known: {', '.join(PRECISIONS)}.")
            else:
                peaks[name] = self._amount(("peaks", name), amount, "flop/s", 1e9, 1e18)
        if not {"bf16", "fp16"} & set(peaks) and "like" not in self.fields:
            self.fault(("peaks",), "needs `bf16:` or `fp16:`, without which no step can be timed")
        return peaks

    def _link(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self.fault(("link",), "must have `kind:`, `bandwidth:` in one direction and `domain:`")
            return {}
        link: dict[str, Any] = {}
        for name, content in value.items():
            if name not in _LINK:
                self.fault(("link", name), f"unknown field.{did_you_mean(str(name), _LINK)}")
            elif name == "kind":
                if content not in _KINDS:
                    self.fault(("link", "kind"), f"`{content}`: unknown. Known: {', '.join(_KINDS)}.")
                link["kind"] = str(content)
            elif name == "bandwidth":
                link["bandwidth"] = self._amount(("link", "bandwidth"), content, "bytes/s", 1e6, 1e15)
            else:
                link["domain"] = self._count(("link", "domain"), content, 100_000)
        return link

    def _price(self, value: Any) -> OwnPrice | None:
        currency = str(value).split()[-1].upper() if str(value).split() else ""
        if currency not in CURRENCIES:
            known = ", ".join(CURRENCIES)
            self.fault(("price",), f"`{value}`: write an amount and a currency ({known}), such as `18000 CNY`")
            return None
        return OwnPrice(self._amount(("price",), value, currency, 1e-2, 1e9), currency)

    def _joined(self, base: Accelerator, given: Mapping[str, Any]) -> Accelerator:
        key = re.sub(r"[^a-z0-9]+", "_", given["name"].lower()).strip("_") or "own_device"
        if key in accelerator_ids():
            key = f"own_{key}"
        peaks = dict(given.get("peaks") or base.peak_flop_per_s)
        if "peaks" in given:
            half = peaks.get("bf16", peaks.get("fp16", base.peak_flop_per_s["bf16"]))
            peaks.setdefault("bf16", half)
            peaks.setdefault("fp16", half)
        link = given.get("link") or {}
        kind = link.get("kind", base.scaleup.kind)
        latency_s = base.scaleup.latency_s
        if kind != base.scaleup.kind:
            latency_s = default_facts().get(f"link.{kind}.latency_s").number
        tdp_w = given.get("tdp", base.tdp_w)
        return dataclasses.replace(
            base,
            id=key,
            name=given["name"],
            vendor=given.get("vendor", base.vendor),
            peak_flop_per_s=peaks,
            hbm_bytes=given.get("memory", base.hbm_bytes),
            hbm_bytes_per_s=given.get("bandwidth", base.hbm_bytes_per_s),
            l2_bytes=given.get("cache", base.l2_bytes),
            cores=given.get("cores", base.cores),
            clock_hz=given.get("clock", base.clock_hz),
            scaleup=Link(
                kind,
                link.get("bandwidth", base.scaleup.bytes_per_s),
                latency_s,
                through_host=base.scaleup.through_host and kind == base.scaleup.kind,
            ),
            scaleup_domain=link.get("domain", base.scaleup_domain),
            scaleout=dataclasses.replace(base.scaleout, bytes_per_s=given.get("network", base.scaleout.bytes_per_s)),
            node_devices=given.get("node_devices", base.node_devices),
            tdp_w=tdp_w,
            server_w=given.get("server_power", base.server_w * tdp_w / base.tdp_w),
            kernels_like=tuple(dict.fromkeys((base.id, *base.kernels_like))),
            links_like=base.links_like,
            own_price=given.get("price"),
            file=self.document.name,
        )
