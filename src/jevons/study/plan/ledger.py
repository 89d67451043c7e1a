"""The ledger of a plan: every explained figure with its formula or method, its parents and facts.

Formulas are declared where their quantities are computed; here they are bound to the figures of a plan. A figure that a
solver or a simulation gives has a method in place of a formula, and lists what it depends on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jevons.costing import formulas as costing
from jevons.facts import Facts
from jevons.facts.ledger import add_fact
from jevons.finance.formulas import CASH_VALUE, LINE_TOTAL, VALUE_PER_SHARE
from jevons.hardware.catalog import SERVER_POWER
from jevons.market.types import TOKEN_KINDS
from jevons.provenance import Ledger
from jevons.study.chain.demand import PEAK
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.market_inputs import BUSY, MEAN_PEAK, TOKEN_COST
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.orders_value import ORDERS_VALUE
from jevons.study.chain.verdict import COMPUTE_FACTOR, EFFICIENCY_FACTOR, Verdict
from jevons.study.scenario.scenario import Scenario

_ZERO = "constant.zero"
_REVERSION = "market.rental_reversion"


def plan_ledger(
    scenario: Scenario, facts: Facts, engineering: Engineering, chain: ChainResult, verdict: Verdict, added_cur: float
) -> Ledger:
    """Record the headlines and how each follows from the others.

    Parameters
    ----------
    scenario, facts, engineering, chain, verdict
        The question and its answer.
    added_cur : float
        Value that the plan's orders add.
    """
    ledger = scenario_ledger(scenario, facts)
    _device_hours(ledger, scenario, facts, engineering)
    _peaks(ledger, scenario)
    for m, model in enumerate(scenario.serving.models):
        _busy(ledger, scenario, model)
        _token_costs(ledger, scenario, engineering, chain, m, model)
        _price_index(ledger, scenario, chain, m, model)
    _values(ledger, scenario, chain, added_cur)
    _response(ledger, scenario, verdict)
    return ledger


def _device_hours(ledger: Ledger, scenario: Scenario, facts: Facts, engineering: Engineering) -> None:
    """Record what an hour of each device costs in the first quarter, by part."""
    sites = list(scenario.hardware.sites)
    recovery = {"recovery": "cost.recovery"}
    ledger.derive("cost.recovery", costing.RECOVERY, rate="cost.wacc", life="cost.economic_life")
    ledger.derive("cost.site_recovery", costing.RECOVERY, rate="cost.wacc", life="cost.site_life")
    for device, accelerator in zip(scenario.hardware.devices, engineering.accelerators, strict=True):
        watts = f"{accelerator.id}.server_w"
        if watts in facts:
            add_fact(ledger, watts, facts, scenario.as_of)
        else:
            names = {"tdp": f"{accelerator.id}.tdp_w", "overhead": "server_power.overhead_frac"}
            for fact_id in names.values():
                add_fact(ledger, fact_id, facts, scenario.as_of)
            ledger.derive(watts, SERVER_POWER, **names)
        price = {"price": f"hardware.devices.{device}.price"}

        def by_site(name: str) -> list[str]:
            return [f"hardware.sites.{site}.{name}" for site in sites]

        parts = {part: f"cost.{device}.{part}_per_h" for part in costing.DEVICE_HOUR.symbols}
        ledger.derive(parts["capital"], costing.CAPITAL, **price, **recovery)
        ledger.derive(parts["network"], costing.NETWORK, **price, **recovery, network="cost.network")
        ledger.derive(
            parts["site"], costing.SITE, server_w=watts, build=by_site("build"), site_recovery="cost.site_recovery"
        )
        ledger.derive(
            parts["energy"],
            costing.ENERGY,
            server_w=watts,
            load="cost.load",
            pue=by_site("pue"),
            tariff=by_site("tariff"),
        )
        ledger.derive(parts["operations"], costing.OPERATIONS, **price, operations="cost.operations")
        ledger.derive(f"cost.{device}.per_h", costing.DEVICE_HOUR, **parts)


def _peaks(ledger: Ledger, scenario: Scenario) -> None:
    """Record the share of each segment's calls that comes in the peak slot."""
    ledger.add(_ZERO, 0.0)
    for name, segment in scenario.market.segments.items():
        served = segment.model in scenario.serving.models and not segment.rents
        ledger.derive(
            f"market.segments.{name}.peak_in_force",
            PEAK,
            peak=f"market.segments.{name}.peak",
            discount=f"serving.models.{segment.model}.off_peak_discount" if served else _ZERO,
            substitution="market.slot_substitution",
        )


def _busy(ledger: Ledger, scenario: Scenario, model: str) -> None:
    """Record the mean busy share of a model's device-hours."""
    segments = scenario.market.segments.items()
    callers = [name for name, segment in segments if segment.model == model and not segment.rents]
    peak = f"serving.{model}.peak_frac"
    if callers:
        ledger.derive(peak, MEAN_PEAK, peaks=[f"market.segments.{name}.peak_in_force" for name in callers])
    else:
        hours = "market.peak_hours"
        share = scenario.market.peak_hours.value / 24.0
        ledger.add(peak, share, method="nobody calls the model: calls spread evenly over the day", parents=[hours])
    ledger.derive(
        f"serving.{model}.busy_frac",
        BUSY,
        cap="serving.utilisation_cap",
        availability="serving.availability",
        hours="market.peak_hours",
        peak=peak,
    )


def _token_costs(
    ledger: Ledger, scenario: Scenario, engineering: Engineering, chain: ChainResult, m: int, model: str
) -> None:
    """Record what a million tokens of a model cost by kind in the first quarter, over the devices that serve it."""
    shares = chain.exchange.weights[m, :, 0]
    used = [(v, name) for v, name in enumerate(scenario.hardware.devices) if shares[v] > 0]
    for v, device in used:
        ledger.add(
            f"serving.{model}.{device}.share",
            shares[v],
            method="share of the model's device-hours in the planning program, first quarter",
        )
    for k, kind in enumerate(TOKEN_KINDS):
        for v, device in used:
            point = engineering.point(model, device)
            step = f"step time of {point.deployment} at batch {point.seconds.point.batch:.0f}" if point.seconds else ""
            seconds = engineering.device_s_per_tok[m, v, k]
            path = f"serving.{model}.{device}.{kind}_s_per_tok"
            ledger.add(path, seconds, "s/tok", method=step, grade="derived")
        ledger.derive(
            f"cost.{model}.{kind}_per_mtok",
            TOKEN_COST,
            share=[f"serving.{model}.{device}.share" for _, device in used],
            hour=[f"cost.{device}.per_h" for _, device in used],
            seconds=[f"serving.{model}.{device}.{kind}_s_per_tok" for _, device in used],
            software=[f"hardware.devices.{device}.software" for _, device in used],
            error="serving.engineering_error",
            efficiency="serving.efficiency",
            busy=f"serving.{model}.busy_frac",
        )


def _price_index(ledger: Ledger, scenario: Scenario, chain: ChainResult, m: int, model: str) -> None:
    announced = range(len(scenario.serving.models[model].announced))
    ledger.add(
        f"market.{model}.price_index",
        chain.market.price_index[m, -1],
        method="simulated quarter by quarter: part of the gap to markup x unit cost closes, in steps; last over first",
        parents=[
            *(f"cost.{model}.{kind}_per_mtok" for kind in TOKEN_KINDS),
            *(f"serving.models.{model}.price.{kind}" for kind in TOKEN_KINDS),
            *(f"serving.models.{model}.announced.{index}.{kind}" for index in announced for kind in TOKEN_KINDS),
            "market.markup",
            "market.price_inertia",
            "market.price_step",
            "serving.software_gain",
            "serving.learning_exponent",
        ],
    )


def _values(ledger: Ledger, scenario: Scenario, chain: ChainResult, added_cur: float) -> None:
    """Record the value of the plan, of its orders and of a share."""
    accounts = chain.accounts
    value, plan = accounts.valuation, "finance.plan_value"
    after = ["finance.tax", "finance.terminal_margin", "finance.capital_per_revenue", "finance.terminal_growth"]
    prices = [f"market.{model}.price_index" for model in scenario.serving.models]
    influences = [
        "expansion.budget", "finance.overhead", "market.ai_revenue_share", "market.cloud_premium",
        "market.rental_price", *prices,
    ]  # fmt: skip
    cash = [f"finance.ai_cash.{label}" for label in scenario.labels()]
    program = "expansion.objective"
    ledger.add(program, chain.plan.objective_cur, "¤", method="optimum of the planning program", parents=influences)
    _program(ledger, scenario, chain, program)
    for path, amount in zip(cash, accounts.statements.cash.ai_fcf_cur, strict=True):
        told = "free cash flow of the quarter, from the planning program and the accounts"
        ledger.add(path, amount, "¤", method=told, parents=[program])
    ledger.derive("finance.ai_explicit", CASH_VALUE, cash=cash, wacc="cost.wacc")
    for name, amount, told in (
        ("fade", value.ai.fade_cur, "discounted year by year while growth and margin fade to their terminal values"),
        ("terminal", value.ai.terminal_cur, "value driver formula after the fade"),
    ):
        parents = ["cost.wacc", "finance.after_growth", "finance.fade_years", _REVERSION, *after, cash[-1]]
        ledger.add(f"finance.ai_{name}", amount, "¤", method=told, parents=parents)
    ledger.derive(
        plan,
        LINE_TOTAL,
        cash="finance.ai_explicit",
        fade="finance.ai_fade",
        terminal="finance.ai_terminal",
    )
    without = "finance.value_without_orders"
    ledger.add(
        without,
        accounts.plan_value_cur - added_cur,
        "¤",
        method="the planning program once more with nothing on sale, rivals buying what it leaves",
        parents=[plan, *(f"hardware.devices.{device}.price" for device in scenario.hardware.devices)],
    )
    ledger.derive("finance.orders_value", ORDERS_VALUE, plan=plan, without=without)
    parts = [plan, *_other_parts(ledger, scenario, chain), "finance.net_cash", "finance.stakes"]
    ledger.derive("finance.value_per_share", VALUE_PER_SHARE, parts=parts, shares="finance.shares")


def _program(ledger: Ledger, scenario: Scenario, chain: ChainResult, program: str) -> None:
    """Record what the planning program builds, spends and serves."""
    plan, market = chain.plan, chain.market
    supply = [
        f"hardware.devices.{name}.{what}" for name in scenario.hardware.devices for what in ("supply", "installed")
    ]
    told = "from the planning program, the last quarter"
    ledger.add(
        "expansion.devices", float(plan.fleet.installed[:, :, -1].sum()), method=told, parents=[program, *supply]
    )
    spent = float(chain.accounts.statements.capex_cur.sum())
    told_spent = "from the planning program, accelerators and sites over the plan"
    ledger.add("expansion.capex", spent, "¤", method=told_spent, parents=[program, "expansion.devices"])
    wanted = np.maximum(plan.problem.demand.block_calls_per_d[:, -1].sum(axis=1), 1e-30)
    served = plan.service.served_calls_per_d[:, -1].sum(axis=1) / wanted
    tokens = float((market.tokens_per_d[:, -1] * served).sum())
    demand = [f"market.segments.{name}.value" for name in scenario.market.segments]
    told_tokens = "demand of the market that the planning program serves, the last quarter"
    ledger.add("expansion.tokens_per_d", tokens, "tok/day", method=told_tokens, parents=[program, *demand])


def _other_parts(ledger: Ledger, scenario: Scenario, chain: ChainResult) -> list[str]:
    """Record what the other businesses are worth and return their paths."""
    value = chain.accounts.valuation
    labels = {spec.label or name: name for name, spec in scenario.expansion.lines.items()}
    parts = []
    for label, amount in value.bridge:
        if label in labels:
            line = f"expansion.lines.{labels[label]}"
            parents = [f"{line}.{field}" for field in ("share", "first_return", "scale", "lag", "life")]
            told = "present value of the cash that its share of the budget returns, less what is spent"
            parts.append(f"finance.lines.{labels[label]}")
            ledger.add(parts[-1], amount, "¤", method=told, parents=[*parents, "expansion.budget", "cost.wacc"])
    base = [f"finance.base_{name}" for name in ("revenue", "growth", "margin", "capital", "least")]
    rest = [f"finance.rest_{name}" for name in ("ebita", "growth", "years", "return")]
    for name, amount, own in (("base_cloud", value.base.total_cur, base), ("rest", value.rest_cur, rest)):
        told = "discounted free cash flow of a business that grows, then runs on at its terminal values"
        path = f"finance.{name}"
        ledger.add(path, amount, "¤", method=told, parents=[*own, "cost.wacc", "finance.tax"])
        parts.append(path)
    return parts


def _response(ledger: Ledger, scenario: Scenario, verdict: Verdict) -> None:
    """Record the answer of compute to a doubling of efficiency."""
    told = "market simulated with doubled efficiency and without, supply unlimited"
    demand = [
        f"market.segments.{name}.{field}"
        for name in scenario.market.segments
        for field in ("value", "value_sigma", "elasticity")
    ]
    parents = ["serving.efficiency", "market.markup", "market.price_inertia", *demand]
    ledger.add("jevons.tokens_factor", float(verdict.tokens_factor[-1]), method=told, parents=parents)
    ledger.add("jevons.efficiency_factor", EFFICIENCY_FACTOR, method="by how much the experiment raises efficiency")
    ledger.derive(
        "jevons.compute_factor", COMPUTE_FACTOR, tokens="jevons.tokens_factor", efficiency="jevons.efficiency_factor"
    )


def sources_of(scenario: Scenario, facts: Facts, devices: tuple[str, ...]) -> dict[str, list[str]]:
    """Return value, unit, date, grade, source and URL of each fact used, by its id."""
    used = {amount.origin for amount in scenario.amounts().values() if amount.origin in facts}
    quantities = ("peak_bf16_flop_per_s", "peak_fp8_flop_per_s", "hbm_bytes", "hbm_bytes_per_s", "tdp_w", "server_w")
    used |= {f"{device}.{q}" for device in devices for q in quantities if f"{device}.{q}" in facts}
    used |= {f for f in ("fx.cny_per_usd", "fx.cny_per_hkd") if f in facts}
    sources: dict[str, list[str]] = {}
    for fact_id in sorted(used):
        visible = facts.series(fact_id, scenario.as_of)
        if not visible:
            continue
        value = visible[-1]
        shown = value.value if isinstance(value.value, str) else f"{value.value:.6g}"
        evidence = str(value.source or value.formula or value.reason)
        url = value.source.url if value.source else ""
        sources[fact_id] = [
            shown,
            "" if value.unit in {"1", "text"} else value.unit,
            str(value.start),
            value.grade,
            evidence,
            url,
        ]
    return sources


def scenario_ledger(scenario: Scenario, facts: Facts) -> Ledger:
    """Return a ledger that holds every amount of the scenario and the facts behind them."""
    ledger = Ledger()
    for path, amount in scenario.amounts().items():
        parents = (amount.origin,) if amount.origin in facts else ()
        evidence: Mapping[str, Any] = {"grade": amount.grade, "source": "" if parents else amount.source}
        ledger.add(path, amount.value, amount.unit, parents=parents, low=amount.low, high=amount.high, **evidence)
        if parents:
            add_fact(ledger, amount.origin, facts, scenario.as_of)
    return ledger
