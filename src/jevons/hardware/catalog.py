"""Builds accelerators, clusters and sites from facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jevons.errors import FactError, InputError
from jevons.facts import Facts, cny_per, default_facts
from jevons.formula import Formula, Symbol
from jevons.hardware.file import device_from_file, is_file
from jevons.hardware.names import device_id
from jevons.hardware.types import PRECISIONS, Accelerator, Cluster, Link, Site
from jevons.named import as_argument
from jevons.units import CURRENCIES

SERVER_POWER = Formula(
    "tdp * (1 + overhead)",
    "W",
    {
        "tdp": Symbol("power of the device", "W"),
        "overhead": Symbol("power of host, fans and network over that of the devices"),
    },
)
"""Power of a device with its share of the server, where its maker gives none."""


def accelerator(
    device: str, facts: Facts | None = None, on: dt.date | None = None, *, hardware: Path | str | None = None
) -> Accelerator:
    """Return the accelerator of a name, such as ``h100_sxm``, ``A100-80GB`` or ``NVIDIA GeForce RTX 4090``.

    Parameters
    ----------
    device : str
        Name as `device_id` reads it, or the path of a YAML file that describes a device of one's own.
    facts : Facts, optional
        The shipped facts by default.
    on : date, optional
        Only values public by then; the latest by default.
    hardware : path or str, optional
        YAML file of a device of one's own, in place of *device*.

    Raises
    ------
    InputError
        If no such device is known, near names are offered; or the file is wrong.
    FactError
        If the device was not yet public on that date, or lacks a figure the model needs.
    """
    facts = facts or default_facts()
    given = device if hardware is None else str(hardware)
    if hardware is not None or is_file(given):
        return device_from_file(given, lambda base, date: _shipped(base, facts, date), on)
    return _shipped(device_id(given, facts), facts, on)


@as_argument.register
def _(device: Accelerator) -> str:
    """Return the name or file by which functions find the device again."""
    name = device.file or device.id
    if accelerator(name) != device:
        message = (
            f"the accelerator {device.id} differs from the one on file today; give its name and as_of, or describe "
            "yours in a YAML file (hardware)"
        )
        raise InputError(message)
    return name


def _shipped(key: str, facts: Facts, on: dt.date | None) -> Accelerator:
    """Return the device of an id."""

    def number(quantity: str, default: float | None = None) -> float:
        fact_id = f"{key}.{quantity}"
        if fact_id not in facts and default is not None:
            return default
        return facts.get(fact_id, on).number

    def text(quantity: str, default: str) -> str:
        fact_id = f"{key}.{quantity}"
        return str(facts.get(fact_id, on).value) if fact_id in facts else default

    peaks: dict[str, float] = {}
    for precision in PRECISIONS:
        fact_id = f"{key}.peak_{precision}_flop_per_s"
        if fact_id in facts:
            try:
                peaks[precision] = facts.get(fact_id, on).number
            except FactError:
                continue
    if "bf16" not in peaks and "fp16" not in peaks:
        facts.get(f"{key}.hbm_bytes_per_s", on)
        message = f"fact `{key}.peak_bf16_flop_per_s` is missing; the device cannot be modelled without it"
        raise FactError(message)
    peaks.setdefault("bf16", peaks.get("fp16", 0.0))
    peaks.setdefault("fp16", peaks["bf16"])
    kind = text("scaleup_kind", "pcie")
    tdp_w = number("tdp_w")
    overhead = facts.get("server_power.overhead_frac", on).number
    through_host = text("scaleup_path", "direct") == "host"
    scaleup = Link(kind, number("scaleup_bytes_per_s"), _latency_s(kind, facts, on), through_host=through_host)
    scaleout_bytes_per_s = number("scaleout_bytes_per_s", scaleup.bytes_per_s)
    return Accelerator(
        id=key,
        name=text("name", key),
        vendor=text("vendor", ""),
        peak_flop_per_s=peaks,
        hbm_bytes=number("hbm_bytes"),
        hbm_bytes_per_s=number("hbm_bytes_per_s"),
        l2_bytes=number("l2_bytes", 0.0),
        cores=int(number("cores", 0.0)),
        clock_hz=number("clock_hz", 0.0),
        scaleup=scaleup,
        scaleup_domain=int(number("scaleup_domain", 1.0)),
        scaleout=Link("infiniband", scaleout_bytes_per_s, _latency_s("infiniband", facts, on)),
        node_devices=int(number("node_devices", 8.0)),
        tdp_w=tdp_w,
        server_w=number("server_w", SERVER_POWER(tdp=tdp_w, overhead=overhead)),
        graphics=number("hbm_bytes_per_s") <= facts.get("stand_in.graphics_bytes_per_s").number,
        shown_frac=_shown_frac(key, facts, number("hbm_bytes")),
        **kin(key, facts),
    )


def _shown_frac(key: str, facts: Facts, hbm_bytes: float) -> float:
    """Return the share of memory that the driver shows, a property of the silicon at any date."""
    fact_id = f"{key}.shown_bytes"
    if fact_id in facts:
        return facts.get(fact_id).number / hbm_bytes
    return facts.get("stand_in.shown_memory_frac").number


def kin(key: str, facts: Facts | None = None) -> dict[str, Any]:
    """Return how a device behaves like others: generation, devices that stand in, and its way to the host."""
    facts = facts or default_facts()

    def text(quantity: str, default: str = "") -> str:
        fact_id = f"{key}.{quantity}"
        return str(facts.get(fact_id).value) if fact_id in facts else default

    return {
        "generation": text("generation", "other"),
        "kernels_like": tuple(text("kernels_like").split()),
        "links_like": tuple(text("links_like").split()),
        "board_like": text("board_like"),
        "host_link": text("host_link", "pcie"),
    }


def _latency_s(kind: str, facts: Facts, on: dt.date | None) -> float:
    """Return the time of an empty message over a kind of link; an unlisted kind counts as PCIe."""
    fact_id = f"link.{kind}.latency_s"
    return facts.get(fact_id if fact_id in facts else "link.pcie.latency_s", on).number


def cluster(device: str, devices: int, *, oversubscription: float = 1.0, facts: Facts | None = None) -> Cluster:
    """Return *devices* accelerators of one kind.

    Raises
    ------
    InputError
        If the count is below one, or the oversubscription below one.
    """
    if devices < 1:
        message = f"a cluster needs at least one device, not {devices}"
        raise InputError(message)
    if oversubscription < 1.0:
        message = f"oversubscription = {oversubscription}: must be at least 1 (injection over bisection bandwidth)"
        raise InputError(message)
    return Cluster(accelerator(device, facts), devices, oversubscription)


_SITE_FIGURES = {
    "tariff": "tariff_cny_per_kwh", "pue": "pue", "build": "build_cny_per_w", "carbon": "carbon_kgco2_per_kwh",
}  # fmt: skip


def site_facts(prefix: str, facts: Facts | None = None) -> Mapping[str, str]:
    """Return the ids of a site's facts: its ``tariff``, ``pue``, ``build`` and ``carbon``, money in its own currency.

    Raises
    ------
    FactError
        If one is not on file.
    """
    facts = facts or default_facts()
    found = {}
    for figure, name in _SITE_FIGURES.items():
        ids = [f"{prefix}.{name.replace('_cny', f'_{code.lower()}')}" for code in CURRENCIES]
        known = [fact_id for fact_id in ids if fact_id in facts]
        if not known:
            message = f"{prefix}.{name}: no such fact; a site needs {', '.join(_SITE_FIGURES)}"
            raise FactError(message)
        found[figure] = known[0]
    return found


def site_ids(facts: Facts | None = None) -> tuple[str, ...]:
    """Return the sites whose price of power, PUE, building cost and carbon are all on file."""
    facts = facts or default_facts()
    prefixes = sorted(fact.id.removesuffix(".pue") for fact in facts if fact.id.endswith(".pue"))
    return tuple(prefix for prefix in prefixes if _complete(prefix, facts))


def _complete(prefix: str, facts: Facts) -> bool:
    try:
        site_facts(prefix, facts)
    except FactError:
        return False
    return True


def site_region(prefix: str) -> str:
    """Return the region of a site: ``us`` of ``site.us_texas``.

    Examples
    --------
    >>> site_region("site.us_texas"), site_region("site.china")
    ('us', 'china')
    """
    return prefix.removeprefix("site.").partition("_")[0]


def site_from_facts(prefix: str, facts: Facts | None = None, on: dt.date | None = None) -> Site:
    """Return a site by the prefix of its facts, such as ``site.china``; money in CNY at the rate of the day."""
    facts = facts or default_facts()
    ids = site_facts(prefix, facts)

    def in_cny(fact_id: str) -> float:
        return facts.get(fact_id, on).number * cny_per(facts, site_currency(fact_id), on)

    return Site(
        name=prefix,
        tariff_cur_per_kwh=in_cny(ids["tariff"]),
        pue=facts.get(ids["pue"], on).number,
        build_cur_per_w=in_cny(ids["build"]),
        carbon_kgco2_per_kwh=facts.get(ids["carbon"], on).number,
    )


def site_currency(fact_id: str) -> str:
    """Return the currency that a site's fact is in.

    Examples
    --------
    >>> site_currency("site.us_texas.tariff_usd_per_kwh")
    'USD'
    """
    return fact_id.rsplit(".", 1)[1].split("_")[1].upper()
