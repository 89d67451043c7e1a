"""What a device, a link, a cluster and a site are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from jevons.named import Described

PRECISIONS = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp4")


@dataclass(frozen=True, slots=True)
class Link:
    """A connection between devices.

    Parameters
    ----------
    kind : str
        ``nvlink``, ``pcie``, ``xgmi``, ``hccs``, ``ici``, ``ethernet``, ``infiniband``, …
    bytes_per_s : float
        Peak in one direction per device [bytes/s].
    latency_s : float
        Time of an empty message between two devices [s].
    through_host : bool
        Whether all traffic passes through the host's memory, as none of the devices reads another's.
    """

    kind: str
    bytes_per_s: float
    latency_s: float
    through_host: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """Purchase price of a device of one's own: amount and currency code."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Accelerator(Described):
    """One accelerator as sold, from its datasheet.

    Parameters
    ----------
    id, name, vendor : str
        Fact prefix, name as sold, maker.
    peak_flop_per_s : mapping of str to float
        Dense peak by precision [FLOP/s]; a precision that is missing is one the device lacks.
    hbm_bytes, hbm_bytes_per_s : float
        Memory capacity and peak bandwidth.
    l2_bytes : float
        Last-level cache [bytes]; 0 where not published.
    cores : int
        Units over which tiles are scheduled (SMs, CUs, tensor cores); 0 where not published.
    clock_hz : float
        Boost clock; 0 where not published.
    scaleup : Link
        Link inside the scale-up domain.
    scaleup_domain : int
        Devices in one scale-up domain, >= 1.
    scaleout : Link
        Network between domains, per device.
    node_devices : int
        Devices per server.
    tdp_w, server_w : float
        Power of the device, and its share of the server's at full load.
    generation : str
        Devices whose kernels behave alike in a running engine; ``other`` where none was measured in one.
    kernels_like, links_like : tuple of str
        Devices whose measured kernels, and collectives, stand in for its own, nearest first.
    graphics : bool
        Whether kernels of graphics cards, not of devices with stacked memory, stand in where no relative was measured.
    board_like : str
        Device whose collectives stand in when an engine serves; its own where empty.
    host_link : str
        How it reaches its host's memory: ``coherent`` where it is sold with its processor, else ``pcie``.
    own_price : OwnPrice or None
        Purchase price that the user's file states.
    file : str
        The user's file that describes it; empty for a shipped device.
    shown_frac : float
        Memory that the driver shows to a process, over the nameplate.
    """

    _kind: ClassVar[str] = "accelerator"

    id: str
    name: str
    vendor: str
    peak_flop_per_s: Mapping[str, float] = field(hash=False)
    hbm_bytes: float
    hbm_bytes_per_s: float
    l2_bytes: float
    cores: int
    clock_hz: float
    scaleup: Link
    scaleup_domain: int
    scaleout: Link
    node_devices: int
    tdp_w: float
    server_w: float
    generation: str = "other"
    kernels_like: tuple[str, ...] = ()
    links_like: tuple[str, ...] = ()
    graphics: bool = False
    board_like: str = ""
    host_link: str = "pcie"
    own_price: OwnPrice | None = None
    file: str = ""
    shown_frac: float = 1.0

    def __repr__(self) -> str:
        """Return the device in a line, with units."""
        peak = self.peak_flop_per_s["bf16"] / 1e12
        return (
            f"<{self.name} ({self.id}): {self.hbm_bytes / 1e9:.4g} GB, {self.hbm_bytes_per_s / 1e12:.3g} TB/s, "
            f"{peak:,.4g} Tflop/s bf16 dense, {self.scaleup.kind} {self.scaleup.bytes_per_s / 1e9:,.4g} GB/s x "
            f"{self.scaleup_domain}, {self.tdp_w:,.4g} W>"
        )

    @property
    def usable_bytes(self) -> float:
        """Memory that the driver shows to a process [bytes]."""
        return self.shown_frac * self.hbm_bytes

    def supports(self, precision: str) -> bool:
        """Whether the device multiplies matrices in that precision."""
        return precision in self.peak_flop_per_s

    def ridge_flop_per_byte(self, precision: str) -> float:
        """Arithmetic intensity above which compute binds [FLOP/byte]."""
        return self.peak_flop_per_s[precision] / self.hbm_bytes_per_s


@dataclass(frozen=True, slots=True)
class Cluster:
    """Equal accelerators in scale-up domains joined by a fabric.

    Parameters
    ----------
    accelerator : Accelerator
        The device.
    devices : int
        How many, >= 1.
    oversubscription : float
        Ratio of the devices' injection bandwidth to the fabric's bisection, >= 1.
    """

    accelerator: Accelerator
    devices: int
    oversubscription: float = 1.0

    def link(self, group: int) -> Link:
        """Return the slowest link inside a group of that many neighbouring devices."""
        if group <= self.accelerator.scaleup_domain:
            return self.accelerator.scaleup
        out = self.accelerator.scaleout
        return Link(out.kind, out.bytes_per_s / self.oversubscription, out.latency_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where accelerators stand.

    Parameters
    ----------
    name : str
        Name of the place.
    tariff_cur_per_kwh : float
        Price of electricity, delivered.
    pue : float
        Facility energy over IT energy, >= 1.
    build_cur_per_w : float
        Building, power and cooling per watt of IT load.
    carbon_kgco2_per_kwh : float
        Carbon intensity of the supply.
    """

    name: str
    tariff_cur_per_kwh: float
    pue: float
    build_cur_per_w: float
    carbon_kgco2_per_kwh: float
