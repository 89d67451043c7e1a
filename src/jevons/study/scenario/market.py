"""The market's section of a scenario file: segments of callers, and list prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from jevons.limits import ADOPTERS, DAY_CALLS
from jevons.study.scenario.amounts import Amount, Quantity
from jevons.study.scenario.base import (
    RENTAL,
    RENTED_USES,
    CallTokens,
    Factor,
    Fraction,
    QuarterOfDate,
    QuarterOrNone,
    Section,
    assumed,
)


class PriceSpec(Section):
    """A list price per million tokens."""

    input: Annotated[Amount, Quantity(unit="¤/Mtok", ge=0)]
    """Input tokens that are not in the cache."""
    cached: Annotated[Amount, Quantity(unit="¤/Mtok", ge=0)]
    """Input tokens read from the cache."""
    output: Annotated[Amount, Quantity(unit="¤/Mtok", gt=0)]
    """Output tokens."""


class TierSpec(Section):
    """A price beside the standard one, as for long prompts or priority; its calls cost what standard ones cost."""

    share: Fraction
    """Share of the model's tokens bought in this tier, equal in all segments; all tiers sum to at most 1."""
    factor: Annotated[Amount, Quantity(unit="1", gt=0, le=100)]
    """Price over the standard one."""


class AnnouncedPrice(PriceSpec):
    """A list price that was announced by the date of the information and begins later."""

    start: QuarterOfDate = Field(alias="from")
    """Quarter from which it is posted, such as 2025-Q3; a date means its quarter."""


class SegmentSpec(Section):
    """A kind of caller."""

    FACT_NAMES: ClassVar[Mapping[str, str]] = {
        "adopters": "adopters_potential", "value": "value_per_call_cny", "value_sigma": "value_sigma",
        "calls": "calls_per_adopter", "input_tokens": "input_tokens_per_call", "cached": "cached_frac",
        "output_tokens": "output_tokens_per_call", "tokens_growth": "tokens_growth_factor",
        "integration": "integration_year_cny", "bass_p": "bass_p", "bass_q": "bass_q", "adopted": "adopted_frac",
        "elasticity": "elasticity_intensive", "share": "provider_share_frac", "peak": "peak_frac",
        "deferrable": "deferrable_frac", "calls_growth": "calls_growth_factor", "wallet": "wallet_year_cny",
        "attention": "attention_calls_per_adopter", "buyer_tokens": "buyer_tok_per_d", "buyer_sigma": "buyer_sigma",
        "privacy": "privacy_cny_per_mtok",
    }  # fmt: skip

    facts: str = ""
    """Prefix of facts that fill what is not given."""
    label: str = ""
    """Name in tables."""
    model: str
    """Name of the served model that it calls or runs itself; `rental` for hours of a reference device."""
    use: Literal["", "calls", "self_served", "training", "reserve"] = ""
    """What it does with compute: `calls` of a model; on rented device-hours `self_served` inference with `model`,
    `training` or `reserve`. Empty: `calls`, or `reserve` for a `model: rental`.
    """
    opening: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of rented compute in revenue at the start, of renting segments; all together 1. 0 where their own numbers
    state the split.
    """
    skill: Annotated[Amount, Quantity(unit="1", gt=0, le=2)] = Amount(value=1.0, unit="1", origin="default")
    """Throughput of a renter's own serving over the modelled one, of `self_served`."""
    busy: Annotated[Amount, Quantity(unit="1", gt=0, le=1)] = Amount(value=1.0, unit="1", origin="default")
    """Busy share of its rented device-hours, of `self_served`."""
    calls_instead: str = ""
    """Segment whose calls take the place of self-served tokens, where those users call the model; empty: none do."""
    rented_share: Annotated[Amount, Quantity(unit="1", ge=0.01, le=0.99)] = assumed(
        "assumption.self_served_rented_frac"
    )
    """Share of these users' tokens that they serve on rented machines at the start; the rest they call."""
    switch: Annotated[Amount, Quantity(unit="1", ge=-20, le=0)] = Amount(value=0.0, unit="1", origin="default")
    """Elasticity of the odds of renting to its cost per token over the price of calling, negative."""
    owned_share: Annotated[Amount, Quantity(unit="1", ge=0, le=0.98)] = Amount(value=0.0, unit="1", origin="default")
    """Share of these users' tokens that they serve on machines of their own at the start; 0 where none own any. They
    choose by `buyer_tokens`, `privacy` and the terms of `market.box`.
    """
    own_switch: Annotated[Amount, Quantity(unit="1", ge=-20, le=0)] = Amount(value=0.0, unit="1", origin="default")
    """Elasticity of the odds of owning machines to their cost over that of renting them, at most `switch`."""
    work_gain: Annotated[Amount, Quantity(unit="1", gt=0)] = Amount(value=1.0, unit="1", origin="default")
    """Factor per year of work per rented device-hour from the renter's own progress, beside `serving.software_gain`."""
    depth: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of use that chooses tokens per call where their value meets their cost."""
    depth_exponent: Annotated[Amount, Quantity(unit="1", ge=0, le=0.9)] = Amount(value=0.0, unit="1", origin="default")
    """Exponent of a call's value in its tokens, a; the elasticity of chosen tokens to price is −1/(1 − a)."""
    depth_most: Annotated[Amount, Quantity(unit="1", ge=1)] = assumed("assumption.chosen_tokens_most_factor")
    """Maximum factor on chosen tokens per call, up or down: what users wait for, and context."""
    internal: bool = False
    """Whether the callers are the firm's own businesses."""
    adopters: Annotated[Amount, Quantity(unit="1", gt=0, le=ADOPTERS, why="is it a count of users or firms?")]
    """Number of firms or users that could ever adopt."""
    value: Annotated[Amount, Quantity(unit="¤", gt=0)]
    """Median value of a call to its caller."""
    value_sigma: Annotated[Amount, Quantity(unit="1", gt=0, le=6)]
    """Spread of that value over callers (standard deviation of the logarithm)."""
    calls: Annotated[Amount, Quantity(unit="1", gt=0, le=DAY_CALLS, why="is it per adopter and day?")]
    """Calls (device-hours for rental) per adopter and day at the start."""
    calls_growth: Annotated[Amount, Quantity(unit="1", gt=0)] = Amount(value=1.0, unit="1", origin="default")
    """Factor per year of calls per adopter from capability and agents, at constant price."""
    input_tokens: CallTokens = Amount(value=0.0, unit="1", origin="default")
    """Input tokens per call at the start."""
    cached: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of input tokens read from the cache."""
    output_tokens: CallTokens = Amount(value=0.0, unit="1", origin="default")
    """Output tokens per call at the start."""
    tokens_growth: Annotated[Amount, Quantity(unit="1", gt=0)] = Amount(value=1.0, unit="1", origin="default")
    """Factor per year of tokens per call (reasoning, agents, context)."""
    integration: Annotated[Amount, Quantity(unit="¤", ge=0)]
    """Cost of using the service per adopter and year, without tokens."""
    bass_p: Annotated[Amount, Quantity(unit="1", ge=0, le=1)]
    """Innovation coefficient per quarter."""
    bass_q: Annotated[Amount, Quantity(unit="1", ge=0, le=3)]
    """Imitation coefficient per quarter."""
    adopted: Annotated[Amount, Quantity(unit="1", ge=0, le=1)]
    """Share of potential adopters that use the service at the start."""
    elasticity: Annotated[Amount, Quantity(unit="1", ge=-20, le=0)]
    """Elasticity of calls per adopter to the price of a call (intensive margin), negative."""
    share: Fraction
    """Share of the segment's calls that this provider serves; of rented hours, with the brokers it competes with."""
    peak: Fraction
    """Share of a day's calls in the peak slot where both slots cost the same."""
    deferrable: Fraction
    """Share of calls that may wait within the day."""
    buyer_tokens: Annotated[Amount, Quantity(unit="tok/day", ge=0)] = Amount(
        value=0.0, unit="tok/day", origin="default"
    )
    """Tokens per day of the median organisation at the start; 0 where owning machines is no option."""
    buyer_sigma: Annotated[Amount, Quantity(unit="1", ge=0, le=4)] = assumed("assumption.buyer_size_sigma")
    """Spread of that size over organisations (standard deviation of the logarithm)."""
    privacy: Annotated[Amount, Quantity(unit="¤/Mtok", ge=0)] = Amount(value=0.0, unit="¤/Mtok", origin="default")
    """Value of keeping data in-house; an API loses all of it, a rented machine half."""
    wallet: Annotated[Amount, Quantity(unit="¤", ge=0)] = Amount(value=0.0, unit="¤", origin="default")
    """Maximum spending of an adopter on calls per year; 0 for no limit."""
    attention: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=0.0, unit="1", origin="default")
    """Maximum calls that an adopter can use per day; 0 for no limit."""

    @property
    def kind(self) -> str:
        """What the segment does with compute: a key of `USES`."""
        return self.use or ("reserve" if self.model == RENTAL else "internal" if self.internal else "calls")

    @property
    def rents(self) -> bool:
        """Whether it rents device-hours."""
        return self.kind in RENTED_USES


class RivalSpec(Section):
    """Another provider of models."""

    label: str = ""
    """Name in tables."""
    open_weights: bool = False
    """Whether it hosts open weights without a platform; such hosts form a nest and price near cost."""
    volume: Annotated[Amount, Quantity(unit="tok/day", gt=0)]
    """Tokens per day at the start; rivals share what the firm does not serve in this proportion."""
    cost: Annotated[Amount, Quantity(unit="1", gt=0)] = Amount(value=1.0, unit="1", origin="default")
    """Full unit cost over the firm's."""
    bundle: Annotated[Amount, Quantity(unit="1", ge=0, le=10)] = Amount(value=0.0, unit="1", origin="default")
    """Value to a buyer of the platform around its tokens (data services, support), as a share of their price."""
    surge: Annotated[Amount, Quantity(unit="1", ge=-5, le=5)] = Amount(value=0.0, unit="1", origin="default")
    """Growth of its tokens over the country's in the first half-year, in logarithms; it spreads with the square root of
    time, and other rivals lose what it wins.
    """
    match: Fraction | None = None
    """Share of a rival's deepest relative price cut that it follows, and of the gap to what hosts of open weights allow
    that it closes in a quarter; `market.providers.match` where not given.
    """
    inertia: Fraction | None = None
    """Share of the gap to its price that it leaves after a quarter; `host_inertia` for hosts of open weights and
    `price_inertia` for others where not given.
    """
    step: Annotated[Amount | None, Quantity(unit="1", ge=0, le=2)] = None
    """Minimum change at which it posts a new list price, as a share of the posted one; `price_step` where not given."""
    capex: Annotated[Amount, Quantity(unit="¤", ge=0)] = Amount(value=0.0, unit="¤", origin="default")
    """Capital expenditure a year, from which it can buy chips that the firm leaves; 0 where none is known."""
    prices: dict[str, PriceSpec] = Field(min_length=1)
    """List price of its model that competes with each served model; omit a model without a match."""


class ProvidersSpec(Section):
    """Rival providers, and how buyers move between them."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {
        "least_elasticity": "assumption.least_provider_elasticity",
        "response": "assumption.rival_chip_response_frac",
        "share_elasticity": "assumption.provider_share_elasticity",
        "nesting": "assumption.provider_nesting",
        "share_inertia": "assumption.provider_share_inertia",
        "match": "assumption.price_match_frac",
    }

    label: str = "the firm"
    """Name of the firm itself in tables."""
    surge: Annotated[Amount, Quantity(unit="1", ge=-5, le=5)] = Amount(value=0.0, unit="1", origin="default")
    """Growth of the odds of the firm's share of calls in the first half-year beside what prices do, in logarithms: an
    app's launch, a free product, a bundle. It spreads with the square root of time, and rivals lose what the firm wins.
    """
    rivals: dict[str, RivalSpec] = Field(default_factory=dict)
    """Rivals by name; without any, shares are fixed and `markup` stands for competition."""
    response: Fraction
    """Share of their capital expenditure that rivals can turn to chips that the firm leaves."""
    share_elasticity: Annotated[Amount, Quantity(unit="1", ge=-50, le=-1.5)]
    """Elasticity of a small provider's volume to its own price once buyers have moved, negative."""
    least_elasticity: Annotated[Amount, Quantity(unit="1", ge=-50, le=-1.01)]
    """Minimum elasticity of its own volume that a provider assumes, negative."""
    nesting: Annotated[Amount, Quantity(unit="1", gt=0, le=1)]
    """Dissimilarity of providers within a nest: 1 for none, near 0 for interchangeable ones."""
    bundle: Annotated[Amount, Quantity(unit="1", ge=0, le=10)] = Amount(value=0.0, unit="1", origin="default")
    """Value to a buyer of the platform around the firm's tokens, as a share of their price."""
    bundle_growth: Annotated[Amount, Quantity(unit="1", ge=-0.9, le=3)] = Amount(value=0.0, unit="1", origin="default")
    """Change of the value of all bundles per year, a fraction."""
    share_inertia: Fraction
    """Share of the gap to the equilibrium shares that remains after a quarter."""
    match: Fraction
    """Share of a rival's deepest relative price cut that a provider follows, down to its own cost."""
    host_inertia: Fraction | None = None
    """Share of the gap to their price that hosts of open weights leave after a quarter; `price_inertia` where not
    given.
    """
    match_lag: Annotated[Amount, Quantity(unit="quarter", ge=1, le=12)] = Amount(
        value=1.0, unit="quarter", origin="default"
    )
    """Quarters until a provider follows."""


class BoxSpec(Section):
    """Machine that an organisation may buy, or rent whole, instead of calling an API."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {
        "spread": "assumption.machine_choice_spread",
    }

    FACT_NAMES: ClassVar[Mapping[str, str]] = {
        "life": "life_y", "staff": "staff_cny_per_y", "utilisation": "utilisation_frac",
    }  # fmt: skip

    facts: str = ""
    """Prefix of facts that fill what is not given."""
    devices: Annotated[Amount, Quantity(unit="1", ge=1)] = Amount(value=8.0, unit="1", origin="default")
    """Number of accelerators, of the kind `rental_device`."""
    price: Annotated[Amount, Quantity(unit="¤", gt=0)]
    """Purchase price, with the seller's margin and software."""
    life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years over which the machine is written off."""
    staff: Annotated[Amount, Quantity(unit="¤/y", ge=0)]
    """Cost of the staff who run it, per year."""
    utilisation: Annotated[Amount, Quantity(unit="1", gt=0, le=1)]
    """Mean load over the maximum load within the latency limits."""
    spread: Annotated[Amount, Quantity(unit="1", gt=0)]
    """Spread of unmodelled preferences in the choice, as a share of yearly cost."""


class BrokersSpec(Section):
    """Decisions of brokers who rent out accelerators; `hardware.devices` states their stock."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {
        "carry": "assumption.broker_carry_frac",
        "extrapolation": "assumption.broker_extrapolation",
        "hoard": "assumption.broker_hoard_frac",
        "debt": "assumption.broker_debt_frac",
        "interest": "assumption.broker_interest_frac",
        "term": "assumption.broker_term_y",
    }

    carry: Annotated[Amount, Quantity(unit="1", gt=0, le=1)]
    """Cost of holding a device idle for a quarter, as a share of the rent under a lease."""
    extrapolation: Annotated[Amount, Quantity(unit="1", ge=0, le=2)]
    """Expected change of a chip's rent over its change in the last quarter."""
    hoard: Annotated[Amount, Quantity(unit="1", ge=0, le=0.95)]
    """Maximum share of the stock that brokers can withhold in a quarter; the rest is under lease."""
    start_rise: Annotated[Amount, Quantity(unit="1", ge=-0.9, le=3)] = Amount(value=0.0, unit="1", origin="default")
    """Expected rise of rents by the next quarter in the first two quarters, a fraction."""
    debt: Annotated[Amount, Quantity(unit="1", ge=0, le=0.95)]
    """Share of a device's price that brokers borrow."""
    interest: Annotated[Amount, Quantity(unit="1", ge=0, le=1)]
    """Interest on their loans per year, a fraction."""
    term: Annotated[Amount, Quantity(unit="y", gt=0, le=20)]
    """Time over which they pay a loan back."""
    entry: Annotated[Amount, Quantity(unit="1", ge=0, le=10)] = Amount(value=0.0, unit="1", origin="default")
    """Maximum number of devices that brokers buy in a quarter on expectations, over the firm's supply of the kind."""


class MacroSpec(Section):
    """Feedback through the economy: diffusion raises productivity, which raises incomes, which raise demand."""

    productivity: Annotated[Amount, Quantity(unit="1", ge=0, le=1)] = Amount(value=0.0, unit="1", origin="default")
    """Rise of total factor productivity when all who could use models do, a fraction; 0 for no feedback."""
    income_elasticity: Annotated[Amount, Quantity(unit="1", ge=0, le=5)] = Amount(value=1.0, unit="1", origin="default")
    """Elasticity of calls per user to income, prices equal."""


class ContractSpec(Section):
    """A customer's contract for device-hours, of which a part is paid whether it is used or not."""

    label: str = ""
    """Name in tables, such as the customer's."""
    segment: str
    """Rented segment whose hours it takes."""
    backlog: Annotated[Amount, Quantity(unit="¤", gt=0)]
    """Revenue that it has still to bring at the start of the plan."""
    start: QuarterOrNone = ""
    """First quarter of delivery, such as 2025-Q4; empty for the start of the plan."""
    term: Annotated[Amount, Quantity(unit="quarter", ge=1, le=80)]
    """Time over which it is delivered from then on."""
    ramp: Annotated[Amount, Quantity(unit="quarter", ge=1, le=40)] = Amount(value=1.0, unit="quarter", origin="default")
    """Quarters over which deliveries rise in equal steps to their full size."""
    take_or_pay: Fraction = Amount(value=1.0, unit="1", origin="default")
    """Share that is paid in any case; the rest is taken only while the market's rent is no lower than `rate`."""
    rate: Annotated[Amount, Quantity(unit="¤/h", ge=0)] = Amount(value=0.0, unit="¤/h", origin="default")
    """Price of a reference device-hour; 0 for `rental_price` times `cloud_premium`."""
    prepaid: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of the backlog paid in advance: before the plan, or in the first quarter of a later start."""


class MarketSpec(Section):
    """Demand and prices."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {
        "price_step": "assumption.list_price_step_frac",
        "rental_price": "assumption.rental_price_cny_per_h",
        "rental_substitution": "assumption.rental_substitution",
        "rental_tight": "assumption.rental_tight_frac",
        "rental_least_let": "assumption.rental_least_let_frac",
        "rental_steepness": "assumption.rental_steepness",
        "rental_sag": "assumption.rental_sag",
        "rental_elasticity": "assumption.rental_work_elasticity",
        "rental_reversion": "assumption.rent_reversion_frac",
        "rental_decay": "assumption.rent_decay_frac",
    }

    provider_elasticity: Annotated[Amount, Quantity(unit="1", ge=-50, le=-0.01)]
    """Elasticity of one provider's volume to its price premium over rivals, negative."""
    elasticity_scale: Factor = Amount(value=1.0, unit="1", origin="default")
    """Common factor on all segments' intensive elasticities, since their errors are correlated."""
    value_scale: Factor = Amount(value=1.0, unit="1", origin="default")
    """Common factor on all segments' values per call."""
    integration_growth: Annotated[Amount, Quantity(unit="1", ge=-0.9, le=3)] = Amount(
        value=0.0, unit="1", origin="default"
    )
    """Change of all segments' integration costs per year as tool chains mature, a fraction."""
    markup: Annotated[Amount, Quantity(unit="1", gt=0)]
    """Price over full unit cost at which hosts of open weights enter; without rivals, the competitive markup."""
    price_inertia: Fraction
    """Share of the gap to the target price that remains after a quarter."""
    price_step: Annotated[Amount, Quantity(unit="1", ge=0, le=0.9)]
    """Minimum change at which a provider posts a new list price, as a share of the posted one; 0 for any."""
    slot_substitution: Annotated[Amount, Quantity(unit="1", ge=-20, le=0)] = Amount(
        value=0.0, unit="1", origin="default"
    )
    """Elasticity of substitution between peak and off-peak calls that cannot wait; with 0 a discount moves no call."""
    peak_hours: Annotated[Amount, Quantity(unit="h", gt=0, le=23)]
    """Hours of the day's peak slot."""
    rental_device: str = "h100_sxm"
    """Device whose hours rental segments count."""
    rental_utilisation: Annotated[Amount, Quantity(unit="1", gt=0, le=1)]
    """Maximum share of rentable device-hours that is let."""
    rental_price: Annotated[Amount, Quantity(unit="¤/h", gt=0)]
    """Rent of the reference device-hour at which rental segments have their stated demand."""
    cloud_premium: Annotated[Amount, Quantity(unit="1", gt=0, le=20)] = Amount(value=1.0, unit="1", origin="default")
    """Firm's price of a let device-hour over the rent of a bare one (platform, storage, network, contract)."""
    call_platform: Annotated[Amount, Quantity(unit="1", ge=0, le=10)] = Amount(value=0.0, unit="1", origin="default")
    """Revenue of platform services (data, tools, support) per unit of revenue from outside calls."""
    rental_substitution: Annotated[Amount, Quantity(unit="1", ge=-50, le=-0.1)]
    """Elasticity of the demand for one chip to its rent, other rents equal, negative."""
    rental_tight: Annotated[Amount, Quantity(unit="1", ge=0.1, le=0.98)]
    """Share of a chip's stock that is let when its rent covers full cost."""
    rental_least_let: Annotated[Amount, Quantity(unit="1", ge=0.01, le=0.98)]
    """Let share below which the firm brings no more of its free machines to renters; what it has brought stays."""
    rental_steepness: Annotated[Amount, Quantity(unit="1", gt=0)]
    """Steepness of rent beyond that share (κ in the explanation of the market)."""
    rental_sag: Annotated[Amount, Quantity(unit="1", gt=0, le=5)]
    """Power with which the price of renters' work sinks towards running cost below that share."""
    rental_rush: Annotated[Amount, Quantity(unit="1", ge=0, le=10)] = Amount(value=0.0, unit="1", origin="default")
    """Work that renters who serve models want on top at the start, over the stated one: trials and stock after an
    event, which pass.
    """
    rush_half_life: Annotated[Amount, Quantity(unit="quarter", gt=0)] = Amount(
        value=1.0, unit="quarter", origin="default"
    )
    """Quarters in which half of that rush is gone."""
    rental_training: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of renters' work at the start that is training, tuning and reading of prompts (compute-bound), at the
    prices of the best chip on sale; the rest is answers (memory-bound).
    """
    rental_training_growth: Annotated[Amount, Quantity(unit="1", ge=-0.95, le=20)] = Amount(
        value=0.0, unit="1", origin="default"
    )
    """Growth per year of that work over answers, a fraction."""
    rental_elasticity: Annotated[Amount, Quantity(unit="1", ge=-10, le=-0.05)]
    """Elasticity of the work in one use to its price within a quarter, negative."""
    rental_reversion: Annotated[Amount, Quantity(unit="1", ge=0, le=0.99)]
    """Share of the gap between a rent and that without glut or shortage which contracts expect to close in a year."""
    rental_decay: Annotated[Amount, Quantity(unit="1", ge=0, le=0.9)]
    """Expected fall of a chip's rent per year as better chips come, in contracts and resale values, a fraction."""
    brokers: BrokersSpec = Field(default_factory=dict, validate_default=True)
    """Brokers who compete for the firm's renters with the stock in `hardware.devices.NAME.brokers`."""
    national: Annotated[Amount, Quantity(unit="tok/day", ge=0)] = Amount(value=0.0, unit="tok/day", origin="default")
    """Tokens per day of the whole market at the start; calls of all segments are scaled to it. 0 for no scaling."""
    ai_revenue_share: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of AI products in cloud revenue in the quarter before the start; the rented uses open at what calls leave
    of it, split by their `opening`. 0: they open at their own numbers.
    """
    ai_revenue_growth: Annotated[Amount, Quantity(unit="1", ge=-0.9, le=10)] = Amount(
        value=0.0, unit="1", origin="default"
    )
    """Growth of AI revenue per year, a fraction; a quarter of it falls in the first quarter."""
    providers: ProvidersSpec = Field(default_factory=dict, validate_default=True)
    """Rivals."""
    macro: MacroSpec = MacroSpec()
    """Feedback through productivity and income; none by default."""
    contracts: dict[str, ContractSpec] = Field(default_factory=dict)
    """Customers' contracts for device-hours by name; none by default."""
    box: BoxSpec | None = None
    """Machine that buyers may own instead; segments with `buyer_tokens` choose by cost. Without it, all use
    the cloud.
    """
    segments: dict[str, SegmentSpec] = Field(min_length=1)
    """Segments by name."""
