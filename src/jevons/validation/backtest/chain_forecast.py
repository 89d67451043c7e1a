"""Forecasts of the whole chain: draws of a scenario, carried to the figures that firms and statistics report.

A scenario runs as correlated draws from market to planner and accounts; a thin layer of observation turns its paths
into what will be printed: last year's quarters bring the season of the revenue that is not AI, the last reported margin
its level, and quarters, share prices and counts their noise. The priors of that layer are those of the reduced form
(`jevons.validation.backtest.forecast`), which the chain is scored against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.facts import Facts
from jevons.parallel import Executor
from jevons.study.chain.decide import decided_chain
from jevons.study.chain.operating_points import engineer
from jevons.study.draws.run import Draws, evaluate, monte_carlo
from jevons.study.draws.sampling import draw_amounts, stream
from jevons.study.scenario.scenario import Scenario
from jevons.validation.backtest.forecast import (
    HORIZON,
    VARIANTS,
    Evidence,
    Forecast,
    draw_priors,
    funding_factor,
    growth_on_year,
    quarter_noise,
    rest_of_year,
    seasonal,
    share_price,
)

DOUBAO, DEEPSEEK = "bytedance", "open_hosts"
"""Rivals of the scenario that stand for ByteDance, and for DeepSeek and other hosts of open weights."""

CONSTANT = VARIANTS[1]


def chain_forecasts(
    known: Evidence,
    scenario: Scenario,
    facts: Facts,
    *,
    draws: int,
    seed: int,
    executor: Executor | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Forecast]:
    """Return the chain's forecast by variant, see `jevons.validation.backtest.forecast.VARIANTS`.

    Parameters
    ----------
    known : Evidence
        What could be known, of the scenario's date.
    scenario : Scenario
        Starts in the quarter of that date and runs a quarter longer than the forecasts at least.
    facts : Facts
        Read at the scenario's date only.
    draws : int
        Draws of the scenario, for each of two runs of it.
    seed, executor
        See `jevons.study.draws.run.monte_carlo`.
    progress : callable, optional
        Called with the name of the step, draws done and wanted.

    Raises
    ------
    InputError
        If the scenario is of another date or too short, or lacks the rivals that are forecast.
    """
    _check(known, scenario)
    tell = progress or (lambda _name, _done, _total: None)
    engineering = engineer(scenario, facts, scenario.as_of)
    base = decided_chain(scenario, engineering)
    whole = monte_carlo(
        scenario, engineering, base, draws, seed=seed, executor=executor,
        progress=lambda done, total: tell("draws of the chain", done, total),
    )  # fmt: skip
    still, names, values = constant_elasticity(known, scenario, draws, seed)
    constant = evaluate(
        still, engineering, decided_chain(still, engineering), names, values,
        about={"kind": CONSTANT, "seed": seed, "draws": draws}, executor=executor,
        progress=lambda done, total: tell("draws with constant elasticity only", done, total),
    )  # fmt: skip
    variants = {
        VARIANTS[0]: (whole, True),
        CONSTANT: (constant, True),
        VARIANTS[2]: (whole, False),
    }
    return {
        variant: observed(known, scenario, drawn, seed=seed, variant=variant, narrative=narrative)
        for variant, (drawn, narrative) in variants.items()
    }


def _check(known: Evidence, scenario: Scenario) -> None:
    faults = []
    if scenario.as_of != known.as_of:
        faults.append(f"as_of = {scenario.as_of}: forecasts are asked for {known.as_of}; use a scenario of that date")
    if scenario.start != known.quarters[0]:
        faults.append(f"start = {scenario.start}: must be {known.quarters[0]}, the quarter of the date")
    if scenario.quarters <= HORIZON:
        faults.append(f"quarters = {scenario.quarters}: must be above {HORIZON}, the quarters forecast")
    rivals = scenario.market.providers.rivals
    faults += [f"market.providers.rivals: `{name}` is missing" for name in (DOUBAO, DEEPSEEK) if name not in rivals]
    if not any(name.startswith("qwen") for name in scenario.serving.models):
        faults.append("serving.models: no model of the Qwen family, whose list prices are forecast")
    if faults:
        raise InputError([Fault(message=f"{scenario.name}: {fault}") for fault in faults])


def constant_elasticity(
    known: Evidence, scenario: Scenario, draws: int, seed: int
) -> tuple[Scenario, tuple[str, ...], Array]:
    """Return the scenario, paths and draws of a world in which prices alone move demand, with one elasticity for all.

    Adoption stands as at the start, nothing grows but by price; the elasticity is that of the reduced form.
    """
    segments = scenario.market.segments
    frozen = {"market.elasticity_scale": 1.0}
    for name in segments:
        here = f"market.segments.{name}"
        frozen |= {f"{here}.{growth}": 1.0 for growth in ("tokens_growth", "calls_growth")}
        frozen |= {f"{here}.{bass}": 0.0 for bass in ("bass_p", "bass_q")}
        frozen |= {f"{here}.{limit}": 0.0 for limit in ("wallet", "attention", "depth")}
    frozen |= {f"market.providers.rivals.{rival}.surge": 0.0 for rival in scenario.market.providers.rivals}
    names, values = draw_amounts(scenario, draws, seed)
    called = [f"market.segments.{name}.elasticity" for name, s in segments.items() if not s.rents]
    places = [i for i, name in enumerate(names) if name not in frozen and name not in called]
    size = draw_priors(known, draws, seed)["tokens_elasticity"]
    columns = np.concatenate([values[:, places], np.repeat(-size[:, None], len(called), axis=1)], axis=1)
    return scenario.with_numbers(frozen), (*(names[i] for i in places), *called), columns


def observed(
    known: Evidence, scenario: Scenario, drawn: Draws, *, seed: int, variant: str, narrative: bool
) -> Forecast:
    """Return what will be reported of the chain's draws; levels are those at the ends of quarters."""
    paths = drawn.paths
    n = paths["market_tokens_per_d"].shape[0]
    p = draw_priors(known, n, seed)
    ends = slice(1, HORIZON + 1)
    counted = paths["market_tokens_per_d"][:, ends] * p["tokens_counting_factor"][:, None]
    doubao = paths[f"tokens:{DOUBAO}"]
    price = share_price(known, p, seed, n, narrative=narrative)
    revenue, growth, margin = _cloud(known, scenario, drawn, p, seed)
    own = [name for name in scenario.serving.models if name.startswith("qwen")]
    sold = [name for name in scenario.market.providers.rivals[DEEPSEEK].prices if f"price:{DEEPSEEK}:{name}" in paths]
    forecasts = {
        "cloud_revenue": revenue, "cloud_growth_frac": growth, "cloud_margin_frac": margin,
        "capex": _capex(known, paths, p, seed, price, narrative=narrative),
        "china_tok_per_d": counted,
        "doubao_tok_per_d": known.doubao_tok_per_d[-1] * doubao[:, ends] / doubao[:, :1],
        "qwen_price_index": _index(paths, [f"price:{name}" for name in own])[:, ends],
        "deepseek_price_index": _index(paths, [f"price:{DEEPSEEK}:{name}" for name in sold])[:, ends],
        "ads_price_usd": price,
    }  # fmt: skip
    return Forecast(variant, known.quarters, forecasts)


def _index(paths: Mapping[str, Array], names: list[str]) -> Array:
    """Return the geometric mean of prices over their start, (n, t)."""
    return np.asarray(np.exp(np.mean([np.log(paths[name] / paths[name][:, :1]) for name in names], axis=0)))


def _drawn_or_given(scenario: Scenario, drawn: Draws, path: str) -> Array:
    """Return an amount of the scenario in each draw, (n,)."""
    if path in drawn.names:
        return drawn.values[:, drawn.names.index(path)]
    return np.full(drawn.values.shape[0], scenario.amounts()[path].value)


def _cloud(
    known: Evidence, scenario: Scenario, drawn: Draws, p: Mapping[str, Array], seed: int
) -> tuple[Array, Array, Array]:
    """Return the cloud's revenue, growth on the year and margin by quarter (n, q).

    What is not AI follows its own quarter of the year before; margins move from the one last reported as the chain's do
    from its first quarter.
    """
    paths = drawn.paths
    rng = stream(seed, "chain:cloud")
    ai = paths["ai_revenue"][:, :HORIZON]
    now = _drawn_or_given(scenario, drawn, "market.ai_revenue_share") * known.revenue_cur[-1]
    growth = _drawn_or_given(scenario, drawn, "market.ai_revenue_growth")
    pace = 1.0 + _drawn_or_given(scenario, drawn, "finance.base_growth")
    revenue = ai + seasonal(known, rest_of_year(known, now, growth), pace, rng)
    moved = paths["cloud_ebita_frac"][:, :HORIZON] - paths["cloud_ebita_frac"][:, :1]
    drifted = p["base_margin_drift_frac"][:, None] * np.arange(1, HORIZON + 1)
    margin = known.margin_frac + moved + drifted + rng.normal(0.0, known.fixed["margin_noise_frac"], revenue.shape)
    return revenue, growth_on_year(known, revenue), margin


def _capex(
    known: Evidence, paths: Mapping[str, Array], p: Mapping[str, Array], seed: int, price: Array, *, narrative: bool
) -> Array:
    """Return capital expenditure of the group by quarter (n, q): AI, the plan's other lines, and other businesses."""
    rng = stream(seed, "chain:capex")
    spent = (paths["capex"] + paths["released_rest"])[:, :HORIZON]
    if narrative:
        spent = spent * funding_factor(known, p, price)
    return np.asarray(spent * quarter_noise(p, rng) * (1.0 + p["other_capex_frac"][:, None]))
