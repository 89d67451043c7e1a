"""Reads what load tools of the web write of a server: k6's summary and Locust's table of statistics.

Both time whole requests and know nothing of tokens; a caller states the lengths.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from jevons.serving.measured.types import MeasuredRun, cleaned, finite, whole

_K6 = {"avg": "mean", "med": "p50", "p(90)": "p90", "p(95)": "p95", "p(99)": "p99"}
_LOCUST = {"Average Response Time": "mean", "50%": "p50", "90%": "p90", "95%": "p95", "99%": "p99"}
_LOCUST_TITLES = frozenset({"Request Count", "Average Response Time", "Requests/s", "50%"})
_MS = 1e-3


def _trend(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a metric of k6, whose figures lie a level deeper where a script wrote them."""
    stated = metrics.get(name)
    if not isinstance(stated, Mapping):
        return {}
    inner = stated.get("values")
    return inner if isinstance(inner, Mapping) else stated


def is_k6(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a summary of k6."""
    metrics = record.get("metrics")
    return isinstance(metrics, Mapping) and "avg" in _trend(metrics, "http_req_duration")


def k6(record: Mapping[str, Any]) -> MeasuredRun:
    """Return the run of a summary of k6: virtual users are requests at once of a closed loop."""
    metrics = record["metrics"]
    requests, users = _trend(metrics, "http_reqs"), _trend(metrics, "vus_max") or _trend(metrics, "vus")
    latency = _trend(metrics, "http_req_duration")
    figures = {f"e2e_s.{statistic}": _scaled(latency.get(name)) for name, statistic in _K6.items()}
    return MeasuredRun(
        make="k6", requests=whole(requests.get("count")),
        users=whole(users.get("max")) or whole(users.get("value")),
        figures=cleaned(figures | {"req_per_s": finite(requests.get("rate"))}),
    )  # fmt: skip


def locust_runs(text: str) -> list[MeasuredRun]:
    """Return the run of Locust's statistics, of all requests together; none of other texts."""
    if "Requests/s" not in text[:1000]:
        return []
    reader = csv.DictReader(io.StringIO(text))
    if not set(reader.fieldnames or ()) >= _LOCUST_TITLES:
        return []
    rows = list(reader)
    row = next((row for row in rows if row.get("Name") == "Aggregated"), rows[-1] if rows else None)
    if row is None:
        return []
    figures = {f"e2e_s.{statistic}": _scaled(row.get(title)) for title, statistic in _LOCUST.items()}
    failed = finite(row.get("Failure Count")) or 0.0
    done = (finite(row.get("Request Count")) or 0.0) - failed
    return [MeasuredRun(
        make="Locust", requests=whole(done), figures=cleaned(figures | {"req_per_s": finite(row.get("Requests/s"))}),
    )]  # fmt: skip


def _scaled(value: Any) -> float | None:
    figure = finite(value)
    return None if figure is None else figure * _MS
