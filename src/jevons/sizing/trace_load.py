"""What a recorded trace says of a load that is bought, rented or called: lengths, tokens a day, peaks, reuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jevons.errors import InputError
from jevons.serving import sim

_DAY_S = 86_400.0
_WINDOW_S, _LEAST_WINDOWS = 300.0, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLoad:
    """A load as a trace has it.

    Parameters
    ----------
    name : str
        Of the file.
    requests : int
        In the trace.
    isl, osl : int
        Mean prompt and output tokens.
    rate_req_per_s : float
        Mean rate, as recorded or as asked for.
    utilisation_frac : float or None
        Mean rate over that of the busiest five minutes; None where the trace is shorter than half an hour.
    cached_frac : float or None
        Prompt tokens whose blocks came before, over all; None where the trace does not tell.
    """

    name: str
    requests: int
    isl: int
    osl: int
    rate_req_per_s: float
    utilisation_frac: float | None
    cached_frac: float | None

    @property
    def output_tok_per_d(self) -> float:
        """Output tokens a day."""
        return self.rate_req_per_s * self.osl * _DAY_S

    def words(self, *, utilisation: bool, cached: bool) -> str:
        """Return what was taken from the trace, in a line."""
        parts = [
            f"{self.requests:,} requests of {self.isl:,} and {self.osl:,} tokens at {self.rate_req_per_s:.3g} req/s"
        ]
        if utilisation:
            parts.append(f"mean load {100 * (self.utilisation_frac or 0.0):.0f} % of the busiest five minutes")
        if cached:
            parts.append(f"{100 * (self.cached_frac or 0.0):.0f} % of prompt tokens seen before")
        return f"--trace {self.name}: {'; '.join(parts)}"


def trace_load(path: Path, mapping: Mapping[str, str] | None, rate_req_per_s: float | None) -> TraceLoad:
    """Return the load of a trace.

    Raises
    ------
    InputError
        If it says no times and no rate is given.
    """
    trace = sim.read_trace(path, mapping)
    span_s = float(trace.arrival_s[-1])
    if rate_req_per_s is None and (not trace.timed or span_s <= 0.0):
        what = "says no times" if not trace.timed else "all requests arrive at once"
        message = f"--trace {path}: {what}; give --rate or --tokens-per-day"
        raise InputError(message)
    rate = rate_req_per_s if rate_req_per_s is not None else (len(trace.isl) - 1) / span_s
    return TraceLoad(
        name=trace.name,
        requests=len(trace.isl),
        isl=max(1, round(float(trace.isl.mean()))),
        osl=max(1, round(float(trace.osl.mean()))),
        rate_req_per_s=rate,
        utilisation_frac=_mean_over_peak(trace, span_s),
        cached_frac=_seen_before(trace),
    )


def _mean_over_peak(trace: sim.Trace, span_s: float) -> float | None:
    windows = int(span_s // _WINDOW_S)
    if not trace.timed or windows < _LEAST_WINDOWS:
        return None
    counts, _ = np.histogram(trace.arrival_s, bins=windows, range=(0.0, windows * _WINDOW_S), weights=trace.osl)
    return float(counts.mean() / counts.max())


def _seen_before(trace: sim.Trace) -> float | None:
    if trace.hashes is None or trace.hash_start is None:
        return None
    _, first = np.unique(trace.hashes, return_index=True)
    repeated = (len(trace.hashes) - len(first)) * trace.hash_tokens
    return min(0.99, repeated / max(float(trace.isl.sum()), 1.0))
