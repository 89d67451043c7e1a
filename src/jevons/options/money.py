"""Options of prices: currency, site, rents, APIs, and what machines of one's own cost."""

from __future__ import annotations

from dataclasses import replace

from jevons.options.option import Option
from jevons.units import CURRENCIES

CURRENCY = Option(
    help="Currency of all amounts, at the latest rate on file; by default that of the given prices, or USD",
    choices=lambda: CURRENCIES, parse=lambda given, _: str(given).strip().upper(), metavar="CODE",
)  # fmt: skip
SCENARIO_CURRENCY = replace(
    CURRENCY, help="Currency of all amounts, at the rates of the scenario's date; the scenario's own by default"
)
GPU_HOUR = Option(
    help="Price of an accelerator-hour with its currency, such as '2 USD', '$2/hr' or '1200 USD/month'",
    metavar="PRICE",
)
GPU_HOURS = Option(
    help="Price of an accelerator-hour, such as '2 USD', or by device, such as 'h20=8 CNY,h100_sxm=2 USD'",
    metavar="PRICES",
)
BUDGET = Option(help="Maximum cost of the accelerators per month, such as '300k CNY'", metavar="AMOUNT")
SITE = Option(
    help="Site whose power, PUE and tariff are used, such as site.us_texas; its region's market prices the accelerator",
    metavar="ID",
)
MACHINE_SITE = Option(
    help="Site of the machines, such as site.us_texas or site.eu_frankfurt: its power, PUE and building cost are used, "
    "and its region's prices of machines, rents and staff",
    metavar="ID",
)
UTILISATION = Option(help="Utilisation: share of capacity that is sold", low=0.01, high=1)
TOKENS_PER_DAY = Option(
    help="Output tokens per day, such as 57M; 10M where neither this nor a rate is given", metavar="COUNT"
)
API = Option(
    help="API by the prefix of its facts, such as deepseek.reasoner, or own prices of a million tokens, input/output "
    "or input/cached/output, such as '4/16 CNY'; that of the model where not given",
    metavar="ID",
)
RENT = Option(help="Rental price of an accelerator-hour by device, such as 'h20=6 CNY'", metavar="PRICES")
PURCHASE_PRICE = Option(
    help="Purchase price of an accelerator by device, such as 'l40s=8000 USD'; on file or estimated where not given",
    metavar="PRICES",
)
PURCHASE_PRICE_OF_ONE = Option(
    help="Purchase price of the accelerator with its share of the server, such as '8000 USD'; on file or estimated "
    "where not given",
    metavar="PRICE",
)
RENT_PROVIDER = Option(
    help="Provider whose rent on file is used, such as aws; by default the Chinese market's, else the latest",
    metavar="NAME",
)
RENT_TERM = Option(
    help="Term of the rental contract: on_demand, 1y, 3y or spot; that of the latest rent on file where not given",
    choices=lambda: ("on_demand", "1y", "3y", "spot"), metavar="TERM",
)  # fmt: skip
OPEN_HOURS = Option(
    help="Hours in which there is load and rented machines are paid for: always, office (50 h a week) or scale-to-zero",
    choices=lambda: ("always", "office", "scale-to-zero"), metavar="NAME",
)  # fmt: skip
MACHINE_UNIT = Option(
    help="Smallest purchase: gpu (1, 2, 4 or 8 accelerators) or node (whole servers)", choices=lambda: ("gpu", "node"),
    metavar="NAME",
)  # fmt: skip
YEARS = Option(help="Depreciation period of machines", unit="y")
MEAN_UTILISATION = Option(help="Mean load over the maximum load of the machines", share=True)
AVAILABILITY = Option(help="Share of hours in which a machine works", share=True)
STAFF = Option(help="Cost of staff for machines of one's own", unit="CNY a year")
CACHED = Option(help="Share of input tokens that the API bills as cached", share=True)
PRICE_CUT = Option(help="Yearly fall of the API's price", share=True)
PRESET = Option(help="Worked example of AI costs for a small shop: restaurant or web-shop", metavar="NAME")
SHOPS = Option(help="Shops that share machines", low=1, high=100_000_000)
