"""What the report of a plan shows beside its JSON: boom and bust, what came since, names, statements."""

from __future__ import annotations

from typing import Any

from jevons.errors import JevonsError
from jevons.report.findings import findings
from jevons.results import Table
from jevons.study import PlanResult
from jevons.study.chain.decide import decided_chain
from jevons.study.chain.verdict import demand_response
from jevons.study.compare.cases import case_named
from jevons.study.currency import named_in, of_scenario
from jevons.study.draws.outcomes import outcomes_of, paths_of
from jevons.study.draws.summary import path_records
from jevons.study.draws.workers import ROUNDS, TOLERANCE
from jevons.study.plan.group_cash import group_cash
from jevons.study.plan.tables import statements as books
from jevons.study.plan.valuation import required_of_plan, returns_on_capital
from jevons.study.scenario.changes import changed
from jevons.study.track.actuals import actuals_of_facts
from jevons.study.track.result import TrackResult
from jevons.study.track.update import reweighted

SHOWN = ("capex", "devices", "tokens_per_d", "ai_revenue", "orders_value", "value_per_share", "compute_factor")
"""Outcomes that boom and bust are compared by."""


def plan_findings(result: PlanResult, *, futures: bool = True) -> dict[str, Any]:
    """Return what a plan found, with what its report shows beside the plan's JSON.

    Parameters
    ----------
    result : PlanResult
        From `jevons.plan`.
    futures : bool
        Whether a boom and a bust are solved, which takes some seconds.
    """
    record = {"answer": result.answer, **result.to_json()}
    more = {
        "paths": {} if result.draws is None else named_in(result.scenario.currency, path_records(result.draws)),
        "swings": _swings(result),
        "cycle": _cycle(result) if futures else None,
        "actuals": _actuals(result),
        "names": _names(result),
    }
    return findings(record, more)


def statement_tables(result: PlanResult) -> list[Table]:
    """Return the statements by quarter, the return on capital, and what the plan needs."""
    accounts = result.chain.accounts
    cash = group_cash(result.scenario, accounts)
    returns = books.returns_table(returns_on_capital(result.scenario, accounts), result.scenario.cost.wacc.value)
    tables = [*books.statement_tables(accounts.statements, cash, accounts.contracts), returns]
    tables.append(books.required_table(required_of_plan(accounts)))
    return [of_scenario(result.scenario, table) for table in tables]


def _swings(result: PlanResult) -> list[dict[str, Any]]:
    currency = str(result.scenario.currency)
    return [
        {
            "path": swing.path, "label": result.amount_label(swing.path),
            "unit": _share_unit(swing.unit.replace("¤", currency), swing.low, swing.high), "low": swing.low,
            "high": swing.high,
            "at_low": swing.at_low_cur, "at_high": swing.at_high_cur, "value": swing.value_cur, "grade": swing.grade,
        }
        for swing in result.value_swings[:10]
    ]  # fmt: skip


def _share_unit(unit: str, low: float, high: float) -> str:
    """Return ``frac`` for a pure number below one, which people read as a percentage."""
    return "frac" if unit == "1" and max(abs(low), abs(high)) < 1 else unit


def _cycle(result: PlanResult) -> dict[str, Any] | None:
    """Return outcomes of a boom and of a bust, each solved from the central plan; None where one has no plan."""
    both: dict[str, Any] = {"currency": str(result.scenario.currency), "paths": {}, "shares": {}}
    for side in ("boom", "bust"):
        try:
            scenario = changed(result.scenario, case_named(side).b)
            chain = decided_chain(
                scenario, result.engineering, start=result.chain, most_rounds=ROUNDS, tolerance=TOLERANCE
            )
        except JevonsError:
            return None
        response = demand_response(chain, result.engineering)
        outcomes = outcomes_of(chain, response)
        both[side] = {name: outcomes[name] for name in SHOWN}
        both["paths"][side] = paths_of(chain, response.loop_gain(chain.scenario))["ai_revenue"]
        if result.draws is not None:
            drawn, level = result.draws.outcomes["ai_revenue"], outcomes["ai_revenue"]
            beyond = drawn >= level if side == "boom" else drawn <= level
            both["shares"][side] = float(beyond.mean())
    return both


def _actuals(result: PlanResult) -> list[dict[str, Any]]:
    """Return forecast and actual of the quarters that facts have since told; nothing without draws."""
    if result.draws is None:
        return []
    try:
        every = actuals_of_facts(result.scenario, result.facts, None)
    except JevonsError:
        return []
    labels = list(result.quarters)
    inside = tuple(actual for actual in every if actual.quarter in labels)
    if not inside:
        return []
    track = TrackResult(
        scenario=result.scenario, draws=result.draws, actuals=inside, left_out=(),
        update=reweighted(result.draws, labels, inside),
    )  # fmt: skip
    return track.quarters()


def _names(result: PlanResult) -> dict[str, dict[str, str]]:
    limits = {name for limits in result.chain.plan.worth.binding for name in limits}
    return {
        "limits": {name: result.limit_label(name) for name in sorted(limits)},
        "devices": {device: result.device_label(device) for device in result.scenario.hardware.devices},
        "segments": {segment: result.segment_label(segment) for segment in result.segments},
    }


__all__ = ["SHOWN", "plan_findings", "statement_tables"]
