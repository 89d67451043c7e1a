"""What an accelerator-hour costs by part, and what a model's tokens cost on the cheapest layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons import models
from jevons.checks import check, check_sum
from jevons.costing import DeviceHour, TokenCost, token_cost
from jevons.errors import InputError
from jevons.facts import get
from jevons.hardware import Accelerator
from jevons.models import ModelSpec
from jevons.results import Column, Result, Table, table
from jevons.serving import Candidate, DeviceSeconds, device_seconds_per_call
from jevons.sizing.hour_price import HourPrice, device_cost
from jevons.sizing.power import point_load_frac
from jevons.sizing.search import layout_degrees
from jevons.sizing.service import Service
from jevons.units import format_money

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
    purchase_cny : float or None
        Price of the accelerator with its share of the server [CNY]; None where the hour's price was given.
    hour : DeviceHour or None
        Parts of the hour; None where its price was given.
    tokens : PricedTokens or None
        Where a model was named.
    utilisation_frac : float
        Share of hours in which capacity is sold, 0..1.
    """

    kind: ClassVar[str] = "cost"

    device: Accelerator
    service: Service
    price: HourPrice
    site: str
    purchase_cny: float | None
    hour: DeviceHour | None
    tokens: PricedTokens | None
    utilisation_frac: float

    def check(self) -> None:
        """Check that parts make up the hour, and that no kind of token costs less than nothing."""
        super().check()
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
    def per_hour(self) -> float:
        """Cost of an accelerator-hour, in `currency`."""
        return self.price.amount

    @property
    def currency(self) -> str:
        """Currency code of all amounts but the parts, which are in CNY."""
        return self.price.currency

    @property
    def answer(self) -> str:
        """What an hour costs, and what a million tokens cost."""
        if self.purchase_cny is None:
            text = f"An hour of {self.device.name} at {self.price.amount:.3g} {self.currency}."
        else:
            rate = get("fx.cny_per_usd", self.service.on).number
            text = (
                f"An hour of {self.device.name} ({format_money(self.purchase_cny, 'CNY')}) costs "
                f"{self.price.amount:.2f} CNY ({self.price.amount / rate:.2f} USD) at {self.site}."
            )
        if self.tokens is None:
            return text
        cost, best = self.tokens.cost, self.tokens.candidate
        return (
            f"{text} On {best.deployment} a million tokens cost {cost.blended_per_mtok:.3g} {self.currency} "
            f"({cost.input_per_mtok:.3g} input, {cost.output_per_mtok:.3g} output) at "
            f"{100 * self.utilisation_frac:.0f} % utilisation."
        )

    def _tables(self) -> Iterator[Table]:
        if self.hour is not None:
            yield _hour_table(self.hour)
        if self.tokens is not None:
            yield self._token_table(self.tokens)

    def _token_table(self, tokens: PricedTokens) -> Table:
        per = f"{self.currency}/Mtok"
        busy = "tok/s per accelerator while it does nothing else"
        columns = (
            Column(name="item", label="item"),
            Column(name="cost", label="cost"),
            Column(name="unit", label="unit"),
            Column(name="note", label="note"),
        )
        isl, osl = self.service.isl, self.service.osl
        rows = (
            ("input tokens", tokens.cost.input_per_mtok, per, f"{1 / tokens.seconds.per_input_token_s:,.0f} {busy}"),
            ("output tokens", tokens.cost.output_per_mtok, per, f"{1 / tokens.seconds.per_output_token_s:,.0f} {busy}"),
            ("blended", tokens.cost.blended_per_mtok, per, f"{isl:,} input and {osl:,} output tokens"),
            ("one request", tokens.per_call, self.currency, f"{isl:,} input and {osl:,} output tokens"),
        )
        limits = f", {self.service.limits}" if self.service.limits else ""
        return table("tokens", f"Cost of tokens on {tokens.candidate.deployment}{limits}", columns, rows)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        record: dict[str, Any] = {"answer": self.answer, "gpu": self.device.id}
        if self.hour is not None:
            record |= {
                "price_cny": self.purchase_cny,
                "parts_cny_per_h": {name: getattr(self.hour, f"{name}_cur") for name in _PARTS},
                "energy_kwh_per_h": self.hour.energy_kwh, "carbon_kgco2_per_h": self.hour.carbon_kgco2,
            }  # fmt: skip
        record |= {"per_hour": self.price.amount, "currency": self.currency}
        if self.tokens is None:
            return record
        best, cost, seconds = self.tokens.candidate, self.tokens.cost, self.tokens.seconds
        return record | {
            "model": self.tokens.model.name, "layout": layout_degrees(best), "precision": best.deployment.precision,
            "accelerators": best.deployment.devices, "ttft_s": best.point.ttft_s, "tpot_s": best.point.tpot_s,
            "utilisation_frac": self.utilisation_frac, "input_tok_per_s_per_gpu": 1 / seconds.per_input_token_s,
            "output_tok_per_s_per_gpu": 1 / seconds.per_output_token_s, "input_per_mtok": cost.input_per_mtok,
            "output_per_mtok": cost.output_per_mtok, "blended_per_mtok": cost.blended_per_mtok,
            "per_call": self.tokens.per_call,
        }  # fmt: skip


def _hour_table(hour: DeviceHour) -> Table:
    columns = (
        Column(name="part", label="part"),
        Column(name="cny_per_h", label="cost", unit="CNY/h"),
        Column(name="share_frac", label="share", unit="%", scale=100.0),
    )
    rows = [(words, getattr(hour, f"{name}_cur")) for name, words in _PARTS.items()]
    rows.append(("total", hour.total_cur))
    return table(
        "hour", "Cost of an accelerator-hour by part", columns, [(*row, row[1] / hour.total_cur) for row in rows]
    )


def cost_of(
    service: Service, model: str | None, *, site: str, price: HourPrice | None, utilisation: float
) -> CostResult:
    """Return the cost of an hour of a service's accelerator, at *price* or from its parts, and of a model's tokens.

    Raises
    ------
    InputError, FactError, InfeasibleError
        As `jevons.cost` says.
    """
    if model is not None and service.osl < _LEAST_OSL:
        message = f"--osl {service.osl}: must be at least {_LEAST_OSL}; the first output token comes with the prompt"
        raise InputError(message)
    device = service.accelerator()
    paid, hour = None, None
    if price is None:
        paid, hour = device_cost(device, site, service.on)
        price = HourPrice(hour.total_cur, "CNY", f"own cost at {site}")
    tokens = None if model is None else _priced(service, models.load(model), device, price, utilisation)
    if tokens is not None and hour is not None:  # its electricity is that of the operating point
        best = tokens.candidate
        load_frac = point_load_frac(best.deployment, service.workload(), best.point, utilisation)
        paid, hour = device_cost(device, site, service.on, load_frac)
        price = HourPrice(hour.total_cur, "CNY", f"own cost at {site}")
        tokens = _priced(service, tokens.model, device, price, utilisation, best)
    return CostResult(
        device=device, service=service, price=price, site=site, purchase_cny=paid, hour=hour, tokens=tokens,
        utilisation_frac=utilisation,
    )  # fmt: skip


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
