"""Words for claims: what each is, of whom, its figures and its period, for tables and the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.patterns import MONIES
from jevons.units import format_count, format_money
from jevons.words import Sentence

_CAPITAL = re.compile(r"capital|capex|资本")
_DAILY = re.compile(r"日均|每日|每天|日调用|日处理|日消耗|日产出|单日|一天|/日|daily|a day|per day|/day")
_MONTHLY = re.compile(r"月均|每月|monthly|a month|per month|/month")
_FIXED = {
    "cluster": "accelerators", "interest_rate": "rate of interest",
    "target": "price target",
    "device_price": "price of an accelerator", "rates": "two rates", "calls": "calls times price",
    "superlative": "largest of all",
    "figure": "figure",
}  # fmt: skip
_LEADS = {"at_least": "at least ", "at_most": "up to ", "about": "about ", "within": "within "}
_HEADLINES = frozenset({"capex", "revenue", "cloud_revenue", "run_rate", "backlog", "contract", "equity", "net_income"})
"""Quantities that the answer can name in every language."""


def _invested(plain: str) -> bool:
    """Return whether a sentence itself speaks of investing or of a site, and not of capital expenditure."""
    if _CAPITAL.search(plain):
        return False
    table = lexicon.quantity_words()
    words = (re.sub(r"\s+", " ", match[0]) for match in lexicon.quantity_pattern().finditer(plain))
    return any(table[word] == "capex" for word in words) or bool(lexicon.pattern("sites").search(plain))


def _quantity_of(claim: Claim) -> str:
    if claim.quantity == "capex" and _invested(claim.sentence.plain):
        return "investment"
    return lexicon.label_of(claim.quantity)


def what_of(claim: Claim) -> str:
    """Return what a claim is, such as ``capital expenditure, planned`` or ``growth of revenue``."""
    text = _what(claim)
    return (
        f"{text}, {claim.status}"
        if claim.status and claim.kind not in {"target", "multiple"} and claim.quantity != "upside"
        else text
    )


def _what(claim: Claim) -> str:
    kind, quantity = claim.kind, _quantity_of(claim)
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "growth":
        return f"growth of {quantity}" if claim.quantity else "growth"
    if kind == "difference" and claim.quantity == "upside":
        return quantity
    if kind == "difference":
        return f"difference of {quantity} from others" if claim.quantity else "difference from others"
    if kind == "change":
        return f"change of {quantity}"
    if kind == "margin":
        return re.sub(r"^ebitd?a(?= )", lambda short: short[0].upper(), claim.quantity)
    if kind == "stake" or claim.quantity == "stake":
        return f"stake in {lexicon.firm_name(claim.other)}" if claim.other else "stake"
    if kind == "share":
        return _share(claim, quantity)
    if kind == "price":
        return f"price of {claim.quantity} tokens" if claim.quantity else "price of tokens"
    if kind == "rent":
        return f"rent an {claim.other}" if claim.other == "hour" else f"rent a {claim.other}"
    if kind == "comparison":
        return "comparison with the past" if claim.quantity == "past" else f"comparison of {quantity}"
    if kind == "power":
        return f"{claim.named['power'].what} power".strip()
    if kind == "count" and claim.quantity in {"tokens", "calls"}:
        plain = claim.sentence.plain
        return quantity + (" a day" if _DAILY.search(plain) else " a month" if _MONTHLY.search(plain) else "")
    return quantity


def _share(claim: Claim, quantity: str) -> str:
    base = claim.named["percent"].what.removeprefix("of_")
    if quantity.startswith("share of"):
        return quantity
    if lexicon.label_of(base) == quantity:
        base, quantity = "total", lexicon.label_of(claim.quantity)
    if base == "total" and claim.quantity != "share":
        return f"share of {quantity}"
    if base:
        return (
            f"{quantity} over {lexicon.label_of(base)}"
            if claim.quantity != "share"
            else f"share of {lexicon.label_of(base)}"
        )
    return "market share" if claim.quantity == "share" else quantity


def who_of(claim: Claim) -> str:
    """Return whose a claim is, with the firm that it is compared with or has a contract with."""
    own = lexicon.firm_name(claim.firm, "–")
    other = lexicon.firm_name(claim.other)
    if not other or claim.other == claim.firm:
        return own
    if claim.kind == "comparison":
        rivals = " and ".join(lexicon.firm_name(rival) for rival in claim.rivals) or other
        return f"{own} against {rivals}"
    if claim.kind == "target":
        return f"{own} on {other}"
    return f"{own} with {other}" if claim.kind == "metric" and claim.quantity != "stake" else own


def figures_of(claim: Claim) -> Iterator[str]:
    """Yield the figures of a claim, in words."""
    for name, figure in claim.named.items():
        if name in {"previous_period", "each"} and "period" not in name:
            yield "a year"
        elif name == "previous_period" or figure.kind == "date":
            continue
        elif name == "due":
            yield figure.label
        elif figure.kind == "period":
            yield period_text(figure)
        elif name == "previous":
            span = claim.named.get("previous_period")
            yield f"before: {figure_text(figure)}" + (f" {period_text(span)}" if span is not None else "")
        elif name in {"change", "further_change"} or (
            claim.kind in {"growth", "difference"} and figure.kind == "percent"
        ):
            yield change_text(figure)
        else:
            yield figure_text(figure)
    for name, (low, high, unit) in claim.derived.items():
        if name == "change":
            yield f"{100 * low:+.1f} %"
        elif name != "per_year" or "each" not in claim.named:
            yield f"{name.replace('_', ' ')}: {span_text(low, high, unit)}"


def span_text(low: float, high: float, unit: str) -> str:
    """Return a range of numbers with their unit, one number where both ends are alike."""
    first, last = (format_money(v, unit) if unit in MONIES else f"{v:g}" for v in (low, high))
    return first if low == high else f"{first} to {last}"


def change_text(figure: Figure) -> str:
    """Return a change with its direction: ``up 74 %``, ``down at least 50 %``, ``within 10 %``."""
    if figure.qualifier == "within":
        return figure_text(figure)
    sizes = sorted((abs(figure.low), abs(figure.high)))
    way = "down" if figure.middle < 0 else "up"
    if figure.kind != "percent":
        return f"{way} {_LEADS.get(figure.qualifier, '')}{span_text(sizes[0], sizes[1], figure.unit)}"
    size = f"{100 * sizes[0]:g}" if sizes[0] == sizes[1] else f"{100 * sizes[0]:g} to {100 * sizes[1]:g}"
    points = re.search(r"百分[点點]|point|pct|bps?|基点|基點", figure.text.lower())
    return f"{way} {_LEADS.get(figure.qualifier, '')}{size} {'points' if points else '%'}"


def figure_text(figure: Figure) -> str:
    """Return a figure in words, with its bound and unit."""
    lead = _LEADS.get(figure.qualifier, "")
    return lead + size_text(figure)


def size_text(figure: Figure) -> str:
    """Return a figure with its unit, without its bound."""
    low, high, exact = figure.low, figure.high, figure.low == figure.high
    if figure.kind == "percent":
        return f"{100 * low:g} %" if exact else f"{100 * low:g} to {100 * high:g} %"
    if figure.kind == "multiple":
        return f"{low:g} times earnings" if figure.what in {"", "pe"} else f"{low:g} times"
    if figure.kind == "price":
        return f"{low:g} {figure.unit}/Mtok" if exact else f"{low:g} to {high:g} {figure.unit}/Mtok"
    if figure.kind == "power":
        return f"{low / 1e6:,.4g} MW" if exact else f"{low / 1e6:,.4g} to {high / 1e6:,.4g} MW"
    if figure.unit in MONIES:
        return span_text(low, high, figure.unit)
    if figure.what in {"compute", "energy"}:
        return (
            f"{format_count(low)} {figure.unit}"
            if exact
            else f"{format_count(low)} to {format_count(high)} {figure.unit}"
        )
    counted = lexicon.label_of(figure.what) if figure.what in lexicon.words("counts") else figure.what
    word = counted or ("accelerators" if figure.kind == "devices" else "")
    number = format_count(low) if exact else f"{format_count(low)} to {format_count(high)}"
    return f"{number} {word}".rstrip()


def period_text(period: Figure) -> str:
    """Return a period in words."""
    label = period.label
    if label == "each":
        return "a year"
    if label in {"quarter", "year"}:
        return f"in the {label}"
    if label.startswith("to "):
        return f"until {label[3:]}"
    if label and label not in {"next", "past"}:
        return f"for {label}"
    return f"the past {_length(period)}" if label == "past" else f"over {_length(period)}"


def _length(period: Figure) -> str:
    if period.low < 1:
        return f"{12 * period.low:g} months"
    return (
        "year" if period.low == 1 and period.label == "past" else f"{period.low:g} year{'' if period.low == 1 else 's'}"
    )


def headline(claims: list[Claim], budget: Claim | None, firm: str) -> Sentence:
    """Return what the answer says first: the budget, else the first amount that the firm states."""
    chosen = budget
    if chosen is None:
        said = [c for c in claims if c.kind in {"budget", "metric"} and c.quantity in _HEADLINES and not c.denied]
        said = [c for c in said if c.status != "earlier"]
        said = [c for c in said if c.firm == firm] or said
        chosen = next((c for c in said if c.quantity == "capex"), said[0] if said else None)
    if chosen is None:
        return Sentence("read.no_budget")
    amount, period, before = chosen.named["amount"], chosen.named.get("period"), chosen.named.get("previous")
    yearly = chosen.derived.get("per_year")
    of = "investment" if _quantity_of(chosen) == "investment" else chosen.quantity
    return Sentence(
        "read.headline",
        {
            "what": Sentence(f"read.{of}"),
            "amount": _bounded(amount),
            "period": None if period is None else _when(period),
            "yearly": span_text(*yearly) if yearly is not None and "each" not in chosen.named else None,
            "before": None if before is None else _bounded(before),
            "before_period": None if "previous_period" not in chosen.named else _when(chosen.named["previous_period"]),
        },
    )


def _bounded(figure: Figure) -> Sentence | str:
    size: Sentence | str = size_text(figure)
    if figure.low != figure.high:
        ends = {"low": format_money(figure.low, figure.unit), "high": format_money(figure.high, figure.unit)}
        size = Sentence("read.range", ends)
    return Sentence(f"read.{figure.qualifier}", {"amount": size}) if figure.qualifier in _LEADS else size


def _when(period: Figure) -> Sentence:
    """Return a period of the answer."""
    quarter = re.fullmatch(r"(\d{4})-Q(\d)", period.label)
    if quarter:
        return Sentence("read.in_quarter", {"year": quarter[1], "quarter": quarter[2]})
    if re.fullmatch(r"\d{4}", period.label):
        return Sentence("read.in_year", {"year": period.label})
    if period.label.startswith("to "):
        return Sentence("read.until", {"year": period.label[3:]})
    if period.label == "each":
        return Sentence("read.each_year")
    if period.label in {"next", "past", ""}:
        name = "read.past_year" if period.label == "past" else "read.over_year"
        if period.low == 1:
            return Sentence(name)
        name += "s"
        return Sentence(name, {"years": f"{period.low:g}"})
    return Sentence("read.in_period", {"period": period.label})
