"""What the functions of `jevons.operators` return: one operator's time, its 80 % interval, and what bounds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from jevons.checks import check_finite, check_ordered
from jevons.formula import names_in
from jevons.operators.types import OpTime, interval_s
from jevons.provenance import Ledger
from jevons.results import Column, Result, Table, number, table
from jevons.words import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A rate that an operator uses up.

    Parameters
    ----------
    name : str
        ``compute``, ``memory`` or ``link``.
    work, per_s : float
        FLOP or bytes of the call, and the datasheet's FLOP/s or bytes/s.
    path : str
        Fact that states the rate; empty where the caller brought the device.
    grade, source : str
        Evidence of the rate.
    """

    name: str
    work: float
    per_s: float
    path: str = ""
    grade: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class OpResult(Result):
    """What `jevons.operators.gemm` and its like return.

    Parameters
    ----------
    operator : str
        Such as ``gemm``.
    shape : str
        Shape and precision, for people.
    gpu : str
        Accelerator id.
    gpus : int
        Accelerators that take part.
    engine : str
        Whose kernels.
    inputs : mapping of str to value
        Arguments of the call.
    time : OpTime
        Answer of the kernel.
    compute : Resource or None
        FLOP and the peak in the precision used; None for collectives.
    traffic : Resource
        Bytes, and the bandwidth of the memory or the link.
    """

    kind: ClassVar[str] = "op"

    operator: str
    shape: str
    gpu: str
    gpus: int
    engine: str
    inputs: dict[str, Any]
    time: OpTime
    compute: Resource | None
    traffic: Resource

    def check(self) -> None:
        """Check that the time lies in its interval and that no resource is used beyond its rate."""
        super().check()
        check_ordered("low, time, high", [self.low, self.time_s, self.high])
        check_finite({"time_s": self.time_s, "bytes": self.traffic.work})

    @property
    def time_s(self) -> float:
        """Time of one call [s]."""
        return float(self.time.time_s.reshape(-1)[0])

    @property
    def bound(self) -> str:
        """What takes most of the time: ``compute``, ``memory``, ``link`` or ``launch``."""
        return str(self.time.bound_names().reshape(-1)[0])

    @property
    def extrapolated(self) -> bool:
        """Whether the shape lies outside the range that the kernel was measured in."""
        outside = self.time.extrapolated
        return bool(outside if isinstance(outside, bool) else outside.any())

    @property
    def error_frac(self) -> float:
        """Relative error that eight of ten measurements stayed below that lay as far from the rows fitted."""
        return _first(self.time.error_frac)

    @property
    def low(self) -> float:
        """Lower end of the 80 % interval of the time [s]."""
        return _first(interval_s(self.time)[0])

    @property
    def high(self) -> float:
        """Upper end of the 80 % interval of the time [s]."""
        return _first(interval_s(self.time)[1])

    @property
    def flop_per_s(self) -> float | None:
        """Achieved FLOP/s; None for collectives, and where one device takes no time."""
        return self.compute.work / self.time_s if self.compute is not None and self.time_s else None

    @property
    def peak_frac(self) -> float | None:
        """Achieved over peak FLOP/s of the precision, 0..1."""
        return None if self.compute is None or self.flop_per_s is None else self.flop_per_s / self.compute.per_s

    @property
    def bytes_per_s(self) -> float | None:
        """Achieved bytes/s of the memory or the link; None where one device takes no time."""
        return self.traffic.work / self.time_s if self.time_s else None

    @property
    def bandwidth_frac(self) -> float | None:
        """Achieved over datasheet bandwidth, 0..1."""
        return None if self.bytes_per_s is None else self.bytes_per_s / self.traffic.per_s

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Time, interval and bound, with the share of the peak or of the bandwidth."""
        named = {"operator": self.operator, "shape": self.shape}
        if not self.time_s:
            return (Sentence("op.none", named),)
        time, low, high = (format_time(seconds) for seconds in (self.time_s, self.low, self.high))
        devices = f"{self.gpus} x {self.gpu}" if self.gpus > 1 else self.gpu
        bound = _BOUND_TEXT[self.bound]
        takes = Sentence(
            "op.takes", named | {"devices": devices, "time": time, "low": low, "high": high, "bound": bound}
        )
        if self.bound == "compute" and self.flop_per_s is not None:
            values = {"rate": f"{number(self.flop_per_s / 1e12)} TFLOP/s", "share": 100.0 * (self.peak_frac or 0.0)}
            return (takes, Sentence("op.reaches_compute", values))
        values = {
            "rate": f"{number((self.bytes_per_s or 0.0) / 1e9)} GB/s", "share": 100.0 * (self.bandwidth_frac or 0.0),
        }  # fmt: skip
        return (takes, Sentence("op.reaches_bytes", values | {"resource": self.traffic.name}))

    def _tables(self) -> Iterator[Table]:
        yield table(
            "time", f"Time of {self.operator}, 80 % interval", _TIME_COLUMNS,
            [(self.time_s, self.low, self.high, self.bound)],
        )  # fmt: skip
        yield table("use", "Work, and share of the datasheet's rates", _USE_COLUMNS, self._use())
        parts = list(self._parts())
        if parts:
            columns = (
                Column(name="part", label="part"),
                Column(name="time_s", label="time", unit="µs", scale=1e6),
                Column(name="meaning", label="meaning"),
            )
            yield table("parts", "Parts of the time", columns, parts, detail=True)

    def _use(self) -> Iterator[tuple[float | str | None, ...]]:
        if self.compute is not None:
            yield "compute", self.compute.work, "FLOP", self.flop_per_s, self.compute.per_s, self.peak_frac
        yield (
            self.traffic.name, self.traffic.work, "bytes", self.bytes_per_s, self.traffic.per_s, self.bandwidth_frac
        )  # fmt: skip

    def _parts(self) -> Iterator[tuple[str, float, str]]:
        for path in ("launch_s", "compute_s", "traffic_s", "serial_s"):
            node = self.ledger.nodes.get(path)
            if node is not None:
                yield path.removesuffix("_s"), float(node.value), _PARTS[path]

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            **self.answer_record(), "operator": self.operator, "gpu": self.gpu, "gpus": self.gpus,
            "engine": self.engine, **self.inputs, "time_s": self.time_s, "bound": self.bound, "low": self.low,
            "high": self.high, "flop": None if self.compute is None else self.compute.work,
            "flop_per_s": self.flop_per_s, "peak_frac": self.peak_frac, "bytes": self.traffic.work,
            "bytes_per_s": self.bytes_per_s, "bandwidth_frac": self.bandwidth_frac,
            "bandwidth_of": self.traffic.name, "extrapolated": self.extrapolated, "kernels": self.time.origin,
        }  # fmt: skip

    @cached_property
    def ledger(self) -> Ledger:
        """Formulas, datasheet rates and fitted shares behind the time."""
        ledger = Ledger()
        ledger.add("error_frac", self.error_frac, formula="", source=self._error_source(), grade="derived")
        for end, sign, value in (("low_s", "/", self.low), ("high_s", "*", self.high)):
            _add(ledger, end, value, f"time_s {sign} (1 + error_frac)")
        terms = self.time.terms
        if terms is None or not self.time_s:
            ledger.add("time_s", self.time_s, "s", source=self.time.origin)
            return ledger
        launch, compute, traffic, serial = (_first(part) for part in terms[:4])
        joined = "(compute_s**overlap_power + traffic_s**overlap_power)**(1/overlap_power)"
        formula = f"residual * (launch_s + {joined} + serial_s)"
        _add(ledger, "time_s", self.time_s, formula)
        fitted = {"grade": "derived", "source": self.time.origin}
        ledger.add("residual", _first(self.time.residual), **fitted)
        ledger.add("launch_s", launch, "s", **fitted)
        ledger.add("serial_s", serial, "s", **fitted)
        ledger.add("overlap_power", terms.power, **fitted)
        self._add_rate(ledger, "compute", compute, self.compute)
        self._add_rate(ledger, "traffic", traffic, self.traffic)
        return ledger

    def _add_rate(self, ledger: Ledger, term: str, time_s: float, used: Resource | None) -> None:
        fitted = {"grade": "derived", "source": self.time.origin}
        if used is None or not time_s or not used.work:
            ledger.add(f"{term}_s", time_s, "s", **fitted)
            return
        work, rate = ("flop", "peak_flop_per_s") if term == "compute" else ("bytes", "bandwidth_bytes_per_s")
        unit, unit_per_s = ("FLOP", "FLOP/s") if term == "compute" else ("bytes", "bytes/s")
        share = used.work / (used.per_s * time_s)
        _add(ledger, f"{term}_s", time_s, f"{work} / ({rate} * {term}_share)")
        ledger.add(work, used.work, unit, source="the shape")
        ledger.add(rate, used.per_s, unit_per_s, source=used.source or used.path, grade=used.grade)
        ledger.add(f"{term}_share", share, **fitted)

    def _error_source(self) -> str:
        where = "devices left out of the fit" if self.extrapolated else "rows left out of the fit, as far away as this"
        return f"80th percentile of the error on {where}: {self.time.origin}"


_BOUND_TEXT = {
    "compute": "compute binds", "memory": "memory bandwidth binds", "link": "the link binds",
    "launch": "launching binds",
}  # fmt: skip
_PARTS = {
    "launch_s": "launching, ramp-up, steps of the protocol",
    "compute_s": "arithmetic at the kernel's efficiency",
    "traffic_s": "memory or link at the kernel's efficiency",
    "serial_s": "what runs before or after",
}
_TIME_COLUMNS = (
    Column(name="time_s", label="time", unit="µs", scale=1e6),
    Column(name="low_s", label="low", unit="µs", scale=1e6),
    Column(name="high_s", label="high", unit="µs", scale=1e6),
    Column(name="bound", label="bound"),
)
_USE_COLUMNS = (
    Column(name="resource", label="resource"),
    Column(name="work", label="work", unit="G", scale=1e-9),
    Column(name="unit", label="of"),
    Column(name="per_s", label="achieved", unit="G/s", scale=1e-9),
    Column(name="datasheet_per_s", label="datasheet", unit="G/s", scale=1e-9),
    Column(name="share_frac", label="share", unit="%", scale=100.0),
)


def _add(ledger: Ledger, path: str, value: float, formula: str) -> None:
    """Record a time with its formula, whose symbols are paths of other figures."""
    symbols = {name: (name,) for name in sorted(names_in(formula))}
    ledger.add(path, value, "s", formula=formula, parents=tuple(symbols), symbols=symbols)


def _first(value: Any) -> float:
    """Return the first element of an array, or the number itself."""
    return float(value.reshape(-1)[0]) if hasattr(value, "reshape") else float(value)


def format_time(seconds: float) -> str:
    """Return a time with three significant digits and a unit that suits it.

    Examples
    --------
    >>> format_time(4.123e-4)
    '412 µs'
    """
    unit, scale = next((u, s) for u, s in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if seconds >= s or u == "µs")
    return f"{number(seconds / scale)} {unit}"
