"""Decides what a simulation is of: equal replicas, several arrival rates, or a fleet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.limits import SWEEP_RATES
from jevons.parallel import LOCAL, Executor
from jevons.results import Result
from jevons.serving.calibration import engine_for
from jevons.serving.sim import ahead
from jevons.sizing.fleet_result import FleetSimulationResult, fleet_record
from jevons.sizing.hour_price import converted, currency_of, owned_hour_price
from jevons.sizing.measured import beside, run_of
from jevons.sizing.money import given_price
from jevons.sizing.nearest import warn_of_release
from jevons.sizing.options import FleetOptions, Simulation
from jevons.sizing.simulate import run_replicas, sweep_rates
from jevons.sizing.simulate_fleet import is_fleet, run_fleet
from jevons.sizing.simulation_result import SimulationResult, SweepResult, drawn_w, run_record


def simulate_load(
    options: Simulation,
    fleet: FleetOptions,
    *,
    gpu_hour: str | None,
    currency: str | None,
    rates: str | None,
    measured: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
    executor: Executor = LOCAL,
) -> Result:
    """Return the result of the simulation that the options describe.

    Raises
    ------
    InputError, InfeasibleError
        As `jevons.simulate` says.
    """
    if rates is None and executor.kind != "local":
        message = f"--executor {executor.kind}: runs the rates of --sweep-rates; add them, or omit it"
        raise InputError(message)
    several = is_fleet(options, fleet)
    if measured is not None and (several or rates is not None):
        message = (
            f"--measured {measured}: is set beside equal replicas at one rate; omit --sweep-rates and fleet options"
        )
        raise InputError(message)
    if several:
        if rates is not None:
            message = "--sweep-rates: applies to equal replicas; omit it, or the options of a fleet"
            raise InputError(message)
        run = run_fleet(options, fleet, gpu_hour, progress, currency=currency)
        record = fleet_record(options, run.routing, run.parts, run.kinds, run.load, run.simulated, run.prices)
        return FleetSimulationResult(run=run, record=record)
    if rates is None:
        ahead.begin(closed=options.arriving.concurrency is not None)
    device = accelerator(options.devices.gpu, on=options.as_of)
    given = given_price(gpu_hour)
    unit = currency_of(currency, given, device.own_price)
    price = converted(given or owned_hour_price(device, options.as_of), unit, options.as_of)
    warn_of_release(options.server.engine, options.calibration)
    engine = engine_for(options.server.engine, options.calibration, options.as_of)
    if rates is not None:
        if (
            options.arriving.rate is not None
            or options.arriving.concurrency is not None
            or options.arriving.rate_stages is not None
        ):
            message = "--sweep-rates: states the rates; omit --rate, --rate-stages and --concurrency"
            raise InputError(message)
        points = sweep_rates(options, device, engine, price, read_rates(rates), progress, executor)
        return SweepResult(points=tuple(points))
    single = run_replicas(options, device, engine, {}, progress)
    if gpu_hour is None and single.prompts is None:
        load_frac = drawn_w(single) / (single.accelerators * device.server_w)
        price = converted(owned_hour_price(device, options.as_of, min(load_frac, 1.0)), unit, options.as_of)
    record = run_record(options, single, price)
    if measured is None:
        return SimulationResult(options=options, run=single, record=record)
    seen = run_of(measured, mapping or {}, options.arriving.rate, options.arriving.concurrency)
    return SimulationResult(options=options, run=single, record=record | {"measured": beside(record, seen)}, seen=seen)


def read_rates(text: str) -> list[float]:
    """Return the rates of ``1,2,4``, or of ``1:8:4``: four of them evenly from 1 to 8.

    Raises
    ------
    InputError
        If that is neither, or names more than 100.
    """
    try:
        if ":" in text:
            low, high, count = text.split(":")
            steps = min(int(count), SWEEP_RATES + 1)
            rates = [float(low) + (float(high) - float(low)) * step / max(steps - 1, 1) for step in range(steps)]
        else:
            rates = [float(part) for part in text.split(",", SWEEP_RATES)]
    except ValueError:
        rates = []
    if not rates or len(rates) > SWEEP_RATES or not all(0 < rate < 1e9 and math.isfinite(rate) for rate in rates):
        message = (
            f"--sweep-rates {text[:60]}: give 1 to {SWEEP_RATES} rates above 0, as 1,2,4 or 1:8:4 (from, to, count)"
        )
        raise InputError(message)
    return sorted(rates)
