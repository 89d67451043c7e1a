"""What a plan found, as sentences by id with the numbers in them; each heading's id follows from its numbers.

A sentence is a record of an ``id``, under which each language has a template, and of ``values``: figures with unit,
80 % interval and the path of what they follow from, or names of things. Faces fill the templates in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jevons.study.plan.tables.overview import a_share

Record = dict[str, Any]

_IDLE = "idle"
_SURE, _FEW = 0.98, 0.6


def figure(
    value: float | None, unit: str = "1", *, low: float | None = None, high: float | None = None, path: str = "",
    label: str = "",
) -> Record:  # fmt: skip
    """Return a number with its unit, 80 % interval, the path of what it follows from, and its name's key."""
    record: Record = {"value": value, "unit": unit}
    if low is not None and high is not None:
        record |= {"low": low, "high": high}
    return record | ({"path": path} if path else {}) | ({"label": label} if label else {})


def named(kind: str, of: str, text: str = "") -> Record:
    """Return the name of a thing: a device, a use, a limit, an input."""
    return {"kind": kind, "of": of, "text": text or of}


def sentence(name: str, **values: Any) -> Record:
    """Return a sentence of the report."""
    return {"id": f"report.{name}", "values": values}


# ---- one heading each: the id follows from the numbers


def pays(orders: Record, chance: Record | None) -> Record:
    """Return whether new orders add value: surely, surely not, or open with the side of the median."""
    low, high = orders.get("low"), orders.get("high")
    values = {"orders": orders, "chance": chance}
    if low is None or high is None or chance is None:
        return sentence("pays.central" if orders["value"] > 0 else "pays.central_not", orders=orders)
    if low > 0:
        return sentence("pays.yes", **values)
    if high < 0:
        return sentence("pays.no", **values)
    return sentence("pays.open" if orders["value"] > 0 else "pays.open_not", **values)


def jevons(factor: Record, chance: Record | None) -> Record:
    """Return whether cheaper compute means more of it."""
    more = factor["value"] > 1
    low, high = factor.get("low"), factor.get("high")
    if low is None or high is None or chance is None:
        return sentence("jevons.central" if more else "jevons.central_not", factor=factor)
    sure = low > 1 if more else high <= 1
    name = ("jevons.yes" if sure else "jevons.likely") if more else ("jevons.no" if sure else "jevons.unlikely")
    return sentence(name, factor=factor, chance=chance)


def sides(median: float, central: Record) -> Record:
    """Return whether the central plan stands on the same side of one as the median of the draws."""
    same = (median > 1) == (central["value"] > 1)
    return sentence("jevons.same_side" if same else "jevons.other_side", central=central)


def build(device: Record, share: Record, devices: Record, quarter: str) -> Record:
    """Return what the fleet is made of."""
    name = "build.one" if share["value"] >= 0.5 else "build.mixed"
    return sentence(name, device=device, share=share, devices=devices, quarter=quarter)


def spent(share: Record, budget: Record) -> Record:
    """Return how much of the budget finds a use."""
    return sentence("spent.all" if share["value"] >= _SURE else "spent.part", share=share, budget=budget)


def binds(binding: Sequence[Sequence[str]], names: Mapping[str, str]) -> Record:
    """Return which limit is the tightest in most quarters."""
    firsts = [limits[0] for limits in binding if limits]
    if not firsts:
        return sentence("binds.none", quarters=figure(len(binding)))
    most = max(dict.fromkeys(firsts), key=firsts.count)
    values = {"limit": named("limit", most, names.get(most, most)), "quarters": figure(len(binding))}
    if firsts.count(most) == len(binding):
        return sentence("binds.always", **values)
    return sentence("binds.most", times=figure(firsts.count(most)), **values)


def serves(times: Record, price_change: Record) -> Record:
    """Return how tokens and their price move over the plan."""
    more = "more" if times["value"] >= 1 else "less"
    dear = "cheaper" if price_change["value"] < 0 else "dearer"
    size = {**price_change, "value": abs(price_change["value"])}
    ends = sorted(abs(price_change[key]) for key in ("low", "high") if price_change.get(key) is not None)
    if len(ends) == 2 and price_change["low"] * price_change["high"] > 0:
        size |= {"low": ends[0], "high": ends[1]}
    else:
        size.pop("low", None)
        size.pop("high", None)
    return sentence(f"serves.{more}_{dear}", times=times, change=size)


def flows(hours: Mapping[str, float], revenue: Mapping[str, float], labels: Mapping[str, str]) -> Record:
    """Return which use takes the most device-hours and which brings the most revenue; idle hours are no use."""
    busy = {use: value for use, value in hours.items() if use != _IDLE and value > 0}
    earns = {use: value for use, value in revenue.items() if value > 0}
    if not busy or not earns:
        return sentence("flows.none")
    a, b = max(busy, key=lambda use: busy[use]), max(earns, key=lambda use: earns[use])
    values = {
        "a": named("use", a, labels.get(a, a)),
        "hours": figure(busy[a] / sum(hours.values()), "frac", path="expansion.devices"),
        "revenue": figure(earns[b] / sum(earns.values()), "frac", path="expansion.objective"),
    }  # fmt: skip
    if a == b:
        return sentence("flows.same", **values)
    return sentence("flows.differ", b=named("use", b, labels.get(b, b)), **values)


def idles(first: Record, last: Record) -> Record:
    """Return whether idle hours grow or shrink, as shares of the fleet's."""
    return sentence("idles.more" if last["value"] > first["value"] else "idles.less", first=first, last=last)


def assumes(growth: float | None, *, out_of_reach: bool) -> Record:
    """Return what growth of the cloud the price of a share rests on."""
    if growth is not None:
        return sentence("assumes.growth" if growth > 0 else "assumes.decline", growth=figure(abs(growth), "frac"))
    return sentence("assumes.out_of_reach" if out_of_reach else "assumes.none")


def against_price(value: Record, price: Record, share: str = "a share") -> Record:
    """Return where the price of a share lies against its value; *share* names it, such as "an ADS"."""
    low, high = value.get("low"), value.get("high")
    if low is None or high is None:
        name = "price.above" if price["value"] > value["value"] else "price.below"
    elif low <= price["value"] <= high:
        name = "price.inside"
    else:
        name = "price.above" if price["value"] > high else "price.below"
    return sentence(name, worth=value, price=price, share=share)


def moves(swing: Mapping[str, Any], unit: str, share: str = "a share") -> Record:
    """Return the input that moves the value of a share most, and whether it raises or lowers it."""
    low, high = swing["at_low"], swing["at_high"]
    return sentence(
        "moves.raises" if high >= low else "moves.lowers", input=named("input", swing["path"], swing["label"]),
        low=figure(swing["low"], swing["unit"], path=swing["path"]),
        high=figure(swing["high"], swing["unit"], path=swing["path"]),
        at_low=figure(low, unit, path="finance.value_per_share"),
        at_high=figure(high, unit, path="finance.value_per_share"), share=share,
    )  # fmt: skip


def cycle(boom: Record, bust: Record) -> Record:
    """Return what new orders add in a boom and in a bust."""
    name = f"cycle.{'gain' if boom['value'] > 0 else 'loss'}_{'gain' if bust['value'] > 0 else 'loss'}"
    shown = [{**side, "value": abs(side["value"])} for side in (boom, bust)]
    return sentence(name, boom=shown[0], bust=shown[1])


def came(inside: int, count: int) -> Record:
    """Return how many actual figures lie inside the interval, against the four fifths that should."""
    values = {"inside": figure(inside), "count": figure(count)}
    if inside == 0:
        return sentence("came.none", **values)
    if inside == count:
        return sentence("came.all", **values)
    return sentence("came.few" if inside < _FEW * count else "came.most", **values)


# ---- the report of a plan


def findings(record: Mapping[str, Any], more: Mapping[str, Any]) -> Record:
    """Return question, answer, what would change it, and a heading with sentences for each section.

    Parameters
    ----------
    record : mapping
        JSON of a plan, from `plan_json`.
    more : mapping
        What `jevons.report.extras` adds: paths of the draws, swings, futures, actuals, names.
    """
    return {
        "question": sentence("question", scenario=record["scenario"]),
        "answer": _answer(record),
        "tiles": _tiles(record),
        "change": [dict(swing) for swing in more["swings"][:4]],
        "sections": [section for section in _sections(record, more) if section is not None],
        **{name: more[name] for name in ("swings", "cycle", "actuals", "names")},
    }


def _headline(record: Mapping[str, Any], name: str, path: str, *, scale: float = 1.0, unit: str = "") -> Record:
    quantile = record["headlines"][name]
    low, high = quantile["low"], quantile["high"]
    return figure(
        quantile["value"] * scale, unit or quantile["unit"].removesuffix(f"/{record['value']['share']}"),
        low=None if low is None else low * scale, high=None if high is None else high * scale, path=path,
        label=f"outcome.{name}",
    )  # fmt: skip


def _outcome(record: Mapping[str, Any], name: str, central: float | None, unit: str, path: str = "") -> Record:
    """Return an outcome's median and interval, or the central figure without draws."""
    drawn = record["quantiles"].get(name)
    if drawn is None:
        return figure(central, unit, path=path, label=f"outcome.{name}")
    return figure(drawn["p50"], unit, low=drawn["p10"], high=drawn["p90"], path=path, label=f"outcome.{name}")


def _chance(record: Mapping[str, Any], event: str) -> Record | None:
    one = (record["probability"] or {}).get(event)
    path = {"value_created": "finance.orders_value", "jevons": "jevons.compute_factor"}[event]
    return None if one is None else figure(one["p"], "frac", path=path, label=f"chance.{event}")


def _factor(record: Mapping[str, Any]) -> Record:
    return _outcome(
        record, "compute_factor", record["jevons"]["compute_factor"][-1], "1", "jevons.compute_factor"
    )  # fmt: skip


def _answer(record: Mapping[str, Any]) -> list[Record]:
    devices = _headline(record, "devices", "expansion.devices", unit="1")
    tokens = _headline(record, "tokens_per_d", "expansion.tokens_per_d", unit="1")
    values = {
        "futures": figure(record["draws"]), "capex": _headline(record, "capex", "expansion.capex"),
        "devices": devices, "quarter": record["quarters"][-1],
    }  # fmt: skip
    served = tokens["value"] > 0
    values |= {"tokens": tokens} if served else {"revenue": _revenue(record)}
    name = f"answer.{'serving' if served else 'renting'}{'' if record['draws'] else '_central'}"
    orders = _headline(record, "orders_value", "finance.orders_value")
    return [
        sentence(name, **values),
        pays(orders, _chance(record, "value_created")),
        jevons(_factor(record), _chance(record, "jevons")),
    ]


def _revenue(record: Mapping[str, Any]) -> Record:
    cash = record["cash"]
    central = sum(cash["ai_revenue_external"][-4:]) + sum(cash["ai_revenue_internal"][-4:])
    return _outcome(record, "ai_revenue", central, record["currency"])


def _worth(record: Mapping[str, Any]) -> Record:
    return _headline(record, "value_per_share", "finance.value_per_share")


def _price(record: Mapping[str, Any]) -> Record:
    price = record["value"]["price_per_share"]
    return figure(price, record["currency"], path="finance.share_price", label="plan.price")


def _share(record: Mapping[str, Any]) -> str:
    return a_share(record["value"]["share"])


def _tiles(record: Mapping[str, Any]) -> list[Record]:
    power = _outcome(record, "it_w", record["fleet"]["it_w"][-1], "W", "expansion.devices")
    shown = [_worth(record), _price(record), _chance(record, "value_created"), _chance(record, "jevons"), power]
    return [entry for entry in shown if entry is not None and entry["value"] is not None]


def _sections(record: Mapping[str, Any], more: Mapping[str, Any]) -> list[Record | None]:
    return [
        _build_section(record, more),
        _binds_section(record, more),
        _serves_section(record, more),
        _flows_section(record),
        _jevons_section(record),
        _price_section(record),
        _moves_section(record, more),
        _cycle_section(more),
        _actuals_section(more),
    ]


def _section(name: str, heading: Record, *text: Record | None) -> Record:
    return {"id": name, "heading": heading, "text": [part for part in text if part is not None]}


def _build_section(record: Mapping[str, Any], more: Mapping[str, Any]) -> Record:
    last = {device: path[-1] for device, path in record["fleet"]["devices"].items()}
    most = max(last, key=lambda device: last[device])
    total = sum(last.values())
    devices = _headline(record, "devices", "expansion.devices", unit="1")
    budget = figure(sum(record["cash"]["budget"]), record["currency"], path="expansion.budget", label="amount.budget")
    central = sum(record["cash"]["capex"]) / budget["value"]
    share = _outcome(record, "budget_spent_frac", central, "frac", "expansion.capex")
    heading = build(
        named("device", most, more["names"]["devices"].get(most, most)),
        figure(last[most] / max(total, 1e-30), "frac", path="expansion.devices"),
        devices,
        record["quarters"][-1],
    )
    return _section("build", heading, spent(share, budget))


def _binds_section(record: Mapping[str, Any], more: Mapping[str, Any]) -> Record:
    heading = binds(record["cash"]["binding"], more["names"]["limits"])
    return _section("binds", heading, sentence("binds.meaning") if heading["id"] != "report.binds.none" else None)


def _serves_section(record: Mapping[str, Any], more: Mapping[str, Any]) -> Record | None:
    tokens = record["tokens_per_day"]["total"]
    if not tokens[-1]:
        return None
    drawn = more["paths"].get("tokens_per_d")
    if drawn is not None and drawn["p50"][0] > 0:
        first = drawn["p50"][0]
        low, middle, high = (drawn[q][-1] / first for q in ("p10", "p50", "p90"))
        times = figure(middle, low=low, high=high, path="expansion.tokens_per_d")
    else:
        times = figure(tokens[-1] / tokens[0] if tokens[0] else None, path="expansion.tokens_per_d")
    if times["value"] is None:
        return None
    central = _price_index(record)
    price = _outcome(record, "price_index", central, "frac")
    change = figure(
        price["value"] - 1, "frac", low=None if "low" not in price else price["low"] - 1,
        high=None if "high" not in price else price["high"] - 1,
        path=f"market.{next(iter(record['price_per_mtok']), '')}.price_index",
    )  # fmt: skip
    return _section("serves", serves(times, change))


def _price_index(record: Mapping[str, Any]) -> float:
    """Return the last output price over the first, a mean over the models."""
    ratios = [kinds["output"][-1] / kinds["output"][0] for kinds in record["price_per_mtok"].values()]
    return sum(ratios) / len(ratios) if ratios else 1.0


def _flows_section(record: Mapping[str, Any]) -> Record:
    uses = record["use"]
    hours = {use: account["device_hours_per_day"] for use, account in uses.items()}
    revenue = {use: account["revenue"][-1] for use, account in uses.items()}
    labels = {use: account["label"] for use, account in uses.items()}
    heading = flows({use: path[-1] for use, path in hours.items()}, revenue, labels)
    whole = {at: max(sum(path[at] for path in hours.values()), 1e-30) for at in (0, -1)}
    shares = [
        figure(hours[_IDLE][at] / whole[at], "frac", path="expansion.devices") for at in (0, -1)
    ] if _IDLE in hours else []  # fmt: skip
    return _section("flows", heading, idles(*shares) if shares else None)


def _jevons_section(record: Mapping[str, Any]) -> Record:
    factor = _factor(record)
    central = figure(record["jevons"]["compute_factor"][-1], path="jevons.compute_factor")
    long_run = _outcome(
        record, "settled_compute_factor", record["jevons"]["settled_compute_factor"], "1", "jevons.compute_factor"
    )
    drawn = record["draws"] > 0
    return _section(
        "jevons", jevons(factor, _chance(record, "jevons")),
        sentence("jevons.long_run" if long_run["value"] > 1 else "jevons.long_run_not", factor=long_run),
        sides(factor["value"], central) if drawn else None,
    )  # fmt: skip


def _price_section(record: Mapping[str, Any]) -> Record | None:
    if record["value"]["price_per_share"] is None:
        return None
    own = record["value"]["iso_price_surface"][0]
    out_of_reach = own["growth_frac"] is None and not str(own["reason"]).startswith("none")
    heading = assumes(own["growth_frac"], out_of_reach=out_of_reach)
    return _section("price", heading, against_price(_worth(record), _price(record), _share(record)))


def _moves_section(record: Mapping[str, Any], more: Mapping[str, Any]) -> Record | None:
    if not more["swings"]:
        return None
    return _section("moves", moves(more["swings"][0], record["currency"], _share(record)))


def _cycle_section(more: Mapping[str, Any]) -> Record | None:
    both = more["cycle"]
    if not both:
        return None
    unit = both["currency"]
    boom, bust = (figure(both[side]["orders_value"], unit, path="finance.orders_value") for side in ("boom", "bust"))
    return _section("cycle", cycle(boom, bust), sentence("cycle.meaning"))


def _actuals_section(more: Mapping[str, Any]) -> Record | None:
    rows = more["actuals"]
    if not rows:
        return None
    return _section("actual", came(sum(row["inside"] for row in rows), len(rows)), sentence("came.meaning"))
