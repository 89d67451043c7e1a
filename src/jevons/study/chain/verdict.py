"""The Jevons verdict: whether a doubling of efficiency raises or lowers the compute that the whole fleet is used for.

The chain is run both ways. Demand is followed without limits of supply (what callers would use), and through the
planner (what is built and busy). Compute rises where work rises more than twofold: where its elasticity to efficiency
exceeds one over the horizon. Calls, what renters serve and train, own businesses and own training are all in it. It is
an outcome of task values, adoption and pass-through, never assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array, log_mean
from jevons.formula import Formula, Symbol
from jevons.market import MarketPath, market_path, settled_calls_per_d
from jevons.study.chain.fixed_point import ChainResult, run_chain
from jevons.study.chain.market_inputs import market_inputs
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.setting import Setting, setting
from jevons.study.chain.value_bridge import value_channels
from jevons.study.scenario.base import USES
from jevons.study.scenario.scenario import Scenario

EFFICIENCY_FACTOR = 2.0
"""By how much the experiment raises tokens per device-second."""

COMPUTE_FACTOR = Formula(
    "tokens / efficiency",
    "1",
    {
        "tokens": Symbol("work wanted in the last quarter with doubled efficiency, over without, compute-weighted"),
        "efficiency": Symbol("factor by which the experiment raises tokens per device-second"),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandResponse:
    """What demand of the whole fleet does when efficiency is doubled, supply unlimited and rents as they were.

    Parameters
    ----------
    elasticity : (t,)
        Elasticity of work (tokens, training) to its price along the base path, weighted by device-hours, <= 0: users,
        calls per user and tokens per call, adoption at its pace.
    pass_through : (t,)
        Fall of the price of work per rise of efficiency, both in logarithms: 1 where a saving is passed on whole, as to
        those who rent.
    tokens_factor, compute_factor : (t,)
        Work and device-hours wanted with doubled efficiency over the base: calls, rented uses and own training.
    segment_compute_factor : (s, t)
        Device-hours that each segment wants, with over without.
    use_compute_factor : dict of str to (t,)
        The same by use; own training is budgeted compute and stays.
    segment_share_frac : (s, t)
        Share of each segment in the base's device-hours, own training being the rest.
    channels : dict of str to float
        Logarithm of the last quarter's compute factor by channel: ``users``, ``calls``, ``tokens_per_call``, ``ways``
        (between own, rented and API, and between providers) and ``efficiency``; they add up to it.
    settled_compute_factor : float
        Compute wanted in the long run, with full pass-through by all providers and full adoption, over the base. Task
        values and uses are those of the last quarter. Below 1 the paradox fails even with time.
    """

    elasticity: Array
    pass_through: Array
    tokens_factor: Array
    compute_factor: Array
    segment_compute_factor: Array
    use_compute_factor: dict[str, Array]
    segment_share_frac: Array
    channels: dict[str, float]
    settled_compute_factor: float

    def loop_gain(self, scenario: Scenario) -> Array:
        """Return what one turn of the flywheel returns of the first push, (t,): at 1 it would run away."""
        return np.asarray(scenario.serving.learning_exponent.value * self.pass_through * -self.elasticity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a doubling of efficiency does, as demand and in the plan.

    Parameters
    ----------
    response : DemandResponse
        Demand of the whole fleet, supply unlimited.
    elasticity_to_efficiency : (t,)
        ``log2(tokens_factor)``: above 1, compute rises.
    loop_gain : (t,)
        Learning exponent times pass-through times the size of the elasticity: at 1 the flywheel would run away.
    planned_loop_gain : float
        The same with capital and budget inside the loop: learning exponent times the elasticity of the work that the
        plan serves in the last quarter.
    planned_compute_factor : float
        Compute at work of the planner's fleet over the horizon, rented and training in it, with over without.
    planned_tokens_factor : float
        Work served in the last quarter, weighted by the base's device-hours, with over without.
    planned_capex_factor : float or None
        Capital spent over the horizon, with over without; None where the base spends nothing.
    planned_revenue_factor, planned_value_change_cur : float
        AI revenue of the last quarter, and value of the AI cloud: with over, and less, without.
    value_channels : dict of str to float
        That change of value by channel, see `jevons.study.chain.value_bridge.CHANNELS`; they add up to it.
    bridge : dict of str to float
        Logarithm of the growth of device-hours from the first to the last quarter: ``adoption``, ``calls``,
        ``tokens_per_call`` at constant prices, ``ways``, ``price`` (all that cheaper work adds) and ``efficiency``.
    """

    response: DemandResponse
    elasticity_to_efficiency: Array
    loop_gain: Array
    planned_loop_gain: float
    planned_compute_factor: float
    planned_tokens_factor: float
    planned_capex_factor: float | None
    planned_revenue_factor: float
    planned_value_change_cur: float
    value_channels: dict[str, float]
    bridge: dict[str, float]

    @property
    def elasticity(self) -> Array:
        """Elasticity of work to its price, (t,)."""
        return self.response.elasticity

    @property
    def pass_through(self) -> Array:
        """Share of a saving that is passed on, (t,)."""
        return self.response.pass_through

    @property
    def tokens_factor(self) -> Array:
        """Work wanted with doubled efficiency over the base, (t,)."""
        return self.response.tokens_factor

    @property
    def compute_factor(self) -> Array:
        """Device-hours wanted with doubled efficiency over the base, (t,)."""
        return self.response.compute_factor

    @property
    def segment_compute_factor(self) -> Array:
        """Device-hours that each segment wants in the last quarter, with over without, (s,)."""
        return self.response.segment_compute_factor[:, -1]

    @property
    def settled_compute_factor(self) -> float:
        """Compute wanted in the long run, with over without."""
        return self.response.settled_compute_factor

    @property
    def compute_rises(self) -> bool:
        """Whether the fleet would be wanted larger in the last quarter."""
        return bool(self.compute_factor[-1] > 1)


def demand_response(
    base: ChainResult, engineering: Engineering, *, factor: float = EFFICIENCY_FACTOR
) -> DemandResponse:
    """Return how the whole fleet's demand answers a rise of efficiency by *factor* from the first quarter."""
    scenario = base.scenario
    slow = _unlimited(base, scenario, base.setting)
    faster = scenario.with_numbers({"serving.efficiency": scenario.serving.efficiency.value * factor})
    quick = _unlimited(base, faster, setting(faster, engineering))
    calls = base.inputs.use.counts_tokens[:, None]
    slow_s, quick_s = _compute_per_call(base, slow), _compute_per_call(base, quick)
    slow_use = slow.calls_per_d * slow_s
    quick_use = quick.calls_per_d * quick_s / np.where(calls, factor, 1.0)
    reserve = base.plan.fleet.training_devices.sum(axis=(0, 1)) * 86400.0
    before, after = slow_use.sum(axis=0) + reserve, quick_use.sum(axis=0) + reserve
    ratio = np.where(before > 0, after / np.maximum(before, 1e-30), 1.0)
    each = np.where(slow_use > 0, quick_use / np.maximum(slow_use, 1e-30), np.nan)
    share = slow_use / np.maximum(before, 1e-30)
    answers = slow_use / np.maximum(slow_use.sum(axis=0), 1e-30)
    index = np.log(quick.token_index / slow.token_index)
    elasticity = slow.elasticity_extensive + slow.elasticity_intensive + slow.elasticity_depth
    return DemandResponse(
        elasticity=(elasticity * answers).sum(axis=0),
        pass_through=-(index * answers).sum(axis=0) / np.log(factor),
        tokens_factor=ratio * factor,
        compute_factor=ratio,
        segment_compute_factor=each,
        use_compute_factor=_by_use(scenario, slow_use, quick_use, reserve),
        segment_share_frac=share,
        channels=_channels(slow, quick, slow_use[:, -1], quick_use[:, -1], float(reserve[-1]), factor),
        settled_compute_factor=_settled(base, slow, slow_use[:, -1], float(reserve[-1]), factor),
    )


def verdict(base: ChainResult, engineering: Engineering) -> Verdict:
    """Return the verdict for one set of figures; runs the planner a second time."""
    scenario = base.scenario
    response = demand_response(base, engineering)
    faster = scenario.with_numbers({"serving.efficiency": scenario.serving.efficiency.value * EFFICIENCY_FACTOR})
    other = run_chain(faster, engineering, start=base, decided=base.decided)
    served = served_work_factor(base, other)
    revenue = [run.accounts.statements.ai_revenue_cur[-1] for run in (base, other)]
    return Verdict(
        response=response,
        elasticity_to_efficiency=np.log(response.tokens_factor) / np.log(EFFICIENCY_FACTOR),
        loop_gain=response.loop_gain(scenario),
        planned_loop_gain=scenario.serving.learning_exponent.value * math.log(served) / math.log(EFFICIENCY_FACTOR),
        planned_compute_factor=_busy_compute(other) / max(_busy_compute(base), 1e-30),
        planned_tokens_factor=served,
        planned_capex_factor=_capex(other) / _capex(base) if _capex(base) > 0 else None,
        planned_revenue_factor=float(revenue[1] / max(revenue[0], 1e-30)),
        planned_value_change_cur=other.accounts.plan_value_cur - base.accounts.plan_value_cur,
        value_channels=value_channels(base, other),
        bridge=growth_bridge(base),
    )


def growth_bridge(base: ChainResult) -> dict[str, float]:
    """Return the logarithm of the growth of wanted device-hours, first to last quarter, by cause; the parts add up.

    Notes
    -----
    Logarithmic means of device-hours weigh the segments (LMDI), so nothing is left over. Adoption, calls and tokens per
    call are those of a market in which buyers see the first quarter's prices throughout; what the real path adds to
    them is price. Efficiency is what software, devices and learning take off the device-hours of the same work.
    """
    scenario = base.scenario
    path, still = _unlimited(base, scenario, base.setting), _unlimited(base, scenario, base.setting, prices_stand=True)
    calls = base.inputs.use.counts_tokens[:, None]
    hours = path.calls_per_d * _compute_per_call(base, path) / np.where(calls, path.learning, 1.0)
    start, end = hours[:, 0], hours[:, -1]
    weights = log_mean(start, end) / max(float(log_mean(start.sum(), end.sum())), 1e-30)

    def growth(values: Array) -> float:
        moved = np.log(np.maximum(values[:, -1], 1e-300) / np.maximum(values[:, 0], 1e-300))
        return float((weights * moved).sum())

    work = np.ones_like(hours) if base.inputs.renting.work is None else base.inputs.renting.work
    size = (base.inputs.use.tokens_growth[:, None] ** (np.arange(hours.shape[1]) / 4)) * np.ones_like(hours)
    rate = np.where(calls, 1.0, work)

    def per_user(market: MarketPath) -> Array:
        turned = np.where(calls, 1.0, market.depth)
        asked = market.market_calls_per_d * rate / np.maximum(market.adopters * market.switched, 1e-300) / turned
        return asked / (1.0 if base.inputs.renting.cloud_frac is None else base.inputs.renting.cloud_frac)

    bridge = {"adoption": growth(still.adopters), "calls": growth(per_user(still))}
    bridge["tokens_per_call"] = growth(size * still.depth)
    actual = growth(path.adopters) + growth(per_user(path)) + growth(size * path.depth)
    bridge["price"] = actual - sum(bridge.values())
    total = math.log(float(end.sum() / max(float(start.sum()), 1e-300)))
    share = growth(path.switched * path.calls_per_d / np.maximum(path.market_calls_per_d, 1e-300))
    cloud = 0.0 if base.inputs.renting.cloud_frac is None else growth(base.inputs.renting.cloud_frac)
    bridge["ways"] = share + cloud
    bridge["efficiency"] = total - sum(bridge.values())
    return {**bridge, "compute": total}


def served_work_factor(base: ChainResult, other: ChainResult) -> float:
    """Return the work served in the last quarter in *other* over *base*, weighted by the base's device-hours."""
    weight = base.plan.service.busy_device_h_per_d[:, :, :, -1].reshape(len(base.inputs.model), -1).sum(axis=1)
    before, after = _work(base), _work(other)
    weight = np.where(before > 0, weight, 0.0)
    ratio = after / np.maximum(before, 1e-30)
    return float((weight * ratio).sum() / weight.sum()) if weight.sum() > 0 else 1.0


def _work(result: ChainResult) -> Array:
    """Return tokens, or the work of rented hours, served a day in the last quarter by segment, (s,)."""
    served = result.plan.service.served_calls_per_d[:, -1].sum(axis=1)
    work = 1.0 if result.inputs.renting.work is None else result.inputs.renting.work[:, -1]
    return np.asarray(served * np.where(result.inputs.use.counts_tokens, result.market.depth[:, -1], work))


def _unlimited(base: ChainResult, scenario: Scenario, here: Setting, *, prices_stand: bool = False) -> MarketPath:
    """Return the market on the base's devices and rents, with no limit on supply."""
    ample = np.ones_like(base.exchange.scarcity)
    inputs = market_inputs(
        scenario, here, base.exchange.weights, ample, base.exchange.rent_index, base.inputs.renting.cloud_frac
    )
    return market_path(inputs, prices_stand=prices_stand)


def _by_use(scenario: Scenario, slow: Array, quick: Array, reserve: Array) -> dict[str, Array]:
    """Return device-hours with over without by use."""
    kinds = np.array([segment.kind for segment in scenario.market.segments.values()])
    factors = {
        use: quick[kinds == use].sum(axis=0) / np.maximum(slow[kinds == use].sum(axis=0), 1e-30)
        for use in USES
        if (kinds == use).any()
    }
    return {**factors, "own_training": np.ones_like(reserve)} if reserve.any() else factors


def _channels(
    slow: MarketPath, quick: MarketPath, before: Array, after: Array, reserve: float, factor: float
) -> dict[str, float]:
    """Return the logarithm of the compute factor of the last quarter by channel; they add up to it."""
    total = float(log_mean(before.sum() + reserve, after.sum() + reserve))
    weights = log_mean(before, after) / max(total, 1e-30) * (before > 0)

    def moved(values: Callable[[MarketPath], Array]) -> float:
        ratio = np.log(np.maximum(values(quick)[:, -1], 1e-300) / np.maximum(values(slow)[:, -1], 1e-300))
        return float((weights * ratio).sum())

    whole = math.log(float((after.sum() + reserve) / max(before.sum() + reserve, 1e-300)))
    channels = {
        "users": moved(lambda m: m.adopters),
        "tokens_per_call": moved(lambda m: m.depth),
        "ways": moved(lambda m: m.switched * m.calls_per_d / np.maximum(m.market_calls_per_d, 1e-300)),
        "efficiency": -float(weights.sum()) * math.log(factor),
    }
    return {**channels, "calls": whole - sum(channels.values())}


def _settled(base: ChainResult, slow: MarketPath, used: Array, reserve: float, factor: float) -> float:
    """Return device-hours wanted in the long run once the price of work falls by *factor*, over those without."""
    last = slow.learning.size - 1
    per_call = used / np.maximum(slow.market_calls_per_d[:, -1], 1e-300)
    before, after = (
        float((settled_calls_per_d(base.inputs, slow, last, price_factor=f) * per_call).sum())
        for f in (1.0, 1.0 / factor)
    )
    return (after / factor + reserve) / max(before + reserve, 1e-300)


def _compute_per_call(base: ChainResult, market: MarketPath) -> Array:
    """Return device-seconds per call (s, t) on the base's device mix and efficiency, learning left out."""
    seconds = np.where(np.isfinite(base.setting.device_s_per_tok), base.setting.device_s_per_tok, 0.0)
    per_token = np.einsum("mvt,mvkt->mkt", base.exchange.weights, seconds)[base.inputs.model]
    years = np.arange(market.learning.size) / 4
    tokens = base.inputs.use.tokens_per_call[:, :, None] * (base.inputs.use.tokens_growth[:, None] ** years)[:, None, :]
    depth = np.where(base.inputs.use.counts_tokens[:, None], market.depth, 1.0)
    return np.asarray((tokens * per_token).sum(axis=1) * depth)


def _busy_compute(result: ChainResult) -> float:
    hours = (
        result.plan.service.busy_device_h_per_d.sum(axis=(0, 2, 4))
        + result.plan.fleet.training_devices.sum(axis=1) * 24.0
    )
    return float((hours * result.plan.problem.machines.device_flop_per_s[:, None]).sum())


def _capex(result: ChainResult) -> float:
    return float((result.plan.spending.device_capex_cur + result.plan.spending.site_capex_cur).sum())
