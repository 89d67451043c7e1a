"""Whether a load finds room in the memory that is free: refused before it is drawn, not killed while it is."""

from __future__ import annotations

import re
from pathlib import Path

from jevons.errors import InputError
from jevons.limits import REQUEST_BYTES

_STATUS = Path("/proc/meminfo")


def free_bytes() -> int | None:
    """Return the memory that programs may still take, None where the system does not say."""
    try:
        match = re.search(r"^MemAvailable:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except (OSError, UnicodeError):
        return None
    return None if match is None else int(match[1]) * 1024


def check_room(requests: int) -> None:
    """Refuse a load whose requests alone take more memory than is free.

    Raises
    ------
    InputError
        Naming both, and how many requests there is room for.
    """
    needed, free = requests * REQUEST_BYTES, free_bytes()
    if free is not None and needed > free:
        message = (
            f"requests = {requests}: take some {needed / 1e9:.3g} GB, and {free / 1e9:.3g} GB of memory are free; use "
            f"at most {free // REQUEST_BYTES // 10**6 * 10**6 or free // REQUEST_BYTES:,}"
        )
        raise InputError(message)
