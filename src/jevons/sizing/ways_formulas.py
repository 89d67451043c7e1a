"""Formulas of buying, renting and an API, as they are computed and printed."""

from __future__ import annotations

from jevons.formula import Formula, Symbol
from jevons.provenance import Ledger
from jevons.sizing.ways import ApiPrice

_MTOK = "CNY/Mtok"
_INPUT = {
    "cached_frac": Symbol("input tokens that the API reads from its cache, over all input tokens"),
    "input": Symbol("price of input", _MTOK),
    "cached": Symbol("price of input read from the cache", _MTOK),
}
OUTPUT_WITH_INPUT = Formula(
    "output + isl / osl * ((1 - cached_frac) * input + cached_frac * cached)",
    _MTOK,
    {
        **_INPUT,
        "output": Symbol("price of output", _MTOK),
        "isl": Symbol("input tokens of a request", "tok"),
        "osl": Symbol("output tokens of a request", "tok"),
    },
)
"""What an API takes for a million output tokens with the input that goes with them."""

MACHINE_PRICE = Formula(
    "price * accelerators",
    "CNY",
    {"price": Symbol("of an accelerator with its share of the server", "CNY"), "accelerators": Symbol("of a machine")},
)
MACHINE_DAY = Formula(
    "rate * 86400", "tok/day", {"rate": Symbol("output of a machine at full load, within the limits", "tok/s")}
)
"""Output tokens of a machine in a day at full load."""

BARE_BREAK_EVEN = Formula(
    "price / (life * 365.25) / output * 1000000",
    "tok/day",
    {
        "price": Symbol("of a machine", "CNY"),
        "life": Symbol("years of use", "y"),
        "output": Symbol("the API's price of output", _MTOK),
    },
)
"""Load at which a machine's price over its years equals the API's for output tokens alone."""

CALL = Formula(
    "(tokens_in * ((1 - cached_frac) * input + cached_frac * cached) + tokens_out * output) / 1000000",
    "CNY",
    {
        **_INPUT,
        "output": Symbol("price of output", _MTOK),
        "tokens_in": Symbol("input tokens of a call", "tok"),
        "tokens_out": Symbol("output tokens of a call", "tok"),
    },
)
"""What a call costs at an API."""

MONTH = Formula(
    "call * calls_per_d * 365.25 / 12",
    "CNY",
    {"call": Symbol("cost of a call", "CNY"), "calls_per_d": Symbol("calls of a shop", "1/day")},
)
"""What a shop pays an API in a month."""


def add_api_prices(ledger: Ledger, api: ApiPrice, prefix: str) -> dict[str, str]:
    """Record an API's prices in yuan under a prefix; returns the path of each by its symbol in the formulas."""
    prices = {"input": api.input_cny_per_mtok, "cached": api.cached_cny_per_mtok, "output": api.output_cny_per_mtok}
    paths = {name: f"{prefix}.{name}_cny_per_mtok" for name in prices}
    for name, value in prices.items():
        kind = ".cached_input_" if name == "cached" else f".{name}_"
        listed = [fact for fact in api.facts if kind in fact]
        how = (
            "list price, in yuan at the rate of the day"
            if api.facts
            else "as asked for, in yuan at the rate of the day"
        )
        ledger.add(paths[name], value, _MTOK, method=how, parents=[path for path in listed if path != paths[name]])
    return paths
