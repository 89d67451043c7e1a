"""Search of training layouts, and what a whole run takes."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from jevons.errors import InfeasibleError, InputError
from jevons.intervals import SURE
from jevons.training.exchange import Exchange, Groups, activations_s, exchange, hop_s
from jevons.training.factors import host_link
from jevons.training.formulas import odd_part
from jevons.training.memory import (
    check_context,
    check_offload,
    check_stage_layers,
    divides,
    host_bytes,
    memory_bytes,
    needs,
)
from jevons.training.memory_spread import fit_chance, may_fit, room_bytes
from jevons.training.step import MicroBatch, assemble, with_experts, without_experts
from jevons.training.types import RunEstimate, TrainingJob, TrainingLayout, TrainingSearch, TrainingStep

_SECONDS_PER_DAY = 86_400.0
_RECOMPUTE = ("none", "selective", "full")
_MULTIPLES = (2, 4, 8, 16)
ALL_LAYOUTS = 1_000_000


def search(
    job: TrainingJob,
    *,
    best: int = 10,
    zero: Sequence[int] = (1, 3),
    recompute: Sequence[str] = _RECOMPUTE,
    most_micro_batch: int = 8,
    most_cp: int = 1,
    zero_bubble: bool = False,
    offload: str = "none",
    fixed: Mapping[str, int] | None = None,
    stage_layers: tuple[int, ...] = (),
    sequence_parallel: bool = True,
    host_memory_bytes: float | None = None,
) -> TrainingSearch:
    """Try all layouts of a job that divide, memory first.

    Parameters
    ----------
    job : TrainingJob
        What is trained on which cluster.
    best : int
        How many of the fastest to return.
    zero : sequence of int
        Sharing of states among replicas to try.
    recompute : sequence of str
        Recomputation modes to try.
    most_micro_batch, most_cp : int
        Largest micro-batch and context parallelism, in powers of two.
    zero_bubble : bool
        Schedule of all pipelines.
    offload : str
        What all layouts keep in the host's memory.
    fixed : mapping of str to int, optional
        Sizes of `TrainingLayout`, such as ``tp`` or ``zero``, that all layouts have.
    stage_layers : tuple of int
        Layers of each stage of all layouts; as even as the head allows where empty.
    sequence_parallel : bool
        Whether tensor-parallel devices of all layouts share the tokens of norms and residuals.
    host_memory_bytes : float, optional
        Of the host, per device; that on file by default.

    Returns
    -------
    TrainingSearch
        Fastest layouts first, and how many were rejected for which reason.

    Raises
    ------
    InputError
        If sequences are longer than the model takes, or given stages do not hold its layers.
    InfeasibleError
        If no layout divides and fits.
    """
    wanted = dict(fixed or {})
    check_context(job)
    if stage_layers:
        check_stage_layers(job, stage_layers, wanted.get("pp", len(stage_layers)), wanted.get("vpp", 1))
        wanted |= {"pp": len(stage_layers), "vpp": 1}
    common = TrainingLayout(
        zero_bubble=zero_bubble, offload=offload, stage_layers=stage_layers, sequence_parallel=sequence_parallel
    )
    if common.offloads("parameters"):
        wanted.setdefault("zero", 3)
    check_offload(replace(common, zero=wanted.get("zero", 1)))
    layouts = _layouts(job, common, zero, recompute, most_micro_batch, most_cp, wanted)
    searched = _of_all(job, layouts, host_memory_bytes)
    if not searched.steps:
        raise _nothing(job, common, searched, wanted)
    return TrainingSearch(searched.steps[:best], searched.tried, searched.rejected)


def surest_first(job: TrainingJob, steps: tuple[TrainingStep, ...]) -> tuple[TrainingStep, ...]:
    """Return steps with the fastest first that surely fits, where there is one, and the others behind it."""
    sure = next((s for s in steps if fit_chance(job, sum(s.memory_bytes.values())) >= SURE), steps[0])
    return (sure, *(s for s in steps if s is not sure))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Steps of those layouts that divide and fit, fastest first, and the smallest of those that do not."""

    steps: tuple[TrainingStep, ...]
    tried: int
    rejected: Mapping[str, int]
    smallest: tuple[TrainingLayout, dict[str, float]] | None


def _of_all(job: TrainingJob, layouts: Iterable[TrainingLayout], host_memory_bytes: float | None) -> _Found:
    """Return the steps of layouts, memory first."""
    rejected: Counter[str] = Counter()
    steps: list[TrainingStep] = []
    known, tried, least = _Known(job), 0, math.inf
    smallest: tuple[TrainingLayout, dict[str, float]] | None = None
    device, room = job.cluster.accelerator, room_bytes(job)
    host = host_link(device).capacity_bytes if host_memory_bytes is None else host_memory_bytes
    for layout in layouts:
        if not divides(job, layout):
            continue
        tried += 1
        memory = memory_bytes(job, layout)
        total = sum(memory.values())
        if total > room:
            rejected["device memory"] += 1
            if total < least:
                least, smallest = total, (layout, memory)
            continue
        if layout.offload != "none" and host_bytes(job, layout) > host:
            rejected["host memory"] += 1
            continue
        steps.append(assemble(job, layout, *known.times(layout), memory))
    steps.sort(key=lambda step: step.step_time_s)
    return _Found(steps=tuple(steps), tried=tried, rejected=dict(rejected), smallest=smallest)


class _Known:
    """Times of a job's layouts, each worked out once for all layouts that share it."""

    def __init__(self, job: TrainingJob) -> None:
        self.job = job
        self.others: dict[tuple[int, ...], MicroBatch] = {}
        self.micro: dict[tuple[int, ...], MicroBatch] = {}
        self.spread: dict[tuple[object, ...], Exchange] = {}
        self.hops: dict[tuple[int, ...], float] = {}
        self.groups: Groups = {}

    def times(self, layout: TrainingLayout) -> tuple[MicroBatch, Exchange]:
        """Return the times of a micro-batch and between stages, replicas and host."""
        job, alike = self.job, (layout.tp, layout.cp, layout.micro_batch, layout.etp)
        key = (*alike, layout.ep)
        if key not in self.micro:
            if alike not in self.others:
                self.others[alike] = without_experts(job, layout)
            self.micro[key] = with_experts(job, layout, self.others[alike])
        spread = (
            layout.tp, layout.pp, layout.cp, layout.ep, layout.etp, layout.zero, layout.shard, layout.stage_layers,
            layout.offload,
        )  # fmt: skip
        hop = (layout.tp, layout.cp, layout.pp > 1, layout.micro_batch)
        if hop not in self.hops:
            self.hops[hop] = hop_s(job, layout)
        if spread not in self.spread:
            self.spread[spread] = exchange(job, layout, hop=self.hops[hop], known=self.groups)
        between = replace(self.spread[spread], hop_s=self.hops[hop])
        if layout.offload != "none":
            between = replace(between, activations_s=activations_s(job, layout))
        return self.micro[key], between


def _nothing(job: TrainingJob, common: TrainingLayout, searched: _Found, fixed: Mapping[str, int]) -> InfeasibleError:
    """Return the error of a search without an answer, with what is missing and the nearest change that gives one."""
    device, tried = job.cluster.accelerator, searched.tried
    own = {name: value for name, value in fixed.items() if value > 1 or (job.cluster.devices > 1 and name != "shard")}
    given = "".join(f", {name} = {value}" for name, value in own.items())
    head = (
        f"no layout of {job.model.name} with {job.global_batch} sequences of {job.seq_len} on "
        f"{job.cluster.devices} {device.id}{given} divides and fits: "
    )
    if not tried:
        more = _free_layout(job, common, fixed) or _other_batch(job, common, fixed) or _changes(job)
        return InfeasibleError(f"{head}none divides. {more}", ["fixed layout" if fixed else "global batch"])
    if searched.rejected.get("host memory"):
        more = (
            f"{searched.rejected['host memory']} of {tried} exceed the memory of their hosts. Use more devices, or "
            "state the hosts' with --host-memory."
        )
        return InfeasibleError(head + more, ["host memory"])
    message = head
    if searched.smallest is not None:
        layout, parts = searched.smallest
        message += f"the smallest of {tried}, {layout}, needs {needs(parts)} of {device.hbm_bytes / 1e9:.1f} GB. "
        message += may_fit(job, sum(parts.values()))
    message += _free_layout(job, common, fixed) or _changes(job)
    return InfeasibleError(message, ["fixed layout" if own else "device memory"])


def _usual_steps(job: TrainingJob, common: TrainingLayout, fixed: Mapping[str, int]) -> tuple[TrainingStep, ...]:
    """Return the steps of the layouts that most runs choose from, fastest first."""
    zero = (3,) if common.offloads("parameters") else (1, 3)
    return _of_all(job, _layouts(job, common, zero, _RECOMPUTE, 8, 1, fixed), None).steps


def _free_layout(job: TrainingJob, common: TrainingLayout, fixed: Mapping[str, int]) -> str:
    """Return the fastest layout of other degrees, or of what the host can keep, in words; empty where there is none."""
    host = ("activations",) if job.adapters else ("both", "optimizer,parameters,activations")
    for offload in (*([common.offload] if fixed else []), *host):
        steps = _usual_steps(job, TrainingLayout(offload=offload), {})
        if steps:
            return f"The fastest that does: {steps[0].layout}."
    return ""


def _other_batch(job: TrainingJob, common: TrainingLayout, fixed: Mapping[str, int]) -> str:
    """Return the nearest global batch that the devices divide and what it gives, in words; empty where none does."""
    devices = job.cluster.devices
    odd = odd_part(devices)
    near = {m * max(round(job.global_batch / m), 1) for m in (odd, devices)}
    near |= {devices * (job.global_batch // devices + 1)}
    for batch in sorted(near, key=lambda batch: abs(batch - job.global_batch)):
        steps = _usual_steps(replace(job, global_batch=batch), common, fixed)
        if steps:
            return f"Use a batch of {batch:,} sequences (--batch): {steps[0].layout}."
    return ""


def _changes(job: TrainingJob) -> str:
    """Return what makes a job smaller, in words."""
    changes = ["shorter sequences", "a larger device"]
    if job.recipe is not None and not job.recipe.fused_loss:
        changes.insert(0, "a fused loss")
    if not job.adapters:
        changes.append("adapters alone (--method qlora)")
    return f"{_more_devices(job)}Use {', '.join(changes[:-1])} or {changes[-1]}."


def _more_devices(job: TrainingJob) -> str:
    """Return the least of a few multiples of the devices that fit the job, in words; empty where none does."""
    for times in _MULTIPLES:
        count = job.cluster.devices * times
        larger = replace(job, cluster=replace(job.cluster, devices=count), global_batch=job.global_batch * times)
        if _usual_steps(larger, TrainingLayout(), {}):
            return f"On {count} it fits. "
    return ""


def run_estimate(
    job: TrainingJob,
    step: TrainingStep,
    *,
    tokens: float | None = None,
    price_per_accelerator_h: float | None = None,
    goodput_frac: float = 1.0,
) -> RunEstimate:
    """Time, accelerator-hours, energy and price of a whole run.

    Parameters
    ----------
    job, step
        The job and its step.
    tokens : float, optional
        Of the run; the job's by default.
    price_per_accelerator_h : float, optional
        Per accelerator-hour, in any currency.
    goodput_frac : float
        Share of wall time in useful steps, in (0, 1]; failures, restarts and evaluation take the rest.

    Raises
    ------
    InputError
        If there are no tokens, or the share is out of range.
    """
    total = job.tokens if tokens is None else tokens
    if not total > 0:
        message = f"tokens = {total:g}: a run needs more than 0"
        raise InputError(message)
    if not 0.0 < goodput_frac <= 1.0:
        message = f"goodput_frac = {goodput_frac}: must be above 0 and at most 1"
        raise InputError(message)
    wall_s = total / step.tokens_per_s / goodput_frac
    hours = wall_s / 3600.0 * job.cluster.devices
    return RunEstimate(
        days=wall_s / _SECONDS_PER_DAY,
        accelerator_h=hours,
        energy_j=wall_s * job.cluster.devices * job.cluster.accelerator.server_w,
        cost=None if price_per_accelerator_h is None else hours * price_per_accelerator_h,
        goodput_frac=goodput_frac,
    )


def _layouts(
    job: TrainingJob,
    common: TrainingLayout,
    zero: Sequence[int],
    recompute: Sequence[str],
    most_micro_batch: int,
    most_cp: int,
    fixed: Mapping[str, int],
) -> Iterator[TrainingLayout]:
    devices, layers = job.cluster.devices, job.model.n_layers
    domain = max(job.cluster.accelerator.scaleup_domain, 1)

    def tried(name: str, choices: Sequence[int]) -> Sequence[int]:
        return [fixed[name]] if name in fixed else choices

    for tp in tried("tp", _powers(min(devices, domain))):
        for cp in tried("cp", _powers(most_cp)):
            for pp in tried("pp", _stages(devices // (tp * cp), layers)):
                dp, rest = divmod(devices, tp * cp * pp)
                if rest or dp < 1 or fixed.get("dp", dp) != dp:
                    continue
                beside = itertools.product(
                    _expert_sizes(job, tp, dp * cp, tried),
                    tried("micro_batch", _powers(most_micro_batch)),
                    tried("vpp", virtual_stages(layers, pp)),
                    _sharing(tried("zero", zero), pp, dp * cp, domain // tp, fixed),
                    recompute,
                )
                for (ep, etp), size, vpp, (share, shard), mode in beside:
                    yield replace(
                        common, tp=tp, pp=pp, vpp=vpp, dp=dp, cp=cp, ep=ep, zero=share, recompute=mode,
                        micro_batch=size, etp=etp, shard=shard,
                    )  # fmt: skip


def _expert_sizes(
    job: TrainingJob, tp: int, replicas: int, tried: Callable[[str, Sequence[int]], Sequence[int]]
) -> Iterator[tuple[int, int]]:
    """Sizes of ep and etp: experts split like everything else, or each whole on one device."""
    if not job.model.is_moe:
        yield from ((ep, etp) for ep in tried("ep", [1]) for etp in tried("etp", [0]))
        return
    for etp in tried("etp", [0, 1] if tp > 1 else [0]):
        for ep in tried("ep", _powers(replicas * tp // (etp or tp))):
            yield ep, etp


def _sharing(
    zero: Sequence[int], pp: int, replicas: int, near: int, fixed: Mapping[str, int]
) -> Iterator[tuple[int, int]]:
    """Sharing of states and its groups: all replicas, and with shared weights those within a scale-up domain."""
    for share in zero:
        if share >= 3 and pp > 1 and "zero" not in fixed:
            continue  # gathering weights anew for each of a stage's micro-batches never pays
        if "shard" in fixed:
            yield share, fixed["shard"]
            continue
        yield share, 0
        if share >= 3 and 1 < near < replicas:
            yield share, near


def _stages(most: int, layers: int) -> list[int]:
    """Pipeline sizes worth trying: powers of two, and divisors of the layers with or without the two ends."""
    whole = {p for p in range(1, min(layers, most, 64) + 1) if layers % p == 0 or (layers + 2) % p == 0}
    return sorted(whole | {p for p in _powers(min(most, 64)) if p <= layers})


def virtual_stages(layers: int, pp: int) -> list[int]:
    """Return the virtual stages per device that divide the layers, with or without the two ends counted as layers."""
    if pp == 1:
        return [1]
    return [v for v in range(1, layers // pp + 1) if v == 1 or layers % (pp * v) == 0 or (layers + 2) % (pp * v) == 0]


def _powers(most: int) -> list[int]:
    return [2**i for i in range(max(most, 1).bit_length()) if 2**i <= most]
