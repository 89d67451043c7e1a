"""Fits the few global factors of training software to measured rows, and reports held-out errors.

Run ``python scripts/fit_training.py DIR/training`` (minutes on one core). Folds keep a source's rows of one
model on one device together; a second pass leaves out one device at a time. Prints the factors, which
``src/jevons/facts/data/engines/training.yaml`` keeps, and writes ``docs/validation/training.json`` with the errors.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import t

from jevons.errors import JevonsError
from jevons.training import TrainingFactors, TrainingJob, TrainingStep, scripted_launch, training_factors
from jevons.training.spread import kind_of
from jevons.validation.rows import read_table
from jevons.validation.training.cases import read_training_case
from jevons.validation.training.rows import Prepared, metric_of, predicted_step, prepare_case, row_metric

# Within what each factor means physically; those that end at a bound carry what other terms leave out. Without a
# bound, casts carry 4.6 passes and the outside run of DeepSeek-V3 comes out 13 % short; three read an input for its
# scale, and write a transposed copy at half the bandwidth.
BOUNDS = {
    "sustained_frac": (0.7, 1.05), "power_exponent": (0.0, 0.34), "board_exponent": (0.33, 1.0),
    "older_frac": (0.6, 1.0), "elementwise": (0.8, 2.5), "eager_elementwise": (0.8, 3.0), "casts": (0.2, 3.0),
    "permute": (0.5, 4.0), "attention_frac": (0.4, 1.1), "eager_attention_frac": (0.2, 1.0),
    "tp_overlap_frac": (0.0, 1.0), "ep_overlap_frac": (0.0, 1.0), "dp_overlap_frac": (0.0, 1.0),
    "pp_overlap_frac": (0.0, 1.0), "cp_overlap_frac": (0.0, 1.0), "narrow_frac": (0.8, 1.4),
    "expert_sync_s": (0.0, 4e-3), "far_ep_overlap_frac": (0.0, 1.0), "older_layer_overhead_s": (2e-4, 3e-3),
    "tpu_attention_gain": (1.0, 6.0), "gather_overlap_frac": (0.0, 1.0), "older_rank_s": (0.0, 3e-4),
}  # fmt: skip
# Where every fit begins: judgements from before any fit, so that no fold starts from what other rows taught.
NEUTRAL = {
    "sustained_frac": 0.87, "power_exponent": 0.33, "board_exponent": 0.5, "older_frac": 0.9,
    "elementwise": 1.5, "eager_elementwise": 2.0, "casts": 0.5, "permute": 1.5,
    "attention_frac": 0.8, "eager_attention_frac": 0.5,
    "tp_overlap_frac": 0.5, "ep_overlap_frac": 0.3, "dp_overlap_frac": 0.8, "pp_overlap_frac": 0.8,
    "cp_overlap_frac": 0.8, "narrow_frac": 1.1, "expert_sync_s": 1e-3, "far_ep_overlap_frac": 0.1,
    "older_layer_overhead_s": 5e-4, "tpu_attention_gain": 2.0, "gather_overlap_frac": 0.8, "older_rank_s": 3e-5,
}  # fmt: skip
SCRIPTED = {
    "layer_s": 1e-3, "rank_s": 1e-4, "pass_s": 2e-3, "replica_s": 5e-4, "far_frac": 0.5, "hand_over_s": 0.2,
}  # fmt: skip
"""Costs of software that launches everything from a script, and where their fit begins."""
FOLDS = 5
EVALUATIONS = 25
DIFFERENCE, MIDDLE, SETTLED = 0.01, 0.5, 1e-4
"""Step of a slope and where its sign turns, both of a factor's range; change of the loss at which a fit has ended."""
LEAST_SWEEP = 4
FEW = 1.5
"""How much wider an interval is, in logarithms, where a maker's devices have rows of one file or none: a judgement."""
LEAST_OF_A_DEVICE, LEAST_IN_A_TABLE = 5, 20
NARROW = {"fp8", "fp4"}
KEPT = 6
SOFT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A row that is fitted.

    Parameters
    ----------
    prepared : Prepared
        Its configuration, with the layouts that agree with what is printed.
    row : mapping of str to str
        As printed.
    metric : str
        Which of its figures is taken.
    measured : float
        That figure.
    family, group, sweep : str
        File; file, model and device; and what rows of one scaling sweep share.
    """

    prepared: Prepared
    row: dict[str, str]
    metric: str
    measured: float
    family: str
    group: str
    sweep: str

    @property
    def job(self) -> TrainingJob:
        """Model, cluster and batch."""
        return self.prepared.case.job

    @property
    def device(self) -> str:
        """Accelerator id."""
        return self.job.cluster.accelerator.id


@dataclass(frozen=True)
class Rows:
    """Rows with what was measured of each."""

    items: tuple[Item, ...]

    @classmethod
    def read(cls, folder: Path) -> Rows:
        """Return the rows of a folder's tables that print a step time or rate and can be predicted."""
        start = training_factors().replace(**NEUTRAL)
        seen: dict[str, Prepared] = {}
        items: list[Item] = []
        for path in sorted(folder.glob("*.csv")):
            if path.stem == "reliability":
                continue
            for row in read_table(path).rows:
                printed = row_metric(row)
                try:
                    case = read_training_case(row)
                    key = repr(case)
                    seen[key] = seen.get(key) or _fewer(prepare_case(case), start)
                except JevonsError:
                    continue
                if printed is not None:
                    items.append(_item(path.stem, seen[key], row, printed))
        return cls(tuple(items))

    def errors(self, factors: TrainingFactors) -> np.ndarray:
        """Return the log of predicted over measured step time of every row."""
        steps: dict[int, TrainingStep] = {}
        out = np.empty(len(self.items))
        for i, item in enumerate(self.items):
            if id(item.prepared) not in steps:
                steps[id(item.prepared)] = predicted_step(item.prepared, factors)
            ratio = metric_of(item.metric, item.row, item.job, steps[id(item.prepared)]) / item.measured
            out[i] = np.log(ratio) if item.metric == "step_time_s" else -np.log(ratio)
        return out


def _item(family: str, prepared: Prepared, row: dict[str, str], printed: tuple[str, float]) -> Item:
    job, (metric, measured) = prepared.case.job, printed
    group = f"{family}|{job.model.name}|{job.cluster.accelerator.id}"
    sweep = f"{group}|{row.get('date_or_version')}|{row.get('framework')}|{job.precision}|{job.seq_len}"
    return Item(
        prepared=prepared, row=row, metric=metric, measured=measured, family=family, group=group, sweep=sweep
    )  # fmt: skip


def _fewer(prepared: Prepared, factors: TrainingFactors) -> Prepared:
    one = [(predicted_step(replace(prepared, candidates=(c,)), factors).step_time_s, i)
           for i, c in enumerate(prepared.candidates)]  # fmt: skip
    best = [prepared.candidates[i] for _, i in sorted(one)[:KEPT]]
    return replace(prepared, candidates=tuple(best))


def fit(
    rows: Rows, chosen: np.ndarray, start: TrainingFactors, bounds: dict[str, tuple[float, float]] | None = None
) -> TrainingFactors:
    """Return the factors that fit the chosen rows; each group weighs as the root of its size, each table likewise.

    A factor that no chosen row depends on stays where it starts.
    """
    sizes: dict[str, int] = defaultdict(int)
    for i in np.flatnonzero(chosen):
        sizes[rows.items[i].group] += 1
        sizes[rows.items[i].family] += 1
    both = [sizes[item.group] * sizes[item.family] for item in rows.items]
    weight = np.array([count**-0.25 if count else 0.0 for count in both])
    weight *= weight[chosen].size ** 0.5 / max(float(np.linalg.norm(weight[chosen])), 1e-9) / 2.0
    subset, own = subset_of(rows, chosen), weight[chosen]
    bounds = _told(subset, start, bounds or BOUNDS)
    low, high = (np.array([bound[side] for bound in bounds.values()]) for side in (0, 1))

    def residuals(unit: np.ndarray, which: np.ndarray | None = None) -> np.ndarray:
        factors = _factors(start, bounds, low + unit * (high - low))
        if which is None:
            return np.asarray(subset.errors(factors) * own)
        return np.asarray(subset_of(subset, which).errors(factors) * own[which])

    given = np.clip((np.array([start.field(name) for name in bounds]) - low) / (high - low), 0.02, 0.98)
    first = residuals(given)
    touched = [residuals(_moved(given, i, float(given[i] < MIDDLE))) != first for i in range(len(given))]

    def slopes(unit: np.ndarray) -> np.ndarray:
        # Each factor touches some rows only: the others need no prediction.
        at, out = residuals(unit), np.zeros((len(first), len(unit)))
        for i, which in enumerate(touched):
            step = DIFFERENCE if unit[i] < MIDDLE else -DIFFERENCE
            out[which, i] = (residuals(_moved(unit, i, unit[i] + step), which) - at[which]) / step
        return out

    solution = least_squares(
        residuals, given, jac=slopes, bounds=(0.0, 1.0), loss="soft_l1", f_scale=SOFT, max_nfev=EVALUATIONS,
        ftol=SETTLED,
    )  # fmt: skip
    return _factors(start, bounds, low + solution.x * (high - low))


def _told(rows: Rows, start: TrainingFactors, bounds: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return the bounds of those factors that some row depends on."""
    ends = {name: [rows.errors(start.replace(**{name: end})) for end in bound] for name, bound in bounds.items()}
    return {name: bound for name, bound in bounds.items() if np.any(ends[name][0] != ends[name][1])}


def _moved(unit: np.ndarray, place: int, value: float) -> np.ndarray:
    """Return the same point with another value at one place."""
    other = unit.copy()
    other[place] = value
    return other


def subset_of(rows: Rows, chosen: np.ndarray) -> Rows:
    """Return the chosen rows."""
    return Rows(tuple(rows.items[i] for i in np.flatnonzero(chosen)))


def scripted_rows(rows: Rows) -> np.ndarray:
    """Return which rows are of software that launches everything from a script."""
    return np.array([item.job.software.scripted is not None for item in rows.items])


def fit_scripted(rows: Rows, chosen: np.ndarray, factors: TrainingFactors) -> dict[str, float]:
    """Return the costs of scripted launches that fit the chosen rows, all other factors given."""
    subset = subset_of(rows, chosen)

    def residuals(logs: np.ndarray) -> np.ndarray:
        return scripted_errors(subset, dict(zip(SCRIPTED, np.exp(logs), strict=True)), factors)

    solution = least_squares(
        residuals, np.log(list(SCRIPTED.values())), loss="soft_l1", f_scale=SOFT, diff_step=0.02, max_nfev=EVALUATIONS
    )  # fmt: skip
    return dict(zip(SCRIPTED, map(float, np.exp(solution.x)), strict=True))


def scripted_errors(rows: Rows, costs: dict[str, float], factors: TrainingFactors) -> np.ndarray:
    """Return the log errors of rows of scripted software at other costs of its launches."""
    shipped = dataclasses.asdict(scripted_launch())
    ratios = {name: value / shipped[name] for name, value in costs.items()}
    items = []
    for item in rows.items:
        own = item.job.software.scripted
        scaled = own and replace(own, **{name: ratio * getattr(own, name) for name, ratio in ratios.items()})
        case = replace(item.prepared.case, job=replace(item.job, software=replace(item.job.software, scripted=scaled)))
        items.append(replace(item, prepared=replace(item.prepared, case=case)))
    return Rows(tuple(items)).errors(factors)


def _factors(start: TrainingFactors, bounds: dict[str, tuple[float, float]], values: np.ndarray) -> TrainingFactors:
    return start.replace(**dict(zip(bounds, map(float, values), strict=True)))


def score(errors: np.ndarray) -> dict[str, float]:
    """Return count, median and 90th percentile of the absolute relative error of step time, and the median error."""
    relative = np.expm1(errors)
    absolute = np.abs(relative)
    return {
        "rows": int(errors.size),
        "median_ape": round(float(np.median(absolute)), 4),
        "p90_ape": round(float(np.quantile(absolute, 0.9)), 4),
        "bias": round(float(np.median(relative)), 4),
    }


def metric_seconds(item: Item) -> float:
    """Return a measured figure as the step time that it stands for [s]."""
    if item.metric == "step_time_s":
        return item.measured
    step = predicted_step(item.prepared)
    return step.step_time_s * metric_of(item.metric, item.row, item.job, step) / item.measured


def devices_left_out(rows: Rows, start: TrainingFactors) -> np.ndarray:
    """Return the errors of each device with enough rows under factors that saw none of them; nan of the others."""
    errors = np.full(len(rows.items), np.nan)
    device = np.array([item.device for item in rows.items])
    for name in sorted(set(device.tolist())):
        out = device == name
        if out.sum() >= LEAST_OF_A_DEVICE:
            errors[out] = subset_of(rows, out).errors(fit(rows, ~out, start))
    return errors


def scores_by_device(rows: Rows, errors: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the scores of each device with at least 20 rows."""
    device = np.array([item.device for item in rows.items])
    names = sorted(set(device[np.isfinite(errors)].tolist()))
    return {name: score(errors[device == name]) for name in names if (device == name).sum() >= LEAST_IN_A_TABLE}


def spread_document(rows: Rows, by_group: np.ndarray, by_device: np.ndarray) -> dict[str, object]:
    """Return the document of `jevons.training.spread`, from errors with groups and with whole devices left out.

    A device without rows is never surer than one that has some. Where all rows of a maker's devices are of one file, or
    there are none, intervals are wider by `FEW`.
    """
    mixture = np.array([item.job.model.is_moe for item in rows.items])
    labels = {"same": [item.family for item in rows.items], "new device": [item.device for item in rows.items]}
    quantiles: dict[str, dict[str, list[float]]] = {}
    for nearness, errors, wider in (("same", by_group, "few"), ("new device", by_device, "new kind")):
        quantiles[nearness], quantiles[wider] = {}, {}
        for is_moe in (False, True):
            own, kind = np.isfinite(errors) & (mixture == is_moe), kind_of(mixture=is_moe)
            low, high = ends_of_next(-errors[own], np.array(labels[nearness])[own])
            known = quantiles["same"].get(kind, [1.0, 1.0])
            low, high = min(low, np.log(known[0])), max(high, np.log(known[1]))
            for name, factor in ((nearness, 1.0), (wider, FEW)):
                ends = np.exp([factor * low, factor * high])
                quantiles[name][kind] = [round(float(ends[0]), 4), round(float(ends[1]), 4), int(own.sum())]
    files: dict[str, set[str]] = defaultdict(set)
    for item in rows.items:
        files[item.job.cluster.accelerator.vendor].add(item.family)
    return {
        "about": "Quantiles (10 %, 90 %) of measured over predicted step time on rows left out, and how many; "
        "written by scripts/fit_training.py",
        "devices": sorted({item.device for item in rows.items}),
        "makers": sorted(maker for maker, own in files.items() if len(own) > 1),
        "quantiles": quantiles,
    }


def ends_of_next(values: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the 10 % and 90 % quantiles of a row of a group that is not among those labelled.

    Groups differ by their medians, whose scatter has few degrees of freedom, and their rows by as much as in the mean
    group; both add up as variances do. A group of one or two rows tells nothing of its own.
    """
    groups = [values[labels == name] for name in sorted(set(labels.tolist()))]
    groups = [group for group in groups if len(group) > 2] or [values]
    middles, lows, highs = (np.array([np.quantile(group, at) for group in groups]) for at in (0.5, 0.1, 0.9))
    between = 0.0
    if len(groups) > 1:
        between = t.ppf(0.9, len(groups) - 1) * middles.std(ddof=1) * np.sqrt(1.0 + 1.0 / len(groups))
    down, up = (np.hypot(between, np.mean(size)) for size in (middles - lows, highs - middles))
    return float(middles.mean() - down), float(middles.mean() + up)


def inside_by_family(rows: Rows, by_group: np.ndarray) -> dict[str, float]:
    """Return for each file the share of its rows that lie in intervals made from the other files."""
    family = np.array([item.family for item in rows.items])
    inside = {}
    for name in sorted(set(family.tolist())):
        out = family == name
        document = spread_document(subset_of(rows, ~out), by_group[~out], by_group[~out])
        quantiles, makers = document["quantiles"], document["makers"]
        assert isinstance(quantiles, dict)  # noqa: S101 - as written above
        assert isinstance(makers, list)  # noqa: S101 - as written above
        ends = np.array(
            [
                quantiles["same" if item.job.cluster.accelerator.vendor in makers else "few"][
                    kind_of(mixture=item.job.model.is_moe)
                ][:2]
                for item in subset_of(rows, out).items
            ]
        )
        ratio = np.exp(-by_group[out])
        inside[name] = float(np.mean((ends[:, 0] <= ratio) & (ratio <= ends[:, 1])))
    return inside


def narrow_left_out(rows: Rows, start: TrainingFactors, fold: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the errors of 8- and 4-bit rows when all factors but one come from 16-bit rows, and that one from others.

    ``narrow_frac`` is fitted to the narrow rows outside a fold and judged on those inside; ``casts`` stays at where
    fits begin.
    """
    narrow = np.array([item.job.precision in NARROW for item in rows.items])
    wide = fit(rows, ~narrow, start, {k: v for k, v in BOUNDS.items() if k not in {"narrow_frac", "casts"}})
    predictions = np.full(len(rows.items), np.nan)
    for k in range(FOLDS):
        out = narrow & (fold == k)
        if out.any():
            one = fit(rows, narrow & ~out, wide, {"narrow_frac": BOUNDS["narrow_frac"]})
            predictions[out] = subset_of(rows, out).errors(one)
    mixture = np.array([item.job.model.is_moe for item in rows.items])
    return {
        "all": score(predictions[narrow]),
        "dense": score(predictions[narrow & ~mixture]),
        "moe": score(predictions[narrow & mixture]),
    }


def scaling_errors(rows: Rows, predictions: np.ndarray) -> dict[str, object]:
    """Return how well sweeps over at least four times the devices keep their rate per device, held-out factors."""
    sweeps = defaultdict(list)
    for i, item in enumerate(rows.items):
        sweeps[item.sweep].append(i)
    ratios = {}
    for name, members in sweeps.items():
        sizes = [rows.items[i].job.cluster.devices for i in members]
        if max(sizes) >= LEAST_SWEEP * min(sizes):
            ends = [np.median([predictions[i] for i, n in zip(members, sizes, strict=True) if n == size])
                    for size in (min(sizes), max(sizes))]  # fmt: skip
            ratios[name] = float(np.expm1(ends[0] - ends[1]))
    off = np.abs(list(ratios.values()))
    return {
        "sweeps": len(ratios),
        "within_tenth": int((off <= 0.1).sum()),
        "median": round(float(np.median(off)), 4),
        "worst": {name: round(ratios[name], 3) for name in sorted(ratios, key=lambda n: -abs(ratios[n]))[:8]},
    }
