"""The use of every device-hour and of every unit of AI revenue, by quarter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jevons.arrays import Array
from jevons.study.chain.demand import revenue_price_cur
from jevons.study.chain.rented_uses import reference_row, tokens_per_hour
from jevons.study.scenario.base import USES

if TYPE_CHECKING:
    from jevons.study.chain.fixed_point import ChainResult

PLATFORM, OWN_TRAINING, IDLE = "platform", "own_training", "idle"
USE_LABELS = {
    **USES,
    PLATFORM: "Platform services",
    OWN_TRAINING: "Own training",
    IDLE: "Idle or in repair",
}
"""Name of each use in tables, in their order."""
DAYS = 365.25 / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class UseAccount:
    """Revenue, device-hours and tokens by use.

    Parameters
    ----------
    uses : tuple of str
        Keys of `USE_LABELS`, those that occur.
    revenue_cur : (u, t)
        Revenue of the quarter; own businesses at their transfer price, platform services apart.
    device_h_per_d : (u, t)
        Device-hours a day at work or held; they sum to those of the fleet.
    tokens_per_d : (u, t)
        Tokens a day: of calls as sold, of self-served inference as its renters make them.
    flop_per_d : (u, t)
        FLOP of training a day: what renters' rents buy at the price of training work, and the firm's own.
    by_segment : dict of str to dict of str to (t,)
        `revenue`, `device_h_per_d` and `tokens_per_d` of each segment, platform services left out.
    """

    uses: tuple[str, ...]
    revenue_cur: Array
    device_h_per_d: Array
    tokens_per_d: Array
    flop_per_d: Array
    by_segment: dict[str, dict[str, Array]]

    def of(self, use: str) -> tuple[Array, Array, Array]:
        """Return revenue, device-hours and tokens of one use, each (t,)."""
        row = self.uses.index(use)
        return self.revenue_cur[row], self.device_h_per_d[row], self.tokens_per_d[row]


def use_account(result: ChainResult) -> UseAccount:
    """Return what each use of compute brings and takes in a plan."""
    scenario, plan, market, inputs = result.scenario, result.plan, result.market, result.inputs
    segments = scenario.market.segments
    kinds = np.array([segment.kind for segment in segments.values()])
    served = plan.service.served_calls_per_d.sum(axis=2)
    paid = revenue_price_cur(scenario, inputs, market, result.exchange.scarcity, served) * served * DAYS
    premium = np.ones(kinds.size) if inputs.pricing.premium is None else inputs.pricing.premium
    bare = paid / premium[:, None]
    hours = plan.service.busy_device_h_per_d.sum(axis=(1, 2, 4))
    demanded = np.maximum(plan.problem.demand.block_calls_per_d.sum(axis=2), 1e-30)
    tokens = market.tokens_per_d * served / demanded
    tokens += tokens_per_hour(scenario, result.setting.device_s_per_tok) * served
    # renters do not choose the chip: what is let is shared by reference hours, whichever chip stands for them
    rented = ~inputs.use.counts_tokens
    hours[rented] = hours[rented].sum(axis=0) * served[rented] / np.maximum(served[rented].sum(axis=0), 1e-30)
    rows = {use: kinds == use for use in USES if (kinds == use).any()}
    revenue = [bare[mask].sum(axis=0) for mask in rows.values()]
    device_h = [hours[mask].sum(axis=0) for mask in rows.values()]
    by_use = [tokens[mask].sum(axis=0) for mask in rows.values()]
    nothing = np.zeros(hours.shape[1])
    training = plan.fleet.training_devices.sum(axis=(0, 1)) * 24.0
    flop = {
        "training": _rented_flop_per_d(result, (bare * (kinds == "training")[:, None]) / DAYS),
        OWN_TRAINING: plan.problem.machines.availability_frac
        * 24.0
        * (plan.fleet.training_devices.sum(axis=1) * result.setting.training_flop_per_h[:, None]).sum(axis=0),
    }
    whole = plan.fleet.installed.sum(axis=(0, 1)) * 24.0
    beside = {
        PLATFORM: ((paid - bare).sum(axis=0), nothing),
        OWN_TRAINING: (nothing, training),
        IDLE: (nothing, whole - training - hours.sum(axis=0)),
    }
    return UseAccount(
        uses=(*rows, *beside),
        revenue_cur=np.array([*revenue, *(money for money, _ in beside.values())]),
        device_h_per_d=np.array([*device_h, *(taken for _, taken in beside.values())]),
        tokens_per_d=np.array([*by_use, *[nothing] * len(beside)]),
        flop_per_d=np.array([flop.get(use, nothing) for use in (*rows, *beside)]),
        by_segment={
            name: {"revenue": bare[s], "device_h_per_d": hours[s], "tokens_per_d": tokens[s]}
            for s, name in enumerate(segments)
        },
    )


def _rented_flop_per_d(result: ChainResult, rents_cur_per_d: Array) -> Array:
    """Return the FLOP a day, (t,), that *rents_cur_per_d* (s, t) buy: work at its price, with what each hour gained."""
    reference = reference_row(result.scenario)
    if result.rents is None or not result.rents.use_price_cur_per_h[1].any():
        return np.zeros(rents_cur_per_d.shape[1])
    price = np.maximum(result.rents.use_price_cur_per_h[1], 1e-30)
    hours = rents_cur_per_d / price  # of the reference device, at training
    return np.asarray((hours * result.setting.work).sum(axis=0) * result.setting.training_flop_per_h[reference])
