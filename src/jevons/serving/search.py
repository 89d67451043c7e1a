"""Search of layouts: every way to spread a model that divides and fits, each at its best static point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from jevons.errors import InfeasibleError, InputError
from jevons.hardware import Accelerator
from jevons.models import ModelSpec
from jevons.serving.engines import engine as engine_preset
from jevons.serving.formulas import pareto_front
from jevons.serving.run import best_static_point
from jevons.serving.types import Candidate, Deployment, EngineFactors, Layout, SearchResult, Workload

DEVICES = (1, 2, 4, 8, 16, 32, 64)


def search_layouts(
    model: ModelSpec,
    accelerator: Accelerator,
    workload: Workload,
    *,
    devices: Sequence[int] = DEVICES,
    precisions: Sequence[str] = ("fp8", "bf16"),
    kv_precision: str = "bf16",
    engine: EngineFactors | str = "generic",
    ttft_s: float | None = None,
    tpot_s: float | None = None,
) -> SearchResult:
    """Try all layouts of a model on one kind of device.

    Parameters
    ----------
    model, accelerator, workload
        What is served, on what, for which requests.
    devices : sequence of int
        Sizes of one instance to try.
    precisions : sequence of str
        Weight precisions to try.
    kv_precision : str
        Of the cache.
    engine : EngineFactors or str
        Factors, or the name of a preset.
    ttft_s, tpot_s : float, optional
        Upper limits [s], as in `best_static_point`.

    Returns
    -------
    SearchResult
        Feasible candidates, best throughput per device first, and how many layouts were rejected for which reason.

    Raises
    ------
    InfeasibleError
        If no layout is feasible; the reasons are counted in the message.
    InputError
        If nothing was asked for.

    Notes
    -----
    Prompts and decodes share the devices. Replicas add throughput in proportion, so an instance is searched, not a
    fleet.
    """
    engine = engine_preset(engine) if isinstance(engine, str) else engine
    rejected: Counter[str] = Counter()
    tried = 0
    points = []
    for precision in precisions:
        for layout in layouts(model, accelerator, devices):
            tried += 1
            deployment = Deployment(model, accelerator, layout, precision, kv_precision, engine)
            try:
                points.append((deployment, best_static_point(deployment, workload, ttft_s=ttft_s, tpot_s=tpot_s)))
            except InfeasibleError as error:
                rejected[error.limits[0] if error.limits else "infeasible"] += 1
            except InputError:
                rejected["does not divide"] += 1
    if not tried:
        message = "nothing to search: give at least one number of devices and one precision"
        raise InputError(message)
    if not points:
        reasons = ", ".join(f"{count} by {reason}" for reason, count in rejected.most_common())
        message = (
            f"none of {tried} layouts of {model.name} on {min(devices)} to {max(devices)} {accelerator.id} is feasible "
            f"({reasons}). Relax the limits, allow more devices or fewer bits."
        )
        raise InfeasibleError(message, [reason for reason, _ in rejected.most_common()])
    front = pareto_front(
        np.array([point.tpot_s for _, point in points]), np.array([point.tok_per_s_per_device for _, point in points])
    )
    found = [Candidate(deployment, point, keep) for (deployment, point), keep in zip(points, front, strict=True)]
    found.sort(key=lambda candidate: -candidate.point.tok_per_s_per_device)
    return SearchResult(tuple(found), tried, dict(rejected))


def layouts(model: ModelSpec, accelerator: Accelerator, devices: Sequence[int]) -> Iterator[Layout]:
    """Yield the layouts worth trying: powers of two, tp within a scale-up domain, experts all whole or all split."""
    for total in devices:
        for tp in _powers(min(total, max(accelerator.scaleup_domain, 1))):
            for pp in _powers(total // tp):
                dp, rest = divmod(total, tp * pp)
                if rest:
                    continue
                if not model.is_moe:
                    if dp == 1:
                        yield Layout(tp, pp)
                    continue
                for ep in sorted({1, tp * dp}):
                    yield Layout(tp, pp, ep, dp, dp_attention=dp > 1)


def _powers(most: int) -> list[int]:
    return [2**i for i in range(most.bit_length()) if 2**i <= most]
