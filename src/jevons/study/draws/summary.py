"""What draws say: intervals for every headline, two probabilities, and which inputs the answer hangs on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import norm

from jevons.rounding import scaled, shown_in
from jevons.study.draws.outcomes import OUTCOMES, PATHS
from jevons.study.draws.run import Draws

QUANTILES = (0.1, 0.5, 0.9)
HEADLINES = (
    "value_per_share", "orders_value", "tokens_per_d", "compute_factor", "settled_compute_factor",
    "ai_revenue",
)  # fmt: skip
"""Outcomes for which the sensitivity is ranked."""

METHOD = (
    "Spearman's rank correlation over the draws; sizes that chance alone would reach for any of the inputs in one "
    "study of twenty are left out"
)
_FALSE_ALARM = 0.05
EVENTS = {
    "jevons": "P(Jevons): compute demand rises when efficiency doubles",
    "jevons_settled": "P(Jevons in the long run): compute demand rises after full pass-through and adoption",
    "elastic": "P(elasticity above one): work answers its price more than one for one in the last quarter",
    "value_created": "P(value created): new orders are worth more than they cost",
}


def probabilities(draws: Draws) -> dict[str, dict[str, float]]:
    """Return P(Jevons), in the plan and in the long run, and P(value created), with standard errors.

    Notes
    -----
    Jevons: compute demand rises when efficiency doubles, within the plan, and settled: once the saving is passed on and
    adopted. Value created: the plan's orders are worth more than they cost, against ordering nothing. The standard
    error is that of a share k of n draws with half a draw added to either side (Jeffreys), so that 0 of 12 is no
    certainty; Latin hypercube draws make it, if anything, too wide.
    """
    shares, count = {}, draws.values.shape[0]
    tests = (("jevons", "compute_factor", 1.0), ("jevons_settled", "settled_compute_factor", 1.0))
    for name, outcome, above in (*tests, ("value_created", "orders_value", 0.0)):
        share = draws.probability(outcome, above)
        shares[name] = _with_error(share, count)
    shares["elastic"] = _with_error(1.0 - draws.probability("elasticity", -1.0), count)
    return shares


def segment_probability(draws: Draws, segment: str) -> float:
    """Return the share of draws in which a segment's device-hours rise when efficiency doubles, last quarter."""
    return float(np.mean(draws.paths[f"compute_factor:{segment}"][:, -1] > 1.0))


def _with_error(share: float, count: int) -> dict[str, float]:
    """Return a share of *count* draws with its standard error."""
    near = (share * count + 0.5) / (count + 1)
    return {"p": share, "standard_error": math.sqrt(near * (1 - near) / (count + 2))}


def chance_size(draws: Draws) -> float:
    """Return the size of a rank correlation above which one of the inputs comes by chance in one study of twenty.

    Notes
    -----
    ``z / sqrt(n - 1)`` with z the normal quantile at 0.05 over twice the number of inputs (Bonferroni): with hundreds
    of inputs and the bound for a single one, a score of inputs without any effect would be listed.
    """
    varied = int((np.ptp(draws.values, axis=0) > 0).sum()) if draws.values.size else 0
    quantile = float(norm.isf(_FALSE_ALARM / (2 * max(varied, 1))))
    return quantile / math.sqrt(max(draws.values.shape[0] - 1, 1))


def ranked(draws: Draws, outcome: str, most: int = 12) -> list[tuple[str, float]]:
    """Return the inputs that move an outcome, by rank correlation, strongest first, those within chance left out."""
    least = chance_size(draws)
    return [(name, size) for name, size in draws.sensitivity(outcome, most) if abs(size) > least]


def interval_text(draws: Draws, outcome: str) -> str:
    """Return the 10 and 90 % quantiles of an outcome in words, with the unit of the tables where that is scaled."""
    factor, unit = shown_in(OUTCOMES[outcome][0])
    low, high = (scaled(q / factor) for q in draws.quantiles(outcome, (0.1, 0.9)))
    return f"10 to 90 %: {low} to {high}{'' if factor == 1 else f' {unit}'}"


def probability_text(draws: Draws, event: str) -> str:
    """Return a probability with its standard error, such as ``34 % ± 4``."""
    probability = probabilities(draws)[event]
    return f"{100 * probability['p']:.0f} % ± {100 * probability['standard_error']:.0f}"


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
    records: dict[str, dict[str, Any]] = {}
    for name, (unit, meaning) in PATHS.items():
        low, middle, high = np.quantile(draws.paths[name], QUANTILES, axis=0).tolist()
        records[name] = {"unit": unit, "meaning": meaning, "p10": low, "p50": middle, "p90": high}
    return records


def sensitivity_records(draws: Draws, most: int = 12) -> dict[str, list[dict[str, Any]]]:
    """Return the ranked inputs of each headline."""
    return {
        outcome: [{"input": name, "rank_correlation": size} for name, size in ranked(draws, outcome, most)]
        for outcome in HEADLINES
    }


def summary(draws: Draws) -> dict[str, Any]:
    """Return everything above as one mapping."""
    return {
        "draws": int(draws.values.shape[0]) + draws.infeasible + draws.unsolved,
        "infeasible": draws.infeasible,
        "unsolved": draws.unsolved,
        "probability": probabilities(draws),
        "outcomes": interval_records(draws),
        "paths": path_records(draws),
        "sensitivity": {"method": METHOD, "outcomes": sensitivity_records(draws)},
    }
