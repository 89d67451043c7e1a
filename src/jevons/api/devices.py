"""`jevons.devices`, `jevons.device` and `jevons.engines`: what is on file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.errors import ArgumentError

if TYPE_CHECKING:
    from jevons.hardware import Accelerator
    from jevons.sizing.catalogue import DeviceResult, DevicesResult, EnginesResult


@o.declared
def devices(
    words: Annotated[str, o.WORDS] = "", *, as_of: Annotated[dt.date | str | None, o.AS_OF] = None
) -> DevicesResult:
    """List the accelerators on file: memory, bandwidth, peaks, link, power and price.

    Returns
    -------
    DevicesResult
        A row for each accelerator.

    Raises
    ------
    InputError
        If none has the words in its name.

    Examples
    --------
    >>> import jevons
    >>> jevons.devices("h20").tables["devices"].column("device")
    ['h200_sxm', 'h200_nvl', 'gh200_144gb', 'gh200', 'h20', 'h20_141gb']
    """
    from jevons.sizing.catalogue import devices_on_file

    return devices_on_file(words, o.day(as_of))


@o.declared
def accelerator(
    gpu: Annotated[str, o.DEVICE] = "",
    *,
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
) -> Accelerator:
    """Return one accelerator: memory, bandwidth, dense peaks, links and power, in SI units.

    Returns
    -------
    Accelerator
        With `.hbm_bytes`, `.hbm_bytes_per_s`, `.peak_flop_per_s`, `.tdp_w` and more.

    Raises
    ------
    InputError
        If the device is unknown, or its file wrong.
    FactError
        If it was not yet public on that date.

    Examples
    --------
    >>> import jevons
    >>> jevons.accelerator("A100-80GB").hbm_bytes / 2**30
    80.0
    """
    from jevons import hardware as devices_known

    if not gpu and hardware is None:
        message = "gpu: is missing; name an accelerator (`jevons devices` lists them), or give hardware, a YAML file"
        raise ArgumentError(message)
    return devices_known.accelerator(gpu, on=o.day(as_of), hardware=hardware)


@o.declared
def device(
    gpu: Annotated[str, o.DEVICE],
    *,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
) -> DeviceResult:
    """Show one accelerator: each figure with its grade, date and source, and whose measured kernels it runs.

    Returns
    -------
    DeviceResult
        A row for each figure; `.accelerator` is the device.

    Raises
    ------
    InputError
        If the device is unknown, or its file wrong.
    FactError
        If it was not yet public on that date.

    Examples
    --------
    >>> import jevons
    >>> jevons.device("NVIDIA H20").accelerator.hbm_bytes == 96 * 2**30
    True
    """
    from jevons.sizing.catalogue import device_shown

    return device_shown(gpu, o.day(as_of))


@o.declared
def engines(*, as_of: Annotated[dt.date | str | None, o.AS_OF] = None) -> EnginesResult:
    """List the engine presets: host time, default limits and memory share.

    Returns
    -------
    EnginesResult
        A row for each engine.

    Raises
    ------
    FactError
        If an engine's facts were not public on the date.

    Examples
    --------
    >>> import jevons
    >>> "vllm" in jevons.engines().answer
    True
    """
    from jevons.sizing.catalogue import engines_on_file

    return engines_on_file(o.day(as_of))
