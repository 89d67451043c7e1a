"""Figures on file that claims are held against, as they were known on a date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jevons.facts import Facts, FactValue
from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.covered import Candidate, covers
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.patterns import MONIES
from jevons.units import format_money

Verdict = tuple[str, str, tuple[str, ...]]
"""Verdict, reason, and the ids of the facts that a claim was held against."""
_CLOSE, _ROUGH = 0.03, 0.08
NEAR_DAYS = 200
LATER_DAYS = 45


@dataclass(frozen=True, slots=True)
class OnFile:
    """Facts as they are known on a date, all where there is none, and the date of the announcement."""

    facts: Facts
    as_of: dt.date | None
    day: dt.date | None

    def candidates(self, firm: str, quantity: str) -> Iterator[Candidate]:
        """Yield the values on file of a firm's quantity, with their periods; losses below zero."""
        entry = lexicon.firm(firm)
        if entry is None or not quantity:
            return
        stems = lexicon.words("quantities").get(quantity, {}).get("stems") or [quantity]
        heads = _heads(entry, quantity)
        if quantity.startswith("cloud_") and not entry.cloud:
            stems = [stem for stem in stems if stem.startswith("cloud_")]
        for fact in self.facts:
            head, _, last = fact.id.rpartition(".")
            if head not in heads or not last.startswith(tuple(stems)) or "_frac" in last or "past_decade" in last:
                continue
            for value in self.facts.series(fact.id, self.as_of):
                if not isinstance(value.value, str):
                    known = replace(value, value=-value.number) if last.startswith("net_loss") else value
                    yield Candidate(known, *covers(fact.id, value, entry.fiscal_end_month))

    def compared(
        self, claim: Claim, amount: Figure, fit: list[Candidate], every: list[Candidate], *, labelled: bool
    ) -> Verdict:
        """Return the verdict of an amount by the values on file that *fit* its period, out of *every* one."""
        matching = [c for c in fit if self.agrees(amount, c.value)]
        if matching:
            best = min(matching, key=lambda c: self.far(c, amount))
            revised = [c for c in fit if c.value.id == best.value.id and c.value.start > best.value.start]
            revised = [c for c in revised if not self.agrees(amount, c.value)]
            extra = f"; later {shown(revised[-1].value)}" if revised else ""
            return "confirmed", f"{about(best)}: {shown(best.value)}{extra}", (best.value.id,)
        planned = claim.status in {"planned", "conditional", "estimated"}
        later = [c for c in fit if self.came_after(c, planned=planned)]
        if fit and len(later) == len(fit):
            best = min(fit, key=lambda c: self.far(c, amount))
            what = "later guidance" if "guidance" in best.value.id else "what came of it"
            return "not_on_file", f"only {what} is {about(best)}: {shown(best.value)}", (best.value.id,)
        forecast = [c for c in fit if self._only_forecast(c, planned=planned)]
        if forecast and len(forecast) == len(fit):
            best = min(fit, key=lambda c: self.far(c, amount))
            return "not_on_file", f"only an earlier forecast is {about(best)}: {shown(best.value)}", (best.value.id,)
        if fit and all(_other_basis(c, claim) for c in fit):
            best = min(fit, key=lambda c: self.far(c, amount))
            text = f"only a figure with leases, or of cash alone, is {about(best)}: {shown(best.value)}"
            return "not_on_file", text, (best.value.id,)
        if fit and claim.quantity == "capex" and _OF_A_PART.search(claim.sentence.plain):
            best = min(fit, key=lambda c: self.far(c, amount))
            text = f"for one purpose, not all capital expenditure; {about(best)}: {shown(best.value)}"
            return "not_on_file", text, (best.value.id,)
        if fit and (labelled or claim.kind == "target"):
            best = min(fit, key=lambda c: self.far(c, amount))
            if _carried(claim) and self.far(best, amount)[0] > _OTHER_PERIOD:
                text = f"the sentence gives no period of its own; {about(best)}: {shown(best.value)}"
                return "not_on_file", text, (best.value.id,)
            return (
                "contradicted",
                f"{about(best)}: {shown(best.value)}, not {said(amount)}",
                tuple(c.value.id for c in fit),
            )
        other = [c for c in every if self.agrees(amount, c.value)]
        if other and not labelled:
            best = min(other, key=lambda c: self.far(c, amount))
            return "confirmed", f"{about(best)}: {shown(best.value)}; the text names no period", (best.value.id,)
        covered = ", ".join(dict.fromkeys(c.label for c in every if c.label))
        what = f"{lexicon.label_of(claim.quantity)} of {name_of(claim.firm)}"
        text = f"{what} is on file for {covered or 'other dates'}, not for this period"
        return "not_on_file", text, tuple(dict.fromkeys(c.value.id for c in every))[:4]

    def far(self, candidate: Candidate, amount: Figure) -> tuple[float, float, str]:
        """Return how far a candidate is from an amount and the announcement's day, for choosing one."""
        low, high = self._in_unit(amount, candidate.value)
        middle = amount.middle if low is None or high is None else (low + high) / 2
        gap = round(abs(candidate.value.number / middle - 1), 2) if middle else 0.0
        days = 0 if self.day is None else abs((candidate.value.start - self.day).days)
        return gap, float(days), candidate.value.id

    def came_after(self, candidate: Candidate, *, planned: bool = False) -> bool:
        """Return whether a value became known after the announcement: by its day, else as the outcome of a plan."""
        if self.day is None:
            return planned and not re.search(r"guidance|plan", candidate.value.id)
        under_way = candidate.years > 0 and candidate.value.start > self.day
        outcome = (planned or under_way) and not re.search(r"guidance|plan", candidate.value.id)
        return (candidate.value.start - self.day).days > (0 if outcome else LATER_DAYS)

    def _only_forecast(self, candidate: Candidate, *, planned: bool) -> bool:
        """Return whether a value is a guidance, or older than its period's end, and the text tells later what came."""
        value, year = candidate.value, re.search(r"20\d\d", candidate.label)
        guided = re.search(r"guidance", value.id) is not None and year is not None
        if self.day is None or candidate.years == 0:
            return False
        if guided and year is not None:
            return self.day.year > int(year[0])
        return not planned and value.published < value.start < self.day

    def ended(self, candidates: list[Candidate]) -> list[Candidate]:
        """Return the values whose period had ended by the day of the announcement: what came, and no guidance."""
        came = [c for c in candidates if not re.search(r"guidance|plan", c.value.id)]
        return [c for c in came if self.day is None or c.years == 0 or c.value.start <= self.day]

    def near(self, candidate: Candidate) -> bool:
        """Return whether a value is of about the day of the announcement."""
        if self.day is None:
            return True
        return abs((candidate.value.start - self.day).days) <= NEAR_DAYS

    def agrees(self, amount: Figure, value: FactValue) -> bool:
        """Return whether an amount and a value on file are the same, as exactly as the text says it."""
        low, high = self._in_unit(amount, value)
        if low is None or high is None:
            return False
        converted = amount.unit in MONIES and not value.unit.startswith(amount.unit)
        slack = _ROUGH if amount.qualifier == "about" or converted else _CLOSE
        least = value.low if value.low is not None and "guidance" in value.id else value.number
        most = value.high if value.high is not None and "guidance" in value.id else value.number
        first, last = low - slack * abs(low), high + slack * abs(high)
        if amount.qualifier == "at_least":
            return most >= first and least <= high * 1.35
        if amount.qualifier == "at_most":
            return least <= last and most >= low * 0.7
        return first <= most and least <= last

    def _in_unit(self, amount: Figure, value: FactValue) -> tuple[float | None, float | None]:
        """Return an amount in the currency of a fact's value, at the rate of the fact's date."""
        target = value.unit.split("/")[0]
        if amount.unit == target or amount.unit not in MONIES:
            return amount.low, amount.high
        rate = self.rate(amount.unit, target, value.start)
        return (None, None) if rate is None else (amount.low * rate, amount.high * rate)

    def rate(self, source: str, target: str, on: dt.date) -> float | None:
        """Return how much one unit of a currency is in another on a date, or at the nearest rate on file."""
        if source == target:
            return 1.0
        direct = self._direct(source, target, on)
        if direct is not None:
            return direct
        through = next((code for code in ("CNY", "USD") if code not in {source, target}), "")
        legs = self._direct(source, through, on), self._direct(through, target, on)
        return None if legs[0] is None or legs[1] is None else legs[0] * legs[1]

    def _direct(self, source: str, target: str, on: dt.date) -> float | None:
        """Return a rate on file between two currencies, at the nearest date."""
        for name, inverse in (
            (f"fx.{target.lower()}_per_{source.lower()}", False),
            (f"fx.{source.lower()}_per_{target.lower()}", True),
        ):
            if name in self.facts:
                values = self.facts.series(name)
                near = min(values, key=lambda v: abs((v.start - on).days))
                return 1 / near.number if inverse else near.number
        return None


_OF_A_PART = re.compile(
    r"(?:产品|模型|应用|研发|人才|营销)[^,，;；。]{0,4}(?:投入|投资|花)|在[^,，;；。]{0,8}(?:产品|模型|应用|人才|营销)(?:上|方面|领域)"
    r"|(?:invest|spen)\w* [^,;]{0,40}(?:in|on) (?:its )?(?:ai )?"
    r"(?:products?|models?|applications?|apps|research|start-?ups|talent|marketing)(?![a-z])"
)
"""Words of one purpose of an investment that a firm's whole expenditure is not."""


def _other_basis(candidate: Candidate, claim: Claim) -> bool:
    """Return whether a value on file counts leases, or cash alone, and a claim's sentence does not say the same."""
    plain, name = claim.sentence.plain, candidate.value.id
    leases, cash = "with_leases" in name, "_cash_" in name
    return (leases and not re.search(r"lease|租赁", plain)) or (cash and not re.search(r"(?<![a-z])cash|现金", plain))


_OTHER_PERIOD = 0.5
"""How far an amount may be from that on file before it is rather of another period, where its sentence names none."""


def _carried(claim: Claim) -> bool:
    """Return whether a claim's period is that of the sentences before its own."""
    period = claim.named.get("period")
    return period is not None and period.start < 0


_WHOLE = frozenset({"revenue", "operating_income", "ebita"})
"""Quantities of the whole firm that its cloud has as well."""


def _heads(entry: lexicon.Firm, quantity: str) -> tuple[str, ...]:
    """Return the beginnings of the ids that hold a quantity: of the cloud alone, without it, or all."""
    if entry.cloud and quantity.startswith("cloud_"):
        return entry.cloud
    return tuple(head for head in entry.facts if quantity not in _WHOLE or head not in entry.cloud)


def prefixes(firm: str) -> tuple[str, ...]:
    """Return the beginnings of the ids that hold a firm's figures."""
    entry = lexicon.firms().get(firm)
    return () if entry is None else entry.facts


def name_of(firm: str) -> str:
    """Return the name of a firm for a reason."""
    return lexicon.firm_name(firm, "a firm that is not named")


def about(candidate: Candidate) -> str:
    """Return what a value on file covers, in words."""
    return f"on file for {candidate.label}" if candidate.label else f"on file on {candidate.value.start}"


def shown(value: FactValue) -> str:
    """Return a value on file with its unit, a guidance as its range."""
    unit = value.unit.split("/")[0]
    rest = value.unit[len(unit) :]
    if unit in {"USD", "CNY", "HKD"}:
        text = format_money(value.number, unit) + rest
        if value.low is not None and value.high is not None and "guidance" in value.id:
            text = f"{format_money(value.low, unit)} to {format_money(value.high, unit)}"
        return text
    return f"{value.number:,.6g} {value.unit}"


def said(amount: Figure) -> str:
    """Return an amount of the text with its unit."""
    if amount.low == amount.high:
        return format_money(amount.low, amount.unit)
    return f"{format_money(amount.low, amount.unit)} to {format_money(amount.high, amount.unit)}"
