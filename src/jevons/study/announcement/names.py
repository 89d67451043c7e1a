"""Names of firms that the word list lacks, as a text itself gives them: by legal form, ticker, or what they say."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from jevons.study.announcement import lexicon
from jevons.study.announcement.patterns import BEFORE
from jevons.study.announcement.text import Sentence, plain

_WORD = r"(?:[A-Z][\w&-]*|[a-z][A-Z][\w&-]*)"
_NAME = rf"{_WORD}(?: (?:& )?{_WORD}){{0,4}}"
_FORM = (
    r"(?:Inc|Corp|Corporation|Ltd|Limited|PLC|plc|AG|S\.?A|N\.?V|SE|GmbH|Co|Company|Group|Holdings?|LLC|AB|ASA|Oyj|SpA|"
    r"Pvt\.? Ltd|Sdn Bhd|K\.?K)"
)
_INTENDS = r"(?:will|to) (?:set|build|invest|spend|buy|raise|open|launch|acquire|sell|issue|pay|deploy|double|lease|rent|install|cut)"
"""What a firm will do, also as a headline has it: ``Suryan Green to set up``."""
_TICKER = re.compile(
    rf"(?P<name>{_WORD}(?: {_WORD}){{0,3}})\s?\((?:[A-Z]{{2,8}}(?: ?[A-Z]{{2,8}})?: ?[A-Z0-9.]{{1,8}}|\d{{4,6}}\.[A-Z]{{1,2}})\)"
)
_FORM_ZH = r"(?:股份有限公司|有限公司|集团|公司|控股|股份|科技|智算|云计算|银行|电信|通信|智能|数据|电力|能源|电子|半导体|软件|信息|网络|技术|云)"


@functools.cache
def _english() -> tuple[re.Pattern[str], ...]:
    """Return the patterns of English names: by legal form, ticker, as who acts, has something, or is explained."""
    sorts = "|".join((*lexicon.words("sorts"), *lexicon.words("other_sorts")))
    acts = "|".join(sorted(lexicon.words("acts"), key=len, reverse=True))
    people = "|".join(lexicon.words("people"))
    often = r"(?:has |have |had |also |today |now |then |formally |already |recently |on [A-Z]\w+ )*"
    verb = rf"(?P<verb>{_INTENDS}|{often}(?:{acts})|(?:is|are|was) (?:to|set to|due to))"
    aside = r"(?: of (?:the )?[A-Z]\w+(?: [A-Z]\w+)?)?(?:\s?\([^)]{2,40}\)|, [^,.]{3,60}(?=,))?,?"
    spokesman = rf"(?:['’]s)? (?i:{people})(?: (?i:executive|financial|operating)(?: (?i:officer))?)? [A-Z][a-z]+ [A-Z]"
    day = rf"(?: on {_WORD}(?: \d{{1,2}},?)?(?: \d{{4}})?| on \d{{1,2}} {_WORD}(?: \d{{4}})?)?"
    begins = rf"(?:^|[–—:;,.\"“] ?|- |\bthat |\b(?:while|and|but|as|{sorts}) )(?:The |the |[A-Z]\w+['’]s )?"
    return (
        re.compile(rf"(?<![\w-])(?P<name>{_WORD}(?: {_WORD}){{0,4}}?),? {_FORM}(?![\w])(?! [A-Z]\w+ of)\.?"),
        _TICKER,
        re.compile(rf"{begins}(?P<name>{_NAME}){aside}{day} {verb}\b"),
        re.compile(rf"(?<![\w-])(?P<name>{_NAME})['’]s? (?=[\w-])"),
        re.compile(rf"(?:[Ss]hares?|[Ss]tock|[Rr]evenue|[Ss]pending|[Cc]apex|[Ss]ales) (?:of|at|in) (?P<name>{_NAME})"),
        re.compile(rf"\b(?:said|says|according to) (?P<name>{_NAME})(?=[,.]|$)"),
        re.compile(rf"(?:^|[.,;] )(?:At|For) (?P<name>{_NAME}),"),
        re.compile(rf"(?<![\w-])(?P<name>{_WORD}(?: {_WORD}){{0,3}}?){spokesman}"),
        re.compile(
            rf"(?:[Tt]arget|[Pp]rint|[Vv]iew|[Nn]ote|[Bb]uy|[Ss]ell|[Hh]old|[Bb]ullish|[Bb]earish) (?:on|for) (?P<name>{_NAME})"
        ),
        re.compile(rf"\bthe (?P<name>{_NAME}) (?:earnings )?(?:call|print|deck|prospectus|filing)\b"),
        re.compile(rf"\b(?i:{people})(?: executive| officer)? (?:of|at|for) (?P<name>{_NAME})"),
        re.compile(
            rf"(?:[Ii]nitiat\w+|[Cc]overage|[Rr]esum\w+|[Ss]tart\w*)(?: coverage)? (?:on|of) (?P<name>{_NAME})(?=(?: \([^)]{{2,30}}\))? (?:with|at|as)\b|[,.])"
        ),
        re.compile(
            rf"(?:[Uu]pgrad\w+|[Dd]owngrad\w+|[Rr]at(?:es?|ing)|[Rr]eiterat\w+|[Cc]ut(?:s|ting)?|[Ll]ift(?:s|ed|ing)?|[Rr]ais(?:es?|ed|ing)|[Ll]ower(?:s|ed|ing)?) (?P<name>{_NAME})(?=(?: \([^)]{{2,30}}\))? (?:to|at|from|as)\b)"
        ),
        re.compile(rf"(?<![\w-])(?P<name>{_NAME}), (?:an?|the|its) (?:[\w-]+ ){{0,4}}?(?:{sorts})\b"),
    )


_CHINESE = re.compile(
    rf"(?:^|[，,。；;：:、“）)】]|日|讯)(?P<name>[\u4e00-\u9fff]{{2,12}}?{_FORM_ZH}+)(?:[（(][^）)]{{2,30}}[）)])?"
    r"(?:(?:于|在)?(?:\d{4}年)?(?:\d{1,2}月\d{1,2}日)?(?:今日|今天|昨日|近日)?)"
    r"(?:宣布|表示|公布|发布|公告|披露|称|计划|将|拟|预计|预期|签订|签署|与)"
)
_AGENT_ZH = re.compile(
    rf"由(?P<name>(?!(?:双方|各方|股东|业主|客户|第三方|地方|财政|社会|民间|多家|两家|中外))[\u4e00-\u9fff]{{3,10}}?)(?=(?:投资|投資)(?:建设|建設|兴建|興建|运营|運營|的)|投建|承建|投资方)"
    rf"|由(?P<formed>[\u4e00-\u9fff]{{2,12}}?{_FORM_ZH}+)(?=(?:与|和|及|联合|聯合|共同|独家|獨家|全资|全資|旗下|负责|負責|来|等){{0,2}}(?:投资|投資|建设|建設|承建|运营|運營|营运|主导|主導|牵头|牽頭|出资|出資|开发|開發|负责|負責))"
)
"""Who does something, behind 由."""
_REPORT_OF_ZH = re.compile(
    r"(?:^|[，,。；;：:、“《]|[了遍看读讀翻聊篇份看完家是对對])(?P<name>(?:(?![了遍看读讀翻聊篇份家是的和与與])[\u4e00-\u9fff]){2,6})(?=[”」』》\"]?的?(?:财报|財報|年报|年報|季报|季報|招股书|招股書|业绩会|業績會|电话会|電話會))"
    r"|(?:^|[】\]])(?P<noted>[\u4e00-\u9fff]{2,8}?)(?=(?:[（(][^）)]{2,16}[）)])?(?:20\d\d年)?(?:[年季]报|業績|业绩|财报|公司|首次覆盖|跟踪|深度)?(?:点评|點評|更新|快评|快評)[：:])"
)
"""Whose report is spoken of: behind a mark, a measure word or a verb of reading."""
_LISTED_ZH = re.compile(
    r"(?:^|[，,。；;：:、“）)】])(?P<name>[\u4e00-\u9fff]{2,10})(?=[（(]\s?(?:\d[\dxX*]{5}[)）]|\d[\dxX*]{3,5}\.|[A-Z]{2,6}[:：]|[\u4e00-\u9fff]{2,4}代[码碼號号]))"
)
_COMPANY_ZH = re.compile(
    r"(?:本公司|本集[团團]|公司)[（(](?P<name>[\u4e00-\u9fff]{2,12})(?=[，,、；;]\s?(?:[股证證][份券]代[码號号])?[:：]?\s?\d{4,6}[）)])"
    r"|(?:^|[，,。；;：:“])(?P<whole>[\u4e00-\u9fff]{2,14})(?=[（(][「“\"](?:本公司|公司|本集[团團]|集[团團])[」”\"])"
)
"""The firm that a notice names beside 本公司."""
_REPORTS_ZH = re.compile(
    r"(?:^|[）)】])(?P<name>[\u4e00-\u9fff]{2,6}?)(?:今日|今天|昨日|近日|日前|\d{1,2}月\d{1,2}日)?(?:[今昨]?晚间?|盘[前后中]|[早午]间)?"
    r"(?=接待|宣布|发布|發布|公布|公佈|披露|公告|签署|簽署|签订|簽訂|完成[^，,。]{0,8}融[资資]|招股[书書]|20\d\d年?(?:年[报報]|中[报報]|半年[报報]|[一二三四]季|第[一二三四]季|业绩|業績))"
)
_RATED_ZH = re.compile(
    r"(?:预计|維持|维持|看好|给予|給予|首予|上调|上調|下调|下調|重申)(?P<name>[\u4e00-\u9fff]{2,6}?)(?=20\d\d(?![\d万亿千百元])|的?目[标標]价|的?[“「]|的?(?:买入|買入|增持)|归母|營收|营收)"
)
_LATIN_ZH = re.compile(
    r"(?<![A-Za-z])(?P<name>[A-Z][A-Za-z0-9]+(?: [A-Z][A-Za-z0-9]+){0,2})\s?(?:[（(][^）)]{2,30}[）)])?"
    r"(?:(?:于|在)?(?:\d{4}年)?(?:\d{1,2}月\d{1,2}日)?(?:今日|今天|昨日|近日)?)(?:宣布|表示|公布|发布|公告|披露|称|计划|将|拟|预计|签订|签署)"
)
_SORT_ZH = re.compile(
    r"^[\u4e00-\u9fff]{0,8}?(?:租赁商|服务商|运营商|供应商|厂商|开发商|提供商|巨头|龙头|初创企业|上市公司|(?:港股|[Aa]股|美股)公司|(?:伺服器|服务器|晶圆|晶圓|代工|封测|封測|芯片|晶片|面板|设备|設備|散[热熱]|电源|電源|机[壳殼]|機[殼]|网通|網通|光通[讯訊]|存储|儲存|记忆体|記憶體|[连連]接器|[组組][装裝]|[电電]子|材料|基板|[载載]板|PCB)[厂廠商])(?=.{2})"
)
_TOLD_ZH = re.compile(r"(?:发布|發布|公布|公佈|披露|公告|交出|第?[一二三四])+$")
"""What stands between a firm and the report that it told: 发布财报, 一季报."""
_RATING_ZH = re.compile(
    r"^(?:关于|關於|针对|針對|維持|维持|重申|首予|给予|給予|上調|上调|下調|下调|看好|建议|建議|我们|我們|对|對|将|將)+"
)
"""What an analyst does with the firm whose name follows."""
_JAPANESE = re.compile(
    r"(?:株式会社(?P<a>[\w\u30a0-\u30ff\u4e00-\u9fff]{2,16}?)(?=は|が|、|と)|(?P<b>[\w\u30a0-\u30ff\u4e00-\u9fff]{2,16}?)株式会社)"
)
_QUOTED = re.compile(r"[\"“][^\"“”]*[,.!?][\"”]\s?$")
"""A quotation that has ended; who then speaks is a person."""
_WEAK = frozenset(
    {"is", "was", "has", "had", "will", "would", "to", "made", "put", "got", "took", "cut", "cuts", "grew", "grows"}
)
"""Verbs that also follow what is no firm, at the beginning of a sentence."""
_NO_NAME_ZH = re.compile(
    r"^(?:[一二三四五六七八九十两几数\d]+[大家]|预计|预期|维持|给予|记者|据|报道|数据|报告|消息|财报|业绩|研报|招股|管理层|董事|行业|市场|政府|国家|全国|目标|其中|净利|收入|营收|今年|明年|去年|全年|同时|另外|佢|你|我|他|她|它|大家|今[天日]|昨[天日]|近日|日前|当日|每|各|公司|本公司|该公司|集团|本集团|其|该|旗下|这家|一家|多家|各|未来|我们|上述|目前|此外)|宣布|表示|公布|计划|过去|超过"
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
    whole_text = " ".join(sentence.text for sentence in sentences)
    people = _surnames(whole_text)
    for sentence in sentences:
        for kind, pattern in enumerate(_english()):
            for match in pattern.finditer(sentence.text):
                if _QUOTED.search(sentence.text[: match.start("name")]) or _is_person(sentence.text, match):
                    continue
                if kind == _BY_PLACE and _PASSIVE.match(sentence.text, match.end()):
                    continue
                if kind >= _BY_PLACE and not _is_proper(match, sentence.text, whole_text):
                    continue
                if kind >= _BY_PLACE and (_speaks(match, whole_text) or match["name"] in people):
                    continue
                whole = match[0].rstrip(".") if kind == 0 else match["name"]
                _add(names, match["name"], whole)
        for match in _CHINESE.finditer(sentence.text):
            name = _SORT_ZH.sub("", match["name"])
            if not _NO_NAME_ZH.search(plain(name)):
                _add(names, re.sub(rf"{_FORM_ZH}$", "", name), name)
        for pattern in (_LISTED_ZH, _REPORTS_ZH, _RATED_ZH, _AGENT_ZH, _REPORT_OF_ZH):
            for match in pattern.finditer(sentence.text):
                said = next(name for name in match.groupdict().values() if name)
                name = _TOLD_ZH.sub("", _RATING_ZH.sub("", _SORT_ZH.sub("", said)))
                if len(name) > 1 and not _NO_NAME_ZH.search(plain(name)):
                    _add(names, name, name)
        for match in _COMPANY_ZH.finditer(sentence.text):
            _add(names, match["name"] or match["whole"], match["name"] or match["whole"])
        for match in _LATIN_ZH.finditer(sentence.text):
            _add(names, match["name"], match["name"])
        for match in _JAPANESE.finditer(sentence.text):
            _add(names, match["a"] or match["b"], match["a"] or match["b"])
    if not names and not lexicon.firm_pattern().search(plain(whole_text)):
        _by_period(names, sentences)
        _by_deed(names, sentences)
    if not names and not lexicon.firm_pattern().search(plain(whole_text)):
        _by_heading(names, sentences)
    _shorten(names, whole_text)
    return names


_BEFORE_PERIOD_ZH = re.compile(
    r"(?:^|[，,。；;：:】\]])(?P<name>[\u4e00-\u9fff]{2,8}?)(?=\d{1,2}月(?:份)?(?:自结|自結|合并|合併)?(?:营收|營收|业绩|業績|收入)|今年|去年|全年|20\d\d[年财財]|上半年|下半年|第?[一二三四]季|本季|截至|截止|公布|宣布)"
)
_NO_NOUN_ZH = re.compile(
    r"[预預计計将將据據其此与與同较較比至到从從在为為和是的了对對由若但而并並且超达達约約近各每该該]"
)


def _by_period(names: dict[str, str], sentences: Sequence[Sentence]) -> None:
    """Add the noun at the beginning of a Chinese clause that a period follows: 宏远云端今年…, where no firm is known."""
    for sentence in sentences:
        for match in _BEFORE_PERIOD_ZH.finditer(sentence.text):
            name = _SORT_ZH.sub("", match["name"])
            said = plain(name)
            known = lexicon.quantity_pattern().search(said) or lexicon.count_pattern().search(said)
            if not (known or _NO_NOUN_ZH.search(name) or _NO_NAME_ZH.search(said)):
                _add(names, name, name)


_DOES = re.compile(
    r"(?<=[a-z,] )(?P<name>(?:[A-Z][\w&-]*)(?: [A-Z][\w&-]*){1,3}) "
    r"(?:has|have|had|will|now|[a-z]{2,}ed|made|won|sold|built|spent|bought|grew|runs|makes|sells|builds)\b"
)


def _by_deed(names: dict[str, str], sentences: Sequence[Sentence]) -> None:
    """Add who does something inside an English sentence, of two capitals at least, where no firm is known."""
    for sentence in sentences:
        for match in _DOES.finditer(sentence.text):
            if not _is_person(sentence.text, match):
                _add(names, match["name"], match["name"])


_HEADS = re.compile(
    rf"^(?P<name>{_WORD}(?: {_WORD}){{1,3}}?)(?=: | Q\d| [1-4]Q| FY| [($€£¥₹]|[’']s | \(| [a-z]+ed (?:its|the|20|revenue)|, )"
)


def _by_heading(names: dict[str, str], sentences: Sequence[Sentence]) -> None:
    """Add the name that the text begins with, of two capitals at least, where no firm is known: ``Arctic Bits: 2025``."""
    match = _HEADS.search(sentences[0].text) if sentences else None
    if match is not None and not _is_person(sentences[0].text, match):
        _add(names, match["name"], match["name"])


_BY_PLACE = 2
"""First of the patterns that know a name only by its place in the sentence."""


def _is_person(text: str, match: re.Match[str]) -> bool:
    """Return whether a name is of a person: their office stands beside it."""
    office = "|".join(lexicon.words("people"))
    after = re.match(
        rf",? (?:who |(?:the|its|an?) )?(?:[\w-]+ ){{0,3}}?(?:{office})\b", text[match.end("name") :], re.IGNORECASE
    )
    before = re.search(rf"\b(?:{office})(?: executive| officer)?,? $", text[: match.start("name")], re.IGNORECASE)
    return bool(after or before) and len(match["name"].split()) in {2, 3}


_PASSIVE = re.compile(
    r" be (?:built|financed|funded|located|powered|leased|housed|completed|paid|run|used|sited)(?![a-z])"
)
"""What is done to a thing, or a site, rather than to a firm."""
_ACRONYM = 4
_SPEECH = frozenset(
    {"said", "says", "told", "expects", "expected", "sees", "argues", "argued", "thinks", "believes", "added", "adds"}
)


def _speaks(match: re.Match[str], whole_text: str) -> bool:
    """Return whether a name is rather a person's who speaks once for a firm that the text names: ``Lisa Su expects``."""
    name, verb = match["name"], (match.groupdict().get("verb") or "said").split()[-1]
    estimates = re.match(r" puts? (?:the|its|their|that|it)\b[^.;]* at ", match.string[match.end("name") :])
    if not re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", name) or not (verb in _SPEECH or estimates):
        return False
    firms = lexicon.firm_pattern().search(plain(whole_text)) or any(
        pattern.search(whole_text) for pattern in _english()[:_BY_PLACE]
    )
    surname = len(re.findall(rf"\b{name.split()[1]}\b", whole_text))
    alone = re.search(rf"(?<!{name.split()[0]} )\b{name.split()[1]}\b", whole_text)
    return bool(firms) and (surname == 1 or alone is not None)


def _is_proper(match: re.Match[str], text: str, whole_text: str) -> bool:
    """Return whether a name at a sentence's beginning is one: of several capitals, or a capital elsewhere too."""
    name = match["name"]
    if " " in name or (
        match.start("name") > 0 and text[match.start("name") - 2 : match.start("name")] not in {". ", "- "}
    ):
        return True
    inside = re.search(rf"(?<=[a-z,] ){re.escape(name)}(?![\w])", whole_text)
    verb = (match.groupdict().get("verb") or "is").split()
    strong = verb[0] != "to" and verb[-1] not in _WEAK
    if name.isupper() and len(name) <= _ACRONYM:
        inside = None  # stands for a thing as often as for a firm
    known = inside or strong or not (name.istitle() or (name.isupper() and len(name) <= _ACRONYM))
    return bool(known) and not re.search(rf"\b{re.escape(name.lower())}\b", whole_text)


def _shorten(names: dict[str, str], whole_text: str) -> None:
    """Add the first word of a name, and its initials, where the text goes on with them alone."""
    for whole in dict.fromkeys(names.values()):
        words = whole.split()
        if len(words) < 2 or not whole.isascii():
            continue
        initials = "".join(word[0] for word in words)
        for short in (words[0], initials):
            rest = "" if short == initials else rf"(?! {re.escape(words[1])})"
            alone = re.search(rf"(?<![\w]){re.escape(short)}(?![\w]){rest}", whole_text)
            if (
                alone
                and len(short) >= 3
                and short.lower() not in _no_names()
                and names.get(plain(short), short) == short
            ):
                names[plain(short)] = whole


@functools.cache
def _flows() -> frozenset[str]:
    """Return the words of what a firm earns and spends, with which a name does not end."""
    known = lexicon.quantity_words().items()
    return frozenset(word for word, key in known if key in lexicon.words("flows") and " " not in word)


@functools.cache
def _no_names() -> frozenset[str]:
    """Return the words that are no name of a firm: common ones, places, and what is measured or counted."""
    measured = lexicon.quantity_words()
    every = {*lexicon.words("no_names"), *lexicon.words("places"), *measured, *lexicon.count_words()}
    every |= {word.split()[0] for word in measured if word.isascii()}
    every |= {word for word in BEFORE if word.isascii() and word.isalpha()}
    return frozenset(every | {*lexicon.words("sorts"), *lexicon.words("other_sorts")})


def _surnames(whole_text: str) -> frozenset[str]:
    """Return the last names of people who speak in a text, which alone name no firm: ``Jensen Huang says``, ``Huang's``."""
    speech = "|".join(sorted(_SPEECH))
    return frozenset(m[1] for m in re.finditer(rf"\b[A-Z][a-z]+ ([A-Z][a-z]+) (?:{speech})\b", whole_text))


def _add(names: dict[str, str], short: str, whole: str) -> None:
    """Add a firm by its short and its whole name, unless the word list has it or it is no name."""
    words = whole.split()
    if words and words[0].lower().strip(".") in lexicon.words("people"):
        return
    while words and words[0].lower() in lexicon.words("no_names"):
        words, short = words[1:], " ".join(short.split()[1:])
    led = [i for i, word in enumerate(words[:3], 1) if _LED.search(word)]
    if led:
        words, short = words[led[-1] :], " ".join(short.split()[led[-1] :])
    while words and _PERIOD.fullmatch(words[-1]):
        words, short = words[:-1], " ".join(w for w in short.split() if not _PERIOD.fullmatch(w))
    office = next((i for i, word in enumerate(words) if word.lower().strip(".,") in lexicon.words("people")), 0)
    if office:
        words, short = words[:office], " ".join(short.split()[:office])
    while words and (place := _place(words)):
        words, short = words[place:], " ".join(short.split()[place:])
    whole = " ".join(words)
    if words and words[-1].lower() in _flows():
        return
    if not whole or len(short) < 2 or all(word.lower().strip(".,") in _no_names() for word in short.split()):
        return
    if plain(whole) in lexicon.words("segments"):
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


_PERIOD = re.compile(r"Q[1-4]|[1-4]Q(?:\d\d)?|[12]H(?:\d\d)?|H[12]|FY\d*|CY\d*")
"""A period, which headings have right behind a name: ``Vindhya Datacom Q3 FY26``."""
_LED = re.compile(r"-(?:based|backed|listed|owned|led|controlled|funded)$")
"""What ends a word, or several, of where a firm is or whose: ``Hong Kong-listed``."""


def _place(words: Sequence[str]) -> int:
    """Return how many words at the beginning of a name are a place in the possessive, or all of it a place."""
    for count in range(min(3, len(words)), 0, -1):
        lead = " ".join(words[:count]).lower()
        if lead.removesuffix("'s") in lexicon.words("places") and (lead.endswith("'s") or count == len(words)):
            return count
    return 0
