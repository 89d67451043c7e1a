"""Periods that a text names by its own day or by their last day: this fiscal year, the quarter, the quarter ended June 30."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jevons.study.announcement.figure import Figure
from jevons.study.announcement.found import Span
from jevons.study.announcement.numerals import value_of
from jevons.study.announcement.patterns import EN_MONTHS, MONTHS, PLANNED

_ENDED = re.compile(
    rf"(?P<span>quarter|three months|six months|half[- ]year|nine months|fiscal year|full year|year|twelve months)s? (?:(?:results|report|accounts|period) )?(?:(?:that )?(?:ended|ending)|to(?= \d)) (?:on )?"
    rf"(?:(?P<d1>\d{{1,2}}) (?P<m1>{EN_MONTHS})|(?P<m2>{EN_MONTHS})\.? (?P<d2>\d{{1,2}})),? (?P<y>20\d\d)"
    r"|截至(?P<yz>20\d\d)年(?P<mz>\d{1,2})月(?P<dz>\d{1,2})日止?的?(?P<spanz>三个月|季度|六个月|半年度?|九个月|年度|财年|财政年度|十二个月)"
)
_AND_YEAR = re.compile(r",? (?:and|with|against|versus) (20\d\d)(?!\d)")
"""The same span of another year: ``the three months ended June 30, 2025 and 2024``."""
_ENDED_UNDATED = re.compile(
    rf"(?P<span>quarter|three months|six months|nine months|year|twelve months) (?:that )?(?:ended|ending) (?:on )?"
    rf"(?:(?P<d1>\d{{1,2}}) (?P<m1>{EN_MONTHS})|(?P<m2>{EN_MONTHS})\.? (?P<d2>\d{{1,2}}))(?!,? 20|\d)"
    r"|截至(?P<mz>\d{1,2})月(?P<dz>\d{1,2})日止?的?(?P<spanz>三个月|季度|六个月|半年度?|九个月|年度|财年|财政年度|十二个月)"
)
"""The same without a year."""
_TO_MONTH = re.compile(
    rf"(?P<span>quarter|three months|six months|half[- ]year|nine months|fiscal year|full year|year|twelve months|12 months) "
    rf"(?:to|through|ended|ending) (?:(?:the )?end of |end-)?(?:\d{{1,2}} )?(?P<m1>{EN_MONTHS})\.?(?: \d{{1,2}})?(?:,? (?P<y>20\d\d))?(?!\w)"
)
"""A span by its last month."""
_RESULTS_OF_LAST_YEAR = 4
"""Last month in which ``the full year`` of results is the year before."""
_SPANS = {
    "quarter": 3, "three months": 3, "six months": 6, "half-year": 6, "half year": 6, "nine months": 9, "三个月": 3, "季度": 3,
    "六个月": 6, "半年": 6, "半年度": 6, "九个月": 9,
}  # fmt: skip
_HALF_OF = re.compile(
    r"(?:the )?(?P<word>first|second) half of (?P<fy>fiscal |fy ?)?(?P<year>20\d\d)|(?<![a-z\d])(?:(?P<n>[12])h ?|h(?P<n2>[12])[ '’-])(?P<fy2>fy ?)?(?P<year2>20\d\d|2\d)(?!\d)"
)
"""Halves of a year that is named."""
_MONTHS_EN = re.compile(
    rf"(?P<first>{EN_MONTHS})\.?\s?(?:-|–|—|to|through)\s?(?P<last>{EN_MONTHS})\.?(?:,? (?P<year>20\d\d))?(?:\s(?:quarter|half|period))?(?!\w|\s\d)"
)
_MONTHS_ZH = re.compile(
    r"(?:(?P<year>20\d\d)年|(?P<this>今年))?(?P<first>\d{1,2})月?\s?(?:-|–|—|~|至|到)\s?(?P<last>\d{1,2})月份?(?!\d|日)"
)
_MONTH_ZH = re.compile(
    r"(?:(?P<which>去年|今年|明年))?(?<![\d年至到\-–—~.])(?<!前)(?<!前 )(?P<month>\d{1,2})月份?(?![\d日底末初起前后至到\-–—~内])"
)
"""A month without a year."""
_YEARS_AWAY = {"去年": -1, "今年": 0, "明年": 1}
_FIRST_QUARTERS = re.compile(
    r"(?:(?P<year>20\d\d)年|今年)?前(?P<n>[两二三23])个?季度?|(?:the )?first (?P<word>two|three) quarters(?: of (?P<year2>20\d\d)| of (?:the|this) year)?"
)
_FIRST_MONTHS = re.compile(
    r"(?:(?P<year>20\d\d)年|(?P<this>今年))?(?:前|头)\s?(?P<n>\d{1,2}|[一二三四五六七八九十]+)\s?个?月"
    r"|(?:the )?first (?P<word>two|three|four|five|six|seven|eight|ten|eleven) months(?: of (?P<year2>20\d\d)| of (?:the|this) year)?"
)
"""Months of a year, from its first or another."""
_NINE_MONTHS = re.compile(
    r"(?P<year>20\d\d)年(?:前三季度|前三个季度|1-9月|前9个月|前九个月)|first nine months of (?P<year2>20\d\d)"
)
_RELATIVE = (
    ("FE", re.compile(r"(?<![\d本下上个])(?:全)?财年(?!第|的?q)|(?:for )?the (?:full )?fiscal year(?! (?:20|end)|['-])")),
    ("D", re.compile(r"so far this year|(?:this )?year[- ]to[- ]date|年初至今|今年以来|今年迄今")),
    ("F0", re.compile(r"(?:this|the current|current) (?:fiscal|financial) year|本财年|当前财年|本财政年度")),
    ("F1", re.compile(r"next (?:fiscal|financial) year|下一?财年|下一?个财年")),
    ("F-1", re.compile(r"(?:last|previous|prior) (?:fiscal|financial) year|上一?财年|上一?个财年")),
    ("Y0", re.compile(r"(?:this|the current|current|this calendar) (?:calendar )?year(?!['-])|今年(?:全年)?|本年度?")),
    ("YF", re.compile(r"(?:the )?full[- ]year|for the year(?! (?:to|ended|ending|before|earlier|ago|just|through|20)|-)|(?<!年)(?<!今)全年")),
    ("H1", re.compile(r"(?<!\d年)(?<!年)上半年|(?:the )?first[- ]half(?! of (?:20|fiscal|the (?:next|coming|decade)))")),
    ("H2", re.compile(r"(?<!\d年)(?<!年)下半年|(?:the )?second[- ]half(?! of (?:20|fiscal|the (?:next|coming|decade)))")),
    ("B0", re.compile(r"(?:in|for|during|over) the half(?:[- ]year)?(?! (?:of|ended|ending|to)(?![a-z])|[a-z])|(?<![上下前后])半年期?内")),
    ("Y1", re.compile(r"next (?:calendar )?year|明年")),
    ("Y-1", re.compile(r"(?:last|previous|the prior) (?:calendar )?year|去年(?!同期|同季)|上年(?!同期|度同期)")),
    ("end", re.compile(r"(?:by|before|at|until) (?:the )?(?:year[- ]?end(?! 20)|end of (?:the|this) year)|(?<![\d去上明])(?:年底|年末)(?:前|之前)?")),
    ("R0", re.compile(r"(?:in|for|during|of|over) (?:the|this|that|last) quarter(?! end)|(?<![a-z])(?:this|last) quarter(?![a-z'])|(?<![a-z])(?:delivered|had|posted|produced|reports?|reported) (?:a|an|another) (?:[a-z-]+ ){0,2}quarter(?![a-z'])|(?<![a-z])quarterly (?=revenue|sales|profit|net |operating|capex|capital|cloud|loss)|(?:the|this|last) quarter's|季内|上一?季度?|上一?个季度|本季度?|当季|单季度?(?!业绩|新高)|期内|(?<![\d一二三四上下本当单个每各两半财分按年跨])季度(?=收入|营收|资本开支|资本支出|净利|利润|经营|自由现金|云|capex)")),
    ("R-1", re.compile(r"(?:in|for|during) the (?:previous|prior|preceding) quarter")),
    ("R1", re.compile(r"(?:in|for|during)?\s?(?:the )?next quarter|下一?季度?")),
    ("past", re.compile(r"(?:trailing|last|past|previous)[- ](?:twelve|12)[- ]months?|过去(?:12|十二)个月|近(?:12|十二)个月|滚动十二个月")),
)  # fmt: skip
_MONTHS_OF_QUARTER = 3
_JUST_ENDED = 2
"""Months after its end in which results of a quarter are still forecast."""
_AGAINST = re.compile(
    r"(?:from|than|times|twice|over|versus|vs\.?|against|compared (?:with|to)|since|earlier|(?:period|quarter|months|half) of|较|比|从|自|与)\s?$"
)
"""Words after which a year by its name only says what something is measured against."""


def relative(sentence: str) -> Iterator[tuple[re.Match[str] | Span, Figure]]:
    """Yield periods by their last day, and those relative to the day of the text as ``?R0``, ``?Y1`` or ``?F-1``."""
    for match in _ENDED.finditer(sentence):
        month = int(match["mz"]) if match["mz"] else MONTHS[(match["m1"] or match["m2"])[:3]]
        months = _SPANS.get(match["span"] or match["spanz"], 12)
        label = months_label(int(match["yz"] or match["y"]), (month - months) % 12 + 1, month)
        yield match, _period(match, label, months / 12)
        second = _AND_YEAR.match(sentence, match.end())
        if second:
            label = months_label(int(second[1]), (month - months) % 12 + 1, month)
            span = Span(second.start(1), second.end(1))
            yield span, replace(_period(match, label, months / 12), start=second.start(1), end=second.end(1))
    for match in _ENDED_UNDATED.finditer(sentence):
        month = int(match["mz"]) if match["mz"] else MONTHS[(match["m1"] or match["m2"])[:3]]
        months = _SPANS.get(match["span"] or match["spanz"], 12)
        first = (month - months) % 12 + 1
        yield match, _period(match, f"?S{first:02d}-{month:02d}", months / 12)
    for match in _TO_MONTH.finditer(sentence):
        months = _SPANS.get(match["span"], 12)
        month = MONTHS[match["m1"][:3]]
        first = (month - months) % 12 + 1
        label = months_label(int(match["y"]), first, month) if match["y"] else f"?S{first:02d}-{month:02d}"
        yield match, _period(match, label, months / 12)
    for match in _NINE_MONTHS.finditer(sentence):
        yield match, _period(match, f"{match['year'] or match['year2']}-9M", 0.75)
    for match in _HALF_OF.finditer(sentence):
        half = match["n"] or match["n2"] or ("1" if match["word"] == "first" else "2")
        fiscal = "FY" if match["fy"] or match["fy2"] else ""
        yield match, _period(match, f"{fiscal}20{(match['year'] or match['year2'])[-2:]}-H{half}", 0.5)
    yield from _month_ranges(sentence)
    for name, pattern in _RELATIVE:
        for match in pattern.finditer(sentence):
            own = re.match(r"(?:的|['’]s)?\s?(?:about |约|近)?[\d$€£¥]", sentence[match.end() :])
            if own or not _AGAINST.search(sentence[max(0, match.start() - 16) : match.start()]):
                years = {"R": 0.25, "H": 0.5, "B": 0.5, "e": 0.0}.get(name[0], 1.0)
                yield match, _period(match, "past" if name == "past" else f"?{name}", years)


def _month_ranges(sentence: str) -> Iterator[tuple[re.Match[str], Figure]]:
    """Yield runs of months, ``July–September 2025``, 前4个月; those without a year as ``?S07-09``."""
    for match in _MONTHS_EN.finditer(sentence):
        yield _months(match, MONTHS[match["first"][:3]], MONTHS[match["last"][:3]], match["year"])
    for match in _MONTHS_ZH.finditer(sentence):
        if 1 <= int(match["first"]) <= 12 and 1 <= int(match["last"]) <= 12:
            yield _months(match, int(match["first"]), int(match["last"]), match["year"])
    for match in _FIRST_QUARTERS.finditer(sentence):
        count = 3 * int(value_of(match["n"] or match["word"])[0])
        yield _months(match, 1, count, match["year"] or match["year2"])
    for match in _MONTH_ZH.finditer(sentence):
        month = int(match["month"])
        if 1 <= month <= 12:
            away = _YEARS_AWAY.get(match["which"] or "")
            label = f"?S{month:02d}-{month:02d}" if away is None else f"?M{away:+d}-{month:02d}"
            yield match, _period(match, label, 1 / 12)
    for match in _FIRST_MONTHS.finditer(sentence):
        count = int(value_of(match["n"] or match["word"])[0])
        if 1 < count <= 12:
            yield _months(match, 1, count, match["year"] or match["year2"])


def _months(match: re.Match[str], first: int, last: int, year: str | None) -> tuple[re.Match[str], Figure]:
    """Return a run of months: named by its last month and length, in a year or in none yet."""
    count = (last - first) % 12 + 1
    label = months_label(int(year), first, last) if year else f"?S{first:02d}-{last:02d}"
    return match, _period(match, label, count / 12)


def months_label(year: int, first: int, last: int) -> str:
    """Return the label of months of a year, the last of which is in it: ``2025-Q3``, ``2025-4M``, ``2025-02 to 2025-04``.

    Examples
    --------
    >>> months_label(2025, 7, 9), months_label(2026, 1, 4), months_label(2026, 11, 2)
    ('2025-Q3', '2026-4M', '2025-11 to 2026-02')
    """
    count = (last - first) % 12 + 1
    if count == 3 or (count == 6 and last in {6, 12}) or count == 12:
        return span_label(year, last, count)
    if count == 1:
        return f"{year}-{last:02d}"
    if first == 1:
        return f"{year}-{count}M"
    return f"{year - (first > last)}-{first:02d} to {year}-{last:02d}"


def _period(match: re.Match[str], label: str, years: float) -> Figure:
    return Figure(
        kind="period", low=years, high=years, unit="y", start=match.start(), end=match.end(), text="", label=label
    )


def span_label(year: int, month: int, months: int) -> str:
    """Return the label of so many months that end in a month: ``2025-Q3``, ``2025-9M``, ``FY2025`` or ``2025``."""
    if months == 3:
        return f"{year}-Q{(month + 2) // 3}"
    if months == 6:
        return f"{year}-H{1 if month <= 6 else 2}"
    if months == 9:
        return f"{year}-9M"
    return f"{year}" if month == 12 else f"FY{year}"


def quarter_before(day: dt.date, fiscal_end_month: int, back: int = 0) -> str:
    """Return the label of the last fiscal quarter that had ended by a day, or of one *back* more (after it, below zero).

    Examples
    --------
    >>> quarter_before(dt.date(2025, 10, 29), 6), quarter_before(dt.date(2025, 12, 10), 5), quarter_before(dt.date(2026, 5, 7), 12, -1)
    ('2025-Q3', '2025-Q4', '2026-Q2')
    """
    count = 12 * day.year + day.month - 2
    while (count + 1 - fiscal_end_month) % 3:
        count -= 1
    count -= 3 * back
    return span_label(count // 12, count % 12 + 1, 3)


def dated(
    figures: Sequence[Figure],
    sentence: str,
    day: dt.date | None,
    fiscal_end_month: int,
    year: int | None,
    reported: Figure | None = None,
) -> list[Figure]:
    """Return the figures with each period in the calendar.

    A quarter takes the year named before it in the sentence; else it is the last that had ended by *day*, or the next to
    end where the clause is of what is to come; without a day it is of *year*. ``The prior year`` is that before the
    one that is *reported*. A period that nothing dates keeps its
    name: ``quarter``, ``Q3`` or ``year``.
    """
    read: list[Figure] = []
    for figure in figures:
        if figure.kind == "period" and figure.label.startswith("?"):
            before = _prior_year(figure, figures, sentence, reported) or _prior_quarter(
                figure, read, sentence, reported
            )
            label = before or _of_quarter(figure, read, sentence) or _full_year(figure, sentence, reported)
            label = label or _label(figure, figures, sentence, day, fiscal_end_month, year)
            read.append(replace(figure, label=label))
        else:
            read.append(figure)
    return read


def _full_year(figure: Figure, sentence: str, reported: Figure | None) -> str:
    """Return the half that is reported, or the year of what is, where a sentence says ``the half`` or ``the full year``."""
    if figure.label == "?B0" and reported is not None and re.search(r"-H[12]$| to ", reported.label):
        return reported.label
    part = re.fullmatch(r"(\d{4})-(?:Q[1-3]|H1|9M)", "" if reported is None else reported.label)
    named = re.search(r"20\d\d", sentence)
    return part[1] if part and figure.label == "?YF" and not named else ""


def _prior_year(figure: Figure, figures: Sequence[Figure], sentence: str, reported: Figure | None) -> str:
    """Return the year before the one that a sentence is of, where it says ``the prior year``; empty elsewhere."""
    if figure.label != "?Y-1" or not re.match(r"上年|(?:the )?(?:previous|prior)", sentence[figure.start : figure.end]):
        return ""
    whole = [f for f in figures if f.kind == "period" and f.end <= figure.start and re.fullmatch(r"\d{4}", f.label)]
    now = whole[-1] if whole else reported
    return f"{int(now.label.removeprefix('FY')[:4]) - 1}" if now is not None else ""


_THAT_QUARTER = re.compile(r"(?:in|for|during) (?:the|that) quarter|单?季度?|当季")


def _of_quarter(figure: Figure, earlier: Sequence[Figure], sentence: str) -> str:
    """Return the quarter that a sentence has named, where it goes on with 单季 or *in the quarter*; empty elsewhere."""
    if figure.label != "?R0" or not _THAT_QUARTER.fullmatch(sentence, figure.start, figure.end):
        return ""
    named = (f.label for f in reversed(earlier) if f.kind == "period" and f.end <= figure.start)
    return next((label for label in named if re.fullmatch(r"(?:FY)?\d{4}-Q[1-4]", label)), "")


_LAST_MONTH = 12
_PRIOR_QUARTER = re.compile(r"上一?个?季度?|(?:(?:in|for|during) )?(?:the )?(?:last|previous|prior|preceding) quarter")


def _prior_quarter(figure: Figure, earlier: Sequence[Figure], sentence: str, reported: Figure | None) -> str:
    """Return the quarter before the one that a sentence is of, where it says 上季度 beside it; empty elsewhere."""
    if figure.label[:2] != "?R" or not _PRIOR_QUARTER.fullmatch(sentence, figure.start, figure.end):
        return ""
    named = [f.label for f in earlier if f.kind == "period"]
    now = named[-1] if named else reported.label if reported is not None else ""
    match = re.fullmatch(r"(\d{4})-Q([1-4])", now)
    if match is None:
        return ""
    year, number = int(match[1]), int(match[2])
    return f"{year}-Q{number - 1}" if number > 1 else f"{year - 1}-Q4"


def _label(
    figure: Figure,
    figures: Sequence[Figure],
    sentence: str,
    day: dt.date | None,
    fiscal_end_month: int,
    year: int | None,
) -> str:
    name = figure.label[1:]
    if name[0] == "S":
        first, last = int(name[1:3]), int(name[4:])
        now = day.year - (last >= day.month) if day is not None else year
        return "months" if now is None else months_label(now, first, last)
    if name[0] == "M" and name[1] in "+-":
        now = day.year if day is not None else year
        return "month" if now is None else f"{now + int(name[1:3])}-{name[4:]}"
    cut = re.compile(r"[,，;；。]|\s(?:and|while|but)\s(?![\d$€£¥₹])")
    ahead = PLANNED.search(cut.split(sentence[: figure.start])[-1] + cut.split(sentence[figure.end :])[0])
    if name[0] == "R":
        coming = int(name[1:]) or (ahead is not None)
        return "quarter" if day is None else quarter_before(day, fiscal_end_month, -coming)
    if name == "B0":
        return "half"
    if name == "D":
        return "year" if day is None else f"{day.year}-to-date"
    if name == "FE" and day is not None and ahead is None:
        ended = day.year - (day.month <= fiscal_end_month)
        return f"FY{ended}" if fiscal_end_month != 12 else f"{ended}"
    if name == "FE":
        name = "F0"
    if name[0] == "H":
        now = day.year if day is not None else year
        if day is not None and ahead is None and day.month <= _RESULTS_OF_LAST_YEAR and name == "H1":
            return f"{day.year - 1}-H2"  # of a year that ends in June
        ended = day is None or ahead is not None or day.month > 6 * (int(name[1]) % 2)
        return (
            "half"
            if now is None
            else f"{now - (not ended or (name == 'H2' and ahead is None and day is not None))}-{name}"
        )
    if name[0] in "YFe":
        now = day.year if day is not None else year
        if now is None:
            return "year"
        if name == "end":
            return f"to {now}"
        if name == "YF" and fiscal_end_month != _LAST_MONTH and day is not None and ahead is None:
            return f"FY{day.year - (day.month <= fiscal_end_month)}"
        if name == "YF":
            return f"{now - (day is not None and day.month <= _RESULTS_OF_LAST_YEAR and ahead is None)}"
        if name[0] == "F":
            now += day is not None and day.month > fiscal_end_month
            return f"FY{now + int(name[1:])}" if fiscal_end_month != 12 else f"{now + int(name[1:])}"
        return f"{now + int(name[1:])}"
    return _numbered(figure, figures, day, fiscal_end_month, year, ahead=ahead is not None)


def _numbered(
    figure: Figure,
    figures: Sequence[Figure],
    day: dt.date | None,
    fiscal_end_month: int,
    year: int | None,
    *,
    ahead: bool,
) -> str:
    """Return the label of a quarter that is known by its number or its last month."""
    by_month, number = figure.label[1] == "M", int(figure.label[2:])
    month = number if by_month else (fiscal_end_month + 3 * number - 1) % 12 + 1
    before = [
        f for f in figures if f.kind == "period" and f.end <= figure.start and re.fullmatch(r"(?:FY)?\d{4}", f.label)
    ]
    if before:
        named = int(before[-1].label[-4:])
        named -= not by_month and month > fiscal_end_month and before[-1].label.startswith("FY")
    elif day is not None:
        named = day.year if month < day.month else day.year - 1
        running = (month - day.month) % 12 < _MONTHS_OF_QUARTER
        if running or (ahead and (day.month - month) % 12 > _JUST_ENDED):
            named = day.year if month >= day.month else day.year + 1
    elif year is not None:
        named = year
    else:
        return f"Q{number}" if not by_month else "quarter"
    return f"{named}-Q{(month + 2) // 3}"
