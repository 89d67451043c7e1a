"""The Jevons verdict: whether a doubling of efficiency raises or lowers the compute that is used.

The chain is run both ways. Demand is followed without limits of supply (what callers would use), and through the
planner (what is built and busy). Compute rises where tokens rise more than twofold: where the elasticity of tokens to
efficiency exceeds one over the horizon. It is an outcome of task values, adoption and pass-through, never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.formula import Formula, Symbol
from jevons.market import MarketPath, market_path, settled_calls_per_d
from jevons.study.chain.fixed_point import ChainResult, run_chain
from jevons.study.chain.market_inputs import market_inputs
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.setting import setting
from jevons.study.scenario.scenario import Scenario

EFFICIENCY_FACTOR = 2.0
"""By how much the experiment raises tokens per device-second."""

COMPUTE_FACTOR = Formula(
    "tokens / efficiency",
    "1",
    {
        "tokens": Symbol("tokens wanted in the last quarter with doubled efficiency, over without, compute-weighted"),
        "efficiency": Symbol("factor by which the experiment raises tokens per device-second"),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a doubling of efficiency does.

    Parameters
    ----------
    elasticity : (t,)
        Elasticity of tokens to the call price along the base path, weighted by device-seconds, <= 0: extensive plus
        intensive margin, adoption at its pace.
    pass_through : (t,)
        Fall of the price index per rise of efficiency, both in logarithms: 1 where a cost saving is passed on whole.
    tokens_factor, compute_factor : (t,)
        Calls served and compute wanted with doubled efficiency over the base, no limit on supply, compute-weighted.
    elasticity_to_efficiency : (t,)
        ``log2(tokens_factor)``: above 1, compute rises.
    segment_compute_factor : (s,)
        Compute wanted by each segment in the last quarter, with doubled efficiency over the base.
    settled_compute_factor : float
        Compute wanted in the long run, with full pass-through by all providers and full adoption, over the base. Task
        values and uses are those of the last quarter. Below 1 the paradox fails even with time.
    loop_gain : (t,)
        Learning exponent times pass-through times the size of the elasticity: at 1 the flywheel would run away.
    planned_compute_factor : float
        Busy compute of the planner's fleet over the horizon, with over without (dense-peak weighted).
    planned_tokens_factor : float
        Tokens served in the last quarter, with over without.
    planned_capex_factor : float or None
        Capital spent over the horizon, with over without; None where the base spends nothing.
    """

    elasticity: Array
    pass_through: Array
    tokens_factor: Array
    compute_factor: Array
    elasticity_to_efficiency: Array
    segment_compute_factor: Array
    settled_compute_factor: float
    loop_gain: Array
    planned_compute_factor: float
    planned_tokens_factor: float
    planned_capex_factor: float | None

    @property
    def compute_rises(self) -> bool:
        """Whether callers would use more compute in the last quarter."""
        return bool(self.compute_factor[-1] > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandResponse:
    """Demand with doubled efficiency against the base, supply unlimited; see `Verdict` for the fields."""

    elasticity: Array
    pass_through: Array
    tokens_factor: Array
    compute_factor: Array
    segment_compute_factor: Array
    settled_compute_factor: float

    def loop_gain(self, scenario: Scenario) -> Array:
        """Return what one turn of the flywheel returns of the first push, (t,): at 1 it would run away."""
        return np.asarray(scenario.serving.learning_exponent.value * self.pass_through * -self.elasticity)


def demand_response(
    base: ChainResult, engineering: Engineering, *, factor: float = EFFICIENCY_FACTOR
) -> DemandResponse:
    """Return how demand answers a rise of efficiency by *factor* from the first quarter, without limits of supply.

    Where the firm serves no calls, as when everybody rents hours, it does not answer.
    """
    scenario = base.scenario
    tokens = base.inputs.model < len(scenario.serving.models)
    ample = np.ones_like(base.exchange.scarcity)
    cloud = None if base.exchange.ways is None else 1.0 - base.exchange.ways[:, 0]
    slow = market_path(
        market_inputs(scenario, base.setting, base.exchange.weights, ample, base.exchange.rent_index, cloud)
    )
    faster = scenario.with_numbers({"serving.efficiency": scenario.serving.efficiency.value * factor})
    quick_setting = setting(faster, engineering)
    quick = market_path(
        market_inputs(faster, quick_setting, base.exchange.weights, ample, base.exchange.rent_index, cloud)
    )
    weight = _compute_per_call(base, slow)
    slow_use = (slow.calls_per_d * weight)[tokens]
    quick_use = (quick.calls_per_d * weight)[tokens]
    segments = np.full(tokens.size, np.nan)
    if not (slow_use.sum(axis=0) > 0).all():
        level, flat = np.ones(scenario.quarters), np.zeros(scenario.quarters)
        return DemandResponse(
            elasticity=flat,
            pass_through=flat,
            tokens_factor=level,
            compute_factor=level,
            segment_compute_factor=segments,
            settled_compute_factor=1.0,
        )
    elasticity = ((slow.elasticity_extensive + slow.elasticity_intensive)[tokens] * slow_use).sum(axis=0)
    ratio = quick_use.sum(axis=0) / slow_use.sum(axis=0)
    price = np.log(quick.price_index / slow.price_index)[base.inputs.model[tokens]]
    passed = -(price * slow_use).sum(axis=0) / slow_use.sum(axis=0) / np.log(factor)
    served = slow_use[:, -1] > 0
    segments[np.flatnonzero(tokens)[served]] = quick_use[served, -1] / slow_use[served, -1] / factor
    last = slow.learning.size - 1
    per_call = weight[:, -1] * slow.calls_per_d[:, -1] / np.maximum(slow.market_calls_per_d[:, -1], 1e-300)
    before, after = (
        float((settled_calls_per_d(base.inputs, slow, last, price_factor=f) * per_call)[tokens].sum())
        for f in (1.0, 1.0 / factor)
    )
    settled = after / before / factor
    return DemandResponse(
        elasticity=elasticity / slow_use.sum(axis=0),
        pass_through=passed,
        tokens_factor=ratio,
        compute_factor=ratio / factor,
        segment_compute_factor=segments,
        settled_compute_factor=settled,
    )


def verdict(base: ChainResult, engineering: Engineering) -> Verdict:
    """Return the verdict for one set of figures; runs the planner a second time."""
    scenario = base.scenario
    response = demand_response(base, engineering)
    faster = scenario.with_numbers({"serving.efficiency": scenario.serving.efficiency.value * EFFICIENCY_FACTOR})
    other = run_chain(faster, engineering, start=base)
    return Verdict(
        elasticity=response.elasticity,
        pass_through=response.pass_through,
        tokens_factor=response.tokens_factor,
        compute_factor=response.compute_factor,
        elasticity_to_efficiency=np.log(response.tokens_factor) / np.log(EFFICIENCY_FACTOR),
        segment_compute_factor=response.segment_compute_factor,
        settled_compute_factor=response.settled_compute_factor,
        loop_gain=response.loop_gain(scenario),
        planned_compute_factor=_busy_compute(other) / max(_busy_compute(base), 1e-30),
        planned_tokens_factor=_tokens(other)[-1] / max(_tokens(base)[-1], 1e-30),
        planned_capex_factor=_capex(other) / _capex(base) if _capex(base) > 0 else None,
    )


def _compute_per_call(base: ChainResult, market: MarketPath) -> Array:
    """Return device-seconds per call (s, t) on the base's device mix and efficiency, learning left out."""
    seconds = np.where(np.isfinite(base.setting.device_s_per_tok), base.setting.device_s_per_tok, 0.0)
    per_token = np.einsum("mvt,mvkt->mkt", base.exchange.weights, seconds)[base.inputs.model]
    years = np.arange(market.learning.size) / 4
    tokens = base.inputs.tokens_per_call[:, :, None] * (base.inputs.tokens_growth[:, None] ** years)[:, None, :]
    return np.asarray((tokens * per_token).sum(axis=1))


def _busy_compute(result: ChainResult) -> float:
    hours = result.plan.busy_device_h_per_d.sum(axis=(0, 2, 4))
    return float((hours * result.plan.problem.machines.device_flop_per_s[:, None]).sum())


def _tokens(result: ChainResult) -> Array:
    demanded = np.maximum(result.plan.problem.demand.block_calls_per_d.sum(axis=2), 1e-30)
    served = result.plan.served_calls_per_d.sum(axis=2)
    return np.asarray((result.market.tokens_per_d * served / demanded).sum(axis=0))


def _capex(result: ChainResult) -> float:
    return float((result.plan.device_capex_cur + result.plan.site_capex_cur).sum())
