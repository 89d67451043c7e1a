"""The workbook recalculates: its formulas give the plan's figures, and those of other inputs when these are changed."""

import re
import zipfile

import pytest

import jevons
from jevons.report.sheets import Book, Formula
from jevons.report.workbook import plan_book
from jevons.study.chain.accounts import accounts
from places import TINY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plan():
    return jevons.plan(TINY, draws=0)


@pytest.fixture
def book(plan):
    return plan_book(plan)


def again(plan, values):
    """Return the accounts of the same plan at other inputs."""
    chain = plan.chain
    scenario = plan.scenario.with_numbers(values)
    return accounts(scenario, chain.market, chain.plan, chain.exchange.scarcity, chain.inputs)


def test_formulas_give_the_values_of_the_plan(plan, book):
    own = plan.chain.accounts
    assert book.named("PER_SHARE") == pytest.approx(own.value_per_share_cur, rel=1e-12)
    assert book.named("AI_VALUE") == pytest.approx(own.valuation.ai.total_cur, rel=1e-12)
    for row, numbers in (
        (9, own.statements.earnings.ai_ebita_cur), (11, own.statements.earnings.ai_tax_cur),
        (14, own.statements.cash.ai_fcf_cur), (10, own.statements.write_offs.impairment_cur),
        (18, own.statements.base.base_fcf_cur), (21, own.statements.balance.device_closing_cur),
        (22, own.statements.balance.building_closing_cur),
    ):  # fmt: skip
        shown = [book.value("statements", row, column) for column in range(1, len(numbers) + 1)]
        assert shown == pytest.approx(list(numbers), rel=1e-9, abs=1e-3), row


@pytest.mark.parametrize(
    "values",
    [
        {"cost.wacc": 0.13}, {"finance.terminal_margin": 0.25}, {"finance.accounting_life": 3.0},
        {"finance.accounting_life": 4.6}, {"finance.building_life": 12.0}, {"finance.reinvested": 0.3},
        {"finance.tax": 0.25, "finance.capital_per_revenue": 1.9}, {"finance.after_growth": 0.3},
        {"finance.base_margin": 0.12, "finance.base_growth": 0.02}, {"finance.rest_growth": 0.04},
        {"finance.terminal_growth": 0.02, "finance.net_cash": 1e9},
    ],
    ids=str,
)  # fmt: skip
def test_changed_inputs_recalculate_the_value(plan, book, values):
    from jevons.report.workbook import _INPUTS

    before = book.named("PER_SHARE")
    for name, path, _ in _INPUTS:
        if path in values:
            book.set(name, values[path])
    other = again(plan, values).valuation
    lines = plan.chain.accounts.valuation.lines_cur
    expected = (other.equity_cur - other.lines_cur + lines) / plan.scenario.finance.shares.value
    assert book.named("PER_SHARE") == pytest.approx(expected, rel=1e-9)
    assert book.named("AI_VALUE") == pytest.approx(other.ai.total_cur, rel=1e-9)
    assert book.named("PER_SHARE") != before


def test_more_overhead_recalculates_but_for_what_it_does_to_value_in_use(plan, book):
    """Write-downs stay as planned, of which overhead is a part."""
    book.set("OVERHEAD", 0.4)
    other = again(plan, {"finance.overhead": 0.4}).valuation
    lines = plan.chain.accounts.valuation.lines_cur
    expected = (other.equity_cur - other.lines_cur + lines) / plan.scenario.finance.shares.value
    assert book.named("PER_SHARE") == pytest.approx(expected, rel=1e-4)


def sheets(path):
    with zipfile.ZipFile(path) as archive:
        names = re.findall(r'<sheet name="([^"]+)"', archive.read("xl/workbook.xml").decode())
        texts = [archive.read(f"xl/worksheets/sheet{i}.xml").decode() for i in range(1, len(names) + 1)]
    return dict(zip(names, texts, strict=True))


def test_the_file_has_formulas_with_values_tables_and_sources(plan, tmp_path):
    plan.save(tmp_path / "plan.xlsx")
    found = sheets(tmp_path / "plan.xlsx")
    assert {"about", "inputs", "statements", "vintages", "buildings", "value", "fleet", "sources", "judgements"} <= set(
        found
    )
    assert found["value"].count("<f>") > 40
    assert re.search(r"<f>[^<]*WACC[^<]*</f><v>[-0-9.e]+</v>", found["value"])


def test_labels_that_begin_like_formulas_stay_text(tmp_path):
    book = Book()
    grid = book.sheet("a")
    for row, text in enumerate(("=1+1", "+cmd", "-2", "@SUM(A1)")):
        grid.put(row, 0, text)
    with (tmp_path / "a.xlsx").open("wb") as stream:
        book.write(stream)
    assert "<f>" not in sheets(tmp_path / "a.xlsx")["a"]
    assert sheets(tmp_path / "a.xlsx")["a"].count('t="s"') == 4


def test_a_formula_reads_like_a_spreadsheets():
    book = Book()
    grid = book.sheet("a b")
    grid.line(0, (2, 3, Formula("A1^2+MAX(B1,5)*IF(A1>=2,1,0)"), Formula("SUM(A1:B1)-'a b'!A1"), Formula("RATE*2")))
    book.name("RATE", "a b", 0, 1)
    assert [book.value("a b", 0, column) for column in (2, 3, 4)] == [9, 3, 6]


def test_every_table_goes_into_an_archive(plan, tmp_path):
    for name, ending in (("t.zip", ".csv"), ("t.parquet.zip", ".parquet")):
        plan.save(tmp_path / name)
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert set(archive.namelist()) == {f"{table}{ending}" for table in plan.tables}
