"""Names of firms that the word list lacks, as a text itself gives them: by legal form, ticker, or what they say."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Sequence

from jevons.study.announcement import lexicon
from jevons.study.announcement.text import Sentence, plain

_WORD = r"[A-Z][\w&'-]*"
_FORM = (
    r"(?:Inc|Corp|Corporation|Ltd|Limited|PLC|plc|AG|S\.?A|N\.?V|SE|GmbH|Co|Company|Group|Holdings?|LLC|AB|ASA|Oyj|SpA|"
    r"Pvt\.? Ltd|Sdn Bhd|K\.?K)"
)
_SAYS = (
    r"(?:(?:has |have |had |also |today |formally |on [A-Z]\w+ )*(?:said|says|announced|announces|unveiled|unveils|pledged|pledges|"
    r"plans|planned|reported|reports|committed|commits|expects|intends|signed|agreed|raised|raises|ordered)|"
    r"(?:will|is to|aims to|wants to|is set to) (?:\w+ly )?(?:invest|spend|build|buy|deploy|install|operate|open|add|raise|commit|put|order))"
)
_LEGAL = re.compile(rf"(?<![\w-])(?P<name>{_WORD}(?: {_WORD}){{0,4}}?),? {_FORM}(?![\w])\.?")
_SORT = r"operator|provider|maker|company|firm|start-?up|developer|group|fund|giant|lender|unit|subsidiary|lab|host|neocloud"
_SUBJECT = re.compile(
    rf"(?:^|[–—:;,.\"“] ?|- |\bthat |\b(?:while|and|but|as|{_SORT}) )(?P<name>{_WORD}(?: {_WORD}){{0,3}})"
    rf"(?:\s?\([^)]{{2,40}}\))?,?(?: on {_WORD}(?: \d{{1,2}},?)?(?: \d{{4}})?| on \d{{1,2}} {_WORD}(?: \d{{4}})?)? {_SAYS}\b"
)
_TICKER = re.compile(
    rf"(?P<name>{_WORD}(?: {_WORD}){{0,3}})\s?\((?:[A-Z]{{2,8}}(?: ?[A-Z]{{2,8}})?: ?[A-Z0-9.]{{1,8}}|\d{{4,6}}\.[A-Z]{{1,2}})\)"
)
_FORM_ZH = r"(?:股份有限公司|有限公司|集团|公司|控股|股份|科技|智算|云计算|银行|电信|通信|智能|数据|云)"
_CHINESE = re.compile(
    rf"(?:^|[，,。；;：:、“]|日|讯)(?P<name>[\u4e00-\u9fff]{{2,12}}?{_FORM_ZH}+)(?:[（(][^）)]{{2,30}}[）)])?"
    r"(?:(?:于|在)?(?:\d{4}年)?(?:\d{1,2}月\d{1,2}日)?(?:今日|今天|昨日|近日)?)"
    r"(?:宣布|表示|公布|发布|公告|披露|称|计划|将|拟|预计|签订|签署|与)"
)
_LATIN_ZH = re.compile(
    r"(?<![A-Za-z])(?P<name>[A-Z][A-Za-z0-9]+(?: [A-Z][A-Za-z0-9]+){0,2})\s?(?:[（(][^）)]{2,30}[）)])?"
    r"(?:(?:于|在)?(?:\d{4}年)?(?:\d{1,2}月\d{1,2}日)?(?:今日|今天|昨日|近日)?)(?:宣布|表示|公布|发布|公告|披露|称|计划|将|拟|预计|签订|签署)"
)
_SORT_ZH = re.compile(
    r"^[\u4e00-\u9fff]{0,8}?(?:租赁商|服务商|运营商|供应商|厂商|开发商|提供商|巨头|龙头|初创企业|上市公司)(?=.{2})"
)
_JAPANESE = re.compile(
    r"(?:株式会社(?P<a>[\w\u30a0-\u30ff\u4e00-\u9fff]{2,16}?)(?=は|が|、|と)|(?P<b>[\w\u30a0-\u30ff\u4e00-\u9fff]{2,16}?)株式会社)"
)
_NO_NAME = frozenset(
  {
    "the", "it", "its", "this", "that", "these", "those", "we", "our", "they", "their", "he", "she", "i", "a", "an",
    "in", "on", "at", "by", "for", "with", "from", "to", "of", "and", "but", "as", "while", "revenue", "revenues",
    "capacity", "shares", "share", "capital", "spending", "data", "ai", "management", "analysts", "chairman",
    "chief", "ceo", "cfo", "president", "january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday",
    "saturday", "sunday", "both", "each", "all", "some", "many", "most", "more", "other", "others", "another",
    "investors", "customers", "sources", "government", "ministry", "officials", "parliament", "reuters",
    "bloomberg", "first", "second", "third", "fourth", "last", "next", "gpu", "gpus", "earlier", "later",
    "separately", "meanwhile", "company", "group", "total", "sales",
  }
)  # fmt: skip
_QUOTED = re.compile(r"[\"“][^\"“”]*[,.!?][\"”]\s?$")
"""A quotation that has ended; who then speaks is a person."""
_TITLES = frozenset(
    {"ceo", "cfo", "coo", "cto", "chairman", "chairwoman", "president", "chief", "analyst", "analysts", "minister", "mr", "ms", "mrs", "dr",
     "director", "founder", "co-founder", "professor", "sir", "vice", "head", "spokesman", "spokeswoman", "operator"}
)  # fmt: skip
"""What a person is called by; who follows is no firm."""
_NO_NAME_ZH = re.compile(
    r"^(?:公司|本公司|该公司|集团|本集团|其|该|旗下|这家|一家|多家|各|未来|我们|上述|目前|此外)|宣布|表示|公布|计划|过去|超过"
)


def stated_firms(sentences: Sequence[Sentence]) -> dict[str, str]:
    """Return the name of each firm that the text names and the word list lacks, by the plain spellings of it.

    Examples
    --------
    >>> from jevons.study.announcement.text import sentences
    >>> sorted(stated_firms(sentences("Sagar Cloud Ltd said it will invest $2bn. Sagar Cloud has 9,000 H100s.")).items())
    [('sagar cloud', 'Sagar Cloud Ltd'), ('sagar cloud ltd', 'Sagar Cloud Ltd')]
    """
    names: dict[str, str] = {}
    for sentence in sentences:
        for pattern in (_LEGAL, _TICKER, _SUBJECT):
            for match in pattern.finditer(sentence.text):
                if _QUOTED.search(sentence.text[: match.start("name")]):
                    continue
                whole = match[0].rstrip(".") if pattern is _LEGAL else match["name"]
                _add(names, match["name"], whole)
        for match in _CHINESE.finditer(sentence.text):
            name = _SORT_ZH.sub("", match["name"])
            if not _NO_NAME_ZH.search(name):
                _add(names, re.sub(rf"{_FORM_ZH}$", "", name), name)
        for match in _LATIN_ZH.finditer(sentence.text):
            _add(names, match["name"], match["name"])
        for match in _JAPANESE.finditer(sentence.text):
            _add(names, match["a"] or match["b"], match["a"] or match["b"])
    return names


def _add(names: dict[str, str], short: str, whole: str) -> None:
    """Add a firm by its short and its whole name, unless the word list has it or it is no name."""
    words = whole.split()
    if words and words[0].lower().strip(".") in _TITLES:
        return
    while words and words[0].lower() in _NO_NAME:
        words, short = words[1:], " ".join(short.split()[1:])
    whole = " ".join(words)
    if not whole or len(short) < 2 or any(word.lower().strip(".,") in _NO_NAME for word in short.split()):
        return
    if plain(whole) in lexicon.quantity_words():
        return
    if lexicon.firm_pattern().search(plain(whole)) or lexicon.named("devices")[0].search(plain(whole)):
        return
    known = next((name for spelling, name in names.items() if spelling in {plain(short), plain(whole)}), whole)
    known = max(known, whole, key=len)
    for spelling, name in list(names.items()):
        if spelling in {plain(short), plain(whole)} or name == whole:
            names[spelling] = known
    for spelling in (plain(whole), plain(short)):
        if len(spelling) >= 2:
            names[spelling] = known
