"""How an outcome moves with each uncertain amount, taken to either end of its range with all others held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jevons.errors import InfeasibleError
from jevons.results import Column, Result, Table, table
from jevons.rounding import scaled, shown_in
from jevons.study.currency import in_currency
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.run import Draws
from jevons.study.scenario.amounts import Amount
from jevons.study.scenario.scenario import Scenario
from jevons.study.what_changes import of_sensitivity
from jevons.words import Sentence

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What one input does to the outcome.

    Parameters
    ----------
    path, unit : str
        The input.
    low, high : float
        Ends of its range, in *unit*.
    at_low, at_high : float or None
        Outcome at either end; None where no plan is feasible there.
    swing : float
        Greatest less least of both and the central outcome.
    """

    path: str
    unit: str
    low: float
    high: float
    at_low: float | None
    at_high: float | None
    swing: float


def swings(draws: Draws, amounts: Mapping[str, Amount], outcome: str) -> tuple[Swing, ...]:
    """Return what each amount does to an outcome, greatest swing first; draws hold the central row and every end.

    Raises
    ------
    InfeasibleError
        If the central row has no feasible plan.
    """
    middle = np.array([amount.value for amount in amounts.values()])
    moved = draws.values != middle
    reached = draws.outcomes[outcome]
    centre = np.flatnonzero(~moved.any(axis=1))
    if not centre.size:
        message = "the central answer has no feasible plan; look at `jevons plan` first"
        raise InfeasibleError(message)
    central = float(reached[centre[0]])
    listed = []
    for column, (path, amount) in enumerate(amounts.items()):
        low, high = float(amount.low or 0.0), float(amount.high or 0.0)
        ends = [
            central if end == amount.value
            else next((float(reached[row]) for row in np.flatnonzero(moved[:, column])
                       if draws.values[row, column] == end), None)
            for end in (low, high)
        ]  # fmt: skip
        known = [central, *(end for end in ends if end is not None)]
        listed.append(
            Swing(
                path=path, unit=amount.unit, low=low, high=high, at_low=ends[0], at_high=ends[1],
                swing=max(known) - min(known),
            )
        )  # fmt: skip
    return tuple(sorted(listed, key=lambda one: (-one.swing, one.path)))


@dataclass(frozen=True, kw_only=True, repr=False)
class SensitivityResult(Result):
    """What `jevons.study.sensitivity` returns.

    Parameters
    ----------
    scenario : Scenario
        Whose amounts are moved.
    outcome : str
        See `jevons.study.draws.outcomes.OUTCOMES`.
    draws : Draws
        The central answer and both ends of each input, where feasible.
    swings : tuple of Swing
        Greatest first.
    """

    kind: ClassVar[str] = "sensitivity"
    picture: ClassVar[str] = "tornado"
    main_table: ClassVar[str] = "inputs"

    scenario: Scenario
    outcome: str
    draws: Draws
    swings: tuple[Swing, ...]

    @property
    def central(self) -> float:
        """The outcome with every amount at its central value."""
        middle = np.array([self.scenario.amounts()[path].value for path in self.draws.names])
        row = np.flatnonzero(~(self.draws.values != middle).any(axis=1))[0]
        return float(self.draws.outcomes[self.outcome][row])

    @property
    @in_currency
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The outcome, and the inputs that move it most."""
        unit, meaning = OUTCOMES[self.outcome]
        size, shown = shown_in(unit)
        behind = f" {shown}" if shown else ""
        first = [f"{swing.path} ({scaled(swing.swing / size)}{behind})" for swing in self.swings[:3] if swing.swing > 0]
        values = {
            "scenario": self.scenario.name, "meaning": meaning, "central": scaled(self.central / size),
            "unit": shown or None, "count": f"{len(self.swings)}",
        }  # fmt: skip
        most = Sentence("sensitivity.most", {"inputs": first}) if first else Sentence("sensitivity.none")
        return Sentence("sensitivity.is", values), most

    @property
    @in_currency
    def change_parts(self) -> tuple[Sentence, ...]:
        """What the inputs that move the outcome most make of it at either end of their ranges."""
        return tuple(of_sensitivity(self.swings, self.outcome, self.central, self.scenario))

    @in_currency
    def _tables(self) -> Iterator[Table]:
        unit, meaning = OUTCOMES[self.outcome]
        size, shown = shown_in(unit)

        def reached(name: str, label: str) -> Column:
            return Column(name, label, shown, scale=1 / size)

        ends = (Column("low", "low", form=",.4g"), Column("high", "high", form=",.4g"), Column("unit", "unit"))
        changes = (
            Column("input", "input"),
            reached("swing", "swing"),
            reached("change_low", "change at low end"),
            reached("change_high", "change at high end"),
            *ends,
        )
        central = self.central
        moved = [
            (s.path, s.swing, *(None if end is None else end - central for end in (s.at_low, s.at_high)), s.low, s.high,
             s.unit)
            for s in self.swings[:_SHOWN]
        ]  # fmt: skip
        yield table("largest", f"Inputs at either end of their range, all others held: {meaning}", changes, moved)
        columns = (
            Column("input", "input"),
            reached("swing", "swing"),
            reached("at_low", "at low end"),
            reached("at_high", "at high end"),
            *ends,
        )
        rows = [(s.path, s.swing, s.at_low, s.at_high, s.low, s.high, s.unit) for s in self.swings]
        yield table("inputs", f"All uncertain inputs: {meaning}", columns, rows, detail=True)

    @in_currency
    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            "answer": self.answer, "scenario": self.scenario.name, "as_of": self.scenario.as_of,
            "outcome": self.outcome, "unit": OUTCOMES[self.outcome][0], "central": self.central,
            "infeasible": self.draws.infeasible, "inputs": self.tables["inputs"].records(),
        }  # fmt: skip
