"""A new firm from ten figures: `jevons.new`."""

import pytest

import jevons

FIGURES = {
    "firm": "Neo", "budget": "2 bn USD", "revenue": "200 mn USD", "net_cash": "-1 bn USD", "shares": "300 mn",
    "share_price": "30 USD", "installed": ["h100_sxm=20000"], "as_of": "2025-02-24", "quarters": 4,
}  # fmt: skip


def test_ten_figures_make_a_scenario_that_plans(tmp_path):
    made = jevons.new(tmp_path / "neo.yaml", **FIGURES)
    result = jevons.plan(tmp_path / "neo.yaml", draws=0)
    assert result.scenario.firm.name == "Neo"
    assert result.scenario.start == "2025-Q2"
    assert result.scenario.currency == "USD"
    assert made.scenario.finance.net_cash.value == -1e9
    assert len((tmp_path / "neo.yaml").read_text().splitlines()) < 40


def test_a_firm_of_china_is_in_its_currency(tmp_path):
    told = FIGURES | {
        "region": "china", "budget": "20 bn CNY", "revenue": "2 bn CNY", "net_cash": "1 bn CNY",
        "share_price": "30 CNY", "installed": ["h20=2000"],
    }  # fmt: skip
    assert jevons.new(tmp_path / "s.yaml", **told).scenario.currency == "CNY"


def test_all_that_is_missing_is_named_at_once(tmp_path):
    with pytest.raises(jevons.InputError, match="5 figures are missing: budget .*, share_price .such as"):
        jevons.new(tmp_path / "s.yaml", firm="Neo")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"budget": "lots"}, "expansion.budget: `lots` is not an amount"),
        ({"net_cash": "7"}, "`7` has no unit"),
        ({"installed": ["h100_sxm"]}, "write it as DEVICE=NUMBER"),
        ({"installed": ["h100_sxm=-1"]}, "write it as DEVICE=NUMBER"),
        ({"installed": ["l4=7"]}, "region `us` prices"),
        ({"region": "moon"}, "Known: china, us"),
        ({"share_price": "30 EUR"}, "fx.cny_per_eur"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(tmp_path, changed, message):
    with pytest.raises(jevons.InputError, match=message):
        jevons.new(tmp_path / "s.yaml", **(FIGURES | changed))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a\nb: {c", 'quo"te', "#", "名"])
def test_any_name_of_a_firm_is_text(tmp_path, name):
    assert jevons.new(tmp_path / "s.yaml", **(FIGURES | {"firm": name})).scenario.firm.name == name


def test_a_file_that_is_there_is_kept(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("mine")
    with pytest.raises(jevons.InputError, match="is there already"):
        jevons.new(path, **FIGURES)
    assert path.read_text() == "mine"
    assert jevons.new(path, **FIGURES, overwrite=True).scenario.firm.name == "Neo"
