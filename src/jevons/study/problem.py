"""Turns a scenario's figures into the arrays of the market and of the expansion problem."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.cost import FinanceTerms, capital_recovery_factor, device_hour
from jevons.errors import InputError
from jevons.expansion import ExpansionProblem
from jevons.hardware import Accelerator, Site
from jevons.market import MarketInputs, MarketPath, demand_blocks
from jevons.study.demand import announcements, opening_scale, peak_frac, per_tok_cny, price_factor, rivalry
from jevons.study.engineering import Engineering
from jevons.study.scenario import RENTAL, Scenario

Array = NDArray[np.float64]

_POWER_LOAD_FRAC = 0.8


@dataclass(frozen=True, slots=True)
class Setting:
    """What a draw fixes before market and planner meet.

    Axes: ``v`` devices, ``r`` sites, ``t`` quarters, ``m`` served models (the rental pseudo-model last), ``s``
    segments.

    Parameters
    ----------
    price_cny : (v, t)
        Device with its share of the server.
    hour_cny, running_cny : (v, t)
        Full cost of a device-hour, and that of running it (energy, operations), sites averaged.
    sites : tuple of Site
        Sites in the scenario's order.
    device_s_per_tok : (m, v, 3, t)
        Device-seconds per uncached, cached and output token (rental: per device-hour, third column), software drift
        and errors in it, learning not.
    strength : (v,)
        Reference device-hours that an hour of a device stands for to a renter.
    supply, committed : (v, t)
        Devices that can be ordered, and that contracts bind the firm to order.
    """

    price_cny: Array
    hour_cny: Array
    running_cny: Array
    sites: tuple[Site, ...]
    device_s_per_tok: Array
    strength: Array
    supply: Array
    committed: Array


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
        banned = frozenset(name for name, device in devices.items() if device.ban_probability.value > 0.5)
    years = np.arange(quarters) / 4
    price = np.array([d.price.value * (1 + d.price_growth.value) ** years for d in devices.values()])
    supply = np.array([d.supply.value * (1 + d.supply_growth.value) ** years for d in devices.values()])
    for row, (name, device) in enumerate(devices.items()):
        if device.supply_from:
            supply[row, : max(quarter_index(scenario, device.supply_from), 0)] = 0.0
        if name in banned and device.ban_from:
            supply[row, max(quarter_index(scenario, device.ban_from), 0) :] = 0.0
    sites = tuple(
        Site(name, s.tariff.value, s.pue.value, s.build.value, s.carbon.value)
        for name, s in scenario.hardware.sites.items()
    )
    c = scenario.cost
    terms = FinanceTerms(c.wacc.value, c.economic_life.value, c.site_life.value, c.network.value, c.operations.value)
    costs = np.array(
        [
            [np.mean([_hour_costs(accelerator, p, site, terms) for site in sites], axis=0) for p in row]
            for accelerator, row in zip(engineering.accelerators, price, strict=True)
        ]
    )
    serving = scenario.serving
    drift = serving.software_gain.value**years * serving.efficiency.value / serving.engineering_error.value
    software = np.array([d.software.value for d in devices.values()])
    tokens = engineering.device_s_per_tok[:, :, :, None] / drift / software[:, None, None]
    rental = np.zeros((1, len(devices), 3, quarters))
    rental[0, :, 2, :] = 3600.0 * (engineering.rental_ratio / software)[:, None]
    hour, running = costs[:, :, 0], costs[:, :, 1]
    return Setting(
        price, hour, running, sites, np.concatenate([tokens, rental]), software / engineering.rental_ratio, supply,
        np.minimum(committed_path(scenario), supply),
    )  # fmt: skip


def committed_path(scenario: Scenario) -> Array:
    """Return the devices that contracts bind the firm to order (v, t), before bans and shortages void any."""
    held = np.zeros((len(scenario.hardware.devices), scenario.quarters))
    for row, device in enumerate(scenario.hardware.devices.values()):
        last = quarter_index(scenario, device.committed_until) if device.committed_until else scenario.quarters - 1
        held[row, : max(last + 1, 0)] = device.committed.value
    return held


def _hour_costs(accelerator: Accelerator, price_cny: float, site: Site, terms: FinanceTerms) -> tuple[float, float]:
    found = device_hour(accelerator, price_cny, site, terms, load_frac=_POWER_LOAD_FRAC)
    return found.total_cny, found.energy_cny + found.operations_cny


def market_inputs(
    scenario: Scenario,
    setting: Setting,
    weights: Array,
    scarcity: Array,
    rent_index: Array | None = None,
    cloud_frac: Array | None = None,
    brokers_frac: Array | None = None,
) -> MarketInputs:
    """Return the market's inputs.

    Parameters
    ----------
    scenario, setting
        Figures of this draw.
    weights : (m, v, t)
        Share of each model's device-hours on each device.
    scarcity : (s, t)
        Clearing over posted price.
    rent_index : (t,), optional
        Rent of the reference device-hour over the scenario's; where rents clear.
    cloud_frac : (s, t), optional
        Share of tokens that does not go to machines of the buyers' own; all by default.
    brokers_frac : (t,), optional
        Share of rented device-hours that brokers let in the firm's place; none by default.
    """
    segments = list(scenario.market.segments.values())
    models = list(scenario.serving.models)
    index = np.array([len(models) if s.model == RENTAL else models.index(s.model) for s in segments])

    def column(name: str) -> Array:
        return np.array([getattr(s, name).value for s in segments])

    rental = index == len(models)
    asked, cached = column("input_tokens"), column("cached")
    tokens = np.stack([asked * (1 - cached), asked * cached, column("output_tokens")], axis=1)
    tokens[rental] = (0.0, 0.0, 1.0)
    rent = np.array([0.0, 0.0, scenario.market.rental_price.value])
    prices = np.array([*(per_tok_cny(served.price) for served in scenario.serving.models.values()), rent])
    inputs = MarketInputs(
        model=index,
        adopters=column("adopters"),
        value_cny=column("value") * scenario.market.value_scale.value,
        value_sigma=column("value_sigma"),
        calls_per_d=column("calls"),
        calls_growth=column("calls_growth"),
        tokens_growth=np.where(rental, 1.0, column("tokens_growth")),
        tokens_per_call=tokens,
        counts_tokens=~rental,
        integration_cny_per_y=column("integration"),
        integration_growth_frac=scenario.market.integration_growth.value,
        bass_p=column("bass_p"),
        bass_q=column("bass_q"),
        adopted_frac=column("adopted"),
        elasticity=column("elasticity") * scenario.market.elasticity_scale.value,
        share_frac=column("share"),
        list_price_cny_per_tok=prices,
        unit_cost_cny_per_tok=unit_cost(scenario, setting, weights),
        markup=scenario.market.markup.value,
        price_inertia=scenario.market.price_inertia.value,
        scarcity=scarcity,
        learning_exponent=scenario.serving.learning_exponent.value,
        wallet_cny_per_y=column("wallet"),
        attention_calls_per_d=column("attention"),
        rent_index=rent_index,
        cloud_frac=cloud_frac,
        brokers_frac=brokers_frac,
        price_factor=price_factor(scenario),
        premium=np.where(rental, scenario.market.cloud_premium.value, 1.0),
        price_step_frac=scenario.market.price_step.value,
        announced=announcements(scenario),
    )
    inputs = dataclasses.replace(inputs, calls_per_d=inputs.calls_per_d * opening_scale(scenario, inputs))
    return dataclasses.replace(inputs, rivals=rivalry(scenario, inputs))


def unit_cost(scenario: Scenario, setting: Setting, weights: Array) -> Array:
    """Return full cost per token by model, kind and quarter, (m, 3, t) [CNY], over the devices that serve it.

    A fleet sized for the busier slot is idle for part of the rest of the day; its tokens bear that.
    """
    busy = busy_frac(scenario)
    seconds = np.where(np.isfinite(setting.device_s_per_tok), setting.device_s_per_tok, 0.0)
    return np.asarray(np.einsum("mvt,mvkt,vt->mkt", weights, seconds, setting.hour_cny) / 3600.0 / busy[:, None, None])


def busy_frac(scenario: Scenario) -> Array:
    """Return the mean busy share of device-hours by model (m,), the rental pseudo-model last."""
    share_of_day = scenario.market.peak_hours.value / 24.0
    names = [*scenario.serving.models, RENTAL]
    busy = np.empty(len(names))
    callers = [segment.model for segment in scenario.market.segments.values()]
    for m, name in enumerate(names):
        peaks = [peak for peak, model in zip(peak_frac(scenario), callers, strict=True) if model == name]
        peak = sum(peaks) / len(peaks) if peaks else share_of_day
        # a deep discount may make the off-peak slot the busier one
        flat = min(share_of_day / max(peak, 1e-9), (1 - share_of_day) / max(1 - peak, 1e-9))
        busy[m] = _cap(scenario, name) * scenario.serving.availability.value * flat
    return busy


def _cap(scenario: Scenario, model: str) -> float:
    return (scenario.market.rental_utilisation if model == RENTAL else scenario.serving.utilisation_cap).value


def starting_weights(scenario: Scenario, setting: Setting) -> Array:
    """Return each model's device shares before a plan exists: by what stands and can be bought, per device able."""
    devices = list(scenario.hardware.devices.values())
    installed = np.array([d.installed.value for d in devices])
    stock = installed[:, None] + np.cumsum(setting.supply, axis=1)
    able = np.asarray(np.isfinite(setting.device_s_per_tok).all(axis=2))
    return normalised(able * stock[None], able)


def normalised(amount: Array, able: NDArray[np.bool_]) -> Array:
    """Return *amount* (m, v, t) as shares over devices; equal shares over able devices where it is all zero."""
    amount = np.where(amount.sum(axis=1, keepdims=True) > 0, amount, able.astype(float))
    total = amount.sum(axis=1, keepdims=True)
    if np.any(total <= 0):
        message = "a served model fits on none of the devices; add a device or raise `most_devices`"
        raise InputError(message)
    return np.asarray(amount / total)


def budget_path(scenario: Scenario) -> Array:
    """Return the AI budget by quarter (t,) [CNY]: a straight line from the first quarter's release to the total.

    A first release above twice the mean falls to zero before the last quarter; the whole total is released either way.

    Raises
    ------
    InputError
        If the first release exceeds the total.
    """
    return released(scenario) * scenario.expansion.ai_share.value


def released_rest(scenario: Scenario) -> Array:
    """Return the money released by quarter (t,) [CNY] for lines of the plan beside AI infrastructure."""
    return released(scenario) * (1.0 - scenario.expansion.ai_share.value)


def released(scenario: Scenario) -> Array:
    """Return the money released by quarter of the plan (t,) [CNY], all lines; errors as of `released_cny`."""
    spec = scenario.expansion
    path = released_cny(spec.budget.value, spec.budget_first.value, spec.budget_quarters)[: scenario.quarters]
    return np.pad(path, (0, scenario.quarters - path.size))


def released_cny(total_cny: float, first_cny: float, quarters: int) -> Array:
    """Return money released by quarter on a straight line that begins at *first_cny*, stays >= 0, sums to the total.

    Raises
    ------
    InputError
        If *first_cny* exceeds *total_cny*.
    """
    if quarters == 1:
        return np.array([total_cny])
    if first_cny > total_cny:
        message = f"expansion.budget_first = {first_cny:g} CNY: must not exceed expansion.budget = {total_cny:g} CNY"
        raise InputError(message)
    last = 2 * total_cny / quarters - first_cny
    if last >= 0:
        return np.linspace(first_cny, last, quarters)
    # the line falls to zero after `count` quarters, which must not take it below zero before
    for count in range(quarters, 1, -1):
        slope = 2 * (count * first_cny - total_cny) / (count * (count - 1))
        if first_cny - slope * (count - 1) >= 0:
            return np.asarray(np.where(np.arange(quarters) < count, first_cny - slope * np.arange(quarters), 0.0))
    return np.concatenate([[total_cny], np.zeros(quarters - 1)])


def expansion_problem(
    scenario: Scenario, setting: Setting, engineering: Engineering, market: MarketPath, inputs: MarketInputs
) -> ExpansionProblem:
    """Return the planner's problem for given prices and demand."""
    devices, sites = scenario.hardware.devices, scenario.hardware.sites
    quarters = scenario.quarters
    segments = scenario.market.segments
    years = np.arange(quarters) / 4
    value, calls = demand_blocks(market.call_price_cny, market.calls_per_d, scenario.market.provider_elasticity.value)
    growth = inputs.tokens_growth[:, None] ** years
    tokens = inputs.tokens_per_call[:, :, None] * growth[:, None, :]
    seconds = setting.device_s_per_tok[inputs.model]
    device_s = np.einsum("skt,svkt->svt", tokens, np.where(np.isfinite(seconds), seconds, 0.0))
    device_s = np.where(np.isfinite(seconds).all(axis=2), device_s, np.inf)
    rental = inputs.model == len(scenario.serving.models)
    device_s[~rental] /= market.learning
    peak_h = scenario.market.peak_hours.value
    peak = peak_frac(scenario)
    terms = scenario.cost
    lives = max(round(terms.service_life.value * 4), 1)
    watts = np.array([a.server_w for a in engineering.accelerators])
    tariff = np.array([s.tariff_cny_per_kwh * s.pue for s in setting.sites])
    discount = (1 + terms.wacc.value) ** -((np.arange(quarters) + 0.5) / 4)
    initial, arriving = _paid_before(scenario, watts)
    return ExpansionProblem(
        quarters=scenario.labels(),
        segments=tuple(segments),
        devices=tuple(devices),
        sites=tuple(sites),
        slots=("peak", "off-peak"),
        slot_h_per_d=np.array([peak_h, 24.0 - peak_h]),
        block_value_cny_per_call=value,
        block_calls_per_d=calls,
        slot_share_frac=np.stack([peak, 1 - peak], axis=1),
        deferrable_frac=np.array([s.deferrable.value for s in segments.values()]),
        device_s_per_call=device_s,
        utilisation_cap_frac=np.array([_cap(scenario, s.model) for s in segments.values()]),
        availability_frac=scenario.serving.availability.value,
        capex_cny_per_device=setting.price_cny * (1 + terms.network.value),
        device_w=watts,
        site_capex_cny_per_w=np.repeat([[s.build.value] for s in sites.values()], quarters, axis=1),
        energy_cny_per_device_h=np.repeat(
            (watts[:, None] * _POWER_LOAD_FRAC * tariff / 1000.0)[:, :, None], quarters, axis=2
        ),
        fixed_cny_per_device_quarter=setting.price_cny * terms.operations.value / 4,
        budget_cny=budget_path(scenario),
        supply_devices=setting.supply,
        lead_quarters=np.array([round(d.lead.value) for d in devices.values()]),
        life_quarters=np.full(len(devices), lives),
        initial_devices=initial,
        arriving_devices=arriving,
        arriving_terminal_cny_per_device=_arriving_terminal(scenario, setting),
        committed_devices=setting.committed,
        initial_age_quarters=np.array([round(d.installed_age.value) for d in devices.values()]),
        initial_site_w=np.array([s.power.value for s in sites.values()]),
        site_limit_w=np.repeat([[max(s.limit.value, s.power.value)] for s in sites.values()], quarters, axis=1),
        site_build_w_per_quarter=np.array([s.build_rate.value for s in sites.values()]),
        training_flop_per_s=engineering.training_flop_per_s
        * scenario.expansion.training.devices.value
        * (1 + scenario.expansion.training.growth.value) ** years,
        device_flop_per_s=np.array(
            [
                a.peak_flop_per_s["bf16"] * d.software.value
                for a, d in zip(engineering.accelerators, devices.values(), strict=True)
            ]
        ),
        discount=discount,
        terminal_cny_per_device=_terminal(scenario, setting),
        market_power=scenario.expansion.market_power,
        site_terminal_cny_per_w=_site_terminal(scenario),
        site_block_w=_site_blocks(scenario),
        cluster_devices=scenario.expansion.training.cluster.value,
        cluster_cny_per_quarter=np.full(quarters, scenario.expansion.training.cluster_worth.value),
        tail_quarters=scenario.expansion.look_beyond,
        retire_early=scenario.expansion.retirement == "economic",
        initial_terminal_cny_per_device=_initial_terminal(scenario, setting),
    )


def _paid_before(scenario: Scenario, watts: Array) -> tuple[Array, Array]:
    """Return the devices that stand at the start (v, r) and those that arrive later (v, r, t), over sites by power.

    What the sites cannot feed is left out: the firm would not have bought it.
    """
    devices = list(scenario.hardware.devices.values())
    power = np.array([s.power.value for s in scenario.hardware.sites.values()])
    share = power / power.sum() if power.sum() > 0 else np.full(power.size, 1 / power.size)
    stand = _fed(np.array([d.installed.value for d in devices]), watts, float(power.sum()))
    room_w = float(power.sum() - (stand * watts).sum())
    come = _fed(np.array([d.arriving.value for d in devices]), watts, room_w)
    over = np.array([max(round(d.arriving_over.value), 1) for d in devices])
    when = np.where(np.arange(scenario.quarters) < over[:, None], 1.0 / over[:, None], 0.0)
    return stand[:, None] * share, come[:, None, None] * share[:, None] * when[:, None, :]


def _fed(devices: Array, watts: Array, power_w: float) -> Array:
    """Return the devices, all cut in one proportion where they draw more than the power."""
    need_w = float((devices * watts).sum())
    return devices * (power_w / need_w) if need_w > power_w * (1 + 1e-9) else devices


def _horizon(scenario: Scenario) -> int:
    """Return the quarters after which devices and sites have only their terminal value."""
    return scenario.quarters + scenario.expansion.look_beyond


def _terminal(scenario: Scenario, setting: Setting) -> Array:
    """Return the present value of a device ordered in each quarter when the planner's sight ends (v, t)."""
    leads = np.array([round(d.lead.value) for d in scenario.hardware.devices.values()])
    ages = np.maximum(_horizon(scenario) - np.arange(scenario.quarters)[None, :] - leads[:, None], 0)
    return _unearned(scenario, setting.price_cny, ages)


def _initial_terminal(scenario: Scenario, setting: Setting) -> Array:
    """Return the same of a device that stands at the start (v,)."""
    ages = np.array([round(d.installed_age.value) for d in scenario.hardware.devices.values()]) + _horizon(scenario)
    return _unearned(scenario, setting.price_cny[:, :1], ages[:, None])[:, 0]


def _arriving_terminal(scenario: Scenario, setting: Setting) -> Array:
    """Return the same of a device paid for before the start that comes into service in each quarter (v, t)."""
    first = np.repeat(setting.price_cny[:, :1], scenario.quarters, axis=1)
    ages = np.broadcast_to(_horizon(scenario) - np.arange(scenario.quarters), first.shape)
    return _unearned(scenario, first, ages)


def _unearned(scenario: Scenario, price_cny: Array, age_quarters: NDArray[np.int64]) -> Array:
    """Return the present value of the annuities over the economic life that devices of an age have not yet earned."""
    terms, rate = scenario.cost, scenario.cost.wacc.value
    annuity = price_cny * (1 + terms.network.value) * capital_recovery_factor(rate, terms.economic_life.value)
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
