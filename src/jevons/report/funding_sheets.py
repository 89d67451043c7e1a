"""Sheets of customers' contracts, debt and the group's cash, with live formulas."""

from __future__ import annotations

from collections.abc import Sequence

from jevons.report.sheets import Book, Formula, Grid, letters
from jevons.study import PlanResult
from jevons.study.chain.contracts import contracts_of
from jevons.study.plan.group_cash import GroupCash, group_cash

_PER_CONTRACT = 11
_PER_LOAN = 6


def _cells(grid: Grid, row: int, label: str, texts: Sequence[str | float], look: str = "money") -> None:
    """Write a line: numbers as they are, texts as formulas."""
    grid.put(row, 0, label)
    for t, text in enumerate(texts):
        grid.put(row, t + 1, Formula(text) if isinstance(text, str) else float(text), look)


def contract_sheet(book: Book, result: PlanResult) -> None:
    """Write customers' contracts: due as the market's rent stands to theirs, revenue as delivered, prepayments."""
    chain = result.chain
    terms, account = contracts_of(result.scenario), chain.accounts.contracts
    if terms is None or account is None:
        return
    quarters = result.chain.accounts.statements.quarters
    grid = book.sheet("contracts")
    grid.line(0, ("line", *quarters), look="bold")
    names = ("revenue", "prepayments, change", "prepayments held")
    ahead = [spec.prepaid.value for spec in result.scenario.market.contracts.values()]
    at = 2 + len(names)
    parts: list[list[str]] = [[] for _ in names]
    for n, label in enumerate(terms.names):
        r = at + n * _PER_CONTRACT
        grid.put(r, 0, label, "bold")
        for offset, (title, value) in enumerate(
            (("Share paid in any case", terms.least_frac[n]),
             ("Rate per reference device-hour", terms.rate_cur_per_h[n]),
             ("Share paid in advance", ahead[n]), ("Prepayments held before the plan", terms.owed_before_cur[n])), 1,
        ):  # fmt: skip
            grid.put(r + offset, 0, title)
            grid.put(r + offset, 1, float(value), "input")
        least, rate, share, before = (f"$B${r + 1 + offset}" for offset in (1, 2, 3, 4))
        asked = chain.market.call_price_cur[int(terms.segment[n])]
        count = range(len(quarters))
        c = [letters(t + 1) for t in count]
        delivered = [
            float(account.revenue_cur[n, t] / account.due_cur[n, t]) if account.due_cur[n, t] > 0 else 1.0
            for t in count
        ]
        _cells(grid, r + 5, "Backlog of the quarter", account.committed_cur[n].tolist())
        _cells(grid, r + 6, "The market's price of an hour", asked.tolist(), "share")
        _cells(grid, r + 7, "Share that the fleet delivers", delivered, "share")
        _cells(
            grid, r + 8, "Revenue", [f"{x}{r + 6}*IF({x}{r + 7}<{rate}*0.999999999,{least},1)*{x}{r + 8}" for x in c]
        )
        old = [before, *(f"{x}{r + 11}" for x in c[:-1])]
        received = [repr(float(amount)) for amount in account.received_cur[n]]
        advances = [f"({old[t]}+{received[t]})" for t in count]
        _cells(
            grid, r + 9, "Revenue that prepayments pay", [f"MIN({share}*{c[t]}{r + 9},{advances[t]})" for t in count]
        )
        _cells(grid, r + 10, "Prepayments held at the end", [f"{advances[t]}-{c[t]}{r + 10}" for t in count])
        for part, text in zip(parts, ("{c}%d", "{c}%d-{old%d}", "{c}%d"), strict=True):
            place = r + 9 if part is parts[0] else r + 11
            part.append(text % ((place, n) if "old" in text else place))
    for offset, (name, part) in enumerate(zip(names, parts, strict=True), 1):
        texts: list[str | float] = []
        for t in range(len(quarters)):
            olds = {
                f"old{n}": f"$B${at + n * _PER_CONTRACT + 5}" if t == 0
                else f"{letters(t)}{at + n * _PER_CONTRACT + 11}"
                for n in range(len(terms.names))
            }  # fmt: skip
            texts.append("+".join(part).format(c=letters(t + 1), **olds))
        _cells(grid, offset, f"All contracts: {name}", texts)
    grid.frozen = (1, 1)


def _debt_sheet(book: Book, cash: GroupCash) -> None:
    """Write loans: owed, interest at a rate that can be changed, repaid."""
    debt = cash.funding.debt
    if debt is None:
        return
    grid = book.sheet("debt")
    grid.line(0, ("line", *cash.quarters), look="bold")
    rows = [5 + n * _PER_LOAN for n in range(len(debt.names))]
    for n, (name, r) in enumerate(zip(debt.names, rows, strict=True)):
        grid.put(r, 0, name, "bold")
        grid.put(r + 1, 0, "Interest a year")
        grid.put(
            r + 1,
            1,
            float(4 * debt.interest_cur[n, 0] / debt.opening_cur[n, 0]) if debt.opening_cur[n, 0] else 0.0,
            "input",
        )
        c = [letters(t + 1) for t in range(len(cash.quarters))]
        first: list[str | float] = [float(debt.opening_cur[n, 0])]
        _cells(grid, r + 2, "Owed at the start", [*first, *(f"{x}{r + 5}" for x in c[:-1])])
        _cells(grid, r + 3, "Repaid", debt.repaid_cur[n].tolist())
        _cells(grid, r + 4, "Owed at the end", [f"{x}{r + 3}-{x}{r + 4}" for x in c])
        _cells(grid, r + 5, "Interest", [f"{x}{r + 3}*$B${r + 2}/4" for x in c])
    for row, (label, offset) in enumerate(
        (("Interest, all loans", 6), ("Repaid, all loans", 4), ("Owed, all loans", 5)), 1
    ):
        texts = ["+".join(f"{letters(t + 1)}{r + offset}" for r in rows) for t in range(len(cash.quarters))]
        _cells(grid, row, label, list(texts))
    grid.frozen = (1, 1)


def cash_sheets(book: Book, result: PlanResult) -> None:
    """Write debt, and the cash of the whole group as it follows from the statements."""
    cash = group_cash(result.scenario, result.chain.accounts)
    _debt_sheet(book, cash)
    owes = cash.funding.debt is not None
    grid = book.sheet("cash")
    grid.line(0, ("line", *cash.quarters), look="bold")
    debt = cash.funding.debt
    start = f"NET_CASH+{float(debt.opening_cur[:, 0].sum())!r}" if debt is not None else "NET_CASH"
    meant = result.scenario.finance.owner_returns.value / 4
    rate = result.scenario.finance.new_debt_rate.value
    if debt is not None and not rate and debt.opening_cur[:, 0].sum() > 0:
        rate = float(4 * debt.interest_cur[:, 0].sum() / debt.opening_cur[:, 0].sum())
    grid.put(20, 0, "Interest a year on new debt")
    grid.put(20, 1, float(rate), "input")
    grid.put(21, 0, "Interest a year on cash")
    grid.put(21, 1, 0.02, "input")
    lines = (
        "Cash at the start" if owes else "Net cash at the start", "Free cash flow, cloud",
        "Free cash flow, other businesses", "Other budget lines, received less spent", "Interest on cash after tax",
        "Interest on debt after tax", "Loans repaid", "Cash before what is raised or returned", "New debt repaid",
        "Buybacks and dividends", "Raised", "Cash at the end" if owes else "Net cash at the end", "New debt at the end",
        "Debt at the end", "Net cash at the end",
    )  # fmt: skip
    for t in range(len(cash.quarters)):
        c, before = letters(t + 1), letters(t)
        new = "0" if t == 0 or not owes else f"{before}14"
        from_debt = [f"debt!{c}{row}" if owes else "0" for row in (2, 3, 4)]
        texts: tuple[str | float, ...] = (
            start if t == 0 else f"{before}13", f"statements!{c}20", float(cash.rest_cur[t]),
            float(cash.lines_received_cur[t] - cash.lines_spent_cur[t]), f"{c}2*((1+$B$22)^0.25-1)*(1-TAX)",
            f"({from_debt[0]}+{new}*$B$21/4)*(1-TAX)", from_debt[1], f"{c}2+{c}3+{c}4+{c}5+{c}6-{c}7-{c}8",
            f"MIN(MAX({c}9,0),{new})", f"MIN(MAX({c}9-{c}10,0),{meant!r})", f"MAX(0-({c}9-{c}10-{c}11),0)",
            f"{c}9-{c}10-{c}11+{c}12", f"{new}-{c}10+{c}12" if owes else "0", f"{from_debt[2]}+{c}14", f"{c}13-{c}15",
        )  # fmt: skip
        for row, text in enumerate(texts, 1):
            grid.put(row, t + 1, Formula(text) if isinstance(text, str) else text, "money")
    for row, label in enumerate(lines, 1):
        grid.put(row, 0, label)
    grid.frozen = (1, 1)
    book.name("NET_CASH_END", "cash", 15, len(cash.quarters))
