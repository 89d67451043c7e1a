"""The quarters, paths and hourly costs that one pass of the chain runs in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.costing import FinanceTerms, capital_recovery_factor, hour_parts
from jevons.costing.formulas import DEVICE_HOUR
from jevons.hardware import Accelerator, Site
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.rented_uses import use_seconds, work_path
from jevons.study.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a draw fixes before market and planner meet.

    Axes: ``v`` devices, ``r`` sites, ``t`` quarters, ``m`` served models, then a pseudo-model for
    each rented use, ``s`` segments.

    Parameters
    ----------
    price_cur : (v, t)
        Device with its share of the server.
    hour_cur, running_cur : (v, t)
        Full cost of a device-hour, and that of running it (energy, operations), sites averaged.
    sites : tuple of Site
        Sites in the scenario's order.
    device_s_per_tok : (m, v, 3, t)
        Device-seconds per uncached, cached and output token (rented use: per reference device-hour, third column),
        software drift and errors in it, learning not.
    strength : (v,)
        Reference device-hours that an hour of a device stands for to a renter.
    performance : (2, v)
        Work of a device-hour over the reference's: memory-bound answers, compute-bound training; software in it.
        Reference device-hours that an hour of a device stands for by peak and bandwidth.
    training_flop_per_h : (v,)
        FLOP of training in a device-hour; software in it.
    work : (s, t)
        Work of a rented device-hour over that at which demand is stated; ones for calls.
    rented_row : int
        First of the rented uses among the models.
    supply, committed : (v, t)
        Devices that can be ordered, and that contracts bind the firm to order.
    """

    price_cur: Array
    hour_cur: Array
    running_cur: Array
    sites: tuple[Site, ...]
    device_s_per_tok: Array
    strength: Array
    performance: Array
    training_flop_per_h: Array
    work: Array
    rented_row: int
    supply: Array
    committed: Array

    def with_hour_worth(self, hour_worth: Array) -> Setting:
        """Return the setting with an hour of each device let for *hour_worth* (v, t) reference hours."""
        seconds = self.device_s_per_tok.copy()
        rented = seconds[self.rented_row :, :, 2, :]
        rented[:] = np.where(np.isfinite(rented), 3600.0 / hour_worth, np.inf)
        return dataclasses.replace(self, device_s_per_tok=seconds)


def quarter_index(scenario: Scenario, label: str) -> int:
    """Return the position of a quarter in the plan; negative before it, beyond the end after it."""
    year, quarter = int(label[:4]), int(label[-1])
    first_year, first_quarter = int(scenario.start[:4]), int(scenario.start[-1])
    return (year - first_year) * 4 + quarter - first_quarter


def setting(scenario: Scenario, engineering: Engineering, *, banned: frozenset[str] | None = None) -> Setting:
    """Return prices, costs, throughputs and supply by quarter.

    Parameters
    ----------
    scenario : Scenario
        With the central or drawn values.
    engineering : Engineering
        Modelled device-seconds per token.
    banned : frozenset of str, optional
        Devices whose ban comes; by default those whose ban is more likely than not.
    """
    quarters = scenario.quarters
    devices = scenario.hardware.devices
    if banned is None:
        banned = central_bans(scenario)
    years = np.arange(quarters) / 4
    price = np.array([d.price.value * (1 + d.price_growth.value) ** years for d in devices.values()])
    supply = np.array([d.supply.value * (1 + d.supply_growth.value) ** years for d in devices.values()])
    for row, (name, device) in enumerate(devices.items()):
        if device.supply_from:
            supply[row, : max(quarter_index(scenario, device.supply_from), 0)] = 0.0
        if name in banned and device.ban_from:
            supply[row, max(quarter_index(scenario, device.ban_from), 0) :] = 0.0
    c = scenario.cost
    recovery = capital_recovery_factor(c.wacc.value, c.site_life.value)  # a rent counts as what it would pay for
    sites = tuple(
        Site(
            name=name,
            tariff_cur_per_kwh=s.tariff.value,
            pue=s.pue.value,
            build_cur_per_w=s.build.value + s.lease.value / recovery,
            carbon_kgco2_per_kwh=s.carbon.value,
        )
        for name, s in scenario.hardware.sites.items()
    )
    terms = FinanceTerms(
        wacc_frac=c.wacc.value,
        economic_life_y=c.economic_life.value,
        site_life_y=c.site_life.value,
        network_frac=c.network.value,
        operations_frac=c.operations.value,
    )
    costs = np.array(
        [
            np.mean([_hour_costs(accelerator, row, site, terms, c.load.value) for site in sites], axis=0)
            for accelerator, row in zip(engineering.accelerators, price, strict=True)
        ]
    )
    serving = scenario.serving
    drift = serving.software_gain.value**years * serving.efficiency.value / serving.engineering_error.value
    software = np.array([d.software.value for d in devices.values()])
    tokens = engineering.device_s_per_tok[:, :, :, None] / drift / software[:, None, None]
    rental = use_seconds(scenario, engineering)
    hour, running = costs[:, 0], costs[:, 1]
    return Setting(
        price_cur=price,
        hour_cur=hour,
        running_cur=running,
        sites=sites,
        device_s_per_tok=np.concatenate([tokens, np.repeat(rental[:, :, :, None], quarters, axis=3)]),
        strength=software / engineering.rental_ratio,
        performance=software * engineering.rental_work,
        training_flop_per_h=3600.0
        * software
        * engineering.training_mfu_frac
        * np.array([a.peak_flop_per_s["bf16"] for a in engineering.accelerators]),
        work=work_path(scenario),
        rented_row=len(scenario.serving.models),
        supply=supply,
        committed=np.minimum(committed_path(scenario), supply),
    )


def central_bans(scenario: Scenario) -> frozenset[str]:
    """Return the devices whose ban is more likely than not."""
    devices = scenario.hardware.devices.items()
    return frozenset(name for name, device in devices if device.ban_from and device.ban_probability.value > 0.5)


def committed_path(scenario: Scenario) -> Array:
    """Return the devices that contracts bind the firm to order (v, t), before bans and shortages void any."""
    committed = np.zeros((len(scenario.hardware.devices), scenario.quarters))
    for row, device in enumerate(scenario.hardware.devices.values()):
        last = quarter_index(scenario, device.committed_until) if device.committed_until else scenario.quarters - 1
        committed[row, : max(last + 1, 0)] = device.committed.value
    return committed


def _hour_costs(
    accelerator: Accelerator, price_cur: Array, site: Site, terms: FinanceTerms, load_frac: float
) -> tuple[Array, Array]:
    """Return the full cost of a device-hour and that of running it, for each of several prices."""
    parts = hour_parts(price_cur, accelerator.server_w, site, terms, load_frac=load_frac)
    return DEVICE_HOUR(**parts), parts["energy"] + parts["operations"]
