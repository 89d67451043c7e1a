"""What a public service gives to each address that asks: so many reads, questions and runs a minute, and no uploads."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

RATES_PER_MIN = {"read": 600.0, "question": 60.0, "run": 12.0}
"""Requests a minute from one address, and at once after a quiet minute: pages and files; quick answers; simulations."""
LONGEST_RUN_S = 120.0
"""Time after which a run of a public service is ended."""
_MOST_ADDRESSES = 10_000
_IPV6_NETWORK = 64
"""Bits of an IPv6 address that one subscriber shares."""


@dataclass(slots=True)
class _Left:
    """Requests of each kind that an address has left, and when they were counted [s]."""

    counts: dict[str, float]
    at_s: float


@dataclass(slots=True, kw_only=True)
class Quota:
    """Counts requests by address; what is not used comes back evenly over a minute.

    Parameters
    ----------
    clock : callable
        Returns a time that only grows [s].
    """

    clock: Callable[[], float] = time.monotonic
    left: OrderedDict[str, _Left] = field(default_factory=OrderedDict)

    def wait_s(self, address: str, kind: str) -> float:
        """Take one request of a kind, and return 0; or how long until one is left [s], and take none."""
        now, name = self.clock(), _subscriber(address)
        known = self.left.pop(name, None) or _Left(dict(RATES_PER_MIN), now)
        self.left[name] = known
        while len(self.left) > _MOST_ADDRESSES:
            self.left.popitem(last=False)
        for each, most in RATES_PER_MIN.items():
            known.counts[each] = min(most, known.counts[each] + most * (now - known.at_s) / 60.0)
        known.at_s = now
        if known.counts[kind] < 1.0:
            return (1.0 - known.counts[kind]) * 60.0 / RATES_PER_MIN[kind]
        known.counts[kind] -= 1.0
        return 0.0


def kind_of(method: str, path: str) -> str:
    """Return what a request counts as: a run where it may start a simulation, a question where it asks a function."""
    if method == "POST":
        return "run" if path.rstrip("/").rsplit("/", 1)[-1] in {"runs", "simulate", "plan", "diff"} else "question"
    drawn = path.endswith(".svg") and "/runs/" in path
    return "question" if drawn or "/deploy/" in path or "/facts" in path else "read"


def _subscriber(address: str) -> str:
    """Return an address, of IPv6 the network that one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))
    return str(parsed)
