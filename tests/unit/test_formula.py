import numpy as np
import pytest

from jevons.formula import Formula, Symbol, evaluate, names_in
from jevons.provenance import Ledger

POWER = Formula("tdp * (1 + overhead)", "W", {"tdp": Symbol("of the device", "W"), "overhead": Symbol("share")})


def test_a_formula_gives_what_its_text_says_for_numbers_and_arrays():
    assert POWER(tdp=400.0, overhead=0.5) == 600.0
    assert POWER(tdp=np.array([100.0, 200.0]), overhead=0.5).tolist() == [150.0, 300.0]


def test_text_is_arithmetic_with_the_usual_order():
    assert evaluate("2 + 3 * 4 ** 2 / 8 - -1", {}) == 9.0
    assert evaluate("mean(a) + sum(a * b)", {"a": np.array([1.0, 3.0]), "b": 2.0}) == 10.0
    assert evaluate("min(a, b, 5)", {"a": 4.0, "b": 3.0}) == 3.0
    assert evaluate("sum(cash * 0.5 ** order(cash))", {"cash": np.array([8.0, 8.0, 8.0])}) == 14.0


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "a.real", "a[0]", "(lambda: 1)()", "open('x')", "'text'", "True",
        "a if a else 1",
        "a == 1", "sum(a, axis=0)", "[x for x in a]", "a // 2", "f'{a}'",
    ],
)  # fmt: skip
def test_anything_but_arithmetic_is_refused(text):
    with pytest.raises((ValueError, SyntaxError)):
        evaluate(text, {"a": 1.0, "x": 1.0})


def test_symbols_that_are_not_declared_or_not_used_are_refused():
    with pytest.raises(ValueError, match=r"has the names \['a', 'b'\]; declared are \['a'\]"):
        Formula("a + b", "1", {"a": Symbol("one")})
    with pytest.raises(ValueError, match="declared are"):
        Formula("a", "1", {"a": Symbol("one"), "b": Symbol("two")})
    with pytest.raises(ValueError, match="no value for b"):
        evaluate("a + b", {"a": 1.0})


def test_names_are_symbols_and_not_functions():
    assert names_in("sum(a * mean(b)) + 1") == {"a", "b"}


def ledger():
    held = Ledger()
    held.add("site.north.tariff", 0.4, "CNY/kWh", grade="filing")
    held.add("site.south.tariff", 0.8, "CNY/kWh", grade="judgement")
    held.add("power", 2.0, "kW")
    formula = Formula("power * mean(tariff)", "CNY/h", {"power": Symbol("of it", "kW"), "tariff": Symbol("price")})
    held.derive("energy", formula, power="power", tariff=("site.north.tariff", "site.south.tariff"))
    return held


def test_a_derived_figure_is_what_its_printed_formula_gives():
    held = ledger()
    assert held.nodes["energy"].value == pytest.approx(1.2)
    assert held.recompute("energy") == held.nodes["energy"].value
    assert held.nodes["energy"].parents == ("power", "site.north.tariff", "site.south.tariff")
    assert held.grade("energy") == "judgement"


def test_explain_names_the_symbol_of_each_parent():
    lines = ledger().explain("energy").splitlines()
    assert lines == [
        "energy = 1.2 CNY/h  (power * mean(tariff))",
        "  power: power = 2 kW",
        "  tariff: site.north.tariff = 0.4 CNY/kWh  (filing)",
        "  tariff: site.south.tariff = 0.8 CNY/kWh  (judgement)",
    ]


def test_what_was_spelled_out_is_not_spelled_out_again():
    held = ledger()
    double = Formula("a + b", "CNY/h", {"a": Symbol("one"), "b": Symbol("two")})
    held.derive("twice", double, a="energy", b="energy")
    assert held.explain("twice").splitlines()[-1] == "  b: energy = 1.2 CNY/h  (as above)"
