"""What a device, a link, a cluster and a site are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    """

    kind: str
    bytes_per_s: float
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
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
    """

    id: str
    name: str
    vendor: str
    peak_flop_per_s: Mapping[str, float]
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
    tariff_cny_per_kwh : float
        Price of electricity, delivered.
    pue : float
        Facility energy over IT energy, >= 1.
    build_cny_per_w : float
        Building, power and cooling per watt of IT load.
    carbon_kgco2_per_kwh : float
        Carbon intensity of the supply.
    """

    name: str
    tariff_cny_per_kwh: float
    pue: float
    build_cny_per_w: float
    carbon_kgco2_per_kwh: float
