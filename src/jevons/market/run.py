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
    market = _Market(inputs, prices_stand=prices_stand)
    for t in range(inputs.supply.unit_cost_cur_per_tok.shape[2]):
        own_index = market.post(t)
        seen, paid = market.indices(t, own_index)
        depth, gain = market.deepen(t, seen)
        market.adopt(t, seen, depth, gain)
        market.call(t, paid, depth)
        market.switch(t, seen, depth)
        market.sell(t, depth)
    return market.path


class _Market:
    """The market up to the quarter reached; each method is one step of a quarter and fills its part of the path."""

    def __init__(self, inputs: MarketInputs, *, prices_stand: bool) -> None:
        use, pricing, renting = inputs.use, inputs.pricing, inputs.renting
        segments, quarters = inputs.model.size, inputs.supply.unit_cost_cur_per_tok.shape[2]
        self.path = _empty(inputs, quarters)
        self._inputs, self._prices_stand = inputs, prices_stand
        self._price_factor = np.ones(segments) if pricing.price_factor is None else pricing.price_factor
        self._premium = np.ones(segments) if pricing.premium is None else pricing.premium
        self._start_price = self._call_price(pricing.list_price_cur_per_tok)
        self._own_price = self._start_price
        self._size = np.where(use.counts_tokens, use.tokens_per_call.sum(axis=1), 0.0)
        self._prices = PostedPrices(inputs)
        self._switching = None if renting.switch is None else Switching(renting.switch)
        self._work = np.ones((segments, quarters)) if renting.work is None else renting.work
        self._adopted_frac = inputs.adoption.adopted_frac
        self._share_frac, self._level = inputs.share_frac, np.ones(segments)
        self._standing_index = np.ones(segments)
        self._sold_tok, self._start_y_tok = 0.0, 1.0

    def post(self, t: int) -> Array:
        """Post prices by learning and competition; return a call's price over that of quarter 0, (s,)."""
        path, inputs = self.path, self._inputs
        if t == 0:
            path.learning[t] = 1.0
        else:
            path.learning[t] = (1.0 + self._sold_tok / self._start_y_tok) ** inputs.supply.learning_exponent
        volume = path.market_calls_per_d[:, max(t - 1, 0)] * self._start_price
        self._prices.step(t, path.learning[t], volume)
        path.price_index[:, t] = self._prices.index
        path.price_cur_per_tok[:, :, t] = self._prices.price_cur_per_tok
        # an announcement may change kinds apart, so that a segment's own mix moves apart from the model's
        self._own_price = self._call_price(path.price_cur_per_tok[:, :, t])
        return np.asarray(self._own_price / np.maximum(self._start_price, 1e-30))

    def indices(self, t: int, own_index: Array) -> tuple[Array, Array]:
        """Return the price index that adopters see, last quarter's scarcity in it, and the one that is paid, (s,)."""
        inputs, path, rivals = self._inputs, self.path, self._prices.rivals
        scarce = inputs.supply.scarcity[:, max(t - 1, 0)]
        if rivals is None:
            seen = own_index * scarce
        else:
            self._share_frac = np.where(rivals.competes, rivals.share_frac[:, 0, t], inputs.share_frac)
            self._level = rivals.level
            # the firm's scarcity and its prices by kind touch the part of the market that it serves
            apart = own_index / path.price_index[inputs.model, t]
            seen = rivals.market_index(t) * (scarce * apart) ** self._share_frac
        if inputs.renting.rent_index is not None:
            seen = np.where(inputs.use.counts_tokens, seen, inputs.renting.rent_index[t])
        seen = seen / self._work[:, t]
        if self._prices_stand:
            self._standing_index = seen if t == 0 else self._standing_index
            seen = self._standing_index
        path.token_index[:, t] = seen
        return seen, seen if rivals is not None or self._prices_stand else own_index / self._work[:, t]

    def deepen(self, t: int, seen: Array) -> tuple[Array, Array]:
        """Choose tokens per call at the index *seen*, price a call; return depth and its gain in value, (s,) each."""
        path, inputs = self.path, self._inputs
        depth, gain, path.elasticity_depth[:, t] = chosen_depth(inputs, seen)
        path.depth[:, t] = depth
        longer = np.where(inputs.use.counts_tokens, depth, 1.0)
        path.call_price_cur[:, t] = self._own_price * self._tokens_growth(t) * self._premium * longer
        path.paid_call_price_cur[:, t] = path.call_price_cur[:, t] * inputs.supply.scarcity[:, t]
        return depth, gain

    def adopt(self, t: int, seen: Array, depth: Array, gain: Array) -> None:
        """Let those adopt for whom a call pays, by diffusion; those leave at once whom it no longer pays."""
        path, adoption = self.path, self._inputs.adoption
        integration = integration_cur_per_call(self._inputs, t)
        # a longer call is bought for what it brings: its value grows with its tokens
        value = adoption.value_cur * self._tokens_growth(t) * gain
        price = self._start_price * self._tokens_growth(t) * self._level * seen * depth
        path.seen_call_price_cur[:, t] = price
        path.potential_frac[:, t] = adopting_frac(price + integration, value, adoption.value_sigma)
        path.elasticity_extensive[:, t] = extensive_elasticity(price, integration, value, adoption.value_sigma)
        potential = np.maximum(path.potential_frac[:, t], 1e-12)
        diffused = np.clip(self._adopted_frac / potential, 0.0, 1.0)
        if t > 0:
            diffused = bass_step(diffused, adoption.bass_p, adoption.bass_q)
        self._adopted_frac = diffused * potential
        path.adopters[:, t] = adoption.adopters * self._adopted_frac

    def call(self, t: int, paid: Array, depth: Array) -> None:
        """Let adopters call, and renters take hours, by the index *paid*, within wallet and attention."""
        path, use, cloud = self.path, self._inputs.use, self._inputs.renting.cloud_frac
        wanted = path.wanted_calls_per_d[:, t] = use.calls_per_d * use.calls_growth ** (t / 4) * paid**use.elasticity
        if use.rush is not None:
            wanted = path.wanted_calls_per_d[:, t] = wanted * use.rush[:, t]
        price = self._start_price * self._tokens_growth(t) * self._level * paid * depth
        calls, path.capped[:, t] = capped_calls(wanted, price, use.wallet_cur_per_y, use.attention_calls_per_d)
        path.elasticity_intensive[:, t] = np.choose(path.capped[:, t], [use.elasticity, -1.0, 0.0])
        path.market_calls_per_d[:, t] = path.adopters[:, t] * calls * (1.0 if cloud is None else cloud[:, t])
        # renters want hours for their work
        path.market_calls_per_d[:, t] *= np.where(use.counts_tokens, 1.0, depth / self._work[:, t])

    def switch(self, t: int, seen: Array, depth: Array) -> None:
        """Let those who run models move between an API, rented machines and their own."""
        if self._switching is None:
            return
        path, use = self.path, self._inputs.use
        each = np.where(use.counts_tokens, self._size * self._tokens_growth(t) * depth, 1.0)
        calls = path.market_calls_per_d[:, t]
        path.switched[:, t] = self._switching.step(t, seen, calls, each, self._work[:, t])
        path.market_calls_per_d[:, t] *= path.switched[:, t]
        path.renter_ways[self._switching.renting, :, t] = self._switching.shares

    def sell(self, t: int, depth: Array) -> None:
        """Give the firm its share, brokers theirs, and count the tokens from which costs are learnt."""
        path, use, brokers_frac = self.path, self._inputs.use, self._inputs.renting.brokers_frac
        path.calls_per_d[:, t] = path.market_calls_per_d[:, t] * self._share_frac
        if brokers_frac is not None:
            path.calls_per_d[~use.counts_tokens, t] *= 1.0 - brokers_frac[t]
        growth = self._tokens_growth(t)
        path.tokens_per_d[:, t] = path.calls_per_d[:, t] * self._size * growth * depth
        path.market_tokens_per_d[:, t] = path.market_calls_per_d[:, t] * self._size * growth * depth
        rivals = self._prices.rivals
        if rivals is not None:
            path.provider_price_cur_per_tok[:, :, t] = rivals.price[:, :, t]
            path.provider_share_frac[:, :, t] = rivals.share_frac[:, :, t]
        sold = path.tokens_per_d[:, t].sum()
        self._start_y_tok = max(sold * 4, 1e-30) if t == 0 else self._start_y_tok
        self._sold_tok += sold

    def _call_price(self, price_cur_per_tok: Array) -> Array:
        """Return what a call of constant size costs (s,) at prices by model and kind of token (m, 3)."""
        inputs = self._inputs
        mix = (inputs.use.tokens_per_call * price_cur_per_tok[inputs.model]).sum(axis=1)
        return np.asarray(mix * self._price_factor)

    def _tokens_growth(self, t: int) -> Array:
        """Return tokens per call over those of quarter 0 at constant price, (s,)."""
        return np.asarray(self._inputs.use.tokens_growth ** (t / 4))


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
