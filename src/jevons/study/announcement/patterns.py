"""Patterns of figures in plain text: money, prices, percentages, multiples, power, accelerators, periods and dates."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re

from jevons.study.announcement import lexicon
from jevons.study.announcement.numerals import DIGITS, NUMBER, ZH
from jevons.units import CURRENCIES, SCALE_LETTERS, SIGNS

SEP = r"\s?(?:-|–|—|−|~|～|to|至|到|乃至|and)\s?"
UNKNOWN_CROWNS = "crowns"
"""Unit of an amount in crowns where the text does not say whose."""
_CODES = {
    code.lower(): code
    for code in (
        *CURRENCIES, "CHF", "CAD", "AUD", "SGD", "TWD", "MYR", "IDR", "THB", "VND", "BRL", "SEK", "NOK", "DKK", "PLN", "ILS",
        "QAR", "KWD", "ZAR", "CZK", "HUF", "MXN", "OMR", "BHD", "PHP", "NZD",
    )
}  # fmt: skip
"""Currencies by their codes, which stand on either side of an amount; those that are words too are left out."""
BEFORE = {
    **_CODES,
    **{sign.lower(): currency for sign, currency in SIGNS.items()},
    "新台币": "TWD", "台币": "TWD", "港币": "HKD", "港元": "HKD", "美元": "USD", "日元": "JPY", "韩元": "KRW", "欧元": "EUR", "英镑": "GBP", "¥人民币": "CNY",
    "eur€": "EUR", "rmb": "CNY", "nt$": "TWD",
    "¥": "CNY", "人民币": "CNY", "s$": "SGD",
    "rs.": "INR", "rs": "INR", "sr": "SAR", "dh": "AED", "cn¥": "CNY", "jp¥": "JPY", "円": "JPY",
    "c$": "CAD", "a$": "AUD", "rm": "MYR",
    "r$": "BRL",
}  # fmt: skip
AFTER = {
    **_CODES,
    "美元": "USD", "刀": "USD", "美刀": "USD", "norwegian crowns": "NOK", "swedish crowns": "SEK", "danish crowns": "DKK", "czech crowns": "CZK", "crowns": UNKNOWN_CROWNS, "美金": "USD", "us dollars": "USD", "u.s. dollars": "USD", "dollars": "USD",
    "dollar": "USD", "人民币": "CNY", "元人民币": "CNY", "元": "CNY", "块钱": "CNY", "块": "CNY", "yuan": "CNY", "rmb": "CNY",
    "renminbi": "CNY", "chinese yuan": "CNY", "港元": "HKD", "港币": "HKD",
    "hong kong dollars": "HKD", "欧元": "EUR", "euros": "EUR", "日元": "JPY", "円": "JPY", "yen": "JPY",
    "韩元": "KRW", "won": "KRW", "卢比": "INR", "rupees": "INR", "里亚尔": "SAR", "riyals": "SAR", "dirhams": "AED", "迪拉姆": "AED", "新台币": "TWD", "英镑": "GBP",
    "€": "EUR", "£": "GBP", "pounds": "GBP", "pounds sterling": "GBP",
    "saudi riyals": "SAR", "francs": "CHF", "法郎": "CHF", "canadian dollars": "CAD",
    "加元": "CAD", "australian dollars": "AUD", "澳元": "AUD", "singapore dollars": "SGD", "新加坡元": "SGD", "新元": "SGD",
    "ringgit": "MYR", "林吉特": "MYR", "日圆": "JPY", "韩圆": "KRW", "印度卢比": "INR", "indian rupees": "INR", "krona": "SEK",
    "euro": "EUR", "新台币元": "TWD", "rials": "OMR", "omani rials": "OMR", "qatari riyals": "QAR", "dinars": "KWD", "lira": "TRY",
    "kronor": "SEK", "kroner": "NOK", "zloty": "PLN", "zlotys": "PLN", "zł": "PLN", "krone": "NOK", "rand": "ZAR", "liras": "TRY", "riyal": "SAR", "dirham": "AED", "rupee": "INR", "baht": "THB", "泰铢": "THB", "reais": "BRL", "shekels": "ILS",
}  # fmt: skip
FOREIGN = "|".join(re.escape(word) for word, unit in (BEFORE | AFTER).items() if unit != "CNY" and not word.isascii())
"""Chinese names of other currencies."""
MONIES = frozenset({*BEFORE.values(), *AFTER.values()})
"""Currencies that texts name."""
CENTS = {
    "港仙": 0.01,
    "美分": 0.01,
    "us cents": 0.01,
    "u.s. cents": 0.01,
    "euro cents": 0.01,
    "pence": 0.01,
    "paise": 0.01,
    "halalas": 0.01,
    "fils": 0.01,
    "角钱": 0.1,
    "毛钱": 0.1,
    "角": 0.1,
    "毛": 0.1,
    "分钱": 0.01,
    "厘钱": 0.001,
    "厘": 0.001,
    "cents": 0.01,
    "cent": 0.01,
}
CENTS_OF = {
    "港仙": "HKD", "us cents": "USD", "u.s. cents": "USD", "美分": "USD", "euro cents": "EUR", "pence": "GBP", "p": "GBP", "paise": "INR", "halalas": "SAR", "fils": "AED", "cents": "USD", "cent": "USD",
}  # fmt: skip
"""Currency of small coins; those of China elsewhere."""
PRE = "|".join(
    rf"(?<![a-z]){re.escape(word)}" if word[0].isalpha() and word.isascii() else re.escape(word)
    for word in sorted(BEFORE, key=len, reverse=True)
)
POST = "|".join(
    (r"(?<=[\d万亿千])" if word == "刀" else "")
    + re.escape(word)
    + ("(?![a-z])" if word.isascii() and word.isalpha() else "")
    for word in sorted(AFTER, key=len, reverse=True)
)
CENT = "|".join(
    [
        *sorted(CENTS, key=len, reverse=True),
        r"p(?=\s?(?:per\s|/(?!e(?![a-z]))|an?\s(?:unit|share|kwh|hour)))|(?<=\.\d)p(?![a-z])",
        r"(?<=\d\d\d)p(?=[ .,;)](?![\u4e00-\u9fff]| ?(?:video|resolution|screen)))",
        r"(?<=\d)c(?![a-z\d])",
    ]
)
CENTS["p"] = CENTS["c"] = 0.01
MONEY = re.compile(
    rf"(?P<pre>{PRE})?\s?(?P<a>{NUMBER})(?:(?:\s?(?P<post0>{POST}|{CENT}))?{SEP}(?:{PRE})?\s?(?P<b>{NUMBER}))?"
    rf"(?:\s?(?:多(?![了出近逾超约\d一二三四五六七八九])|余)|(?:(?<=mrd)|(?<=mio)|(?<=mld))\.|\sd['’])?\s?(?P<post>{POST}|{CENT})?(?P<post2>人民币)?"
)
_SHARED = r"[万亿千百十兆]+|million|billion|trillion|mn|bn|tn|crore|lakh crore"
SERIES = re.compile(
    rf"(?P<pre>{PRE})?\s?(?P<values>{DIGITS}(?:\s?(?:[/、]|,\s(?:and\s)?|\sand\s|和|及|与)\s?(?:{PRE})?\s?{DIGITS})+)"
    rf"\s?(?P<scale>{_SHARED})?\s?(?:(?P<money>{POST})|(?P<percent>%|个?百分点|percent)|(?P<fold>倍|x(?![a-z])))?"
)
"""Values that share the unit behind the last: ``28.4/36.1/45.7亿元``, ``$21, $47 and $78 billion``."""
SERIES_SCALED = re.compile(rf"(?P<values>{DIGITS}[万亿]+(?:(?:、|及|和|与){DIGITS}[万亿]+)+)(?P<money>{POST})")
"""The same with a scale of its own for each: ``5.3亿、6.3亿、9.1亿元``."""
RESPECTIVE = re.compile(r"分别|各自?为|依次|respectively|in turn")
"""Words of values that belong to periods or firms one by one."""
FEN = re.compile(rf"(?P<a>{NUMBER})\s?(?:角|毛|分)?(?:{SEP})(?P<b>{NUMBER})\s?(?P<post>分|角|毛)(?P<q>钱)?")
NEGATIVE = re.compile(rf"(?P<pre>{PRE})?\s?\((?P<a>{DIGITS})\)\s?(?P<scale>{_SHARED})?\s?(?P<post>{POST})?")
"""An amount below zero as accounts write it: ``$(45.2) million``, ``人民币(1.2)亿元``."""
PERCENT = re.compile(
    rf"(?P<a>{DIGITS})(?:\s?%)?(?:{SEP}(?P<b>{DIGITS}))?\s?(?:%|percent(?:age points)?|per cent|个百分点|pct|(?P<bp>(?:-?\s?basis[- ]points?|bps?|个?基点)(?![a-z])))"
    rf"|百分之(?P<zh>{ZH})|(?P<cheng>[一二两三四五六七八九])成(?P<tenth>[一二三四五六七八九半])?(?![立为本功交员])"
)
PARTS = {
    "half": 0.5,
    "halves": 0.5,
    "third": 1 / 3,
    "thirds": 1 / 3,
    "quarter": 0.25,
    "quarters": 0.25,
    "fifth": 0.2,
    "fifths": 0.2,
    "tenth": 0.1,
}
"""Parts of a whole by their name."""
PART = re.compile(
    r"(?:by|fell|rose|grew|up|down|lost|gained|slid|dropped|jumped|climbed|shed)\s(?:about |nearly |almost |roughly |more than |over |another |a further )?"
    rf"(?P<part>(?P<n>an?|one|two|three|four)?[ -]?(?P<of>{'|'.join(sorted(PARTS, key=len, reverse=True))}))(?![a-z])"
    rf"|(?P<more>(?P<n2>an?|one|two|three|four)[ -](?P<of2>{'|'.join(sorted(PARTS, key=len, reverse=True))}))(?=\s(?:more|less|higher|lower|above|below|up|down|cheaper|fewer)(?![a-z]))"
    rf"|(?<![至到])(?P<zh>(?P<under>[二三四五十])分之(?P<over>[一二两三四]))"
)
"""A change by a part of the whole: ``fell by a quarter``, 下降三分之一."""
FACTORS = {
    "doubled": 1.0, "doubling": 1.0, "double": 1.0, "tripled": 2.0, "triple": 2.0, "quadrupled": 3.0, "halved": -0.5,
    "腰斩": -0.5, "翻倍": 1.0, "翻番": 1.0, "增加了一倍": 1.0, "增长了两倍": 2.0, "一倍多": 1.0, "减半": -0.5,
}  # fmt: skip
FOLD = re.compile(
    rf"(?:[暴激猛大劲]增|增长|增加|上涨|上升|提升|扩大|提高|飙升|涨|翻)了?(?:超过|逾|超|近|约|至少|了)?\s?(?P<n>{DIGITS}|{ZH}|[几数]十?)\s?(?:多|余)?倍"
    rf"|(?P<m>(?<![\w.]){DIGITS}|two|three|four|five|six|seven|eight|nine|ten|twenty|hundred)[- ]?fold"
    rf"|(?:增至|增加到|扩大到|扩大至|升至|变为|达到?原来的?)(?:近|约|逾|超过?)?(?P<to>{DIGITS}|[一二两三四五六七八九十]+)倍(?!市盈率)"
    rf"|(?:降至|减至|缩减至|压缩至|降到|减少到|缩小到|只有|仅为)(?:原来的?|此前的?|之前的?)?(?:近|约)?(?P<under>[二三四五六七八九十百])分之(?P<over>[一二两三四])"
    rf"|翻了?(?:近|约|逾|超过?)?(?P<fan>[一两二三四])番"
    rf"|(?P<j>twice|(?<![\w.]){DIGITS}(?= times)|(?:two|three|four|five|six|seven|eight|nine|ten|twenty)(?= times))(?: times)? (?:as much as |as many as )?(?:(?:that|those|the (?:level|number|amount|figure|total)) )?(?:of )?(?=(?:last year|a year (?:ago|earlier|before)|the (?:year|quarter) before|the (?:previous|prior) (?:year|quarter))(?:'s)?(?![a-z]))"
    rf"|(?:同期|去年|上年|年初|此前|之前|原来|20\d\d年|上一?[年季])的?(?:约|近|超过|逾)?(?P<k>{DIGITS}|{ZH})倍"
)
"""Growth by a factor: ``增长10倍`` adds ten times, ``tenfold`` makes it ten times."""
LOW_TEENS = re.compile(
    r"(low|mid|high)[- ](?:double[- ]digits?|teens)(?: percentage| percent)?|(低|中|高)(?:两|双)位数(?:百分比)?"
)
FACTOR = lexicon.words_pattern(FACTORS)
MULTIPLE = re.compile(
    rf"(?P<a>{DIGITS}|{ZH})\s?(?:times|x|×|-times)\s?(?:(?:the|our|its|their|his|her|my)\s)?(?P<year>(?:fy|cy)?20\d\d(?:e|f)?\s|(?:fy|cy|['’])\d\d(?:e|f)?\s|(?:next|this) year's\s)?(?:forward\s|trailing\s|expected\s|estimated\s|projected\s|consensus\s)?"
    rf"(?:earnings|profits?|p/e|eps)"
    rf"|(?<![a-z])(?:p/?e|price[- ]to[- ]earnings|price[- ]earnings|multiple)(?![a-z])(?:\s(?:ratio|multiple))?\s?(?:of|at|is|was|:)?\s?"
    rf"(?:about|around|roughly|only|just|just over|nearly)?\s?(?P<b>{DIGITS})(?:\s?x|\s?times)?"
    rf"|(?:市盈率|pe|本益比)(?:[(（][^)）\d]{1, 8}[)）])?(?:超过|逾|约|仅|为|是|在|达|只有|大约|近)*\s?(?P<c>{DIGITS}|{ZH})\s?倍"
    rf"|(?P<d>{DIGITS}|{ZH})\s?倍(?:的)?(?:动态|静态|远期|预期|预测|前瞻|滚动)?(?:市盈率|pe(?![a-z])|本益比|p/e)"
)
_OF_WHAT = (
    r"(?:(?:forward|trailing|ntm|ltm|next year's|this year's|(?:cy|fy)?(?:20)?\d\d)e?\s)?"
    r"(?:(?P<ev{n}>ev/(?:(?:cy|fy)?(?:20)?\d\de?[ -])?ebitda|ebitda|企业价值倍数)|(?P<sales{n}>ev/(?:(?:cy|fy)?(?:20)?\d\de?[ -])?(?:sales|rev(?:enue)?)|p/?s|price[- ]to[- ]sales|sales|revenues?|市销率)"
    r"|(?P<book{n}>p/?b|price[- ]to[- ]book|book(?: value)?|nav|市净率))(?![a-z])"
)
OTHER_MULTIPLE = re.compile(
    rf"(?<!\w)(?P<a>{DIGITS})\s?(?:times|x|×|倍)的?\s?(?:(?:its|the|our|their)\s)?{_OF_WHAT.replace('{n}', '1')}"
    rf"|(?<![a-z]){_OF_WHAT.replace('{n}', '2')}(?:\s(?:ratio|multiple))?(?:\s?(?:of|at|is|was|:|about|around|约|仅|为|是|在|达|只有))*\s?(?P<b>{DIGITS})\s?(?:x(?![a-z])|×|倍)"
)
"""A multiple of something else than earnings: ``11x EV/EBITDA``, ``0.9x book``, 市销率6倍."""
OTHER_WORDS = {
    "price_sales": re.compile(r"(?<![a-z])(?:p/?s|ev/sales)(?![a-z])|市销率"),
    "price_book": re.compile(r"(?<![a-z])p/?b(?![a-z])|市净率"),
    "ev_ebitda": re.compile(r"ev/ebitda|企业价值倍数"),
}
"""Words right before a list of multiples that are of something else than earnings."""
MULTIPLE_WORD = re.compile(r"(?<![a-z])(?:p/?e|multiples?)(?![a-z])|市盈率|本益比|估值")
"""Words of a multiple of earnings."""
BARE_MULTIPLE = re.compile(
    rf"(?<![a-z0-9.$]){DIGITS}\s?(?:x|×|倍)(?![a-z\d_倍]|\s?\d|\s(?:(?:forward|trailing|ntm|ltm|cy\d\d|fy\d\d|20\d\d)e?\s)?(?:ev|revenue|sales|ebitda|ebit|book|nav|fcf|p/b|p/s|faster|more)(?![a-z])|的?(?:市销率|市净率|账面|营收|收入|ev))"
)
"""``18x``, which is a multiple where the sentence speaks of earnings."""
VALUED = re.compile(r"(?<![a-z])(?:fair|multiple|undervalued|overvalued|trades?|trading)(?![a-z])|合理|市盈率")
CHIPS = re.compile(
    rf"(?P<a>{NUMBER})(?:{SEP}(?P<b>{NUMBER}))?(?:余|多)?\s?[颗基块张片枚](?!卫星|星|心|地|础|于|金|建|钱)"
)
POWER = re.compile(
    rf"(?P<a>{NUMBER}|(?<![a-z])an?(?= (?:gigawatt|gw|megawatt)(?!s?[a-z]| (?:costs?|takes?|needs?|is worth)(?![a-z]))))(?:[ -]?(?P<unit0>gigawatts?|megawatts?|gw|mw|吉瓦|兆瓦)(?![a-z]))?(?:{SEP}(?P<b>{NUMBER}))?[ -]?(?P<unit>gigawatts?|megawatts?|gw|mw|吉瓦|兆瓦)(?![a-z])(?!h)"
)
POWER_UNITS = {"g": SCALE_LETTERS["G"], "m": SCALE_LETTERS["M"], "吉": SCALE_LETTERS["G"], "兆": SCALE_LETTERS["M"]}
MAKERS = (
    r"(?:\s|-|nvidia'?s?|google'?s?|amazon'?s?|intel|cerebras|groq|broadcom|英伟达|谷歌|亚马逊|的|amd|huawei|华为|升腾|昇腾|ascend|寒武纪|思元|昆仑芯?|kunlun|trainium ?\d?|inferentia ?\d?|ironwood|maia ?\d*|mtia|(?!gb\d|b[23]00|h\d|a[18]00|mi3|l[24]0|910)[a-z]{0,2}\d{3,4}[a-z]{1,2}(?![a-z\d])|(?!gb\d|b[23]00|h\d|a[18]00|mi3|l[24]0)[a-z]{1,2}\d{3,4}(?![a-z\d])|grace|vera|hopper|blackwell|rubin|superchips?|gpu|ai|advanced|high-end|liquid-cooled|additional|"
    r"more|most|of|its|the|latest|newest|own|powerful|cutting-edge|top-end|state-of-the-art|高端|最先进|先进|最新|尖端|顶级|国产|智能|人工智能|加速)*"
)
DEVICE_WORD = r"(?:gb300s?|gb200s?|b300s?|b200s?|h200s?|h100s?|h800s?|h20s?|a100s?|a800s?|910cs?|910bs?|mi3\d\dxs?|l20s?|l40s?|rtx ?\d{4}s?)"
DEVICES = re.compile(
    rf"(?<![a-z$€£¥₹])(?P<a>{NUMBER})(?:{SEP}(?P<b>{NUMBER}))?(?:余|多)?[ -]?(?:张|块|枚|颗|片|个|基)?{MAKERS}"
    rf"(?:(?P<kind>{DEVICE_WORD})(?:[\s-]*(?:gpus?|cards?|chips?|accelerators?|卡|芯片|显卡))?"
    rf"|(?P<plain>gpus?|cards|chips|accelerators|tpus?|xpus?|superchips|算力卡|加速卡|显卡|卡|芯片|昆仑芯|昇腾|升腾|思元))(?![a-z]*d)"
)
_MACHINE = r"(?:racks?|servers?|nodes?|systems?|machines?|hosts?|boxes)"
MACHINES = re.compile(
    rf"(?P<n>{NUMBER})\s?(?:余|多)?\s?(?:[台个套组]|机柜)\s?(?:服务器|节点|机器|机柜|整机)?\s?"
    rf"(?:[x×*]\s?|[,，]?\s?每[台个套组](?:配备|搭载|配置|装有|装|配|有|含)?\s?)?"
    rf"(?P<k>{DIGITS}|[一二两三四五六七八九十]+)\s?(?:张|块|枚|颗|片)?\s?(?:{MAKERS}(?P<kind>{DEVICE_WORD}))?\s?(?:卡|gpu|加速卡|芯片)?"
    rf"(?:{MAKERS}(?P<kind2>{DEVICE_WORD}))?"
    rf"|(?P<n2>{NUMBER})\s{_MACHINE},?\s?(?:x|×|\*|of|(?:each\s)?(?:with|holding|having|containing|carrying)|each of)\s?"
    rf"(?P<k2>{DIGITS}|two|four|eight|sixteen|seventy-two)[ -]?{MAKERS}(?:(?P<kind3>{DEVICE_WORD})(?:[\s-]*(?:gpus?|cards?|chips?|accelerators?))?"
    rf"|(?:gpus?|cards?|chips?|accelerators?|tpus?)(?:\s(?:of\s)?{MAKERS}(?P<kind4>{DEVICE_WORD}))?)(?:\seach)?"
    rf"|(?P<n3>{NUMBER})\s(?P<k3>4|8|16|72|four|eight)[- ](?:gpu|card|way)\s{MAKERS}(?P<kind5>{DEVICE_WORD})?\s?{_MACHINE}"
)
"""Machines times accelerators of each: ``512台×8卡``, ``120 racks of 72 GB300s``, ``64 eight-GPU H100 servers``."""
PER_TOKENS = re.compile(
    r"(?:in|out|input|output)?\s?(?:per|/|a|every)\s?(?P<en>1m|million|m|1k|thousand|k|1,000|1 million)?\s?(?:input\s|output\s)?tok(?:ens?)?"
    r"|(?:/|每)?\s?(?P<zh>百万|千|万|1m|1k|m|k)\s?个?\s?(?:输入|输出)?\s?tokens?|每tokens?"
)
PER_MILLION_OF = re.compile(r"\s?(?:per|/|a|every)\s?(?:1m|1 million|million)(?=\s?(?:[,.;:)]|$|and |or |for |from ))")
"""Per million of what the words before name."""
PER_SHARE = re.compile(r"per (?:ads|share|american depositary)|a share|每股|/股|每ads|per ads")
QUALIFIERS = (
    ("at_most", re.compile(r"(?:(?:not|never|n't)\s(?:be\s)?(?:exceed(?:ing)?|more than|over|above|top|surpass)|不会?超过|不得超过|不会?高于)\s?$")),
    ("at_least", re.compile(r"(?:(?<!no )more than|over|above|at least|exceed(?:s|ing)?|upwards of|no less than|north of|(?<!不)超过|(?<!不)超|逾|至少|不低于|不少于|以上的?|(?<!不)高于|突破)\s?$")),
    ("at_most", re.compile(r"(?:up to|as much as|as many as|at most|no more than|(?<!no )less than|under|below|maximum of|最多|高达|至多|不超过|不高于|最高|(?<!不)低于)\s?$")),
    ("about", re.compile(r"(?:about|around|approximately|roughly|some|nearly|almost|close to|an estimated|约|近|将近|接近|大约|约为|左右)\s?$")),
)  # fmt: skip
BOUNDS = re.compile(
    r"(?:(?:more|less|higher|lower|greater|fewer) than|no less than|up to|over|above|below|under|超过|逾|近|约|不到)\s?$"
)
"""Bounds of a change, which are no direction."""
AFTERWARDS = (
    ("at_least", re.compile(r"\s?(?:以上|or more|\+|及以上)")),
    ("about", re.compile(r"\s?(?:左右|上下|or so)")),
)
EN_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
MONTHS = {
    name: i
    for i, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
YEAR = r"(?<!\d)(?:19|20)\d{2}"
DATES = re.compile(
    rf"(?P<y1>{YEAR})[-/.](?P<m1>\d{{1,2}})[-/.](?P<d1>\d{{1,2}})(?!\d)"
    rf"|(?:(?P<y2>{YEAR})年)?(?P<m2>\d{{1,2}})月(?P<d2>\d{{1,2}})日"
    rf"|(?P<mon3>{EN_MONTHS})\.?\s(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<y3>{YEAR})(?!\d))?(?!\d|,\d)"
    rf"|(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s(?P<mon4>{EN_MONTHS})\.?(?:\s(?P<y4>{YEAR}))?"
    rf"|(?P<y5>{YEAR})年(?P<m5>\d{{1,2}})月|(?P<mon6>{EN_MONTHS})\.?\s(?P<y6>{YEAR})"
)
_OF_YEAR = r"的?\s?(?:pe|p/e|eps|市盈率|[净纯]利|利润|营收|收入|归母|归属|毛利|现金流|出货|产能|估值|ps(?![a-z])|市销率|每股|业绩|盈利|capex|资本开支|[一二三四]季|上半年|下半年|全年)"
"""What follows a year of two digits."""
PERIODS = re.compile(
    rf"fiscal (?:year )?q(?P<fq1>[1-4]),?\s?(?P<fqy1>{YEAR})|q(?P<fq2>[1-4])\s?(?:of\s)?(?:fy|fiscal(?: year)?)\s?(?P<fqy2>{YEAR}|\d{{2}})(?!\d)"
    rf"|(?:fy|fiscal(?: year)? )(?P<fqy5>{YEAR}|\d{{2}}),?\s?q(?P<fq5>[1-4])|fiscal (?P<fqw2>first|second|third|fourth) quarter(?: of)? (?P<fqy6>{YEAR})"
    rf"|(?P<fqw>first|second|third|fourth)[- ]quarter(?: of)? (?:fy|fiscal(?: year)?)\s?(?P<fqy3>{YEAR})|(?P<fqy4>{YEAR})财年第?(?P<fq4>[一二三四1-4])财?季度?"
    rf"|(?:between\s|from\s)?(?:fy|fiscal(?:\syears?)?|financial years?)\s?(?P<fyr1>{YEAR})\s?(?:-|–|—|to|and|through|until)\s?"
    rf"(?:fy|fiscal(?:\syear)?|financial year)?\s?(?P<fyr2>{YEAR})(?!\d)"
    rf"|(?:fy|fiscal(?:\s?year)?|financial year)\s?(?P<fy>{YEAR}|\d{{2}})(?!\d)|(?<![a-z])cy\s?(?P<cy>{YEAR}|\d{{2}})(?!\d)|(?P<fy2>{YEAR}|\d{{2}})(?:财年|财政年度|fiscal)"
    rf"|(?P<yq>{YEAR})[年-]?\s?(?:q(?P<q1>[1-4])|第?(?P<q2>[一二三四1-4])季度?)|q(?P<q3>[1-4])\s?(?P<yq3>{YEAR})"
    rf"|(?<![a-z\d])(?P<q6>[1-4])q\s?(?:20)?(?P<yq6>\d\d)(?!\d)|(?<![a-z\d])q(?P<q7>[1-4])['’-](?:20)?(?P<yq7>\d\d)(?!\d)"
    rf"|(?P<mq>march|june|september|december)[- ]quarter(?: of)?,? (?P<yq5>{YEAR})"
    rf"|(?P<qw>first|second|third|fourth)[- ]quarter(?: of)? (?:(?:fiscal )?(?P<yq4>{YEAR}))"
    rf"|(?P<y1>{YEAR})\s?(?:-|–|—|~|to|至|到)\s?(?P<y2>{YEAR})"
    rf"|(?:from|从)?\s?(?P<y3>{YEAR})年?\s?(?:to|until|到|至|through|-|–|—|~)\s?(?P<y4>{YEAR})年?"
    rf"|between\s(?P<y5>{YEAR})\s?and\s(?P<y6>{YEAR})"
    rf"|(?:by|through|until)\s(?:the end of\s)?(?:fiscal\s(?:year\s)?)?(?P<by>{YEAR})|到(?P<by2>{YEAR})年(?:底|末)?"
    rf"|(?P<half>{YEAR})年(?P<h>上半年|下半年)"
    rf"|(?P<year>{YEAR})(?![\d万亿千百多余]|,\d)年?(?P<end>末|底|初|年底)?"
    rf"|(?<![\d.])(?P<s1>2[3-9]|3[0-5])\s?(?:-|–|—|~|至|到)\s?(?P<s2>2[3-9]|3[0-5])年(?={_OF_YEAR})"
    rf"|(?<![\d.])(?P<short>2[3-9]|3[0-5])年(?={_OF_YEAR})"
)
QUARTER = re.compile(
    r"(?<!连续)(?<!连续第)(?<!\d年)(?<!年)(?<!\d)第?(?P<zh>[一二三四1-4])财?季(?:度|报)?(?![\d节])|(?P<head>首)季度?|(?:fiscal )?(?P<word>first|second|third|fourth)[- ](?:fiscal )?quarter"
    r"|(?<![a-z])q(?P<q>[1-4])(?![a-z\d_])|(?P<month>march|june|september|december)[- ]quarter"
    r"|(?<![a-z])(?P<short>mar|jun|sept?|dec)[ -]?(?:q|qtr|quarter)(?![a-z])"
)
"""A quarter without a year."""
QUARTER_ENDS = {"march": 3, "june": 6, "september": 9, "december": 12}
TICKER = re.compile(
    r"(?<![\d:])\d{1,2}:\d{2}(?![\d:])|(?:证券|股份|公司)代码[:：]?\s?\d{4,6}|(?<=[(（])0\d{4}(?=[)）])|(?<=[\u4e00-\u9fff][(（])(?!(?:19|20)\d\d[)）])\d{4,6}(?=[)）])|(?<!\d)\d{4,6}\.(?:hk|sz|ss|sh|tw|ks|ns|bo|sr)(?![a-z])|(?<=[(（])\d{1,6} (?:hk|ch|tt|jp|jt|ks|in|us)(?=[)）])"
    r"|(?:nyse|nasdaq|nse|bse|sehk|hkex|tyo|tse|港股代码|股票代码|港交所|纽交所|纳斯达克|上交所|深交所|上海证券交易所|深圳证券交易所|香港联交所)[:：]\s?[a-z\d.]+"
)
"""A share's code, or the time of a day, whose digits count nothing."""
SPAN = re.compile(
    rf"(?P<next>(?:over|in|within|during|for)\s(?:the\s)?(?:next|coming|following)?\s?(?:about\s|around\s|roughly\s|some\s|approximately\s|nearly\s|up to\s)?|the next |next |未来|今后|接下来|后续|将来)?"
    rf"(?P<n>{DIGITS}|{ZH}|one|two|three|four|five|six|seven|eight|nine|ten)[ -]?(?:full |fiscal |financial |calendar )?(?P<unit>years?|个?财年|年|quarters?|qtrs?|个季度|months?|个月)"
    rf"(?P<tail>(?:间|内|期|来|里|以来|plan|period)?)(?![月代度]|\d{1, 2}月|[- ]old(?![a-z])|历史)"
)
DECADE = re.compile(r"(?:over |in |during )?(?P<when>next|coming|past|last|previous)?\s?decade")
ANNUAL = re.compile(
    r"每年|年均|annually|(?:per|a|each|every) year(?! (?:earlier|ago|before|prior))|yearly|per annum|/年|/year"
)
AGO = re.compile(
    r"[,，]?\s?(?:(?:in|for)\s)?(?:(?:a|one) year (?:earlier|ago|before|prior)|the (?:same|year-ago|prior-year|year-earlier) (?:period|quarter)"
    r"(?: (?:a|one|of the prior|of last|last) year(?: (?:ago|earlier|before))?)?|the (?:previous|prior) year)"
)
"""What stands behind a figure of the same period a year before."""
AGO_ZH = re.compile(r"(?:上年同期|去年同期|上年度?同期|前一年同期)[^,，;；。增升降跌减长滑涨扩缩翻高低快慢]{0,10}$")
"""The same before it."""
COUNT = re.compile(
    rf"(?<![a-z0-9.,-])(?P<a>{NUMBER})(?:[个次]?{SEP}(?P<b>{NUMBER}))?(?:余|多)?\s?(?P<measure>个|家|座|名|位|款|台|所|次|架|套|辆|件|户|栋|条|组|枚)?"
)
PLANNED = re.compile(
    r"plan|will |^(?:[\w&-]+ ){1,4}to (?:set up|build|invest|buy|raise|open|launch|deploy|acquire|sell|issue) |(?<![a-z])board (?:[a-z]+ ){0,3}approv(?:es|ed) |'ll |expect(?!ation)|guid|outlook|forecast|target|intend|aims?\s|pledg|commits?\s|to invest|to spend|(?<![a-z])budgets?(?![a-z])|proposed|pipeline|reiterat|should |heading for|(?<![a-z])sees? |anticipat|on track|on course|set to |poised|"
    r"预计|(?<![高低])估(?![值算量计])|(?<![资材原燃饮塑])料(?![理号])|计划|将|拟|目标|(?<![超于及合])预期|指引|展望|打算|规划|承诺|预算[为約约是](?!的)"
)
"""Words of what is to come."""
CONDITIONAL = re.compile(
    r"(?<![a-z])(?:if|could|considering|weighing|mulling|(?<!in )(?<!by )(?<!since )(?<!of )(?<!last )(?<!until )(?<!from )(?<!this )may(?! \d)|might|would|subject to|pending|provided that|potentially)(?![a-z])|若|如果|如(?=美|获|进|需)|一旦|有望|可能|或将|倘|假如|获批"
)
"""Words of what happens only in some case."""
FROM_TO = re.compile(r"(?:from|由|从)\s?$")
TO_MONEY = re.compile(rf"(?:to|至|到)\s(?:between\s|a range of\s)?(?:{PRE})\s?\d")
MOVED = re.compile(
    rf"{lexicon.pattern('rise').pattern}|{lexicon.pattern('fall').pattern}"
    r"|(?<![a-z])(?:goes|go|went|gone|moves?|moved|shift(?:s|ed)?|swung|swings)(?![a-z])|变为|变成|转为"
)
"""Words of what has moved from one level to another."""
RANGING = re.compile(r"(?<![a-z])(?:rang(?:e|es|ed|ing)|anywhere|between)\s(?:from\s)?$|区间[^,，]{0,4}$")
FORMER = re.compile(
    r"(?:from|由|从|[(（]was|[(（]原为?|previous(?:ly)?|原(?:来|先)?的?|此前的?|compared with|versus|vs\.?|earlier|prior)\s?"
    r"(?:its |the |an? |(?:last|the previous|the prior) year's |上年度?的?|去年的?|上年同期的?|去年同期的?)?(?:low|mid|high)?-?(?:prior |previous |earlier |original |initial )?"
    r"(?:outlook |range |guidance |forecast |target |estimate )?"
    r"(?:of |between |about |around |range of )*$"
)
"""What stands before the level that something has left."""
