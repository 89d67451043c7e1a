"""`jevons.buy_rent_api`: buying machines, renting them and calling an API, side by side for the same load."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

from jevons import options as o
from jevons.api.measured import trace_columns
from jevons.api.reading import warn_of_file
from jevons.api.server import Server, devices_of, service_of
from jevons.errors import InputError, InputNote

if TYPE_CHECKING:
    from jevons.results import Result
    from jevons.sizing.hour_price import HourPrice
    from jevons.sizing.trace_load import TraceLoad

_LENGTHS = (o.ISL_TOKENS, o.OSL_TOKENS)


@o.declared
def buy_rent_api(
    model: Annotated[str | None, o.MODEL] = None,
    *,
    gpu: Annotated[str | Sequence[str] | None, o.MACHINE_GPUS] = None,
    max_replica_gpus: Annotated[int, o.MAX_REPLICA_GPUS] = 16,
    tokens_per_day: Annotated[str | float | None, o.TOKENS_PER_DAY] = None,
    rate: Annotated[float | None, o.RATE] = None,
    trace: Annotated[Path | str | None, o.TRACE] = None,
    map_: Annotated[Sequence[str] | None, o.MAP] = None,
    precision: Annotated[str, o.SIZE_PRECISION] = "auto",
    isl: Annotated[int, o.ISL] = _LENGTHS[0],
    osl: Annotated[int, o.OSL] = _LENGTHS[1],
    ttft: Annotated[float | str | None, o.TTFT] = None,
    tpot: Annotated[float | str | None, o.TPOT] = 0.05,
    api: Annotated[str | Sequence[str] | None, o.API] = None,
    rent: Annotated[str | Sequence[str] | None, o.RENT] = None,
    purchase_price: Annotated[str | Sequence[str] | None, o.PURCHASE_PRICE] = None,
    provider: Annotated[str | None, o.RENT_PROVIDER] = None,
    term: Annotated[str | None, o.RENT_TERM] = None,
    hours: Annotated[str, o.OPEN_HOURS] = "always",
    unit: Annotated[str, o.MACHINE_UNIT] = "gpu",
    site: Annotated[str, o.MACHINE_SITE] = "site.china_east",
    currency: Annotated[str | None, o.CURRENCY] = None,
    years: Annotated[float | None, o.YEARS] = None,
    utilisation: Annotated[float | None, o.MEAN_UTILISATION] = None,
    availability: Annotated[float | None, o.AVAILABILITY] = None,
    staff: Annotated[float | None, o.STAFF] = None,
    cached: Annotated[float | None, o.CACHED] = None,
    price_cut: Annotated[float | None, o.PRICE_CUT] = None,
    preset: Annotated[str | None, o.PRESET] = None,
    shops: Annotated[int | None, o.SHOPS] = None,
    static: Annotated[bool, o.STATIC] = False,
    **server: Unpack[Server],
) -> Result:
    """Compare buying machines, renting them and calling an API for the same load.

    Name a `model`, or a `preset`: a worked example of AI costs for a small shop.

    Returns
    -------
    Comparison or PresetResult
        Cost of a month by way, break-even load and date, and what moves them.

    Raises
    ------
    InputError
        If an argument is wrong, or two contradict each other.
    InfeasibleError
        If no machine holds the model within the limits.

    Examples
    --------
    >>> import jevons
    >>> ways = jevons.buy_rent_api("deepseek-r1", gpu="h20", tokens_per_day="57M")
    >>> "cheapest way" in ways.answer
    True
    """
    from jevons.sizing.compare import SITE_OF_FIRM, Assumptions, compare, machines_at
    from jevons.sizing.money import count_of
    from jevons.sizing.small_shop import SHOPS
    from jevons.sizing.small_shop import preset as small_shop

    gpus, apis = devices_of(gpu, server), o.words(api)
    rents, purchases = o.words(rent), o.words(purchase_price)
    recorded = None
    if trace is not None and preset is None:
        recorded = _recorded(o.file(trace), map_, rate, tokens_per_day, (isl, osl))
        isl, osl = recorded.isl, recorded.osl
    elif map_:
        trace_columns(map_, trace)
    service = replace(
        service_of((gpus or ("h20",))[0], server),
        precision=None if precision == "auto" else precision,
        gpus=max_replica_gpus, isl=isl, osl=osl, ttft_s=o.seconds(ttft), tpot_s=o.seconds(tpot),
    )  # fmt: skip
    if preset is not None:
        _refuse_beside_preset({
            "--tokens-per-day": tokens_per_day, "--rate": rate, "--trace": trace, "--rent": rent,
            "--purchase-price": purchase_price, "--years": years,
            "--utilisation": utilisation, "--availability": availability, "--staff": staff, "--cached": cached,
            "--price-cut": price_cut, "--provider": provider, "--term": term,
            "--hours": None if hours == "always" else hours, "--unit": None if unit == "gpu" else unit,
            "--site": None if site == SITE_OF_FIRM else site,
        })  # fmt: skip
        return small_shop(
            preset, replace(service, ttft_s=service.ttft_s or 1.0), shops=SHOPS if shops is None else shops,
            model=model or "", gpus=gpus or ("h20",), apis=apis, simulated=not static, currency=currency,
        )  # fmt: skip
    _refuse_without_preset(shops, static=static)
    if model is None:
        message = "--model: is missing; name a shipped model (`jevons models list`), or a --preset"
        raise InputError(message)
    if tokens_per_day is not None and rate is not None:
        message = "--tokens-per-day with --rate: both state the load; give one of them"
        raise InputError(message)
    warn_of_file(model)
    if len(apis) > 1:
        message = f"--api {apis[1]}: one API is compared; give one"
        raise InputError(message)
    load = 10e6 if rate is None else rate * osl * 86_400
    if tokens_per_day is not None:
        load = count_of(str(tokens_per_day))
    if recorded is not None:
        load = load if tokens_per_day is not None else recorded.output_tok_per_d
        peaks, seen = utilisation is None, cached is None
        utilisation = recorded.utilisation_frac if peaks else utilisation
        cached = recorded.cached_frac if seen else cached
        told = recorded.words(utilisation=peaks and utilisation is not None, cached=seen and cached is not None)
        warnings.warn(told, InputNote, stacklevel=3)
    terms = Assumptions.of(
        service.on, life_y=years, utilisation_frac=utilisation, availability_frac=availability,
        staff_cny_per_y=staff, cached_frac=cached, price_cut_frac=price_cut,
        hours=hours, unit=unit, provider=provider, term=term, site=site,
    )  # fmt: skip
    return compare(
        model, service, gpus=gpus or machines_at(site), output_tok_per_d=load, api=apis[0] if apis else None,
        rents=_by_device(rents, "--rent"), purchases=_by_device(purchases, "--purchase-price"), assumptions=terms,
        currency=currency,
    )  # fmt: skip


def _refuse_beside_preset(options: Mapping[str, object]) -> None:
    """Refuse the first option that is stated: a preset has its own figure of each."""
    for name, value in options.items():
        if value is not None:
            message = f"{name} {value}: has no effect with --preset; omit one of them"
            raise InputError(message)


def _refuse_without_preset(shops: int | None, *, static: bool) -> None:
    """Refuse what only a preset heeds."""
    if shops is not None:
        message = f"--shops {shops}: has no effect without --preset; add it"
        raise InputError(message)
    if static:
        message = "--static: has no effect without --preset; omit it"
        raise InputError(message)


def _by_device(texts: tuple[str, ...], option: str) -> Mapping[str, HourPrice] | None:
    """Return the prices that an option states, each of a device that it names."""
    from jevons.sizing.money import hour_prices

    prices = hour_prices(texts, option=option)
    if prices is not None and not isinstance(prices, Mapping):
        message = f"{option} {texts[0]}: name the device, such as 'h20={texts[0]}'"
        raise InputError(message)
    return prices


def _recorded(
    trace: Path | None,
    mapping: Sequence[str] | None,
    rate: float | None,
    tokens_per_day: str | float | None,
    lengths: tuple[int, int],
) -> TraceLoad:
    """Return the load of a trace, whose lengths no other option may state."""
    from jevons.sizing.money import count_of
    from jevons.sizing.trace_load import trace_load

    assert trace is not None  # noqa: S101 - called with one
    for name, given, default in (("isl", lengths[0], _LENGTHS[0]), ("osl", lengths[1], _LENGTHS[1])):
        if given != default:
            message = f"--{name} {given}: has no effect with --trace, whose requests have lengths; omit one of them"
            raise InputError(message)
    stand_in = None if tokens_per_day is None else count_of(str(tokens_per_day)) / 86_400.0
    return trace_load(trace, trace_columns(mapping, trace), rate if rate is not None else stand_in)
