"""Errors of a fit of operators on rows that it did not see, by what was hidden; intervals; reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from jevons.hardware.types import Accelerator
from jevons.operators.factors import DISTANCES, KernelTable, Record
from jevons.operators.types import LONG_S, Errors
from jevons.validation.fit.operators import PLANS, Fitted, log_error, record_of, summary

Residuals = Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]]
"""By distance and device, log of predicted over measured and log of the measured time [s]."""


def residuals_by_distance(
    name: str, fits: Sequence[Fitted], shared: Mapping[str, float], device: Mapping[str, Accelerator]
) -> Residuals:
    """Predict each kernel's rows with what lies near it hidden: its shapes, itself, its device, its generation."""
    family, records = PLANS[name].family, [record_of(fit) for fit in fits]
    gathered: dict[str, dict[str, list[tuple[np.ndarray, np.ndarray]]]] = {}
    tables: dict[tuple[str, ...], KernelTable] = {}

    def without(hidden: str, *key: str) -> KernelTable:
        if (hidden, *key) not in tables:
            left = [r for r in records if not _hides(hidden, key, r, device)]
            tables[hidden, *key] = KernelTable(records={name: left}, shared={name: dict(shared)})
        return tables[hidden, *key]

    for fit in fits:
        _, where, engine, dtype, variant = fit.sample.key
        generation = device[where].generation
        gathered.setdefault("own", {}).setdefault(where, []).append((fit.held_out, fit.sample.log_s))
        if name == "collective" and engine == "vidur":
            continue  # topologies of one laboratory's servers, which no other device's rows could stand in for
        for hidden, table in (
            ("device", without("kernel", where, engine, dtype, variant)),
            ("kin", without("device", where)),
            ("far", without("generation", where if generation == "other" else generation)),
        ):
            kernel = table.find(family, device[where], dtype, variant, engine)
            if kernel.distance == hidden:
                error = log_error(family, kernel, fit.sample)
                gathered.setdefault(hidden, {}).setdefault(where, []).append((error, fit.sample.log_s))
    return {
        distance: {
            where: (np.concatenate([e for e, _ in parts]), np.concatenate([log_s for _, log_s in parts]))
            for where, parts in devices.items()
        }
        for distance, devices in gathered.items()
    }


def _hides(hidden: str, key: tuple[str, ...], record: Record, device: Mapping[str, Accelerator]) -> bool:
    if hidden == "kernel":
        return key == (record.device, record.engine, record.dtype, record.variant)
    return key[0] in ({record.device} if hidden == "device" else {record.device, device[record.device].generation})


_MANY_ROWS = 50


def error_of(parts: Sequence[tuple[np.ndarray, np.ndarray]], long_only: bool) -> float | None:
    """Return the error that eight of ten rows stay below; parts (devices) count alike, unless they have few rows."""
    sizes, weights = [], []
    for error, log_s in parts:
        chosen = error[(log_s > np.log(LONG_S)) == long_only]
        if len(chosen):
            sizes.append(np.abs(chosen))
            weights.append(np.full(len(chosen), 1.0 / max(len(chosen), _MANY_ROWS)))
    if not sizes:
        return None
    size, weight = np.concatenate(sizes), np.concatenate(weights)
    order = np.argsort(size)
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(np.expm1(size[order][np.searchsorted(reached, 0.8)]))


def errors_by_distance(residuals: Residuals, own: Errors | None = None) -> dict[str, Errors]:
    """Return the errors of each distance; a device is never further off than its generation, nor nearer than shapes."""

    def pair(distance: str) -> tuple[float | None, float | None]:
        parts = list(residuals.get(distance, {}).values())
        return error_of(parts, True), error_of(parts, False)

    def widest(first: tuple[float | None, float | None], second: tuple[float | None, float | None]) -> Errors:
        return Errors(*(max(a or 0.0, b or 0.0) for a, b in zip(first, second, strict=True)))

    own = own or widest(pair("own"), (None, None))
    near, far = pair("kin"), pair("far")
    kin = widest((near[0] or far[0], near[1] or far[1]), own)
    return {"own": own, "device": widest(pair("device"), own), "kin": kin, "far": widest(far, kin)}


def coverage_by_distance(residuals: Residuals) -> dict[str, tuple[int, float]]:
    """Return rows above 20 µs and the share inside an interval that was set without their device, by distance."""
    shares = {}
    for distance, devices in residuals.items():
        inside = rows = 0
        for where, (error, log_s) in devices.items():
            limit = error_of([part for other, part in devices.items() if other != where], True)
            chosen = np.abs(error[log_s > np.log(LONG_S)])
            if limit is not None and len(chosen):
                inside, rows = inside + int((chosen <= np.log1p(limit)).sum()), rows + len(chosen)
        if rows:
            shares[distance] = (rows, inside / rows)
    return shares


_FEW_ROWS = 20.0


def own_error(fit: Fitted, family: Errors) -> Errors:
    """Return a kernel's error on shapes held out; where it has few rows, mostly that of its family."""
    pair = []
    for long_only, usual in ((True, family.long), (False, family.short)):
        rows = int(((fit.sample.log_s > np.log(LONG_S)) == long_only).sum())
        error = error_of([(fit.held_out, fit.sample.log_s)], long_only)
        pair.append(usual if error is None else (rows * error + _FEW_ROWS * usual) / (rows + _FEW_ROWS))
    return Errors(*pair)


def document_of(fits: Mapping[str, Sequence[Fitted]], residuals: Mapping[str, Residuals]) -> dict[str, object]:
    """Return what ships: per family its factors, and per kernel values, surface, range and errors."""
    families = {}
    for name, group in fits.items():
        kernels, by_distance = [], errors_by_distance(residuals.get(name, {}))
        for fit in group:
            _, device, engine, dtype, variant = fit.sample.key
            kernel, errors = fit.kernel, summary(fit.held_out, fit.sample.log_s)
            assert kernel.surface is not None and kernel.low is not None and kernel.high is not None  # noqa: S101, PT018
            kernels.append(
                {
                    "device": device, "engine": engine, "dtype": dtype, "variant": variant,
                    "values": [float(f"{kernel.values[f]:.4g}") for f in PLANS[name].family.factors],
                    "surface": [round(float(c), 4) for c in kernel.surface],
                    "low": [round(float(c), 3) for c in kernel.low],
                    "high": [round(float(c), 3) for c in kernel.high],
                    "held": [round(kernel.least, 4), round(kernel.most, 4)], "rows": len(fit.sample.log_s),
                    "median_frac": round(errors["median"], 4),
                    "error": [round(limit, 4) for limit in own_error(fit, by_distance["own"])],
                }
            )  # fmt: skip
        families[name] = {
            "factors": list(PLANS[name].family.factors),
            "errors": {distance: [round(limit, 4) for limit in pair] for distance, pair in by_distance.items()},
            "kernels": kernels,
        }
    return {
        "about": "Kernels fitted by scripts/fit_operators.py. A kernel's error is what eight of ten calls stayed below "
        "on shapes held out, of calls above and below 20 microseconds; a family's errors the same with the kernel, "
        "the device or its generation hidden.",
        "source": "aiconfigurator-core 0.12.0 performance tables (NVIDIA, Apache-2.0); Vidur profiles (Microsoft, "
        "MIT); aiter tuned tables (AMD, MIT); InferSim (Alibaba, Apache-2.0); LLMServingSim profiles (KAIST, MIT); "
        "nccl-tests-cluster (Apache-2.0)",
        "families": families,
    }


_UNITS = {"_per_s": ("GB/s", 1e9), "_s": ("us", 1e-6)}


def facts_text(
    shared: Mapping[str, Mapping[str, float]], fits: Mapping[str, Sequence[Fitted]], fitted_on: dt.date
) -> str:
    """Return the shared factors as a fact file."""
    lines = [
        "# Shared factors of the operators' kernels, written by scripts/fit_operators.py. Kernels with measurements of",
        "# their own carry values of their own; these answer where neither a relative nor a stand-in has any.",
        "sources:", "  operator-measurements:",
        '    publisher: "NVIDIA; Microsoft; AMD; Alibaba; KAIST"',
        '    title: "aiconfigurator-core 0.12.0 performance tables; Vidur, aiter, InferSim and LLMServingSim profiles"',
        '    ref: "package aiconfigurator-core 0.12.0; github: microsoft/vidur, ROCm/aiter, alibaba/InferSim and more"',
        '    licence: "Apache-2.0; MIT"', "facts:",
    ]  # fmt: skip
    for name, values in shared.items():
        errors = summary(
            np.concatenate([fit.held_out_physics for fit in fits[name]]),
            np.concatenate([fit.sample.log_s for fit in fits[name]]),
        )
        rows = sum(len(fit.sample.log_s) for fit in fits[name])
        for factor, value in values.items():
            unit, scale = next(
                (unit_of_ending for end, unit_of_ending in _UNITS.items() if factor.endswith(end)), ("1", 1.0)
            )
            spread = [fit.kernel.values[factor] / scale for fit in fits[name]]
            low, high = (float(f"{q:.3g}") for q in (min(spread), max(spread)))
            shown = min(max(float(f"{value / scale:.4g}"), low), high)
            lines += [
                f"  operators.{name}.{factor}:", f"    unit: {unit}",
                f"    about: {factor} of {name} kernels; see the terms of that family", "    values:",
                f"      - from: {fitted_on}", f"        value: {shown}", f"        low: {low}", f"        high: {high}",
                "        grade: derived", "        source: operator-measurements",
                f"        formula: median over {len(fits[name])} kernels fitted to {rows} rows by robust least squares",
                "        parents: []",
                f"        note: physics alone, held out {errors['median']:.1%} median, {errors['p90']:.0%} p90",
            ]  # fmt: skip
    return "\n".join(lines) + "\n"


def report(fits: Mapping[str, Sequence[Fitted]], residuals: Mapping[str, Residuals]) -> str:
    """Return tables of errors: by family and device, fitted, held out, physics alone, device or generation hidden."""
    head = f"{'family':18s} {'device':13s} {'rows':>6s} {'>20us':>6s}  fitted      held out          physics     "
    lines = [head + "kernel hid  device hid  generation"]
    for name, group in fits.items():
        devices = sorted({fit.sample.key[1] for fit in group})
        for device in [*devices, "all"]:
            part = [fit for fit in group if device in {"all", fit.sample.key[1]}]
            log_s = np.concatenate([fit.sample.log_s for fit in part])
            cells = []
            for column in ("fitted", "held_out", "held_out_physics"):
                s = summary(np.concatenate([getattr(fit, column) for fit in part]), log_s)
                cells.append(
                    f"{100 * s['median']:5.1f}/{100 * s['p90']:4.0f}"
                    + (f" {100 * s['bias']:+5.1f}" if column == "held_out" else "")
                )
            cells += [_hidden_cell(residuals.get(name, {}).get(distance, {}), device) for distance in DISTANCES[1:]]
            lines.append(f"{name:18s} {device:13s} {len(log_s):6d} {s['rows']:6d}  " + "  ".join(cells))
    compute = [
        fit for name, group in fits.items() if name not in {"collective", "exchange", "elementwise"} for fit in group
    ]
    links = [fit for name in ("collective", "exchange") for fit in fits.get(name, ())]
    for title, part in (
        ("products, attention, experts; current engines", [fit for fit in compute if fit.sample.key[2] != "vidur"]),
        ("collectives and exchanges", links),
        ("the same without Vidur's profiles", [fit for fit in links if fit.sample.key[2] != "vidur"]),
    ):
        if part:
            s = summary(np.concatenate([f.held_out for f in part]), np.concatenate([f.sample.log_s for f in part]))
            lines.append(
                f"held out, {title}: {s['rows']} rows, {100 * s['median']:.1f} % median, {100 * s['p90']:.0f} % p90"
            )
    return "\n".join(lines)


def _hidden_cell(devices: Mapping[str, tuple[np.ndarray, np.ndarray]], device: str) -> str:
    """Return the error on one device's rows, or on all, with what lies near hidden."""
    parts = [part for where, part in devices.items() if device in {"all", where}]
    if not parts:
        return " " * 10
    errors = summary(np.concatenate([error for error, _ in parts]), np.concatenate([log_s for _, log_s in parts]))
    return f"{100 * errors['median']:5.1f}/{100 * errors['p90']:4.0f}"


def intervals_report(residuals: Mapping[str, Residuals]) -> str:
    """Return by family and distance the interval's half width, and how many rows lie inside one set without them."""
    lines = [f"{'family':18s} {'distance':8s} {'width':>6s} {'short':>6s} {'rows':>7s} {'inside':>7s}"]
    for name, distances in residuals.items():
        widths, covered = errors_by_distance(distances), coverage_by_distance(distances)
        for distance in DISTANCES:
            rows, share = covered.get(distance, (0, float("nan")))
            width = widths[distance]
            ends = f"{100 * width.long:5.0f}% {100 * width.short:5.0f}% {rows:7d} {100 * share:6.0f}%"
            lines.append(f"{name:18s} {distance:8s} {ends}")
    return "\n".join(lines)


def worst(fits: Mapping[str, Sequence[Fitted]], most: int) -> str:
    """Return the kernels with the largest held-out errors."""
    scored = [(summary(fit.held_out, fit.sample.log_s), fit) for group in fits.values() for fit in group]
    scored.sort(key=lambda entry: -entry[0]["p90"])
    return "\n".join(
        f"{'/'.join(fit.sample.key):70s} {int(s['rows']):5d} {100 * s['median']:5.1f}/{100 * s['p90']:4.0f}"
        for s, fit in scored[:most]
    )
