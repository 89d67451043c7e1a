"""Writes `docs/how-to/compare.md`: how to compare, and each named case with its answer and picture.

Runs every case on the main scenario, half a minute each; `--draws N` changes the paired draws.
"""

# ruff: noqa: E501 - lines of the page

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jevons
from jevons.plot import figure_svg
from jevons.study.compare.cases import cases, sides
from jevons.words import Sentence

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = "scenarios/alibaba-380bn.yaml"
HEAD = """# Compare two scenarios, or one with a change

<!-- Written by scripts/cases_page.py; change that, not this page. -->

There are three ways, all on paired draws. Both sides use the same seed and random streams, so shared uncertainty cancels in the difference.

1. **One change, or several.** A set value is certain; `x1.5` multiplies value and range; a mapping gives a range; a
   star matches any name.

   ```text
   jevons compare scenarios/alibaba-380bn.yaml --set cost.wacc=0.12
   jevons compare scenarios/alibaba-380bn.yaml --set expansion.budget='500 bn CNY' --set 'hardware.devices.*.supply=x1.5'
   jevons plan scenarios/alibaba-380bn.yaml --set serving.engine=vllm
   ```

2. **Two files.** `jevons compare A.yaml B.yaml`; `--set` changes B.
3. **A named case** of one scenario: `jevons compare A.yaml --case deepseek`. Its changes are in
   `src/jevons/study/compare/cases.yaml`; most are ends of the scenario's own ranges.

In Python, on a small scenario:

```python
import jevons

both = jevons.compare("tests/unit/study/tiny.yaml", set={"cost.wacc": 0.12}, draws=4, processes=1)
value = both.difference()["plan_value"]
assert value["low"] <= value["delta"] <= value["high"] < 0
assert abs(sum(both.attribution()["plan_value"].values()) - value["delta"]) < 1.0
```

**How to read it.** A, B and the difference are central figures. `10 %` and `90 %` are quantiles of the differences
over the paired draws. A central difference outside them stretches the interval, and a note says so. The answer splits
the change of the AI cloud's value into gains and losses by channel ([why value moves](../explanation/chain.md#why-value-moves)):
a change may move tokens several-fold and value little, because gains and losses are nearly equal. *What explains
the difference* changes one input at a time from A. The interaction is the effect of the changes together, so that the
rows add up. More than twelve changed amounts are grouped by the first parts of their paths. Files that differ in more
than amounts are compared by swapping whole sections. `--draws` sets the number of pairs (24 by default, about half a minute), `--plot` draws the paths,
`--out` writes a page, JSON or a table.

| key of `--json` | content |
|---|---|
| `changed` | a list of `path`, `a`, `b`, `unit`, and both in words (`a_text`, `b_text`) |
| `difference` | by outcome: `a`, `b`, `delta`, `low`, `high`, `median`, `p_higher`, `unit`, `meaning`; `stretched` where the interval was |
| `attribution` | by outcome: the effect of each change by itself, and `interaction` |
| `channels` | what B's AI cloud is worth more than A's, by channel |
| `clears` | of `a` and `b`, in the last year of the plan and when mature: return on capital, and the margin and capital per revenue at which it equals the cost of capital |
| `cycle` | of `a` and `b`: write-downs over the plan, idle share of hours, rents of the first and last quarter, losses of brokers and their lenders |
| `reached_frac` | share of A's draws whose value per share lies at B's central value or beyond: how likely B is, seen from A |
| `draws`, `quarters`, `paths` | pairs, and the paths by quarter at the central figures of `a` and `b` |

## Questions of strategy

The paragraphs give the model's results for `scenarios/alibaba-380bn.yaml` as of 2025-02-24. A case moves several
inputs at once. It shows their consequences, not their likelihood.
"""


def _clears(sides: dict[str, list[dict[str, Any]]]) -> str:
    """Return the margin and the capital per revenue at which each side clears its cost of capital, in sentences."""
    told = []
    for name, records in zip("AB", sides.values(), strict=True):
        last = records[0]
        told.append(
            f"In the {last['when']}, {name}'s margin is {100 * last['margin_frac']:.1f} % and its capital "
            f"{last['capital_per_revenue']:.2f} times its yearly revenue: a return of {100 * last['return_frac']:.1f} % after "
            f"tax. It would earn its cost of capital, {100 * last['wacc_frac']:.0f} %, at a margin of "
            f"{100 * last['clearing_margin_frac']:.1f} %, or with capital of "
            f"{last['clearing_capital_per_revenue']:.2f} times its revenue."
        )
    return " ".join(told) + "\n\n"


def _cycle(both: Any) -> str:
    """Return what boom and bust show in, and how many of A's draws go as far as B."""
    rows = both.tables["cycle"].shown()
    told = "| | unit | A | B |\n|---|---|---|---|\n" + "".join("| " + " | ".join(row) + " |\n" for row in rows)
    reached = Sentence("compare.reached", {"reached": both.reached_frac()}).text()
    return f"{told}\n{reached}\n\n"


def _moves(record: dict[str, Any], size: float, unit: str) -> str:
    """Return by how much an outcome moves with its interval, to two digits of the widest of the three."""
    three = [record[name] / size for name in ("delta", "low", "high")]
    decimals = max(0, 1 - math.floor(math.log10(max(map(abs, three), default=0.0) or 1.0)))
    delta, low, high = (f"{round(value, decimals) + 0.0:+,.{decimals}f}" for value in three)
    return f"{delta} {unit} ({low} to {high})"


_SPOKEN_CALLS, _SPOKEN_CNY = (1e10, 1e11), (0.2e9, 90e9)
"""Calls a year of small businesses, and what they would bring, as spoken of in early 2025."""


def _small_business() -> str:
    """Return calls x tokens x price of restaurants and web shops on both sides, and where the calls spoken of land."""
    case, scenario = cases()["small-business"], jevons.load(SCENARIO)
    told = [
        "| | calls of all providers [bn/y] | tokens per call | price per call [CNY cents] | revenue [bn CNY/y] |\n|---|---|---|---|---|\n"
    ]
    prices = []
    for name, side in zip("AB", sides(case, scenario), strict=True):
        year = jevons.plan(side, draws=0).to_json()["calls_per_day"]["year"]
        for segment, label in (("restaurant", "restaurants"), ("web_shop", "web shops")):
            one = year[segment]
            prices.append(one["price"])
            told.append(
                f"| {label}, {name} | {one['all_calls'] / 1e9:,.0f} | {one['tokens']:,.0f} | {100 * one['price']:.3f} | "
                f"{one['all_revenue'] / 1e9:.3f} |\n"
            )
    low, high = min(prices) * _SPOKEN_CALLS[0] / 1e9, max(prices) * _SPOKEN_CALLS[1] / 1e9
    asked = [100 * cny / calls for cny, calls in zip(_SPOKEN_CNY, _SPOKEN_CALLS, strict=True)]
    told.append(
        f"\nAt these prices 10 to 100 billion calls a year bring {low:.3f} to {high:.2f} bn CNY. The 0.2 to 90 bn that were spoken of need "
        f"{asked[0]:.0f} to {asked[1]:.0f} cents a call. A call of a small model over one or two thousand tokens is sold for at most "
        f"{100 * 100 * max(prices) / asked[0]:.0f} % of the lower end, and hosts of open weights hold its price near cost. That many calls are made; it is "
        "the price of each that falls short.\n\n"
    )
    return "".join(told)


def page(draws: int, folder: Path) -> Iterator[str]:
    """Yield the page in parts, and write each case's picture."""
    yield HEAD
    for case in cases().values():
        both = jevons.compare(SCENARIO, case=case.name, draws=draws)
        (folder / f"compare-{case.name}.svg").write_text(figure_svg(both.plot.paths()), encoding="utf-8")
        differences = both.difference()
        revenue, tokens, orders = differences["ai_revenue"], differences["tokens_per_d"], differences["orders_value"]
        clears = _clears(both.to_json()["clears"]) if case.name == "exclusive-model" else ""
        if "boom" in case.name or "bust" in case.name:
            clears = _cycle(both)
        if case.name == "small-business":
            clears = _small_business()
        yield (
            f"\n### {case.title}\n\n`jevons compare {SCENARIO} --case {case.name}`\n\n{case.question}\n\n{both.answer} "
            f"AI revenue of the last year moves by {_moves(revenue, 1e9, 'bn CNY')}, tokens a day by "
            f"{_moves(tokens, 1e12, 'tn')}. New orders are worth {orders['a'] / 1e9:.0f} bn CNY in A and "
            f"{orders['b'] / 1e9:.0f} in B.\n\n{clears}"
            f"![Tokens, AI revenue, capital expenditure and cloud revenue of A and B](../images/compare-{case.name}.svg)\n"
        )


def main() -> None:
    """Write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=24)
    draws = parser.parse_args().draws
    text = "".join(page(draws, ROOT / "docs" / "images"))
    (ROOT / "docs" / "how-to" / "compare.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
