"""Writes what the Jevons verdict of the main scenario rests on into docs/explanation/chain.md, input by input.

Usage: python scripts/verdict_page.py
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

from paragraphs import filled

import jevons
from jevons.files import writing
from jevons.study.draws.summary import interval_records, probabilities, ranked
from jevons.text import with_blocks

ROOT = Path(__file__).resolve().parent.parent
MAIN = ROOT / "scenarios" / "alibaba-380bn.yaml"
PAGE = ROOT / "docs" / "explanation" / "chain.md"
SEGMENTS = {
    "depth": "share of use that chooses tokens per call by price",
    "depth_exponent": "exponent of a call's value in its tokens",
    "elasticity": "elasticity of calls per user",
}


def _span(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def cases(scenario: Any) -> list[tuple[str, dict[str, float]]]:
    """Return each change of the scenario by its name: an input of all segments, at the ends of its ranges."""
    changes_by_name = [("nobody chooses tokens per call by price", {"market.segments.*.depth": 0.0})]
    for field, name in SEGMENTS.items():
        for end, word in (("low", "lowest"), ("high", "highest")):
            each = {
                segment: getattr(getattr(spec, field), end)
                for segment, spec in scenario.market.segments.items()
                if getattr(getattr(spec, field), end) is not None
            }
            changes = {f"market.segments.{segment}.{field}": value for segment, value in each.items()}
            changes_by_name.append((f"{name} at its {word}, {_span(list(each.values()))}", changes))
    scale = scenario.market.elasticity_scale
    changes_by_name += [
        (f"all elasticities × {value:g}", {"market.elasticity_scale": value}) for value in (scale.low, scale.high)
    ]
    return changes_by_name


def row(name: str, plan: jevons.PlanResult) -> str:
    """Return a line of the table."""
    response = plan.verdict.response
    return (
        f"| {name} | {response.elasticity[-1]:.2f} | {response.compute_factor[-1]:.2f} "
        f"| {response.settled_compute_factor:.2f} |"
    )


def channels_text(plan: jevons.PlanResult) -> str:
    """Return what a doubling of efficiency does, by channel and use."""
    response = plan.verdict.response
    share = {name: value / math.log(2.0) for name, value in response.channels.items()}
    uses = {name: float(values[-1]) for name, values in response.use_compute_factor.items()}
    return (
        f"A doubling of efficiency makes {response.compute_factor[-1]:.2f} times as much compute wanted in "
        f"{plan.quarters[-1]}. Of the elasticity of work to efficiency, the logarithm of work over that of efficiency, "
        f"calls per user give {share['calls']:.2f}, tokens per call {share['tokens_per_call']:.2f} and more users "
        f"{share['users']:.2f}. On the other side {-share['efficiency']:.2f} of the fleet's hours follow efficiency; "
        f"own training and reserve do not. By use, compute is {uses['self_served']:.2f} times in self-served "
        f"inference, {uses['training']:.2f} in training by renters and {uses['calls']:.2f} in calls. Growth at "
        "constant prices (adoption, calls, tokens per call) stands apart, in the bridge of `jevons plan --detail`."
    )


def draws_text(draws: Any) -> str:
    """Return what the draws say of the verdict."""
    factor = next(record for record in interval_records(draws) if record["outcome"] == "compute_factor")
    percent = {name: f"{100 * probability['p']:.0f} %" for name, probability in probabilities(draws).items()}
    inputs = (f"`{path}` (rank correlation {value:+.2f})" for path, value in ranked(draws, "compute_factor", 4))
    return (
        f"In {draws.values.shape[0]} draws compute is {factor['p50']:.2f} times, {factor['p10']:.2f} to "
        f"{factor['p90']:.2f} (80 %). P(Jevons) is {percent['jevons']}, {percent['jevons_settled']} in the long run; "
        f"P(elasticity above one) is {percent['elastic']}. Compute follows {', '.join(inputs)}."
    )


def block(plan: jevons.PlanResult) -> str:
    """Return the section: channels of the doubling, inputs at their ends, and what the draws say."""
    rows = [row("as it is", plan)]
    rows += [row(name, jevons.plan(MAIN, draws=0, set=changes)) for name, changes in cases(plan.scenario)]
    columns = "price elasticity of work | compute wanted | in the long run"
    return "\n".join(
        (
            filled(channels_text(plan)),
            "",
            "Inputs at the ends of their ranges, one kind at a time:",
            "",
            f"| {plan.quarters[-1]}, efficiency doubled | {columns} |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            filled(draws_text(plan.draws)),
        )
    )


def main() -> int:
    """Write the section."""
    text = with_blocks(PAGE.read_text(encoding="utf-8"), {"verdict": block(jevons.plan(MAIN))})
    with writing(PAGE, force=True) as stream:
        stream.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
