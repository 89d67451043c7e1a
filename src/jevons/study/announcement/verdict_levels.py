"""Verdicts on amounts, comparisons, power and counts."""

from __future__ import annotations

import re

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.covered import Candidate, same_label
from jevons.study.announcement.on_file import OnFile, Verdict, about, name_of, prefixes, shown
from jevons.units import format_count, format_money

_EVENTS = frozenset(
    {"contract", "debt", "notes", "buyback", "disposal", "inflow", "equity", "commitments", "joint_venture", "stake"}
)
"""Quantities of which a firm has several at a time: another one does not contradict."""


def amount(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of an amount for a period."""
    held, period = claim.named["amount"], claim.named.get("period")
    every = list(file.candidates(claim.firm, claim.quantity))
    if not every:
        return "not_on_file", f"no figure of {lexicon.label_of(claim.quantity)} of {name_of(claim.firm)} is on file", ()
    years = period.low if period is not None else 0.0
    dated = period is not None and bool(re.match(r"\d|FY", period.label)) and claim.quantity not in _EVENTS
    if period is not None and period.label.startswith("to "):
        fit = []
    elif period is not None and dated:
        fit = [c for c in every if same_label(period.label, c, claim.firm)]
    elif claim.quantity == "capex" and years > 1 and "each" not in claim.named:
        fit = [c for c in every if c.years == years]
    elif claim.quantity == "capex" and "each" in claim.named:
        fit = [c for c in every if "commitment" in c.value.id]
    else:
        fit = [c for c in every if file.near(c)]
    if period is None and not claim.status and claim.quantity in lexicon.words("flows"):
        return _without_period(file, claim, file.ended(fit), file.ended(every))
    return file.compared(claim, held, fit, every, labelled=dated or (years > 1 and claim.quantity == "capex"))


def _without_period(file: OnFile, claim: Claim, fit: list[Candidate], every: list[Candidate]) -> Verdict:
    """Return the verdict of what came in a period that the text does not name: the last one that had ended."""
    held = claim.named["amount"]
    latest = {c.years: c for c in sorted(every, key=lambda c: c.value.start) if c.years > 0}
    agreeing = [c for c in every if file.agrees(held, c.value)]
    older = [c for c in agreeing if c.years > 0 and c.value.start < latest[c.years].value.start]
    if file.day is not None and older and len(older) == len(agreeing):
        best = min(older, key=lambda c: file.far(c, held))
        last = latest[best.years]
        text = f"the text names no period; {about(best)}: {shown(best.value)}, {about(last)}: {shown(last.value)}"
        return "unlike", text, (best.value.id, last.value.id)
    verdict, reason, facts = file.compared(claim, held, fit, every, labelled=False)
    if verdict == "confirmed" and "names no period" not in reason:
        reason = f"{reason}; the text names no period"
    elif not agreeing and latest:
        shown_last = ", ".join(f"{about(c)}: {shown(c.value)}" for c in latest.values())
        reason = f"the text names no period; {shown_last}"
    return verdict, reason, facts


def target(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of an analyst's target by those on file."""
    every = list(file.candidates(claim.firm, claim.quantity))
    if not every:
        return "not_on_file", f"no figure of {lexicon.label_of(claim.quantity)} of {name_of(claim.firm)} is on file", ()
    return file.compared(claim, claim.named["amount"], [c for c in every if file.near(c)], every, labelled=False)


def comparison(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of being more than in the past, or than other firms, of like periods."""
    amount, period = claim.named.get("amount"), claim.named.get("period")
    if claim.quantity == "past":
        bounds = [f.id for f in file.facts if "past_decade" in f.id and f.id.startswith(tuple(prefixes(claim.firm)))]
        series = [c for c in file.candidates(claim.firm, "capex") if c.years == 1.0 and "plan" not in c.value.id]
        dates = len({c.value.start for c in series})
        text = (
            f"{name_of(claim.firm)}'s own statement; a series of that many years is not on file ({dates} of them are)"
        )
        return "not_on_file", text, (*bounds, *(c.value.id for c in series))
    if claim.quantity != "capex" or amount is None:
        what = lexicon.label_of(claim.quantity) if claim.quantity else "such figure"
        return "not_on_file", f"no {what} of {name_of(claim.other)} and others is on file to compare", ()
    if claim.rivals:
        return _together(file, claim)
    others = [c for c in file.candidates(claim.other, "capex") if c.years >= 1.0]
    if not others:
        return "not_on_file", f"no budget of {name_of(claim.other)} is on file to compare", ()
    ids = tuple(c.value.id for c in others)
    years = period.low if period is not None and period.low >= 1 else None
    plans = [c.value.start for c in file.candidates(claim.firm, "capex") if file.agrees(amount, c.value)]
    day = file.day or (min(plans) if plans else max(c.value.start for c in others))
    same_year = [c for c in others if c.label.removeprefix("FY") == str(day.year)]
    near = min(same_year or others, key=lambda c: (abs((c.value.start - day).days), c.value.id))
    rival, rate = near.value.number, file.rate(amount.unit, near.value.unit, near.value.start)
    own = amount.middle * (rate or 1.0)
    unit = near.value.unit
    if years is None:
        return "not_on_file", f"the text gives no period of its own to hold against {about(near)}", ids
    own_year = re.search(r"20\d\d", period.label) if period is not None else None
    other_year = re.search(r"20\d\d", near.label)
    if years == near.years and own_year and other_year and own_year[0] != other_year[0]:
        text = f"unlike periods: {own_year[0]} against {near.label} ({format_money(rival, unit)})"
        return "unlike", text, ids
    if years != near.years:
        yearly, rival_yearly = own / years, rival / near.years
        sign = "more" if yearly > rival_yearly else "less"
        text = (
            f"unlike periods: {format_money(own, unit)} over {years:g} years is {format_money(yearly, unit)} "
            f"a year, {sign} than {name_of(claim.other)}'s {format_money(rival, unit)} for {near.label}"
        )
        return "unlike", text, ids
    verdict = "confirmed" if own > rival else "contradicted"
    return verdict, f"{about(near)}: {format_money(rival, unit)} against {format_money(own, unit)}", ids


def _together(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of being more than several firms spend together in the same year."""
    held, period = claim.named["amount"], claim.named.get("period")
    names = " and ".join(name_of(firm) for firm in claim.rivals)
    if period is None or not re.match(r"\d{4}$|FY", period.label):
        return "not_on_file", f"the text gives no year to hold {names} against", ()
    chosen: list[Candidate] = []
    for firm in claim.rivals:
        fit = [c for c in file.candidates(firm, "capex") if c.years >= 1.0 and same_label(period.label, c, firm)]
        known = [c for c in fit if not file.came_after(c)] or fit
        if not known:
            return "not_on_file", f"no budget of {name_of(firm)} for {period.label} is on file to compare", ()
        chosen.append(max(known, key=lambda c: c.value.start))
    unit = held.unit
    rates = [file.rate(c.value.unit, unit, c.value.start) for c in chosen]
    total = sum(c.value.number * (rate or 0.0) for c, rate in zip(chosen, rates, strict=True))
    if None in rates:
        return "not_on_file", f"no rate of {unit} is on file to add up {names}", ()
    verdict = "confirmed" if held.middle > total else "contradicted"
    text = f"{names} together: {format_money(total, unit)} for {period.label} against {format_money(held.middle, unit)}"
    return verdict, text, tuple(c.value.id for c in chosen)


def superlative(_file: OnFile, _claim: Claim) -> Verdict:
    """Return the verdict of being the largest of all."""
    return "not_on_file", "no record of all such plans is on file", ()


def power(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of electric power by that of the firm on file."""
    heads = tuple(prefixes(claim.firm))
    for fact in file.facts:
        if heads and fact.id.startswith(heads) and fact.unit == "W" and claim.named["power"].what in fact.id:
            hits = [v for v in file.facts.series(fact.id, file.as_of) if file.agrees(claim.named["power"], v)]
            if hits:
                return "confirmed", f"{fact.about} on {hits[-1].start}: {hits[-1].number / 1e9:g} GW", (fact.id,)
    return "not_on_file", f"no such power of {name_of(claim.firm)} is on file", ()


def count(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a number of tokens or users by those on file."""
    figure = claim.named["count"]
    heads = (
        tuple(p for p in prefixes(claim.firm) if p.startswith(("tokens", "users")))
        if claim.quantity in {"tokens", "users"}
        else ()
    )
    for fact in file.facts:
        if heads and fact.id.startswith(heads):
            hits = [v for v in file.facts.series(fact.id, file.as_of) if file.agrees(figure, v)]
            if hits:
                return "confirmed", f"{fact.about}: {format_count(hits[-1].number)} on {hits[-1].start}", (fact.id,)
    known = tuple(fact.id for fact in file.facts if heads and fact.id.startswith(heads))
    return "not_on_file", f"no such number of {lexicon.label_of(claim.quantity)} is on file", known[:3]


def rates(_file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of two rates: their change."""
    change = claim.derived["change"][0]
    return "not_on_file", f"the second rate is {100 * change:+.1f} % on the first; neither is on file", ()


def change(_file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a change of an amount, of which the level is not stated."""
    return "not_on_file", f"a change of {lexicon.label_of(claim.quantity)}, not its level", ()
