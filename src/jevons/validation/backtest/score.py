"""Scores frozen forecasts against outcomes: CRPS, coverage of the 80 % intervals, error by horizon, and baselines."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.facts import Facts
from jevons.facts.read import as_date
from jevons.files import read_csv
from jevons.finance.narrative import LEAST_TRAINING, NarrativeScore, score_narrative
from jevons.parallel import Executor
from jevons.study.draws.sampling import stream
from jevons.study.scenario.scenario import Scenario
from jevons.validation.backtest.chain_forecast import chain_forecasts
from jevons.validation.backtest.forecast import (
    HORIZON,
    PRODUCTS,
    TARGETS,
    VARIANTS,
    Evidence,
    Forecast,
    evidence,
    forecast,
    price_products,
    quarter_end,
)

COLUMNS = ("entity", "quantity", "date_or_period", "value", "unit")
LOG_TARGETS = {
    "capex",
    "china_tok_per_d",
    "doubao_tok_per_d",
    "qwen_price_index",
    "deepseek_price_index",
    "ads_price_usd",
}
"""Scored in the logarithm: their errors are factors."""

_PROFIT = "cloud_ebita"
"""What margins are computed from where only the profit is on file."""

_CLOUD, _GROUP = "Alibaba Cloud Intelligence Group", "Alibaba Group"
_MEANING: dict[tuple[str, str], tuple[str, str]] = {
    (_CLOUD, "revenue"): ("cloud_revenue", "CNY million"),
    (_CLOUD, "revenue growth, year on year"): ("cloud_growth_frac", "percent"),
    (_CLOUD, "adjusted EBITA margin"): ("cloud_margin_frac", "percent"),
    (_CLOUD, "adjusted EBITA"): (_PROFIT, "CNY million"),
    (_GROUP, "capital expenditure"): ("capex", "CNY million"),
    ("China, national", "daily tokens"): ("china_tok_per_d", "tokens per day"),
    ("ByteDance (Doubao)", "daily tokens"): ("doubao_tok_per_d", "tokens per day"),
    (_GROUP, "ADS price (adjusted for dividends)"): ("ads_price_usd", "USD per ADS"),
}
_SCALE = {"CNY million": 1e6, "percent": 0.01, "tokens per day": 1.0, "USD per ADS": 1.0}
_TOGETHER = re.compile(r"\d{4}-Q[1-4]\s*(?:,|and|&|\+|to|/)\s*\d{4}-Q[1-4]")
_SUMMED = {"cloud_revenue", "capex", _PROFIT}
"""Flows of which several quarters together are scored as their sum."""

_FLOWS = {"cloud_revenue", "cloud_growth_frac", "cloud_margin_frac", "capex", _PROFIT}
REDUCED = "reduced form"
"""Method of the forecasts of `jevons.validation.backtest.forecast` where those of the whole chain stand beside them."""

_VENDORS = {"Alibaba Cloud (Qwen)": "qwen", "DeepSeek": "deepseek"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened.

    Parameters
    ----------
    target : str
        See `TARGETS`.
    date : date
        Last day of the quarter, or the day.
    value : float
        In the target's unit.
    place : str
        File and line.
    quarters : tuple of str
        Quarters that a value covers together; empty for one quarter, or for a day.
    """

    target: str
    date: dt.date
    value: float
    place: str
    quarters: tuple[str, ...] = ()

    @property
    def per_quarter(self) -> float:
        """What a quarter has of it on average: a sum over several is divided by their number."""
        return self.value / len(self.quarters) if self.quarters and self.target in _SUMMED else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One outcome against the forecast of one method.

    Parameters
    ----------
    method : str
        Variant or baseline.
    outcome : Outcome
        What happened.
    horizon_quarters : float
        From the date of the forecast to the outcome's.
    low, middle, high : float
        Quantiles 10, 50 and 90 %.
    crps : float
        Continuous ranked probability score; of the logarithm for `LOG_TARGETS`. The absolute error of a point forecast.
    error : float
        Median less outcome, in the logarithm for `LOG_TARGETS`.
    """

    method: str
    outcome: Outcome
    horizon_quarters: float
    low: float
    middle: float
    high: float
    crps: float
    error: float

    @property
    def covered(self) -> bool:
        """Whether the outcome lies within the 80 % interval."""
        return self.low <= self.outcome.value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Forecasts, outcomes and scores.

    Parameters
    ----------
    known : Evidence
        What could be known.
    forecasts : mapping of str to Forecast
        By variant: of the whole chain where a scenario was given, beside its `REDUCED` form; else of that form.
    scores : tuple of Scored
        Every outcome by every method that forecasts it.
    skipped : mapping of str to int
        Rows of the file that are no outcome of a forecast, by reason.
    narrative : NarrativeScore
        The story's layer against a random walk, on prices known at the date.
    baselines : mapping of str to mapping of str to (n, q)
        The simple rules to beat, by name and target.
    """

    known: Evidence
    forecasts: Mapping[str, Forecast]
    scores: tuple[Scored, ...]
    skipped: Mapping[str, int]
    narrative: NarrativeScore
    baselines: Mapping[str, Mapping[str, Array]]

    @property
    def engine(self) -> str:
        """What the forecasts come from: `chain`, or `reduced form`."""
        return "chain" if REDUCED in self.forecasts else REDUCED

    @property
    def published(self) -> Forecast:
        """The forecast that counts: with the narrative layer only where that beat the random walk by the date."""
        return self.forecasts["full" if self.narrative.keep else "no narrative"]


def crps(draws: Array, value: float) -> float:
    """Return the continuous ranked probability score of draws (n,) against what happened.

    Notes
    -----
    ``mean |x - y| - mean |x - x'| / 2`` over the draws (Gneiting and Raftery 2007); the second term from sorted draws.
    """
    ordered = np.sort(np.asarray(draws, float))
    n = ordered.size
    spread = float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum()) / n**2
    return float(np.abs(ordered - value).mean() - spread)


def read_outcomes(
    paths: Iterable[Path], facts: Facts, as_of: dt.date, ends: Sequence[dt.date]
) -> tuple[list[Outcome], dict[str, int]]:
    """Return the outcomes in CSV files with the columns of the economics data, and what was skipped, by reason.

    Raises
    ------
    InputError
        If a column is missing, or a row that a forecast meets has no date, another unit or no number.
    """
    outcomes: list[Outcome] = []
    skipped: dict[str, int] = {}
    faults: list[Fault] = []
    prices: list[tuple[str, str, dt.date, float, str]] = []
    for path in paths:
        for line, row in _rows(path):
            place = f"{path.name}:{line}"
            try:
                priced = _price_row(row, place)
                outcome = None if priced else _outcome(row, place)
            except ValueError as error:
                faults.append(Fault(message=str(error), file=path.name, line=line))
                continue
            if priced:
                prices.append(priced)
            elif isinstance(outcome, str):
                skipped[outcome] = skipped.get(outcome, 0) + 1
            elif outcome is not None:
                why = "known at the date" if outcome.date <= as_of else "beyond the last quarter forecast"
                reached = all(as_of < quarter_end(label) for label in outcome.quarters)
                if reached and as_of < outcome.date <= ends[-1]:
                    outcomes.append(outcome)
                else:
                    skipped[why] = skipped.get(why, 0) + 1
    if faults:
        raise InputError(faults)
    outcomes = _with_margins(outcomes)
    outcomes += list(_indices(prices, facts, as_of, ends))
    unique: dict[tuple[str, dt.date, tuple[str, ...]], Outcome] = {}
    for outcome in outcomes:
        key = (outcome.target, outcome.date, outcome.quarters)
        if key in unique:
            skipped["a second value of one date"] = skipped.get("a second value of one date", 0) + 1
        else:
            unique[key] = outcome
    return sorted(unique.values(), key=lambda o: (list(TARGETS).index(o.target), o.date)), skipped


def _with_margins(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes with profits divided by the revenue of the same quarters; one without is left out."""
    revenue = {(o.date, o.quarters): o.value for o in outcomes if o.target == "cloud_revenue"}
    with_margins = [o for o in outcomes if o.target != _PROFIT]
    for profit in outcomes:
        over = revenue.get((profit.date, profit.quarters))
        if profit.target == _PROFIT and over:
            margin = dataclasses.replace(profit, target="cloud_margin_frac", value=profit.value / over)
            with_margins.append(margin)
    return with_margins


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    header, rows = read_csv(path)
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        message = f"{path}:1: no column {', '.join(missing)}; outcomes need {', '.join(COLUMNS)}"
        raise InputError(message)
    for line, row in rows:
        yield line, {name: row[name].strip() for name in COLUMNS}


def _outcome(row: Mapping[str, str], place: str) -> Outcome | str:
    """Return the outcome of a row, or why it is none."""
    meaning = _MEANING.get((row["entity"], row["quantity"]))
    if meaning is None:
        return "no forecast of this quantity"
    target, unit = meaning
    if row["unit"] != unit:
        message = f"unit `{row['unit']}` of {row['entity']}, {row['quantity']}: must be `{unit}`"
        raise ValueError(message)
    period = row["date_or_period"]
    together = tuple(re.findall(r"\d{4}-Q[1-4]", period)) if _TOGETHER.search(period) else ()
    if together:
        if target not in _SUMMED:
            return "several quarters together"
        number = _value(row["value"]) * _SCALE[unit]
        return Outcome(
            target=target, date=quarter_end(max(together)), value=number, place=place, quarters=tuple(sorted(together))
        )
    quarter = re.match(r"^(\d{4}-Q[1-4])\b", period)
    if target in _FLOWS:
        if not quarter:
            return "not a quarter"
        date = quarter_end(quarter.group(1))
    else:
        date = quarter_end(quarter.group(1)) if quarter else _date(period)
    return Outcome(target=target, date=date, value=_value(row["value"]) * _SCALE[unit], place=place)


def _date(text: str) -> dt.date:
    try:
        return as_date(text)
    except ValueError:
        message = f"`{text}` is not a date; write YYYY-MM-DD, YYYY-MM or 2025-Q1"
        raise ValueError(message) from None


def _value(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        message = f"value `{text}` is not a finite number"
        raise ValueError(message)
    return number


def _price_row(row: Mapping[str, str], place: str) -> tuple[str, str, dt.date, float, str] | None:
    """Return vendor, fact id, date and price [CNY/Mtok] of a list-price row, None for other rows."""
    vendor = _VENDORS.get(row["entity"])
    if vendor is None or row["unit"] != "CNY per million tokens" or " | " not in row["quantity"]:
        return None
    product, kind = row["quantity"].rsplit(" | ", 1)
    if "off-peak" in product or row["date_or_period"].startswith("undated"):
        return None
    name = re.split(r"[ (]", product)[0]
    brand = name.split("-")
    fact = f"api.{brand[0]}.{'_'.join(brand[1:])}.{kind}_cny_per_mtok"
    return vendor, fact, _date(row["date_or_period"]), _value(row["value"]), place


def _indices(
    rows: Sequence[tuple[str, str, dt.date, float, str]], facts: Facts, as_of: dt.date, ends: Sequence[dt.date]
) -> Iterator[Outcome]:
    """Yield each vendor's index at quarter ends the rows reach, and on the last date they reach.

    A list price stands until a row says otherwise, so a vendor's prices are known to the last row of any product.
    """
    base = price_products(facts, as_of)
    for vendor in PRODUCTS:
        mine = sorted((row for row in rows if row[0] == vendor), key=lambda row: row[2])
        if not mine or mine[-1][2] <= as_of:
            continue
        last = mine[-1]
        dates = [end for end in ends if end <= last[2]]
        if last[2] <= ends[-1] and last[2] not in dates:
            dates.append(last[2])
        for date in dates:
            logs = []
            for fact, start in base[vendor].items():
                later = [row[3] for row in mine if row[1] == fact and as_of < row[2] <= date]
                logs.append(np.log((later[-1] if later else start) / start))
            yield Outcome(target=f"{vendor}_price_index", date=date, value=float(np.exp(np.mean(logs))), place=last[4])


def at_date(path: Array, known: Evidence, target: str, date: dt.date) -> Array:
    """Return draws (n,) of a target on a date from its path (n, q); levels move log-linearly within a quarter."""
    days = np.array([(end - known.as_of).days for end in known.ends], float)
    when = float((date - known.as_of).days)
    if target in _FLOWS or when <= days[0]:
        return np.asarray(path[:, int(np.abs(days - when).argmin())])
    return np.asarray(np.exp(np.stack([np.interp(when, days, row) for row in np.log(path)])))


def covered_draws(path: Array, known: Evidence, outcome: Outcome) -> Array:
    """Return draws (n,) of what an outcome measures: of several quarters together, their sum, or the mean of shares."""
    if not outcome.quarters:
        return at_date(path, known, outcome.target, outcome.date)
    those = path[:, [known.quarters.index(label) for label in outcome.quarters]]
    return np.asarray(those.mean(axis=1) if outcome.target.endswith("_frac") else those.sum(axis=1))


def baselines(known: Evidence, *, draws: int, seed: int) -> dict[str, dict[str, Array]]:
    """Return the forecasts to beat, by name and target, (n, q): points but for the random walks.

    Last growth persists; the trend adds five points of growth a quarter; the plan divided evenly; tokens grow
    exponentially at the pace of the last two statements; a random walk of the share and of list prices.
    """
    revenues = [*known.revenue_cur]
    trend = [*known.revenue_cur]
    growths = []
    for quarter in range(HORIZON):
        growths.append(known.revenue_growth_frac + 0.05 * (quarter + 1))
        revenues.append(revenues[quarter] * (1 + known.revenue_growth_frac))
        trend.append(trend[quarter] * (1 + growths[-1]))
    tokens, dates = np.log(known.doubao_tok_per_d), known.doubao_date
    pace = (tokens[-1] - tokens[-2]) / max((dates[-1] - dates[-2]).days, 1)
    factor = np.exp(pace * np.array([(end - dates[-1]).days for end in known.ends]))
    years = np.array([(end - known.as_of).days / 365.25 for end in known.ends])
    rng = stream(seed, "baseline:walk")
    steps = np.sqrt(np.diff(np.concatenate([[0.0], years])) * 4)
    walk = np.cumsum(rng.standard_normal((draws, HORIZON)) * steps, axis=1)
    ones = np.ones((1, HORIZON))
    return {
        "last growth persists": {
            "cloud_revenue": np.array([revenues[4:]]), "cloud_growth_frac": ones * known.revenue_growth_frac,
            "cloud_margin_frac": ones * known.margin_frac,
        },
        "trend +5 points": {"cloud_revenue": np.array([trend[4:]]), "cloud_growth_frac": np.array([growths])},
        "plan divided evenly": {"capex": ones * known.plan_cur / 12},
        "exponential tokens": {
            "doubao_tok_per_d": known.doubao_tok_per_d[-1] * factor[None, :],
            "china_tok_per_d": known.named_tok_per_d * factor[None, :],
        },
        "random walk price": {
            "ads_price_usd": known.ads_price_usd * np.exp(walk * float(known.price_changes.std())),
            "qwen_price_index": ones, "deepseek_price_index": ones,
        },
    }  # fmt: skip


def backtest(
    paths: Sequence[Path],
    facts: Facts,
    *,
    as_of: dt.date,
    draws: int = 4000,
    seed: int = 7,
    scenario: Scenario | None = None,
    chain_draws: int = 400,
    executor: Executor | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Backtest:
    """Return forecasts frozen at a date, scored against the outcomes in files.

    Parameters
    ----------
    paths : sequence of Path
        CSV files in the columns of the economics data.
    facts : Facts
        Read at *as_of* only.
    as_of : date
        Nothing published later is used.
    draws, seed : int
        Draws of the reduced form's forecasts, and their root.
    scenario : Scenario, optional
        Of that date: the whole chain is drawn from it, and scored beside its reduced form.
    chain_draws : int
        Draws of the chain.
    executor, progress
        See `jevons.validation.backtest.chain_forecast.chain_forecasts`.

    Raises
    ------
    InputError, FactError
        If a file is wrong, or a figure was not public on the date.
    """
    known = evidence(facts, as_of)
    closes = [value.number for value in facts.series("alibaba.group.ads_price_adjusted_usd", as_of)]
    story = score_narrative([*closes, known.ads_price_usd], least_training=LEAST_TRAINING)
    outcomes, skipped = read_outcomes(paths, facts, as_of, known.ends)
    variants = {variant: forecast(known, draws=draws, seed=seed, variant=variant) for variant in VARIANTS}
    if scenario is not None:
        whole = chain_forecasts(
            known, scenario, facts, draws=chain_draws, seed=seed, executor=executor, progress=progress
        )
        variants = {**whole, REDUCED: variants[VARIANTS[0]]}
    methods: dict[str, Mapping[str, Array]] = {name: item.draws for name, item in variants.items()}
    rules = baselines(known, draws=draws, seed=seed)
    methods.update(rules)
    scores = tuple(
        _score(name, forecasts[outcome.target], outcome, known)
        for name, forecasts in methods.items()
        for outcome in outcomes
        if outcome.target in forecasts
    )
    return Backtest(known=known, forecasts=variants, scores=scores, skipped=skipped, narrative=story, baselines=rules)


def _score(method: str, path: Array, outcome: Outcome, known: Evidence) -> Scored:
    draws = covered_draws(path, known, outcome)
    low, middle, high = (float(q) for q in np.quantile(draws, (0.1, 0.5, 0.9)))
    horizon = (outcome.date - known.as_of).days / 365.25 * 4
    log = outcome.target in LOG_TARGETS
    if log and outcome.value <= 0:
        message = f"{outcome.place}: {TARGETS[outcome.target][1]} = {outcome.value:g}: must be positive"
        raise InputError(message)
    sample, value = (np.log(draws), float(np.log(outcome.value))) if log else (draws, outcome.value)
    return Scored(
        method=method,
        outcome=outcome,
        horizon_quarters=horizon,
        low=low,
        middle=middle,
        high=high,
        crps=crps(sample, value),
        error=float(np.quantile(sample, 0.5)) - value,
    )


def summary_rows(result: Backtest) -> list[dict[str, Any]]:
    """Return one record per target and method: outcomes, mean CRPS, CRPS over the full model's, coverage, error."""
    rows = []
    for target in TARGETS:
        mine = [score for score in result.scores if score.outcome.target == target]
        methods = list(dict.fromkeys(score.method for score in mine))
        mean = {m: float(np.mean([s.crps for s in mine if s.method == m])) for m in methods}
        for method in methods:
            scored = [score for score in mine if score.method == method]
            point = all(score.low == score.high for score in scored)
            rows.append(
                {
                    "target": target, "method": method, "outcomes": len(scored), "crps": mean[method],
                    "crps_over_full": mean[method] / max(mean["full"], 1e-12),
                    "covered_frac": None if point else float(np.mean([score.covered for score in scored])),
                    "mean_abs_error": float(np.mean([abs(score.error) for score in scored])),
                    "scale": "log" if target in LOG_TARGETS else TARGETS[target][0],
                }
            )  # fmt: skip
    return rows


def horizon_rows(result: Backtest) -> list[dict[str, Any]]:
    """Return errors of the full model by horizon, rounded up to whole quarters."""
    full = [score for score in result.scores if score.method == "full"]
    rows = []
    for target in TARGETS:
        for quarter in range(1, HORIZON + 1):
            mine = [s for s in full if s.outcome.target == target and int(np.ceil(s.horizon_quarters)) == quarter]
            if mine:
                errors = [score.error for score in mine]
                rows.append(
                    {
                        "target": target, "horizon_quarters": quarter, "outcomes": len(mine),
                        "mean_error": float(np.mean(errors)), "mean_abs_error": float(np.mean(np.abs(errors))),
                    }
                )  # fmt: skip
    return rows


def refutations(result: Backtest) -> list[dict[str, str]]:
    """Return the tests that could refute the model, each with its answer: `passed`, `refuted` or `no outcome`."""
    full = [score for score in result.scores if score.method == "full"]

    def mean(method: str, targets: set[str]) -> float | None:
        scores = [s.crps for s in result.scores if s.method == method and s.outcome.target in targets]
        return float(np.mean(scores)) if scores else None

    def beats(other: str, targets: set[str]) -> tuple[str, str]:
        mine, theirs = mean("full", targets), mean(other, targets)
        if mine is None or theirs is None:
            return "no outcome", ""
        return ("passed" if mine < theirs else "refuted"), f"mean CRPS {mine:.4g} against {theirs:.4g}"

    covered = float(np.mean([s.covered for s in full])) if full else None
    tokens = [s for s in full if s.outcome.target in {"china_tok_per_d", "doubao_tok_per_d"}]
    missed = [s for s in tokens if abs(s.error) > np.log(10) and not s.covered]
    capex = [s for s in full if s.outcome.target == "capex"]
    signs = [
        np.sign(s.middle - result.known.capex_cur) == np.sign(s.outcome.value - result.known.capex_cur) for s in capex
    ]
    revenue = {"cloud_revenue"}
    scaled = {s.outcome.target for s in full} & {"china_tok_per_d", "doubao_tok_per_d"}
    story = result.narrative
    tests = [
        (
            "80 % intervals cover at least half of the outcomes",
            "no outcome" if covered is None else "passed" if covered >= 0.5 else "refuted",
            "" if covered is None else f"{100 * covered:.0f} % of {len(full)}",
        ),
        ("beats `last growth persists` on cloud revenue", *beats("last growth persists", revenue)),
        ("beats `trend +5 points` on cloud revenue", *beats("trend +5 points", revenue)),
        (
            "tokens within an order of magnitude, or inside the interval",
            "no outcome" if not tokens else "refuted" if missed else "passed",
            f"{len(missed)} of {len(tokens)} missed" if tokens else "",
        ),
        (
            "capital expenditure changes in the right direction",
            "no outcome" if not capex else "passed" if all(signs) else "refuted",
            f"{sum(map(bool, signs))} of {len(capex)}" if capex else "",
        ),
        ("beats `constant elasticity only` on tokens", *beats("constant elasticity only", scaled)),
        (
            "narrative beats a random walk out of sample (prices up to the date)",
            "passed" if story.keep else "refuted",
            f"RMSE {story.rmse_narrative:.3f} against {story.rmse_walk:.3f} (walk) and {story.rmse_drift:.3f} (drift)",
        ),
        ("narrative beats `no narrative` on the share price after the date", *beats("no narrative", {"ads_price_usd"})),
    ]
    if REDUCED in result.forecasts:
        tests.append(("the chain beats its reduced form on most quantities", *_beats_reduced(result)))
    return [{"test": test, "answer": answer, "detail": detail} for test, answer, detail in tests]


def _beats_reduced(result: Backtest) -> tuple[str, str]:
    ratios = [row["crps_over_full"] for row in summary_rows(result) if row["method"] == REDUCED]
    better = sum(ratio > 1 for ratio in ratios)
    if not ratios:
        return "no outcome", ""
    return ("passed" if 2 * better > len(ratios) else "refuted"), f"lower mean CRPS on {better} of {len(ratios)}"
