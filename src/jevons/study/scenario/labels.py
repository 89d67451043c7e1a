"""Names of a scenario's amounts as people read them: on charts of what matters, in answers and in tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jevons.text import device_words

_QUANTITIES = {
    "hardware.sites.*.tariff": "electricity tariff",
    "hardware.sites.*.pue": "PUE",
    "hardware.sites.*.build": "building cost per watt",
    "hardware.sites.*.carbon": "carbon intensity of power",
    "hardware.sites.*.power": "IT power at the start",
    "hardware.sites.*.limit": "limit of IT power",
    "hardware.sites.*.build_rate": "IT power that a quarter can add",
    "hardware.sites.*.lease": "rent of the site per watt",
    "hardware.sites.*.block": "smallest addition of IT power",
    "hardware.devices.*.price": "price of a device",
    "hardware.devices.*.price_growth": "change of its price per year",
    "hardware.devices.*.supply": "supply per quarter",
    "hardware.devices.*.supply_growth": "growth of its supply per year",
    "hardware.devices.*.ban_probability": "probability of an export ban",
    "hardware.devices.*.installed": "devices in service at the start",
    "hardware.devices.*.installed_age": "mean age at the start",
    "hardware.devices.*.arriving": "devices ordered before the start",
    "hardware.devices.*.arriving_over": "quarters over which ordered devices arrive",
    "hardware.devices.*.committed": "devices that contracts commit to order",
    "hardware.devices.*.software": "speed of its software over a mature stack",
    "hardware.devices.*.lead": "time from order to service",
    "hardware.devices.*.brokers": "devices that brokers hold",
    "hardware.devices.*.brokers_growth": "growth of brokers' stock per year",
    "serving.models.*.price.input": "list price of input tokens",
    "serving.models.*.price.cached": "list price of cached input tokens",
    "serving.models.*.price.output": "list price of output tokens",
    "serving.models.*.batch_discount": "discount for batch calls",
    "serving.models.*.off_peak_discount": "off-peak discount",
    "serving.models.*.tpot": "limit on TPOT",
    "serving.models.*.ttft": "limit on TTFT",
    "serving.utilisation_cap": "maximum busy share of devices",
    "serving.availability": "availability of devices",
    "serving.software_gain": "growth of software efficiency per year",
    "serving.learning_exponent": "learning by volume",
    "serving.engineering_error": "true over modelled device time",
    "serving.calibrated_error": "engineering error behind rented demand",
    "serving.efficiency": "efficiency of all compute",
    "cost.wacc": "WACC",
    "cost.economic_life": "economic life of devices",
    "cost.service_life": "service life of devices",
    "cost.site_life": "economic life of sites",
    "cost.network": "network and storage, share of the devices' price",
    "cost.operations": "yearly operations, share of the devices' price",
    "cost.load": "power at work over full power",
    "market.provider_elasticity": "elasticity of one provider's volume",
    "market.elasticity_scale": "scale of all elasticities of use",
    "market.value_scale": "scale of the value of all calls",
    "market.integration_growth": "change of integration costs per year",
    "market.markup": "markup of open-weight hosts over cost",
    "market.price_inertia": "inertia of prices",
    "market.price_step": "smallest change of a list price",
    "market.slot_substitution": "substitution between peak and off-peak calls",
    "market.peak_hours": "hours of the peak slot",
    "market.rental_utilisation": "maximum share of rentable hours let",
    "market.rental_price": "rent of a reference hour at the start",
    "market.cloud_premium": "cloud price over bare rent",
    "market.call_platform": "platform revenue per unit of call revenue",
    "market.rental_substitution": "substitution between chips for rent",
    "market.rental_tight": "share let at which rent covers full cost",
    "market.rental_least_let": "share let before the firm offers more",
    "market.rental_steepness": "steepness of rent in a shortage",
    "market.rental_sag": "fall of rent in a glut",
    "market.rental_rush": "rush of renters at the start",
    "market.rush_half_life": "half-life of the rental rush",
    "market.rental_training": "training share of renters' work",
    "market.rental_training_growth": "growth of renters' training over answers",
    "market.rental_elasticity": "elasticity of renters' work to price",
    "market.rental_reversion": "share of a rent gap left after a year",
    "market.rental_decay": "expected fall of a chip's rent per year",
    "market.brokers.carry": "brokers' cost of holding an idle device",
    "market.brokers.extrapolation": "brokers' extrapolation of rents",
    "market.brokers.hoard": "share of stock that brokers can withhold",
    "market.brokers.start_rise": "rise of rents that brokers expect at the start",
    "market.brokers.debt": "share of a device's price that brokers borrow",
    "market.brokers.interest": "interest on brokers' loans",
    "market.brokers.term": "term of brokers' loans",
    "market.brokers.entry": "brokers' purchases over the firm's supply",
    "market.national": "tokens of the whole market at the start",
    "market.ai_revenue_share": "AI share of cloud revenue at the start",
    "market.ai_revenue_growth": "growth of AI revenue at the start",
    "market.providers.rivals.*.volume": "tokens at the start",
    "market.providers.rivals.*.cost": "unit cost over the firm's",
    "market.providers.rivals.*.bundle": "value of its platform",
    "market.providers.rivals.*.surge": "surge of its tokens",
    "market.providers.rivals.*.match": "share of price cuts that it follows",
    "market.providers.rivals.*.inertia": "inertia of its prices",
    "market.providers.rivals.*.step": "step of its list prices",
    "market.providers.rivals.*.capex": "capital expenditure per year",
    "market.providers.rivals.*.prices.*.input": "price of input tokens",
    "market.providers.rivals.*.prices.*.cached": "price of cached input tokens",
    "market.providers.rivals.*.prices.*.output": "price of output tokens",
    "market.providers.surge": "surge of the firm's share",
    "market.providers.response": "rivals' capital that can turn to chips",
    "market.providers.share_elasticity": "elasticity of a small provider's volume",
    "market.providers.least_elasticity": "minimum elasticity that providers assume",
    "market.providers.nesting": "dissimilarity of providers",
    "market.providers.bundle": "value of the firm's platform to buyers",
    "market.providers.bundle_growth": "change of the value of platforms per year",
    "market.providers.share_inertia": "inertia of market shares",
    "market.providers.match": "share of price cuts that providers follow",
    "market.providers.host_inertia": "price inertia of open-weight hosts",
    "market.providers.match_lag": "quarters until price cuts are followed",
    "market.macro.productivity": "productivity gain at full diffusion",
    "market.macro.income_elasticity": "elasticity of calls to income",
    "market.box.devices": "accelerators of a machine that buyers own",
    "market.box.price": "price of a machine that buyers own",
    "market.box.life": "life of a machine that buyers own",
    "market.box.staff": "staff for a machine that buyers own",
    "market.box.utilisation": "load of a machine that buyers own",
    "market.box.spread": "spread of preferences for own machines",
    "market.segments.*.opening": "share of rented revenue at the start",
    "market.segments.*.skill": "throughput over the modelled one",
    "market.segments.*.busy": "busy share of rented hours",
    "market.segments.*.rented_share": "share of tokens on rented machines at the start",
    "market.segments.*.switch": "elasticity between renting and calling",
    "market.segments.*.owned_share": "share of tokens on own machines at the start",
    "market.segments.*.own_switch": "elasticity between owning and renting",
    "market.segments.*.work_gain": "growth of work per rented hour",
    "market.segments.*.depth": "share of use that chooses its depth",
    "market.segments.*.depth_exponent": "exponent of value in tokens per call",
    "market.segments.*.depth_most": "largest factor on tokens per call",
    "market.segments.*.adopters": "potential adopters",
    "market.segments.*.value": "value of a call",
    "market.segments.*.value_sigma": "spread of the value of a call",
    "market.segments.*.calls": "calls, or rented hours, per adopter and day",
    "market.segments.*.calls_growth": "growth of calls per adopter",
    "market.segments.*.input_tokens": "input tokens per call",
    "market.segments.*.cached": "cached share of input tokens",
    "market.segments.*.output_tokens": "output tokens per call",
    "market.segments.*.tokens_growth": "growth of tokens per call",
    "market.segments.*.integration": "yearly integration cost",
    "market.segments.*.bass_p": "innovation coefficient of adoption",
    "market.segments.*.bass_q": "imitation coefficient of adoption",
    "market.segments.*.adopted": "adopted share at the start",
    "market.segments.*.elasticity": "elasticity of use",
    "market.segments.*.share": "share that the firm serves",
    "market.segments.*.peak": "share of calls in the peak slot",
    "market.segments.*.deferrable": "share of calls that may wait",
    "market.segments.*.buyer_tokens": "tokens per day of the median organisation",
    "market.segments.*.buyer_sigma": "spread of the size of organisations",
    "market.segments.*.privacy": "value of keeping data in-house",
    "market.segments.*.wallet": "maximum spending per adopter and year",
    "market.segments.*.attention": "maximum calls per adopter and day",
    "market.contracts.*.backlog": "backlog",
    "market.contracts.*.term": "term of the contract",
    "market.contracts.*.ramp": "quarters to full deliveries",
    "market.contracts.*.take_or_pay": "take-or-pay share",
    "market.contracts.*.rate": "price of an hour",
    "market.contracts.*.prepaid": "prepaid share",
    "expansion.budget": "budget",
    "expansion.budget_first": "release of the budget in the first quarter",
    "expansion.execution": "spending over the announced budget",
    "expansion.ai_share": "share of the budget for AI servers and sites",
    "expansion.paid_ahead": "share of waiting money that is paid ahead",
    "expansion.tree.demand.*.probability": "probability of this demand",
    "expansion.tree.demand.*.factor": "demand over the central path",
    "expansion.tree.supply.*.probability": "probability of this supply",
    "expansion.tree.supply.*.factor": "supply over the central path",
    "expansion.risk_weight": "weight of the worst outcomes",
    "expansion.risk_tail": "probability of the worst outcomes",
    "expansion.training.devices": "own training at the start",
    "expansion.training.growth": "growth of own training per year",
    "expansion.training.cluster": "size of a training cluster",
    "expansion.training.cluster_worth": "value of a training cluster per quarter",
    "expansion.lines.*.share": "share of what AI infrastructure leaves",
    "expansion.lines.*.first_return": "return of the first money",
    "expansion.lines.*.scale": "spending at which returns have halved",
    "expansion.lines.*.lag": "years to the first cash",
    "expansion.lines.*.life": "years of cash",
    "finance.tax": "tax on operating profit",
    "finance.accounting_life": "accounting life of servers",
    "finance.building_life": "accounting life of buildings",
    "finance.overhead": "overhead, share of AI revenue",
    "finance.reinvested": "share of AI profit that staff and discounts take",
    "finance.prepaid": "share of orders paid a quarter ahead",
    "finance.base_revenue": "cloud revenue per quarter at the start",
    "finance.base_growth": "growth of cloud revenue without AI",
    "finance.season.q1": "season of revenue without AI, January to March",
    "finance.season.q2": "season of revenue without AI, April to June",
    "finance.season.q3": "season of revenue without AI, July to September",
    "finance.season.q4": "season of revenue without AI, October to December",
    "finance.base_margin": "margin of the cloud without AI",
    "finance.base_capital": "capital per added cloud revenue without AI",
    "finance.base_least": "minimum share of cloud revenue without AI",
    "finance.opening_book": "book value of sites over their cost",
    "finance.rest_ebita": "EBITA of the other businesses",
    "finance.rest_growth": "growth of the other businesses",
    "finance.rest_years": "years of the other businesses' growth",
    "finance.rest_return": "return on capital of the other businesses",
    "finance.net_cash": "net cash",
    "finance.debt.*.balance": "debt at the start",
    "finance.debt.*.rate": "interest on the debt",
    "finance.new_debt_rate": "interest on new debt",
    "finance.stakes": "stakes in other firms",
    "finance.owner_returns": "buybacks and dividends per year",
    "finance.shares": "shares outstanding",
    "finance.share_price": "price of a share",
    "finance.after_growth": "growth of AI revenue after the plan",
    "finance.fade_years": "years to mature growth and margin",
    "finance.terminal_growth": "perpetual growth",
    "finance.terminal_margin": "margin of the mature cloud",
    "finance.capital_per_revenue": "capital per revenue of the mature cloud",
    "study.correlations.*.rank": "rank correlation",
}
"""What an amount is, by its path; a star stands for the name of a site, device, segment and the like."""


def quantity_label(path: str) -> tuple[str, tuple[str, ...]]:
    """Return what the amount at a path is, and the path's parts down to the name of the thing that it belongs to.

    Parameters
    ----------
    path : str
        Such as ``market.segments.restaurant.value``.

    Returns
    -------
    quantity : str
        Such as ``value of a call``; the path's last part in words where no name is on file.
    owner : tuple of str
        Such as ``("market", "segments", "restaurant")``; empty where the amount belongs to the scenario as a whole.
    """
    parts = tuple(path.split("."))
    for pattern, owner in _patterns(parts):
        if pattern in _QUANTITIES:
            return _QUANTITIES[pattern], owner
    return parts[-1].replace("_", " "), parts[:-1]


def _patterns(parts: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the path itself, then with a star for one name in it, then for two."""
    yield ".".join(parts), ()
    starred = range(1, len(parts) - 1)
    for path in starred:
        yield ".".join("*" if i == path else part for i, part in enumerate(parts)), tuple(parts[: path + 1])
    for path in starred:
        for two in starred:
            if two > path:
                pattern = ".".join("*" if i in {path, two} else part for i, part in enumerate(parts))
                yield pattern, tuple(parts[: two + 1])


def owner_label(scenario: Any, owner: Sequence[str]) -> str:
    """Return the name of a section of a scenario, such as a site or a segment; a device goes by its id's words."""
    kind, name = owner[-2:] if len(owner) > 1 else ("", owner[-1])
    if kind == "devices":
        return device_words(name)
    section: Any = scenario
    for part in owner:
        section = section.get(part) if isinstance(section, Mapping) else getattr(section, part, None)
    label = getattr(section, "label", "") or name.replace("_", " ")
    return str(label).split(" (")[0]


def amount_label(scenario: Any, path: str) -> str:
    """Return what the amount at a path of a scenario is, after the name of what it belongs to.

    Parameters
    ----------
    scenario : Scenario
        Whose sections have names.
    path : str
        Such as ``market.segments.restaurant.value``.

    Returns
    -------
    str
        Such as ``Restaurants: value of a call``, or ``WACC`` of the scenario as a whole.
    """
    quantity, owner = quantity_label(path)
    return f"{owner_label(scenario, owner)}: {quantity}" if owner else quantity
