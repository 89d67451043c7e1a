"""What would change the answer of a study, in sentences from the figures that its result already has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jevons.rounding import share_price_text
from jevons.study.draws.outcomes import OUTCOMES, SHORT_NAMES
from jevons.study.draws.run import Draws
from jevons.study.draws.summary import ranked
from jevons.study.scenario.labels import amount_label
from jevons.study.scenario.scenario import Scenario
from jevons.units import MONEY, format_money
from jevons.words import Sentence

_MOST = 3
"""Inputs that are named."""
_LEAST = 0.005
"""Share of an outcome from which on a change of it is told."""
_MAIN = "value_per_share"


def amount_texts(values: Sequence[float], unit: str, currency: str) -> list[str]:
    """Return amounts of an input as people write them: money in millions, pure numbers below one in per cent.

    Parameters
    ----------
    values : sequence of float
        Of one input, in *unit*.
    unit : str
        Of the scenario's amount, with ``¤`` for its currency.
    currency : str
        Its code.
    """
    if unit in {MONEY, currency}:
        return [format_money(value, currency) for value in values]
    if unit == "1" and max(map(abs, values)) < 1:
        return [f"{100.0 * value:.3g} %" for value in values]
    behind = "" if unit == "1" else f" {unit.replace(MONEY, currency)}"
    return [f"{value:,.4g}{behind}" for value in values]


def of_swings(
    swings: Sequence[Any], ends: Sequence[tuple[float, float]], middle: float, names: Sequence[str], meaning: str,
    currency: str,
) -> Iterator[Sentence]:  # fmt: skip
    """Yield by how much each input moves an outcome at either end of its range.

    Parameters
    ----------
    swings : sequence
        With ``low``, ``high`` and ``unit``, greatest first.
    ends : sequence of (float, float)
        Outcome at either end.
    middle : float
        Outcome with all inputs at their central values; nothing is told where it is none or less.
    names : sequence of str
        Of the inputs, in words.
    meaning : str
        Name of the outcome.
    currency : str
        Of the scenario.
    """
    if middle <= 0.0:
        return
    for swing, (at_low, at_high), name in zip(swings, ends, names, strict=True):
        low, high = amount_texts((swing.low, swing.high), swing.unit, currency)
        values = {"input": name, "meaning": meaning, "low": low, "high": high}
        moved = {"at_low": at_low / middle - 1.0, "at_high": at_high / middle - 1.0}
        if max(map(abs, moved.values())) >= _LEAST:
            yield Sentence("change.swing", {**values, **moved})


def of_value(swings: Sequence[Any], names: Mapping[str, str], scenario: Scenario) -> Iterator[Sentence]:
    """Yield what moves the value of a share most, and which inputs alone bring it to the price.

    Parameters
    ----------
    swings : sequence of ValueSwing
        Of a plan, greatest first.
    names : mapping of str to str
        Of the inputs, by path.
    scenario : Scenario
        Of the plan.
    """
    moving = [swing for swing in swings if swing.swing_cur > 0]
    if not moving:
        return
    first = moving[:_MOST]
    ends = [(one.at_low_cur, one.at_high_cur) for one in first]
    named = [names[one.path] for one in first]
    yield from of_swings(first, ends, moving[0].value_cur, named, SHORT_NAMES[_MAIN], str(scenario.currency))
    price = moving[0].price_cur
    if price > 0:
        reach = [
            names[one.path]
            for one in moving
            if min(one.at_low_cur, one.at_high_cur) <= price <= max(one.at_low_cur, one.at_high_cur)
        ]
        counts = {"count": f"{len(reach)}", "all": f"{len(moving)}"}
        yield Sentence("change.crossing", {**counts, "inputs": reach[:_MOST] or None})


def of_draws(draws: Draws, scenario: Scenario) -> Sentence:
    """Return which inputs the value of a share hangs on over random draws."""
    strongest = ranked(draws, _MAIN, _MOST)
    meaning = SHORT_NAMES[_MAIN]
    if not strongest:
        return Sentence("change.no_rank", {"meaning": meaning})
    inputs = [
        Sentence("change.rank", {"input": amount_label(scenario, path), "size": f"{size:+.2f}".replace("-", "−")})
        for path, size in strongest
    ]
    return Sentence("change.ranked", {"meaning": meaning, "inputs": inputs})


def of_grid(draws: Draws, scenario: Scenario) -> Sentence:
    """Return where on a grid the value of a share is least and greatest."""
    worth = draws.outcomes[_MAIN]
    units = {path: scenario.amounts()[path].unit for path in draws.names}

    def place(at: int) -> list[Sentence]:
        point = zip(draws.names, draws.values[at], strict=True)
        return [
            Sentence("change.equal", {
                "input": amount_label(scenario, path),
                "value": amount_texts((float(value),), units[path], str(scenario.currency))[0],
            })
            for path, value in point
        ]  # fmt: skip

    def text(at: int) -> str:
        return f"{share_price_text(float(worth[at]))} {scenario.currency}/{scenario.firm.share}"

    least, most = int(np.argmin(worth)), int(np.argmax(worth))
    return Sentence("change.grid", {
        "meaning": SHORT_NAMES[_MAIN], "least": text(least), "at_least": place(least),
        "most": text(most), "at_most": place(most),
    })  # fmt: skip


def of_sensitivity(swings: Sequence[Any], outcome: str, central: float, scenario: Scenario) -> Iterator[Sentence]:
    """Yield what the inputs that move an outcome most make of it; ends without a feasible plan are left out."""
    first = [one for one in swings if one.swing > 0 and one.at_low is not None and one.at_high is not None][:_MOST]
    ends = [(one.at_low, one.at_high) for one in first]
    names = [amount_label(scenario, one.path) for one in first]
    meaning = SHORT_NAMES.get(outcome, OUTCOMES[outcome][1])
    yield from of_swings(first, ends, central, names, meaning, str(scenario.currency))


def of_comparison(difference: Mapping[str, Mapping[str, Any]], attribution: Mapping[str, Mapping[str, float]],
                  together: str) -> Iterator[Sentence]:  # fmt: skip
    """Yield how surely B's value of a share is the higher, and what its changes add one by one and together.

    Parameters
    ----------
    difference, attribution : mapping
        Of two scenarios, by outcome.
    together : str
        Name under which an attribution has what the changes add together.
    """
    record, parts = difference[_MAIN], dict(attribution.get(_MAIN, {}))
    if record.get("p_higher") is not None:
        yield Sentence("change.pairs", {"chance": record["p_higher"], "meaning": SHORT_NAMES[_MAIN]})
    rest = parts.pop(together, 0.0)
    if len(parts) > 1:
        texts = {"alone": sum(parts.values()), "together": rest}
        signed = {name: f"{value:+,.3g}".replace("-", "−") for name, value in texts.items()}
        yield Sentence("change.together", signed)


def of_track(
    moved: Sequence[tuple[str, float, float, float]], outside: Sequence[Mapping[str, str]], scenario: Scenario
) -> Iterator[Sentence]:  # fmt: skip
    """Yield which inputs move by what came, and which figures lay outside of the forecast.

    Parameters
    ----------
    moved : sequence of (path, mean before, mean after, move in deviations)
        Strongest first.
    outside : sequence of mapping
        Values of ``change.outside``, the latest figures first.
    scenario : Scenario
        What was forecast from.
    """
    for record in outside[:_MOST]:
        yield Sentence("change.outside", {**record, "side": Sentence(f"change.{record['side']}")})
    amounts = scenario.amounts()
    for path, before, after, _ in moved[:_MOST]:
        old, new = amount_texts((before, after), amounts[path].unit, str(scenario.currency))
        yield Sentence("change.moved", {"input": amount_label(scenario, path), "before": old, "after": new})
    if not moved:
        yield Sentence("change.unmoved")
