"""What draws say: intervals for every headline, two probabilities, and which inputs the answer hangs on."""

from __future__ import annotations

from typing import Any

import numpy as np

from jevons.study.montecarlo import OUTCOMES, PATHS, Draws

QUANTILES = (0.1, 0.5, 0.9)
HEADLINES = ("value_per_ads_cny", "plan_value_cny", "tokens_per_d", "compute_factor", "ai_revenue_cny")
"""Outcomes for which the sensitivity is ranked."""

METHOD = "Spearman's rank correlation over the draws; sizes within chance (2 / sqrt n) left out"


def probabilities(draws: Draws) -> dict[str, dict[str, float]]:
    """Return P(Jevons), in the plan and with time, and P(value created), with standard errors from the number of draws.

    Notes
    -----
    Jevons: compute wanted rises when efficiency doubles, within the plan, and settled: once the saving is passed on and
    adopted. Value created: the AI cloud is worth more than nothing after paying for its capital. The standard error is
    binomial; Latin hypercube draws make it, if anything, too wide.
    """
    held = {}
    tests = (("jevons", "compute_factor", 1.0), ("jevons_settled", "settled_compute_factor", 1.0))
    for name, outcome, above in (*tests, ("value_created", "plan_value_cny", 0.0)):
        share = draws.probability(outcome, above)
        held[name] = {"p": share, "standard_error": (share * (1 - share) / max(draws.values.shape[0], 1)) ** 0.5}
    return held


def interval_records(draws: Draws) -> list[dict[str, Any]]:
    """Return one record per outcome: unit, meaning, mean and the 10, 50 and 90 % quantiles."""
    records = []
    for name, (unit, meaning) in OUTCOMES.items():
        low, middle, high = draws.quantiles(name, QUANTILES)
        mean = float(np.mean(draws.outcomes[name]))
        records.append(
            {"outcome": name, "unit": unit, "meaning": meaning, "p10": low, "p50": middle, "p90": high, "mean": mean}
        )
    return records


def path_records(draws: Draws) -> dict[str, dict[str, Any]]:
    """Return the 10, 50 and 90 % quantiles of each recorded path by quarter."""
    held: dict[str, dict[str, Any]] = {}
    for name, (unit, meaning) in PATHS.items():
        low, middle, high = np.quantile(draws.paths[name], QUANTILES, axis=0).tolist()
        held[name] = {"unit": unit, "meaning": meaning, "p10": low, "p50": middle, "p90": high}
    return held


def sensitivity_records(draws: Draws, most: int = 12) -> dict[str, list[dict[str, Any]]]:
    """Return the ranked inputs of each headline."""
    return {
        outcome: [{"input": name, "rank_correlation": size} for name, size in draws.sensitivity(outcome, most)]
        for outcome in HEADLINES
    }


def summary(draws: Draws) -> dict[str, Any]:
    """Return everything above as one mapping."""
    return {
        "draws": int(draws.values.shape[0]) + draws.infeasible,
        "infeasible": draws.infeasible,
        "probability": probabilities(draws),
        "outcomes": interval_records(draws),
        "paths": path_records(draws),
        "sensitivity": {"method": METHOD, "outcomes": sensitivity_records(draws)},
    }
