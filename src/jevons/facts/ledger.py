"""Facts as entries of a result's ledger."""

from __future__ import annotations

import datetime as dt

from jevons.facts import Facts
from jevons.provenance import Ledger


def add_fact(ledger: Ledger, fact_id: str, facts: Facts, on: dt.date | None) -> None:
    """Add a fact as it was visible on a date, and the facts it is derived from, where there are any."""
    visible = facts.series(fact_id, on)
    if fact_id in ledger.nodes or not visible:
        return
    value = visible[-1]
    source = "; ".join(part for part in (str(value.source or ""), value.locator, value.reason) if part)
    ledger.add(
        fact_id,
        value.value,
        value.unit,
        method=value.formula,
        parents=value.parents,
        grade=value.grade,
        source=f"{source}, from {value.start}",
        low=value.low,
        high=value.high,
    )
    for parent in value.parents:
        add_fact(ledger, parent, facts, on)
