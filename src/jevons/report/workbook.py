"""A plan or its value as a workbook: accounts and DCF with live formulas, every table with raw numbers, sources.

Change an input (yellow) and depreciation, EBITA, tax, cash flows, the DCF and the value per share follow. Fleet, prices
and volumes stay as planned: the planner is not in the workbook.
"""

from __future__ import annotations

from typing import Any

from jevons import __version__
from jevons.arrays import Array
from jevons.finance import device_parts
from jevons.report.funding_sheets import cash_sheets, contract_sheet
from jevons.report.sheets import Book, Formula, Grid, address, letters
from jevons.results import Result, Table
from jevons.study import PlanResult
from jevons.study.chain.accounts import account_terms
from jevons.study.chain.demand import revenue_price_cur
from jevons.study.plan.value import ValueResult

_FIRST_YEAR = 0.625
_INPUTS: tuple[tuple[str, str, str], ...] = (
    ("WACC", "cost.wacc", "Cost of capital a year"),
    ("TAX", "finance.tax", "Tax on EBITA"),
    ("DEVICE_LIFE", "finance.accounting_life", "Accounting life of accelerators [years]"),
    ("BUILDING_LIFE", "finance.building_life", "Accounting life of sites [years]"),
    ("OVERHEAD", "finance.overhead", "Overhead over AI revenue"),
    ("REINVESTED", "finance.reinvested", "Share of earnings above the usual margin that overhead takes"),
    ("SHORTAGE_DECAY", "market.rental_reversion", "Share of a shortage's earnings that is gone after a year"),
    ("AFTER_GROWTH", "finance.after_growth", "Growth of AI revenue after the plan, a year"),
    ("TERMINAL_GROWTH", "finance.terminal_growth", "Growth for ever, a year"),
    ("TERMINAL_MARGIN", "finance.terminal_margin", "EBITA over revenue in the end"),
    ("CAPITAL_PER_REVENUE", "finance.capital_per_revenue", "Capital per revenue of a year, AI"),
    ("BASE_GROWTH", "finance.base_growth", "Growth of the cloud without AI, a year"),
    ("BASE_MARGIN", "finance.base_margin", "EBITA over revenue of the cloud without AI"),
    ("BASE_CAPITAL", "finance.base_capital", "Capital per added revenue of the cloud without AI"),
    ("REST_EBITA", "finance.rest_ebita", "EBITA of the other businesses in a year"),
    ("REST_GROWTH", "finance.rest_growth", "Growth of the other businesses, a year"),
    ("REST_RETURN", "finance.rest_return", "Return on capital added in the other businesses"),
    ("NET_CASH", "finance.net_cash", "Net cash"),
    ("STAKES", "finance.stakes", "Stakes in other firms"),
    ("SHARES", "finance.shares", "Shares outstanding, of the kind that is quoted"),
    ("PRICE", "finance.share_price", "Price of a share at the date"),
)


def plan_book(result: PlanResult) -> Book:
    """Return the workbook of a plan, not yet written."""
    book = Book()
    about = book.sheet("about")
    _inputs(book, result)
    _vintages(book, result)
    _buildings(book, result)
    contract_sheet(book, result)
    _statements(book, result)
    _value(book, result)
    cash_sheets(book, result)
    _about(about, result, live=True)
    add_tables(book, result)
    _sources(book, result)
    return book


def write_plan(result: PlanResult, stream: Any) -> None:
    """Write the workbook of a plan."""
    plan_book(result).write(stream)


def write_value(result: ValueResult, stream: Any) -> None:
    """Write the workbook of a value: that of its plan with the tables of the value."""
    book = plan_book(result.plan)
    add_tables(book, result)
    book.write(stream)


def _about(grid: Grid, result: Result, *, live: bool) -> None:
    scenario = getattr(result, "scenario", None)
    rows: list[tuple[str, str]] = [("answer", result.answer)]
    if scenario is not None:
        rows += [
            ("scenario", scenario.name),
            ("information as of", str(scenario.as_of)),
            ("currency", scenario.currency),
        ]
    rows += [("program", f"jevons {__version__}")]
    if live:
        rows += [
            ("live", "Change a yellow cell of the sheet inputs: books, EBITA, tax, cash flows and value follow."),
            ("as planned", "Fleet, prices, volumes, energy, value in use and other budget lines stay."),
        ]  # fmt: skip
    rows += [("note", note) for note in result.notes]
    grid.put(0, 0, f"jevons {result.kind}", "title")
    for row, (name, text) in enumerate(rows, 2):
        grid.put(row, 0, name, "bold")
        grid.put(row, 1, text, "text")
    grid.widths = {0: 20, 1: 110}


def _inputs(book: Book, result: PlanResult) -> None:
    grid = book.sheet("inputs")
    grid.line(0, ("input", "value", "name in formulas", "path in the scenario", "unit", "origin"), look="bold")
    amounts = result.scenario.amounts()
    for row, (name, path, label) in enumerate(_INPUTS, 1):
        amount = amounts[path]
        grid.put(row, 0, label)
        grid.put(row, 1, amount.value, "input")
        grid.line(row, (name, path, amount.unit, amount.source or amount.origin), first=2)
        book.name(name, "inputs", row, 1)
    grid.frozen = (1, 1)
    grid.widths = {5: 60}


def _quarters(result: PlanResult) -> tuple[str, ...]:
    return tuple(result.chain.accounts.statements.quarters)


def _vintages(book: Book, result: PlanResult) -> None:
    """Write a row for each part of the fleet: its books by quarter, written down to its value in use."""
    chain = result.chain
    served = chain.plan.service.served_calls_per_d.sum(axis=2)
    price = revenue_price_cur(result.scenario, chain.inputs, chain.market, chain.exchange.scarcity, served)
    parts = device_parts(chain.plan, price, account_terms(result.scenario, chain.plan))
    quarters = _quarters(result)
    count, head = len(quarters), 6
    grid = book.sheet("vintages")
    grid.line(0, ("device", "cost", "paid in", "in service from", "out of service from", "book at start"), look="bold")
    for block, title in enumerate(("depreciation", "write-down", "book at end", "value in use")):
        for t, quarter in enumerate(quarters):
            grid.put(0, head + block * count + t, f"{title} {quarter}", "bold")
    last = len(parts) + 1
    for row, part in enumerate(parts, 2):
        grid.line(row, (part.device, part.cost_cur, part.paid, part.start, part.retired))
        lived = f"MIN(1,MAX(0,0-$D{row + 1}/(4*DEVICE_LIFE)))"
        grid.put(row, 5, Formula(f"IF($C{row + 1}<0,$B{row + 1}*(1-{lived}),0)"), "money")
        for t in range(count):
            _book_cells(grid, row, t, count, head, part.most_cur is not None)
            if part.most_cur is not None:
                grid.put(row, head + 3 * count + t, float(part.most_cur[t]), "money")
    grid.put(1, 0, "together", "bold")
    for column in (1, 5, *range(head, head + 3 * count)):
        first, end = address(2, column), address(max(last, 2), column)
        grid.put(1, column, Formula(f"SUM({first}:{end})"), "money")
    grid.frozen = (2, 1)


def _book_cells(grid: Grid, row: int, t: int, count: int, head: int, tested: bool) -> None:
    """Write depreciation, write-down and closing book of one part in one quarter."""
    line = row + 1
    before = f"$F{line}" if t == 0 else f"{letters(head + 2 * count + t - 1)}{line}"
    opened = f"({before}+IF($C{line}={t},$B{line},0))"
    remaining = f"IF($E{line}<={t},0,{opened})"
    gone = f"IF($E{line}<={t},{opened},0)"
    spent = f"{letters(head + t)}{line}"
    left = f"MAX(4*DEVICE_LIFE-({t}-$D{line}),1)"
    grid.put(row, head + t, Formula(f"IF({t}>=$D{line},{remaining}/{left},0)"), "money")
    excess = f"+MAX({remaining}-{spent}-MAX({letters(head + 3 * count + t)}{line},0),0)" if tested else ""
    grid.put(row, head + count + t, Formula(f"{gone}{excess}"), "money")
    written = f"{letters(head + count + t)}{line}"
    grid.put(row, head + 2 * count + t, Formula(f"{opened}-{spent}-{written}"), "money")


def _buildings(book: Book, result: PlanResult) -> None:
    """Write a row for each quarter's spending on sites: depreciation and book by quarter."""
    chain, quarters = result.chain, _quarters(result)
    count = len(quarters)
    grid = book.sheet("buildings")
    grid.line(0, ("paid in", "cost", "in service from"), look="bold")
    for block, title in enumerate(("depreciation", "book at end")):
        for t, quarter in enumerate(quarters):
            grid.put(0, 3 + block * count + t, f"{title} {quarter}", "bold")
    standing = account_terms(result.scenario, chain.plan).opening_building_book_cur
    spent = [
        ("before", standing, 0),
        *((q, float(chain.plan.spending.site_capex_cur[t]), t) for t, q in enumerate(quarters)),
    ]
    for row, (label, cost, start) in enumerate(spent, 2):
        grid.line(row, (label, cost, start))
        for t in range(count):
            passed = f"({t}-$C{row + 1})"
            life = "(4*BUILDING_LIFE)"
            part = f"MIN(1,MAX(0,{life}-{passed}))/{life}"
            grid.put(row, 3 + t, Formula(f"IF({t}>=$C{row + 1},$B{row + 1}*{part},0)"), "money")
            done = f"{letters(3)}{row + 1}:{letters(3 + t)}{row + 1}"
            grid.put(row, 3 + count + t, Formula(f"IF({t}>=$C{row + 1},$B{row + 1}-SUM({done}),0)"), "money")
    grid.put(1, 0, "together", "bold")
    for column in (1, *range(3, 3 + 2 * count)):
        grid.put(1, column, Formula(f"SUM({address(2, column)}:{address(len(spent) + 1, column)})"), "money")
    grid.frozen = (2, 1)


def _statements(book: Book, result: PlanResult) -> None:
    """Write the accounts by quarter: what is planned as numbers, what depends on inputs as formulas."""
    s, quarters = result.chain.accounts.statements, _quarters(result)
    count = len(quarters)
    grid = book.sheet("statements")
    grid.line(0, ("line", *quarters), look="bold")
    base = float(s.base.base_revenue_cur[0]) / (1.0 + result.scenario.finance.base_growth.value) ** 0.25
    start = (f"{base!r}*", "(1+BASE_GROWTH)^")
    before = "{c}4-{c}5-{c}6-OVERHEAD*{c}4-{c}8-{c}9-{c}25-BASE_MARGIN*{c}4"
    overhead = f"OVERHEAD*{{c}}4+REINVESTED*MAX({before},0)"
    costs = "{c}5-{c}6-OVERHEAD*{c}30-{c}8-{c}9-{c}25"
    calm = f"{{c}}30-{costs}-REINVESTED*MAX({{c}}30-{costs}-BASE_MARGIN*{{c}}30,0)"
    signed = result.chain.accounts.contracts is not None
    contracts = [f"contracts!{{c}}{row}" if signed else "0" for row in (2, 3, 4)]
    lines: list[tuple[str, Array | None, str]] = [
        ("AI revenue, external", None, "{open}+{c}26"),
        ("AI revenue, own businesses", s.revenue.internal_revenue_cur, ""),
        ("AI revenue", None, "{c}2+{c}3"), ("Energy", s.costs.energy_cur, ""),
        ("Fixed cost of accelerators", s.costs.fixed_cur, ""),
        ("Overhead", None, overhead), ("Depreciation of accelerators", None, "vintages!{dep}2"),
        ("Depreciation of sites", None, "buildings!{bdep}2"), ("AI EBITA", None, "{c}4-{c}5-{c}6-{c}7-{c}8-{c}9-{c}25"),
        ("Write-downs", None, "vintages!{imp}2"), ("AI tax", None, "TAX*({c}10-{c}11)"),
        ("Capital expenditure, accelerators", s.cash.device_capex_cur, ""),
        ("Capital expenditure, sites", s.cash.site_capex_cur, ""),
        ("AI free cash flow", None, "{c}10-{c}12+{c}8+{c}9-{c}13-{c}14-{c}24+{c}27"),
        ("Revenue without AI", None, f"{start[0]}{start[1]}(({{t}}+1)/4)"),
        ("EBITA without AI", None, "BASE_MARGIN*{c}16"),
        ("Investment without AI", None, f"BASE_CAPITAL*4*({{c}}16-{start[0]}{start[1]}({{t}}/4))"),
        ("Free cash flow without AI", None, "{c}17*(1-TAX)-{c}18"),
        ("Free cash flow of the cloud", None, "{c}15+{c}19"), ("Discount factor", None, "(1+WACC)^(0-({t}+0.5)/4)"),
        ("Book of accelerators at the end", None, "vintages!{book}2"),
        ("Book of sites at the end", None, "buildings!{bbook}2"), ("Prepayments, change", s.cash.prepayment_cur, ""),
        ("Leases of sites", s.costs.lease_cur, ""), ("of which customers' contracts", None, contracts[0]),
        ("Prepayments by customers, change", None, contracts[1]),
        ("Prepayments by customers, held", None, contracts[2]),
        ("AI revenue that a shortage adds", None, "{short}*{c}4"), ("AI revenue at calm prices", None, "{c}4-{c}29"),
        ("AI EBITA at calm prices", None, calm),
    ]  # fmt: skip
    for row, (label, numbers, text) in enumerate(lines, 1):
        grid.put(row, 0, label)
        for t in range(count):
            if numbers is not None:
                grid.put(row, t + 1, float(numbers[t]), "money")
                continue
            places = {
                "c": letters(t + 1), "t": t, "dep": letters(6 + t), "imp": letters(6 + count + t),
                "book": letters(6 + 2 * count + t), "bdep": letters(3 + t), "bbook": letters(3 + count + t),
                "short": repr(float(result.chain.accounts.shortage_frac[t])),
                "open": repr(float(s.revenue.external_revenue_cur[t] - s.revenue.contract_revenue_cur[t])),
            }  # fmt: skip
            grid.put(row, t + 1, Formula(text.format(**places)), "share" if label == "Discount factor" else "money")
    grid.frozen = (1, 1)


def _fade(book: Book, result: PlanResult, at: int, name: str, rows: dict[str, str]) -> tuple[str, int]:
    """Write how a line runs on after the plan, and return the cell of its value and the next free row.

    *rows* names formulas: margin, pace, growth, capital per revenue, opening capital, value in the plan; and what a
    shortage earns in a year at the end, where that is told apart.
    """
    grid = book.sheet("value")
    fade = round(result.scenario.finance.fade_years.value)
    begin = len(_quarters(result)) / 4
    grid.put(at, 0, name, "bold")
    labels = (
        "value of the plan's cash flows", "margin of the last year", "revenue of a year at the end",
        "growth at the start", "capital per revenue", "capital at the end", "value of the fade", "value after the fade",
        "value", "earnings of a shortage that ends",
    )  # fmt: skip
    keys = ("explicit", "margin", "pace", "growth", "intensity", "capital")
    for offset, (label, key) in enumerate(zip(labels, keys, strict=False), 1):
        grid.put(at + offset, 0, label)
        grid.put(at + offset, 1, Formula(rows[key]), "share" if key in {"margin", "growth", "intensity"} else "money")
    margin, pace, growth, k, capital = (f"$B${at + 1 + offset}" for offset in (2, 3, 4, 5, 6))
    years = at + 11
    grid.line(years, ("year after the plan", *range(1, fade + 1)), look="bold")
    for offset, label in enumerate(("revenue", "profit after tax", "capital", "free cash flow", "discount factor"), 1):
        grid.put(years + offset, 0, label)
    for year in range(1, fade + 1):
        c, before = letters(year), letters(year - 1)
        r = {n: f"{c}{years + 1 + o}" for o, n in enumerate(("revenue", "profit", "capital", "cash", "factor"), 1)}
        rate = f"({growth}+(TERMINAL_GROWTH-{growth})*{year}/{fade})"
        last = pace if year == 1 else f"{before}{years + 2}"
        power = _FIRST_YEAR if year == 1 else 1
        grid.put(years + 1, year, Formula(f"{last}*(1+{rate})^{power}"), "money")
        mean = f"({margin}+(TERMINAL_MARGIN-{margin})*{year}/{fade})"
        grid.put(years + 2, year, Formula(f"{mean}*(1-TAX)*{r['revenue']}"), "money")
        first = f"({capital}/{pace})"
        grid.put(years + 3, year, Formula(f"({first}+({k}-{first})*{year}/{fade})*{r['revenue']}"), "money")
        old = capital if year == 1 else f"{before}{years + 4}"
        grid.put(years + 4, year, Formula(f"{r['profit']}-({r['capital']}-{old})"), "money")
        grid.put(years + 5, year, Formula(f"(1+WACC)^(0-({begin}+{year}-0.5))"), "share")
    products = "+".join(f"{letters(y)}{years + 5}*{letters(y)}{years + 6}" for y in range(1, fade + 1))
    grid.put(at + 7, 0, labels[6])
    grid.put(at + 7, 1, Formula(products), "money")
    end = f"{letters(fade)}{years + 2}"
    roic = f"(TERMINAL_MARGIN*(1-TAX)/{k})"
    profit = f"TERMINAL_MARGIN*(1-TAX)*{end}*(1+TERMINAL_GROWTH)"
    after = f"{profit}*(1-TERMINAL_GROWTH/{roic})/(WACC-TERMINAL_GROWTH)*{letters(fade)}{years + 6}"
    grid.put(at + 8, 0, labels[7])
    grid.put(at + 8, 1, Formula(after), "money")
    grid.put(at + 9, 0, labels[8], "bold")
    grid.put(at + 9, 1, Formula(f"B{at + 2}+B{at + 8}+B{at + 9}+B{at + 11}"), "key")
    passing = "+".join(
        f"(1-SHORTAGE_DECAY)^{year - 0.5}*{letters(year)}{years + 6}" for year in range(1, fade + 1)
    )  # fmt: skip
    grid.put(at + 10, 0, labels[9])
    grid.put(at + 10, 1, Formula(f"{rows.get('short', '0')}*(1-TAX)*({passing})"), "money")
    return f"B{at + 10}", years + 8


def _value(book: Book, result: PlanResult) -> None:
    """Write the DCF: AI cloud, cloud without AI, other businesses, and the bridge to a share."""
    grid = book.sheet("value")
    grid.put(0, 0, "Discounted cash flows", "title")
    count = len(_quarters(result))
    first, last, four = letters(1), letters(count), letters(max(1, count - 3))

    def over(row: int) -> str:
        products = (f"statements!{letters(t + 1)}{row}*statements!{letters(t + 1)}21" for t in range(count))
        return "+".join(products)

    ai, row = _fade(book, result, 2, "AI cloud", {
        "explicit": over(15),
        "margin": f"SUM(statements!{four}31:{last}31)/SUM(statements!{four}30:{last}30)",
        "short": f"4*(statements!{last}10-statements!{last}31)",
        "pace": f"4*statements!{last}30", "growth": "AFTER_GROWTH", "intensity": "CAPITAL_PER_REVENUE",
        "capital": f"statements!{last}22+statements!{last}23-statements!{last}28",
    })  # fmt: skip
    base, row = _flows_alone(grid, row, over(19)) if not _sells(result) else _fade(
        book, result, row, "Cloud without AI", {
        "explicit": over(19),
        "margin": f"SUM(statements!{four}17:{last}17)/SUM(statements!{four}16:{last}16)",
        "pace": f"4*statements!{last}16", "growth": "BASE_GROWTH", "intensity": "BASE_CAPITAL",
        "capital": f"BASE_CAPITAL*4*statements!{last}16",
    })  # fmt: skip
    rest, row = _rest(grid, result, row)
    grid.put(row, 0, "From parts to a share", "bold")
    valuation = result.chain.accounts.valuation
    parts: list[tuple[str, float | Formula]] = [
        ("AI cloud", Formula(ai)), ("Other lines of the budget, as planned", float(valuation.lines_cur)),
        ("Cloud without AI", Formula(base)), ("Other businesses", Formula(rest)), ("Net cash", Formula("NET_CASH")),
        ("Stakes", Formula("STAKES")),
    ]  # fmt: skip
    for offset, (label, content) in enumerate(parts, 1):
        grid.put(row + offset, 0, label)
        grid.put(row + offset, 1, content, "money")
    begin, end = row + 1, row + len(parts)
    grid.put(end + 1, 0, "Equity", "bold")
    grid.put(end + 1, 1, Formula(f"SUM(B{begin + 1}:B{end + 1})"), "key")
    grid.put(end + 2, 0, "Value per share", "bold")
    grid.put(end + 2, 1, Formula(f"B{end + 2}/SHARES"), "key")
    grid.put(end + 3, 0, "Over the price at the date")
    grid.put(end + 3, 1, Formula(f"B{end + 3}/PRICE-1"), "share")
    for name, at in (("EQUITY", end + 1), ("PER_SHARE", end + 2), ("AI_VALUE", 11)):
        book.name(name, "value", at, 1)
    del first


def _sells(result: PlanResult) -> bool:
    """Return whether the firm has cloud revenue without AI at the end of the plan."""
    return bool(result.chain.accounts.statements.base.base_revenue_cur[-1] > 0)


def _flows_alone(grid: Grid, at: int, flows: str) -> tuple[str, int]:
    """Write a business that sells nothing in the end: it is worth its flows; return its cell and the next row."""
    grid.put(at, 0, "Cloud without AI", "bold")
    grid.put(at + 1, 0, "value of the plan's cash flows")
    grid.put(at + 1, 1, Formula(flows), "key")
    return f"B{at + 2}", at + 3


def _rest(grid: Grid, result: PlanResult, at: int) -> tuple[str, int]:
    """Write the other businesses, which grow at one rate, then for ever; return their value's cell and the next row."""
    years = round(result.scenario.finance.rest_years.value)
    grid.put(at, 0, "Other businesses", "bold")
    grid.line(at + 1, ("year", *range(1, years + 1)), look="bold")
    for offset, label in enumerate(("profit after tax", "discounted cash flow"), 2):
        grid.put(at + offset, 0, label)
    for year in range(1, years + 1):
        grid.put(at + 2, year, Formula(f"REST_EBITA*(1-TAX)*(1+REST_GROWTH)^{year}"), "money")
        reinvested = "(1-REST_GROWTH/REST_RETURN)"
        grid.put(at + 3, year, Formula(f"{letters(year)}{at + 3}*{reinvested}*(1+WACC)^(0-({year}-0.5))"), "money")
    grid.put(at + 4, 0, "growth for ever")
    grid.put(at + 4, 1, Formula("MIN(REST_GROWTH,TERMINAL_GROWTH)"), "share")
    forever = f"$B${at + 5}"
    profit = f"{letters(years)}{at + 3}*(1+{forever})" if years else f"REST_EBITA*(1-TAX)*(1+{forever})"
    after = f"{profit}*(1-{forever}/REST_RETURN)/(WACC-{forever})*(1+WACC)^(0-({years}-0.5))"
    grid.put(at + 5, 0, "value after")
    grid.put(at + 5, 1, Formula(after), "money")
    grid.put(at + 6, 0, "value", "bold")
    explicit = f"SUM(B{at + 4}:{letters(years)}{at + 4})" if years else "0"
    grid.put(at + 6, 1, Formula(f"{explicit}+B{at + 6}"), "key")
    return f"B{at + 7}", at + 9


def add_tables(book: Book, result: Result) -> None:
    """Add every table of a result: names for programs, heads for people, raw numbers."""
    for table in result.tables.values():
        name = table.name[:31]
        while name in book.grids:
            name = f"{name[:27]}_{len(book.grids)}"
        _table(book.sheet(name), table)


def _table(grid: Grid, shown: Table) -> None:
    grid.put(0, 0, shown.title, "bold")
    grid.line(1, [column.head for column in shown.columns], look="bold")
    grid.line(2, [column.name for column in shown.columns])
    for row, cells in enumerate(shown.rows, 3):
        grid.line(row, cells)
    grid.frozen = (3, 1)


def _sources(book: Book, result: PlanResult) -> None:
    grid = book.sheet("sources")
    grid.line(0, ("fact", "value", "unit", "from", "grade", "source", "address"), look="bold")
    for row, (name, cells) in enumerate(result.sources.items(), 1):
        grid.line(row, [name, *(c if isinstance(c, int | float) else str(c) for c in cells)])
    grid.frozen = (1, 1)
    grid.widths = {5: 60, 6: 40}
    grid = book.sheet("judgements")
    grid.line(0, ("input", "value", "low", "high", "unit", "reason"), look="bold")
    for row, judgement in enumerate(result.judgements, 1):
        grid.line(row, judgement)
    grid.frozen = (1, 1)
    grid.widths = {5: 90}
