"""Runs the market forward quarter by quarter: cost to price, price to adoption and calls, calls to learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.market.depth import chosen_depth
from jevons.market.formulas import adopting_frac, bass_step, extensive_elasticity
from jevons.market.posting import PostedPrices
from jevons.market.switching import Switching
from jevons.market.types import MarketInputs, MarketPath


def market_path(inputs: MarketInputs, *, prices_stand: bool = False) -> MarketPath:
    """Return prices and demand over the horizon.

    Parameters
    ----------
    inputs : MarketInputs
        Segments, prices and unit costs; see there for shapes.
    prices_stand : bool
        Whether callers and renters see the prices of the first quarter throughout: what grows then is adoption,
        calls and tokens per call at constant price.

    Returns
    -------
    MarketPath
        Posted prices, adopters, calls and tokens by quarter.

    Notes
    -----
    In quarter 0 the posted price is the list price and adoption is as given. Afterwards the wanted price closes part of
    its gap to ``markup x unit cost / learning`` and never rises: only scarcity lifts what is paid. The posted price,
    which callers see, moves to the wanted one once they differ by more than `price_step_frac`, and to an announced one
    on its date. With rivals, demand is the whole market's at the prices of all who sell, and price and share are the
    outcome of `Competition`; shares see the price of a model's token mix, not of a segment's own. A share of the
    potential adopts by diffusion; adopters whose value per call no longer exceeds the price leave at once.
    Calls per adopter follow the intensive elasticity to the price of a call of constant size; growth of tokens per call
    is bought for what it brings, so it counts as a price rise on neither margin. Growth at a constant list price thus
    comes out as adoption, calls and tokens per call, never as elasticity. Would-be adopters see last quarter's
    scarcity; within a quarter, scarce supply is rationed by the planner along `demand_blocks`. Where an adopter's
    spending reaches the wallet, calls move against their price one for one; where calls reach what attention allows,
    not at all. Part of the callers choose tokens per call by price (`chosen_depth`). A renter buys work: it weighs the
    rent over the work that an hour does, so a more efficient hour is a cheaper one, and fewer of them do the same.
    """
    segments, quarters = inputs.model.size, inputs.supply.unit_cost_cur_per_tok.shape[2]
    path = _empty(inputs, quarters)
    factor = np.ones(segments) if inputs.pricing.price_factor is None else inputs.pricing.price_factor
    premium = np.ones(segments) if inputs.pricing.premium is None else inputs.pricing.premium
    start_price = (inputs.use.tokens_per_call * inputs.pricing.list_price_cur_per_tok[inputs.model]).sum(
        axis=1
    ) * factor
    size = np.where(inputs.use.counts_tokens, inputs.use.tokens_per_call.sum(axis=1), 0.0)
    prices = PostedPrices(inputs)
    rivals = prices.rivals
    adopted, cloud = inputs.adoption.adopted_frac, inputs.renting.cloud_frac
    share, level = inputs.share_frac, np.ones(segments)
    work = np.ones((segments, quarters)) if inputs.renting.work is None else inputs.renting.work
    standing = np.ones(segments)
    switching = None if inputs.renting.switch is None else Switching(inputs.renting.switch)
    volume = 0.0
    base_volume = 1.0
    for t in range(quarters):
        growth = inputs.use.tokens_growth ** (t / 4)
        calls_growth = inputs.use.calls_growth ** (t / 4)
        path.learning[t] = 1.0 if t == 0 else (1.0 + volume / base_volume) ** inputs.supply.learning_exponent
        scarce = inputs.supply.scarcity[:, max(t - 1, 0)]
        prices.step(t, path.learning[t], path.market_calls_per_d[:, max(t - 1, 0)] * start_price)
        path.price_index[:, t], path.price_cur_per_tok[:, :, t] = prices.index, prices.price_cur_per_tok
        own_price = (inputs.use.tokens_per_call * path.price_cur_per_tok[inputs.model, :, t]).sum(axis=1) * factor
        # an announcement may change kinds apart, so that a segment's own mix moves apart from the model's
        index = own_price / np.maximum(start_price, 1e-30)
        if rivals is None:
            market_index = index * scarce
        else:
            share = np.where(rivals.competes, rivals.share_frac[:, 0, t], inputs.share_frac)
            level = rivals.level
            # the firm's scarcity and its prices by kind touch the part of the market that it serves
            apart = index / path.price_index[inputs.model, t]
            market_index = rivals.market_index(t) * (scarce * apart) ** share
        if inputs.renting.rent_index is not None:
            market_index = np.where(inputs.use.counts_tokens, market_index, inputs.renting.rent_index[t])
        market_index = market_index / work[:, t]
        if prices_stand:
            standing = market_index if t == 0 else standing
            market_index = standing
        depth, gain, path.elasticity_depth[:, t] = chosen_depth(inputs, market_index)
        path.depth[:, t], path.token_index[:, t] = depth, market_index
        path.call_price_cur[:, t] = own_price * growth * premium * np.where(inputs.use.counts_tokens, depth, 1.0)
        path.paid_call_price_cur[:, t] = path.call_price_cur[:, t] * inputs.supply.scarcity[:, t]
        integration = integration_cur_per_call(inputs, t)
        # a longer call is bought for what it brings: its value grows with its tokens
        value = inputs.adoption.value_cur * growth * gain
        seen = start_price * growth * level * market_index * depth
        path.seen_call_price_cur[:, t] = seen
        threshold = seen + integration
        path.potential_frac[:, t] = adopting_frac(threshold, value, inputs.adoption.value_sigma)
        potential = np.maximum(path.potential_frac[:, t], 1e-12)
        diffused = np.clip(adopted / potential, 0.0, 1.0)
        if t > 0:
            diffused = bass_step(diffused, inputs.adoption.bass_p, inputs.adoption.bass_q)
        adopted = diffused * potential
        path.adopters[:, t] = inputs.adoption.adopters * adopted
        paid = market_index if rivals is not None or prices_stand else index / work[:, t]
        wanted = path.wanted_calls_per_d[:, t] = inputs.use.calls_per_d * calls_growth * paid**inputs.use.elasticity
        if inputs.use.rush is not None:
            wanted = path.wanted_calls_per_d[:, t] = wanted * inputs.use.rush[:, t]
        calls, path.capped[:, t] = capped_calls(
            wanted,
            start_price * growth * level * paid * depth,
            inputs.use.wallet_cur_per_y,
            inputs.use.attention_calls_per_d,
        )
        path.market_calls_per_d[:, t] = path.adopters[:, t] * calls * (1.0 if cloud is None else cloud[:, t])
        # renters want hours for their work
        path.market_calls_per_d[:, t] *= np.where(inputs.use.counts_tokens, 1.0, depth / work[:, t])
        if switching is not None:
            each = np.where(inputs.use.counts_tokens, size * growth * depth, 1.0)
            path.switched[:, t] = switching.step(t, market_index, path.market_calls_per_d[:, t], each, work[:, t])
            path.market_calls_per_d[:, t] *= path.switched[:, t]
            path.renter_ways[switching.renting, :, t] = switching.shares
        path.calls_per_d[:, t] = path.market_calls_per_d[:, t] * share
        if inputs.renting.brokers_frac is not None:
            path.calls_per_d[~inputs.use.counts_tokens, t] *= 1.0 - inputs.renting.brokers_frac[t]
        path.tokens_per_d[:, t] = path.calls_per_d[:, t] * size * growth * depth
        path.market_tokens_per_d[:, t] = path.market_calls_per_d[:, t] * size * growth * depth
        path.elasticity_extensive[:, t] = extensive_elasticity(seen, integration, value, inputs.adoption.value_sigma)
        path.elasticity_intensive[:, t] = np.choose(path.capped[:, t], [inputs.use.elasticity, -1.0, 0.0])
        sold = path.tokens_per_d[:, t].sum()
        base_volume = max(sold * 4, 1e-30) if t == 0 else base_volume
        volume += sold
    if rivals is not None:
        path.provider_price_cur_per_tok[:] = rivals.price
        path.provider_share_frac[:] = rivals.share_frac
    return path


def integration_cur_per_call(inputs: MarketInputs, quarter: int) -> Array:
    """Return what using the service costs besides tokens, per call at the start price, (s,): less as tools mature."""
    years = quarter / 4
    cost = inputs.adoption.integration_cur_per_y * (1.0 + inputs.adoption.integration_growth_frac) ** years
    return np.asarray(cost / np.maximum(inputs.use.calls_per_d * inputs.use.calls_growth**years * 365.25, 1e-12))


def settled_calls_per_d(inputs: MarketInputs, path: MarketPath, quarter: int, *, price_factor: float = 1.0) -> Array:
    """Return the whole market's calls a day (s,), of the quarter's size, once all for whom it pays have adopted.

    Parameters
    ----------
    inputs, path : MarketInputs, MarketPath
        The market, and where it stands.
    quarter : int
        Whose values, tokens per call and capability stay.
    price_factor : float
        Price of all who sell over that quarter's, > 0.

    Notes
    -----
    The end of diffusion at one price: what a lower price does to consumption when it has had time. Nobody moves to
    machines of their own.
    """
    growth, integration = inputs.use.tokens_growth ** (quarter / 4), integration_cur_per_call(inputs, quarter)
    depth_now = path.depth[:, quarter]
    depth, gain, _ = chosen_depth(inputs, path.token_index[:, quarter] * price_factor)
    seen = path.seen_call_price_cur[:, quarter] * price_factor * depth / depth_now
    adopting = adopting_frac(seen + integration, inputs.adoption.value_cur * growth * gain, inputs.adoption.value_sigma)
    wanted = path.wanted_calls_per_d[:, quarter] * price_factor**inputs.use.elasticity
    calls, _ = capped_calls(wanted, seen, inputs.use.wallet_cur_per_y, inputs.use.attention_calls_per_d)
    # renters' work is counted in hours, which hold their depth
    hours = depth_now if inputs.renting.work is None else depth_now / inputs.renting.work[:, quarter]
    return np.asarray(
        inputs.adoption.adopters * adopting * calls * depth / depth_now * np.where(inputs.use.counts_tokens, 1.0, hours)
    )


def capped_calls(
    calls_per_d: Array, call_price_cur: Array, wallet_cur_per_y: Array | None, attention_calls_per_d: Array | None
) -> tuple[Array, NDArray[np.int64]]:
    """Return calls per adopter and day within wallet and attention, and which of the two holds them (1, 2; 0 neither).

    Parameters
    ----------
    calls_per_d, call_price_cur : (s,)
        Calls wanted, and price of one.
    wallet_cur_per_y, attention_calls_per_d : (s,) or None
        Limits; 0 or None for none.
    """

    def limit(most: Array | None) -> Array:
        return np.full(calls_per_d.shape, np.inf) if most is None else np.where(most > 0, most, np.inf)

    affordable = limit(wallet_cur_per_y) / 365.25 / np.maximum(call_price_cur, 1e-15)
    useful = limit(attention_calls_per_d)
    capped = np.minimum(calls_per_d, np.minimum(affordable, useful))
    cause = np.where(capped >= calls_per_d, 0, np.where(affordable <= useful, 1, 2))
    return capped, cause.astype(np.int64)


def _empty(inputs: MarketInputs, quarters: int) -> MarketPath:
    segments, models = inputs.model.size, inputs.pricing.list_price_cur_per_tok.shape[0]
    providers = 1 if inputs.rivals is None else len(inputs.rivals.names)

    def zeros(*shape: int) -> Array:
        return np.zeros((*shape, quarters))

    return MarketPath(
        price_index=zeros(models),
        price_cur_per_tok=zeros(models, 3),
        call_price_cur=zeros(segments),
        paid_call_price_cur=zeros(segments),
        seen_call_price_cur=zeros(segments),
        wanted_calls_per_d=zeros(segments),
        potential_frac=zeros(segments),
        adopters=zeros(segments),
        calls_per_d=zeros(segments),
        market_calls_per_d=zeros(segments),
        tokens_per_d=zeros(segments),
        market_tokens_per_d=zeros(segments),
        learning=zeros(),
        elasticity_extensive=zeros(segments),
        elasticity_intensive=zeros(segments),
        renter_ways=zeros(segments, 3),
        switched=np.ones((segments, quarters)),
        token_index=zeros(segments),
        depth=zeros(segments),
        elasticity_depth=zeros(segments),
        capped=np.zeros((segments, quarters), np.int64),
        provider_price_cur_per_tok=zeros(models, providers),
        provider_share_frac=zeros(segments, providers),
    )
