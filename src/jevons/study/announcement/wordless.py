"""Figures beside which no word of the lexicon stands: what the text itself calls them, or what their objects say."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re

from jevons.study.announcement import lexicon
from jevons.study.announcement.clauses import clause_end, clause_start
from jevons.study.announcement.cues import cue
from jevons.study.announcement.figure import Figure

_CLAUSE = re.compile(r"[,，;；。:：()（）]|\s(?:and|while|but)\s")
_SUBJECT = re.compile(
    r"(?:^|\b(?:the|its|their|our|a|an|of|that) )(?P<noun>[a-z][a-z&'-]+(?: [a-z][a-z&'-]+){0,3}?(?: (?:for|among) (?:(?:the|its|our|all) )?[a-z&'-]+(?: [a-z&'-]+){0,2}?)?) "
    r"(?:(?:also|now|then|has|have|had|will|should|may|would|could) )*"
    r"(?:is|are|was|were|be|been|stood|came|come|reach(?:ed|es)?|hit|totall?ed|rose|rises?|risen|fell|falls?|fallen|improved|grew|grows?|grown|climbed|jumped|"
    r"dropped|slipped|slid|increased|decreased|declined|surged|widened|narrowed|doubled|tripled|soared|shrank|edged|ticked|amounted|exceeded|averaged|of)\b[^.]*$"
)
_OBJECT = re.compile(
    r"\s(?P<noun>(?!(?:of|in|for|from|on|worth|to|at|as|more|less|higher|lower|a|an|the|per|each|and|or|last|this|next|was|is|were|are)\s)"
    r"(?!(?:all|so|right|away|back|down|up|out|through|under|over|during|with|by|until|only|earlier|ago|now|here|today)\s)[a-z][a-z-]{3,})\s(?:on|for|against)\s"
)
"""What a figure is, behind it: ``a $4.5 billion charge on inventory``."""
_NO_SUBJECT = re.compile(
    r"(?<![a-z])(?:it|we|they|he|she|who|which|that|this|these|those|company|group|firm|there|shares?|stock|you|i|more|most|one|all|each|up|down|has|have|had|government|officials?)(?![a-z])"
)
_NOUN_ZH = re.compile(
    r"(?P<noun>[\u4e00-\u9fffa-z]{0,6}?[\u4e00-\u9fff](?:额|量|率|数|价|款|金|费|费用|成本|规模|资产|存货|库存|余额|需求|能力|面积|补贴|罚款|份额|支出|产值|单价))"
    r"(?:约占|占|约|为|达到?|同比|环比|较[^,，]{0,8}|按年|增长|上升|下降|增加|减少|升至|降至|超过?|突破|逾|已|将|接近|近|报|合计|共计|累计|的|了|大幅|进一步)*$"
)
_LEAD_ZH = re.compile(
    r"^(?:全国|全球|我国|中国|各地|公司|本公司|集团|其|该|全年|去年|今年|上年|季度|年度|半年|期内|期末|累计|平均|的|年|月|底|末)+"
)
_PART_OF = re.compile(
    r"\s?(?:of|in) (?:(?:the|its|their|our|all|total|overall|global|worldwide) )*(?P<noun>[a-z][\w-]*(?: (?!in |on |at |by |from |for |to |and |or |that |which |was |is |are |were |will |under |over |this |last )[a-z][\w-]*){0,2})"
)
_PART_OF_ZH = re.compile(
    r"(?:占(?:到|了)?(?P<of>[\u4e00-\u9fff]{2,8}?)(?:的)?(?:比重|比例)?|(?P<noun>[\u4e00-\u9fffa-z]{2,8}?)(?:占比|比重|渗透率|比例))"
    r"(?:[升降增减提下上][^,，;；。]{0,12}[至到])?(?:约|近|逾|超过?|达到?|为|已|升至|降至|提升至|突破|不到|接近|由|从)*$"
)


def stated_noun(plain: str, figure: Figure) -> str:
    """Return what the clause before a figure calls it in its own words: ``ARPU improved to``, 用电量同比增长; empty without."""
    begin = max((m.end() for m in _CLAUSE.finditer(plain, 0, figure.start)), default=0)
    lead = plain[begin : figure.start].rstrip()
    match = _NOUN_ZH.search(lead)
    if match:
        noun = _LEAD_ZH.sub("", match["noun"])
        return noun if len(noun) >= 2 else ""
    match = _OBJECT.match(plain, figure.end)
    if match:
        return match["noun"]
    match = _SUBJECT.search(lead)
    if match and not _NO_SUBJECT.search(match["noun"]) and not lexicon.pattern("vague_nouns").search(match["noun"]):
        noun = re.sub(r"^(?:(?:the|its|their|our|a|an) |[a-z]+['’]s )", "", match["noun"])
        return "" if lexicon.pattern("vague_nouns").fullmatch(noun) else noun
    return ""


_TIMES = frozenset({"quarter", "year", "half", "month", "period", "weeks", "months", "years"})
"""What something is said to be in, and is no part of."""


def part_of(plain: str, figure: Figure) -> tuple[str, str]:
    """Return which part, of what whole, a percentage is in the text's own words; empty where it does not say.

    ``85 % of contracted demand`` names the whole, 算力投资占比 the part.
    """
    match = _PART_OF.match(plain, figure.end)
    when = match is not None and match[0].lstrip().startswith("in ")
    if match and not (
        when and match["noun"].split()[0] in {*lexicon.words("no_names"), *lexicon.words("places"), *_TIMES}
    ):
        return "", match["noun"]
    match = _PART_OF_ZH.search(plain[: figure.start])
    if match is None:
        return "", ""
    if match["of"]:
        return "", match["of"]
    part = _LEAD_ZH.sub("", match["noun"])
    named = [m for m in lexicon.quantity_pattern().finditer(part) if m.end() == len(part)]
    return part, lexicon.quantity_words()[named[-1][0]] if named else "total"


_REASON = re.compile(r"(?<![a-z])(?:because|since|after|as|due to|owing to)(?![a-z])|因为?|由于")
"""What begins the part of a clause that says why."""


def bought(plain: str, figure: Figure) -> str:
    """Return what money is by its object: invested in a site, or raised from lenders or owners; empty where none says so."""
    clause = _REASON.split(plain[clause_start(plain, figure.start) : clause_end(plain, figure.end)])[0]
    if cue("raised").precedes(plain, figure):
        return "debt" if lexicon.pattern("lenders").search(clause) else "funding"
    return "capex" if lexicon.pattern("sites").search(clause) else ""
