"""Claims of an announcement, sentence by sentence: each knows what the sentences before it have settled."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence

from jevons.study.announcement import clusters, lexicon, money, prices, ratios
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.context import Context
from jevons.study.announcement.figure import Figure, moved
from jevons.study.announcement.figures import figures
from jevons.study.announcement.grid import Grid, head_of, in_unit
from jevons.study.announcement.local_currencies import home_currency, local_currencies
from jevons.study.announcement.margins import year_before
from jevons.study.announcement.mentions import Mention, dominant, main_firm, mentions, own_topic, role_of
from jevons.study.announcement.reader import Reader
from jevons.study.announcement.relative import dated
from jevons.study.announcement.text import Sentence

_RESULTS = re.compile(
    r"results|reported|(?<![a-z])(?:delivered|had|posted|produced) (?:a|an|another) (?:[a-z-]+ ){0,2}quarter(?![a-z])"
    r"|(?:earnings|quarter|results|conference|q[1-4]|[1-4]q)(?: (?:fy|fiscal )?\d{2,4})? (?:call|print|update)"
    r"|trading (?:update|statement|in the)|quarter ended"
    r"|业绩|财报|季报|公布|实现营业收入"
)
_ANNUAL = re.compile(
    r"年报|年度业绩|全年业绩|业绩快报|年度报告|full[- ]year (?:results|earnings)|annual (?:results|report)"
    r"|(?:results|report) for (?:the )?(?:full |fiscal |financial )?year|fy ?\d{2,4} results"
    r"|(?:fiscal|financial) year (?:20\d\d )?(?:results|ended)"
)
"""Words of results of a whole year."""
_LEGAL = re.compile(
    r"forward-looking statement|safe harbou?r|actual results (?:may|could) differ|securities exchange act"
    r"|前瞻性陈述|前瞻性声明|免责声明"
)
"""Words of the legal notice of a text, which claims nothing."""


def claims_of(
    sentences: Sequence[Sentence], stated: Mapping[str, str], day: dt.date | None, year: int | None
) -> tuple[list[Claim], int]:
    """Return the claims in their order, and how many sentences hold no figure and no comparison.

    *stated* are the firms that the text names and the word list lacks; *day* is that of the announcement, and *year*
    the one that it speaks of where it states no day.
    """
    main = main_firm(sentences, stated)
    topic, analyst, asked, alone = main, "", "", dominant(sentences, stated, main)
    local, home = local_currencies(sentences, main), home_currency(sentences)
    year_end = _YEAR_ENDS.get(home, 12)
    reported: Figure | None = None
    head: Grid | None = None
    claims: list[Claim] = []
    silent = 0
    for sentence in sentences:
        named = mentions(sentence.plain, stated)
        now = own_topic(sentence.plain, named, main)
        speaker = lexicon.firm(now or topic)
        listed = speaker is not None and speaker.key in lexicon.firms()
        currency = speaker.currency if speaker is not None and listed else home
        read = figures(sentence.plain, sentence.text, currency, local)
        read = dated(
            read, sentence.plain, day, speaker.fiscal_end_month if speaker is not None and listed else year_end, year,
            _of_clause_before(claims, _goes_on(claims, sentence)) or reported,
        )  # fmt: skip
        reported = _reported(sentence, read, now or topic, main, day) or reported
        above, head = head, head_of(sentence, read, head)
        is_head = head is not None and head is not above
        read = [f for f in read if f.kind == "period"] if is_head else in_unit(sentence, read, head, currency)
        last = _goes_on(claims, sentence)
        context = Context(
            main=main, company=main if alone else topic or main, topic=topic, analyst=analyst,
            reported=_of_clause_before(claims, last) or reported, stated=stated,
            last="" if last is None else last.quantity,
            price=last if last is not None and last.kind == "price" else None,
            priced=_stated_right_before(claims, sentence, "price"),
            rented=_stated_right_before(claims, sentence, "rent"), spoken=_spoken(claims, sentence), asked=asked,
            subject=_subject(claims, sentence), day=day, year_end=year_end,
        )  # fmt: skip
        reader = Reader(sentence, read, named, context, head)
        of_sentence = [] if _LEGAL.search(sentence.plain) else list(_read(reader))
        for claim in of_sentence:
            _add(claims, claim)
        silent += not of_sentence
        asked = _asked(reader, asked, claimed=bool(of_sentence))
        analyst = next((m.firm for m in reversed(named) if role_of(m.firm) == "analyst"), analyst)
        spoken = reader.acting[0].firm if reader.acting and not named else topic
        topic = _next_topic(now, spoken, main, named, claimed=bool(of_sentence), asked=_is_heading(sentence))
    return claims, silent


_YEAR_ENDS = {"INR": 3}
"""Month in which fiscal years end where nearly all firms of a currency have the same, other than December."""


def _goes_on(claims: Sequence[Claim], sentence: Sentence) -> Claim | None:
    """Return the last claim before a sentence that goes on after its semicolon; none elsewhere."""
    last = claims[-1] if claims else None
    beside = last is not None and last.sentence.end in range(sentence.start - 2, sentence.start + 1)
    if last is None or not beside or not last.sentence.text.endswith((";", "；")):
        return None
    return max((c for c in claims if c.sentence is last.sentence), key=_place)


def _place(claim: Claim) -> int:
    """Return where the first figure of a claim stands in its sentence, its periods aside."""
    return min((f.start for f in claim.named.values() if f.kind not in {"period", "date"}), default=0)


def _of_clause_before(claims: Sequence[Claim], last: Claim | None) -> Figure | None:
    """Return the quarter or year of what was said before a semicolon, which the clause behind it goes on with."""
    same = [
        c.named["period"]
        for c in claims
        if last is not None and c.sentence is last.sentence and "period" in c.named and not _is_former(c)
    ]
    period = same[-1] if same else None
    if last is None or period is None or not re.match(r"(?:FY)?\d{4}(?:-[QH]\d|-\d+M)?$", period.label):
        return None
    return moved(period, last.sentence.start)


def _is_former(claim: Claim) -> bool:
    """Return whether a claim is of a level that another is measured against."""
    first = min(
        claim.named.values(), key=lambda figure: figure.start if figure.kind != "period" else len(claim.sentence.plain)
    )
    return claim.status == "earlier" or year_before(claim.sentence.plain, first)


def _stated_right_before(claims: Sequence[Claim], sentence: Sentence, kind: str) -> Claim | None:
    """Return the price of tokens, or the rent, that the sentence right before states last; none elsewhere."""
    last = claims[-1] if claims else None
    near = last is not None and sentence.start - last.sentence.end <= _NEXT_SENTENCE
    return last if last is not None and near and last.kind == kind else None


def _spoken(claims: Sequence[Claim], sentence: Sentence) -> str:
    """Return the quantity of the amount that the sentence right before states last; empty elsewhere."""
    moneys = [c for c in claims if "amount" in c.named and not _is_part(c)]
    near = moneys and sentence.start - moneys[-1].sentence.end <= _HEADING
    return moneys[-1].quantity if near else ""


def _subject(claims: Sequence[Claim], sentence: Sentence) -> str:
    """Return the quantity of the first claim of the sentence right before; empty where it has none."""
    last = claims[-1].sentence if claims else None
    if last is None or sentence.start - last.end > _NEXT_SENTENCE:
        return ""
    return next(claim.quantity for claim in claims if claim.sentence is last)


def _is_part(claim: Claim) -> bool:
    """Return whether an amount is said to be a part of the one before it, which what follows does not go on from."""
    lead = claim.sentence.plain[: claim.named["amount"].start]
    return bool(re.search(r"(?:其中|(?<![a-z])(?:of which|including|of it))[^,，;；。]{0,16}$", lead))


def _asked(reader: Reader, before: str, *, claimed: bool) -> str:
    """Return the quantity that a question asks for, which stands for the answer's first amounts too."""
    plain = reader.sentence.plain.rstrip('"”』」 ')
    if plain.endswith(("?", "？")):
        return reader.words[-1][2] if reader.words else ""
    return "" if claimed else before


_NEXT_SENTENCE = 3
"""Characters between two sentences that follow each other."""


def _next_topic(now: str, before: str, main: str, named: Sequence[Mention], *, claimed: bool, asked: bool) -> str:
    """Return the firm that the next sentence goes on about: who acts here; the main firm after its partners."""
    if now:
        return now if claimed or now == main or asked else ""
    return main if named else before


def _is_heading(sentence: Sentence) -> bool:
    """Return whether a sentence is little more than a name: ``腾讯？``, ``Oracle:``."""
    return len(sentence.plain) <= _HEADING


_HEADING = 12
_MONTHS = r"\d{4}-\d\d to \d{4}-\d\d"
"""A run of months, as a period's label."""


def _reported(sentence: Sentence, read: Sequence[Figure], firm: str, main: str, day: dt.date | None) -> Figure | None:
    """Return the quarter, or other part of a year, that a sentence reports results of."""
    kinds = rf"(?:FY)?\d{{4}}(?:-(?:Q\d|H\d|\d+M))?|{_MONTHS}"
    spans = [f for f in read if f.kind == "period" and re.fullmatch(kinds, f.label)]
    spans = [f for f in spans if not ahead(sentence, f) and sentence.plain[f.start - 1 : f.start] not in {"(", "（"}]
    spans = [f for f in spans if not _PART_BEFORE.search(sentence.plain[: f.start])]
    if firm == main and not spans and day is not None and _ANNUAL.search(sentence.plain):
        return _year_ended(sentence, firm, day)
    labels = {f.label for f in spans}
    spans = [f for f in spans if not any(label.startswith(f"{f.label}-") for label in labels)]
    spans = [f for f in spans if not _ONE_QUARTER.match(sentence.plain, f.end)]
    spans = [f for f in spans if not _LEFT_BEHIND.search(sentence.plain[: f.start])]
    if firm != main or len({f.label for f in spans}) != 1 or _A_PART.match(sentence.plain):
        return None
    if re.fullmatch(r"(?:FY)?\d{4}", spans[0].label) and not _ANNUAL.search(sentence.plain):
        ended = day is not None and int(spans[0].label[-4:]) == day.year - 1
        return moved(spans[0], sentence.start) if ended and _RESULTS.search(sentence.plain) else None
    heading = sentence.start == 0 and len(read) == len(spans)
    money_or_results = heading or _RESULTS.search(sentence.plain) or any(f.kind in {"money", "power"} for f in read)
    return moved(spans[0], sentence.start) if money_or_results else None


_PART_BEFORE = re.compile(r"(?:其中|(?<![a-z])of which)[^,，;；。]{0,32}$")
"""What stands before the period of a part: ``sales of 412, of which 96 in the fourth quarter``."""
_ONE_QUARTER = re.compile(r"\s?(?:度|的)?单季|(?<=单季)|(?<=单季度)")
"""What follows, or ends, a quarter that is told beside the year it is of."""
_LEFT_BEHIND = re.compile(
    r"(?:由|从|较|比|自|(?<![a-z])(?:from|than|versus|vs\.?|against)(?: the| that of| [^,;\d]{0,12}\d[^,;]{0,16})?)\s?$"
)
"""What stands before a period that another is measured against."""
_A_PART = re.compile(r"\s?(?:其中|of which|of this|including)")
"""What begins a clause of a part of what was just said, whose quarter is not that of the results."""


def _year_ended(sentence: Sentence, firm: str, day: dt.date) -> Figure | None:
    """Return the year that had ended before results of a year that name none; a calendar year alone."""
    known = lexicon.firm(firm)
    if day.month > _RESULTS_MONTHS or (known is not None and known.fiscal_end_month != 12):
        return None
    place = sentence.start
    return Figure(kind="period", low=1.0, high=1.0, unit="y", start=place, end=place, text="", label=f"{day.year - 1}")


_RESULTS_MONTHS = 5
"""Months of a year in which results of the year before are told."""


def ahead(sentence: Sentence, span: Figure) -> bool:
    """Return whether a period is one to come."""
    return bool(
        re.search(
            r"(?:expect(?!ation)|guid|outlook|forecast|will|预计|指引|将于|拟于)[^,，;；。]{0,40}$",
            sentence.plain[: span.start],
        )
    ) or bool(
        re.search(r"^[^,，;；。]{0,20}(?:expect(?!ation)|guid|will |预计|将|指引|展望)", sentence.plain[span.end :])
    )


def _read(reader: Reader) -> Iterator[Claim]:
    """Yield the claims of a sentence; each figure goes to the first rule that takes it."""
    yield from money.calls(reader)
    yield from money.multiples(reader)
    yield from prices.prices(reader)
    yield from prices.unit_prices(reader)
    yield from clusters.clusters(reader)
    yield from clusters.more_devices(reader)
    yield from clusters.numbered_devices(reader)
    amounts = list(money.amounts(reader))
    yield from amounts
    yield from money.comparisons(reader, amounts)
    yield from money.powers(reader)
    yield from money.counts(reader)
    yield from ratios.margin_claims(reader)
    yield from ratios.percents(reader)
    yield from money.rest(reader)


def _add(claims: list[Claim], claim: Claim) -> None:
    """Add a claim, unless it repeats an earlier one's amount without saying more."""
    amount = claim.named.get("amount")
    if claim.kind in {"budget", "figure"} and amount is not None:
        for place, earlier in enumerate(claims):
            first = earlier.named.get("amount")
            same = first is not None and (first.low, first.high, first.unit) == (amount.low, amount.high, amount.unit)
            if same and earlier.kind in {"budget", "figure"} and (claim.firm in {earlier.firm, ""} or not earlier.firm):
                if "period" in claim.named and "period" not in earlier.named:
                    claims[place] = claim
                    return
                if "period" not in claim.named or claim.named["period"].label == earlier.named["period"].label:
                    return
    claims.append(claim)
