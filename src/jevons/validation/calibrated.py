"""What `jevons.calibrate` returns: the fitted factors, their standard errors, and how well they fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.results import Column, Result, Table, table
from jevons.serving.calibration import Calibration
from jevons.serving.spread import spread
from jevons.words import Sentence


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
    def median_ape_before(self) -> float | None:
        """Median absolute relative error on these figures before the fit; None where it was not judged."""
        before = self.calibration.provenance.get("median_ape_before")
        return None if before is None else float(before)

    @property
    def p90_ape(self) -> float:
        """90th percentile of the absolute relative error on the figures fitted."""
        return float(self.calibration.provenance["p90_ape"])

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many factors were fitted, and the error that is left on the figures fitted."""
        before = None if self.median_ape_before is None else 100 * self.median_ape_before
        values = {
            "figures": self.figures, "before": before, "median": 100 * self.median_ape, "p90": 100 * self.p90_ape,
            "factors": len(self._factors()),
        }  # fmt: skip
        return (Sentence("calibrate.fitted", values),)

    def _factors(self) -> list[dict[str, Any]]:
        """Return the fitted factors, those that moved most first."""
        spread = self.calibration.provenance["spread_frac"]
        before = self.calibration.provenance.get("before", {})
        moved = [
            {
                "of": owner, "factor": factor, "before": before.get(f"{owner}.{factor}"), "value": value,
                "moved_frac": value / before.get(f"{owner}.{factor}", value) - 1.0,
                "spread_frac": spread[f"{owner}.{factor}"],
            }
            for owners in (self.calibration.engines, self.calibration.scales or {})
            for owner, factors in owners.items()
            for factor, value in factors.items()
            if f"{owner}.{factor}" in spread
        ]  # fmt: skip
        return sorted(moved, key=lambda one: -abs(one["moved_frac"]))

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column(name="of", label="engine, generation or all"),
            Column(name="factor", label="factor: time [s], share, or scale of a kernel's time"),
            Column(name="before", label="before"),
            Column(name="value", label="now"),
            Column(name="moved_frac", label="moved", unit="%", scale=100.0),
            Column(name="spread_frac", label="standard error", unit="%", scale=100.0),
        )
        yield table("factors", "Fitted factors", columns, [tuple(factor.values()) for factor in self._factors()])

        heads = (
            Column(name="deployment", label="engine, device, model"), Column(name="quantity", label="quantity"),
            Column(name="before_low", label="before, low"), Column(name="before_high", label="before, high"),
            Column(name="after_low", label="now, low"), Column(name="after_high", label="now, high"),
        )  # fmt: skip
        rows = []
        for names in self.calibration.provenance.get("deployments", ()):
            for quantity, label in (("ttft", "TTFT"), ("tpot", "TPOT"), ("rate", "throughput")):
                old, new = spread(quantity, *names), spread(quantity, *names, calibrated=True)
                rows.append((", ".join(names), label, old.low, old.high, new.low, new.high))
        if rows:
            yield table(
                "intervals", "80 % interval over the prediction, for other runs of these deployments", heads, rows
            )

    def _document(self) -> dict[str, Any]:
        """Return the calibration file's content, with the answer and the fitted factors."""
        return {**self.answer_record(), **self.calibration.to_json(), "factors": self._factors()}
