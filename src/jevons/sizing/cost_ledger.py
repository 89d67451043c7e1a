"""How the figures of `jevons.cost` were made, from the facts of the accelerator and the site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from jevons.costing import formulas as costing
from jevons.facts import FactValue, default_facts
from jevons.facts.ledger import add_fact
from jevons.formula import Formula, Symbol
from jevons.hardware import Accelerator, site_currency, site_facts
from jevons.provenance import Ledger
from jevons.sizing.hour_price import cny_per
from jevons.sizing.price_estimate import is_estimate


def add_hour(
    ledger: Ledger, *, device: Accelerator, site: str, on: dt.date | None, paid: FactValue, load_frac: float,
    currency: str, cny_rate: float,
) -> None:  # fmt: skip
    """Record how the cost of an hour of an accelerator that is owned was made."""
    facts = default_facts()
    terms = {
        name: f"assumption.{name}"
        for name in ("wacc_frac", "economic_life_y", "site_life_y", "network_frac", "operations_frac")
    }
    for fact in terms.values():
        add_fact(ledger, fact, facts, on)
    at_site = {name: _at_site(ledger, fact, on) for name, fact in site_facts(site).items() if name != "carbon"}
    parents = [paid.id] if device.own_price is None and not is_estimate(paid) else []
    for fact in parents:
        add_fact(ledger, fact, facts, on)
    price, on_file = "price_cny", "price on file, in yuan at the rate of the day"
    ledger.add(price, paid.number, "CNY", parents=parents, method=on_file if parents else paid.reason)
    ledger.add("server_w", device.server_w, "W", source="datasheet, with the share of the server")
    ledger.add("load_frac", load_frac, source="mean power over that at full load")
    ledger.derive("recovery", costing.RECOVERY, rate=terms["wacc_frac"], life=terms["economic_life_y"])
    ledger.derive("site_recovery", costing.RECOVERY, rate=terms["wacc_frac"], life=terms["site_life_y"])
    parts = {name: f"parts_cny_per_h.{name}" for name in costing.DEVICE_HOUR.symbols}
    ledger.derive(parts["capital"], costing.CAPITAL, price=price, recovery="recovery")
    ledger.derive(parts["network"], costing.NETWORK, price=price, network=terms["network_frac"], recovery="recovery")
    ledger.derive(
        parts["site"], costing.SITE, server_w="server_w", build=at_site["build"],
        site_recovery="site_recovery",
    )  # fmt: skip
    ledger.derive(
        parts["energy"], costing.ENERGY, server_w="server_w", load="load_frac", pue=at_site["pue"],
        tariff=at_site["tariff"],
    )  # fmt: skip
    ledger.derive(parts["operations"], costing.OPERATIONS, price=price, operations=terms["operations_frac"])
    ledger.derive("cny_per_h", costing.DEVICE_HOUR, **parts)
    ledger.add("cny_rate", cny_rate, f"CNY/{currency}", source="exchange rate of the day")
    ledger.derive("per_hour", _in_currency(currency), hour="cny_per_h", rate="cny_rate")


def _at_site(ledger: Ledger, fact_id: str, on: dt.date | None) -> str:
    """Record a figure of a site, in yuan where it is money, and return its path."""
    facts = default_facts()
    add_fact(ledger, fact_id, facts, on)
    name = fact_id.rsplit(".", 1)[1]
    if name == "pue" or site_currency(fact_id) == "CNY":
        return fact_id
    code = site_currency(fact_id)
    path, unit = f"site.{name.replace(code.lower(), 'cny')}", facts.get(fact_id, on).unit
    yuan = Formula(
        "amount * rate", unit.replace(code, "CNY"),
        {"amount": Symbol("at the site", unit), "rate": Symbol("exchange rate", f"CNY/{code}")},
    )  # fmt: skip
    rate = f"site.cny_per_{code.lower()}"
    ledger.add(rate, cny_per(code, on), f"CNY/{code}", source="exchange rate of the day")
    ledger.derive(path, yuan, amount=fact_id, rate=rate)
    return path


def _in_currency(currency: str) -> Formula:
    """Return an amount in yuan as one in another currency."""
    symbols = {
        "hour": Symbol("cost of an accelerator-hour", "CNY/h"), "rate": Symbol("exchange rate", f"CNY/{currency}"),
    }  # fmt: skip
    return Formula("hour / rate", f"{currency}/h", symbols)


def add_tokens(
    ledger: Ledger, *, currency: str, utilisation_frac: float, tok_per_s: Mapping[str, float], layout: str,
    request: Mapping[str, int],
) -> None:  # fmt: skip
    """Record what a million tokens cost by kind, from the speed at each (``input``, ``output``), and in the blend."""
    unit = f"{currency}/Mtok"
    ledger.add("utilisation_frac", utilisation_frac, source="asked for, or the default")
    for kind, speed in tok_per_s.items():
        ledger.add(f"{kind}_tok_per_s_per_gpu", speed, "tok/s", method=f"static point of {layout} within the limits")
        one = Formula(
            "hour / 3600 / utilisation / rate * 1000000", unit,
            {
                "hour": Symbol("cost of an accelerator-hour", f"{currency}/h"),
                "utilisation": Symbol("share of hours that sell"),
                "rate": Symbol(f"{kind} tokens of an accelerator that does nothing else", "tok/s"),
            },
        )  # fmt: skip
        ledger.derive(
            f"{kind}_per_mtok", one, hour="per_hour", utilisation="utilisation_frac", rate=f"{kind}_tok_per_s_per_gpu"
        )
    for name, count in request.items():
        ledger.add(f"request.{name}", count, "tok", source="asked for, or the default")
    symbols = {
        "isl": Symbol("input tokens of a request", "tok"), "osl": Symbol("output tokens of a request", "tok"),
        "input": Symbol("cost of input", unit), "output": Symbol("cost of output", unit),
    }  # fmt: skip
    paths = {"isl": "request.isl", "osl": "request.osl", "input": "input_per_mtok", "output": "output_per_mtok"}
    blended = Formula("(isl * input + osl * output) / (isl + osl)", unit, symbols)
    ledger.derive("blended_per_mtok", blended, **paths)
    ledger.derive("per_call", Formula("(isl * input + osl * output) / 1000000", currency, symbols), **paths)
