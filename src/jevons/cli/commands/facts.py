"""`jevons facts`: dated, sourced figures, listed, searched and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jevons.cli.options import AsOf, Json, Out
from jevons.cli.output import emit, table
from jevons.errors import FactError, InputError
from jevons.facts import Fact, Facts, FactValue, default_facts
from jevons.units import parse_date

facts_app = typer.Typer(help="Look up dated, sourced figures.", no_args_is_help=True)


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


@facts_app.command("list")
def facts_list(
    prefix: Annotated[str, typer.Argument(help="Only ids that begin so.")] = "",
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """List facts with their value in force, unit, grade and source."""
    found = [fact for fact in default_facts() if fact.id.startswith(prefix)]
    if not found:
        from jevons.errors import did_you_mean

        heads = {fact.id.split(".")[0] for fact in default_facts()}
        message = f"no fact begins with `{prefix}`.{did_you_mean(prefix, heads)}"
        raise InputError(message)
    _list(sorted(found, key=lambda fact: fact.id), "facts", as_of, json, out)


@facts_app.command("search")
def facts_search(
    words: Annotated[list[str], typer.Argument(help="Words that must all occur in id, description or source.")],
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Search facts by words."""
    text = " ".join(words)
    found = default_facts().search(text)
    if not found:
        message = f"no fact has all of `{text}`; try fewer words, or `jevons facts list`"
        raise InputError(message)
    _list(found, f"facts with `{text}`", as_of, json, out)


@facts_app.command("show")
def facts_show(
    fact_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the fact, such as h20.price_cny.")],
    as_of: AsOf = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Show every dated value of a fact with its source."""
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
