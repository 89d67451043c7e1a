"""What an AI cloud must earn on its capital: the margin, and the capital per revenue, at which it clears its WACC."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jevons.study.chain.fixed_point import ChainResult

LAST_YEAR, MATURE = "last year of the plan", "mature"
_QUARTERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """Return on capital of one business at one time, and where it would equal the cost of capital.

    Parameters
    ----------
    when : str
        `LAST_YEAR` or `MATURE`.
    margin_frac, capital_per_revenue, tax_frac, wacc_frac : float
        EBITA over revenue, book value over a year's revenue, tax rate and cost of capital.
    """

    when: str
    margin_frac: float
    capital_per_revenue: float
    tax_frac: float
    wacc_frac: float

    @property
    def return_frac(self) -> float:
        """EBITA after tax over capital."""
        return self.margin_frac * (1.0 - self.tax_frac) / self.capital_per_revenue

    @property
    def clearing_margin_frac(self) -> float:
        """Margin at which that capital per revenue returns its cost."""
        return self.wacc_frac * self.capital_per_revenue / (1.0 - self.tax_frac)

    @property
    def clearing_capital_per_revenue(self) -> float:
        """Capital per revenue up to which that margin returns the cost of capital; 0 for a loss."""
        return max(self.margin_frac, 0.0) * (1.0 - self.tax_frac) / self.wacc_frac

    def record(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            **asdict(self), "return_frac": self.return_frac, "clearing_margin_frac": self.clearing_margin_frac,
            "clearing_capital_per_revenue": self.clearing_capital_per_revenue,
            "clears": self.return_frac >= self.wacc_frac,
        }  # fmt: skip


def clearings(chain: ChainResult) -> tuple[Clearing, ...]:
    """Return the AI cloud's return in the last year of its plan, where it sells anything, and when mature."""
    scenario, books = chain.scenario, chain.accounts.statements
    spec = scenario.finance
    terms = {"tax_frac": spec.tax.value, "wacc_frac": scenario.cost.wacc.value}
    mature = Clearing(
        when=MATURE, margin_frac=spec.terminal_margin.value, capital_per_revenue=spec.capital_per_revenue.value, **terms
    )
    quarters = min(_QUARTERS, len(books.quarters))
    revenue = float(books.ai_revenue_cur[-quarters:].sum()) * _QUARTERS / quarters
    capital = float(books.balance.device_closing_cur[-1] + books.balance.building_closing_cur[-1])
    if revenue <= 0 or capital <= 0:
        return (mature,)
    profit = float(books.earnings.ai_ebita_cur[-quarters:].sum()) * _QUARTERS / quarters
    last = Clearing(when=LAST_YEAR, margin_frac=profit / revenue, capital_per_revenue=capital / revenue, **terms)
    return (last, mature)
