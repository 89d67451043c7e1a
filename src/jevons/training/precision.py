"""Formats in which training multiplies matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jevons.errors import InputError, did_you_mean
from jevons.hardware import Accelerator

_HALF = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How products of training store and multiply their inputs.

    Parameters
    ----------
    peak : str
        Key of the device's peak rate.
    operator : str
        Precision whose kernels `jevons.operators` has.
    element_bytes : float
        Of an input, its share of scales included.
    block_scaled : bool
        Whether the matrix unit itself applies one scale per few elements, which came with 4-bit rates.
    """

    peak: str
    operator: str
    element_bytes: float
    block_scaled: bool = False

    @property
    def narrow(self) -> bool:
        """Whether inputs have to be cast first."""
        return self.element_bytes < _HALF


# Scales as the formats define them: one fp32 per 128 values (fp8_block), one byte per 32 (MX) or per 16 (nvfp4).
FORMATS: Mapping[str, Format] = {
    "bf16": Format(peak="bf16", operator="bf16", element_bytes=2.0),
    "fp16": Format(peak="bf16", operator="bf16", element_bytes=2.0),
    "fp8": Format(peak="fp8", operator="fp8", element_bytes=1.0),
    "fp8_block": Format(peak="fp8", operator="fp8_block", element_bytes=1.0 + 4.0 / 128),
    "mxfp8": Format(peak="fp8", operator="fp8", element_bytes=1.0 + 1.0 / 32, block_scaled=True),
    "nvfp4": Format(peak="fp4", operator="fp4", element_bytes=0.5 + 1.0 / 16, block_scaled=True),
    "fp4": Format(peak="fp4", operator="fp4", element_bytes=0.5 + 1.0 / 16),
    "mxfp4": Format(peak="fp4", operator="fp4", element_bytes=0.5 + 1.0 / 32, block_scaled=True),
}


def training_format(device: Accelerator, name: str) -> Format:
    """Return the format of that name.

    Raises
    ------
    InputError
        If it is unknown, or the device does not multiply in it; the nearest formats that it has are named.
    """
    known = FORMATS.get(name.lower())
    if known is None:
        message = f"precision = `{name}`: must be one of {', '.join(FORMATS)}.{did_you_mean(name, list(FORMATS))}"
        raise InputError(message)
    if not _has(device, known):
        usable = [key for key, entry in FORMATS.items() if _has(device, entry) and key not in {"fp16", "fp4"}]
        nearest = [key for key in usable if FORMATS[key].narrow][::-1] or usable
        message = f"{device.id} does not multiply in `{name}`. Use {', '.join(nearest)}."
        raise InputError(message)
    return known


def _has(device: Accelerator, wanted: Format) -> bool:
    return device.supports(wanted.peak) and (device.supports("fp4") or not wanted.block_scaled)
