"""Firms where a sentence names them: those that act, those that something is compared with, and other parties."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jevons.study.announcement import lexicon
from jevons.study.announcement.text import Sentence

_THAN = re.compile(
    r"(?:than|exceed\w*|surpass\w*|versus|topp(?:ed|ing)|超过|反超|超越|高于|低于|高出|低出|多于|少于|不及|不如|优于|接近|相比|传闻中的)[^,，]{0,10}$"
)
_LIKE = re.compile(
    r"(?:(?:prices?|costs?|size|scale|half|rates?|level|that) of|unlike|such as|rivals?|competitors?|peers?|similar to|"
    r"same as|compared (?:with|to)|比肩|对标|类似|不同于|竞争对手)(?: the)?\s?$"
)
_DEAL = re.compile(r"(?:'s)?,? (?:contracts?|deals?|agreements?|orders?|partnership|合同|订单|协议)")
_OWNER = re.compile(
    r"(?:\s?[(（][^)）]{2,20}[)）])?[)）]?"
    r"(?:[-– ](?:backed|owned|led|controlled|funded)(?![a-z])|旗下的?(?=[a-z\u4e00-\u9fff])|支持的|控股的)"
)
"""What follows the owner of the firm that is spoken of."""
_OBJECT = re.compile(
    r"(?:(?<![a-z])(?:of|with|for|from|to|by|in|into|at|under|against|via|through|on|like|alongside|owns|acquire[sd]?|supply|supplies)"
    r"(?: (?:the|rival|partner|customer|startup|start-up))?|与|和|向|对|给|由|被|从|(?<!宣布)在|为|跟|来自|持有|采购|购买|(?<![a-z])of (?:it|them|that|which))\s?$"
)
_MADE_BY = re.compile(
    r"(?:['’]s|的)?\s?(?:(?:latest|newest|new|ai|grace|hopper|blackwell|rubin|vera|ascend|instinct|trainium|最新|高端|人工智能)\s?(?:的)?\s?){0,3}"
    r"(?:gpus?|chips?|cards?|accelerators?|processors?|tpus?|[a-z]{1,2}\d{2,3}[a-z]*|9\d0[a-z]?|hopper|blackwell|rubin|芯片|显卡|加速卡|算力卡|昇腾|升腾)(?![a-z])"
)
_THINGS = re.compile(
    r"(?:[\d万亿千张块颗片枚台]|(?<![a-z])(?:thousand|million|of|more|latest|new|additional|using|on|with|its|buy|buys|bought|for|advanced)|采购|购买|部署|使用|基于|搭载|的)\s?(?:the )?$"
)
"""What follows, and what precedes, the maker of accelerators that another firm has."""
_OWN = frozenset(
    {"capital expenditure", "capital expenditures", "capital spending", "capex", "spending", "revenue", "revenues", "sales", "net income",
     "net profit", "operating income", "operating profit", "backlog", "run rate", "free cash flow", "earnings per share"}
)  # fmt: skip
"""Quantities that a firm has: what stands behind ``of`` is then who has it."""
_OF_QUANTITY = re.compile(r" (?:of|at|by|for|from)(?: the)?\s?$")
JOINED = re.compile(r"\s?(?:,|、|&|and|or|和|与|及|以及|, and)\s?")
_PARTNERS = re.compile(
    r"(?:(?:,| and|、|和|及|与) ?[\w.' ]{1,16}?){0,4}(?:'s)? ?(?:contracts|deals|agreements|合同|订单)(?! (?:with|to|for))"
)
"""What follows firms whose contracts are spoken of, as another firm's."""
_ITSELF = rf"(?:the|this) (?:[a-z-]+ ){{0,3}}?(?:{'|'.join(lexicon.words('sorts'))})"
"""The firm that is spoken of, by what it is: ``the Abu Dhabi operator``."""
_PRONOUN = re.compile(
    rf"(?<![a-z])(?:{_ITSELF}|"
    r"(?:the|its|their) (?:shares?|stock)|"
    r"it(?!self| (?:is|was) (?:the|a|not|un))|its|they|their|we|our|management)(?![a-z])"
    r"|本?公司|我们|本?集团|该股|其股|股价|管理层|(?<![与及尤极])其(?![中他它余次后间实])|该(?:公司|企业|集团|厂|股)"
)


_COMPANY = re.compile(rf"{_ITSELF}|the (?:shares?|stock)|management|本?公司|本?集团|该股|股价|管理层")


@dataclass(frozen=True, slots=True)
class Mention:
    """A firm named at a place of a sentence; *end* is where its name ends."""

    start: int
    firm: str
    end: int = 0


def role_of(firm: str) -> str:
    """Return the role of a firm; empty where there is none."""
    known = lexicon.firm(firm)
    return "" if known is None else known.role


def mentions(plain: str, stated: Mapping[str, str] | None = None) -> list[Mention]:
    """Return the firms that a plain sentence names, in their order, with those that its text *stated*."""
    names = lexicon.firm_names()
    named = [
        Mention(m.start(), names[re.sub(r"\s+", " ", m[0])], m.end())
        for m in lexicon.firm_pattern().finditer(plain)
        if not _other_party(plain, m)
    ]
    if stated:
        named += [
            Mention(m.start(), stated[re.sub(r"\s+", " ", m[0])], m.end())
            for m in lexicon.words_pattern(stated).finditer(plain)
            if not _other_party(plain, m)
        ]
    return sorted(named, key=lambda mention: mention.start)


def _other_party(plain: str, match: re.Match[str]) -> bool:
    """Return whether a name is the other side of a contract, or a yardstick such as ``half the price of``."""
    deal = _DEAL.match(plain, match.end()) and re.search(r"(?:^|\bthe |\ban? |与|和)$", plain[: match.start()])
    made = _MADE_BY.match(plain, match.end()) and _THINGS.search(plain[: match.start()])
    like = _LIKE.search(plain[max(0, match.start() - 24) : match.start()])
    rival = re.search(
        r"(?:^|[,，。;；:：]\s?)(?:its |the |their )?(?:rivals?|competitors?|peers?|竞争对手)\s?$",
        plain[: match.start()],
    )
    return bool(deal or made or _OWNER.match(plain, match.end()) or (like and not rival))


def compared(plain: str, mention: Mention) -> bool:
    """Return whether a firm stands only as what something is compared with."""
    return bool(_THAN.search(plain[max(0, mention.start - 14) : mention.start]))


def is_object(plain: str, named: Sequence[Mention], mention: Mention) -> bool:
    """Return whether a firm is the other party of what is said: who is given, paid, owned, supplied or compared with.

    ``Capex of Meta`` and ``revenue at Oracle`` are Meta's and Oracle's; ``27 % of OpenAI`` is not OpenAI's.
    """
    lead = plain[: mention.start]
    if _RESULTS_OF.match(plain, mention.end):
        return False
    if _has_thing(plain, named, mention):
        return True
    if compared(plain, mention) or _PARTNERS.match(plain, mention.end):
        return True
    earlier = [m for m in named if m.end <= mention.start]
    if earlier and earlier[-1].firm != mention.firm and JOINED.fullmatch(plain, earlier[-1].end, mention.start):
        return is_object(plain, named, earlier[-1]) or bool(re.search(r"[与和]$", lead) and _DEAL_ZH.search(plain))
    if _DOES.match(plain, mention.end) and re.search(r"(?<![a-z])with\s$", lead):
        return False
    if _second(plain, named, mention):
        return True
    if not _OBJECT.search(lead[-24:]) or (lead.endswith("由") and _DOES_ZH.match(plain, mention.end)):
        return False
    of = _OF_QUANTITY.search(lead)
    return of is None or not lead[: of.start()].endswith(tuple(_OWN & lexicon.quantity_words().keys()))


_DOES = re.compile(r" (?:also |now )?[a-z]+ing(?: [a-z]+)? ")
"""What who stands behind ``with`` does: ``with ASML putting in``."""
_ACTS = re.compile(rf"(?:['’]s|\s?[,(]| (?:[a-z]+ly |also |now |then )?(?:{'|'.join(lexicon.words('acts'))})(?![a-z]))")
"""What follows who acts: a verb, what it has, or an aside."""
_CLAUSE = re.compile(
    r"[,;:.]|(?<![a-z])(?:said|says|say|that|while|as|and|but|because|than|which|who|expects?|sees?)(?![a-z])"
)


def _second(plain: str, named: Sequence[Mention], mention: Mention) -> bool:
    """Return whether an English clause has someone who acts before a firm that no verb follows: ``AMD will issue OpenAI warrants``."""
    lead = _CLAUSE.split(plain[: mention.start])[-1]
    begin = mention.start - len(lead)
    before = [m for m in named if begin <= m.start and m.end < mention.start]
    if not before or before[0].start > begin + 1 or _ACTS.match(plain, mention.end):
        return False
    verb = plain[before[0].end : mention.start]
    return bool(re.fullmatch(r" (?:[a-z]+ ){1,4}", verb)) and mention.end < len(plain) and plain[mention.end].isspace()


_RESULTS_OF = re.compile(
    r"['’]s (?:[\w-]+ ){0,4}?(?:call|results|earnings|report|prospectus|filing|update|statement)(?![a-z])"
)
"""What follows the firm that a text begins with: ``on Oracle's first-quarter call``."""
_DOES_ZH = re.compile(r"[^，,。]{0,4}(?:投资|建设|承建|运营|主导|牵头|出资|开发|负责)")
"""What who stands behind 由 does with the thing that is spoken of, rather than for another."""


def _has_thing(plain: str, named: Sequence[Mention], mention: Mention) -> bool:
    """Return whether only a thing of a firm is spoken of, behind who acts: ``it will convert Sharp's former plant``."""
    own = re.match(r"['’]s (?:[\w-]+ ){0,3}[\w-]+", plain[mention.end :])
    if own is None or lexicon.quantity_pattern().search(own[0]):
        return False
    clause = _CLAUSE.split(plain[: mention.start])[-1]
    begin = mention.start - len(clause)
    acting = any(begin <= m.start and m.end <= mention.start for m in named) or _PRONOUN.search(clause)
    return bool(acting)


_DEAL_ZH = re.compile(r"签订|签署|达成|合作")


def subjects(plain: str, named: Sequence[Mention], topic: str, company: str) -> list[Mention]:
    """Return who acts in a sentence, in order; a pronoun stands for the last of them, or for the *topic* before.

    ``The company`` and ``the stock`` are those of *company*, where nobody acts before them.
    """
    acting = [m for m in named if role_of(m.firm) in {"firm", "country"} and not is_object(plain, named, m)]
    found = list(acting)
    for match in _PRONOUN.finditer(plain):
        earlier = [m for m in acting if m.end <= match.start()]
        whole = _COMPANY.fullmatch(match[0])
        firm = earlier[-1].firm if earlier else company if whole else topic
        which = re.search(
            r"(?:,? which|,? who|,? whose)(?: (?:has|have|had|also))? (?:said|says|told)?\s?$", plain[: match.start()]
        )
        if which:
            near = [m for m in named if m.end <= which.start() + 1]
            firm = near[-1].firm if near else firm
        if firm:
            found.append(Mention(match.start(), firm, match.end()))
    return sorted(found, key=lambda mention: mention.start)


_RELATIVE = r"(?:parent|owner|backer|rival|competitor|partner|supplier|customer|client|lender|shareholder|investor|landlord|subsidiary|affiliate)"
_RELATED = re.compile(rf",? (?:its|the company's|the group's|their) (?:[\w-]+ )?{_RELATIVE}")
_RELATED_BEFORE = re.compile(
    rf"(?:its|their|'s) (?:[\w-]+ )?{_RELATIVE},? $|(?:母公司|大股东|股东|竞争对手|对手|合作方|客户|供应商|子公司)$"
)
"""Words that make a firm one that the main firm has to do with."""


def own_topic(plain: str, named: Sequence[Mention], main: str) -> str:
    """Return the firm that the next sentence goes on about, where this one is about a firm; empty where it is not.

    A partner, customer or supplier of the main firm is none.
    """
    acting = [m for m in named if role_of(m.firm) == "firm" and not is_object(plain, named, m)]
    if not acting:
        return ""
    first = acting[0]
    if _RELATED.match(plain, first.end) or _RELATED_BEFORE.search(plain[: first.start]):
        return main if first.firm == main else ""
    number = re.search(r"\d", plain)
    if number is not None and first.start > number.start() and first.firm != main:
        return ""
    if first.firm == main:
        return main
    if any(m.firm == main for m in named) or re.match(
        r"[^.。]{0,40}?(?:contracts|deals|合同|订单)", plain[first.end :]
    ):
        return ""
    return first.firm


def _votes(sentences: Sequence[Sentence], stated: Mapping[str, str] | None, told: int) -> Counter[str]:
    """Return how much each firm acts, or *told* where it is only told of, the first sentences weighing more."""
    votes: Counter[str] = Counter()
    for place, sentence in enumerate(sentences):
        named = mentions(sentence.plain, stated)
        for mention in named:
            if role_of(mention.firm) != "firm" or compared(sentence.plain, mention):
                continue
            weight = _DOING if not is_object(sentence.plain, named, mention) else told
            votes[mention.firm] += weight * (_BEGINS if place < _BEGINS else 1)
    return votes


_DOING, _IS_TOLD_OF = 5, 2
"""How much a firm weighs where it acts, and where something is done to it."""
_BEGINS = 3
"""Sentences with which a text begins, and how much more they weigh."""


def main_firm(sentences: Sequence[Sentence], stated: Mapping[str, str] | None = None) -> str:
    """Return the firm that an announcement is about: who acts most, the first sentences weighing more."""
    votes = _votes(sentences, stated, _IS_TOLD_OF)
    return votes.most_common(1)[0][0] if votes else ""


def dominant(sentences: Sequence[Sentence], stated: Mapping[str, str] | None, main: str) -> bool:
    """Return whether a text is of one firm, so that ``the company`` is that firm also after another was named."""
    votes = _votes(sentences, stated, 0)
    return votes[main] >= _MOST_OF * sum(votes.values())


_MOST_OF = 0.5
