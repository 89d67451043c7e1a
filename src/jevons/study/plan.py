"""Runs a scenario from facts to value."""

from __future__ import annotations

from collections.abc import Callable

from jevons.errors import InfeasibleError
from jevons.facts import Facts, default_facts
from jevons.provenance import Ledger
from jevons.study.chain import ChainResult, run_chain
from jevons.study.counterfactual import orders_value_cny
from jevons.study.engineering import Engineering, engineer
from jevons.study.lines import plan_lines
from jevons.study.montecarlo import monte_carlo
from jevons.study.result import PlanResult, scenario_ledger
from jevons.study.scenario import Scenario
from jevons.study.verdict import Verdict, verdict

Progress = Callable[[str, int, int], None]


def plan(
    scenario: Scenario,
    *,
    seed: int | None = None,
    draws: int | None = None,
    facts: Facts | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
    file: str = "",
) -> PlanResult:
    """Return what to build, serve and charge over a scenario's quarters, what it earns, and the Jevons verdict.

    Parameters
    ----------
    scenario : Scenario
        From `load`.
    seed : int, optional
        Root of the random streams; the scenario's by default.
    draws : int, optional
        Monte Carlo draws, 0 for none; the scenario's by default.
    facts : Facts, optional
        The shipped facts by default; values after the scenario's `as_of` are invisible.
    processes : int, optional
        Worker processes for the draws; the results do not depend on it.
    progress : callable, optional
        Called with the name of the step, how much is done, and how much there is.
    file : str
        Name of the scenario file, for the record.

    Returns
    -------
    PlanResult
        Tables, JSON, a labelled dataset, figures and explanations.

    Raises
    ------
    InputError
        If the scenario contradicts itself or the facts.
    InfeasibleError
        If no plan meets the limits; it names the binding ones.
    """
    facts = facts or default_facts()
    if seed is not None:
        scenario = scenario.model_copy(update={"seed": seed})
    draws = scenario.study.draws if draws is None else draws
    tell = progress or (lambda _name, _done, _total: None)
    _check_worth_planning(scenario)
    tell("serving each model on each device", 0, 1)
    engineering = engineer(scenario, facts, scenario.as_of)
    tell("market and planner", 0, 1)
    chain = run_chain(scenario, engineering)
    tell("doubled efficiency", 0, 1)
    found = verdict(chain, engineering)
    outcomes = None
    if draws > 0:
        outcomes = monte_carlo(
            scenario,
            engineering,
            chain,
            draws,
            seed=scenario.seed,
            processes=processes,
            progress=lambda done, total: tell("draws", done, total),
        )
    added = orders_value_cny(chain)
    ledger = _ledger(scenario, facts, engineering, chain, found, added)
    return PlanResult(scenario, engineering, chain, found, outcomes, ledger, facts, added, file, plan_lines(chain))


def _check_worth_planning(scenario: Scenario) -> None:
    """Refuse a plan that could build nothing: no money, or no chips."""
    if scenario.expansion.budget.value * scenario.expansion.ai_share.value <= 0:
        message = "expansion.budget: there is no money to build with. Set a budget above 0 CNY."
        raise InfeasibleError(message, ["budget"])
    if all(device.supply.value <= 0 for device in scenario.hardware.devices.values()):
        message = "hardware.devices: no accelerator can be ordered. Give at least one device a `supply` above 0."
        raise InfeasibleError(message, ["chip supply"])


def _ledger(
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
        used = [d for v, d in enumerate(devices) if chain.weights[m, v, 0] > 1e-6]
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
