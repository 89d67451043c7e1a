"""Changes of a scenario's values by path, as ``--set PATH=VALUE`` states them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import fnmatch
import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jevons.errors import Fault, InputError, did_you_mean
from jevons.facts import Facts, default_facts
from jevons.schema import parse_yaml
from jevons.study.scenario.amounts import Amount
from jevons.study.scenario.load import load
from jevons.study.scenario.scenario import Scenario, quantities_of

Changes = Mapping[str, Any]
_FACTOR = re.compile(r"[x*×]\s*([-+]?[0-9.]+(?:e[-+]?\d+)?)\s*$", re.IGNORECASE)


def read_changes(given: Any, name: str) -> dict[str, Any]:
    """Return changes by path from a mapping, or from texts ``PATH=VALUE``.

    Raises
    ------
    InputError
        If a text has no path or no value, or a path is given twice.
    """
    if isinstance(given, Mapping):
        return {str(path): value for path, value in given.items()}
    changes: dict[str, Any] = {}
    texts = [given] if isinstance(given, str) else list(given or ())
    for text in texts:
        path, sign, value = str(text).partition("=")
        path, value = path.strip(), value.strip()
        if not sign or not path or not value:
            message = (
                f"--{name} {text}: write it as PATH=VALUE, such as cost.wacc=0.12 or expansion.budget='500 bn CNY'"
            )
            raise InputError(message)
        if path in changes:
            message = f"--{name} {text}: {path} is set twice"
            raise InputError(message)
        changes[path] = value
    return changes


def changed(
    scenario: Scenario, changes: Changes, *, file: Path | str | None = None, facts: Facts | None = None
) -> Scenario:
    """Return a scenario with values changed by path.

    An amount is set to a number or text with its unit and is then certain; a mapping with low, mode and high gives it a
    range; ``x1.5`` multiplies value and range. A star in a path stands for any name. Other values, such as an engine,
    can be set where *file*, which the scenario was read from, is given.

    Raises
    ------
    InputError
        With every fault: unknown paths (near names are offered), values that are none, or that contradict the rest.
    """
    facts = facts or default_facts()
    amounts, settings = scenario.amounts(), scenario.settings()
    faults: list[Fault] = []
    new_amounts: dict[str, Any] = {}
    new_settings: dict[str, Any] = {}
    for pattern, raw in changes.items():
        paths = _matching(pattern, amounts, settings)
        if not paths:
            faults.append(Fault(message=f"--set {pattern}={_shown(raw)}: {_unknown(pattern, amounts, settings)}"))
        for path in paths:
            (new_amounts if path in amounts else new_settings)[path] = raw
    if new_settings and file is None:
        named = ", ".join(new_settings)
        faults.append(Fault(message=f"--set {named}: is no amount; give the scenario's file to change it"))
    if faults:
        raise InputError(faults)
    if new_settings and file is not None:
        on = new_settings.pop("as_of", scenario.as_of)
        day = on if isinstance(on, dt.date) else _day(on)
        scenario = load(Path(file), facts=facts, as_of=day, settings={p: _plain(v) for p, v in new_settings.items()})
    return scenario.with_amounts(_amounts(scenario, new_amounts, facts))


def _amounts(scenario: Scenario, raw: Changes, facts: Facts) -> dict[str, Amount]:
    """Return the amounts that raw values state.

    Raises
    ------
    InputError
        With every value that is none.
    """
    before, quantities = scenario.amounts(), quantities_of(scenario)
    context = {"facts": facts, "as_of": scenario.as_of, "currency": scenario.currency}
    faults: list[Fault] = []
    amounts: dict[str, Amount] = {}
    for path, value in raw.items():
        factor = _FACTOR.match(value.strip()) if isinstance(value, str) else None
        if path not in before:
            faults.append(Fault(message=f"--set {path}={_shown(value)}: is no amount with the other changes made"))
            continue
        try:
            if factor is not None:
                amounts[path] = _scaled(before[path], float(factor[1]))
                quantities[path].check(amounts[path])
            else:
                amounts[path] = quantities[path].read(_mapping(value), context)
        except ValueError as error:
            faults.append(Fault(message=f"--set {path}={_shown(value)}: {error}"))
    if faults:
        raise InputError(faults)
    return amounts


def _scaled(amount: Amount, factor: float) -> Amount:
    if not math.isfinite(factor):
        message = "must be a finite factor"
        raise ValueError(message)
    ends = [None if end is None else end * factor for end in (amount.low, amount.high)]
    if factor < 0:
        ends.reverse()
    return dataclasses.replace(amount, value=amount.value * factor, low=ends[0], high=ends[1])


def _mapping(value: Any) -> Any:
    """Return a text such as ``{low: 1, mode: 2, high: 3}`` as a mapping with a source, others as given."""
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("{"):
            value = parse_yaml(text, "--set").root
    if isinstance(value, Mapping) and "fact" not in value and "source" not in value:
        value = {**value, "source": "given with --set"}
    return value


def _plain(value: Any) -> Any:
    """Return the text of a setting as YAML has it: a number, a truth value, or words."""
    return parse_yaml(value, "--set").root if isinstance(value, str) else value


def _day(text: Any) -> dt.date:
    try:
        return dt.date.fromisoformat(str(text))
    except ValueError:
        message = f"--set as_of={text}: not a date; write it like 2025-02-24"
        raise InputError(message) from None


def _matching(pattern: str, *known: Iterable[str]) -> list[str]:
    if "*" not in pattern:
        return [pattern] if any(pattern in names for names in known) else []
    parts = pattern.split(".")
    return [
        name
        for names in known
        for name in names
        if len(name.split(".")) == len(parts)
        and all(fnmatch.fnmatchcase(own, part) for own, part in zip(name.split("."), parts, strict=True))
    ]


def _same_end(path: str, known: Sequence[str]) -> list[str]:
    """Return the paths whose last name is that of *path* or nearest to it, those of the same section first."""
    section, _, last = path.rpartition(".")
    names = {name.rsplit(".", 1)[-1] for name in known}
    near = difflib.get_close_matches(last, sorted(names), n=1, cutoff=0.75)
    ends = [name for name in known if near and name.rsplit(".", 1)[-1] == near[0]]
    same = [name for name in ends if name.rpartition(".")[0] == section]
    return same or sorted(ends, key=lambda name: -difflib.SequenceMatcher(None, path, name).ratio())


def _unknown(path: str, amounts: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    known = [*amounts, *settings]
    inside = [name for name in known if name.startswith(f"{path}.")]
    if inside:
        return f"is a section; set a value of it, such as {inside[0]}"
    if "*" in path:
        return "no value has such a path; a star stands for one name between dots"
    ends = _same_end(path, known)
    near = f" Did you mean {' or '.join(f'`{name}`' for name in ends[:3])}?" if ends else did_you_mean(path, known)
    return f"the scenario has no such value.{near or ' `jevons plan FILE --dry-run` lists them.'}"


def _shown(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, numbers.Real) and not isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
