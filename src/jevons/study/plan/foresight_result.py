"""The result of `jevons.study.foresight`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.parallel import LOCAL, Executor
from jevons.results import Cell, Column, Result, Table, table
from jevons.study.currency import in_currency
from jevons.study.plan.foresight import Knowing
from jevons.study.scenario.scenario import Scenario
from jevons.units import MONEY
from jevons.words import Sentence


def _money(name: str, amount_cur: float) -> dict[str, float | str]:
    """Return the fields of an amount: in billions, and in units of 10⁸ as Chinese counts."""
    return {name: amount_cur / 1e9, f"{name}_yi": amount_cur / 1e8, "currency": MONEY}


@dataclass(frozen=True, kw_only=True, repr=False)
class ForesightResult(Result):
    """What `jevons.study.foresight` returns.

    Parameters
    ----------
    scenario : Scenario
        What is planned.
    window_quarters : int
        Quarters that the rolling planner sees.
    knowing : Knowing
        What planners of different sight reach, and orders for each export regime under the others.
    """

    kind: ClassVar[str] = "foresight"

    scenario: Scenario
    window_quarters: int
    knowing: Knowing

    @property
    @in_currency
    def answer_parts(self) -> tuple[Sentence, ...]:
        """What seeing the whole plan is worth, and what knowing the export regime would add."""
        sight, regimes, tree = self.knowing.sight, self.knowing.regimes, self.knowing.tree
        worth = {
            **_money("sight", sight.beyond_window_cur), "window": f"{self.window_quarters}",
            **_money("still", sight.whole_cur), "scenario": self.scenario.name,
        }  # fmt: skip
        parts = [Sentence("foresight.sight", worth)]
        if tree is not None:
            added = {**_money("known", tree.information_cur), **_money("hedged", tree.stochastic_cur)}
            parts.append(Sentence("foresight.tree", added))
        if regimes is None:
            return *parts, Sentence("foresight.no_ban")
        regime = {"from": self.knowing.known_from, "best": regimes.best, **_money("known", regimes.information_cur)}
        return *parts, Sentence("foresight.regime", regime)

    @in_currency
    def _tables(self) -> Iterator[Table]:
        sight, regimes = self.knowing.sight, self.knowing.regimes
        best = sight.perfect_cur
        columns = (
            Column("sees", "the planner sees"),
            Column("objective", "worth to callers less cost", "bn ¤", scale=1e-9, form=",.2f"),
            Column("worth_of_sight", "worth of seeing all", "bn ¤", scale=1e-9, form=",.2f"),
        )
        seen = (
            ("the whole plan", best),
            (f"{self.window_quarters} quarters (rolling)", sight.rolling_cur),
            ("things stay as they are (myopic)", sight.myopic_cur),
        )
        yield table("sight", "Worth of seeing ahead, present value", columns, [(n, x, best - x) for n, x in seen])
        if (tree := self.knowing.tree) is not None:
            rows_of_tree = (
                ("which future comes", tree.wait_and_see_cur),
                ("how likely each is (the plan)", tree.here_and_now_cur),
                ("the mean of all", tree.expected_future_cur),
            )
            knows = (
                Column("knows", "the planner knows"), columns[1],
                Column("worth_of_knowing", "less than knowing", "bn ¤", scale=1e-9, form=",.2f"),
            )  # fmt: skip
            title = "Worth of knowing the future (bans, demand and supply), expected present value"
            least = tree.wait_and_see_cur
            yield table("futures", title, knows, [(name, x, least - x) for name, x in rows_of_tree])
        if regimes is None:
            return
        heads = (
            Column("ordered_for", "ordered for"),
            Column("probability_frac", "probability", "%", scale=100, form=".0f"),
            Column("expected", "expected", "bn ¤", scale=1e-9, form=",.2f"),
            *(
                Column(f"if {name}", f"if {name}", "bn ¤", scale=1e-9, form=",.2f")
                for name in regimes.names
            ),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = [
            (name, float(p), float(expected), *map(float, row))
            for name, p, expected, row in zip(
                regimes.names, regimes.probability_frac, regimes.expected_cur, regimes.objective_cur, strict=True
            )
        ]
        title = f"Orders for one export regime until it shows in {self.knowing.known_from}, present value"
        yield table("regimes", title, heads, rows)

    @in_currency
    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        sight, regimes, tree = self.knowing.sight, self.knowing.regimes, self.knowing.tree
        return {
            "answer": self.answer, "scenario": self.scenario.name, "as_of": self.scenario.as_of,
            "window_quarters": self.window_quarters, "perfect": sight.perfect_cur,
            "rolling": sight.rolling_cur, "myopic": sight.myopic_cur, "known_from": self.knowing.known_from,
            "futures": None if tree is None else {
                "wait_and_see": tree.wait_and_see_cur, "here_and_now": tree.here_and_now_cur,
                "expected_future": tree.expected_future_cur, "information": tree.information_cur,
                "stochastic": tree.stochastic_cur,
            },
            "regimes": None if regimes is None else {
                "names": regimes.names, "probability_frac": regimes.probability_frac,
                "objective": regimes.objective_cur, "expected": regimes.expected_cur, "best": regimes.best,
                "information": regimes.information_cur,
            },
        }  # fmt: skip


def foresight_of(scenario: Scenario, window_quarters: int, executor: Executor = LOCAL, **how: Any) -> ForesightResult:
    """Return the worth of foresight at the plan of a scenario; *how* goes to `jevons.study.plan.run.plan`."""
    from jevons.study.plan.foresight import knowing
    from jevons.study.plan.run import plan

    planned = plan(scenario, draws=0, **how)
    objectives = knowing(planned.chain, planned.engineering, window_quarters=window_quarters, executor=executor)
    return ForesightResult(scenario=scenario, window_quarters=window_quarters, knowing=objectives)
