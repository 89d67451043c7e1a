"""The precision that weights are stored in, and the one that a device multiplies them in."""

from __future__ import annotations

from jevons.models import WeightPrecision
from jevons.models.types import WEIGHT_BITS
from jevons.operators.types import storage_of
from jevons.serving.types import Deployment

# A device without matrix units of a precision keeps the weights in it and multiplies in 16 bits.
_EXPANDED = {"fp8": "int8_wo", "fp8_block": "int8_wo", "int8": "int8_wo", "fp4": "mxfp4", "w4a8": "mxfp4"}


def weight_precision(deployment: Deployment) -> WeightPrecision:
    """Return the stored precision by class: the shipped one for ``native``, else the same for all matrices.

    ``fp8`` of a model that is shipped with block scales means those.
    """
    shipped = deployment.model.weight_precision
    if deployment.precision == "native" or (deployment.precision == "fp8" and shipped.dense == "fp8_block"):
        return shipped
    return WeightPrecision.uniform(deployment.precision)


def multiplied_in(deployment: Deployment, stored: str, *, experts: bool = False) -> str:
    """Return the operators' name for weights stored in that precision on the deployment's device.

    MXFP4 experts, as models are shipped with, take activations of more bits. Other layers in MXFP4 were quantised with
    their activations, and are multiplied in 4 bits where the device can.

    Raises
    ------
    InputError
        If the precision is unknown.
    """
    key, storage = storage_of(stored)
    if key == "mxfp4" and not experts and deployment.accelerator.peak_flop_per_s.get("fp4", 0.0) > 0.0:
        return "fp4"
    if deployment.accelerator.peak_flop_per_s.get(storage.peak, 0.0) > 0.0:
        return key
    return _EXPANDED.get(key, "bf16")


def stored_bytes(precision: str) -> float:
    """Return the bytes of one weight in that precision, scales included.

    Raises
    ------
    InputError
        If the precision is unknown.
    """
    if precision in WEIGHT_BITS:
        return WEIGHT_BITS[precision] / 8.0
    return storage_of(precision)[1].weight_bytes
