"""Two questions of one kind: the inputs that differ, the outputs that do, and what each changed input does alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jevons.errors import InputError, JevonsError
from jevons.schema import plain
from jevons.units import MONEY
from jevons.web.inputs import declared_of
from jevons.web.nodes import nodes_of

_HEADLINES = {
    "size": {
        "accelerators": ("best.accelerators", "1"), "cost_per_h": ("best.cost_per_h", "¤/h"),
        "cost_per_mtok": ("best.cost_per_mtok", "¤/Mtok"), "ttft_s": ("best.ttft_s", "s"),
        "tpot_s": ("best.tpot_s", "s"), "power_w": ("best.power_w", "W"),
    },
    "simulate": {
        "output_tok_per_s": ("output_tok_per_s", "tok/s"), "ttft_p95_s": ("ttft_s.p95", "s"),
        "tpot_p95_s": ("tpot_s.p95", "s"), "e2e_p95_s": ("e2e_s.p95", "s"), "kv_peak_frac": ("kv_peak_frac", "frac"),
        "cost_per_mtok": ("cost_per_mtok", "¤/Mtok"),
    },
    "buy_rent_api": {
        "per_month_cny": ("best.cost.per_month_cny", "CNY"),
        "per_output_mtok_cny": ("best.cost.per_output_mtok_cny", "CNY/Mtok"),
        "api_output_cny_per_mtok": ("api.output_cny_per_mtok", "CNY/Mtok"),
    },
    "train": {
        "days": ("days", "d"), "cost": ("cost", "¤"), "mfu_frac": ("mfu_frac", "frac"),
        "step_time_s": ("step_time_s", "s"), "memory_bytes": ("memory_bytes", "bytes"),
    },
    "plan": {
        name: (f"outcomes.{name}.value", unit)
        for name, unit in {
            "value_per_share": "¤", "orders_value": "¤", "tokens_per_d": "1", "devices": "1", "capex": "¤",
            "ai_revenue": "¤", "it_w": "W", "compute_factor": "1",
        }.items()
    },
    "cost": {"per_hour": ("per_hour", "¤/h")},
    "memory": {"kv_tokens": ("kv_tokens", "1")},
}  # fmt: skip
"""Outputs that two results are compared by: place in the JSON and unit."""
_DRAWN: dict[str, dict[str, tuple[str, ...]]] = {
    "size": {"entries": ("gpu", "accelerators", "tpot_s", "cost_per_h", "currency")},
    "simulate": {"ttft_s": (), "tpot_s": (), "e2e_s": ()},
    "buy_rent_api": {"ways": ("way", "gpu", "accelerators", "cost")},
    "train": {"parts_s": ()},
    "plan": {"quarters": (), "paths": ()},
}
"""What the page draws of both sides in one chart: places in the JSON, and of a list's entries the fields."""
CURRENCY = "USD"
"""In which both sides are compared."""
_MOST_SWAPS = 12
_ENDS = ("low", "high")


def difference(desk: Any, both: Mapping[str, Any], tell: Any) -> dict[str, Any]:
    """Return changed inputs, outputs with their differences, and the attribution to each changed input.

    Each changed input is put into A alone; what these steps leave of the whole difference acts together.
    """
    from jevons.web.wording import said

    kind = both["a"]["kind"]
    a, b = (_flat(kind, both[side]["input"]) for side in ("a", "b"))
    known = declared_of(kind)
    keys = [key for key in sorted({*a, *b}) if a.get(key) != b.get(key)]
    currency = CURRENCY
    if "currency" in known and kind != "plan":
        a, b = ({"currency": currency, **given} for given in (a, b))
    results = {side: _result(desk, kind, given, tell) for side, given in (("a", a), ("b", b))}
    records = {side: result.to_json() for side, result in results.items()}
    if kind == "plan":
        currency = _one_currency(records)
    heads = {
        name: _values(records, place, unit.replace("¤", currency)) for name, (place, unit) in _HEADLINES[kind].items()
    }
    swaps = []
    for done, key in enumerate(keys[:_MOST_SWAPS]):
        tell("progress", {"stage": key, "done": done, "of": len(keys)})
        swaps.append(_swap(desk, kind, a, b, key, records["a"], tell))
    attribution = []
    for name, head in heads.items():
        if head["a"] is None or head["b"] is None or head["delta"] == 0:
            continue
        place = _HEADLINES[kind][name][0]
        parts = [
            {"input": swap["input"], "delta": _delta(records["a"], swap["record"], place), "problem": swap["problem"]}
            for swap in swaps
        ]
        alone = sum(part["delta"] or 0.0 for part in parts)
        attribution.append({"output": name, "total": head["delta"], "parts": parts, "together": head["delta"] - alone})
    return {
        "result": {
            "answer": f"{len(keys)} inputs differ." if len(keys) != 1 else "1 input differs.",
            "kind": kind,
            "changed": [_changed(desk, kind, key, a, b) for key in keys],
            "currency": currency,
            "difference": heads,
            "attribution": attribution,
            "drawn": {side: _drawn(kind, record) for side, record in records.items()},
            "answers": {side: result.answer for side, result in results.items()},
            "said": {side: {"zh": said(result.answer_parts, "zh")} for side, result in results.items()},
        },
        "tables": [], "notes": [], "nodes": plain(_nodes(kind, results, heads)), "seconds": 0.0,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A plan by one draw from its scenario's solved plan, as much of a result as a comparison takes."""

    record: Mapping[str, Any]
    answer_parts: tuple[Any, ...] = ()
    ledger: None = None

    @property
    def answer(self) -> str:
        """What the draw came to."""
        return str(self.record["answer"])

    def to_json(self) -> Mapping[str, Any]:
        """Return its outcomes and paths."""
        return self.record


def _flat(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input with each changed amount of a plan as an input of its own; a number of draws is none."""
    if kind != "plan":
        return dict(given)
    return {"scenario": given.get("scenario", ""), **given.get("set", {})}


def _result(desk: Any, kind: str, given: Mapping[str, Any], tell: Any) -> Any:
    if kind != "plan":
        return desk.result(kind, given, f"{kind}-{sorted(given.items())}", tell)
    changes = {path: value for path, value in given.items() if path != "scenario"}
    return _Drawn(desk.draw({"scenario": given["scenario"], "set": changes})["result"])


def _one_currency(records: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the currency of both plans.

    Raises
    ------
    InputError
        If they count in two.
    """
    a, b = (str(records[side]["currency"]) for side in ("a", "b"))
    if a != b:
        message = f"b: counts in {b}, a in {a}; compare plans of one currency here, or run `jevons compare`"
        raise InputError(message)
    return a


def _nodes(kind: str, results: Mapping[str, Any], heads: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the outputs of either side, and the figures behind them, each path led by its side."""
    nodes: dict[str, Any] = {}
    for side, result in results.items():
        own = nodes_of(result)
        for path, node in own.items():
            nodes[f"{side}.{path}"] = {**node, "parents": [f"{side}.{parent}" for parent in node.get("parents", [])]}
        for name, head in heads.items():
            place = _HEADLINES[kind][name][0]
            behind = [f"{side}.{path}" for path in (place, f"{place}.mean") if path in own][:1]
            if head[side] is not None:
                nodes[f"difference.{name}.{side}"] = {
                    "value": head[side], "unit": head["unit"], "formula": f"{side}: {kind}.{place}", "parents": behind,
                    **{end: head[f"{side}_{end}"] for end in _ENDS if f"{side}_{end}" in head},
                }  # fmt: skip
    return nodes


def _drawn(kind: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a chart of both sides takes from one."""
    drawn = {}
    for place, fields in _DRAWN.get(kind, {}).items():
        value = record.get(place)
        drawn[place] = [{name: item.get(name) for name in fields} for item in value] if fields and value else value
    return drawn


def _swap(
    desk: Any, kind: str, a: Mapping[str, Any], b: Mapping[str, Any], key: str, record: Any, tell: Any
) -> dict[str, Any]:
    """Return A's result with one input of B."""
    given = {name: value for name, value in a.items() if name != key}
    if key in b:
        given[key] = b[key]
    try:
        result = _result(desk, kind, given, tell)
    except JevonsError as error:
        return {"input": key, "record": record, "problem": str(error).split("\n", 1)[0][:200]}
    return {"input": key, "record": result.to_json(), "problem": ""}


def _changed(desk: Any, kind: str, key: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input that differs, with what stands where a side leaves it out."""
    record: dict[str, Any] = {"input": key}
    if kind == "plan" and key != "scenario":
        amounts = {side: desk.scenario(given["scenario"], {}).amounts()[key] for side, given in (("a", a), ("b", b))}
        record["unit"] = amounts["a"].unit.replace(MONEY, str(desk.scenario(a["scenario"], {}).currency))
        return record | {side: given.get(key, amounts[side].value) for side, given in (("a", a), ("b", b))}
    default = _default(declared_of(kind), key)
    return record | {side: plain(given.get(key, default)) for side, given in (("a", a), ("b", b))}


def _default(known: Mapping[str, Any], key: str) -> Any:
    import inspect

    default = known[key].default if key in known else None
    return None if default is inspect.Parameter.empty else default


def at(record: Any, place: str) -> Any:
    """Return the value at a dotted place of nested mappings; None where there is none."""
    for part in place.split("."):
        record = record.get(part) if isinstance(record, Mapping) else None
    return record


def _number(record: Any, place: str) -> float | None:
    value = at(record, place)
    if isinstance(value, Mapping):
        value = value.get("value")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _delta(before: Any, after: Any, place: str) -> float | None:
    first, second = _number(before, place), _number(after, place)
    return None if first is None or second is None else second - first


def _values(records: Mapping[str, Any], place: str, unit: str) -> dict[str, Any]:
    a, b = _number(records["a"], place), _number(records["b"], place)
    delta = None if a is None or b is None else b - a
    ends = {f"{side}_{end}": _number(records[side], f"{place}_{end}") for side in records for end in _ENDS}
    return {
        "a": a, "b": b, "delta": delta, "unit": unit, **{name: end for name, end in ends.items() if end is not None}
    }  # fmt: skip
