"""Accelerators, links, clusters and sites as typed views over facts."""

from jevons.hardware.catalog import accelerator, accelerator_ids, cluster, host_link_kind, site_from_facts
from jevons.hardware.types import Accelerator, Cluster, Link, Site

__all__ = [
    "Accelerator",
    "Cluster",
    "Link",
    "Site",
    "accelerator",
    "accelerator_ids",
    "cluster",
    "host_link_kind",
    "site_from_facts",
]
