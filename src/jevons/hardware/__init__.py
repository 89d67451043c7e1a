"""Accelerators, links, clusters and sites as typed views over facts."""

import sys
from typing import Any

import jevons
from jevons.hardware.catalog import (
    accelerator,
    cluster,
    kin,
    site_currency,
    site_facts,
    site_from_facts,
    site_ids,
    site_region,
)
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
    "site_currency",
    "site_facts",
    "site_from_facts",
    "site_ids",
    "site_region",
]

sys.modules[__name__].__class__ = jevons.Part


def __getattr__(name: str) -> Any:
    """Answer a name that is not here with one that is."""
    raise jevons.unknown(__name__, name, __all__)


def __dir__() -> Any:
    """Return the public names."""
    return __all__
