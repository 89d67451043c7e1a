"""Writes the page of how far predictions of operators are from measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from paragraphs import filled

from jevons.hardware.types import Accelerator
from jevons.operators.factors import DISTANCES, KernelTable
from jevons.operators.types import LONG_S
from jevons.validation.fit.operator_errors import Residuals, coverage_by_distance, errors_by_distance
from jevons.validation.fit.operators import Fitted, summary
from jevons.validation.operators.predict import predict_ops_rows
from jevons.validation.operators.rows import read_rows
from jevons.validation.operators.tables import kind_of

PAGE = Path(__file__).parents[1] / "docs" / "validation" / "operators.md"

NAMES = {
    "gemm": "products (GEMM)", "elementwise": "norms, activations and other chains",
    "attention_prefill": "attention, prefill", "attention_decode": "attention, decode",
    "mla_prefill": "latent attention, prefill", "mla_decode": "latent attention, decode", "moe": "experts",
    "collective": "collectives", "exchange": "expert exchange",
}  # fmt: skip
HIDDEN = {
    "own": "its shapes", "device": "the kernel", "kin": "the device", "far": "its generation",
}  # fmt: skip

# Tables that no fit takes, with the reason.
JUDGED = {
    "deepseek_kernels": "best cases as a vendor's pages print them",
    "mixed_attention": "a chunk of a prompt beside decodes in one call: the kernel of prompts, once for each, added",
}
# What is missing, by kernel or device.
REASONS = {
    "TPU v6e products": "there are three shapes of weights; operands that stay on the chip between two calls of the "
    "loop are not modelled, and norms were fused into their neighbours",
    "4-bit products on an H20": "such kernels were measured on an A100 alone, called eagerly (12 µs a launch)",
    "AMD products and experts": "the best of tuning, one time for each shape from whichever library won",
    "experts in 16 bits and MXFP4": "Triton and Marlin take tile sizes from tables tuned by device and shape",
    "decode attention by FlashAttention 4 and Triton": "kernels switch how they split the work by rules of their own",
    "PCIe boards": "slots, switches and whether peers reach each other directly are the server's, not the board's",
    "sends between neighbours (Vidur)": "pairs of machines crossed links that the table does not name",
}


def write_page(
    fits: Mapping[str, Sequence[Fitted]],
    residuals: Mapping[str, Residuals],
    data: Path,
    table: KernelTable,
    device: Callable[[str], Accelerator],
) -> None:
    """Write docs/validation/operators.md from a fit and its residuals."""
    calls = sum(len(fit.sample.log_s) for group in fits.values() for fit in group)
    compute = [name for name in fits if name not in {"collective", "exchange", "elementwise"}]
    text = PAGE_TEXT.format(
        calls=f"{calls:,}", errors="\n".join(_errors(fits, compute)), hidden="\n".join(_hidden(residuals, compute)),
        devices="\n".join(_devices(residuals)), intervals="\n".join(_intervals(residuals)),
        judged="\n".join(_judged(data, table, device)), worst="\n".join(_worst(fits)),
        reasons="\n".join(f"- {what}: {why}." for what, why in REASONS.items()), claim=_claim(residuals, compute),
    )  # fmt: skip
    PAGE.write_text(text, encoding="utf-8")


def _cell(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
    if not parts:
        return "–"
    errors = summary(np.concatenate([error for error, _ in parts]), np.concatenate([log_s for _, log_s in parts]))
    return f"{100 * errors['median']:.1f} / {100 * errors['p90']:.0f}"


def _errors(fits: Mapping[str, Sequence[Fitted]], compute: Sequence[str]) -> list[str]:
    lines = []
    everything = {name: list(group) for name, group in fits.items()}
    groups = [(NAMES[name], everything[name]) for name in fits]
    groups.append(("**products, attention and experts**", [fit for name in compute for fit in everything[name]]))
    current = [fit for name in compute for fit in everything[name] if fit.sample.key[2] != "vidur"]
    links = [fit for name in ("collective", "exchange") for fit in everything.get(name, [])]
    groups.append(("**collectives and exchange, without Vidur's**", [f for f in links if f.sample.key[2] != "vidur"]))
    for title, group in groups:
        log_s = np.concatenate([fit.sample.log_s for fit in group])
        cells = [_cell([(getattr(fit, name), fit.sample.log_s) for fit in group]) for name in ("fitted", "held_out")]
        held_out = summary(np.concatenate([fit.held_out for fit in group]), log_s)
        plain = _cell([(fit.held_out_physics, fit.sample.log_s) for fit in group])
        lines.append(
            f"| {title} | {held_out['rows']:,} | {cells[0]} | {cells[1]} | {100 * held_out['bias']:+.1f} | {plain} |"
        )
    log_s = np.concatenate([fit.sample.log_s for fit in current])
    held_out = summary(np.concatenate([fit.held_out for fit in current]), log_s)
    error = f"{100 * held_out['median']:.1f} / {100 * held_out['p90']:.0f}"
    lines.append(f"| products, attention and experts of current engines | {held_out['rows']:,} | – | {error} | – | – |")
    return lines


def _hidden(residuals: Mapping[str, Residuals], compute: Sequence[str]) -> list[str]:
    lines = []
    rows = [(NAMES[name], [name]) for name in residuals] + [("**products, attention and experts**", list(compute))]
    for title, names in rows:
        cells = [
            _cell([part for name in names for part in residuals[name].get(distance, {}).values()])
            for distance in DISTANCES
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def _devices(residuals: Mapping[str, Residuals]) -> list[str]:
    """Return a line for each device, hidden: its errors by family from the nearest relative."""
    names = sorted({where for distances in residuals.values() for where in distances.get("own", {})})
    lines = []
    for where in names:
        cells = []
        for families in (
            ("gemm",), ("attention_prefill", "attention_decode"), ("mla_prefill", "mla_decode"), ("moe",),
            ("collective",), ("exchange",),
        ):  # fmt: skip
            parts = []
            for family in families:
                distances = residuals.get(family, {})
                near = distances.get("kin", {}).get(where) or distances.get("far", {}).get(where)
                parts += [near] if near else []
            cells.append(_cell(parts))
        lines.append(f"| {where} | {' | '.join(cells)} |")
    return lines


def _intervals(residuals: Mapping[str, Residuals]) -> list[str]:
    lines = []
    for name, distances in residuals.items():
        widths, covered = errors_by_distance(distances), coverage_by_distance(distances)
        for distance in DISTANCES:
            if distance in covered:
                rows, share = covered[distance]
                ends = f"{100 * widths[distance].long:.0f} % | {100 * widths[distance].short:.0f} %"
                lines.append(f"| {NAMES[name]} | {HIDDEN[distance]} | {ends} | {rows:,} | {100 * share:.0f} % |")
    return lines


def _judged(data: Path, table: KernelTable, device: Callable[[str], Accelerator]) -> list[str]:
    lines = []
    for path in sorted((data / "ops").glob("*.csv")):
        reason = next((why for name, why in JUDGED.items() if name in path.name), "")
        if not reason:
            continue
        answers = predict_ops_rows(path, device=device, table=table)
        good = [row for row in answers if "predicted" in row]
        error = np.array([abs(row["ape"]) for row in good])
        inside = np.mean([row["low"] <= row["measured"] <= row["high"] for row in good])
        kind = kind_of(read_rows(path)[0])
        lines.append(
            f"| {path.stem} ({kind}) | {reason} | {len(good):,} of {len(answers):,} | "
            f"{100 * np.median(error):.1f} / {100 * np.quantile(error, 0.9):.0f} | {100 * inside:.0f} % |"
        )
    return lines


def _worst(fits: Mapping[str, Sequence[Fitted]], most: int = 12) -> list[str]:
    scored = []
    for group in fits.values():
        for fit in group:
            errors = summary(fit.held_out, fit.sample.log_s)
            if errors["rows"] >= 20:
                scored.append((errors["p90"], errors, fit.sample.key))
    scored.sort(key=lambda entry: -entry[0])
    return [
        f"| {NAMES[key[0]]} | {key[1]} | {key[2]} | {' '.join(key[3:]).strip()} | {errors['rows']} | "
        f"{100 * errors['median']:.1f} / {100 * errors['p90']:.0f} |"
        for _, errors, key in scored[:most]
    ]


def _claim(residuals: Mapping[str, Residuals], compute: Sequence[str]) -> str:
    shapes, device, generation = (
        _cell([part for name in compute for part in residuals[name].get(distance, {}).values()])
        for distance in ("own", "kin", "far")
    )
    return filled(
        f"**Claim.** Calls of products, attention and experts longer than {LONG_S * 1e6:.0f} µs are predicted with "
        f"{shapes} % error (median / 90th percentile) on shapes held out of the fit. On a device without measurements, "
        f"of a generation with some, it is {device} %. On a generation without any, it is {generation} %."
    )


PAGE_TEXT = """# Operator predictions against measured kernels

Written by `python scripts/fit_operators.py --data DIR`.

{claim}

**Measured** on devices by NVIDIA (aiconfigurator-core 0.12.0, Apache-2.0, locked clocks), Microsoft (Vidur, MIT), AMD
(aiter's tuned tables, MIT), Alibaba (InferSim, Apache-2.0), KAIST (LLMServingSim, MIT), and on clusters with nccl-tests
(xxrjun/nccl-tests-cluster, Apache-2.0; CoreWeave's printed figures). DeepSeek's published best cases (MIT) are judged,
never fitted.

**Fitted** to {calls} calls. Each kernel has a few named factors and a small residual surface. Errors are absolute
percentages, median / 90th percentile, of calls longer than 20 µs:

- *fitted*: on the rows of the fit
- *held out by group*: five folds of whole shape groups, so that a shape's neighbours are not fitted either
- *physics*: held out by group, with the named factors alone

| family | calls > 20 µs | fitted | held out by group | bias | physics |
|---|---:|---:|---:|---:|---:|
{errors}

## Held out by kernel, device and generation

Nearby measurements are hidden from the fit, and the prediction uses the nearest remaining kernel. That is another
engine's or precision's on the same device, the nearest device of the same generation, or a device of another
generation.

| family | shapes hidden | kernel hidden | device hidden | generation hidden |
|---|---:|---:|---:|---:|
{hidden}

One device at a time, from its nearest relative with rows:

| device hidden | products | attention | latent attention | experts | collectives | exchange |
|---|---:|---:|---:|---:|---:|---:|
{devices}

## Intervals

`jevons op` and `jevons validate` state an 80 % interval: the time divided and multiplied by one plus an error. It is
the error that eight of ten calls stayed below with measurements at the same distance hidden. A measured kernel takes
the error on its own held-out shapes. Other distances take the family's error, with equal weight for every device.
Beyond the fitted range of shapes, the device counts as hidden. Calls below 20 µs have their own width. The last
column counts calls inside an interval set without the device they were measured on.

| family | hidden | half width | below 20 µs | calls > 20 µs | inside |
|---|---|---:|---:|---:|---:|
{intervals}

## Judged only

| table | why no fit takes it | answered | error | inside |
|---|---|---:|---:|---:|
{judged}

## Furthest off

Kernels with at least 20 calls, held out by group:

| family | device | engine | kernel | calls | error |
|---|---|---|---|---:|---:|
{worst}

What is missing:

{reasons}
"""
