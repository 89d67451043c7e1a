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
from jevons.study.announcement.claim import VERDICTS, Claim
from jevons.study.announcement.draft import Draft, draft_yaml, main_budget
from jevons.study.announcement.wording import figures_of, headline, what_of, who_of
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
        if budget is not None and budget.firm and budget.firm != self.firm:
            name = lexicon.firm_name(budget.firm)
        said = headline(list(self.claims), budget, self.firm)
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
            (what_of(c), who_of(c), "; ".join(figures_of(c)), c.verdict.replace("_", " "), c.reason)
            for c in self.claims
        ]
        yield table("claims", "Claims against facts", columns, rows)
        heads = (
            Column("field", "field"), Column("value", "value"), Column("place", "characters"),
            Column("text", "sentence", quoted=True),
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
            Column("end", "to"), Column("text", "sentence", quoted=True), Column("facts", "facts"),
        )  # fmt: skip
        sentences = [
            (
                what_of(c),
                c.verdict,
                c.sentence.line,
                c.sentence.start,
                c.sentence.end,
                c.sentence.text,
                ", ".join(c.facts),
            )
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
        "what": what_of(claim), **({"status": claim.status} if claim.status else {}),
        "firm": lexicon.firm_name(claim.firm) or None, "quantity": claim.quantity,
        "figures": figures, "verdict": claim.verdict, "reason": claim.reason, "facts": list(claim.facts),
        **({"compared_with": lexicon.firm_name(claim.other)} if claim.kind == "comparison" and claim.other else {}),
        **({"with": lexicon.firm_name(claim.other)} if claim.kind in {"metric", "stake"} and claim.other else {}),
    }  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['low']} to {value['high']}"
    return str(value)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 90 else f"{flat[:89]}…"
