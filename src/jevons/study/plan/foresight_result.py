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
    def answer(self) -> str:
        """What seeing the whole plan is worth, and what knowing the export regime would add."""
        sight, regimes, tree = self.knowing.sight, self.knowing.regimes, self.knowing.tree
        text = (
            f"{self.scenario.name}: seeing all quarters is worth {(sight.perfect_cur - sight.rolling_cur) / 1e9:,.2f} "
            f"bn ¤ over seeing {self.window_quarters}, and {(sight.perfect_cur - sight.myopic_cur) / 1e9:,.2f} bn "
            "¤ over taking things to stay as they are."
        )
        if tree is not None:
            text += (
                f" Knowing which future comes would add {tree.information_cur / 1e9:,.2f} bn ¤ to orders made under "
                f"all, and those add {tree.stochastic_cur / 1e9:,.2f} bn ¤ to orders made for the mean."
            )
        if regimes is None:
            return f"{text} No export ban can come within the plan."
        return (
            f"{text} Before the export regime shows in {self.knowing.known_from} it is best to order for "
            f"`{regimes.best}`; knowing the regime from the start would add at most "
            f"{regimes.information_cur / 1e9:,.2f} bn ¤."
        )

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
    def to_json(self) -> dict[str, Any]:
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
