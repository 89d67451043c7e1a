"""Options of a fleet of replicas: routing, autoscaling, failures, limits, batch work, prefill apart."""

from __future__ import annotations

from jevons.options.option import Option
from jevons.options.parse import duration_s

REPLICAS = Option(help="Number of replicas", low=1, high=100_000)
ROUTING = Option(
    help="How the router picks a replica: round_robin, least_loaded, least_tokens, two_choices, prefix, session or "
    "adapter; a fleet's default is least_loaded, that of equal replicas round_robin",
    metavar="NAME",
)  # fmt: skip
STALE = Option(
    help="Interval between load reports to the router", unit="s", low=0, high=1e6, parse=duration_s, metavar="TIME"
)
SLACK = Option(
    help="Queued requests beyond the least loaded replica's that cache affinity may add; 32 where not given",
    low=0,
    high=1_000_000,
)
AUTOSCALE = Option(help="Minimum and maximum number of replicas under autoscaling, such as 2:10", metavar="MIN:MAX")
TARGET = Option(help="Target of autoscaling: unanswered requests per replica", above=0, high=1e9)
COLD_START = Option(
    help="Replica start-up time; 120 s where not given", unit="s", low=0, high=1e6, parse=duration_s, metavar="TIME"
)
MTBF = Option(help="Mean time between failures of a replica", unit="h", low=1e-3, high=1e7)
REPAIR = Option(
    help="Time until a failed replica serves again; 600 s where not given", unit="s", low=0, high=1e8, parse=duration_s,
    metavar="TIME",
)  # fmt: skip
RETRIES = Option(help="Maximum retries of a request whose replica failed; 3 where not given", low=0, high=1000)
QUEUE_LIMIT = Option(help="Maximum requests waiting at a replica; more are rejected", low=1, high=10**9)
RATE_LIMIT = Option(help="Admitted requests per second, and a burst: 20 or 20:100; more are rejected", metavar="RATE")
OFFLINE_REQUESTS = Option(help="Batch requests without a deadline, served in idle capacity", low=1, high=100_000_000)
OFFLINE_BELOW = Option(help="Unanswered requests at a replica below which it takes batch work", low=1, high=10**9)
PREFILL_REPLICAS = Option(help="Replicas that only prefill; --replicas then only decode", low=1, high=100_000)
PREFILL_TP = Option(
    help="Tensor-parallel degree of the prefill replicas; that of the others where not given", low=1, high=4096
)
