"""A plan as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.market.posting import token_weights
from jevons.market.types import TOKEN_KINDS
from jevons.study.chain.budget import paid_ahead, released_rest
from jevons.study.chain.rivals_response import rule
from jevons.study.draws import summary as uncertainty
from jevons.study.plan.budget_lines import PlanLines
from jevons.study.plan.tables.calls import calls_by_segment
from jevons.study.plan.tables.market import market_json
from jevons.study.plan.tables.overview import headlines, plan_sentences, verdict_sentence
from jevons.study.plan.tables.schedule import schedule_json
from jevons.study.plan.tables.shadow_prices import shadow_json
from jevons.study.plan.tables.uses import use_json
from jevons.words import answer_of

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures


def lines_record(lines: PlanLines | None) -> dict[str, Any] | None:
    """Return money and value by line as plain values."""
    if lines is None:
        return None
    return {
        "budget": lines.budget_cur,
        "total_value": lines.value_cur.sum(),
        "best_total_value": lines.best_value_cur.sum(),
        "lines": {
            name: {
                "label": lines.labels[i], "spent": lines.spent_cur[i], "value": lines.value_cur[i],
                "best_spent": lines.best_spent_cur[i], "best_value": lines.best_value_cur[i],
            }
            for i, name in enumerate(lines.names)
        },
    }  # fmt: skip


def decided_record(result: PlanFigures) -> dict[str, Any] | None:
    """Return the orders made before the future shows, and the futures; None for a planner of one future."""
    decided = result.chain.decided
    if decided is None:
        return None
    tree, problem = decided.plan.tree, result.chain.plan.problem
    return {
        "known_from": problem.quarters[decided.known_from] if decided.known_from < len(problem.quarters) else "",
        "orders": {
            device: decided.plan.now[v].sum(axis=0) for v, device in enumerate(problem.devices)
        },
        "futures": [
            {"name": branch.name, "probability": branch.probability_frac, "objective": value}
            for branch, value in zip(tree.branches, decided.plan.value_cur.tolist(), strict=True)
        ],
        "expected": decided.plan.expected_cur, "worst": decided.plan.worst_cur,
        "risk_weight": decided.plan.risk.weight_frac, "risk_tail": decided.plan.risk.tail_frac,
    }  # fmt: skip


def _fleet_record(result: PlanFigures) -> dict[str, Any]:
    """Return devices, site power and use of the fleet by quarter."""
    plan = result.chain.plan
    problem = plan.problem
    return {
        "devices": {d: plan.fleet.installed[i].sum(axis=0) for i, d in enumerate(problem.devices)},
        "ordered": {d: plan.fleet.ordered[i].sum(axis=0) for i, d in enumerate(problem.devices)},
        "training_devices": plan.fleet.training_devices.sum(axis=(0, 1)),
        "retired_early": plan.retired_early,
        "it_w": plan.fleet.it_w,
        "site_w": {s: plan.fleet.site_w[i] for i, s in enumerate(problem.sites)},
        "utilisation_frac": plan.service.utilisation_frac,
    }


def _cash_record(result: PlanFigures) -> dict[str, Any]:
    """Return budget, spending, revenue and earnings by quarter."""
    plan, books = result.chain.plan, result.chain.accounts.statements
    return {
        "budget": plan.problem.money.budget_cur,
        "capex": books.capex_cur,
        "ai_revenue_external": books.revenue.external_revenue_cur,
        "ai_revenue_internal": books.revenue.internal_revenue_cur,
        "ai_ebita": books.earnings.ai_ebita_cur,
        "base_revenue": books.base.base_revenue_cur,
        "base_ebita": books.base.base_ebita_cur,
        "depreciation": books.depreciation_cur,
        "ai_fcf": books.cash.ai_fcf_cur,
        "paid_ahead": paid_ahead(result.scenario, plan),
        "other_lines": released_rest(result.scenario),
        "binding": [list(names) for names in plan.worth.binding],
    }


def _value_record(result: PlanFigures) -> dict[str, Any]:
    """Return the sum of parts, and what the price assumes."""
    accounts = result.chain.accounts
    return {
        "bridge": dict(accounts.valuation.bridge),
        "ai_roic_frac": accounts.valuation.ai.roic_frac,
        "ai_growth_destroys_value": accounts.valuation.ai.growth_destroys_value,
        "equity": accounts.valuation.equity_cur,
        "market": accounts.market_value_cur,
        "share": result.scenario.firm.share,
        "per_share": accounts.value_per_share_cur,
        "price_per_share": accounts.price_per_share_cur,
        "plan_value": accounts.plan_value_cur,
        "orders_value": result.orders_value_cur,
        "compared_by": rule(result.scenario),
        "implied_cloud_growth_frac": result.implied[0]["growth_frac"],
        "iso_price_surface": result.implied,
    }


def _verdict_record(result: PlanFigures) -> dict[str, Any]:
    """Return the Jevons verdict, with probabilities where there are draws."""
    v, draws = result.verdict, result.draws
    return {
        "elasticity": v.elasticity,
        "elasticity_to_efficiency": v.elasticity_to_efficiency,
        "pass_through": v.pass_through,
        "loop_gain": v.loop_gain,
        "planned_loop_gain": v.planned_loop_gain,
        "bridge": v.bridge,
        "channels": v.response.channels,
        "value_channels": v.value_channels,
        "sentence": verdict_sentence(result).text(),
        "tokens_factor": v.tokens_factor,
        "compute_factor": v.compute_factor,
        "compute_rises": v.compute_rises,
        "settled_compute_factor": v.settled_compute_factor,
        "planned_compute_factor": v.planned_compute_factor,
        "planned_tokens_factor": v.planned_tokens_factor,
        "planned_capex_factor": v.planned_capex_factor,
        "planned_revenue_factor": v.planned_revenue_factor,
        "planned_value_change": v.planned_value_change_cur,
        "use_compute_factor": v.response.use_compute_factor,
        "compute_share_frac": {s: v.response.segment_share_frac[i] for i, s in enumerate(result.segments)},
        "segment_compute_factor": {
            s: float(v.segment_compute_factor[i])
            for i, s in enumerate(result.segments)
            if np.isfinite(v.segment_compute_factor[i])
        },
        "probability": None if draws is None else draws.probability("compute_factor", 1.0),
        "probability_elastic": None if draws is None else uncertainty.probabilities(draws)["elastic"]["p"],
        "probability_by_segment": None
        if draws is None
        else {s: uncertainty.segment_probability(draws, s) for s in result.segments},
        "probability_settled": None if draws is None else draws.probability("settled_compute_factor", 1.0),
    }


def plan_json(result: PlanFigures) -> dict[str, Any]:
    """Return the plan as plain values; see `docs/reference/plan-json.md` for the fields."""
    market, problem = result.chain.market, result.chain.plan.problem
    served = market.calls_per_d * result.served_frac
    calls = {s: served[i] for i, s in enumerate(result.segments) if result.chain.inputs.use.counts_tokens[i]}
    draws = result.draws
    records = [] if draws is None else uncertainty.interval_records(draws)
    sentences = plan_sentences(result)
    mixes = token_weights(result.chain.inputs)
    return {
        "answer": answer_of(*sentences),
        "answer_parts": [sentence.record() for sentence in sentences],
        "scenario": result.scenario.name,
        "as_of": result.scenario.as_of,
        "currency": result.scenario.currency,
        "headlines": headlines(result),
        "quarters": list(result.quarters),
        "fleet": _fleet_record(result),
        "tokens_per_day": {
            "total": result.tokens_per_d.sum(axis=0),
            "by_segment": {s: result.tokens_per_d[i] for i, s in enumerate(result.segments)},
            "wanted": market.tokens_per_d.sum(axis=0),
        },
        "calls_per_day": {
            "total": sum(calls.values()),
            "by_segment": calls,
            "year": calls_by_segment(result),
        },
        "use": use_json(result),
        "market": market_json(result),
        "price_per_mtok": {
            m: {kind: market.price_cur_per_tok[i, k] * 1e6 for k, kind in enumerate(TOKEN_KINDS)}
            for i, m in enumerate(result.models)
        },
        "price_schedule": schedule_json(result),
        "price_per_call": {
            s: market.call_price_cur[i] * result.chain.exchange.scarcity[i] for i, s in enumerate(result.segments)
        },
        "cost_per_mtok": {
            m: {
                kind: result.chain.inputs.supply.unit_cost_cur_per_tok[i, k] * 1e6 for k, kind in enumerate(TOKEN_KINDS)
            }
            for i, m in enumerate(result.models)
        },
        "token_mix": {m: dict(zip(TOKEN_KINDS, mixes[i], strict=True)) for i, m in enumerate(result.models)},
        "cost_per_device_hour": {d: result.chain.setting.hour_cur[i] for i, d in enumerate(problem.devices)},
        "cash": _cash_record(result),
        "value": _value_record(result),
        "lines": lines_record(result.lines),
        "decided": decided_record(result),
        "jevons": _verdict_record(result),
        "probability": None if draws is None else uncertainty.probabilities(draws),
        "quantiles": {r["outcome"]: {q: r[q] for q in ("p10", "p50", "p90")} for r in records},
        "uncertainty": {record.pop("outcome"): record for record in records},
        "sensitivity": {}
        if draws is None
        else {name: dict(uncertainty.ranked(draws, name)) for name in uncertainty.HEADLINES},
        "shadow_prices": shadow_json(result),
        "residual": result.chain.convergence.residual,
        "gap_frac": result.chain.convergence.gap_frac,
        "rounds": result.chain.convergence.rounds,
        "draws": 0 if draws is None else int(draws.outcomes["devices"].size),
        "infeasible_draws": 0 if draws is None else draws.infeasible,
        "unsolved_draws": 0 if draws is None else draws.unsolved,
        "judgements": [
            {"path": path, "value": value, "low": low, "high": high, "unit": unit, "reason": reason}
            for path, value, low, high, unit, reason in result.judgements
        ],
        "sources": {
            name: dict(zip(("value", "unit", "from", "grade", "source", "url"), row, strict=True))
            for name, row in result.sources.items()
        },
    }
