"""Table of the inputs that the value of a share rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jevons.results import Column, Table, table

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures
    from jevons.study.plan.tornado import ValueSwing


def tornado_table(result: PlanFigures) -> Table:
    """Return what each input of the accounts does to the value of a share, the strongest first."""
    columns = (
        Column("name", "input"), Column("unit", "unit"), Column("low", "low"), Column("high", "high"),
        Column("at_low", "value at low", "¤"), Column("at_high", "value at high", "¤"), Column("swing", "swing", "¤"),
        Column("evidence", "evidence"),
    )  # fmt: skip
    rows = [
        (
            result.amount_label(swing.path), *_scaled(swing), swing.at_low_cur, swing.at_high_cur, swing.swing_cur,
            swing.grade
        )
        for swing in result.value_swings
        if swing.swing_cur > 0
    ]  # fmt: skip
    title = "Value of a share with one input of the accounts at either end of its range, the plan held"
    return table("value_tornado", title, columns, rows, detail=True)


def _scaled(swing: ValueSwing) -> tuple[str, float, float]:
    """Return unit and range of an input, large amounts in billions or millions."""
    most = max(abs(swing.low), abs(swing.high))
    scale, word = next(((size, word) for size, word in ((1e9, "bn"), (1e6, "mn")) if most >= size), (1.0, ""))
    return f"{word} {'' if swing.unit == '1' else swing.unit}".strip(), swing.low / scale, swing.high / scale
