"""Accelerators, links, clusters and sites as typed views over facts."""

from jevons.hardware.catalog import accelerator, cluster, kin, site_from_facts
from jevons.hardware.names import accelerator_ids, device_id, device_in
from jevons.hardware.types import Accelerator, Cluster, Link, OwnPrice, Site

__all__ = [
    "Accelerator",
    "Cluster",
    "Link",
    "OwnPrice",
    "Site",
    "accelerator",
    "accelerator_ids",
    "cluster",
    "device_id",
    "device_in",
    "kin",
    "site_from_facts",
]
