"""Statements by quarter as tables: AI cloud with depreciation by vintage, whole cloud, cash of the group, returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from jevons.arrays import Array
from jevons.finance import DebtSchedule, Statements
from jevons.results import Column, Table, table
from jevons.study.chain.contracts import ContractAccount
from jevons.study.plan.group_cash import GroupCash
from jevons.study.plan.tables.lines import Line, by_period, line

_BN = 1e9


def _without_currency(field: str) -> str:
    """Return a field's name without its mark of currency, which the plan states once."""
    return field.replace("_cur", "")


def statements_record(books: Statements) -> dict[str, Any]:
    """Return the statements as plain values by line; depreciation and book value of devices by vintage."""
    record = {_without_currency(name): line for name, line in books.flat().items()}
    names = record.pop("vintages")
    for name in ("vintage_depreciation", "vintage_closing"):
        record[name] = dict(zip(names, record[name], strict=True))
    return record


def cash_record(cash: GroupCash) -> dict[str, Any]:
    """Return the group's cash as plain values by line."""
    record = {
        _without_currency(field.name): getattr(cash.funding, field.name)
        for field in dataclasses.fields(cash.funding)
        if field.name != "debt"
    }
    return {
        "quarters": cash.quarters, "cloud_free_cash": cash.cloud_cur, "rest_free_cash": cash.rest_cur,
        "lines_spent": cash.lines_spent_cur, "lines_received": cash.lines_received_cur, **record,
    }  # fmt: skip


def quarter_records(books: Statements, cash: GroupCash) -> list[dict[str, Any]]:
    """Return one record per quarter with every line of the statements and of the group's cash, vintages by name."""
    lines = statements_record(books) | {f"group_{name}": line for name, line in cash_record(cash).items()}
    labels = lines.pop("quarters")
    lines.pop("group_quarters")
    for name in ("vintage_depreciation", "vintage_closing"):
        lines |= {f"{name}.{vintage}": line for vintage, line in lines.pop(name).items()}
    return [
        {"quarter": label, **{name: float(line[t]) for name, line in lines.items()}} for t, label in enumerate(labels)
    ]


def statement_tables(books: Statements, cash: GroupCash, contracts: ContractAccount | None = None) -> list[Table]:
    """Return the statements by quarter: AI cloud, whole cloud, cash of the group; debt and contracts where any."""
    tables = [_ai_cloud(books), _whole_cloud(books), _cash(cash)]
    if cash.funding.debt is not None:
        tables.append(_debt(cash.funding.debt, cash.quarters))
    if contracts is not None:
        tables.append(_contracts(contracts, books.quarters))
    return tables


def _debt(debt: DebtSchedule, quarters: Sequence[str]) -> Table:
    """Return loans by quarter: owed, interest before tax, repaid."""
    lines = []
    for n, name in enumerate(debt.names):
        lines += [
            (f"{name}: owed, start of quarter", debt.opening_cur[n]),
            (f"{name}: interest", debt.interest_cur[n]),
            (f"{name}: repaid", debt.repaid_cur[n]),
        ]
    return _money("statements_debt", "Statements by quarter: debt of the start", quarters, lines)


def _contracts(signed: ContractAccount, quarters: Sequence[str]) -> Table:
    """Return customers' contracts by quarter: what falls due, what the fleet delivers of it, what is left."""
    lines = []
    for n, name in enumerate(signed.names):
        lines += [
            (f"{name}: backlog of the quarter", signed.committed_cur[n]),
            (f"{name}: taken, or paid in any case", signed.due_cur[n]),
            (f"{name}: revenue, as delivered", signed.revenue_cur[n]),
            (f"{name}: backlog, end of quarter", signed.backlog_cur[n]),
            *_where_any((f"{name}: prepayments held, end of quarter", signed.owed_cur[n])),
        ]
    return _money("statements_contracts", "Statements by quarter: customers' contracts", quarters, lines)


def _ai_cloud(books: Statements) -> Table:
    vintages = [
        (f"Depreciation, {name if name.startswith('before') else f'bought {name}'}", -amounts)
        for name, amounts in zip(books.vintages, books.write_offs.vintage_depreciation_cur, strict=True)
        if amounts.any()
    ]
    lines = [
        ("Revenue, external", books.revenue.external_revenue_cur),
        *_where_any(("of which customers' contracts", books.revenue.contract_revenue_cur)),
        ("Revenue, internal", books.revenue.internal_revenue_cur),
        ("Energy", -books.costs.energy_cur),
        ("Operations", -books.costs.fixed_cur),
        *_where_any(("Leases of sites", -books.costs.lease_cur)),
        ("Overhead", -books.costs.overhead_cur),
        *vintages,
        ("Depreciation, sites", -books.write_offs.building_depreciation_cur),
        ("EBITA", books.earnings.ai_ebita_cur),
        ("Impairment", -books.write_offs.impairment_cur),
        ("Tax", -books.earnings.ai_tax_cur),
        ("Capex, accelerators", -books.cash.device_capex_cur),
        ("Capex, sites", -books.cash.site_capex_cur),
        ("Prepayments", -books.cash.prepayment_cur),
        *_where_any(("Prepayments by customers, less what is used", books.cash.customer_prepayment_cur)),
        ("Free cash flow", books.cash.ai_fcf_cur),
        ("Paid and not yet in service, end of quarter", books.balance.under_way_cur),
        *_where_any(("Customers' prepayments held, end of quarter", books.balance.customer_prepaid_closing_cur)),
        ("Book value, end of quarter", books.balance.device_closing_cur + books.balance.building_closing_cur),
    ]
    return _money("statements_ai", "Statements by quarter: AI cloud", books.quarters, lines)


def _where_any(*lines: tuple[str, Array]) -> list[tuple[str, Array]]:
    """Return the lines that are not all zero: what a firm lacks is left out."""
    return [(label, amounts) for label, amounts in lines if amounts.any()]


def _whole_cloud(books: Statements) -> Table:
    revenue = books.ai_revenue_cur + books.base.base_revenue_cur
    lines = [
        ("Revenue, AI", books.ai_revenue_cur),
        ("Revenue, base cloud", books.base.base_revenue_cur),
        ("EBITA, AI", books.earnings.ai_ebita_cur),
        ("EBITA, base cloud", books.base.base_ebita_cur),
        ("EBITA, whole cloud", books.earnings.ebita_cur),
        ("Tax", -books.earnings.tax_cur),
        ("Capital added, base cloud", -books.base.base_investment_cur),
        ("Free cash flow, base cloud", books.base.base_fcf_cur),
        ("Free cash flow, whole cloud", books.cash.fcf_cur),
    ]
    margin = line("EBITA margin, whole cloud", "%", books.earnings.ebita_cur / revenue, over=0.01)
    return _money("statements_cloud", "Statements by quarter: whole cloud", books.quarters, lines, {5: margin})


def _cash(cash: GroupCash) -> Table:
    funding = cash.funding
    owes = funding.debt is not None
    kind = "Cash" if owes else "Net cash"
    lines = [
        (f"{kind}, start of quarter", funding.opening_cur),
        ("Free cash flow, cloud", cash.cloud_cur),
        ("Free cash flow, other businesses", cash.rest_cur),
        ("Spending on other budget lines", -cash.lines_spent_cur),
        ("Cash from other budget lines", cash.lines_received_cur),
        ("Interest after tax", funding.interest_cur),
        *([("Interest on debt after tax", -funding.debt_interest_cur)] if owes else []),
        ("Buybacks and dividends", -funding.returned_cur),
        *([("Debt repaid", -funding.repaid_cur)] if owes else []),
        ("Funding raised", funding.raised_cur),
        (f"{kind}, end of quarter", funding.closing_cur),
        *([("Debt, end of quarter", funding.debt_closing_cur)] if owes else []),
        *([("Net cash, end of quarter", funding.net_closing_cur)] if owes else []),
    ]
    return _money("statements_group", "Statements by quarter: cash of the group", cash.quarters, lines)


def _money(
    name: str,
    title: str,
    quarters: Sequence[str],
    amounts: Sequence[tuple[str, Array]],
    between: dict[int, Line] | None = None,
) -> Table:
    """Return lines of money in bn currency; *between* are lines of another unit, by their place."""
    lines = [line(label, "bn ¤", values, over=_BN) for label, values in amounts]
    for place, cell in (between or {}).items():
        lines.insert(place, cell)
    return by_period(name, title, quarters, lines, of="line")


def returns_table(records: Sequence[dict[str, Any]], wacc_frac: float) -> Table:
    """Return what the AI cloud's capital earns by year against its cost, and whether growth creates value."""

    def verdict(added: float | None) -> str:
        return "" if added is None else f"growth {'creates' if added > wacc_frac else 'destroys'} value"

    columns = (
        Column("name", "year"),
        Column("capital", "capital", "bn ¤", scale=1 / _BN),
        Column("nopat", "profit after tax", "bn ¤", scale=1 / _BN),
        Column("roic_frac", "return on capital", "%", scale=100),
        Column("added_roic_frac", "return on added capital", "%", scale=100),
        Column("note", "effect of growth"),
    )
    fields = ("period", "capital", "nopat", "roic_frac", "added_roic_frac")
    rows = [(*(_plain(r[f]) for f in fields), verdict(r["added_roic_frac"])) for r in records]
    title = f"Return on the AI cloud's capital (WACC {100 * wacc_frac:.1f} % a year)"
    return table("returns", title, columns, rows, detail=True)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else float(value)


def required_table(record: dict[str, Any]) -> Table:
    """Return what the plan must deliver for the dated price, beside what it is planned to."""
    share = record["after_share_frac"]
    if record["after_needed"] <= 0:
        asks = "the price needs no value after the horizon"
    else:
        asks = "" if share is None else f"{100 * share:.0f} % of the planned value"
    parts = (
        ("Whole cloud", "cloud_left", "cloud_value", "needed: share price less all other assets"),
        ("Base cloud", "base_value", "base_value", "as planned"),
        ("AI cloud", "plan_needed", "plan_value", "whole cloud less base cloud"),
        ("AI cloud, cash within the plan", "cash", "cash", "as planned"),
        ("AI cloud, value after the horizon", "after_needed", "after_value", asks),
    )
    columns = (
        Column("name", "part"),
        Column("needed", "needed", "bn ¤", scale=1 / _BN),
        Column("planned", "planned", "bn ¤", scale=1 / _BN),
        Column("note", "note"),
    )
    rows = [(name, float(record[needed]), float(record[planned]), note) for name, needed, planned, note in parts]
    title = "Value that the share price requires of the plan (present value)"
    return table("required", title, columns, rows, detail=True)
