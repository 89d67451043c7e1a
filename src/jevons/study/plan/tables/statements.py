"""Statements by quarter as tables: AI cloud with depreciation by vintage, whole cloud, cash of the group, returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.finance import Statements
from jevons.study.plan.group_cash import GroupCash

Table = tuple[str, Sequence[str], list[Sequence[Any]]]

_BN = 1e9


def statements_record(books: Statements) -> dict[str, Any]:
    """Return the statements as plain values by line; depreciation and book value of devices by vintage."""
    record = {field.name: getattr(books, field.name) for field in dataclasses.fields(books)}
    names = record.pop("vintages")
    for name in ("vintage_depreciation_cny", "vintage_closing_cny"):
        record[name] = dict(zip(names, record[name], strict=True))
    return record


def cash_record(cash: GroupCash) -> dict[str, Any]:
    """Return the group's cash as plain values by line."""
    held = {field.name: getattr(cash.funding, field.name) for field in dataclasses.fields(cash.funding)}
    return {
        "quarters": cash.quarters, "cloud_free_cash_cny": cash.cloud_cny, "rest_free_cash_cny": cash.rest_cny,
        "lines_spent_cny": cash.lines_spent_cny, "lines_received_cny": cash.lines_received_cny, **held,
    }  # fmt: skip


def quarter_records(books: Statements, cash: GroupCash) -> list[dict[str, Any]]:
    """Return one record per quarter with every line of the statements and of the group's cash, vintages by name."""
    held = statements_record(books) | {f"group_{name}": line for name, line in cash_record(cash).items()}
    labels = held.pop("quarters")
    held.pop("group_quarters")
    for name in ("vintage_depreciation_cny", "vintage_closing_cny"):
        held |= {f"{name}.{vintage}": line for vintage, line in held.pop(name).items()}
    return [
        {"quarter": label, **{name: float(line[t]) for name, line in held.items()}} for t, label in enumerate(labels)
    ]


def statement_tables(books: Statements, cash: GroupCash) -> list[Table]:
    """Return the statements by quarter: AI cloud, whole cloud, cash of the group."""
    return [_ai_cloud(books), _whole_cloud(books), _cash(cash)]


def _ai_cloud(books: Statements) -> Table:
    vintages = [
        (f"depreciation, {name if name.startswith('before') else f'bought {name}'}", -amounts)
        for name, amounts in zip(books.vintages, books.vintage_depreciation_cny, strict=True)
        if amounts.any()
    ]
    lines = [
        ("revenue, external", books.external_revenue_cny),
        ("revenue, internal", books.internal_revenue_cny),
        ("energy", -books.energy_cny),
        ("operations", -books.fixed_cny),
        ("overhead", -books.overhead_cny),
        *vintages,
        ("depreciation, sites", -books.building_depreciation_cny),
        ("EBITA", books.ai_ebita_cny),
        ("impairment", -books.impairment_cny),
        ("tax", -books.ai_tax_cny),
        ("capex, accelerators", -books.device_capex_cny),
        ("capex, sites", -books.site_capex_cny),
        ("free cash flow", books.ai_fcf_cny),
        ("book value at the end", books.device_closing_cny + books.building_closing_cny),
    ]
    return _table("Statements by quarter: AI cloud [bn CNY]", books.quarters, lines)


def _whole_cloud(books: Statements) -> Table:
    revenue = books.ai_revenue_cny + books.base_revenue_cny
    lines = [
        ("revenue, AI", books.ai_revenue_cny),
        ("revenue, base cloud", books.base_revenue_cny),
        ("EBITA, AI", books.ai_ebita_cny),
        ("EBITA, base cloud", books.base_ebita_cny),
        ("EBITA", books.ebita_cny),
        ("tax", -books.tax_cny),
        ("capital added, base cloud", -books.base_investment_cny),
        ("free cash flow, base", books.base_fcf_cny),
        ("free cash flow", books.fcf_cny),
    ]
    title, columns, rows = _table("Statements by quarter: whole cloud [bn CNY]", books.quarters, lines)
    rows.insert(5, ("EBITA over revenue [%]", *(f"{100 * x:.1f}" for x in books.ebita_cny / revenue)))
    return title, columns, rows


def _cash(cash: GroupCash) -> Table:
    held = cash.funding
    lines = [
        ("net cash at the start", held.opening_cny),
        ("free cash flow, cloud", cash.cloud_cny),
        ("free cash flow, the rest", cash.rest_cny),
        ("spent on other lines", -cash.lines_spent_cny),
        ("brought by other lines", cash.lines_received_cny),
        ("interest after tax", held.interest_cny),
        ("buybacks and dividends", -held.returned_cny),
        ("money raised", held.raised_cny),
        ("net cash at the end", held.closing_cny),
    ]
    return _table("Statements by quarter: cash of the group [bn CNY]", cash.quarters, lines)


def _table(title: str, quarters: Sequence[str], lines: Sequence[tuple[str, Array]]) -> Table:
    """Return lines of money in bn CNY, with more decimals where all are small."""
    largest = max(float(np.abs(amounts).max()) for _, amounts in lines) / _BN
    decimals = 1 if largest >= 10 else 3
    rows: list[Sequence[Any]] = [
        (label, *(f"{round(float(x) / _BN, decimals) + 0.0:,.{decimals}f}" for x in amounts))
        for label, amounts in lines
    ]
    return title, ("", *quarters), rows


def returns_table(records: Sequence[dict[str, Any]], wacc_frac: float) -> Table:
    """Return what the AI cloud's capital earns by year against its cost, and whether growth creates value."""

    def money(amount: float | None) -> str:
        return "" if amount is None else f"{amount / _BN:,.1f}"

    def share(frac: float | None) -> str:
        return "" if frac is None else f"{100 * frac:.1f} %"

    def verdict(added: float | None) -> str:
        if added is None:
            return ""
        return f"growth {'creates' if added > wacc_frac else 'destroys'} value"

    rows: list[Sequence[Any]] = [
        (
            r["period"], money(r["capital_cny"]), money(r["nopat_cny"]), share(r["roic_frac"]),
            share(r["added_roic_frac"]), verdict(r["added_roic_frac"]),
        )
        for r in records
    ]  # fmt: skip
    title = f"Return on the capital of the AI cloud, against a cost of {100 * wacc_frac:.1f} % a year"
    columns = ("year", "capital [bn CNY]", "profit after tax [bn CNY]", "return", "on capital added", "note")
    return title, columns, rows


def required_table(record: dict[str, Any]) -> Table:
    """Return what the plan must deliver for the dated price, beside what it is planned to."""

    def money(amount: float) -> str:
        return f"{amount / _BN:,.1f}"

    share = record["after_share_frac"]
    if record["after_needed_cny"] <= 0:
        asks = "the price asks nothing of what follows"
    else:
        asks = "" if share is None else f"{100 * share:.0f} % of what is planned"
    rows: list[Sequence[Any]] = [
        ("the whole cloud", money(record["cloud_left_cny"]), money(record["cloud_value_cny"]), "what the price leaves"),
        ("of it the base cloud", money(record["base_value_cny"]), money(record["base_value_cny"]), "as planned"),
        ("so the AI plan", money(record["plan_needed_cny"]), money(record["plan_value_cny"]), ""),
        ("of it cash in the plan", money(record["cash_cny"]), money(record["cash_cny"]), "as planned"),
        ("so what follows", money(record["after_needed_cny"]), money(record["after_value_cny"]), asks),
    ]
    title = "What the plan must deliver for the price [bn CNY, present value]"
    return title, ("", "needed", "planned", "note"), rows
