"""From the market's section of a scenario to who competes, and to volumes at the start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.formula import Formula, Symbol
from jevons.market import Announcements, MarketInputs, MarketPath, Rivalry, own_growth, rival_weights, token_weights
from jevons.market.formulas import mean_value_cur
from jevons.market.run import integration_cur_per_call
from jevons.study.chain.contracts import blended_price_cur
from jevons.study.scenario.market import RivalSpec
from jevons.study.scenario.scenario import PriceSpec, Scenario

PEAK = Formula(
    "peak * (1 - discount) ** -substitution / (peak * (1 - discount) ** -substitution + 1 - peak)",
    "1",
    {
        "peak": Symbol("share of calls in the peak slot at one price"),
        "discount": Symbol("off-peak discount of the model"),
        "substitution": Symbol("elasticity of substitution between the slots, negative"),
    },
)
"""Share in the peak slot of the calls that cannot wait, with the off-peak discount in force."""


def national_scale(scenario: Scenario, inputs: MarketInputs) -> float:
    """Return the factor on calls that makes the segments add up to the stated tokens a day of the whole market."""
    stated = scenario.market.national.value
    tokens = np.where(inputs.use.counts_tokens, inputs.use.tokens_per_call.sum(axis=1), 0.0)
    added = float((inputs.adoption.adopters * inputs.adoption.adopted_frac * inputs.use.calls_per_d * tokens).sum())
    return stated / added if stated > 0 and added > 0 else 1.0


def opening_scale(scenario: Scenario, inputs: MarketInputs) -> Array:
    """Return the factor on calls of each segment (s,) that makes the start agree with what is stated of it.

    Notes
    -----
    Calls for tokens add up to the stated tokens a day of the whole market. With `market.ai_revenue_share`, rented uses
    bring the firm what calls from outside, with their platform, leave of that share of the cloud's revenue, a quarter
    further on, at the rent given; what brokers let comes on top. They divide it by their `opening`, or in proportion to
    their own numbers. This holds at the efficiency at which demand is stated; another one moves every use by its own
    mechanism.
    """
    tokens = national_scale(scenario, inputs)
    scale = np.where(inputs.use.counts_tokens, tokens, 1.0)
    terms = scenario.market
    stated = terms.ai_revenue_share.value * scenario.finance.base_revenue.value
    stated *= (1 + terms.ai_revenue_growth.value) ** 0.25
    rental = ~inputs.use.counts_tokens
    if stated <= 0 or not rental.any():
        return scale
    factor = 1.0 if inputs.pricing.price_factor is None else inputs.pricing.price_factor
    paid = 1.0 if inputs.pricing.premium is None else inputs.pricing.premium
    price = (inputs.use.tokens_per_call * inputs.pricing.list_price_cur_per_tok[inputs.model]).sum(axis=1) * factor
    price = price * paid
    calls = inputs.adoption.adopters * inputs.adoption.adopted_frac * inputs.use.calls_per_d * inputs.share_frac
    revenue = calls * scale * price * 365.25 / 4
    if inputs.renting.brokers_frac is not None:
        revenue[rental] *= 1.0 - inputs.renting.brokers_frac[0]
    outside = np.array([not segment.internal for segment in scenario.market.segments.values()])
    let, sold = float(revenue[rental].sum()), float(revenue[~rental & outside].sum())
    left = max(stated - sold, 0.0)
    split = np.array([segment.opening.value for segment in scenario.market.segments.values()])
    if split[rental].sum() > 0:
        opened = left * split[rental] / split[rental].sum()
        scale[rental] = np.where(revenue[rental] > 0, opened / np.maximum(revenue[rental], 1e-30), 1.0)
    else:
        scale[rental] = left / let if let > 0 else 1.0
    return scale


INCOME = Formula(
    "(1 + productivity * diffusion) ** elasticity",
    "1",
    {
        "productivity": Symbol("rise of total factor productivity at full diffusion"),
        "diffusion": Symbol("share of all who could that adopts in a year, from the start's pace"),
        "elasticity": Symbol("of calls per user to income"),
    },
)
"""Factor a year on calls per user from productivity that diffusion brings."""


def income_growth(scenario: Scenario) -> float:
    """Return the factor a year on all calls and hours from productivity, 1 where `market.macro` has none.

    Notes
    -----
    Diffusion is Bass's pace of the segments outside, ``4 (p + q F)(1 - F)`` a year, weighted by those who could adopt.
    """
    macro = scenario.market.macro
    outside = [s for s in scenario.market.segments.values() if not s.internal and not s.rents]
    if not macro.productivity.value or not outside:
        return 1.0
    weight = np.array([s.adopters.value for s in outside])
    adopted = np.array([s.adopted.value for s in outside])
    pace = np.array([s.bass_p.value + s.bass_q.value * f for s, f in zip(outside, adopted, strict=True)])
    diffusion = float((weight * 4 * pace * (1 - adopted)).sum() / weight.sum())
    return float(
        INCOME(
            productivity=macro.productivity.value, diffusion=min(diffusion, 1.0),
            elasticity=macro.income_elasticity.value,
        )
    )  # fmt: skip


def premium(scenario: Scenario) -> Array:
    """Return what the firm is paid over the price that callers or renters weigh, by segment (s,): for its platform."""
    terms = scenario.market
    calls, rents = 1.0 + terms.call_platform.value, terms.cloud_premium.value
    segments = terms.segments.values()
    return np.array([rents if s.rents else 1.0 if s.internal else calls for s in segments])


def revenue_price_cur(
    scenario: Scenario, inputs: MarketInputs, market: MarketPath, scarcity: Array, served_per_d: Array
) -> Array:
    """Return what the accounts book for a call or a rented hour, by segment and quarter (s, t).

    Notes
    -----
    Callers from outside pay the posted price with scarcity and platform. Own businesses are charged the posted price,
    but never more than their calls are worth to the group on the mean: a transfer price above that is no revenue.
    Of *served_per_d* (s, t), what customers' contracts take is paid at their rate.
    """
    internal = np.array([segment.internal for segment in scenario.market.segments.values()])
    price = market.call_price_cur * np.where(internal[:, None], 1.0, scarcity)
    quarters = np.arange(price.shape[1])
    integration = np.stack([integration_cur_per_call(inputs, int(t)) for t in quarters], axis=1)
    value = inputs.adoption.value_cur[:, None] * inputs.use.tokens_growth[:, None] ** (quarters / 4)
    threshold = market.seen_call_price_cur + integration
    worth = mean_value_cur(threshold, value, inputs.adoption.value_sigma[:, None]) - integration
    booked = np.where(internal[:, None], np.minimum(price, np.maximum(worth, 0.0)), price)
    return np.asarray(blended_price_cur(scenario, market, served_per_d, booked))


def peak_frac(scenario: Scenario) -> Array:
    """Return the share in the peak slot of the calls that cannot wait, by segment (s,), off-peak discount in force.

    Notes
    -----
    With a constant elasticity of substitution sigma <= 0 between the slots, a discount d multiplies the ratio of peak
    to off-peak calls by ``(1 - d)^-sigma``. How many calls there are in all is the demand's business.
    """
    sigma = scenario.market.slot_substitution.value
    fractions = []
    for segment in scenario.market.segments.values():
        served = None if segment.rents else scenario.serving.models.get(segment.model)
        discount = 0.0 if served is None else served.off_peak_discount.value
        fractions.append(PEAK(peak=segment.peak.value, discount=discount, substitution=sigma))
    return np.array(fractions)


def price_factor(scenario: Scenario) -> Array:
    """Return the mean price paid over list price by segment (s,): tiers, batch and off-peak discounts in it.

    Notes
    -----
    Calls that may wait within the day are batch calls; of the others, those outside of the peak slot get the off-peak
    discount. Each tier has them in the same proportion. Rivals are taken to price alike.
    """
    factors = []
    for segment, peak in zip(scenario.market.segments.values(), peak_frac(scenario), strict=True):
        served = None if segment.rents else scenario.serving.models.get(segment.model)
        if served is None:
            factors.append(1.0)
            continue
        waits = segment.deferrable.value
        now = 1 - served.off_peak_discount.value * (1 - peak)
        mean = waits * (1 - served.batch_discount.value) + (1 - waits) * now
        tiers = 1 + sum(tier.share.value * (tier.factor.value - 1) for tier in served.tiers.values())
        factors.append(tiers * mean)
    return np.array(factors)


def per_tok_cur(price: PriceSpec) -> Array:
    """Return a price by kind of token (3,): input, cached, output [currency/token]."""
    return np.array([price.input.value, price.cached.value, price.output.value]) / 1e6


def announcements(scenario: Scenario) -> Announcements | None:
    """Return the prices that the firm has announced, None where there are none."""
    quarters = scenario.labels()
    told = [(m, price) for m, served in enumerate(scenario.serving.models.values()) for price in served.announced]
    if not told:
        return None
    return Announcements(
        model=np.array([m for m, _ in told]),
        quarter=np.array([quarters.index(price.start) for _, price in told]),
        price_cur_per_tok=np.array([per_tok_cur(price) for _, price in told]),
    )


def rivalry(scenario: Scenario, inputs: MarketInputs) -> Rivalry | None:
    """Return who competes, None where the scenario names no rivals.

    Notes
    -----
    Rivals divide what the firm does not serve of a segment in proportion to their stated volumes, among those who offer
    something in the place of its model. Own businesses and rented hours are not contested.
    """
    terms, spec = scenario.market, scenario.market.providers
    if not spec.rivals:
        return None
    models = list(scenario.serving.models)
    weights = token_weights(inputs)
    price = np.zeros((inputs.pricing.list_price_cur_per_tok.shape[0], 1 + len(spec.rivals)))
    price[:, 0] = (weights * inputs.pricing.list_price_cur_per_tok).sum(axis=1)
    for column, rival in enumerate(spec.rivals.values(), 1):
        for model, listed in rival.prices.items():
            row = models.index(model)
            price[row, column] = weights[row] @ per_tok_cur(listed)
    volume = np.array([rival.volume.value for rival in spec.rivals.values()])
    offered = volume * (price[inputs.model, 1:] > 0)
    total = offered.sum(axis=1)
    segments = terms.segments.values()
    competes = np.array([not s.internal and not s.rents for s in segments]) & (total > 0)
    rest = np.where(competes, 1 - inputs.share_frac, 0.0)
    split = offered / np.where(total > 0, total, 1.0)[:, None] * rest[:, None]
    quarters = inputs.supply.scarcity.shape[1]
    years = np.arange(quarters) / 4
    worth = np.array([spec.bundle.value, *(rival.bundle.value for rival in spec.rivals.values())])
    surge = np.array([rival.surge.value for rival in spec.rivals.values()])
    return Rivalry(
        names=(spec.label, *(rival.label or name for name, rival in spec.rivals.items())),
        open_weights=np.array([False, *(rival.open_weights for rival in spec.rivals.values())]),
        start_price=price,
        cost_factor=np.array([1.0, *(rival.cost.value for rival in spec.rivals.values())]),
        start_share_frac=np.concatenate([(1 - rest)[:, None], split], axis=1),
        competes=competes,
        bundle_frac=worth[:, None] * (1 + spec.bundle_growth.value) ** years,
        price_weight=-spec.share_elasticity.value * spec.nesting.value,
        nesting=spec.nesting.value,
        least_elasticity=spec.least_elasticity.value,
        entry=max(terms.markup.value, 1.0),
        share_inertia=spec.share_inertia.value,
        match_frac=np.array([spec.match.value, *((r.match or spec.match).value for r in spec.rivals.values())]),
        match_lag_quarters=round(spec.match_lag.value),
        inertia=np.array([terms.price_inertia.value, *(_inertia(scenario, rival) for rival in spec.rivals.values())]),
        step_frac=np.array([(s or terms.price_step).value for s in (None, *(r.step for r in spec.rivals.values()))]),
        open_models=_open_models(scenario, price.shape[0]),
        own_growth=np.concatenate([np.ones((1, quarters)), rival_weights(surge, volume, quarters)]),
        firm_odds=own_growth(np.array([spec.surge.value]), quarters)[0],
    )


def _inertia(scenario: Scenario, rival: RivalSpec) -> float:
    """Return the share of the gap to its price that a rival leaves after a quarter: its own, or that of its kind."""
    hosts = scenario.market.providers.host_inertia if rival.open_weights else None
    return (rival.inertia or hosts or scenario.market.price_inertia).value


def _open_models(scenario: Scenario, rows: int) -> NDArray[np.bool_]:
    """Return which models' weights are open, rented uses after the served models, (m,)."""
    served = [model.open_weights for model in scenario.serving.models.values()]
    return np.array([*served, *[False] * (rows - len(served))])
