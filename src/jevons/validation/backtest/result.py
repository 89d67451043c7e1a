"""Forecasts frozen at a date against what happened, as a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.results import Cell, Column, Result, Table, table
from jevons.validation.backtest.forecast import TARGETS, target_unit
from jevons.validation.backtest.rows import forecast_cells, interval_cell
from jevons.validation.backtest.score import Backtest, Scored, horizon_rows, refutations, summary_rows
from jevons.words import Sentence


@dataclass(frozen=True, kw_only=True, repr=False)
class BacktestResult(Result):
    """What `jevons.study.backtest` returns.

    Parameters
    ----------
    backtest : Backtest
        Forecasts, outcomes and scores.
    """

    kind: ClassVar[str] = "backtest"
    picture: ClassVar[str] = "forecasts"
    main_table: ClassVar[str] = "scores"

    backtest: Backtest

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many outcomes there are, how many intervals cover, and what is refuted."""
        own = [score for score in self.backtest.scores if score.method == "full"]
        head = {
            "as_of": str(self.backtest.known.as_of), "engine": self.backtest.engine,
            "variant": self.backtest.published.variant,
        }  # fmt: skip
        skipped = sorted(self.backtest.skipped.items())
        left = [Sentence("backtest.rows", {"count": f"{count:,}", "why": why}) for why, count in skipped]
        out = Sentence("backtest.left_out", {"left": left or Sentence("backtest.no_rows")})
        if not own:
            return Sentence("backtest.nothing", head), out
        covered = {"covered": f"{sum(score.covered for score in own)}", "count": f"{len(own)}"}
        refuted = [test["test"] for test in refutations(self.backtest) if test["answer"] == "refuted"]
        verdict = Sentence("backtest.refuted", {"tests": refuted}) if refuted else Sentence("backtest.stands")
        return Sentence("backtest.covers", head | covered), verdict, out

    def _tables(self) -> Iterator[Table]:
        published = self.backtest.published
        heads = (Column("label", "quantity"), Column("unit", "unit"), *(Column(q, q) for q in published.quarters))
        title = f"Forecasts from what was known on {self.backtest.known.as_of}: 10/50/90 %"
        yield table("intervals", title, heads, forecast_cells(published))
        if self.backtest.scores:
            yield self._outcomes()
            yield self._summary()
            yield self._horizons()
        tests = [(r["test"], r["answer"], r["detail"]) for r in refutations(self.backtest)]
        columns = (Column("test", "test"), Column("answer", "answer"), Column("detail", "detail"))
        yield table("refutations", "What could refute the model", columns, tests)
        yield _records("forecasts", "Forecasts by quarter", self._forecasts())
        yield _records("scores", "Every outcome by every method", map(_score_record, self.backtest.scores))

    def _outcomes(self) -> Table:
        columns = (
            Column("label", "quantity"), Column("unit", "unit"), Column("date", "date"),
            Column("interval", "10/50/90 %"), Column("outcome", "outcome", form=",.4g"),
            Column("covered", "80 % interval"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for score in self.backtest.scores:
            if score.method == "full":
                target = score.outcome.target
                size, unit = target_unit(target)
                what = (TARGETS[target][1], unit, str(score.outcome.date), interval_cell(score))
                rows.append((*what, score.outcome.value / size, "inside" if score.covered else "outside"))
        return table("outcomes", "What happened, against the full model", columns, rows)

    def _summary(self) -> Table:
        columns = (
            Column("label", "quantity"), Column("method", "method"), Column("outcomes", "outcomes"),
            Column("crps", "CRPS"), Column("crps_over_full", "over full", form=".2f"),
            Column("covered_frac", "covered", "%", scale=100, form=".0f"), Column("mean_abs_error", "error"),
            Column("scale", "scale"),
        )  # fmt: skip
        rows = [
            (
                TARGETS[r["target"]][1], r["method"], r["outcomes"], r["crps"], r["crps_over_full"], r["covered_frac"],
                r["mean_abs_error"], r["scale"],
            )
            for r in summary_rows(self.backtest)
        ]  # fmt: skip
        title = "Scores: mean CRPS (lower is better), coverage of 80 % intervals, mean error of medians"
        return table("summary", title, columns, rows)

    def _horizons(self) -> Table:
        columns = (
            Column("label", "quantity"), Column("horizon_quarters", "quarters ahead"), Column("outcomes", "outcomes"),
            Column("mean_error", "bias", form="+.3g"), Column("mean_abs_error", "error", form=".3g"),
        )  # fmt: skip
        rows = [
            (
                TARGETS[r["target"]][1], r["horizon_quarters"], r["outcomes"], r["mean_error"],
                r["mean_abs_error"],
            )
            for r in horizon_rows(self.backtest)
        ]  # fmt: skip
        return table("by_horizon", "Error by horizon, full model", columns, rows)

    def _forecasts(self) -> Iterator[dict[str, Cell]]:
        published = self.backtest.published
        for target, (unit, label) in TARGETS.items():
            low, middle, high = published.quantiles(target).tolist()
            for quarter, *numbers in zip(published.quarters, low, middle, high, strict=True):
                record: dict[str, Cell] = {"target": target, "label": label, "unit": unit, "quarter": quarter}
                yield record | dict(zip(("p10", "p50", "p90"), numbers, strict=True))

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            "answer": self.answer, "scores": [_score_record(score) for score in self.backtest.scores],
            "as_of": self.backtest.known.as_of, "engine": self.backtest.engine,
            "variant_published": self.backtest.published.variant, "forecasts": list(self._forecasts()),
            "summary": summary_rows(self.backtest), "by_horizon": horizon_rows(self.backtest),
            "refutations": refutations(self.backtest), "skipped": dict(self.backtest.skipped),
        }  # fmt: skip


def _score_record(s: Scored) -> dict[str, Cell]:
    return {
        "method": s.method, "target": s.outcome.target, "date": str(s.outcome.date),
        "horizon_quarters": s.horizon_quarters, "outcome": s.outcome.value, "p10": s.low, "p50": s.middle,
        "p90": s.high, "covered": s.covered, "crps": s.crps, "error": s.error, "place": s.outcome.place,
    }  # fmt: skip


def _records(name: str, title: str, records: Iterator[Mapping[str, Cell]]) -> Table:
    """Return a table of records that answers a second question."""
    listed = list(records)
    heads = tuple(Column(key, key) for key in (listed[0] if listed else {"method": None}))
    return table(name, title, heads, [tuple(record.values()) for record in listed], detail=True)
