"""Turns a scenario's figures into the arrays of the market and of the expansion problem."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.costing import capital_recovery_factor
from jevons.errors import Fault, InputError
from jevons.expansion import (
    CallDemand,
    ChipSupply,
    ExpansionProblem,
    Machines,
    Money,
    OpeningStock,
    PlanningTerms,
    SitePower,
    TrainingReserve,
)
from jevons.market import MarketInputs, MarketPath, demand_blocks, further_blocks
from jevons.study.chain.budget import budget_path
from jevons.study.chain.contracts import contract_values
from jevons.study.chain.demand import peak_frac
from jevons.study.chain.market_inputs import attention_cap
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.setting import Setting
from jevons.study.scenario.scenario import RENTAL, Scenario

_AHEAD = 1.01
"""What a promised call counts as worth over the hours that it takes from letting."""

_ORDER_SPREAD = 0.01
"""By how much the devices of a quarter's supply differ in what they seem to cost. What a device earns is known far less
well, so orders that hang on less than this are not worth telling apart."""


def expansion_problem(
    scenario: Scenario, setting: Setting, engineering: Engineering, market: MarketPath, inputs: MarketInputs
) -> ExpansionProblem:
    """Return the planner's problem for given prices and demand."""
    terms, training = scenario.expansion, scenario.expansion.training
    years = np.arange(scenario.quarters) / 4
    device_s = _device_s_per_call(scenario, setting, market, inputs)
    machines = _machines(scenario, setting, engineering, device_s)
    return ExpansionProblem(
        quarters=scenario.labels(),
        segments=tuple(scenario.market.segments),
        devices=tuple(scenario.hardware.devices),
        sites=tuple(scenario.hardware.sites),
        slots=("peak", "off-peak"),
        demand=_demand(scenario, market, inputs, device_s),
        machines=machines,
        power=_site_power(scenario),
        supply=ChipSupply(supply_devices=setting.supply, committed_devices=setting.committed),
        money=Money(
            budget_cur=budget_path(scenario),
            discount=(1 + scenario.cost.wacc.value) ** -((np.arange(scenario.quarters) + 0.5) / 4),
        ),
        opening=_opening(scenario, setting, machines.device_w),
        training=TrainingReserve(
            training_flop_per_s=engineering.training_flop_per_s
            * training.devices.value
            * (1 + training.growth.value) ** years,
            cluster_devices=training.cluster.value,
            cluster_cur_per_quarter=np.full(scenario.quarters, training.cluster_worth.value),
        ),
        terms=PlanningTerms(
            tail_quarters=terms.look_beyond,
            retire_early=terms.retirement == "economic",
            market_power=terms.market_power,
            order_spread_frac=_ORDER_SPREAD,
        ),
    )


def _device_s_per_call(scenario: Scenario, setting: Setting, market: MarketPath, inputs: MarketInputs) -> Array:
    """Return accelerator-seconds of a call, (s, v, t); infinite where a device cannot serve the segment."""
    growth = inputs.use.tokens_growth[:, None] ** (np.arange(scenario.quarters) / 4)
    tokens = inputs.use.tokens_per_call[:, :, None] * growth[:, None, :]
    seconds = setting.device_s_per_tok[inputs.model]
    device_s = np.einsum("skt,svkt->svt", tokens, np.where(np.isfinite(seconds), seconds, 0.0))
    device_s = np.where(np.isfinite(seconds).all(axis=2), device_s, np.inf)
    calls = inputs.use.counts_tokens
    device_s[calls] *= (market.depth[calls] / market.learning)[:, None, :]
    return np.asarray(device_s)


def _demand(scenario: Scenario, market: MarketPath, inputs: MarketInputs, device_s_per_call: Array) -> CallDemand:
    segments = scenario.market.segments.values()
    value, calls = demand_blocks(market.call_price_cur, market.calls_per_d, scenario.market.provider_elasticity.value)
    value = contract_values(scenario, market, value, calls)
    # rents clear: hours that nobody takes at the rent shown are let below it, list prices of calls stand
    lower, further = further_blocks(
        market.call_price_cur, market.calls_per_d, scenario.market.provider_elasticity.value
    )
    clears = not inputs.use.counts_tokens.all() and not scenario.expansion.market_power
    further = further * ~inputs.use.counts_tokens[:, None, None]
    caps = np.array([attention_cap(scenario, RENTAL if s.rents else s.model) for s in segments])
    if clears:
        value = np.maximum(value, _promised(market.call_price_cur, device_s_per_call, inputs.use.counts_tokens, caps))
    peak_h, peak = scenario.market.peak_hours.value, peak_frac(scenario)
    return CallDemand(
        slot_h_per_d=np.array([peak_h, 24.0 - peak_h]),
        block_value_cur_per_call=value,
        block_calls_per_d=calls,
        further_value_cur_per_call=lower if clears else None,
        further_calls_per_d=further if clears else None,
        slot_share_frac=np.stack([peak, 1 - peak], axis=1),
        deferrable_frac=np.array([s.deferrable.value for s in segments]),
        utilisation_cap_frac=caps,
    )


def _promised(price_cur: Array, device_s_per_call: Array, calls: NDArray[np.bool_], caps: Array) -> Array:
    """Return the least that a call counts as worth to the planner, (s, t, 1) [currency]; 0 for hours let.

    A list price is a promise: what is called at it goes before hours let below the rent shown, whatever it pays. So
    a call counts at least what its device would be let for at that rent, on the device on which that is most.
    """
    able = np.isfinite(device_s_per_call)
    per_s = np.where(able, price_cur[:, None, :] / np.where(able, device_s_per_call, 1.0), 0.0)  # of a busy second
    let = (per_s * caps[:, None, None])[~calls].max(axis=0)
    floor = (np.where(able, device_s_per_call, 0.0) * let / caps[:, None, None]).max(axis=1)
    return np.asarray(np.where(calls[:, None], _AHEAD * floor, 0.0)[:, :, None])


def _machines(scenario: Scenario, setting: Setting, engineering: Engineering, device_s_per_call: Array) -> Machines:
    terms, devices = scenario.cost, scenario.hardware.devices
    watts = _server_w(engineering)
    tariff = np.array([s.tariff_cur_per_kwh * s.pue for s in setting.sites])
    energy = (watts[:, None] * terms.load.value * tariff / 1000.0)[:, :, None]
    peaks = [a.peak_flop_per_s["bf16"] for a in engineering.accelerators] * engineering.training_mfu_frac
    return Machines(
        device_s_per_call=device_s_per_call,
        availability_frac=scenario.serving.availability.value,
        capex_cur_per_device=setting.price_cur * (1 + terms.network.value),
        energy_cur_per_device_h=np.repeat(energy, scenario.quarters, axis=2),
        fixed_cur_per_device_quarter=setting.price_cur * terms.operations.value / 4
        + (watts * mean_lease_cur_per_w_y(scenario) / 4)[:, None],
        device_w=watts,
        device_flop_per_s=np.array([p * d.software.value for p, d in zip(peaks, devices.values(), strict=True)]),
        lead_quarters=np.array([round(d.lead.value) for d in devices.values()]),
        life_quarters=np.full(len(devices), max(round(terms.service_life.value * 4), 1)),
        terminal_cur_per_device=_terminal(scenario, setting),
    )


def mean_lease_cur_per_w_y(scenario: Scenario) -> float:
    """Return the rent of a watt in service [currency/W/y], mean over the sites by the power that they may reach."""
    sites = list(scenario.hardware.sites.values())
    weights = np.array([max(site.limit.value, site.power.value) for site in sites])
    rents = np.array([site.lease.value for site in sites])
    return float(rents @ weights / weights.sum()) if weights.sum() > 0 else float(rents.mean())


def _site_power(scenario: Scenario) -> SitePower:
    sites, quarters = scenario.hardware.sites.values(), scenario.quarters
    return SitePower(
        site_capex_cur_per_w=np.repeat([[s.build.value] for s in sites], quarters, axis=1),
        site_limit_w=np.repeat([[max(s.limit.value, s.power.value)] for s in sites], quarters, axis=1),
        site_build_w_per_quarter=np.array([s.build_rate.value for s in sites]),
        site_terminal_cur_per_w=_site_terminal(scenario),
        site_block_w=_site_blocks(scenario),
    )


def _opening(scenario: Scenario, setting: Setting, device_w: Array) -> OpeningStock:
    initial, arriving = _paid_before(scenario, device_w)
    return OpeningStock(
        initial_devices=initial,
        initial_age_quarters=np.array([round(d.installed_age.value) for d in scenario.hardware.devices.values()]),
        initial_site_w=np.array([s.power.value for s in scenario.hardware.sites.values()]),
        initial_terminal_cur_per_device=_initial_terminal(scenario, setting),
        arriving_devices=arriving,
        arriving_terminal_cur_per_device=_arriving_terminal(scenario, setting),
    )


def check_power(scenario: Scenario, engineering: Engineering) -> None:
    """Refuse devices that are said to stand where the sites cannot feed them.

    Raises
    ------
    InputError
        Naming the kind that draws most, what all draw, what the sites have, and what would fit.
    """
    devices = scenario.hardware.devices
    draw_w = np.array([d.installed.value for d in devices.values()]) * _server_w(engineering)
    power_w = _open_power_w(scenario)
    if _fits(draw_w.sum(), power_w):
        return
    kind = int(np.argmax(draw_w))
    count = list(devices.values())[kind].installed.value
    others_w = draw_w.sum() - draw_w[kind]
    fits = math.floor((power_w - others_w) / _server_w(engineering)[kind])
    lower = f", or lower it to {fits:,}" if fits > 0 else ""
    message = (
        f"{count:,.6g}: all installed accelerators draw {_power(draw_w.sum())}, and the sites have {_power(power_w)}; "
        f"raise `hardware.sites.NAME.power`{lower}"
    )
    raise InputError([Fault(message=message, path=f"hardware.devices.{list(devices)[kind]}.installed")])


def unfed_arriving(scenario: Scenario, engineering: Engineering) -> tuple[float, float, float]:
    """Return devices on their way that are left out, what all on their way draw, and what the sites have left [W]."""
    watts, devices = _server_w(engineering), scenario.hardware.devices.values()
    room_w = max(_open_power_w(scenario) - float(np.array([d.installed.value for d in devices]) @ watts), 0.0)
    come = np.array([d.arriving.value for d in devices])
    return float((come - _fed(come, watts, room_w)).sum()), float(come @ watts), room_w


def _power(watts: float) -> str:
    return f"{watts / 1e6:,.4g} MW" if watts >= 1e6 else f"{watts / 1e3:,.4g} kW"


def _server_w(engineering: Engineering) -> Array:
    return np.array([a.server_w for a in engineering.accelerators])


def _open_power_w(scenario: Scenario) -> float:
    """Return the power that all sites have at the start [W]."""
    return float(sum(site.power.value for site in scenario.hardware.sites.values()))


def _paid_before(scenario: Scenario, watts: Array) -> tuple[Array, Array]:
    """Return the devices that stand at the start (v, r) and those that arrive later (v, r, t), over sites by power.

    What the sites cannot feed is left out: in a draw the firm would not have bought it, and at the central figures
    `check_power` refuses it and the plan says what it leaves out of the devices on their way.
    """
    devices = list(scenario.hardware.devices.values())
    power = np.array([s.power.value for s in scenario.hardware.sites.values()])
    share = power / power.sum() if power.sum() > 0 else np.full(power.size, 1 / power.size)
    stand = _fed(np.array([d.installed.value for d in devices]), watts, float(power.sum()))
    room_w = max(float(power.sum() - (stand * watts).sum()), 0.0)  # rounding may leave less than nothing
    come = _fed(np.array([d.arriving.value for d in devices]), watts, room_w)
    over = np.array([max(round(d.arriving_over.value), 1) for d in devices])
    when = np.where(np.arange(scenario.quarters) < over[:, None], 1.0 / over[:, None], 0.0)
    return stand[:, None] * share, come[:, None, None] * share[:, None] * when[:, None, :]


def _fits(need_w: float, power_w: float) -> bool:
    return not (need_w > 0 and need_w > power_w * (1 + 1e-9))


def _fed(devices: Array, watts: Array, power_w: float) -> Array:
    """Return the devices, all cut in one proportion where they draw more than the power."""
    need_w = float((devices * watts).sum())
    return devices if _fits(need_w, power_w) else devices * (power_w / need_w)


def _horizon(scenario: Scenario) -> int:
    """Return the quarters after which devices and sites have only their terminal value."""
    return scenario.quarters + scenario.expansion.look_beyond


def _terminal(scenario: Scenario, setting: Setting) -> Array:
    """Return the present value of a device ordered in each quarter when the planner's sight ends (v, t)."""
    leads = np.array([round(d.lead.value) for d in scenario.hardware.devices.values()])
    ages = np.maximum(_horizon(scenario) - np.arange(scenario.quarters)[None, :] - leads[:, None], 0)
    return _unearned(scenario, setting.price_cur, ages)


def _initial_terminal(scenario: Scenario, setting: Setting) -> Array:
    """Return the same of a device that stands at the start (v,)."""
    ages = np.array([round(d.installed_age.value) for d in scenario.hardware.devices.values()]) + _horizon(scenario)
    return _unearned(scenario, setting.price_cur[:, :1], ages[:, None])[:, 0]


def _arriving_terminal(scenario: Scenario, setting: Setting) -> Array:
    """Return the same of a device paid for before the start that comes into service in each quarter (v, t)."""
    first = np.repeat(setting.price_cur[:, :1], scenario.quarters, axis=1)
    ages = np.broadcast_to(_horizon(scenario) - np.arange(scenario.quarters), first.shape)
    return _unearned(scenario, first, ages)


def _unearned(scenario: Scenario, price_cur: Array, age_quarters: NDArray[np.int64]) -> Array:
    """Return the present value of the annuities over the economic life that devices of an age have not yet earned."""
    terms, rate = scenario.cost, scenario.cost.wacc.value
    annuity = price_cur * (1 + terms.network.value) * capital_recovery_factor(rate, terms.economic_life.value)
    left_y = np.maximum(max(round(terms.economic_life.value * 4), 1) - age_quarters, 0) / 4
    recovery = np.array([[capital_recovery_factor(rate, y) if y > 0 else np.inf for y in row] for row in left_y])
    return np.asarray(annuity / recovery * (1 + rate) ** (-_horizon(scenario) / 4))


def _site_blocks(scenario: Scenario) -> Array | None:
    """Return the power that each site adds in whole multiples (r,), None where none does."""
    blocks = np.array([site.block.value for site in scenario.hardware.sites.values()])
    return blocks if blocks.any() else None


def _site_terminal(scenario: Scenario) -> Array:
    """Return the present value at the horizon of a watt of site power added in each quarter (r, t)."""
    terms, end = scenario.cost, _horizon(scenario)
    rate, life = terms.wacc.value, terms.site_life.value
    recovery = capital_recovery_factor(rate, life)
    left = np.maximum(life - (end - np.arange(scenario.quarters)) / 4, 0.25)
    worth = np.array([recovery / capital_recovery_factor(rate, y) for y in left]) * (1 + rate) ** (-end / 4)
    return np.array([site.build.value * worth for site in scenario.hardware.sites.values()])
