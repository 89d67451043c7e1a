"""How and for whom a model is served: device, engine, latency limits, and the load."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jevons import serving
from jevons.errors import InputError, did_you_mean
from jevons.hardware import Accelerator, accelerator
from jevons.limits import SIZE_RUNS
from jevons.models import ModelSpec
from jevons.operators.engines import engine_and_release
from jevons.operators.types import PRECISION_ALIASES, PRECISIONS
from jevons.serving import sim
from jevons.serving.calibration import engine_for
from jevons.serving.engines import composing, with_server_defaults

GROUP_SIZES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 144, 256, 320, 512, 1024)
"""Numbers of accelerators per replica that are tried."""

STATISTICS = ("mean", "p50", "p90", "p95", "p99")
"""Statistics of latency that a limit may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How and for whom a model is served.

    Parameters
    ----------
    gpu : str
        Accelerator id.
    engine : str
        Engine preset.
    precision : str or None
        Of the weights, or several with commas; where not given as in `precisions`.
    gpus : int
        Maximum accelerators of one replica.
    isl, osl : int
        Input and output tokens per request.
    ttft_s, tpot_s : float or None
        Limits on time to first token and on time per output token [s]; without queueing where no load is simulated.
    on : date or None
        Nothing published later is visible.
    e2e_s : float or None
        Limit on end-to-end latency [s].
    percentile : str
        Which of `STATISTICS` must keep the limits where a load is simulated.
    kv_precision : str
        Of the cache.
    max_batch : int or None
        Maximum requests running on an attention rank at once, in place of the engine's.
    least_gpus : int
        Minimum accelerators of one replica.
    calibration : path or None
        Calibration file whose factors replace the shipped ones.
    step_tokens : int or None
        Maximum tokens in a step of an attention rank, in place of the engine's.
    memory_frac : float or None
        Share of device memory that the engine may use, in place of its own.
    max_model_len : int or None
        Longest sequence that is served; what the model reads where not given.
    eager : bool
        Whether no graphs are captured.
    draft_tokens : int
        Tokens drafted in each decode step.
    draft_acceptance : float or None
        Chance that one is accepted, in place of the engine's.
    changed : tuple of (str, float or str)
        Factors that the server's flags change, in place of the engine's, by name.
    layout : Layout or None
        The one layout to try, in place of all.
    fixed : tuple of (str, int)
        Parallel degrees to hold, by name, while the others are searched.
    """

    gpu: str = "h100_sxm"
    engine: str = "generic"
    precision: str | None = None
    gpus: int = 16
    isl: int = 2000
    osl: int = 500
    ttft_s: float | None = None
    tpot_s: float | None = 0.05
    on: dt.date | None = None
    e2e_s: float | None = None
    percentile: str = "p95"
    kv_precision: str = "bf16"
    max_batch: int | None = None
    least_gpus: int = 1
    calibration: Path | None = None
    step_tokens: int | None = None
    memory_frac: float | None = None
    max_model_len: int | None = None
    eager: bool = False
    draft_tokens: int = 0
    draft_acceptance: float | None = None
    changed: tuple[tuple[str, float | str], ...] = ()
    layout: serving.Layout | None = None
    fixed: tuple[tuple[str, int], ...] = ()

    def accelerator(self) -> Accelerator:
        """Return the device as it was known on the date."""
        return accelerator(self.gpu, on=self.on)

    def factors(self) -> serving.EngineFactors:
        """Return the engine's factors, with the limits asked for or those of its server on the device."""
        factors = engine_for(self.engine, self.calibration, self.on)
        return told(
            factors, self.accelerator(), max_batch=self.max_batch, step_tokens=self.step_tokens, eager=self.eager,
            draft_tokens=self.draft_tokens, draft_acceptance=self.draft_acceptance,
            changed=self.changed,
        )  # fmt: skip

    def settings(self) -> serving.Settings:
        """Return what the server is told beside its limits."""
        return serving.Settings(
            memory_frac=self.memory_frac, draft_tokens=self.draft_tokens, max_model_len=self.max_model_len or 0,
            eager=self.eager,
        )  # fmt: skip

    def workload(self) -> serving.Workload:
        """Return the mean request."""
        return serving.Workload(isl=float(self.isl), osl=float(self.osl))

    def group_sizes(self) -> tuple[int, ...]:
        """Return the numbers of accelerators per replica to try; multiples of the degrees that are held among them."""
        product = math.prod(degree for name, degree in self.fixed if name in {"tp", "pp", "dp"})
        sizes = {*GROUP_SIZES, *(product << n for n in range(max(GROUP_SIZES).bit_length()) if product > 1)}
        return tuple(n for n in sorted(sizes) if self.least_gpus <= n <= self.gpus and n % product == 0)

    def search(self, spec: ModelSpec, device: Accelerator) -> serving.SearchResult:
        """Return the layouts that meet the limits; raises where the model's context is too short for the request."""
        self.check(spec)
        return serving.search_layouts(
            spec, device, self.workload(), devices=self.group_sizes(), precisions=self.precisions(spec, device),
            kv_precision=self.kv_precision, engine=self.factors(), ttft_s=self.ttft_s, tpot_s=self.tpot_s,
            e2e_s=self.e2e_s, settings=self.settings(), only=self.layout, fixed=dict(self.fixed),
        )  # fmt: skip

    def survey(self, spec: ModelSpec, device: Accelerator) -> serving.Survey:
        """Return the points of all layouts that fit the device."""
        return serving.survey(
            spec, device, self.workload(), devices=self.group_sizes(), precisions=self.precisions(spec, device),
            kv_precision=self.kv_precision, engine=self.factors(), limits=self.slo,
            settings=self.settings(), only=self.layout, fixed=dict(self.fixed),
        )  # fmt: skip

    def check(self, spec: ModelSpec) -> None:
        """Check the options against each other and the model.

        Raises
        ------
        InputError
            Naming the option, its value and what would be right.
        """
        self.check_degrees()
        if self.isl + self.osl > (self.max_model_len or self.isl + self.osl):
            message = (
                f"--isl {self.isl} and --osl {self.osl}: {self.isl + self.osl:,} tokens exceed --max-model-len "
                f"{self.max_model_len:,}; raise it, or ask for fewer"
            )
            raise InputError(message)
        if (self.max_model_len or 0) > spec.max_context > 0:
            message = (
                f"--max-model-len {self.max_model_len}: must be at most the {spec.max_context:,} tokens that "
                f"{spec.name} reads; {spec.stretched_to(self.max_model_len or 0)}"
            )
            raise InputError(message)
        if self.isl + self.osl > spec.max_context > 0:
            message = (
                f"--isl {self.isl} and --osl {self.osl}: {self.isl + self.osl:,} tokens exceed the longest context of "
                f"{spec.name}, {spec.max_context:,}; ask for fewer"
            )
            raise InputError(message)
        if self.percentile not in STATISTICS:
            message = (
                f"--percentile {self.percentile}: unknown.{did_you_mean(self.percentile, STATISTICS)} "
                f"Known: {', '.join(STATISTICS)}."
            )
            raise InputError(message)
        if self.max_batch is not None and self.max_batch < 1:
            message = f"--max-num-seqs {self.max_batch}: must be at least 1"
            raise InputError(message)
        for name, limit in (("ttft", self.ttft_s), ("tpot", self.tpot_s), ("e2e", self.e2e_s)):
            if limit is not None and not (limit > 0 and math.isfinite(limit)):
                message = f"--{name} {limit:g}: must be above 0 seconds"
                raise InputError(message)

    def check_degrees(self) -> None:
        """Check that a replica has room for the degrees that are held.

        Raises
        ------
        InputError
            Naming them.
        """
        if self.layout is None and not self.group_sizes():
            product = " ".join(f"--{name} {degree}" for name, degree in self.fixed if name != "dp_attention")
            message = f"{product}: more accelerators than --max-replica-gpus {self.gpus}; raise it, or lower a degree"
            raise InputError(message)

    def precisions(self, spec: ModelSpec, device: Accelerator) -> tuple[str, ...]:
        """Return the precisions of weights to try: as shipped where that is quantised, else 8 and 16 bits."""
        if self.precision is None:
            eight = next((p for p in ("fp8", "int8") if device.supports(p)), None)
            shipped = spec.weight_precision
            if shipped.experts == shipped.dense == "fp8_block":
                return (eight or "bf16",)
            if {shipped.experts, shipped.dense} - {"bf16", "fp16"}:
                return ("native",)
            return (eight, "bf16") if eight else ("bf16",)
        known = [*PRECISIONS, *PRECISION_ALIASES, "native"]
        wanted = tuple(dict.fromkeys(name.strip().lower() for name in self.precision.split(",")))
        for name in wanted:
            if name not in known:
                message = f"--precision {name}: unknown.{did_you_mean(name, known)} Known: {', '.join(PRECISIONS)}."
                raise InputError(message)
        return wanted

    @property
    def slo(self) -> tuple[float | None, float | None, float | None]:
        """The limits of TTFT, TPOT and E2E."""
        return self.ttft_s, self.tpot_s, self.e2e_s

    @property
    def limits(self) -> str:
        """The latency limits in words."""
        named = (("TTFT", self.ttft_s), ("TPOT", self.tpot_s), ("E2E", self.e2e_s))
        return ", ".join(f"{name} <= {1e3 * limit:g} ms" for name, limit in named if limit is not None)


def told(
    factors: serving.EngineFactors,
    device: Accelerator,
    *,
    max_batch: int | None = None,
    step_tokens: int | None = None,
    eager: bool = False,
    draft_tokens: int = 0,
    draft_acceptance: float | None = None,
    changed: Iterable[tuple[str, float | str]] = (),
) -> serving.EngineFactors:
    """Return an engine's factors with the limits and settings that its server is told, or takes on a device.

    Raises
    ------
    InputError
        If a chance of acceptance is given and nothing is drafted.
    """
    given: dict[str, int | float | bool | str] = dict(changed)
    factors = with_server_defaults(factors, device, max_batch or 0, step_tokens or 0)
    factors = composing(factors, ahead=bool(given.pop("composes_ahead", factors.batching.composes_ahead)))
    if eager:
        given["eager"] = True
    if draft_acceptance is not None:
        if not draft_tokens:
            message = "--draft-acceptance: has no effect without --draft-tokens; add it"
            raise InputError(message)
        given["draft_acceptance_frac"] = draft_acceptance
    return factors.replace(**given) if given else factors


def released(engine: str, version: str) -> str:
    """Return an engine's name with its release.

    Raises
    ------
    InputError
        If the release is given twice.
    """
    if version and engine_and_release(engine)[1] is not None:
        message = f"--engine-version {version}: --engine {engine} names a release too; omit one of them"
        raise InputError(message)
    return f"{engine}@{version}" if version else engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The load that a fleet carries.

    Parameters
    ----------
    rate_req_per_s : float
        Mean arrivals; 0 for none (one replica is sized), or for those of the trace.
    users : int
        Users of a closed loop, each sending its next request when the last is answered; 0 for an open load.
    think_s : float
        Mean time from an answer to the user's next request [s]; with any, users come like a Poisson stream.
    trace : Path or None
        Request trace to replay, at its own rate or *rate_req_per_s*.
    mapping : mapping of str to str or None
        Its columns, where they have other names.
    cv : float
        Coefficient of variation of the gaps between arrivals: 1 for Poisson, more for bunched ones.
    isl_cv, osl_cv : float
        Coefficient of variation of lognormal lengths; 0 for constant ones.
    requests : int or None
        Requests of one simulation; enough to fill the fleet many times over where not given.
    runs : int
        Simulations, each with a seed of its own, for the confidence interval.
    seed : int
        Root of all random streams.
    """

    rate_req_per_s: float = 0.0
    users: int = 0
    think_s: float = 0.0
    trace: Path | None = None
    mapping: Mapping[str, str] | None = None
    cv: float = 1.0
    isl_cv: float = 0.0
    osl_cv: float = 0.0
    requests: int | None = None
    runs: int = 5
    seed: int = 0

    @property
    def given(self) -> bool:
        """Whether there is a load at all."""
        return self.rate_req_per_s > 0 or self.users > 0 or self.trace is not None

    @property
    def closed(self) -> bool:
        """Whether users ask again as soon as they are answered."""
        return self.users > 0 and self.think_s == 0.0

    def check(self) -> None:
        """Check the options against each other.

        Raises
        ------
        InputError
            Naming the option, its value and what would be right.
        """
        bounds: Mapping[str, tuple[float, float, float]] = {
            "rate": (self.rate_req_per_s, 0, 1e9), "concurrency": (self.users, 0, 1e7), "think": (self.think_s, 0, 1e6),
            "cv": (self.cv, 0.01, 100), "isl-cv": (self.isl_cv, 0, 100), "osl-cv": (self.osl_cv, 0, 100),
            "runs": (self.runs, 1, SIZE_RUNS), "requests": (self.requests or 100, 100, 10_000_000),
        }  # fmt: skip
        for name, (value, least, most) in bounds.items():
            if not least <= value <= most:
                message = f"--{name} {value:g}: must be from {least:g} to {most:,g}"
                raise InputError(message)
        if self.users and (self.rate_req_per_s > 0 or self.trace is not None):
            message = "--concurrency with --rate or --trace: users of a closed loop have no rate; give one of them"
            raise InputError(message)

    def read(self) -> sim.Trace | None:
        """Return the trace, where there is one."""
        if self.trace is None:
            return None
        trace = sim.read_trace(self.trace, self.mapping)
        if not trace.timed and not self.rate_req_per_s:
            message = f"--trace {self.trace}: says no times; give a --rate at which its requests come"
            raise InputError(message)
        return trace

    @property
    def words(self) -> str:
        """The load in words."""
        if self.users:
            thinking = f", {self.think_s:g} s think time" if self.think_s else ""
            return f"{self.users:,} concurrent users{thinking}"
        if self.trace is not None:
            at = f" at {self.rate_req_per_s:g} req/s" if self.rate_req_per_s else ""
            return f"{self.trace.name}{at}"
        return f"{self.rate_req_per_s:g} req/s" if self.rate_req_per_s else "one replica at full load"
