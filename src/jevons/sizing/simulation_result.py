"""What a simulation of equal replicas reports, at one arrival rate or at several."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.errors import InputError, did_you_mean
from jevons.limits import KEPT_REQUESTS
from jevons.results import Result, Table, number
from jevons.serving.neighbours import Measured, nearest
from jevons.sizing.fleet import degrees
from jevons.sizing.load import Offered
from jevons.sizing.measured import beside_table
from jevons.sizing.memory import memory_record, start_note
from jevons.sizing.nearest import nearest_records, nearest_sentence, nearest_table
from jevons.sizing.options import Simulation
from jevons.sizing.simulation_tables import (
    LATENCIES,
    Quantity,
    class_table,
    failed_sentence,
    intervals,
    latency_table,
    latency_values,
    limits_text,
    service_table,
    steady_note,
    sweep_table,
    whole_and_steady,
    with_ends,
)
from jevons.sizing.what_changes import of_rates, of_run
from jevons.words import Sentence

if TYPE_CHECKING:
    import polars as pl
    import xarray as xr

    from jevons.serving import Deployment
    from jevons.serving.measured import MeasuredRun
    from jevons.serving.sim import Requests, SimLimits, SimResult, SplitResult, Streamed
    from jevons.sizing.hour_price import HourPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One simulation, and what it was of."""

    offered: Offered
    deployment: Deployment
    replicas: int
    limits: SimLimits
    simulated: SimResult
    prompts: Deployment | None = None
    prompt_replicas: int = 0
    split: SplitResult | None = None
    streamed: Streamed | None = None

    @property
    def requests(self) -> Requests:
        """Every request.

        Raises
        ------
        InputError
            If they were too many to be kept.
        """
        if self.streamed is not None:
            message = (
                f"requests = {self.offered.count:,}: rows and pictures of single requests are kept up to "
                f"{KEPT_REQUESTS:,}; take fewer, or save the tables, as .json or .xlsx"
            )
            raise InputError(message)
        return self.offered.requests

    @property
    def all_replicas(self) -> int:
        """Number of engines that the simulator runs: replicas, those of each stage and for prefill included."""
        return self.replicas * self.deployment.layout.pp + self.prompt_replicas

    @property
    def accelerators(self) -> int:
        """Accelerators of all replicas."""
        prompts = 0 if self.prompts is None else self.prompts.devices * self.prompt_replicas
        return self.deployment.devices * self.replicas + prompts

    @property
    def nearest(self) -> tuple[Measured, ...]:
        """Measured runs nearest to this one."""
        at_once = self.simulated.occupancy.mean_in_system
        return nearest(
            self.deployment, self.offered.mean_isl, self.offered.mean_osl, at_once, apart=self.prompts is not None
        )

    @property
    def words(self) -> str:
        """What the load ran on."""
        own = f"{self.replicas} x {self.deployment}"
        return own if self.prompts is None else f"{self.prompt_replicas} x {self.prompts} for prefill and {own}"


def run_record(options: Simulation, run: Run, price: HourPrice | None) -> dict[str, Any]:
    """Return the documented JSON object."""
    from jevons.serving import entry_time_s, sim
    from jevons.sizing.power import energy_ratios, simulated_flow

    deployment, replicas, limits, result = run.deployment, run.replicas, run.limits, run.simulated
    load, entry_s = run.offered, entry_time_s(run.deployment)
    groups = (result.counts, result.occupancy)
    plain = {name: value for group in groups for name, value in dataclasses.asdict(group).items()}
    plain |= whole_and_steady(result) | {"counted": result.counts.served}
    plain |= {name: getattr(result.overload, name) for name in ("overload_frac", "capacity_req_per_s")}
    accelerators = run.accelerators
    rates, steady = result.whole.throughput, result.throughput
    per_request = rates.output_tok_per_s / rates.req_per_s if rates.req_per_s > 0 else 0.0
    tokens_per_s = rates.req_per_s * (load.mean_isl + per_request)
    hourly = None if price is None else price.amount * accelerators / 3600 * 1e6
    window_s = result.timing.window_s[1] - result.timing.window_s[0]
    drawn_j = drawn_w(run) * window_s
    ratios = energy_ratios(deployment, simulated_flow(result, replicas, _pools(run)[-1][2], load.mean_isl))
    tokens = steady.req_per_s * load.mean_isl * window_s + steady.output_tok_per_s * window_s
    per_mtok = drawn_j / 3.6e6 / tokens * 1e6 if tokens > 0 else None
    return with_ends({
        "model": deployment.model.name, "gpu": deployment.accelerator.id, "precision": deployment.precision,
        "engine": deployment.engine.name, **degrees(deployment), "replicas": replicas,
        "prefill": _prefill_record(run), "accelerators": accelerators,
        "routing": options.devices.routing, "load": load.requests.origin, "seed": options.seed,
        "mean_isl": load.mean_isl, "mean_osl": load.mean_osl,
        "limits": dataclasses.asdict(limits),
        **plain, **dataclasses.asdict(result.work),
        "slo": {"ttft_s": options.limits.ttft, "tpot_s": options.limits.tpot, "e2e_s": options.limits.e2e},
        "intervals_80": intervals([d for d in (deployment, run.prompts) if d is not None]),
        "nearest": nearest_records(run.nearest),
        "stable": result.overload.overload_frac is None,
        "memory": memory_record(deployment, round(load.mean_isl + load.mean_osl)),
        "output_tok_per_s_per_gpu": rates.output_tok_per_s / accelerators,
        "cost_per_mtok": hourly / tokens_per_s if hourly is not None and tokens_per_s > 0 else None,
        "cost_per_output_mtok":
            hourly / rates.output_tok_per_s if hourly is not None and rates.output_tok_per_s > 0 else None,
        "currency": None if price is None else price.currency,
        "gpu_hour": None if price is None else {"amount": price.amount, "origin": price.origin},
        "energy_kwh": drawn_j / 3.6e6,
        "power_w": drawn_j / window_s if window_s > 0 else None,
        "energy_kwh_per_mtok": per_mtok,
        "energy_kwh_per_mtok_low": None if per_mtok is None else per_mtok * ratios[0],
        "energy_kwh_per_mtok_high": None if per_mtok is None else per_mtok * ratios[1],
        "classes": [] if run.offered.mix is None
            else [dataclasses.asdict(statistics) for statistics in sim.by_class(run.offered.mix, result, entry_s)],
        "series": (
            sim.time_series(load.requests, result, limits, replicas=run.all_replicas, entry_s=entry_s)
            if run.streamed is None else run.streamed.series
        ).to_json(),
        "simulated_req_per_s": result.counts.served / result.timing.wall_s if result.timing.wall_s > 0 else None,
    })  # fmt: skip


def drawn_w(run: Run) -> float:
    """Return the mean power of all replicas of a simulation, their accelerators' parts of the servers included [W]."""
    from jevons.sizing.power import replica_power, simulated_flow

    isl = run.offered.mean_isl
    names = ("",) if run.prompts is None else ("prefill", "decode")
    total = 0.0
    for name, (deployment, copies, busy) in zip(names, _pools(run), strict=True):
        flow = simulated_flow(run.simulated, copies, busy, isl, pool=name)
        total += copies * replica_power(deployment, flow).mean_w(busy)
    return total


def _pools(run: Run) -> list[tuple[Deployment, int, float]]:
    """Return deployment, replicas and utilisation of each pool."""
    if run.prompts is None or run.split is None:
        return [(run.deployment, run.replicas, run.simulated.occupancy.utilisation_frac)]
    return [
        (run.prompts, run.prompt_replicas, run.split.prefill.utilisation_frac),
        (run.deployment, run.replicas, run.split.decode.utilisation_frac),
    ]


def _prefill_record(run: Run) -> dict[str, Any] | None:
    """Return the pool for prompts, where there is one."""
    if run.prompts is None or run.split is None:
        return None
    moved = run.split.hand_over_s
    return {
        "tp": run.prompts.layout.tp, "replicas": run.prompt_replicas,
        "utilisation_frac": run.split.prefill.utilisation_frac,
        "decode_utilisation_frac": run.split.decode.utilisation_frac,
        "hand_over_s": None if moved is None else dataclasses.asdict(moved),
    }  # fmt: skip


def _classes(offered: Offered) -> dict[str, Any]:
    """Return the columns of class and conversation, where there are any."""
    if offered.mix is None:
        return {}
    names = [request_class.name for request_class in offered.mix.classes]
    return {"class": [names[number] for number in offered.mix.of_class], "session": offered.mix.session}


def run_frame(run: Run) -> pl.DataFrame:
    """Return one row for each request: when it arrived, was admitted, began and ended, and where it ran."""
    import numpy as np
    import polars as pl

    from jevons.serving import entry_time_s

    load, result, entry_s = run.requests, run.simulated, entry_time_s(run.deployment)
    trail = result.trail
    ticks = {"arrival_s": trail.arrival, "admitted_s": trail.admitted, "first_s": trail.first, "finish_s": trail.finish}
    times = {name: np.where(values >= 0, values / 1e12, math.nan) for name, values in ticks.items()}
    times["arrival_s"] = times["arrival_s"] - entry_s
    return pl.DataFrame(
        {
            "request": np.arange(load.count), **times, "isl": load.isl, "osl": load.osl,
            "ttft_s": times["first_s"] - times["arrival_s"], "e2e_s": times["finish_s"] - times["arrival_s"],
            "preempted": trail.preempted, "replica": trail.replica,
        }
        | _classes(run.offered)
    ).with_columns(pl.selectors.float().fill_nan(None))  # fmt: skip


_SERIES = {
    "arrivals_per_s": ("arrivals", "req/s"),
    "finished_per_s": ("answers", "req/s"),
    "output_tok_per_s": ("output throughput", "tok/s"),
    "running": ("running requests", "requests"),
    "waiting": ("waiting requests", "requests"),
    "kv_frac": ("share of the KV cache in use", "1"),
}


def series_dataset(series: dict[str, Any]) -> xr.Dataset:
    """Return the time series of a run as a labelled dataset."""
    import xarray as xr

    values = {
        name: ("start_s", series[name], {"long_name": text, "units": unit}) for name, (text, unit) in _SERIES.items()
    }
    time = ("start_s", series["start_s"], {"long_name": "start of the bin", "units": "s"})
    return xr.Dataset(values, coords={"start_s": time}, attrs={"bin_s": series["bin_s"]})


@dataclass(frozen=True, kw_only=True, repr=False)
class SimulationResult(Result):
    """What `jevons.simulate` returns for equal replicas.

    Parameters
    ----------
    options : Simulation
        What was asked for.
    run : Run
        What was simulated, and every request's times.
    record : mapping
        The documented figures.
    seen : MeasuredRun or None
        What a load test measured of the same load.
    """

    kind: ClassVar[str] = "simulation"
    file_table: ClassVar[str] = "requests"
    picture: ClassVar[str] = "latency"

    options: Simulation
    run: Run
    record: dict[str, Any]
    seen: MeasuredRun | None = None

    @property
    def stable(self) -> bool:
        """Whether the replicas keep up with the load."""
        return bool(self.record["stable"])

    def latency(self, name: str, statistic: str = "mean") -> float | None:
        """Return a statistic of ``ttft``, ``tpot``, ``itl`` or ``e2e`` [s]; None where nothing was measured.

        Raises
        ------
        InputError
            If there is no such latency, or no such statistic of it.
        """
        key = name if name.endswith("_s") else f"{name}_s"
        if key not in LATENCIES:
            message = f"no latency `{name}`.{did_you_mean(key, LATENCIES)} There are {', '.join(LATENCIES)}."
            raise InputError(message)
        spread = self.record[key]
        if spread is not None and statistic not in spread:
            message = f"no statistic `{statistic}` of {key}. There are {', '.join(spread)}."
            raise InputError(message)
        return None if spread is None else float(spread[statistic])

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Load, replicas, throughput, latency and cost."""
        r, run = self.record, self.run
        if not self.stable:
            values = {"fleet": run.words, "capacity": r["capacity_req_per_s"], "overload": r["overload_frac"]}
            return (Sentence("simulate.unstable", values),)
        values = {"fleet": run.words, "requests": r["requests"], "load": run.offered.requests.origin}
        return (Sentence("simulate.serves", values | latency_values(r)), *failed_sentence(r, r["rejected"], 0))

    def _tables(self) -> Iterator[Table]:
        r = self.record
        if self.seen is not None:
            yield beside_table(r["measured"], self.seen)
        yield latency_table(r, f"Latency over all {r['counted']:,} answered requests")
        if r["classes"]:
            yield class_table(r["classes"])
        yield service_table(list(_quantities(self.run, r)))
        if self.run.nearest:
            yield nearest_table(self.run.nearest)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """How far the steady part lies from the whole run, whether the engine starts, and what was measured nearest."""
        return (*steady_note(self.record), *start_note(self.run.deployment), nearest_sentence(self.run.nearest))

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """What limits the load: replicas, a latency's limit or the KV cache."""
        return tuple(of_run(self.record, self.record["replicas"]))

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {**self.answer_record(), **self.record}

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
        """Return a table as a polars frame; ``requests`` is every request, a row each."""
        return run_frame(self.run) if table == "requests" else super().to_frame(table)

    def distributions(self) -> dict[str, list[float]]:
        """Return the latencies of shares of the answered requests [s]; empty where requests were not kept."""
        from jevons.serving import entry_time_s, sim

        run = self.run
        if run.streamed is not None:
            return {}
        return sim.distributions(sim.latencies(run.requests, run.simulated, entry_time_s(run.deployment)))

    def to_xarray(self) -> xr.Dataset:
        """Return the run over time: arrivals, answers, tokens and use of the KV cache, by the start of each bin [s]."""
        return series_dataset(self.record["series"])


@dataclass(frozen=True, kw_only=True, repr=False)
class SweepResult(Result):
    """What `jevons.simulate` returns for several arrival rates.

    Parameters
    ----------
    points : tuple of mapping
        The documented figures at each rate, in rising order.
    """

    kind: ClassVar[str] = "sweep"
    picture: ClassVar[str] = "sweep"

    points: tuple[dict[str, Any], ...]

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The highest rate that is stable, and what it gives."""
        stable = [point for point in self.points if point["stable"]]
        if not stable:
            return (Sentence("simulate.sweep_none", {"lowest": self.points[0]["rate"]}),)
        return (Sentence("simulate.sweep", {"highest": stable[-1]["rate"], **latency_values(stable[-1])}),)

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """Between which rates the queue begins to grow."""
        return tuple(of_rates(self.points))

    def _tables(self) -> Iterator[Table]:
        yield sweep_table(self.points)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {**self.answer_record(), "sweep": list(self.points)}


def _quantities(run: Run, r: dict[str, Any]) -> Iterator[Quantity]:
    """Yield the rows of the service table."""
    currency = r["currency"]
    hour = "" if r["gpu_hour"] is None else f"; {r['gpu_hour']['amount']:.3g} {currency}/h, {r['gpu_hour']['origin']}"
    hits = "share of prompt tokens found in the cache" if run.offered.requests.hashes is not None else "off"
    if r["rejected"]:
        yield "rejected", r["rejected"], "requests", "longer than the KV cache of a replica"
    yield "throughput", r["req_per_s"], "req/s", f"{r['counted']:,} requests over the run's {number(r['wall_s'])} s"
    yield "goodput", r["goodput_req_per_s"], "req/s", limits_text(r["slo"]) or "no latency limits given"
    yield (
        "output throughput",
        r["output_tok_per_s"],
        "tok/s",
        f"{number(r['output_tok_per_s_per_gpu'])} per accelerator",
    )
    if currency:
        yield "cost", r["cost_per_mtok"], f"{currency}/Mtok", f"input and output tokens{hour}"
    yield from _more_quantities(r)
    if currency:
        yield "cost per output token", r["cost_per_output_mtok"], f"{currency}/Mtok", "all cost on output tokens"
    low, high = r["energy_kwh_per_mtok_low"], r["energy_kwh_per_mtok_high"]
    sure = "" if low is None else f" [{number(low)}–{number(high)}]"
    yield "energy", r["energy_kwh_per_mtok"], "kWh/Mtok", f"80 % interval{sure}; all tokens; servers without cooling"
    yield "power", r["power_w"], "W", "mean of all accelerators and their servers, without cooling"
    yield "utilisation", 100 * r["utilisation_frac"], "%", "share of time with a step running"
    yield "mean batch", r["mean_batch"], "requests", f"decoding per step, maximum {r['limits']['max_batch']:,}"
    yield "mean KV cache", 100 * r["kv_mean_frac"], "%", "of the cache of a replica"
    yield "peak KV cache", 100 * r["kv_peak_frac"], "%", "of the cache of a replica"
    yield "prefix cache hits", 100 * r["hit_tokens"] / max(r["hit_tokens"] + r["prefill_tokens"], 1), "%", hits
    yield "preemptions", r["preemptions"], "", "requests whose KV cache was taken, recomputed unless swapped"


def _more_quantities(r: dict[str, Any]) -> Iterator[Quantity]:
    """Yield the rows of pools, host memory and speculative decoding, where there are any."""
    limits, prefill = r["limits"], r["prefill"]
    if prefill is not None:
        yield "prefill utilisation", 100 * prefill["utilisation_frac"], "%", "of the prefill replicas"
        yield "decode utilisation", 100 * prefill["decode_utilisation_frac"], "%", "of the decode replicas"
        if prefill["hand_over_s"] is not None:
            last = number(1e3 * prefill["hand_over_s"]["p99"])
            yield (
                "mean KV transfer",
                1e3 * prefill["hand_over_s"]["mean"],
                "ms",
                f"from prefill to decode; p99 {last} ms",
            )
    if limits["host_blocks"]:
        room = f"{limits['host_blocks'] * limits['block_tokens']:,} tokens"
        yield "host cache hits", 100 * r["host_hit_tokens"] / max(r["hit_tokens"], 1), "%", f"of hits; room for {room}"
        yield "swapped", r["swaps"], "requests", "preempted requests whose KV cache went to the host"
    if limits["draft_tokens"]:
        tokens = (r["mean_osl"] * r["served"] - r["served"]) / max(r["decode_tokens"], 1)
        accepted = f"{limits['draft_tokens']} drafted, each accepted with {100 * limits['draft_acceptance_frac']:.3g} %"
        yield "tokens per step", tokens, "tokens", f"of a request; {accepted}"
