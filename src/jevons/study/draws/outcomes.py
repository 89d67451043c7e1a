"""The outcomes and paths that a draw keeps."""

from __future__ import annotations

import numpy as np

from jevons.arrays import Array
from jevons.market import provider_tokens_per_d
from jevons.study.chain.budget import paid_ahead, released_rest
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.orders_value import orders_value_cur
from jevons.study.chain.use_account import use_account
from jevons.study.chain.verdict import DemandResponse
from jevons.study.scenario.scenario import Scenario

OUTCOMES: dict[str, tuple[str, str]] = {
    "value_per_share": ("¤/share", "value per share"),
    "plan_value": ("¤", "present value of the AI cloud: cash in the plan and fleet value at the horizon"),
    "orders_value": ("¤", "value added by new orders, against ordering nothing, rivals buying what the firm leaves"),
    "tokens_per_d": ("tok/day", "tokens served per day in the last quarter"),
    "devices": ("devices", "accelerators in service in the last quarter"),
    "capex": ("¤", "capital spent on accelerators and sites over the plan"),
    "budget_spent_frac": ("1", "share of the AI budget that is spent"),
    "it_w": ("W", "IT power in the last quarter"),
    "ai_revenue": ("¤", "AI revenue of the last four quarters"),
    "ai_ebita": ("¤", "AI EBITA of the last four quarters"),
    "price_index": ("1", "price per token in the last quarter over the first, compute-weighted"),
    "compute_factor": ("1", "compute demand in the last quarter with efficiency doubled, relative to without"),
    "settled_compute_factor": (
        "1",
        "compute demand with efficiency doubled, long run (full pass-through and adoption)",
    ),
    "elasticity": ("1", "price elasticity of work (tokens, training) in the last quarter"),
}
"""Name, unit and meaning of the outcomes that each draw records."""

SHORT_NAMES: dict[str, str] = {
    "value_per_share": "value per share",
    "plan_value": "value of the AI cloud",
    "orders_value": "value of orders",
    "tokens_per_d": "tokens at end",
    "devices": "devices at end",
    "capex": "capital spent",
    "ai_revenue": "AI revenue a year",
    "ai_ebita": "AI EBITA a year",
    "price_index": "token price, end/start",
    "compute_factor": "compute, efficiency x 2",
    "settled_compute_factor": "compute, long run, efficiency x 2",
}
"""Names of the outcomes that fit a narrow table, those that answers speak of."""

PATHS: dict[str, tuple[str, str]] = {
    "tokens_per_d": ("tok/day", "tokens served per day"),
    "cloud_revenue": ("¤", "cloud revenue in the quarter, AI and other"),
    "cloud_ebita_frac": ("1", "EBITA over revenue of the cloud"),
    "capex": ("¤", "AI capital expenditure of the quarter"),
    "ai_revenue": ("¤", "AI revenue of the quarter"),
    "it_w": ("W", "IT power of the accelerators in service"),
    "released_rest": ("¤", "spent in the quarter beside AI infrastructure: other lines, and payments ahead of chips"),
    "market_tokens_per_d": ("tok/day", "token demand per day, all providers"),
    "price_index": ("1", "price per token over the first quarter's, compute-weighted"),
    "loop_gain": ("1", "loop gain: learning exponent times pass-through times size of the price elasticity of tokens"),
}
"""Name, unit and meaning of the paths by quarter that each draw records; of rivals, see `paths_of`."""

PATH_NAMES: dict[str, str] = {
    "tokens_per_d": "tokens a day",
    "cloud_revenue": "cloud revenue",
    "cloud_ebita_frac": "cloud EBITA margin",
    "capex": "AI capital spent",
    "ai_revenue": "AI revenue",
    "it_w": "IT power",
    "market_tokens_per_d": "tokens a day, all providers",
    "price_index": "token price, start = 1",
}
"""Names of the paths that can be tracked, short enough for a narrow table."""


def outcomes_of(result: ChainResult, response: DemandResponse) -> dict[str, float]:
    """Return the recorded outcomes of one pass of the chain, and of the demand's response to doubled efficiency."""
    plan, problem, market = result.plan, result.plan.problem, result.market
    demanded = np.maximum(problem.demand.block_calls_per_d[:, -1].sum(axis=1), 1e-30)
    served = plan.service.served_calls_per_d[:, -1].sum(axis=1) / demanded
    capex = float((plan.spending.device_capex_cur + plan.spending.site_capex_cur).sum())
    tokens = result.inputs.model < len(result.scenario.serving.models)
    weight = market.tokens_per_d[tokens, -1] * market.call_price_cur[tokens, -1]
    index = market.price_index[result.inputs.model[tokens], -1]
    return {
        "value_per_share": result.accounts.value_per_share_cur,
        "plan_value": result.accounts.plan_value_cur,
        "orders_value": orders_value_cur(result),
        "tokens_per_d": float((market.tokens_per_d[:, -1] * served).sum()),
        "devices": float(plan.fleet.installed[:, :, -1].sum()),
        "capex": capex,
        "budget_spent_frac": capex / max(float(problem.money.budget_cur.sum()), 1e-30),
        "it_w": float(plan.fleet.it_w[-1]),
        "ai_revenue": float(result.accounts.statements.ai_revenue_cur[-4:].sum()),
        "ai_ebita": float(result.accounts.statements.earnings.ai_ebita_cur[-4:].sum()),
        "price_index": float((index * weight).sum() / max(weight.sum(), 1e-30)),
        "compute_factor": float(response.compute_factor[-1]),
        "settled_compute_factor": response.settled_compute_factor,
        "elasticity": float(response.elasticity[-1]),
    }


def response_paths(scenario: Scenario, response: DemandResponse) -> dict[str, list[float]]:
    """Return ``compute_factor:SEGMENT`` by quarter: device-hours wanted with efficiency doubled, over without."""
    factors = np.nan_to_num(response.segment_compute_factor, nan=1.0)
    return {f"compute_factor:{name}": factors[s].tolist() for s, name in enumerate(scenario.market.segments)}


def use_paths(result: ChainResult) -> dict[str, list[float]]:
    """Return revenue, device-hours and tokens a day of each use by quarter: ``use_revenue:USE`` and so on."""
    account = use_account(result)
    named = (
        ("use_revenue", account.revenue_cur),
        ("use_device_h", account.device_h_per_d),
        ("use_tokens", account.tokens_per_d),
    )
    return {f"{what}:{use}": values[u].tolist() for what, values in named for u, use in enumerate(account.uses)}


def paths_of(result: ChainResult, loop_gain: Array) -> dict[str, list[float]]:
    """Return the recorded paths by quarter of one pass of the chain, whose *loop_gain* (t,) is given.

    They are `PATHS` and what each provider sells: ``price:MODEL`` is the firm's posted price over its start,
    ``price:RIVAL:MODEL`` a rival's list price of the model's token mix [currency/token], ``tokens:RIVAL`` the tokens
    a day that a rival serves.
    """
    plan, market, books = result.plan, result.market, result.accounts.statements
    demanded = np.maximum(plan.problem.demand.block_calls_per_d.sum(axis=2), 1e-30)
    served = plan.service.served_calls_per_d.sum(axis=2) / demanded
    tokens = result.inputs.model < len(result.scenario.serving.models)
    weight = (market.tokens_per_d * market.call_price_cur)[tokens]
    index = market.price_index[result.inputs.model[tokens]]
    revenue = books.ai_revenue_cur + books.base.base_revenue_cur
    season = result.scenario.finance.season
    seasonal = 1.0 if season is None else np.array(season.factors(result.scenario.start, revenue.size))
    paths = {
        "tokens_per_d": (market.tokens_per_d * served).sum(axis=0),
        "cloud_revenue": books.ai_revenue_cur + books.base.base_revenue_cur * seasonal,
        "cloud_ebita_frac": books.earnings.ebita_cur / np.maximum(revenue, 1e-30),
        "capex": books.capex_cur,
        "ai_revenue": books.ai_revenue_cur,
        "it_w": plan.fleet.it_w,
        "released_rest": released_rest(result.scenario) + paid_ahead(result.scenario, plan),
        "market_tokens_per_d": market.market_tokens_per_d.sum(axis=0),
        "price_index": (index * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-30),
        "loop_gain": loop_gain,
    }
    models, rivals = list(result.scenario.serving.models), list(result.scenario.market.providers.rivals)
    paths |= {f"price:{model}": market.price_index[m] for m, model in enumerate(models)}
    rivalry = result.inputs.rivals
    if rivalry is not None:
        sold = provider_tokens_per_d(market.provider_share_frac, market.market_tokens_per_d, rivalry)
    for column, rival in enumerate(rivals, 1):
        paths[f"tokens:{rival}"] = sold[column]
        prices = market.provider_price_cur_per_tok[:, column]
        paths |= {f"price:{rival}:{model}": prices[m] for m, model in enumerate(models) if prices[m, 0] > 0}
    return {name: np.asarray(path, float).tolist() for name, path in paths.items()}
