"""Which inputs of two scenarios differ, and groups of them that can be swapped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jevons.study.scenario.amounts import Amount
from jevons.study.scenario.scenario import Scenario
from jevons.units import CURRENCIES, format_money

MOST_SINGLE = 12
"""Changed amounts up to which each is swapped by itself; beyond, groups of them by the first parts of their paths."""
_SECTIONS = ("hardware", "serving", "cost", "market", "expansion", "finance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An input that differs: its path, and what it is in either scenario, in words and as a number where it is one."""

    path: str
    before: str
    after: str
    a: float | None = None
    b: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Swap:
    """A part of scenario B that is put into A to see what it does by itself."""

    name: str
    scenario: Scenario


def shown(amount: Amount | None) -> str:
    """Return an amount in words, with its range."""
    if amount is None:
        return "–"

    def one(value: float) -> str:
        if amount.unit in CURRENCIES:
            return format_money(value, amount.unit)
        return f"{value:,.5g}" + ("" if amount.unit == "1" else f" {amount.unit}")

    if amount.low is None or amount.high is None:
        return one(amount.value)
    return f"{one(amount.value)} ({one(amount.low)} to {one(amount.high)})"


def differences(a: Scenario, b: Scenario) -> list[Change]:
    """Return every input that differs, amounts first."""
    return [*_amounts(a, b), *_settings(a, b)]


def _amounts(a: Scenario, b: Scenario) -> Iterator[Change]:
    first, second = a.amounts(), b.amounts()
    for path in dict.fromkeys([*first, *second]):
        x, y = first.get(path), second.get(path)
        if x is None or y is None or (x.value, x.low, x.high) != (y.value, y.low, y.high):
            yield Change(
                path=path, before=shown(x), after=shown(y), a=None if x is None else x.value,
                b=None if y is None else y.value, unit=(x or y or _NONE).unit,
            )  # fmt: skip


def _settings(a: Scenario, b: Scenario) -> Iterator[Change]:
    first, second = a.settings(), b.settings()
    for path in dict.fromkeys([*first, *second]):
        x, y = first.get(path), second.get(path)
        left, right = (None if side is None else side[0] for side in (x, y))
        if left != right and path not in {"name", "seed", "study.draws"}:
            before, after = ("–" if side is None else str(side) for side in (left, right))
            yield Change(path=path, before=before, after=after)


_NONE = Amount(value=0.0, unit="1")


def same_shape(a: Scenario, b: Scenario) -> bool:
    """Return whether an answer for one can be the start of the other: the same names and quarters."""
    names = [
        (
            list(side.hardware.devices), list(side.hardware.sites), list(side.serving.models),
            list(side.market.segments),
            list(side.market.providers.rivals) if side.market.providers is not None else [], side.start, side.quarters,
        )
        for side in (a, b)
    ]  # fmt: skip
    return names[0] == names[1]


def swaps(a: Scenario, b: Scenario, changes: list[Change]) -> list[Swap]:
    """Return A with one changed input, or one group of them, as in B, for each of them.

    Few changed amounts are swapped one by one, many by the first two parts of their paths; where scenarios differ in
    more than amounts, whole sections are.
    """
    amounts = [c for c in changes if c.a is not None and c.b is not None]
    settings = [c for c in changes if c.a is None or c.b is None]
    values = b.amounts()
    if not settings:
        groups: dict[str, list[str]] = {}
        for change in amounts:
            name = change.path if len(amounts) <= MOST_SINGLE else _group(change.path, len(amounts))
            groups.setdefault(name, []).append(change.path)
        if len(groups) > MOST_SINGLE:
            groups = {}
            for change in amounts:
                groups.setdefault(change.path.split(".", 1)[0], []).append(change.path)
        return [Swap(name, a.with_amounts({path: values[path] for path in paths})) for name, paths in groups.items()]
    exchanged = []
    for section in _SECTIONS:
        touched = [c for c in changes if c.path.split(".", 1)[0] == section]
        if touched:
            name = touched[0].path if len(touched) == 1 else section
            exchanged.append(Swap(name, a.model_copy(update={section: getattr(b, section)})))
    times = {"start", "quarters", "as_of"} & {c.path for c in changes}
    if times:
        update = {name: getattr(b, name) for name in times}
        exchanged.append(Swap(", ".join(sorted(times)), a.model_copy(update=update)))
    return exchanged


def _group(path: str, _count: int) -> str:
    parts = path.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else path
