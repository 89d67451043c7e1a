"""What AI costs a small shop: a call, a shop and month, at APIs' list prices and on machines for a city of shops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.errors import FactError, InputError, did_you_mean
from jevons.facts import FactValue, default_facts, get
from jevons.facts.ledger import add_fact
from jevons.provenance import Ledger
from jevons.results import Column, Result, Table, number, table
from jevons.sizing.compare import Assumptions, api_price, rent_of
from jevons.sizing.hour_price import cny_per, currency_of, device_cost
from jevons.sizing.result import SizeResult
from jevons.sizing.search import size
from jevons.sizing.service import Demand, Service
from jevons.sizing.ways import ApiPrice
from jevons.sizing.ways_formulas import CALL, MONTH, add_api_prices
from jevons.units import DAYS_PER_MONTH, HOURS_PER_MONTH, format_money
from jevons.words import Sentence

if TYPE_CHECKING:
    import polars as pl

PRESETS = {"restaurant": "segment.restaurant", "web-shop": "segment.web_shop"}
"""Presets by name, with the prefix of their facts."""

SHOPS = 10_000
_NAMES = {
    "calls_per_d": "calls_per_adopter", "input_tokens": "input_tokens_per_call", "cached_frac": "cached_frac",
    "output_tokens": "output_tokens_per_call", "peak_frac": "peak_frac",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Use of one shop: facts with their ranges.

    Parameters
    ----------
    preset : str
        One of `PRESETS`.
    calls_per_d : FactValue
        Calls a day.
    input_tokens, output_tokens : FactValue
        Tokens of a call.
    cached_frac : FactValue
        Share of input tokens that an API reads from its cache.
    peak_frac : FactValue
        Share of a day's calls in its eight busiest hours.
    """

    preset: str
    calls_per_d: FactValue
    input_tokens: FactValue
    cached_frac: FactValue
    output_tokens: FactValue
    peak_frac: FactValue

    def call_cny(self, price: ApiPrice, bound: str = "mid") -> float:
        """Return what a call costs at an API, with the central figures or the low or high ends of their ranges."""
        tokens_in, tokens_out = (_at(f, bound) for f in (self.input_tokens, self.output_tokens))
        cached = _at(self.cached_frac, {"low": "high", "high": "low"}.get(bound, bound))
        return float(CALL(
            tokens_in=tokens_in, tokens_out=tokens_out, cached_frac=cached, input=price.input_cny_per_mtok,
            cached=price.cached_cny_per_mtok, output=price.output_cny_per_mtok,
        ))  # fmt: skip

    def month_cny(self, price: ApiPrice, bound: str = "mid") -> float:
        """Return what a shop pays an API in a month."""
        return self.call_cny(price, bound) * _at(self.calls_per_d, bound) * DAYS_PER_MONTH

    def peak_req_per_s(self, shops: int) -> float:
        """Return the calls per second of many shops in their busiest hours."""
        return shops * self.calls_per_d.number * self.peak_frac.number / get("assumption.peak_period_s").number


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """Machines that serve all shops of a city: bought or rented, the month's cost [CNY], and the fleet."""

    way: str
    gpu: str
    fleet: str
    accelerators: int
    month_cny: float
    origin: str


@dataclass(frozen=True, kw_only=True, repr=False)
class PresetResult(Result):
    """What AI costs a small shop.

    Parameters
    ----------
    shop : Shop
        Its use.
    shops : int
        Shops of the city that share machines.
    apis : tuple of ApiPrice
        List prices.
    hosted : tuple of Hosted
        Machines for all shops.
    sized : SizeResult
        The fleet behind them.
    service : Service
        Model's engine, lengths and limits.
    currency : str
        In which the answer and the tables are.
    cny_rate : float
        Yuan that a unit of it is worth.
    """

    kind: ClassVar[str] = "buy_rent_api"
    picture: ClassVar[str] = "shop"

    shop: Shop
    shops: int
    apis: tuple[ApiPrice, ...]
    hosted: tuple[Hosted, ...]
    sized: SizeResult
    service: Service
    currency: str = "CNY"
    cny_rate: float = 1.0

    def draws_picture(self, name: str) -> bool:
        """Return whether it is this result's picture: sizes, comparisons and presets share a list."""
        return name == self.picture

    @property
    def calls_per_month(self) -> float:
        """Calls of one shop in a month."""
        return self.shop.calls_per_d.number * DAYS_PER_MONTH

    def rows(self) -> list[dict[str, Any]]:
        """Return all ways with the cost of a call and of a shop and month [CNY], cheapest first."""
        listed: list[dict[str, Any]] = [
            {
                "way": f"API {price.prefix}",
                "per_call_cny": self.shop.call_cny(price),
                "per_shop_month_cny": self.shop.month_cny(price),
                "low_cny": self.shop.month_cny(price, "low"),
                "high_cny": self.shop.month_cny(price, "high"),
                "since": price.since.isoformat(),
                "note": f"{number(price.input_cny_per_mtok / self.cny_rate)} in, "
                f"{number(price.output_cny_per_mtok / self.cny_rate)} out {self.currency}/Mtok",
            }
            for price in self.apis
        ]
        for host in self.hosted:
            month = host.month_cny / self.shops
            listed.append(
                {
                    "way": f"{host.way} {host.gpu}, {self.sized.model.name}",
                    "per_call_cny": month / self.calls_per_month,
                    "per_shop_month_cny": month,
                    "low_cny": None,
                    "high_cny": None,
                    "since": None,
                    "note": f"{host.accelerators} accelerators ({host.fleet}) for {self.shops:,} shops; {host.origin}",
                }
            )
        return sorted(listed, key=lambda row: row["per_shop_month_cny"])

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        shop = self.shop
        use = {
            name: {"value": f.number, "low": f.low, "high": f.high, "fact": f.id, "grade": f.grade, "reason": f.reason}
            for name, f in ((n, getattr(shop, n)) for n in _NAMES)
        }
        rows = self.rows()
        return {
            **self.answer_record(), "currency": self.currency, "cny_per_unit": self.cny_rate,
            "preset": shop.preset, "shops": self.shops, "use": use, "calls_per_month": self.calls_per_month,
            "peak_req_per_s": shop.peak_req_per_s(self.shops), "model": self.sized.model.name,
            "best": rows[0], "pareto": rows[:1], "ways": rows, "fleet": self.sized.best.record(self.sized.service),
        }  # fmt: skip

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
        """Return the ways as a table, one row each."""
        if table is not None:
            return super().to_frame(table)
        import polars as pl

        return pl.DataFrame(self.rows())

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """What a shop pays in a month, on the cheapest API and on shared machines."""
        best = self.rows()[0]
        values = {
            "preset": self.shop.preset, "calls": self.shop.calls_per_d.number, "way": best["way"], "note": best["note"],
            "cost": format_money(best["per_shop_month_cny"] / self.cny_rate, self.currency),
        }  # fmt: skip
        return (Sentence("shop.cheapest", values),)

    def _tables(self) -> Iterator[Table]:
        shop = self.shop
        title = (
            f"{shop.preset}: {shop.calls_per_d.number:g} calls a day, {shop.input_tokens.number:g} input tokens "
            f"({100 * shop.cached_frac.number:.0f} % cached), {shop.output_tokens.number:g} output tokens a call"
        )
        columns = (
            Column("way", "way"), Column("note", "price or fleet", detail=True), Column("since", "list price since"),
            Column("per_call_cny", "cost", f"{self.currency} per 1,000 calls", scale=1e3 / self.cny_rate),
            Column("per_shop_month_cny", "cost", f"{self.currency} per shop and month", scale=1.0 / self.cny_rate),
            Column("low_cny", "low", self.currency, scale=1.0 / self.cny_rate, detail=True),
            Column("high_cny", "high", self.currency, scale=1.0 / self.cny_rate, detail=True),
        )  # fmt: skip
        yield table("ways", title, columns, [
            (r["way"], r["note"], str(r["since"] or ""), r["per_call_cny"], r["per_shop_month_cny"], r["low_cny"],
             r["high_cny"])
            for r in self.rows()
        ])  # fmt: skip
        use = [
            (n.replace("_", " ").replace("per d", "per day"), f"{f.grade}: {f.reason}", f.number, f.low, f.high)
            for n in _NAMES
            for f in (getattr(shop, n),)
        ]
        figures = (
            Column("figure", "figure"), Column("evidence", "evidence"), Column("value", "value"), Column("low", "low"),
            Column("high", "high"),
        )  # fmt: skip
        yield table("use", "Use of a shop; reasoning models write more than users see", figures, use, detail=True)

    @property
    def ledger(self) -> Ledger:
        """How the costs of a call and of a month were made."""
        ledger, facts, on = Ledger(), default_facts(), self.service.on
        for name in _NAMES:
            add_fact(ledger, getattr(self.shop, name).id, facts, on)
        use = {
            symbol: getattr(self.shop, name).id
            for symbol, name in (
                ("tokens_in", "input_tokens"), ("cached_frac", "cached_frac"), ("tokens_out", "output_tokens"),
            )
        }  # fmt: skip
        for price in self.apis:
            for fact in price.facts:
                add_fact(ledger, fact, facts, on)
            paths = add_api_prices(ledger, price, f"price.{price.prefix}")
            call = f"per_call_cny.{price.prefix}"
            ledger.derive(call, CALL, **use, **paths)
            ledger.derive(f"per_shop_month_cny.{price.prefix}", MONTH, call=call, calls_per_d=self.shop.calls_per_d.id)
        return ledger


def preset(
    name: str,
    service: Service | None = None,
    *,
    shops: int = SHOPS,
    model: str = "",
    gpus: Sequence[str] = ("h20",),
    apis: Sequence[str] = (),
    simulated: bool = True,
    currency: str | None = None,
) -> PresetResult:
    """Return what AI costs a small shop, a call and a month.

    Parameters
    ----------
    name : str
        One of `PRESETS`.
    service : Service, optional
        Engine, latency limits and date; the lengths are the preset's.
    shops : int
        Shops of the city that share machines, >= 1.
    model : str
        Open model that the machines serve; that of fact ``small_shop.model`` where empty.
    gpus : sequence of str
        Devices of the machines.
    apis : sequence of str
        APIs by prefix of their facts, those of fact ``small_shop.apis`` where empty; the ones without a price on the
        date are left out.
    simulated : bool
        Whether the fleet for the busiest hours is simulated.
    currency : str, optional
        Of the answer and the tables; USD by default.

    Raises
    ------
    InputError
        If a name is unknown or the number of shops below one.
    """
    if name not in PRESETS:
        message = f"--preset {name}: unknown.{did_you_mean(name, PRESETS)} Known: {', '.join(PRESETS)}."
        raise InputError(message)
    if shops < 1:
        message = f"--shops {shops}: must be at least 1"
        raise InputError(message)
    service = service or Service(ttft_s=1.0)
    on = service.on
    use = {field: get(f"{PRESETS[name]}.{fact}", on) for field, fact in _NAMES.items()}
    shop = Shop(preset=name, **use)
    service = replace(service, isl=round(shop.input_tokens.number), osl=round(shop.output_tokens.number))
    prices = []
    model = model or str(get("small_shop.model", on).value)
    for prefix in apis or str(get("small_shop.apis", on).value).split():
        try:
            prices.append(api_price(prefix, on))
        except FactError:
            continue
    terms, unit = Assumptions.of(on), currency_of(currency)
    rate = cny_per(unit, on)
    demand = Demand(rate_req_per_s=shop.peak_req_per_s(shops), cv=1.0)
    hosted: list[Hosted] = []
    sized: SizeResult | None = None
    for gpu in gpus:
        own_service = replace(service, gpu=gpu)
        size_result = size(model, own_service, demand=demand, simulated=simulated, currency=unit)
        sized = sized or size_result
        best, device = size_result.best, own_service.accelerator()
        whole = -(-best.accelerators // device.node_devices) * device.node_devices
        staff = terms.staff_cny_per_y / 12
        _, hour = device_cost(device, terms.site, on)
        rent, origin = rent_of(device, terms, on)
        for way, count, hourly, share, source in (
            (
                "buy",
                whole,
                hour.total_cur,
                1.0,
                f"whole servers at {hour.total_cur / rate:.3g} {unit} an hour, {terms.site}",
            ),
            ("rent", best.accelerators, rent, terms.rent_staff_frac, f"{rent / rate:.3g} {unit} an hour ({origin})"),
        ):
            month = hourly * count * HOURS_PER_MONTH + staff * share
            hosted.append(
                Hosted(
                    way=way,
                    gpu=device.id,
                    fleet=best.words(),
                    accelerators=count,
                    month_cny=month,
                    origin=f"{source}, and staff",
                )
            )
    if sized is None:
        message = "--gpu: name at least one device"
        raise InputError(message)
    return PresetResult(
        shop=shop, shops=shops, apis=tuple(prices), hosted=tuple(hosted), sized=sized, service=service, currency=unit,
        cny_rate=rate,
    )  # fmt: skip


def _at(fact: FactValue, bound: str) -> float:
    """Return a fact's value, or the low or high end of its range where it states one."""
    stated = {"low": fact.low, "high": fact.high}.get(bound)
    return fact.number if stated is None else stated
