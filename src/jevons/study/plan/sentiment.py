"""What is beside value: a basket of like shares, stories, and flows into funds, each with its score out of sample."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

from jevons.facts import Facts
from jevons.finance import FlowScore, NarrativeScore, score_flows, score_narrative
from jevons.study.plan.prices import Quote
from jevons.study.plan.valuation import FEWEST_CLOSES, closes_of
from jevons.study.scenario.scenario import Scenario


def beside_basket(share: tuple[float, float], basket: tuple[float, float], name: str) -> dict[str, Any]:
    """Return how a share moved beside a basket of like shares between two dates.

    Examples
    --------
    >>> moved = beside_basket((100.0, 150.0), (30.0, 36.0), "fund")
    >>> round(moved["beside_frac"], 3), round(moved["basket_part_frac"], 3)
    (0.25, 0.45)
    """
    own, common = share[1] / share[0], basket[1] / basket[0]
    return {
        "name": name, "share_change_frac": own - 1.0, "basket_change_frac": common - 1.0,
        "beside_frac": own / common - 1.0,
        "basket_part_frac": math.log(common) / math.log(own) if abs(math.log(own)) > 1e-9 else None,
    }  # fmt: skip


def basket_of_quotes(quotes: Mapping[dt.date, Quote], first: dt.date, last: dt.date) -> dict[str, Any] | None:
    """Return the share beside the basket of a user's file, None where either date has no level."""
    ends = [quotes[day].figures for day in (first, last)]
    if not all("basket" in end for end in ends):
        return None
    return beside_basket((ends[0]["price"], ends[1]["price"]), (ends[0]["basket"], ends[1]["basket"]), "file")


def basket_of_facts(scenario: Scenario, facts: Facts, first: dt.date, last: dt.date) -> dict[str, Any] | None:
    """Return the share beside the basket that the scenario names, None where a level or close is not on file."""
    pairs = []
    for fact_id in (closes_of(scenario), scenario.firm.basket):
        known = {value.start: value.number for value in facts.series(fact_id)} if fact_id in facts else {}
        if first not in known or last not in known:
            return None
        pairs.append((known[first], known[last]))
    return beside_basket(pairs[0], pairs[1], scenario.firm.basket)


def scores_of_quotes(quotes: Mapping[dt.date, Quote]) -> tuple[NarrativeScore | None, FlowScore | None]:
    """Return the scores of stories and of flows on the closes of a user's file; None where there are too few."""
    lines = list(quotes.values())
    if len(lines) < FEWEST_CLOSES:
        return None, None
    closes = [quote.figures["price"] for quote in lines]
    whole = all("flow" in quote.figures for quote in lines)
    flows = score_flows(closes, [quote.figures["flow"] for quote in lines]) if whole else None
    return score_narrative(closes), flows


def layer_record(score: NarrativeScore | FlowScore | None) -> dict[str, Any] | None:
    """Return a layer's score as plain values."""
    if score is None:
        return None
    own = score.rmse_narrative if isinstance(score, NarrativeScore) else score.rmse_flows
    return {
        "kept": score.keep, "forecasts": score.actual.size, "rmse": own, "rmse_random_walk": score.rmse_walk,
        "rmse_walk_with_drift": score.rmse_drift,
    }  # fmt: skip
