"""`jevons study`: draws over the whole chain, grids over chosen inputs, and forecasts scored against outcomes."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.errors import InputError
from jevons.limits import SWEEP_POINTS

if TYPE_CHECKING:
    from jevons.study.draws.run import Draws
    from jevons.study.scenario.scenario import Scenario

study_app = typer.Typer(
    help="Draw, sweep and score: intervals, sensitivities, and forecasts against what happened.", no_args_is_help=True
)

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file (YAML).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Root of all random streams.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date, YYYY-MM-DD: nothing published later is visible.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Processes = Annotated[
    int | None, typer.Option("--processes", min=1, max=1024, help="Worker processes; one per core by default.")
]
StoreFolder = Annotated[
    Path | None,
    typer.Option("--store", help="Folder that keeps finished draws, so that a stopped run goes on; the user's cache."),
]
NoStore = Annotated[bool, typer.Option("--no-store", help="Keep nothing on disk.")]
OutDraws = Annotated[
    Path | None,
    typer.Option("--out", help="Write to this file too: .json (the summary), .csv or .parquet (a row per draw)."),
]
_ENDINGS = (".json", ".csv", ".parquet")


def default_store() -> Path:
    """Return the folder of the store where none is named."""
    try:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        message = "--store: there is no home folder to keep draws in; name a folder, or give --no-store"
        raise InputError(message) from None
    return Path(root) / "jevons" / "study"


@study_app.command("montecarlo")
def montecarlo(
    scenario: ScenarioFile,
    draws: Annotated[int, typer.Option("--draws", min=2, max=1_000_000, help="Draws of all uncertain amounts.")] = 1000,
    seed: Seed = None,
    as_of: AsOf = None,
    processes: Processes = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    json: Json = False,
    out: OutDraws = None,
) -> None:
    """Run a scenario as correlated draws: intervals, P(Jevons), P(value created), and what the answer hangs on.

    A run that was stopped goes on where it was, with the same result as one that was not.
    """
    _check(out, store, no_store)
    from jevons.study.draws.run import monte_carlo

    loaded = _load(scenario, as_of)
    root = loaded.seed if seed is None else seed
    found = _drawn(
        loaded, processes, store, no_store,
        lambda engineering, base, **options: monte_carlo(loaded, engineering, base, draws, seed=root, **options),
    )  # fmt: skip
    head = {"scenario": loaded.name, "as_of": loaded.as_of, "seed": root}
    _tell(found, loaded, head, json=json, out=out)


@study_app.command("sweep")
def sweep(
    scenario: ScenarioFile,
    values: Annotated[
        list[str], typer.Option("--set", help="PATH=LOW:HIGH:STEPS or PATH=A,B,C in SI units; repeat for a grid.")
    ],
    as_of: AsOf = None,
    processes: Processes = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    json: Json = False,
    out: OutDraws = None,
) -> None:
    """Run a scenario over a grid of chosen amounts, all others at their central values."""
    from jevons.cli.output import show, table

    _check(out, store, no_store)
    axes = dict(_axis(text) for text in values)
    if len(axes) < len(values):
        message = "--set: a path is given twice; give each once"
        raise InputError(message)
    points = 1
    for grid in axes.values():
        points *= len(grid)
    if points > 100_000:
        message = f"--set: the grid has {points:,} points; take fewer than 100,000"
        raise InputError(message)
    from jevons.study.draws import run as runs

    loaded = _load(scenario, as_of)
    for path, grid in axes.items():
        _check_axis(loaded, path, grid)
    _check_discounting(loaded, axes)
    from jevons.study.draws.outcomes import OUTCOMES

    found = _drawn(
        loaded, processes, store, no_store,
        lambda engineering, base, **options: runs.sweep(loaded, engineering, base, axes, **options),
    )  # fmt: skip
    records = _records(found)
    value = {"scenario": loaded.name, "as_of": loaded.as_of, "points": records}
    value |= {"infeasible": found.infeasible, "unsolved": found.unsolved}
    shown = ("value_per_ads_cny", "orders_value_cny", "tokens_per_d", "devices", "capex_cny", "compute_factor")
    units = {"orders_value_cny": (1e9, "bn CNY"), "tokens_per_d": (1e12, "tn tok/day"), "capex_cny": (1e9, "bn CNY")}
    heads = tuple(f"{n.removesuffix('_cny')} [{units.get(n, (1, OUTCOMES[n][0]))[1]}]" for n in shown)
    rows = [
        tuple(f"{record[path]:.6g}" for path in axes)
        + tuple(f"{record[name] / units.get(name, (1.0, ''))[0]:,.4g}" for name in shown)
        for record in records
    ]
    amounts = loaded.amounts()
    columns = (*(f"{path} [{amounts[path].unit}]" for path in axes), *heads)
    _put(value, records, out)
    if json:
        _say(value)
    else:
        show(table(f"{loaded.name}: {len(records)} points, {found.left_out}", columns, rows))


@study_app.command("foresight")
def foresight(
    scenario: ScenarioFile,
    window: Annotated[int, typer.Option("--window", min=1, max=40, help="Quarters that the rolling planner sees.")] = 4,
    as_of: AsOf = None,
    json: Json = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the answer to this .json file too.")] = None,
) -> None:
    """Say what seeing ahead is worth to the planner, and what knowing the export regime is."""
    from jevons.cli.commands.foresight import run_foresight

    run_foresight(scenario, window=window, as_of=as_of, json=json, out=out)


@study_app.command("backtest")
def backtest(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="CSV files of outcomes, in the columns of the economics data."),
    ],
    as_of: Annotated[
        str, typer.Option("--as-of", help="Date of the forecasts, YYYY-MM-DD: nothing published later is visible.")
    ] = "2025-02-24",
    draws: Annotated[
        int, typer.Option("--draws", min=100, max=1_000_000, help="Draws behind the reduced form's forecasts.")
    ] = 4000,
    scenario: Annotated[
        Path | None,
        typer.Option("--scenario", help="Scenario of that date: the whole chain is forecast from it and scored too."),
    ] = None,
    chain_draws: Annotated[
        int,
        typer.Option(
            "--chain-draws", min=20, max=100_000, help="Draws of the chain, twice: with and without all links."
        ),
    ] = 400,
    processes: Processes = None,
    seed: Seed = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw forecasts, baselines and outcomes: .svg, .png or .pdf.")
    ] = None,
    json: Json = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file too: .json (all) or .csv (a row per score).")
    ] = None,
) -> None:
    """Score forecasts frozen at a date against what happened, beside baselines and variants of the model.

    Forecasts come from a reduced form of the chain; with --scenario from the whole chain, its reduced form beside it.
    """
    from jevons.cli.commands import backtest as command

    command.run_backtest(
        files, as_of=as_of, draws=draws, seed=7 if seed is None else seed, scenario=scenario, chain_draws=chain_draws,
        processes=processes, plot=plot, json=json, out=out,
    )  # fmt: skip


@study_app.command("growth")
def growth(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV file with columns date, tokens_per_day and price of one product, perhaps users."
        ),
    ],
    json: Json = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file too: .json or .csv.")] = None,
) -> None:
    """Split the growth of a volume into users, price and use per user, and say whether elasticity is in the data."""
    from jevons.cli.commands.growth import run_growth

    run_growth(file, json=json, out=out)


def _check(out: Path | None, store: Path | None, no_store: bool) -> None:
    from jevons.cli.output import check_out

    check_out(out, _ENDINGS)
    if store is not None and no_store:
        message = "--store and --no-store exclude each other; give one"
        raise InputError(message)


def _load(path: Path, as_of: str | None) -> Scenario:
    from jevons.study import load
    from jevons.units import parse_date

    return load(path, as_of=parse_date(as_of))


def _drawn(loaded: Scenario, processes: int | None, store: Path | None, no_store: bool, run: Any) -> Draws:
    """Prepare the central answer, then run the draws with progress and the store."""
    from jevons.cli.output import note
    from jevons.cli.progress import Progress
    from jevons.facts import default_facts
    from jevons.study.chain.fixed_point import run_chain
    from jevons.study.chain.operating_points import engineer

    progress = Progress()
    try:
        progress("serving each model on each device", 0, 1)
        engineering = engineer(loaded, default_facts(), loaded.as_of)
        progress("market and planner", 0, 1)
        base = run_chain(loaded, engineering)
        found: Draws = run(
            engineering, base, processes=processes, store=None if no_store else store or default_store(),
            progress=lambda done, total: progress("draws", done, total),
        )  # fmt: skip
    finally:
        progress.end()
    if found.stored:
        note(f"{found.stored} draws were in the store")
    return found


def _records(found: Draws) -> list[dict[str, float]]:
    rows = []
    for index, drawn in enumerate(found.values):
        record = dict(zip(found.names, drawn.tolist(), strict=True))
        rows.append(record | {name: float(held[index]) for name, held in found.outcomes.items()})
    return rows


def _tell(found: Draws, loaded: Scenario, head: dict[str, Any], *, json: bool, out: Path | None) -> None:
    from jevons.cli.output import show, table
    from jevons.study.draws.summary import EVENTS, METHOD, chance_size, interval_rows, summary

    value = head | {"quarters": list(loaded.labels())} | summary(found)
    _put(value, _records(found), out)
    if json:
        _say(value)
        return
    title = f"{loaded.name}: {value['draws']} draws, seed {head['seed']}, {found.left_out}"
    chances = value["probability"]
    likely = [
        (label, f"{100 * chances[name]['p']:.1f} %", f"{100 * chances[name]['standard_error']:.1f} %")
        for name, label in EVENTS.items()
    ]
    tables = [
        table(title, ("outcome", "unit", "10 %", "median", "90 %", "mean"), interval_rows(found), text_columns=2),
        table("Probabilities", ("event", "probability", "standard error"), likely),
    ]
    for outcome, ranked in value["sensitivity"]["outcomes"].items():
        meaning = next(r["meaning"] for r in value["outcomes"] if r["outcome"] == outcome)
        shown = [(record["input"], f"{record['rank_correlation']:+.2f}") for record in ranked[:8]]
        rows = shown or [("none stands out of chance; draw more", "")]
        tables.append(table(f"What moves: {meaning}", ("input", "rank correlation"), rows))
    show(*tables, f"{METHOD} (here below {chance_size(found):.2f}).\n")


def _say(value: dict[str, Any]) -> None:
    from jevons.cli.output import say
    from jevons.schema import json_text

    say(json_text(value))


def _put(value: dict[str, Any], records: list[dict[str, float]], out: Path | None) -> None:
    if out is None:
        return
    from jevons.cli.output import csv_text, forced, note, write
    from jevons.files import writing
    from jevons.schema import json_text

    if out.suffix == ".json":
        write(out, json_text(value))
    elif out.suffix == ".csv":
        write(out, csv_text({"draws": records}))
    else:
        import polars as pl

        with writing(out, "wb", force=forced()) as stream:
            pl.DataFrame(records).write_parquet(stream)
        note(f"wrote {out}")


def _axis(text: str) -> tuple[str, list[float]]:
    """Return path and values of ``PATH=LOW:HIGH:STEPS`` or ``PATH=A,B,C``."""
    path, equals, rest = text.partition("=")
    try:
        if not equals or not path:
            raise ValueError
        if ":" in rest:
            low, high, steps = rest.split(":")
            count = int(steps)
            if not 1 <= count <= SWEEP_POINTS:
                raise ValueError
            first, last = float(low), float(high)
            return path, [first + (last - first) * i / max(count - 1, 1) for i in range(count)]
        return path, [float(item) for item in rest.split(",")]
    except ValueError:
        message = f"--set {text}: write PATH=LOW:HIGH:STEPS, such as finance.terminal_margin=0.1:0.25:4, or PATH=A,B,C"
        raise InputError(message) from None


def _check_axis(loaded: Scenario, path: str, grid: list[float]) -> None:
    """Refuse values out of the field's bounds, or so far beyond the scenario's that they are in the wrong unit."""
    from jevons.study.scenario.checks import bound_problem

    amount = loaded.amounts().get(path)
    if amount is None or not all(math.isfinite(value) for value in grid):
        return  # the sweep names these itself
    for value in grid:
        if problem := bound_problem(loaded, path, value):
            message = f"--set {path}: {value:g}: {problem}"
            raise InputError(message)
    if amount.value > 0 and max(grid) > 1000 * max(amount.value, amount.high or 0.0):
        unit = "" if amount.unit == "1" else f" {amount.unit}"
        message = (
            f"--set {path}: {max(grid):g} is far from the scenario's {amount.value:g}{unit}; values are in "
            f"{unit.strip() or 'fractions or plain numbers'}"
        )
        raise InputError(message)


def _check_discounting(loaded: Scenario, axes: dict[str, list[float]]) -> None:
    """Refuse a grid in which growth for ever reaches the cost of capital: value would be infinite."""
    growth = max(axes.get("finance.terminal_growth", [loaded.finance.terminal_growth.value]))
    wacc = min(axes.get("cost.wacc", [loaded.cost.wacc.value]))
    if growth >= wacc and {"finance.terminal_growth", "cost.wacc"} & set(axes):
        message = (
            f"--set: finance.terminal_growth reaches {growth:g} and cost.wacc begins at {wacc:g}: growth for ever must "
            "stay below the cost of capital, or value would be infinite"
        )
        raise InputError(message)
