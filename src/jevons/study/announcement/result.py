"""What was read in an announcement: the draft scenario, and the claims with their verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jevons.errors import InputError
from jevons.files import writing
from jevons.results import Column, Result, Table, table
from jevons.study.announcement import lexicon
from jevons.study.announcement.claims import VERDICTS, Claim
from jevons.study.announcement.draft import Draft, draft_yaml, main_budget
from jevons.study.announcement.figures import Figure
from jevons.study.announcement.patterns import MONIES
from jevons.units import format_count, format_money
from jevons.words import Sentence


@dataclass(frozen=True, kw_only=True, repr=False)
class ReadResult(Result):
    """What `jevons.read` returns.

    Parameters
    ----------
    claims : tuple of Claim
        In the order of the text.
    draft : Draft
        Fields of a scenario with their sentences, and what is missing.
    firm : str
        Key of the firm that the text is about, its name where the word list lacks it; empty where none is named.
    silent : int
        Sentences without a figure or comparison.
    sentences : int
        Sentences of the text.
    base : str or None
        Scenario that the draft is completed from.
    """

    kind: ClassVar[str] = "read"
    main_table: ClassVar[str] = "claims"

    claims: tuple[Claim, ...]
    draft: Draft
    firm: str
    silent: int
    sentences: int
    base: Path | str | None = None

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The budget that was read, and how the claims stand against the facts."""
        counts = Counter(claim.verdict for claim in self.claims)
        parts = [Sentence(f"read.{v}", {"count": f"{counts[v]}"}) for v in VERDICTS if counts[v]]
        name: str | Sentence = lexicon.firm_name(self.firm) if self.firm else Sentence("read.no_firm")
        if not self.claims:
            return (Sentence("read.nothing", {"firm": name, "sentences": f"{self.sentences}"}),)
        budget = main_budget(list(self.claims), self.firm)
        said: str | Sentence = Sentence("read.no_budget")
        if budget is not None:
            words = _figure_text(budget.named["amount"])
            period = budget.named.get("period")
            if period is not None:
                words += f" {_period_text(period)}"
            if "per_year" in budget.derived and budget.derived["per_year"][1] != budget.named["amount"].high:
                low, high, unit = budget.derived["per_year"]
                words += f" ({_span(low, high, unit)} a year)"
            if budget.firm and budget.firm != self.firm:
                name = lexicon.firm_name(budget.firm)
            said = words
        count = len(self.claims)
        template = "read.claim" if count == 1 else "read.claims"
        return (Sentence(template, {"firm": name, "said": said, "count": f"{count}", "verdicts": parts}),)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """What was not read, and what the draft lacks."""
        silent = Sentence("read.silent", {"silent": f"{self.silent}", "sentences": f"{self.sentences}"})
        return (silent, Sentence("read.draft")) if self.base is None else (silent,)

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column("kind", "claim"), Column("firm", "firm"), Column("figures", "figures"), Column("verdict", "verdict"),
            Column("reason", "against the facts"),
        )  # fmt: skip
        rows = [
            (c.kind, _firm(c), "; ".join(_named(c)), c.verdict.replace("_", " "), c.reason) for c in self.claims
        ]  # fmt: skip
        yield table("claims", "Claims against facts", columns, rows)
        heads = (
            Column("field", "field"), Column("value", "value"), Column("place", "characters"),
            Column("text", "sentence"),
        )  # fmt: skip
        fields = [
            (path, _shown(f.value), f"{f.start}–{f.end}", _short(f.text)) for path, f in self.draft.fields.items()
        ]
        yield table("draft", "Draft scenario", heads, fields)
        yield table(
            "missing", "Missing for a scenario", (Column("field", "field"), Column("what", "what is missing")),
            self.draft.missing.items(), detail=True,
        )  # fmt: skip
        places = (
            Column("claim", "claim"), Column("verdict", "verdict"), Column("line", "line"), Column("start", "from"),
            Column("end", "to"), Column("text", "sentence"), Column("facts", "facts"),
        )  # fmt: skip
        sentences = [
            (c.kind, c.verdict, c.sentence.line, c.sentence.start, c.sentence.end, c.sentence.text, ", ".join(c.facts))
            for c in self.claims
        ]
        yield table("sentences", "Sentences of the claims and ids of the facts", places, sentences, detail=True)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object: answer, draft, claims, and what was not read."""
        return {
            "answer": self.answer,
            "firm": lexicon.firm_name(self.firm) or None,
            "draft": {
                path: {"value": f.value, "text": f.text, "position": [f.start, f.end], "line": f.line}
                for path, f in self.draft.fields.items()
            },
            "missing": dict(self.draft.missing),
            "claims": [_record(claim) for claim in self.claims],
            "verdicts": {v: sum(c.verdict == v for c in self.claims) for v in VERDICTS},
            "sentences": self.sentences,
            "sentences_without_figures": self.silent,
        }

    def yaml(self) -> str:
        """Return the draft scenario as YAML."""
        return draft_yaml(self.draft, self.base)

    def save(self, path: Path | str, table: str | None = None, *, force: bool = False, language: str = "en") -> None:
        """Write the draft to ``.yaml``, or the result as others are written.

        Raises
        ------
        InputError
            If the ending is unknown or the file cannot be written.
        """
        if Path(path).suffix.lower() not in {".yaml", ".yml"}:
            super().save(path, table, force=force, language=language)
            return
        if not self.draft.fields:
            message = f"--out {path}: the text gives no field of a scenario to write"
            raise InputError(message)
        with writing(Path(path), force=force) as stream:
            stream.write(self.yaml())


def _record(claim: Claim) -> dict[str, Any]:
    figures: dict[str, Any] = {
        name: {
            "value": f.middle, "low": f.low, "high": f.high, "unit": f.unit, "text": f.text,
            "position": [claim.sentence.start + f.start, claim.sentence.start + f.end],
            **({"qualifier": f.qualifier} if f.qualifier else {}), **({"label": f.label} if f.label else {}),
            **({"what": f.what} if f.what else {}), **({"currency_assumed": True} if f.assumed else {}),
        }
        for name, f in claim.named.items()
    }  # fmt: skip
    for name, (low, high, unit) in claim.derived.items():
        figures[name] = {"value": (low + high) / 2, "low": low, "high": high, "unit": unit, "derived": True}
    sentence = claim.sentence
    return {
        "text": sentence.text, "position": [sentence.start, sentence.end], "line": sentence.line, "kind": claim.kind,
        "firm": lexicon.firm_name(claim.firm) or None, "quantity": claim.quantity,
        "figures": figures, "verdict": claim.verdict, "reason": claim.reason, "facts": list(claim.facts),
        **({"compared_with": lexicon.firm_name(claim.other)} if claim.kind == "comparison" and claim.other else {}),
    }  # fmt: skip


def _firm(claim: Claim) -> str:
    own = lexicon.firm_name(claim.firm, "–")
    if claim.kind == "comparison" and claim.other and claim.other != claim.firm:
        return f"{own} against {lexicon.firm_name(claim.other)}"
    return own


def _named(claim: Claim) -> Iterator[str]:
    for name, figure in claim.named.items():
        if figure.kind == "period":
            yield _period_text(figure)
        elif figure.kind == "date":
            continue
        elif name == "previous":
            yield f"before: {_figure_text(figure)}"
        else:
            yield _figure_text(figure)
    for name, (low, high, unit) in claim.derived.items():
        if name == "change":
            yield f"{100 * low:+.1f} %"
        elif name != "per_year" or "each" not in claim.named:
            yield f"{name.replace('_', ' ')}: {_span(low, high, unit)}"


def _span(low: float, high: float, unit: str) -> str:
    first, last = (format_money(v, unit) if unit in MONIES else f"{v:g}" for v in (low, high))
    return first if low == high else f"{first} to {last}"


def _figure_text(figure: Figure) -> str:
    lead = {"at_least": "at least ", "at_most": "up to ", "about": "about "}.get(figure.qualifier, "")
    low, high, exact = figure.low, figure.high, figure.low == figure.high
    if figure.kind == "percent":
        text = f"{100 * low:g} %" if exact else f"{100 * low:g} to {100 * high:g} %"
    elif figure.kind == "multiple":
        text = f"{low:g} times earnings"
    elif figure.kind == "price":
        text = f"{low:g} {figure.unit}/Mtok" if exact else f"{low:g} to {high:g} {figure.unit}/Mtok"
    elif figure.kind == "power":
        text = f"{low / 1e6:,.4g} MW" if exact else f"{low / 1e6:,.4g} to {high / 1e6:,.4g} MW"
    elif figure.unit in MONIES:
        text = _span(low, high, figure.unit)
    else:
        word = figure.what or ("accelerators" if figure.kind == "devices" else "")
        number = format_count(low) if exact else f"{format_count(low)} to {format_count(high)}"
        text = f"{number} {word}".rstrip()
    return lead + text


def _period_text(period: Figure) -> str:
    if period.label == "each":
        return "a year"
    if period.label and period.label not in {"next", "past"}:
        return f"for {period.label}" if not period.label.startswith("to ") else f"until {period.label[3:]}"
    years = (
        f"{period.low:g} {'year' if period.low == 1 else 'years'}" if period.low >= 1 else f"{12 * period.low:g} months"
    )
    return f"the past {years}" if period.label == "past" else f"over {years}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['low']} to {value['high']}"
    return str(value)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 90 else f"{flat[:89]}…"
