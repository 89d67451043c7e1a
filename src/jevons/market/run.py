"""Runs the market forward quarter by quarter: cost to price, price to adoption and calls, calls to learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.market.competition import Competition
from jevons.market.formulas import adopting_frac, bass_step, extensive_elasticity, next_price
from jevons.market.types import MarketInputs, MarketPath

Array = NDArray[np.float64]


def market_path(inputs: MarketInputs) -> MarketPath:
    """Return prices and demand over the horizon.

    Parameters
    ----------
    inputs : MarketInputs
        Segments, prices and unit costs; see there for shapes.

    Returns
    -------
    MarketPath
        Posted prices, adopters, calls and tokens by quarter.

    Notes
    -----
    In quarter 0 the posted price is the list price and adoption is as given. Afterwards the posted price closes part of
    its gap to ``markup x unit cost / learning`` and never rises: only scarcity lifts what is paid. With rivals, demand
    is the whole market's at the prices of all who sell, and price and share are the outcome of `Competition`. A
    share of the potential adopts by diffusion; adopters whose value per call no longer exceeds the price leave at once.
    Calls per adopter follow the intensive elasticity to the price of a call of constant size; growth of tokens per call
    is bought for what it brings, so it counts as a price rise on neither margin. Growth at a constant list price thus
    comes out as adoption, calls and tokens per call, never as elasticity. Would-be adopters see last quarter's
    scarcity; within a quarter, scarce supply is rationed by the planner along `demand_blocks`. Where an adopter's
    spending reaches the wallet, calls move against their price one for one; where calls reach what attention allows,
    not at all.
    """
    segments, quarters = inputs.model.size, inputs.unit_cost_cny_per_tok.shape[2]
    path = _empty(inputs, quarters)
    start_price = (inputs.tokens_per_call * inputs.list_price_cny_per_tok[inputs.model]).sum(axis=1)
    if inputs.price_factor is not None:
        start_price = start_price * inputs.price_factor
    yearly_calls = inputs.calls_per_d * 365.25
    weights = token_weights(inputs)
    list_value = np.maximum((weights * inputs.list_price_cny_per_tok).sum(axis=1), 1e-15)
    size = np.where(inputs.counts_tokens, inputs.tokens_per_call.sum(axis=1), 0.0)
    rivals = None if inputs.rivals is None else Competition(inputs.rivals, inputs.model, quarters, inputs.price_inertia)
    adopted, cloud = inputs.adopted_frac, inputs.cloud_frac
    share, market_index, level = inputs.share_frac, np.ones(segments), np.ones(segments)
    volume = 0.0
    base_volume = 1.0
    for t in range(quarters):
        growth = inputs.tokens_growth ** (t / 4)
        calls_growth = inputs.calls_growth ** (t / 4)
        path.learning[t] = 1.0 if t == 0 else (1.0 + volume / base_volume) ** inputs.learning_exponent
        cost = (weights * inputs.unit_cost_cny_per_tok[:, :, t]).sum(axis=1) / path.learning[t]
        scarce = inputs.scarcity[:, max(t - 1, 0)]
        if rivals is None:
            # competition cuts list prices and never lets them rise; scarcity does that
            target = np.minimum(inputs.markup * cost / list_value, 1.0)
            before = path.price_index[:, max(t - 1, 0)]
            path.price_index[:, t] = (
                1.0 if t == 0 else np.minimum(next_price(before, target, inputs.price_inertia), before)
            )
            market_index = path.price_index[inputs.model, t] * scarce
        else:
            if t > 0:
                rivals.step(t, cost, path.market_calls_per_d[:, t - 1] * start_price)
            path.price_index[:, t] = rivals.own_index()
            share = np.where(rivals.competes, rivals.share_frac[:, 0, t], inputs.share_frac)
            level = rivals.level
            # the firm's scarcity touches the part of the market that it serves
            market_index = rivals.market_index(t) * scarce**share
        if inputs.rent_index is not None:
            path.price_index[-1, t] = inputs.rent_index[t]
            market_index = np.where(inputs.counts_tokens, market_index, inputs.rent_index[t])
        path.price_cny_per_tok[:, :, t] = inputs.list_price_cny_per_tok * path.price_index[:, t, None]
        index = path.price_index[inputs.model, t]
        path.call_price_cny[:, t] = start_price * growth * index
        path.paid_call_price_cny[:, t] = path.call_price_cny[:, t] * inputs.scarcity[:, t]
        integration = inputs.integration_cny_per_y / np.maximum(yearly_calls * calls_growth, 1e-12)
        # a longer call is bought for what it brings: its value grows with its tokens
        value = inputs.value_cny * growth
        seen = start_price * growth * level * market_index
        threshold = seen + integration
        path.potential_frac[:, t] = adopting_frac(threshold, value, inputs.value_sigma)
        potential = np.maximum(path.potential_frac[:, t], 1e-12)
        diffused = np.clip(adopted / potential, 0.0, 1.0)
        if t > 0:
            diffused = bass_step(diffused, inputs.bass_p, inputs.bass_q)
        adopted = diffused * potential
        path.adopters[:, t] = inputs.adopters * adopted
        paid = index if rivals is None else market_index
        wanted = inputs.calls_per_d * calls_growth * paid**inputs.elasticity
        calls, path.capped[:, t] = capped_calls(
            wanted, start_price * growth * level * paid, inputs.wallet_cny_per_y, inputs.attention_calls_per_d
        )
        path.market_calls_per_d[:, t] = path.adopters[:, t] * calls * (1.0 if cloud is None else cloud[:, t])
        path.calls_per_d[:, t] = path.market_calls_per_d[:, t] * share
        if inputs.brokers_frac is not None:
            path.calls_per_d[~inputs.counts_tokens, t] *= 1.0 - inputs.brokers_frac[t]
        path.tokens_per_d[:, t] = path.calls_per_d[:, t] * size * growth
        path.market_tokens_per_d[:, t] = path.market_calls_per_d[:, t] * size * growth
        path.elasticity_extensive[:, t] = extensive_elasticity(seen, integration, value, inputs.value_sigma)
        path.elasticity_intensive[:, t] = np.choose(path.capped[:, t], [inputs.elasticity, -1.0, 0.0])
        sold = path.tokens_per_d[:, t].sum()
        base_volume = max(sold * 4, 1e-30) if t == 0 else base_volume
        volume += sold
    if rivals is not None:
        path.provider_price_cny_per_tok[:] = rivals.price
        path.provider_share_frac[:] = rivals.share_frac
    return path


def capped_calls(
    calls_per_d: Array, call_price_cny: Array, wallet_cny_per_y: Array | None, attention_calls_per_d: Array | None
) -> tuple[Array, NDArray[np.int64]]:
    """Return calls per adopter and day within wallet and attention, and which of the two holds them (1, 2; 0 neither).

    Parameters
    ----------
    calls_per_d, call_price_cny : (s,)
        Calls wanted, and price of one.
    wallet_cny_per_y, attention_calls_per_d : (s,) or None
        Limits; 0 or None for none.
    """

    def limit(most: Array | None) -> Array:
        return np.full(calls_per_d.shape, np.inf) if most is None else np.where(most > 0, most, np.inf)

    affordable = limit(wallet_cny_per_y) / 365.25 / np.maximum(call_price_cny, 1e-15)
    useful = limit(attention_calls_per_d)
    held = np.minimum(calls_per_d, np.minimum(affordable, useful))
    cause = np.where(held >= calls_per_d, 0, np.where(affordable <= useful, 1, 2))
    return held, cause.astype(np.int64)


def token_weights(inputs: MarketInputs) -> Array:
    """Return the token mix of each model's price, that of its callers at the start: (m, 3), rows sum to 1."""
    models = inputs.list_price_cny_per_tok.shape[0]
    weights = np.zeros((models, 3))
    volume = inputs.adopters * inputs.adopted_frac * inputs.calls_per_d
    np.add.at(weights, inputs.model, inputs.tokens_per_call * volume[:, None])
    unused = weights.sum(axis=1) <= 0
    weights[unused] = (1.0, 0.0, 1.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _empty(inputs: MarketInputs, quarters: int) -> MarketPath:
    segments, models = inputs.model.size, inputs.list_price_cny_per_tok.shape[0]
    providers = 1 if inputs.rivals is None else len(inputs.rivals.names)

    def zeros(*shape: int) -> Array:
        return np.zeros(shape)

    by_segment = [zeros(segments, quarters) for _ in range(10)]
    return MarketPath(
        price_index=zeros(models, quarters),
        price_cny_per_tok=zeros(models, 3, quarters),
        call_price_cny=by_segment[0],
        paid_call_price_cny=by_segment[1],
        potential_frac=by_segment[2],
        adopters=by_segment[3],
        calls_per_d=by_segment[4],
        market_calls_per_d=by_segment[5],
        tokens_per_d=by_segment[6],
        market_tokens_per_d=by_segment[9],
        learning=zeros(quarters),
        elasticity_extensive=by_segment[7],
        elasticity_intensive=by_segment[8],
        capped=np.zeros((segments, quarters), np.int64),
        provider_price_cny_per_tok=zeros(models, providers, quarters),
        provider_share_frac=zeros(segments, providers, quarters),
    )
