"""What holds of every simulation: shares within 1, requests and time accounted for, cost equal to hours times price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from jevons.checks import check, check_finite, check_shares, check_spread, check_sum
from jevons.serving.sim.fleet.types import FleetResult, Kind
from jevons.serving.sim.types import SimResult, Work

_RATES = ("req_per_s", "output_tok_per_s", "goodput_req_per_s")
_LATENCIES = ("ttft_s", "tpot_s", "itl_s", "e2e_s")


def checked(result: SimResult) -> SimResult:
    """Return the result of equal replicas once its invariants hold.

    Raises
    ------
    InvariantError
        Where one does not.
    """
    for name in _LATENCIES:
        check_spread(name, getattr(result.latency, name))
    check_shares({n: getattr(result.occupancy, n) for n in ("utilisation_frac", "kv_mean_frac", "kv_peak_frac")})
    check_finite({name: float(getattr(result.throughput, name)) for name in _RATES})
    check_finite({name: float(getattr(result.occupancy, name)) for name in ("mean_batch", "mean_in_system")})
    check_finite({"end_s": result.timing.end_s})
    _check_work(result.work)
    check(result.throughput.goodput_req_per_s <= result.throughput.req_per_s * (1 + 1e-9), "goodput exceeds throughput")
    check_sum("requests", (result.counts.served, result.counts.rejected, result.counts.refused), result.counts.requests)
    return result


def _check_work(work: Work) -> None:
    """Check that no counter wrapped, and that no part exceeds its whole."""
    for field in fields(work):
        check(getattr(work, field.name) >= 0, f"{field.name} is negative")
    check(work.swaps <= work.preemptions, "more requests were swapped than preempted")
    check(work.host_hit_tokens <= work.hit_tokens, "more tokens came from the host than were in the cache")


def checked_fleet(result: FleetResult, kinds: Sequence[Kind]) -> FleetResult:
    """Return the result of a fleet once its invariants hold.

    Raises
    ------
    InvariantError
        Where one does not.
    """
    for name in _LATENCIES:
        check_spread(name, getattr(result.latency, name))
    check_shares({"utilisation_frac": result.utilisation_frac})
    for share, kind in zip(result.kinds, kinds, strict=True):
        check_shares({f"{kind.name}.{n}": getattr(share, n) for n in ("utilisation_frac", "kv_peak_frac")})
        check_sum(f"{kind.name}: accelerator-hours", [share.replica_hours * kind.accelerators], share.accelerator_hours)
        check_sum(f"{kind.name}: cost", [share.accelerator_hours * kind.accelerator_hour], share.cost)
    check_finite({name: float(getattr(result.throughput, name)) for name in _RATES})
    check_finite({name: float(getattr(result.bill, name)) for name in ("replica_hours", "accelerator_hours", "cost")})
    check_finite({"end_s": result.timing.end_s})
    _check_work(result.work)
    fates = (result.counts.served, *result.counts.rejected.values(), *result.counts.lost.values())
    check_sum("requests", fates, result.counts.requests)
    return result
