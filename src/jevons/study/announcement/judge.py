"""Judges claims against facts: confirmed, contradicted, unlike periods, not on file, or unread."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jevons.facts import Facts, FactValue
from jevons.study.announcement import lexicon
from jevons.study.announcement.claims import Claim
from jevons.study.announcement.covered import Candidate, covers, quartered, same_label
from jevons.study.announcement.figures import Figure
from jevons.study.announcement.patterns import MONIES
from jevons.units import format_count, format_money

_CLOSE, _ROUGH = 0.03, 0.08
_NEAR_DAYS = 200
_EVENTS = frozenset({"contract", "debt", "buyback", "disposal", "inflow"})
"""Quantities of which a firm has several at a time: another one does not contradict."""
_PLANNED = re.compile(r"plan|will |expect|guid|forecast|target|intend|预计|计划|将|拟|目标|预期")
"""Words of what is to come; a later outcome does not contradict a plan."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Facts as they are known on a date, all where there is none, and the date of the announcement."""

    facts: Facts
    as_of: dt.date | None
    day: dt.date | None

    def judged(self, claim: Claim) -> Claim:
        """Return the claim with verdict, reason, and the ids of the facts it was held against."""
        method = getattr(self, f"_{claim.kind}", None)
        verdict, reason, facts = (
            ("unread", "no rule says what this figure measures", ()) if method is None else method(claim)
        )
        if claim.denied:
            verdict, reason, facts = "unread", "the text says that it is not so", ()
        elif claim.kind == "figure":
            verdict, reason, facts = "unread", "a figure without a word that says what it measures", ()
        return replace(claim, verdict=verdict, reason=reason, facts=tuple(dict.fromkeys(facts)))

    def candidates(self, firm: str, quantity: str) -> Iterator[Candidate]:
        """Yield the values on file of a firm's quantity, with their periods."""
        entry = lexicon.firm(firm)
        stems = lexicon.words("quantities").get(quantity, {}).get("stems") or [quantity]
        if entry is None:
            return
        for fact in self.facts:
            stem_of = fact.id.rsplit(".", 1)
            if stem_of[0] not in entry.facts or not any(stem_of[-1].startswith(stem) for stem in stems):
                continue
            if (
                "_frac" in stem_of[-1]
                or "past_decade" in stem_of[-1]
                or (quantity == "revenue" and "growth" in stem_of[-1])
            ):
                continue
            if quantity == "cloud_revenue" and firm == "alibaba" and stem_of[0] != "alibaba.cloud":
                continue
            if quantity == "revenue" and stem_of[0] == "alibaba.cloud":
                continue
            for value in self.facts.series(fact.id, self.as_of):
                if not isinstance(value.value, str):
                    yield Candidate(value, *covers(fact.id, value, entry.fiscal_end_month))

    def _budget(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        return self._held(claim, claim.named["amount"])

    def _metric(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        return self._held(claim, claim.named["amount"])

    def _held(self, claim: Claim, amount: Figure) -> tuple[str, str, tuple[str, ...]]:
        """Return the verdict of an amount for a period."""
        period = claim.named.get("period")
        every = list(self.candidates(claim.firm, claim.quantity))
        if not every:
            return "not_on_file", f"no {_label(claim.quantity)} of {_name(claim.firm)} is on file", ()
        years = period.low if period is not None else 0.0
        dated = period is not None and bool(re.match(r"\d|FY", period.label)) and claim.quantity not in _EVENTS
        if period is not None and period.label.startswith("to "):
            fit = []
        elif period is not None and dated:
            fit = [c for c in every if same_label(period.label, c, claim.firm)]
        elif claim.quantity == "capex" and years > 1 and "each" not in claim.named:
            fit = [c for c in every if c.years == years]
        elif claim.quantity == "capex" and "each" in claim.named:
            fit = [c for c in every if "commitment" in c.value.id]
        else:
            fit = [c for c in every if self._near(c)]
        return self._compared(claim, amount, fit, every, labelled=dated or (years > 1 and claim.quantity == "capex"))

    def _compared(
        self, claim: Claim, amount: Figure, fit: list[Candidate], every: list[Candidate], *, labelled: bool
    ) -> tuple[str, str, tuple[str, ...]]:
        matching = [c for c in fit if self._agrees(amount, c.value)]
        if matching:
            best = min(matching, key=lambda c: self._far(c, amount))
            revised = [c for c in fit if c.value.id == best.value.id and c.value.start > best.value.start]
            revised = [c for c in revised if not self._agrees(amount, c.value)]
            extra = f"; later {_shown(revised[-1].value)}" if revised else ""
            return "confirmed", f"{_about(best)}: {_shown(best.value)}{extra}", (best.value.id,)
        later = [c for c in fit if self.day is not None and (c.value.start - self.day).days > 45]
        planned = _PLANNED.search(claim.sentence.plain) is not None
        if fit and len(later) == len(fit) and (planned or all("guidance" in c.value.id for c in fit)):
            best = min(fit, key=lambda c: self._far(c, amount))
            what = "later guidance" if "guidance" in best.value.id else "what came of it"
            return "not_on_file", f"only {what} is {_about(best)}: {_shown(best.value)}", (best.value.id,)
        if fit and (labelled or claim.kind == "target"):
            best = min(fit, key=lambda c: self._far(c, amount))
            return (
                "contradicted",
                f"{_about(best)}: {_shown(best.value)}, not {_said(amount)}",
                tuple(c.value.id for c in fit),
            )
        other = [c for c in every if self._agrees(amount, c.value)]
        if other and not labelled:
            best = min(other, key=lambda c: self._far(c, amount))
            return "confirmed", f"{_about(best)}: {_shown(best.value)}; the text names no period", (best.value.id,)
        covered = ", ".join(dict.fromkeys(c.label for c in every if c.label))
        what = f"{_label(claim.quantity)} of {_name(claim.firm)}"
        text = f"{what} is on file for {covered or 'other dates'}, not for this period"
        return "not_on_file", text, tuple(dict.fromkeys(c.value.id for c in every))[:4]

    def _far(self, candidate: Candidate, amount: Figure) -> tuple[float, float, str]:
        """Return how far a candidate is from an amount and the announcement's day, for choosing one."""
        low, high = self._in_unit(amount, candidate.value)
        middle = amount.middle if low is None or high is None else (low + high) / 2
        gap = round(abs(candidate.value.number / middle - 1), 2) if middle else 0.0
        days = 0 if self.day is None else abs((candidate.value.start - self.day).days)
        return gap, float(days), candidate.value.id

    def _near(self, candidate: Candidate) -> bool:
        if self.day is None:
            return True
        return abs((candidate.value.start - self.day).days) <= _NEAR_DAYS

    def _agrees(self, amount: Figure, value: FactValue) -> bool:
        low, high = self._in_unit(amount, value)
        if low is None or high is None:
            return False
        converted = amount.unit in MONIES and not value.unit.startswith(amount.unit)
        slack = _ROUGH if amount.qualifier == "about" or converted else _CLOSE
        least = value.low if value.low is not None and "guidance" in value.id else value.number
        most = value.high if value.high is not None and "guidance" in value.id else value.number
        if amount.qualifier == "at_least":
            return most >= low * (1 - slack) and least <= high * 1.35
        if amount.qualifier == "at_most":
            return least <= high * (1 + slack) and most >= low * 0.7
        return low * (1 - slack) <= most and least <= high * (1 + slack)

    def _in_unit(self, amount: Figure, value: FactValue) -> tuple[float | None, float | None]:
        """Return an amount in the currency of a fact's value, at the rate of the fact's date."""
        target = value.unit.split("/")[0]
        if amount.unit == target or amount.unit not in MONIES:
            return amount.low, amount.high
        rate = self.rate(amount.unit, target, value.start)
        return (None, None) if rate is None else (amount.low * rate, amount.high * rate)

    def rate(self, source: str, target: str, on: dt.date) -> float | None:
        """Return how much one unit of a currency is in another on a date, or at the nearest rate on file."""
        if source == target:
            return 1.0
        direct = self._direct(source, target, on)
        if direct is not None:
            return direct
        through = next((code for code in ("CNY", "USD") if code not in {source, target}), "")
        legs = self._direct(source, through, on), self._direct(through, target, on)
        return None if legs[0] is None or legs[1] is None else legs[0] * legs[1]

    def _direct(self, source: str, target: str, on: dt.date) -> float | None:
        """Return a rate on file between two currencies, at the nearest date."""
        for name, inverse in (
            (f"fx.{target.lower()}_per_{source.lower()}", False),
            (f"fx.{source.lower()}_per_{target.lower()}", True),
        ):
            if name in self.facts:
                values = self.facts.series(name)
                near = min(values, key=lambda v: abs((v.start - on).days))
                return 1 / near.number if inverse else near.number
        return None

    def _comparison(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        amount, period = claim.named.get("amount"), claim.named.get("period")
        if claim.quantity == "past":
            bounds = [
                f.id for f in self.facts if "past_decade" in f.id and f.id.startswith(tuple(_prefixes(claim.firm)))
            ]
            series = [c for c in self.candidates(claim.firm, "capex") if c.years == 1.0 and "plan" not in c.value.id]
            dates = len({c.value.start for c in series})
            text = (
                f"{_name(claim.firm)}'s own statement; a series of that many years is not on file ({dates} of them are)"
            )
            return "not_on_file", text, (*bounds, *(c.value.id for c in series))
        others = [c for c in self.candidates(claim.other, "capex") if c.years >= 1.0]
        if amount is None or not others:
            return "not_on_file", f"no budget of {_name(claim.other)} is on file to compare", ()
        ids = tuple(c.value.id for c in others)
        years = period.low if period is not None and period.low >= 1 else None
        plans = [c.value.start for c in self.candidates(claim.firm, "capex") if self._agrees(amount, c.value)]
        day = self.day or (min(plans) if plans else max(c.value.start for c in others))
        same_year = [c for c in others if c.label.removeprefix("FY") == str(day.year)]
        near = min(same_year or others, key=lambda c: (abs((c.value.start - day).days), c.value.id))
        rival, rate = near.value.number, self.rate(amount.unit, near.value.unit, near.value.start)
        own = amount.middle * (rate or 1.0)
        unit = near.value.unit
        if years is None:
            return "not_on_file", f"the text gives no period of its own to hold against {_about(near)}", ids
        own_year = re.search(r"20\d\d", period.label) if period is not None else None
        other_year = re.search(r"20\d\d", near.label)
        if years == near.years and own_year and other_year and own_year[0] != other_year[0]:
            text = f"unlike periods: {own_year[0]} against {near.label} ({format_money(rival, unit)})"
            return "unlike", text, ids
        if years != near.years:
            yearly, rival_yearly = own / years, rival / near.years
            sign = "more" if yearly > rival_yearly else "less"
            text = (
                f"unlike periods: {format_money(own, unit)} over {years:g} years is {format_money(yearly, unit)} "
                f"a year, {sign} than {_name(claim.other)}'s {format_money(rival, unit)} for {near.label}"
            )
            return "unlike", text, ids
        verdict = "confirmed" if own > rival else "contradicted"
        return verdict, f"{_about(near)}: {format_money(rival, unit)} against {format_money(own, unit)}", ids

    def _superlative(self, _claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        return "not_on_file", "no record of all such plans is on file", ()

    def _cluster(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        figure = claim.named.get("devices") or claim.named["previous"]
        text, ids = "", []
        for fact in self.facts:
            if fact.id.startswith(tuple(_prefixes(claim.firm))) and fact.id.endswith("_devices"):
                ids.append(fact.id)
                hits = [v for v in self.facts.series(fact.id, self.as_of) if self._agrees(figure, v)]
                if hits:
                    return "confirmed", f"{fact.about}: {format_count(hits[-1].number)} ({hits[-1].start})", (fact.id,)
        device = figure.what or "h100_sxm"
        cost = self._cost_of_cards(device, figure)
        if cost is not None:
            low, high, fact_id = cost
            ids.append(fact_id)
            whose = "" if figure.what else ", priced as H100"
            text = f"the accelerators alone cost {format_money(low, 'USD')} to {format_money(high, 'USD')}{whose}"
            money = claim.named.get("amount")
            if money is not None and money.unit == "USD" and money.low > 2 * high:
                text += f"; {_said(money)} is more than accelerators and their sites cost"
        return (
            "not_on_file",
            "; ".join(part for part in ("no cluster of that size is on file", text) if part),
            tuple(ids),
        )

    def _cost_of_cards(self, device: str, figure: Figure) -> tuple[float, float, str] | None:
        fact_id = f"{device}.price_usd"
        if fact_id not in self.facts:
            return None
        prices = [v.number for v in self.facts.series(fact_id, self.as_of)]
        if not prices:
            return None
        return min(prices) * figure.low, max(prices) * figure.high, fact_id

    def _calls(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        low, high, unit = claim.derived["spending"]
        text = f"together {format_money(low, unit)} to {format_money(high, unit)}; the text gives no period"
        facts: tuple[str, ...] = ()
        if "alibaba.cloud.revenue_year_cny" in self.facts and unit == "CNY":
            facts = ("alibaba.cloud.revenue_year_cny",)
            years = self.facts.series(facts[0], self.as_of)
            if not years:
                return "not_on_file", text, ()
            near = min(years, key=lambda v: abs((v.start - (self.day or years[-1].start)).days))
            revenue = near.number
            share = f"{100 * high / revenue:.0f} %"
            text += f"; the upper end is {share} of Alibaba's cloud revenue in the year to {near.start}"
        return "not_on_file", text, facts

    def _multiple(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        figure, period = claim.named["multiple"], claim.named.get("period")
        when = self._when(claim)
        values = [
            v
            for prefix in _prefixes(claim.firm)
            for stem in ("pe_trailing", "pe_forward")
            if f"{prefix}.{stem}" in self.facts
            for v in self.facts.series(f"{prefix}.{stem}", self.as_of)
        ]
        if not values:
            return "not_on_file", f"no price over earnings of {_name(claim.firm)} is on file", ()
        near = [v for v in values if when is None or abs((v.start - when).days) <= _NEAR_DAYS]
        if not near or (
            when is None and period is None and not any(abs(v.number / figure.middle - 1) < 0.1 for v in near)
        ):
            return "not_on_file", "no price over earnings is on file near that date", tuple({v.id for v in values})
        closest = min(near, key=lambda v: abs(v.number / figure.middle - 1))
        ids = tuple(dict.fromkeys(v.id for v in near))
        stated = f"{closest.number:g} times on {closest.start}"
        fall = figure.middle / closest.number - 1
        if abs(fall) <= 0.1:
            return "confirmed", f"on file: {stated}", ids
        text = f"on file: {stated}; {figure.middle:g} instead of {closest.number:g} times is {100 * fall:+.0f} %"
        if "further_change" in claim.named:
            implied = claim.derived["implied_multiple"][0]
            text += f", and the change said leads to {implied:g} times"
            ids += tuple(
                f.id
                for f in self.facts
                if f.id.startswith("alibaba.barrons.") and claim.firm == "alibaba" and when and when.year == 2015
            )
        return "contradicted", text, ids

    def _when(self, claim: Claim) -> dt.date | None:
        date, period = claim.named.get("date"), claim.named.get("period")
        if date is not None and re.match(r"\d{4}-\d\d", date.label):
            return dt.date.fromisoformat(date.label if len(date.label) == 10 else f"{date.label}-15")
        if period is not None and re.fullmatch(r"\d{4}", period.label):
            return dt.date(int(period.label), 12 if period.what in {"末", "底"} else 9, 30)
        return self.day

    def _price(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        figure = claim.named["price"]
        prefix = claim.other or _first_price(claim.firm)
        kinds = {
            "input": ["input"],
            "cached": ["cached_input"],
            "output": ["output"],
            "": ["input", "output", "cached_input"],
        }
        ids = [f"{prefix}.{kind}_{figure.unit.lower()}_per_mtok" for kind in kinds[claim.quantity]]
        ids = [one for one in ids if one in self.facts]
        values = [v for one in ids for v in self.facts.series(one, self.as_of)]
        if not values:
            return "not_on_file", f"no such price of {claim.other or _name(claim.firm)} in {figure.unit} is on file", ()
        hits = [v for v in values if self._agrees(figure, v)]
        if hits:
            return "confirmed", f"list price on file from {hits[-1].start}: {_shown(hits[-1])}", (hits[-1].id,)
        if not claim.quantity:
            return "not_on_file", "the text does not say whether input or output", tuple(ids)
        return "contradicted", f"list price on file from {values[-1].start}: {_shown(values[-1])}", tuple(ids)

    def _device_price(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        figure = claim.named["price"]
        server = re.search(r"server|服务器|8卡|八卡|台", claim.sentence.plain) is not None
        ids = [one for one in (f"{claim.quantity}.price_usd", f"{claim.quantity}.price_cny") if one in self.facts]
        values = [v for one in ids for v in self.facts.series(one, self.as_of)]
        one_card = replace(figure, low=figure.low / 8, high=figure.high / 8) if server else figure
        hits = [v for v in values if self._agrees(one_card, v)]
        share = " an eighth of the server" if server else ""
        if hits:
            return (
                "confirmed",
                f"price on file{share and ' for' + share} from {hits[-1].start}: {_shown(hits[-1])}",
                (hits[-1].id,),
            )
        if values:
            text = f"prices on file: {', '.join(dict.fromkeys(_shown(v) for v in values[-3:]))}"
            return "contradicted" if not server else "not_on_file", text, tuple(ids)
        return "not_on_file", f"no price of {claim.quantity} is on file", ()

    def _rent(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        figure, device = claim.named["rent"], claim.quantity.split("_")[0]
        cards = 8 if re.search(r"8卡|八卡|8[- ]gpu|8 ?x|server|服务器", claim.sentence.plain) else 1
        hours = 730.0 if claim.other == "month" else 1.0
        hourly = replace(figure, low=figure.low / hours / cards, high=figure.high / hours / cards)
        if not device:
            return "not_on_file", "the text does not say of which accelerator", ()
        facts = [f for f in self.facts if f.id.startswith(f"rent.{device}.") and f.unit in {"USD/h", "CNY/h"}]
        values = [v for f in facts for v in self.facts.series(f.id, self.as_of)]
        hits = [v for v in values if v.unit.startswith(figure.unit) and self._agrees(hourly, v)]
        if hits:
            return "confirmed", f"rent on file from {hits[-1].start}: {_shown(hits[-1])}", (hits[-1].id,)
        said = f"{hourly.middle:.3g} {figure.unit} an accelerator-hour"
        return "not_on_file", f"{said}; none of {len(values)} rents on file is that", tuple(f.id for f in facts[:3])

    def _target(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        every = list(self.candidates(claim.firm, claim.quantity))
        if not every:
            return "not_on_file", f"no such figure of {_name(claim.firm)} is on file", ()
        fit = [c for c in every if self._near(c)]
        return self._compared(claim, claim.named["amount"], fit, every, labelled=False)

    def _growth(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        return self._share_like(claim, lambda fact_id: "growth" in fact_id and "_frac" in fact_id)

    def _share(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        return self._share_like(
            claim,
            lambda fact_id: (
                fact_id.startswith("share.")
                or "_share_frac" in fact_id
                or "server_frac" in fact_id
                or "capex_revenue_frac" in fact_id
            ),
        )

    def _margin(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        """Return the verdict of a margin: by one on file of the kind and period, or by income and revenue on file."""
        figure, period = claim.named.get("percent"), claim.named.get("period")
        kind = claim.quantity.removesuffix(" margin")
        what = f"no such {claim.quantity} of {_name(claim.firm)} is on file"
        if figure is None:
            return "not_on_file", "a change of a margin, or its level before: today's is not stated", ()
        if period is None or not re.match(r"\d{4}|FY", period.label):
            return "not_on_file", what, ()
        found = [c for c in self._margins(claim.firm, kind) if same_label(period.label, c, claim.firm)]
        if not found:
            return "not_on_file", what, ()
        best = min(found, key=lambda c: abs(c.value.number - figure.middle))
        agrees = figure.low - 0.006 <= best.value.number <= figure.high + 0.006
        text = f"{_about(best)}: {100 * best.value.number:.3g} %"
        return "confirmed" if agrees else "contradicted", text, tuple(dict.fromkeys(c.value.id for c in found))

    def _margins(self, firm: str, kind: str) -> Iterator[Candidate]:
        """Yield the margins on file of a firm, stated or as income over revenue, of the whole firm."""
        entry = lexicon.firm(firm)
        income = {"operating": "operating_income", "net": "net_income"}.get(kind)
        for fact in self.facts:
            head, _, stem = fact.id.rpartition(".")
            if entry is None or head not in entry.facts:
                continue
            if stem.startswith(f"{kind}_margin") and stem.endswith("_frac"):
                for value in self.facts.series(fact.id, self.as_of):
                    yield Candidate(value, *covers(quartered(fact.id), value, entry.fiscal_end_month))
            revenue = fact.id.replace(income, "revenue") if income else ""
            if income and re.fullmatch(rf"{income}_(?:quarter|year)_[a-z]{{3}}", stem) and revenue in self.facts:
                sales = {v.start: v.number for v in self.facts.series(revenue, self.as_of)}
                for value in self.facts.series(fact.id, self.as_of):
                    if sales.get(value.start, 0.0) > 0:
                        share = replace(value, value=value.number / sales[value.start], unit="1", low=None, high=None)
                        yield Candidate(share, *covers(fact.id, value, entry.fiscal_end_month))

    def _cut(self, claim: Claim) -> tuple[str, str, tuple[str, ...]] | None:
        """Return the verdict of a price cut by list prices on file: over time, or off peak against standard."""
        figure = claim.named["percent"]
        if not lexicon.pattern("price_cut").search(claim.sentence.plain) or figure.what:
            return None
        heads = {"deepseek": "api.deepseek.", "alibaba": "api.qwen.", "bytedance": "api.doubao."}
        head = heads.get(claim.firm)
        if head is None:
            return None
        ids = [f.id for f in self.facts if f.id.startswith(head) and f.id.endswith("_per_mtok")]
        stated = f"peer.{claim.firm}.price_cut_frac"
        if stated in self.facts:
            hits = [v for v in self.facts.series(stated, self.as_of) if self._agrees(figure, v)]
            if hits:
                return "confirmed", f"announced on {hits[-1].start}: {100 * hits[-1].number:.3g} %", (stated,)
        for one in ids:
            values = [v.number for v in self.facts.series(one, self.as_of)]
            model, _, kind = one.rpartition(".")
            standard = f"{model.removesuffix('_offpeak')}.{kind}"
            pairs = list(itertools.pairwise(values))
            if standard != one and standard in self.facts and values:
                pairs += [(v.number, values[-1]) for v in self.facts.series(standard, self.as_of)]
            for before, after in pairs:
                if before > after > 0 and abs(1 - after / before - figure.middle) < 0.02:
                    return "confirmed", f"list price on file falls from {before:g} to {after:g}", (one,)
        return "not_on_file", f"no cut of {100 * figure.middle:.3g} % among list prices on file", tuple(ids[:3])

    def _grown(self, claim: Claim) -> tuple[str, str, tuple[str, ...]] | None:
        """Return the verdict of a growth on the year by the two levels on file; None where they are not."""
        figure, period = claim.named["percent"], claim.named.get("period")
        if period is None or not re.match(r"\d{4}|FY", period.label) or figure.what:
            return None
        ago = re.sub(r"\d{4}", lambda m: str(int(m[0]) - 1), period.label)
        every = [c for c in self.candidates(claim.firm, claim.quantity) if c.years > 0]
        for now in every:
            if same_label(period.label, now, claim.firm):
                before = [c for c in every if c.value.id == now.value.id and same_label(ago, c, claim.firm)]
                if before and before[-1].value.number > 0:
                    growth = now.value.number / before[-1].value.number - 1
                    falls = (
                        -1
                        if lexicon.pattern("fall").search(
                            claim.sentence.plain[max(0, figure.start - 12) : figure.start]
                        )
                        else 1
                    )
                    agrees = abs(growth - falls * figure.middle) <= 0.015 + 0.02 * abs(growth)
                    text = f"levels on file of {period.label} and {ago} give {100 * growth:+.1f} %"
                    return "confirmed" if agrees else "contradicted", text, (now.value.id,)
        return None

    def _share_like(self, claim: Claim, wanted: object) -> tuple[str, str, tuple[str, ...]]:
        figure, period = claim.named["percent"], claim.named.get("period")
        grown = (self._cut(claim) or self._grown(claim)) if claim.kind == "growth" else None
        if grown is not None:
            return grown
        heads = tuple(_prefixes(claim.firm))
        values = [
            v for fact in self.facts
            if heads and fact.id.startswith(heads) and callable(wanted) and wanted(fact.id)
            for v in self.facts.series(fact.id, self.as_of)
        ]  # fmt: skip
        close = [
            v
            for v in values
            if not isinstance(v.value, str)
            and figure.low - 0.006 - 0.01 * figure.low <= v.number <= figure.high + 0.006 + 0.01 * figure.high
        ]
        label = period.label if period is not None else ""
        guided = figure.what == "of_revenue"
        close = [
            v
            for v in close
            if guided or not re.match(r"\d{4}", label) or str(v.start.year) == label[:4] or label == "each"
        ]
        if close:
            return "confirmed", f"on file for {close[-1].start}: {100 * close[-1].number:.3g} %", (close[-1].id,)
        return (
            "not_on_file",
            f"no such {claim.kind} of {_name(claim.firm)} is on file",
            tuple(dict.fromkeys(v.id for v in values))[:4],
        )

    def _power(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        heads = tuple(_prefixes(claim.firm))
        for fact in self.facts:
            if heads and fact.id.startswith(heads) and fact.unit == "W":
                hits = [v for v in self.facts.series(fact.id, self.as_of) if self._agrees(claim.named["power"], v)]
                if hits:
                    return "confirmed", f"{fact.about} on {hits[-1].start}: {hits[-1].number / 1e9:g} GW", (fact.id,)
        return "not_on_file", f"no such power of {_name(claim.firm)} is on file", ()

    def _count(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        figure = claim.named["count"]
        heads = (
            tuple(p for p in _prefixes(claim.firm) if p.startswith(("tokens", "users")))
            if claim.quantity in {"tokens", "users"}
            else ()
        )
        if claim.quantity == "users" and claim.firm == "bytedance":
            heads = (*heads, "users.doubao")
        for fact in self.facts:
            if heads and fact.id.startswith(heads):
                hits = [v for v in self.facts.series(fact.id, self.as_of) if self._agrees(figure, v)]
                if hits:
                    return "confirmed", f"{fact.about}: {format_count(hits[-1].number)} on {hits[-1].start}", (fact.id,)
        known = tuple(fact.id for fact in self.facts if heads and fact.id.startswith(heads))
        return "not_on_file", f"no such number of {claim.quantity} is on file", known[:3]

    def _rates(self, claim: Claim) -> tuple[str, str, tuple[str, ...]]:
        change = claim.derived["change"][0]
        return "not_on_file", f"the second rate is {100 * change:+.1f} % on the first; neither is on file", ()


def _prefixes(firm: str) -> tuple[str, ...]:
    entry = lexicon.firms().get(firm)
    return () if entry is None else tuple(f"{one}" for one in entry.facts)


def _first_price(firm: str) -> str:
    known = {"deepseek": "api.deepseek.reasoner", "alibaba": "api.qwen.max", "bytedance": "api.doubao.pro"}
    return known.get(firm, "api.unknown")


def _name(firm: str) -> str:
    return lexicon.firm_name(firm, "a firm that is not named")


def _label(quantity: str) -> str:
    return str(lexicon.words("quantities").get(quantity, {}).get("label", quantity or "figure"))


def _about(candidate: Candidate) -> str:
    return f"on file for {candidate.label}" if candidate.label else f"on file on {candidate.value.start}"


def _shown(value: FactValue) -> str:
    unit = value.unit.split("/")[0]
    rest = value.unit[len(unit) :]
    if unit in {"USD", "CNY", "HKD"}:
        text = format_money(value.number, unit) + rest
        if value.low is not None and value.high is not None and "guidance" in value.id:
            text = f"{format_money(value.low, unit)} to {format_money(value.high, unit)}"
        return text
    return f"{value.number:,.6g} {value.unit}"


def _said(amount: Figure) -> str:
    if amount.low == amount.high:
        return format_money(amount.low, amount.unit)
    return f"{format_money(amount.low, amount.unit)} to {format_money(amount.high, amount.unit)}"
