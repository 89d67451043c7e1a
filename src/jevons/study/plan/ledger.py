"""The ledger of a plan: every explained figure with its formula, parents and facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jevons.facts import Facts
from jevons.facts.ledger import add_fact
from jevons.provenance import Ledger
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.verdict import Verdict
from jevons.study.scenario.scenario import Scenario


def plan_ledger(
    scenario: Scenario, facts: Facts, engineering: Engineering, chain: ChainResult, found: Verdict, added: float
) -> Ledger:
    """Record the headlines and how each follows from the others."""
    ledger = scenario_ledger(scenario, facts)
    devices, models = list(scenario.hardware.devices), list(scenario.serving.models)
    sites = list(scenario.hardware.sites)
    cost_inputs = [f"cost.{name}" for name in ("wacc", "economic_life", "site_life", "network", "operations")]
    for row, device in enumerate(devices):
        ledger.add(
            f"cost.{device}.per_h_cny",
            chain.setting.hour_cny[row, 0],
            "CNY/h",
            formula="[P CRF(r, L)(1 + network) + W build CRF(r, L_site) + P operations] / 8766 + W PUE tariff",
            parents=[
                f"hardware.devices.{device}.price",
                *cost_inputs,
                *(f"hardware.sites.{site}.{name}" for site in sites for name in ("tariff", "pue", "build")),
            ],
        )
    for m, model in enumerate(models):
        used = [d for v, d in enumerate(devices) if chain.exchange.weights[m, v, 0] > 1e-6]
        for k, kind in enumerate(("input", "cached", "output")):
            for v, device in enumerate(devices):
                if device in used:
                    point = engineering.point(model, device)
                    ledger.add(
                        f"serving.{model}.{device}.{kind}_s_per_tok",
                        engineering.device_s_per_tok[m, v, k],
                        "s/tok",
                        formula=f"step time of {point.deployment} at batch {point.seconds.point.batch:.0f}"
                        if point.seconds
                        else "",
                        grade="derived",
                    )
            ledger.add(
                f"cost.{model}.{kind}_per_mtok_cny",
                chain.inputs.unit_cost_cny_per_tok[m, k, 0] * 1e6,
                "CNY/Mtok",
                formula="device-hour x device-seconds per token / 3600 / (utilisation x availability), by device share",
                parents=[
                    *(f"cost.{d}.per_h_cny" for d in used),
                    *(f"serving.{model}.{d}.{kind}_s_per_tok" for d in used),
                    "serving.utilisation_cap",
                    "serving.availability",
                    "serving.engineering_error",
                ],
            )
        ledger.add(
            f"market.{model}.price_index",
            chain.market.price_index[m, -1],
            "1",
            formula="closes part of the gap to markup x unit cost / learning each quarter, in steps; last over first",
            parents=[
                *(f"cost.{model}.{kind}_per_mtok_cny" for kind in ("input", "cached", "output")),
                *(f"serving.models.{model}.price.{kind}" for kind in ("input", "cached", "output")),
                *(
                    f"serving.models.{model}.announced.{index}.{kind}"
                    for index in range(len(scenario.serving.models[model].announced))
                    for kind in ("input", "cached", "output")
                ),
                "market.markup",
                "market.price_inertia",
                "market.price_step",
                "serving.software_gain",
                "serving.learning_exponent",
            ],
        )
    accounts = chain.accounts
    finance = [
        f"finance.{n}"
        for n in ("tax", "terminal_margin", "capital_per_revenue", "terminal_growth", "net_cash", "stakes")
    ]
    ledger.add(
        "finance.plan_value_cny", accounts.plan_value_cny, "CNY",
        formula="present value of the AI plan's free cash flow and of what stands at its end",
        parents=[
            "expansion.budget", "cost.wacc", "finance.overhead", "market.ai_revenue_share", "market.cloud_premium",
            "market.rental_price", *(f"market.{model}.price_index" for model in models),
        ],
    )  # fmt: skip
    ledger.add(
        "finance.orders_value_cny", added, "CNY",
        formula="the AI cloud with the plan's orders, less the same at the same prices with nothing on sale",
        parents=["finance.plan_value_cny", *(f"hardware.devices.{device}.price" for device in devices)],
    )  # fmt: skip
    ledger.add(
        "finance.value_per_ads_cny", accounts.value_per_ads_cny, "CNY/ADS",
        formula="(" + " + ".join(label for label, _ in accounts.valuation.bridge) + ") / ADS",
        parents=["finance.plan_value_cny", *finance, "finance.ads"],
    )  # fmt: skip
    ledger.add(
        "jevons.compute_factor", float(found.compute_factor[-1]), "1",
        formula="compute wanted in the last quarter with efficiency doubled, over without",
        parents=[
            "serving.efficiency", "market.markup", "market.price_inertia",
            *(
                f"market.segments.{s}.{n}"
                for s in scenario.market.segments
                for n in ("value", "value_sigma", "elasticity")
            ),
        ],
    )  # fmt: skip
    return ledger


def sources_of(scenario: Scenario, facts: Facts, devices: tuple[str, ...]) -> dict[str, list[str]]:
    """Return value, unit, date, grade, source and URL of each fact used, by its id."""
    used = {amount.origin for amount in scenario.amounts().values() if amount.origin in facts}
    quantities = ("peak_bf16_flop_per_s", "peak_fp8_flop_per_s", "hbm_bytes", "hbm_bytes_per_s", "tdp_w", "server_w")
    used |= {f"{device}.{q}" for device in devices for q in quantities if f"{device}.{q}" in facts}
    used |= {f for f in ("fx.cny_per_usd", "fx.cny_per_hkd") if f in facts}
    found: dict[str, list[str]] = {}
    for fact_id in sorted(used):
        visible = facts.series(fact_id, scenario.as_of)
        if not visible:
            continue
        value = visible[-1]
        shown = value.value if isinstance(value.value, str) else f"{value.value:.6g}"
        evidence = str(value.source or value.formula or value.reason)
        url = value.source.url if value.source else ""
        found[fact_id] = [
            shown,
            "" if value.unit in {"1", "text"} else value.unit,
            str(value.start),
            value.grade,
            evidence,
            url,
        ]
    return found


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
