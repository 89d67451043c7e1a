"""The result of tracking: forecast and actual by quarter, what it implies, and the new forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.results import Cell, Column, Result, Table, table
from jevons.rounding import scaled, share_price_text, shown_in
from jevons.study.currency import of_scenario
from jevons.study.draws.outcomes import OUTCOMES, SHORT_NAMES
from jevons.study.draws.run import Draws
from jevons.study.scenario.labels import amount_label
from jevons.study.scenario.scenario import Scenario
from jevons.study.track.actuals import SERIES, SERIES_NAMES, Actual
from jevons.study.track.update import Update, moved_inputs, path_of, quantiles, values_of
from jevons.study.what_changes import of_track
from jevons.words import Sentence


@dataclass(frozen=True, kw_only=True, repr=False)
class TrackResult(Result):
    """What `jevons.track` returns.

    Parameters
    ----------
    scenario : Scenario
        What was forecast from.
    draws : Draws
        Its draws.
    actuals : tuple of Actual
        What came, within the scenario's quarters.
    left_out : tuple of str
        What came outside of them, in words.
    update : Update
        Weights of the draws given what came.
    """

    kind: ClassVar[str] = "track"
    picture: ClassVar[str] = "track"
    main_table: ClassVar[str] = "quarters"

    scenario: Scenario
    draws: Draws
    actuals: tuple[Actual, ...]
    left_out: tuple[str, ...]
    update: Update

    @property
    def currency(self) -> str:
        """Currency of the scenario."""
        return self.scenario.currency

    def _unit(self, unit: str) -> tuple[float, str]:
        size, shown = shown_in(of_scenario(self.scenario, unit))
        return size, shown

    def quarters(self) -> list[dict[str, Any]]:
        """Return a record for each actual: the forecast's 10, 50 and 90 %, what came, and whether inside."""
        labels = list(self.scenario.labels())
        records = []
        for actual in self.actuals:
            path = values_of(self.draws, labels, actual)
            low, middle, high = quantiles(path, None)
            records.append({
                "series": actual.series, "meaning": SERIES[actual.series][1], "quarter": actual.quarter, "low": low,
                "median": middle, "high": high, "actual": actual.value, "inside": low <= actual.value <= high,
                "share_below": float((path < actual.value).mean()), "source": actual.source,
                "unit": of_scenario(self.scenario, SERIES[actual.series][0]),
            })  # fmt: skip
        return records

    def forecast(self) -> list[dict[str, Any]]:
        """Return, for each tracked series and later quarter, the forecast before and after what came."""
        labels = list(self.scenario.labels())
        records = []
        for series in dict.fromkeys(a.series for a in self.actuals):
            last = max(a.quarter for a in self.actuals if a.series == series)
            path = path_of(self.draws, series)
            for place, quarter in enumerate(labels):
                if quarter > last:
                    old, new = (quantiles(path[:, place], w) for w in (None, self.update.weights))
                    records.append({
                        "series": series, "quarter": quarter,
                        "before": dict(zip(("low", "median", "high"), old, strict=True)),
                        "low": new[0], "median": new[1], "high": new[2],
                        "unit": of_scenario(self.scenario, SERIES[series][0]),
                    })  # fmt: skip
        return records

    def outcomes(self) -> list[dict[str, Any]]:
        """Return the headlines before and after."""
        records = []
        for name, (unit, meaning) in OUTCOMES.items():
            values = self.draws.outcomes[name]
            old, new = (quantiles(values, w) for w in (None, self.update.weights))
            records.append({
                "outcome": name, "meaning": meaning, "unit": of_scenario(self.scenario, unit),
                "before": dict(zip(("low", "median", "high"), old, strict=True)),
                "low": new[0], "median": new[1], "high": new[2],
            })  # fmt: skip
        return records

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many came inside, what the value becomes, and how much the draws still carry."""
        quarters = self.quarters()
        inside = sum(record["inside"] for record in quarters)
        value = next(record for record in self.outcomes() if record["outcome"] == "value_per_share")
        size, unit = self._unit(OUTCOMES["value_per_share"][0])
        worth = {"new": value["median"], "old": value["before"]["median"], "low": value["low"], "high": value["high"]}
        values = {
            "scenario": self.scenario.name, "inside": f"{inside}", "count": f"{len(quarters)}",
            "meaning": value["meaning"], "unit": unit,
            **{name: share_price_text(number / size) for name, number in worth.items()},
            "counted": f"{self.update.ess:.0f}", "draws": f"{len(self.update.weights)}",
        }  # fmt: skip
        return (Sentence("track.inside", values),)

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """Which inputs move by what came, and which figures lay outside of the forecast, the latest first."""
        outside = []
        for record in sorted(self.quarters(), key=lambda one: one["quarter"], reverse=True):
            if not record["inside"]:
                size, unit = self._series_unit(record["series"])
                below = record["actual"] < record["low"]
                outside.append({
                    "series": SERIES_NAMES[record["series"]], "quarter": str(record["quarter"]),
                    "actual": f"{scaled(record['actual'] / size)} {unit}", "side": "below" if below else "above",
                    "end": f"{scaled(record['low' if below else 'high'] / size)} {unit}",
                })  # fmt: skip
        return tuple(of_track(moved_inputs(self.draws, self.update.weights), outside, self.scenario))

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """How the weights were made, and what was left out."""
        notes = [Sentence("track.method")]
        if self.update.tempering < 1:
            notes.append(Sentence("track.tempered", {"power": f"{self.update.tempering:.2f}"}))
        gaps = self.gaps()
        if gaps:
            notes.append(Sentence("track.gaps", {"gaps": "; ".join(gaps)}))
        return (*notes, *(Sentence("note", {"text": text}) for text in self.left_out))

    def gaps(self) -> list[str]:
        """Return the quarters within a series' span for which nothing came."""
        labels = list(self.scenario.labels())
        listed = []
        for series in dict.fromkeys(a.series for a in self.actuals):
            have = {a.quarter for a in self.actuals if a.series == series}
            missing = [q for q in labels if min(have) < q < max(have) and q not in have]
            if missing:
                listed.append(f"{SERIES_NAMES[series]} in {', '.join(missing)}")
        return listed

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column("series", "series"), Column("quarter", "quarter"), Column("unit", "unit"),
            Column("actual", "actual"), Column("low", "forecast: 10 %"), Column("median", "median"),
            Column("high", "90 %"), Column("inside", "inside"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for r in self.quarters():
            size, unit = self._series_unit(r["series"])
            numbers = [r[k] / size for k in ("actual", "low", "median", "high")]
            rows.append((SERIES_NAMES[r["series"]], r["quarter"], unit, *numbers, r["inside"]))
        yield table("quarters", "Forecast and actual by quarter", columns, rows)
        yield self._headlines()
        headline_columns = (
            Column("outcome", "outcome"), Column("unit", "unit"), Column("old_low", "before: 10 %"),
            Column("old", "median"), Column("old_high", "90 %"), Column("low", "after: 10 %"),
            Column("median", "median"), Column("high", "90 %"),
        )  # fmt: skip
        yield table(
            "outcomes", "All outcomes before and after", headline_columns,
            self._before_after(self.outcomes(), "outcome"), detail=True,
        )  # fmt: skip
        input_columns = (
            Column("input", "input"), Column("before", "mean before"), Column("after", "mean after"),
            Column("shift", "move [deviations]", form="+.2f"),
        )  # fmt: skip
        moved: list[tuple[Cell, ...]] = [
            (amount_label(self.scenario, path), before, after, shift)
            for path, before, after, shift in moved_inputs(self.draws, self.update.weights)
        ]
        title = "Inputs that move" if moved else "Inputs that move: none beyond chance"
        yield table("inputs", title, input_columns, moved)
        forecast_columns = (
            Column("series", "series"), Column("quarter", "quarter"), Column("unit", "unit"),
            Column("old_low", "before: 10 %"), Column("old", "median"), Column("old_high", "90 %"),
            Column("low", "after: 10 %"), Column("median", "median"), Column("high", "90 %"),
        )  # fmt: skip
        yield table(
            "forecast", "New forecast", forecast_columns, self._before_after(self.forecast(), "series"), detail=True
        )

    def _before_after(self, records: list[dict[str, Any]], key: str) -> Iterator[tuple[Cell, ...]]:
        for r in records:
            size, unit = self._unit(OUTCOMES[r[key]][0]) if key == "outcome" else self._series_unit(r[key])
            old = [r["before"][k] / size for k in ("low", "median", "high")]
            new = [r[k] / size for k in ("low", "median", "high")]
            head = (r["meaning"],) if key == "outcome" else (SERIES_NAMES[r["series"]], r["quarter"])
            yield (*head, unit, *old, *new)

    def _series_unit(self, series: str) -> tuple[float, str]:
        """Return the size and the name of the unit in which a series is shown; shares in percent."""
        return (0.01, "%") if series.endswith("_frac") else self._unit(SERIES[series][0])

    def _headlines(self) -> Table:
        """Return the outcomes that answers speak of, before and after, under their short names."""
        columns = (
            Column("outcome", "outcome"), Column("old", "before"), Column("median", "after"), Column("low", "10 %"),
            Column("high", "90 %"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for r in self.outcomes():
            if r["outcome"] in SHORT_NAMES:
                size, unit = self._unit(OUTCOMES[r["outcome"]][0])
                name = SHORT_NAMES[r["outcome"]] + (
                    f" [{unit.removesuffix(f'/{self.scenario.firm.share}')}]" if unit else ""
                )
                values = (r["before"]["median"], r["median"], r["low"], r["high"])
                rows.append((name, *(value / size for value in values)))
        return table("headlines", "Headlines: median before, and after with its 80 %", columns, rows)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            "answer": self.answer, "scenario": self.scenario.name, "as_of": self.scenario.as_of,
            "quarters": self.quarters(), "inside": sum(r["inside"] for r in self.quarters()),
            "effective_sample_size": self.update.ess, "draws": len(self.update.weights),
            "tempering": self.update.tempering, "gaps": self.gaps(), "left_out": list(self.left_out),
            "outcomes": self.outcomes(), "forecast": self.forecast(),
            "inputs": [
                {"path": path, "before": before, "after": after, "deviations": shift}
                for path, before, after, shift in moved_inputs(self.draws, self.update.weights)
            ],
        }  # fmt: skip
