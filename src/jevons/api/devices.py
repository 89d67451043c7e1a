"""`jevons.devices`, `jevons.device` and `jevons.engines`: what is on file."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from jevons import options as o

if TYPE_CHECKING:
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
    ['h200_sxm', 'gh200', 'h20', 'h20_141gb']
    """
    from jevons.sizing.catalogue import devices_on_file

    return devices_on_file(words, o.day(as_of))


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
