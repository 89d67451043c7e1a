"""Claims of an announcement: which figures belong together, of which firm, for which period, and what they state."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.figures import Figure, figures, per_share
from jevons.study.announcement.margins import margins, year_before
from jevons.study.announcement.mentions import Mention, compared, main_firm, mentions, role_of
from jevons.study.announcement.patterns import FORMER
from jevons.study.announcement.quarters import with_years
from jevons.study.announcement.text import Sentence
from jevons.units import CURRENCIES

VERDICTS = ("confirmed", "contradicted", "unlike", "not_on_file", "unread")

_RAISED = re.compile(
    r"(?:up|down) from|rais|lift|increas|upgrad|hik|upped|cut|lower|上调|提高|提升|升至|调高|上修|下调"
)
_OTHER_KIND = re.compile(
    r"[^。.;；]{0,12}?(output|input|输出|输入)(?:\s?tokens?)?(?:价格?|为|降至|is|at|for|costs?|\s){0,3}\s?"
)
_PER_MILLION = re.compile(r"百万\s?个?\s?(?:输入|输出)?\s?tok|(?:million|1m|/m)\s?(?:input\s|output\s)?tok")
_TIMES = re.compile(r"乘以|乘|×|\*|multiplied by|times(?! earnings| the earnings)| x ")
_CALL = re.compile(r"一次|每次|单次|每个?调用|per call|a call|each call|per request|per query|一次调用")
_CLOUD = re.compile(r"阿里云|alibaba cloud|aliyun|google cloud|(?<![a-z])aws(?![a-z])")
_DENIED = re.compile(
    r"(?:no (?:plans?|intention|need)|not plan(?:ning)?|den(?:y|ies|ied|ying)|rul(?:e|es|ed) out|dismiss(?:es|ed)?|"
    r"reject(?:s|ed)?|(?:has|have|had|did|does|do|will|would|is|are) not|won't|didn't|hasn't|never|scrap(?:s|ped)|"
    r"cancel(?:s|ed|led)|abandon(?:s|ed)?|否认|没有计划|无计划|暂无|无意|不会|不打算|并未|从未|尚未|不再|取消了?|放弃了?|辟谣)"
    r"(?!\s?(?:be\s)?(?:exceed|more than|less than|over |above|below|under|cut|reduc|lower|chang|only"
    r"|超过|低于|高于|少于|削减|下调|改变|仅))"
)
"""Words after which a clause says what is not so; bounds, and cuts that will not come, are none."""
_WORTH = re.compile(r"\s?(?:投资的?|的|worth of|of|on|for|购买|用于购买|采购)\s?$")
_GROWN = re.compile(
    r"(?:more|higher|less|lower) than|year[- ]over[- ]year|year[- ]on[- ]year|yoy|同比|环比|年增|月增|季增|较上年"
)
_GPU_HOUR = re.compile(r"gpu[- ]?hours?|gpu per hour|accelerator[- ]hours?|card[- ]hours?|卡时|卡/小时|每卡每小时")
_ALSO = re.compile(
    r"\s?[(（,，]?\s?(?:or|about|around|roughly|approximately|equivalent to|equal to|which is|some"
    r"|约合?|折合|合|相当于|=|≈|~|\s)*\s?"
)
"""Words between an amount and the same in another currency."""
_STOCK = re.compile(r"(?:the|its) (?:shares?|stock)|该股|其股|股价|股份")
_SHARE = re.compile(r"份额|占比|占|share|市占")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an announcement states.

    Parameters
    ----------
    kind : str
        ``budget``, ``metric``, ``comparison``, ``superlative``, ``cluster``, ``calls``, ``multiple``, ``price``,
        ``growth``, ``share``, ``margin``, ``target``, ``power``, ``count``, ``rates`` or ``figure``.
    firm : str
        Key of the firm spoken of; empty where none is.
    quantity : str
        What is measured, as the lexicon names it.
    sentence : Sentence
        Where it stands.
    named : mapping of str to Figure
        The figures by what they are: ``amount``, ``period``, ``devices``, ``price`` and others.
    derived : mapping of str to tuple
        Numbers that follow from them: low, high, unit.
    other : str
        Firm of a comparison.
    denied : bool
        Whether the text says that it is not so.
    """

    kind: str
    firm: str
    quantity: str
    sentence: Sentence
    named: dict[str, Figure]
    derived: dict[str, tuple[float, float, str]] = field(default_factory=dict)
    other: str = ""
    denied: bool = False
    verdict: str = ""
    reason: str = ""
    facts: tuple[str, ...] = ()


def claims_of(sentences: Sequence[Sentence], stated: Mapping[str, str], day: dt.date | None) -> tuple[list[Claim], int]:
    """Return the claims in their order, and how many sentences hold no figure and no comparison.

    *stated* are the firms that the text names and the word list lacks; *day* is that of the announcement.
    """
    main = main_firm(sentences, stated)
    before = main
    claims: list[Claim] = []
    silent = 0
    for sentence in sentences:
        named = mentions(sentence.plain, stated)
        own = [
            m.firm for m in named if role_of(m.firm) in {"firm", "country"} and not compared(sentence.plain, named, m)
        ]
        speaker = lexicon.firm(own[0] if own else before)
        currency = speaker.currency if speaker is not None else ""
        ends = speaker.fiscal_end_month if speaker is not None else 12
        read = with_years(figures(sentence.plain, sentence.text, currency), day, ends)
        reader = _Reader(sentence, read, named, before or main, main, stated)
        of_sentence = list(reader.claims())
        for claim in of_sentence:
            _add(claims, claim)
        silent += not of_sentence
        if own:
            before = own[0]
    return claims, silent


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


class _Reader:
    """Takes the figures of one sentence apart into claims; each figure belongs to one."""

    def __init__(
        self, sentence: Sentence, figures: list[Figure], named: list[Mention], before: str, main: str,
        stated: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.sentence, self.plain, self.stated = sentence, sentence.plain, stated
        self.figures, self.mentions, self.before = figures, named, before
        self.used: set[int] = set()
        pronoun = re.search(
            r"the company|the firm|(?<![a-z])(?:it|its|they|we|our)(?![a-z])|公司|我们|集团|其|该", sentence.plain
        )
        self.carried = before if pronoun or before == main or not main else ""

    def claims(self) -> Iterator[Claim]:
        """Yield the claims of the sentence."""
        yield from self._calls()
        yield from self._multiple()
        yield from self._prices()
        yield from self._unit_prices()
        yield from self._clusters()
        money = list(self._money())
        yield from money
        yield from self._comparisons(money)
        yield from self._powers()
        yield from self._rates()
        yield from self._margins()
        yield from self._percents()
        yield from self._rest()

    def _left(self, *kinds: str) -> list[Figure]:
        return [f for f in self.figures if f.kind in kinds and f.start not in self.used]

    def _make(self, kind: str, firm: str, quantity: str, named: dict[str, Figure], **more: object) -> Claim:
        self.used.update(figure.start for name, figure in named.items() if name not in {"period", "date"})
        named = {name: self._calendar(figure, firm) for name, figure in named.items()}
        claim = Claim(
            kind=kind, firm=firm, quantity=quantity, sentence=self.sentence, named=named, denied=self._denied(named)
        )
        return replace(claim, **more)  # type: ignore[arg-type]

    def _denied(self, named: dict[str, Figure]) -> bool:
        """Return whether the clause before the first figure says that it is not so."""
        first = min((f.start for name, f in named.items() if name not in {"period", "date"}), default=0)
        clause = re.split(r"[,，;；。]|\bbut\b|但", self.plain[:first])[-1]
        return bool(_DENIED.search(clause))

    def _calendar(self, figure: Figure, firm: str) -> Figure:
        """Return a period with a quarter of a firm's fiscal year as that of the calendar."""
        match = re.fullmatch(r"FY(\d{4})-Q([1-4])", figure.label) if figure.kind == "period" else None
        if match is None:
            return figure
        known = lexicon.firm(firm or self.before)
        last = (known.fiscal_end_month if known is not None else 12) + 3 * (int(match[2]) - 4)
        year = int(match[1]) + (last - 1) // 12
        month = (last - 1) % 12 + 1
        return replace(figure, label=f"{year}-Q{(month + 2) // 3}")

    def _firm(self, at: int, roles: frozenset[str] = frozenset({"firm", "country"})) -> str:
        usable = [m for m in self.mentions if role_of(m.firm) in roles and not compared(self.plain, self.mentions, m)]
        before = [m for m in self.mentions if m.start < at and role_of(m.firm) in roles]
        if before and compared(self.plain, self.mentions, before[-1]) and at - before[-1].start < 40:
            return before[-1].firm
        behind = [m for m in usable if m.start < at]
        others = [m.start() for m in lexicon.pattern("others").finditer(self.plain, 0, at)]
        if others and others[-1] > (behind[-1].start if behind else -1):
            return ""
        if behind:
            return behind[-1].firm
        if not usable:
            makers = [m for m in self.mentions if role_of(m.firm) == "supplier" and m.start < at]
            if (
                makers
                and "firm" in roles
                and not re.match(
                    r".{0,24}(?:gpu|chip|card|h\d00|卡|芯片)", self.plain[makers[-1].start : makers[-1].start + 30]
                )
            ):
                return makers[-1].firm
        return usable[0].firm if usable else self.carried

    def _period(self, at: int) -> dict[str, Figure]:
        """Return the period nearest to a place, and the date of the sentence where there is one."""
        exceed = lexicon.pattern("exceed")
        spans = [
            f for f in self.figures
            if f.kind == "period" and f.label != "past"
            and not (re.match(r"\d|FY", f.label) and f.start > at and exceed.search(self.plain, at, f.start))
        ]  # fmt: skip
        spans = [f for f in spans if not self._of_next_clause(f, at)]
        result: dict[str, Figure] = {}
        dates = [f for f in self.figures if f.kind == "date"]
        if dates:
            beside = min(self._distance(f, at) for f in dates)
            spans = [f for f in spans if self._distance(f, at) <= beside or not self._apart(f, at)]
        if spans:
            result["period"] = min(spans, key=lambda f: self._distance(f, at))
        each = [f for f in spans if f.label == "each"]
        lasting = [f for f in spans if f.label != "each" and (f.low != 1 or f.label == "next")]
        if each and lasting:
            result |= {"each": each[0], "period": lasting[0]}
        if dates:
            result["date"] = min(dates, key=lambda f: abs(f.start - at))
        return result

    def _year_before(self, figure: Figure, period: dict[str, Figure]) -> dict[str, Figure]:
        """Return the period of an amount, a year back where the text says ``a year earlier``; without a year, none."""
        if not year_before(self.plain, figure):
            return period
        kept = {name: found for name, found in period.items() if name == "date"}
        whole = period.get("period")
        if whole is not None and re.match(r"(?:FY)?\d{4}(?:-[QH]\d)?$", whole.label):
            kept["period"] = replace(whole, label=re.sub(r"\d{4}", lambda m: str(int(m[0]) - 1), whole.label))
        return kept

    def _own_period(self, figure: Figure, firm: str) -> dict[str, Figure]:
        """Return the period of an amount; that of a firm compared with is not what stands before its name."""
        period = self._period(figure.start)
        rivals = [m.start for m in self.mentions if m.firm == firm and compared(self.plain, self.mentions, m)]
        if rivals and "period" in period and period["period"].start < max(rivals) <= figure.start:
            del period["period"]
        return period

    def _of_next_clause(self, span: Figure, at: int) -> bool:
        """Return whether a dated period opens a later clause with a figure of its own, after one that holds at *at*."""
        if span.start < at or not re.match(r"\d", span.label) or not self._apart(span, at):
            return False
        earlier = any(f.kind == "period" and f.start < at and re.match(r"\d|FY", f.label) for f in self.figures)
        return earlier and any(f.start > span.start and f.kind in {"money", "percent"} for f in self.figures)

    def _apart(self, figure: Figure, at: int) -> bool:
        """Return whether a figure stands in another clause."""
        first, last = sorted((figure.start, at))
        return bool(re.search(r"[,，;；]", self.plain[first:last]))

    def _distance(self, figure: Figure, at: int) -> float:
        first, last = sorted((figure.start, at))
        crossed = len(re.findall(r"[,，;；]", self.plain[first:last]))
        unsaid = 8 if figure.label == "" else 0
        return last - first + 8 * crossed + unsaid

    def _calls(self) -> Iterator[Claim]:
        counts = [f for f in self._left("count") if f.what == "calls"]
        moneys = [f for f in self._left("money") if f.high <= 1000]
        if not counts or not moneys or not (_TIMES.search(self.plain) or _CALL.search(self.plain)):
            return
        count = max(counts, key=lambda f: f.high)
        price = min(moneys, key=lambda f: abs(f.start - count.start))
        product = (price.low * count.low, price.high * count.high, price.unit)
        named = {"price_per_call": price, "calls": count} | self._period(count.start)
        yield self._make("calls", "", "spending on calls", named, derived={"spending": product})

    def _multiple(self) -> Iterator[Claim]:
        for figure in self._left("multiple"):
            named = {"multiple": figure}
            changes = [f for f in self._left("percent") if not f.what and f.start > figure.start]
            derived: dict[str, tuple[float, float, str]] = {}
            falls = lexicon.pattern("fall").search(self.plain, figure.end)
            if changes and (falls or lexicon.pattern("rise").search(self.plain, figure.end)):
                change = changes[0]
                sign = -1.0 if falls else 1.0
                named["further_change"] = change
                implied = figure.middle * (1 + sign * change.middle)
                derived["implied_multiple"] = (implied, implied, "1")
            named |= self._period(figure.start)
            firm = self._firm(figure.start) or (self.before if _STOCK.search(self.plain) else "")
            yield self._make("multiple", firm, "price over earnings", named, derived=derived)

    def _prices(self) -> Iterator[Claim]:
        olds = [f for f in self._left("price") if FORMER.search(self.plain[max(0, f.start - 50) : f.start])]
        olds = olds if _RAISED.search(self.plain) and len(olds) < len(self._left("price")) else []
        for figure in self._left("price"):
            if figure in olds:
                continue
            behind = [f for f in olds if f.unit == figure.unit and figure.end <= f.start]
            pair = [f for f in self._left("money") if re.fullmatch(r"\s?/\s?", self.plain[f.end : figure.start])]
            if pair:
                first = replace(pair[0], kind="price")
                named = {"price": first} | self._dated()
                yield self._make("price", self._firm(first.start), "input", named, other=self._model(first.start))
                named = {"price": figure} | self._dated()
                yield self._make("price", self._firm(figure.start), "output", named, other=self._model(figure.start))
                continue
            model = self._model(figure.start)
            kind = self._price_kind(figure)
            named = {"price": figure} | ({"previous": behind[0]} if behind else {}) | self._dated()
            yield self._make("price", self._firm(figure.start), kind, named, other=model)
            yield from self._second_price(figure, model)

    def _second_price(self, first: Figure, model: str) -> Iterator[Claim]:
        """Yield the second price of ``input 0.8 yuan per million tokens, output 3.2 yuan``: of as many tokens."""
        for money in self._left("money"):
            between = self.plain[first.end : money.start]
            kind = _OTHER_KIND.fullmatch(between) if money.start >= first.end else None
            if kind is None or money.unit != first.unit or not _PER_MILLION.search(self.plain[: first.end + 16]):
                continue
            named = {"price": replace(money, kind="price")} | self._dated()
            quantity = "input" if kind[1] in {"input", "输入"} else "output"
            yield self._make("price", self._firm(money.start), quantity, named, other=model)

    def _dated(self) -> dict[str, Figure]:
        dates = [f for f in self.figures if f.kind == "date"]
        return {"date": dates[0]} if dates else {}

    def _model(self, at: int) -> str:
        pattern, table = lexicon.named("price_models")
        listed, prefixes = lexicon.listed_models()
        places = [(m.start(), m.end(), table[re.sub(r"\s+", " ", m[0])]) for m in pattern.finditer(self.plain)]
        for match in listed.finditer(self.plain):
            name = re.sub(r"[-_. ]", "", match[0])
            inside = [one for one in places if one[0] < match.end() and match.start() < one[1]]
            if name in prefixes and all(match.end() - match.start() > one[1] - one[0] for one in inside):
                places = [one for one in places if one not in inside] + [(match.start(), match.end(), prefixes[name])]
        behind = [one for one in sorted(places) if one[0] < at]
        return behind[-1][2] if behind else min(places)[2] if places else ""

    def _price_kind(self, figure: Figure) -> str:
        for kind in ("cached", "input", "output"):
            if lexicon.words_pattern(lexicon.words("price_kinds")[kind]).search(self.plain, figure.start, figure.end):
                inside = self.plain[figure.end : figure.end + 24]
                if kind != "input" or not re.match(r"\s?[(（]", inside):
                    return kind
        following = min((f.start for f in self.figures if f.start >= figure.end), default=len(self.plain))
        bracket = re.search(r"[(（]([^)）]*)[)）]", self.plain[figure.end : min(following, figure.end + 48)])
        if bracket:
            for kind in ("cached", "input", "output"):
                if lexicon.words_pattern(lexicon.words("price_kinds")[kind]).search(bracket[1]):
                    return kind
        best: tuple[float, str] = (60.0, "")
        for kind, words in lexicon.words("price_kinds").items():
            for match in lexicon.words_pattern(words).finditer(self.plain):
                gap: float = (
                    figure.start - match.end() if match.end() <= figure.start else match.start() - figure.end + 4
                )
                between = self.plain[min(match.end(), figure.end) : max(match.start(), figure.start)]
                gap += 25 * len(re.findall(r"[,，;；/、]| and ", between)) - 0.1 * len(match[0])
                if match.start() >= figure.end and re.search(r"[,，;；、(（]", between):
                    gap += 10
                if gap < best[0]:
                    best = (gap, kind)
        return best[1]

    def _unit_prices(self) -> Iterator[Claim]:
        """Yield prices of an accelerator and rents: money of that size beside a device's name."""
        pattern, table = lexicon.named("devices")
        device = pattern.search(self.plain)
        if device is None and not _GPU_HOUR.search(self.plain):
            return
        name = "" if device is None else table[device[0].removesuffix("x") if device[0] not in table else device[0]]
        hourly, monthly = (lexicon.pattern(one).search(self.plain) for one in ("hourly", "monthly"))
        for figure in self._left("money"):
            if (hourly and figure.high < (500 if name else 5000)) or (monthly and figure.high < 1e6):
                per = "hour" if hourly else "month"
                yield self._make("rent", "", name, {"rent": figure} | self._dated(), other=per)
            elif name and figure.low >= 1e3 and figure.high < 1e7 and lexicon.pattern("costs").search(self.plain):
                yield self._make("device_price", "", name, {"price": figure} | self._dated())

    def _clusters(self) -> Iterator[Claim]:
        for figure in self._left("devices"):
            named = {"devices": figure}
            behind = self.plain[max(0, figure.start - 14) : figure.start]
            joined = [
                f for f in self._left("money")
                if f.end <= figure.start and figure.start - f.end <= 12
                and _WORTH.match(self.plain[f.end : figure.start])
            ]  # fmt: skip
            if joined:
                named["amount"] = joined[-1]
            if FORMER.search(behind) and _RAISED.search(self.plain):
                named = {"previous": figure}
            yield self._make("cluster", self._firm(figure.start), "accelerators", named | self._period(figure.start))

    def _money(self) -> Iterator[Claim]:
        moneys = self._left("money")
        previous = [f for f in moneys if FORMER.search(self.plain[max(0, f.start - 50) : f.start])]
        moneys = self._converted(moneys)
        for figure in moneys:
            if figure in previous and len(moneys) > 1 and _RAISED.search(self.plain):
                continue
            vague = figure.assumed and not re.search(r"[\d一二三四五六七八九两]", figure.text)
            if vague and figure.text in {"千亿", "百亿", "万亿", "千億", "百億", "萬億"}:
                self.used.add(figure.start)
                continue
            yield self._amount(figure, previous, moneys)

    def _converted(self, moneys: list[Figure]) -> list[Figure]:
        """Return the amounts without those that repeat one in another currency: ``SAR 37.5bn (USD 10bn)``."""
        kept = list(moneys)
        for first, second in itertools.pairwise(moneys):
            between = self.plain[first.end : second.start]
            if first.unit == second.unit or not _ALSO.fullmatch(between) or first not in kept:
                continue
            known = first.unit in CURRENCIES or second.unit not in CURRENCIES
            dropped = second if known else first
            kept.remove(dropped)
            self.used.add(dropped.start)
        return kept

    def _amount(self, figure: Figure, previous: list[Figure], moneys: list[Figure]) -> Claim:
        quantity = self._quantity(figure)
        if quantity == "revenue" and _CLOUD.search(self.plain):
            quantity = "cloud_revenue"
        named = {"amount": figure}
        olds = [f for f in previous if f is not figure and _RAISED.search(self.plain) and f.unit == figure.unit]
        if olds and len(moneys) <= 2 * len(olds):
            named["previous"] = min(olds, key=lambda f: abs(f.start - figure.start))
        firm = self._firm(figure.start)
        period = self._year_before(figure, self._own_period(figure, firm))
        named |= period
        derived: dict[str, tuple[float, float, str]] = {}
        analysts = [m.firm for m in self.mentions if role_of(m.firm) == "analyst"]
        if quantity == "share_price" and analysts:
            quantity = "target"
        if per_share(figure, self.plain) and quantity in {"", "capex"}:
            quantity = "share_price"
        if quantity in {"", "capex"} and (quantity or "period" in period):
            years = period["period"].low if "period" in period else 0.0
            if "each" in named and years > 1:
                derived["total"] = (figure.low * years, figure.high * years, figure.unit)
                derived["per_year"] = (figure.low, figure.high, figure.unit)
            elif years > 1:
                derived["per_year"] = (figure.low / years, figure.high / years, figure.unit)
            return self._make("budget", firm, quantity or "capex", named, derived=derived)
        if quantity in {"target", "unit_value"}:
            firm = analysts[0] if analysts else firm
            return self._make("target", firm, quantity, named, other=self._firm(figure.start))
        return self._make("metric" if quantity else "figure", firm, quantity, named)

    def _quantity(self, figure: Figure) -> str:
        best: tuple[float, str] = (140.0, "")
        generic = frozenset(lexicon.words("generic"))
        table = lexicon.quantity_words()
        for match in lexicon.quantity_pattern().finditer(self.plain):
            if match.end() <= figure.start:
                gap, between = float(figure.start - match.end()), self.plain[match.end() : figure.start]
            elif match.start() >= figure.end:
                gap, between = 1.3 * (match.start() - figure.end) + 4, self.plain[figure.end : match.start()]
            else:
                continue
            gap += 10 if match[0] in generic else 0
            gap += 14 * len(re.findall(r"[,，;；、]| while | and ", between)) - 0.5 * len(match[0])
            gap += 15 * sum(
                1
                for f in self.figures
                if f is not figure and f.kind == "money" and match.end() <= f.start < figure.start
            )
            if gap < best[0]:
                best = (gap, table[re.sub(r"\s+", " ", match[0])])
        return best[1]

    def _comparisons(self, money: list[Claim]) -> Iterator[Claim]:
        for match in lexicon.pattern("exceed").finditer(self.plain):
            begin = match.end() - (match[0].endswith("过") and self.plain.startswith("去", match.end()))
            rest = self.plain[begin : begin + 60]
            clause = re.split(r"[,，;；。]", rest)[0]
            base = {k: v for c in money[:1] for k, v in c.named.items() if k in {"amount", "period"}}
            firm = money[0].firm if money else self._firm(match.start())
            past = lexicon.pattern("past").search(clause) or next(
                (m for pattern in lexicon.words("past_years") if (m := re.search(pattern, clause))), None
            )
            if past:
                spans = [f for f in self.figures if f.kind == "period" and f.label == "past" and f.end > begin]
                named = base | ({"past": spans[0]} if spans else {})
                self.used.update(f.start for f in spans)
                yield self._make("comparison", firm, "past", named, other=firm)
                continue
            near = [
                m
                for m in mentions(clause, self.stated)
                if m.firm != firm and role_of(m.firm) == "firm" and m.start <= 16
            ]
            if near and not re.match(r"\s?[$\d]", clause):
                yield self._make("comparison", firm, "capex", base, other=near[0].firm)
        largest = lexicon.pattern("largest").search(self.plain)
        if largest and money and re.search(r"invest|投资|plan|计划|project|规模|spend|纪录", self.plain):
            yield self._make("superlative", money[0].firm, "capex", {"amount": money[0].named["amount"]})

    def _powers(self) -> Iterator[Claim]:
        for figure in self._left("power"):
            yield self._make("power", self._firm(figure.start), "power", {"power": figure} | self._period(figure.start))

    def _rates(self) -> Iterator[Claim]:
        counts = [f for f in self._left("count") if f.what]
        for what in dict.fromkeys(f.what for f in counts):
            same = [f for f in counts if f.what == what]
            spans = [f for f in self.figures if f.kind == "period" and re.fullmatch(r"\d{4}-\d{4}", f.label)]
            yearly = any(f.label == "each" for f in self.figures)
            if len(same) == 2 and len(spans) == 2 and yearly:
                first, second = same
                change = second.middle / first.middle - 1 if first.middle else 0.0
                named = {"first": first, "second": second, "first_period": spans[0], "second_period": spans[1]}
                yield self._make("rates", "", what, named, derived={"change": (change, change, "1")})
                continue
            for figure in same:
                yield self._make(
                    "count", self._firm(figure.start), what, {"count": figure} | self._period(figure.start)
                )

    def _margins(self) -> Iterator[Claim]:
        for kind, named in margins(self.plain, self.figures, self._left("percent")):
            first = min(named.values(), key=lambda f: f.start)
            yield self._make("margin", self._firm(first.start), kind, named | self._period(first.start))

    def _percents(self) -> Iterator[Claim]:
        for figure in self._left("percent"):
            behind = re.split(r"[,，;；]", self.plain[figure.end : figure.end + 20])[0]
            lead = self.plain[max(0, figure.start - 40) : figure.end] + behind
            quantity = self._grown_money(figure) or self._quantity(figure)
            if figure.what == "of_revenue" or (
                _SHARE.search(lead)
                and not lexicon.pattern("rise").search(self.plain[max(0, figure.start - 8) : figure.start])
            ):
                kind = "share"
            elif (
                figure.what == "factor"
                or _GROWN.search(lead)
                or lexicon.pattern("rise").search(lead)
                or lexicon.pattern("fall").search(lead)
            ):
                kind = "growth"
            else:
                kind = "figure"
            yield self._make(kind, self._firm(figure.start), quantity, {"percent": figure} | self._period(figure.start))

    def _grown_money(self, figure: Figure) -> str:
        """Return the quantity of the amount right before a growth, ``revenue was 32.9 bn, up 29 %``; empty without."""
        amounts = [f for f in self.figures if f.kind == "money" and f.end <= figure.start]
        if not amounts:
            return ""
        between = self.plain[amounts[-1].end : figure.start]
        if lexicon.quantity_pattern().search(between) or re.search(r"[;；。]", between):
            return ""
        grows = (
            _GROWN.search(between) or lexicon.pattern("rise").search(between) or lexicon.pattern("fall").search(between)
        )
        quantity = self._quantity(amounts[-1]) if grows else ""
        return "cloud_revenue" if quantity == "revenue" and _CLOUD.search(self.plain) else quantity

    def _rest(self) -> Iterator[Claim]:
        for figure in self._left("count"):
            if figure.high >= 10 or "." in figure.text:
                yield self._make("figure", "", "", {"figure": figure})
