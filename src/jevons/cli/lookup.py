"""`jevons facts …` and `jevons models …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.options import parse_date
from jevons.cli.output import emit, number, table
from jevons.errors import FactError, InputError
from jevons.facts import Fact, Facts, FactValue, default_facts

if TYPE_CHECKING:
    from jevons.models import Attention


def _shown(value: FactValue) -> str:
    if isinstance(value.value, str):
        return value.value
    text = f"{value.value:.6g}"
    return f"{value.value:,.0f}" if abs(value.value) >= 1000 and "e" not in text else text


def _headline(text: str, most: int = 70) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _span(value: FactValue) -> str:
    if value.low is None or value.high is None:
        return ""
    return f"{value.low:.4g} to {value.high:.4g}"


def _record(value: FactValue) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": value.id, "from": value.start, "published": value.published, "value": value.value, "unit": value.unit,
        "grade": value.grade,
    }  # fmt: skip
    source = value.source
    if source is not None:
        record |= {"source": str(source), "url": source.url, "locator": value.locator}
    for name in ("low", "high", "reason", "note", "formula", "expires"):
        if getattr(value, name) not in {None, ""}:
            record[name] = getattr(value, name)
    if value.parents:
        record["parents"] = list(value.parents)
    if value.chosen:
        record["chosen"] = True
    return record


def _current(facts: Facts, found: list[Fact], on: Any) -> list[FactValue]:
    values = []
    for fact in found:
        try:
            values.append(facts.get(fact.id, on))
        except FactError:
            continue
    return values


def _list(found: list[Fact], title: str, as_of: str | None, as_json: bool, out: Path | None) -> None:
    values = _current(default_facts(), found, parse_date(as_of))
    if not values:
        message = f"--as-of {as_of}: none of the {len(found)} facts that match was public then; use a later date"
        raise InputError(message)
    rows = [
        (
            v.id,
            _shown(v),
            v.unit if v.unit != "1" else "",
            str(v.start),
            v.grade,
            _headline(str(v.source or v.reason or v.formula)),
        )
        for v in values
    ]
    shown = table(f"{title}: {len(values)}", ("fact", "value", "unit", "from", "grade", "source"), rows, text_columns=6)
    emit({"facts": [_record(v) for v in values]}, [shown], as_json=as_json, out=out)


def facts_list(prefix: str, *, as_of: str | None, json: bool, out: Path | None) -> None:
    """Print the facts whose id begins with *prefix*."""
    found = [fact for fact in default_facts() if fact.id.startswith(prefix)]
    if not found:
        from jevons.errors import did_you_mean

        heads = {fact.id.split(".")[0] for fact in default_facts()}
        message = f"no fact begins with `{prefix}`.{did_you_mean(prefix, heads)}"
        raise InputError(message)
    _list(sorted(found, key=lambda fact: fact.id), "facts", as_of, json, out)


def facts_search(words: list[str], *, as_of: str | None, json: bool, out: Path | None) -> None:
    """Print the facts in which all words occur."""
    text = " ".join(words)
    found = default_facts().search(text)
    if not found:
        message = f"no fact has all of `{text}`; try fewer words, or `jevons facts list`"
        raise InputError(message)
    _list(found, f"facts with `{text}`", as_of, json, out)


def facts_show(fact_id: str, *, as_of: str | None, json: bool, out: Path | None) -> None:
    """Print every dated value of one fact."""
    facts = default_facts()
    fact = facts.fact(fact_id)
    on = parse_date(as_of)
    visible = [value for value in fact.values if on is None or max(value.published, value.start) <= on]
    current = facts.get(fact_id, on)
    rows = []
    for value in visible:
        evidence = "; ".join(
            part for part in (str(value.source or ""), value.locator, value.formula, value.reason, value.note) if part
        )
        mark = "*" if value == current else ""
        rows.append((mark, str(value.start), str(value.published), _shown(value), _span(value), value.grade, evidence))
    unit = "" if fact.unit in {"1", "text"} else f" [{fact.unit}]"
    columns = ("", "from", "published", f"value{unit}", "range", "grade", "evidence")
    shown = table(f"{fact.id}: {fact.about}", columns, rows, text_columns=7)
    links = sorted({value.source.url for value in visible if value.source and value.source.url})
    parts: list[Any] = [shown, *links]
    record = {
        "id": fact.id,
        "about": fact.about,
        "unit": fact.unit,
        "current": _record(current),
        "values": [_record(v) for v in visible],
    }
    emit(record, parts, as_json=json, out=out)


def models_list(*, json: bool, out: Path | None) -> None:
    """Print the shipped architectures."""
    from jevons import models

    specs = [models.load(name) for name in models.names()]
    records: list[dict[str, Any]] = [
        {
            "name": spec.name, "architecture": spec.architecture, "parameters_total": spec.parameters_total,
            "parameters_active": spec.parameters_active, "kv_bytes_per_token": spec.kv_bytes_per_token(),
            "flop_per_token": spec.flop_per_token(), "max_context": spec.max_context,
        }
        for spec in specs
    ]  # fmt: skip
    rows = [
        (
            str(r["name"]), str(r["architecture"]), f"{r['parameters_total'] / 1e9:,.2f}",
            f"{r['parameters_active'] / 1e9:,.2f}", r["kv_bytes_per_token"] / 1024, r["flop_per_token"] / 1e9,
            r["max_context"],
        )
        for r in records
    ]  # fmt: skip
    columns = (
        "model",
        "architecture",
        "total [10^9]",
        "active [10^9]",
        "KV [KiB/token]",
        "work [GFLOP/token]",
        "context [token]",
    )
    emit({"models": records}, [table("shipped models", columns, rows, text_columns=2)], as_json=json, out=out)


def models_show(name: str, *, json: bool, out: Path | None) -> None:
    """Print one architecture: totals, then its layers."""
    from jevons import models

    spec = models.load(name)
    record: dict[str, Any] = {
        "name": spec.name, "architecture": spec.architecture, "hidden": spec.hidden, "vocab": spec.vocab,
        "max_context": spec.max_context, "parameters_total": spec.parameters_total,
        "parameters_active": spec.parameters_active, "kv_bytes_per_token": spec.kv_bytes_per_token(),
        "state_bytes_per_sequence": spec.state_bytes_per_sequence(), "weight_bytes": spec.weight_bytes(),
        "flop_per_token": spec.flop_per_token(),
    }  # fmt: skip
    layers = [
        {
            "count": group.count,
            "attention": _attention_text(group.attention),
            "feed_forward": group.feed_forward.kind,
            "inner": group.feed_forward.hidden_inner or group.feed_forward.expert_inner,
            "experts": group.feed_forward.experts,
            "experts_per_token": group.feed_forward.experts_per_token,
        }
        for group in spec.layers
    ]
    totals = table(
        spec.name,
        ("quantity", "value", "unit"),
        [
            ("parameters, total", f"{spec.parameters_total / 1e9:,.3f}", "10^9"),
            ("parameters, active per token", f"{spec.parameters_active / 1e9:,.3f}", "10^9"),
            ("weights as shipped", f"{spec.weight_bytes() / 1e9:,.1f}", "GB"),
            ("KV cache per token", number(float(spec.kv_bytes_per_token())), "bytes"),
            ("state per sequence", number(float(spec.state_bytes_per_sequence())), "bytes"),
            ("work per token, no context", f"{spec.flop_per_token() / 1e9:,.2f}", "GFLOP"),
            ("longest context", number(spec.max_context), "tokens"),
        ],
        text_columns=1,
    )
    rows = [
        (f"{r['count']} x", r["attention"], r["feed_forward"], r["inner"], r["experts"], r["experts_per_token"])
        for r in layers
    ]
    shape = table("layers", ("", "attention", "feed-forward", "inner", "experts", "per token"), rows, text_columns=3)
    emit(record | {"layers": layers}, [totals, shape], as_json=json, out=out)


def _attention_text(attention: Attention) -> str:
    """Return kind, heads and head size in one word each."""
    return f"{attention.kind} {attention.heads}q/{attention.kv_heads}kv x {attention.head_dim}"
