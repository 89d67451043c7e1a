"""Verdicts on prices, rents, multiples, calls and accelerators."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from jevons.facts import FactValue
from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.on_file import LATER_DAYS, NEAR_DAYS, OnFile, Verdict, name_of, prefixes, said, shown
from jevons.units import format_count, format_money


def calls(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of calls times their price: what they come to, beside revenue on file."""
    low, high, unit = claim.derived["spending"]
    text = f"together {format_money(low, unit)} to {format_money(high, unit)}; the text gives no period"
    facts: tuple[str, ...] = ()
    if "alibaba.cloud.revenue_year_cny" in file.facts and unit == "CNY":
        facts = ("alibaba.cloud.revenue_year_cny",)
        years = file.facts.series(facts[0], file.as_of)
        if not years:
            return "not_on_file", text, ()
        near = min(years, key=lambda v: abs((v.start - (file.day or years[-1].start)).days))
        revenue = near.number
        share = f"{100 * high / revenue:.0f} %"
        text += f"; the upper end is {share} of Alibaba's cloud revenue in the year to {near.start}"
    return "not_on_file", text, facts


def multiple(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a multiple of earnings by those on file near its date."""
    figure, period = claim.named["multiple"], claim.named.get("period")
    if claim.quantity != "pe":
        return "not_on_file", f"no {lexicon.label_of(claim.quantity)} of {name_of(claim.firm)} is on file", ()
    when = _when(file, claim)
    values = [
        v
        for prefix in prefixes(claim.firm)
        for stem in ("pe_trailing", "pe_forward")
        if f"{prefix}.{stem}" in file.facts
        for v in file.facts.series(f"{prefix}.{stem}", file.as_of)
    ]
    if not values:
        return "not_on_file", f"no price over earnings of {name_of(claim.firm)} is on file", ()
    near = [v for v in values if when is None or abs((v.start - when).days) <= NEAR_DAYS]
    if not near or (when is None and period is None and not any(abs(v.number / figure.middle - 1) < 0.1 for v in near)):
        return "not_on_file", "no price over earnings is on file near that date", tuple({v.id for v in values})
    closest = min(near, key=lambda v: abs(v.number / figure.middle - 1))
    ids = tuple(dict.fromkeys(v.id for v in near))
    stated = f"{closest.number:g} times on {closest.start}"
    fall = figure.middle / closest.number - 1
    if abs(fall) <= 0.1:
        return "confirmed", f"on file: {stated}", ids
    if _on_later_earnings(file, claim):
        return "not_on_file", f"of earnings of another year than on file: {stated}", ids
    text = f"on file: {stated}; {figure.middle:g} instead of {closest.number:g} times is {100 * fall:+.0f} %"
    if "further_change" in claim.named:
        implied = claim.derived["implied_multiple"][0]
        text += f", and the change said leads to {implied:g} times"
        ids += tuple(
            f.id
            for f in file.facts
            if f.id.startswith("alibaba.barrons.") and claim.firm == "alibaba" and when and when.year == 2015
        )
    return "contradicted", text, ids


def _on_later_earnings(file: OnFile, claim: Claim) -> bool:
    """Return whether a multiple is of earnings of a year that has not ended on the day of the text."""
    period = claim.named.get("period")
    year = re.match(r"(?:FY)?(20\d\d)", period.label) if period is not None else None
    return year is not None and file.day is not None and int(year[1]) >= file.day.year


def _when(file: OnFile, claim: Claim) -> dt.date | None:
    date, period = claim.named.get("date"), claim.named.get("period")
    if date is not None and re.match(r"\d{4}-\d\d", date.label):
        return dt.date.fromisoformat(date.label if len(date.label) == 10 else f"{date.label}-15")
    if period is not None and re.fullmatch(r"\d{4}", period.label):
        return dt.date(int(period.label), 12 if period.what in {"末", "底"} else 9, 30)
    return file.day


def price(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a price of tokens by the list prices of its model."""
    figure = claim.named["price"]
    prefix = claim.other or _first_price(claim.firm)
    kinds = {
        "input": ["input"],
        "cached": ["cached_input"],
        "output": ["output"],
        "": ["input", "output", "cached_input"],
    }
    ids = [f"{prefix}.{kind}_{figure.unit.lower()}_per_mtok" for kind in kinds[claim.quantity]]
    ids = [fact_id for fact_id in ids if fact_id in file.facts]
    values = [v for fact_id in ids for v in file.facts.series(fact_id, file.as_of)]
    if not values:
        return "not_on_file", f"no such price of {claim.other or name_of(claim.firm)} in {figure.unit} is on file", ()
    hits = [v for v in values if file.agrees(figure, v) and not _replaced(file, v, values)]
    if hits:
        return "confirmed", f"list price on file from {hits[-1].start}: {shown(hits[-1])}", (hits[-1].id,)
    if not claim.quantity:
        return "not_on_file", "the text does not say whether input or output", tuple(ids)
    if not claim.other:
        return "not_on_file", "no list price of the model that the text names is on file", tuple(ids)
    near = [v for v in values if file.day is None or abs((v.start - file.day).days) <= NEAR_DAYS]
    if not near:
        last = values[-1]
        return "not_on_file", f"the list price on file is from {last.start}: {shown(last)}", tuple(ids)
    return "contradicted", f"list price on file from {near[-1].start}: {shown(near[-1])}", tuple(ids)


def _replaced(file: OnFile, value: FactValue, values: Sequence[FactValue]) -> bool:
    """Return whether a later list price of the same kind was in force well before the day of the text."""
    if file.day is None:
        return False
    later = [v.start for v in values if v.id == value.id and v.start > value.start]
    return bool(later) and (file.day - min(later)).days > LATER_DAYS


_USED = re.compile(r"(?<![a-z])(?:second[- ]hand|used|refurbished|pre-owned)(?![a-z])|二手|翻新|拆机")


def device_price(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of an accelerator's price by those on file."""
    figure = claim.named["price"]
    server = re.search(r"server|服务器|8卡|八卡|台", claim.sentence.plain) is not None
    priced = (f"{claim.quantity}.price_{currency}" for currency in ("usd", "cny"))
    ids = [fact_id for fact_id in priced if fact_id in file.facts]
    values = [v for fact_id in ids for v in file.facts.series(fact_id, file.as_of)]
    one_card = replace(figure, low=figure.low / 8, high=figure.high / 8) if server else figure
    hits = [v for v in values if file.agrees(one_card, v)]
    share = " an eighth of the server" if server else ""
    if hits:
        return (
            "confirmed",
            f"price on file{share and ' for' + share} from {hits[-1].start}: {shown(hits[-1])}",
            (hits[-1].id,),
        )
    if values:
        text = f"prices on file: {', '.join(dict.fromkeys(shown(v) for v in values[-3:]))}"
        used = _USED.search(claim.sentence.plain) is not None
        text += ", of new ones" if used else ""
        return "not_on_file" if server or used else "contradicted", text, tuple(ids)
    return "not_on_file", f"no price of {claim.quantity} is on file", ()


def rent(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a rent by those on file, per accelerator-hour."""
    figure, device = claim.named["rent"], claim.quantity.split("_")[0]
    cards = 8 if re.search(r"8卡|八卡|8[- ]gpu|8 ?x|server|服务器", claim.sentence.plain) else 1
    hours = 730.0 if claim.other == "month" else 1.0
    hourly = replace(figure, low=figure.low / hours / cards, high=figure.high / hours / cards)
    if not device:
        return "not_on_file", "the text does not say of which accelerator", ()
    facts = [f for f in file.facts if f.id.startswith(f"rent.{device}.") and f.unit in {"USD/h", "CNY/h"}]
    values = [v for f in facts for v in file.facts.series(f.id, file.as_of)]
    near = [v for v in values if file.day is None or abs((v.start - file.day).days) <= NEAR_DAYS]
    hits = [v for v in near if v.unit.startswith(figure.unit) and file.agrees(hourly, v)]
    if hits:
        return "confirmed", f"rent on file from {hits[-1].start}: {shown(hits[-1])}", (hits[-1].id,)
    stated = f"{hourly.middle:.3g} {figure.unit} an accelerator-hour"
    return (
        "not_on_file",
        f"{stated}; none of {len(near)} rents on file near that date is that",
        tuple(f.id for f in facts[:3]),
    )


def cut(file: OnFile, claim: Claim) -> Verdict | None:
    """Return the verdict of a price cut by list prices on file: over time, or off peak against standard."""
    figure = claim.named["percent"]
    if not lexicon.pattern("price_cut").search(claim.sentence.plain) or figure.what or figure.middle > 0:
        return None
    heads = {"deepseek": "api.deepseek.", "alibaba": "api.qwen.", "bytedance": "api.doubao."}
    head = heads.get(claim.firm)
    if head is None:
        return None
    ids = [f.id for f in file.facts if f.id.startswith(head) and f.id.endswith("_per_mtok")]
    stated = f"peer.{claim.firm}.price_cut_frac"
    if stated in file.facts:
        size = replace(figure, low=min(abs(figure.low), abs(figure.high)), high=max(abs(figure.low), abs(figure.high)))
        hits = [v for v in file.facts.series(stated, file.as_of) if file.agrees(size, v)]
        if hits:
            return "confirmed", f"announced on {hits[-1].start}: {100 * hits[-1].number:.3g} %", (stated,)
    for fact_id in ids:
        values = [v.number for v in file.facts.series(fact_id, file.as_of)]
        model, _, kind = fact_id.rpartition(".")
        standard = f"{model.removesuffix('_offpeak')}.{kind}"
        pairs = list(itertools.pairwise(values))
        if standard != fact_id and standard in file.facts and values:
            pairs += [(v.number, values[-1]) for v in file.facts.series(standard, file.as_of)]
        for before, after in pairs:
            if before > after > 0 and abs(1 - after / before - abs(figure.middle)) < 0.02:
                return "confirmed", f"list price on file falls from {before:g} to {after:g}", (fact_id,)
    return "not_on_file", f"no cut of {100 * abs(figure.middle):.3g} % among list prices on file", tuple(ids[:3])


def cluster(file: OnFile, claim: Claim) -> Verdict:
    """Return the verdict of a number of accelerators: by those on file, else what they cost."""
    figure = claim.named.get("devices") or claim.named["previous"]
    text, ids = "", []
    for fact in file.facts:
        if fact.id.startswith(tuple(prefixes(claim.firm))) and fact.id.endswith("_devices"):
            ids.append(fact.id)
            hits = [v for v in file.facts.series(fact.id, file.as_of) if file.agrees(figure, v)]
            if hits:
                return "confirmed", f"{fact.about}: {format_count(hits[-1].number)} ({hits[-1].start})", (fact.id,)
    device = figure.what or "h100_sxm"
    cost = _cost_of_cards(file, device, figure)
    if cost is not None:
        low, high, fact_id = cost
        ids.append(fact_id)
        whose = "" if figure.what else ", priced as H100"
        text = f"the accelerators alone cost {format_money(low, 'USD')} to {format_money(high, 'USD')}{whose}"
        money = claim.named.get("amount")
        if money is not None and money.unit == "USD" and money.low > 2 * high:
            text += f"; {said(money)} is more than accelerators and their sites cost"
    return (
        "not_on_file",
        "; ".join(part for part in ("no cluster of that size is on file", text) if part),
        tuple(ids),
    )


def _cost_of_cards(file: OnFile, device: str, figure: Figure) -> tuple[float, float, str] | None:
    fact_id = f"{device}.price_usd"
    if fact_id not in file.facts:
        return None
    prices = [v.number for v in file.facts.series(fact_id, file.as_of)]
    if not prices:
        return None
    return min(prices) * figure.low, max(prices) * figure.high, fact_id


def _first_price(firm: str) -> str:
    known = {"deepseek": "api.deepseek.reasoner", "alibaba": "api.qwen.max", "bytedance": "api.doubao.pro"}
    return known.get(firm, "api.unknown")
