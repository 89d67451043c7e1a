"""`jevons size`: the cheapest fleet for a load; buying, renting and an API side by side; presets for small shops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.cli.figures import PICTURES, draw
from jevons.cli.options import (
    AsOf,
    CalibrationFile,
    Dp,
    Engine,
    Ep,
    Gpus,
    Isl,
    Json,
    Osl,
    Out,
    Pp,
    Precision,
    Seed,
    Tp,
    Tpot,
    Ttft,
    finite,
)
from jevons.cli.output import check_out, emit, table
from jevons.cli.progress import progress
from jevons.errors import InputError
from jevons.sizing.money import amount_of, count_of, hour_prices
from jevons.units import parse_date

if TYPE_CHECKING:
    from jevons.sizing.search import Demand, Service


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    from jevons.sizing.search import size

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
    from jevons.sizing.compare import Assumptions, compare

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

    from jevons.sizing import small_shop as presets

    return presets.preset(
        name,
        replace(service, ttft_s=service.ttft_s or 1.0),
        shops=presets.SHOPS if shops is None else shops,
        model=options.model or presets.MODEL,
        gpus=options.gpus or ("h20",),
        apis=terms.apis or presets.APIS,
        simulated=not options.static,
    )


def size(
    model: Annotated[str | None, typer.Option("--model", help="Shipped model name or path of a config.json.")] = None,
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            "--gpu", help="Candidate accelerator, h100_sxm by default; repeat it, or use commas, for several."
        ),
    ] = None,
    gpus: Gpus = 16,
    tp: Tp = None,
    pp: Pp = None,
    ep: Ep = None,
    dp: Dp = None,
    precision: Precision = None,
    kv_precision: Annotated[str, typer.Option("--kv-precision", help="Precision of the cache: bf16 or fp8.")] = "bf16",
    engine: Engine = "generic",
    max_batch: Annotated[
        int | None,
        typer.Option("--max-batch", min=1, max=65536, help="Most requests that an attention rank runs at once."),
    ] = None,
    isl: Isl = 2000,
    osl: Osl = 500,
    rate: Annotated[
        float,
        typer.Option(
            "--rate", min=0, max=1e9, callback=finite, help="Requests per second to carry; 0 for one full copy."
        ),
    ] = 0.0,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=0, max=10_000_000, help="Users at once, in place of a rate.")
    ] = 0,
    think: Annotated[
        float, typer.Option("--think", min=0, callback=finite, help="From an answer to the user's next request [s].")
    ] = 0.0,
    trace: Annotated[
        Path | None, typer.Option("--trace", help="Request trace to carry, at its own rate or --rate.")
    ] = None,
    cv: Annotated[
        float,
        typer.Option("--cv", callback=finite, help="Deviation over mean of the gaps between arrivals; 1 is Poisson."),
    ] = 1.0,
    isl_cv: Annotated[
        float, typer.Option("--isl-cv", min=0, callback=finite, help="Deviation over mean of lognormal inputs.")
    ] = 0.0,
    osl_cv: Annotated[
        float, typer.Option("--osl-cv", min=0, callback=finite, help="Deviation over mean of lognormal outputs.")
    ] = 0.0,
    ttft: Ttft = None,
    tpot: Tpot = 0.05,
    e2e: Annotated[
        float | None, typer.Option("--e2e", min=0, callback=finite, help="Highest time of the whole answer [s].")
    ] = None,
    percentile: Annotated[
        str, typer.Option("--percentile", help="What must keep the limits under load: mean, p50, p90, p95 or p99.")
    ] = "p95",
    static: Annotated[
        bool, typer.Option("--static", help="Do not simulate: latencies without queueing, for a first look.")
    ] = False,
    requests: Annotated[
        int | None, typer.Option("--requests", min=100, max=10_000_000, help="Requests of one simulation.")
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", min=1, max=100, help="Simulations of a finalist, for the confidence interval.")
    ] = 5,
    fleet: Annotated[int | None, typer.Option("--fleet", min=1, help="Most accelerators of the whole fleet.")] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", help="Most that the accelerators may cost a month, such as '300k CNY'.")
    ] = None,
    gpu_hour: Annotated[
        list[str] | None,
        typer.Option(
            "--gpu-hour", help="Price of an accelerator-hour, such as '2 USD', or of one device, such as 'h20=8 CNY'."
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Set buying, renting and an API side by side for the same load.")
    ] = False,
    tokens_per_day: Annotated[
        str | None, typer.Option("--tokens-per-day", help="Output tokens a day to compare for, such as 57M; or --rate.")
    ] = None,
    api: Annotated[
        list[str] | None, typer.Option("--api", help="API by its facts' prefix, such as deepseek.reasoner.")
    ] = None,
    rent: Annotated[
        list[str] | None, typer.Option("--rent", help="Rent of an accelerator-hour by device, such as 'h20=6 CNY'.")
    ] = None,
    years: Annotated[
        float | None, typer.Option("--years", callback=finite, help="Years over which machines are written off.")
    ] = None,
    utilisation: Annotated[
        float | None, typer.Option("--utilisation", callback=finite, help="Mean load over what machines carry, 0..1.")
    ] = None,
    availability: Annotated[
        float | None,
        typer.Option("--availability", callback=finite, help="Share of hours that a machine works, 0..1."),
    ] = None,
    staff: Annotated[
        float | None, typer.Option("--staff", callback=finite, help="Staff for machines of one's own [CNY a year].")
    ] = None,
    cached: Annotated[
        float | None, typer.Option("--cached", callback=finite, help="Share of input that the API has cached, 0..1.")
    ] = None,
    price_cut: Annotated[
        float | None, typer.Option("--price-cut", callback=finite, help="Fall of the API's price in a year, 0..1.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Cost of a small shop: restaurant or web-shop.")
    ] = None,
    shops: Annotated[
        int | None, typer.Option("--shops", min=1, max=100_000_000, help="Shops that share machines, for --preset.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the result to this file: .svg, .png or .pdf.")
    ] = None,
    seed: Seed = None,
    calibration: CalibrationFile = None,
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Find the cheapest fleet that serves a model within its latency limits; compare buying, renting and an API."""
    from jevons.sizing.search import Demand, Service

    names = [name.strip() for given in gpu or () for name in given.split(",")]
    service = Service(
        gpu="h100_sxm",
        engine=engine,
        precision=precision,
        gpus=gpus,
        isl=isl,
        osl=osl,
        ttft_s=ttft,
        tpot_s=tpot,
        on=parse_date(as_of),
        e2e_s=e2e,
        percentile=percentile,
        kv_precision=kv_precision,
        max_batch=max_batch,
        calibration=calibration,
    )
    demand = Demand(
        rate_req_per_s=rate,
        users=concurrency,
        think_s=think,
        trace=trace,
        cv=cv,
        isl_cv=isl_cv,
        osl_cv=osl_cv,
        requests=requests,
        runs=runs,
        seed=seed or 0,
    )
    fixed = {"tp": tp, "pp": pp, "ep": ep, "dp": dp}
    options = Options(
        model=model,
        gpus=tuple(names),
        fixed=fixed,
        gpu_hour=tuple(gpu_hour or ()),
        budget=budget,
        fleet=fleet,
        static=static,
        plot=plot,
    )
    terms = Terms(
        tokens_per_day=tokens_per_day,
        apis=tuple(api or ()),
        rents=tuple(rent or ()),
        years=years,
        utilisation=utilisation,
        availability=availability,
        staff=staff,
        cached=cached,
        price_cut=price_cut,
    )
    run(service, demand, options, terms, (compare, preset, shops), json=json, out=out)
