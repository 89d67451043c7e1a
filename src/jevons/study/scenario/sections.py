"""The sections of a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from jevons.limits import DEVICE_PRICE
from jevons.study.scenario.amounts import Amount, Quantity
from jevons.study.scenario.base import Accelerators, Factor, Fraction, QuarterOfDate, QuarterOrNone, Section
from jevons.study.scenario.market import AnnouncedPrice, PriceSpec, TierSpec


class FirmSpec(Section):
    """The firm whose plan it is; what is published of it is found by its prefix of facts."""

    name: str = ""
    """Name in tables, such as Alibaba."""
    share: str = "share"
    """Kind of share that `finance.share_price` is the price of, such as ADS."""
    facts: str = ""
    """Prefix of the facts about it, such as `alibaba`; without one, past results and re-ratings are left out."""
    basket: str = ""
    """Fact that holds the level of a basket of like shares, such as `basket.china_internet.level_usd`."""
    published: dict[str, list[str]] = Field(default_factory=dict)
    """Facts that publish what a plan forecasts, by series as in `jevons track`, such as `group_capex: [ID]`."""


class SiteSpec(Section):
    """A place with power."""

    FACT_NAMES: ClassVar[Mapping[str, str]] = {
        "tariff": "tariff_cny_per_kwh", "pue": "pue", "build": "build_cny_per_w", "carbon": "carbon_kgco2_per_kwh",
    }  # fmt: skip

    facts: str = ""
    """Prefix of facts that fill what is not given."""
    label: str = ""
    """Name in tables."""
    tariff: Annotated[Amount, Quantity(unit="¤/kWh", ge=0)]
    """Price of electricity, delivered."""
    pue: Annotated[Amount, Quantity(unit="1", ge=1, why="facility energy over IT energy")]
    """Facility energy over IT energy."""
    build: Annotated[Amount, Quantity(unit="¤/W", ge=0)]
    """Building, power and cooling per watt of IT load."""
    carbon: Annotated[Amount, Quantity(unit="kgCO2/kWh", ge=0)]
    """Carbon intensity of the supply."""
    power: Annotated[Amount, Quantity(unit="W", ge=0)]
    """IT power for accelerators at the start."""
    limit: Annotated[Amount, Quantity(unit="W", ge=0)]
    """IT power the site may reach."""
    build_rate: Annotated[Amount, Quantity(unit="W/quarter", ge=0)]
    """IT power the site can add in a quarter."""
    lease: Annotated[Amount, Quantity(unit="¤/W/y", ge=0)] = Amount(value=0.0, unit="¤/W/y", origin="default")
    """Rent of the site per watt of IT load in service, where it is leased; `build` is then the firm's own fit-out."""
    block: Annotated[Amount, Quantity(unit="W", ge=0)] = Amount(value=0.0, unit="W", origin="default")
    """IT power that the site adds only in whole multiples, such as one building; 0 for any amount."""


class DeviceSpec(Section):
    """An accelerator that can be bought or is installed."""

    price: Annotated[Amount, Quantity(unit="¤", gt=0, le=DEVICE_PRICE, why="is it the price of one?")]
    """Price of a device with its share of the server, at the start."""
    price_growth: Annotated[Amount, Quantity(unit="1", ge=-0.9, le=3)] = Amount(value=0.0, unit="1", origin="default")
    """Change of the price per year, a fraction."""
    supply: Accelerators = Amount(value=0.0, unit="1", origin="default")
    """Devices that can be ordered in the first quarter."""
    supply_growth: Annotated[Amount, Quantity(unit="1", ge=-1, le=20)] = Amount(value=0.0, unit="1", origin="default")
    """Growth per year, a fraction."""
    supply_from: QuarterOrNone = ""
    """First quarter of supply, such as 2025-Q4; empty for the start."""
    ban_probability: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Probability of an export ban from `ban_from` on."""
    ban_from: QuarterOrNone = ""
    """First quarter without supply if the ban comes."""
    installed: Accelerators = Amount(value=0.0, unit="1", origin="default")
    """Devices in service at the start."""
    installed_age: Annotated[Amount, Quantity(unit="quarter", ge=0)] = Amount(
        value=0.0, unit="quarter", origin="default"
    )
    """Mean age of the installed devices at the start."""
    arriving: Accelerators = Amount(value=0.0, unit="1", origin="default")
    """Devices paid for before the start that enter service later."""
    arriving_over: Annotated[Amount, Quantity(unit="quarter", ge=1)] = Amount(
        value=1.0, unit="quarter", origin="default"
    )
    """Quarters over which they enter service in equal parts, from the first quarter on."""
    committed: Accelerators = Amount(value=0.0, unit="1", origin="default")
    """Devices per quarter that contracts commit the firm to order, up to the supply; a ban voids them."""
    committed_until: QuarterOrNone = ""
    """Last quarter of these commitments; empty for the end of the plan."""
    software: Factor = Amount(value=1.0, unit="1", origin="default")
    """Speed of its software stack over a mature one."""
    lead: Annotated[Amount, Quantity(unit="quarter", ge=0)] = Amount(value=1.0, unit="quarter", origin="default")
    """Time from order to service."""
    brokers: Accelerators = Amount(value=0.0, unit="1", origin="default")
    """Devices that brokers hold at the start and offer to the firm's renters."""
    brokers_growth: Annotated[Amount, Quantity(unit="1", ge=-1, le=20)] = Amount(value=0.0, unit="1", origin="default")
    """Growth per year, a fraction."""


class HardwareSpec(Section):
    """What can be built, and where."""

    sites: dict[str, SiteSpec] = Field(min_length=1)
    """Sites by name."""
    devices: dict[str, DeviceSpec] = Field(min_length=1)
    """Accelerators by fact id (`h20`, `ascend_910c`)."""


class ServedModel(Section):
    """A model that segments call."""

    architecture: str = ""
    """Model whose architecture is computed: a shipped name, or the path of a config.json; empty for the
    entry's own name.
    """
    label: str = ""
    """Name in tables."""
    precision: str = "fp8_block"
    """Precision of the weights; devices without it fall back to bf16 or int8."""
    open_weights: bool = False
    """Whether anybody may host it: then no provider can ask more than the cheapest host and the value of its bundle."""
    price: PriceSpec
    """List price at the start."""
    announced: list[AnnouncedPrice] = Field(default_factory=list)
    """Prices announced for later quarters, in order of date. Each is posted in its quarter; competition
    moves the price afterwards.
    """
    tiers: dict[str, TierSpec] = Field(default_factory=dict)
    """Tiers beside the standard price, by name; the remaining tokens are bought at the standard price."""
    batch_discount: Annotated[Amount, Quantity(unit="1", ge=0, le=0.95)] = Amount(value=0.0, unit="1", origin="default")
    """Discount of calls that may wait within the day."""
    off_peak_discount: Annotated[Amount, Quantity(unit="1", ge=0, le=0.95)] = Amount(
        value=0.0, unit="1", origin="default"
    )
    """Discount of other calls outside the peak slot."""
    tpot: Annotated[Amount, Quantity(unit="s", gt=0)] = Amount(value=0.05, unit="s", origin="default")
    """Limit on time per output token."""
    ttft: Annotated[Amount, Quantity(unit="s", gt=0)] = Amount(value=10.0, unit="s", origin="default")
    """Limit on time to first token without queueing."""
    most_devices: int = Field(32, ge=1, le=1024, strict=True)
    """Maximum devices of one replica."""


class ServingSpec(Section):
    """How models are served."""

    engine: str = "sglang"
    """Engine, as `jevons engines` lists them, such as `vllm` or `vllm@0.13`."""
    models: dict[str, ServedModel] = Field(default_factory=dict)
    """Served models by name; none where the firm rents out machines alone."""
    utilisation_cap: Annotated[Amount, Quantity(unit="1", ge=1e-6, le=1)]
    """Maximum busy share of a slot within the latency limits."""
    availability: Annotated[Amount, Quantity(unit="1", ge=1e-6, le=1)]
    """Share of device-hours without failure or maintenance."""
    software_gain: Annotated[Amount, Quantity(unit="1", gt=0)]
    """Growth factor of tokens per device-second per year, all else equal."""
    learning_exponent: Annotated[Amount, Quantity(unit="1", ge=0, le=1)]
    """Extra efficiency per logarithm of cumulative tokens (0.1: 7 % a doubling)."""
    engineering_error: Factor = Amount(value=1.0, unit="1", origin="default")
    """True over modelled device-seconds per call."""
    calibrated_error: Factor = Amount(value=1.0, unit="1", origin="default")
    """Engineering error at which rented uses have their stated demand; give it where `engineering_error` is."""
    efficiency: Factor = Amount(value=1.0, unit="1", origin="default")
    """Useful work per device-second over the modelled one, of every use; the Jevons experiment doubles it."""


class CostSpec(Section):
    """What a device-hour costs."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {"load": "assumption.load_frac"}

    wacc: Annotated[Amount, Quantity(unit="1", gt=0, le=1)]
    """Weighted average cost of capital a year, nominal."""
    economic_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years over which a device must earn its price; not its accounting life."""
    service_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years from entry into service to retirement."""
    site_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Economic life of buildings, power and cooling."""
    network: Fraction
    """Network and storage as a share of the devices' price."""
    operations: Fraction
    """Staff, spares and maintenance a year as a share of the devices' price."""
    load: Fraction
    """Mean power of a device at work over its power at full load."""


class TrainingReserve(Section):
    """Compute reserved for training the firm's own models."""

    device: str = "h100_sxm"
    """Device in whose peak the reserve is counted."""
    devices: Accelerators = Amount(value=0.0, unit="1", origin="default")
    """Reserve at the start, in such devices."""
    growth: Annotated[Amount, Quantity(unit="1", ge=-1, le=10)] = Amount(value=0.0, unit="1", origin="default")
    """Growth a year, a fraction."""
    cluster: Accelerators = Amount(value=0.0, unit="1", origin="default")
    """Size of a training cluster, all of one kind on one site, built whole or not at all; 0 for none."""
    cluster_worth: Annotated[Amount, Quantity(unit="¤/quarter", ge=0)] = Amount(
        value=0.0, unit="¤/quarter", origin="default"
    )
    """Value of that cluster to the firm per quarter, beside its share in the reserve."""


class LineSpec(Section):
    """A budget line beside AI infrastructure, described by its returns."""

    label: str = ""
    """Name in tables."""
    share: Fraction
    """Share of the budget that AI infrastructure leaves; all lines sum to at most 1."""
    first_return: Annotated[Amount, Quantity(unit="1", ge=0, le=10)]
    """After-tax cash per year for each unit of the first money spent; it falls linearly to zero over the life."""
    scale: Annotated[Amount, Quantity(unit="¤", gt=0)]
    """Spending at which the return of further money has halved."""
    lag: Annotated[Amount, Quantity(unit="y", ge=0)]
    """Years from spending to the first cash."""
    life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years over which the cash flows."""


class FutureSpec(Section):
    """One outcome of something that the planner does not know when it orders."""

    probability: Fraction
    """Probability; those of one event sum to 1."""
    factor: Annotated[Amount, Quantity(unit="1", gt=0, le=100)] = Amount(value=1.0, unit="1", origin="default")
    """Demand or supply over the central path from the quarter in which it shows."""


class TreeSpec(Section):
    """What the planner does not know when it orders, beside export bans; none of it is known by default."""

    demand: dict[str, FutureSpec] = Field(default_factory=dict)
    """Outcomes of demand by name; only the central path where empty."""
    supply: dict[str, FutureSpec] = Field(default_factory=dict)
    """Outcomes of chip supply by name; only the central path where empty."""
    shows: int = Field(4, ge=1, le=80, strict=True)
    """Quarters after the start in which demand and supply show; bans show in their own quarter."""


class ExpansionSpec(Section):
    """Budget, foresight and other limits of building."""

    budget: Annotated[Amount, Quantity(unit="¤", ge=0)]
    """Capital expenditure over all quarters of the plan."""
    budget_quarters: int = Field(12, ge=1, le=80, strict=True)
    """Quarters over which the budget is released."""
    budget_first: Annotated[Amount, Quantity(unit="¤", ge=0)]
    """Release in the first quarter, at most the budget; later releases follow a straight line to the total."""
    execution: Annotated[Amount, Quantity(unit="1", gt=0, le=3)] = Amount(value=1.0, unit="1", origin="default")
    """Spending over the budget, as announced plans turn out."""
    ai_share: Fraction
    """Share of the budget for AI servers and the sites they stand in."""
    paid_ahead: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of released money waiting for chips that is paid ahead: deposits, land, storage, CPU servers."""
    decides: Literal["tree", "central"] = "tree"
    """`tree`: orders are made before it shows whether a ban comes and how demand and supply turn out, and corrected
    after; `central`: for the central path alone, as if it were known.
    """
    tree: TreeSpec = TreeSpec()
    """What is not known when orders are made."""
    risk_weight: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Weight of the worst outcomes beside the expectation; 0 for a risk-neutral planner."""
    risk_tail: Annotated[Amount, Quantity(unit="1", gt=0, le=1)] = Amount(value=0.2, unit="1", origin="default")
    """Probability of the outcomes that count as worst."""
    training: TrainingReserve = TrainingReserve()
    """Reserve for training; none by default."""
    foresight: Literal["perfect", "rolling", "myopic"] = "perfect"
    """Foresight of the planner."""
    market_power: bool = False
    """Whether the planner counts the effect of volume on its own price."""
    step: Literal["quarter", "month"] = "quarter"
    """Step of time in which orders and retirements are decided; market and accounts stay in quarters."""
    lines: dict[str, LineSpec] = Field(default_factory=dict)
    """Other budget lines by name; none where the plan is infrastructure alone."""
    look_beyond: int = Field(4, ge=0, le=40, strict=True)
    """Quarters after the plan that the planner includes: one along the last trend, then level. With 0, the
    last orders count at their terminal value alone.
    """
    retirement: Literal["economic", "life"] = "economic"
    """`economic`: devices leave once they earn less than they and their power cost; `life`: at the end of
    their life.
    """


class LoanSpec(Section):
    """Debt of the firm at the start."""

    label: str = ""
    """Name in tables."""
    balance: Annotated[Amount, Quantity(unit="¤", ge=0)]
    """Owed at the start; part of `finance.net_cash` already."""
    rate: Annotated[Amount, Quantity(unit="1", ge=0, le=1)]
    """Interest per year, a fraction."""
    matures: QuarterOfDate
    """Quarter of the last repayment, such as 2030-Q2."""
    repaid: Literal["evenly", "at_end"] = "at_end"
    """`evenly`: in equal parts to the end; `at_end`: whole, in the last quarter."""


class SeasonSpec(Section):
    """Season of the cloud's revenue without AI: each calendar quarter over the trend."""

    q1: Annotated[Amount, Quantity(unit="1", gt=0, le=4)] = Amount(value=1.0, unit="1", origin="default")
    """January to March."""
    q2: Annotated[Amount, Quantity(unit="1", gt=0, le=4)] = Amount(value=1.0, unit="1", origin="default")
    """April to June."""
    q3: Annotated[Amount, Quantity(unit="1", gt=0, le=4)] = Amount(value=1.0, unit="1", origin="default")
    """July to September."""
    q4: Annotated[Amount, Quantity(unit="1", gt=0, le=4)] = Amount(value=1.0, unit="1", origin="default")
    """October to December."""

    def factors(self, first: str, quarters: int) -> list[float]:
        """Return revenue over its trend for *quarters* quarters from *first*, such as 2025-Q1."""
        by_quarter = [each.value for each in (self.q1, self.q2, self.q3, self.q4)]
        return [by_quarter[(int(first[-1]) - 1 + i) % 4] for i in range(quarters)]


class FinanceSpec(Section):
    """Accounts and value."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {
        "opening_book": "assumption.opening_book_frac",
        "base_least": "assumption.least_cloud_frac",
        "rest_years": "assumption.rest_growth_y",
        "fade_years": "assumption.fade_y",
        "rest_return": "assumption.rest_return_frac",
    }

    tax: Fraction
    """Tax on operating profit."""
    accounting_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Straight-line life of servers in the accounts."""
    building_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Straight-line life of buildings, power and cooling."""
    overhead: Fraction
    """Research, selling and administration as a share of AI revenue."""
    reinvested: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of AI's operating profit above `base_margin` that staff, research and discounts take up."""
    prepaid: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Share of a quarter's devices that is paid a quarter before they are ordered."""
    base_revenue: Annotated[Amount, Quantity(unit="¤", gt=0)]
    """Quarterly revenue of the cloud at the start, AI included."""
    base_growth: Annotated[Amount, Quantity(unit="1", ge=-0.5, le=1)] = Amount(value=0.0, unit="1", origin="default")
    """Growth of non-AI cloud revenue per year, a fraction."""
    season: SeasonSpec | None = None
    """Season of non-AI cloud revenue; `base_revenue` is then that of the quarter before the start. Accounts and value
    follow the trend, what is reported by quarter has the season.
    """
    base_margin: Annotated[Amount, Quantity(unit="1", ge=-1, le=1)] = Amount(value=0.0, unit="1", origin="default")
    """EBITA margin of non-AI cloud revenue."""
    base_capital: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=1.0, unit="1", origin="default")
    """Capital invested per unit of currency of added yearly non-AI revenue."""
    base_least: Fraction
    """Minimum non-AI share of cloud revenue at the start."""
    opening_book: Fraction
    """Book value of buildings and power at the start over their cost when new."""
    rest_ebita: Annotated[Amount, Quantity(unit="¤")] = Amount(value=0.0, unit="¤", origin="default")
    """Yearly EBITA of the rest of the group."""
    rest_growth: Annotated[Amount, Quantity(unit="1", ge=-0.5, le=0.5)] = Amount(value=0.0, unit="1", origin="default")
    """Growth of that EBITA per year for `rest_years`, a fraction."""
    rest_years: Annotated[Amount, Quantity(unit="y", ge=1, le=40)]
    """Years of growth at `rest_growth`; afterwards at the lower of `rest_growth` and `terminal_growth`."""
    rest_return: Annotated[Amount, Quantity(unit="1", gt=0)]
    """After-tax return on the capital that growth of the rest needs."""
    net_cash: Annotated[Amount, Quantity(unit="¤")]
    """Cash and liquid investments less debt."""
    debt: dict[str, LoanSpec] = Field(default_factory=dict)
    """Loans and notes by name; with them the group's cash statement keeps cash and debt apart."""
    new_debt_rate: Annotated[Amount, Quantity(unit="1", ge=0, le=1)] = Amount(value=0.0, unit="1", origin="default")
    """Interest per year on what is raised; 0 for the mean of `debt`."""
    stakes: Annotated[Amount, Quantity(unit="¤", ge=0)] = Amount(value=0.0, unit="¤", origin="default")
    """Value of stakes in other firms."""
    owner_returns: Annotated[Amount, Quantity(unit="¤", ge=0)] = Amount(value=0.0, unit="¤", origin="default")
    """Planned buybacks and dividends per year, paid while net cash lasts."""
    shares: Annotated[Amount, Quantity(unit="1", ge=1, why="a firm has at least one")]
    """Shares outstanding, of the kind whose price is `share_price`; see `firm.share`."""
    share_price: Annotated[Amount, Quantity(unit="¤", gt=0)]
    """Price of a share at the date."""
    after_growth: Annotated[Amount, Quantity(unit="1", ge=-0.5, le=1)]
    """Growth of AI revenue in the year after the plan, a fraction; it fades over `fade_years`."""
    fade_years: Annotated[Amount, Quantity(unit="y", ge=1, le=40)]
    """Years after the plan over which growth and margin fade to their terminal values."""
    terminal_growth: Annotated[Amount, Quantity(unit="1", ge=-0.1, le=0.08)]
    """Perpetual growth after the fade, a fraction."""
    terminal_margin: Annotated[Amount, Quantity(unit="1", ge=0, le=0.9)]
    """EBITA margin of the cloud when mature."""
    capital_per_revenue: Annotated[Amount, Quantity(unit="1", gt=0)]
    """Invested capital per unit of currency of yearly cloud revenue when mature."""


class Correlation(Section):
    """A rank correlation between two uncertain amounts."""

    between: tuple[str, str]
    """Two paths, such as `serving.software_gain`."""
    rank: Annotated[Amount, Quantity(unit="1", ge=-0.99, le=0.99)]
    """Spearman's coefficient."""


class StudySpec(Section):
    """Treatment of uncertainty."""

    draws: int = Field(64, ge=0, le=100_000, strict=True)
    """Monte Carlo draws of the whole chain."""
    correlations: list[Correlation] = Field(default_factory=list)
    """Rank correlations; amounts not named are independent."""
