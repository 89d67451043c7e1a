import pytest

from jevons.units import UnitError, convert, format_money, format_si, parse_quantity, unit_of_name


@pytest.mark.parametrize(
    ("text", "to", "expected"),
    [
        ("4.8 TB/s", "bytes/s", 4.8e12),
        ("141 GiB", "bytes", 141 * 2**30),
        ("80 GB", "bytes", 80e9),
        ("400 Gbit/s", "bytes/s", 50e9),
        ("31.7 bn CNY", "CNY", 31.7e9),
        ("1.2 m CNY", "CNY", 1.2e6),
        ("0.5 CNY/kWh", "CNY/kWh", 0.5),
        ("16 CNY/Mtok", "CNY/tok", 16e-6),
        ("700 W", "kW", 0.7),
        ("25 %", "1", 0.25),
        ("0.25", "1", 0.25),
        ("1e3 ms", "s", 1.0),
        ("3 quarters", "quarter", 3.0),
        ("110 MW/quarter", "W/quarter", 110e6),
        ("30 CNY/W", "CNY/W", 30.0),
        ("1,200 CNY", "CNY", 1200.0),
    ],
)
def test_quantities_become_the_unit_asked_for(text, to, expected):
    assert parse_quantity(text, to) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "to", "part"),
    [
        ("5", "CNY", "no unit"),
        ("5 USD", "CNY", "does not measure"),
        ("5 GB", "bytes/s", "does not measure"),
        ("5 furlongs", "s", "unknown unit"),
        ("many", "s", "not a number"),
        ("1e999 s", "s", "finite"),
    ],
)
def test_wrong_units_say_what_is_wrong(text, to, part):
    with pytest.raises(UnitError, match=part):
        parse_quantity(text, to)


def test_names_state_their_unit():
    assert unit_of_name("h200_sxm.hbm_bytes_per_s") == "bytes/s"
    assert unit_of_name("site.china.tariff_cny_per_kwh") == "CNY/kWh"
    assert unit_of_name("api.qwen.max.input_cny_per_mtok") == "CNY/Mtok"
    assert unit_of_name("segment.restaurant.value_per_call_cny") == "CNY"
    assert unit_of_name("h20.cores") == "1"
    assert unit_of_name("alibaba.group.ads_price_usd") == "USD"


def test_conversion_there_and_back_is_exact_enough():
    assert convert(convert(3.7, "kWh", "J"), "J", "kWh") == pytest.approx(3.7, rel=1e-14)


def test_formats_keep_three_digits():
    assert format_si(989e12, "FLOP/s") == "989 TFLOP/s"
    assert format_si(999.9e9, "B") == "1.00 TB"
    assert format_money(380e9, "CNY") == "380 bn CNY"
    assert format_money(0.112, "USD") == "0.112 USD"
