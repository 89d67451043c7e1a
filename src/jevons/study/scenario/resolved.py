"""A scenario as it was understood: every value and where it came from, as a result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.results import Cell, Column, Result, Table, table
from jevons.study.scenario.scenario import Scenario
from jevons.words import Sentence


@dataclass(frozen=True, kw_only=True, repr=False)
class ResolvedResult(Result):
    """What `jevons.study.resolved` returns.

    Parameters
    ----------
    scenario : Scenario
        As loaded.
    """

    kind: ClassVar[str] = "resolved"
    main_table: ClassVar[str] = "values"

    scenario: Scenario

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many values there are, and how many of them are uncertain."""
        amounts = self.scenario.amounts()
        values = {
            "scenario": self.scenario.name, "amounts": f"{len(amounts)}", "as_of": str(self.scenario.as_of),
            "uncertain": f"{sum(amount.uncertain for amount in amounts.values())}",
            "settings": f"{len(self.scenario.settings())}",
        }  # fmt: skip
        return (Sentence("resolved.holds", values),)

    def _tables(self) -> Iterator[Table]:
        head, value, unit = Column("path", "path"), Column("value", "value", form=".6g"), Column("unit", "unit")
        low, high = (Column(name, name, form=".4g") for name in ("low", "high"))
        origin, grade, source = Column("origin", "origin"), Column("grade", "grade"), Column("source", "source")
        settings: list[tuple[Cell, ...]] = [
            (path, str(given), "", None, None, whence, "", "")
            for path, (given, whence) in self.scenario.settings().items()
        ]
        amounts: list[tuple[Cell, ...]] = [
            (path, a.value, a.unit, *((a.low, a.high) if a.uncertain else (None, None)), a.origin, a.grade, a.source)
            for path, a in self.scenario.amounts().items()
        ]
        rows = settings + amounts
        yield table("resolved", "Every value and its origin", (head, value, unit, low, high, origin, grade),
                    [row[:7] for row in rows])  # fmt: skip
        title = "Every value with its source"
        columns = (head, value, unit, low, high, origin, grade, source)
        yield table("values", title, columns, rows, detail=True)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        records: list[dict[str, Any]] = [
            {"path": path, "value": value, "origin": origin}
            for path, (value, origin) in self.scenario.settings().items()
        ]
        records += [
            {
                "path": path, "value": amount.value, "unit": amount.unit, "low": amount.low, "high": amount.high,
                "origin": amount.origin, "grade": amount.grade, "source": amount.source,
            }
            for path, amount in self.scenario.amounts().items()
        ]  # fmt: skip
        return {
            "answer": self.answer, "name": self.scenario.name, "as_of": self.scenario.as_of, "resolved": records,
        }  # fmt: skip
