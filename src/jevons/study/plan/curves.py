"""What figures of a plan draw: the supply stack, fans against baselines, the iso-price surface, the tornado."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.facts import Facts
from jevons.finance import reverse_dcf
from jevons.study.chain.accounts import cloud_value_implied_cur
from jevons.study.draws.outcomes import paths_of
from jevons.study.draws.run import Draws
from jevons.study.draws.summary import chance_size
from jevons.study.plan.figures import PlanFigures

_HOURS_PER_QUARTER = 365.25 / 4 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of accelerator in the supply stack.

    Parameters
    ----------
    device : str
        Id.
    flop_per_s : float
        Dense peak of all in service.
    running_cur, rent_cur : float
        Running cost, and scarcity rent on top, per 1e15 FLOP/s of dense peak and hour.
    """

    device: str
    flop_per_s: float
    running_cur: float
    rent_cur: float


def supply_stack(result: PlanFigures, quarter: int) -> list[Step]:
    """Return the fleet of a quarter, cheapest to run first, with the scarcity rent of the planner's duals."""
    plan = result.chain.plan
    p = plan.problem
    steps = []
    for row, device in enumerate(p.devices):
        installed = plan.fleet.installed[row, :, quarter]
        if installed.sum() < 0.5:
            continue
        share = installed / installed.sum()
        energy = float(p.machines.energy_cur_per_device_h[row, :, quarter] @ share)
        fixed = float(p.machines.fixed_cur_per_device_quarter[row, quarter]) / _HOURS_PER_QUARTER
        rent = float(np.mean(np.maximum(plan.worth.rent_cur_per_device_h[row, quarter], 0.0)))
        unit = float(p.machines.device_flop_per_s[row]) / 1e15
        steps.append(
            Step(
                device=device,
                flop_per_s=float(installed.sum()) * unit * 1e15,
                running_cur=(energy + fixed) / unit,
                rent_cur=rent / unit,
            )
        )
    return sorted(steps, key=lambda step: step.running_cur)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """Quantiles of a path, the central plan and the baseline beside them, all (t,).

    Parameters
    ----------
    name, unit : str
        What is drawn.
    low, middle, high : (t,)
        10, 50 and 90 %.
    central : (t,)
        The plan at its central figures.
    baseline : (t,)
        What a simple rule says.
    rule : str
        The rule.
    """

    name: str
    unit: str
    low: Array
    middle: Array
    high: Array
    central: Array
    baseline: Array
    rule: str


def fans(draws: Draws, result: PlanFigures, facts: Facts) -> list[Fan]:
    """Return fans of tokens, cloud revenue, capital expenditure and price, each with a baseline."""
    scenario = result.scenario
    quarters = np.arange(len(result.quarters))
    known = f"{scenario.firm.facts}.cloud.revenue_growth_frac"
    growth = facts.get(known, scenario.as_of).number if known in facts else scenario.finance.base_growth.value
    revenue = scenario.finance.base_revenue.value * (1.0 + growth) ** ((quarters + 1) / 4)
    tokens = np.quantile(draws.paths["tokens_per_d"], 0.5, axis=0)
    pace = tokens[min(1, tokens.size - 1)] / tokens[0]
    even = np.full(quarters.size, result.chain.plan.problem.money.budget_cur.sum() / quarters.size)
    shown = (
        ("tokens_per_d", "Tokens a day [trillion]", 1e12, tokens[0] * pace**quarters, "first quarter's pace goes on"),
        ("cloud_revenue", "Cloud revenue [bn ¤ a quarter]", 1e9, revenue, f"last growth, {growth:.0%}, persists"),
        ("capex", "AI capital expenditure [bn ¤ a quarter]", 1e9, even, "budget divided evenly"),
        (
            "price_index",
            "Price per token over the first quarter's",
            1.0,
            np.ones(quarters.size),
            "prices stand (random walk)",
        ),
    )
    fans_by_name, central = [], paths_of(result.chain, result.verdict.loop_gain)
    for name, label, scale, baseline, rule in shown:
        low, middle, high = np.quantile(draws.paths[name], (0.1, 0.5, 0.9), axis=0) / scale
        fans_by_name.append(
            Fan(
                name=name,
                unit=label,
                low=low,
                middle=middle,
                high=high,
                central=np.asarray(central[name]) / scale,
                baseline=baseline / scale,
                rule=rule,
            )
        )
    return fans_by_name


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoGrid:
    """Growth that the price assumes on a grid of margin and capital per revenue, for each cost of capital.

    Parameters
    ----------
    margins, capitals, waccs : (m,), (k,), (w,)
        Axes.
    growth_frac : (w, k, m)
        NaN where no growth gives just the price.
    worth_anyway : (w, k, m)
        Where the price holds without growth; where it does not and growth is NaN, no growth below 100 % does.
    even_capital : (w, m)
        Capital per revenue at which the incremental return equals the cost of capital; above it growth lowers value.
    destroys : (w, k, m)
        Where growth lowers value.
    own : (float, float)
        Margin and capital per revenue of the scenario.
    value_cur : float
        What the price leaves for the cloud.
    """

    margins: Array
    capitals: Array
    waccs: Array
    growth_frac: Array
    worth_anyway: NDArray[np.bool_]
    even_capital: Array
    destroys: NDArray[np.bool_]
    own: tuple[float, float]
    value_cur: float


def iso_grid(result: PlanFigures) -> IsoGrid:
    """Return the iso-price surface of the cloud at the scenario's price."""
    spec = result.scenario.finance
    margins, capitals, waccs = np.linspace(0.05, 0.28, 139), np.linspace(0.5, 2.2, 103), np.array([0.08, 0.10, 0.12])
    w, k, m = np.meshgrid(waccs, capitals, margins, indexing="ij")
    value = cloud_value_implied_cur(result.chain.accounts)
    solved = reverse_dcf(
        value, revenue_cur=4 * spec.base_revenue.value, margin_frac=m, capital_per_revenue=k, wacc_frac=w,
        tax_frac=spec.tax.value, terminal_growth_frac=spec.terminal_growth.value,
    )  # fmt: skip
    return IsoGrid(
        margins=margins,
        capitals=capitals,
        waccs=waccs,
        growth_frac=np.where(solved.solved, solved.growth_frac, np.nan),
        worth_anyway=~solved.solved & (solved.growth_frac < 0.5),
        even_capital=margins * (1 - spec.tax.value) / waccs[:, None],
        destroys=solved.growth_destroys_value,
        own=(spec.terminal_margin.value, spec.capital_per_revenue.value),
        value_cur=value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What an outcome is where an input is low and where it is high.

    Parameters
    ----------
    path : str
        Of the input.
    rank_correlation : float
        Spearman's, with the outcome.
    low, high : float
        Mean of the outcome over the draws in which the input lies in its lowest and in its highest fifth.
    told_from_chance : bool
        Whether that correlation exceeds what chance reaches among all the inputs; see `chance_size`.
    """

    path: str
    rank_correlation: float
    low: float
    high: float
    told_from_chance: bool


def tornado(draws: Draws, outcome: str, most: int = 10) -> list[Swing]:
    """Return the inputs that correlate most with an outcome, by the distance between its means, widest first."""
    rows, least = [], chance_size(draws)
    for name, size in draws.sensitivity(outcome, most):
        drawn = draws.values[:, draws.names.index(name)]
        low, high = drawn <= np.quantile(drawn, 0.2), drawn >= np.quantile(drawn, 0.8)
        reached = draws.outcomes[outcome]
        rows.append(
            Swing(
                path=name,
                rank_correlation=size,
                low=float(reached[low].mean()),
                high=float(reached[high].mean()),
                told_from_chance=abs(size) > least,
            )
        )
    return sorted(rows, key=lambda swing: -abs(swing.high - swing.low))
