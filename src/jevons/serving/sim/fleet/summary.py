"""Sums up what happened to a fleet's requests and replicas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jevons.serving.sim._kernels import fleet_state as kf
from jevons.serving.sim.fleet.types import (
    Bill,
    FleetCounts,
    FleetResult,
    FleetSeries,
    Kind,
    KindShare,
    ModelShare,
    Offline,
    OfflineShare,
)
from jevons.serving.sim.overload import STABLE, backlog_of, overload_of
from jevons.serving.sim.replica.run import (
    client_view,
    spread_of,
    steady_window,
    whole_run,
)
from jevons.serving.sim.types import (
    TICKS_PER_S,
    FloatArray,
    IntArray,
    Overload,
    Requests,
    Timing,
    Trail,
    tick_sum,
    work_of,
)
from jevons.serving.sim.window import made_in

_HOUR = 3600 * TICKS_PER_S
_FULL_FRAC = 0.95
"""Share of a limit that is as good as all of it."""

Limits = tuple[float | None, float | None, float | None]


def summary(
    requests: Requests,
    kinds: Sequence[Kind],
    trail: Trail,
    outcome: tuple[IntArray, IntArray],
    fleet: kf.Fleet,
    *,
    offline: Offline | None,
    names: tuple[str, ...],
    model: IntArray,
    entry_s: float,
    slo: Limits,
    edge_frac: float,
    clock: tuple[float, float],
) -> FleetResult:
    """Sum up the requests between warm-up and drain, and the replicas over all of the run."""
    fate, attempts = outcome
    online = requests.count
    done = np.flatnonzero(trail.finish[:online] >= 0)
    arrival = trail.arrival[done] / TICKS_PER_S - entry_s
    first, finish = trail.first[done] / TICKS_PER_S, trail.finish[done] / TICKS_PER_S
    osl = requests.osl[done]
    counted, window = _counted(requests, arrival, finish, edge_frac)
    latency, throughput = client_view((arrival, first, finish), osl, counted, window, slo, trail.gaps)
    ttft_s, e2e_s = first - arrival, finish - arrival
    places = [kind.replicas if kind.autoscale is None else kind.autoscale.most for kind in kinds]
    kind_of = np.repeat(np.arange(len(kinds)), places)
    shares = _kinds(kinds, kind_of, trail, fleet, done, (counted, ttft_s, e2e_s, osl))
    models = _models(names, model, fate[:online], done, (counted, ttft_s, e2e_s))
    end = int(fleet.own[kf.LAST_EVENT])
    series = _series(fleet, trail.arrival[:online])
    grows = any(
        kind.autoscale is not None and int(paid) < kind.autoscale.most
        for kind, paid in zip(kinds, series.paid[-1], strict=True)
    )
    overload = STABLE if grows else _overload(trail, fate[:online], shares)
    limit = None if overload.overload_frac is None else _limit(kinds, shares)
    busy, serving = tick_sum(trail.totals["busy"]), tick_sum(fleet.rows[:, kf.SERVING])
    return FleetResult(
        counts=FleetCounts(
            requests=online, served=len(done), counted=int(counted.sum()), retried=int((attempts[:online] > 0).sum()),
            rejected=_counts(
                fate[:online], {"too_long": 0, "rate_limit": kf.RATE_LIMIT, "queue_limit": kf.QUEUE_LIMIT}
            ),
            lost=_counts(fate[:online], {"retries": kf.LOST, "no_replica": kf.NO_REPLICA}),
        ),
        latency=latency, throughput=throughput, whole=whole_run((arrival, first, finish), osl, slo, trail.gaps),
        kinds=shares, models=models,
        offline=_pile(offline, trail, online, window),
        bill=Bill(
            replica_hours=sum(share.replica_hours for share in shares),
            accelerator_hours=sum(share.accelerator_hours for share in shares),
            cost=sum(share.cost for share in shares),
        ),
        utilisation_frac=busy / max(serving, 1.0), work=work_of(trail.totals),
        failures=int(fleet.own[kf.FAILED]),
        timing=Timing(window_s=window, end_s=end / TICKS_PER_S, wall_s=clock[0], compile_s=clock[1]),
        overload=replace(overload, limit=limit),
        series=series, trail=trail, attempts=attempts, fate=fate,
    )  # fmt: skip


def _counted(
    requests: Requests, arrival: FloatArray, finish: FloatArray, edge_frac: float
) -> tuple[NDArray[np.bool_], tuple[float, float]]:
    """Return which answered requests count, and the time in which they arrive."""
    if not len(arrival):
        return np.zeros(0, dtype=np.bool_), (0.0, max(float(requests.arrival_s[-1]), 1e-12))
    return steady_window(requests, arrival, finish, edge_frac)


def _counts(fate: IntArray, reasons: dict[str, int]) -> dict[str, int]:
    return {name: int((fate == code).sum()) for name, code in reasons.items()}


def _kinds(
    kinds: Sequence[Kind],
    kind_of: IntArray,
    trail: Trail,
    fleet: kf.Fleet,
    done: IntArray,
    latencies: tuple[NDArray[np.bool_], FloatArray, FloatArray, IntArray],
) -> tuple[KindShare, ...]:
    """Return how each kind did."""
    counted, ttft_s, e2e_s, osl = latencies
    served_by = kind_of[trail.replica[done]]
    shares = []
    for place, kind in enumerate(kinds):
        own, mine = kind_of == place, served_by == place
        paid, serving = (tick_sum(fleet.rows[own, field]) for field in (kf.PAID, kf.SERVING))
        hours = paid / _HOUR * kind.accelerators
        totals = {name: values[own] for name, values in trail.totals.items()}
        shares.append(
            KindShare(
                name=kind.name, served=int(mine.sum()), output_tokens=int(osl[mine].sum()),
                ttft_s=spread_of(ttft_s[mine & counted]), e2e_s=spread_of(e2e_s[mine & counted]),
                utilisation_frac=tick_sum(totals["busy"]) / max(serving, 1.0), replica_hours=paid / _HOUR,
                up_hours=serving / _HOUR, accelerator_hours=hours, cost=hours * kind.accelerator_hour,
                kv_peak_frac=float(totals["peak_blocks"].max()) / kind.limits.kv_blocks,
                mean_batch=float(totals["decode_tokens"].sum()) / max(int(totals["steps"].sum()), 1),
                preemptions=int(totals["preemptions"].sum()),
            )
        )  # fmt: skip
    return tuple(shares)


def _models(
    names: tuple[str, ...],
    model: IntArray,
    fate: IntArray,
    done: IntArray,
    latencies: tuple[NDArray[np.bool_], FloatArray, FloatArray],
) -> tuple[ModelShare, ...]:
    """Return how the requests of each model fared, where there are several."""
    counted, ttft_s, e2e_s = latencies
    if len(names) == 1:
        return ()
    shares = []
    for place, name in enumerate(names):
        own, mine = fate[model == place], model[done] == place
        refused = int(np.isin(own, (0, kf.RATE_LIMIT, kf.QUEUE_LIMIT)).sum())
        lost = int(np.isin(own, (kf.LOST, kf.NO_REPLICA)).sum())
        shares.append(
            ModelShare(
                name=name, requests=len(own), served=int(mine.sum()), rejected=refused, lost=lost,
                ttft_s=spread_of(ttft_s[mine & counted]), e2e_s=spread_of(e2e_s[mine & counted]),
            )
        )  # fmt: skip
    return tuple(shares)


def _pile(offline: Offline | None, trail: Trail, online: int, window: tuple[float, float]) -> OfflineShare | None:
    """Return how far offline work came; its rate is that of the window that counts."""
    if offline is None:
        return None
    finish = trail.finish[online:]
    done, osl = finish >= 0, offline.requests.osl
    first_s, finish_s = trail.first[online:][done] / TICKS_PER_S, finish[done] / TICKS_PER_S
    made = float((osl[done] * made_in(first_s, finish_s, osl[done], window)).sum())
    return OfflineShare(
        served=int(done.sum()), left=int((~done).sum()), prompt_tokens=int(offline.requests.isl[done].sum()),
        output_tokens=int(osl[done].sum()), output_tok_per_s=made / (window[1] - window[0]),
    )  # fmt: skip


def _series(fleet: kf.Fleet, arrival: IntArray) -> FleetSeries:
    """Return the fleet over the time of the load."""
    count = int(fleet.own[kf.SAMPLED])
    samples = fleet.samples[:count]
    length = max(-(-int(arrival[-1]) // len(fleet.samples)), 1)
    up, busy = samples[:, :, kf.SAMPLE_UP], samples[:, :, kf.SAMPLE_BUSY]
    return FleetSeries(
        end_s=np.arange(1, count + 1) * length / TICKS_PER_S, up=up, paid=samples[:, :, kf.SAMPLE_PAID],
        outstanding=samples[:, :, kf.SAMPLE_COUNT],
        utilisation_frac=np.minimum(busy * float(kf.SAMPLE_TICKS) / np.maximum(up, 1) / length, 1.0),
    )  # fmt: skip


def _overload(trail: Trail, fate: IntArray, shares: tuple[KindShare, ...]) -> Overload:
    """Return whether admitted arrivals exceed what is finished; some kind never rests then."""
    taken = ~np.isin(fate, (0, kf.RATE_LIMIT, kf.QUEUE_LIMIT))
    arrival, first, finish = (times[: len(fate)][taken] for times in (trail.arrival, trail.first, trail.finish))
    if not len(arrival) or arrival[-1] <= 0:
        return STABLE
    backlog = backlog_of(
        arrival / TICKS_PER_S, float(first.max()) / TICKS_PER_S, finish[finish >= 0] / TICKS_PER_S
    )  # fmt: skip
    return overload_of(backlog, max(share.utilisation_frac for share in shares))


def _limit(kinds: Sequence[Kind], shares: tuple[KindShare, ...]) -> str:
    """Return what the busiest kind runs out of."""
    place = max(range(len(kinds)), key=lambda k: shares[k].utilisation_frac)
    kind, share = kinds[place], shares[place]
    scale = "" if kind.autoscale is None else f", with autoscaling at most {kind.autoscale.most} replicas"
    if share.mean_batch >= _FULL_FRAC * kind.limits.max_batch:
        return f"sequences per replica of {kind.name} (max_batch {kind.limits.max_batch:,}){scale}"
    if share.kv_peak_frac >= _FULL_FRAC:
        return f"KV cache of {kind.name} ({kind.limits.kv_blocks * kind.limits.block_tokens:,} tokens){scale}"
    return f"compute of {kind.name}{scale}"
