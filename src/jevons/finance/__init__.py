"""What a plan earns, what it is worth, and what a share price already assumes."""

from jevons.finance.books import DevicePart, device_parts
from jevons.finance.debt import DebtSchedule, Loan, debt_schedule
from jevons.finance.flows import FlowScore, score_flows
from jevons.finance.formulas import (
    crf,
    discount_factors,
    enterprise_value_cur,
    growth_value,
    incremental_roic,
    irr,
    npv,
    straight_line,
    terminal_value,
)
from jevons.finance.funding import Funding, fund
from jevons.finance.narrative import NarrativeScore, score_narrative
from jevons.finance.rerating import Multiple, PriceView, Rerating, at_multiple, rerating
from jevons.finance.reverse import reverse_dcf, scenario_weights
from jevons.finance.run import (
    base_cloud,
    dcf,
    earned_cur,
    growing_line,
    line_value,
    statements,
)
from jevons.finance.types import (
    AccountTerms,
    BaseCloud,
    DcfTerms,
    IsoPrice,
    LineValue,
    ScenarioWeights,
    Shortage,
    Statements,
    Valuation,
)

__all__ = [
    "AccountTerms", "BaseCloud", "DcfTerms", "DebtSchedule", "DevicePart", "FlowScore", "Funding", "IsoPrice",
    "LineValue", "Loan", "Multiple", "NarrativeScore", "PriceView", "Rerating", "ScenarioWeights", "Shortage",
    "Statements", "Valuation", "at_multiple", "base_cloud", "crf", "dcf", "debt_schedule", "device_parts",
    "discount_factors", "earned_cur", "enterprise_value_cur", "fund", "growing_line", "growth_value",
    "incremental_roic", "irr", "line_value", "npv", "rerating", "reverse_dcf", "scenario_weights", "score_flows",
    "score_narrative", "statements", "straight_line", "terminal_value",
]  # fmt: skip
