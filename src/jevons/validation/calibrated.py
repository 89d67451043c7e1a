"""What `jevons.calibrate` returns: the fitted factors, their standard errors, and how well they fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.results import Column, Result, Table, number, table
from jevons.serving.calibration import Calibration


@dataclass(frozen=True, repr=False)
class CalibrationResult(Result):
    """What `jevons.calibrate` returns.

    Parameters
    ----------
    calibration : Calibration
        Factors by engine, scales of kernels, and what they rest on.
    """

    kind: ClassVar[str] = "calibrate"

    calibration: Calibration

    @property
    def figures(self) -> int:
        """Measured figures that were fitted."""
        return int(self.calibration.provenance["rows"])

    @property
    def median_ape(self) -> float:
        """Median absolute relative error on the figures fitted."""
        return float(self.calibration.provenance["median_ape"])

    @property
    def p90_ape(self) -> float:
        """90th percentile of the absolute relative error on the figures fitted."""
        return float(self.calibration.provenance["p90_ape"])

    @property
    def answer(self) -> str:
        """How many factors were fitted, and the error that is left on the figures fitted."""
        return (
            f"{len(self._factors())} factors fitted to {self.figures:,} figures: median absolute error "
            f"{number(100 * self.median_ape)} %, 90th percentile {number(100 * self.p90_ape)} % on these figures."
        )

    def _factors(self) -> list[dict[str, Any]]:
        spread = self.calibration.provenance["spread_frac"]
        return [
            {"of": owner, "factor": factor, "value": value, "spread_frac": spread[f"{owner}.{factor}"]}
            for owners in (self.calibration.engines, self.calibration.scales or {})
            for owner, factors in owners.items()
            for factor, value in factors.items()
            if f"{owner}.{factor}" in spread
        ]

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column(name="of", label="engine, generation or all"),
            Column(name="factor", label="factor: time [s], share, or scale of a kernel's time"),
            Column(name="value", label="value"),
            Column(name="spread_frac", label="standard error", unit="%", scale=100.0),
        )
        yield table("factors", "Fitted factors", columns, [tuple(one.values()) for one in self._factors()])

    def to_json(self) -> dict[str, Any]:
        """Return the calibration file's content, with the answer and the fitted factors."""
        return {"answer": self.answer, **self.calibration.to_json(), "factors": self._factors()}
