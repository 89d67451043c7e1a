"""What an accelerator-hour costs by part, and what a model's tokens cost on the cheapest layout."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from jevons import models
from jevons.checks import check, check_ordered, check_sum
from jevons.costing import DeviceHour, TokenCost, token_cost
from jevons.errors import InputError
from jevons.facts import FactValue, get
from jevons.hardware import Accelerator, OwnPrice
from jevons.models import ModelSpec
from jevons.provenance import Ledger
from jevons.results import Column, Result, Table, table
from jevons.serving import Candidate, DeviceSeconds, device_seconds_per_call
from jevons.serving.spread import Spread, spread
from jevons.sizing.cost_ledger import add_hour, add_tokens
from jevons.sizing.hour_price import HourPrice, check_site, cny_per, currency_of, device_cost
from jevons.sizing.memory import longest_told, memory_record, start_note
from jevons.sizing.power import point_load_frac
from jevons.sizing.price_estimate import is_estimate, price_estimated, price_or_estimate
from jevons.sizing.search import layout_degrees
from jevons.sizing.service import Service
from jevons.sizing.what_changes import of_hour, of_use
from jevons.units import format_money
from jevons.words import Sentence, name_of

_LEAST_OSL = 2
_PARTS = {
    "capital": "accelerator and server", "network": "network and storage", "site": "building, power and cooling",
    "energy": "electricity", "operations": "staff, spares and maintenance",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedTokens:
    """Cost of a model's tokens on its cheapest layout.

    Parameters
    ----------
    model : ModelSpec
        What is served.
    candidate : Candidate
        Layout and its operating point.
    seconds : DeviceSeconds
        Device time of a token of each kind.
    cost : TokenCost
        Per million tokens, in the currency of the hour.
    per_call : float
        Of one request, in the same currency.
    """

    model: ModelSpec
    candidate: Candidate
    seconds: DeviceSeconds
    cost: TokenCost
    per_call: float


@dataclass(frozen=True, kw_only=True, repr=False)
class CostResult(Result):
    """What `jevons.cost` returns.

    Parameters
    ----------
    device : Accelerator
        Whose hour is priced.
    service : Service
        How the model is served.
    price : HourPrice
        Of an accelerator-hour.
    site : str
        Site of an accelerator of one's own.
    paid : FactValue or None
        Purchase price with the share of the server [CNY]; None where the hour's price was given.
    cny_rate : float
        Yuan that a unit of the currency is worth.
    hour : DeviceHour or None
        Parts of the hour, in `currency`; None where its price was given.
    ends : tuple of float or None
        Ends of the 80 % interval of the hour, where the purchase price is an estimate, in `currency`.
    tokens : PricedTokens or None
        Where a model was named.
    utilisation_frac : float
        Share of hours in which capacity is sold, 0..1.
    load_frac : float
        Mean power over that at full load, 0..1.
    """

    kind: ClassVar[str] = "cost"

    device: Accelerator
    service: Service
    price: HourPrice
    site: str
    paid: FactValue | None
    cny_rate: float
    hour: DeviceHour | None
    ends: tuple[float, float] | None
    tokens: PricedTokens | None
    utilisation_frac: float
    load_frac: float

    @property
    def ledger(self) -> Ledger:
        """How the figures were made."""
        ledger, on = Ledger(), self.service.on
        if self.paid is None:
            ledger.add("per_hour", self.price.amount, f"{self.currency}/h", method=self.price.origin)
        else:
            add_hour(
                ledger, device=self.device, site=self.site, on=on, paid=self.paid,
                load_frac=self.load_frac, currency=self.currency, cny_rate=self.cny_rate,
            )  # fmt: skip
        if self.tokens is not None:
            seconds = self.tokens.seconds
            add_tokens(
                ledger, currency=self.currency, utilisation_frac=self.utilisation_frac,
                tok_per_s={"input": 1 / seconds.per_input_token_s, "output": 1 / seconds.per_output_token_s},
                layout=str(self.tokens.candidate.deployment),
                request={"isl": self.service.isl, "osl": self.service.osl},
            )  # fmt: skip
        return ledger

    def check(self) -> None:
        """Check that parts make up the hour, and that no kind of token costs less than nothing."""
        super().check()
        if self.ends is not None:
            check_ordered("the interval of the hour", (self.ends[0], self.per_hour, self.ends[1]))
        if self.hour is not None:
            check_sum("parts of the hour", (getattr(self.hour, f"{name}_cur") for name in _PARTS), self.hour.total_cur)
        if self.tokens is not None:
            cost = self.tokens.cost
            ends = sorted((cost.input_per_mtok, cost.output_per_mtok))
            check(
                ends[0] * (1 - 1e-9) <= cost.blended_per_mtok <= ends[1] * (1 + 1e-9),
                "the blended cost lies outside of input and output",
            )

    @property
    def purchase(self) -> float | None:
        """Purchase price with the share of the server, in `currency`; None where the hour's price was given."""
        return None if self.paid is None else self.paid.number / self.cny_rate

    @property
    def per_hour(self) -> float:
        """Cost of an accelerator-hour, in `currency`."""
        return self.price.amount

    @property
    def currency(self) -> str:
        """Currency code of all amounts."""
        return self.price.currency

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """What an hour costs, and what a million tokens cost."""
        values: dict[str, Any] = {"device": self.device.name, "hour": self.price.amount, "currency": self.currency}
        if self.purchase is None:
            first = Sentence("cost.hour_given", values)
        else:
            values |= {"price": format_money(self.purchase, self.currency), "site": name_of(self.site)}
            if self.ends is not None:
                values |= {"hour_low": self.ends[0], "hour_high": self.ends[1]}
            first = Sentence("cost.hour" if self.ends is None else "cost.hour_estimated", values)
        if self.tokens is None:
            return (first,)
        cost, best = self.tokens.cost, self.tokens.candidate
        low, high = self._ends_of(cost.blended_per_mtok)
        values = {
            "deployment": str(best.deployment), "blended": cost.blended_per_mtok, "currency": self.currency,
            "input": cost.input_per_mtok, "output": cost.output_per_mtok, "utilisation": self.utilisation_frac,
            "blended_low": low, "blended_high": high,
        }  # fmt: skip
        return (first, Sentence("cost.tokens", values))

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """The largest part of the hour, and what utilisation does to a million tokens."""
        changes = []
        if self.hour is not None:
            hour = self.hour
            changes.append(of_hour({words: getattr(hour, f"{name}_cur") for name, words in _PARTS.items()}))
        if self.tokens is not None:
            changes.append(of_use(self.utilisation_frac))
        return tuple(changes)

    def _spread(self, quantity: str) -> Spread:
        """Return how far measurements lie from predictions of a quantity on the layout that serves the tokens."""
        assert self.tokens is not None  # noqa: S101 - asked of tokens only
        deployment = self.tokens.candidate.deployment
        return spread(quantity, deployment.engine.name, deployment.accelerator.id, deployment.model.name)

    def _ends_of(self, middle: float) -> tuple[float, float]:
        """Return the ends of a cost of tokens: the errors of predicted rates, and of an estimated price beside them."""
        rate = self._spread("rate")
        low, high = self.ends or (self.per_hour, self.per_hour)
        down = math.hypot(math.log(rate.high), math.log(self.per_hour / low))
        up = math.hypot(math.log(rate.low), math.log(high / self.per_hour))
        return middle * math.exp(-down), middle * math.exp(up)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """How a price was estimated; whether the engine starts, and what `jevons size` tries besides."""
        return (*self._estimated(), *self._of_model())

    def _estimated(self) -> tuple[Sentence, ...]:
        if self.ends is None or self.paid is None:
            return ()
        return (price_estimated(self.device, self.paid, self.cny_rate, self.currency),)

    def _of_model(self) -> tuple[Sentence, ...]:
        if self.tokens is None:
            return ()
        deployment = self.tokens.candidate.deployment
        longest = longest_told(deployment, self.service.isl + self.service.osl)
        starts = start_note(replace(deployment, max_model_len=longest))
        if self.service.layout is None and deployment.devices > Service().gpus:
            values = {"devices": deployment.devices, "most": Service().gpus}
            starts = (*starts, Sentence("cost.larger_replica", values))
        usual = replace(self.service, precision=None).precisions(self.tokens.model, self.device)
        weights = self.tokens.model.weight_precision
        shipped = {name.removesuffix("_block") for name in (weights.experts, weights.dense)}
        more = [name for name in usual if name not in {"native", *shipped}]
        if self.service.precision != "native" or not more:
            return starts
        return (*starts, Sentence("cost.as_shipped", {"more": ", ".join(more)}))

    def _tables(self) -> Iterator[Table]:
        if self.hour is not None:
            yield _hour_table(self.hour, self.currency)
        if self.tokens is not None:
            yield self._token_table(self.tokens)

    def _token_table(self, tokens: PricedTokens) -> Table:
        per = f"{self.currency}/Mtok"
        columns = (
            Column(name="item", label="item"),
            Column(name="cost", label="cost"),
            Column(name="low", label="low"),
            Column(name="high", label="high"),
            Column(name="unit", label="unit"),
            Column(name="note", label="note"),
        )
        isl, osl = self.service.isl, self.service.osl
        rows = (
            (
                "input tokens",
                *self._with_ends(tokens.cost.input_per_mtok),
                per,
                f"{1 / tokens.seconds.per_input_token_s:,.0f} tok/s per device, prompts alone",
            ),
            (
                "output tokens",
                *self._with_ends(tokens.cost.output_per_mtok),
                per,
                f"{1 / tokens.seconds.per_output_token_s:,.0f} tok/s per device, decoding alone",
            ),
            (
                "blended",
                *self._with_ends(tokens.cost.blended_per_mtok),
                per,
                f"{isl:,} input and {osl:,} output tokens",
            ),
            (
                "one request",
                *self._with_ends(tokens.per_call),
                self.currency,
                f"{isl:,} input and {osl:,} output tokens",
            ),
        )
        limits = f", {self.service.limits}" if self.service.limits else ""
        title = f"Cost of tokens on {tokens.candidate.deployment}{limits}; low, high: 80 % interval"
        return table("tokens", title, columns, rows)

    def _with_ends(self, middle: float) -> tuple[float, float, float]:
        """Return a cost of tokens and the ends of its interval."""
        return (middle, *self._ends_of(middle))

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        record: dict[str, Any] = {**self.answer_record(), "gpu": self.device.id}
        if self.hour is not None:
            record |= {
                "price": self.purchase,
                "price_cny": None if self.paid is None else self.paid.number,
                "parts_per_h": {name: getattr(self.hour, f"{name}_cur") for name in _PARTS},
                "parts_cny_per_h": {name: getattr(self.hour, f"{name}_cur") * self.cny_rate for name in _PARTS},
                "energy_kwh_per_h": self.hour.energy_kwh, "carbon_kgco2_per_h": self.hour.carbon_kgco2,
            }  # fmt: skip
        record |= {"per_hour": self.price.amount, "currency": self.currency}
        if self.ends is not None and self.paid is not None and self.paid.low is not None and self.paid.high is not None:
            record |= {
                "per_hour_low": self.ends[0], "per_hour_high": self.ends[1],
                "price_low": self.paid.low / self.cny_rate, "price_high": self.paid.high / self.cny_rate,
            }  # fmt: skip
        if self.tokens is None:
            return record
        best, cost, seconds = self.tokens.candidate, self.tokens.cost, self.tokens.seconds
        point = {"ttft_s": best.point.ttft_s, "tpot_s": best.point.tpot_s}
        rates = {
            "input_tok_per_s_per_gpu": 1 / seconds.per_input_token_s,
            "output_tok_per_s_per_gpu": 1 / seconds.per_output_token_s,
        }
        costs = {
            "input_per_mtok": cost.input_per_mtok, "output_per_mtok": cost.output_per_mtok,
            "blended_per_mtok": cost.blended_per_mtok, "per_call": self.tokens.per_call,
        }  # fmt: skip
        ends = {name: self._spread(name.removesuffix("_s")).interval(value) for name, value in point.items()}
        ends |= {name: self._spread("rate").interval(value) for name, value in rates.items()}
        ends |= {name: self._ends_of(value) for name, value in costs.items()}
        return record | {
            "model": self.tokens.model.name, "layout": layout_degrees(best), "precision": best.deployment.precision,
            "accelerators": best.deployment.devices, "utilisation_frac": self.utilisation_frac,
            **point, **rates, **costs,
            **{f"{name}_low": low for name, (low, _) in ends.items()},
            **{f"{name}_high": high for name, (_, high) in ends.items()},
            "memory": memory_record(best.deployment, self.service.isl + self.service.osl),
        }  # fmt: skip


def _hour_table(hour: DeviceHour, currency: str) -> Table:
    columns = (
        Column(name="part", label="part"),
        Column(name="cost_per_h", label="cost", unit=f"{currency}/h"),
        Column(name="share_frac", label="share", unit="%", scale=100.0),
    )
    rows = [(words, getattr(hour, f"{name}_cur")) for name, words in _PARTS.items()]
    rows.append(("total", hour.total_cur))
    return table(
        "hour", "Cost of an accelerator-hour by part", columns, [(*row, row[1] / hour.total_cur) for row in rows]
    )


def cost_of(
    service: Service,
    model: str | None,
    *,
    site: str,
    price: HourPrice | None,
    utilisation: float,
    paid: OwnPrice | None = None,
    currency: str | None = None,
) -> CostResult:
    """Return the cost of an hour of a service's accelerator, at *price* or from its parts, and of a model's tokens.

    *paid* is its purchase price; that on file by default, or one estimated from those of others.

    Raises
    ------
    InputError, FactError, InfeasibleError
        As `jevons.cost` says.
    """
    if model is not None and service.osl < _LEAST_OSL:
        message = f"--osl {service.osl}: must be at least {_LEAST_OSL}; the first output token comes with the prompt"
        raise InputError(message)
    check_site(site)
    device = service.accelerator()
    device = device if paid is None else replace(device, own_price=paid)
    unit = currency_of(currency, price, device.own_price)
    rate = cny_per(unit, service.on)
    bought, hour, load_frac = None, None, get("assumption.load_frac", service.on).number
    if price is None:
        bought = price_or_estimate(device if paid is None else replace(device, file=""), service.on, site)
        hour = _owned(device, site, service.on, rate, bought.number)
        price = HourPrice(hour.total_cur, unit, f"own cost at {site}")
    else:
        price = HourPrice(price.amount * cny_per(price.currency, service.on) / rate, unit, price.origin)
    tokens = None if model is None else _priced(service, models.load(model), device, price, utilisation)
    if tokens is not None and hour is not None:  # its electricity is that of the operating point
        best = tokens.candidate
        load_frac = point_load_frac(best.deployment, service.workload(), best.point, utilisation)
        assert bought is not None  # noqa: S101 - an hour of parts is of what was bought
        hour = _owned(device, site, service.on, rate, bought.number, load_frac)
        price = HourPrice(hour.total_cur, unit, f"own cost at {site}")
        tokens = _priced(service, tokens.model, device, price, utilisation, best)
    ends = None
    if bought is not None and is_estimate(bought) and bought.low is not None and bought.high is not None:
        hours = [_owned(device, site, service.on, rate, end, load_frac).total_cur for end in (bought.low, bought.high)]
        ends = (hours[0], hours[1])
    return CostResult(
        device=device, service=service, price=price, site=site, paid=bought, hour=hour, tokens=tokens, ends=ends,
        utilisation_frac=utilisation, cny_rate=rate, load_frac=load_frac,
    )  # fmt: skip


def _owned(
    device: Accelerator, site: str, on: dt.date | None, rate: float, price_cny: float, load_frac: float | None = None
) -> DeviceHour:
    """Return the cost of an hour of an accelerator that was bought, in a currency worth *rate* yuan."""
    _, hour = device_cost(device, site, on, load_frac, price_cny)
    return replace(hour, **{f"{name}_cur": getattr(hour, f"{name}_cur") / rate for name in _PARTS})


def _priced(
    service: Service,
    spec: ModelSpec,
    device: Accelerator,
    price: HourPrice,
    utilisation: float,
    best: Candidate | None = None,
) -> PricedTokens:
    best = best or service.search(spec, device).candidates[0]
    seconds = device_seconds_per_call(
        best.deployment, service.workload(), ttft_s=service.ttft_s, tpot_s=service.tpot_s
    )  # fmt: skip
    cost = token_cost(
        price.amount, input_tok_per_s=1 / seconds.per_input_token_s, output_tok_per_s=1 / seconds.per_output_token_s,
        mix=(service.isl, 0.0, service.osl), utilisation_frac=utilisation,
    )  # fmt: skip
    per_call = cost.blended_per_mtok * (service.isl + service.osl) / 1e6
    return PricedTokens(model=spec, candidate=best, seconds=seconds, cost=cost, per_call=per_call)
