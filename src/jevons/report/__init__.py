"""The report of a plan: what it found as sentences and numbers, from which the page writes one self-contained file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jevons.study import PlanResult

__all__ = ["plan_html"]


def plan_html(result: PlanResult) -> str:
    """Return the report of a plan as one HTML document that opens from a file, without a network."""
    return result.to_html()
