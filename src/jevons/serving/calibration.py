"""Engine factors fitted to measured rows: what they are, how they are read and written."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jevons.errors import InputError, did_you_mean
from jevons.files import read_json, writing
from jevons.hardware import accelerator_ids
from jevons.schema import json_text
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.engines import engine as engine_preset
from jevons.serving.engines import engine_names
from jevons.serving.scales import SCALED_PARTS, Scales, generations, pair_of

FITTED = (
    "step_overhead_s", "request_overhead_s", "prefill_launch_s", "decode_layer_s", "draft_acceptance_frac", "entry_s",
    "entry_launch_s", "admit_s", "admit_token_s", "decode_pace", "prompt_pace",
)  # fmt: skip

_BOUNDS = {
    "tp_overlap_frac": (0.0, 1.0), "ep_overlap_frac": (0.0, 1.0), "decode_ep_overlap_frac": (0.0, 1.0),
    "draft_acceptance_frac": (0.0, 1.0),
    "memory_frac": (0.01, 1.0), "expert_imbalance": (1.0, 1000.0), "captured_tokens": (0.0, 1e9),
    "captured_batch": (0.0, 1e9),
    "decode_pace": (0.01, 100.0), "prompt_pace": (0.01, 100.0),
    "reserved_bytes": (0.0, 1e13), "step_tokens": (1.0, 1e7), "max_batch": (1.0, 1e6),
}  # fmt: skip
"""Least and greatest value of factors that are no times; those, in seconds, are at most a minute."""
_WHOLE = ("step_tokens", "max_batch")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Factors by engine that replace the shipped ones.

    Parameters
    ----------
    engines : mapping of str to mapping of str to float
        Engine preset, factor, value.
    scales : mapping, optional
        Owner (``all``, a generation of devices, an engine), part of a step, time in a running engine over that of lone
        kernels; the shipped ones where none are given.
    provenance : mapping
        Files, rows, residuals and ranges of the fit.
    """

    engines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    scales: Scales | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Return the calibration of a file that `write` made.

        Raises
        ------
        InputError
            If the file cannot be read, or names an unknown engine or factor, or a value out of range.
        """
        document = read_json(path)
        try:
            engines = {str(k): {str(n): float(v) for n, v in f.items()} for k, f in document["engines"].items()}
            given = document.get("scales")
            scales = given and {str(k): {str(n): float(v) for n, v in f.items()} for k, f in given.items()}
            provenance = dict(document.get("provenance", {}))
        except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
            message = f"{path}: is no calibration file ({error!r}); `jevons calibrate` writes one"
            raise InputError(message) from error
        for name, factors in engines.items():
            if name not in engine_names():
                message = f"{path}: unknown engine `{name}`.{did_you_mean(name, engine_names())}"
                raise InputError(message)
            for factor, value in factors.items():
                if factor not in EngineFactors.factors():
                    message = f"{path}: {name}.{factor}: unknown factor.{did_you_mean(factor, FITTED)}"
                    raise InputError(message)
                low, high = _BOUNDS.get(factor, (0.0, 60.0))
                if not low <= value <= high:
                    message = f"{path}: {name}.{factor} = {value:g}: must be a number from {low:g} to {high:g}"
                    raise InputError(message)
                factors[factor] = int(value) if factor in _WHOLE else value
        pairs = (pair_of(name, generation) for name in engine_names() for generation in generations())
        owners = ("all", *generations(), *engine_names(), *accelerator_ids(), *pairs)
        for name, factors in (scales or {}).items():
            if name not in owners:
                message = (
                    f"{path}: scales.{name}: unknown owner.{did_you_mean(name, owners)} Known: all, a generation, "
                    f"an engine, a device, or an engine on a generation, such as {owners[-1]}."
                )
                raise InputError(message)
            for part, value in factors.items():
                if part not in SCALED_PARTS:
                    near = did_you_mean(part, SCALED_PARTS)
                    message = f"{path}: {name}.{part}: unknown part.{near} Known: {', '.join(SCALED_PARTS)}."
                    raise InputError(message)
                if not 1e-3 <= value <= 1e3:
                    message = f"{path}: {name}.{part} = {value:g}: must be a number from 0.001 to 1000"
                    raise InputError(message)
        return cls(engines, scales, provenance)

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain values."""
        return {"engines": self.engines, "scales": self.scales, "provenance": self.provenance}

    def write(self, path: Path, *, force: bool = False) -> None:
        """Write the calibration to a file, whole or not at all."""
        with writing(path, force=force) as stream:
            stream.write(json_text(self.to_json()))


def engine_for(name: str, calibration: Path | None = None, on: dt.date | None = None) -> EngineFactors:
    """Return an engine's factors: those public on a date, with a calibration file's in place of them.

    Raises
    ------
    InputError
        If the engine is unknown, or the file is no calibration.
    """
    factors = engine_preset(name, on=on)
    if calibration is None:
        return factors
    fitted = Calibration.read(calibration)
    scales = factors.scales if fitted.scales is None else fitted.scales
    return factors.replace(**fitted.engines.get(factors.name, {}), scales=scales)


@functools.cache
def shipped_calibration() -> Calibration:
    """Return the calibration that ships: the engines' facts as they are."""
    return Calibration()
