"""Turns a fleet into what people run: launch commands, compose files, Kubernetes manifests, and the load test."""

from __future__ import annotations

from jevons.deploy.bench import bench_files
from jevons.deploy.bundle import TARGETS, deployments, launch_lines, target_titles
from jevons.deploy.scripts import warnings_of
from jevons.deploy.types import Handover, Pool, Traffic
from jevons.deploy.write import write_files

__all__ = [
    "TARGETS", "Handover", "Pool", "Traffic", "bench_files", "deployments", "launch_lines", "target_titles",
    "warnings_of", "write_files",
]  # fmt: skip
