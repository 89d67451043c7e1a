"""80 % intervals of predictions as ratios to them, from errors on measurements that no fit had seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """80 % interval of a prediction as ratios to it.

    Parameters
    ----------
    low, high : float
        Ends of the interval over the prediction, low <= 1 <= high.
    nearness : str
        How near the rows are that the prediction rests on, as its stage names it.
    rows : int
        Measured figures that the ratios come from.
    """

    low: float
    high: float
    nearness: str
    rows: int

    def interval(self, value: float) -> tuple[float, float]:
        """Return the ends of the interval around a figure that grows with what is predicted."""
        return value * self.low, value * self.high
