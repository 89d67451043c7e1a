"""Predicts the metrics of measured serving rows from their configuration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.facts.per_facts import per_facts
from jevons.hardware import Accelerator, accelerator
from jevons.models import ModelSpec, maker_of
from jevons.operators.engines import Place, Release, engine_number, shipped_text
from jevons.operators.factors import lasting_slowdown
from jevons.serving import engine as engine_preset
from jevons.serving.calibration import Calibration
from jevons.serving.closed_loop.points import outcome, surface, with_limits
from jevons.serving.closed_loop.types import Load, Outcome, Pools, Surface
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.engines import composing, older_overheads
from jevons.serving.formulas import acceptance_of
from jevons.serving.memory import max_concurrency
from jevons.serving.scales import Scales
from jevons.serving.sim.load.repeats import Repeats
from jevons.serving.spread import spread
from jevons.serving.step import StepWork
from jevons.serving.types import Deployment, FloatArray, Layout
from jevons.validation.names import model_named, quantised
from jevons.validation.serving.case import Case, benchmark
from jevons.validation.serving.mlperf import tasks

Engines = Callable[[Case], EngineFactors]

_STEADY_REQUESTS = 4000
_SEARCH_SIZES = (1, 2, 4, 8)
_RATE_STEPS = 8
_ABOVE_FULL = 1.1  # a load of requests all at once has its batch full for a part of the run only
_TOLD_LENGTH = 8192  # tokens of the longest sequence that servers of longer models are told at the least
_SERVED = {"open", "closed", "burst"}
LIMITED = {"mlperf-server": "Server", "mlperf-interactive": "Interactive"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case ready to be answered under any engine factors; one surface per layout that is tried."""

    case: Case
    surfaces: tuple[Surface, ...]


def default_engine(case: Case) -> EngineFactors:
    """Return the engine preset of a case with the limits that its serve command gives."""
    return limited(_preset(case.engine, case.release), case)


def calibrated(calibration: Calibration) -> Engines:
    """Return the engine factors of any case under a calibration, with the case's own limits."""

    def factors(case: Case) -> EngineFactors:
        values = {**calibration.engines.get(case.engine, {})}
        for name, seconds in _older(case.engine, case.release).items():
            if name in values:
                values[name] += seconds
        return limited(_preset(case.engine, case.release).replace(**values), case)

    return factors


@per_facts()
def _older(engine: str, release: Release | None) -> dict[str, float]:
    return older_overheads(engine, release)


@per_facts()
def _preset(name: str, release: Release | None) -> EngineFactors:
    return engine_preset(name, release=release)


def limited(factors: EngineFactors, case: Case) -> EngineFactors:
    """Return engine factors with a case's own limits, or the server's defaults on its device."""
    tokens, batch = _server_defaults(case)
    factors = composing(factors, ahead=case.scheduler.lags)
    if case.scenario == "open" and case.engine == "vllm":
        # A closed loop sends when outputs of a step arrive and keep client and server busy, which `entry_s` holds (it
        # is fitted on those). Lone requests pay the front end only: 4 to 6 ms in open loops of vLLM 0.8 to 0.15.
        factors = factors.replace(entry_s=0.0)
    if case.scheduler.accepted_tokens:
        accepted = acceptance_of(case.scheduler.accepted_tokens, case.scheduler.draft_tokens)
        factors = factors.replace(draft_acceptance_frac=accepted)
    if case.scheduler.sorts_logits:
        each_s = factors.host.request_overhead_s + _sorting_s(case.engine, case.release, case.device, case.model)
        factors = factors.replace(request_overhead_s=each_s)
    if case.scheduler.mxfp4_like:
        factors = factors.replace(mxfp4_like=case.scheduler.mxfp4_like)
    if case.scheduler.ep_overlap_frac is not None:
        hidden = case.scheduler.ep_overlap_frac
        factors = factors.replace(ep_overlap_frac=hidden, decode_ep_overlap_frac=hidden)
    if case.scheduler.told_to_gather is not None:
        factors = factors.replace(told_to_gather=case.scheduler.told_to_gather)
    if case.scheduler.reserve_frac is not None:
        factors = factors.replace(reserve_frac=case.scheduler.reserve_frac)
    share = _server_share(case)
    if share:
        factors = factors.replace(memory_frac=share)
    return with_limits(
        factors, step_tokens=case.scheduler.step_tokens or tokens, max_batch=case.scheduler.max_batch or batch,
        captured_tokens=case.scheduler.captured_tokens,
        captured_batch=case.scheduler.captured_batch or _captured_batch(case),
    )  # fmt: skip


@per_facts(1024)
def _sorting_s(engine: str, release: Release | None, device: str, model: str) -> float:
    """Return what sorting the logits of one request takes in a step: fact ``sorted_logit_bytes``."""
    kind = accelerator(device)
    moved = engine_number(engine, "sorted_logit_bytes", Place.of(kind, release)) or 0.0
    return moved * model_named(model)[0].vocab / kind.hbm_bytes_per_s


_NARROW = 4  # devices, below which some servers capture fewer batch sizes


def _captured_batch(case: Case) -> float | None:
    """Return the largest decode batch that an engine's server captures: facts ``server_captured_batch``."""
    if case.instances.search or case.scenario in {"offline", "static"}:
        return None
    return _largest_graph(case.engine, case.release, case.device, case.instances.layout.devices < _NARROW)


@per_facts(1024)
def _largest_graph(engine: str, release: Release | None, device: str, narrow: bool) -> float | None:
    place = Place.of(accelerator(device), release)
    of_few = engine_number(engine, "narrow_captured_batch", place) if narrow else None
    return of_few or engine_number(engine, "server_captured_batch", place)


def _server_defaults(case: Case) -> tuple[int | None, int | None]:
    """Return prompt tokens per step and largest batch that an engine's server takes where none are given.

    Facts ``server_step_tokens`` and ``server_max_batch``, by device.
    """
    if case.instances.search or case.scenario in {"offline", "static"}:
        return None, None
    tokens, batch = _limits(case.engine, case.release, case.device)
    layout = case.instances.layout
    ranks = layout.dp if layout.dp_attention and case.instances.prefill is None else 1
    if tokens and ranks > 1 and engine_number(case.engine, "divides_step_tokens"):
        tokens = max(tokens // ranks, 1)
    return tokens, batch


@per_facts(1024)
def _limits(engine: str, release: Release | None, device: str) -> tuple[int | None, int | None]:
    place = Place.of(accelerator(device), release)
    tokens, batch = (engine_number(engine, f"server_{limit}", place) for limit in ("step_tokens", "max_batch"))
    return (None if tokens is None else int(tokens), None if batch is None else int(batch))


def _server_share(case: Case) -> float | None:
    """Return the share of memory that an engine's server takes by itself: facts ``server_memory_frac``, by device.

    InferenceX's scripts state a share, which its rows do not carry.
    """
    if case.instances.search or case.scenario in {"offline", "static"} or case.family.startswith("inferencex"):
        return None
    return _own_share(case.engine, case.release, case.device)


@per_facts(1024)
def _own_share(engine: str, release: Release | None, device: str) -> float | None:
    return engine_number(engine, "server_memory_frac", Place.of(accelerator(device), release))


def prepare(case: Case, engines: Engines = default_engine) -> Prepared:
    """Return the work of the steps that a case needs.

    Raises
    ------
    InputError, InfeasibleError, FactError
        With the reason why there is no answer.
    """
    factors = engines(case)
    if not case.instances.search:
        return Prepared(case, (_fitting_surface(case, factors),))
    prepared, last = [], None
    moe = model_named(case.model)[0].is_moe
    for size in (size for size in _SEARCH_SIZES if size <= case.gpus and case.gpus % size == 0):
        try:
            prepared.append(_surface(case, Layout(tp=size), case.gpus // size, factors))
            if moe and size > 1:
                shared = Layout(dp=size, ep=size, dp_attention=True)
                prepared.append(_surface(case, shared, case.gpus // size, factors))
        except (InfeasibleError, InputError) as error:
            last = error
    if not prepared:
        raise last or InfeasibleError(f"no layout of {case.gpus} devices is known", ["layout"])
    return Prepared(case, tuple(prepared))


def _fitting_surface(case: Case, factors: EngineFactors) -> Surface:
    """Return the surface of a case with a stated layout; what was measured did fit, if need be at a higher share."""
    tried = [(case, case.instances.layout, case.instances.replicas)]
    if not case.scheduler.memory_frac:
        tried.append(
            (case.replace(memory_frac=benchmark("largest_memory_frac")), case.instances.layout, case.instances.replicas)
        )
    if case.instances.layout == Layout():  # none is stated: the devices share the model
        sizes = (size for size in _SEARCH_SIZES if 1 < size <= case.gpus and case.gpus % size == 0)
        tried += [(case, Layout(tp=size), case.gpus // size) for size in sizes]
    first: InfeasibleError | None = None
    small: Surface | None = None
    for of, layout, replicas in tried:
        try:
            found = _surface(of, layout, replicas, factors)
        except InfeasibleError as error:
            first = first or error
            continue
        if _starts(found) and not _asked_for_more(of, found):
            return found
        small = small or found
    if small is not None:
        return small
    raise first or InfeasibleError("no layout fits", ["layout"])


def _asked_for_more(case: Case, at: Surface) -> bool:
    """Return whether a server of which nothing is told must have had more than the default share of memory.

    Untold, vLLM starts only where its cache holds the model's longest sequence. Who has to name a length names a share
    of memory as well; a script that makes its requests itself is given their length alone.
    """
    if not case.scheduler.untold or case.scheduler.memory_frac or _always_starts(at) or case.scenario not in _SERVED:
        return False
    return max_concurrency(at.deployment) < 1.0


def _always_starts(at: Surface) -> bool:
    factors = at.deployment.engine.memory
    return not factors.paged or bool(factors.serves_shorter)


def _starts(at: Surface) -> bool:
    """Return whether the cache holds a sequence of the length that the server is told, without which vLLM stops."""
    if _always_starts(at):
        return True
    return at.kv_tokens / at.deployment.layout.dp >= min(at.deployment.longest, _TOLD_LENGTH)


def _surface(case: Case, layout: Layout, replicas: int, factors: EngineFactors) -> Surface:
    deployment = _deployment(case, layout, factors)
    if case.instances.prefill is None:
        load = _load(case, replicas)
        if case.instances.search:  # runs last ten minutes at least, for which the set is gone through again and again
            wanted = max(load.requests, 2 * factors.batching.max_batch * layout.dp)
            load = replace(load, requests=min(wanted, _STEADY_REQUESTS * layout.dp))
            return _under_lasting_load(surface(deployment, load))
        return surface(deployment, load)
    prefill = _deployment(case, case.instances.prefill, factors)
    pools = Pools(
        prefill=prefill,
        prefill_workers=case.instances.prefill_workers,
        decode_workers=case.instances.decode_workers,
        prefill_batch=case.instances.prefill_batch,
        prefill_seats=case.instances.prefill_seats,
        frontends=case.instances.frontends,
    )
    return surface(deployment, _load(case, 1), pools)


def _under_lasting_load(at: Surface) -> Surface:
    """Return the steps of a run of many minutes, in which a board's power binds its products."""
    slowdown = lasting_slowdown(at.deployment.accelerator)
    if slowdown == 1.0:
        return at
    return replace(at, decode=_slowed(at.decode, slowdown), prompts=_slowed(at.prompts, slowdown))


def _slowed(work: StepWork, slowdown: float) -> StepWork:
    """Return steps whose products take longer; what starts kernels or reads weights does not."""
    products = {part for part in work.parts if part.startswith(("compute.", "moe."))}
    slow = {part for part in products if not part.endswith((".start", ".streamed"))}
    return replace(work, parts={part: time * (slowdown if part in slow else 1.0) for part, time in work.parts.items()})


@per_facts(4096)
def _parts(device: str, model: str, precision: str | None) -> tuple[Accelerator, ModelSpec]:
    return accelerator(device), quantised(model_named(model)[0], precision, maker_of(model))


def _deployment(case: Case, layout: Layout, factors: EngineFactors) -> Deployment:
    device, spec = _parts(case.device, case.model, case.precision)
    kv = case.kv or _stated_kv(case, spec) or "bf16"
    if case.instances.search and case.precision in {"fp8", "fp4", "mxfp4"}:
        kv = "fp8"
    return Deployment(
        model=spec,
        accelerator=device,
        layout=layout,
        precision="native",
        kv_precision=kv,
        engine=factors,
        memory_frac=case.scheduler.memory_frac or None,
        draft_tokens=case.scheduler.draft_tokens,
    )


def _stated_kv(case: Case, spec: ModelSpec) -> str:
    """Return the cache's precision that checkpoints state: those of NVFP4, and those of an engine's own tool.

    A table's 4 bits are MXFP4 where a model ships its experts so (gpt-oss); such checkpoints state none.
    """
    if case.precision == "fp4":
        return "" if spec.weight_precision.experts == "mxfp4" else "fp8"
    return shipped_text(case.engine, f"{case.precision}_checkpoint_kv")


def _load(case: Case, replicas: int) -> Load:
    """Return the share of a case's load that one of equal replicas gets."""
    requests = max(math.ceil(case.requested.requests / replicas), 1)
    users = math.ceil(case.requested.users / replicas) if case.requested.users else 0
    load = Load(
        isl=case.requested.isl,
        osl=case.requested.osl,
        requests=requests,
        lags=case.scheduler.lags,
        admit_more_s=case.scheduler.admit_more_s,
        token_s=case.scheduler.token_s,
        sent_before=case.requested.warm and case.requested.repeats == Repeats(prompts=case.requested.requests),
    )
    if case.scenario == "static":
        return replace(load, static=True)
    if case.scenario == "closed":
        return replace(
            load,
            users=users,
            poll_steps=case.scheduler.poll_steps,
            wait_steps=case.scheduler.wait_steps,
            wait_frac=case.scheduler.wait_frac,
            stream_tokens=case.scheduler.stream_tokens,
            represents=case.measured.represents,
            distinct_prompts=case.requested.repeats.distinct if case.requested.repeats else 0,
            warmed_up=case.measured.warmed_up,
            first_stall_s=case.measured.first_stall_s,
        )
    if case.scenario == "open":
        drawn = client_gaps(requests, case)
        span_frac = 1.0 if drawn is None else float(drawn.sum()) / max(len(drawn), 1)
        return replace(load, rate_per_s=case.requested.rate_per_s / replicas, span_frac=span_frac)
    if case.scenario.startswith("mlperf"):
        return replace(
            load,
            requests=requests,
            served=False,
            poll_steps=case.scheduler.poll_steps,
            wait_steps=case.scheduler.wait_steps,
            wait_frac=case.scheduler.wait_frac,
        )
    return replace(load, served=case.scenario != "offline")


_GAPS_SCALED, _CLIENT_SEED = (0, 9, 2), 42


def client_gaps(count: int, case: Case) -> FloatArray | None:
    """Return the gaps between requests at a rate of one where the client does not make them add up, else None.

    The client of vLLM makes its gaps add up to the stated rate since 0.9.2. Before, they are as its generator draws
    them, here with the seed under which it is used most: 200 requests at 16 a second take 6 % less time.
    """
    if case.requested.even or case.engine != "vllm" or case.release is None or case.release >= _GAPS_SCALED:
        return None
    return np.random.RandomState(_CLIENT_SEED).gamma(1.0, 1.0, count)[: count - 1]


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, by how much to multiply its rates for the whole of what a row covers, and the instance behind it."""

    outcome: Outcome
    replicas: float
    deployment: Deployment | None = None


def answer(prepared: Prepared, engines: Engines = default_engine, scales: Scales | None = None) -> Answer:
    """Return what a client of the case sees, with the best layout where none is recorded."""
    case, factors = prepared.case, engines(prepared.case)
    best: Answer | None = None
    for at in prepared.surfaces:
        replicas = copies_of(case, at)
        if case.scenario in LIMITED:

            def at_rate(rate_per_s: float, at: Surface = at) -> Outcome:
                requests = max(math.ceil(rate_per_s * benchmark("mlperf_run_s")), at.load.requests)
                load = replace(at.load, rate_per_s=rate_per_s, requests=requests)
                return outcome(replace(at, load=load), factors, scales)

            least = 0.0 if best is None else _rate(best) / replicas / case.requested.osl.mean
            high = outcome(at, factors, scales).steady_output_tok_per_s / case.requested.osl.mean * _ABOVE_FULL
            reached = highest_rate(case, least, high, at_rate)
        else:
            reached = outcome(at, factors, scales)
        if reached is None:
            continue
        answered = Answer(reached, replicas, at.deployment)
        if best is None or _rate(answered) > _rate(best):
            best = answered
    if best is None:
        message = "no layout meets the task's latency limits at any rate"
        raise InfeasibleError(message, ["ttft_s", "tpot_s"])
    return best


def copies_of(case: Case, at: Surface) -> float:
    """Return how many instances a row covers: fewer than its devices where several must share a model that it holds."""
    if case.instances.search or (case.instances.prefill is None and at.deployment.layout != case.instances.layout):
        return case.gpus / at.deployment.devices
    return float(case.instances.replicas)


def _rate(answered: Answer) -> float:
    return answered.outcome.output_tok_per_s * answered.replicas


def highest_rate(case: Case, least: float, most: float, at_rate: Callable[[float], Outcome]) -> Outcome | None:
    """Return the outcome a little below the highest arrival rate that meets an MLPerf task's limits.

    *at_rate* gives the outcome at a rate. Limits are on the 99th percentiles. None where no rate between *least* and
    *most* meets them.
    """
    ttft_s, tpot_s = tasks()[model_named(case.model)[0].name].limits[LIMITED[case.scenario]]

    def meets(tried: Outcome) -> bool:
        return tried.ttft_s["p99"] <= ttft_s and tried.tpot_s["p99"] <= tpot_s

    if least >= most or (least > 0.0 and not meets(at_rate(least))):
        return None
    low, high = least, most
    for _ in range(_RATE_STEPS):
        rate = (low + high) / 2.0
        if meets(at_rate(rate)):
            low = rate
        else:
            high = rate
    if low <= 0.0:
        return None
    rate = low * benchmark("mlperf_submitted_frac")
    output = rate * case.requested.osl.mean  # without the wait for the last answers, which longer runs hardly show
    return replace(at_rate(rate), output_tok_per_s=output, requests_per_s=rate, steady_output_tok_per_s=output)


def metric_value(name: str, case: Case, answered: Answer) -> float:
    """Return the prediction of a metric in the table's unit.

    Raises
    ------
    InputError
        If the metric is none of those that follow from a client's view.
    """
    out, rate = answered.outcome, answered.replicas
    steady = case.scenario == "mlperf-offline" or case.measured.steady
    output = out.steady_output_tok_per_s if steady else out.output_tok_per_s
    scale = output / max(out.output_tok_per_s, 1e-12)
    base = name.removesuffix("_per_gpu").removesuffix("_per_node").removesuffix("_log")
    per = rate
    if base != name.removesuffix("_log"):
        per = rate / max(case.gpus, 1)
        per *= accelerator(case.device).node_devices if name.endswith("_per_node") else 1
    rates = {
        "output_tok_s": output,
        "input_tok_s": out.input_tok_per_s * scale,
        "total_tok_s": output + out.input_tok_per_s * scale,
        "request_throughput": out.requests_per_s * scale,
        "samples_s": out.requests_per_s * scale,
        "scheduled_request_rate": out.requests_per_s * scale,
    }
    if base in rates:
        return rates[base] * per
    if name == "duration_s":
        return out.duration_s
    if name == "running_mean":
        return out.batch
    if name in {"prompt_phase_ms", "first_token_latency_ms"}:
        return out.ttft_s["mean"] * 1e3
    if name == "token_step_ms":
        return out.tpot_s["mean"] * 1e3
    kinds = {
        "ttft": out.ttft_s, "tpot": out.tpot_s, "itl": out.itl_s, "request_latency": out.e2e_s,
        "batch_latency": out.e2e_s,
    }  # fmt: skip
    for kind, values in kinds.items():
        for unit, factor in (("_ms", 1e3), ("_s", 1.0)):
            if name == kind + unit:
                return values["mean"] * factor
            for statistic in values:
                if name == f"{kind}{unit}_{statistic}":
                    return values[statistic] * factor
    if name.endswith("_unspecified"):
        message = f"metric `{name}`: the row does not say whether prompt tokens are counted"
        raise InputError(message)
    message = f"metric `{name}` does not follow from a run of the engine"
    raise InputError(message)


def quantity_of(metric: str) -> str | None:
    """Return which interval a metric has, or None."""
    for start, quantity in (
        ("ttft", "ttft"), ("prompt_phase", "ttft"), ("first_token", "ttft"), ("tpot", "tpot"), ("itl", "tpot"),
        ("token_step", "tpot"), ("request_latency", "e2e"), ("batch_latency", "e2e"), ("duration", "e2e"),
    ):  # fmt: skip
        if metric.startswith(start):
            return quantity
    rates = ("output_tok_s", "input_tok_s", "total_tok_s", "request_throughput", "samples_s", "scheduled_request_rate")
    return "rate" if metric.startswith(rates) else None


def predicted_interval(
    metric: str, case: Case, predicted: float, calibration: Calibration
) -> tuple[float | None, float | None]:
    """Return the 80 % interval of a predicted metric, None where no error of its kind is on file."""
    quantity = quantity_of(metric)
    if quantity is None:
        return None, None
    names = (case.engine, case.device, model_named(case.model)[0].name)
    own = list(names) in calibration.provenance.get("deployments", ())
    return spread(quantity, *names, case.family, calibrated=own).interval(predicted)


def reason_of(error: Exception) -> str:
    """Return a short reason for a row without an answer."""
    if isinstance(error, InfeasibleError):
        return f"does not fit: {error}"
    if isinstance(error, FactError | InputError):
        return str(error)
    raise error
