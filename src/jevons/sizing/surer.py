"""The smallest fleet at a stated confidence: limits tightened by the errors of past predictions, layouts varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jevons import serving
from jevons.sizing.finalists import Bench, Progress, settle_all, slack_over
from jevons.sizing.fleet import Fleet, shared_fleets, split_fleets
from jevons.sizing.hour_price import HourPrice
from jevons.sizing.service import Service

Curves = Sequence[tuple[Service, HourPrice | None, list[serving.StaticCurve]]]

_ALL_BUT_SURE = 0.97
"""Chance that is asked of a limit which a fleet is likelier still to keep; the others make up for it."""
_GROWN, _FRESH = 3, 3
"""Cheapest fleets that are grown, and layouts that are searched anew under the tightened limits."""
_HALVINGS = 40
_LESS = (0.9, 0.8, 0.7, 0.6)
"""Parts of the asked confidence that are tried one after another where no fleet reaches it."""
_AS_SURE = 0.05
"""Difference of two chances that errors of past predictions do not tell apart: the cheaper fleet is preferred."""


def confident(fleet: Fleet, service: Service, confidence: float) -> bool:
    """Return whether a fleet keeps the limits with that probability, or has none to keep."""
    chance = fleet.chance(service)
    return chance is None or chance >= confidence


def by_preference(fleets: Sequence[Fleet], service: Service, confidence: float) -> list[Fleet]:
    """Return fleets in the order in which they are recommended.

    Those that keep the limits at the confidence come first, then the cheapest. Where there is none, the surest come
    first: those that are as sure, to a twentieth. Of equally cheap ones the surer to a tenth comes first, one with
    pipeline stages inside a server counting as less sure by one; then one without pools apart, which is simpler to run,
    then the faster response.
    """
    chances = [1.0 if chance is None else chance for chance in (fleet.chance(service) for fleet in fleets)]
    wanted = min(confidence, max(chances, default=0.0) - _AS_SURE)

    def order(place: int) -> tuple[bool, bool, float, int, bool, float]:
        fleet, chance = fleets[place], chances[place]
        unpriced, cost, e2e_s = fleet.rank
        tenths = round(10 * chance) - (not fleet.usual)
        return chance < wanted, unpriced, cost, -tenths, fleet.prefill is not None, e2e_s

    return [fleets[place] for place in sorted(range(len(fleets)), key=order)]


def tightened(fleet: Fleet, service: Service, confidence: float) -> Service:
    """Return the limits that a prediction has to keep so that a measurement keeps the stated ones at a confidence.

    Limits that the fleet is all but sure to keep are asked to stay so; the chance that is left is shared evenly among
    the others.
    """
    chances = fleet.chances(service)
    sure = [key for key, chance in chances.items() if chance >= _ALL_BUT_SURE]
    open_keys = [key for key in chances if key not in sure]
    if not open_keys:
        return service
    each = (confidence / _ALL_BUT_SURE ** len(sure)) ** (1.0 / len(open_keys))
    limits: dict[str, Any] = {}
    for key in chances:
        limit = getattr(service, key)
        wanted = _ALL_BUT_SURE if key in sure else min(each, 0.999)
        limits[key] = _predicted_within(fleet, key, limit, wanted)
    return replace(service, **limits)


def _predicted_within(fleet: Fleet, key: str, limit: float, chance: float) -> float:
    """Return the largest prediction of a latency whose measurement keeps a limit with that chance [s]."""
    low, high = 0.0, 4.0 * limit
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if fleet.chance_of(key, middle, limit) >= chance:
            low = middle
        else:
            high = middle
    return min(low, limit)


def surer(
    entries: list[Fleet], curves: Curves, bench: Bench, rate: float, confidence: float, progress: Progress | None
) -> list[Fleet]:
    """Return the fleets and, where the cheapest is not confident, the cheapest that are, or else the surest found.

    Parameters
    ----------
    entries : list of Fleet
        As simulated, cheapest first.
    curves : sequence
        Static curves of all layouts by device.
    bench : Bench
        Load and stated limits.
    rate : float
        Requests per second.
    confidence : float
        Probability of keeping the limits that is asked for.
    progress : callable, optional
        Told which fleet is simulated.

    Notes
    -----
    The cheapest fleets get more replicas, and layouts and batches are searched anew, under limits so tight that keeping
    them by prediction keeps the stated ones at the confidence. No fleet is grown beyond several times the cost of the
    cheapest: what is left of a latency without queueing, and the model's own error in it, no number of replicas mends.
    Where none is found, less and less confidence is searched for.
    """
    service = bench.service
    if not entries or confident(entries[0], service, confidence):
        return entries
    dearest = slack_over(entries)
    for part in (1.0, *_LESS):
        better = _searched(entries, curves, bench, rate, part * confidence, progress, dearest)
        if better:
            return sorted([*entries, *better], key=lambda f: f.rank)
        if max(f.chance(service) or 0.0 for f in entries) >= part * confidence:
            break
    return entries


def _searched(
    entries: list[Fleet],
    curves: Curves,
    bench: Bench,
    rate: float,
    confidence: float,
    progress: Progress | None,
    dearest: float,
) -> list[Fleet]:
    """Return fleets that are not among the entries and keep the limits at a confidence."""
    service, demand = bench.service, bench.demand
    tight = tightened(entries[0], service, confidence)
    fresh: list[Fleet] = []
    for own, price, of_layouts in curves:
        asked = replace(own, ttft_s=tight.ttft_s, tpot_s=tight.tpot_s, e2e_s=tight.e2e_s)
        fresh += [f for f in shared_fleets(of_layouts, asked, demand, rate, price) if f.simulatable]
        if not demand.users:
            fresh += split_fleets(of_layouts, asked, rate, price)
    known = {f.words() for f in entries}
    chosen = [replace(f, observed=None) for f in entries[:_GROWN]]
    chosen += [f for f in sorted(fresh, key=lambda f: f.rank) if f.words() not in known][:_FRESH]
    settled, _ = settle_all(chosen, replace(bench, service=tight), progress=progress, dearest=dearest)
    better = {f.words(): f for f in settled if f.words() not in known and confident(f, service, confidence)}
    return list(better.values())
