"""The load of `jevons simulate`: a trace, a file of classes, or what the options describe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.serving.sim import Mix, Requests
    from jevons.sizing.options import Simulation


@dataclass(frozen=True, slots=True)
class Offered:
    """A load, and its classes where it has several."""

    requests: Requests
    mix: Mix | None = None


def offered(options: Simulation) -> Offered:
    """Return the trace, or the load that a file or the options describe."""
    from jevons.serving import sim

    _refuse_contradictions(options)
    if options.load is not None:
        spec, traces = sim.read_load(options.load)
        changed = {name: value for name, value in (("requests", options.requests), ("rate", options.rate)) if value}
        if "rate" in changed and spec.users is not None:
            message = f"--rate: {options.load} has users of a closed loop, who have no rate"
            raise InputError(message)
        mix = sim.generate_mix(spec.model_copy(update=changed), traces, options.seed)
        return Offered(mix.requests, mix)
    if options.trace is not None:
        return Offered(
            sim.from_trace(
                sim.read_trace(options.trace), requests=options.requests, rate_req_per_s=options.rate,
                prefixes=options.prefix_cache, speed=options.speed,
                keep_frac=1.0 if options.keep is None else options.keep, seed=options.seed,
            )
        )  # fmt: skip
    return Offered(_generated(options))


def at_rate(options: Simulation, rate: float) -> Simulation:
    """Return the options with another rate."""
    return replace(options, rate=rate, speed=None)


def _refuse_contradictions(options: Simulation) -> None:
    """Refuse options that say two things about the same."""
    given = {
        "--load": options.load, "--trace": options.trace, "--concurrency": options.concurrency,
        "--lengths-from": options.lengths_from, "--speed": options.speed, "--keep": options.keep,
        "--rate": options.rate,
    }  # fmt: skip
    for one, other, why in (
        ("--load", "--trace", "each is a load of its own"),
        ("--load", "--concurrency", "the file says `users` for a closed loop"),
        ("--load", "--lengths-from", "the file says `lengths_from` for each class"),
        ("--trace", "--concurrency", "a trace has arrivals of its own"),
        ("--trace", "--lengths-from", "a trace has lengths of its own"),
        ("--rate", "--concurrency", "users of a closed loop have no rate"),
        ("--rate", "--speed", "both say how fast a trace runs"),
    ):
        if given[one] is not None and given[other] is not None:
            message = f"{one} and {other}: {why}; give one of the two"
            raise InputError(message)
    for option in ("--speed", "--keep"):
        if given[option] is not None and options.trace is None:
            message = f"{option}: belongs to --trace; name one"
            raise InputError(message)
    if options.prefix_cache and options.trace is None:
        message = "--prefix-cache: needs the block hashes of a --trace, such as Mooncake's; a --load shares by itself"
        raise InputError(message)


def _generated(options: Simulation) -> Requests:
    from jevons.serving import sim

    arrivals = "closed" if options.concurrency is not None else options.arrivals
    if options.rate is None and arrivals in sim.RATED:
        message = (
            "the load is missing: give --rate (requests per second), --concurrency (users), --trace FILE or --load FILE"
        )
        raise InputError(message)
    if arrivals == "day":
        message = "--arrivals day: needs the swing of the day; describe it in a --load FILE (`day: {trough_frac: …}`)"
        raise InputError(message)
    load = sim.Load(
        requests=10_000 if options.requests is None else options.requests,
        isl=options.isl,
        osl=options.osl,
        arrivals=arrivals,
        rate_req_per_s=1.0 if options.rate is None else options.rate,
        users=1 if options.concurrency is None else options.concurrency,
        think_s=options.think,
        cv=options.cv,
        isl_cv=options.isl_cv,
        osl_cv=options.osl_cv,
        lengths=None if options.lengths_from is None else sim.read_trace(options.lengths_from),
    )
    return sim.generate(load, options.seed)
