"""The result of a check of facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.results import Cell, Column, Result, Table, table
from jevons.rounding import shown_in
from jevons.study.draws.outcomes import OUTCOMES, SHORT_NAMES
from jevons.study.upkeep.check import Conflict, Judgement, Stale, settled_by
from jevons.words import Sentence


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckResult(Result):
    """What `jevons.facts.check` returns.

    Parameters
    ----------
    on : date
        Day that ages are counted to.
    count : int
        Facts that were looked at.
    stale, conflicts, judgements : tuple
        What was found, worst first.
    outcome : str
        Outcome by which judgements are ranked; empty without a scenario.
    scenario : str
        Name of the scenario, or empty.
    swing_unit : str
        Unit in which swings of the outcome are shown, in the scenario's currency; empty without a scenario.
    """

    kind: ClassVar[str] = "facts_check"
    main_table: ClassVar[str] = "judgements"

    on: dt.date
    count: int
    stale: tuple[Stale, ...]
    conflicts: tuple[Conflict, ...]
    judgements: tuple[Judgement, ...]
    outcome: str = ""
    scenario: str = ""
    swing_unit: str = ""

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many of each, and what would be learned most from."""
        counts = {
            "count": f"{self.count:,}", "on": str(self.on), "stale": f"{len(self.stale)}",
            "conflicts": f"{len(self.conflicts)}", "judgements": f"{len(self.judgements)}",
            "scenario": self.scenario, "outcome": SHORT_NAMES.get(self.outcome, self.outcome),
        }  # fmt: skip
        if not self.scenario:
            return (Sentence("upkeep.all", counts),)
        if not self.judgements:
            return (Sentence("upkeep.none", counts),)
        first = self.judgements[0]
        most = {"path": first.path, "removed": first.variance_frac or 0.0}
        return (Sentence("upkeep.most", counts | most),)

    def _tables(self) -> Iterator[Table]:
        if self.scenario:
            size, _ = shown_in(OUTCOMES[self.outcome][0])
            name = SHORT_NAMES.get(self.outcome, self.outcome)
            ranked = (
                Column("path", "figure"), Column("value", "value", form=",.4g"), Column("low", "low", form=",.4g"),
                Column("high", "high", form=",.4g"), Column("unit", "unit"),
                Column("variance_frac", "spread removed", "%", scale=100, form=".0f"),
                Column("swing", f"swing of {name}", self.swing_unit, scale=1 / size, form="+,.4g"),
                Column("settled_by", "what would settle it"),
            )  # fmt: skip
            title = "Judgements by what they move: share of the spread that knowing them would remove"
            yield table("judgements", title, ranked, map(_ranked, self.judgements))
        old = (
            Column("fact", "fact"), Column("from", "newest value of"), Column("age_days", "age", "days"),
            Column("most_days", "usual", "days"), Column("settled_by", "what would renew it"),
        )  # fmt: skip
        rows = [(s.value.id, str(s.value.start), s.age_days, s.most_days, settled_by(s.value.id)) for s in self.stale]
        yield table("stale", "Stale facts, the oldest against their kind first", old, rows[:20])
        if len(rows) > 20:
            yield table("stale_all", "All stale facts", old, rows, detail=True)
        differ = (
            Column("fact", "fact"), Column("from", "date"), Column("low", "low", form=",.5g"),
            Column("high", "high", form=",.5g"), Column("unit", "unit"), Column("counts", "which counts", form=",.5g"),
            Column("reason", "why"), Column("settled_by", "what would settle it"),
        )  # fmt: skip
        yield table(
            "conflicts", "Values of one date that differ by more than 5 %", differ,
            [
                (c.id, str(c.start), c.low.number, c.high.number, _unit(c.low.unit), c.counts.number,
                 c.counts.reason or ("marked" if c.counts.chosen else "published last"), settled_by(c.id))
                for c in self.conflicts
            ],
        )  # fmt: skip
        if not self.scenario:
            plain = (
                Column("fact", "fact"), Column("value", "value", form=",.4g"), Column("low", "low", form=",.4g"),
                Column("high", "high", form=",.4g"), Column("unit", "unit"), Column("reason", "reason"),
                Column("settled_by", "what would settle it"),
            )  # fmt: skip
            yield table(
                "judgements", "Facts that rest on judgement, the widest range first", plain,
                [
                    (j.path, j.value, j.low, j.high, _unit(j.unit), j.reason, settled_by(j.path))
                    for j in self.judgements
                ],
                detail=True,
            )  # fmt: skip

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            "answer": self.answer, "on": self.on, "facts": self.count, "scenario": self.scenario or None,
            "outcome": self.outcome or None,
            "stale": [
                {"id": s.value.id, "from": s.value.start, "age_days": s.age_days, "most_days": s.most_days,
                 "settled_by": settled_by(s.value.id)}
                for s in self.stale
            ],
            "conflicts": [
                {"id": c.id, "from": c.start, "low": c.low.number, "high": c.high.number, "unit": c.low.unit,
                 "low_source": str(c.low.source or c.low.formula), "high_source": str(c.high.source or c.high.formula),
                 "counts": c.counts.number, "spread_frac": c.spread_frac, "settled_by": settled_by(c.id)}
                for c in self.conflicts
            ],
            "judgements": [
                {"path": j.path, "value": j.value, "low": j.low, "high": j.high, "unit": j.unit, "reason": j.reason,
                 "rank_correlation": j.correlation, "variance_frac": j.variance_frac, "swing": j.swing,
                 "settled_by": settled_by(j.path)}
                for j in self.judgements
            ],
        }  # fmt: skip


def _ranked(j: Judgement) -> tuple[Cell, ...]:
    return j.path, j.value, j.low, j.high, _unit(j.unit), j.variance_frac, j.swing, settled_by(j.path)


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit
