"""The dated price schedule of a plan: what is posted for each model and tier, and from which quarter on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.market.types import TOKEN_KINDS
from jevons.results import Table
from jevons.study.plan.tables.lines import by_period, line
from jevons.study.scenario.base import BATCH, OFF_PEAK, STANDARD

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures
    from jevons.study.scenario.sections import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPrice:
    """A price that is posted from a quarter on, until the next entry of its model and tier.

    Parameters
    ----------
    model, tier, quarter : str
        Served model; `standard`, the name of a tier, `batch` or `off-peak`; quarter from which it holds.
    input_cur_per_mtok, cached_cur_per_mtok, output_cur_per_mtok : float
        Price by kind of token [currency/Mtok].
    set_by : str
        `start` for the list price at the start, `announced`, or `competition`.
    """

    model: str
    tier: str
    quarter: str
    input_cur_per_mtok: float
    cached_cur_per_mtok: float
    output_cur_per_mtok: float
    set_by: str


def tier_factors(served: ServedModel) -> dict[str, float]:
    """Return each tier's price over the standard one; discounts only where they are given."""
    factors = {STANDARD: 1.0} | {name: tier.factor.value for name, tier in served.tiers.items()}
    for name, discount in ((BATCH, served.batch_discount.value), (OFF_PEAK, served.off_peak_discount.value)):
        if discount > 0:
            factors[name] = 1.0 - discount
    return factors


def price_schedule(result: PlanFigures) -> list[ScheduledPrice]:
    """Return every price that is newly posted, by model, tier and quarter."""
    price = result.chain.market.price_cur_per_tok * 1e6
    entries = []
    for m, (model, served) in enumerate(result.scenario.serving.models.items()):
        told = {result.quarters.index(announced.start) for announced in served.announced}
        moved = np.flatnonzero(np.any(np.diff(price[m], axis=1) != 0, axis=0)) + 1
        for tier, factor in tier_factors(served).items():
            for t in sorted({0, *told, *moved.tolist()}):
                fresh, cached, output = (price[m, :, t] * factor).tolist()
                set_by = "start" if t == 0 else "announced" if t in told else "competition"
                entries.append(
                    ScheduledPrice(
                        model=model,
                        tier=tier,
                        quarter=result.quarters[t],
                        input_cur_per_mtok=fresh,
                        cached_cur_per_mtok=cached,
                        output_cur_per_mtok=output,
                        set_by=set_by,
                    )
                )
    return entries


def schedule_table(result: PlanFigures) -> Table:
    """Return the schedule with a column per quarter, and the rent of the reference device-hour under it."""
    lines = []
    entries = price_schedule(result)
    for model, tier in dict.fromkeys((entry.model, entry.tier) for entry in entries):
        posted = {entry.quarter: entry for entry in entries if (entry.model, entry.tier) == (model, tier)}
        for kind in TOKEN_KINDS:
            prices = {quarter: getattr(entry, f"{kind}_cur_per_mtok") for quarter, entry in posted.items()}
            name = f"{model}, {kind if tier == STANDARD else f'{tier} {kind}'}"
            lines.append(line(name, "¤/Mtok", [prices.get(quarter) for quarter in result.quarters]))
    rental = len(result.models)
    if (result.chain.inputs.model >= rental).any():
        rent = result.chain.market.price_cur_per_tok[rental, 2]
        device, premium = result.scenario.market.rental_device, result.scenario.market.cloud_premium.value
        lines.append(line(f"hour of work of one {device}, mean rent of all that is let", "¤/h", rent))
        if premium != 1:
            lines.append(line(f"hour of work of one {device}, price as sold by the cloud", "¤/h", rent * premium))
    title = "Price schedule: new list prices by quarter"
    return by_period("price_schedule", title, result.quarters, lines, of="model, tier and kind of token")


def schedule_json(result: PlanFigures) -> list[dict[str, Any]]:
    """Return the schedule as plain values; prices in currency per million tokens."""
    return [
        {
            "model": entry.model,
            "tier": entry.tier,
            "from": entry.quarter,
            "input": entry.input_cur_per_mtok,
            "cached": entry.cached_cur_per_mtok,
            "output": entry.output_cur_per_mtok,
            "set_by": entry.set_by,
        }
        for entry in price_schedule(result)
    ]
