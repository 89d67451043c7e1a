"""The result of a study of many draws or of a grid: intervals, probabilities, what moves the outcomes, every draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from jevons.checks import check
from jevons.results import Cell, Column, Result, Table, table
from jevons.rounding import money_unit, share_price_text, shown_in
from jevons.study.chain.value_bridge import CHANNELS
from jevons.study.currency import in_currency, of_scenario
from jevons.study.draws.dataset import study_dataset
from jevons.study.draws.outcomes import OUTCOMES, SHORT_NAMES
from jevons.study.draws.run import Draws
from jevons.study.draws.summary import EVENTS, HEADLINES, METHOD, chance_size, interval_records, ranked, summary
from jevons.study.scenario.scenario import Scenario
from jevons.study.what_changes import of_draws, of_grid
from jevons.words import Sentence

if TYPE_CHECKING:
    import xarray as xr

_MOST_INPUTS = 8
"""Inputs listed for each outcome."""
_LEAST = 5e-4
"""Share of the largest channel up to which another is not listed."""
_MOST_POINTS = 8
"""Points of a grid up to which a table has a column for each."""
_OF_POINTS = ("value_per_share", "orders_value", "tokens_per_d", "devices", "capex", "compute_factor")


@dataclass(frozen=True, kw_only=True, repr=False)
class StudyResult(Result):
    """What `jevons.study.montecarlo` and `jevons.study.sweep` return.

    Parameters
    ----------
    scenario : Scenario
        What was drawn from.
    draws : Draws
        Inputs and outcomes of each feasible draw.
    random : bool
        Whether the draws are random; those of a grid have no probabilities.
    seed : int or None
        Root of the random draws.
    """

    scenario: Scenario
    draws: Draws
    random: bool
    seed: int | None = None
    kind: ClassVar[str] = "study"
    main_table: ClassVar[str] = "draws"

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many draws there are, the interval of value per share, and P(Jevons)."""
        count = self.draws.values.shape[0]
        low, middle, high = map(share_price_text, self.draws.quantiles("value_per_share", (0.1, 0.5, 0.9)))
        every = count + self.draws.infeasible + self.draws.unsolved
        values = {
            "scenario": self.scenario.name, "count": f"{every if self.random else count}",
            "infeasible": f"{self.draws.infeasible}",
            "unsolved": f"{self.draws.unsolved}" if self.draws.unsolved else None,
            "currency": str(self.scenario.currency), "worth": middle,
        }  # fmt: skip
        if not self.random:
            return (Sentence("study.grid", values),)
        chance = self.draws.probability("compute_factor", 1.0)
        more = {"seed": str(self.seed), "low": low, "high": high, "jevons": chance}
        return (Sentence("study.draws", values | more),)

    @property
    @in_currency
    def change_parts(self) -> tuple[Sentence, ...]:
        """Which inputs the value of a share hangs on; of a grid, where it is least and greatest."""
        return (of_draws(self.draws, self.scenario) if self.random else of_grid(self.draws, self.scenario),)

    def check(self) -> None:
        """Check that every outcome of every draw is a number, and shares lie from 0 to 1."""
        super().check()
        for name, values in self.draws.outcomes.items():
            check(bool(np.isfinite(values).all()), f"{name} of a draw is not finite")
        spent = self.draws.outcomes["budget_spent_frac"]
        check(bool((spent >= -1e-6).all() and (spent <= 1 + 1e-6).all()), "a draw spends more than its budget")

    @in_currency
    def _tables(self) -> Iterator[Table]:
        if self.random:
            yield from self._outcomes()
            yield self._probabilities()
            yield self._sensitivity()
        else:
            yield self._points()
            if self.draws.channels:
                yield self._channels()
        every = tuple(Column(name, name) for name in (*self.draws.names, *OUTCOMES))
        yield table("draws", "Inputs and outcomes of every feasible draw", every, self._records(), detail=True)

    def _outcomes(self) -> Iterator[Table]:
        """Yield the outcomes that answers speak of under short names, then all of them."""
        quantiles = (Column("p10", "10 %"), Column("p50", "median"), Column("p90", "90 %"), Column("mean", "mean"))
        rows: dict[str, tuple[Cell, ...]] = {}
        for record in interval_records(self.draws):
            size, unit = shown_in(record["unit"])
            ends = (float(record[q]) / size for q in ("p10", "p50", "p90", "mean"))
            rows[record["outcome"]] = (record["meaning"], unit, *ends)
        short = [(SHORT_NAMES[name], *rows[name][1:]) for name in SHORT_NAMES if name in rows]
        columns = (Column("name", "outcome"), Column("unit", "unit"), *quantiles)
        yield table("headlines", "Outcomes over the draws", columns, short)
        yield table("outcomes", "All outcomes over the draws", columns, rows.values(), detail=True)

    def _probabilities(self) -> Table:
        chances = summary(self.draws)["probability"]
        columns = (
            Column("name", "event"),
            Column("p", "probability", "%", scale=100, form=".1f"),
            Column("standard_error", "standard error", "%", scale=100, form=".1f"),
        )
        rows = [(label, chances[name]["p"], chances[name]["standard_error"]) for name, label in EVENTS.items()]
        return table("probabilities", "Probabilities", columns, rows)

    def _sensitivity(self) -> Table:
        columns = (
            Column("name", "outcome"), Column("input", "input"),
            Column("rank_correlation", "rank correlation", form="+.2f"),
        )  # fmt: skip
        rows = [
            (SHORT_NAMES.get(outcome, OUTCOMES[outcome][1]), path, float(size))
            for outcome in HEADLINES
            for path, size in ranked(self.draws, outcome, _MOST_INPUTS)
        ]
        title = (
            f"Inputs that move the outcomes most. {METHOD} (here below {chance_size(self.draws):.2f})"
            if rows
            else "Inputs that move the outcomes most: none stands out of chance; draw more"
        )
        return table("sensitivity", title, columns, rows)

    def _points(self) -> Table:
        amounts = self.scenario.amounts()
        inputs = [
            Column(path, path, "" if amounts[path].unit == "1" else amounts[path].unit, form=".6g")
            for path in self.draws.names
        ]  # fmt: skip
        outcomes = []
        for name in _OF_POINTS:
            size, unit = shown_in(OUTCOMES[name][0])
            label = name.removesuffix("_per_d").replace("_", " ")
            outcomes.append(Column(name, label, unit, scale=1 / size, form=",.4g"))
        names = [*self.draws.names, *OUTCOMES]
        chosen = [names.index(name) for name in (*self.draws.names, *_OF_POINTS)]
        rows = [[at, *(record[place] for place in chosen)] for at, record in enumerate(self._records(), 1)]
        return table("points", "Points of the grid", [Column("point", "point"), *inputs, *outcomes], rows)

    def _channels(self) -> Table:
        whole = np.sum(list(self.draws.channels.values()), axis=0)
        few = whole.size <= _MOST_POINTS
        title = "Value of the AI cloud against the scenario's own, by channel"
        most = max((float(np.abs(added).max()) for added in self.draws.channels.values()), default=0.0)
        least, (size, unit) = _LEAST * most, money_unit(most)
        named = [(CHANNELS[n], added) for n, added in self.draws.channels.items() if np.abs(added).max() > least]
        columns = [
            Column(f"point_{at}", f"point {at}", unit, scale=1 / size, form="+,.1f") for at in range(1, whole.size + 1)
        ]
        rows: list[tuple[Cell, ...]] = [(label, *map(float, added)) for label, added in (*named, ("Together", whole))]
        if few:
            return table("channels", title, [Column("channel", "channel"), *columns], rows)
        heads = [Column(name, CHANNELS[name], unit, scale=1 / size, form="+,.1f") for name in self.draws.channels]
        points = [(at, *map(float, row)) for at, row in enumerate(zip(*self.draws.channels.values(), strict=True), 1)]
        return table("channels", title, [Column("point", "point"), *heads], points, detail=True)

    def _records(self) -> Iterator[list[float]]:
        for index, values in enumerate(self.draws.values):
            yield [*map(float, values), *(float(self.draws.outcomes[name][index]) for name in OUTCOMES)]

    @in_currency
    def _document(self) -> dict[str, Any]:
        """Return the summary of draws, or every point of a grid, as plain values."""
        head: dict[str, Any] = {"answer": self.answer, "scenario": self.scenario.name, "as_of": self.scenario.as_of}
        if not self.random:
            points = self.tables["draws"].records()
            left = {"infeasible": self.draws.infeasible, "unsolved": self.draws.unsolved}
            channels = {name: added.tolist() for name, added in self.draws.channels.items()}
            return head | left | {"points": points, "channels": channels}
        return head | {"seed": self.seed, "quarters": list(self.scenario.labels())} | summary(self.draws)

    def to_xarray(self) -> xr.Dataset:
        """Return inputs and outcomes of the feasible draws, along ``draw``, and recorded paths by ``quarter``.

        The outcomes of a grid lie along its axes, one dimension each; a point without a feasible plan has no value.
        """
        dataset = study_dataset(self.scenario, self.draws, random=self.random)
        for array in dataset.variables.values():
            array.attrs = of_scenario(self.scenario, array.attrs)
        return dataset
