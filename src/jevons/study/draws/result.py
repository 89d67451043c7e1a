"""The result of a study of many draws or of a grid: intervals, probabilities, what moves the outcomes, every draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jevons.checks import check
from jevons.results import Column, Result, Table, table
from jevons.rounding import shown_in
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.run import Draws
from jevons.study.draws.summary import EVENTS, interval_records, ranked, summary
from jevons.study.scenario.scenario import Scenario


@dataclass(frozen=True, kw_only=True, repr=False)
class StudyResult(Result):
    """What `jevons.study.monte_carlo` and `jevons.study.sweep` return.

    Parameters
    ----------
    scenario : Scenario
        What was drawn from.
    draws : Draws
        Inputs and outcomes of each feasible draw.
    random : bool
        Whether the draws are random; those of a grid have no probabilities.
    """

    scenario: Scenario
    draws: Draws
    random: bool
    kind: ClassVar[str] = "study"

    @property
    def answer(self) -> str:
        """How many draws there are, the interval of value per ADS, and P(Jevons)."""
        count = self.draws.values.shape[0]
        low, middle, high = self.draws.quantiles("value_per_ads_cny", (0.1, 0.5, 0.9))
        head = f"{self.scenario.name}: {count} feasible draws, {self.draws.left_out}."
        if not self.random:
            return f"{head} Median value per ADS over the grid: {middle:,.0f} CNY."
        chance = 100 * self.draws.probability("compute_factor", 1.0)
        return (
            f"{head} Value per ADS is {middle:,.0f} CNY (10 to 90 %: {low:,.0f} to {high:,.0f}), "
            f"P(Jevons) {chance:.0f} %."
        )

    def check(self) -> None:
        """Check that every outcome of every draw is a number, and shares lie from 0 to 1."""
        super().check()
        for name, values in self.draws.outcomes.items():
            check(bool(np.isfinite(values).all()), f"{name} of a draw is not finite")
        spent = self.draws.outcomes["budget_spent_frac"]
        check(bool((spent >= -1e-6).all() and (spent <= 1 + 1e-6).all()), "a draw spends more than its budget")

    def _tables(self) -> Iterator[Table]:
        outcomes = [Column("name", "outcome"), Column("unit", "unit"), Column("p10", "10 %"), Column("p50", "median")]
        outcomes += [Column("p90", "90 %"), Column("mean", "mean")]
        rows = []
        for record in interval_records(self.draws):
            size, unit = shown_in(record["unit"])
            rows.append((record["meaning"], unit, *(float(record[q]) / size for q in ("p10", "p50", "p90", "mean"))))
        yield table("outcomes", "Outcomes over the draws", outcomes, rows)
        if self.random:
            chances = summary(self.draws)["probability"]
            columns = (
                Column("name", "event"),
                Column("p", "probability", "%", scale=100),
                Column("standard_error", "standard error", "%", scale=100),
            )
            likely = [(label, chances[name]["p"], chances[name]["standard_error"]) for name, label in EVENTS.items()]
            yield table("probabilities", "Probabilities", columns, likely)
            inputs = (
                Column("name", "outcome"),
                Column("input", "input"),
                Column("rank_correlation", "correlation"),
            )
            strongest = [
                (outcome, path, float(size)) for outcome in OUTCOMES for path, size in ranked(self.draws, outcome, 8)
            ]
            yield table("sensitivity", "Inputs that move the outcomes most", inputs, strongest, detail=True)
        every = tuple(Column(name, name) for name in (*self.draws.names, *OUTCOMES))
        yield table("draws", "Inputs and outcomes of every feasible draw", every, self._records(), detail=True)

    def _records(self) -> Iterator[list[float]]:
        for index, values in enumerate(self.draws.values):
            yield [*map(float, values), *(float(self.draws.outcomes[name][index]) for name in OUTCOMES)]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        head = {"answer": self.answer, "scenario": self.scenario.name, "as_of": self.scenario.as_of}
        return head | {"quarters": list(self.scenario.labels())} | summary(self.draws)
