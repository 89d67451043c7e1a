"""The load of `jevons simulate`: a trace, a file of classes, or what the options describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jevons.errors import InputError
from jevons.limits import KEPT_REQUESTS, RATE_STAGES
from jevons.sizing.options import Simulation

if TYPE_CHECKING:
    from jevons.serving.sim import Course, Load, Mix, Requests, Stage


_MOST_RATE = 1e9
_GAMMA_CV = 2.0
"""Of gamma arrivals where none is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A load, and its classes where it has several.

    Parameters
    ----------
    requests : Requests
        The requests; none where there are too many to keep.
    mix : Mix or None
        Their classes.
    parted, course : Load, Course or None
        What is drawn in parts in place of requests, and what it comes to.
    """

    requests: Requests
    mix: Mix | None = None
    parted: Load | None = None
    course: Course | None = None

    @property
    def count(self) -> int:
        """Number of requests."""
        return self.requests.count if self.parted is None else self.parted.requests

    @property
    def mean_isl(self) -> float:
        """Mean prompt tokens."""
        return float(self.requests.isl.mean()) if self.course is None else self.course.mean_isl

    @property
    def mean_osl(self) -> float:
        """Mean output tokens."""
        return float(self.requests.osl.mean()) if self.course is None else self.course.mean_osl

    @property
    def longest(self) -> int:
        """Prompt and output tokens of the longest request."""
        both = self.requests.isl + self.requests.osl if self.course is None else None
        return int(both.max()) if both is not None else self.course.longest if self.course is not None else 0


def offered(options: Simulation) -> Offered:
    """Return the trace, or the load that a file or the options describe."""
    from jevons.serving import sim

    _refuse_contradictions(options)
    if options.recorded.load is not None:
        spec, traces = sim.read_load(options.recorded.load)
        changed = {
            name: value
            for name, value in (("requests", options.arriving.requests), ("rate", options.arriving.rate))
            if value
        }
        if "rate" in changed and spec.users is not None:
            message = f"--rate: {options.recorded.load} has users of a closed loop, who have no rate"
            raise InputError(message)
        if "rate" in changed and spec.stages:
            file = options.recorded.load
            message = f"--rate: {file} has stages, which state the rates; omit --rate, or give the file a rate"
            raise InputError(message)
        mix = sim.generate_mix(spec.model_copy(update=changed), traces, options.seed)
        return Offered(requests=mix.requests, mix=mix)
    if options.recorded.trace is not None:
        return Offered(
            requests=sim.from_trace(
                sim.read_trace(options.recorded.trace, options.recorded.mapping),
                requests=options.arriving.requests,
                rate_req_per_s=options.arriving.rate,
                prefixes=options.server.prefix_cache,
                speed=options.recorded.speed,
                keep_frac=1.0 if options.recorded.keep is None else options.recorded.keep,
                seed=options.seed,
            )
        )
    return _generated(options)


def at_rate(options: Simulation, rate: float) -> Simulation:
    """Return the options with another rate."""
    return options.replace(rate=rate, speed=None)


def _refuse_contradictions(options: Simulation) -> None:
    """Refuse options that say two things about the same."""
    given = {
        "--load": options.recorded.load,
        "--trace": options.recorded.trace,
        "--concurrency": options.arriving.concurrency,
        "--lengths-from": options.lengths.lengths_from,
        "--speed": options.recorded.speed,
        "--keep": options.recorded.keep,
        "--rate": options.arriving.rate,
        "--rate-stages": options.arriving.rate_stages,
        "--prompts": options.lengths.prompts,
        "--system-tokens": options.lengths.system_tokens or None,
    }
    for flag, other, why in (
        ("--load", "--trace", "each is a load of its own"),
        ("--load", "--concurrency", "the file says `users` for a closed loop"),
        ("--load", "--lengths-from", "the file says `lengths_from` for each class"),
        ("--trace", "--concurrency", "a trace has arrivals of its own"),
        ("--trace", "--lengths-from", "a trace has lengths of its own"),
        ("--rate", "--concurrency", "users of a closed loop have no rate"),
        ("--rate", "--speed", "both say how fast a trace runs"),
        ("--rate", "--rate-stages", "both say how fast requests come"),
        ("--rate-stages", "--concurrency", "users of a closed loop have no rate"),
        ("--rate-stages", "--trace", "a trace has arrivals of its own"),
        ("--rate-stages", "--load", "the file says `stages`"),
        ("--prompts", "--load", "the file says `prompts` for each class"),
        ("--system-tokens", "--load", "the file says `system_tokens` for each class"),
        ("--prompts", "--trace", "a trace has prompts of its own"),
        ("--system-tokens", "--trace", "a trace has prompts of its own"),
        ("--prompts", "--lengths-from", "prompts that repeat have a length of their own; use isl and isl_cv"),
    ):
        if given[flag] is not None and given[other] is not None:
            message = f"{flag} and {other}: {why}; give one of the two"
            raise InputError(message)
    for option in ("--speed", "--keep"):
        if given[option] is not None and options.recorded.trace is None:
            message = f"{option}: belongs to --trace; name one"
            raise InputError(message)
    _refuse_without_effect(options)
    if options.server.prefix_cache and options.recorded.trace is None:
        message = "--prefix-cache: needs the block hashes of a --trace, such as Mooncake's; a --load shares by itself"
        raise InputError(message)


def _refuse_without_effect(options: Simulation) -> None:
    """Refuse options that are set and change nothing beside the others."""
    source = "--trace" if options.recorded.trace is not None else "--load" if options.recorded.load is not None else ""
    shaped = ("--isl", "--osl", "--isl-cv", "--osl-cv", "--arrivals", "--cv")
    reasons: dict[str, str] = dict.fromkeys(shaped, f"beside {source}, which says it itself; omit it") if source else {}
    if options.lengths.lengths_from is not None:
        reasons |= dict.fromkeys(shaped[:4], "beside --lengths-from, which says it itself; omit it")
    if options.arriving.concurrency is not None:
        reasons["--arrivals"] = "beside --concurrency, whose users send when they are answered; omit it"
        reasons["--cv"] = reasons["--arrivals"]
    else:
        reasons["--think"] = "without --concurrency; add it"
    if options.arriving.arrivals not in {"gamma", "poisson"} and not source:
        reasons["--cv"] = f"beside --arrivals {options.arriving.arrivals}; give gamma"
    if not (source or options.lengths.prompts or options.lengths.system_tokens or options.server.swap):
        reasons["--host-gb"] = "without prompts that repeat; add --prompts, --system-tokens, --trace or --swap"
    if options.arriving.arrivals == "at_once" and not source:
        reasons["--rate"] = "beside --arrivals at_once, which sends all together; omit one of the two"
    usual = Simulation.of(model=options.model)
    for flag, reason in reasons.items():
        name = flag[2:].replace("-", "_")
        value = options.field(name)
        if value != usual.field(name):
            message = f"{flag} {value}: has no effect {reason}"
            raise InputError(message)


def _generated(options: Simulation) -> Offered:
    import numpy as np

    from jevons.serving import sim

    cv, arrivals = options.arriving.cv, options.arriving.arrivals
    if options.arriving.concurrency is not None:
        arrivals = "closed"
    elif arrivals == "poisson" and cv not in {None, 1.0}:
        arrivals = "gamma"
    stages = _stages(options.arriving.rate_stages)
    if options.arriving.rate is None and not stages and arrivals in sim.RATED:
        message = (
            "the load is missing: give --rate (requests per second), --rate-stages, --concurrency (users), --trace "
            "FILE or --load FILE"
        )
        raise InputError(message)
    if arrivals == "day":
        message = "--arrivals day: needs the swing of the day; describe it in a --load FILE (`day: {trough_frac: …}`)"
        raise InputError(message)
    if stages and arrivals not in sim.STAGED:
        message = f"--rate-stages and --arrivals {arrivals}: only {', '.join(sim.STAGED)} arrivals come in stages"
        raise InputError(message)
    repeats = None
    if options.lengths.prompts or options.lengths.system_tokens:
        repeats = sim.Repeats(system_tokens=options.lengths.system_tokens, prompts=options.lengths.prompts or 0)
    usual = sim.stage_requests(stages) if stages else 10_000
    load = sim.Load(
        requests=usual if options.arriving.requests is None else options.arriving.requests,
        isl=options.lengths.isl,
        osl=options.lengths.osl,
        arrivals=arrivals,
        rate_req_per_s=1.0 if options.arriving.rate is None else options.arriving.rate,
        users=1 if options.arriving.concurrency is None else options.arriving.concurrency,
        think_s=options.arriving.think,
        cv=_GAMMA_CV if cv is None else cv,
        isl_cv=options.lengths.isl_cv,
        osl_cv=options.lengths.osl_cv,
        stages=stages,
        lengths=None if options.lengths.lengths_from is None else sim.read_trace(options.lengths.lengths_from),
        repeats=repeats,
    )
    if load.requests <= KEPT_REQUESTS or not streams(options, load):
        return Offered(requests=sim.generate(load, options.seed))
    nothing = np.zeros(0, np.int64)
    origin = sim.arrivals_in_words(load.arrivals, [load.rate_req_per_s])
    none = sim.Requests(arrival_s=np.zeros(0), isl=nothing, osl=nothing, origin=origin)
    return Offered(requests=none, parted=load, course=sim.course(load, options.seed))


def streams(options: Simulation, load: Load) -> bool:
    """Return whether a load can be drawn, and the deployment be simulated, in parts."""
    from jevons.serving import sim

    plain = (
        options.devices.prefill_replicas is None
        and options.devices.routing == "round_robin"
        and not options.server.draft_tokens
    )
    return plain and sim.can_stream(load)


def _stages(text: str | None) -> tuple[Stage, ...]:
    """Return the stages of ``8:600s,20:600s``: rate and duration of each."""
    if text is None:
        return ()
    from jevons.options import duration_s
    from jevons.serving import sim

    stages: list[Stage] = []
    for part in text.split(",", RATE_STAGES):
        rate, _, lasts = part.partition(":")
        try:
            stage = sim.Stage(float(rate), duration_s(lasts.strip(), "rate_stages"))
        except (ValueError, InputError):
            stage = sim.Stage(0.0, 0.0)
        if not (0 < stage.rate_per_s < _MOST_RATE and stage.lasts_s > 0) or len(stages) == RATE_STAGES:
            message = f"--rate-stages {text[:60]}: give 1 to {RATE_STAGES} of RATE:TIME, such as 8:600s,20:600s"
            raise InputError(message)
        stages.append(stage)
    return tuple(stages)
