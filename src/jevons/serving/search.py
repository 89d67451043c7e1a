"""Search of layouts: every way to spread a model that divides and fits, each at its best static point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jevons.errors import InfeasibleError, InputError
from jevons.hardware import Accelerator
from jevons.models import ModelSpec
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.engines import engine as engine_preset
from jevons.serving.formulas import pareto_front
from jevons.serving.memory import check_layout, longest_shortage, start_shortage
from jevons.serving.static_point import LatencyError, StaticCurve, best_static_point, static_curve
from jevons.serving.types import Deployment, Layout, Settings, StaticPoint, Workload

DEVICES = (1, 2, 4, 8, 16, 32, 64)
INDIVISIBLE = "does not divide the model"
"""Reason of layouts whose degrees do not divide heads, layers or experts."""

_NO_START = "device memory"

Limits = tuple[float | None, float | None, float | None]

_COARSE_POINTS = 20
REFINED = 8
"""Layouts, best first, whose points are searched over all batches rather than a coarse range."""

_FULL_MARGIN = 1.1
"""By how much full replicas with pipeline stages inside a server must be cheaper to come before those without."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One deployment that a search found, at an operating point within the limits."""

    deployment: Deployment
    point: StaticPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One deployment that cannot serve the workload.

    Parameters
    ----------
    deployment : Deployment
        What was tried.
    reason : str
        The limit in few words: ``device memory``, ``time per output token``, ``does not divide the model``, …
    detail : str
        The whole message with figures and remedy.
    least_s : float or None
        The least time there is, where a latency limit is the reason [s].
    """

    deployment: Deployment
    reason: str
    detail: str
    least_s: float | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """Points of all layouts that fit, how many were tried, and the ones rejected; see `survey`."""

    curves: tuple[StaticCurve, ...]
    tried: int
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """All layouts that a search tried.

    Parameters
    ----------
    candidates : tuple of Candidate
        Feasible ones, each at its best point, by `full_preference`.
    front : tuple of Candidate
        Points that no other layout or batch beats in both throughput per device and time per output token, fastest
        response first.
    curves : tuple of StaticCurve
        The points of each feasible layout over a coarse range of batches.
    tried : int
        Layouts looked at, feasible or not.
    rejections : tuple of Rejection
        The infeasible ones.
    """

    candidates: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    curves: tuple[StaticCurve, ...]
    tried: int
    rejections: tuple[Rejection, ...]

    @property
    def rejected(self) -> Mapping[str, int]:
        """How many were infeasible, by reason."""
        return dict(Counter(rejection.reason for rejection in self.rejections))


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
    e2e_s: float | None = None,
    settings: Settings | None = None,
    only: Layout | None = None,
    fixed: Mapping[str, int] | None = None,
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
    ttft_s, tpot_s, e2e_s : float, optional
        Upper limits [s], as in `best_static_point`.
    settings : Settings, optional
        What the server is told.
    only : Layout, optional
        The one layout to try, in place of all.
    fixed : mapping of str to int, optional
        Parallel degrees to hold, by name.

    Returns
    -------
    SearchResult
        Feasible candidates by `full_preference`, and every other layout with the reason.

    Raises
    ------
    InfeasibleError
        If no layout is feasible; the reasons are counted in the message.
    InputError
        If nothing was asked for, or a length or precision is wrong.

    Notes
    -----
    A coarse range of batches ranks the layouts; the best ones are then searched over all batches. Prompts and decodes
    share the devices. Replicas add throughput in proportion, so an instance is searched, not a
    fleet.
    """
    limits = (ttft_s, tpot_s, e2e_s)
    surveyed = survey(
        model, accelerator, workload, devices=devices, precisions=precisions, kv_precision=kv_precision, engine=engine,
        limits=limits, settings=settings, only=only, fixed=fixed,
    )  # fmt: skip
    if not surveyed.tried and not fixed:
        message = "nothing to search: give at least one number of devices and one precision"
        raise InputError(message)
    curves = [curve for curve in surveyed.curves if curve.allowed(*limits).any()]
    if not curves:
        raise nothing_feasible(model, accelerator, devices, surveyed.rejections, fixed)
    curves.sort(key=lambda c: full_preference(c.deployment, float(c.request_device_s[c.best(*limits)])))
    candidates = [_candidate(c, workload, limits, exact=i < REFINED) for i, c in enumerate(curves)]
    candidates.sort(key=lambda c: full_preference(c.deployment, 1.0 / c.point.req_per_s_per_device))
    return SearchResult(
        candidates=tuple(candidates),
        front=_front(curves, limits),
        curves=tuple(curves),
        tried=surveyed.tried,
        rejections=surveyed.rejections,
    )


def survey(
    model: ModelSpec,
    accelerator: Accelerator,
    workload: Workload,
    *,
    devices: Sequence[int] = DEVICES,
    precisions: Sequence[str] = ("fp8", "bf16"),
    kv_precision: str = "bf16",
    engine: EngineFactors | str = "generic",
    limits: Limits = (None, None, None),
    settings: Settings | None = None,
    only: Layout | None = None,
    fixed: Mapping[str, int] | None = None,
) -> Survey:
    """Return the points of every layout that fits, over a coarse range of batches, and why the others do not.

    Parameters
    ----------
    model, accelerator, workload, devices, precisions, kv_precision, engine, settings, only, fixed
        As in `search_layouts`.
    limits : tuple of float or None
        Of the times to first token, per output token and of the whole answer [s]. Layouts that miss them are among
        both the curves and the rejections: with prompts processed apart they may still do.
    """
    engine = engine_preset(engine) if isinstance(engine, str) else engine
    tried_layouts = list(layouts(model, accelerator, devices, fixed)) if only is None else [only]
    curves: list[StaticCurve] = []
    rejections: list[Rejection] = []
    for precision in precisions:
        for layout in tried_layouts:
            deployment = Deployment(
                model=model,
                accelerator=accelerator,
                layout=layout,
                precision=precision,
                kv_precision=kv_precision,
                engine=engine,
            ).told(settings or Settings())
            try:
                check_layout(model, layout)
            except InputError as error:
                rejections.append(Rejection(deployment=deployment, reason=INDIVISIBLE, detail=str(error)))
                continue
            shortage = ""
            if deployment.max_model_len:
                shortage = start_shortage(deployment) or longest_shortage(deployment)
            if shortage:
                rejections.append(Rejection(deployment=deployment, reason=_NO_START, detail=shortage))
                continue
            try:
                curve = static_curve(deployment, workload, most_points=_COARSE_POINTS)
                curves.append(curve)
                curve.best(*limits)
            except LatencyError as error:
                rejections.append(
                    Rejection(deployment=deployment, reason=error.limits[0], detail=str(error), least_s=error.least_s)
                )
            except InfeasibleError as error:
                rejections.append(
                    Rejection(
                        deployment=deployment,
                        reason=error.limits[0] if error.limits else "infeasible",
                        detail=str(error),
                    )
                )
    return Survey(tuple(curves), len(precisions) * len(tried_layouts), tuple(rejections))


def full_preference(deployment: Deployment, device_s: float) -> float:
    """Return what full replicas are ranked by, the least first: device time of a request, or its cost.

    Stages inside a server count as dearer by a margin that the model is sure of: few runs of them were measured.
    """
    return device_s if stages_fill_servers(deployment.layout, deployment.accelerator) else _FULL_MARGIN * device_s


def stages_fill_servers(layout: Layout, device: Accelerator) -> bool:
    """Return whether pipeline stages fill servers, or links inside one are slow: what engines' guides tell to run."""
    if layout.pp == 1 or device.scaleup.kind == "pcie":
        return True
    return layout.devices // layout.pp >= min(device.node_devices, device.scaleup_domain)


def _candidate(curve: StaticCurve, workload: Workload, limits: Limits, *, exact: bool) -> Candidate:
    """Return a deployment at its best point, among all batches or those of the curve."""
    if exact:
        ttft_s, tpot_s, e2e_s = limits
        point = best_static_point(curve.deployment, workload, ttft_s=ttft_s, tpot_s=tpot_s, e2e_s=e2e_s)
        return Candidate(curve.deployment, point)
    return Candidate(curve.deployment, curve.point(curve.best(*limits)))


def _front(curves: Sequence[StaticCurve], limits: Limits) -> tuple[Candidate, ...]:
    """Return the points, of all layouts and batches, that none beats in both response and throughput."""
    places: list[tuple[StaticCurve, tuple[int, int]]] = []
    for curve in curves:
        allowed = curve.allowed(*limits)
        cheapest = np.where(allowed, curve.request_device_s, np.inf).argmin(axis=0)
        places += [(curve, (int(cheapest[j]), int(j))) for j in np.flatnonzero(allowed.any(axis=0))]
    tpot_s = np.array([curve.tpot_s[where] for curve, where in places])
    rate = np.array([1.0 / curve.request_device_s[where] for curve, where in places])
    best = [place for place, keep in zip(places, pareto_front(tpot_s, rate), strict=True) if keep]
    front = [Candidate(curve.deployment, curve.point(where)) for curve, where in best]
    return tuple(sorted(front, key=lambda c: c.point.tpot_s))


def nothing_feasible(
    model: ModelSpec,
    accelerator: Accelerator,
    devices: Sequence[int],
    rejections: Sequence[Rejection],
    fixed: Mapping[str, int] | None = None,
) -> InfeasibleError:
    """Say why no layout is feasible: reasons counted, and the least time of a limit that stands in the way."""
    counts = Counter(rejection.reason for rejection in rejections)
    reasons = ", ".join(f"{count} by {reason}" for reason, count in counts.most_common())
    degrees = ", ".join(f"{name} = {degree}" for name, degree in (fixed or {}).items())
    asked = f"layouts with {degrees}" if degrees else "layouts"
    if not rejections:
        message = (
            f"no layout of {model.name} on {min(devices)} to {max(devices)} {accelerator.id} has {degrees}: ep divides "
            "the accelerators of a stage, and attention ranks are more than one, of a model with experts."
        )
        return InfeasibleError(message, ["fixed layout"])
    message = (
        f"none of {len(rejections)} {asked} of {model.name} on {min(devices)} to {max(devices)} {accelerator.id} is "
        f"feasible ({reasons})."
    )
    timed = [r for r in rejections if r.least_s is not None]
    if timed:
        nearest = min(timed, key=lambda r: r.least_s or 0.0)
        message += (
            f" The least {nearest.reason} of all is {1e3 * (nearest.least_s or 0.0):.3g} ms, with {nearest.deployment}."
        )
    else:
        near = [r.detail for r in rejections if r.reason != INDIVISIBLE] or [r.detail for r in rejections]
        message += f" The last of them: {near[-1].split(' Binding limits')[0]}"
    return InfeasibleError(
        f"{message} Relax the limits, allow more devices or fewer bits.", [reason for reason, _ in counts.most_common()]
    )


def layouts(
    model: ModelSpec, accelerator: Accelerator, devices: Sequence[int], fixed: Mapping[str, int] | None = None
) -> Iterator[Layout]:
    """Yield the layouts worth trying: powers of two, tp within a scale-up domain, experts all whole or all split.

    Degrees that are held are tried as they are, beyond a domain too.
    """
    fixed_degrees = fixed or {}
    for total in devices:
        within = min(total, max(accelerator.scaleup_domain, 1))
        for tp in [fixed_degrees["tp"]] if "tp" in fixed_degrees else _powers(within):
            for pp in [fixed_degrees["pp"]] if "pp" in fixed_degrees else _powers(total // tp):
                dp, rest = divmod(total, tp * pp)
                if (
                    rest
                    or dp != fixed_degrees.get("dp", dp if model.is_moe else 1)
                    or dp < 1 + fixed_degrees.get("dp_attention", 0)
                ):
                    continue
                ranks = bool(fixed_degrees.get("dp_attention", model.is_moe and dp > 1))
                group = tp * dp if ranks else tp
                splits = sorted({1, group}) if model.is_moe else [1]
                for ep in (
                    [fixed_degrees["ep"]]
                    if "ep" in fixed_degrees and group % fixed_degrees["ep"] == 0
                    else []
                    if "ep" in fixed_degrees
                    else splits
                ):
                    yield Layout(tp=tp, pp=pp, ep=ep, dp=dp, dp_attention=ranks)


def _powers(most: int) -> list[int]:
    return [2**i for i in range(most.bit_length()) if 2**i <= most]
