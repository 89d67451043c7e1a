"""Container images of engines, and how a container gets accelerators of a vendor."""

from __future__ import annotations

from dataclasses import dataclass

from jevons.deploy.flags import release_of
from jevons.deploy.types import Command, Handover

_IMAGES = {
    ("vllm", "NVIDIA"): "vllm/vllm-openai:v{release}",
    ("vllm", "AMD"): "vllm/vllm-openai-rocm:v{release}",
    ("sglang", "NVIDIA"): "lmsysorg/sglang:v{release}",
    ("trtllm", "NVIDIA"): "nvcr.io/nvidia/tensorrt-llm/release:{release}",
}
UNKNOWN_IMAGE = "set-an-image-of-{engine}-for-{vendor}:v{release}"
"""Stands where no image is published under a name that follows the release."""

DYNAMO_IMAGES = {
    "vllm": "nvcr.io/nvidia/ai-dynamo/vllm-runtime",
    "sglang": "nvcr.io/nvidia/ai-dynamo/sglang-runtime",
    "trtllm": "nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime",
}
"""Images of Dynamo by engine."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Kubernetes' name of a vendor's accelerators, and whether Docker compose starts containers with them."""

    name: str
    compose: bool = False


_RESOURCES = {
    "NVIDIA": Resource("nvidia.com/gpu", compose=True),
    "AMD": Resource("amd.com/gpu", compose=True),
    "Google": Resource("google.com/tpu"),
    "Intel": Resource("habana.ai/gaudi"),
    "AWS": Resource("aws.amazon.com/neuron"),
    "Huawei": Resource("huawei.com/Ascend910"),
}


def resource_of(vendor: str) -> Resource:
    """Return how containers get accelerators of a vendor."""
    return _RESOURCES.get(vendor, Resource("example.com/accelerator"))


def image_of(engine: str, release: str, vendor: str) -> str:
    """Return the image of a release, or a name that says what to put there."""
    image = _IMAGES.get((engine, vendor), UNKNOWN_IMAGE)
    return image.format(engine=engine, release=release, vendor=vendor.lower())


def image_is_known(engine: str, vendor: str) -> bool:
    """Return whether images of an engine for a vendor follow a published name."""
    return (engine, vendor) in _IMAGES


def router_container(handover: Handover, routing: Command) -> tuple[str, list[str]]:
    """Return image and words of a container that runs a router; routers are installed from PyPI as it starts."""
    if handover.engine == "trtllm":
        vendor = handover.pools[0].deployment.accelerator.vendor
        return image_of("trtllm", release_of("trtllm")[0].version, vendor), routing.words()
    package = f"{handover.engine}-router"
    version = release_of(f"{handover.engine}_router")[0].version
    line = f"pip install --quiet {package}=={version} && exec {routing.line()}"
    return "python:3.12-slim", ["/bin/sh", "-c", line]
