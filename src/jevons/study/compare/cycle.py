"""What a boom and a bust show in: write-downs, idle machines, rents and brokers' losses at the central figures."""

from __future__ import annotations

from dataclasses import dataclass

from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.use_account import IDLE, use_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Where a plan stands in boom or bust.

    Parameters
    ----------
    write_downs_cur : float
        Of machines over the plan.
    idle_frac : float
        Share of device-hours idle or in repair in the last four quarters.
    rent_first_cur_per_h, rent_last_cur_per_h : float or None
        Rent of a reference device-hour in the first and the last quarter; None without a rental market.
    brokers_loss_cur : float
        What brokers and their lenders lost by the last quarter.
    """

    write_downs_cur: float
    idle_frac: float
    rent_first_cur_per_h: float | None
    rent_last_cur_per_h: float | None
    brokers_loss_cur: float

    def scaled(self, factor: float) -> Cycle:
        """Return the same with its money in another currency."""
        rents = (self.rent_first_cur_per_h, self.rent_last_cur_per_h)
        first, last = (None if rent is None else rent * factor for rent in rents)
        return Cycle(
            write_downs_cur=self.write_downs_cur * factor, idle_frac=self.idle_frac, rent_first_cur_per_h=first,
            rent_last_cur_per_h=last, brokers_loss_cur=self.brokers_loss_cur * factor,
        )  # fmt: skip


def cycle_of(chain: ChainResult) -> Cycle:
    """Return write-downs, idle hours, rents and brokers' losses of a plan."""
    account, rents = use_account(chain), chain.rents
    hours = account.device_h_per_d[:, -4:]
    idle = account.of(IDLE)[1][-4:].sum()
    lost = 0.0
    if rents is not None:
        sheets = rents.brokers
        lost = float((sheets.owners_loss_cur + sheets.lenders_loss_cur)[:, -1].sum())
    return Cycle(
        write_downs_cur=float(chain.accounts.statements.write_offs.impairment_cur.sum()),
        idle_frac=float(idle / hours.sum()) if hours.sum() > 0 else 0.0,
        rent_first_cur_per_h=None if rents is None else float(rents.price_cur_per_h[0]),
        rent_last_cur_per_h=None if rents is None else float(rents.price_cur_per_h[-1]),
        brokers_loss_cur=lost,
    )
