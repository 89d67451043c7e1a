"""Verdicts on growth, shares, stakes, rates of interest and margins."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace

from jevons.facts import FactValue
from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.clauses import clause_after, clause_before
from jevons.study.announcement.covered import Candidate, covers, quartered, same_label
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.on_file import LATER_DAYS, OnFile, Verdict, about, name_of, prefixes
from jevons.study.announcement.verdict_prices import cut

_QUARTERLY = re.compile(
    r"环比|按季|季增|quarter[- ]on[- ]quarter|quarter[- ]over[- ]quarter|qoq|q/q|sequential"
    r"|(?:from|on) the (?:previous|prior|second|first|third|preceding) quarter"
)
_MONTHLY = re.compile(r"月增|month[- ]on[- ]month|month[- ]over[- ]month|较上月")
_COUNTED = {"tokens": "tokens.", "users": "users.", "calls": "tokens."}
_OF_MARKET = re.compile(r"^share\.|_share_frac|server_frac")
"""Ids of shares of a market."""
_INCOMES = {"operating": "operating_income", "net": "net_income", "ebita": "ebita"}


def growth(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a growth: by list prices, the two levels on file, or a growth on file."""
    what = f"growth of {lexicon.label_of(claim.quantity)}" if claim.quantity else "growth"
    if claim.named["percent"].what == "otherwise":
        return "not_on_file", f"{what} measured in another way than levels on file", ()
    found = cut(file, claim) or _by_levels(file, claim) or _stated(file, claim)
    if found is not None:
        return found
    if not claim.quantity:
        return "not_on_file", "the text does not say what grew", ()
    near = list(dict.fromkeys(c.value.id for c in _levels(file, claim)))
    text = f"no {what} of {name_of(claim.firm)} is on file for this period"
    if near:
        text += ", nor both levels that it would follow from"
    return "not_on_file", text, tuple(near[:3])


def _levels(file: OnFile, claim: Claim) -> list[Candidate]:
    """Return the levels on file of what has grown."""
    head = _COUNTED.get(claim.quantity)
    if head is None:
        return [c for c in file.candidates(claim.firm, claim.quantity) if not re.search(r"guidance|plan", c.value.id)]
    entry = lexicon.firm(claim.firm)
    heads = tuple(prefix for prefix in (entry.facts if entry else ()) if prefix.startswith(head))
    return [
        Candidate(value, f"{value.start}", 0.0)
        for fact in file.facts
        if heads and fact.id.startswith(heads) and ("calls" in fact.id) == (claim.quantity == "calls")
        for value in file.facts.series(fact.id, file.as_of)
    ]


def _by_levels(file: OnFile, claim: Claim) -> Verdict | None:
    """Return the verdict of a growth by the levels on file of its period and of a year, or a quarter, before."""
    figure, period = claim.named["percent"], claim.named.get("period")
    plain = claim.sentence.plain
    around = clause_before(plain, figure.start) + clause_after(plain, figure.start)
    if _MONTHLY.search(around) or figure.qualifier == "within":
        return None
    back = 91 if _QUARTERLY.search(around) else 365
    every = _levels(file, claim)
    if file.day is not None:
        day = file.day
        every.sort(key=lambda c: abs((c.value.start - day).days))
    dated = period is not None and re.match(r"\d{4}|FY", period.label) is not None
    for now in every:
        if dated and period is not None:
            if not same_label(period.label, now, claim.firm):
                continue
        elif file.day is None or not -LATER_DAYS <= (file.day - now.value.start).days <= 120:
            continue
        before = _before(file, now, every, back)
        if before is None or before <= 0:
            continue
        change = now.value.number / before - 1
        span = "a quarter" if back < 100 else "a year"
        text = f"levels on file of {now.label or now.value.start} and {span} before give {100 * change:+.1f} %"
        if _agrees(figure, change):
            return "confirmed", text, (now.value.id,)
        if dated:
            return "contradicted", text, (now.value.id,)
        return None
    return None


def _before(file: OnFile, now: Candidate, every: list[Candidate], back: int) -> float | None:
    """Return the level so many days before one on file, as it stands or as what is left of its year."""
    for earlier in every:
        apart = (now.value.start - earlier.value.start).days
        if (
            earlier.value.id == now.value.id
            and earlier.years == now.years
            and abs(apart - back) <= (20 if back < 100 else 45)
        ):
            return earlier.value.number
    day = now.value.start
    if back < 100 or "_quarter_" not in now.value.id or day.month not in {9, 12}:
        return None
    other = dt.date(day.year - 1, 21 - day.month, 30 if day.month == 12 else 31)
    half = dt.date(day.year - 1, 6, 30)
    parts = [
        _on(file, now.value.id.replace("_quarter_", "_year_"), dt.date(day.year - 1, 12, 31)),
        _on(file, now.value.id.replace("_quarter_", "_half_year_"), half), _on(file, now.value.id, other),
    ]  # fmt: skip
    whole, *rest = (None if part is None else part.number for part in parts)
    return None if whole is None or None in rest else whole - sum(part for part in rest if part is not None)


def _on(file: OnFile, fact_id: str, day: dt.date) -> FactValue | None:
    if fact_id not in file.facts:
        return None
    return next((v for v in file.facts.series(fact_id, file.as_of) if v.start == day), None)


def _agrees(figure: Figure, change: float) -> bool:
    """Return whether a change on file is that of the text, as exactly as the text says it."""
    slack = 0.015 + (0.1 if figure.what == "factor" or figure.qualifier == "about" else 0.02) * abs(change)
    if figure.qualifier == "at_least" or (figure.what == "factor" and figure.qualifier == ""):
        return (1 if figure.middle >= 0 else -1) * (change - figure.middle) >= -slack and abs(change) <= 1.6 * abs(
            figure.middle
        ) + slack
    if figure.qualifier == "at_most":
        return (1 if figure.middle >= 0 else -1) * (figure.middle - change) >= -slack
    return figure.low - slack <= change <= figure.high + slack


def _stated(file: OnFile, claim: Claim) -> Verdict | None:
    """Return the verdict of a growth by one on file of its quantity and period."""
    stems = tuple(lexicon.words("quantities").get(claim.quantity, {}).get("growth") or ())
    figure, period = claim.named["percent"], claim.named.get("period")
    entry = lexicon.firm(claim.firm)
    if not stems or entry is None:
        return None
    fit = []
    for fact in file.facts:
        head, _, last = fact.id.rpartition(".")
        if head in entry.facts and last.startswith(stems) and "growth" in last:
            series = file.facts.series(fact.id, file.as_of)
            fit += [v for v in series if _of_period(file, period, Candidate(v, "", 0.0), claim.firm)]
    hits = [v for v in fit if _agrees(figure, v.number)]
    if hits:
        return (
            "confirmed",
            f"on file for the quarter to {hits[-1].start}: {100 * hits[-1].number:+.3g} %",
            (hits[-1].id,),
        )
    if fit and period is not None and re.match(r"\d{4}-Q", period.label):
        text = f"on file for the quarter to {fit[-1].start}: {100 * fit[-1].number:+.3g} %"
        return "contradicted", text, (fit[-1].id,)
    return None


def _of_period(file: OnFile, period: Figure | None, candidate: Candidate, firm: str) -> bool:
    if period is not None and re.match(r"\d{4}|FY", period.label):
        return same_label(period.label, candidate, firm)
    if file.day is None:
        return True
    return -LATER_DAYS <= (file.day - candidate.value.start).days <= 120


def share(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a share: of a market, or of one quantity in another."""
    figure, period = claim.named["percent"], claim.named.get("period")
    stems = lexicon.words("quantities").get(claim.quantity, {}).get("stems") or []
    of = figure.what.removeprefix("of_")
    if of and of not in lexicon.words("quantities"):
        return "not_on_file", f"no share of {of} is on file", ()
    names = tuple(f".{stem}{middle}frac" for stem in stems for middle in (f"_{of}_", "_"))
    heads = prefixes(claim.firm)
    values = [
        value for fact in file.facts
        if heads and fact.id.startswith(heads)
        and (fact.id.endswith(names) if names else _OF_MARKET.search(fact.id))
        for value in file.facts.series(fact.id, file.as_of)
    ]  # fmt: skip
    slack = 0.006
    close = [
        value for value in values
        if not isinstance(value.value, str)
        and figure.low * 0.99 - slack <= value.number <= figure.high * 1.01 + slack
    ]  # fmt: skip
    label = period.label if period is not None else ""
    guided = figure.low < figure.high
    close = [
        v for v in close if guided or not re.match(r"\d{4}", label) or str(v.start.year) == label[:4] or label == "each"
    ]
    if close:
        return "confirmed", f"on file for {close[-1].start}: {100 * close[-1].number:.3g} %", (close[-1].id,)
    what = "share" if claim.quantity == "share" else f"share of {lexicon.label_of(claim.quantity)}"
    return (
        "not_on_file",
        f"no such {what} of {name_of(claim.firm)} is on file",
        tuple(dict.fromkeys(v.id for v in values))[:4],
    )


def difference(_file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a difference from others at the same time, of which no facts are kept."""
    what = lexicon.label_of(claim.quantity) if claim.quantity else "such figures"
    return "not_on_file", f"no difference of {what} of {name_of(claim.firm)} from others is on file", ()


def stake(_file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a stake, of which no facts are kept."""
    of = f" in {name_of(claim.other)}" if claim.other else ""
    return "not_on_file", f"no stake of {name_of(claim.firm)}{of} is on file", ()


def interest_rate(_file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a rate of interest, of which no facts are kept."""
    return "not_on_file", f"no rate of interest of {name_of(claim.firm)} is on file", ()


def margin(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a margin: by one on file of the kind and period, or by income and revenue on file."""
    figure, period = claim.named.get("percent"), claim.named.get("period")
    kind = claim.quantity.removesuffix(" margin")
    what = f"no such {claim.quantity} of {name_of(claim.firm)} is on file"
    if figure is None:
        return "not_on_file", "a change of a margin, or its level before: today's is not stated", ()
    if period is None or not re.match(r"\d{4}|FY", period.label):
        return "not_on_file", what, ()
    found = [c for c in _margins(file, claim.firm, kind) if same_label(period.label, c, claim.firm)]
    if not found:
        return "not_on_file", what, ()
    best = min(found, key=lambda c: abs(c.value.number - figure.middle))
    agrees = figure.low - 0.006 <= best.value.number <= figure.high + 0.006
    text = f"{about(best)}: {100 * best.value.number:.3g} %"
    return "confirmed" if agrees else "contradicted", text, tuple(dict.fromkeys(c.value.id for c in found))


def _margins(file: OnFile, firm: str, kind: str) -> Iterator[Candidate]:
    """Yield the margins on file of a firm and of its cloud, stated or as income over revenue."""
    entry = lexicon.firm(firm)
    income = _INCOMES.get(kind)
    for fact in file.facts:
        head, _, stem = fact.id.rpartition(".")
        if entry is None or head not in entry.facts:
            continue
        if stem.startswith(f"{kind}_margin") and stem.endswith("_frac"):
            for value in file.facts.series(fact.id, file.as_of):
                yield Candidate(value, *covers(quartered(fact.id), value, entry.fiscal_end_month))
        revenue = fact.id.replace(f".{income}_", ".revenue_") if income else ""
        if income and re.fullmatch(rf"{income}_(?:quarter|year)_[a-z]{{3}}", stem) and revenue in file.facts:
            sales = {v.start: v.number for v in file.facts.series(revenue, file.as_of)}
            for value in file.facts.series(fact.id, file.as_of):
                if sales.get(value.start, 0.0) > 0:
                    part = replace(value, value=value.number / sales[value.start], unit="1", low=None, high=None)
                    yield Candidate(part, *covers(fact.id, value, entry.fiscal_end_month))
