"""Fits the engines' and the kernels' factors to measured rows: robust, bounded, with a prior, and judged out of sample.

A factor is fitted in its logarithm. The loss is that of relative errors, log(predicted / measured), with outliers
weighed down, so that rows which state too little about themselves do not pull. Groups of rows (source, model, device)
count by the square root of their size.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array, diags_array

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.serving.calibration import Calibration
from jevons.serving.scales import SCALED_PARTS, generation_of, lender_of, pair_of, scaled_as, shipped_scales
from jevons.serving.types import FloatArray
from jevons.validation.rows import Table, read_table
from jevons.validation.serving.case import Case, with_release
from jevons.validation.serving.cases import PER_TOKEN, untimed_runs
from jevons.validation.serving.predict import Prepared, answer, calibrated, metric_value, prepare
from jevons.validation.serving.sweeps import case_in_sweep, repeating_runs

METRICS = {
    "ttft_ms", "tpot_ms", "ttft_ms_mean", "tpot_ms_mean", "output_tok_s", "output_tok_s_per_gpu", "prompt_phase_ms",
    "token_step_ms", "first_token_latency_ms",
}  # fmt: skip
_OUTLIER = 0.15
_LEAST_OUTLIER = 0.15
_LARGEST_OUTLIER = 0.4
_FIRST_TOKEN_WEIGHT = 0.6
LOOSE = {"engine_bench": 0.5}  # tables whose rows leave much of the run unsaid count for less
ITERATIONS = 5
_STEP = 0.04
_LARGEST_MOVE = 0.7
_FIT_WAVES = 3
HOPELESS = 2.5
_TELLING = 3  # figures of a run that are not alike by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A number to be fitted: an engine's factor, or the scale of a part of a step.

    Parameters
    ----------
    kind : str
        ``engine`` or ``scale``.
    owner, name : str
        Engine and factor; or ``all``, a generation of devices or an engine, and the part. A part's scales multiply.
    start, low, high : float
        Prior value and bounds.
    sigma : float
        Spread of the prior in the logarithm.
    """

    kind: str
    owner: str
    name: str
    start: float
    low: float
    high: float
    sigma: float


# Factor, neutral start, bounds, spread of the prior in the logarithm.
ENGINE_FACTORS = (
    ("step_overhead_s", 7e-4, 2e-5, 8e-3, 0.7),
    ("request_overhead_s", 5e-6, 1e-7, 3e-5, 0.8),
    ("prefill_launch_s", 4e-5, 1e-6, 2e-4, 0.8),
    ("decode_layer_s", 2e-6, 1e-7, 2e-3, 1.0),
    ("entry_s", 1.5e-2, 1e-3, 8e-2, 0.8),
    ("entry_launch_s", 5e-6, 1e-7, 1e-4, 1.0),
    ("admit_s", 3e-3, 1e-5, 3e-2, 0.8),
    ("admit_token_s", 4e-6, 1e-7, 4e-5, 0.8),
    ("hand_over_s", 5e-2, 1e-3, 0.5, 1.0),
    ("draft_acceptance_frac", 0.7, 0.3, 0.95, 0.15),
)
# Factors that the rows of one engine alone tell from others: its sweeps of short answers have both times.
_TOLD_BY = {"entry_launch_s": "trtllm"}
_OF_GRAPHS = "decode_layer_s"
# Engines without captured graphs are those of 2023, which sample and detokenise request by request in Python.
_ONE_BY_ONE = {"request_overhead_s": (2e-4, 1e-3)}
# What was measured as engines run it needs less freedom.
_FREEDOM = {"ep_comm": 0.4}
_OWN_KERNELS = 2.5  # engines and generations share most kernels, but not those of the experts and of block scales
# Generations whose exchanges between expert ranks no table measures: they stand on those of another maker.
_UNMEASURED_EXCHANGE, _UNMEASURED = {"cdna", "cdna4"}, 5.0
# What a deployment has of its own, beside what its engine, device and model explain: spread of the logarithm of the
# errors of whole groups left out (docs/validation/serving.md).
PACES = {"decode_pace": 0.15, "prompt_pace": 0.3}
_LONE = 1.6  # slower than alone by more, in all engines and on all devices, is something else
# What data-centre devices in engines lose against lone 16-bit products is theirs: graphics cards replay requests at the
# lone kernels' pace (docs/validation/requests.md), so that little of it is for all.
_OF_ALL = {"compute.bf16": 0.04}
# Chosen by errors of whole groups, devices, models and releases left out: an engine's kernels differ from those of
# others on one generation of devices more than on all of them.
_SCALE_SIGMAS = {"all": 0.3, "generation": 0.15, "engine": 0.036, "pair": 0.096}
# Hosts belong to servers, so to a device more than to its generation; engines' own factors hold what all share.
# Rows of Ada are of large batches, which hardly tell the host's time from that of products: where it was freer than a
# device's, its generation's doubled, and vLLM came out a third too slow at few users.
_HOST_SIGMAS = {"all": 0.001, "generation": 0.15, "pair": 0.29, "device": 0.3}


@dataclass(slots=True, kw_only=True)
class Item:
    """A case, what was measured of it, and the rows that say so."""

    prepared: Prepared
    group: str
    device: str
    model: str
    measured: dict[str, list[float]] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        """Engine preset."""
        return self.prepared.case.engine

    @property
    def generation(self) -> str:
        """Generation of the device."""
        return generation_of(self.prepared.case.device)

    @property
    def parts(self) -> set[str]:
        """Parts of its steps that a scale bears on."""
        of_steps = {
            scaled_as(name) for at in self.prepared.surfaces for work in (at.decode, at.prompts) for name in work.parts
        }
        return {name for name in SCALED_PARTS if name in of_steps or name in {"prompt", "host"}}

    def bears(self, factor: Factor) -> bool:
        """Return whether a factor bears on the case."""
        if factor.kind == "engine":
            case = self.prepared.case
            shows = {
                "draft_acceptance_frac": case.scheduler.draft_tokens > 0,
                "hand_over_s": case.instances.prefill is not None,
            }
            return self.engine == factor.owner and shows.get(factor.name, True)
        pair = pair_of(self.engine, self.generation)
        if factor.name == "host":
            return factor.owner in {"all", self.generation, pair, self.device}
        owners = {"all", self.generation, lender_of(self.generation, factor.name), self.engine, pair}
        return factor.owner in owners and factor.name in self.parts


@dataclass(slots=True, kw_only=True)
class Problem:
    """Items to fit and factors to fit them with."""

    items: list[Item]
    factors: list[Factor]

    def __post_init__(self) -> None:
        self.owner: list[int] = []
        self.target: list[float] = []
        self.metrics: list[str] = []
        sizes: dict[str, int] = defaultdict(int)
        for index, item in enumerate(self.items):
            for metric, values in item.measured.items():
                self.owner.append(index)
                self.metrics.append(metric)
                self.target.append(float(np.median(np.log(values))))
                sizes[item.group] += 1
        self.weight = np.array([1.0 / math.sqrt(max(sizes[self.items[i].group], 8)) for i in self.owner])
        first = np.array([metric.startswith("ttft") for metric in self.metrics])
        self.weight *= np.where(first, _FIRST_TOKEN_WEIGHT, 1.0)
        self.weight *= [LOOSE.get(self.items[i].prepared.case.family, 1.0) for i in self.owner]
        self.weight *= len(self.weight) / self.weight.sum()
        self.outlier = np.full(len(self.owner), _OUTLIER)
        self.rows_of: dict[int, list[int]] = defaultdict(list)
        for row, index in enumerate(self.owner):
            self.rows_of[index].append(row)

    owner: list[int] = field(init=False)
    target: list[float] = field(init=False)
    metrics: list[str] = field(init=False)
    weight: FloatArray = field(init=False)
    outlier: FloatArray = field(init=False)
    rows_of: dict[int, list[int]] = field(init=False)

    def judge(self, errors: FloatArray) -> None:
        """Set the size of an outlier for each family and metric from its errors: exact tables count for more."""
        sets: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row, index in enumerate(self.owner):
            sets[self.items[index].prepared.case.family, self.metrics[row]].append(row)
        for rows in sets.values():
            size = float(np.nanmedian(np.abs(errors[rows])))
            self.outlier[rows] = min(max(1.48 * size, _LEAST_OUTLIER), _LARGEST_OUTLIER)

    def calibration(self, theta: FloatArray) -> Calibration:
        """Return the factors' values as a calibration."""
        engines: dict[str, dict[str, float]] = defaultdict(dict)
        scales: dict[str, dict[str, float]] = defaultdict(dict)
        for factor, value in zip(self.factors, np.exp(theta), strict=True):
            (engines if factor.kind == "engine" else scales)[factor.owner][factor.name] = float(value)
        return Calibration(dict(engines), dict(scales))

    def errors(self, theta: FloatArray, items: Iterable[int] | None = None) -> FloatArray:
        """Return log(predicted / measured) of all rows; NaN for those of other items, or without an answer."""
        logs = np.full(len(self.owner), np.nan)
        calibration = self.calibration(theta)
        for index in range(len(self.items)) if items is None else items:
            item = self.items[index]
            try:
                result = answer(item.prepared, calibrated(calibration), calibration.scales)
            except InfeasibleError:
                continue
            for row in self.rows_of[index]:
                value = metric_value(self.metrics[row], item.prepared.case, result)
                logs[row] = math.log(max(value, 1e-12)) - self.target[row]
        return logs

    @property
    def start(self) -> FloatArray:
        """Prior values, in logarithms."""
        prior: FloatArray = np.log(np.array([factor.start for factor in self.factors]))
        return prior

    @property
    def sigma(self) -> FloatArray:
        """Spread of the prior."""
        return np.array([factor.sigma for factor in self.factors])

    def clip(self, theta: FloatArray) -> FloatArray:
        """Return factors within their bounds."""
        low = np.log(np.array([factor.low for factor in self.factors]))
        high = np.log(np.array([factor.high for factor in self.factors]))
        inside: FloatArray = np.clip(theta, low, high)
        return inside

    def slopes(self, theta: FloatArray, base: FloatArray) -> FloatArray:
        """Return the derivatives of all errors, shape (rows, factors).

        Factors of one kind and name have the same effect on a case that they bear on, so all owners' move together.
        """
        slopes = np.zeros((len(self.owner), len(self.factors)))
        owner = np.array(self.owner)
        for kind, name in dict.fromkeys((factor.kind, factor.name) for factor in self.factors):
            alike = [i for i, factor in enumerate(self.factors) if (factor.kind, factor.name) == (kind, name)]
            moved = theta.copy()
            lone = [i for i in alike if kind == "engine" or self.factors[i].owner == "all"]
            moved[lone] += _STEP
            borne = np.array([any(item.bears(self.factors[i]) for i in lone) for item in self.items])
            changed = self.errors(moved, np.flatnonzero(borne).tolist())
            slope = np.clip((changed - base) / _STEP, -3.0, 3.0)
            slope[np.isnan(slope)] = 0.0
            for column in alike:
                own = np.array([item.bears(self.factors[column]) for item in self.items])
                slopes[:, column] = np.where(own[owner], slope, 0.0)
        return slopes


def solve(
    problem: Problem, base: FloatArray, slopes: FloatArray, at: FloatArray, rows: np.ndarray, rounds: int = 12
) -> FloatArray:
    """Return the factors that fit the linearised errors of some rows best, under the prior.

    Parameters
    ----------
    problem : Problem
        Gives prior and weights.
    base, slopes : ndarray
        Errors and their derivatives at *at*.
    at : ndarray
        Where the errors were linearised.
    rows : ndarray of bool
        Rows to fit.
    rounds : int
        Rounds of weighing outliers down.
    """
    used = rows & ~np.isnan(base) & (np.abs(np.nan_to_num(base)) < HOPELESS)
    slope, error, weight, outlier = slopes[used], base[used], problem.weight[used], problem.outlier[used]
    prior = 1.0 / problem.sigma**2
    theta = at
    slope = csr_array(slope)  # few factors bear on a row
    for _ in range(rounds):
        now = error + slope @ (theta - at)
        robust = weight / (1.0 + (now / outlier) ** 2) / outlier**2
        left = (slope.T @ (diags_array(robust) @ slope)).toarray() + np.diag(prior)
        right = slope.T @ (robust * (error - slope @ at)) - prior * problem.start
        theta = problem.clip(np.asarray(-np.linalg.solve(left, right), dtype=np.float64))
    return theta


def fit(
    problem: Problem,
    log: Callable[[str], None] = lambda _: None,
    begin: FloatArray | None = None,
    rounds: int = ITERATIONS,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the fitted factors, and errors and derivatives there; the search begins at the prior, or at *begin*."""
    theta = problem.clip(problem.start if begin is None else begin)
    base = problem.errors(theta)
    every = np.ones(len(problem.owner), dtype=bool)
    slopes = problem.slopes(theta, base)
    for iteration in range(rounds):
        problem.judge(base)
        wanted = solve(problem, base, slopes, theta, every)
        move = np.clip(wanted - theta, -_LARGEST_MOVE, _LARGEST_MOVE)
        for share in (1.0, 0.5, 0.25):
            tried = theta + share * move
            errors = problem.errors(tried)
            if _loss(problem, errors, tried) < _loss(problem, base, theta):
                break
        else:
            break
        theta, base = tried, errors
        log(f"round {iteration}: loss {_loss(problem, base, theta):.2f}, median {np.nanmedian(np.abs(base)):.3f}")
        slopes = problem.slopes(theta, base)
        if np.abs(share * move).max() < 0.02:
            break
    return theta, base, slopes


def _loss(problem: Problem, errors: FloatArray, theta: FloatArray) -> float:
    known = ~np.isnan(errors)
    size = np.minimum(np.abs(errors[known]), HOPELESS) / problem.outlier[known]
    data = (problem.weight[known] * np.log1p(size**2)).sum()
    return float(data + (((theta - problem.start) / problem.sigma) ** 2).sum())


def held_out(
    problem: Problem, theta: FloatArray, base: FloatArray, slopes: FloatArray, parts: Mapping[str, Sequence[int]]
) -> FloatArray:
    """Return every row's error under factors fitted without its part.

    The fit without a part solves the errors linearised at *theta*; its predictions come from the full model.
    """
    errors = np.full(len(problem.owner), np.nan)
    owner = np.array(problem.owner)
    for items in parts.values():
        out = np.isin(owner, np.array(items))
        apart = solve(problem, base, slopes, theta, ~out)
        errors[out] = problem.errors(apart, items)[out]
    return errors


def folds(items: Sequence[Item], key: Callable[[Item], str], count: int = 0) -> dict[str, list[int]]:
    """Return the items by key, or, with *count*, keys dealt to that many folds in alphabetical order."""
    by_key: dict[str, list[int]] = defaultdict(list)
    names = sorted({key(item) for item in items})
    place = {name: str(i % count) if count else name for i, name in enumerate(names)}
    for index, item in enumerate(items):
        by_key[place[key(item)]].append(index)
    return by_key


def gather(paths: Sequence[Path | Table], *, waves: int = _FIT_WAVES) -> list[Item]:
    """Return the cases of serving tables that may be fitted, with what was measured of each.

    Left out are rows whose layout had to be guessed, and metrics that follow from others.
    """
    items: dict[Case, Item | None] = {}
    plain = Calibration()
    for path in paths:
        table = path if isinstance(path, Table) else read_table(path)
        if table.kind != "serving":
            continue
        copied, untimed, repeating = copied_runs(table.rows), untimed_runs(table.rows), repeating_runs(table.rows)
        for row in table.rows:
            if row["metric"] not in METRICS or row.get("run_id") in copied:
                continue
            if row.get("run_id") in untimed and row["metric"].startswith(PER_TOKEN):
                continue
            try:
                case = case_in_sweep(row, repeating)
                value = float(row["value"])
            except (InputError, FactError, ValueError):
                continue
            if not value > 0.0 or case.instances.decoded_layout or case.scenario in _SEARCHED:
                continue
            if case not in items:
                items[case] = _item(_shorter(case, waves), row, plain)
            gathered = items[case]
            if gathered is not None:
                gathered.measured.setdefault(row["metric"], []).append(value)
    return [item for item in items.values() if item is not None]


def copied_runs(rows: Sequence[Mapping[str, str]]) -> set[str]:
    """Return the runs that repeat all figures of an earlier run of another configuration to the last digit.

    A page that was made from another kept some of its results; which device or model they belong to is not known.
    """
    runs: dict[str, dict[str, str]] = defaultdict(dict)
    configurations: dict[str, tuple[str, ...]] = {}
    for row in rows:
        run = row.get("run_id") or ""
        if run and row["metric"] in METRICS:
            runs[run][row["metric"]] = row["value"]
            configurations[run] = tuple(row.get(name) or "" for name in ("source_title", "model", "gpu"))
    first: dict[frozenset[tuple[str, str]], tuple[str, ...]] = {}
    copied = set()
    for run, figures in runs.items():
        alike = first.setdefault(frozenset(figures.items()), configurations[run])
        if len(figures) >= _TELLING and alike != configurations[run]:
            copied.add(run)
    return copied


def thinned(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many items of each deployment (group, version, precision, layout, shape), over all loads."""
    alike: dict[tuple[object, ...], list[Item]] = defaultdict(list)
    for item in items:
        case = item.prepared.case
        reads = case.requested.isl.mean > case.requested.osl.mean
        alike[item.group, case.version, case.precision, case.instances.layout, reads].append(item)
    chosen = []
    for members in alike.values():
        ordered = sorted(members, key=_load)
        places = np.unique(np.round(np.linspace(0, len(ordered) - 1, min(most, len(ordered)))).astype(int))
        chosen += [ordered[place] for place in places]
    return chosen


def _load(item: Item) -> tuple[float, float]:
    """Return users and rate of an item's case."""
    requested = item.prepared.case.requested
    return requested.users, requested.rate_per_s


_SEARCHED = {"mlperf-server", "mlperf-interactive"}


def _shorter(case: Case, waves: int) -> Case:
    whole = case.requested.repeats or case.measured.first_stall_s
    if case.scenario == "closed" and case.family.startswith("inferencex") and not whole:
        return case.replace(
            requests=min(case.requested.requests, waves * case.requested.users), represents=case.requested.requests
        )
    return case


def _item(case: Case, row: Mapping[str, str], plain: Calibration) -> Item | None:
    try:
        prepared = prepare(case, calibrated(plain))
    except (InputError, InfeasibleError, FactError):
        return None
    return Item(
        prepared=prepared,
        group=row.get("group") or "",
        device=case.device,
        model=prepared.surfaces[0].deployment.model.name,
    )


def factors_for(items: Sequence[Item], *, neutral: bool = False) -> list[Factor]:
    """Return the factors that the items can say something about.

    The prior is what ships; *neutral* takes the same values for all engines and lone kernels' times instead, which the
    shipped calibration itself is fitted from.
    """
    plain, shipped = Calibration(), {} if neutral else shipped_scales()
    factors: list[Factor] = []
    cases = {item.engine: item.prepared.case for item in items}
    for engine in sorted(cases):
        preset = calibrated(plain)(with_release(cases[engine], None).replace(sorts_logits=False))
        for name, usual, low, high, sigma in ENGINE_FACTORS:
            if _TOLD_BY.get(name, engine) != engine:
                continue
            captures = preset.host.captured_batch > 0.0
            if name == _OF_GRAPHS and not captures:
                continue
            first, most = (usual, high) if captures else _ONE_BY_ONE.get(name, (usual, high))
            start = first if neutral else min(max(float(preset.field(name)), low), most)
            factors.append(Factor(kind="engine", owner=engine, name=name, start=start, low=low, high=most, sigma=sigma))
    parts: dict[str, set[str]] = defaultdict(set)
    kinds = {"all": "all"}
    for item in items:
        pair = pair_of(item.engine, item.generation)
        kinds |= {item.generation: "generation", item.engine: "engine", pair: "pair", item.device: "device"}
        for owner in ("all", item.generation, item.engine, pair):
            parts[owner] |= item.parts
        parts[item.device].add("host")
    for owner, names in sorted(parts.items()):
        for part in (name for name in SCALED_PARTS if name in names):
            if part == "host" and kinds[owner] == "engine":
                continue  # that is what an engine's own factors are
            start = shipped.get(owner, {}).get(part, 1.0)
            low, wide = (0.1, 2.0) if part.endswith(".start") else (0.4, _FREEDOM.get(part, 1.0))
            own = owner != "all" and part.startswith("compute.fp8_block")
            own |= kinds[owner] in {"engine", "pair"} and part.startswith("moe.")
            high = _LONE if owner == "all" and part.startswith("compute.") else 2.5
            wide *= _OWN_KERNELS if own else 1.0
            if part == "ep_comm" and owner in _UNMEASURED_EXCHANGE:
                wide, high = _UNMEASURED, 6.0
            sigma = _HOST_SIGMAS[kinds[owner]] if part == "host" else wide * _SCALE_SIGMAS[kinds[owner]]
            factors.append(
                Factor(
                    kind="scale",
                    owner=owner,
                    name=part,
                    start=start,
                    low=low,
                    high=high,
                    sigma=_OF_ALL.get(part, sigma) if owner == "all" else sigma,
                )
            )
    return [factor for factor in factors if any(item.bears(factor) for item in items)]


def provenance(
    problem: Problem, paths: Sequence[Path | str | Table], base: FloatArray, slopes: FloatArray
) -> dict[str, object]:
    """Return what a calibration rests on: files, rows, residuals, and the spread of each factor."""
    known = ~np.isnan(base)
    outlier = problem.outlier[known]
    robust = problem.weight[known] / (1.0 + (base[known] / outlier) ** 2) / outlier**2
    hessian = slopes[known].T @ (slopes[known] * robust[:, None]) + np.diag(1.0 / problem.sigma**2)
    spread = np.sqrt(np.diag(np.linalg.inv(hessian)))
    size = np.abs(np.expm1(base[known]))
    return {
        "files": list(dict.fromkeys((path.path if isinstance(path, Table) else Path(path)).name for path in paths)),
        "rows": int(known.sum()),
        "median_ape": float(np.median(size)),
        "p90_ape": float(np.quantile(size, 0.9)),
        "spread_frac": {
            f"{factor.owner}.{factor.name}": float(value) for factor, value in zip(problem.factors, spread, strict=True)
        },
    }
