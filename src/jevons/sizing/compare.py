"""Buying machines, renting them, or calling an API for the same load: costs, break-even load and date, sensitivity."""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from jevons.costing import FinanceTerms, device_hour
from jevons.errors import FactError, InputError, did_you_mean
from jevons.facts import FactValue, default_facts, get
from jevons.hardware import Accelerator, OwnPrice, accelerator, site_currency, site_facts, site_from_facts, site_region
from jevons.models import load
from jevons.sizing.comparison import Comparison
from jevons.sizing.fleet import Fleet, at_best_batch
from jevons.sizing.hour_price import HourPrice, check_site, cny_per, currency_of, finance_terms, in_china
from jevons.sizing.price_estimate import price_or_estimate
from jevons.sizing.rents import chosen, rent_offers
from jevons.sizing.search import in_cny, size
from jevons.sizing.service import Service
from jevons.sizing.ways import ApiPrice, Machine, Swing

HOURS = ("always", "office", "scale-to-zero")
"""When machines run: all hours, 50 of a week's, or only as long as the load takes."""
OFFICE_H, WEEK_H = 50.0, 168.0
_SIZES = (1, 2, 4, 8)
SITE_OF_FIRM = "site.china_east"
"""Site of machines where none is named."""


def machines_at(site: str) -> tuple[str, ...]:
    """Return the devices of the machines that are compared at a site where none is named."""
    return ("h20" if in_china(site) else "h100_sxm", "h200_sxm")


_FACTS = {
    "life_y": "own_machine.life_y", "wacc_frac": "assumption.wacc_frac",
    "rent_staff_frac": "own_machine.rent_staff_frac",
    "utilisation_frac": "own_machine.utilisation_frac", "availability_frac": "own_machine.availability_frac",
    "price_cut_frac": "api.yearly_price_cut_frac",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a firm reckons with; each from a fact, with its range, unless given.

    Parameters
    ----------
    life_y : float
        Depreciation period of machines, > 0.
    wacc_frac : float
        Cost of capital a year.
    staff_cny_per_y : float
        Staff for machines of one's own.
    rent_staff_frac : float
        Staff for rented ones over that.
    utilisation_frac : float
        Mean load over what the machines carry, (0, 1].
    availability_frac : float
        Share of hours that a machine works, (0, 1].
    cached_frac : float
        Share of input tokens that the API reads from its cache, [0, 1).
    price_cut_frac : float
        Fall of the API's price in a year, [0, 1).
    site : str
        Fact prefix of tariff, PUE and building cost; its region's market prices machines, rents and staff.
    hours : str
        One of `HOURS`: when the load comes and machines run.
    unit : str
        Smallest machine: ``gpu`` for one accelerator, ``node`` for a whole server.
    provider, term : str or None
        Whose rent counts, and for how long it binds.
    """

    life_y: float
    wacc_frac: float
    staff_cny_per_y: float
    rent_staff_frac: float
    utilisation_frac: float
    availability_frac: float
    price_cut_frac: float
    cached_frac: float = 0.0
    site: str = SITE_OF_FIRM
    hours: str = "always"
    unit: str = "gpu"
    provider: str | None = None
    term: str | None = None

    @property
    def open_frac(self) -> float:
        """Share of the hours of a week in which the load comes."""
        return OFFICE_H / WEEK_H if self.hours == "office" else 1.0

    @classmethod
    def of(cls, on: dt.date | None = None, **given: float | str | None) -> Assumptions:
        """Return the facts' values, with those given in their place; checks ranges."""
        stated = {name: value for name, value in given.items() if value is not None}
        site = str(stated.get("site", SITE_OF_FIRM))
        check_site(site)
        values = {name: get(fact, on).number for name, fact in _FACTS.items()}
        chosen = {**values, "staff_cny_per_y": staff_of(site, on)[1], **stated}
        assumptions = cls(**chosen)  # type: ignore[arg-type]
        assumptions.check()
        return assumptions

    def check(self) -> None:
        """Check ranges.

        Raises
        ------
        InputError
            Naming the option, its value and what would be right.
        """
        for name, value, least, most in (
            ("years", self.life_y, 0.1, 30), ("utilisation", self.utilisation_frac, 0.001, 1),
            ("staff", self.staff_cny_per_y, 0, 1e9), ("availability", self.availability_frac, 0.01, 1),
            ("cached", self.cached_frac, 0, 0.999), ("price-cut", self.price_cut_frac, 0, 0.99),
        ):  # fmt: skip
            if not least <= value <= most:
                message = f"--{name} {value:g}: must be from {least:g} to {most:g}"
                raise InputError(message)


def compare(
    model: str,
    service: Service | None = None,
    *,
    gpus: Sequence[str] = ("h20", "h200_sxm"),
    output_tok_per_d: float = 10e6,
    api: str | None = None,
    rents: Mapping[str, HourPrice] | None = None,
    purchases: Mapping[str, HourPrice] | None = None,
    assumptions: Assumptions | None = None,
    currency: str | None = None,
) -> Comparison:
    """Return what the same load costs on machines bought or rented, and at an API's list price.

    Parameters
    ----------
    model : str
        Shipped name or path of a config.json.
    service : Service, optional
        Engine, request and latency limits.
    gpus : sequence of str
        Devices of the machines.
    output_tok_per_d : float
        Mean load [output tokens/day], > 0; input follows from the request's lengths.
    api : str, optional
        Prefix of the API's facts, such as ``deepseek.reasoner``; known for some models.
    rents : mapping of str to HourPrice, optional
        Rent of an accelerator-hour by device; from facts, or derived from that of an H100, where not given.
    purchases : mapping of str to HourPrice, optional
        Purchase price of an accelerator by device; from facts, or estimated from those of others, where not given.
    assumptions : Assumptions, optional
        What the firm reckons with; from facts by default.
    currency : str, optional
        Of the answer and the tables; by default that of the rents given, else USD.

    Raises
    ------
    InputError
        If a name is unknown or a figure out of range.
    FactError
        If a price was not public on the date.
    InfeasibleError
        If a device cannot serve the model within the limits.

    Notes
    -----
    Machines are whole servers that hold one replica of the model or more, at the static best point within the limits;
    of the size that is cheapest at the load, and as many as it needs at the mean utilisation. Costs a month:
    ``P CRF(r, L) / 12`` with network, power and site of `device_hour`, maintenance, and staff. The date is that on
    which what was paid for machines and their running falls below what the API would have cost, without interest. All
    tokens of the API are charged at standard hours.
    """
    service = service or Service(gpus=64)
    on = service.on
    if not (output_tok_per_d > 0 and math.isfinite(output_tok_per_d)):
        message = f"--tokens-per-day {output_tok_per_d:g}: must be above 0"
        raise InputError(message)
    service.check_degrees()  # whole servers may be larger than a replica may be
    terms = assumptions or Assumptions.of(on)
    price = api_price(api or _listed(model, on), on)
    unit = currency_of(currency, *(rents or {}).values(), *(purchases or {}).values())
    start = on or dt.datetime.now(tz=dt.UTC).date()
    bare = Comparison(
        model=model,
        service=service,
        output_tok_per_d=output_tok_per_d,
        api=price,
        machines=(),
        assumptions=terms,
        start=start,
        swings=(),
        currency=unit,
        cny_rate=cny_per(unit, on),
    )

    def month(machine: Machine) -> float:
        return sum(bare.owned_parts_cny(machine, bare.machines_for(machine, output_tok_per_d)).values())

    machines_of = [replace(service, gpu=name).accelerator().id for name in gpus]
    paid: dict[str, OwnPrice] = {}
    for option, given in (("--rent", rents or {}), ("--purchase-price", purchases or {})):
        for name, stated in given.items():
            device_id = accelerator(name, on=on).id
            if device_id not in machines_of:
                listed = ", ".join(machines_of)
                message = f"{option} {name}=…: is none of the machines compared ({listed}); add it to --gpu"
                raise InputError(message)
            if option == "--purchase-price":
                paid[device_id] = OwnPrice(stated.amount, stated.currency)
    taken, smallest = [], []
    for name in gpus:
        sizes = _machines(model, replace(service, gpu=name), terms, rents or {}, paid)
        taken.append(min(sizes, key=month))
        smallest.append(min(sizes, key=lambda m: m.accelerators))
    comparison = replace(bare, machines=tuple(taken), smallest=tuple(smallest))
    swings = tuple(_swings(comparison, taken[0], on))
    return replace(comparison, swings=swings)


_PER_MILLION = re.compile(
    r"\s*(?:/|per)\s*(?:1?\s*(?:m|mn|million|百万)\s*(?:tok(?:en)?s?)?|mtok|1m\s*tok(?:en)?s?)\s*$", re.IGNORECASE
)
_COIN = r"(?:US\$|\$|€|£|元)"


def plain_prices(text: str) -> str:
    """Return prices of an API as ``4/16 CNY``, which people also write ``4元/16元``, ``$4/$16`` or per million tokens.

    Examples
    --------
    >>> plain_prices("$0.55/$2.19"), plain_prices("4元/16元"), plain_prices("0.5/0.8 USD per million tokens")
    ('0.55/2.19 USD', '4/16 CNY', '0.5/0.8 USD')
    """
    bare = _PER_MILLION.sub("", text)
    signs = {coin.upper() for coin in re.findall(_COIN, bare, re.IGNORECASE)}
    if len(signs) != 1 or re.search(r"[A-Za-z]{3}\s*$", bare):
        return bare
    return f"{re.sub(_COIN, '', bare, flags=re.IGNORECASE).strip()} {_COINS[signs.pop()]}"


_COINS = {"US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "元": "CNY"}


def own_api_price(text: str, on: dt.date | None) -> ApiPrice | None:
    """Return prices of an API that a text states, such as ``4/16 CNY`` or ``4/1/16 CNY``; None where it states none.

    They are of a million tokens of input, of cached input where three are given, and of output.

    Raises
    ------
    InputError
        If a price is not above 0, or the currency has no rate on file.
    """
    plain = plain_prices(text)
    match = _OWN_PRICE.fullmatch(plain)
    if match is None:
        if "/" in text or re.match(r"\s*[\d.]+\s*[A-Za-z]{3}\s*$", plain):
            message = (
                f"--api {text}: write prices of a million tokens with their currency, such as 4/16 CNY or 4/1/16 CNY"
            )
            raise InputError(message)
        return None
    try:
        rate = cny_per(match[4].upper(), on)
    except FactError:
        message = f"--api {text}: no rate of {match[4].upper()} is on file; give CNY, USD or EUR"
        raise InputError(message) from None
    given, output = float(match[1]) * rate, float(match[3]) * rate
    cached = given if match[2] is None else float(match[2]) * rate
    if min(given, output) <= 0:
        message = f"--api {text}: prices must be above 0"
        raise InputError(message)
    return ApiPrice(
        prefix="own price", input_cny_per_mtok=given, cached_cny_per_mtok=cached, output_cny_per_mtok=output,
        since=on or dt.datetime.now(tz=dt.UTC).date(), facts=(),
    )  # fmt: skip


def api_price(prefix: str, on: dt.date | None) -> ApiPrice:
    """Return an API's list prices in CNY as they were on a date, or the prices that *prefix* itself states.

    Raises
    ------
    InputError
        If no API of that prefix is known; near names are offered.
    """
    own = own_api_price(prefix, on)
    if own is not None:
        return own
    facts = default_facts()
    prefix = prefix.removeprefix("api.")
    named = (f.id for f in facts if f.id.startswith("api.") and f.id.endswith(_OUTPUT_PRICES))
    known = sorted({fact_id[4:].rsplit(".", 1)[0] for fact_id in named})
    if prefix not in known:
        message = f"--api {prefix}: unknown.{did_you_mean(prefix, known)} `jevons facts list api.` lists them."
        raise InputError(message)

    def in_force(kind: str) -> tuple[float, FactValue] | None:
        for currency in ("cny", "usd"):
            fact_id = f"api.{prefix}.{kind}_{currency}_per_mtok"
            if fact_id in facts and facts.series(fact_id, on):
                value = facts.get(fact_id, on)
                rate = 1.0 if currency == "cny" else get("fx.cny_per_usd", on).number
                return value.number * rate, value
        return None

    output, given, cached = in_force("output"), in_force("input"), in_force("cached_input")
    if output is None or given is None:
        message = f"api.{prefix} has no list price on {on}; use a later --as-of or another --api"
        raise FactError(message)
    ids = tuple(stated[1].id for stated in (given, cached, output) if stated is not None)
    return ApiPrice(
        prefix=prefix,
        input_cny_per_mtok=given[0],
        cached_cny_per_mtok=cached[0] if cached else given[0],
        output_cny_per_mtok=output[0],
        since=output[1].start,
        facts=ids,
    )


def _listed(model: str, on: dt.date | None) -> str:
    """Return the API of a model: its maker's, else the one with the newest price, the cheapest of those.

    Raises
    ------
    InputError
        If none is known.
    """
    name = load(model).name
    facts, wanted, offers = default_facts(), _plain(name), []
    maker = f"maker_api.{name.replace('-', '_').replace('.', '_')}"
    if maker in facts:
        return str(facts.get(maker).value)  # of any date: its prices say when it was served
    for fact in facts:
        prefix, _, kind = fact.id.removeprefix("api.").rpartition(".")
        if fact.id.startswith("api.") and kind in _OUTPUT_PRICES and _names(prefix, wanted):
            for value in facts.series(fact.id, on)[-1:]:
                rate = 1.0 if "_cny_" in kind else cny_per("USD", on)
                offers.append((value.start, -value.number * rate, prefix))
    if offers:
        return max(offers)[2]
    message = (
        f"--api: no API's price of {name} is on file. Give the prices of a million input and output tokens, such as "
        "--api '0.15/0.60 USD', or name another API, such as --api deepseek.chat; `jevons facts api.` lists them"
    )
    raise InputError(message)


_OWN_PRICE = re.compile(r"\s*(\d+\.?\d*)\s*/\s*(?:(\d+\.?\d*)\s*/\s*)?(\d+\.?\d*)\s*([A-Za-z]{3})\s*")
_OUTPUT_PRICES = ("output_cny_per_mtok", "output_usd_per_mtok")


def _names(prefix: str, wanted: str) -> bool:
    """Return whether an API's prefix names a model, with its maker or without, and with a date or ``preview`` behind.

    Examples
    --------
    >>> _names("moonshot.kimi_k2_0711_preview", "kimik2"), _names("deepseek.v4_flash", "deepseekv4flash")
    (True, True)
    >>> _names("openai.gpt_5_mini", "gpt5")
    False
    """
    for name in (_plain(prefix.rsplit(".", maxsplit=1)[-1]), _plain(prefix)):
        if re.fullmatch(rf"{re.escape(wanted)}(?:\d{{4,8}})?(?:preview|instruct|chat)?", name):
            return True
    return False


def _plain(name: str) -> str:
    """Return a model's name without punctuation, as it is in the ids of facts."""
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("open_"))


def _machines(
    model: str,
    service: Service,
    terms: Assumptions,
    rents: Mapping[str, HourPrice],
    purchases: Mapping[str, OwnPrice],
) -> list[Machine]:
    """Return, for each number of whole servers that holds a replica, what the best layout carries and costs."""
    on, device = service.on, service.accelerator()
    if device.id in purchases:
        device = replace(device, own_price=purchases[device.id])
    paid = price_or_estimate(device, on, terms.site)
    hour = _device_hour(device, paid.number, terms, on)
    rent_cny_per_h, origin = rent_of(device, terms, on, rents)
    whole = replace(service, least_gpus=1, gpus=max(service.gpus, device.node_devices))
    sized = size(model, whole, simulated=False, prices=HourPrice(1.0, "CNY"))
    fleets: dict[int, Fleet] = {}
    for fleet in sized.entries:
        devices = fleet.deployment.devices
        servers = -(-devices // device.node_devices)
        whole_servers = max(servers * device.node_devices, devices)
        smaller = [s for s in _SIZES if devices <= s < whole_servers and device.node_devices % s == 0]
        for bought in [*(smaller if terms.unit == "gpu" else []), whole_servers]:
            rival = fleets.get(bought)
            if rival is None or _carried(fleet, bought) > _carried(rival, bought):
                fleets[bought] = fleet
    machines = []
    for bought, coarse in fleets.items():
        fleet = at_best_batch(coarse, whole)
        machines.append(Machine(
            device=device, deployment=fleet.deployment, point=fleet.point, accelerators=bought,
            replicas=max(bought // fleet.deployment.devices, 1), output_tok_per_s=_carried(fleet, bought), paid=paid,
            hour=hour, rent_cny_per_h=rent_cny_per_h, rent_origin=origin,
        ))  # fmt: skip
    return machines


def _carried(fleet: Fleet, accelerators: int) -> float:
    """Return output tokens per second of as many replicas as stand on a machine."""
    devices = fleet.deployment.devices
    return float(fleet.point.tok_per_s_per_device * devices * max(accelerators // devices, 1))


def _device_hour(device: Accelerator, price_cny: float, terms: Assumptions, on: dt.date | None) -> Mapping[str, float]:
    """Return the parts of an accelerator-hour in CNY, over the life that the firm reckons with."""
    general = finance_terms(on)
    own = FinanceTerms(
        wacc_frac=terms.wacc_frac,
        economic_life_y=terms.life_y,
        site_life_y=general.site_life_y,
        network_frac=general.network_frac,
        operations_frac=general.operations_frac,
    )
    idle_frac = get("own_machine.idle_power_frac", on).number
    drawn_frac = idle_frac + (1.0 - idle_frac) * terms.utilisation_frac
    hour = device_hour(device, price_cny, site_from_facts(terms.site, on=on), own, load_frac=drawn_frac)
    return {
        "machines": hour.capital_cur + hour.network_cur,
        "power": hour.energy_cur,
        "site": hour.site_cur,
        "maintenance": hour.operations_cur,
    }


def staff_of(site: str, on: dt.date | None) -> tuple[FactValue, float]:
    """Return what staff for machines of one's own cost a year in a site's region: the fact, and its value in CNY."""
    if in_china(site):
        fact = get("own_machine.staff_cny_per_y", on)
        return fact, fact.number
    start = f"own_machine.{site_region(site)}.staff_"
    fact_id = next(fact.id for fact in default_facts() if fact.id.startswith(start))
    fact = get(fact_id, on)
    return fact, fact.number * cny_per(site_currency(fact_id), on)


def rent_of(
    device: Accelerator, terms: Assumptions, on: dt.date | None, rents: Mapping[str, HourPrice] | None = None
) -> tuple[float, str]:
    """Return the rent of an accelerator-hour in CNY and where it is from: given, a fact, or derived from an H100's.

    Of several facts that of the site's market counts, China or the rest of the world, else the latest, else the
    cheapest, where neither provider nor term is named.
    """
    for name, price in (rents or {}).items():
        if accelerator(name, on=on).id == device.id:
            return in_cny(price, Service(on=on)).amount, "given"
    market = in_china(terms.site)
    offer = chosen(rent_offers(device, on, china=market), device.id, terms.provider, terms.term)
    if offer is not None:
        return offer.cny_per_h, offer.fact
    reference = accelerator("h100_sxm", on=on)
    rented = chosen(rent_offers(reference, on, china=market), reference.id, None, None)
    assert rented is not None  # noqa: S101 - rents of an H100 are on file for both markets
    own = [_device_hour(d, price_or_estimate(d, on, terms.site).number, terms, on) for d in (reference, device)]
    ratio = sum(own[1].values()) / sum(own[0].values())
    where = "in China" if market else f"({rented.fact})"
    return rented.cny_per_h * ratio, f"derived: an H100's rent {where} x {ratio:.2f} of its cost"


def _swings(comparison: Comparison, machine: Machine, on: dt.date | None) -> list[Swing]:
    """Return how far each assumption moves the cost of a million output tokens on bought machines, widest first."""
    terms, price = comparison.assumptions, machine.paid.number
    swings = []

    def swing(words: str, fact: FactValue, default: float, cost: Callable[[float], float]) -> None:
        low, high = _range(fact, default)
        ends = {"low": low, "high": high, "low_cny": cost(low), "high_cny": cost(high)}
        swings.append(Swing(name=words, fact=fact.id, unit=fact.unit, **ends))

    def with_term(name: str, value: float) -> float:
        own = replace(terms, **{name: value})
        return comparison.owned_per_mtok(replace(machine, hour=_device_hour(machine.device, price, own, on)), own)

    def with_price(value: float) -> float:
        return comparison.owned_per_mtok(replace(machine, hour=_device_hour(machine.device, value, terms, on)))

    tariff = get(site_facts(terms.site)["tariff"], on)

    def with_tariff(value: float) -> float:
        power = machine.hour["power"] * value / tariff.number
        return comparison.owned_per_mtok(replace(machine, hour={**machine.hour, "power": power}))

    for name, words in (
        ("utilisation_frac", "utilisation"), ("availability_frac", "availability"), ("life_y", "years of use"),
        ("wacc_frac", "cost of capital"),
    ):  # fmt: skip
        swing(words, get(_FACTS[name], on), getattr(terms, name), functools.partial(with_term, name))
    staff, cny = staff_of(terms.site, on)
    rate = cny / staff.number
    swing("staff", staff, terms.staff_cny_per_y / rate, lambda value: with_term("staff_cny_per_y", value * rate))
    swing("price of machines", machine.paid, price, with_price)
    swing("price of power", tariff, tariff.number, with_tariff)
    return sorted(swings, key=lambda s: -abs(s.high_cny - s.low_cny))


def _range(fact: FactValue, default: float) -> tuple[float, float]:
    """Return the range that a fact states, around the value held; a fifth up and down where it states none."""
    if fact.low is None or fact.high is None:
        change = get("assumption.unranged_change_frac").number
        return default * (1 - change), default * (1 + change)
    return min(fact.low, default), max(fact.high, default)
