"""Search of training layouts, and what a whole run takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jevons.errors import InfeasibleError, InputError
from jevons.training.memory import divides, memory_bytes
from jevons.training.step import Exchange, MicroBatch, assemble, exchange, hop_s, with_experts, without_experts
from jevons.training.types import RECOMPUTE, RunEstimate, TrainingJob, TrainingLayout, TrainingSearch, TrainingStep

_SECONDS_PER_DAY = 86_400.0


def search(
    job: TrainingJob,
    *,
    best: int = 10,
    zero: Sequence[int] = (1, 3),
    recompute: Sequence[str] = RECOMPUTE,
    most_micro_batch: int = 8,
    most_cp: int = 1,
    zero_bubble: bool = False,
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

    Returns
    -------
    TrainingSearch
        Fastest layouts first, and how many were rejected for which reason.

    Raises
    ------
    InfeasibleError
        If no layout divides and fits.
    """
    rejected: Counter[str] = Counter()
    found: list[TrainingStep] = []
    times: dict[tuple[int, int, int, int], MicroBatch] = {}
    others: dict[tuple[int, int, int], MicroBatch] = {}
    exchanges: dict[tuple[int, ...], Exchange] = {}
    hops: dict[tuple[int, int, bool, int], float] = {}
    tried = 0
    for layout in _layouts(job, zero, recompute, most_micro_batch, most_cp, zero_bubble=zero_bubble):
        if not divides(job, layout):
            continue
        tried += 1
        memory = memory_bytes(job, layout)
        if sum(memory.values()) > job.cluster.accelerator.hbm_bytes:
            rejected["device memory"] += 1
            continue
        key = (layout.tp, layout.cp, layout.ep, layout.micro_batch)
        if key not in times:
            same = (layout.tp, layout.cp, layout.micro_batch)
            if same not in others:
                others[same] = without_experts(job, layout)
            times[key] = with_experts(job, layout, others[same])
        spread = (layout.tp, layout.pp, layout.cp, layout.ep, layout.zero)
        if spread not in exchanges:
            exchanges[spread] = exchange(job, layout)
        hop = (layout.tp, layout.cp, layout.pp > 1, layout.micro_batch)
        if hop not in hops:
            hops[hop] = hop_s(job, layout)
        between = replace(exchanges[spread], hop_s=hops[hop])
        found.append(assemble(job, layout, times[key], between, memory))
    if not found:
        device = job.cluster.accelerator
        exceed = rejected["device memory"]
        message = (
            f"no layout of {job.model.name} with {job.global_batch} sequences of {job.seq_len} on "
            f"{job.cluster.devices} {device.id} divides and fits ({tried} divide, {exceed} of them exceed "
            f"{device.hbm_bytes / 1e9:.0f} GB). Use more devices, a larger global batch, or shorter sequences."
        )
        raise InfeasibleError(message, ["device memory"] if tried else ["global batch"])
    found.sort(key=lambda step: step.step_time_s)
    return TrainingSearch(tuple(found[:best]), tried, dict(rejected))


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
    zero: Sequence[int],
    recompute: Sequence[str],
    most_micro_batch: int,
    most_cp: int,
    *,
    zero_bubble: bool,
) -> Iterator[TrainingLayout]:
    devices, layers = job.cluster.devices, job.model.n_layers
    domain = max(job.cluster.accelerator.scaleup_domain, 1)
    for tp in _powers(min(devices, domain)):
        for cp in _powers(most_cp):
            for pp in _stages(devices // (tp * cp), layers):
                dp, rest = divmod(devices, tp * cp * pp)
                if rest or dp < 1:
                    continue
                experts = _powers(dp * cp) if job.model.is_moe else [1]
                for ep in experts:
                    for size in _powers(most_micro_batch):
                        for vpp in virtual_stages(layers, pp):
                            for share in zero:
                                if share >= 3 and pp > 1:
                                    continue  # gathering weights anew for each of a stage's micro-batches never pays
                                for mode in recompute:
                                    yield TrainingLayout(
                                        tp, pp, vpp, dp, cp, ep, share, mode, size, zero_bubble=zero_bubble
                                    )


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
