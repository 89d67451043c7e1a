"""Simulates a fleet of replicas behind a router."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jevons.errors import InputError
from jevons.facts import get
from jevons.limits import REPLICAS
from jevons.sizing.load import Offered, offered
from jevons.sizing.money import given_price
from jevons.sizing.nearest import warn_of_release
from jevons.sizing.options import FleetOptions, Simulation
from jevons.sizing.simulate import deployment_of, limits_for, replicas_of, table_of

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import Autoscale, FleetResult, Kind, Offline, RateLimit, Routing, StepTable
    from jevons.sizing.hour_price import HourPrice

_KIND = re.compile(r"^([\w.-]+)(?::(\d+))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRun:
    """One simulated fleet, and what it was of."""

    load: Offered
    parts: list[Deployment]
    kinds: list[Kind]
    prices: list[HourPrice | None]
    routing: Routing
    simulated: FleetResult

    @property
    def words(self) -> str:
        """What the load ran on."""

        def count(kind: Kind) -> str:
            scale = kind.autoscale
            return str(kind.replicas) if scale is None else f"{scale.least} to {scale.most}"

        return " and ".join(f"{count(kind)} x {part}" for kind, part in zip(self.kinds, self.parts, strict=True))

    @property
    def entry_s(self) -> float:
        """Time from a client to the engine's queue [s]."""
        from jevons.serving import entry_time_s

        return entry_time_s(self.parts[0])


def run_fleet(
    options: Simulation,
    fleet: FleetOptions,
    gpu_hour: str | None,
    progress: Callable[[str], None] | None = None,
    *,
    currency: str | None = None,
) -> FleetRun:
    """Simulate the load of the options on a fleet."""
    from jevons.serving import entry_time_s, sim

    if options.devices.prefill_replicas is not None or options.devices.prefill_tp is not None:
        message = "--prefill-replicas: prefill and decode pools are of equal replicas; omit the options of a fleet"
        raise InputError(message)
    _refuse_lone(fleet)
    load = offered(options)
    parts, kinds, prices = kinds_of(options, fleet, gpu_hour, load, currency)
    routing = sim.Routing(
        kind=fleet.routing or "least_loaded", stale_s=fleet.stale or 0.0,
        slack=32 if fleet.slack is None else fleet.slack,
    )  # fmt: skip
    failures = sim.Failures(
        mtbf_s=math.inf if fleet.mtbf is None else fleet.mtbf * 3600.0,
        repair_s=600.0 if fleet.repair is None else fleet.repair,
        retries=3 if fleet.retries is None else fleet.retries,
    )
    result = sim.simulate_fleet(
        load.requests,
        kinds,
        routing=routing,
        failures=failures,
        admission=sim.Admission(fleet.queue_limit, _rate_limits(fleet.rate_limit)),
        offline=offline_pile(options, fleet, kinds),
        session=None if load.mix is None else load.mix.session,
        entry_s=entry_time_s(parts[0]),
        ttft_s=options.limits.ttft,
        tpot_s=options.limits.tpot,
        e2e_s=options.limits.e2e,
        seed=options.seed,
        progress=progress,
    )
    return FleetRun(load=load, parts=parts, kinds=kinds, prices=prices, routing=routing, simulated=result)


def kinds_of(
    options: Simulation, fleet: FleetOptions, gpu_hour: str | None, load: Offered, currency: str | None = None
) -> tuple[list[Deployment], list[Kind], list[HourPrice | None]]:
    """Return one replica of each kind, the kinds, and what their accelerator-hours cost."""
    from jevons.hardware import accelerator
    from jevons.serving import sim
    from jevons.serving.calibration import engine_for
    from jevons.sizing.hour_price import converted, currency_of, owned_hour_price

    date = options.as_of
    warn_of_release(options.server.engine, options.calibration)
    engine = engine_for(options.server.engine, options.calibration, date)
    requests = load.requests
    context = float(requests.isl.mean() + requests.osl.mean())
    given = devices_of(options.devices.gpu)
    if any(count is not None for _, count in given) and (
        options.devices.gpus is not None or options.devices.replicas is not None
    ):
        message = f"--gpu {options.devices.gpu}: says how many replicas there are; omit --gpus and --replicas"
        raise InputError(message)
    parts, kinds, prices, speeds = [], [], [], []
    copies = (options.devices.dp or 1) if not options.devices.dp_attention else 1
    for name, count in given:
        device = accelerator(name, on=date)
        part = deployment_of(options, device, engine, context)
        asked = requests.count + (fleet.offline_requests or 0)
        limits = limits_for(options, part, context, requests.hash_tokens, asked)
        if part.layout.pp > 1:
            message = f"--pp {part.layout.pp}: fleets are simulated without pipeline stages; omit it"
            raise InputError(message)
        steps = table_of(part, limits, float(requests.isl.mean()))
        stated = given_price(gpu_hour)
        price = converted(stated or owned_hour_price(device, date), currency_of(currency, stated), date)
        replicas = replicas_of(options, part.devices) if count is None else count * copies
        scale = _autoscale(fleet, limits.max_batch)
        if (
            scale is not None
            and len(given) == 1
            and count is None
            and options.devices.gpus is None
            and not options.devices.replicas
        ):
            replicas = max(scale.least, 1) if scale.most else 0
        kinds.append(
            sim.Kind(
                name=name, table=steps, limits=limits, replicas=replicas, accelerators=part.devices, autoscale=scale,
                accelerator_hour=0.0 if price is None else price.amount,
            )
        )  # fmt: skip
        parts.append(part)
        prices.append(price)
        full = get("assumption.compared_batch_frac").number
        batch = max(min(limits.max_batch, int(limits.kv_blocks * limits.block_tokens / context)) * full, 1.0)
        speeds.append(_speed(steps, round(batch), context))
    most = max(speeds)
    weighed = [replace(kind, weight=max(speed / most, 1e-3)) for kind, speed in zip(kinds, speeds, strict=True)]
    return parts, weighed, prices


def _speed(steps: StepTable, batch: int, context: float) -> float:
    """Return the tokens per tick of a decode batch."""
    import numpy as np

    piece = max(int(np.searchsorted(steps.knots, context)) - 1, 0)
    piece = min(piece, steps.base.shape[1] - 1)
    return batch / max(float(steps.base[batch, piece] + steps.slope[batch, piece] * batch * context), 1.0)


def _autoscale(fleet: FleetOptions, max_batch: int) -> Autoscale | None:
    """Return the scaling that ``--autoscale MIN:MAX`` asks for; its target is a quarter of a batch by default."""
    from jevons.serving.sim import Autoscale

    if fleet.autoscale is None:
        return None
    match = re.fullmatch(r"(\d+):(\d+)", fleet.autoscale.strip())
    if match is None or not int(match.group(1)) <= int(match.group(2)) or int(match.group(2)) < 1:
        message = f"--autoscale {fleet.autoscale}: write the minimum and maximum number of replicas, such as 2:10"
        raise InputError(message)
    if int(match.group(2)) > REPLICAS:
        message = f"--autoscale {fleet.autoscale}: the maximum must be at most {REPLICAS:,} replicas"
        raise InputError(message)
    aimed = get("assumption.scaling_target_frac").number
    return Autoscale(
        least=int(match.group(1)), most=int(match.group(2)),
        target=max(aimed * max_batch, 1.0) if fleet.target is None else fleet.target,
        cold_start_s=120.0 if fleet.cold_start is None else fleet.cold_start,
    )  # fmt: skip


def offline_pile(options: Simulation, fleet: FleetOptions, kinds: list[Kind]) -> Offline | None:
    """Return a pile of requests with the lengths of ``--isl`` and ``--osl``."""
    from jevons.serving import sim

    if fleet.offline_requests is None:
        return None
    pile = sim.generate(
        sim.Load(
            requests=fleet.offline_requests, isl=options.lengths.isl, osl=options.lengths.osl, arrivals="at_once",
            isl_cv=options.lengths.isl_cv, osl_cv=options.lengths.osl_cv,
        ),
        options.seed + 1,
    )  # fmt: skip
    most = min(kind.limits.max_batch for kind in kinds)
    below = max(most // 4, 1) if fleet.offline_below is None else fleet.offline_below
    return sim.Offline(requests=pile, below=below)


def kind_of_replica(kinds: list[Kind]) -> Any:
    """Return the kind of each replica."""
    import numpy as np

    sizes = [kind.replicas if kind.autoscale is None else kind.autoscale.most for kind in kinds]
    return np.repeat(np.arange(len(kinds)), sizes)


def devices_of(text: str) -> list[tuple[str, int | None]]:
    """Return the accelerators of ``h100_sxm:6,h20:4`` and how many replicas each has, None where none is said."""
    devices = []
    for part in text.split(","):
        match = _KIND.match(part.strip())
        if match is None:
            message = f"--gpu {text}: write one accelerator, or kinds with their replicas, such as h100_sxm:6,h20:4"
            raise InputError(message)
        devices.append((match.group(1), None if match.group(2) is None else int(match.group(2))))
    names = [name for name, _ in devices]
    if len(names) > 1 and (len(set(names)) < len(names) or any(count is None for _, count in devices)):
        message = f"--gpu {text}: of several kinds, each needs its own name and replicas, such as h100_sxm:6,h20:4"
        raise InputError(message)
    return devices


def is_fleet(options: Simulation, fleet: FleetOptions) -> bool:
    """Return whether the options describe a fleet, and not only equal replicas."""
    from jevons.serving.sim import ROUTINGS

    several = "," in options.devices.gpu or ":" in options.devices.gpu
    given = any(value is not None for value in dataclasses.astuple(replace(fleet, routing=None)))
    return several or given or fleet.routing not in {None, *ROUTINGS}


def _refuse_lone(fleet: FleetOptions) -> None:
    """Refuse options that say nothing without another."""
    for name, value, needs, other in (
        ("--target", fleet.target, "--autoscale", fleet.autoscale),
        ("--cold-start", fleet.cold_start, "--autoscale", fleet.autoscale),
        ("--repair", fleet.repair, "--mtbf", fleet.mtbf),
        ("--retries", fleet.retries, "--mtbf", fleet.mtbf),
        ("--offline-below", fleet.offline_below, "--offline-requests", fleet.offline_requests),
    ):
        if value is not None and other is None:
            message = f"{name} {value:g}: has no effect without {needs}; add it"
            raise InputError(message)


def _rate_limits(text: str | None) -> tuple[RateLimit, ...]:
    """Return the limit of ``20`` or ``20:100``: requests per second, and how many at once (a second's by default)."""
    from jevons.serving.sim import RateLimit

    if text is None:
        return ()
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(?::(\d+))?", text.strip())
    if match is None or not 0 < float(match.group(1)) < 1e9:
        message = f"--rate-limit {text}: write requests per second and, after a colon, a burst: 20 or 20:100"
        raise InputError(message)
    rate = float(match.group(1))
    return (RateLimit(rate, max(round(rate), 1) if match.group(2) is None else int(match.group(2))),)
