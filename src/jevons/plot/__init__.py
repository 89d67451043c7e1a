"""Figures of results; they compute nothing."""

from jevons.plot.plan import FIGURES, plan_figure
from jevons.plot.style import figure_svg

__all__ = ["FIGURES", "figure_svg", "plan_figure"]
