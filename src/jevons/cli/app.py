"""Commands and their options; what they do lives in the stages, and is imported only when a command runs."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from jevons.cli.options import (
    AsOf,
    CalibrationFile,
    Dp,
    Engine,
    Ep,
    Gpu,
    Gpus,
    Hourly,
    Isl,
    Json,
    Model,
    Osl,
    Out,
    Pp,
    Precision,
    Seed,
    Tp,
    Tpot,
    Ttft,
    finite,
    parse_date,
)
from jevons.cli.simulate import simulate
from jevons.cli.study import study_app
from jevons.errors import FactError, InfeasibleError, InputError, SolverError

app = typer.Typer(
    name="jevons",
    help="Plans, simulates and prices AI compute, from one matrix product to what a share price implies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
facts_app = typer.Typer(help="Look up dated, sourced figures.", no_args_is_help=True)
models_app = typer.Typer(help="Read model architectures from config.json files.", no_args_is_help=True)
app.add_typer(facts_app, name="facts", rich_help_panel=None)
app.add_typer(models_app, name="models")
app.add_typer(study_app, name="study")


def main() -> None:
    """Run the command line and turn known errors into messages and exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8")
    try:
        app()
    except (InputError, FactError) as error:
        _stop(error, 2)
    except InfeasibleError as error:
        _stop(error, 3)
    except SolverError as error:
        _stop(error, 1)


def _stop(error: Exception, code: int) -> None:
    """Print a message, with what a file may have smuggled into it made harmless to a terminal, and leave."""
    with contextlib.suppress(BrokenPipeError):
        for line in dict.fromkeys(str(error).split("\n")):
            sys.stderr.write("".join(c if c.isprintable() else repr(c)[1:-1] for c in line) + "\n")
    sys.exit(code)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """Plans, simulates and prices AI compute, from one matrix product to what a share price implies."""
    if version:
        from jevons import __version__

        typer.echo(f"jevons {__version__}")
        raise typer.Exit


@app.command()
def plan(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (YAML).")],
    seed: Seed = None,
    as_of: AsOf = None,
    draws: Annotated[
        int | None, typer.Option("--draws", min=0, max=100_000, help="Monte Carlo draws; 0 for none.")
    ] = None,
    explain: Annotated[
        list[str] | None, typer.Option("--explain", help="Print the formulas and facts behind a figure, by path.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved scenario and stop.")] = False,
    json: Json = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file too: .html (the report), .json (all) or .nc (the paths)."),
    ] = None,
) -> None:
    """Plan what to build, serve and charge, and what it earns, over the quarters of a scenario."""
    from jevons.cli import plan as command

    command.run(
        scenario, seed=seed, as_of=as_of, draws=draws, explain=explain or [], dry_run=dry_run, json=json, out=out
    )


@app.command()
def value(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (YAML).")],
    first: Annotated[str, typer.Option("--from", help="First date of the re-rating, YYYY-MM-DD.")] = "2024-12-31",
    last: Annotated[str, typer.Option("--to", help="Last date of the re-rating, YYYY-MM-DD.")] = "2025-03-31",
    as_of: AsOf = None,
    json: Json = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file too: .json (all) or .csv (statements by quarter).")
    ] = None,
) -> None:
    """Value the plan against the dated share price: what that price assumes, and how far a re-rating is explained."""
    from jevons.cli import value as command

    command.run_value(scenario, first=first, last=last, as_of=as_of, json=json, out=out)


@app.command()
def cost(
    gpu: Gpu = "h800_sxm",
    model: Annotated[
        str | None, typer.Option("--model", help="Model to price tokens of: shipped name or path of a config.json.")
    ] = None,
    precision: Precision = None,
    engine: Engine = "generic",
    gpus: Gpus = 32,
    isl: Isl = 2000,
    osl: Osl = 500,
    ttft: Ttft = None,
    tpot: Tpot = 0.05,
    site: Annotated[str, typer.Option("--site", help="Fact prefix of the site.")] = "site.china_north",
    gpu_hour: Hourly = None,
    utilisation: Annotated[
        float, typer.Option("--utilisation", min=0.01, max=1, callback=finite, help="Share of hours that sell, 0..1.")
    ] = 0.6,
    calibration: CalibrationFile = None,
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Price an accelerator-hour from its parts, and a million tokens of a model served on it."""
    from jevons.cli import engineering as command
    from jevons.study.sizing import Service

    service = Service(gpu, engine, precision, gpus, isl, osl, ttft, tpot, parse_date(as_of), calibration=calibration)
    command.run_cost(service, model, site, gpu_hour, utilisation, json=json, out=out)


@app.command()
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
    from jevons.cli import sizing as command
    from jevons.study.sizing import Demand, Service

    names = [name.strip() for given in gpu or () for name in given.split(",")]
    service = Service(
        "h100_sxm", engine, precision, gpus, isl, osl, ttft, tpot, parse_date(as_of), e2e, percentile, kv_precision,
        max_batch, calibration=calibration,
    )  # fmt: skip
    demand = Demand(rate, concurrency, think, trace, cv, isl_cv, osl_cv, requests, runs, seed or 0)
    fixed = {"tp": tp, "pp": pp, "ep": ep, "dp": dp}
    options = command.Options(model, tuple(names), fixed, tuple(gpu_hour or ()), budget, fleet, static, plot)
    terms = command.Terms(
        tokens_per_day, tuple(api or ()), tuple(rent or ()), years, utilisation, availability, staff, cached, price_cut
    )
    command.run(service, demand, options, terms, (compare, preset, shops), json=json, out=out)


@app.command()
def train(
    model: Model,
    gpu: Gpu = "h100_sxm",
    gpus: Annotated[int, typer.Option("--gpus", min=1, max=1_000_000, help="Accelerators.")] = 1024,
    tokens: Annotated[str, typer.Option("--tokens", help="Training tokens, such as 14.8T, or chinchilla.")] = "1T",
    seq_len: Annotated[int, typer.Option("--seq-len", min=1, max=100_000_000, help="Tokens per sequence.")] = 4096,
    batch: Annotated[
        int | None,
        typer.Option(
            "--batch",
            min=1,
            max=10_000_000,
            help="Sequences per optimiser step; by default 1,024, or one for every four accelerators.",
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option("--precision", help="Format of the products: bf16, fp8, fp8_block, mxfp8, nvfp4, mxfp4.")
    ] = "bf16",
    tp: Tp = None,
    pp: Pp = None,
    ep: Ep = None,
    dp: Dp = None,
    vpp: Annotated[int | None, typer.Option("--vpp", min=1, help="Virtual stages per accelerator.")] = None,
    cp: Annotated[int | None, typer.Option("--cp", min=1, help="Accelerators that share a sequence.")] = None,
    etp: Annotated[int | None, typer.Option("--etp", min=1, help="Tensor parallel of routed experts.")] = None,
    zero: Annotated[int | None, typer.Option("--zero", min=0, max=3, help="Sharing of states, ZeRO 0 to 3.")] = None,
    shard: Annotated[
        int | None, typer.Option("--shard", min=1, help="Replicas that share states out among them (HSDP).")
    ] = None,
    stages: Annotated[
        str | None, typer.Option("--stages", help="Layers of each pipeline stage, such as 9,10,10,9.")
    ] = None,
    offload: Annotated[
        str, typer.Option("--offload", help="Kept in the host's memory: none, optimizer, activations or both.")
    ] = "none",
    oversubscription: Annotated[
        float, typer.Option("--oversubscription", min=1, callback=finite, help="Injection over bisection bandwidth.")
    ] = 1.0,
    pod: Annotated[
        int, typer.Option("--pod", min=0, help="Neighbouring accelerators (of a rail) without oversubscription.")
    ] = 0,
    gpu_hour: Hourly = None,
    as_of: AsOf = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the failure process.")] = 0,
    scale_to: Annotated[
        int | None, typer.Option("--scale-to", min=1, max=1_000_000, help="Largest cluster of a scaling curve.")
    ] = None,
    site_mw: Annotated[float | None, typer.Option("--site-mw", help="Power of the site for servers [MW].")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="SVG of the step and the scaling curve.")] = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Find the fastest layout for a training run, its memory, step time, days and price."""
    from jevons.cli import training as command

    run = command.Run(model, gpu, gpus, tokens, seq_len, batch, precision, as_of, seed, scale_to, site_mw, plot)
    degrees = {"tp": tp, "pp": pp, "ep": ep, "dp": dp, "vpp": vpp, "cp": cp, "etp": etp, "zero": zero, "shard": shard}
    fabric = command.Fabric(offload, oversubscription, pod)
    command.run_train(run, degrees, stages, fabric, gpu_hour, json=json, out=out)


app.command()(simulate)


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="CSV files of measured rows (serving or operators).")],
    calibration: CalibrationFile = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Predict measured rows, and print how far off the predictions are, with coverage.

    --out takes .csv (the rows with the prediction added) or .json (the whole report).
    """
    from jevons.cli import validation as command

    command.run_validate(files, calibration=calibration, out=out, as_json=json)


@app.command()
def calibrate(
    files: Annotated[list[Path], typer.Argument(help="CSV files of measured serving rows.")],
    out: Annotated[Path, typer.Option("--out", help="Calibration file to write (.json).")] = Path("calibration.json"),
    json: Json = False,
) -> None:
    """Fit the engines' and kernels' few factors to measured rows; other commands take the file with --calibration."""
    from jevons.cli import validation as command

    command.run_calibrate(files, out=out, as_json=json)


@facts_app.command("list")
def facts_list(
    prefix: Annotated[str, typer.Argument(help="Only ids that begin so.")] = "",
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """List facts with their value in force, unit, grade and source."""
    from jevons.cli import lookup as command

    command.facts_list(prefix, as_of=as_of, json=json, out=out)


@facts_app.command("show")
def facts_show(
    fact_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the fact, such as h20.price_cny.")],
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Show every dated value of a fact with its source."""
    from jevons.cli import lookup as command

    command.facts_show(fact_id, as_of=as_of, json=json, out=out)


@facts_app.command("search")
def facts_search(
    words: Annotated[list[str], typer.Argument(help="Words that must all occur in id, description or source.")],
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Search facts by words."""
    from jevons.cli import lookup as command

    command.facts_search(words, as_of=as_of, json=json, out=out)


@models_app.command("list")
def models_list(json: Json = False, out: Out = None) -> None:
    """List the shipped architectures."""
    from jevons.cli import lookup as command

    command.models_list(json=json, out=out)


@models_app.command("show")
def models_show(
    model: Annotated[str, typer.Argument(help="Shipped name or path of a config.json.")],
    json: Json = False,
    out: Out = None,
) -> None:
    """Show parameters, cache and work per token of a model."""
    from jevons.cli import lookup as command

    command.models_show(model, json=json, out=out)
