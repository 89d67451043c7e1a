"""Tables of the uses of compute: shares of revenue, device-hours and tokens, and each use by quarter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.results import Cell, Column, Table, table
from jevons.study.chain.use_account import USE_LABELS, UseAccount
from jevons.study.plan.tables.lines import Line, by_period, column_name, line

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures


def use_tables(result: PlanFigures) -> Iterator[Table]:
    """Yield shares of revenue, device-hours and tokens by use in the first and last quarter, then all by quarter."""
    account = result.uses
    yield _shares(result, account)
    yield by_period("uses", "Uses of compute by quarter", result.quarters, _lines(account), of="use",
                    keys=("quantity",))  # fmt: skip


def _shares(result: PlanFigures, account: UseAccount) -> Table:
    first, last = result.quarters[0], result.quarters[-1]
    columns = [Column("name", "use")]
    cells: list[Any] = []
    for what, head, values in (
        ("revenue", "revenue", account.revenue_cur),
        ("device_hours", "hours", account.device_h_per_d),
        ("tokens", "tokens", account.tokens_per_d),
    ):
        share = values / np.maximum(values.sum(axis=0), 1e-30)
        for label, at in ((first, 0), (last, -1)):
            key = f"{what}_{column_name(label) if first != last else ('first', 'last')[at]}"
            columns.append(Column(key, f"{head} {label}", "%", scale=100, form=".1f"))
            cells.append(share[:, at])
    rows: list[Iterable[Cell]] = [
        (USE_LABELS[use], *(float(c[u]) for c in cells)) for u, use in enumerate(account.uses)
    ]
    title = "Uses of compute: shares of AI revenue, device-hours and tokens"
    return table("use", title, columns, rows, detail=True)


def _lines(account: UseAccount) -> Iterator[Line]:
    for u, use in enumerate(account.uses):
        for quantity, unit, values, over in (
            ("revenue", "bn ¤", account.revenue_cur, 1e9),
            ("accelerators, daily mean", "thousand", account.device_h_per_d, 24e3),
            ("tokens per day", "billion", account.tokens_per_d, 1e9),
            ("training a day", "10²⁴ FLOP", account.flop_per_d, 1e24),
        ):
            if np.abs(values[u]).max() > 0:
                yield line(USE_LABELS[use], unit, values[u], over=over, keys=(quantity,))


def use_json(result: PlanFigures) -> dict[str, Any]:
    """Return the uses as plain values: by use, and by segment within them."""
    account = result.uses
    record: dict[str, Any] = {
        use: {
            "label": USE_LABELS[use],
            "revenue": account.revenue_cur[u],
            "device_hours_per_day": account.device_h_per_d[u],
            "tokens_per_day": account.tokens_per_d[u],
            "training_flop_per_day": account.flop_per_d[u],
        }
        for u, use in enumerate(account.uses)
    }
    for name, segment in result.scenario.market.segments.items():
        own = account.by_segment[name]
        record[segment.kind].setdefault("segments", {})[name] = {
            "revenue": own["revenue"],
            "device_hours_per_day": own["device_h_per_d"],
            "tokens_per_day": own["tokens_per_d"],
        }
    return record
