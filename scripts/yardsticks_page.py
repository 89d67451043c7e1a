"""Writes `docs/validation/yardsticks.md`: training efficiency and tool chains, and whether they explain anything unseen."""

# ruff: noqa: E501 - lines of the page

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jevons
from jevons.results import Table
from jevons.validation.yardsticks.scores import LEAST_GROUPS, MOST_CHANCE_FRAC

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation" / "yardsticks.md"
HEAD = """# Yardsticks: training efficiency and tool chains

<!-- Written by scripts/yardsticks_page.py; change that, not this page. -->

**Claim.** {answer}

`jevons study yardsticks` prints these tables; `jevons.study.yardsticks()` returns them. The case `jevons compare FILE --case
yardsticks` shows what a complete tool chain does to a plan ([how to compare](../how-to/compare.md)).

**What they are.** *Training efficiency* is the work of a run per yuan: 6 FLOP per active parameter and token, times the algorithmic
gain since the start of 2023 (the compute for equal quality halves every {halving:.0f} months). All accelerator-hours are priced at one
rent, so it measures software and algorithms. *Completeness of a tool chain* is the mean of ten marks, each 1, 0.5 or 0. The marks
are facts (`tool_chain.chip.…`, `tool_chain.provider.…`), read from public documents; readers may differ by one mark.

**How they are judged.** A group (all chips of one design, a provider, a model) is held out, the rest is fitted, and the group is predicted
without and with the yardstick. The yardstick is kept on two conditions. The median error falls by at least 5 % over at least {groups}
groups. A random permutation of it does as well in at most {chance:.0%} of the trials.
"""
TAIL = """
## What follows

- **Rents.** A chip with more complete tools rents for more than its peak and bandwidth imply. The margin is small, and it rests on
  TPU and graphics cards beside data-centre chips: no rents of Ascend are on file. `jevons plan` therefore takes no such discount;
  `hardware.devices.NAME.software` sets one.
- **Prices and shares.** Providers with complete tools charge more for the same open model, but chance alone does as
  well too often. Market shares of only four providers are known. The plan's `market.providers.bundle` stays a judgement.
- **Training efficiency** can't be scored on prices: firms that publish training costs hardly sell calls at a list price.
- **Training on Ascend.** `jevons train` predicts the speed of an Ascend 910B beside an A100 from measured kernels. A
  further factor for its software does not improve predictions of held-out models, so there is none; `train` prints the published range beside its answer. Pangu Ultra MoE
  reached {pangu:.0f} TFLOP/s per device on 6,000 Ascend in May 2025, less than dense models in paired runs: take the lower end for large
  mixtures of experts.
"""


def _markdown(table: Table) -> Iterator[str]:
    heads = [column.head for column in table.columns]
    yield "\n## " + table.title + "\n\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads) + "\n"
    for row in table.shown():
        yield "| " + " | ".join(row) + " |\n"


def page() -> str:
    """Return the page."""
    scored = jevons.study.yardsticks()
    halving = 12 * jevons.facts.get("efficiency.algorithms_halving_y").number
    pangu = next(run for run in scored.runs if run.name == "pangu_ultra_moe")
    parts = [HEAD.format(answer=scored.answer, halving=halving, groups=LEAST_GROUPS, chance=MOST_CHANCE_FRAC)]
    for table in scored.tables.values():
        parts += _markdown(table)
    parts.append(TAIL.format(pangu=(pangu.flop_per_s or 0.0) / 1e12))
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
