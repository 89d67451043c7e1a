"""Results of load tests and snapshots of servers, read from the files that their tools write."""

from jevons.serving.measured.known import FORMATS, read_runs
from jevons.serving.measured.types import ENGINE_LOG, LATENCIES, STATISTICS, MeasuredRun

__all__ = ["ENGINE_LOG", "FORMATS", "LATENCIES", "STATISTICS", "MeasuredRun", "read_runs"]
