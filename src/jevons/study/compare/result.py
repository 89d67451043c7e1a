"""The result of a comparison: differences with intervals, what explains them, and paths of both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from jevons.results import Cell, Column, Result, Table, table
from jevons.rounding import shown_in
from jevons.study.compare.run import Comparison
from jevons.study.currency import in_currency
from jevons.study.draws.outcomes import OUTCOMES, PATHS, SHORT_NAMES
from jevons.study.plan.tables.verdict import value_channel_table
from jevons.study.scenario.scenario import Scenario
from jevons.study.what_changes import of_comparison
from jevons.words import Sentence

INTERACTION = "interaction"
_CYCLE = {"boom", "bust"}
"""Words of a case's title that ask how boom and bust show."""
_MAIN = ("value_per_share", "orders_value")
_MOST_SAID = 3
"""Channels of value that the answer names on either side."""
_SMALL_SUM = 1e8
"""Money below which the answer speaks of millions."""
_LEAST_SAID = 0.01
"""Share of the largest channel up to which the answer leaves another out."""
_COLUMNS = (
    ("value_per_share", "value per share"), ("orders_value", "value of orders"), ("ai_revenue", "AI revenue"),
    ("tokens_per_d", "tokens a day"), ("capex", "capital spent"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class CompareResult(Result):
    """What `jevons.compare` returns.

    Parameters
    ----------
    comparison : Comparison
        Both sides, changed inputs, their effects, and paired outcomes.
    names : tuple of str
        Names of A and B for people.
    case : str
        Named case, or empty.
    question : str
        What the case asks.
    """

    kind: ClassVar[str] = "compare"
    picture: ClassVar[str] = "paths"
    main_table: ClassVar[str] = "differences"

    comparison: Comparison
    names: tuple[str, str]
    case: str = ""
    question: str = ""

    def difference(self) -> dict[str, dict[str, Any]]:
        """Return, for each outcome, A, B, their difference, and its 80 % interval over the paired draws.

        Notes
        -----
        A, B and the difference are those of the central figures. The interval is stretched to the central difference
        where that lies outside, which `stretched` says.
        """
        a, b = self.comparison.a.central, self.comparison.b.central
        records: dict[str, dict[str, Any]] = {}
        for name, (unit, meaning) in OUTCOMES.items():
            delta = b[name] - a[name]
            record: dict[str, Any] = {"a": a[name], "b": b[name], "delta": delta, "unit": unit, "meaning": meaning}
            pairs = self.comparison.paired.get(name)
            if pairs is not None and len(pairs) > 1:
                gaps = pairs[:, 1] - pairs[:, 0]
                low, middle, high = (float(q) for q in np.quantile(gaps, (0.1, 0.5, 0.9)))
                outside = not low <= delta <= high
                record |= {
                    "low": min(low, delta), "high": max(high, delta), "median": middle,
                    "p_higher": float(np.mean(gaps > 0)), "stretched": outside,
                }  # fmt: skip
            else:
                record |= {"low": None, "high": None}
            records[name] = record
        return records

    def attribution(self) -> dict[str, dict[str, float]]:
        """Return, for each outcome, what each changed input does by itself, and the rest as interaction."""
        by_outcome: dict[str, dict[str, float]] = {}
        for name in OUTCOMES:
            parts = {e.name: e.outcomes[name] for e in self.comparison.effects if e.outcomes}
            delta = self.comparison.b.central[name] - self.comparison.a.central[name]
            by_outcome[name] = {**parts, INTERACTION: delta - sum(parts.values())}
        return by_outcome

    @property
    def scenario(self) -> Scenario:
        """Side A, whose currency both sides are in."""
        return self.comparison.a.scenario

    @property
    @in_currency
    def answer_parts(self) -> tuple[Sentence, ...]:
        """What B changes of the headline, with its interval, and which input explains most."""
        every = self.difference()
        name = next((n for n in _MAIN if n in every), next(iter(every)))
        record = every[name]
        size, unit = shown_in(record["unit"])
        values: dict[str, Any] = {
            "subject": self._compared(), "meaning": record["meaning"], "a": _number(record["a"] / size),
            "b": _number(record["b"] / size), "unit": unit or None,
        }  # fmt: skip
        if record["low"] is not None:
            values |= {key: _signed(record[key] / size) for key in ("delta", "low", "high")}
        sentences = [Sentence("compare.stays" if values["a"] == values["b"] else "compare.goes", values)]
        parts = [(e.name, e.outcomes[name]) for e in self.comparison.effects if e.outcomes]
        if len(parts) > 1:
            most = max(parts, key=lambda item: abs(item[1]))
            sentences.append(Sentence("compare.most", {"name": most[0], "effect": _signed(most[1] / size)}))
        if self.comparison.channels:
            sentences.append(self._cloud_value())
        return tuple(sentences)

    def _cloud_value(self) -> Sentence:
        """Return what the AI cloud is worth on both sides, and which channels add to that and take from it.

        A change may move tokens several-fold and value hardly at all; gains beside losses say why.
        """
        channels = self.comparison.channels
        every = [*channels.values(), *(side.central["plan_value"] for side in (self.comparison.a, self.comparison.b))]
        size, unit = (1e9, "bn ¤") if max(map(abs, every)) >= _SMALL_SUM else (1e6, "mn ¤")
        worth: dict[str, str] = {}
        for side, run in (("a", self.comparison.a), ("b", self.comparison.b)):
            value = run.central["plan_value"]
            each = _number(value / run.scenario.finance.shares.value)
            worth |= {side: _number(value / size), f"{side}_share": f"{each} {OUTCOMES['value_per_share'][0]}"}
        least = _LEAST_SAID * max(map(abs, channels.values()))
        gains = {name: added / size for name, added in channels.items() if added > least}
        losses = {name: -added / size for name, added in channels.items() if -added > least}
        whole_gain, whole_loss = (sum(max(sign * v, 0.0) for v in channels.values()) / size for sign in (1, -1))
        return Sentence("compare.channels", {
            **worth, "unit": unit,
            "gain": _number(whole_gain) if gains else None, "gains": _largest(gains, whole_gain),
            "loss": _number(whole_loss) if losses else None, "losses": _largest(losses, whole_loss),
        })  # fmt: skip

    def _named(self) -> str:
        """Return what is compared, in English, as tables name it."""
        subject = self._compared()
        return subject.text() if isinstance(subject, Sentence) else subject

    def _compared(self) -> str | Sentence:
        count = len(self.comparison.changes)
        if self.case:
            return self.case
        if self.names[0] != self.names[1]:
            return Sentence("compare.against", {"a": self.names[0], "b": self.names[1]})
        first = self.comparison.changes[0]
        if count == 1:
            return f"{first.path} {first.before} → {first.after}"
        return Sentence("compare.changes", {"count": f"{count}", "scenario": self.names[0]})

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """How surely B's value of a share is the higher, and what its changes add one by one and together."""
        return tuple(of_comparison(self.difference(), self.attribution(), INTERACTION))

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """How many pairs there are, and which changes have no plan by themselves."""
        notes = [Sentence("note", {"text": self.question})] if self.question else []
        pairs = next((len(p) for p in self.comparison.paired.values()), 0)
        if pairs:
            notes.append(Sentence("compare.paired", {"pairs": f"{pairs}"}))
            notes.append(Sentence("compare.reached", {"reached": self.reached_frac()}))
        else:
            notes.append(Sentence("compare.no_draws"))
        stretched = [SHORT_NAMES[n] for n, r in self.difference().items() if r.get("stretched") and n in SHORT_NAMES]
        if stretched:
            notes.append(Sentence("compare.stretched", {"outcomes": stretched}))
        alone = (effect for effect in self.comparison.effects if effect.reason)
        notes += [Sentence("compare.no_plan", {"name": effect.name, "reason": effect.reason}) for effect in alone]
        a, b = self.comparison.a.scenario, self.comparison.b.scenario
        if a.currency != b.currency:
            notes.append(Sentence("compare.currencies", {"b": b.currency, "a": a.currency, "date": f"{a.as_of}"}))
        return tuple(notes)

    @in_currency
    def _tables(self) -> Iterator[Table]:
        every = [
            Column("outcome", "outcome"), Column("unit", "unit"), Column("a", "A"), Column("b", "B"),
            Column("delta", "difference"), Column("low", "10 %"), Column("high", "90 %"),
            Column("p_higher", "P(B higher)", "%", scale=100, form=".0f"),
        ]  # fmt: skip
        rows: dict[str, tuple[Cell, ...]] = {}
        for name, record in self.difference().items():
            size, unit = shown_in(record["unit"])
            ends = [None if record[k] is None else record[k] / size for k in ("a", "b", "delta", "low", "high")]
            rows[name] = (record["meaning"], unit, *ends, record.get("p_higher"))
        short = [
            (f"{label} [{str(rows[name][1]).removesuffix('/share')}]" if rows[name][1] else label, *rows[name][2:-1])
            for name, label in SHORT_NAMES.items()
            if name in rows
        ]
        narrow = (every[0], *every[2:4], Column("delta", "B - A"), *every[5:-1])
        second = self._named() if self.names[0] == self.names[1] or self.case else self.names[1]
        yield table("differences", f"A: {self.names[0]}. B: {second}", narrow, short)
        yield table("outcomes", "All outcomes of A and B", every, rows.values(), detail=True)
        yield self._attribution()
        if self.comparison.channels:
            title = "Value of the AI cloud, B less A, by channel"
            yield value_channel_table("channels", title, self.comparison.channels, detail=False)
        yield self._cycle()
        heads = (Column("input", "input"), Column("a", "A"), Column("b", "B"))
        changed = [(c.path, c.before, c.after) for c in self.comparison.changes]
        yield table("changed", "Changed inputs", heads, changed, detail=len(changed) > 12)
        yield self._clearings()
        yield self._paths()

    def _cycle(self) -> Table:
        a, b = self.comparison.a.cycle, self.comparison.b.cycle
        columns = (Column("quantity", "quantity"), Column("unit", "unit"), Column("a", "A"), Column("b", "B"))
        rows: list[tuple[Cell, ...]] = [
            ("write-downs of machines over the plan", "bn ¤", a.write_downs_cur / 1e9, b.write_downs_cur / 1e9),
            ("idle or in repair, last four quarters", "% of hours", 100 * a.idle_frac, 100 * b.idle_frac),
            ("rent, first quarter", "¤/h", a.rent_first_cur_per_h, b.rent_first_cur_per_h),
            ("rent, last quarter", "¤/h", a.rent_last_cur_per_h, b.rent_last_cur_per_h),
            ("brokers' and lenders' losses", "bn ¤", a.brokers_loss_cur / 1e9, b.brokers_loss_cur / 1e9),
        ]
        title = "Write-downs, idle machines, rents and brokers' losses at the central figures"
        return table("cycle", title, columns, rows, detail=not _CYCLE & set(self.case.lower().split()))

    def reached_frac(self) -> float | None:
        """Return the share of A's draws whose value per share is at or beyond B's central one; None without draws."""
        draws, name = self.comparison.a.draws, next(iter(OUTCOMES))
        if draws is None or name not in draws.outcomes or not len(draws.outcomes[name]):
            return None
        a, b = self.comparison.a.central[name], self.comparison.b.central[name]
        beyond = draws.outcomes[name] <= b if b < a else draws.outcomes[name] >= b
        return float(np.mean(beyond))

    def _clearings(self) -> Table:
        columns = (
            Column("side", "side"), Column("when", "when"), Column("wacc_frac", "cost of capital", "%", scale=100.0),
            Column("return_frac", "return", "%", scale=100.0), Column("margin_frac", "margin", "%", scale=100.0),
            Column("clearing_margin_frac", "margin that clears", "%", scale=100.0),
            Column("capital_per_revenue", "capital per revenue", "x"),
            Column("clearing_capital_per_revenue", "capital that clears", "x"),
        )  # fmt: skip
        rows = [
            (name, clearing.when, clearing.wacc_frac, clearing.return_frac, clearing.margin_frac,
            clearing.clearing_margin_frac,
             clearing.capital_per_revenue, clearing.clearing_capital_per_revenue)
            for name, side in (("A", self.comparison.a), ("B", self.comparison.b)) for clearing in side.clearings
        ]  # fmt: skip
        title = "Margin, and capital per yearly revenue, at which the AI cloud's capital returns its cost after tax"
        return table("clears", title, columns, rows, detail="exclusive" not in self.case.lower())

    def _attribution(self) -> Table:
        parts = self.attribution()
        shown = [(name, label) for name, label in _COLUMNS if name in parts]
        columns = [Column("input", "change")]
        for name, label in shown:
            size, unit = shown_in(OUTCOMES[name][0])
            columns.append(Column(name, label, unit, scale=1 / size, form="+,.4g"))
        names = [*[e.name for e in self.comparison.effects if e.outcomes], INTERACTION]
        rows: list[list[Cell]] = [[outcome, *(parts[name][outcome] for name, _ in shown)] for outcome in names]
        whole = [sum(parts[name].values()) for name, _ in shown]
        rows.append(["together", *whole])
        return table("attribution", "What explains the difference, one change at a time", columns, rows)

    def _paths(self) -> Table:
        a, b = self.comparison.a, self.comparison.b
        columns = [Column("quarter", "quarter")]
        quarters = list(dict.fromkeys([*a.scenario.labels(), *b.scenario.labels()]))
        series: list[dict[str, float]] = []
        for name, (unit, meaning) in PATHS.items():
            size, shown = shown_in(unit)
            for side, letter in ((a, "A"), (b, "B")):
                if name in side.paths:
                    columns.append(Column(f"{name}.{letter.lower()}", f"{meaning}, {letter}", shown, scale=1 / size))
                    series.append(dict(zip(side.scenario.labels(), side.paths[name], strict=True)))
        rows = [[quarter, *(path.get(quarter) for path in series)] for quarter in quarters]
        return table("paths", "Paths by quarter at the central figures", columns, rows, detail=True)

    @in_currency
    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object: changed inputs, differences, and what explains them."""
        pairs = next((len(p) for p in self.comparison.paired.values()), 0)
        return {
            "answer": self.answer, "a": self.names[0], "b": self.names[1], "case": self.case or None,
            "question": self.question or None,
            "changed": [
                {"path": c.path, "a": c.before if c.a is None else c.a, "b": c.after if c.b is None else c.b,
                 "unit": c.unit, "a_text": c.before, "b_text": c.after}
                for c in self.comparison.changes
            ],
            "difference": self.difference(),
            "attribution": self.attribution(),
            "channels": self.comparison.channels,
            "clears": {
                "a": [clearing.record() for clearing in self.comparison.a.clearings],
                "b": [clearing.record() for clearing in self.comparison.b.clearings],
            },
            "cycle": {"a": asdict(self.comparison.a.cycle), "b": asdict(self.comparison.b.cycle)},
            "reached_frac": self.reached_frac(),
            "without_a_plan": {e.name: e.reason for e in self.comparison.effects if e.reason},
            "draws": pairs,
            "quarters": {
                "a": list(self.comparison.a.scenario.labels()), "b": list(self.comparison.b.scenario.labels()),
            },
            "paths": {"a": self.comparison.a.paths, "b": self.comparison.b.paths},
        }  # fmt: skip


def _largest(channels: dict[str, float], whole: float) -> list[Sentence] | None:
    """Return the largest channels with their amounts, and the rest of *whole* as one."""
    told = sorted(channels.items(), key=lambda item: -item[1])[:_MOST_SAID]
    rest = whole - sum(amount for _, amount in told)
    named = [Sentence(f"channel.{name}", {"amount": _number(amount)}) for name, amount in told]
    if rest > _LEAST_SAID * whole:
        named.append(Sentence("channel.rest", {"amount": _number(rest)}))
    return named or None


def _number(value: float) -> str:
    return f"{value:#,.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:,.0f}"


def _signed(value: float) -> str:
    return ("+" if value >= 0 else "") + _number(value)
