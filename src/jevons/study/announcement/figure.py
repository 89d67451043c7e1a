"""A figure of a sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a sentence.

    Parameters
    ----------
    kind : str
        ``money``, ``price``, ``percent``, ``multiple``, ``devices``, ``power``, ``count``, ``period`` or ``date``.
    low, high : float
        Least and greatest value, alike where the text is exact; for a period the years it lasts.
    unit : str
        Currency, ``1``, ``devices``, ``W``, ``y`` or the thing that is counted.
    start, end : int
        Place in the sentence.
    text : str
        As written.
    qualifier : str
        ``at_least``, ``at_most``, ``about`` or empty.
    what : str
        Device, noun or kind of price, where the text says it.
    label : str
        Of a period or date: ``2025``, ``FY2025``, ``2025-Q1``, ``next``, ``past``, ``2025-02-24``.
    assumed : bool
        Whether the currency was taken from the firm that is spoken of.
    """

    kind: str
    low: float
    high: float
    unit: str
    start: int
    end: int
    text: str
    qualifier: str = ""
    what: str = ""
    label: str = ""
    assumed: bool = False

    @property
    def middle(self) -> float:
        """Middle of the range."""
        return (self.low + self.high) / 2


def moved(figure: Figure, by: int) -> Figure:
    """Return a figure with its place counted from elsewhere: so many characters before."""
    return replace(figure, start=figure.start + by, end=figure.end + by)
