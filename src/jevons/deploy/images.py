"""Container images of engines, and how a container gets accelerators of a vendor."""

from __future__ import annotations

from jevons.deploy.flags import release_of
from jevons.deploy.types import Command, Handover
from jevons.facts import default_facts

UNKNOWN_IMAGE = "set-an-image-of-{engine}-for-{vendor}:v{release}"
"""Stands where no image is published under a name that follows the release."""
_ANY_RESOURCE = "example.com/accelerator"


def _stated(fact_id: str) -> str:
    """Return a text on file, empty where there is none."""
    facts = default_facts()
    return str(facts.get(fact_id).value) if fact_id in facts else ""


def resource_of(vendor: str) -> str:
    """Return Kubernetes' name of a vendor's accelerators."""
    return _stated(f"maker.{vendor.lower()}.kubernetes_resource") or _ANY_RESOURCE


def devices_variable(vendor: str) -> str:
    """Return the variable that says which accelerators a process sees; empty where containers get none by compose."""
    return _stated(f"maker.{vendor.lower()}.devices_variable")


def dynamo_image(engine: str) -> str:
    """Return NVIDIA Dynamo's image with an engine."""
    return _stated(f"engine.{engine}.image_dynamo")


def image_of(engine: str, release: str, vendor: str) -> str:
    """Return the image of a release, or a name that says what to put there."""
    image = _stated(f"engine.{engine}.image_{vendor.lower()}") or UNKNOWN_IMAGE
    return image.format(engine=engine, release=release, vendor=vendor.lower())


def image_is_known(engine: str, vendor: str) -> bool:
    """Return whether images of an engine for a vendor follow a published name."""
    return bool(_stated(f"engine.{engine}.image_{vendor.lower()}"))


def router_container(handover: Handover, routing: Command) -> tuple[str, list[str]]:
    """Return image and words of a container that runs a router; routers are installed from PyPI as it starts."""
    if handover.engine == "trtllm":
        vendor = handover.pools[0].deployment.accelerator.vendor
        return image_of("trtllm", release_of("trtllm")[0].version, vendor), routing.words()
    package = f"{handover.engine}-router"
    version = release_of(f"{handover.engine}_router")[0].version
    line = f"pip install --quiet {package}=={version} && exec {routing.line()}"
    return "python:3.12-slim", ["/bin/sh", "-c", line]
