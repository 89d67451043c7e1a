"""Figures of a solved plan by label: what its tables, pictures, JSON and dataset are made from."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.facts import Facts
from jevons.market import settled_calls_per_d
from jevons.provenance import Ledger
from jevons.study.chain.accounts import implied_growth
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.use_account import UseAccount, use_account
from jevons.study.chain.verdict import Verdict
from jevons.study.draws.run import Draws
from jevons.study.plan.budget_lines import PlanLines
from jevons.study.plan.ledger import sources_of
from jevons.study.plan.reconciliation import ServicePoint, reconciled
from jevons.study.plan.tornado import ValueSwing, value_swings
from jevons.study.scenario.labels import owner_label, quantity_label
from jevons.study.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class DemandCurves:
    """Demand curves of three quarters and the path on them, all in tokens a day and currency per million tokens."""

    curves: tuple[tuple[str, Array, Array], ...]
    path_calls: Array
    path_price: Array


@dataclass(frozen=True, kw_only=True, repr=False)
class PlanFigures:
    """The figures of a solved plan under the labels that tables and pictures use.

    Parameters
    ----------
    scenario : Scenario
        The question, every amount with its origin.
    engineering : Engineering
        How each model is served on each device.
    chain : ChainResult
        Market, planner and accounts for the central figures.
    verdict : Verdict
        What a doubling of efficiency does.
    draws : Draws or None
        Monte Carlo outcomes.
    ledger : Ledger
        Formulas and facts behind the headlines.
    facts : Facts
        What the scenario drew on.
    orders_value_cur : float
        Value that the orders add to the AI cloud, against ordering nothing, rivals buying what it leaves
        [currency].
    file : str
        Name of the scenario file.
    lines : PlanLines, optional
        Money and value by budget line; None where the plan is infrastructure alone.
    """

    scenario: Scenario
    engineering: Engineering
    chain: ChainResult
    verdict: Verdict
    draws: Draws | None
    ledger: Ledger
    facts: Facts
    orders_value_cur: float
    file: str = ""
    lines: PlanLines | None = None

    @property
    def quarters(self) -> tuple[str, ...]:
        """Names of the quarters."""
        return self.scenario.labels()

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the demand segments."""
        return tuple(self.scenario.market.segments)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the served models."""
        return tuple(self.scenario.serving.models)

    @property
    def served_frac(self) -> Array:
        """Share of demand at the posted price that is served (s, t)."""
        demanded = np.maximum(self.chain.plan.problem.demand.block_calls_per_d.sum(axis=2), 1e-30)
        return np.asarray(self.chain.plan.service.served_calls_per_d.sum(axis=2) / demanded)

    @property
    def tokens_per_d(self) -> Array:
        """Tokens served a day (s, t); 0 for segments that rent device-hours."""
        return np.asarray(self.chain.market.tokens_per_d * self.served_frac)

    @functools.cached_property
    def uses(self) -> UseAccount:
        """Revenue, device-hours and tokens by use of compute."""
        return use_account(self.chain)

    @functools.cached_property
    def reconciled(self) -> tuple[str, str, list[ServicePoint]]:
        """A model on the reference device under the services of the plan and of `jevons cost`; see `reconciled`."""
        return reconciled(self.scenario, self.engineering)

    @property
    def rent_over_cost(self) -> Array:
        """Rent over full cost per let hour by device and quarter (v, t); 0 where none of a device is in the market."""
        cost = self.chain.setting.hour_cur / self.scenario.market.rental_tight.value
        return np.zeros_like(cost) if self.chain.rents is None else self.chain.rents.rent_cur_per_h / cost

    def device_label(self, device: str) -> str:
        """Return a device's name as sold."""
        row = list(self.scenario.hardware.devices).index(device)
        return self.engineering.accelerators[row].name

    def device_short(self, device: str) -> str:
        """Return a device's name without maker, form and memory, such as ``H800`` or ``910C``."""
        label = self.device_label(device)
        words = [word for word in label.split() if word not in {"NVIDIA", "Huawei", "Ascend", "AMD"}]
        return words[0] if words else label

    def site_label(self, site: str) -> str:
        """Return a site's name in tables."""
        return (self.scenario.hardware.sites[site].label or site).split(" (")[0]

    def limit_label(self, name: str) -> str:
        """Return a limit of the planner, such as ``chip supply: h20``, with its device or site by name."""
        kind, colon, what = name.partition(": ")
        if what in self.scenario.hardware.devices:
            what = self.device_label(what)
        elif what in self.scenario.hardware.sites:
            what = self.site_label(what)
        return f"{kind}{colon}{what}"

    def segment_label(self, segment: str) -> str:
        """Return a segment's name in tables."""
        return (self.scenario.market.segments[segment].label or segment).split(" (")[0]

    @functools.cached_property
    def value_swings(self) -> tuple[ValueSwing, ...]:
        """What each input of the accounts does to the value of a share, greatest first."""
        return value_swings(self.chain)

    def amount_label(self, path: str) -> str:
        """Return what the amount at a path is, after the name of what it belongs to."""
        quantity, owner = quantity_label(path)
        if not owner:
            return quantity
        device = owner[-1] if owner[-2:-1] == ("devices",) else ""
        return f"{self.device_short(device) if device else owner_label(self.scenario, owner)}: {quantity}"

    def demand_curves(self) -> DemandCurves:
        """Return demand over price for the first, middle and last quarter, segments added at a common price factor.

        Along a curve all adopt for whom the price pays, as far as they have by that quarter at its own price.
        """
        inputs, market = self.chain.inputs, self.chain.market
        rows = np.flatnonzero(inputs.model < len(self.models))
        tokens = market.tokens_per_d[rows]
        revenue = market.calls_per_d[rows] * market.call_price_cur[rows]
        factors = np.geomspace(4.0, 0.2, 40)
        quarters = (0, len(self.quarters) // 2, len(self.quarters) - 1)
        curves = []
        for t in quarters:
            price = revenue[:, t].sum() / tokens[:, t].sum() * 1e6 * factors
            settled = np.array([settled_calls_per_d(inputs, market, t, price_factor=f)[rows] for f in factors])
            settled_calls = np.maximum(settled_calls_per_d(inputs, market, t)[rows], 1e-30)
            wanted = (tokens[:, t] * settled / settled_calls).sum(axis=1)
            curves.append((self.quarters[t], wanted, price))
        path_price = revenue.sum(axis=0) / tokens.sum(axis=0) * 1e6
        return DemandCurves(tuple(curves), tokens.sum(axis=0), path_price)

    @functools.cached_property
    def implied(self) -> list[dict[str, Any]]:
        """The iso-price surface of the cloud, the scenario's own margin and capital first; see `implied_growth`."""
        return implied_growth(self.scenario, self.chain.accounts)

    @property
    def judgements(self) -> list[tuple[str, float, float, float, str, str]]:
        """Amounts that rest on judgement: path, value, low, high, unit, reason."""
        rows = []
        for path, amount in self.scenario.amounts().items():
            if amount.grade == "judgement" and amount.origin != "default" and (amount.uncertain or amount.source):
                low = amount.value if amount.low is None else amount.low
                high = amount.value if amount.high is None else amount.high
                rows.append((path, amount.value, low, high, amount.unit, amount.source or amount.origin))
        return rows

    @property
    def sources(self) -> dict[str, list[str]]:
        """Facts used by the scenario and the devices: fact id to [value, unit, date, grade, source, url]."""
        return sources_of(self.scenario, self.facts, tuple(a.id for a in self.engineering.accelerators))
