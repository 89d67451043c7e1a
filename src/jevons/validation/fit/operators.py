"""Fits the operators' factors to measured rows and writes what ships with the package.

Reads a folder of operator tables (see `jevons.validation.operators.tables` for the headers), fits every kernel's named
factors by bounded least squares on log time with a robust loss and a prior towards shared values, then a small ridge
surface on what is left. Errors are reported on rows held out: by groups of shapes (rows that share a weight matrix, a
head layout, a message size), and for devices left out altogether.

    python scripts/fit_operators.py --data DIR
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from jevons.hardware.types import Accelerator
from jevons.operators.factors import Factors, KernelTable, Record
from jevons.operators.families import Family, Kernel, Rates, chebyshev, evaluate, join, surface_terms
from jevons.operators.kernels.attention import DECODE, PREFILL
from jevons.operators.kernels.collectives import COLLECTIVE, EXCHANGE
from jevons.operators.kernels.gemm import ELEMENTWISE, GEMM, unpacked
from jevons.operators.kernels.mla import DEEPSEEK_WIDTHS, MLA_DECODE, MLA_PREFILL, projections_s
from jevons.operators.kernels.moe import MOE
from jevons.operators.types import LONG_S
from jevons.validation.operators.rows import Block

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "operators" / "data" / "kernels.json"
FACTS = ROOT / "facts" / "data" / "operators" / "factors.yaml"
FOLDS = 5
MOST_ROWS = 1500
SOFT = 0.1  # log residual at which the robust loss turns from square to linear
OFF = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How a family is fitted: start, least and greatest value of each factor, and what a held-out group shares."""

    family: Family
    bounds: Mapping[str, tuple[float, float, float]]
    groups: tuple[str, ...]
    ridge: float = 1.5e-3


PLANS = {
    plan.family.name: plan
    for plan in (
        Plan(
            family=GEMM,
            bounds={
                "compute_frac": (0.75, 0.1, 1.1), "memory_frac": (0.82, 0.3, 1.05), "launch_s": (4e-6, 5e-7, 5e-5),
                "split": (0.4, 0.02, 1.2), "wave": (0.4, 0.01, 1.0), "tile": (0.4, 0.01, 3.0),
                "overlap": (4.5, 1.0, 12.0), "copies": (7.0, 1.0, 20.0), "residency": (1.0, 1e-3, 5.0),
                "depth": (110.0, 1.0, 1000.0), "quant": (0.5, 0.01, 10.0), "unpack_s": (2e-11, 1e-13, 1e-9),
                "host_s": (OFF, OFF, 3e-4),
            },
            groups=("n", "k"),
        ),
        Plan(
            family=ELEMENTWISE,
            bounds={
                "memory_frac": (0.8, 0.05, 20.0), "launch_s": (3e-6, 3e-8, 5e-5), "copies": (1.0, 0.05, 20.0),
                "residency": (1.0, 1e-3, 5.0),
            },
            groups=("read_bytes",),
        ),
        Plan(
            family=PREFILL,
            bounds={
                "compute_frac": (0.6, 0.03, 1.1), "memory_frac": (0.7, 0.05, 1.1), "launch_s": (8e-6, 5e-7, 1e-4),
                "tail": (0.5, 0.01, 3.0), "exponential": (0.2, 1e-3, 5.0), "overlap": (3.0, 1.0, 12.0),
                "rows": (64.0, 16.0, 256.0),
            },
            groups=("b", "h", "kv", "d", "w"),
        ),
        Plan(
            family=DECODE,
            bounds={
                "compute_frac": (0.4, 0.02, 1.1), "memory_frac": (0.8, 0.1, 1.1), "launch_s": (8e-6, 5e-7, 1e-4),
                "rows": (16.0, 1.0, 64.0), "unpacked": (0.03, 5e-4, 1.5), "unpacked_window": (0.13, 5e-4, 1.5),
                "unpacked_wide": (0.1, 5e-4, 3.0), "task_s": (1e-6, 2e-8, 2e-5), "splits": (30.0, 1.0, 64.0),
                "splits_window": (20.0, 0.5, 64.0), "splits_single": (20.0, 0.5, 64.0),
                "overlap": (4.0, 1.0, 12.0), "copies": (2.0, 0.3, 20.0), "residency": (1.0, 0.01, 6.0),
                "pad": (42.0, 1.0, 128.0), "combine_s": (1e-6, 1e-8, 2e-5), "reread": (4.0, 0.5, 40.0),
            },
            groups=("b", "h", "kv", "d", "w"),
        ),
        Plan(
            family=MLA_PREFILL,
            bounds={
                "compute_frac": (0.6, 0.03, 1.1), "memory_frac": (0.9, 0.05, 1.1), "launch_s": (1.2e-5, 5e-7, 2e-4),
                "tail": (0.5, 0.01, 3.0), "exponential": (0.2, 1e-3, 5.0), "overlap": (3.0, 1.0, 12.0),
                "rows": (64.0, 16.0, 256.0), "projection": (1.0, 0.3, 4.0),
            },
            groups=("b", "h"),
        ),
        Plan(
            family=MLA_DECODE,
            bounds={
                "compute_frac": (0.6, 0.02, 1.1), "memory_frac": (0.9, 0.1, 1.1), "launch_s": (1.2e-5, 5e-7, 2e-4),
                "rows": (40.0, 1.0, 64.0), "unpacked": (0.02, 5e-4, 1.5), "task_s": (4e-6, 2e-8, 3e-5),
                "splits": (30.0, 1.0, 64.0), "overlap": (3.0, 1.0, 12.0), "copies": (1.8, 0.3, 20.0),
                "residency": (1.0, 0.01, 6.0), "pad": (48.0, 1.0, 128.0), "combine_s": (1.4e-6, 1e-8, 2e-5),
                "reread": (8.0, 0.5, 40.0), "projection": (1.0, 0.3, 4.0), "query": (1.0, 0.01, 100.0),
            },
            groups=("b", "h"),
        ),
        Plan(
            family=MOE,
            bounds={
                "compute_frac": (0.6, 0.03, 1.1), "memory_frac": (0.8, 0.2, 1.15), "launch_s": (2e-5, 3e-6, 2e-4),
                "tile": (1.0, 0.05, 6.0), "wave": (0.7, 0.01, 3.0), "split": (0.4, 0.02, 1.2),
                "ruled": (0.3, 0.01, 1.2), "overlap": (3.0, 1.0, 12.0),
                "expert_s": (3e-8, 1e-10, 2e-6), "rows_moved": (1.0, 0.02, 20.0), "slots_moved": (0.4, 2e-3, 20.0),
                "copies": (5.0, 1.0, 20.0), "residency": (0.4, 1e-3, 5.0), "sort_s": (3e-9, 1e-10, 5e-8),
            },
            groups=("hidden", "inner", "local", "top"),
        ),
        Plan(
            family=COLLECTIVE,
            bounds={
                "start_s": (5e-6, 5e-7, 3e-4), "hop_s": (1e-6, 1e-8, 3e-5), "eager_frac": (0.25, 5e-4, 1.2),
                "setup_s": (8e-6, 1e-8, 2e-4), "link_frac": (0.7, 2e-3, 1.3), "crowding": (0.2, 1e-3, 4.0),
                "far_frac": (0.9, 0.01, 1.3), "far_hop_s": (1e-5, 1e-7, 2e-4), "host_s": (OFF, OFF, 3e-4),
            },
            groups=("size",),
            ridge=1e-3,
        ),
        Plan(
            family=EXCHANGE,
            bounds={
                "start_s": (3e-5, 1e-6, 3e-4), "far_start_s": (1e-5, 1e-8, 2e-4), "token_s": (1e-9, 1e-12, 1e-6),
                "link_frac": (0.7, 0.02, 1.3), "core_bytes_per_s": (2e10, 1e9, 1e12), "far_frac": (0.7, 0.02, 3.0),
            },
            groups=("tokens", "domains"),
            ridge=1e-3,
        ),
    )
}  # fmt: skip


@dataclasses.dataclass(kw_only=True)
class Sample:
    """Rows of one kernel, thinned to what a fit needs."""

    key: tuple[str, str, str, str, str]  # family, device, engine, dtype, variant
    rates: Rates
    shape: dict[str, np.ndarray]
    log_s: np.ndarray
    projections: str = ""

    def part(self, keep: np.ndarray) -> Sample:
        """Return the rows that a mask or an index keeps."""
        return dataclasses.replace(
            self, shape={name: value[keep] for name, value in self.shape.items()}, log_s=self.log_s[keep]
        )


def samples_of(blocks: Sequence[Block]) -> list[Sample]:
    """Join blocks of one kernel; thin very long tables evenly over the sorted times."""
    grouped: dict[tuple[str, str, str, str, str], list[Block]] = {}
    for block in blocks:
        key = (block.family.name, block.device, block.engine, block.dtype, block.variant)
        grouped.setdefault(key, []).append(block)
    samples = []
    for key, parts in grouped.items():
        shape = {name: np.concatenate([part.shape[name] for part in parts]) for name in parts[0].shape}
        log_s = np.log(np.concatenate([part.measured_s for part in parts]))
        sample = Sample(key=key, rates=parts[0].rates, shape=shape, log_s=log_s, projections=parts[0].projections)
        if len(log_s) > MOST_ROWS:
            order = np.argsort(log_s, kind="stable")
            sample = sample.part(np.sort(order[:: len(order) // MOST_ROWS + 1]))
        samples.append(sample)
    return samples


def physics(family: Family, sample: Sample, values: Mapping[str, float]) -> np.ndarray:
    """Return the log of the physical time of a sample."""
    terms = family.terms(sample.shape, sample.rates, values)
    return np.log(join(terms, values.get("host_s", 0.0)))


def bounds_of(plan: Plan, sample: Sample) -> dict[str, tuple[float, float, float]]:
    """Return a plan's bounds, with factors pinned that the sample says nothing about.

    The host's floor counts where even the shortest calls of a table are long (an eager loop); the fabric's factors
    where rows cross it.
    """
    bounds = dict(plan.bounds)
    if np.all(sample.shape.get("domains", np.ones(1)) <= 1.0):
        for name in ("far_frac", "far_hop_s", "far_start_s"):
            if name in bounds:
                start = bounds[name][0]
                bounds[name] = (start, 0.99 * start, 1.01 * start)
    if "host_s" in bounds:
        floor = float(np.exp(np.quantile(sample.log_s, 0.02)))
        eager = _eager(plan, sample, floor) if plan.family is GEMM else sample.key[4] == "custom_eager"
        bounds["host_s"] = (0.9 * floor, 0.3 * floor, 1.5 * floor) if eager else (OFF, 0.99 * OFF, 1.01 * OFF)
    return bounds


def _eager(plan: Plan, sample: Sample, floor: float) -> bool:
    """Return whether the shortest calls of a table take far longer than their bytes and products need."""
    if floor <= 30e-6:
        return False
    start = {name: bound[0] for name, bound in plan.bounds.items()}
    shortest = sample.part(np.argsort(sample.log_s)[: max(len(sample.log_s) // 20, 1)])
    return bool(np.median(shortest.log_s - physics(plan.family, shortest, start)) > np.log(2.0))


def fit_values(plan: Plan, sample: Sample, prior: Mapping[str, float] | None, weight: float) -> dict[str, float]:
    """Fit a kernel's factors: robust least squares on log time, with a pull towards *prior*."""
    bounds = bounds_of(plan, sample)
    names = list(bounds)
    low, high = (np.log([bounds[name][i] for name in names]) for i in (1, 2))
    centre = np.array([np.log(prior[n] if prior and n != "host_s" else bounds[n][0]) for n in names])
    centre = np.clip(centre, low + 1e-9, high - 1e-9)
    importance = np.where(sample.log_s > np.log(LONG_S), 1.0, 0.6) / np.sqrt(len(sample.log_s))

    def residuals(point: np.ndarray) -> np.ndarray:
        error = physics(plan.family, sample, dict(zip(names, np.exp(point), strict=True))) - sample.log_s
        soft = np.sign(error) * SOFT * np.sqrt(2.0 * (np.sqrt(1.0 + (error / SOFT) ** 2) - 1.0))
        return np.concatenate([soft * importance, np.sqrt(weight) * (point - centre)])

    solution = least_squares(residuals, centre, bounds=(low, high), x_scale=0.3, max_nfev=60)
    return dict(zip(names, map(float, np.exp(solution.x)), strict=True))


def features(family: Family, sample: Sample) -> tuple[np.ndarray, ...]:
    """Return the sample's features as columns."""
    size = len(sample.log_s)
    return tuple(np.broadcast_to(column, (size,)) for column in family.features(sample.shape))


def design_of(family: Family, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Return the surface's design matrix and the total degree of each of its columns."""
    columns = features(family, sample)
    table = chebyshev(columns, family.degree)
    terms = surface_terms(len(columns), family.degree)
    design = np.ones((len(sample.log_s), len(terms)))
    for i, term in enumerate(terms):
        for feature, degree in term:
            design[:, i] *= table[feature][degree]
    return design, np.array([sum(degree for _, degree in term) for term in terms], float)


def ridge(
    design: np.ndarray, penalty: np.ndarray, target: np.ndarray, base: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """Return coefficients by ridge regression around *centre*, reweighted so that outliers count less."""
    weights, coefficients = base, centre
    for _ in range(4):
        weighted = design * weights[:, None]
        left = weighted.T @ design + np.diag(penalty)
        coefficients = centre + np.linalg.solve(left, weighted.T @ (target - design @ centre))
        weights = base / np.sqrt(1.0 + ((target - design @ coefficients) / 0.15) ** 2)
    return coefficients


def fit_kernels(plan: Plan, samples: Sequence[Sample], prior: Mapping[str, float]) -> list[Kernel]:
    """Fit one engine's kernel on several devices: factors each, a common residual surface, and each one's departure."""
    family = plan.family
    values = [fit_values(plan, sample, prior, 3e-4) for sample in samples]
    designs = [design_of(family, sample) for sample in samples]
    targets = [s.log_s - physics(family, s, v) for s, v in zip(samples, values, strict=True)]
    bases = [np.where(sample.log_s > np.log(LONG_S), 1.0, 0.36) for sample in samples]
    degrees = designs[0][1]
    tight = np.where(degrees == 0, 1e-3, degrees**2) * plan.ridge
    count = sum(map(len, targets))
    common = np.zeros(len(degrees))
    if len(samples) > 1:
        stacked = np.concatenate([design for design, _ in designs])
        common = ridge(stacked, tight * count, np.concatenate(targets), np.concatenate(bases), common)
    kernels = []
    for sample, value, (design, _), target, base in zip(samples, values, designs, targets, bases, strict=True):
        coefficients = ridge(design, tight * len(target), target, base, common)
        columns = features(family, sample)
        low, high = np.array([c.min() for c in columns]), np.array([c.max() for c in columns])
        seen = design @ coefficients
        kernels.append(
            Kernel(
                values=value, surface=coefficients, low=low, high=high, least=float(seen.min()), most=float(seen.max())
            )
        )
    return kernels


def log_error(family: Family, kernel: Kernel, sample: Sample) -> np.ndarray:
    """Return log(predicted / measured)."""
    error: np.ndarray = np.log(evaluate(family, kernel, sample.shape, sample.rates).time_s) - sample.log_s
    return error


def folds_of(plan: Plan, samples: Sequence[Sample]) -> list[np.ndarray]:
    """Return a fold for each row; rows that share the plan's group stay together, on all devices."""
    columns = [
        np.stack([np.broadcast_to(sample.shape[name], sample.log_s.shape) for name in plan.groups], 1)
        for sample in samples
    ]
    _, inverse = np.unique(np.concatenate(columns), axis=0, return_inverse=True)
    order = np.random.default_rng(7).permutation(int(inverse.max()) + 1)
    fold = order[inverse.ravel()] % FOLDS
    return np.split(fold, np.cumsum([len(sample.log_s) for sample in samples])[:-1])


@dataclasses.dataclass(kw_only=True)
class Fitted:
    """A fitted kernel and its errors (log predicted over measured)."""

    sample: Sample
    kernel: Kernel
    fitted: np.ndarray
    held_out: np.ndarray
    held_out_physics: np.ndarray


def fit_and_judge(job: tuple[str, Sequence[Sample], Mapping[str, float]]) -> list[Fitted]:
    """Fit a kernel on all rows of its devices, and once per fold on the others."""
    name, samples, prior = job
    plan = PLANS[name]
    kernels = fit_kernels(plan, samples, prior)
    errors = [log_error(plan.family, kernel, sample) for kernel, sample in zip(kernels, samples, strict=True)]
    bare = [np.zeros_like(error) for error in errors]
    folds = folds_of(plan, samples)
    for fold in range(FOLDS):
        tests = [parts == fold for parts in folds]
        usable = [i for i, test in enumerate(tests) if not test.all() and (~test).sum() >= 4]
        if not usable:
            continue
        trials = fit_kernels(plan, [samples[i].part(~tests[i]) for i in usable], prior)
        for i, trial in zip(usable, trials, strict=True):
            if tests[i].any():
                left = samples[i].part(tests[i])
                errors[i][tests[i]] = log_error(plan.family, trial, left)
                bare[i][tests[i]] = log_error(plan.family, Kernel(values=trial.values), left)
    fits = []
    for kernel, sample, error, plain in zip(kernels, samples, errors, bare, strict=True):
        fits.append(
            Fitted(
                sample=sample,
                kernel=kernel,
                fitted=log_error(plan.family, kernel, sample),
                held_out=error,
                held_out_physics=plain,
            )
        )
    return fits


def first_guess(job: tuple[str, Sample]) -> dict[str, float]:
    """Fit a kernel's factors from the plan's start, loosely held."""
    return fit_values(PLANS[job[0]], job[1], None, 1e-4)


def summary(error: np.ndarray, log_s: np.ndarray, long_only: bool = True) -> dict[str, float]:
    """Return count, median and 90th-percentile absolute percentage error and bias, of rows above 20 µs."""
    keep = log_s > np.log(LONG_S) if long_only else np.ones(len(log_s), bool)
    if not keep.any():
        keep = np.ones(len(log_s), bool)
    ape = np.abs(np.expm1(error[keep]))
    return {
        "rows": int(keep.sum()), "median": float(np.median(ape)), "p90": float(np.quantile(ape, 0.9)),
        "bias": float(np.expm1(np.median(error[keep]))),
    }  # fmt: skip


def shared_values(name: str, samples: Sequence[Sample], guesses: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each factor over kernels; what unpacking weights costs, over those that unpack them."""
    unpacks = [unpacked(sample.rates) for sample in samples]

    def median(factor: str) -> float:
        narrow = factor == "unpack_s" and any(unpacks)
        values = [guess[factor] for guess, own in zip(guesses, unpacks, strict=True) if own or not narrow]
        return float(np.exp(np.median(np.log(values))))

    return {factor: median(factor) for factor in PLANS[name].family.factors}


def record_of(fitted: Fitted) -> Record:
    """Return what ships of a fitted kernel."""
    family, device, engine, dtype, variant = fitted.sample.key
    median = summary(fitted.held_out, fitted.sample.log_s)["median"]
    return Record(
        family=family,
        device=device,
        engine=engine,
        dtype=dtype,
        variant=variant,
        kernel=fitted.kernel,
        rows=len(fitted.sample.log_s),
        median_frac=median,
    )


def with_projections(samples: Sequence[Sample], table: KernelTable, device: Mapping[str, Accelerator]) -> list[Sample]:
    """Fill in the time of the projections of whole MLA blocks, from the GEMM kernels just fitted."""
    done = []
    for sample in samples:
        if sample.projections:
            _, name, engine, _, _ = sample.key
            tokens = sample.shape["b"] * (sample.shape["s"] if "s" in sample.shape else sample.shape["q"])
            time_s = projections_s(
                device[name], tokens, sample.shape["h"], sample.projections, DEEPSEEK_WIDTHS,
                Factors(engine, table=table), absorbed="t" in sample.shape,
            )  # fmt: skip
            sample.shape["projections_s"] = time_s
        done.append(sample)
    return done
