"""Inputs and outputs of the accounts and of valuation. Axes: ``t`` quarters, ``v`` devices; money is nominal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.parts import Grouped, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTerms:
    """How the accounts treat the plan.

    Parameters
    ----------
    tax_frac : float
        Tax on EBITA; losses are set against the group's other profits.
    device_life_y, building_life_y : float
        Straight-line lives in the accounts, > 0; not the lives in service.
    overhead_frac : float
        Staff, research, selling and other costs as a share of AI revenue.
    usual_margin_frac, reinvested_frac : float
        EBITA margin that the cloud is used to, and the share of what AI earns above it that overhead takes up.
    prepaid_frac : float
        Share of a quarter's devices that is paid a quarter before.
    initial_cost_cur_per_device : (v,), optional
        What the devices standing at the start had cost; 0 where not given.
    opening_building_book_cur : float
        Book value of the sites at the start, written off over a whole building life.
    impair : bool
        Whether vintages are written down to their value in use.
    lease_cur_per_w_quarter : (r,), optional
        Rent of a watt in service at each site; none where not given.
    mean_lease_cur_per_w_quarter : float
        What of it the planner's fixed cost of a device counts already, per watt.
    contract_revenue_cur : (t,), optional
        Part of external revenue that customers' contracts bring.
    customer_prepayment_cur, customer_prepaid_cur : (t,), optional
        Received ahead from customers less what is used of it, and what is held at the end of the quarter.
    """

    tax_frac: float
    device_life_y: float
    building_life_y: float
    overhead_frac: float
    usual_margin_frac: float = 0.0
    reinvested_frac: float = 0.0
    prepaid_frac: float = 0.0
    initial_cost_cur_per_device: Array | None = None
    opening_building_book_cur: float = 0.0
    impair: bool = True
    lease_cur_per_w_quarter: Array | None = None
    mean_lease_cur_per_w_quarter: float = 0.0
    contract_revenue_cur: Array | None = None
    customer_prepayment_cur: Array | None = None
    customer_prepaid_cur: Array | None = None


@dataclass(frozen=True, slots=True)
class BaseCloud:
    """The cloud without the plan, by quarter.

    Parameters
    ----------
    revenue_cur, ebita_cur : (t,)
        After its own depreciation.
    investment_cur : (t,)
        Growth of invested capital: capital expenditure and working capital less depreciation.
    """

    revenue_cur: Array
    ebita_cur: Array
    investment_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue(Part):
    """What the AI cloud earns.

    Parameters
    ----------
    external_revenue_cur, internal_revenue_cur : (t,)
        AI revenue from customers and from the firm's own businesses.
    contract_revenue_cur : (t,)
        Part of external revenue that customers' contracts bring.
    """

    external_revenue_cur: Array
    internal_revenue_cur: Array
    contract_revenue_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCosts(Part):
    """What running the AI cloud costs.

    Parameters
    ----------
    energy_cur, fixed_cur, lease_cur, overhead_cur : (t,)
        Running costs of the AI cloud; rent of leased sites apart.
    """

    energy_cur: Array
    fixed_cur: Array
    lease_cur: Array
    overhead_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffs(Part):
    """Depreciation and impairment.

    Parameters
    ----------
    device_depreciation_cur, building_depreciation_cur : (t,)
        Straight-line by vintage; starts with service, so it lags the spending.
    vintage_depreciation_cur : (n, t)
        Of devices by vintage; they sum to the total.
    impairment_cur : (t,)
        Write-downs to value in use and what is left on the books of devices that retire.
    """

    device_depreciation_cur: Array
    building_depreciation_cur: Array
    vintage_depreciation_cur: Array
    impairment_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings(Part):
    """What is earned, and the tax on it.

    Parameters
    ----------
    ai_ebita_cur, ebita_cur : (t,)
        EBITA before impairment, of the AI cloud and of the whole.
    tax_cur : (t,)
        On EBITA less impairment; negative where the plan shelters other profits.
    ai_tax_cur : (t,)
        The plan's part of it.
    """

    ai_ebita_cur: Array
    ebita_cur: Array
    ai_tax_cur: Array
    tax_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLines(Part):
    """The cloud without the plan.

    Parameters
    ----------
    base_ebita_cur : (t,)
        EBITA before impairment.
    base_revenue_cur, base_investment_cur : (t,)
        Of the cloud without the plan.
    base_fcf_cur : (t,)
        Free cash flow: EBITA less tax plus depreciation less capital expenditure.
    """

    base_revenue_cur: Array
    base_ebita_cur: Array
    base_investment_cur: Array
    base_fcf_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlows(Part):
    """Money spent, paid ahead, and left.

    Parameters
    ----------
    device_capex_cur, site_capex_cur : (t,)
        Cash spent.
    prepayment_cur : (t,)
        Paid ahead for the next quarter's devices, less what was paid ahead for the quarter's own.
    customer_prepayment_cur : (t,)
        Received ahead from customers, less what is used of it.
    ai_fcf_cur, fcf_cur, cumulative_cash_cur : (t,)
        Free cash flow of the AI cloud and of the whole, and the running sum of the latter.
    """

    device_capex_cur: Array
    site_capex_cur: Array
    prepayment_cur: Array
    customer_prepayment_cur: Array
    ai_fcf_cur: Array
    fcf_cur: Array
    cumulative_cash_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceSheet(Part):
    """Book values, and what is paid or received ahead.

    Parameters
    ----------
    vintage_closing_cur : (n, t)
        Book value of devices at the end of the quarter, by vintage; they sum to the total.
    customer_prepaid_closing_cur : (t,)
        Customers' prepayments held at the end of the quarter.
    under_way_cur : (t,)
        Devices paid and not yet in service, at the end of the quarter, prepayments in it.
    device_opening_cur, device_closing_cur, building_opening_cur, building_closing_cur : (t,)
        Book values.
    """

    vintage_closing_cur: Array
    customer_prepaid_closing_cur: Array
    under_way_cur: Array
    device_opening_cur: Array
    device_closing_cur: Array
    building_opening_cur: Array
    building_closing_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements(Grouped):
    """Accounts by quarter; every array is (t,), money but those by vintage.

    Parameters
    ----------
    quarters : tuple of str
        Labels such as ``2025-Q1``.
    vintages : tuple of str
        ``before 2025`` for what stood at the start, then the calendar years in which devices are paid.
    revenue : Revenue
        What the AI cloud earns.
    costs : RunningCosts
        What running the AI cloud costs.
    write_offs : WriteOffs
        Depreciation and impairment.
    earnings : Earnings
        What is earned, and the tax on it.
    base : BaseLines
        The cloud without the plan.
    cash : CashFlows
        Money spent, paid ahead, and left.
    balance : BalanceSheet
        Book values, and what is paid or received ahead.
    """

    quarters: tuple[str, ...]
    vintages: tuple[str, ...]
    revenue: Revenue
    costs: RunningCosts
    write_offs: WriteOffs
    earnings: Earnings
    base: BaseLines
    cash: CashFlows
    balance: BalanceSheet

    @property
    def ai_revenue_cur(self) -> Array:
        """AI revenue, external and internal."""
        return self.revenue.external_revenue_cur + self.revenue.internal_revenue_cur

    @property
    def depreciation_cur(self) -> Array:
        """Depreciation of devices and buildings."""
        return self.write_offs.device_depreciation_cur + self.write_offs.building_depreciation_cur

    @property
    def capex_cur(self) -> Array:
        """Cash spent on devices and sites."""
        return self.cash.device_capex_cur + self.cash.site_capex_cur

    @property
    def running_cur(self) -> Array:
        """Energy, operation and leases of the AI cloud."""
        return self.costs.energy_cur + self.costs.fixed_cur + self.costs.lease_cur

    @property
    def own_capital_cur(self) -> Array:
        """Devices and buildings on the books at the quarter's end, less what customers have paid ahead."""
        balance = self.balance
        return balance.device_closing_cur + balance.building_closing_cur - balance.customer_prepaid_closing_cur


@dataclass(frozen=True, slots=True, kw_only=True)
class DcfTerms:
    """How a business runs on after its explicit quarters.

    Parameters
    ----------
    wacc_frac : float
        Cost of capital a year, above `terminal_growth_frac`.
    tax_frac : float
        Tax on EBITA.
    terminal_growth_frac : float
        Growth a year for ever after the fade.
    terminal_margin_frac : float
        EBITA over revenue at the end of the fade.
    capital_per_revenue : float
        Capital invested per unit of currency of added yearly revenue, > 0.
    fade_y : int
        Years over which growth and margin move linearly from the last year's to the terminal ones.
    start_growth_frac : float, optional
        Growth from which the fade starts; the last four quarters over the four before where not given.
    terminal_roic_frac : float, optional
        Return on capital added after the fade; the incremental one, ``margin (1 - tax) / capital_per_revenue``, where
        not given. Equal to `wacc_frac`, growth after the fade is worth nothing.
    opening_capital_cur : float, optional
        Capital that stands at the end of the explicit quarters; ``capital_per_revenue`` times the revenue of a year at
        the last quarter's pace where not given.
    shortage_decay_frac : float
        Share of what a shortage adds to revenue that is gone after a year, in [0, 1].
    """

    wacc_frac: float
    tax_frac: float
    terminal_growth_frac: float
    terminal_margin_frac: float
    capital_per_revenue: float
    fade_y: int = 7
    start_growth_frac: float | None = None
    terminal_roic_frac: float | None = None
    opening_capital_cur: float | None = None
    shortage_decay_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What a line earns because supply is short, by quarter; it does not run on.

    Parameters
    ----------
    revenue_cur, ebita_cur : (t,)
        Revenue above that at calm prices, and EBITA of it.
    """

    revenue_cur: Array
    ebita_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LineValue:
    """Present value of one business, all currency.

    Parameters
    ----------
    explicit_cur, fade_cur, terminal_cur : float
        Of the explicit quarters, of the fade, and of what follows.
    standing_cur : float
        The part of fade and what follows that comes without any growth: what stands then earns on and is replaced.
    roic_frac, wacc_frac : float
        Incremental return after the explicit quarters, and the cost of capital it is held against.
    """

    explicit_cur: float
    fade_cur: float
    terminal_cur: float
    standing_cur: float
    roic_frac: float
    wacc_frac: float

    @property
    def growth_cur(self) -> float:
        """The part of fade and what follows that growth adds; negative where growth destroys value."""
        return self.fade_cur + self.terminal_cur - self.standing_cur

    @property
    def total_cur(self) -> float:
        """Sum of the three parts."""
        return self.explicit_cur + self.fade_cur + self.terminal_cur

    @property
    def growth_destroys_value(self) -> bool:
        """Whether money invested in growth is worth less than itself."""
        return self.roic_frac < self.wacc_frac


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """Sum of parts.

    Parameters
    ----------
    ai, base : LineValue
        The plan, and the cloud without it.
    lines_cur : float
        Other lines of the plan, net of what is spent on them.
    rest_cur, net_cash_cur, stakes_cur : float
        Rest of the group, cash less debt, stakes in other firms.
    enterprise_cur, equity_cur : float
        Businesses alone; with cash and stakes.
    per_share_cur : float
        Equity per share, of the kind whose price is quoted.
    bridge : tuple of (str, float)
        Parts in currency in the order of reading; they sum to `equity_cur`.
    """

    ai: LineValue
    base: LineValue
    lines_cur: float
    rest_cur: float
    net_cash_cur: float
    stakes_cur: float
    enterprise_cur: float
    equity_cur: float
    per_share_cur: float
    bridge: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoPrice:
    """Growth that makes a business worth a price, over margin, capital per revenue and cost of capital.

    Parameters
    ----------
    growth_frac : ndarray
        Growth a year that the price assumes; where it is not `solved`, the bound of the search that was reached.
    solved : ndarray of bool
        Whether some growth in the search range gives exactly the price.
    reason : ndarray of str
        Empty where solved, otherwise why there is no such growth.
    roic_frac : ndarray
        Incremental return on capital, ``margin (1 - tax) / capital_per_revenue``.
    growth_destroys_value : ndarray of bool
        Where that return is below the cost of capital: faster growth lowers value.
    value_cur : float
        The price.
    """

    growth_frac: Array
    solved: NDArray[np.bool_]
    reason: NDArray[np.str_]
    roic_frac: Array
    growth_destroys_value: NDArray[np.bool_]
    value_cur: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioWeights:
    """Scenario probabilities nearest to a prior that average to a price.

    Parameters
    ----------
    weights : (n,)
        Sum to 1.
    tilt_per_cur : float
        The exponent: weights are the prior times ``exp(tilt value)``, normalised. Positive where the price asks for
        more than the prior's mean. One price pins one tilt.
    relative_entropy_nats : float
        Distance from the prior.
    gain : (n,)
        Weight less prior, by scenario.
    """

    weights: Array
    tilt_per_cur: float
    relative_entropy_nats: float
    gain: Array
