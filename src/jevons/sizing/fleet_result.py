"""What a simulated fleet reports."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.results import Column, Result, Table, number, table
from jevons.serving.neighbours import Measured
from jevons.sizing.load import Offered
from jevons.sizing.memory import memory_record, start_note
from jevons.sizing.nearest import nearest_records, nearest_sentence, nearest_table, nearest_to
from jevons.sizing.options import Simulation
from jevons.sizing.simulate_fleet import FleetRun, kind_of_replica
from jevons.sizing.simulation_tables import (
    Quantity,
    failed_sentence,
    intervals,
    latency_table,
    latency_values,
    limits_text,
    service_table,
    steady_note,
    whole_and_steady,
    with_ends,
)
from jevons.sizing.what_changes import of_run
from jevons.words import Sentence

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
    fleet: FleetResult,
    prices: list[HourPrice | None],
) -> dict[str, Any]:
    """Return the documented JSON object."""
    requests = load.requests
    groups = (fleet.counts, fleet.bill, fleet.overload)
    plain = {name: value for group in groups for name, value in dataclasses.asdict(group).items()}
    plain |= whole_and_steady(fleet) | {"counted": fleet.counts.served}
    plain |= {"utilisation_frac": fleet.utilisation_frac, "failures": fleet.failures}
    currencies = {price.currency for price in prices if price is not None}
    priced = len(currencies) == 1 and all(prices)
    online = fleet.trail.finish[: requests.count] >= 0
    tokens = int(requests.isl[online].sum() + requests.osl[online].sum())
    tokens += 0 if fleet.offline is None else fleet.offline.prompt_tokens + fleet.offline.output_tokens
    scaled = {name: getattr(fleet.series, name).tolist() for name in ("end_s", "up", "paid", "outstanding")}
    plain["cost"] = fleet.bill.cost if priced else None
    return with_ends({
        "model": parts[0].model.name, "gpu": options.devices.gpu, "precision": parts[0].precision,
        "engine": parts[0].engine.name, "routing": routing.kind, "stale_s": routing.stale_s, "load": requests.origin,
        "seed": options.seed, "mean_isl": float(requests.isl.mean()), "mean_osl": float(requests.osl.mean()),
        **plain, **dataclasses.asdict(fleet.work),
        "rejected": dict(fleet.counts.rejected), "lost": dict(fleet.counts.lost),
        "slo": {"ttft_s": options.limits.ttft, "tpot_s": options.limits.tpot, "e2e_s": options.limits.e2e},
        "intervals_80": intervals(parts),
        "nearest": nearest_records(nearest_to(parts[0], requests)),
        "stable": fleet.overload.overload_frac is None,
        "currency": next(iter(currencies)) if priced else None,
        "cost_per_mtok": fleet.bill.cost / tokens * 1e6 if priced and tokens else None,
        "kinds": [
            {**dataclasses.asdict(share), "tp": part.layout.tp, "limits": dataclasses.asdict(kind.limits),
             "weight": kind.weight, "currency": None if price is None else price.currency,
             "gpu_hour": None if price is None else price.amount}
            for share, part, kind, price in zip(fleet.kinds, parts, kinds, prices, strict=True)
        ],
        "offline": None if fleet.offline is None else dataclasses.asdict(fleet.offline),
        "series": {**scaled, "utilisation_frac": fleet.series.utilisation_frac.tolist()},
        "simulated_req_per_s": fleet.counts.served / fleet.timing.wall_s if fleet.timing.wall_s > 0 else None,
        "memory": memory_record(parts[0], round(float(requests.isl.mean()) + float(requests.osl.mean()))),
    })  # fmt: skip


def fleet_frame(load: Offered, kinds: list[Kind], fleet: FleetResult, entry_s: float) -> pl.DataFrame:
    """Return one row for each request: times, the kind of replica that answered, and what became of it."""
    import numpy as np
    import polars as pl

    trail, count = fleet.trail, load.requests.count
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
            "outcome": [fates[fate] for fate in fleet.fate[:count]], "retries": fleet.attempts[:count],
        }
    ).with_columns(pl.selectors.float().fill_nan(None))  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class FleetSimulationResult(Result):
    """What `jevons.simulate` returns for a fleet behind a router.

    Parameters
    ----------
    run : FleetRun
        What was simulated, and every request's times.
    record : mapping
        The documented figures.
    """

    kind: ClassVar[str] = "fleet"
    file_table: ClassVar[str] = "requests"
    picture: ClassVar[str] = "latency"

    run: FleetRun
    record: dict[str, Any]

    @property
    def stable(self) -> bool:
        """Whether the fleet keeps up with the load."""
        return bool(self.record["stable"])

    def latency(self, name: str, statistic: str = "mean") -> float | None:
        """Return a statistic of ``ttft_s``, ``tpot_s``, ``itl_s`` or ``e2e_s`` [s]; None where nothing was measured."""
        spread = self.record[name]
        return None if spread is None else float(spread[statistic])

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Load, fleet, throughput, latency and cost."""
        r = self.record
        if not self.stable:
            values = {
                "fleet": self.run.words, "capacity": r["capacity_req_per_s"], "overload": r["overload_frac"],
                "limit": r["limit"],
            }  # fmt: skip
            return (Sentence("simulate.unstable_fleet", values),)
        values = {"fleet": self.run.words, "requests": r["requests"], "load": r["load"]}
        refused, lost = sum(r["rejected"].values()), sum(r["lost"].values())
        return (Sentence("simulate.serves", values | latency_values(r)), *failed_sentence(r, refused, lost))

    def _tables(self) -> Iterator[Table]:
        r = self.record
        yield latency_table(r, f"Latency over all {r['counted']:,} answered requests")
        yield service_table(list(_quantities(r)))
        yield dataclasses.replace(_kind_table(r), detail=len(r["kinds"]) < 2)
        if self.nearest:
            yield nearest_table(self.nearest)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """How far the steady part lies from the whole run, whether the engine starts, and what was measured nearest."""
        return (*steady_note(self.record), *start_note(self.run.parts[0]), nearest_sentence(self.nearest))

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """What limits the load: a latency's limit or the KV cache."""
        return tuple(of_run(self.record, 0))

    @property
    def nearest(self) -> tuple[Measured, ...]:
        """Measured runs nearest to a replica of the first kind."""
        return nearest_to(self.run.parts[0], self.run.load.requests)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {**self.answer_record(), **self.record}

    def distributions(self) -> dict[str, list[float]]:
        """Return the latencies of shares of the answered requests [s]."""
        from jevons.serving import sim

        run = self.run
        return sim.distributions(sim.latencies(run.load.requests, run.simulated, run.entry_s))

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
        """Return a table as a polars frame; ``requests`` is every request, a row each."""
        if table != "requests":
            return super().to_frame(table)
        run = self.run
        return fleet_frame(run.load, run.kinds, run.simulated, run.entry_s)


def _kind_table(r: dict[str, Any]) -> Table:
    columns = [
        Column("kind", "kind"),
        Column("replicas", "replicas paid"),
        Column("accelerators", "accelerators paid"),
        Column("served", "served"),
        Column("ttft_p99_s", "TTFT p99", "ms", scale=1e3),
        Column("mean_batch", "mean batch"),
        Column("utilisation_frac", "utilisation", "%", scale=100.0),
        Column("kv_peak_frac", "peak KV cache", "%", scale=100.0),
        Column("cost", f"cost of the run [{r['currency'] or 'own currency'}]"),
    ]
    hours = max(r["end_s"] / 3600, 1e-12)
    rows = [
        (
            k["name"], k["replica_hours"] / hours, k["accelerator_hours"] / hours, k["served"],
            None if k["ttft_s"] is None else k["ttft_s"]["p99"], k["mean_batch"], k["utilisation_frac"],
            k["kv_peak_frac"], None if k["currency"] is None else k["cost"],
        )
        for k in r["kinds"]
    ]  # fmt: skip
    return table("kinds", "Kinds of replicas", columns, rows)


def _quantities(r: dict[str, Any]) -> Iterator[Quantity]:
    """Yield the rows of the service table, first those of requests that failed."""
    rejected = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in r["rejected"].items() if count)
    lost = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in r["lost"].items() if count)
    stale = f", load reported every {r['stale_s']:g} s" if r["stale_s"] else ""
    failed: list[Quantity] = [
        ("rejected", sum(r["rejected"].values()), "requests", rejected or "none"),
        ("lost", sum(r["lost"].values()), "requests", lost or "none"),
        ("retried", r["retried"], "requests", f"{r['failures']:,} replica failures"),
    ]
    yield from (failure for failure in failed if failure[1])
    yield "throughput", r["req_per_s"], "req/s", f"routing {r['routing']}{stale}"
    yield "goodput", r["goodput_req_per_s"], "req/s", limits_text(r["slo"]) or "no latency limits given"
    yield "output throughput", r["output_tok_per_s"], "tok/s", ""
    yield from (failure for failure in failed if not failure[1])
    if r["currency"]:
        yield "cost", r["cost_per_mtok"], f"{r['currency']}/Mtok", "all tokens, batch requests included"
    yield "replica-hours", r["replica_hours"], "h", f"{number(r['accelerator_hours'])} accelerator-hours"
    yield "utilisation", 100 * r["utilisation_frac"], "%", "share of replicas' time with a step running"
    yield "preemptions", r["preemptions"], "", "requests whose KV cache was taken and recomputed"
    if r["offline"] is not None:
        batch = r["offline"]
        note = f"{batch['served']:,} batch requests served, {batch['left']:,} left"
        yield "batch output throughput", batch["output_tok_per_s"], "tok/s", note
