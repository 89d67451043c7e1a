"""Claims of an announcement, sentence by sentence: each knows what the sentences before it have settled."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence

from jevons.study.announcement import lexicon, money, prices, ratios
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.figure import Figure, moved
from jevons.study.announcement.figures import figures
from jevons.study.announcement.grid import Grid, head_of, in_unit
from jevons.study.announcement.local_currencies import local_currencies
from jevons.study.announcement.mentions import Mention, dominant, main_firm, mentions, own_topic, role_of
from jevons.study.announcement.reader import Context, Reader
from jevons.study.announcement.relative import dated
from jevons.study.announcement.text import Sentence

_RESULTS = re.compile(r"results|reported|earnings call|quarter ended|业绩|财报|季报|公布|实现营业收入")
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
    topic, analyst, alone = main, "", dominant(sentences, stated, main)
    local = local_currencies(sentences, main)
    reported: Figure | None = None
    head: Grid | None = None
    claims: list[Claim] = []
    silent = 0
    for sentence in sentences:
        named = mentions(sentence.plain, stated)
        now = own_topic(sentence.plain, named, main)
        speaker = lexicon.firm(now or topic)
        read = figures(sentence.plain, sentence.text, "" if speaker is None else speaker.currency, local)
        read = dated(read, sentence.plain, day, 12 if speaker is None else speaker.fiscal_end_month, year)
        reported = _reported(sentence, read, now or topic, main) or reported
        above, head = head, head_of(sentence, read, head)
        if head is not None and head is not above:
            read = [f for f in read if f.kind == "period"]
        read = in_unit(sentence, read, head, "" if speaker is None else speaker.currency)
        last = _goes_on(claims, sentence)
        context = Context(
            main=main, company=main if alone else topic or main, topic=topic, analyst=analyst,
            reported=_of_clause_before(last) or reported, stated=stated,
            last="" if last is None else last.quantity,
            price=last if last is not None and last.kind == "price" else None,
            priced=_priced(claims, sentence), spoken=_spoken(claims, sentence),
        )  # fmt: skip
        reader = Reader(sentence, read, named, context, head)
        of_sentence = [] if _LEGAL.search(sentence.plain) else list(_read(reader))
        for claim in of_sentence:
            _add(claims, claim)
        silent += not of_sentence
        analyst = next((m.firm for m in reversed(named) if role_of(m.firm) == "analyst"), analyst)
        spoken = reader.acting[0].firm if reader.acting and not named else topic
        topic = _next_topic(now, spoken, main, named, claimed=bool(of_sentence), asked=_is_heading(sentence))
    return claims, silent


def _goes_on(claims: Sequence[Claim], sentence: Sentence) -> Claim | None:
    """Return the last claim before a sentence that goes on after its semicolon; none elsewhere."""
    last = claims[-1] if claims else None
    beside = last is not None and last.sentence.end in range(sentence.start - 2, sentence.start + 1)
    return last if last is not None and beside and last.sentence.text.endswith((";", "；")) else None


def _of_clause_before(last: Claim | None) -> Figure | None:
    """Return the quarter or year of what was said before a semicolon, which the clause behind it goes on with."""
    period = None if last is None else last.named.get("period")
    if last is None or period is None or not re.match(r"(?:FY)?\d{4}(?:-[QH]\d|-\d+M)?$", period.label):
        return None
    return moved(period, last.sentence.start)


def _priced(claims: Sequence[Claim], sentence: Sentence) -> Claim | None:
    """Return the price of tokens that the sentence right before states last; none elsewhere."""
    last = claims[-1] if claims else None
    near = last is not None and sentence.start - last.sentence.end <= _NEXT_SENTENCE
    return last if last is not None and near and last.kind == "price" else None


def _spoken(claims: Sequence[Claim], sentence: Sentence) -> str:
    """Return the quantity of the amount that the sentence right before states last; empty elsewhere."""
    moneys = [c for c in claims if "amount" in c.named]
    near = moneys and sentence.start - moneys[-1].sentence.end <= _HEADING
    return moneys[-1].quantity if near else ""


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


def _reported(sentence: Sentence, read: Sequence[Figure], firm: str, main: str) -> Figure | None:
    """Return the quarter, or other part of a year, that a sentence reports results of."""
    kinds = (
        r"(?:FY)?\d{4}(?:-(?:Q\d|H\d|\d+M))?" if _ANNUAL.search(sentence.plain) else r"(?:FY)?\d{4}-(?:Q\d|H\d|\d+M)"
    )
    spans = [f for f in read if f.kind == "period" and re.fullmatch(kinds, f.label)]
    spans = [f for f in spans if not ahead(sentence, f)]
    if firm != main or len({f.label for f in spans}) != 1:
        return None
    money_or_results = _RESULTS.search(sentence.plain) or any(f.kind == "money" for f in read)
    return moved(spans[0], sentence.start) if money_or_results else None


def ahead(sentence: Sentence, span: Figure) -> bool:
    """Return whether a period is one to come."""
    return bool(
        re.search(
            r"(?:expect|guid|outlook|forecast|will|预计|指引|将于|拟于)[^,，;；。]{0,40}$", sentence.plain[: span.start]
        )
    ) or bool(re.search(r"^[^,，;；。]{0,20}(?:expect|guid|will |预计|将)", sentence.plain[span.end :]))


def _read(reader: Reader) -> Iterator[Claim]:
    """Yield the claims of a sentence; each figure goes to the first rule that takes it."""
    yield from money.calls(reader)
    yield from money.multiples(reader)
    yield from prices.prices(reader)
    yield from prices.unit_prices(reader)
    yield from money.clusters(reader)
    yield from money.more_devices(reader)
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
                if "period" not in claim.named or "period" in earlier.named:
                    return
    claims.append(claim)
