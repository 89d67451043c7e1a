"""The figures behind a result, as the page takes them."""

from __future__ import annotations

from typing import Any

_MOST_NODES = 3000


def nodes_of(result: Any) -> dict[str, Any]:
    """Return the figures behind a result by path; fields that say nothing are left out."""
    ledger = getattr(result, "ledger", None)
    if ledger is None:
        return {}
    nodes = {}
    for path, node in list(ledger.nodes.items())[:_MOST_NODES]:
        record = {
            "value": node.value, "unit": node.unit, "formula": node.formula, "method": node.method,
            "parents": list(node.parents), "symbols": {k: list(v) for k, v in node.symbols.items()},
            "grade": node.grade, "source": node.source, "low": node.low, "high": node.high,
        }  # fmt: skip
        nodes[path] = {name: value for name, value in record.items() if value not in ("", None, [], {})}
    return nodes
