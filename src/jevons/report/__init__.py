"""The report of a plan: one self-contained HTML file with charts, tables, judgements and sources."""

from jevons.report.plan import plan_html

__all__ = ["plan_html"]
