"""Accelerators that a sentence counts: with their price, after others, or named before their number."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from jevons.study.announcement.claim import Claim
from jevons.study.announcement.clauses import in_clauses
from jevons.study.announcement.patterns import FORMER
from jevons.study.announcement.prices import RAISED
from jevons.study.announcement.reader import Reader

_WORTH = re.compile(r"\s?(?:投资的?|的|worth of|of|on|for|购买|用于购买|采购)\s?$")


def clusters(reader: Reader) -> Iterator[Claim]:
    """Yield accelerators that are counted, with the money they are bought for or their number before."""
    devices = reader.left("devices")
    for place, figure in enumerate(devices):
        if figure.start in reader.used:
            continue
        following = devices[place + 1] if place + 1 < len(devices) else None
        behind = reader.plain[max(0, figure.start - 14) : figure.start]
        if (
            following is not None
            and re.search(r"(?:from|从|由)\s?$", behind)
            and re.fullmatch(
                r"\s?(?:张|块|卡)?(?:to|增至|扩至|扩大至|提升至|升至|到|至|→)\s?",
                reader.plain[figure.end : following.start],
            )
        ):
            named = {"devices": following, "previous": figure}
        elif FORMER.search(behind) and RAISED.search(reader.plain):
            named = {"previous": figure}
        else:
            named = {"devices": figure}
        joined = [
            f for f in reader.left("money")
            if not f.what and f.end <= figure.start and figure.start - f.end <= 12
            and _WORTH.match(reader.plain[f.end : figure.start])
        ]  # fmt: skip
        joined += [
            f for f in reader.left("money")
            if not f.what and f.start >= figure.end and re.fullmatch(r"[,，(（]?\s?(?:约合|价值|合计|总价|总值|worth|costing)\s?(?:约|about )?", reader.plain[figure.end : f.start])
        ]  # fmt: skip
        if joined:
            named["amount"] = joined[-1]
        yield reader.make("cluster", reader.firm(figure.start), "accelerators", named | reader.period(figure))


def more_devices(reader: Reader) -> Iterator[Claim]:
    """Yield bare numbers that go on after accelerators: ``104,000 GB300s in Texas and 12,600 in Portugal``."""
    last = next((f for f in reversed(reader.figures) if f.kind == "devices"), None)
    if last is None:
        return
    for figure in reader.left("count"):
        joined = re.search(
            r"(?:,? and|[、,，]|和|及|以及)\s?(?:about |another |a further |约|另有)?$"
            r"|(?<![a-z])(?:an additional|another|a further)\s?$|再(?:部署|增加|采购|新增|上线)\s?$",
            reader.plain[: figure.start],
        )
        moneys = [f for f in reader.figures if f.kind in {"money", "percent"} and last.end <= f.start < figure.start]
        if joined and not figure.what and figure.low >= 100 and last.end <= figure.start and not moneys:
            devices = replace(figure, kind="devices", unit="devices", what=last.what)
            yield reader.make(
                "cluster", reader.firm(figure.start), "accelerators", {"devices": devices} | reader.period(figure)
            )


_NUMBER_OF = re.compile(
    r"(?<![a-z])(?:number|count|fleet|total) of (?:its |the |their |our |installed |active )*(?:[a-z]+ )?(?:gpus?|accelerators?|ai chips|ai cards)[^,;]{0,24}?(?<![a-z])(?:to|at|is|was|reached|of) (?:about |around |some |over |more than )*$"
    r"|(?:gpu|加速卡|算力卡|显卡|ai芯片)(?:的)?(?:数量|总数|总量|规模|保有量|存量)[^,，;；]{0,10}?(?:[至到为达有]|超过?|突破|逾|约)+$"
)
"""What stands before a bare number of accelerators."""


def numbered_devices(reader: Reader) -> Iterator[Claim]:
    """Yield bare numbers of accelerators that are named before them: ``the number of its GPUs to 30,000 from 7,800``."""
    left = [f for f in reader.left("count") if not f.what]
    for figure in left:
        if figure.low < 100 or not _NUMBER_OF.search(reader.plain[: figure.start]):
            continue
        olds = [f for f in left if f.start >= figure.end and FORMER.search(reader.plain[: f.start])]
        named = {"devices": replace(figure, kind="devices", unit="devices")}
        if olds and not in_clauses(reader.plain, figure.end, olds[0].start):
            named["previous"] = replace(olds[0], kind="devices", unit="devices")
        yield reader.make("cluster", reader.firm(figure.start), "accelerators", named | reader.period(figure))
