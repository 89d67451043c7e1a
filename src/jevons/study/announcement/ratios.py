"""Percentages that a sentence states: stakes, rates of interest, shares, margins, and growth with its sign."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.clauses import clause_after, clause_before, in_statements, statement_before
from jevons.study.announcement.cues import cue
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.margins import margins, year_before
from jevons.study.announcement.money import signed
from jevons.study.announcement.patterns import BOUNDS
from jevons.study.announcement.reader import Reader
from jevons.study.announcement.wordless import part_of, stated_noun

_GROWN = re.compile(
    r"year[- ]over[- ]year|year[- ]on[- ]year|yoy|y/y|quarter[- ]on[- ]quarter|quarter[- ]over[- ]quarter|qoq|q/q|同比|环比|按年|按季|年增|月增|季增|较上年"
    r"|(?:from|on) (?:last year|a year|the year|the prior|the previous)|(?:than|versus) a year"
)
_HOLDER = re.compile(r"\s?(?:owned |held )?by (?:the )?")
"""Words between a stake and who has it."""
_IDIOMS = re.compile(r"(?<![a-z])(?:made|makes?|making|put(?:ting)?|set|signed?|follow|start)(?:s|ed)? up(?![a-z])")
"""Verbs with ``up`` that say no direction."""
_HELD = re.compile(r"(?<![a-z])(?:own|held|hold|had|has|have|keep|retain|持有|持股|stake|股权|interest)")
_SHARE = re.compile(
    r"贡献了?|份额|占比|占|(?<![a-z])shares? of|market share|share (?:was|is|rose|fell|reached|of)|市占|accounts? for|accounted for|made up"
)
_BECAME = re.compile(
    r"\s?(?:进一步|大幅)?(?:加快|提升|提高|放缓|回升|上升|下降|升|降|增|减|扩大|收窄)?(?:至|到|to)\s?(?:about |约)?"
)
"""Words between a level and the one that it went to."""
_THAN_OTHERS = re.compile(
    r"\s?(?:below|above|under|beneath|cheaper than|less than|lower than|higher than|more than|faster than|better than|ahead of|short of|dearer than)\s"
    r"(?!(?:a|one|two|the|its|in|that of) (?:year|quarter|month|previous|prior|same|own|level|20\d\d)|(?:a|the) (?:year|quarter)|(?:last|this|previous) |20\d\d|expect)"
)
_FROM_OWN_PRICE = re.compile(
    r"\s?(?:above|below|over|under|higher than|lower than) (?:the |its |their |our |current |last |latest |closing |market |yesterday's |\w+day's )*"
    r"(?:clos(?:e|ing)|share price|stock price|price|level|offer)(?![a-z])"
    r"|\s?(?:的)?(?:potential |implied |further |of )*(?:upside|downside|上[涨行]空间|下[跌行]空间|潜在[涨升跌]幅)"
)
"""What stands behind how far an analyst's target lies from the share price."""
_THAN_OTHERS_ZH = re.compile(
    r"(?<![同环对占])(?:比|较)(?![一两二三四五六七八九十半\d]*年前|上季|上月|去年|上年|年初|同期|此前|之前|前|上|20\d\d|\d|其|原)[^,，]{1,10}?(?:便宜|低|高|贵|快|慢|少|多)(?:了|约|近|逾|出)*\s?$"
    r"|(?:低于|高于)(?!去年|上年|同期|20\d\d|此前|预期|公司)[^,，]{1,8}?(?:约|近)?\s?$"
)
"""Words by which something differs from that of others, at the same time."""
_OF_IT = re.compile(r"\s?of (?:it|this|that|them|which|the total)(?: (?:is|was|in|as|being|will be))? ?(?:the |new )?")
_OF_MARKET = re.compile(
    r"\s?of (?:the |its |all |global |world )?(?:[\w-]+ ){0,4}?(?:market|shipments|sales|revenues?|spending|demand|capacity|users|supply)(?![a-z])"
    r"|\s?的?(?:市场|份额|市占)"
)
"""What makes a percentage that a firm holds a share of a market, no stake."""
_LOSSES = {"net_income": "net_loss", "operating_income": "operating_loss", "part_income": "part_loss"}
"""What has grown where a loss has."""
_LOSS_WORD = re.compile(
    r"(?:亏损|(?<![a-z])(?:loss|losses|deficit)(?![a-z]))(?!.*(?:盈利|利润|溢利|profit|income|earnings))"
)
_RATIOS = frozenset({"utilisation", "leverage", "return_rate"})
"""Quantities that are percentages themselves."""


def margin_claims(reader: Reader) -> Iterator[Claim]:
    """Yield margins by their kind, and the change of one in points."""
    for kind, named in margins(
        reader.plain, reader.figures, [f for f in reader.left("percent") if not reader.is_tolerance(f)]
    ):
        first = min(named.values(), key=lambda f: f.start)
        if "change" in named:
            named["change"] = signed(named["change"], -1.0 if direction(reader, named["change"]) < 0 else 1.0)
        firm = reader.firm(first.start)
        if kind == "margin":
            kind = _margin_kind(reader, first)  # noqa: PLW2901
        yield reader.make("margin", firm, kind, named | reader.own_period(first, firm, "revenue"))


def _margin_kind(reader: Reader, figure: Figure) -> str:
    """Return the kind of a bare ``margin``: that of the income right before it."""
    kinds = {
        "operating_income": "operating",
        "cloud_income": "operating",
        "ebita": "ebita",
        "cloud_ebita": "ebita",
        "ebitda": "ebitda",
        "net_income": "net",
    }
    moneys = [f for f in reader.figures if f.kind == "money" and f.end <= figure.start]
    kind = kinds.get(reader.quantities.get(moneys[-1].start, "")) if moneys else None
    return f"{kind} margin" if kind else "margin"


def percents(reader: Reader) -> Iterator[Claim]:
    """Yield the percentages that no margin has taken."""
    figures = reader.left("percent")
    for place, figure in enumerate(figures):
        following = figures[place + 1] if place + 1 < len(figures) else None
        between = reader.plain[figure.end : following.start] if following is not None else ""
        if (
            following is not None
            and re.search(r"(?:from|由|从)\s?$", reader.plain[: figure.start])
            and _BECAME.fullmatch(between)
        ):
            reader.used.add(figure.start)
            claim = _percent(reader, following)
            if claim.kind == "figure" and (first := _percent(reader, figure)).kind in {"stake", "share"}:
                claim = replace(
                    first, named=first.named | {"percent": replace(following, what=first.named["percent"].what)}
                )
            yield replace(claim, named=claim.named | {"previous": figure})
        elif figure.start not in reader.used:
            yield _percent(reader, figure)


def _percent(reader: Reader, figure: Figure) -> Claim:
    """Return what a share or a factor is of: the first reading that its words allow."""
    for reading in (_level, _stake_or_ratio, _difference, _part, _growth, _ratio_by_word):
        claim = reading(reader, figure)
        if claim is not None:
            return claim
    firm = reader.firm(figure.start)
    _, whole = _part_and_whole(reader, figure)
    if whole:
        return _share(reader, figure, firm, whole)
    return reader.make("figure", firm, reader.quantity(figure), _named(reader, figure))


def _named(reader: Reader, figure: Figure) -> dict[str, Figure]:
    return {"percent": figure} | reader.period(figure)


def _part_and_whole(reader: Reader, figure: Figure) -> tuple[str, str]:
    return part_of(reader.plain, figure) if figure.what != "factor" else ("", "")


def _level(reader: Reader, figure: Figure) -> Claim | None:
    """Return a level that was before, or a growth told a second time in another measure."""
    firm, before = reader.firm(figure.start), clause_before(reader.plain, figure.start)
    former = _former_level(reader, figure, before)
    if former:
        return reader.make("share", firm, former, {"percent": figure} | reader.own_period(figure, firm, former))
    if _FROM.search(before):
        return reader.make("figure", firm, "", _named(reader, figure))
    same = _same_otherwise(reader, figure)
    if same is None:
        return None
    period = {"period": reader.spans[same.start]} if same.start in reader.spans else {}
    moved = signed(replace(figure, what="otherwise"), -1.0 if same.middle < 0 else 1.0)
    return reader.make("growth", firm, reader.quantities[same.start], {"percent": moved} | period)


def _stake_or_ratio(reader: Reader, figure: Figure) -> Claim | None:
    if figure.what == "factor":
        return None
    firm, before = reader.firm(figure.start), clause_before(reader.plain, figure.start)
    stake = _stake(reader, figure, before, firm)
    if stake is not None:
        return stake
    ratio = _ratio(reader, figure)
    if ratio:
        return reader.make("share", firm, ratio, _named(reader, figure))
    if cue("interest_rate").follows(reader.plain, figure) or cue("interest_rate").before.search(before):
        return reader.make("interest_rate", firm, "interest_rate", {"percent": figure} | _maturity(reader))
    return None


def _difference(reader: Reader, figure: Figure) -> Claim | None:
    """Return a bound of a growth, a distance from the own price, or one from what others have."""
    plain, firm = reader.plain, reader.firm(figure.start)
    before = clause_before(plain, figure.start)
    if cue("within").before.search(before):
        quantity = _grown(reader, figure)
        return reader.make("growth", firm, quantity, {"percent": replace(figure, qualifier="within")})
    if figure.what == "factor":
        return None
    falls = direction(reader, figure) < 0
    if _FROM_OWN_PRICE.match(plain, figure.end):
        below = re.match(r"\D{0,20}(?:below|under|lower|downside|下)", plain[figure.end :]) is not None
        return reader.make("difference", firm, "upside", {"percent": signed(figure, -1.0 if falls or below else 1.0)})
    if _THAN_OTHERS.match(plain, figure.end) or _THAN_OTHERS_ZH.search(before):
        sized = signed(figure, -1.0 if falls else 1.0)
        return reader.make("difference", firm, _grown(reader, figure), {"percent": sized})
    return None


def _part(reader: Reader, figure: Figure) -> Claim | None:
    """Return a part of a whole, of revenue, or of a market."""
    plain, firm = reader.plain, reader.firm(figure.start)
    before, sign = clause_before(plain, figure.start), direction(reader, figure)
    base = reader.share_base(figure) if figure.what != "factor" else ""
    if not base and not sign and cue("origin").follows(plain, figure):
        base = _grown(reader, figure)
    if figure.what == "of_revenue" or (base and not sign):
        return _share(reader, figure, firm, base)
    part, whole = _part_and_whole(reader, figure)
    if part and part != "市场":
        named = {"percent": replace(figure, what=f"of_{whole}")} | reader.own_period(figure, firm, part)
        return reader.make("share", firm, part, named)
    share = _SHARE.search(before[-40:]) or _SHARE.search(clause_after(plain, figure.end)[:20])
    if share and not lexicon.pattern("rise").search(plain[max(0, figure.start - 8) : figure.start]) and not (
        figure.what or _GROWN.search(before)
    ):  # fmt: skip
        return reader.make("share", firm, "share", _named(reader, figure))
    return None


_PACE = re.compile(
    r"(?:加速|提速|放缓|减速|加快)(?:增长)?(?:至|到)(?:约|近)?$"
    r"|(?<![a-z])(?:(?:re-?)?accelerat|slow|decelerat)(?:es|ed|ing|s)? (?:further |sharply |slightly )?to (?:about |around |roughly )?$"
)
"""What stands before a rate of growth that became faster or slower."""


def _growth(reader: Reader, figure: Figure) -> Claim | None:
    plain, firm = reader.plain, reader.firm(figure.start)
    before, sign = clause_before(plain, figure.start), direction(reader, figure)
    if not (
        sign
        or _PACE.search(before)
        or figure.what == "factor"
        or _GROWN.search(before + plain[figure.end : figure.end + 24])
    ):
        return None
    grown = _grown(reader, figure)
    if grown in _LOSSES and _LOSS_WORD.search(_own_clause(plain, figure)):
        grown = _LOSSES[grown]
    if _OTHERWISE.match(plain, figure.end) or _OTHERWISE_BEFORE.search(before):
        figure = replace(figure, what=figure.what or "otherwise")
    down = sign < 0 and not _PACE.search(before) and not (figure.what == "factor" and figure.low < 0)
    period = _period_of_level(reader, figure) or reader.own_period(figure, firm, grown)
    return reader.make("growth", firm, grown, {"percent": signed(figure, -1.0 if down else 1.0)} | period)


def _ratio_by_word(reader: Reader, figure: Figure) -> Claim | None:
    """Return a ratio that a word beside it names, or the one that the sentence told of another firm before."""
    firm = reader.firm(figure.start)
    ratio = reader.quantity(figure, _EVERY)
    if ratio in _RATIOS:
        return reader.make("share", firm, ratio, _named(reader, figure))
    earlier = [
        f for f in reader.figures if f.kind == "percent" and f.end <= figure.start and f.start in reader.quantities
    ]
    if earlier and any(
        m.end <= figure.start
        and m.firm == firm
        and re.fullmatch(r"(?:['’]s|的|约|为|\s)*", reader.plain[m.end : figure.start])
        for m in reader.mentions
    ):
        return reader.make("share", firm, reader.quantities[earlier[-1].start], _named(reader, figure))
    return None


_FROM = re.compile(r"(?:up|down|higher|lower) from (?:about |roughly |some |just |nearly )?$")
"""What stands before a level that was."""
_OTHERWISE = re.compile(
    r"\s?(?:(?:at|in|on) (?:a )?(?:constant|comparable|like)|ex[ -]|excluding|organic|like[- ]for[- ]like|constant[- ]curr|adjusted for|按固定|按可比|剔除|不计|撇除|可比口径|恒定)"
)
_OTHERWISE_BEFORE = re.compile(
    r"(?<![a-z])(?:organic|organically|underlying|like[- ]for[- ]like|comparable)(?![a-z])|剔除|撇除|不计|可比|固定汇率"
)
"""What says that a growth is measured in another way."""


def _same_otherwise(reader: Reader, figure: Figure) -> Figure | None:
    """Return the growth that a percentage in brackets right behind it states in another way: ``up 42% (45% organic)``."""
    lead = re.search(r"\s?[(（]([^)）\d]{0,24}?)[+]?$", reader.plain[: figure.start])
    if lead is None or not (_OTHERWISE.match(reader.plain, figure.end) or _OTHERWISE.match(lead[1])):
        return None
    before = (f for f in reader.grown if f.end == lead.start())
    return next(before, None)


def _ratio(reader: Reader, figure: Figure) -> str:
    """Return the quantity, a percentage itself, that the word right beside a figure names; empty without."""
    for start, end, key, _ in reader.words:
        if key in _RATIOS and (reader.is_of(end, figure) or re.fullmatch(r"\s?", reader.plain[figure.end : start])):
            return key
    lead = reader.plain[: figure.start]
    if _IN_USE.match(reader.plain, figure.end) or _BUSY.search(lead):
        return "utilisation"
    if _TAKEN.search(lead) and _OF_CAPACITY.match(reader.plain, figure.end):
        return "utilisation"
    return ""


_IN_USE = re.compile(
    r"\s?(?:(?:of (?:it|them|that|which|(?:the|its|our|their) (?:[\w-]+ ){0,2}?(?:capacity|space|power|fleet|gpus?)),? )?(?:is |was |are |were |already |now ){0,2}"
    r"(?:let|leased|pre-?leased|pre-?let|rented(?: out)?|occupied|in use)(?![a-z])|of the time(?![a-z]))"
)
"""What follows the part of a capacity that is in use: ``92% of it let``."""
_BUSY = re.compile(r"(?<![a-z])busy (?:for )?(?:about |some |around |more than |over )?$")
_TAKEN = re.compile(
    r"(?<![a-z])(?:signed|contracted|let|leased|booked|taken)(?: up)?(?: for)? (?:about |some |around |over )?$"
)
_OF_CAPACITY = re.compile(r"\s?of (?:the |its |our |their )?(?:[\w-]+ )?(?:capacity|space|power)(?![a-z])")
"""What stands around the part of a site that a tenant has signed for."""


def _own_clause(plain: str, figure: Figure) -> str:
    """Return the statement that a figure closes, from the last semicolon on."""
    return statement_before(plain, figure.start)


def _period_of_level(reader: Reader, figure: Figure) -> dict[str, Figure]:
    """Return the period of the level right before a growth, ``revenue was 2 bn in 2025, up 9 %``; none without."""
    earlier = [
        f for f in reader.figures if f.kind in {"money", "count"} and f.end <= figure.start and f.start in reader.spans
    ]
    if (
        figure.start in reader.cells
        or not earlier
        or reader.beside(earlier[-1])
        or year_before(reader.plain, earlier[-1])
        or any(earlier[-1].end <= start < figure.start for start, *_ in reader.words)
    ):
        return {}
    near = [
        f for f in reader.figures if f.kind == "period" and earlier[-1].end <= f.start and f.start not in reader.bound
    ]
    if in_statements(reader.plain, earlier[-1].end, figure.start) or any(f.label != "past" for f in near):
        return {}
    return {"period": reader.spans[earlier[-1].start]}


def _former_level(reader: Reader, figure: Figure, before: str) -> str:
    """Return the quantity of the share before a percentage that says what it was: ``35 % of revenue, down from 85 %``."""
    if not re.search(r"(?:from|由|从)\s?$", before):
        return ""
    earlier = [
        f for f in reader.figures if f.kind == "percent" and f.end <= figure.start and f.start in reader.quantities
    ]
    return reader.quantities[earlier[-1].start] if earlier else ""


_EVERY = frozenset({"money", "percent", "count", "devices", "power"})


def _maturity(reader: Reader) -> dict[str, Figure]:
    """Return the date by which debt is due, where the sentence has one."""
    due = [
        f
        for f in reader.figures
        if f.kind == "period" and reader.bound.get(f.start) == -1 and re.fullmatch(r"\d{4}", f.label)
    ]
    return {"due": replace(due[0], label=f"due {due[0].label}")} if due else {}


def _stake(reader: Reader, figure: Figure, before: str, firm: str) -> Claim | None:
    """Return the claim of a part of another firm: who holds it, and of whom."""
    plain = reader.plain
    of = next(
        (
            m
            for m in reader.mentions
            if re.fullmatch(r"\s?(?:stake in|interest in|of|in|的)\s?(?:the )?", plain[figure.end : m.start])
        ),
        None,
    )
    holder = _HOLDER.match(plain, figure.end)
    if holder and re.search(r"(?:owned|held) by", plain):
        by = next((m.firm for m in reader.mentions if m.start == holder.end()), "")
        if by:
            return reader.make("stake", by, "stake", {"percent": figure} | reader.period(figure))
    after = cue("stake").follows(plain, figure)
    held = cue("stake").before.search(before) or (of is not None and _HELD.search(before))
    bought = re.search(r"(?:for|换取|获得)\s?(?:about |roughly |a |约)?$", before) and any(
        f.kind == "money" and f.end <= figure.start for f in reader.figures
    )
    of_market = _OF_MARKET.match(plain, figure.end)
    if not (after or held or bought) or of_market or reader.share_base(figure):
        return None
    other = of.firm if of is not None and of.firm != firm else reader.party(figure.start, firm)
    return reader.make("stake", firm, "stake", {"percent": figure} | reader.period(figure), other=other)


def _share(reader: Reader, figure: Figure, firm: str, base: str) -> Claim:
    """Return the claim of one quantity as a share of another."""
    heads = [(start, key) for start, _, key, _ in reader.words if start < figure.start]
    moneys = [f for f in reader.figures if f.kind == "money" and f.end <= figure.start]
    near = (
        moneys and not in_statements(reader.plain, moneys[-1].end, figure.start) and figure.start - moneys[-1].end < 8
    )
    quantity = reader.quantities.get(moneys[-1].start, "") if near else ""
    own = [key for _, key in heads if key != (base or "revenue")]
    if (
        not quantity
        and (not base or "revenue" in base)
        and re.search(r"(?<![a-z])customers?(?![a-z])|客户", reader.plain[: figure.start])
    ):
        quantity = "customer"
    quantity = quantity or (own[-1] if own else "")
    behind = _OF_IT.match(reader.plain, figure.end)
    if behind:
        quantity = next((key for start, _, key, _ in reader.words if start == behind.end()), "")
    named = {"percent": replace(figure, what=f"of_{base or 'revenue'}")} | reader.own_period(figure, firm, quantity)
    return reader.make("share", firm, quantity or "share", named)


def direction(reader: Reader, figure: Figure) -> int:
    """Return whether a change goes up (1) or down (-1), by the word or sign nearest to it; 0 where nothing says so."""
    plain = reader.plain
    figure = reader.lists.first.get(figure.start, figure)
    before = [f for f in reader.figures if f.kind == "money" and f.end <= figure.start]
    if before and _OR.fullmatch(plain, before[-1].end, figure.start):
        figure = before[-1]
    if figure.start in reader.changes and not re.search(r"[-−–(（]\s?$", plain[: figure.start]):
        return 1
    if re.search(r"[-−–]\s?$", plain[max(0, figure.start - 2) : figure.start]) and not re.search(
        r"[\d%a-z]\s?[-–]\s?$", plain[: figure.start]
    ):
        return -1
    if plain[: figure.start].endswith("+"):
        return 1
    begin = max(
        [m.end() for m in re.finditer(r"[,，;；。:：(（]", plain[: figure.start])]
        + [
            f.end
            for f in reader.figures
            if f.kind in {"percent", "money", "count"}
            and f.end <= figure.start
            and "from" not in plain[f.end : figure.start]
        ],
        default=0,
    )
    lead = plain[max(begin, figure.start - 48) : figure.start]
    lead = _IDIOMS.sub("", lead)
    while bound := BOUNDS.search(lead):
        lead = lead[: bound.start()]
    if cue("level").before.search(lead):
        return -1 if re.search(r"降幅|跌幅", lead) else 1 if re.search(r"增速|增幅|增长率|growth", lead) else 0
    found = [(m.end(), -1) for m in lexicon.pattern("fall").finditer(lead)]
    found += [(m.end(), 1) for m in lexicon.pattern("rise").finditer(lead)]
    if cue("fall_noun").follows(plain, figure):
        return -1
    if cue("rise_noun").follows(plain, figure):
        return 1
    return max(found)[1] if found else 0


_OR = re.compile(r"[,，]?\s?(?:or|即|或)\s?(?:about |approximately |约)?")
"""Words between a change and the same in per cent."""
_IT = re.compile(
    r"(?:it|this|that|they|these|(?:the|this|that) (?:figure|number|total|share|sum))(?:['’]s| (?:has|have|had|is|was|will|should|could|may|rose|grew|fell|rises|grows|falls))? "
)
"""What the sentence before was about."""
_AT_NOUN = re.compile(r"(?<![a-z])(?:at|with) (?P<noun>[a-z-]{4,}) $")
"""A noun right before a percentage: ``at prices 30 % above``."""


_TO_LEVEL = re.compile(r"(?: [a-z-]+){0,4}? to (?:about |a record |nearly )?")
"""What stands between a growth and the level that it led to."""


def _no_nouns() -> frozenset[str]:
    """Return the words before a percentage that are no noun of their own."""
    return frozenset(
        {
            "least",
            "most",
            "about",
            "around",
            "roughly",
            "nearly",
            "some",
            "only",
            "over",
            "almost",
            *lexicon.words("rise"),
            *lexicon.words("fall"),
        }
    )


def _grown(reader: Reader, figure: Figure) -> str:
    """Return what a growth is of: of the figure before it, of the words of its clause, or of the growth before it."""
    plain = reader.plain
    figure = reader.lists.first.get(figure.start, figure)
    earlier = [
        f for f in reader.figures
        if f.kind in {"money", "count", "percent", "devices", "power"} and f.end <= figure.start and reader.quantities.get(f.start)
    ]  # fmt: skip
    last = earlier[-1] if earlier else None
    since = last.end if last is not None else 0
    own = [
        (start, key, word) for start, end, key, word in reader.words
        if since <= start and end <= figure.start and (start >= since)
    ]  # fmt: skip
    generic = frozenset(lexicon.words("generic")) - {
        "azure",
        "shares",
        "stock",
        "价格",
        "capacity",
        "算力",
        "profit",
        "profits",
        "loss",
        "losses",
        "利润",
        "power",
        "现金",
        "cash",
    }
    heads = {start: key for start, _, key, word in reader.words if word in generic}
    own = [(start, heads.get(start + len(word), key), word) for start, key, word in own if word not in generic]
    after = [
        key for start, _, key, word in reader.words
        if start >= figure.end and word not in generic and re.fullmatch(r"\s?(?:growth )?(?:in|of|to|的)\s(?:[\w']+\s){0,2}", plain[figure.end : start])
    ]  # fmt: skip
    if figure.what == "factor" and not own:
        after += [
            key for start, _, key, word in reader.words
            if start >= figure.end and word not in generic and re.fullmatch(r"\s(?:[\w']+[\s-]){0,3}", plain[figure.end : start])
        ]  # fmt: skip
    level = next((f for f in reader.figures if f.kind == "money" and f.start >= figure.end), None)
    if level is not None and not own and _TO_LEVEL.fullmatch(plain, figure.end, level.start):
        return reader.quantities.get(level.start, "")
    if own:
        beside = own[-1]
        return reader.of_cloud(beside[1], figure)
    if after:
        return reader.of_cloud(after[0], figure)
    at = _AT_NOUN.search(plain[: figure.start])
    if at and at["noun"] not in _no_nouns():
        return "market_price" if at["noun"] in {"price", "prices"} else at["noun"]
    if last is not None:
        return reader.quantities[last.start]
    if _IT.match(plain) and reader.context.subject:
        return reader.context.subject
    named = reader.of_cloud(reader.quantity(figure, _EVERY), figure)
    return named or stated_noun(plain, figure) or ("share_price" if _of_firm(reader, figure) else "")


_MOVES = re.compile(
    r"(?:['’]s)?\s?(?:昨晚|昨日|昨夜|今日|今天|今早|周[一二三四五]|盘[前中后]|盘后|一度|随后|应声|[,，(（][^)）]{0,8}[)）]|\s)*"
    r"(?:(?:[收暴大狂飙急再又]|股价)?[涨跌]|飙升|下挫|重挫|(?:closed|ended|finished|traded|opened|was|is|are|were) (?:up|down|higher by|lower by)|(?:has |had )?(?:jumped|fell|rose|slid|surged|dropped|tumbled|climbed|plunged|gained|lost|sank|soared|rallied|slipped))了?"
    r"\s?(?:by |as much as |more than |about |nearly |超过?|逾|近|约)?"
)
"""What stands between a firm and the percentage by which its shares moved."""


def _of_firm(reader: Reader, figure: Figure) -> bool:
    """Return whether a firm itself is said to have moved by a percentage, which its shares did."""
    near = [m for m in reader.mentions if m.end <= figure.start]
    return bool(near) and _MOVES.fullmatch(reader.plain, near[-1].end, figure.start) is not None
