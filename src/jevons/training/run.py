"""Search of training layouts, and what a whole run takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from jevons.errors import InfeasibleError, InputError
from jevons.training.exchange import Exchange, Groups, activations_s, exchange, hop_s
from jevons.training.memory import check_context, check_stage_layers, divides, memory_bytes
from jevons.training.step import MicroBatch, assemble, with_experts, without_experts
from jevons.training.types import RunEstimate, TrainingJob, TrainingLayout, TrainingSearch, TrainingStep

_SECONDS_PER_DAY = 86_400.0
_RECOMPUTE = ("none", "selective", "full")


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
    rejected: Counter[str] = Counter()
    found: list[TrainingStep] = []
    known = _Known(job)
    tried = 0
    check_context(job)
    wanted = dict(fixed or {})
    if stage_layers:
        check_stage_layers(job, stage_layers, wanted.get("pp", len(stage_layers)), wanted.get("vpp", 1))
        wanted |= {"pp": len(stage_layers), "vpp": 1}
    common = TrainingLayout(zero_bubble=zero_bubble, offload=offload, stage_layers=stage_layers)
    for layout in _layouts(job, common, zero, recompute, most_micro_batch, most_cp, wanted):
        if not divides(job, layout):
            continue
        tried += 1
        memory = memory_bytes(job, layout)
        if sum(memory.values()) > job.cluster.accelerator.hbm_bytes:
            rejected["device memory"] += 1
            continue
        found.append(assemble(job, layout, *known.times(layout), memory))
    if not found:
        raise _nothing(job, tried, rejected["device memory"], wanted, offload)
    found.sort(key=lambda step: step.step_time_s)
    return TrainingSearch(tuple(found[:best]), tried, dict(rejected))


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


def _nothing(job: TrainingJob, tried: int, exceed: int, fixed: Mapping[str, int], offload: str) -> InfeasibleError:
    """Return the error of a search without an answer, with the nearest change that gives one."""
    device = job.cluster.accelerator
    given = "".join(f", {name} = {value}" for name, value in fixed.items())
    message = (
        f"no layout of {job.model.name} with {job.global_batch} sequences of {job.seq_len} on "
        f"{job.cluster.devices} {device.id}{given} divides and fits ({tried} divide, {exceed} of them exceed "
        f"{device.hbm_bytes / 1e9:.0f} GB). "
    )
    if fixed:
        return InfeasibleError(message + _nearest(job, offload=offload), ["fixed layout"])
    if exceed and offload != "both":
        return InfeasibleError(message + _nearest(job, offload="both"), ["device memory"])
    message += "Use more devices, a larger global batch, or shorter sequences."
    return InfeasibleError(message, ["device memory"] if tried else ["global batch"])


def _nearest(job: TrainingJob, *, offload: str) -> str:
    try:
        layout = search(job, best=1, offload=offload).best[0].layout
    except InfeasibleError:
        return "Use more devices, a larger global batch, or shorter sequences."
    return f"The fastest that does: {layout}."


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
                chunks = tried("vpp", virtual_stages(layers, pp))
                for ep, etp in _expert_sizes(job, tp, dp * cp, tried):
                    for size in tried("micro_batch", _powers(most_micro_batch)):
                        for vpp in chunks:
                            for share, shard in _sharing(tried("zero", zero), pp, dp * cp, domain // tp, fixed):
                                for mode in recompute:
                                    yield TrainingLayout(
                                        tp=tp,
                                        pp=pp,
                                        vpp=vpp,
                                        dp=dp,
                                        cp=cp,
                                        ep=ep,
                                        zero=share,
                                        recompute=mode,
                                        micro_batch=size,
                                        zero_bubble=common.zero_bubble,
                                        etp=etp,
                                        shard=shard,
                                        stage_layers=common.stage_layers,
                                        offload=common.offload,
                                    )


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
