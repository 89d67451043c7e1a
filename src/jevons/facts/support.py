"""How far predictions were from measurements, by device, engine and model: what `scripts/support_page.py` wrote."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "support.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """How well something is validated.

    Parameters
    ----------
    figures : int
        Measured figures that predictions were compared with.
    error_frac : float or None
        Median absolute error: of throughput where it was measured, else of TPOT, else of TTFT.
    """

    figures: int = 0
    error_frac: float | None = None


@functools.lru_cache(maxsize=1)
def _content() -> Mapping[str, Any]:
    return dict(json.loads(_FILE.read_text("utf-8")))


def support_of(kind: str, name: str) -> Support:
    """Return how well a device, an engine or a model is validated.

    Parameters
    ----------
    kind : str
        ``devices``, ``engines`` or ``models``.
    name : str
        Its id.

    Examples
    --------
    >>> support_of("devices", "h100_sxm").figures > 100, support_of("devices", "gaudi3").figures
    (True, 0)
    """
    entry = _content()[kind].get(name)
    if entry is None:
        return Support()
    errors = [entry[key] for key in ("throughput", "tpot", "ttft") if entry[key] is not None]
    return Support(figures=entry["figures"], error_frac=errors[0] if errors else None)


def support_matrix() -> list[dict[str, Any]]:
    """Return a row for each device, engine and family of models: figures, and median absolute errors as fractions."""
    return list(_content()["matrix"])
