"""What an operator's answer is, and the checks and precisions that all operators share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jevons.errors import InputError, did_you_mean
from jevons.hardware.types import Accelerator

FloatArray = npt.NDArray[np.float64]
BoundArray = npt.NDArray[np.int8]
ArrayLike = npt.ArrayLike
Shape = Mapping[str, FloatArray]

BOUNDS = ("compute", "memory", "link", "launch")
COMPUTE, MEMORY, LINK, LAUNCH = (np.int8(index) for index in range(4))


class Terms(NamedTuple):
    """Parts of a time [s]: ``launch + (compute^p + traffic^p)^(1/p) + serial``."""

    launch_s: FloatArray | float
    compute_s: FloatArray
    traffic_s: FloatArray
    serial_s: FloatArray | float
    power: float


class Errors(NamedTuple):
    """Relative error that eight of ten calls stayed below: of calls longer than 20 µs, and of shorter ones."""

    long: float
    short: float


UNKNOWN = Errors(1.0, 1.0)
LONG_S = 20e-6
"""Calls longer than this are judged apart; shorter ones are mostly launch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpTime:
    """Time of an operator and what set it.

    Parameters
    ----------
    time_s : ndarray
        Time of one call [s], of the arguments' broadcast shape.
    bound : ndarray of int8
        Index into `BOUNDS` of the largest term, of the same shape.
    error, outside : Errors
        Error that eight of ten measurements stayed below which the fit had not seen and that lay as far from the rows
        fitted (another shape, precision, device or generation); and the same outside the range of the shapes fitted.
    extrapolated : ndarray of bool or bool
        Whether the shape lies outside the range that the kernel's factors were fitted on.
    start_s : ndarray or float
        Part of `time_s` that does not depend on the amount of work: launch, ramp-up, sorting.
    terms : Terms or None
        Parts of the time before the residual surface; None for large arrays, which are evaluated in pieces.
    residual : ndarray or float
        Factor on the joined terms: the kernel's residual surface, and the scale of a calibration.
    origin : str
        Whose measured kernels answered.
    """

    time_s: FloatArray
    bound: BoundArray
    error: Errors = UNKNOWN
    outside: Errors = UNKNOWN
    extrapolated: npt.NDArray[np.bool_] | bool = False
    start_s: FloatArray | float = 0.0
    terms: Terms | None = None
    residual: FloatArray | float = 1.0
    origin: str = ""

    @property
    def error_frac(self) -> FloatArray:
        """Half width of the 80 % interval as a fraction of the time, of the shape of `time_s`."""
        inside, outside = (np.where(self.time_s > LONG_S, *pair) for pair in (self.error, self.outside))
        return np.where(self.extrapolated, outside, inside)

    def bound_names(self) -> npt.NDArray[np.str_]:
        """Return the bound's name for each element."""
        names: npt.NDArray[np.str_] = np.asarray(BOUNDS)[self.bound]
        return names


def interval_s(answer: OpTime) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the 80 % interval of a time [s]; wider where the neighbours of the shape are far."""
    spread = 1.0 + answer.error_frac
    return answer.time_s / spread, answer.time_s * spread


@dataclass(frozen=True, slots=True)
class Precision:
    """How a matrix product stores and multiplies its operands.

    Parameters
    ----------
    peak : str
        Key of the peak rate in `Accelerator.peak_flop_per_s`.
    weight_bytes, activation_bytes : float
        Storage per element, scales included.
    tile_rows : float
        Least rows that its kernels multiply at once: fewer tokens cost as much. Kernels for 8-bit and 4-bit floats take
        tokens as the 64 rows of a warp group's instruction; those that multiply in 16 bits, or in 8-bit integers, have
        tiles of 16 tokens too.
    """

    peak: str
    weight_bytes: float
    activation_bytes: float
    tile_rows: float = field(default=16.0, kw_only=True)


# Scales as the formats define them: one fp32 per 128 x 128 weights and per 128 activations (fp8_block), one fp8 per 16
# (nvfp4), one exponent byte per 32 (mxfp4), one fp16 per 128 (int4).
PRECISIONS: Mapping[str, Precision] = {
    "bf16": Precision("bf16", 2.0, 2.0),
    "fp16": Precision("fp16", 2.0, 2.0),
    "fp8": Precision("fp8", 1.0, 1.0, tile_rows=64.0),
    "fp8_block": Precision("fp8", 1.0 + 4.0 / 128**2, 1.0 + 4.0 / 128, tile_rows=64.0),
    "fp4": Precision("fp4", 0.5 + 1.0 / 16, 0.5 + 1.0 / 16, tile_rows=64.0),
    "mxfp4": Precision("bf16", 0.5 + 1.0 / 32, 2.0),
    "w4a8": Precision("fp8", 0.5 + 1.0 / 32, 1.0 + 1.0 / 32, tile_rows=64.0),
    "int8": Precision("int8", 1.0, 1.0),
    "int8_wo": Precision("bf16", 1.0, 2.0),
    "int4": Precision("bf16", 0.5 + 2.0 / 128, 2.0),
}
PRECISION_ALIASES: Mapping[str, str] = {
    "bfloat16": "bf16", "float16": "fp16", "half": "fp16", "nvfp4": "fp4", "sq": "int8", "w8a8": "int8",
    "w8a16": "int8_wo", "w4a16": "int4", "int4_wo": "int4", "awq": "int4", "gptq": "int4", "w4a16_mxfp4": "mxfp4",
    "w4a8_mxfp4_mxfp8": "w4a8", "fp8_e4m3": "fp8", "fp8_per_tensor": "fp8", "mxfp8": "fp8", "mxfp6": "int8_wo",
    "int4_g32": "int4", "int3": "int4", "int2": "int4", "int5": "int8_wo", "int6": "int8_wo", "nf4": "int4",
    "nf4_double": "int4",
    **dict.fromkeys(("q8_0", "q6_k", "q5_k_m", "q5_k_s", "q5_1", "q5_0"), "int8_wo"),
    **dict.fromkeys((
        "q4_k_m", "q4_k_s", "q4_1", "q4_0", "iq4_nl", "iq4_xs", "q3_k_l", "q3_k_m", "q3_k_s", "iq3_m", "iq3_s",
        "iq3_xs", "iq3_xxs", "q2_k", "q2_k_s", "iq2_m", "iq2_s", "iq2_xs", "iq2_xxs", "iq1_m", "iq1_s",
    ), "int4"),
}  # fmt: skip
"""Other names; types without kernels of their own run in those of the nearest width that expand to 16 bits."""
KV_BYTES: Mapping[str, float] = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5 + 1.0 / 16}


def storage_of(name: str) -> tuple[str, Precision]:
    """Return the canonical name and the storage of a precision of weights.

    Raises
    ------
    InputError
        If the name is unknown.
    """
    key = PRECISION_ALIASES.get(name.lower(), name.lower())
    if key not in PRECISIONS:
        near = did_you_mean(name, [*PRECISIONS, *PRECISION_ALIASES])
        message = f"unknown precision `{name}`.{near} Known: native, {', '.join(PRECISIONS)}."
        raise InputError(message)
    return key, PRECISIONS[key]


def precision_of(device: Accelerator, name: str) -> tuple[str, Precision]:
    """Return the canonical name and the storage of a precision that the device can multiply in.

    Raises
    ------
    InputError
        If the name is unknown, or the device has no matrix unit for it.
    """
    key, kind = storage_of(name)
    if device.peak_flop_per_s.get(kind.peak, 0.0) <= 0.0:
        usable = [p for p, entry in PRECISIONS.items() if device.peak_flop_per_s.get(entry.peak, 0.0) > 0.0]
        message = f"{device.id} does not multiply in {kind.peak}, which `{name}` needs. Use {', '.join(usable)}."
        raise InputError(message)
    return key, kind


def kv_bytes_of(name: str) -> tuple[str, float]:
    """Return the canonical name of a cache precision and its bytes per element.

    Raises
    ------
    InputError
        If the name is unknown.
    """
    key = PRECISION_ALIASES.get(name.lower(), name.lower())
    key = "fp8" if key == "fp8_block" else key
    if key not in KV_BYTES:
        message = f"unknown cache precision `{name}`; the caches are {', '.join(KV_BYTES)}"
        raise InputError(message)
    return key, KV_BYTES[key]


def checked(least: float = 1.0, **values: Any) -> dict[str, FloatArray]:
    """Return the arguments as float arrays, each checked.

    Raises
    ------
    InputError
        If an element is not a finite number of at least *least*, or the shapes do not fit together.
    """
    arrays: dict[str, FloatArray] = {}
    for name, value in values.items():
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            message = f"{name} = {value!r}: must be a number or an array of numbers"
            raise InputError(message) from None
        right = np.isfinite(array) & (array >= least)
        if not right.all():
            wrong = ~right
            message = f"{name} = {array[wrong].flat[0]:g}: must be a finite number of at least {least:g}"
            raise InputError(message)
        arrays[name] = array
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        message = f"shapes do not fit together: {shapes}"
        raise InputError(message) from None
    return arrays
