"""What `jevons.size` returns: fleets, the front, and what was left out and why; as tables, JSON and explanations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jevons import deploy, serving
from jevons.checks import check, check_finite, check_sum
from jevons.deploy import Handover
from jevons.hardware import Accelerator
from jevons.models import ModelSpec
from jevons.provenance import Ledger
from jevons.results import Cell, Column, Result, Table, table
from jevons.serving.memory import memory_plan
from jevons.serving.neighbours import Measured, nearest
from jevons.sizing.finalists import Missed
from jevons.sizing.fleet import Fleet, degrees
from jevons.sizing.handover import emitted, handover, launch, launch_warnings
from jevons.sizing.hour_price import SITE, HourPrice
from jevons.sizing.memory import longest_told, memory_record, start_note
from jevons.sizing.nearest import nearest_records, nearest_sentence, nearest_table
from jevons.sizing.service import Demand, Service
from jevons.sizing.size_answer import LATENCIES, Relaxed, carries, cheaper, left_out, sureness
from jevons.sizing.size_ledger import size_ledger
from jevons.sizing.what_changes import of_fleets
from jevons.units import HOURS_PER_MONTH
from jevons.words import Sentence, answer_of

if TYPE_CHECKING:
    import polars as pl

_SHOWN, _FEW = 8, 5
"""Fleets that are handed over, and that a terminal shows where no details are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """One layout that was left out: device, layout, precision, the limit in few words, and the whole message."""

    gpu: str
    layout: str
    degrees: Mapping[str, Any]
    precision: str
    accelerators: int
    reason: str
    detail: str

    @classmethod
    def of(cls, rejection: serving.Rejection) -> Infeasible:
        """Return it from what the search says."""
        d = rejection.deployment
        detail = rejection.detail.split(" Binding limits")[0]
        return cls(
            gpu=d.accelerator.id,
            layout=str(d.layout),
            degrees=degrees(d),
            precision=d.precision,
            accelerators=d.devices,
            reason=rejection.reason,
            detail=detail,
        )

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "gpu": self.gpu,
            "layout": self.layout,
            "precision": self.precision,
            "accelerators": self.accelerators,
            "reason": self.reason,
            "detail": self.detail,
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class SizeResult(Result):
    """Fleets that serve a model's load within its limits.

    Parameters
    ----------
    model : ModelSpec
        What is served.
    service, demand : Service, Demand
        How, for whom, under which load.
    rate_req_per_s : float
        Load to carry [req/s]; 0 for one replica at full load.
    gpus : tuple of str
        Candidate devices.
    prices : mapping of str to HourPrice or None
        Of an accelerator-hour, by device.
    entries, pareto : tuple of Fleet
        Fleets that keep the limits, best first; those that no other beats in cost, accelerators, power and response.
    tried : int
        Layouts looked at.
    infeasible : tuple of Infeasible
        Layouts left out, each with its reason.
    missed : tuple of Missed
        Finalists that missed a limit when simulated.
    confidence : float
        Probability of keeping the limits with which a fleet is recommended, where one reaches it.
    asked : str
        Model as it was asked for.
    site : str
        Site of accelerators of one's own.
    relaxed : Relaxed or None
        What a weaker limit would buy, of the one that binds; None where none does.
    """

    kind: ClassVar[str] = "size"
    picture: ClassVar[str] = "pareto"

    model: ModelSpec
    service: Service
    demand: Demand
    rate_req_per_s: float
    gpus: tuple[str, ...]
    prices: Mapping[str, HourPrice | None]
    entries: tuple[Fleet, ...]
    pareto: tuple[Fleet, ...]
    tried: int
    infeasible: tuple[Infeasible, ...]
    missed: tuple[Missed, ...]
    confidence: float = 0.8
    asked: str = ""
    site: str = SITE
    relaxed: Relaxed | None = None

    def check(self) -> None:
        """Check counts, cost, memory and limits of each fleet."""
        super().check()
        for fleet in (*self.entries, *self.pareto):
            name, point, unqueued = fleet.words(), fleet.point, fleet.unqueued
            prompts = 0 if fleet.prefill is None else fleet.prefill.devices * fleet.prefill_replicas
            check_sum(f"{name}: accelerators", (fleet.deployment.devices * fleet.replicas, prompts), fleet.accelerators)
            if fleet.per_hour is not None and fleet.price is not None:
                check_sum(f"{name}: cost an hour", [fleet.price.amount * fleet.accelerators], fleet.per_hour)
            use = memory_plan(fleet.deployment)
            room = use.room_bytes + (0.0 if use.graphs_inside else use.graphs_bytes)
            check_sum(f"{name}: memory", point.memory_bytes.values(), room, tolerance=1e-3)
            for shown in (point, unqueued):
                check_finite({f"{name}: TTFT": shown.ttft_s, f"{name}: TPOT": shown.tpot_s})
            if fleet.observed is None and self.demand.given:
                seen = (unqueued.ttft_s, unqueued.tpot_s, fleet.e2e_s)
                for word, value, limit in zip(("TTFT", "TPOT", "E2E"), seen, self.service.slo, strict=True):
                    check(limit is None or value <= limit * (1 + 1e-9), f"{name}: {word} {value} exceeds {limit}")

    def draws_picture(self, name: str) -> bool:
        """Return whether it is this result's picture: sizes, comparisons and presets share a list."""
        return name == self.picture

    @property
    def best(self) -> Fleet:
        """The first of the entries."""
        return self.entries[0]

    @property
    def accelerator(self) -> Accelerator:
        """Device of the best fleet."""
        return self.best.deployment.accelerator

    @property
    def price(self) -> HourPrice | None:
        """Price of an hour of that device."""
        return self.best.price

    @property
    def rejected(self) -> Mapping[str, int]:
        """How many layouts were left out, by reason."""
        return dict(Counter(i.reason for i in self.infeasible))

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The recommended fleet, what it carries, how surely, and a cheaper one that is less sure."""
        cheapest = min(self.entries, key=lambda fleet: fleet.rank)
        more = cheaper(self.entries, self.service, self.names[_identity(cheapest)]) if self.demand.given else ()
        return (*self._sentences(self.best), *more)

    def _sentences(self, fleet: Fleet) -> tuple[Sentence, ...]:
        demand, rate = self.demand, self.rate_req_per_s
        first = carries(fleet, self.service, rate_req_per_s=rate, users=demand.users, model=self.model.name)
        sure = sureness(fleet, self.service, demand, self.confidence)
        return (first, *sure)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """Which limit binds, why layouts were left out, whether the engine starts, and what was measured nearest."""
        relaxed = () if self.relaxed is None else (self.relaxed.sentence(),)
        left = (left_out(self.rejected, self.tried, len(self.missed)),) if self.infeasible else ()
        deployment = self.best.deployment
        told = replace(deployment, max_model_len=longest_told(deployment, self.service.isl + self.service.osl))
        return (*relaxed, *left, *start_note(told), nearest_sentence(self.nearest))

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """Up to which load the best fleet does, which limit is next, and what a weaker one or another price buys."""
        told = of_fleets(self.entries, self.service, self.rate_req_per_s, self.confidence)
        if self.relaxed is None:
            return tuple(told)
        own = (one for one in told if one.id != "change.limit" or one.values["limit"] != self.relaxed.limit)
        return (*own, self.relaxed.sentence())

    @cached_property
    def nearest(self) -> tuple[Measured, ...]:
        """Measured runs nearest to a replica of the best fleet."""
        best, service = self.best, self.service
        apart = best.prefill is not None
        return nearest(best.deployment, service.isl, service.osl, float(best.point.batch), apart=apart)

    @property
    def ledger(self) -> Ledger:
        """How the figures of the fleets were made, the best first."""
        return size_ledger(self.entries, self.best, self.service, self.demand, self.site)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            **self.answer_record(),
            "notes": list(self.notes),
            "note_parts": [note.record() for note in self.note_parts],
            **self._figures(self._record),
        }

    def _figures_to_check(self) -> dict[str, Any]:
        """Return the document without what launches each fleet, and the sentences."""
        return self._figures(lambda fleet: fleet.record(self.service))

    def _figures(self, record: Callable[[Fleet], dict[str, Any]]) -> dict[str, Any]:
        """Return the figures of the document, and of each fleet what *record* gives."""
        price, demand = self.price, self.demand
        return {
            "binding": None if self.relaxed is None else self.relaxed.record(),
            "model": self.model.name,
            "gpu": self.accelerator.id,
            "gpus": list(self.prices),
            "isl": self.service.isl,
            "osl": self.service.osl,
            "limits": {
                "ttft_s": self.service.ttft_s, "tpot_s": self.service.tpot_s, "e2e_s": self.service.e2e_s,
                "percentile": self.service.percentile if self.best.observed else "mean without queueing",
                "confidence": self.confidence,
            },
            "load": {
                "rate_req_per_s": self.rate_req_per_s, "users": demand.users, "think_s": demand.think_s,
                "trace": None if demand.trace is None else str(demand.trace), "seed": demand.seed, "runs": demand.runs,
            },
            "hour_price": None
            if price is None
            else {"amount": price.amount, "currency": price.currency, "origin": price.origin},
            "best": record(self.best),
            "pareto": [record(f) for f in self.pareto],
            "entries": [record(f) for f in self.entries],
            "missed": [{"layout": m.fleet.words(), "gpu": m.fleet.deployment.accelerator.id, "reason": m.detail}
                       for m in self.missed],
            "tried": self.tried,
            "rejected": dict(self.rejected),
            "infeasible": [i.record() for i in self.infeasible],
            "left_out": [i.record() for i in self.infeasible],
            "nearest": nearest_records(self.nearest),
        }  # fmt: skip

    def _record(self, fleet: Fleet) -> dict[str, Any]:
        """Return a fleet as plain values, with what launches it."""
        handed = self._handed(fleet)
        return {
            "name": self.names[_identity(fleet)], "words": fleet.words(), **fleet.record(self.service),
            "launch": launch(handed), "launch_warnings": launch_warnings(handed),
        }  # fmt: skip

    @cached_property
    def listed(self) -> tuple[Fleet, ...]:
        """The entries as tables list them: the recommended fleet, the cheapest where it is another, then the others."""
        if not self.demand.given:
            return self.entries
        least = min(self.entries, key=lambda fleet: fleet.rank)
        first = [self.best] if least is self.best else [self.best, least]
        return (*first, *(fleet for fleet in self.entries if all(fleet is not chosen for chosen in first)))

    @cached_property
    def names(self) -> Mapping[tuple[str, str, float], str]:
        """Short names of the fleets: A, B and so on."""
        return _short_names((*self.listed, *self.pareto))

    def handover(self, fleet: Fleet | None = None) -> Handover:
        """Return a fleet with all that its launch commands need; the best where none is given."""
        fleet = fleet or self.best
        return self._handed(fleet, answer_of(*self._sentences(fleet)))

    def _handed(self, fleet: Fleet, answer: str = "") -> Handover:
        """Return it with what was predicted in words, which takes a prediction of its own and only files state."""
        return handover(
            fleet, self.service, self.demand, name=f"{self.model.name}-{self.names[_identity(fleet)].lower()}",
            answer=answer, asked=self.asked,
        )  # fmt: skip

    def deployments(self, target: str, fleet: Fleet | None = None) -> dict[str, str]:
        """Return the files that run a fleet on a target, by file name.

        Parameters
        ----------
        target : str
            vllm, sglang, trtllm (launch scripts), compose, k8s, dynamo or llmd.
        fleet : Fleet, optional
            The best where none is given.

        Raises
        ------
        InputError
            If the target is unknown, or cannot run the fleet.
        """
        return deploy.deployments(self.handover(fleet), target)

    def emit(self, folder: Path | str, *, force: bool = False) -> None:
        """Write launch commands, manifests and load tests of the fleets shown, a folder each, whole or not at all.

        Raises
        ------
        InputError
            If the folder holds files of somebody else and *force* is not set, or cannot be written.
        """
        fleets = {self.names[_identity(fleet)]: self.handover(fleet) for fleet in self.listed[:_SHOWN]}
        deploy.write_files(Path(folder), emitted(fleets), force=force)

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
        """Return a table as a polars frame; every figure of all fleets, a row each, where none is named."""
        if table is not None:
            return super().to_frame(table)
        import polars as pl

        rows = []
        for fleet in self.entries:
            record = fleet.record(self.service)
            plain = {k: v for k, v in record.items() if not isinstance(v, dict)}
            rows.append({"words": fleet.words(), **plain})
        return pl.DataFrame(rows)

    def _tables(self) -> Iterator[Table]:
        names, listed = self.names, self.listed
        yield _fleets(self, "fleets", self._head(), listed, names)
        yield _layouts("layouts", "Layouts of these fleets", listed, names)
        yield _memory(self, listed[:_SHOWN], names)
        title = "Pareto front: no fleet is both cheaper and faster"
        if not self.demand.given:
            title = "Pareto front of one replica: latency against throughput"
        if not {_identity(fleet) for fleet in self.pareto} <= {_identity(fleet) for fleet in self.entries}:
            yield _fleets(self, "pareto", title, self.pareto, names, detail=True)
            yield _layouts("pareto_layouts", "Layouts on the Pareto front", self.pareto, names, detail=True)
        if self.missed:
            columns = (
                Column("layout", "layout"), Column("weights", "weights"), Column("gpu", "device"),
                Column("reason", "reason"),
            )  # fmt: skip
            rows = [
                (m.fleet.words(), m.fleet.deployment.precision, m.fleet.deployment.accelerator.id, m.detail)
                for m in self.missed
            ]
            yield table("missed", "Finalists that missed a limit when simulated", columns, rows, detail=True)
        if self.infeasible:
            yield self._left_out()
        if self.nearest:
            yield nearest_table(self.nearest)

    def _head(self) -> str:
        s = self.service
        gpus = list(self.prices)
        on = gpus[0] if len(gpus) == 1 else f"{len(gpus)} devices"
        head = f"{self.model.name} on {on}, {s.isl:,} in, {s.osl:,} out, {self.demand.words}"
        how = ", not simulated" if self.demand.given and self.best.observed is None else ""
        return f"{head}: {len(self.entries)} fleets{how}"

    def _left_out(self) -> Table:
        """Return the rejected layouts: by device and reason, with the largest as an example."""
        groups: dict[tuple[str, str], list[Infeasible]] = {}
        for item in self.infeasible:
            groups.setdefault((item.gpu, item.reason), []).append(item)
        rows = []
        for (gpu, reason), items in sorted(groups.items(), key=lambda g: -len(g[1])):
            example = max(items, key=lambda i: i.accelerators)
            rows.append((gpu, reason, example.detail, len(items)))
        columns = (
            Column("gpu", "device"), Column("reason", "reason"), Column("example", "example"),
            Column("layouts", "layouts"),
        )  # fmt: skip
        return table("left_out", f"Rejected layouts ({self.tried} tried)", columns, rows, detail=True)


def _memory(result: SizeResult, fleets: tuple[Fleet, ...], names: Mapping[tuple[str, str, float], str]) -> Table:
    """Return the memory of one accelerator of each fleet's replicas, and what its cache holds."""
    tokens = result.service.isl + result.service.osl
    columns = (
        Column("fleet", "fleet"),
        *(
            Column(f"{part}_bytes", label, "GB", scale=1e-9)
            for part, label in (
                ("weights", "weights"), ("activations", "activations"), ("graphs", "graphs"), ("other", "other"),
                ("kv", "KV cache"),
            )
        ),
        Column("kv_tokens", "KV tokens"),
        Column("kv_tokens_low", "at least"),
        Column("kv_tokens_high", "at most"),
        Column("p_fits", "starts", "%", scale=100.0),
        Column("request_concurrency", f"maximum concurrency at {tokens:,} tokens"),
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for fleet in fleets:
        record = memory_record(fleet.deployment, tokens)
        rows.append([names[_identity(fleet)], *(record[column.name] for column in columns[1:])])
    return table("memory", "Memory of one accelerator of a replica", columns, rows, detail=True)


def _short_names(fleets: tuple[Fleet, ...]) -> dict[tuple[str, str, float], str]:
    """Return the name of each fleet, in order: A to Z, then A2 and so on."""
    names: dict[tuple[str, str, float], str] = {}
    for fleet in fleets:
        turn, letter = divmod(len(names), 26)
        names.setdefault(_identity(fleet), chr(ord("A") + letter) + (f"{turn + 1}" if turn else ""))
    return names


def _identity(fleet: Fleet) -> tuple[str, str, float]:
    return f"{fleet.prefill}|{fleet.prefill_replicas}", f"{fleet.deployment}|{fleet.replicas}", fleet.point.batch


def _layouts(
    name: str,
    title: str,
    fleets: tuple[Fleet, ...],
    names: Mapping[tuple[str, str, float], str],
    *,
    detail: bool = False,
) -> Table:
    """Return the layouts behind the short names of fleets."""
    columns = [Column("fleet", "fleet"), Column("layout", "layout")]
    several = len({fleet.deployment.precision for fleet in fleets}) > 1

    def words(fleet: Fleet) -> str:
        return f"{fleet.words()}, {fleet.deployment.precision} weights" if several else fleet.words()

    rows = [(names[_identity(fleet)], words(fleet)) for fleet in fleets]
    return table(name, title, columns, rows, detail=detail, most=_FEW, legend=True)


def _fleets(
    result: SizeResult,
    name: str,
    title: str,
    fleets: tuple[Fleet, ...],
    names: Mapping[tuple[str, str, float], str],
    *,
    detail: bool = False,
) -> Table:
    """Return a table of fleets: with the load's statistics where simulated, else those of one replica."""
    service = result.service
    currency = next((f.price.currency for f in fleets if f.price is not None), None)
    simulated = any(f.observed is not None for f in fleets)
    statistic = service.percentile if simulated else "mean"
    several, one_load = len(result.prices) > 1, result.rate_req_per_s > 0
    front = {_identity(fleet) for fleet in result.pareto}
    columns = [Column("fleet", "fleet"), Column("gpu", "device", detail=not several)]
    columns += [Column("weights", "weights", detail=True), Column("accelerators", "GPUs")]
    columns += [Column("batch", "batch", detail=True)]
    columns += [
        Column(
            f"{key.removesuffix('_s')}_{statistic}_s", f"{label} {statistic}", "ms", scale=1e3, detail=key == "e2e_s"
        )
        for key, label in LATENCIES.items()
    ]
    columns += [] if one_load else [Column("req_per_s", "load" if result.demand.given else "full load", "req/s")]
    columns += [Column("capacity_req_per_s", "capacity", "req/s")] if result.demand.given else []
    columns += [Column("chance_within_limits", "within limits", "%", scale=100.0, form="p")] if service.limits else []
    columns += [Column("power_w", "power", "kW", scale=1e-3, detail=True)]
    columns += [
        Column("cost_per_month", "cost", f"{currency} per month", detail=True),
        Column("cost_per_mtok", "cost", f"{currency}/Mtok"),
    ] if currency else []  # fmt: skip
    columns += [Column("front", "Pareto front", detail=True)]
    rows: list[list[Cell]] = []
    for fleet in fleets:
        record = fleet.record(service)
        hourly = record["cost_per_h"]
        row: list[Cell] = [names[_identity(fleet)], record["gpu"], record["precision"]]
        row += [record["accelerators"], float(record["batch"])]
        row += [fleet.statistic(key, statistic) for key in LATENCIES]
        row += [] if one_load else [float(record["req_per_s"])]
        row += [float(record["req_per_s_at_most"])] if result.demand.given else []
        row += [record["chance_within_limits"]] if service.limits else []
        row += [record["power_w"]]
        row += [None if hourly is None else hourly * HOURS_PER_MONTH, record["cost_per_mtok"]] if currency else []
        rows.append([*row, "yes" if _identity(fleet) in front else "no"])
    return table(name, title, columns, rows, detail=detail, most=_FEW)
