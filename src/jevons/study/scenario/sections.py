"""The sections of a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from jevons.study.scenario.amounts import Amount, Quantity
from jevons.study.scenario.base import Fraction, QuarterOrNone, Section
from jevons.study.scenario.market import AnnouncedPrice, PriceSpec, TierSpec


class SiteSpec(Section):
    """A place with power."""

    FACT_NAMES: ClassVar[Mapping[str, str]] = {
        "tariff": "tariff_cny_per_kwh", "pue": "pue", "build": "build_cny_per_w", "carbon": "carbon_kgco2_per_kwh",
    }  # fmt: skip

    facts: str = ""
    """Prefix of facts that fill what is not given."""
    label: str = ""
    """Name in tables."""
    tariff: Annotated[Amount, Quantity(unit="CNY/kWh", ge=0)]
    """Price of electricity, delivered."""
    pue: Annotated[Amount, Quantity(unit="1", ge=1, why="facility energy over IT energy")]
    """Facility energy over IT energy."""
    build: Annotated[Amount, Quantity(unit="CNY/W", ge=0)]
    """Building, power and cooling per watt of IT load."""
    carbon: Annotated[Amount, Quantity(unit="kgCO2/kWh", ge=0)]
    """Carbon intensity of the supply."""
    power: Annotated[Amount, Quantity(unit="W", ge=0)]
    """IT power for accelerators at the start."""
    limit: Annotated[Amount, Quantity(unit="W", ge=0)]
    """IT power the site may reach."""
    build_rate: Annotated[Amount, Quantity(unit="W/quarter", ge=0)]
    """IT power the site can add in a quarter."""
    block: Annotated[Amount, Quantity(unit="W", ge=0)] = Amount(value=0.0, unit="W", origin="default")
    """IT power that the site adds only in whole multiples, such as one building; 0 for any amount."""


class DeviceSpec(Section):
    """An accelerator that can be bought or is installed."""

    price: Annotated[Amount, Quantity(unit="CNY", gt=0)]
    """Per device with its share of the server, at the start."""
    price_growth: Annotated[Amount, Quantity(unit="1", ge=-0.9, le=3)] = Amount(value=0.0, unit="1", origin="default")
    """Change of the price a year, a fraction."""
    supply: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=0.0, unit="1", origin="default")
    """Devices that can be ordered in the first quarter."""
    supply_growth: Annotated[Amount, Quantity(unit="1", ge=-1, le=20)] = Amount(value=0.0, unit="1", origin="default")
    """Growth of that number a year, a fraction."""
    supply_from: QuarterOrNone = ""
    """First quarter of supply, such as 2025-Q4; empty for the start."""
    ban_probability: Fraction = Amount(value=0.0, unit="1", origin="default")
    """Probability that exports of the device are barred from `ban_from` on."""
    ban_from: QuarterOrNone = ""
    """First quarter without supply if the ban comes."""
    installed: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=0.0, unit="1", origin="default")
    """Devices in service at the start."""
    installed_age: Annotated[Amount, Quantity(unit="quarter", ge=0)] = Amount(
        value=0.0, unit="quarter", origin="default"
    )
    """Their mean age."""
    arriving: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=0.0, unit="1", origin="default")
    """Devices ordered and paid for before the start that are still to come into service."""
    arriving_over: Annotated[Amount, Quantity(unit="quarter", ge=1)] = Amount(
        value=1.0, unit="quarter", origin="default"
    )
    """Quarters, from the first on, over which they come into service in equal parts."""
    committed: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=0.0, unit="1", origin="default")
    """Devices a quarter that contracts bind the firm to order, at most the supply; a ban voids them."""
    committed_until: QuarterOrNone = ""
    """Last quarter of that; empty for the end of the plan."""
    software: Annotated[Amount, Quantity(unit="1", gt=0)] = Amount(value=1.0, unit="1", origin="default")
    """Share of the modelled speed that its software reaches, against mature stacks."""
    lead: Annotated[Amount, Quantity(unit="quarter", ge=0)] = Amount(value=1.0, unit="quarter", origin="default")
    """From order to service."""
    brokers: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=0.0, unit="1", origin="default")
    """Devices in the hands of brokers at the start that compete for the renters whom the firm could serve."""
    brokers_growth: Annotated[Amount, Quantity(unit="1", ge=-1, le=20)] = Amount(value=0.0, unit="1", origin="default")
    """Growth of that number a year, a fraction."""


class HardwareSpec(Section):
    """What can be built, and where."""

    sites: dict[str, SiteSpec] = Field(min_length=1)
    """Sites by name."""
    devices: dict[str, DeviceSpec] = Field(min_length=1)
    """Accelerators by fact id (`h20`, `ascend_910c`)."""


class ServedModel(Section):
    """A model that segments call."""

    architecture: str = ""
    """Shipped model name, or path of a config.json beside the file, that it is computed as; empty: the key itself."""
    label: str = ""
    """Name in tables."""
    precision: str = "fp8_block"
    """Precision of the weights; devices without it fall back to bf16 or int8."""
    price: PriceSpec
    """List price at the start."""
    announced: list[AnnouncedPrice] = Field(default_factory=list)
    """Prices announced for later quarters, in order of date: posted then whatever competition calls for, which moves
    the price on from there."""
    tiers: dict[str, TierSpec] = Field(default_factory=dict)
    """Tiers by name beside the standard price; what they leave of the tokens is bought at that."""
    batch_discount: Annotated[Amount, Quantity(unit="1", ge=0, le=0.95)] = Amount(value=0.0, unit="1", origin="default")
    """Discount of calls that may wait within the day."""
    off_peak_discount: Annotated[Amount, Quantity(unit="1", ge=0, le=0.95)] = Amount(
        value=0.0, unit="1", origin="default"
    )
    """Discount of other calls outside of the peak slot."""
    tpot: Annotated[Amount, Quantity(unit="s", gt=0)] = Amount(value=0.05, unit="s", origin="default")
    """Highest time per output token."""
    ttft: Annotated[Amount, Quantity(unit="s", gt=0)] = Amount(value=10.0, unit="s", origin="default")
    """Highest time to first token of a prompt without queueing."""
    most_devices: int = Field(32, ge=1, le=1024, strict=True)
    """Maximum devices of one replica."""


class ServingSpec(Section):
    """How models are served."""

    engine: str = "sglang"
    """Engine, as `jevons engines` lists them, such as `vllm` or `vllm@0.13`."""
    models: dict[str, ServedModel] = Field(min_length=1)
    """Served models by name."""
    utilisation_cap: Annotated[Amount, Quantity(unit="1", ge=1e-6, le=1)]
    """Highest busy share of a slot while latency holds."""
    availability: Annotated[Amount, Quantity(unit="1", ge=1e-6, le=1)]
    """Share of device-hours in working order."""
    software_gain: Annotated[Amount, Quantity(unit="1", gt=0)]
    """Factor by which tokens per device-second grow in a year, all else equal."""
    learning_exponent: Annotated[Amount, Quantity(unit="1", ge=0, le=1)]
    """Extra efficiency per logarithm of cumulative tokens (0.1: 7 % a doubling)."""
    engineering_error: Annotated[Amount, Quantity(unit="1", gt=0)] = Amount(value=1.0, unit="1", origin="default")
    """True over modelled device-seconds per call."""
    efficiency: Annotated[Amount, Quantity(unit="1", gt=0)] = Amount(value=1.0, unit="1", origin="default")
    """Tokens per device-second relative to the model's: the lever of the Jevons experiment."""


class CostSpec(Section):
    """What a device-hour costs."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {"load": "assumption.load_frac"}

    wacc: Annotated[Amount, Quantity(unit="1", gt=0, le=1)]
    """Weighted average cost of capital a year, nominal."""
    economic_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years in which a device earns its price; not its accounting life."""
    service_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years from service to retirement."""
    site_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years of buildings, power and cooling."""
    network: Fraction
    """Network and storage as a share of the devices' price."""
    operations: Fraction
    """Staff, spares and maintenance a year as a share of the devices' price."""
    load: Fraction
    """Mean power of a device at work over its power at full load."""


class TrainingReserve(Section):
    """Compute that the firm keeps for training its own models."""

    device: str = "h100_sxm"
    """Device whose peak the reserve is counted in."""
    devices: Annotated[Amount, Quantity(unit="1", ge=0)]
    """Reserve at the start, in such devices."""
    growth: Annotated[Amount, Quantity(unit="1", ge=-1, le=10)]
    """Growth a year, a fraction."""
    cluster: Annotated[Amount, Quantity(unit="1", ge=0)] = Amount(value=0.0, unit="1", origin="default")
    """Accelerators of one kind on one site that may be held as one cluster, whole or not at all; 0 for none."""
    cluster_worth: Annotated[Amount, Quantity(unit="CNY/quarter", ge=0)] = Amount(
        value=0.0, unit="CNY/quarter", origin="default"
    )
    """What holding it is worth to the firm in a quarter, besides its share in the reserve."""


class LineSpec(Section):
    """A line of the budget beside AI infrastructure, known by what money on it returns."""

    label: str = ""
    """Name in tables."""
    share: Fraction
    """Share of what AI infrastructure leaves of the budget; the shares of all lines sum to 1 at most."""
    first_return: Annotated[Amount, Quantity(unit="1", ge=0, le=10)]
    """After-tax cash a year per CNY of the first money spent; it falls on a straight line to zero over the life."""
    scale: Annotated[Amount, Quantity(unit="CNY", gt=0)]
    """Spending at which the return of a further CNY has halved."""
    lag: Annotated[Amount, Quantity(unit="y", ge=0)]
    """Years from spending to the first cash."""
    life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Years over which the cash flows."""


class ExpansionSpec(Section):
    """What limits building."""

    budget: Annotated[Amount, Quantity(unit="CNY", ge=0)]
    """Capital expenditure of the plan over all its quarters."""
    budget_quarters: int = Field(12, ge=1, le=80, strict=True)
    """Quarters over which the budget is released."""
    budget_first: Annotated[Amount, Quantity(unit="CNY", ge=0)]
    """Release in the first quarter, at most the budget; the others follow on a straight line to the total."""
    ai_share: Fraction
    """Share of the budget for AI servers and the sites they stand in."""
    training: TrainingReserve
    """Reserve for training."""
    foresight: Literal["perfect", "rolling", "myopic"] = "perfect"
    """How far the planner sees."""
    market_power: bool = False
    """Whether the planner counts the effect of volume on its own price."""
    step: Literal["quarter", "month"] = "quarter"
    """Step of time in which orders and retirements are decided; market and accounts stay in quarters."""
    lines: dict[str, LineSpec] = Field(default_factory=dict)
    """Lines of the budget beside AI infrastructure, by name; none where the plan is infrastructure alone."""
    look_beyond: int = Field(4, ge=0, le=40, strict=True)
    """Quarters after the plan that the planner counts on: one step further along the last trend, then level. So the
    last orders earn; with 0 they only have what a device is worth second-hand."""
    retirement: Literal["economic", "life"] = "economic"
    """Whether devices leave once they earn less than keeping them and their power costs, or serve out their life."""


class FinanceSpec(Section):
    """Accounts and value."""

    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {
        "opening_book": "assumption.opening_book_frac",
        "base_least": "assumption.least_cloud_frac",
        "rest_years": "assumption.rest_growth_y",
        "fade_years": "assumption.fade_y",
    }

    tax: Fraction
    """Tax on operating profit."""
    accounting_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Straight-line life of servers in the accounts."""
    building_life: Annotated[Amount, Quantity(unit="y", gt=0)]
    """Straight-line life of buildings, power and cooling."""
    overhead: Fraction
    """Research, selling and administration as a share of AI revenue."""
    base_revenue: Annotated[Amount, Quantity(unit="CNY", gt=0)]
    """Quarterly revenue of the cloud at the start, AI included."""
    base_growth: Annotated[Amount, Quantity(unit="1", ge=-0.5, le=1)]
    """Growth a year of the revenue that is not AI, a fraction."""
    base_margin: Annotated[Amount, Quantity(unit="1", ge=-1, le=1)]
    """EBITA margin of that revenue."""
    base_capital: Annotated[Amount, Quantity(unit="1", ge=0)]
    """Capital invested per CNY of added yearly revenue that is not AI."""
    base_least: Fraction
    """Least share of the cloud's revenue at the start that is not AI, however much AI the plan states."""
    opening_book: Fraction
    """Book value of buildings and power at the start over what they would cost new."""
    rest_ebita: Annotated[Amount, Quantity(unit="CNY")]
    """Yearly EBITA of the rest of the group."""
    rest_growth: Annotated[Amount, Quantity(unit="1", ge=-0.5, le=0.5)]
    """Growth a year of that EBITA for `rest_years`, a fraction."""
    rest_years: Annotated[Amount, Quantity(unit="y", ge=1, le=40)]
    """Years for which the rest grows so; after them it grows for ever at the lower of this and `terminal_growth`."""
    rest_return: Annotated[Amount, Quantity(unit="1", gt=0)]
    """After-tax return on the capital that growth of the rest needs."""
    net_cash: Annotated[Amount, Quantity(unit="CNY")]
    """Cash and liquid investments less debt."""
    stakes: Annotated[Amount, Quantity(unit="CNY", ge=0)]
    """Value of stakes in other firms."""
    owner_returns: Annotated[Amount, Quantity(unit="CNY", ge=0)] = Amount(value=0.0, unit="CNY", origin="default")
    """Buybacks and dividends meant to be paid a year, as long as there is net cash to pay them from."""
    ads: Annotated[Amount, Quantity(unit="1", gt=0)]
    """American depositary shares outstanding (ordinary shares over eight)."""
    ads_price: Annotated[Amount, Quantity(unit="CNY", gt=0)]
    """Price of one at the date."""
    after_growth: Annotated[Amount, Quantity(unit="1", ge=-0.5, le=1)]
    """Growth of AI revenue in the year after the plan, from which it fades over `fade_years`, a fraction."""
    fade_years: Annotated[Amount, Quantity(unit="y", ge=1, le=40)]
    """Years after the plan over which growth and margin fade to their terminal values."""
    terminal_growth: Annotated[Amount, Quantity(unit="1", ge=-0.1, le=0.08)]
    """Growth for ever after the forecast, a fraction."""
    terminal_margin: Annotated[Amount, Quantity(unit="1", ge=0, le=0.9)]
    """EBITA margin of the cloud when mature."""
    capital_per_revenue: Annotated[Amount, Quantity(unit="1", gt=0)]
    """Invested capital per CNY of yearly cloud revenue when mature."""


class Correlation(Section):
    """A rank correlation between two uncertain amounts."""

    between: tuple[str, str]
    """Two paths, such as `serving.software_gain`."""
    rank: Annotated[Amount, Quantity(unit="1", ge=-0.99, le=0.99)]
    """Spearman's coefficient."""


class StudySpec(Section):
    """How uncertainty is explored."""

    draws: int = Field(64, ge=0, le=100_000, strict=True)
    """Monte Carlo draws of the whole chain."""
    correlations: list[Correlation] = Field(default_factory=list)
    """Rank correlations; amounts not named are independent."""
