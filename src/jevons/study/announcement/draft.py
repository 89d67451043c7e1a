"""A draft scenario from an announcement: what it says, each with its sentence, and what a scenario needs besides."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jevons.schema import read_yaml
from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.patterns import UNKNOWN_CROWNS
from jevons.study.announcement.text import Sentence
from jevons.study.scenario.shelf import file_meant
from jevons.units import CURRENCIES, LARGE, format_money

_MADE = re.compile(r"产量|产能|出货|销量|output|produc|shipment|ship(?:s|ped)?\b|sold|sells")
"""Words of accelerators that are made or sold, which nobody has installed."""
_SPENT = re.compile(
    r"(?<![a-z])(?:was|were|spent|totall?ed|reached|came to|reported)(?![a-z])|达到?|为\d|实际|已投入|全年资本开支为"
)
"""Words of what has been spent."""
_SECTIONS = {
    "hardware": "sites with power and build rate, devices with price and supply",
    "serving": "models with list prices and limits, utilisation, engine",
    "cost": "cost of capital, lives, network, operations",
    "market": "segments with demand, providers, rents",
    "finance": "tax, revenue and margin today, shares, cash",
}
"""Sections that a scenario needs and no announcement has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the draft: its value, and the words it was read in.

    Parameters
    ----------
    value : object
        As a scenario file writes it.
    text : str
        Sentence of the announcement.
    start, end, line : int
        Place of the figure in the text (characters from its beginning), and line.
    """

    value: Any
    text: str
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Fields by path, and what is missing for a scenario."""

    fields: dict[str, Field]
    missing: dict[str, str]


def _field(value: Any, sentence: Sentence, figure: Figure | None = None) -> Field:
    start = sentence.start + (figure.start if figure else 0)
    end = sentence.start + figure.end if figure else sentence.end
    return Field(value=value, text=sentence.text, start=start, end=end, line=sentence.line)


def _quarter_after(day: dt.date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _amount(figure: Figure, sentence: Sentence) -> Any:
    """Return an amount as a scenario writes it: a range with the sentence as its source where the text gives one."""
    text = sentence.text.replace('"', "'")
    if figure.high > figure.low:
        middle = format_money(figure.middle, figure.unit)
        return {
            "low": format_money(figure.low, figure.unit), "mode": middle,
            "high": format_money(figure.high, figure.unit), "source": f"announcement: {text}",
        }  # fmt: skip
    return format_money(figure.low, figure.unit) if figure.low < 1e3 else _exact(figure)


def _exact(figure: Figure) -> str:
    for scale, word, _ in LARGE[:3]:
        if figure.low >= scale:
            return f"{figure.low / scale:.10g} {word} {figure.unit}"
    return f"{figure.low:.10g} {figure.unit}"


def main_budget(claims: list[Claim], firm: str) -> Claim | None:
    """Return the claim that states the firm's budget: with the longest stated period, then the largest."""
    budgets = [
        c for c in claims
        if c.kind == "budget" and "each" not in c.named and "amount" in c.named and not c.denied and _to_come(c)
    ]  # fmt: skip
    own = [c for c in budgets if c.firm == firm] or budgets
    own = [c for c in own if c.named["amount"].unit in CURRENCIES] or own

    def weight(claim: Claim) -> tuple[bool, bool, float, float]:
        period = claim.named.get("period")
        lasting = period.low if period is not None and period.label in {"next", ""} else 0.0
        return claim.status != "conditional", period is not None, lasting, claim.named["amount"].middle

    return max(own, key=weight) if own else None


def _to_come(claim: Claim) -> bool:
    """Return whether a budget is a plan or guidance, and not what was spent in a quarter, a year or till now."""
    period = claim.named.get("period")
    if claim.status:
        return claim.status != "earlier"
    if period is not None and re.match(r"\d{4}-|past|quarter|Q\d", period.label):
        return False
    return (period is not None and period.label == "next") or not _SPENT.search(claim.sentence.plain)


def draft_of(
    claims: list[Claim], sentences: list[Sentence], firm: str, day: dt.date | None, dated: Field | None
) -> Draft:
    """Return the draft scenario that the claims allow."""
    fields: dict[str, Field] = {}
    missing: dict[str, str] = {}
    budget = main_budget(claims, firm)
    firm = budget.firm or firm if budget is not None else firm
    head = budget.sentence if budget is not None else sentences[0]
    if firm:
        name = lexicon.firm_name(firm)
        title = (
            f"{name}, {format_money(budget.named['amount'].middle, budget.named['amount'].unit)}" if budget else name
        )
        fields["name"] = _field(title, head)
    else:
        missing["name"] = "the text names no firm"
    if day is not None and dated is not None:
        fields["as_of"] = dated
        fields["start"] = Field(
            value=_quarter_after(day), text=dated.text, start=dated.start, end=dated.end, line=dated.line
        )
    else:
        missing["as_of"] = "the text has no full date; give --date"
    if budget is None:
        spent = any(c.kind == "budget" and not c.denied for c in claims)
        only = ", only what was spent" if spent else ""
        missing["expansion.budget"] = f"the text states no amount to be invested{only}"
    elif budget.named["amount"].unit not in CURRENCIES:
        stated = budget.named["amount"]
        whose = "the text does not say whose crowns"
        unknown = whose if stated.unit == UNKNOWN_CROWNS else f"no rate of {stated.unit} is on file"
        missing["currency"] = f"a scenario counts in {', '.join(CURRENCIES)}; {unknown}"
        missing["expansion.budget"] = f"{format_money(stated.middle, stated.unit)}: convert it"
    else:
        amount, period = budget.named["amount"], budget.named.get("period")
        fields["currency"] = _field(amount.unit, head, amount)
        fields["expansion.budget"] = _field(_amount(amount, head), head, amount)
        years = period.low if period is not None else 0.0
        if period is not None and years >= 0.5:
            quarters = max(2, round(4 * years))
            fields["expansion.budget_quarters"] = _field(quarters, head, period)
            fields["quarters"] = _field(quarters, head, period)
        else:
            missing["expansion.budget_quarters"] = "the text does not say over how long"
    _devices(claims, fields)
    missing |= {f"{name}": f"{what} (give --base SCENARIO to take them from one)" for name, what in _SECTIONS.items()}
    return Draft(fields=fields, missing=missing)


def _devices(claims: list[Claim], fields: dict[str, Field]) -> None:
    """Note the accelerators that the text counts, of a known kind, as their installed number."""
    for claim in claims:
        figure = claim.named.get("devices")
        if _MADE.search(claim.sentence.plain):
            continue
        if (
            claim.kind == "cluster"
            and not claim.denied
            and figure is not None
            and figure.what
            and figure.low == figure.high
        ):
            path = f"hardware.devices.{figure.what}.installed"
            fields.setdefault(path, _field(round(figure.low), claim.sentence, figure))


def draft_yaml(draft: Draft, base: Path | str | None) -> str:
    """Return the draft as YAML: a base with the fields in place of its own, or the fields alone."""
    root: dict[str, Any] = {} if base is None else dict(read_yaml(file_meant(base)).root)
    devices = (root.get("hardware") or {}).get("devices") or {}
    for path, field in draft.fields.items():
        if base is not None and path.startswith("hardware.devices.") and path.split(".")[2] not in devices:
            continue
        value = field.value
        _put(root, path.split("."), value)
    lines = ["# Draft from an announcement: each field that was read, with its place in the text and its sentence."]
    for path, field in draft.fields.items():
        quoted = " ".join(field.text.split())
        lines.append(f"#   {path}: characters {field.start} to {field.end}, line {field.line}: {quoted}")
    if base is None and draft.missing:
        lines.append("# Missing before `jevons plan` can run:")
        lines += [f"#   {path}: {why}" for path, why in draft.missing.items()]
    return "\n".join(lines) + "\n" + _dumped(root)


def _put(root: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        root[key] = dict(root.get(key) or {})
        root = root[key]
    root[keys[-1]] = value


def _dumped(root: dict[str, Any]) -> str:
    import io

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 1000
    stream = io.StringIO()
    order = ("name", "as_of", "currency", "seed", "start", "quarters")
    ordered = {key: root[key] for key in order if key in root} | {k: v for k, v in root.items() if k not in order}
    yaml.dump(ordered, stream)
    return stream.getvalue()
