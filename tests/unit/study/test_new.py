"""A new firm from ten figures: `jevons.new`."""

import pytest

import jevons
from jevons.errors import InputError

pytestmark = pytest.mark.slow  # plans whole scenarios

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
    assert len((tmp_path / "neo.yaml").read_text().splitlines()) < 42


def test_a_firm_of_china_is_in_its_currency(tmp_path):
    told = FIGURES | {
        "region": "china", "budget": "20 bn CNY", "revenue": "2 bn CNY", "net_cash": "1 bn CNY",
        "share_price": "30 CNY", "installed": ["h20=2000"],
    }  # fmt: skip
    assert jevons.new(tmp_path / "s.yaml", **told).scenario.currency == "CNY"


@pytest.mark.parametrize(
    ("region", "money", "site"), [("eu", "EUR", "frankfurt"), ("gulf", "USD", "abu_dhabi")], ids=["eu", "gulf"]
)
def test_a_firm_of_another_region_is_sane(tmp_path, region, money, site):
    """It spends within its budget, and earns per accelerator what accelerators earn, not a tenth of a continent."""
    told = FIGURES | {
        "region": region, "budget": f"2 bn {money}", "revenue": f"80 mn {money}", "net_cash": f"0.5 bn {money}",
        "share_price": f"30 {money}", "as_of": "2025-11-30", "quarters": 8, "installed": ["h100_sxm=15000"],
    }  # fmt: skip
    made = jevons.new(tmp_path / "s.yaml", **told)
    assert made.scenario.currency == money
    assert list(made.scenario.hardware.sites) == [site]
    assert len((tmp_path / "s.yaml").read_text().splitlines()) < 100
    result = jevons.plan(tmp_path / "s.yaml", draws=0)
    books, fleet = result.chain.accounts.statements, result.chain.plan.fleet.installed.sum(axis=(0, 1))
    assert books.capex_cur.sum() <= 2e9
    per_hour = books.ai_revenue_cur / fleet / 2191.5
    assert (per_hour > 0.5).all()
    assert (per_hour < 6.0).all()
    assert books.ai_revenue_cur[0] == pytest.approx(0.6 * 80e6, rel=0.3)


@pytest.mark.parametrize("region", ["us", "eu"])
def test_a_new_firms_ai_keeps_no_more_of_its_revenue_than_the_best_cloud_publishes(tmp_path, region):
    """A seller of calls pays for models and staff too: 42 to 46 % was the best segment that published, in 2024."""
    money = "EUR" if region == "eu" else "USD"
    told = FIGURES | {
        "region": region, "budget": f"1.5 bn {money}", "revenue": f"180 mn {money}", "net_cash": f"-0.9 bn {money}",
        "shares": "200 mn", "share_price": f"15 {money}", "as_of": "2026-03-31", "quarters": 12,
        "installed": ["h100_sxm=20000", "b200_sxm=15000"],
    }  # fmt: skip
    jevons.new(tmp_path / "s.yaml", **told)
    books = jevons.plan(tmp_path / "s.yaml", draws=0).chain.accounts.statements
    margin = books.earnings.ai_ebita_cur[-4:].sum() / books.ai_revenue_cur[-4:].sum()
    assert 0.05 < margin < 0.42


@pytest.mark.parametrize(
    "own",
    [
        {"region": "eu", "budget": "150 mn EUR", "revenue": "12 mn EUR", "net_cash": "-20 mn EUR", "shares": "50 mn",
         "share_price": "8 EUR", "installed": ["h100_sxm=2000"]},
        {"region": "us", "currency": "JPY", "budget": "40 bn JPY", "revenue": "1.5 bn JPY", "net_cash": "5 bn JPY",
         "shares": "30 mn", "share_price": "3000 JPY", "installed": ["h100_sxm=1500"]},
    ],
    ids=["eu", "yen"],
)  # fmt: skip
def test_the_central_plan_of_a_small_firm_lies_within_its_draws(tmp_path, own):
    """So that a plan's median and the value of its central figures tell one story."""
    jevons.new(tmp_path / "s.yaml", **{**FIGURES, "as_of": "2026-03-31", "quarters": 12, **own})
    result = jevons.plan(tmp_path / "s.yaml", draws=32, processes=1)
    for name, one in result.to_json()["headlines"].items():
        assert one["low"] <= one["central"] <= one["high"], name
    assert not any("outside" in note for note in result.notes)


def test_what_a_region_does_not_say_is_that_of_the_region_it_is_like(tmp_path):
    eu, us = (
        jevons.new(tmp_path / f"{region}.yaml", **(FIGURES | {"region": region, "currency": "USD"})).scenario
        for region in ("eu", "us")
    )
    assert eu.serving.models["frontier"].price.output.value == us.serving.models["frontier"].price.output.value
    assert eu.hardware.devices["h100_sxm"].price.value == us.hardware.devices["h100_sxm"].price.value
    assert eu.finance.tax.value > us.finance.tax.value
    assert "like" not in eu.model_fields_set


def test_all_that_is_missing_is_named_at_once(tmp_path):
    with pytest.raises(jevons.InputError, match="5 figures are missing: budget .*, share_price .such as"):
        jevons.new(tmp_path / "s.yaml", firm="Neo")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"budget": "lots"}, "expansion.budget: `lots` is not an amount"),
        ({"budget": "¥300 bn"}, "¥ is the sign of CNY and of JPY; write the code"),
        ({"net_cash": "7"}, "`7` has no unit"),
        ({"installed": ["h100_sxm"]}, "write it as DEVICE=NUMBER"),
        ({"installed": ["h100_sxm=-1"]}, "write it as DEVICE=NUMBER"),
        ({"installed": ["l4=7"]}, "region `us` prices"),
        ({"region": "moon"}, "Known: china, eu, gulf, us"),
        ({"share_price": "30 EUR", "as_of": "2024-02-24"}, "fx.usd_per_eur"),
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


def test_what_is_no_file_is_left_as_it_is(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to("nowhere")
    (tmp_path / ".s.yaml.draft.yaml").write_text("mine")
    for name, message in (
        ("folder.yaml", "is a folder"), ("link.yaml", "to a file that does not exist"), ("n" * 300 + ".yaml", "255"),
        ("no/such.yaml", "does not exist"),
    ):  # fmt: skip
        with pytest.raises(jevons.InputError, match=message):
            jevons.new(tmp_path / name, **FIGURES, overwrite=True)
    jevons.new(tmp_path / "s.yaml", **FIGURES)
    assert (tmp_path / ".s.yaml.draft.yaml").read_text() == "mine"


@pytest.mark.parametrize("day", ["2025-02-24", "2025-11-30"])
def test_a_region_offers_only_chips_that_were_public_on_the_date(tmp_path, day):
    told = FIGURES | {"region": "gulf", "as_of": day, "installed": ["h100_sxm=2000"]}
    devices = jevons.new(tmp_path / "s.yaml", **told).scenario.hardware.devices
    assert ("gb300" in devices) == (day == "2025-11-30")


def test_a_scenario_counts_in_riyals_at_the_peg(tmp_path):
    told = FIGURES | {"region": "gulf", "currency": "SAR", "installed": ["h100_sxm=2000"], "budget": "2 bn SAR",
                      "revenue": "200 mn SAR", "net_cash": "1 bn USD", "share_price": "30 SAR"}  # fmt: skip
    made = jevons.new(tmp_path / "s.yaml", **told)
    assert made.scenario.finance.net_cash.value == pytest.approx(3.75e9, rel=1e-5)


@pytest.mark.parametrize(
    ("currency", "region", "budget", "first"),
    [("INR", "gulf", "₹9,000 crore", 2.25e10), ("USD", "us", "2bn USD", 5e8), ("EUR", "eu", "€1.2bn", 3e8)],
)
def test_an_amount_may_have_a_sign_its_countrys_scale_or_no_space(tmp_path, currency, region, budget, first):
    told = FIGURES | {"currency": currency, "region": region, "budget": budget, "installed": ["h100_sxm=4000"]}
    spec = jevons.new(tmp_path / "s.yaml", **told).scenario.expansion
    assert spec.budget_first.value == pytest.approx(first)
    assert spec.budget.value == pytest.approx(4 * first)


def test_what_calls_are_taken_to_bring_is_said_and_a_share_of_none_lets_machines_alone(tmp_path):
    made = jevons.new(tmp_path / "neo.yaml", **FIGURES)
    (note,) = [note for note in made.notes if "50 % of AI revenue" in note]
    path = note.split("set ")[1].split(" ")[0]
    assert path in made.scenario.amounts()
    sold = [name for name, one in made.scenario.market.segments.items() if not one.rents and not one.internal]
    none = made.scenario.with_values({f"market.segments.{name}.share": 0.0 for name in sold})
    both = [jevons.plan(one, draws=0).chain.accounts.value_per_share_cur for one in (made.scenario, none)]
    assert both[1] < both[0]


def _in(tmp_path, budget, revenue, net_cash, **more):
    return jevons.new(
        tmp_path / "odd.yaml", firm="Odd", budget=budget, revenue=revenue, net_cash=net_cash, shares="300 mn",
        share_price="30 USD", installed=["h100_sxm=20000"], as_of="2026-03-31", **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("amounts", "region", "currency"),
    [
        (("300 bn JPY", "40 bn JPY", "-100 bn JPY"), "us", "JPY"),
        (("AED 14 bn", "1 bn AED", "-1 bn AED"), "gulf", "AED"),
        (("€2 bn", "100 mn EUR", "0 EUR"), "us", "EUR"),
        (("₹9,000 crore", "₹400 crore", "-₹100 crore"), "us", "INR"),
    ],
)
def test_a_scenario_is_in_the_currency_of_its_amounts(tmp_path, amounts, region, currency):
    made = _in(tmp_path, *amounts, region=region)
    assert made.scenario.currency == currency
    assert f"\ncurrency: {currency}\n" in (tmp_path / "odd.yaml").read_text(encoding="utf-8")


def test_amounts_in_two_currencies_ask_for_the_currency(tmp_path):
    with pytest.raises(InputError, match="2 bn EUR.*100 mn USD.*say with currency"):
        _in(tmp_path, "2 bn EUR", "100 mn USD", "0 EUR")
    assert _in(tmp_path, "2 bn EUR", "100 mn USD", "0 EUR", currency="GBP").scenario.currency == "GBP"
