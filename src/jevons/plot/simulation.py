"""Figures of a simulation: latencies as distributions, how it went over time, and latency over the rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.plot.palette import HUES, INK, MUTED
from jevons.plot.style import end_labels, log_ticks, subplots
from jevons.serving import entry_time_s, sim
from jevons.sizing.simulate_fleet import kind_of_replica

if TYPE_CHECKING:
    from jevons.serving.sim import FleetSeries, Latencies, Series
    from jevons.sizing.fleet_result import FleetSimulationResult
    from jevons.sizing.simulation_result import SimulationResult, SweepResult

_TIMES = (("ttft_s", "time to first token", 1.0, "s"), ("tpot_s", "time per output token", 1e3, "ms"),
          ("e2e_s", "E2E latency", 1.0, "s"))  # fmt: skip


def simulation_figure(
    groups: Mapping[str, Latencies],
    series: Series,
    *,
    title: str = "",
    limits: Mapping[str, float | None] | None = None,
    stable: bool = True,
) -> Any:
    """Return distributions of the three latencies above the timeline of a simulation.

    Parameters
    ----------
    groups : mapping of str to Latencies
        A line each, by name: all requests, or one class.
    series : Series
        The timeline.
    title : str
        What was simulated.
    limits : mapping of str to float, optional
        ``ttft_s``, ``tpot_s``, ``e2e_s``: latency limits to draw.
    stable : bool
        Whether the replicas keep up with the load; said where they do not.
    """
    figure, axes = subplots(3, rows=2, width=11.0, height=6.2)
    _latencies(axes[0], groups, limits or {})
    _timeline(axes[1], series)
    return _titled(figure, title, stable=stable)


def fleet_figure(
    groups: Mapping[str, Latencies],
    series: FleetSeries,
    kinds: Sequence[str],
    *,
    title: str = "",
    limits: Mapping[str, float | None] | None = None,
    stable: bool = True,
) -> Any:
    """Return distributions of the three latencies above a fleet's replicas, load and use over time.

    Parameters
    ----------
    groups : mapping of str to Latencies
        A line each, by name: the requests that each kind of replica answered.
    series : FleetSeries
        The timeline.
    kinds : sequence of str
        Names of its kinds of replicas.
    title, limits, stable
        As of `simulation_figure`.
    """
    figure, axes = subplots(3, rows=2, width=11.0, height=6.2)
    _latencies(axes[0], groups, limits or {})
    unit, per = ("min", 60.0) if series.end_s[-1] > 600.0 else ("s", 1.0)
    edges = np.append(0.0, series.end_s) / per
    panels = (
        ("replicas that answer", series.up, 1.0), ("unanswered requests", series.outstanding, 1.0),
        ("time with a step running [%]", series.utilisation_frac, 100.0),
    )  # fmt: skip
    for axis, (label, values, scale) in zip(axes[1], panels, strict=True):
        for place in range(len(kinds)):
            axis.stairs(scale * values[:, place], edges, baseline=None, color=HUES[place % len(HUES)], linewidth=1.5)
        axis.set(xlabel=f"time [{unit}]", ylabel=label, xlim=(0, edges[-1]))
        axis.set_ylim(0, max(1.12 * scale * float(values.max()), 1e-9))
    if np.any(series.paid != series.up):
        for place in range(len(kinds)):
            axes[1, 0].stairs(
                series.paid[:, place], edges, baseline=None, color=HUES[place % len(HUES)], linewidth=1.0, linestyle=":"
            )
        axes[1, 0].set_ylabel("replicas that answer (dotted: paid)")
        axes[1, 0].set_ylim(0, 1.12 * float(series.paid.max()))
    return _titled(figure, title, stable=stable)


def _titled(figure: Any, title: str, *, stable: bool) -> Any:
    said = title if stable else f"{title} — UNSTABLE: the queue grows for as long as the load lasts"
    figure.suptitle(said, x=0.01, ha="left", fontsize=10.5, color=INK if stable else HUES[5])
    return figure


def _latencies(axes: Sequence[Any], groups: Mapping[str, Latencies], limits: Mapping[str, float | None]) -> None:
    """Draw the distributions of the three latencies, and their limits."""
    for axis, (name, words, scale, unit) in zip(axes, _TIMES, strict=True):
        _distribution(axis, groups, name, f"{words} [{unit}]", scale)
        limit = limits.get(name)
        if limit is not None:
            axis.axvline(scale * limit, color=MUTED, linestyle=":", linewidth=1.2)
    axes[0].set_ylabel("share of requests")


def _distribution(axis: Any, groups: Mapping[str, Latencies], name: str, label: str, scale: float) -> None:
    widest = 0.0
    for place, (group, seen) in enumerate(groups.items()):
        values = getattr(seen, name)[seen.counted]
        values = scale * np.sort(values[np.isfinite(values)])
        if not len(values):
            continue
        share = (np.arange(len(values)) + 1.0) / len(values)
        places = np.unique(np.linspace(0, len(values) - 1, 600).astype(int))
        axis.plot(values[places], share[places], color=HUES[place % len(HUES)], linewidth=1.6)
        widest = max(widest, float(np.quantile(values, 0.998)))
        if len(groups) > 1:
            axis.annotate(
                group, (0.97, 0.06 + 0.085 * place), xycoords="axes fraction", ha="right", fontsize=8.5,
                color=HUES[place % len(HUES)],
            )  # fmt: skip
        else:
            for share_of, height in ((0.5, 0.5), (0.9, 0.9), (0.99, 0.99)):
                at = float(np.quantile(values, share_of))
                axis.plot([at], [height], marker="o", markersize=3.5, color=INK)
                axis.annotate(
                    f"p{100 * share_of:.0f} {at:,.3g}", (at, height), xytext=(6, -9), textcoords="offset points",
                    fontsize=8, color=INK,
                )  # fmt: skip
    axis.set(xlabel=label, ylim=(0, 1.02))
    axis.set_xlim(0, 1.12 * widest if widest > 0 else 1.0)


def _timeline(axes: Sequence[Any], series: Series) -> None:
    minutes = series.start_s[-1] + series.bin_s > 600.0
    unit, per = ("min", 60.0) if minutes else ("s", 1.0)
    edges = np.append(series.start_s, series.start_s[-1] + series.bin_s) / per
    end = float(edges[-1])
    lines: tuple[tuple[Any, str, tuple[tuple[str, Any, str], ...]], ...] = (
        (axes[0], "requests per second", (
            ("arrive", series.arrivals_per_s, MUTED), ("finish", series.finished_per_s, HUES[0]))),
        (axes[1], "requests", (("in work", series.running, HUES[0]), ("waiting", series.waiting, HUES[5]))),
        (axes[2], "output tokens per second", (("", series.output_tok_per_s, HUES[2]),)),
    )  # fmt: skip
    for axis, label, drawn in lines:
        for _, values, colour in drawn:
            axis.stairs(values, edges, color=colour, linewidth=1.5)
        axis.set(xlabel=f"time [{unit}]", ylabel=label, xlim=(0, end))
        axis.set_ylim(bottom=0)
        end_labels(
            axis, [(float(values[-max(len(values) // 12, 1)]), name, colour) for name, values, colour in drawn], end
        )
    axes[2].yaxis.label.set_color(HUES[2])
    twin = axes[2].twinx()
    for side in ("top", "bottom", "left", "right"):
        twin.spines[side].set_visible(False)
    twin.stairs(100.0 * series.kv_frac, edges, color=HUES[3], linewidth=1.2, linestyle="--")
    twin.set_ylabel("cache held [%]", color=HUES[3])
    twin.set_ylim(0, max(100.0, 105.0 * float(series.kv_frac.max())))
    twin.grid(visible=False)


def sweep_figure(points: Sequence[Mapping[str, Any]], *, title: str = "", slo: Mapping[str, Any] | None = None) -> Any:
    """Return latency over the arrival rate, and output per accelerator over the time per token.

    Parameters
    ----------
    points : sequence of mapping
        Records of `jevons simulate` at rising rates: ``rate``, ``ttft_s``, ``tpot_s`` (with ``p50`` and ``p99``),
        ``output_tok_per_s_per_gpu``, ``goodput_req_per_s``, ``stable``.
    title : str
        What was simulated.
    slo : mapping, optional
        ``ttft_s`` and ``tpot_s``: latency limits to draw.
    """
    figure, axes = subplots(3, width=11.0, height=3.7)
    rates = [point["rate"] for point in points]
    for axis, name, label, scale in ((axes[0], "ttft_s", "time to first token [s]", 1.0),
                                     (axes[1], "tpot_s", "time per output token [ms]", 1e3)):  # fmt: skip
        for quantile, colour in (("p99", HUES[5]), ("p50", HUES[0])):
            times = [scale * point[name][quantile] if point[name] else np.nan for point in points]
            axis.plot(rates, times, color=colour, linewidth=1.6)
            for rate, time, point in zip(rates, times, points, strict=True):
                fill = colour if point["stable"] else "white"
                axis.plot([rate], [time], marker="o", markersize=5, color=colour, markerfacecolor=fill)
            axis.annotate(quantile, (rates[-1], times[-1]), xytext=(6, 0), textcoords="offset points", color=colour)
        limit = (slo or {}).get(name)
        if limit is not None:
            axis.axhline(scale * limit, color=MUTED, linestyle=":", linewidth=1.2)
        axis.set(xlabel="arrivals [requests/s]", ylabel=f"{label} (log scale)", yscale="log")
        log_ticks(axis.yaxis)
        axis.tick_params(axis="y", which="minor", labelsize=8)
    if not all(point["stable"] for point in points):
        axes[0].set_title("hollow: the queue grows without end", loc="left", fontsize=8.5, fontweight="normal")
    steady = [point for point in points if point["stable"] and point["tpot_s"]]
    per_gpu = [point["output_tok_per_s_per_gpu"] for point in steady]
    users = [1.0 / point["tpot_s"]["p50"] for point in steady]
    axes[2].plot(users, per_gpu, color=HUES[2], linewidth=1.6, marker="o", markersize=4)
    for point, x, y in zip(steady, users, per_gpu, strict=True):
        axes[2].annotate(
            f"{point['rate']:g}/s", (x, y), xytext=(5, 3), textcoords="offset points", fontsize=8, color=INK
        )
    axes[2].set(xlabel="tokens/s that a user sees (median)", ylabel="output tokens/s per accelerator")
    axes[2].margins(x=0.15)
    axes[2].set_ylim(bottom=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return figure


def latency(result: SimulationResult) -> Any:
    """Draw latencies and timeline of equal replicas, a line for each class."""
    run, options = result.run, result.options
    requests, mix, entry_s = run.requests, run.offered.mix, entry_time_s(run.deployment)
    seen = sim.latencies(requests, run.simulated, entry_s)
    groups = {"all": seen}
    if mix is not None and len(mix.classes) > 1:
        groups = {
            request_class.name: dataclasses.replace(seen, counted=seen.counted & (mix.of_class[seen.place] == number))
            for number, request_class in enumerate(mix.classes)
        }
    series = sim.time_series(requests, run.simulated, run.limits, replicas=run.all_replicas, entry_s=entry_s)
    return simulation_figure(
        groups,
        series,
        title=f"{requests.count:,} requests, {requests.origin}, on {run.words}",
        limits={"ttft_s": options.limits.ttft, "tpot_s": options.limits.tpot, "e2e_s": options.limits.e2e},
        stable=result.stable,
    )


def fleet_latency(result: FleetSimulationResult) -> Any:
    """Draw latencies by kind of replica above the fleet over time."""
    run, record = result.run, result.record
    seen = sim.latencies(run.load.requests, run.simulated, run.entry_s)
    of_kind = kind_of_replica(run.kinds)[run.simulated.trail.replica[seen.place]]
    groups = {
        kind.name: sim.Latencies(
            **{f.name: np.asarray(getattr(seen, f.name))[of_kind == k] for f in dataclasses.fields(seen)}
        )
        for k, kind in enumerate(run.kinds)
    }
    title = f"{record['requests']:,} requests, {record['load']}, routing {record['routing']}"
    names = [kind.name for kind in run.kinds]
    return fleet_figure(groups, run.simulated.series, names, title=title, limits=record["slo"], stable=result.stable)


def sweep(result: SweepResult) -> Any:
    """Draw latency over the arrival rate."""
    first = result.points[0]
    title = f"{first['model']} on {first['replicas']} x tp{first['tp']} {first['gpu']}"
    slo = {name: first["slo"][name] for name in ("ttft_s", "tpot_s")}
    return sweep_figure(result.points, title=title, slo=slo)


FIGURES: dict[str, Callable[[Any], Any]] = {"latency": latency}
FLEET_FIGURES: dict[str, Callable[[Any], Any]] = {"latency": fleet_latency}
SWEEP_FIGURES: dict[str, Callable[[Any], Any]] = {"sweep": sweep}
