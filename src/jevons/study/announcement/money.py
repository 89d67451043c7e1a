"""Amounts that a sentence states, calls times price, multiples of earnings, accelerators, power, counts, comparisons."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.clauses import (
    clause_after,
    clause_before,
    in_statements,
    statement_before,
)
from jevons.study.announcement.cues import cue
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.figures import per_share
from jevons.study.announcement.margins import year_before
from jevons.study.announcement.mentions import mentions, role_of
from jevons.study.announcement.patterns import FACTOR, FORMER
from jevons.study.announcement.prices import RAISED
from jevons.study.announcement.quantity import quantity_of, unnamed
from jevons.study.announcement.reader import Reader
from jevons.units import CURRENCIES

_TIMES = re.compile(r"乘以|乘|×|\*|multiplied by|times(?! earnings| the earnings)| x ")
_CALL = re.compile(r"一次|每次|单次|每个?调用|per call|a call|each call|per request|per query|一次调用")
_ALSO = re.compile(
    r"\s?[(（,，]?\s?(?:or|about|around|roughly|approximately|equivalent to|equal to|which is|some"
    r"|约合?|折合|合|相当于|=|≈|~|\s)*\s?"
)
"""Words between an amount and the same in another currency."""
_CHANGE_AFTER = re.compile(r"\s(?:more|less|higher|lower|above|below)(?: than|\s?[.,;]|$)")
_MORE_THAN = re.compile(r"\s(?:more|less|higher|lower|above|below)(?: than)? (?:the |its |what )?[\w$€£¥₹]")
"""What follows an amount by which something differs from another level."""
_POWER_KIND = re.compile(r"active|contracted|connected")
_OF_OWN = re.compile(rf"\sof (?:its |new |annual )?(?:{lexicon.quantity_pattern().pattern})")
_MOVED_BY = re.compile(
    r"(?<![a-z])(?:rais|lift|increas|boost|hik|cut|lower|trim|reduc|slash)(?:e|es|ed|s|ting|ing)? [^,;.]{2,48} by (?:about |around |some |another |up to )*$"
)
"""What stands before an amount by which what a firm has is changed: ``lifted its forecast by``."""
_WENT_TO = re.compile(
    r"(?:大幅|进一步)?[升降增减提调下上扩缩]?[升降高低加少大窄]?(?:至|到)(?:约|近)?|\s?to\s(?:about )?"
)
"""Words between a level and the one that it went to."""
_TO = re.compile(r"(?:to|至|到)\s?(?:about |约)?$")


_OF_CUSTOMERS = re.compile(
    r"(?<![a-z])(?:customers?|clients?|users?|subscribers?|consumers?|households?|developers),?(?: (?:who|that|now|each|also|typically|already|on average))* (?:spend|spends|spent|pay|pays|paid|spending|paying)(?![a-z])[^,;]{0,24}$"
    r"|(?:客户|用户|消费者|开发者|商家)(?:每|平均|人均|现|现在|各|都|已)*(?:年|月)?(?:花费?|支出|付费|支付|投入|消费)[^,，;；]{0,8}$"
)
"""Those who spend, other than the firm itself."""
_COUNTED = frozenset({"headcount", "users", "calls", "tokens"})
_LARGE = 1e6


def calls(reader: Reader) -> Iterator[Claim]:
    """Yield calls times the price of one, with the product."""
    counts = [f for f in reader.left("count") if f.what == "calls"]
    prices = [f for f in reader.left("money") if f.high <= 1000]
    if not counts or not prices or not (_TIMES.search(reader.plain) or _CALL.search(reader.plain)):
        return
    count = max(counts, key=lambda f: f.high)
    price = min(prices, key=lambda f: abs(f.start - count.start))
    product = (price.low * count.low, price.high * count.high, price.unit)
    named = {"price_per_call": price, "calls": count} | reader.period(count)
    yield reader.make("calls", reader.firm(count.start), "spending on calls", named, derived={"spending": product})


def multiples(reader: Reader) -> Iterator[Claim]:
    """Yield multiples of earnings, with what a further change said leads to."""
    for figure in reader.left("multiple"):
        named = {"multiple": figure}
        changes = [f for f in reader.left("percent") if not f.what and f.start > figure.start]
        derived: dict[str, tuple[float, float, str]] = {}
        falls = lexicon.pattern("fall").search(reader.plain, figure.end)
        if changes and (falls or lexicon.pattern("rise").search(reader.plain, figure.end)):
            change = changes[0]
            sign = -1.0 if falls else 1.0
            implied = figure.middle * (1 + sign * change.middle)
            named["further_change"] = signed(change, sign)
            derived["implied_multiple"] = (implied, implied, "1")
        firm = reader.firm(figure.start)
        named |= reader.period(figure)
        yield reader.make("multiple", firm, figure.what or "pe", named, derived=derived)


def signed(figure: Figure, sign: float) -> Figure:
    """Return a figure with a sign: below zero its ends change places."""
    return figure if sign > 0 else replace(figure, low=-figure.high, high=-figure.low)


def amounts(reader: Reader) -> Iterator[Claim]:
    """Yield amounts of money that no price, rent or cluster has taken."""
    moneys = reader.left("money")
    previous = [
        f for f in moneys
        if FORMER.search(reader.plain[max(0, f.start - 50) : f.start]) and not reader.beside(f) and not year_before(reader.plain, f)
    ]  # fmt: skip
    moneys = _converted(reader, moneys)
    done: list[Claim] = []
    for figure in moneys:
        if figure.start in reader.used:
            continue  # how far the one before it may lie off
        if figure in previous and _measured(reader, figure, moneys) is not None:
            continue
        vague = figure.assumed and not re.search(r"[\d一二三四五六七八九两]", figure.text)
        if vague and figure.text in {"千亿", "百亿", "万亿", "千億", "百億", "萬億"}:
            reader.used.add(figure.start)
            continue
        claim = _amount(reader, figure, previous, moneys, done)
        _link(reader, done, claim, figure)
        done.append(_came_from(reader, done, claim))
    yield from done


def _link(reader: Reader, done: list[Claim], claim: Claim, figure: Figure) -> None:
    """Name a level of another period that an amount is measured against as what was before it."""
    if not (reader.beside(figure) and done):
        return
    last = done[-1]
    amount = last.named.get("amount")
    if amount is None or "previous" in last.named or (last.quantity, last.firm, amount.unit) != (
        claim.quantity, claim.firm, figure.unit,
    ):  # fmt: skip
        return
    named = last.named | {"previous": claim.named["amount"]}
    if "period" in claim.named:
        named["previous_period"] = claim.named["period"]
    done[-1] = replace(last, named=named)


def _came_from(reader: Reader, done: list[Claim], claim: Claim) -> Claim:
    """Return a claim with the level of another period that it went from, if that is the claim right before."""
    last = done[-1] if done else None
    old, new = (None if stated is None else stated.named.get("amount") for stated in (last, claim))
    if last is None or old is None or new is None or last.status != "earlier" or old.unit != new.unit:
        return claim
    if "previous" in claim.named or not _WENT_TO.fullmatch(reader.plain, old.end, new.start):
        return claim
    done.pop()
    before, span = {"previous": old}, last.named.get("period")
    if span is not None and span.label in {"", "next"} and "period" not in claim.named:
        before["period"] = span  # how long both levels are for
    elif span is not None:
        before["previous_period"] = span
    return replace(claim, quantity=claim.quantity or last.quantity, named=claim.named | before)


def _converted(reader: Reader, moneys: list[Figure]) -> list[Figure]:
    """Return the amounts without those that repeat one in another currency: ``SAR 37.5bn (USD 10bn)``."""
    kept = list(moneys)
    for first, second in itertools.pairwise(moneys):
        between = reader.plain[first.end : second.start]
        if first.unit == second.unit or not _ALSO.fullmatch(between) or first not in kept:
            continue
        known = first.unit in CURRENCIES or second.unit not in CURRENCIES
        dropped = second if known else first
        kept.remove(dropped)
        reader.used.add(dropped.start)
    return kept


_SUM = re.compile(r"(?<![a-z])(?:total|figure|number|sum|tally)(?![a-z])")
"""Words that stand for a quantity told before."""


def _is_loss(reader: Reader, figure: Figure, quantity: str) -> bool:
    """Return whether the word that names what is earned calls it a loss, in the clause of a level of it."""
    if quantity not in _EARNINGS or cue("change").precedes(reader.plain, figure):
        return False
    near = [
        (key, word) for _, end, key, word in reader.words
        if end <= figure.start and re.fullmatch(r"[^;；。]*", reader.plain[end : figure.start])
        and (figure.start - end <= _NEAR_LOSS or not re.search(r"[,，]", reader.plain[end : figure.start]))
    ]  # fmt: skip
    return bool(near) and near[-1][0] == quantity and bool(re.search(r"loss|lose|losing|used|亏", near[-1][1]))


_BETWEEN_LOSSES = re.compile(r"(?:\s|[,，、]|(?<![a-z])(?:and|in|for|during|of|the)(?![a-z])|和|及|与|以及)*")


def _next_of_list(reader: Reader, figure: Figure, last: Claim | None) -> bool:
    """Return whether nothing but a period and a list's mark stands between an amount and the one before it."""
    since = last.named["amount"].end if last is not None and "amount" in last.named else figure.start
    between = reader.plain[since : figure.start]
    for span in reversed(
        [f for f in reader.figures if f.kind == "period" and since <= f.start and f.end <= figure.start]
    ):
        between = between[: span.start - since] + between[span.end - since :]
    return since < figure.start and _BETWEEN_LOSSES.fullmatch(between) is not None


_NEAR_LOSS = 24
"""Characters that a word may stand before its amount with a comma between."""
_EARNINGS = frozenset({"net_income", "operating_income", "part_income", "ocf"})


def _amount(reader: Reader, figure: Figure, previous: list[Figure], moneys: list[Figure], done: list[Claim]) -> Claim:
    last = done[-1] if done else None
    olds = [f for f in previous if _measured(reader, f, moneys) is figure]
    figure, quantity = _with_sign(reader, figure, last, quantity_of(reader, figure, last))
    changed = _change(reader, figure, last, quantity)
    if changed is not None:
        return changed
    named = {"amount": figure}
    if olds:
        lost = figure.middle < 0 < olds[0].middle and not cue("profit").precedes(reader.plain, olds[0])
        named["previous"] = signed(olds[0], -1.0) if lost else olds[0]
    firm = "" if quantity == "market_size" else reader.firm(figure.start)
    period = reader.own_period(figure, firm, quantity)
    named |= period
    analysts = [m.firm for m in reader.mentions if role_of(m.firm) == "analyst"]
    if quantity == "share_price" and analysts:
        quantity = "target"
    if per_share(figure, reader.plain) and quantity in {"", "capex", "equity", "funding", "buyback", "market_value"}:
        quantity = "share_price"
    if quantity in {"capex", ""} and _OF_CUSTOMERS.search(reader.plain[: figure.start]):
        return reader.make("metric", firm, "customer_spending", named)
    if quantity == "capex" or (not quantity and not done and _is_lasting(reader, figure, period)):
        return _budget(reader, figure, firm, quantity or "capex", named)
    if quantity in {"target", "unit_value"}:
        of = reader.firm(figure.start)
        named = {"amount": figure} | ({"previous": named["previous"]} if "previous" in named else {})
        analyst = analysts[0] if analysts else reader.context.analyst or of
        return reader.make("target", analyst, quantity, named, other=of)
    if (
        quantity == "market_value"
        and not re.search(r"(?:which|valuing the|valuing it|at a valuation)[^,，]*$", reader.plain[: figure.start])
        and re.search(r"stake|interest|\d\s?%\s?of|股权|持股", reader.plain[: figure.start])
    ):
        return reader.make("metric", firm, "stake", named, other=reader.party(figure.start, firm))
    party = (
        reader.party(figure.start, firm)
        if quantity in {"contract", "commitments", "joint_venture", "stake", "equity"}
        else ""
    )
    return reader.make("metric" if quantity else "figure", firm, quantity, named, other=party)


def _with_sign(reader: Reader, figure: Figure, last: Claim | None, quantity: str) -> tuple[Figure, str]:
    """Return an amount and its quantity, below zero where its words, or the list that it stands in, tell of a loss."""
    if (
        last is not None
        and quantity == last.quantity
        and unnamed(reader, figure, last)
        and last.named.get("amount", figure).middle < 0
        and (year_before(reader.plain, figure) or reader.beside(figure) or _next_of_list(reader, figure, last))
        and not cue("profit").precedes(reader.plain, figure)
    ):
        figure = signed(figure, -1.0)
    elif (
        figure.middle > 0
        and (
            cue("loss").precedes(reader.plain, reader.lists.first.get(figure.start, figure))
            or _is_loss(reader, figure, quantity)
        )
        and quantity not in {"capex", "contract", "notes", "debt", "deficit"}
    ):
        quantity = quantity or "net_income"
        figure = signed(figure, -1.0)
    return figure, quantity


def _change(reader: Reader, figure: Figure, last: Claim | None, quantity: str) -> Claim | None:
    """Return the change of a level that an amount is; None where it is a level itself."""
    change = cue("change").precedes(reader.plain, figure) and not _TO.search(reader.plain[: figure.start])
    change = change and not _OF_OWN.match(reader.plain, figure.end)
    moved = last is not None and (change or _CHANGE_AFTER.match(reader.plain, figure.end)) and not reader.beside(figure)
    by = cue("change_by").precedes(reader.plain, figure) or _MORE_THAN.match(reader.plain, figure.end)
    if quantity and _MOVED_BY.search(reader.plain[: figure.start]):
        firm = reader.firm(figure.start)
        period = reader.own_period(figure, firm, quantity)
        return reader.make("change", firm, quantity, {"change": figure} | period)
    if not (moved or (last is None and quantity and by)):
        return None
    firm = reader.firm(figure.start)
    before = last or reader.make("metric", firm, quantity, {"amount": figure})
    alike = before.firm == firm and before.named.get("amount", figure).unit == figure.unit
    same = before.quantity if alike else quantity
    period = {name: one for name, one in before.named.items() if name == "period"}
    period = period or reader.own_period(figure, firm, same)
    return reader.make("change", firm, same or quantity, {"change": figure} | period)


def _is_lasting(reader: Reader, figure: Figure, period: Mapping[str, Figure]) -> bool:
    """Return whether an amount is of several years or of the next one, and no sum of what was told."""
    if "period" not in period or _SUM.search(statement_before(reader.plain, figure.start)):
        return False
    return period["period"].low > 1 or period["period"].label == "next"


def _measured(reader: Reader, old: Figure, moneys: list[Figure]) -> Figure | None:
    """Return the amount that a former level belongs to: the one it went to, else the one before it."""
    if not re.search(r"[(（](?:was|原)\D{0,8}$", reader.plain[: old.start]) and not any(
        pattern.search(reader.plain) for pattern in (RAISED, FACTOR, lexicon.pattern("rise"), lexicon.pattern("fall"))
    ):
        return None
    same = [f for f in moneys if f is not old and f.unit == old.unit]
    following = [
        f
        for f in same
        if f.start >= old.end
        and re.fullmatch(
            r"[^,，;；。]{0,24}(?:to|至|到)\s?(?:between |about |more than |at least |over |nearly |as much as |up to |约|超过|逾|近)?",
            reader.plain[old.end : f.start],
        )
    ]
    earlier = [f for f in same if f.end <= old.start and not in_statements(reader.plain, f.end, old.start)]
    if following:
        return following[0]
    return earlier[-1] if earlier else next((f for f in same if f.start >= old.end), None)


def _budget(reader: Reader, figure: Figure, firm: str, quantity: str, named: dict[str, Figure]) -> Claim:
    years = named["period"].low if "period" in named else 0.0
    derived: dict[str, tuple[float, float, str]] = {}
    if "each" in named and years > 1:
        derived["total"] = (figure.low * years, figure.high * years, figure.unit)
        derived["per_year"] = (figure.low, figure.high, figure.unit)
    elif years > 1:
        derived["per_year"] = (figure.low / years, figure.high / years, figure.unit)
    return reader.make("budget", firm, quantity, named, derived=derived)


def comparisons(reader: Reader, money: list[Claim]) -> Iterator[Claim]:
    """Yield what is said to be more than in the past, than another firm, or than all else."""
    for match in lexicon.pattern("exceed").finditer(reader.plain):
        begin = match.end() - (match[0].endswith("过") and reader.plain.startswith("去", match.end()))
        rest = reader.plain[begin : begin + 60]
        clause = clause_after(rest, 0)
        before = [c for c in money if min(f.start for f in c.named.values()) < match.start()] or money
        base = {k: v for c in before[:1] for k, v in c.named.items() if k in {"amount", "period"}}
        firm = before[0].firm if before else reader.firm(match.start())
        past = lexicon.pattern("past").search(clause) or next(
            (m for pattern in lexicon.words("past_years") if (m := re.search(pattern, clause))), None
        )
        if past:
            spans = [f for f in reader.figures if f.kind == "period" and f.label == "past" and f.end > begin]
            named = base | ({"past": spans[0]} if spans else {})
            reader.used.update(f.start for f in spans)
            yield reader.make("comparison", firm, "past", named, other=firm)
            continue
        near = [m for m in mentions(clause, reader.context.stated) if m.firm != firm and role_of(m.firm) == "firm"]
        if near and near[0].start <= 16 and not re.match(r"\s?[$\d]", clause):
            together = re.search(r"combined|together|put together|之和|总和|合计|加起来", clause)
            rivals = tuple(dict.fromkeys(m.firm for m in near)) if together else ()
            quantity = before[0].quantity if before else _compared_quantity(reader, match.start())
            yield reader.make("comparison", firm, quantity or "capex", base, other=near[0].firm, rivals=rivals)
    largest = lexicon.pattern("largest").search(reader.plain)
    if largest and money and "amount" in money[0].named and re.search(
        r"invest|投资|plan|计划|project|规模|spend|纪录", reader.plain
    ):  # fmt: skip
        yield reader.make("superlative", money[0].firm, "capex", {"amount": money[0].named["amount"]})


def _compared_quantity(reader: Reader, at: int) -> str:
    """Return what a comparison without an amount is of: the quantity named before it, or a share."""
    if re.search(r"份额|占比|市占|share of", reader.plain[:at]):
        return "share"
    words = [key for _, end, key, _ in reader.words if end <= at]
    return words[-1] if words else "ai_capacity" if "compute" in reader.plain[:at] else ""


def powers(reader: Reader) -> Iterator[Claim]:
    """Yield electric power."""
    for figure in reader.left("power"):
        kind = _POWER_KIND.search(clause_after(reader.plain, figure.end)[:24].split(" and ")[0])
        kind = kind or _POWER_KIND.search(clause_before(reader.plain, figure.start).split(" and ")[-1])
        named = {"power": replace(figure, what=kind[0] if kind else "")} | reader.period(figure)
        yield reader.make("power", reader.firm(figure.start), "power", named)


def counts(reader: Reader) -> Iterator[Claim]:
    """Yield things that are counted; two rates of two spans are one claim with their change."""
    found = [f for f in reader.left("count") if f.what]
    for what in dict.fromkeys(f.what for f in found):
        same = [f for f in found if f.what == what]
        spans = [f for f in reader.figures if f.kind == "period" and re.fullmatch(r"\d{4}-\d{4}", f.label)]
        yearly = any(f.label == "each" for f in reader.figures)
        if len(same) == 2 and len(spans) == 2 and yearly:
            first, second = same
            change = second.middle / first.middle - 1 if first.middle else 0.0
            named = {"first": first, "second": second, "first_period": spans[0], "second_period": spans[1]}
            yield reader.make("rates", "", what, named, derived={"change": (change, change, "1")})
            continue
        for figure in same:
            named = {"count": figure} | reader.period(figure)
            yield reader.make("count", reader.firm(figure.start), what, named)
            after = [f for f in reader.left("count") if not f.what and re.fullmatch(
                r"[^,，;；。]{0,24}[,，]\s?(?:after|following|up from|down from|高于|此前为|compared with)\s", reader.plain[figure.end : f.start]
            )]  # fmt: skip
            for other in after[:1]:
                yield reader.make("count", reader.firm(other.start), what, {"count": other} | reader.period(other))


def rest(reader: Reader) -> Iterator[Claim]:
    """Yield figures that no rule reads."""
    for figure in reader.left("count"):
        headed = reader.quantity(figure, frozenset({"count", "money", "percent"})) if figure.high >= 100 else ""
        if headed in _COUNTED:
            yield reader.make("count", reader.firm(figure.start), headed, {"count": figure} | reader.period(figure))
        elif figure.high >= _LARGE and reader.context.last in _COUNTED:
            named = {"count": figure} | reader.period(figure)
            yield reader.make("count", reader.firm(figure.start), reader.context.last, named)
        elif figure.high >= 10 or "." in figure.text:
            yield reader.make("figure", reader.firm(figure.start), "", {"figure": figure})
