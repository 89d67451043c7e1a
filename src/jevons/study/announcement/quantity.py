"""Quantity of an amount: of the words beside it, or of the amount before that it goes on from."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.clauses import clause_before, clause_end, in_clauses
from jevons.study.announcement.cues import cue
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.figures import per_share
from jevons.study.announcement.margins import year_before
from jevons.study.announcement.reader import Reader
from jevons.study.announcement.wordless import bought, stated_noun
from jevons.study.announcement.words import MOST_A_SHARE

_LISTED = re.compile(r"(?:\s(?:to|for|with|from|at|in)\s[^,;，；]{2,30}?)?\s?(?:,|，|、|and|和|, and)\s?")
_OR = re.compile(r"\s?(?:or|即|合)\s?")
_EARNED = re.compile(r"earnings|profit|loss|earned|盈利|收益|盈余|亏损")
_SEGMENT = re.compile(
    r"(?:^|[.,;，；。]\s?)(?:(?:google|alibaba|阿里) ?)?(?:cloud|aws|云业务|云计算|云智能|云)\s?[:：]?\s?$"
)
"""A cloud's name alone before an amount, as notes on results have it."""
_SAME = re.compile(
    r"first time|record|milestone|the .{0,12}mark|首次|新高|大关|against|versus|compared with|missed|beat|topped|(?:above|below|over) (?:cons|the street|street)|ahead of|short of|in line with|接近|close to|对比|consensus|高于市场|低于市场"
)
_FROM_LEVEL = re.compile(
    r"\s?,?\s?(?:(?:up|down) )?from\s(?:a |about |around |just |some |nearly )*(?:(?:loss|profit) of )?"
)
"""Words between a level and the one that it came from."""
_NO_MONEY = frozenset(
    {"", "power", "accelerators", "pe", "ev_ebitda", "price_sales", "price_book", "interest_rate", "utilisation"}
)
"""What a clause may state that an amount behind its semicolon does not go on from."""


def unnamed(reader: Reader, figure: Figure, last: Claim | None) -> bool:
    """Return whether no word between the amount before and this one names a quantity."""
    since = last.named["amount"].end if last is not None and "amount" in last.named else 0
    generic = frozenset(lexicon.words("generic"))
    said = (start for start, _, _, word in reader.words if word not in generic)
    return last is not None and not any(since <= start < figure.start for start in said)


def quantity_of(reader: Reader, figure: Figure, last: Claim | None) -> str:
    """Return the quantity of an amount: of the words beside it, or of the amount before that it goes on from."""
    if figure.what:
        return figure.what
    if last is None and reader.context.spoken and _THAT_IS.fullmatch(reader.plain, 0, figure.start):
        return reader.context.spoken
    if (
        last is not None
        and "amount" in last.named
        and _IT_GOES.fullmatch(reader.plain, last.named["amount"].end, figure.start)
    ):
        return last.quantity
    if _EARNED_BEFORE.search(reader.plain[: figure.start]) and _ON_SALES.match(reader.plain, figure.end):
        return "net_income"
    deal = _PAID.search(reader.plain[: figure.start]), _FOR_IT.match(reader.plain, figure.end)
    if all(deal) and not cue("stake").precedes(reader.plain, figure):
        return "cost"
    if _SOLD.search(reader.plain[: figure.start]):
        return "disposal"
    if last is None and reader.context.spoken and _IT_HAD.fullmatch(reader.plain, 0, figure.start):
        return reader.context.spoken
    if (
        figure.low >= MOST_A_SHARE
        and cue("raised").precedes(reader.plain, figure)
        and not _named_behind(reader, figure)
    ):
        return bought(reader.plain, figure)
    quantity = reader.quantity(figure)
    clause = clause_before(reader.plain, figure.start)
    if not quantity and cue("announced").follows(reader.plain, figure):
        quantity = "capex"
    if quantity in {"", "capex"} and cue("compute_bought").follows(reader.plain, figure):
        return "contract"
    unsaid = unnamed(reader, figure, last)
    if last is not None and last.named.get("amount", figure).unit == figure.unit:
        follows = reader.beside(figure) or (unsaid and _SAME.search(clause))
        follows = follows or (
            "amount" in last.named
            and _FROM_LEVEL.fullmatch(reader.plain, last.named["amount"].end, figure.start) is not None
        )
        quantity = last.quantity if follows and last.kind in {"budget", "metric"} else quantity
    since = last.named["amount"].end if last is not None and "amount" in last.named else 0
    if (
        last is not None
        and year_before(reader.plain, figure)
        and _EARNED_AS.fullmatch(reader.plain[since : figure.start])
    ):
        return last.quantity
    if last is not None and since and _BUT_ONLY.fullmatch(reader.plain, since, figure.start):
        return last.quantity
    if figure.high < MOST_A_SHARE and _CLOSED_AT.search(clause):
        return "share_price"
    behind = [start for start, *_ in reader.words if figure.end <= start <= figure.end + 4]
    joined = any(not re.search(r"[,，;；]", reader.plain[figure.end : start]) for start in behind)
    dated = [f for f in reader.figures if f.kind == "period" and since <= f.start < figure.start]
    between = reader.plain[since : dated[0].start if len(dated) == 1 else figure.start]
    if unsaid and last is not None and not joined and _LISTED.fullmatch(between):
        quantity = last.quantity
    goes_on = last is None and reader.context.last not in _NO_MONEY and _says_little(reader, figure)
    if goes_on and not _own_word(reader, figure):
        quantity = reader.context.last
    or_a_share = last is not None and last.quantity == "net_income" and _OR.match(clause)
    earned = _EARNED.search(clause) or or_a_share
    if per_share(figure, reader.plain) and quantity in {"share_price", "net_income", ""} and earned:
        quantity = "eps"
    if quantity or per_share(figure, reader.plain):
        return quantity
    if last is None and reader.context.spoken and cue("only").before.search(clause) and not _has_word(reader, figure):
        return reader.context.spoken
    if _SEGMENT.search(reader.plain[: figure.start]):
        return "cloud_revenue"
    if _grew_to(reader, figure):
        return reader.of_cloud("revenue", figure)
    if last is not None and _THE_FIGURE.search(reader.plain[: figure.start]):
        return last.quantity
    whole = next((f for f in reader.figures if f.kind == "money" and f.start >= figure.end), None)
    if whole is not None and _PART_OF.fullmatch(reader.plain, figure.end, whole.start):
        return reader.quantity(whole)
    if figure.high >= MOST_A_SHARE and _GUIDE.search(reader.plain[: figure.start]):
        return "revenue"
    noun = bought(reader.plain, figure) or stated_noun(reader.plain, figure)
    return noun or (reader.context.asked if last is None or last.quantity == reader.context.asked else "")


_GUIDE = re.compile(r"(?<![a-z])(?:q[1-4]|[1-4]q\d*|quarter) guid(?:e|ance)(?: (?:is|was|of|at|to))? ?$")
"""What stands before the revenue of a quarter to come, as notes on results have it."""
_EARNED_BEFORE = re.compile(r"(?<![a-z])(?:earned|earns|netted|made) (?:about |around |just |only |a net )*$")
_ON_SALES = re.compile(r"\s(?:[a-z]+ ){0,3}?on (?:[a-z]+ )?(?:revenues?|sales|turnover)(?![a-z])")
"""What stands around what is earned: ``earned $220 million on revenue of``."""
_PAID = re.compile(r"(?<![a-z])(?:pay|pays|paid|paying) (?:about |around |roughly |some |up to |nearly )?$")
_FOR_IT = re.compile(
    r" (?:an? |per )?(?:day|week|month|quarter|year)?,? ?for (?!(?:\S+ ){0,3}(?:stakes?|shares?|stock|equity|interest|tax|taxes|dividends?)(?![a-z]))"
)
"""What stands around what something costs: ``pays $0.9 million a day for compute``."""
_SOLD = re.compile(
    r"(?<![a-z])(?:sold|sells?|selling|divested) (?:its|the|their|an?) (?!(?:[a-z-]+ ){0,4}(?:shares|stock|stake|tokens|gpus|chips)(?![a-z]))[^,;.\d]{3,40} for (?:about |around |some )?$"
)
"""What stands before the price of a part of the firm that is sold."""
_IT_HAD = re.compile(
    r"(?:(?:for|in) (?:the )?(?:fiscal |year )?(?:20\d\d|fy\d+),? )?(?:it|they|we|the (?:company|group|firm)) (?:recorded|booked|reported|made|posted|had|earned) (?:about |around |some )?"
)
"""What stands before an amount of what the sentence right before spoke of."""
_THAT_IS = re.compile(
    r"\s?(?:and |so |but )?(?:that|this|which) (?:is|was|means|makes|works out at|comes to|amounts to|equals)(?: [a-z]+){0,3}? ?"
    r"|(?:这|那)(?:就是|相当于|意味着|是)(?:每年)?(?:约|近)?"
)
"""What begins a sentence that tells the amount of the one before in another way."""
_IT_GOES = re.compile(
    r"[^;；。]*?,? (?:and|but|then|before) (?:then )?it (?:then )?(?:comes|goes|falls|rises|drops|steps|moves|eases|tapers)(?: (?:back|down|up))? to (?:maybe |perhaps |about |around |roughly |some |just )*"
)
"""What stands between an amount and the one of another year that the same goes to."""
_EARNED_AS = re.compile(r"[^;；。]*(?:亏损?|盈利|溢利|赚|loss|profit)(?: of)?[^;；。a-z\u4e00-\u9fff]*")
"""What stands between an income and that of the year before, which is told as a loss or a profit."""
_BUT_ONLY = re.compile(
    r",? (?:but|and instead|instead)(?: (?:now|only|just|rather|merely|about|around|roughly|some))* ?"
)
"""What stands between a level that no longer holds and the one that does."""
_CLOSED_AT = re.compile(
    r"(?<![a-z])(?:clos|end|finish|open|settl|trad)(?:ed|es|s|ing)?(?![a-z])[^,;]{0,40}?(?:(?<![a-z])(?:at|to)\s)$"
    r"|(?:after[- ]hours|pre-?market|late trading|盘后|盘前)[^,;]{0,12}?(?:(?<![a-z])at\s|报)$|(?:收报|收于|报收)(?:约)?$"
)
"""What stands before the price of a share that trades."""
_GREW_TO = re.compile(
    r"\s(?:then |also )?(?:grew|rose|jumped|climbed|surged|increased|fell|dropped|slipped|declined|grows|rises|was up|was down)"
    r" (?:by )?[\d.]+\s?(?:%|percent|per cent)(?: [a-z-]+){0,4} to (?:about |a record |nearly )?"
)
"""What stands between who sells something and its sales: ``AWS grew 20.2% to``."""
_THE_FIGURE = re.compile(
    r"(?:the|that) (?:[a-z-]+ )?(?:figure|number|total|sum|tally) (?:at|is|was|of|to|will be|would be) (?:about |roughly |around |some )?$"
)
"""Words that stand for the quantity spoken of last."""
_PART_OF = re.compile(r",? (?:or (?:about |some |roughly )?[\d.]+\s?%,? )?of (?:the |its |an? )?(?:total (?:of )?)?")
"""What stands between a part and the whole whose quantity it has."""


def _grew_to(reader: Reader, figure: Figure) -> bool:
    """Return whether a firm or its cloud is itself said to have grown to an amount, which its sales did."""
    near = [m for m in reader.mentions if m.end <= figure.start]
    return bool(near) and _GREW_TO.fullmatch(reader.plain, near[-1].end, figure.start) is not None


def _named_behind(reader: Reader, figure: Figure) -> bool:
    """Return whether a word names an amount's quantity behind it in its clause, before another amount."""
    end = min(
        [clause_end(reader.plain, figure.end), *(f.start for f in reader.left("money") if f.start > figure.start)]
    )
    return any(figure.end <= start < end for start, *_ in reader.words)


def _has_word(reader: Reader, figure: Figure) -> bool:
    """Return whether a word before an amount in its sentence names a quantity."""
    return any(end <= figure.start for _, end, *_ in reader.words)


def _says_little(reader: Reader, figure: Figure) -> bool:
    """Return whether what stands before an amount is little more than when and who: it goes on from the clause before."""
    lead = reader.plain[: figure.start]
    places = [(f.start, f.end) for f in reader.figures] + [(m.start, m.end) for m in reader.mentions]
    for start, end in sorted(places, reverse=True):
        if end <= figure.start:
            lead = f"{lead[:start]} {lead[end:]}"
    return len(re.findall(r"[a-z]+|[\u4e00-\u9fff]{2}", lead)) <= _LITTLE


_LITTLE = 5
"""Words before an amount, two characters counted as one, in a clause that only goes on."""


def _own_word(reader: Reader, figure: Figure) -> bool:
    """Return whether a word in the clause of a figure names a quantity."""
    for start, end, *_ in reader.words:
        first, last = min(end, figure.end), max(start, figure.start)
        if end <= figure.start or not in_clauses(reader.plain, first, last):
            return True
    return False
