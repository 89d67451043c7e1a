"""What to build, where and when, and what to serve with it: a linear program over quarters."""

from jevons.expansion._joined import Risk
from jevons.expansion._lp import Basis
from jevons.expansion._stages import Stages, stages, standing_devices
from jevons.expansion.formulas import DAYS_PER_QUARTER, in_service, marginal_revenue
from jevons.expansion.lines import Allocation, BudgetLine, best_split, line_factor, split_value
from jevons.expansion.months import in_months, solve_in_months
from jevons.expansion.run import InformationValue, RegimeValue, export_regimes, solve, value_of_information
from jevons.expansion.tree import Branch, Tree, TreePlan, TreeValue, independent, solve_tree, tree_value, worst_mean
from jevons.expansion.types import (
    CallDemand,
    ChipSupply,
    ExpansionPlan,
    ExpansionProblem,
    Machines,
    Money,
    OpeningStock,
    PlanningTerms,
    SitePower,
    TrainingReserve,
)

__all__ = [
    "DAYS_PER_QUARTER",
    "Allocation",
    "Basis",
    "Branch",
    "BudgetLine",
    "CallDemand",
    "ChipSupply",
    "ExpansionPlan",
    "ExpansionProblem",
    "InformationValue",
    "Machines",
    "Money",
    "OpeningStock",
    "PlanningTerms",
    "RegimeValue",
    "Risk",
    "SitePower",
    "Stages",
    "TrainingReserve",
    "Tree",
    "TreePlan",
    "TreeValue",
    "best_split",
    "export_regimes",
    "in_months",
    "in_service",
    "independent",
    "line_factor",
    "marginal_revenue",
    "solve",
    "solve_in_months",
    "solve_tree",
    "split_value",
    "stages",
    "standing_devices",
    "tree_value",
    "value_of_information",
    "worst_mean",
]  # fmt: skip
