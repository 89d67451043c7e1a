"""What to build, where and when, and what to serve with it: a linear program over quarters."""

from jevons.expansion.formulas import DAYS_PER_QUARTER, in_service, initial_stock, marginal_revenue
from jevons.expansion.run import InformationValue, RegimeValue, export_regimes, solve, value_of_information
from jevons.expansion.types import ExpansionPlan, ExpansionProblem

__all__ = [
    "DAYS_PER_QUARTER", "ExpansionPlan", "ExpansionProblem", "InformationValue", "RegimeValue", "export_regimes",
    "in_service", "initial_stock", "marginal_revenue", "solve", "value_of_information",
]  # fmt: skip
