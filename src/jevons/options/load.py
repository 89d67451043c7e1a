"""Options of the load: lengths, arrivals, traces, classes of requests, and the latency that it must keep."""

from __future__ import annotations

from jevons.options.option import Option
from jevons.options.parse import duration_s, path

ISL_TOKENS, OSL_TOKENS = 2000, 500
"""Lengths of a request where none are given: a chat with some context and an answer of a page."""
ISL = Option(help="Input tokens per request", unit="tokens", low=1, high=100_000_000)
OSL = Option(help="Output tokens per request", unit="tokens", low=1, high=100_000_000)
ISL_CV = Option(help="Coefficient of variation of lognormal input lengths", low=0, high=100)
OSL_CV = Option(help="Coefficient of variation of lognormal output lengths", low=0, high=100)
RATE = Option(
    help="Arrival rate", unit="req/s", above=0, high=1e9,
    if_endless="; where all requests come at once, give --concurrency and --requests that number",
)  # fmt: skip
LOAD_RATE = Option(help="Arrival rate to carry; 0 for one replica at full load", unit="req/s", low=0, high=1e9)
CONCURRENCY = Option(help="Concurrent users of a closed loop, in place of a rate", low=1, high=10_000_000)
USERS = Option(help="Concurrent users, in place of a rate", low=0, high=10_000_000)
REQUESTS = Option(help="Requests to simulate", low=1, high=1_000_000_000)
ARRIVALS = Option(help="Arrival process: poisson, gamma, bursts, constant or at_once", metavar="NAME")
CV = Option(
    help="Coefficient of variation of the gaps between arrivals; 1 is Poisson, other values are gamma arrivals",
    low=0, high=1000,
)  # fmt: skip
THINK = Option(
    help="User think time between an answer and the next request", unit="s", low=0, high=1e6, parse=duration_s,
    metavar="TIME",
)  # fmt: skip
RATE_STAGES = Option(
    help="Arrival rates in turn with their durations, such as 8:600s,20:600s", unit="req/s", metavar="STAGES"
)
SWEEP_RATES = Option(
    help="Arrival rates to simulate one after another: 1,2,4 or 1:8:4", unit="req/s", metavar="RATES",
    parse=lambda given, _name: given if isinstance(given, str) else ",".join(f"{float(rate):.15g}" for rate in given),
)  # fmt: skip
TRACE = Option(
    help="Request trace in any known format, such as Azure, Mooncake, AIPerf, ShareGPT or OpenTelemetry, or a table "
    "with --map", parse=path, metavar="FILE",
)  # fmt: skip
MAP = Option(
    help="Name of a figure and the column or field that holds it, such as ttft='TTFT (ms)'; may be repeated",
    metavar="NAME=COLUMN",
)  # fmt: skip
LENGTHS_FROM = Option(help="Trace from which prompt and output lengths are drawn", parse=path, metavar="FILE")
SPEED = Option(help="Replay speed of a trace relative to its recording", above=0, high=1e9)
KEEP = Option(help="Share of a trace's requests to keep, drawn by the seed", above=0, high=1)
LOAD = Option(help="YAML file of request classes: shares, lengths, conversations, limits", parse=path, metavar="FILE")
PROMPTS = Option(
    help="Distinct prompts, sent in turn and cached by prefix; by default every request has its own",
    low=1, high=10_000_000,
)  # fmt: skip
SYSTEM_TOKENS = Option(
    help="Tokens shared by the beginning of every prompt and cached by prefix", unit="tokens", low=0,
    high=10_000_000,
)  # fmt: skip
PREFIX_CACHE = Option(help="Reuse prompt prefixes according to the trace's block hashes")
TTFT = Option(
    help="Limit on time to first token, such as 300ms", unit="s", above=0, high=1e6, parse=duration_s, metavar="TIME"
)
TPOT = Option(
    help="Limit on time per output token, such as 20ms", unit="s", above=0, high=1e6, parse=duration_s, metavar="TIME"
)
E2E = Option(
    help="Limit on end-to-end latency, such as 5s", unit="s", above=0, high=1e7, parse=duration_s, metavar="TIME"
)
PERCENTILE = Option(help="Statistic that must meet the limits: mean, p50, p90, p95 or p99", metavar="NAME")
CONFIDENCE = Option(
    help="Probability with which a recommended fleet must meet the latency limits, given past prediction errors",
    low=0.0, high=1.0,
)  # fmt: skip
