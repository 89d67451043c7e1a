"""Inputs and outputs of the market stage.

Axes: ``s`` segments, ``m`` served models (the last one may be the rental pseudo-model), ``t`` quarters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.market.nested import NestedChoice
from jevons.market.providers import Rivalry
from jevons.parts import Grouped, Part

TOKEN_KINDS = ("input", "cached", "output")
"""Kinds of token that have prices and costs of their own, in the order of every axis of three."""


@dataclass(frozen=True, slots=True)
class Announcements:
    """List prices that the firm has announced for dates to come; it posts them whatever competition calls for.

    Parameters
    ----------
    model : (a,) int
        Served model.
    quarter : (a,) int
        Quarter from which the price holds, 1 or later.
    price_cur_per_tok : (a, 3)
        Price of an uncached, cached and output token.
    """

    model: NDArray[np.int64]
    quarter: NDArray[np.int64]
    price_cur_per_tok: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Renters who serve a model themselves, or call it: a logit between the ways.

    Parameters
    ----------
    renting, calling : (k,) int
        Segment that rents, and the one that has its tokens when they are called for.
    start_frac : (k,)
        Share of such users' tokens on rented machines at the start, in (0, 1).
    elasticity : (k,)
        Of the odds of renting to its cost over that of calling, <= 0.
    tokens_per_hour : (k,)
        Tokens of a rented hour at the efficiency at which demand is stated.
    inertia : float
        Share of the gap to those odds that is left after a quarter, 0..1.
    choices : tuple of NestedChoice or None
        Where such users may own machines too: their nested choice, in place of the odds; None for each who may not.
    """

    renting: NDArray[np.int64]
    calling: NDArray[np.int64]
    start_frac: Array
    elasticity: Array
    tokens_per_hour: Array
    inertia: float
    choices: tuple[NestedChoice | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption(Part):
    """Who could use the models, what a call is worth to them, and how fast they come.

    Parameters
    ----------
    adopters : (s,)
        Firms or users that could ever adopt.
    value_cur : (s,)
        Median value of a call [currency].
    value_sigma : (s,)
        Standard deviation of its logarithm over callers.
    integration_cur_per_y : (s,)
        Cost of use per adopter and year besides tokens.
    bass_p, bass_q : (s,)
        Per quarter.
    adopted_frac : (s,)
        Adopters at the start over all who could ever adopt.
    integration_growth_frac : float
        Change of the integration cost a year as tool chains mature, > -1.
    """

    adopters: Array
    value_cur: Array
    value_sigma: Array
    integration_cur_per_y: Array
    bass_p: Array
    bass_q: Array
    adopted_frac: Array
    integration_growth_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Part):
    """What an adopter calls, and what holds it.

    Parameters
    ----------
    calls_per_d : (s,)
        Calls per adopter and day at the start and at the start price.
    calls_growth, tokens_growth : (s,)
        Factors per year of calls per adopter and of tokens per call.
    tokens_per_call : (s, 3)
        Uncached input, cached input and output tokens at the start; for rental (0, 0, 1): one device-hour.
    counts_tokens : (s,) bool
        False for segments that rent device-hours.
    elasticity : (s,)
        Intensive margin, <= 0.
    wallet_cur_per_y : (s,), optional
        Most that an adopter spends on calls in a year; 0 for no such limit.
    attention_calls_per_d : (s,), optional
        Most calls that an adopter can make use of in a day; 0 for no such limit.
    depth_frac, depth_exponent, depth_most : (s,), optional
        Share of use that chooses its tokens per call where their value meets their cost; exponent of that value in
        tokens, in [0, 1); largest factor up or down. No such share by default.
    rush : (s, t), optional
        Factor on calls that passes: trials and hoarding after an event; ones by default.
    """

    calls_per_d: Array
    calls_growth: Array
    tokens_growth: Array
    tokens_per_call: Array
    counts_tokens: NDArray[np.bool_]
    elasticity: Array
    wallet_cur_per_y: Array | None = None
    attention_calls_per_d: Array | None = None
    depth_frac: Array | None = None
    depth_exponent: Array | None = None
    depth_most: Array | None = None
    rush: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing(Part):
    """List prices at the start, and how a provider moves them.

    Parameters
    ----------
    list_price_cur_per_tok : (m, 3)
        Price of an uncached, cached and output token (device-hour) at the start.
    markup : float
        Price over unit cost that competition lets stand.
    price_inertia : float
        Share of the gap to the target price left after a quarter, 0..1.
    price_factor : (s,), optional
        Mean price paid over list price, > 0: tiers, discounts of batch and off-peak calls.
    premium : (s,), optional
        What the firm is paid over the price that callers weigh, > 0: for services around it that are worth their price.
    price_step_frac : float
        Least change of a price, as a share of the posted one, at which a provider posts a new one, >= 0.
    announced : Announcements, optional
        Prices that the firm has announced.
    """

    list_price_cur_per_tok: Array
    markup: float
    price_inertia: float
    price_factor: Array | None = None
    premium: Array | None = None
    price_step_frac: float = 0.0
    announced: Announcements | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply(Part):
    """What a token costs, and how short it is.

    Parameters
    ----------
    unit_cost_cur_per_tok : (m, 3, t)
        Full unit cost without learning, software and other drift in it already.
    scarcity : (s, t)
        Clearing price over posted price, >= 1; ones where supply is ample.
    learning_exponent : float
        Efficiency grows with cumulative tokens to this power, >= 0.
    """

    unit_cost_cur_per_tok: Array
    scarcity: Array
    learning_exponent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Renting(Part):
    """Device-hours that are rented: their price, their work, and who moves between the ways of having tokens served.

    Parameters
    ----------
    rent_index : (t,), optional
        Rent of the reference device-hour, the last model's price, over the one given; where rents clear.
    cloud_frac : (s, t), optional
        Share of tokens that is called for; the rest is served on machines of the buyers' own.
    brokers_frac : (t,), optional
        Share of the provider's renters' device-hours that brokers let in its place, 0..1; none by default.
    work : (s, t), optional
        Work of a rented device-hour over that at which demand is stated, > 0; ones by default, and for calls.
        Renters weigh the rent over it, and want hours for the work that they buy.
    switch : Switch, optional
        Renters who may call a model in place of serving it, and come back; nobody by default.
    """

    rent_index: Array | None = None
    cloud_frac: Array | None = None
    brokers_frac: Array | None = None
    work: Array | None = None
    switch: Switch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketInputs(Grouped):
    """Segments, list prices and unit costs.

    Parameters
    ----------
    model : (s,) int
        Index of the served model each segment calls.
    share_frac : (s,)
        The provider's share of calls.
    rivals : Rivalry, optional
        Who else sells; without them shares stand, and competition is the markup.
    adoption : Adoption
        Who could use the models, what a call is worth to them, and how fast they come.
    use : Use
        What an adopter calls, and what holds it.
    pricing : Pricing
        List prices at the start, and how a provider moves them.
    supply : Supply
        What a token costs, and how short it is.
    renting : Renting
        Device-hours that are rented: their price, their work, and who moves between the ways of having tokens served.
    """

    model: NDArray[np.int64]
    share_frac: Array
    adoption: Adoption
    use: Use
    pricing: Pricing
    supply: Supply
    renting: Renting = Renting()
    rivals: Rivalry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPath:
    """Prices and demand by quarter.

    Parameters
    ----------
    price_index : (m, t)
        Posted price of a model's token mix over the list price at the start.
    price_cur_per_tok : (m, 3, t)
        Posted price.
    call_price_cur : (s, t)
        Posted price of a call, tokens of the quarter, and what the firm is paid over it.
    paid_call_price_cur : (s, t)
        With the quarter's scarcity.
    seen_call_price_cur : (s, t)
        Price of a call that would-be adopters see: over all who sell, last quarter's scarcity in it.
    wanted_calls_per_d : (s, t)
        Calls per adopter and day before wallet and attention.
    potential_frac : (s, t)
        Share of all who could ever adopt for whom a call is worth its price.
    adopters : (s, t)
        Adopters of the whole market.
    calls_per_d : (s, t)
        The provider's calls a day, without the device-hours that brokers let.
    market_calls_per_d : (s, t)
        The whole market's.
    tokens_per_d : (s, t)
        The provider's tokens a day, input and output; 0 for rental.
    market_tokens_per_d : (s, t)
        The whole market's.
    learning : (t,)
        Efficiency from learning, 1 at the start.
    elasticity_extensive, elasticity_intensive : (s, t)
        Elasticity of adopters and of calls per adopter to the call price, each <= 0.
    renter_ways : (s, 3, t)
        Shares of the tokens of self-served segments by way (own, rent, api); zeros for others.
    switched : (s, t)
        Factor on a segment's tokens from users who came from, or went to, the other way of having them served.
    token_index : (s, t)
        Price of a token that buyers see over the start, scarcity in it; of renters, of the work of an hour.
    depth : (s, t)
        Tokens per call that answer to price, over those at the start price; in `call_price_cur` and all tokens.
    elasticity_depth : (s, t)
        Elasticity of tokens per call to the price of a token, <= 0.
    capped : (s, t) int
        What holds calls per adopter: 0 nothing, 1 the wallet, 2 attention.
    provider_price_cur_per_tok : (m, n, t)
        List price of each model's token mix at each provider, the firm first; 0 where not sold or without rivals.
    provider_share_frac : (s, n, t)
        Providers' shares of calls; 0 without rivals.
    """

    price_index: Array
    price_cur_per_tok: Array
    call_price_cur: Array
    paid_call_price_cur: Array
    seen_call_price_cur: Array
    wanted_calls_per_d: Array
    potential_frac: Array
    adopters: Array
    calls_per_d: Array
    market_calls_per_d: Array
    tokens_per_d: Array
    market_tokens_per_d: Array
    learning: Array
    elasticity_extensive: Array
    elasticity_intensive: Array
    renter_ways: Array
    switched: Array
    token_index: Array
    depth: Array
    elasticity_depth: Array
    capped: NDArray[np.int64]
    provider_price_cur_per_tok: Array
    provider_share_frac: Array
