"""What a simulated fleet reports."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from jevons.sizing.load import Offered
from jevons.sizing.options import Simulation
from jevons.sizing.simulate_fleet import kind_of_replica

if TYPE_CHECKING:
    import polars as pl

    from jevons.serving import Deployment
    from jevons.serving.sim import FleetResult, Kind
    from jevons.sizing.hour_price import HourPrice


def fleet_record(
    options: Simulation,
    routing: Any,
    parts: list[Deployment],
    kinds: list[Kind],
    load: Offered,
    found: FleetResult,
    prices: list[HourPrice | None],
) -> dict[str, Any]:
    """Return the documented JSON object."""
    requests = load.requests
    left_out = {"trail", "attempts", "fate", "series", "kinds", "models", "offline"}
    plain = {f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name not in left_out}
    for name in ("ttft_s", "tpot_s", "e2e_s", "itl_s"):
        plain[name] = None if plain[name] is None else dataclasses.asdict(plain[name])
    currencies = {price.currency for price in prices if price is not None}
    priced = len(currencies) == 1 and all(prices)
    online = found.trail.finish[: requests.count] >= 0
    tokens = int(requests.isl[online].sum() + requests.osl[online].sum())
    tokens += 0 if found.offline is None else found.offline.prompt_tokens + found.offline.output_tokens
    scaled = {name: getattr(found.series, name).tolist() for name in ("end_s", "up", "paid", "outstanding")}
    plain["cost"] = found.cost if priced else None
    return {
        "model": parts[0].model.name, "gpu": options.gpu, "precision": parts[0].precision,
        "engine": parts[0].engine.name, "routing": routing.kind, "stale_s": routing.stale_s, "load": requests.origin,
        "seed": options.seed, "mean_isl": float(requests.isl.mean()), "mean_osl": float(requests.osl.mean()),
        **plain,
        "rejected": dict(found.rejected), "lost": dict(found.lost), "window_s": list(found.window_s),
        "slo": {"ttft_s": options.ttft, "tpot_s": options.tpot, "e2e_s": options.e2e},
        "stable": found.overload_frac is None,
        "currency": next(iter(currencies)) if priced else None,
        "cost_per_mtok": found.cost / tokens * 1e6 if priced and tokens else None,
        "kinds": [
            {**dataclasses.asdict(share), "tp": part.layout.tp, "limits": dataclasses.asdict(kind.limits),
             "weight": kind.weight, "currency": None if price is None else price.currency,
             "gpu_hour": None if price is None else price.amount}
            for share, part, kind, price in zip(found.kinds, parts, kinds, prices, strict=True)
        ],
        "offline": None if found.offline is None else dataclasses.asdict(found.offline),
        "series": {**scaled, "utilisation_frac": found.series.utilisation_frac.tolist()},
        "simulated_req_per_s": found.served / found.wall_s if found.wall_s > 0 else None,
    }  # fmt: skip


def fleet_frame(load: Offered, kinds: list[Kind], found: FleetResult, entry_s: float) -> pl.DataFrame:
    """Return one row for each request: times, the kind of replica that answered, and what became of it."""
    import numpy as np
    import polars as pl

    trail, count = found.trail, load.requests.count
    ticks = {"arrival_s": trail.arrival, "admitted_s": trail.admitted, "first_s": trail.first, "finish_s": trail.finish}
    times = {name: np.where(values[:count] >= 0, values[:count] / 1e12, math.nan) for name, values in ticks.items()}
    times["arrival_s"] = times["arrival_s"] - entry_s
    fates = ("too_long", "answered", "rate_limit", "queue_limit", "retries", "no_replica")
    of_kind = kind_of_replica(kinds)
    replica = trail.replica[:count]
    return pl.DataFrame(
        {
            "request": np.arange(count), **times, "isl": load.requests.isl, "osl": load.requests.osl,
            "ttft_s": times["first_s"] - times["arrival_s"], "e2e_s": times["finish_s"] - times["arrival_s"],
            "preempted": trail.preempted[:count], "replica": replica,
            "kind": [kinds[of_kind[place]].name if place >= 0 else None for place in replica],
            "outcome": [fates[fate] for fate in found.fate[:count]], "sent_again": found.attempts[:count],
        }
    ).with_columns(pl.selectors.float().fill_nan(None))  # fmt: skip
