"""`jevons size`: the cheapest fleet for a load; buying, renting and an API side by side; presets for small shops."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.hourly import given_price
from jevons.cli.output import check_out, emit, table
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.study.pricing import HourPrice
    from jevons.study.sizing import Demand, Service

PICTURES = (".svg", ".png", ".pdf")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a sizing besides service and load."""

    model: str | None
    gpus: tuple[str, ...]
    fixed: Mapping[str, int | None] = field(default_factory=dict)
    gpu_hour: tuple[str, ...] = ()
    budget: str | None = None
    fleet: int | None = None
    static: bool = False
    plot: Path | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The options of ``--compare`` alone; None for the facts' values."""

    tokens_per_day: str | None = None
    apis: tuple[str, ...] = ()
    rents: tuple[str, ...] = ()
    years: float | None = None
    utilisation: float | None = None
    availability: float | None = None
    staff: float | None = None
    cached: float | None = None
    price_cut: float | None = None

    def first(self) -> str | None:
        """Return the name of the first option given, besides --api."""
        named = {
            "tokens-per-day": self.tokens_per_day, "rent": self.rents or None, "years": self.years,
            "utilisation": self.utilisation, "availability": self.availability, "staff": self.staff,
            "cached": self.cached, "price-cut": self.price_cut,
        }  # fmt: skip
        return next((name for name, value in named.items() if value is not None), None)


def run(
    service: Service,
    demand: Demand,
    options: Options,
    terms: Terms,
    what: tuple[bool, str | None, int | None],
    *,
    json: bool,
    out: Path | None,
) -> None:
    """Print the cheapest fleets for a load, the comparison with an API, or a preset."""
    compared, preset, shops = what
    check_out(out)
    check_out(options.plot, PICTURES, option="--plot")
    if compared and preset is not None:
        message = "--compare with --preset: give one of the two"
        raise InputError(message)
    if shops is not None and preset is None:
        message = f"--shops {shops}: belongs to --preset; name one, such as --preset restaurant"
        raise InputError(message)
    odd = terms.first()
    if odd is not None and not compared:
        message = f"--{odd}: belongs to --compare; add it"
        raise InputError(message)
    if terms.apis and not compared and preset is None:
        message = f"--api {terms.apis[0]}: belongs to --compare or --preset; add one"
        raise InputError(message)
    with progress() as say:
        if preset is not None:
            found, figure = _preset(preset, service, options, terms, shops), "shop"
        elif compared:
            found, figure = _compared(service, demand, options, terms), "break_even"
        else:
            found, figure = _sized(service, demand, options, say), "pareto"
    draw(options.plot, found, figure)
    emit(found.to_json(), [table(t[0], t[1], t[2], text_columns=t[3]) for t in found.table()], as_json=json, out=out)


def _named(options: Options) -> str:
    if options.model is None:
        message = "--model: is missing; name a shipped model (`jevons models list`) or the path of a config.json"
        raise InputError(message)
    return options.model


def _sized(service: Service, demand: Demand, options: Options, say: Any) -> Any:
    from jevons.study.sizing import size

    return size(
        _named(options),
        service,
        demand=demand,
        gpus=options.gpus or ("h100_sxm",),
        prices=hour_prices(options.gpu_hour),
        fixed={name: degree for name, degree in options.fixed.items() if degree is not None},
        simulated=not options.static,
        budget_per_month=None if options.budget is None else amount_of(options.budget),
        most_accelerators=options.fleet,
        progress=say,
    )


def _compared(service: Service, demand: Demand, options: Options, terms: Terms) -> Any:
    from jevons.study.compare import Assumptions, compare

    if options.gpu_hour:
        message = (
            f"--gpu-hour {options.gpu_hour[0]}: --compare takes the purchase price from facts, and rents by --rent"
        )
        raise InputError(message)
    if demand.users or demand.trace is not None:
        message = "--compare: takes the mean load as --tokens-per-day or --rate"
        raise InputError(message)
    if len(terms.apis) > 1:
        message = f"--api {terms.apis[1]}: --compare takes one API"
        raise InputError(message)
    model = _named(options)
    if terms.tokens_per_day is not None and demand.rate_req_per_s > 0:
        message = "--tokens-per-day with --rate: both state the load; give one of them"
        raise InputError(message)
    load = 10e6
    if terms.tokens_per_day is not None:
        load = count_of(terms.tokens_per_day)
    elif demand.rate_req_per_s > 0:
        load = demand.rate_req_per_s * service.osl * 86_400
    reckoned = Assumptions.of(
        service.on, life_y=terms.years, utilisation_frac=terms.utilisation, availability_frac=terms.availability,
        staff_cny_per_y=terms.staff, cached_frac=terms.cached, price_cut_frac=terms.price_cut,
    )  # fmt: skip
    rents = hour_prices(terms.rents, option="--rent")
    if rents is not None and not isinstance(rents, Mapping):
        message = f"--rent {terms.rents[0]}: say of which device, such as 'h20={terms.rents[0]}'"
        raise InputError(message)
    return compare(
        model, service, gpus=options.gpus or ("h20", "h200_sxm"), output_tok_per_d=load,
        api=terms.apis[0] if terms.apis else None, rents=rents, assumptions=reckoned,
    )  # fmt: skip


def _preset(name: str, service: Service, options: Options, terms: Terms, shops: int | None) -> Any:
    from dataclasses import replace

    from jevons.study import presets

    return presets.preset(
        name,
        replace(service, ttft_s=service.ttft_s or 1.0),
        shops=presets.SHOPS if shops is None else shops,
        model=options.model or presets.MODEL,
        gpus=options.gpus or ("h20",),
        apis=terms.apis or presets.APIS,
        simulated=not options.static,
    )


def _spelled(text: str) -> str:
    """Return a number whose scale is spelled as units have it: 57M is 57 million, 2B 2 billion."""
    words = {"M": "million", "B": "billion", "G": "billion", "K": "k"}
    return re.sub(r"(?<=[\d.\s])([MBGK])\s*$", lambda m: f" {words[m.group(1)]}", text.strip())


def count_of(text: str) -> float:
    """Return the tokens that ``--tokens-per-day`` states, such as ``57M`` or ``1.2 bn``."""
    from jevons.units import UnitError, parse_quantity

    try:
        count = parse_quantity(_spelled(text), "1")
    except UnitError:
        count = 0.0
    if not 0 < count < 1e18:
        message = f"--tokens-per-day {text}: write a number above 0, such as 57M or 1.2bn"
        raise InputError(message)
    return count


def hour_prices(texts: tuple[str, ...], option: str = "--gpu-hour") -> Mapping[str, HourPrice] | HourPrice | None:
    """Return the prices that ``--gpu-hour`` states: one for all devices, or by device."""
    named: dict[str, HourPrice] = {}
    for text in texts:
        name, mark, rest = text.partition("=")
        price = given_price(rest if mark else text, option)
        if price is None:
            continue
        if not mark:
            if len(texts) > 1:
                message = f"{option} {text}: with several prices, say of which device, such as 'h20={text.strip()}'"
                raise InputError(message)
            return price
        named[name.strip()] = price
    return named or None


def amount_of(text: str) -> tuple[float, str]:
    """Return amount and currency of ``--budget``, such as ``300k CNY``."""
    from jevons.units import CURRENCIES, UnitError, parse_quantity

    for currency in CURRENCIES:
        if text.strip().upper().endswith(currency):
            try:
                amount = parse_quantity(f"{_spelled(text.strip()[: -len(currency)])} {currency}", currency)
            except UnitError:
                break
            if amount > 0:
                return amount, currency
    message = f"--budget {text}: write an amount above 0 and a currency, such as '300k CNY' (a month)"
    raise InputError(message)


class progress:  # noqa: N801 - used as a function
    """Writes what is being done on a terminal's standard error, on one line that is wiped at the end."""

    def __enter__(self) -> Any:
        """Return the function to tell; None where nobody would see it."""
        return self._say if sys.stderr.isatty() else None

    def __exit__(self, *error: object) -> None:
        """Wipe the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text[:110]}")
        sys.stderr.flush()


def draw(path: Path | None, result: Any, name: str) -> None:
    """Write a figure of a result, whole or not at all."""
    if path is None:
        return
    import matplotlib as mpl

    from jevons.plot.style import RC

    figure = getattr(result.plot, name)()
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    dated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with mpl.rc_context(RC):
        figure.savefig(temporary, dpi=150, metadata=dated.get(path.suffix))
    temporary.replace(path)
    sys.stderr.write(f"wrote {path}\n")
